//! Patterns of names: `*` and `?` stand for anything but a slash, `[a-z]` for one of these.
//!
//! Go's `path.Match`, which is what Docker matches with.

use anyhow::{Result, bail};

/// Refuses a pattern that is not well-formed: a class that is not closed or has nothing in it, a backslash at the end.
pub fn check(pattern: &str) -> Result<()> {
    let mut rest = pattern.chars();
    while let Some(character) = rest.next() {
        let well_formed = match character {
            '\\' => rest.next().is_some(),
            // As in `class`, a bracket that comes first is one of those meant.
            '[' => rest.next().is_some() && rest.any(|c| c == ']'),
            _ => true,
        };
        if !well_formed {
            bail!("invalid pattern '{}': syntax error in pattern", pattern.escape_debug());
        }
    }
    Ok(())
}

/// Whether `pattern` fits all of `name`. One that is not well-formed fits nothing.
pub fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    // Where to go on if what came after the last `*` does not fit: the `*` takes one more.
    let mut retry: Option<(usize, usize)> = None;
    let (mut p, mut n) = (0, 0);
    while n < name.len() || p < pattern.len() {
        if pattern.get(p) == Some(&'*') {
            retry = Some((p, n));
            p += 1;
            continue;
        }
        match name.get(n).and_then(|character| one(&pattern[p..], *character)) {
            Some(taken) => (p, n) = (p + taken, n + 1),
            None => match retry {
                Some((star, from)) if name.get(from).is_some_and(|c| *c != '/') => {
                    retry = Some((star, from + 1));
                    (p, n) = (star + 1, from + 1);
                }
                _ => return false,
            },
        }
    }
    true
}

/// How much of `pattern` stands for this character, if it does.
fn one(pattern: &[char], character: char) -> Option<usize> {
    match pattern {
        ['?', ..] => (character != '/').then_some(1),
        ['[', rest @ ..] => class(rest, character).map(|taken| taken + 1),
        ['\\', escaped, ..] => (*escaped == character).then_some(2),
        [first, ..] => (*first == character).then_some(1),
        [] => None,
    }
}

/// `a-z]`, after the bracket.
fn class(pattern: &[char], character: char) -> Option<usize> {
    let end = pattern.iter().skip(1).position(|c| *c == ']')? + 1;
    let (negated, mut set) = match &pattern[..end] {
        ['^', set @ ..] => (true, set),
        set => (false, set),
    };
    let mut found = false;
    while let [first, rest @ ..] = set {
        (found, set) = match rest {
            ['-', last, rest @ ..] => (found || (*first..=*last).contains(&character), rest),
            _ => (found || *first == character, rest),
        };
    }
    (found != negated && character != '/').then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_in_docker() {
        for (pattern, name, expected) in [
            ("alpine", "alpine", true),
            ("alpine", "alpine:3", false),
            ("al*", "alpine", true),
            ("*", "alpine", true),
            ("*", "me/app", false),
            ("*/*", "me/app", true),
            ("*p*e", "alpine", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("alpin?", "alpine", true),
            ("alpin?", "alpin", false),
            ("me?app", "me/app", false),
            ("app:[0-9]", "app:3", true),
            ("app:[0-9]", "app:x", false),
            ("app:[^0-9]", "app:x", true),
            ("[ab]pp", "bpp", true),
            ("app:[", "app:[", false),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("", "", true),
            ("", "a", false),
            ("**", "ab", true),
            ("a*", "a", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for bad in ["[", "[a", "a[", "[]", "a\\", "[a]["] {
            assert!(check(bad).is_err(), "{bad}");
        }
        for good in ["", "a", "*", "[a]", "a[0-9]*", "[^a]", "a\\*", "\\["] {
            assert!(check(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn many_stars_do_not_take_for_ever() {
        assert!(!fits(&"a*".repeat(2000), &("a".repeat(4000) + "/")));
    }
}
