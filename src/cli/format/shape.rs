//! What Docker's Go structs are to a template: each field is there, also one of which nothing is known, and JSON has them
//! in their own order.
//!
//! JSON that was written for people and programs leaves out what is not set (Go's `omitempty`), but a template that asks
//! for such a field gets its zero value. So a template works on JSON that was filled up from a [`Shape`].

use std::collections::BTreeMap;

use gotmpl::Value;
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::cli::format::docker::ALL;
use crate::cli::format::value::{self, from_json};

/// The fields of a struct, in order.
pub type Shape = [Field];

/// A field of a struct.
#[derive(Debug)]
pub struct Field {
    name: &'static str,
    zero: Zero,
    printed: Printed,
}

/// What a field is while nothing is known of it: the zero value of its type in Go.
#[derive(Debug)]
enum Zero {
    Pointer,
    Text,
    Number,
    Bool,
    List,
    Map,
    Struct(&'static Shape),
    /// A pointer to a struct.
    Optional(&'static Shape),
    /// The same as the field of this name.
    Alias(&'static str),
}

/// Whether JSON has a field.
#[derive(Debug, PartialEq, Eq)]
enum Printed {
    Always,
    IfSet,
    Never,
}

impl Field {
    const fn new(name: &'static str, zero: Zero) -> Field {
        Field { name, zero, printed: Printed::Always }
    }
    pub const fn text(name: &'static str) -> Field {
        Field::new(name, Zero::Text)
    }
    pub const fn number(name: &'static str) -> Field {
        Field::new(name, Zero::Number)
    }
    pub const fn bool(name: &'static str) -> Field {
        Field::new(name, Zero::Bool)
    }
    pub const fn list(name: &'static str) -> Field {
        Field::new(name, Zero::List)
    }
    pub const fn map(name: &'static str) -> Field {
        Field::new(name, Zero::Map)
    }
    pub const fn pointer(name: &'static str) -> Field {
        Field::new(name, Zero::Pointer)
    }
    pub const fn structure(name: &'static str, shape: &'static Shape) -> Field {
        Field::new(name, Zero::Struct(shape))
    }
    pub const fn optional(name: &'static str, shape: &'static Shape) -> Field {
        Field::new(name, Zero::Optional(shape))
    }
    /// Another name of a field, for templates.
    pub const fn alias(name: &'static str, of: &'static str) -> Field {
        Field { name, zero: Zero::Alias(of), printed: Printed::Never }
    }
    /// Left out of JSON while it is not set.
    pub const fn omitempty(self) -> Field {
        Field { printed: Printed::IfSet, ..self }
    }

    /// What a template sees of this field of `json`.
    fn value(&self, json: &serde_json::Value) -> Value {
        match (json.get(self.name), &self.zero) {
            (_, Zero::Alias(of)) => json.get(of).map_or(Value::Nil, from_json),
            (Some(inner @ serde_json::Value::Object(_)), Zero::Struct(shape) | Zero::Optional(shape)) => {
                fill(inner, shape)
            }
            (None | Some(serde_json::Value::Null), zero) => zero.value(),
            (Some(json), _) => from_json(json),
        }
    }

    fn is_printed(&self, value: &Value) -> bool {
        match self.printed {
            Printed::Always => true,
            Printed::Never => false,
            Printed::IfSet => self.zero.value() != *value && value.is_empty() != Some(true),
        }
    }
}

impl Zero {
    fn value(&self) -> Value {
        match self {
            Zero::Pointer | Zero::Optional(_) | Zero::Alias(_) => Value::Nil,
            Zero::Text => Value::from(""),
            Zero::Number => Value::Int(0),
            Zero::Bool => Value::Bool(false),
            Zero::List => value::null_list(),
            Zero::Map => value::null_map(),
            Zero::Struct(shape) => fill(&serde_json::Value::Null, shape),
        }
    }
}

/// `json`, with all the fields of `shape`.
pub fn fill(json: &serde_json::Value, shape: &Shape) -> Value {
    let fields: BTreeMap<_, _> = shape.iter().map(|field| (field.name.into(), field.value(json))).collect();
    Value::Map(fields.into())
}

/// A value as Go writes it in JSON.
pub struct AsJson<'a>(pub &'a Value);

impl Serialize for AsJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            value if value::is_null(value) => serializer.serialize_none(),
            Value::List(list) => serializer.collect_seq(list.iter().map(AsJson)),
            Value::Map(map) => {
                // A struct is known by its fields: a template's value does not say where it came from.
                let is_this = |shape: &&&Shape| {
                    shape.len() == map.len() && shape.iter().all(|field| map.contains_key(field.name))
                };
                let Some(shape) = ALL.iter().find(is_this) else {
                    return serializer.collect_map(map.iter().map(|(key, value)| (key.as_ref(), AsJson(value))));
                };
                let mut object = serializer.serialize_map(None)?;
                let fields = shape.iter().map(|field| (field, &map[field.name]));
                for (field, value) in fields.filter(|(field, value)| field.is_printed(value)) {
                    object.serialize_entry(field.name, &AsJson(value))?;
                }
                object.end()
            }
            Value::Bool(truth) => serializer.serialize_bool(*truth),
            Value::Int(number) => serializer.serialize_i64(*number),
            Value::Uint(number) => serializer.serialize_u64(*number),
            Value::Float(number) => serializer.serialize_f64(*number),
            Value::String(text) => serializer.serialize_str(text),
            Value::Nil | Value::Function(_) => serializer.serialize_none(),
        }
    }
}
