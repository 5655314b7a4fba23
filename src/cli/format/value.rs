//! JSON as what a template works on, and back.

use gotmpl::Value;
use serde_json::{Map, Number};

/// `json` as a template sees it. For a terminal, texts are [`escaped`]. What is `null` is an empty list, which is what
/// Docker's lists that were never filled are to its templates.
pub fn from_json(json: &serde_json::Value, terminal: bool) -> Value {
    match json {
        serde_json::Value::Null => Value::List([].into()),
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(number) => from_number(number),
        serde_json::Value::String(text) => from_text(text, terminal),
        serde_json::Value::Array(list) => Value::List(list.iter().map(|item| from_json(item, terminal)).collect()),
        serde_json::Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| (key.as_str().into(), from_json(value, terminal)));
            Value::Map(std::sync::Arc::new(entries.collect()))
        }
    }
}

/// A text as a template sees it, for a terminal [`escaped`].
pub fn from_text(text: &str, terminal: bool) -> Value {
    Value::String(if terminal { escaped(text).into() } else { text.into() })
}

/// A text of somebody else's without the control characters that could repaint a terminal. Ends of lines and tabs stay.
fn escaped(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' | '\t' => c.to_string(),
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    };
    text.chars().map(shown).collect()
}

fn from_number(number: &Number) -> Value {
    let signed = number.as_i64().map(Value::Int);
    let unsigned = || number.as_u64().map(Value::Uint);
    signed.or_else(unsigned).unwrap_or_else(|| Value::Float(number.as_f64().unwrap_or_default()))
}

/// What `{{json}}` prints.
pub fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Nil | Value::Function(_) => serde_json::Value::Null,
        Value::Bool(truth) => (*truth).into(),
        Value::Int(number) => (*number).into(),
        Value::Uint(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::String(text) => serde_json::Value::String(text.to_string()),
        Value::List(list) => list.iter().map(to_json).collect(),
        Value::Map(map) => {
            map.iter().map(|(key, value)| (key.to_string(), to_json(value))).collect::<Map<_, _>>().into()
        }
    }
}
