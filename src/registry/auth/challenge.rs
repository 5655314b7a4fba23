//! What a server responds to whoever has not said who it is: `WWW-Authenticate` (RFC 9110, section 11.6.1).

use ureq::http::HeaderMap;

/// A way to say who one is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// Name and password, with every request (RFC 7617).
    Basic,
    /// A token, which the server at `realm` gives.
    Bearer {
        /// A URL.
        realm: String,
        /// For whom the token shall be good.
        service: Option<String>,
        /// For what it must be good.
        scope: Option<String>,
    },
}

/// The best of the challenges in the headers of a response: a token rather than a password.
pub fn best(headers: &HeaderMap) -> Option<Challenge> {
    let values = headers.get_all("www-authenticate").iter().filter_map(|value| value.to_str().ok());
    let offered: Vec<Challenge> = values.flat_map(parse).collect();
    let token = offered.iter().find(|challenge| matches!(challenge, Challenge::Bearer { .. }));
    token.or(offered.first()).cloned()
}

/// The challenges of one header that are understood.
fn parse(value: &str) -> Vec<Challenge> {
    let mut found: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for item in split(value) {
        // A new challenge begins with a scheme, that is a word followed by a blank; what follows are parameters.
        let (first, rest) = item.split_once(char::is_whitespace).unwrap_or((&item, ""));
        let parameter = if first.contains('=') {
            item.as_str()
        } else {
            found.push((first.to_ascii_lowercase(), Vec::new()));
            rest.trim()
        };
        if let (Some((name, value)), Some((_, parameters))) = (parameter.split_once('='), found.last_mut()) {
            parameters.push((name.trim().to_ascii_lowercase(), unquote(value.trim())));
        }
    }
    found.into_iter().filter_map(|(scheme, parameters)| challenge(&scheme, &parameters)).collect()
}

fn challenge(scheme: &str, parameters: &[(String, String)]) -> Option<Challenge> {
    let value = |wanted: &str| parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    match scheme {
        "basic" => Some(Challenge::Basic),
        "bearer" => {
            Some(Challenge::Bearer { realm: value("realm")?, service: value("service"), scope: value("scope") })
        }
        _ => None,
    }
}

/// Splits at commas, but not at those between quotes.
fn split(value: &str) -> Vec<String> {
    let (mut items, mut item) = (Vec::new(), String::new());
    let (mut quoted, mut escaped) = (false, false);
    for c in value.chars() {
        match c {
            ',' if !quoted => items.push(std::mem::take(&mut item)),
            _ => item.push(c),
        }
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
    }
    items.push(item);
    items.into_iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

fn unquote(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else { return value.to_owned() };
    let mut text = String::new();
    let mut escaped = false;
    for c in inner.strip_suffix('"').unwrap_or(inner).chars() {
        escaped = c == '\\' && !escaped;
        if !escaped {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Challenge::Bearer { realm: realm.into(), service: owned(service), scope: owned(scope) }
    }

    #[test]
    fn challenges_are_read() {
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a:pull,push""#;
        let expected =
            bearer("https://auth.docker.io/token", Some("registry.docker.io"), Some("repository:a:pull,push"));
        assert_eq!(parse(hub), [expected]);
        assert_eq!(parse(r#"Basic realm="a, b""#), [Challenge::Basic]);
        assert_eq!(parse(r#"basic realm=x, BEARER realm="y\"z""#), [Challenge::Basic, bearer("y\"z", None, None)]);
        assert_eq!(parse("Negotiate, Basic"), [Challenge::Basic]);
        for nothing in ["", ",", "=", "Bearer", r#"Bearer service="x""#, "\"", "Digest a=b"] {
            assert_eq!(parse(nothing), [], "{nothing}");
        }
    }

    #[test]
    fn a_token_is_better_than_a_password() {
        let mut headers = HeaderMap::new();
        headers.append("www-authenticate", "Basic realm=x".parse().unwrap());
        assert_eq!(best(&headers), Some(Challenge::Basic));
        headers.append("www-authenticate", "Bearer realm=y".parse().unwrap());
        assert_eq!(best(&headers), Some(bearer("y", None, None)));
        assert_eq!(best(&HeaderMap::new()), None);
    }
}
