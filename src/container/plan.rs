//! What an image and the options come to: everything about a start that can be decided, and refused, before
//! anything is done.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use cgroups::Limits;
use images::oci::Config;
use look::kernel::CloneFlags;

use crate::container::Container;
use crate::container::config;
use crate::container::confinement::Sandbox;
use crate::container::options::{Mode, Options};
use crate::container::record::short_id;
use crate::container::sharing::Sharing;
use crate::container::volumes;
use crate::state::State;

/// Everything that the process inside needs to become the command.
#[derive(Debug)]
pub struct Plan {
    /// The unpacked layers of the image, bottom first, which no container writes to.
    pub layers: Vec<PathBuf>,
    /// The container's own directory, for what it writes.
    pub directory: PathBuf,
    /// Directories that are not part of its layer.
    pub volumes: BTreeSet<String>,
    /// Where the root is put together.
    pub mount_point: PathBuf,
    /// Whether what the container writes is thrown away when it ends.
    pub throw_away: bool,
    /// What it sees.
    pub sharing: Sharing,
    /// Its own cgroup looks like the top one.
    pub own_cgroups: bool,
    /// What it gets.
    pub limits: Limits,
    /// What it may do.
    pub sandbox: Sandbox,
    /// An init stands in front of the command.
    pub init: bool,
    /// The container's id.
    pub id: String,
    /// Pass on standard input.
    pub interactive: bool,
    /// Give it a terminal.
    pub tty: bool,
    /// Its host name, where that is its own.
    pub hostname: Option<String>,
    /// Where it starts.
    pub workdir: String,
    /// Command and arguments.
    pub command: Vec<CString>,
    /// Its variables.
    pub env: Vec<CString>,
    /// Where among them the user's `HOME` comes, unless they have one.
    pub home: Option<usize>,
    /// As whom it runs: `USER[:GROUP]`, as the image knows them; root if empty.
    pub user: String,
    /// More groups, likewise.
    pub groups: Vec<String>,
}

impl Plan {
    /// Puts together what `config` and `options` say, and what is usual.
    pub fn new(
        state: &State,
        layers: Vec<PathBuf>,
        config: &Config,
        options: &Options,
        container: &Container,
    ) -> Result<Plan> {
        let sharing = Sharing::resolve(state, &options.namespaces)?;
        check_clocks(options)?;
        let hostname = options
            .hostname
            .clone()
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| short_id(container.id()).to_owned());
        check_hostname(&hostname)?;
        let kept = sharing.user(&options.namespaces).filter(|_| options.user.is_none());
        let (env, home) = variables(&hostname, config, options)?;
        Ok(Plan {
            layers,
            directory: container.directory().to_owned(),
            volumes: volumes::paths(config)?,
            mount_point: state.mount_point(),
            throw_away: options.remove,
            sandbox: Sandbox::resolve(&options.confinement, &sharing)?,
            own_cgroups: options.namespaces.cgroup == Mode::Own,
            limits: options.limits.clone(),
            init: options.init,
            id: container.id().to_owned(),
            interactive: options.interactive,
            tty: options.tty,
            hostname: sharing.own.contains(CloneFlags::CLONE_NEWUTS).then_some(hostname),
            sharing,
            workdir: workdir(config)?,
            command: c_strings(&config::command(config)?)?,
            env: c_strings(&env)?,
            home,
            user: kept.map_or_else(|| user(config), Ok)?,
            groups: options.confinement.groups.clone(),
        })
    }
}

/// The variables that every container has, then those of its config. The user's `HOME` is not known yet, so the place
/// where it belongs comes with them, unless it is set already.
fn variables(hostname: &str, config: &Config, options: &Options) -> Result<(Vec<String>, Option<usize>)> {
    const PLACE: &str = "HOME=";
    let mut usual = vec![format!("PATH={DEFAULT_PATH}"), format!("HOSTNAME={hostname}"), PLACE.to_owned()];
    if options.tty {
        usual.push("TERM=xterm".into());
    }
    let given = config.env.iter().chain(&options.env).any(|entry| entry.split('=').next() == Some("HOME"));
    // What a key without a value takes away goes from the usual ones too.
    let mut env = config::environment(usual, &config.env, &options.env)?;
    let home = env.iter().position(|entry| entry == PLACE).filter(|_| !given);
    home.map(|at| env.remove(at));
    Ok((env, home))
}

/// Since Linux 6.3 a process enters its new time namespace with its next program; before that, only its children do.
fn check_clocks(options: &Options) -> Result<()> {
    if options.namespaces.clocks.is_none() || options.init {
        return Ok(());
    }
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse::<u32>().unwrap_or(0));
    let new = (numbers.next(), numbers.next()) >= (Some(6), Some(3));
    ensure!(new, "--time-offset needs Linux 6.3, or --init: before that only children enter a time namespace");
    Ok(())
}

const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

fn workdir(config: &Config) -> Result<String> {
    let workdir = if config.working_dir.is_empty() { "/" } else { &config.working_dir };
    ensure!(
        workdir.starts_with('/'),
        "the working directory '{}' is invalid, it needs to be an absolute path",
        images::shown(workdir.as_bytes())
    );
    Ok(workdir.to_owned())
}

/// Two names of at most 256 bytes: `LOGIN_NAME_MAX`.
fn user(config: &Config) -> Result<String> {
    let user = &config.user;
    ensure!(
        user.len() <= 2 * 256,
        "the user {} is invalid: a name that long cannot be",
        images::shown(user.as_bytes())
    );
    Ok(user.clone())
}

/// hostname(7): letters, digits and hyphens, in parts joined by dots; 64 bytes are all the kernel takes.
fn check_hostname(name: &str) -> Result<()> {
    let valid_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    ensure!(name.len() <= 64 && name.split('.').all(valid_part), "invalid hostname: {name}");
    Ok(())
}

fn c_strings(words: &[String]) -> Result<Vec<CString>> {
    words
        .iter()
        .map(|word| {
            let problem = || format!("\"{}\": a zero byte in it", images::shown(word.as_bytes()));
            CString::new(word.as_str()).with_context(problem)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn home_is_the_users_unless_somebody_says_otherwise() {
        let variables = |image: &[&str], options: &[&str]| {
            let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
            let config = Config { env: owned(image), ..Config::default() };
            super::variables("h", &config, &Options { env: owned(options), ..Options::default() }).unwrap()
        };
        assert_eq!(variables(&[], &[]).1, Some(2));
        assert_eq!(
            variables(&["HOME=/srv"], &[]),
            (vec![format!("PATH={DEFAULT_PATH}"), "HOSTNAME=h".into(), "HOME=/srv".into()], None)
        );
        assert_eq!(variables(&[], &["HOME="]).1, None);
    }

    #[test]
    fn host_names() {
        for good in ["a", "web-1.example.org", "A_b"] {
            check_hostname(good).unwrap();
        }
        for bad in ["", "-a", "a-", "a..b", "a b", "a/b", &"x".repeat(65)] {
            assert!(check_hostname(bad).is_err(), "{bad}");
        }
    }
}
