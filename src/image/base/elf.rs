//! What an ELF program asks for before it can run (elf(5)).
//!
//! The header's segments are read, as the kernel and the loader do. Sections are for linkers and debuggers, and
//! need not be there.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use elf::abi;
use elf::dynamic::DynamicTable;
use elf::endian::AnyEndian;
use elf::{ElfBytes, ParseError, file::Class};

/// What an ELF file asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Needs {
    /// For which machine it is: `e_machine`, and whether it has 64 bits. The loader takes only libraries of the
    /// same kind.
    pub(super) kind: (u16, bool),
    /// The dynamic loader, by its path (`PT_INTERP`). Libraries and static programs have none.
    pub(super) interpreter: Option<String>,
    /// Libraries, by name (`DT_NEEDED`).
    pub(super) libraries: Vec<String>,
    /// Directories to look in, for this file and for what it loads (`DT_RPATH`).
    pub(super) rpath: Vec<String>,
    /// Directories to look in, for this file alone; if there are any, `rpath` does not count (`DT_RUNPATH`).
    pub(super) runpath: Vec<String>,
}

impl Needs {
    /// Reads the file at `path`. An error says why it is not a program or library.
    pub(super) fn of(path: &Path) -> Result<Needs> {
        let bytes = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
        ensure!(bytes.starts_with(b"\x7fELF"), "{} is not an ELF program", path.display());
        parse(&bytes).with_context(|| format!("{} is a damaged ELF program", path.display()))
    }
}

fn parse(bytes: &[u8]) -> Result<Needs> {
    let file = ElfBytes::<AnyEndian>::minimal_parse(bytes)?;
    ensure!(matches!(file.ehdr.e_type, abi::ET_EXEC | abi::ET_DYN), "it is neither executable nor shared");
    let mut needs = Needs {
        kind: (file.ehdr.e_machine, file.ehdr.class == Class::ELF64),
        interpreter: None,
        libraries: Vec::new(),
        rpath: Vec::new(),
        runpath: Vec::new(),
    };
    for segment in file.segments().context("it has no segments")?.iter() {
        match segment.p_type {
            abi::PT_INTERP => needs.interpreter = Some(text(file.segment_data(&segment)?, 0)?),
            abi::PT_DYNAMIC => {
                let table = DynamicTable::new(file.ehdr.endianness, file.ehdr.class, file.segment_data(&segment)?);
                needs.read_dynamic(&file, bytes, &table)?;
            }
            _ => {}
        }
    }
    Ok(needs)
}

impl Needs {
    /// Reads the entries that name something. They give offsets into a string table, and that by its address.
    fn read_dynamic(
        &mut self,
        file: &ElfBytes<'_, AnyEndian>,
        bytes: &[u8],
        table: &DynamicTable<'_, AnyEndian>,
    ) -> Result<()> {
        let entries: Vec<_> = table.iter().take_while(|entry| entry.d_tag != abi::DT_NULL).collect();
        let Some(strings) = entries.iter().find(|entry| entry.d_tag == abi::DT_STRTAB) else { return Ok(()) };
        let strings = at_address(file, bytes, strings.d_ptr())?;
        for entry in &entries {
            let name = || text(strings, entry.d_val());
            match entry.d_tag {
                abi::DT_NEEDED => self.libraries.push(name()?),
                abi::DT_RPATH => self.rpath = list(&name()?),
                abi::DT_RUNPATH => self.runpath = list(&name()?),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The bytes that lie at `address` when the file is loaded, to the end of their segment.
fn at_address<'a>(file: &ElfBytes<'_, AnyEndian>, bytes: &'a [u8], address: u64) -> Result<&'a [u8]> {
    for segment in file.segments().into_iter().flatten().filter(|segment| segment.p_type == abi::PT_LOAD) {
        let Some(inside) = address.checked_sub(segment.p_vaddr).filter(|inside| *inside < segment.p_filesz) else {
            continue;
        };
        let data = usize::try_from(segment.p_offset).ok().and_then(|start| bytes.get(start..));
        let data = data.and_then(|data| data.get(..usize::try_from(segment.p_filesz).ok()?));
        return data.and_then(|data| data.get(inside as usize..)).context("a segment lies outside of the file");
    }
    bail!("no segment holds its string table")
}

/// The text that starts at `offset` and ends at a zero byte.
fn text(bytes: &[u8], offset: u64) -> Result<String> {
    let bytes =
        usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)).ok_or(ParseError::BadOffset(offset))?;
    let end = bytes.iter().position(|b| *b == 0).context("a text does not end")?;
    Ok(std::str::from_utf8(&bytes[..end])?.to_owned())
}

/// `a:b:c`, without the empty ones.
fn list(text: &str) -> Vec<String> {
    text.split(':').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_very_program_asks_for_a_loader_and_libc() {
        let needs = Needs::of(Path::new("/proc/self/exe")).unwrap();
        assert_eq!(needs.kind.1, cfg!(target_pointer_width = "64"));
        assert!(needs.interpreter.unwrap().starts_with('/'));
        assert!(needs.libraries.iter().any(|name| name.starts_with("libc.")), "{:?}", needs.libraries);
    }

    #[test]
    fn what_is_no_program_is_refused() {
        let script = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(script.path(), "#!/bin/sh\n").unwrap();
        assert!(Needs::of(script.path()).unwrap_err().to_string().contains("is not an ELF program"));
        assert!(Needs::of(Path::new("/nothing/here")).is_err());
    }

    #[test]
    fn a_damaged_program_is_an_error_and_not_a_crash() {
        let whole = std::fs::read("/proc/self/exe").unwrap();
        assert!(parse(&whole).is_ok());
        for length in [0, 4, 16, 63, 64, 65, 200, 1000] {
            assert!(parse(&whole[..length]).is_err(), "the first {length} bytes");
        }
        // Every byte of the headers, one at a time.
        let mut copy = whole.clone();
        for index in 0..1000 {
            copy[index] = !whole[index];
            let _ = parse(&copy);
            copy[index] = whole[index];
        }
    }
}
