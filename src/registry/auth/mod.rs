//! Saying who we are, to the registry that we mean and to nobody else.
//!
//! A registry that wants to know responds with a challenge. *Basic* is answered with name and password, in every
//! request. *Bearer* is answered with a token, which is good for one kind of access to one repository and soon
//! expires; a token server gives it, perhaps to anybody. Name and password go to that server alone, and the token
//! to the registry alone.
//!
//! Source: <https://distribution.github.io/distribution/spec/auth/token/>.

mod challenge;
mod config_file;
mod helper;
mod token;

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ureq::http::HeaderMap;

pub use challenge::Challenge;
pub use config_file::ConfigFile;

use super::access::Access;
use super::error::{self, Error};
use super::transport::Transport;
use super::transport::origin::Origin;

/// What is kept about a registry.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Of a person.
    Password {
        /// Who.
        name: String,
        /// The proof.
        password: String,
    },
    /// What a token server gives in place of a password.
    IdentityToken(String),
    /// A token for the registry itself.
    RegistryToken(String),
}

/// Secrets are not for logs.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Credentials::Password { .. } => "Password(…)",
            Credentials::IdentityToken(_) => "IdentityToken(…)",
            Credentials::RegistryToken(_) => "RegistryToken(…)",
        })
    }
}

/// Under which name Docker keeps what it knows about a registry.
pub fn key_of(registry: &str) -> &str {
    if registry == "docker.io" { "https://index.docker.io/v1/" } else { registry }
}

/// What is known about a registry: from the helper that is set for it, or from the file.
pub fn find(file: &ConfigFile, registry: &str) -> Result<Option<Credentials>> {
    let key = key_of(registry);
    match file.helper(key)? {
        Some(helper) => helper::get(&helper, key),
        None => file.find(key),
    }
}

/// Keeps `credentials`. Returns whether they are in the file itself, where whoever may read it finds them.
pub fn store(file: &ConfigFile, registry: &str, credentials: &Credentials) -> Result<bool> {
    let key = key_of(registry);
    match file.helper(key)? {
        Some(helper) => {
            helper::store(&helper, key, credentials)?;
            file.store(key, None)?;
            Ok(false)
        }
        None => file.store(key, Some(credentials)).map(|()| true),
    }
}

/// Forgets what is kept. Returns whether there was anything.
pub fn erase(file: &ConfigFile, registry: &str) -> Result<bool> {
    let key = key_of(registry);
    let known = file.has(key)?;
    if let Some(helper) = file.helper(key)?.filter(|_| known) {
        helper::erase(&helper, key)?;
    }
    file.erase(key)?;
    Ok(known)
}

/// Answers the challenges of one registry.
pub struct Authorizer<'a> {
    access: &'a Access,
    registry: &'a str,
    credentials: OnceLock<Option<Credentials>>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    challenge: Option<Challenge>,
    /// Tokens, by what they are good for.
    tokens: HashMap<String, String>,
}

impl<'a> Authorizer<'a> {
    /// For `registry`, with these credentials or else with those that are kept.
    pub fn new(access: &'a Access, registry: &'a str, given: Option<Credentials>) -> Authorizer<'a> {
        let credentials = OnceLock::new();
        if given.is_some() {
            let _ = credentials.set(given);
        }
        Authorizer { access, registry, credentials, known: Mutex::default() }
    }

    /// Takes note of the challenge in the headers of a response of the registry. Returns whether it is one.
    pub fn challenged(&self, headers: &HeaderMap) -> bool {
        let Some(challenge) = challenge::best(headers) else { return false };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).challenge = Some(challenge);
        true
    }

    /// What was good for `scopes` is good no more.
    pub fn forget(&self, scopes: &[String]) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).tokens.remove(&scopes.join(" "));
    }

    /// The value of the header `Authorization` for a request that needs `scopes`, if there is anything to say.
    pub fn authorization(
        &self,
        transport: &Transport<'_>,
        registry: &Origin,
        scopes: &[String],
    ) -> error::Result<Option<String>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(challenge) = known.challenge.clone() else { return Ok(None) };
        let token = known.tokens.get(&scopes.join(" ")).cloned();
        drop(known);
        let credentials = self.credentials()?;
        let (realm, service, offered) = match (&challenge, credentials) {
            (Challenge::Basic, credentials) => return Ok(credentials.and_then(basic)),
            (_, Some(Credentials::RegistryToken(token))) => return Ok(Some(format!("Bearer {token}"))),
            (Challenge::Bearer { realm, service, scope }, _) => (realm, service, scope),
        };
        let token = match token {
            Some(token) => token,
            None => {
                let scopes: Vec<&str> = match scopes {
                    [] => offered.iter().map(String::as_str).collect(),
                    scopes => scopes.iter().map(String::as_str).collect(),
                };
                let wish = token::TokenRequest { realm, service: service.as_deref(), scopes: &scopes };
                token::fetch(transport, registry, &wish, credentials)?
            }
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.tokens.insert(scopes.join(" "), token.clone());
        Ok(Some(format!("Bearer {token}")))
    }

    /// What we have to say who we are with.
    pub fn credentials(&self) -> error::Result<Option<&Credentials>> {
        if let Some(credentials) = self.credentials.get() {
            return Ok(credentials.as_ref());
        }
        let found = match &self.access.from_helper {
            Some((registry, found)) if registry == self.registry => found.clone(),
            _ => find(&self.access.credentials, self.registry).map_err(|error| format!("{error:#}")),
        };
        let found = found.map_err(|error| Error::Wrong(format!("the credentials for {}: {error}", self.registry)))?;
        Ok(self.credentials.get_or_init(|| found).as_ref())
    }
}

fn basic(credentials: &Credentials) -> Option<String> {
    match credentials {
        Credentials::Password { name, password } => {
            Some(format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let credentials = Credentials::Password { name: "me".into(), password: "hidden".into() };
        assert!(!format!("{credentials:?}").contains("hidden"));
    }
}
