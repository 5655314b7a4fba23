//! The records of a pax header: `LENGTH KEY=VALUE\n`, where the length counts all of that.
//!
//! A value is any bytes, newlines too: the length alone says where it ends. An empty one takes back what another header
//! said.
//!
//! Source: POSIX, pax, "pax Extended Header"; the GNU tar manual for `GNU.sparse`; star's for `SCHILY.xattr`.

use anyhow::{Context, Result, bail, ensure};
use nix::sys::time::TimeSpec;

use super::sparse::PaxMap;

/// What a header says about the member that follows it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Records {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    /// User and group.
    pub(super) owner: (Option<u64>, Option<u64>),
    pub(super) mtime: Option<TimeSpec>,
    pub(super) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) map: PaxMap,
    /// What a sparse file is really called.
    sparse_name: Option<Vec<u8>>,
}

/// Reads all records. What a root tree has no use for (names of users, times of access) is passed over.
pub(super) fn parse(mut bytes: &[u8]) -> Result<Records> {
    let mut records = Records::default();
    while !bytes.is_empty() {
        let (key, value, rest) = record(bytes).context(MALFORMED)?;
        bytes = rest;
        let said = (!value.is_empty()).then_some(value);
        match key {
            b"path" => records.path = said.map(<[u8]>::to_vec),
            b"linkpath" => records.link = said.map(<[u8]>::to_vec),
            b"size" => records.size = said.map(number).transpose()?,
            b"uid" => records.owner.0 = said.map(number).transpose()?,
            b"gid" => records.owner.1 = said.map(number).transpose()?,
            b"mtime" => records.mtime = said.map(time).transpose()?,
            _ => {
                if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                    records.xattrs.push((name.to_vec(), value.to_vec()));
                } else if let Some(key) = key.strip_prefix(b"GNU.sparse.") {
                    sparse(&mut records, key, value)?;
                }
            }
        }
    }
    records.path = records.sparse_name.take().or(records.path);
    Ok(records)
}

/// Looks through the records of a header about all members that follow. Docker passes over those, and so do we; but what
/// would give members other names or sizes would let two readers see two archives.
pub(super) fn check_global(mut bytes: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        let (key, _, rest) = record(bytes).context(MALFORMED)?;
        bytes = rest;
        let changes = matches!(key, b"path" | b"linkpath" | b"size") || key.starts_with(b"GNU.sparse.");
        ensure!(!changes, "a global header gives all members one {}", crate::shown(key));
    }
    Ok(())
}

const MALFORMED: &str = "the archive has a malformed pax header";

fn sparse(records: &mut Records, key: &[u8], value: &[u8]) -> Result<()> {
    let map = &mut records.map;
    map.sparse = true;
    match key {
        b"name" => records.sparse_name = Some(value.to_vec()),
        b"size" | b"realsize" => map.size = Some(number(value)?),
        b"major" if value == b"1" => map.in_content = true,
        b"major" => ensure!(value == b"0", "a sparse file in a way that is not known here"),
        b"minor" | b"numblocks" => {}
        b"offset" | b"numbytes" => map.numbers.push(number(value)?),
        b"map" => map.numbers = value.split(|b| *b == b',').map(number).collect::<Result<_>>()?,
        _ => bail!("a sparse file with the unknown record {}", crate::shown(key)),
    }
    Ok(())
}

/// The first record, and what follows it.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().take(20).position(|b| *b == b' ')?;
    let length: usize = std::str::from_utf8(&bytes[..space]).ok()?.parse().ok()?;
    let (record, rest) = bytes.split_at_checked(length)?;
    let text = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = text.iter().position(|b| *b == b'=')?;
    Some((&text[..equals], &text[equals + 1..], rest))
}

fn number(value: &[u8]) -> Result<u64> {
    let text = std::str::from_utf8(value).ok();
    text.and_then(|text| text.parse().ok()).context("invalid number in a pax header")
}

/// `1700000000.123456789`, of which the part after the dot may be missing or longer.
fn time(value: &[u8]) -> Result<TimeSpec> {
    let wrong = "invalid time in a pax header";
    let text = std::str::from_utf8(value).context(wrong)?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    ensure!(fraction.bytes().all(|b| b.is_ascii_digit()), wrong);
    let whole: i64 = seconds.parse().context(wrong)?;
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    let nanos = digits.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    // -1.25 is 0.75 after -2.
    match nanos {
        1.. if seconds.starts_with('-') => Ok(TimeSpec::new(whole.saturating_sub(1), 1_000_000_000 - nanos)),
        _ => Ok(TimeSpec::new(whole, nanos)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_hold_anything() {
        let records = parse(b"22 path=a\nb=c d\n30 x=\n29 SCHILY.xattr.user.a=1\n2\0\n").unwrap_err();
        assert!(records.to_string().contains("malformed"), "{records}");
        let records = parse(b"17 path=a\nb=c d\n\n28 SCHILY.xattr.user.a=1\n2\0\n20 mtime=-1.2500001\n").unwrap();
        assert_eq!(records.path.as_deref(), Some(&b"a\nb=c d\n"[..]));
        assert_eq!(records.xattrs, [(b"user.a".to_vec(), b"1\n2\0".to_vec())]);
        assert_eq!(records.mtime, Some(TimeSpec::new(-2, 749_999_900)));
    }

    #[test]
    fn an_empty_value_takes_back_what_was_said() {
        let records = parse(b"10 path=a\n8 path=\n8 size=\n").unwrap();
        assert_eq!((records.path, records.size), (None, None));
    }

    #[test]
    fn malformed_records_are_refused() {
        for bad in
            [&b"x"[..], b"9 a=b\n", b"3 \n", b"6 a=b ", b"5 ab\n", b"0 \n", b"-6 a=b\n", b"99999999999999999999 a=b\n"]
        {
            assert!(parse(bad).is_err(), "{bad:?}");
            assert!(check_global(bad).is_err(), "{bad:?}");
        }
        assert!(
            parse(b"11 size=-1\n").is_err() && parse(b"13 mtime=1.x\n").is_err() && parse(b"11 mtime=.\n").is_err()
        );
    }
}
