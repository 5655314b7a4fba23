//! What a probe found.

use serde::Serialize;

use super::child::Refusal;
use super::needs::Requirement;

/// How a probe ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It works.
    Ok,
    /// Something is missing that has a way around it, or that only a later chapter needs.
    Warn,
    /// Some of today's exercises cannot be done here.
    Blocked,
    /// The kernel did not let us find out.
    NotKnown,
}

/// What something means for you, and what to type about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// The cause and the consequence, in a sentence or a few.
    pub means: String,
    /// Commands, in order. A line that starts with `#` says when the next ones apply.
    pub fix: Vec<String>,
}

impl Advice {
    /// Words and commands.
    pub fn new<S: Into<String>>(means: impl Into<String>, fix: impl IntoIterator<Item = S>) -> Advice {
        Advice { means: means.into(), fix: fix.into_iter().map(Into::into).collect() }
    }

    /// Words, where there is nothing to type.
    pub fn only(means: impl Into<String>) -> Advice {
        Advice { means: means.into(), fix: Vec::new() }
    }
}

/// One line of the doctor's table, with what stands behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub name: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// What was done to find out.
    pub did: &'static str,
    /// What the kernel said.
    pub said: String,
    /// The cause and the consequence, and the way out.
    #[serde(flatten)]
    pub advice: Option<Advice>,
    /// The first chapter for which it matters.
    pub from_chapter: u8,
    /// What exercises ask for under another name.
    #[serde(skip)]
    pub serves: Option<Requirement>,
    /// The exercises that cannot be done because of it.
    pub blocks: Vec<String>,
}

/// What a probe looks at, before it has looked.
#[derive(Debug, Clone, Copy)]
pub struct Subject {
    /// What is looked at.
    pub name: &'static str,
    /// What is done to find out.
    pub did: &'static str,
    /// The first chapter for which it matters.
    pub from_chapter: u8,
    /// The requirement of exercises that this answers, if it is one.
    pub serves: Option<Requirement>,
}

impl Subject {
    /// It works: `said`.
    pub fn ok(self, said: impl Into<String>) -> Finding {
        self.found(Outcome::Ok, said, None)
    }

    /// It does not, quite.
    pub fn warn(self, said: impl std::fmt::Display, advice: Advice) -> Finding {
        self.found(Outcome::Warn, said.to_string(), Some(advice))
    }

    /// It cannot be told.
    pub fn not_known(self, said: impl std::fmt::Display, advice: Advice) -> Finding {
        self.found(Outcome::NotKnown, said.to_string(), Some(advice))
    }

    /// Today's exercises need it, and it was `refused`.
    pub fn blocked(self, refused: &Refusal, advice: Advice) -> Finding {
        self.found(Outcome::Blocked, refused.to_string(), Some(advice))
    }

    fn found(self, outcome: Outcome, said: impl Into<String>, advice: Option<Advice>) -> Finding {
        let Subject { name, did, from_chapter, serves } = self;
        Finding { name, outcome, did, said: said.into(), advice, from_chapter, serves, blocks: Vec::new() }
    }
}
