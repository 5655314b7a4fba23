//! What is different on each machine and in each run, made the same: the only place where a transcript is touched.
//!
//! Numbers of namespaces, and digests, stay different from each other exactly where they were. What root and an ordinary user see
//! differently is shown as the user sees it.

use std::collections::BTreeMap;

use nix::unistd::geteuid;

use crate::shell::Places;

/// The numbers of namespaces that have been met, and what stands for them.
pub struct Numbers {
    /// Those of the shell, which stay the same through the book.
    shell: BTreeMap<String, u32>,
    /// Others, in one transcript: the kernel gives the number of a namespace that is gone to the next one.
    others: BTreeMap<String, u32>,
    /// Digests, which mean the same through the book: what stands for each.
    digests: BTreeMap<String, String>,
}

/// Digests that are the same on every machine: of layers that the reader makes by hand.
const BY_HAND: [&str; 4] = [
    "053ececedc9fcd832dbf81041e490df0a6410fde2f4d56d1911b3f142ca9b43b",
    "2d081303731982e73b14df849e0139634877b1cfa66c047386902fd7ce5d88da",
    "72d789f257cb6420c3818dd54bbc368c4acafe9133ab39034b100534de718814",
    "8b57b22168717bcc08bcc1dd6b32aedd70f9c0d6e77756dc9e34b4de1289da97",
];

impl Numbers {
    /// Those that a shell is in.
    pub fn of(shell: u32) -> Numbers {
        let kinds = ["mnt", "uts", "ipc", "pid", "user", "net", "cgroup", "time"];
        let number = |kind| {
            let link = std::fs::read_link(format!("/proc/{shell}/ns/{kind}")).ok()?;
            Some(link.to_str()?.split_once('[')?.1.trim_end_matches(']').to_owned())
        };
        let stands_for = (4_026_531_832..).zip(kinds).filter_map(|(value, kind)| Some((number(kind)?, value)));
        Numbers { shell: stands_for.collect(), others: BTreeMap::new(), digests: BTreeMap::new() }
    }

    /// Begins a transcript.
    pub fn begin(&mut self) {
        self.others.clear();
    }

    /// What stands for a number.
    fn stands_for(&mut self, number: &str) -> u32 {
        let next = 4_026_532_201 + u32::try_from(self.others.len()).unwrap_or_default();
        match self.shell.get(number) {
            Some(value) => *value,
            None => *self.others.entry(number.to_owned()).or_insert(next),
        }
    }
}

impl Numbers {
    /// What stands for a digest, or for its beginning.
    fn digest(&mut self, word: &str) -> String {
        let known = self
            .digests
            .iter()
            .find(|(real, _)| real.starts_with(word) || word.starts_with(real.as_str()))
            .map(|(_, stands_for)| stands_for.clone());
        let stands_for = known.unwrap_or_else(|| {
            let stands_for = stand_in(self.digests.len());
            self.digests.insert(word.to_owned(), stands_for.clone());
            stands_for
        });
        stands_for[..word.len()].to_owned()
    }
}

/// The digest that stands for the one that was met as number `n`: digits in no order that an eye can see.
fn stand_in(n: usize) -> String {
    let mut state = n as u64 + 1;
    let mut digits = String::new();
    while digits.len() < 64 {
        // SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        digits += &format!("{:016x}", mixed ^ (mixed >> 31));
    }
    digits
}

/// `text` as every machine would have said it.
pub fn normalise(text: &str, places: &Places, numbers: &mut Numbers) -> String {
    let text = text
        .replace(&places.clone.display().to_string(), "/home/you/tinbox")
        .replace(&places.state.display().to_string(), "/home/you/.local/share/tinbox");
    let lines = joined(&text).into_iter().map(|line| {
        let line = host_name(&line);
        let line = columns(&namespaces(&line, numbers));
        let line = port(&digests(&line, numbers));
        let line = all_powers(&line).replace(" 40 of them", " 41 of them");
        let line = user_namespace(&id_map(&processes(&used(&line))));
        told(&busybox(&line)) + "\n"
    });
    lines.collect()
}

/// A line that is the name of this machine.
fn host_name(line: &str) -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if !line.is_empty() && line == name.trim() { "your-machine".into() } else { line.to_owned() }
}

/// Numbers of namespaces. One in backquotes is an example in a text.
fn namespaces(line: &str, numbers: &mut Numbers) -> String {
    if line.contains('`') {
        return line.to_owned();
    }
    let is_one = |word: &str| word.len() == 10 && word.starts_with("40265");
    let mut out = String::new();
    for piece in line.split_inclusive(|c: char| !c.is_ascii_digit()) {
        let digits = piece.trim_end_matches(|c: char| !c.is_ascii_digit());
        if is_one(digits) {
            out += &format!("{}{}", numbers.stands_for(digits), &piece[digits.len()..]);
        } else {
            out += piece;
        }
    }
    out
}

/// Digests, and their first twelve digits. Those of layers made by hand are the same anyway.
fn digests(line: &str, numbers: &mut Numbers) -> String {
    // A check's own examples.
    if line.trim_start().starts_with(['✔', '✘']) {
        return line.to_owned();
    }
    let is_digit = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    let mut out = String::new();
    for piece in line.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let word = piece.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let rest = &piece[word.len()..];
        let is_one = word.chars().all(is_digit) && [12, 64].contains(&word.len());
        match is_one && !BY_HAND.iter().any(|known| known.starts_with(word)) {
            true => out += &format!("{}{rest}", numbers.digest(word)),
            false => out += piece,
        }
    }
    out
}

/// A port that the kernel chose.
fn port(line: &str) -> String {
    let Some((before, after)) = line.split_once("127.0.0.1:") else { return line.to_owned() };
    let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{before}127.0.0.1:40265{}", port(rest))
}

/// How far the last column of a comparison is from the one before depends on rows that are not shown.
fn columns(line: &str) -> String {
    match line.rsplit_once("  ") {
        Some((left, right)) if left.contains(" namespace ") => format!("{}  {}", left.trim_end(), right.trim_start()),
        _ => line.to_owned(),
    }
}

/// All capabilities of the machine's root, who may lack some on a machine that is a guest.
fn all_powers(line: &str) -> String {
    let set = line.strip_prefix("CapEff:\t").and_then(|digits| u64::from_str_radix(digits, 16).ok());
    match set {
        Some(set) if set.count_ones() > 32 => format!("CapEff:\t{:016x}", (1_u64 << 41) - 1),
        _ => line.to_owned(),
    }
}

/// A container of root's shares the user namespace of the machine; a user's has its own.
fn user_namespace(line: &str) -> String {
    if geteuid().is_root() {
        line.replace(
            "mnt pid uts ipc cgroup net, and shares user time",
            "mnt pid uts ipc user cgroup net, and shares time",
        )
    } else {
        line.to_owned()
    }
}

/// Ids of processes, and how many there are.
fn processes(line: &str) -> String {
    // No process has a longer one.
    let volatile = |digits: &str| (2..=7).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let words: Vec<&str> = line.split(' ').collect();
    match words.as_slice() {
        // A status would be at most 255.
        [number] if volatile(number) && number.len() > 3 => "4711".into(),
        [number, "processes", "in", "sight"] if volatile(number) => "243 processes in sight".into(),
        _ => match line.split_once("process ").and_then(|(before, rest)| Some((before, rest.split_once(": ")?))) {
            Some((before, (number, rest))) if volatile(number) => format!("{before}process 4711: {rest}"),
            _ => line.to_owned(),
        },
    }
}

/// What a command with limits used. That it was held back is told, and not for how long.
fn used(line: &str) -> String {
    let Some(rest) = line.strip_prefix("ch03-cgroups: ") else { return line.to_owned() };
    match rest.split_once(" of memory at most, ") {
        Some((memory, time)) => {
            // A limit that was reached is the same each time.
            let memory = if memory.ends_with("32 MiB") { memory } else { "528 KiB" };
            let held_back = if time.contains("held back") { ", held back for 1.24 s" } else { "" };
            format!("ch03-cgroups: {memory} of memory at most, 0.13 s of processor time{held_back}")
        }
        None => line.to_owned(),
    }
}

/// The map of one id, which is that of an ordinary user: the first one of most machines.
fn id_map(line: &str) -> String {
    match line.split_whitespace().collect::<Vec<_>>().as_slice() {
        [inside, outside, "1"] if *outside == geteuid().to_string() => format!("{inside:>10} {:>10} {:>10}", 1000, 1),
        _ => line.to_owned(),
    }
}

/// Where `--explain` begins what a call acted on, and its reasons.
const OBJECT: usize = 32;

/// The lines, with a reason that has a line of its own moved back to its call.
fn joined(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let reason = format!("{:OBJECT$}# ", "");
    for line in text.lines() {
        match lines.last_mut() {
            Some(last) if line.starts_with(&reason) && is_call(last) => *last = format!("{last} {}", line.trim_start()),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// A line of `--explain`, without the time and with its parts where they are if paths have their usual length.
fn told(line: &str) -> String {
    if !is_call(line) {
        return line.to_owned();
    }
    let call: String = line.chars().skip(13).take(OBJECT - 13).collect();
    let rest: String = line.chars().skip(OBJECT).collect();
    let (object, reason) = rest.split_once(" # ").unwrap_or((&rest, ""));
    let head = format!("{:>11}  {call}{:<34} ", "… µs", object.trim_end());
    let wide = head.chars().count() + reason.chars().count() + 2 > 120;
    let gap = if wide { format!("\n{:OBJECT$}", "") } else { String::new() };
    if reason.is_empty() {
        head.trim_end().to_owned()
    } else {
        format!("{}{gap}# {reason}", if wide { head.trim_end() } else { &head })
    }
}

/// Whether this is a line of `--explain` with a time.
fn is_call(line: &str) -> bool {
    line.split_once(" µs  ").is_some_and(|(time, _)| time.trim().parse::<f64>().is_ok())
}

/// Where the tools in a root come from busybox, they word an error differently.
fn busybox(line: &str) -> String {
    let line = &line.replace("unshare: unshare(0x10000000): ", "unshare: unshare failed: ");
    match line.strip_prefix("cat: can't open '").and_then(|rest| rest.split_once("': ")) {
        Some((file, reason)) => format!("cat: {file}: {reason}"),
        None => line.to_owned(),
    }
}
