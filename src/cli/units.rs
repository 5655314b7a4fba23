//! Ages, sizes and times, as docker words them.

use std::ffi::{CStr, c_char};

use images::timestamp;

use crate::container;

/// How long ago something was that happened at `then`, in seconds since 1970.
pub fn ago(then: u64) -> String {
    format!("{} ago", duration(container::now().saturating_sub(then)))
}

/// [`ago`] of a time in seconds since 1970, which may be before that, or not known.
pub fn age(created: Option<i64>) -> String {
    let now = i64::try_from(container::now()).unwrap_or(i64::MAX);
    let since = |created: i64| u64::try_from(now.saturating_sub(created)).unwrap_or(0);
    created.map_or_else(|| "N/A".to_owned(), |created| format!("{} ago", duration(since(created))))
}

/// A time as documents write it, in seconds since 1970. Go's zero time stands for none.
pub fn read_time(written: Option<&str>) -> Option<i64> {
    const ZERO: i64 = -62_135_596_800;
    written.and_then(timestamp::parse).map(|(seconds, _)| seconds).filter(|seconds| *seconds != ZERO)
}

/// A length of time in seconds.
pub fn duration(seconds: u64) -> String {
    // From an hour on, half an hour counts as a whole one.
    let (minutes, hours) = (seconds / 60, (seconds + 1800) / 3600);
    let (days, weeks, months) = (hours / 24, hours / 24 / 7, hours / 24 / 30);
    match () {
        () if seconds < 1 => "Less than a second".into(),
        () if seconds == 1 => "1 second".into(),
        () if minutes < 1 => format!("{seconds} seconds"),
        () if minutes == 1 => "About a minute".into(),
        () if minutes < 60 => format!("{minutes} minutes"),
        () if hours == 1 => "About an hour".into(),
        () if hours < 48 => format!("{hours} hours"),
        () if days < 14 => format!("{days} days"),
        () if days < 60 => format!("{weeks} weeks"),
        () if days < 730 => format!("{months} months"),
        () => format!("{} years", days / 365),
    }
}

/// A number of bytes to three digits: `7.65MB`. A kilobyte has 1000 bytes here.
pub fn size(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let (mut value, mut unit) = (bytes as f64, 0);
    // What would be rounded up to four digits belongs to the next unit.
    while value >= 999.5 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    let text = match value {
        value if value >= 99.95 => format!("{value:.0}"),
        value if value >= 9.995 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    };
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{}", units[unit])
}

/// A time in seconds since 1970 by the clock on the wall here: `2026-11-21 10:00:00 +0100 CET`.
pub fn local(seconds: i64) -> String {
    let (mut buffer, format) = ([0_u8; 64], c"%04Y-%m-%d %H:%M:%S %z %Z");
    // SAFETY: localtime_r fills `time`, which is plain data and may begin as zeros; strftime writes at most as many
    // bytes as the buffer has, a final zero included, or says 0.
    let length = unsafe {
        let mut time: libc::tm = std::mem::zeroed();
        if libc::localtime_r(&seconds, &mut time).is_null() {
            return seconds.to_string();
        }
        libc::strftime(buffer.as_mut_ptr().cast::<c_char>(), buffer.len(), format.as_ptr(), &time)
    };
    let text = CStr::from_bytes_until_nul(&buffer).ok().filter(|_| length > 0);
    text.map_or_else(|| seconds.to_string(), |text| text.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_worded_as_docker_does() {
        const HOUR: u64 = 3600;
        const DAY: u64 = 24 * HOUR;
        for (seconds, expected) in [
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "About a minute"),
            (120, "2 minutes"),
            (59 * 60 + 59, "59 minutes"),
            (HOUR, "About an hour"),
            (HOUR + 1800, "2 hours"),
            (2 * HOUR, "2 hours"),
            (47 * HOUR, "47 hours"),
            (2 * DAY, "2 days"),
            (13 * DAY, "13 days"),
            (14 * DAY, "2 weeks"),
            (59 * DAY, "8 weeks"),
            (60 * DAY, "2 months"),
            (729 * DAY, "24 months"),
            (730 * DAY, "2 years"),
            (3650 * DAY, "10 years"),
        ] {
            assert_eq!(duration(seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn an_age_may_be_great_or_unknown() {
        assert_eq!(age(None), "N/A");
        let years = container::now() / 3600 / 24 / 365;
        assert_eq!((age(Some(0)), age(Some(-5))), (format!("{years} years ago"), format!("{years} years ago")));
        assert_eq!(age(Some(i64::MAX)), "Less than a second ago");
        assert_eq!(read_time(Some("1970-01-01T00:00:00Z")), Some(0));
        assert_eq!(
            (read_time(Some("0001-01-01T00:00:00Z")), read_time(Some("soon")), read_time(None)),
            (None, None, None)
        );
    }

    #[test]
    fn sizes_have_three_digits() {
        for (bytes, expected) in [
            (0, "0B"),
            (999, "999B"),
            (1000, "1kB"),
            (1234, "1.23kB"),
            (7_654_321, "7.65MB"),
            (133_000_000, "133MB"),
            (12_300_000, "12.3MB"),
            (999_999, "1MB"),
            (100_000, "100kB"),
            (1_230_000_000, "1.23GB"),
            (u64::MAX, "18.4EB"),
        ] {
            assert_eq!(size(bytes), expected, "{bytes}");
        }
    }

    #[test]
    fn a_time_is_told_with_its_zone() {
        let text = local(951_827_696);
        assert!(local(-62_000_000_000).starts_with("0005-"), "{}", local(-62_000_000_000));
        assert!(text.starts_with("2000-02-29 ") || text.starts_with("2000-03-01 "), "{text}");
        assert_eq!(text.split(' ').count(), 4, "{text}");
    }
}
