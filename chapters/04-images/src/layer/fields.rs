//! The fields of a header.
//!
//! Numbers are octal digits, or, where those do not suffice, bytes: the highest bit of the first says so, and the rest is
//! a big-endian number in two's complement.
//!
//! Source: tar(5), "Numeric Extensions".

use anyhow::{Context, Result, bail, ensure};
use nix::sys::stat::SFlag;
use nix::sys::time::TimeSpec;
use std::ffi::CString;
use tar::Header;

use super::{Kind, pax};
use crate::tree::{Attributes, XATTR_MAX, XATTR_NAME_MAX, Xattrs, is_kept};

/// How many bytes the header says that its member has.
pub(super) fn size(header: &Header) -> Result<u64> {
    let size = number(&header.as_old().size).context("read the size of a member")?;
    ensure!(size >= 0, "the archive has a member of {size} bytes");
    let most = i128::from(i64::MAX);
    ensure!(size <= most, "the archive has a member of {size} bytes, which no file system can hold");
    Ok(size as u64)
}

/// What a member has besides its content.
pub(super) fn attributes(header: &Header, records: pax::Records) -> Result<Attributes> {
    // The highest id is not an id: to the kernel it means "leave as it is".
    let id = |given: Option<u64>, field: &[u8]| -> Result<u32> {
        let id = given.map_or_else(|| number(field), |id| Ok(i128::from(id))).context("read the owner")?;
        u32::try_from(id).ok().filter(|id| *id != u32::MAX).with_context(|| format!("there is no user or group {id}"))
    };
    let old = header.as_old();
    let seconds = || -> Result<TimeSpec> {
        let seconds = number(&old.mtime).context("read the time")?;
        Ok(TimeSpec::new(seconds.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64, 0))
    };
    Ok(Attributes {
        uid: id(records.owner.0, &old.uid)?,
        gid: id(records.owner.1, &old.gid)?,
        mode: number(&old.mode).context("read the mode")? as u32 & 0o7777,
        mtime: records.mtime.map_or_else(seconds, Ok)?,
        xattrs: xattrs(records.xattrs)?,
    })
}

/// The extended attributes that are kept. The kernel would refuse what is too long, without a word on which it is.
fn xattrs(records: Vec<(Vec<u8>, Vec<u8>)>) -> Result<Xattrs> {
    let mut xattrs = Vec::new();
    for (name, value) in records.into_iter().filter(|(name, _)| is_kept(name)) {
        let shown = crate::shown(&name);
        let (name_length, length) = (name.len(), value.len());
        ensure!(
            name_length <= XATTR_NAME_MAX,
            "the name of its extended attribute {shown} has {name_length} bytes, and {XATTR_NAME_MAX} is the most"
        );
        ensure!(
            length <= XATTR_MAX,
            "its extended attribute {shown} has {length} bytes, and {XATTR_MAX} is the most that Linux takes"
        );
        let name = CString::new(name).with_context(|| format!("its extended attribute {shown} has an invalid name"))?;
        xattrs.push((name, value));
    }
    Ok(xattrs)
}

/// The device that a header describes.
pub(super) fn device(header: &Header, kind: SFlag) -> Result<Kind> {
    let part = |field: Option<&[u8]>| {
        let number = number(field.context("a device without a number")?)?;
        u32::try_from(number).ok().with_context(|| format!("there is no device {number}"))
    };
    let (major, minor) = match (header.as_gnu(), header.as_ustar()) {
        (Some(gnu), _) => (Some(&gnu.dev_major[..]), Some(&gnu.dev_minor[..])),
        (None, Some(ustar)) => (Some(&ustar.dev_major[..]), Some(&ustar.dev_minor[..])),
        (None, None) => (None, None),
    };
    Ok(Kind::Device { kind, major: part(major)?, minor: part(minor)? })
}

/// The checksum is the sum of all bytes of the header, those of the checksum itself taken as spaces.
pub(super) fn checksum_is_right(header: &Header) -> bool {
    let bytes = header.as_bytes();
    let sum: u32 = bytes[..148].iter().chain(&bytes[156..]).map(|b| u32::from(*b)).sum();
    number(&header.as_old().cksum).is_ok_and(|written| written == i128::from(sum + 8 * u32::from(b' ')))
}

fn number(field: &[u8]) -> Result<i128> {
    if let [first @ 0x80..=0xff, rest @ ..] = field {
        // The bit that says so is not part of the number; the one beside it is its sign.
        let start = if first & 0x40 == 0 { i128::from(first & 0x3f) } else { i128::from(*first as i8) };
        return Ok(rest.iter().fold(start, |sum, byte| sum << 8 | i128::from(*byte)));
    }
    let end = field.iter().position(|b| *b == 0).unwrap_or(field.len());
    let digits = field[..end].trim_ascii();
    digits.iter().try_fold(0, |sum, digit| match digit {
        b'0'..=b'7' => Ok(sum << 3 | i128::from(digit - b'0')),
        _ => bail!("invalid number {}", crate::shown(digits)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_binary() {
        assert_eq!(number(b"0000644\0").unwrap(), 0o644);
        assert_eq!(number(b" 644 \0\0\0").unwrap(), 0o644);
        assert_eq!(number(b"77777777").unwrap(), 0o77777777);
        assert_eq!(number(&[0; 8]).unwrap(), 0);
        assert_eq!(number(&[0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xfe]).unwrap(), 0xffff_fffe);
        assert_eq!(number(&[0xff; 12]).unwrap(), -1);
        assert_eq!(
            number(&[0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).unwrap(),
            (1 << 88) - 1
        );
        for bad in [&b"0000648\0"[..], b"-1", b"0x10", b"6 4"] {
            assert!(number(bad).is_err(), "{bad:?}");
        }
    }
}
