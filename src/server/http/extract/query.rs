//! Strict query strings: no unknown or repeated parameters.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::domain::error::{AppError, AppResult};
use crate::server::http::problem::Problem;

/// A query string whose parameters are the fields of `T`, as strings.
#[derive(Debug)]
pub struct StrictQuery<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for StrictQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Ok(Self(parse(parts.uri.query().unwrap_or_default())?))
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> AppResult<T> {
    let mut pairs = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if pairs
            .insert(name.clone().into_owned(), Value::String(value.into_owned()))
            .is_some()
        {
            return Err(AppError::field(&name, "is given twice"));
        }
    }
    serde_json::from_value(Value::Object(pairs)).map_err(|error| {
        let message = error.to_string();
        let unknown = message
            .strip_prefix("unknown field `")
            .and_then(|rest| rest.split('`').next());
        AppError::field(
            unknown.unwrap_or("query"),
            "is not a parameter of this route",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::key_list::KeyListInput;

    #[test]
    fn names_are_known_and_single() {
        let query: KeyListInput = parse("q=50%25_a&status=active&limit=5").unwrap();
        assert_eq!(query.q.as_deref(), Some("50%_a"));
        for (text, said) in [
            ("page=2", "page"),
            ("q=a&q=b", "q is given twice"),
            ("partnerId=", ""),
        ] {
            let outcome = parse::<KeyListInput>(text).and_then(|query| query.check());
            assert!(outcome.unwrap_err().to_string().contains(said), "{text}");
        }
        for text in ["q=%00", "q=%ff%00", "q=a%0Ab"] {
            assert!(
                parse::<KeyListInput>(text).unwrap().check().is_err(),
                "{text}"
            );
        }
    }
}
