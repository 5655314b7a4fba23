//! Which of the images in an index is for a machine.
//!
//! Source: the order in which containerd prefers variants,
//! <https://pkg.go.dev/github.com/containerd/platforms#Only>.

use anyhow::{Result, bail, ensure};
use images::oci::{Descriptor, Platform, media};

use crate::text::printable;

/// The platform of `--platform`, if one is given: nothing is as if it was not.
pub fn given(typed: Option<&String>) -> Result<Option<Platform>> {
    typed.filter(|typed| !typed.is_empty()).map(|typed| parse(typed)).transpose()
}

/// What is to be said of an image for `offered` that nobody asked for, if this machine is none of these.
pub fn warning(offered: &Platform) -> Option<String> {
    let here = Platform::here();
    let offered_shown = printable(&offered.to_string());
    (!fits(&here, offered)).then(|| {
        format!("the requested image's platform ({offered_shown}) does not match the detected host platform ({here})")
    })
}

/// Reads `--platform`: `OS/ARCHITECTURE[/VARIANT]`, or an architecture alone, by any of its usual names.
pub fn parse(text: &str) -> Result<Platform> {
    let parts: Vec<&str> = text.split('/').collect();
    let is_word = |part: &&str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
    };
    ensure!(
        parts.iter().all(is_word),
        "\"{}\" is an invalid platform: it should be OS[/ARCHITECTURE[/VARIANT]]",
        text.escape_debug()
    );
    let platform = |os: &str, architecture: &str, variant: Option<&str>| Platform {
        os: os.to_lowercase(),
        architecture: architecture.to_lowercase(),
        variant: variant.map(str::to_lowercase),
    };
    Ok(usual(match parts[..] {
        [os] if SYSTEMS.contains(&&*os.to_lowercase()) => platform(os, &Platform::here().architecture, None),
        [architecture] => {
            let platform = usual(platform("linux", architecture, None));
            let is_known = ARCHITECTURES.contains(&&*platform.architecture);
            ensure!(is_known, "\"{architecture}\": unknown operating system or architecture");
            platform
        }
        [os, architecture] => platform(os, architecture, None),
        [os, architecture, variant] => platform(os, architecture, Some(variant)),
        _ => bail!("\"{}\" is an invalid platform: it has too many parts", text.escape_debug()),
    }))
}

/// The operating systems that Go knows.
const SYSTEMS: &[&str] = &[
    "aix",
    "android",
    "darwin",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "linux",
    "nacl",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "windows",
    "zos",
];

/// The architectures that Go knows.
const ARCHITECTURES: &[&str] = &[
    "386",
    "amd64",
    "amd64p32",
    "arm",
    "armbe",
    "arm64",
    "arm64be",
    "ppc64",
    "ppc64le",
    "loong64",
    "mips",
    "mipsle",
    "mips64",
    "mips64le",
    "mips64p32",
    "mips64p32le",
    "ppc",
    "riscv",
    "riscv64",
    "s390",
    "s390x",
    "sparc",
    "sparc64",
    "wasm",
];

/// With the names that Go has for architectures, and the variant left out where it is the usual one.
fn usual(platform: Platform) -> Platform {
    let (architecture, implied) = match platform.architecture.as_str() {
        "x86_64" | "x86-64" => ("amd64", None),
        "i386" | "i686" | "x86" => ("386", None),
        "aarch64" => ("arm64", None),
        "armhf" => ("arm", Some("v7")),
        "armel" => ("arm", Some("v6")),
        other => (other, None),
    };
    let architecture = architecture.to_owned();
    let variant = platform.variant.filter(|variant| !variant.is_empty()).or(implied.map(str::to_owned));
    let variant = match (architecture.as_str(), variant.as_deref()) {
        ("amd64", Some("v1")) | ("arm64", Some("v8" | "8")) => None,
        ("arm", None) => Some("v7".to_owned()),
        _ => variant,
    };
    Platform { architecture, os: platform.os, variant }
}

/// Whether an image for `offered` runs where `wanted` does, and how well it fits: the lower, the better.
fn distance(wanted: &Platform, offered: &Platform) -> Option<u32> {
    if offered.os != wanted.os || offered.architecture != wanted.architecture {
        return None;
    }
    let number = |platform: &Platform| -> Option<u32> {
        let implied = match platform.architecture.as_str() {
            "arm64" => "v8",
            _ => "v1",
        };
        platform.variant.as_deref().unwrap_or(implied).strip_prefix('v')?.parse().ok()
    };
    match (number(wanted), number(offered)) {
        (Some(wanted), Some(offered)) => wanted.checked_sub(offered),
        _ => (wanted.variant == offered.variant).then_some(0),
    }
}

/// Whether an image that says that it is for `offered` will do.
pub fn fits(wanted: &Platform, offered: &Platform) -> bool {
    distance(&usual(wanted.clone()), &usual(offered.clone())).is_some()
}

/// The manifest of an index that fits `wanted` best, the first of those that fit equally well.
pub fn choose<'a>(manifests: &'a [Descriptor], wanted: &Platform) -> Option<&'a Descriptor> {
    let wanted = usual(wanted.clone());
    let fitting = manifests.iter().filter(|one| [media::MANIFEST, media::DOCKER_MANIFEST].contains(&&*one.media_type));
    let measured = fitting.filter_map(|one| {
        let offered = usual(one.platform.clone()?);
        distance(&wanted, &offered).map(|distance| (distance, one))
    });
    measured.min_by_key(|(distance, _)| *distance).map(|(_, one)| one)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(platform: &str, number: u8) -> Descriptor {
        let mut parts = platform.split('/').map(str::to_owned);
        let (os, architecture) = (parts.next().unwrap(), parts.next().unwrap());
        let mut entry = Descriptor::new(media::MANIFEST, images::Digest::of(&[number]), 1);
        entry.platform = Some(Platform { os, architecture, variant: parts.next() });
        entry
    }

    fn chosen(offered: &[&str], wanted: &str) -> Option<usize> {
        let entries: Vec<Descriptor> = offered.iter().zip(0..).map(|(platform, n)| entry(platform, n)).collect();
        let chosen = choose(&entries, &parse(wanted).unwrap())?.digest;
        entries.iter().position(|entry| entry.digest == chosen)
    }

    #[test]
    fn the_best_that_runs_is_chosen() {
        let offered =
            ["linux/arm/v6", "linux/amd64", "linux/arm/v7", "linux/arm64/v8", "windows/amd64", "linux/amd64/v3"];
        for (wanted, expected) in [
            ("linux/amd64", Some(1)),
            ("amd64", Some(1)),
            ("x86_64", Some(1)),
            ("linux/amd64/v3", Some(5)),
            ("linux/amd64/v2", Some(1)),
            ("linux/arm/v7", Some(2)),
            ("linux/arm/v6", Some(0)),
            ("linux/arm", Some(2)),
            ("linux/arm/v5", None),
            ("arm64", Some(3)),
            ("aarch64", Some(3)),
            ("windows/amd64", Some(4)),
            ("linux/s390x", None),
        ] {
            assert_eq!(chosen(&offered, wanted), expected, "{wanted}");
        }
        assert_eq!(chosen(&["unknown/unknown"], "linux/amd64"), None);
    }

    #[test]
    fn words_that_nobody_knows_are_named() {
        let error = parse("foo").unwrap_err().to_string();
        assert_eq!(error, "\"foo\": unknown operating system or architecture");
        assert_eq!(parse("Linux").unwrap(), parse(&Platform::here().architecture).unwrap());
        assert_eq!(given(Some(&String::new())).unwrap(), None);
        assert_eq!(given(None).unwrap(), None);
    }

    #[test]
    fn what_is_no_platform_is_refused() {
        for bad in ["", "/", "linux/", "a/b/c/d", "linux/amd 64", "linux/\u{1b}"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
