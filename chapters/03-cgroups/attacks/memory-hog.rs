//! Takes memory, and uses it: what is only asked for costs nothing, the kernel gives a page when it is touched.
//!
//! `memory-hog [MIB]` takes 256 MiB if it is not told, never more than 1024. It says how far it came, and ends.
//! A real one would go on until the kernel looks for somebody to kill, and that need not be the hog.

use std::process::ExitCode;

/// However much is asked for.
const CEILING: usize = 1024;
const MIB: usize = 1 << 20;
/// On every machine a page is at least this large.
const PAGE: usize = 4096;

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or("256".into());
    let Some(wanted) = wanted.parse().ok().filter(|wanted| *wanted <= CEILING) else {
        eprintln!("usage: memory-hog [MIB], and MIB is at most {CEILING}");
        return ExitCode::from(2);
    };
    let mut taken: Vec<Vec<u8>> = Vec::new();
    while taken.len() < wanted {
        let mut block = vec![0_u8; MIB];
        for page in block.chunks_mut(PAGE) {
            // Written as if somebody looked, or the compiler would leave it out.
            page[0] = std::hint::black_box(1);
        }
        taken.push(std::hint::black_box(block));
    }
    println!("{} MiB: nobody stopped me", taken.len());
    ExitCode::SUCCESS
}
