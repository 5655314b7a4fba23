//! `--filter`: which images are meant.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use clap::{Arg, ArgAction, ArgMatches};
use images::{Image, Name, Store, timestamp};

use crate::cli::image::pattern::{check, fits};
use crate::container;
use crate::duration::go_duration;

/// What images must be to be meant. All must be so, but of several patterns one is enough.
#[derive(Debug, Default)]
pub struct Filter {
    dangling: Option<bool>,
    labels: Vec<Label>,
    without_labels: Vec<Label>,
    before: Vec<i64>,
    since: Vec<i64>,
    references: Vec<String>,
}

/// The option.
pub fn argument(help: &'static str) -> Arg {
    Arg::new("filter").long("filter").value_name("KEY=VALUE").help(help).action(ArgAction::Append)
}

/// Each key and value that was given for the option. An empty one is none: a script's variable that is not set.
pub fn given(matches: &ArgMatches) -> Result<Vec<(&str, &str)>> {
    let given = matches.get_many::<String>("filter").into_iter().flatten().filter(|given| !given.is_empty());
    given
        .map(|given| {
            given.split_once('=').with_context(|| {
                format!("invalid argument \"{given}\" for \"--filter\": bad format of filter (expected name=value)")
            })
        })
        .collect()
}

impl Filter {
    /// Reads what was given for the option. Only `keys` are known.
    pub fn read(matches: &ArgMatches, store: &Store, keys: &[&str]) -> Result<Filter> {
        let mut filter = Filter::default();
        for (key, value) in given(matches)? {
            if !keys.contains(&key) {
                bail!("invalid filter '{key}'\n  help: there are {}", keys.join(", "));
            }
            filter.add(key, value, store)?;
        }
        Ok(filter)
    }

    fn add(&mut self, key: &str, value: &str, store: &Store) -> Result<()> {
        match key {
            "dangling" => self.dangling = Some(truth(value)?),
            "label" => self.labels.push(Label::read(value)),
            "label!" => self.without_labels.push(Label::read(value)),
            "before" => self.before.push(store.look_up(value)?.created()),
            "since" => self.since.push(store.look_up(value)?.created()),
            "until" => self.before.push(until(value)?),
            _ => self.add_reference(value)?,
        }
        Ok(())
    }

    /// Only images with such a name, too: what `tinbox images NAME` is given.
    pub fn named(mut self, pattern: Option<&str>) -> Result<Filter> {
        pattern.map_or(Ok(()), |pattern| self.add_reference(pattern))?;
        Ok(self)
    }

    fn add_reference(&mut self, pattern: &str) -> Result<()> {
        check(pattern)?;
        self.references.push(pattern.to_owned());
        Ok(())
    }

    /// Whether `dangling` was asked for, and how. It plays no part any more.
    pub fn take_dangling(&mut self) -> Option<bool> {
        self.dangling.take()
    }

    /// The image with those of its names that are meant; `None` if it is not meant.
    pub fn apply(&self, mut image: Image) -> Option<Image> {
        let labels = &image.config.config.labels;
        let dangling = image.names.is_empty() && image.digests.is_empty();
        let meant = self.dangling.is_none_or(|wanted| wanted == dangling)
            && self.labels.iter().all(|wanted| wanted.is_in(labels))
            && !self.without_labels.iter().any(|unwanted| unwanted.is_in(labels))
            && self.before.iter().all(|time| image.created() < *time)
            && self.since.iter().all(|time| image.created() > *time);
        if !self.references.is_empty() {
            let named = |name: &Name| self.references.iter().any(|pattern| is_called(name, pattern));
            image.names.retain(named);
            image.digests.retain(named);
        }
        let named = self.references.is_empty() || !image.names.is_empty() || !image.digests.is_empty();
        (meant && named).then_some(image)
    }
}

/// A label that something must have: with this value, or with any.
#[derive(Debug)]
pub struct Label {
    key: String,
    value: Option<String>,
}

impl Label {
    /// Reads `KEY` or `KEY=VALUE`.
    pub fn read(text: &str) -> Label {
        match text.split_once('=') {
            Some((key, value)) => Label { key: key.to_owned(), value: Some(value.to_owned()) },
            None => Label { key: text.to_owned(), value: None },
        }
    }

    /// Whether it is among `labels`.
    pub fn is_in(&self, labels: &BTreeMap<String, String>) -> bool {
        let found = labels.get(&self.key);
        found.is_some_and(|found| self.value.as_ref().is_none_or(|value| value == found))
    }
}

/// Whether `pattern` means this name, with its tag or any tag. A name that is not a pattern may be written in all ways
/// that it can be written.
fn is_called(name: &Name, pattern: &str) -> bool {
    if fits(pattern, &name.repository()) || fits(pattern, &name.to_string()) {
        return true;
    }
    let Ok(wanted) = Name::parse(pattern) else { return false };
    let tagged = pattern.contains('@') || pattern.rsplit('/').next().is_some_and(|last| last.contains(':'));
    wanted == *name || (!tagged && wanted.repository() == name.repository())
}

fn truth(text: &str) -> Result<bool> {
    match text {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => bail!("invalid filter 'dangling={text}': it is true or false"),
    }
}

/// A point in time: how long ago (`24h`, `1h30m`), seconds since 1970, or a date.
pub fn until(text: &str) -> Result<i64> {
    let now = i64::try_from(container::now()).unwrap_or(i64::MAX);
    let ago = || go_duration(text).map(|ago| now.saturating_sub(ago.as_secs() as i64));
    let date = || {
        let complete = ["", "Z", ":00Z", ":00:00Z", "T00:00:00Z"].iter().map(|rest| format!("{text}{rest}"));
        complete.into_iter().find_map(|text| timestamp::parse(&text)).map(|(seconds, _)| seconds)
    };
    text.parse().ok().or_else(ago).or_else(date).with_context(|| {
        format!("invalid filter 'until={text}'\n  help: until=24h, until=2026-11-21T10:00:00, or seconds since 1970")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_meant_however_they_are_written() {
        let alpine = Name::parse("alpine:3").unwrap();
        for meant in ["alpine", "alpine:3", "alp*", "alpine:*", "docker.io/library/alpine", "library/alpine:3"] {
            assert!(is_called(&alpine, meant), "{meant}");
        }
        for other in ["alpine:4", "alpin", "*:4", "me/*", "docker.io/library/alpine:4", "localhost:5000/alpine"] {
            assert!(!is_called(&alpine, other), "{other}");
        }
        assert!(is_called(&Name::base(), "base"));
        let local = Name::parse("localhost:5000/app:1").unwrap();
        assert!(is_called(&local, "localhost:5000/app") && is_called(&local, "localhost:5000/*"));
    }

    #[test]
    fn a_time_is_a_length_a_number_or_a_date() {
        let now = i64::try_from(container::now()).unwrap();
        assert!((now - until("1h30m").unwrap() - 5400).abs() < 60);
        assert_eq!(until("951827696").unwrap(), 951_827_696);
        for date in ["2000-02-29T12:34:56Z", "2000-02-29T12:34:56", "2000-02-29T13:34:56+01:00"] {
            assert_eq!(until(date).unwrap(), 951_827_696, "{date}");
        }
        assert_eq!(until("2000-02-29").unwrap(), until("2000-02-29T00:00").unwrap());
        for bad in ["", "yesterday", "1x", "h", "99999999999999999999h", "9223372036854775807h"] {
            assert!(until(bad).is_err(), "{bad}");
        }
    }
}
