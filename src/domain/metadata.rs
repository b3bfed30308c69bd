//! A caller's own JSON, kept as it was sent.

use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// Maximum bytes of an asset's metadata as compact JSON.
pub const MAX_METADATA_BYTES: usize = 16 * 1024;

/// JSON without duplicate names, of which serde would silently keep the last, and without NUL
/// characters, which PostgreSQL's jsonb refuses.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct StrictValue(pub Value);

impl StrictValue {
    /// Returns the value if it is an object of at most [`MAX_METADATA_BYTES`].
    pub fn into_metadata(self) -> Result<Value, String> {
        if !self.0.is_object() {
            return Err("must be a JSON object".to_owned());
        }
        if self.0.to_string().len() > MAX_METADATA_BYTES {
            return Err("must have 16 KiB at most, as JSON without spaces".to_owned());
        }
        Ok(self.0)
    }
}

impl<'de> Deserialize<'de> for StrictValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        without_nul::<E>(text)?;
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(StrictValue(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, StrictValue(value))) = members.next_entry::<String, StrictValue>()? {
            without_nul::<A::Error>(&name)?;
            if object.insert(name, value).is_some() {
                return Err(Error::custom("expected an object that names nothing twice"));
            }
        }
        Ok(object.into())
    }
}

fn without_nul<E: Error>(text: &str) -> Result<(), E> {
    if text.contains('\0') {
        return Err(E::custom("expected text without NUL characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(json: &str) -> Result<Value, String> {
        serde_json::from_str::<StrictValue>(json)
            .map_err(|error| error.to_string())?
            .into_metadata()
    }

    #[test]
    fn an_object_is_kept_as_it_is() {
        let json = r#"{"a":[1,-2,1.5,true,null,"ä\n"],"b":{"c":{}}}"#;
        assert_eq!(metadata(json).unwrap().to_string(), json);
        assert_eq!(metadata("{}").unwrap().to_string(), "{}");
    }

    #[test]
    fn what_is_refused() {
        for (json, said) in [
            ("[]", "must be a JSON object"),
            ("7", "must be a JSON object"),
            (r#"{"a":1,"a":1}"#, "names nothing twice"),
            (r#"{"b":[{"a":1,"a":2}]}"#, "names nothing twice"),
            (r#"{"a":"\u0000"}"#, "without NUL"),
            (r#"{"\u0000":1}"#, "without NUL"),
        ] {
            let error = metadata(json).unwrap_err();
            assert!(error.contains(said), "{json}: {error}");
        }
    }

    #[test]
    fn spaces_do_not_count() {
        let json = |length: usize| format!("{{ \"a\" : \"{}\" }}", "x".repeat(length - 8));
        assert!(metadata(&json(MAX_METADATA_BYTES)).is_ok());
        assert!(metadata(&json(MAX_METADATA_BYTES + 1)).is_err());
    }
}
