//! A list's query as the parameters of a URL. The names are those of its serialised fields, so that
//! a new filter needs nothing here.

use std::collections::BTreeMap;

use leptos_router::params::ParamsMap;
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde::{Serialize, forward_to_deserialize_any};
use serde_json::Value;

/// The parameters of a query by name; absent fields have none.
pub type Parameters = BTreeMap<String, String>;

/// Writes a query whose fields are optional texts.
pub fn write(query: &impl Serialize) -> Parameters {
    let fields: BTreeMap<String, Option<String>> = serde_json::to_value(query)
        .and_then(serde_json::from_value)
        .unwrap_or_default();
    fields
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// Reads a query. Unknown parameters are ignored, and so are empty ones: a form without WASM sends
/// every field.
pub fn read<T: DeserializeOwned + Default>(params: &ParamsMap) -> T {
    T::deserialize(Params(params)).unwrap_or_default()
}

struct Params<'a>(&'a ParamsMap);

impl<'de> Deserializer<'de> for Params<'_> {
    type Error = serde_json::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let present = fields.iter().filter_map(|name| {
            let text = self.0.get(name).filter(|text| !text.is_empty())?;
            Some((*name, Value::String(text)))
        });
        visitor.visit_map(MapDeserializer::new(present))
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::key_list::KeyListInput;
    use crate::domain::list::EventListInput;

    #[test]
    fn a_query_survives_the_url() {
        let query = KeyListInput {
            partner_id: Some("7".into()),
            rotation_due: Some("true".into()),
            q: Some("a & b".into()),
            ..KeyListInput::default()
        };
        let parameters = write(&query);
        let names: Vec<&str> = parameters.keys().map(String::as_str).collect();
        assert_eq!(names, ["partnerId", "q", "rotationDue"]);
        let mut params: ParamsMap = parameters.into_iter().collect();
        params.insert("utm_source", "elsewhere".to_owned());
        params.insert("status", String::new());
        assert_eq!(read::<KeyListInput>(&params), query);
        assert_eq!(read::<EventListInput>(&params).partner_id, query.partner_id);
    }
}
