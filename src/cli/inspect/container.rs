//! A container, in Docker's shape.

use anyhow::{Context, Result};
use cgroups::Group;
use images::{Digest, Kind, Store, timestamp};
use serde::Serialize;

use crate::cli::format::docker::CONTAINER;
use crate::cli::inspect::Document;
use crate::cli::inspect::config::ConfigView;
use crate::container::{self, Life, Record};
use crate::image::changes::changes;
use crate::state::State;

/// The status of a container whose end nobody saw.
const UNKNOWN: u8 = 255;

/// The container that `wanted` means; with `sizes`, what it wrote is counted, which takes someone who may read all of
/// it: see [`crate::lent_ids`].
pub fn look_up(state: &State, store: &Store, wanted: &str, sizes: bool) -> Result<Document> {
    let (record, life) = container::find(state, wanted)?;
    let size_rw = if sizes { Some(written(state, store, &record)?) } else { None };
    let image_size = || -> Result<u64> { Ok(store.sizes(&store.look_up(&record.image_id.to_string())?)?.iter().sum()) };
    let size_root_fs = size_rw.map(|written| image_size().map(|image| image + written)).transpose()?;
    let mut command = record.config.entrypoint.iter().chain(&record.command);
    let path = command.next().cloned().unwrap_or_default();
    let mut config = ConfigView::of(&record.config);
    config.hostname = record.hostname.clone().unwrap_or_else(|| record.short_id().to_owned());
    (config.tty, config.open_stdin) = (record.tty, record.interactive);
    (config.attach_stdin, config.attach_stdout, config.attach_stderr) = (record.interactive, true, true);
    (config.image, config.stdin_once) = (&record.image, record.interactive);
    let view = View {
        id: &record.id,
        created: time(record.created),
        path,
        args: command.cloned().collect(),
        state: StateView::of(state, &record, life),
        image: record.image_id,
        name: format!("/{}", record.name),
        restart_count: 0,
        driver: "overlay2",
        platform: "linux",
        size_rw,
        size_root_fs,
        host_config: HostConfig::of(&record, life),
        config,
    };
    Document::shaped(&view, CONTAINER)
}

/// How many bytes the files have that the container made or changed.
pub fn written(state: &State, store: &Store, record: &Record) -> Result<u64> {
    let layers = store.trees(&store.look_up(&record.image_id.to_string()).context("the image of the container")?);
    let (mut changes, mut bytes) = (changes(record, &state.containers().join(&record.id), &layers)?, 0);
    while let Some(entry) = changes.next_entry()? {
        if let Kind::File { size, .. } = entry.kind {
            bytes += size;
        }
    }
    Ok(bytes)
}

/// As image documents write it.
fn time(seconds: u64) -> String {
    i64::try_from(seconds).map_or_else(|_| String::new(), |seconds| timestamp::format(seconds, 0))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct View<'a> {
    id: &'a str,
    created: String,
    path: String,
    args: Vec<String>,
    state: StateView,
    image: Digest,
    name: String,
    restart_count: u32,
    driver: &'static str,
    platform: &'static str,
    size_rw: Option<u64>,
    size_root_fs: Option<u64>,
    host_config: HostConfig,
    config: ConfigView<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StateView {
    status: &'static str,
    running: bool,
    paused: bool,
    restarting: bool,
    #[serde(rename = "OOMKilled")]
    oom_killed: bool,
    dead: bool,
    pid: i32,
    exit_code: u8,
    error: &'static str,
    started_at: String,
    finished_at: String,
}

impl StateView {
    fn of(state: &State, record: &Record, life: Life) -> StateView {
        let running = life == Life::Running;
        let paused = running && Group::open(&record.id).is_some_and(|group| group.is_frozen());
        let ended = if let Life::Exited(ended) = life { Some(ended) } else { None };
        // It may end before it is asked.
        let process = if running { container::find_running(state, &record.id).ok() } else { None };
        StateView {
            status: match (running, paused) {
                (_, true) => "paused",
                (true, _) => "running",
                (false, _) => "exited",
            },
            running,
            paused,
            restarting: false,
            oom_killed: ended.is_some_and(|ended| ended.out_of_memory),
            dead: false,
            pid: process.map_or(0, |(_, process)| process.pid().as_raw()),
            exit_code: if life == Life::Lost { UNKNOWN } else { ended.map_or(0, |ended| ended.status) },
            error: if life == Life::Lost { "tinbox was killed, so nobody saw how it ended" } else { "" },
            started_at: time(record.created),
            finished_at: ended.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |ended| time(ended.at)),
        }
    }
}

/// What is known of how it was to be run. Limits are asked of the kernel, so they are there while it runs.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct HostConfig {
    auto_remove: bool,
    memory: Option<u64>,
    nano_cpus: Option<u64>,
    pids_limit: Option<u64>,
}

impl HostConfig {
    fn of(record: &Record, life: Life) -> HostConfig {
        let group = if life == Life::Running { Group::open(&record.id) } else { None };
        let usage = group.map(|group| group.usage());
        HostConfig {
            auto_remove: record.remove,
            memory: usage.as_ref().map(|usage| usage.memory_limit.unwrap_or(0)),
            nano_cpus: usage.as_ref().map(|usage| usage.cpu_limit.unwrap_or(0)),
            pids_limit: usage.as_ref().map(|usage| usage.pids_limit.unwrap_or(0)),
        }
    }
}
