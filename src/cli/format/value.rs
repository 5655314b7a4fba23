//! JSON as what a template works on, and back.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use gotmpl::Value;
use serde_json::Number;

/// A list that was never filled. This very one, not any empty one, is `null` in JSON.
static NULL_LIST: LazyLock<Arc<[Value]>> = LazyLock::new(|| Arc::from(Vec::new()));

/// A map that was never filled.
static NULL_MAP: LazyLock<Arc<BTreeMap<Arc<str>, Value>>> = LazyLock::new(Arc::default);

/// Go's `nil` of a list: empty, and `null` in JSON.
pub fn null_list() -> Value {
    Value::List(Arc::clone(&NULL_LIST))
}

/// Go's `nil` of a map.
pub fn null_map() -> Value {
    Value::Map(Arc::clone(&NULL_MAP))
}

/// Whether JSON has `null` for it.
pub fn is_null(value: &Value) -> bool {
    match value {
        Value::Nil | Value::Function(_) => true,
        Value::List(list) => Arc::ptr_eq(list, &NULL_LIST),
        Value::Map(map) => Arc::ptr_eq(map, &NULL_MAP),
        _ => false,
    }
}

/// `json` as a template sees it. What is `null` is an empty list, which is what Docker's lists that were never filled
/// are to its templates.
pub fn from_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => null_list(),
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
