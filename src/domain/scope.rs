//! What a key may do: the closed set of scopes.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One permission of a key. The set is closed: an unknown name is refused wherever it is read.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
pub enum Scope {
    /// Record a new proof asset.
    #[serde(rename = "assets:mint")]
    AssetsMint,
    /// Read proof assets.
    #[serde(rename = "assets:read")]
    AssetsRead,
    /// Change a proof asset's status.
    #[serde(rename = "status:update")]
    StatusUpdate,
    /// Hand a proof asset to another partner.
    #[serde(rename = "transfer:execute")]
    TransferExecute,
    /// Read the partner's own audit events.
    #[serde(rename = "audit:read")]
    AuditRead,
    /// Check a content hash against its record.
    #[serde(rename = "reverify")]
    Reverify,
    /// Everything, the admin routes included; satisfies every scope check.
    #[serde(rename = "admin:*")]
    Admin,
}

impl Scope {
    /// Every scope, in the order in which they are offered.
    pub const ALL: [Self; 7] = [
        Self::AssetsMint,
        Self::AssetsRead,
        Self::StatusUpdate,
        Self::TransferExecute,
        Self::AuditRead,
        Self::Reverify,
        Self::Admin,
    ];

    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AssetsMint => "assets:mint",
            Self::AssetsRead => "assets:read",
            Self::StatusUpdate => "status:update",
            Self::TransferExecute => "transfer:execute",
            Self::AuditRead => "audit:read",
            Self::Reverify => "reverify",
            Self::Admin => "admin:*",
        }
    }

    /// Reads one name, exactly: no lists, no spaces, no other case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

/// A set of scopes, one bit each: what the key check compares without any allocation.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct ScopeSet(u8);

impl ScopeSet {
    /// Whether a key with these scopes passes a check for `scope`.
    #[must_use]
    pub fn grants(self, scope: Scope) -> bool {
        self.holds(scope) || self.holds(Scope::Admin)
    }

    /// Whether the set holds this very scope.
    #[must_use]
    pub fn holds(self, scope: Scope) -> bool {
        self.0 & bit(scope) != 0
    }

    /// The scopes, in the order in which they are offered.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL
            .into_iter()
            .filter(move |scope| self.holds(*scope))
    }
}

const fn bit(scope: Scope) -> u8 {
    1 << scope as u8
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | bit(scope)))
    }
}

impl fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_nothing_else_is_a_scope() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(scope));
            assert_eq!(
                serde_json::to_string(&scope).unwrap(),
                format!("\"{scope}\"")
            );
        }
        for text in [
            "",
            "admin",
            "assets:read,admin:*",
            " assets:read",
            "ASSETS:READ",
            "*",
            "admin:**",
        ] {
            assert_eq!(Scope::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn admin_satisfies_every_check_and_nothing_else_does() {
        let set = |scopes: &[Scope]| scopes.iter().copied().collect::<ScopeSet>();
        for scope in Scope::ALL {
            assert!(set(&[Scope::Admin]).grants(scope));
            assert!(set(&[scope]).grants(scope));
            assert!(!ScopeSet::default().grants(scope));
        }
        assert!(!set(&Scope::ALL[..6]).grants(Scope::Admin));
        assert!(!set(&[Scope::AssetsRead]).grants(Scope::AssetsMint));
        assert!(set(&Scope::ALL).iter().eq(Scope::ALL));
    }
}
