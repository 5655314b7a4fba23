//! Which part of a blob is wanted.
//!
//! Source: RFC 9110, section 14.

/// The part of `size` bytes that a `Range` header asks for: where it begins, and how long it is. `Ok(None)` stands for
/// all of it: where nothing is asked for, or several parts, or something that is no range. `Err` stands for a part that
/// is not there.
pub fn part(header: Option<&str>, size: u64) -> Result<Option<(u64, u64)>, ()> {
    let Some(range) = header.and_then(|header| header.strip_prefix("bytes=")) else { return Ok(None) };
    let Some((first, last)) = range.split_once('-').filter(|_| !range.contains(',')) else { return Ok(None) };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let (first, last) = match (number(first), number(last)) {
        (Some(first), None) if last.trim().is_empty() => (first, size.saturating_sub(1)),
        (Some(first), Some(last)) if first <= last => (first, last.min(size.saturating_sub(1))),
        // The last so many bytes.
        (None, Some(0)) if first.trim().is_empty() => return Err(()),
        (None, Some(count)) if first.trim().is_empty() => (size.saturating_sub(count), size.saturating_sub(1)),
        _ => return Ok(None),
    };
    if first < size { Ok(Some((first, last - first + 1))) } else { Err(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        for (header, expected) in [
            ("bytes=0-", Ok(Some((0, 10)))),
            ("bytes=4-", Ok(Some((4, 6)))),
            ("bytes=4-5", Ok(Some((4, 2)))),
            ("bytes=4-400", Ok(Some((4, 6)))),
            ("bytes=-3", Ok(Some((7, 3)))),
            ("bytes=-30", Ok(Some((0, 10)))),
            ("bytes=9-9", Ok(Some((9, 1)))),
            ("bytes=10-", Err(())),
            ("bytes=10-11", Err(())),
            ("bytes=-0", Err(())),
            ("bytes=0-1,3-4", Ok(None)),
            ("bytes=5-4", Ok(None)),
            ("bytes=x-4", Ok(None)),
            ("bytes=-", Ok(None)),
            ("lines=1-2", Ok(None)),
            ("bytes=0-18446744073709551615", Ok(Some((0, 10)))),
            ("bytes=99999999999999999999-", Ok(None)),
        ] {
            assert_eq!(part(Some(header), 10), expected, "{header}");
        }
        assert_eq!(part(None, 10), Ok(None));
        assert_eq!(part(Some("bytes=0-"), 0), Err(()));
    }
}
