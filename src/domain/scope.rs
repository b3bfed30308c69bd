//! Scopes: the closed set of permissions of a key.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;

/// A permission of a key. Unknown names are refused everywhere.
#[derive(Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(const_into_str)]
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
pub enum Scope {
    /// Record a new proof asset.
    #[serde(rename = "assets:mint")]
    #[strum(serialize = "assets:mint")]
    AssetsMint,
    /// Read proof assets.
    #[serde(rename = "assets:read")]
    #[strum(serialize = "assets:read")]
    AssetsRead,
    /// Change a proof asset's status.
    #[serde(rename = "status:update")]
    #[strum(serialize = "status:update")]
    StatusUpdate,
    /// Transfer a proof asset to another partner.
    #[serde(rename = "transfer:execute")]
    #[strum(serialize = "transfer:execute")]
    TransferExecute,
    /// Read the partner's own audit events.
    #[serde(rename = "audit:read")]
    #[strum(serialize = "audit:read")]
    AuditRead,
    /// Check a content hash against its record.
    #[serde(rename = "reverify")]
    #[strum(serialize = "reverify")]
    Reverify,
    /// Everything including the admin routes; satisfies every check.
    #[serde(rename = "admin:*")]
    #[strum(serialize = "admin:*")]
    Admin,
}

/// A set of scopes as bits, compared without allocation.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct ScopeSet(u8);

impl ScopeSet {
    /// True if the set includes `scope` or `admin:*`.
    pub fn grants(self, scope: Scope) -> bool {
        self.holds(scope) || self.holds(Scope::Admin)
    }

    /// True if the set includes this very scope.
    pub fn holds(self, scope: Scope) -> bool {
        self.0 & bit(scope) != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::VARIANTS
            .iter()
            .copied()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_names_are_no_scopes() {
        for text in [
            "",
            "admin",
            "assets:read,admin:*",
            " assets:read",
            "ASSETS:READ",
            "*",
            "admin:**",
        ] {
            assert!(text.parse::<Scope>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn admin_satisfies_every_check_and_nothing_else_does() {
        let set = |scopes: &[Scope]| scopes.iter().copied().collect::<ScopeSet>();
        for scope in Scope::VARIANTS.iter().copied() {
            assert!(set(&[Scope::Admin]).grants(scope));
            assert!(set(&[scope]).grants(scope));
            assert!(!ScopeSet::default().grants(scope));
        }
        assert!(!set(&Scope::VARIANTS[..6]).grants(Scope::Admin));
        assert!(!set(&[Scope::AssetsRead]).grants(Scope::AssetsMint));
        assert!(
            set(Scope::VARIANTS)
                .iter()
                .eq(Scope::VARIANTS.iter().copied())
        );
    }
}
