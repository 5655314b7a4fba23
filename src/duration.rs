//! Lengths of time as Go writes them: `24h`, `1h30m`, `1.5s`, `500ms`.
//!
//! Source: <https://pkg.go.dev/time#ParseDuration>.

use std::time::Duration;

/// Reads one. It cannot be negative here: nothing that is asked for lies in the future.
pub fn go_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let (mut rest, mut nanoseconds) = (Some(text).filter(|text| !text.is_empty())?, 0.0);
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c| !is_number(c))?);
        let (unit, after) = after.split_at(after.find(is_number).unwrap_or(after.len()));
        let factor = match unit {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => return None,
        };
        nanoseconds += number.parse::<f64>().ok()? * factor;
        rest = after;
    }
    // As many as fit in Go's type: 292 years.
    (nanoseconds < i64::MAX as f64).then(|| Duration::from_nanos(nanoseconds as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_go_reads_them() {
        for (text, milliseconds) in
            [("0", 0), ("24h", 86_400_000), ("1h30m", 5_400_000), ("1.5s", 1500), ("1m500ms", 60_500), ("2000us", 2)]
        {
            assert_eq!(go_duration(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        for bad in ["", "5", "h", "1x", "1h5", "-1h", ".h", "1..5s", "99999999999999999999h", "9223372036854775807h"] {
            assert_eq!(go_duration(bad), None, "{bad}");
        }
    }
}
