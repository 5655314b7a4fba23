//! Profiles as Docker writes them, in JSON.
//!
//! What Docker tolerates is tolerated: unknown keys, keys in other letters, `null` for what is not there, names of
//! calls and of architectures that this machine does not have. What would weaken the filter in silence is not: a
//! key given twice, an unknown action or operator, a listener that nobody answers.

use serde_json::{Map, Value};

use super::bpf::{Action, EPERM};
use super::profile::{Circumstances, Condition, Operator, Profile, Rule};

/// The largest profile that is read. Docker's own has 17,000 bytes.
pub const MOST_BYTES: usize = 1 << 20;

/// What is wrong with a profile, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    place: String,
    problem: String,
}

type Result<T> = std::result::Result<T, Invalid>;

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.place.as_str() {
            "" => write!(f, "{}", self.problem),
            place => write!(f, "{place}: {}", self.problem),
        }
    }
}

impl std::error::Error for Invalid {}

fn invalid(problem: impl Into<String>) -> Invalid {
    Invalid { place: String::new(), problem: problem.into() }
}

impl Invalid {
    /// A problem of the whole.
    pub(crate) fn new(problem: String) -> Invalid {
        invalid(problem)
    }

    /// The same, found in `place`.
    fn in_(self, place: &str) -> Invalid {
        let dot = if self.place.is_empty() || self.place.starts_with('[') { "" } else { "." };
        Invalid { place: format!("{place}{dot}{}", self.place), problem: self.problem }
    }
}

impl Profile {
    /// Reads a profile in Docker's format.
    ///
    /// Fails for what is not JSON, larger than [`MOST_BYTES`], or not a profile; the error says where.
    pub fn parse(json: &[u8]) -> Result<Profile> {
        if json.len() > MOST_BYTES {
            return Err(invalid(format!("{} bytes: a profile has at most {MOST_BYTES}", json.len())));
        }
        let value: Value = serde_json::from_slice(json).map_err(|error| invalid(format!("not JSON: {error}")))?;
        profile(object(&value)?)
    }
}

fn profile(map: &Map<String, Value>) -> Result<Profile> {
    for (key, instead) in [
        ("listenerPath", "nobody would answer: Tinbox has no agent for SCMP_ACT_NOTIFY"),
        ("listenerMetadata", "nobody would read it: Tinbox has no agent for SCMP_ACT_NOTIFY"),
    ] {
        if !text(map, key)?.is_empty() {
            return Err(invalid(instead).in_(key));
        }
    }
    let errno = number(map, "defaultErrnoRet")?;
    let Some(default) = field(map, "defaultAction")? else {
        let help = "missing: what is to be done about calls that no rule names? (seccomp=unconfined is for no filter)";
        return Err(invalid(help).in_("defaultAction"));
    };
    let default =
        action(string(default).map_err(|e| e.in_("defaultAction"))?, errno).map_err(|e| e.in_("defaultAction"))?;
    Ok(Profile {
        default,
        tables: tables(map)?,
        flags: list(map, "flags", |value| flag(string(value)?))?.into_iter().fold(0, |all, flag| all | flag),
        rules: list(map, "syscalls", |value| rule(object(value)?))?,
    })
}

fn tables(map: &Map<String, Value>) -> Result<Vec<(String, Vec<String>)>> {
    let mapped = list(map, "archMap", |value| {
        let map = object(value)?;
        Ok((text(map, "architecture")?, list(map, "subArchitectures", architecture)?))
    })?;
    let plain = list(map, "architectures", architecture)?;
    match (mapped.is_empty(), plain.is_empty()) {
        (false, false) => Err(invalid("both archMap and architectures are given: use one of them")),
        // Each of them may be the machine's own.
        (true, false) => Ok(plain.iter().map(|own| (own.clone(), plain.clone())).collect()),
        _ => Ok(mapped),
    }
}

fn architecture(value: &Value) -> Result<String> {
    let name = string(value)?;
    if name.starts_with("SCMP_ARCH_") {
        Ok(name.to_owned())
    } else {
        Err(invalid(format!("{name:?} is no architecture, as SCMP_ARCH_X86_64 is")))
    }
}

/// `SECCOMP_FILTER_FLAG_*` (linux/seccomp.h).
fn flag(name: &str) -> Result<u32> {
    match name {
        "SECCOMP_FILTER_FLAG_TSYNC" => Ok(1),
        "SECCOMP_FILTER_FLAG_LOG" => Ok(1 << 1),
        "SECCOMP_FILTER_FLAG_SPEC_ALLOW" => Ok(1 << 2),
        other => Err(invalid(format!("{other:?} is no flag that Tinbox can set"))),
    }
}

fn rule(map: &Map<String, Value>) -> Result<Rule> {
    let mut names = list(map, "names", |value| string(value).map(str::to_owned))?;
    match text(map, "name")?.as_str() {
        "" => {}
        _ if !names.is_empty() => return Err(invalid("both name and names are given: use names")),
        name => names.push(name.to_owned()),
    }
    if names.is_empty() {
        return Err(invalid("no names: which calls is it about?"));
    }
    Ok(Rule {
        names,
        action: action(&text(map, "action")?, number(map, "errnoRet")?).map_err(|e| e.in_("action"))?,
        conditions: list(map, "args", |value| condition(object(value)?))?,
        includes: circumstances(map, "includes")?,
        excludes: circumstances(map, "excludes")?,
    })
}

/// `data` is the error number of an ERRNO, or what a TRACE tells the tracer.
fn action(name: &str, data: Option<u64>) -> Result<Action> {
    let data = match data {
        None => EPERM,
        // The greatest that the kernel passes on.
        Some(data @ 0..=4095) => data as u16,
        Some(other) => return Err(invalid(format!("{other} is no error number: 0 to 4095"))),
    };
    Ok(match name {
        "SCMP_ACT_ALLOW" => Action::Allow,
        "SCMP_ACT_ERRNO" => Action::Errno(data),
        "SCMP_ACT_KILL" | "SCMP_ACT_KILL_THREAD" => Action::KillThread,
        "SCMP_ACT_KILL_PROCESS" => Action::KillProcess,
        "SCMP_ACT_TRAP" => Action::Trap(0),
        "SCMP_ACT_TRACE" => Action::Trace(data),
        "SCMP_ACT_LOG" => Action::Log,
        "SCMP_ACT_NOTIFY" => return Err(invalid("SCMP_ACT_NOTIFY needs an agent that answers; Tinbox has none")),
        "" => return Err(invalid("missing")),
        other => return Err(invalid(format!("{other:?} is no action, as SCMP_ACT_ERRNO is"))),
    })
}

fn condition(map: &Map<String, Value>) -> Result<Condition> {
    let argument = match number(map, "index")?.unwrap_or(0) {
        index @ 0..=5 => index as u8,
        other => return Err(invalid(format!("{other}: arguments are numbered from 0 to 5")).in_("index")),
    };
    let value = number(map, "value")?.unwrap_or(0);
    let second = number(map, "valueTwo")?.unwrap_or(0);
    let operator = match text(map, "op")?.as_str() {
        "SCMP_CMP_NE" => Operator::NotEqual,
        "SCMP_CMP_LT" => Operator::Less,
        "SCMP_CMP_LE" => Operator::LessOrEqual,
        "SCMP_CMP_EQ" => Operator::Equal,
        "SCMP_CMP_GE" => Operator::GreaterOrEqual,
        "SCMP_CMP_GT" => Operator::Greater,
        // Here the value is the mask, and the second value what to compare with.
        "SCMP_CMP_MASKED_EQ" => {
            return Ok(Condition { argument, operator: Operator::MaskedEqual(value), value: second });
        }
        other => return Err(invalid(format!("{other:?} is no operator, as SCMP_CMP_EQ is")).in_("op")),
    };
    Ok(Condition { argument, operator, value })
}

fn circumstances(map: &Map<String, Value>, key: &str) -> Result<Circumstances> {
    let Some(value) = field(map, key)? else { return Ok(Circumstances::default()) };
    let read = || {
        let map = object(value)?;
        let strings = |key| list(map, key, |value| string(value).map(str::to_owned));
        Ok(Circumstances {
            capabilities: strings("caps")?,
            machines: strings("arches")?,
            kernel: match text(map, "minKernel")?.as_str() {
                "" => None,
                version => Some(kernel(version).map_err(|e| e.in_("minKernel"))?),
            },
        })
    };
    read().map_err(|e: Invalid| e.in_(key))
}

fn kernel(version: &str) -> Result<(u32, u32)> {
    let parse = |part: &str| part.parse::<u8>().ok().map(u32::from);
    let parts = version.split_once('.').and_then(|(kernel, major)| Some((parse(kernel)?, parse(major)?)));
    parts
        .filter(|parts| *parts != (0, 0))
        .ok_or_else(|| invalid(format!("{version:?} is no kernel version, as \"4.8\" is")))
}

// Reading JSON as Docker's decoder does.

/// The value of `key`, in whatever letters it is written; `null` is no value.
fn field<'a>(map: &'a Map<String, Value>, key: &str) -> Result<Option<&'a Value>> {
    let mut found = map.iter().filter(|(name, _)| name.eq_ignore_ascii_case(key));
    let value = found.next();
    if found.next().is_some() {
        return Err(invalid(format!("{key} is given twice, in different letters")));
    }
    Ok(value.map(|(_, value)| value).filter(|value| !value.is_null()))
}

fn text(map: &Map<String, Value>, key: &str) -> Result<String> {
    Ok(field(map, key)?.map(|value| string(value).map_err(|e| e.in_(key))).transpose()?.unwrap_or_default().to_owned())
}

fn number(map: &Map<String, Value>, key: &str) -> Result<Option<u64>> {
    let Some(value) = field(map, key)? else { return Ok(None) };
    value.as_u64().map(Some).ok_or_else(|| invalid(format!("{} is no number from 0 to 2^64 - 1", kind(value))).in_(key))
}

fn list<T>(map: &Map<String, Value>, key: &str, item: impl Fn(&Value) -> Result<T>) -> Result<Vec<T>> {
    let Some(value) = field(map, key)? else { return Ok(Vec::new()) };
    let items = value.as_array().ok_or_else(|| invalid(format!("{} is no list", kind(value))).in_(key))?;
    let read = items.iter().enumerate().map(|(n, value)| item(value).map_err(|e| e.in_(&format!("{key}[{n}]"))));
    read.collect()
}

fn object(value: &Value) -> Result<&Map<String, Value>> {
    value.as_object().ok_or_else(|| invalid(format!("{} is no object", kind(value))))
}

fn string(value: &Value) -> Result<&str> {
    value.as_str().ok_or_else(|| invalid(format!("{} is no text", kind(value))))
}

/// The value in a few words, for an error.
fn kind(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
        Value::String(text) => format!("{:?}", text.chars().take(40).collect::<String>()),
        other => other.to_string(),
    }
}
