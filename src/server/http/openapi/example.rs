//! Example bodies, generated from the schemas: a type's own example, else its members'.

use serde_json::{Map, Value, json};

/// Returns an example of `schema`, whose references point into `components`.
pub fn of(schema: &Value, components: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let path = reference.trim_start_matches("#/components");
        return components
            .pointer(path)
            .map_or(Value::Null, |schema| of(schema, components));
    }
    if let Some(example) = schema.get("example") {
        return example.clone();
    }
    if let Some(value) = schema.pointer("/enum/0") {
        return value.clone();
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let objects = parts.iter().map(|part| of(part, components));
        let members = objects
            .filter_map(|part| part.as_object().cloned())
            .flatten();
        return Value::Object(members.collect());
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let choice = choices.iter().find(|choice| choice["type"] != "null");
        return choice.map_or(Value::Null, |choice| of(choice, components));
    }
    match kind(schema) {
        "object" => {
            let members = schema["properties"].as_object().into_iter().flatten();
            let members = members.map(|(name, member)| (name.clone(), of(member, components)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        "array" => json!([of(&schema["items"], components)]),
        "integer" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "boolean" => json!(true),
        "string" => json!(match schema["format"].as_str() {
            Some("uuid") => "0b9ac1f5-7d3e-4c58-9d5e-2f1a3b4c5d6e",
            Some("date-time") => "2031-01-31T12:00:00Z",
            _ => "text",
        }),
        _ => Value::Null,
    }
}

/// Returns a schema's type, ignoring `null`.
pub fn kind(schema: &Value) -> &str {
    let kinds = schema["type"].as_array();
    let kind = match kinds {
        Some(kinds) => kinds.iter().find(|kind| *kind != "null"),
        None => schema.get("type"),
    };
    kind.and_then(Value::as_str).unwrap_or_default()
}
