"""Docker's seccomp profile as an OCI runtime wants it: without circumstances, only the rules that apply."""

import json
import os
import platform
from pathlib import Path

PROFILE = Path(__file__).resolve().parent.parent.parent / "chapters" / "08-sandbox" / "profile" / "default.json"
# The machine, as the profile's rules and its table of architectures name it.
NAMES = {
    "x86_64": ("amd64", "SCMP_ARCH_X86_64"),
    "aarch64": ("arm64", "SCMP_ARCH_AARCH64"),
    "riscv64": ("riscv64", "SCMP_ARCH_RISCV64"),
}


def profile(capabilities):
    """The `linux.seccomp` of a bundle, for a container that has these capabilities, on this machine."""
    whole = json.loads(PROFILE.read_text())
    name, architecture = NAMES[platform.machine()]
    table = next(entry for entry in whole["archMap"] if entry["architecture"] == architecture)
    rules = [rule for rule in whole["syscalls"] if applies(rule, name, capabilities)]
    wanted = ("names", "action", "errnoRet", "args")
    return {
        "defaultAction": whole["defaultAction"],
        "defaultErrnoRet": whole["defaultErrnoRet"],
        "architectures": [architecture, *(table["subArchitectures"] or [])],
        "syscalls": [{key: rule[key] for key in wanted if key in rule} for rule in rules],
    }


def applies(rule, machine, capabilities):
    """As in Docker: all that `includes` asks for is there, and nothing that `excludes` names."""
    includes, excludes = rule.get("includes", {}), rule.get("excludes", {})
    return (
        machine in includes.get("arches", [machine])
        and capabilities.issuperset(includes.get("caps", []))
        and kernel() >= numbers(includes.get("minKernel", "0.0"))
        and machine not in excludes.get("arches", [])
        and capabilities.isdisjoint(excludes.get("caps", []))
        and ("minKernel" not in excludes or kernel() < numbers(excludes["minKernel"]))
    )


def kernel():
    return numbers(os.uname().release)


def numbers(version):
    major, minor = version.split(".")[:2]
    return int(major), int("".join(digit for digit in minor if digit.isdigit()))
