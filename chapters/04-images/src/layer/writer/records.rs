//! What does not fit into the header of a member.

use nix::sys::time::TimeSpec;

use crate::tree::Attributes;

/// The most that a field of 8 bytes holds: seven octal digits.
pub(super) const ID_MAX: u64 = 0o777_7777;
/// The most that a field of 12 bytes holds: eleven octal digits.
pub(super) const NUMBER_MAX: u64 = 0o777_7777_7777;

/// Records about a member: `LENGTH KEY=VALUE\n`, where the length counts all of that.
#[derive(Default)]
pub(super) struct Records(Vec<u8>);

impl Records {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) {
        // A space, an equals sign and a newline.
        let rest = key.len() + value.len() + 3;
        let mut length = rest + 1;
        while length != rest + length.to_string().len() {
            length = rest + length.to_string().len();
        }
        for part in [length.to_string().as_bytes(), b" ", key, b"=", value, b"\n"] {
            self.0.extend_from_slice(part);
        }
    }

    /// What goes into the header's field for a number: that, or zero where only a record has room for it.
    pub(super) fn number(&mut self, key: &str, number: u64, most: u64) -> u64 {
        if number <= most {
            return number;
        }
        self.add(key.as_bytes(), number.to_string().as_bytes());
        0
    }

    /// Likewise for a time; a field has room for whole seconds since 1970.
    pub(super) fn time(&mut self, time: TimeSpec) -> u64 {
        let (seconds, nanos) = (time.tv_sec(), time.tv_nsec());
        let field = u64::try_from(seconds).ok().filter(|seconds| *seconds <= NUMBER_MAX);
        if field.is_none() || nanos != 0 {
            // 0.75 after -2 is -1.25.
            let before = seconds < 0 && nanos != 0;
            let (sign, whole) =
                if seconds < 0 { ("-", seconds.unsigned_abs() - u64::from(before)) } else { ("", seconds as u64) };
            let nanos = if before { 1_000_000_000 - nanos } else { nanos };
            let text = format!("{sign}{whole}.{nanos:09}");
            self.add(b"mtime", text.trim_end_matches('0').trim_end_matches('.').as_bytes());
        }
        field.unwrap_or(0)
    }

    /// Extended attributes, in the order of their names: what order a file system lists them in means nothing.
    pub(super) fn xattrs(&mut self, attributes: &Attributes) {
        let mut xattrs: Vec<_> = attributes.xattrs.iter().collect();
        xattrs.sort();
        for (name, value) in xattrs {
            let mut key = b"SCHILY.xattr.".to_vec();
            for byte in name.to_bytes() {
                match byte {
                    // GNU tar's way to write a name with the sign in it that ends a key.
                    b'=' => key.extend_from_slice(b"%3D"),
                    b'%' => key.extend_from_slice(b"%25"),
                    _ => key.push(*byte),
                }
            }
            self.add(&key, value);
        }
    }
}
