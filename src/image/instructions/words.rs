//! Words as a Dockerfile has them: quotes keep blanks in a word, a backslash keeps the next character, and `$NAME`
//! stands for a variable.

use std::iter::Peekable;
use std::str::Chars;

use anyhow::{Context, Result, bail, ensure};

/// Cuts `text` into words at blanks outside of quotes. Quotes and backslashes stay in them.
pub fn split(text: &str) -> Result<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match (c, quote) {
            (c, None) if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            ('\\', None | Some('"')) => {
                word.push(c);
                word.extend(characters.next());
                continue;
            }
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            _ => {}
        }
        word.push(c);
    }
    ensure!(quote.is_none(), "a quote is opened and never closed");
    words.extend(Some(word).filter(|word| !word.is_empty()));
    Ok(words)
}

/// Takes the quotes and backslashes out of `word`, and puts in the variables of `env`, which are `NAME=VALUE` each.
pub fn expand(word: &str, env: &[String]) -> Result<String> {
    let (mut out, mut quote) = (String::new(), None);
    let mut characters = word.chars().peekable();
    while let Some(c) = characters.next() {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('\\', None) => out.extend(characters.next()),
            // Within double quotes a backslash stands for itself, except before what it could be meant for.
            ('\\', Some('"')) => match characters.next_if(|next| matches!(next, '"' | '$' | '\\')) {
                Some(next) => out.push(next),
                None => out.push('\\'),
            },
            ('$', None | Some('"')) => out.push_str(&variable(&mut characters, env)?),
            (c, _) => out.push(c),
        }
    }
    ensure!(quote.is_none(), "a quote is opened and never closed");
    Ok(out)
}

/// What stands for a variable, behind its `$`.
fn variable(characters: &mut Peekable<Chars<'_>>, env: &[String]) -> Result<String> {
    if characters.next_if_eq(&'{').is_none() {
        let name = name(characters);
        return Ok(if name.is_empty() { "$".into() } else { value(&name, env).unwrap_or_default() });
    }
    let name = name(characters);
    ensure!(!name.is_empty(), "`${{` needs a name");
    let value = value(&name, env).filter(|value| !value.is_empty());
    match characters.next().context("`${` is opened and never closed")? {
        '}' => Ok(value.unwrap_or_default()),
        ':' => {
            let modifier = characters.next().context("`${` is opened and never closed")?;
            let word = until_closed(characters)?;
            match modifier {
                '-' => value.map_or_else(|| expand(&word, env), Ok),
                '+' => value.map_or(Ok(String::new()), |_| expand(&word, env)),
                other => bail!("unsupported modifier (:{}) in substitution", other.escape_debug()),
            }
        }
        other => bail!("unsupported modifier ({}) in substitution", other.escape_debug()),
    }
}

fn name(characters: &mut Peekable<Chars<'_>>) -> String {
    let mut name = String::new();
    while let Some(c) = characters.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
        name.push(c);
    }
    name
}

fn until_closed(characters: &mut Peekable<Chars<'_>>) -> Result<String> {
    let (mut word, mut depth) = (String::new(), 1);
    for c in characters {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Ok(word);
        }
        word.push(c);
    }
    bail!("`${{` is opened and never closed")
}

fn value(name: &str, env: &[String]) -> Option<String> {
    env.iter()
        .filter_map(|entry| entry.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}
