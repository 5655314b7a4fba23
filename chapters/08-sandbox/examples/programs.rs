//! Prints, as a C header, the programs that every container is started with: the filter of its system calls, the one
//! that decides about devices, and the shim that becomes the command. For tests/bench/floor.

use std::fmt::Write as _;

use cgroups::DeviceRule;
use cgroups::devices::program;
use sandbox::{capabilities, seccomp};

const SHIM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/shim"));

fn main() -> anyhow::Result<()> {
    let held = capabilities::choose(&[], &[]).map_err(anyhow::Error::msg)?;
    let filter = seccomp::default_program(held)?;
    let filter = filter.instructions().iter().map(|i| format!("{{{:#x}, {}, {}, {:#x}}}", i.code, i.jt, i.jf, i.k));
    let devices = program::assemble(&DeviceRule::defaults());
    print!("#include <linux/filter.h>\n#include <stdint.h>\n\n");
    print!("{}", array("const struct sock_filter FILTER", filter));
    print!("{}", array("const uint64_t DEVICES", devices.iter().map(|instruction| format!("{instruction:#x}"))));
    print!("{}", array("const unsigned char SHIM", SHIM.iter().map(u8::to_string)));
    Ok(())
}

fn array(declaration: &str, values: impl Iterator<Item = String>) -> String {
    let mut text = format!("static {declaration}[] = {{\n");
    for value in values {
        writeln!(text, "    {value},").expect("a String takes all");
    }
    text.push_str("};\n");
    text
}
