//! JSON as what a template works on, and back.

use std::sync::{Arc, LazyLock};

use gotmpl::Value;
use serde_json::{Map, Number};

/// What is `null`. This very list, not any empty one, is `null` again in JSON.
static NULL: LazyLock<Arc<[Value]>> = LazyLock::new(|| Arc::from(Vec::new()));

/// `json` as a template sees it. What is `null` is an empty list, which is what Docker's lists that were never filled
/// are to its templates.
pub fn from_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::List(Arc::clone(&NULL)),
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(number) => from_number(number),
        serde_json::Value::String(text) => Value::String(text.as_str().into()),
        serde_json::Value::Array(list) => Value::List(list.iter().map(from_json).collect()),
        serde_json::Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| (key.as_str().into(), from_json(value)));
            Value::Map(Arc::new(entries.collect()))
        }
    }
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
        Value::List(list) if Arc::ptr_eq(list, &NULL) => serde_json::Value::Null,
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
