//! Unpacks a layer as one would write it on a good day: every member goes to `DIR` joined with its name.
//!
//! `naive-unpack LAYER.tar DIR`. There is nothing wrong with any single line of it. Give it a layer that somebody made
//! with care: `evil-layer`.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::ExitCode;

use tar::{Archive, EntryType};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [layer, dir] = arguments.as_slice() else {
        eprintln!("usage: naive-unpack LAYER.tar DIR");
        return ExitCode::from(2);
    };
    match unpack(Path::new(layer), Path::new(dir)) {
        Ok(count) => {
            println!("{count} members unpacked");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("naive-unpack: {error}");
            ExitCode::FAILURE
        }
    }
}

// ANCHOR: unpack
fn unpack(layer: &Path, dir: &Path) -> io::Result<usize> {
    let mut count = 0;
    for member in Archive::new(File::open(layer)?).entries()? {
        let mut member = member?;
        let path = dir.join(member.path()?);
        let target = member.link_name()?.unwrap_or_default().into_owned();
        fs::create_dir_all(path.parent().unwrap_or(dir))?;
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        match (name.strip_prefix(".wh."), member.header().entry_type()) {
            (Some(deleted), _) => fs::remove_file(path.with_file_name(deleted))?,
            (None, EntryType::Directory) => fs::create_dir_all(&path)?,
            (None, EntryType::Symlink) => symlink(target, &path)?,
            (None, EntryType::Link) => fs::hard_link(dir.join(target), &path)?,
            (None, _) => drop(io::copy(&mut member, &mut File::create(&path)?)?),
        }
        count += 1;
    }
    Ok(count)
}
// ANCHOR_END: unpack
