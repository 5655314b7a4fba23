//! Compiles `shim/shim.rs`, the last program before a container's own, so that it can be carried as data.

use std::path::Path;
use std::process::Command;

/// What makes it small, and able to start without a library: no C start files, no dynamic linking, no padding.
const OPTIONS: [&str; 12] = [
    "--edition=2024",
    "-Cpanic=abort",
    "-Copt-level=s",
    "-Cstrip=symbols",
    "-Crelocation-model=static",
    "-Ctarget-feature=+crt-static",
    "-Clink-arg=-nostartfiles",
    "-Clink-arg=-nostdlib",
    "-Clink-arg=-static",
    "-Clink-arg=-Wl,--build-id=none",
    "-Clink-arg=-Wl,-z,norelro",
    "-Clink-arg=-Wl,-z,noseparate-code",
];

/// Compiles it to `out/shim`, for the machine that the package is compiled for.
pub fn compile(out: &Path) -> Result<(), String> {
    let source = "shim/shim.rs";
    println!("cargo::rerun-if-changed={source}");
    let variable = |name: &str| std::env::var_os(name).ok_or_else(|| format!("{name} is not set: run me from cargo"));
    let mut compiler = Command::new(variable("RUSTC")?);
    compiler.args(OPTIONS).arg("--target").arg(variable("TARGET")?).arg("-o").arg(out.join("shim")).arg(source);
    if let Ok(linker) = variable("RUSTC_LINKER") {
        let mut option = std::ffi::OsString::from("-Clinker=");
        option.push(linker);
        compiler.arg(option);
    }
    match compiler.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("compile {source}: the compiler ended with {status}")),
        Err(error) => Err(format!("compile {source}: {error}")),
    }
}
