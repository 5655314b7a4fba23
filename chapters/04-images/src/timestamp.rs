//! Points in time, as image documents write them: RFC 3339.

use std::time::{SystemTime, UNIX_EPOCH};

/// Reads `2026-11-21T10:00:00.123456789Z` or with an offset such as `+02:00`: seconds since 1970, and nanoseconds.
pub fn parse(text: &str) -> Option<(i64, u32)> {
    let (date, rest) = text.split_at_checked(10)?;
    let mut numbers = date.splitn(3, '-').map(|number| number.parse::<i64>().ok());
    let days = days(numbers.next()??, numbers.next()??, numbers.next()??)?;
    let (clock, rest) = rest.strip_prefix(['T', 't', ' '])?.split_at_checked(8)?;
    let mut numbers = clock.splitn(3, ':').map(|number| number.parse::<i64>().ok());
    let (hour, minute, second) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?),
        None => ("", rest),
    };
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    let nanos = digits.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    let possible = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..=60).contains(&second);
    possible.then_some((days * 86400 + hour * 3600 + minute * 60 + second - offset(zone)?, nanos))
}

/// How many seconds a clock in this zone is ahead.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let (sign, clock) = zone.split_at_checked(1)?;
    let (hours, minutes) = clock.split_once(':')?;
    let (hours, minutes) = (hours.parse::<u8>().ok()?, minutes.parse::<u8>().ok()?);
    let seconds = i64::from(hours) * 3600 + i64::from(minutes) * 60;
    match sign {
        _ if hours > 23 || minutes > 59 => None,
        "+" => Some(seconds),
        "-" => Some(-seconds),
        _ => None,
    }
}

/// Days from 1970-01-01 to this date in the Gregorian calendar. Years are counted from March, so that the day that some
/// have more is their last.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(0..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Writes a time the way that image documents have it, in UTC, to the nanosecond.
pub fn format(seconds: i64, nanos: u32) -> String {
    let (days, of_day) = (seconds.div_euclid(86400), seconds.rem_euclid(86400));
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z")
}

/// The time now, written like that.
pub fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format(since.as_secs() as i64, since.subsec_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00.000000000Z", 0),
            ("2000-02-29T12:34:56.000000007Z", 951_827_696),
            ("2026-11-21T23:59:59.999999999Z", 1_795_305_599),
            ("1969-12-31T23:59:59.500000000Z", -1),
        ] {
            let (read, nanos) = parse(text).unwrap();
            assert_eq!(read, seconds, "{text}");
            assert_eq!(format(read, nanos), text);
        }
    }

    #[test]
    fn other_ways_to_write_it() {
        assert_eq!(parse("2000-02-29T14:34:56+02:00").unwrap(), (951_827_696, 0));
        assert_eq!(parse("2000-02-29T10:04:56.5-02:30").unwrap(), (951_827_696, 500_000_000));
        for bad in [
            "",
            "2000",
            "2000-13-01T00:00:00Z",
            "2000-01-01T00:00:00",
            "2000-01-01T25:00:00Z",
            "äääääääääääää",
            "2000-01-01T00:00:00.Z+",
            "2000-01-01T00:00:00+99:00",
            "2000-01-01T00:00:00+00:60",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
