//! What an image and the options come to: everything about a start that can be decided, and refused, before
//! anything is done.

use std::ffi::CString;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use cgroups::Limits;
use chroot::inside::Root;
use look::kernel::CloneFlags;
use sandbox::user;

use crate::container::Container;
use crate::container::confinement::Sandbox;
use crate::container::options::{Mode, Options};
use crate::container::sharing::Sharing;
use crate::images::Image;
use crate::state::State;

/// Everything that the process inside needs to become the command.
#[derive(Debug)]
pub struct Plan {
    /// The image's tree, which no container writes to.
    pub image_root: PathBuf,
    /// The container's own directory, for what it writes.
    pub directory: PathBuf,
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
}

impl Plan {
    /// Puts together what `options` say, what the image says, and what is usual, in this order of weight.
    pub fn new(state: &State, image: &Image, options: &Options, container: &Container) -> Result<Plan> {
        let sharing = Sharing::resolve(state, &options.namespaces)?;
        check_clocks(options)?;
        let hostname =
            options.hostname.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| container.id()[..12].to_owned());
        check_hostname(&hostname)?;
        let workdir = workdir(image, options)?;
        let tree = Root::new(&image.rootfs)?;
        let kept = sharing.user(&options.namespaces);
        let wanted = options.user.as_ref().or(kept.as_ref()).unwrap_or(&image.config.user);
        let user = user::resolve(&tree, wanted).with_context(|| format!("user {wanted}"))?;
        let mut env = vec![format!("PATH={DEFAULT_PATH}"), format!("HOSTNAME={hostname}")];
        env.push(format!("HOME={}", user.home));
        if options.tty {
            env.push("TERM=xterm".into());
        }
        let env = environment(env, &image.config.env, &options.env)?;
        Ok(Plan {
            image_root: image.rootfs.clone(),
            directory: container.directory().to_owned(),
            mount_point: state.mount_point(),
            throw_away: options.remove,
            sandbox: Sandbox::resolve(&options.confinement, &sharing, &tree, &user)?,
            own_cgroups: options.namespaces.cgroup == Mode::Own,
            limits: options.limits.clone(),
            init: options.init,
            id: container.id().to_owned(),
            interactive: options.interactive,
            tty: options.tty,
            hostname: sharing.own.contains(CloneFlags::CLONE_NEWUTS).then_some(hostname),
            sharing,
            workdir,
            command: c_strings(&command(image, options)?)?,
            env: c_strings(&env)?,
        })
    }
}

/// A process is in its time namespace from its next program on, but only since Linux 6.3; before that, only its
/// children are.
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

/// The image's entrypoint, then the given command or else the image's.
fn command(image: &Image, options: &Options) -> Result<Vec<String>> {
    let arguments = if options.command.is_empty() { &image.config.cmd } else { &options.command };
    let command: Vec<String> = image.config.entrypoint.iter().chain(arguments).cloned().collect();
    ensure!(!command.is_empty(), "no command specified, and the image has none: add one after the image's name");
    ensure!(!command[0].is_empty(), "the command is an empty word");
    Ok(command)
}

fn workdir(image: &Image, options: &Options) -> Result<String> {
    let workdir = options.workdir.as_deref().unwrap_or(&image.config.working_dir);
    let workdir = if workdir.is_empty() { "/" } else { workdir };
    ensure!(workdir.starts_with('/'), "the working directory '{workdir}' is invalid, it needs to be an absolute path");
    Ok(workdir.to_owned())
}

/// Each list overrides those before it, by key. A key without a value is the caller's variable, or none.
fn environment(usual: Vec<String>, image: &[String], options: &[String]) -> Result<Vec<String>> {
    let mut variables = usual;
    for entry in image.iter().chain(options) {
        let key = entry.split('=').next().unwrap_or_default();
        ensure!(!key.is_empty(), "invalid environment variable: {entry}");
        variables.retain(|known| known.split('=').next() != Some(key));
        match (entry.contains('='), std::env::var(key)) {
            (true, _) => variables.push(entry.clone()),
            (false, Ok(mine)) => variables.push(format!("{key}={mine}")),
            (false, Err(_)) => {}
        }
    }
    Ok(variables)
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
        .map(|word| CString::new(word.as_str()).with_context(|| format!("{word:?}: a zero byte in it")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn later_variables_win_and_keep_their_keys_unique() {
        let env = environment(owned(&["PATH=/bin", "A=1"]), &owned(&["A=2"]), &owned(&["B=", "PATH=/x"])).unwrap();
        assert_eq!(env, ["A=2", "B=", "PATH=/x"]);
    }

    #[test]
    fn a_key_alone_passes_on_the_callers_variable_or_removes_it() {
        let home = std::env::var("PATH").unwrap();
        let env = environment(owned(&["PATH=/none", "GONE=1"]), &[], &owned(&["PATH", "GONE"])).unwrap();
        assert_eq!(env, [format!("PATH={home}")]);
    }

    #[test]
    fn a_variable_without_a_name_is_refused() {
        assert_eq!(
            environment(vec![], &[], &owned(&["=x"])).unwrap_err().to_string(),
            "invalid environment variable: =x"
        );
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
