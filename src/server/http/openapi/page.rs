//! `/api/docs`: the OpenAPI document as an HTML page without scripts.

use maud::{DOCTYPE, Markup, html};
use serde_json::Value;

use super::example::kind;
use super::{API_KEY, METHODS, text};

/// An operation with its method and path.
struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    described: &'a Value,
}

impl Operation<'_> {
    fn id(&self) -> &str {
        text(&self.described["operationId"])
    }

    fn tag(&self) -> &str {
        text(&self.described["tags"][0])
    }

    /// Required scopes; `None` if no key is required.
    fn scopes(&self) -> Option<Vec<&str>> {
        let scopes = self.described["security"].pointer(&format!("/0/{API_KEY}"))?;
        Some(scopes.as_array()?.iter().map(text).collect())
    }

    fn request_example(&self) -> Option<&Value> {
        let content = &self.described["requestBody"]["content"]["application/json"];
        content.get("example")
    }

    /// An example request with curl.
    fn curl(&self) -> String {
        let mut curl = String::from("curl");
        if self.method != "get" {
            curl += &format!(" -X {}", self.method.to_uppercase());
        }
        curl += &format!(" \"$REGISTRY{}\"", self.path);
        if self.scopes().is_some() {
            curl += " \\\n  -H \"X-API-Key: $TOKEN\"";
        }
        if let Some(body) = self.request_example() {
            curl += " \\\n  -H \"Content-Type: application/json\"";
            curl += &format!(" \\\n  -d '{}'", body.to_string().replace('\'', "'\\''"));
        }
        curl
    }
}

/// Renders the page; `css` is the URL of the style sheet.
pub fn render(document: &Value, css: &str) -> String {
    let operations = operations(document);
    let tags = document["tags"].as_array().into_iter().flatten();
    let tags: Vec<_> = tags
        .map(|tag| (text(&tag["name"]), text(&tag["description"])))
        .collect();
    let of = |tag: &str| {
        operations
            .iter()
            .filter(move |operation| operation.tag() == tag)
            .collect::<Vec<_>>()
    };
    let title = text(&document["info"]["title"]);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "REST API · " (title) }
                link rel="icon" type="image/svg+xml" href="/favicon.svg";
                link rel="stylesheet" href=(css);
            }
            body.docs {
                a.skip-link href="#content" { "Skip to content" }
                nav.docs-nav aria-label="Routes" {
                    p.docs-title { (title) }
                    @for (tag, _) in &tags {
                        p.docs-tag { (tag) }
                        ul {
                            @for operation in of(tag) {
                                li { a href={ "#" (operation.id()) } { (summary(operation)) } }
                            }
                        }
                    }
                }
                main #content tabindex="-1" {
                    h1 { "REST API" }
                    (prose(text(&document["info"]["description"])))
                    p { "Machine-readable: " a href="/api/openapi.json" { "OpenAPI document" } "." }
                    @for (tag, description) in &tags {
                        section aria-label=(tag) {
                            h2 { (tag) }
                            p { (description) }
                            @for operation in of(tag) { (show(operation, document)) }
                        }
                    }
                }
            }
        }
    }
    .into_string()
}

/// Operations in path order. Of a handler for all methods, only the first.
fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        let methods = METHODS
            .iter()
            .filter_map(|method| Some((*method, item.get(*method)?)));
        let mut methods: Vec<_> = methods.collect();
        if methods.len() == METHODS.len() {
            methods.truncate(1);
        }
        found.extend(methods.into_iter().map(|(method, described)| Operation {
            method,
            path,
            described,
        }));
    }
    found
}

fn show(operation: &Operation<'_>, document: &Value) -> Markup {
    let described = operation.described;
    let parameters = described["parameters"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let body = &described["requestBody"]["content"]["application/json"]["schema"];
    html! {
        article.panel.route id=(operation.id()) {
            h3 { (summary(operation)) }
            p.address { span.chip { (operation.method.to_uppercase()) } " " code { (operation.path) } }
            (prose(text(&described["description"])))
            p {
                @match operation.scopes() {
                    None => { "No key required." }
                    Some(scopes) if scopes.is_empty() => { "Any valid key." }
                    Some(scopes) => {
                        "Scope: "
                        @for scope in scopes { span.chip { (scope) } " " }
                    }
                }
            }
            @if !parameters.is_empty() {
                h4 { "Parameters" }
                dl.members {
                    @for parameter in parameters {
                        (member(text(&parameter["name"]), &parameter["schema"], parameter["required"] == true,
                            text(&parameter["description"]), document))
                    }
                }
            }
            @if body.is_object() {
                h4 { "Body" }
                (members(resolve(body, document), document))
            }
            h4 { "Example request" }
            pre tabindex="0" { code { (operation.curl()) } }
            h4 { "Responses" }
            @for (status, response) in described["responses"].as_object().into_iter().flatten() {
                (answer(status, resolve(response, document)))
            }
        }
    }
}

fn answer(status: &str, response: &Value) -> Markup {
    let examples: Vec<&Value> = response["content"]
        .as_object()
        .into_iter()
        .flat_map(serde_json::Map::values)
        .flat_map(|media| {
            let many = media["examples"]
                .as_object()
                .into_iter()
                .flat_map(serde_json::Map::values);
            many.map(|example| &example["value"])
                .chain(media.get("example"))
        })
        .collect();
    let headers: Vec<&String> = response["headers"]
        .as_object()
        .into_iter()
        .flat_map(serde_json::Map::keys)
        .collect();
    html! {
        details.answer {
            summary { span.chip { (status) } " " (text(&response["description"])) }
            p { "Headers: " @for name in headers { code { (name) } " " } }
            @for example in examples {
                pre tabindex="0" { code { (format!("{example:#}")) } }
            }
        }
    }
}

fn members(schema: &Value, document: &Value) -> Markup {
    let required = |name: &str| {
        schema["required"]
            .as_array()
            .is_some_and(|all| all.iter().any(|other| other == name))
    };
    html! {
        dl.members {
            @for (name, of) in schema["properties"].as_object().into_iter().flatten() {
                (member(name, of, required(name), text(&of["description"]), document))
            }
        }
    }
}

fn member(
    name: &str,
    schema: &Value,
    required: bool,
    description: &str,
    document: &Value,
) -> Markup {
    html! {
        dt {
            code { (name) } " " span.kind { (type_of(schema, document)) }
            @if required { " " span.kind { "required" } }
        }
        dd { (prose(description)) }
    }
}

/// A short description of a schema's type and bounds.
fn type_of(schema: &Value, document: &Value) -> String {
    if let Some(choices) = schema["oneOf"].as_array() {
        let choice = choices.iter().find(|choice| choice["type"] != "null");
        return format!(
            "{} or null",
            type_of(choice.unwrap_or(&Value::Null), document)
        );
    }
    let schema = resolve(schema, document);
    if let Some(values) = schema["enum"].as_array() {
        let names: Vec<_> = values.iter().map(|value| text(value).to_owned()).collect();
        return format!("one of {}", names.join(", "));
    }
    let mut words = match kind(schema) {
        "array" => format!("list of {}", type_of(&schema["items"], document)),
        "integer" => "integer".to_owned(),
        other => schema["format"].as_str().unwrap_or(other).to_owned(),
    };
    let bound = |name: &str| schema[name].as_i64();
    let range = |least: &str, most: &str| match (bound(least), bound(most)) {
        (Some(least), Some(most)) => Some(format!("{least} to {most}")),
        (None, Some(most)) => Some(format!("at most {most}")),
        _ => None,
    };
    if let Some(range) = range("minLength", "maxLength") {
        words += &format!(", {range} characters");
    }
    if let Some(range) = range("minimum", "maximum") {
        words += &format!(", {range}");
    }
    if schema["type"]
        .as_array()
        .is_some_and(|kinds| kinds.iter().any(|kind| kind == "null"))
    {
        words += " or null";
    }
    words
}

fn resolve<'a>(schema: &'a Value, document: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => document
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or(schema),
        None => schema,
    }
}

/// Renders paragraphs, with text in backquotes as code.
fn prose(text: &str) -> Markup {
    html! {
        @for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
            p {
                @for (index, part) in paragraph.split('`').enumerate() {
                    @if index % 2 == 1 { code { (part) } } @else { (part) }
                }
            }
        }
    }
}

fn summary<'a>(operation: &Operation<'a>) -> &'a str {
    text(&operation.described["summary"])
}
