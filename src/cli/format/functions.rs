//! The functions that Docker adds to Go's own.

use gotmpl::{Template, TemplateError, Value};

use crate::cli::format::shape::AsJson;

type Outcome = Result<Value, TemplateError>;

/// `template`, with Docker's functions.
pub fn add(template: Template) -> Template {
    template
        .func("json", |given| json(one("json", given)?))
        .func("upper", |given| change("upper", given, |text| text.to_uppercase()))
        .func("lower", |given| change("lower", given, |text| text.to_lowercase()))
        .func("title", |given| change("title", given, title))
        .func("split", split)
        .func("join", join)
        .func("pad", pad)
        .func("truncate", truncate)
        .func("index", index)
}

/// `template`, with functions of the same names that leave what they are given as it is. What comes out of a column's
/// heading is that heading, as in Docker.
pub fn add_idle(template: Template) -> Template {
    let names = ["json", "upper", "lower", "title", "split", "join", "pad", "truncate"];
    let idle = |given: &[Value]| given.first().cloned().ok_or_else(|| count("function", 1, given));
    names.iter().fold(template, |template, name| template.func(name, idle))
}

fn json(given: &Value) -> Outcome {
    let text = serde_json::to_string(&AsJson(given));
    text.map(Value::from).map_err(|error| TemplateError::Exec(error.to_string()))
}

/// The first letter of each word in upper case.
fn title(text: &str) -> String {
    let mut before = ' ';
    let mut up = |c: char| {
        let first = !before.is_alphanumeric() && before != '\'' && before != '_';
        before = c;
        if first { c.to_uppercase().collect() } else { String::from(c) }
    };
    text.chars().map(&mut up).collect()
}

/// `split TEXT SEPARATOR`; an empty separator stands between any two characters.
fn split(given: &[Value]) -> Outcome {
    let [text, separator] = arguments("split", given)?;
    let (text, separator) = (string("split", text)?, string("split", separator)?);
    let list = |parts: &mut dyn Iterator<Item = String>| Value::List(parts.map(Value::from).collect());
    Ok(match separator {
        "" => list(&mut text.chars().map(String::from)),
        _ => list(&mut text.split(separator).map(str::to_owned)),
    })
}

/// `join LIST SEPARATOR`.
fn join(given: &[Value]) -> Outcome {
    let [list, separator] = arguments("join", given)?;
    let Value::List(list) = list else { return wrong("join", "list", list) };
    let parts = list.iter().map(|part| string("join", part)).collect::<Result<Vec<_>, _>>()?;
    Ok(Value::from(parts.join(string("join", separator)?)))
}

/// `pad TEXT BEFORE AFTER`: so many blanks around it. Nothing stays nothing.
fn pad(given: &[Value]) -> Outcome {
    let [text, before, after] = arguments("pad", given)?;
    let text = string("pad", text)?;
    let (before, after) = (number("pad", before)?, number("pad", after)?);
    Ok(Value::from(if text.is_empty() { String::new() } else { " ".repeat(before) + text + &" ".repeat(after) }))
}

/// `truncate TEXT CHARACTERS`.
fn truncate(given: &[Value]) -> Outcome {
    let [text, most] = arguments("truncate", given)?;
    Ok(Value::from(string("truncate", text)?.chars().take(number("truncate", most)?).collect::<String>()))
}

/// Go's `index`. A key that is not there is an empty text: the maps that it is used on, such as labels, are maps of
/// texts. One that was never filled is no map but an empty list here.
fn index(given: &[Value]) -> Outcome {
    let Some((first, keys)) = given.split_first().filter(|(_, keys)| !keys.is_empty()) else {
        return Err(count("index", 2, given));
    };
    let found = keys.iter().try_fold(first.clone(), |value, key| match (&value, key) {
        (Value::List(list), Value::String(_)) if list.is_empty() => Ok(Value::Nil),
        _ => value.index(key),
    })?;
    Ok(if matches!(found, Value::Nil) { Value::from("") } else { found })
}

fn change(name: &str, given: &[Value], change: impl Fn(&str) -> String) -> Outcome {
    Ok(Value::from(change(string(name, one(name, given)?)?)))
}

fn one<'a>(name: &str, given: &'a [Value]) -> Result<&'a Value, TemplateError> {
    arguments::<1>(name, given).map(|[value]| value)
}

fn arguments<'a, const COUNT: usize>(name: &str, given: &'a [Value]) -> Result<&'a [Value; COUNT], TemplateError> {
    given.try_into().map_err(|_| count(name, COUNT, given))
}

fn count(name: &str, expected: usize, given: &[Value]) -> TemplateError {
    TemplateError::ArgCount { name: name.to_owned(), expected, got: given.len() }
}

fn string<'a>(name: &str, value: &'a Value) -> Result<&'a str, TemplateError> {
    value.as_str().map_or_else(|| wrong(name, "string", value), Ok)
}

/// A count of characters. No line is longer than the largest.
fn number(name: &str, value: &Value) -> Result<usize, TemplateError> {
    let number = value.as_int().and_then(|number| usize::try_from(number).ok());
    number.filter(|number| *number <= usize::from(u16::MAX)).map_or_else(|| wrong(name, "count", value), Ok)
}

fn wrong<T>(name: &str, expected: &str, got: &Value) -> Result<T, TemplateError> {
    Err(TemplateError::Exec(format!("error calling {name}: expected {expected}; got {}", got.type_name())))
}
