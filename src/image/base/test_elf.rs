//! ELF files for the tests: headers without any program behind them, and one program that says a few words.

use std::path::Path;

use elf::abi;

use super::elf::Needs;

/// The kind of machine that this is.
pub(super) fn this_machine() -> u16 {
    Needs::of(Path::new("/proc/self/exe")).unwrap().kind.0
}

/// A 64-bit file with a header for the loader: an interpreter, and what the dynamic section says.
pub(super) fn file(machine: u16, interpreter: Option<&str>, dynamic: &[(i64, &str)]) -> Vec<u8> {
    let mut data = vec![0u8];
    let mut add = |text: &str| {
        let at = data.len() as u64;
        data.extend(text.as_bytes());
        data.push(0);
        at
    };
    let interpreter = interpreter.map(|path| (add(path), path.len() as u64 + 1));
    let mut entries: Vec<(i64, u64)> = dynamic.iter().map(|(tag, text)| (*tag, add(text))).collect();
    let start = 64 + 56 * 3;
    entries.extend([(abi::DT_STRTAB, start), (abi::DT_NULL, 0)]);
    let table_at = data.len() as u64;
    data.extend(entries.iter().flat_map(|(tag, value)| [tag.to_le_bytes(), value.to_le_bytes()].concat()));

    let length = start + data.len() as u64;
    let unused = segment(abi::PT_NULL, 0, 0);
    let interpreter = interpreter.map_or(unused, |(at, length)| segment(abi::PT_INTERP, start + at, length));
    let table = segment(abi::PT_DYNAMIC, start + table_at, length - start - table_at);
    [header(machine, 0, 3), segment(abi::PT_LOAD, 0, length), interpreter, table, data].concat()
}

/// A static program for x86-64 that prints `words` and ends well.
#[cfg(target_arch = "x86_64")]
pub(super) fn program_that_says(words: &str) -> Vec<u8> {
    let length = (words.len() as u32).to_le_bytes();
    let code = [
        &[0xb8, 1, 0, 0, 0][..],          // mov $1 (write), %eax
        &[0xbf, 1, 0, 0, 0],              // mov $1 (standard output), %edi
        &[0x48, 0x8d, 0x35, 16, 0, 0, 0], // lea 16(%rip), %rsi: the words, behind the code
        &[0xba, length[0], length[1], length[2], length[3]],
        &[0x0f, 0x05],                    // syscall
        &[0xb8, 60, 0, 0, 0, 0x31, 0xff], // mov $60 (exit), %eax; xor %edi, %edi
        &[0x0f, 0x05],                    // syscall
    ]
    .concat();
    let start = 64 + 56;
    let length = start + (code.len() + words.len()) as u64;
    [header(this_machine(), start, 1), segment(abi::PT_LOAD, 0, length), code, words.as_bytes().to_vec()].concat()
}

fn header(machine: u16, entry: u64, segments: u16) -> Vec<u8> {
    let mut header = vec![0x7f, b'E', b'L', b'F', abi::ELFCLASS64, abi::ELFDATA2LSB, 1];
    header.resize(16, 0);
    header.extend([abi::ET_DYN.to_le_bytes(), machine.to_le_bytes()].concat());
    header.extend(1u32.to_le_bytes());
    header.extend([entry, 64, 0].map(u64::to_le_bytes).concat());
    header.extend(0u32.to_le_bytes());
    header.extend([64, 56, segments, 64, 0, 0].map(u16::to_le_bytes).concat());
    header
}

fn segment(kind: u32, at: u64, length: u64) -> Vec<u8> {
    let flags = abi::PF_R | abi::PF_X;
    let numbers = [at, at, at, length, length, 0x1000].map(u64::to_le_bytes).concat();
    [kind.to_le_bytes(), flags.to_le_bytes()].concat().into_iter().chain(numbers).collect()
}
