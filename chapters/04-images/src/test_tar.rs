//! Archives for the tests, written byte by byte: no honest writer makes most of them.

use tar::{EntryType, Header};

/// A member to be written.
pub(super) struct Member<'a> {
    pub(super) kind: u8,
    pub(super) path: &'a [u8],
    pub(super) link: &'a [u8],
    pub(super) content: &'a [u8],
    pub(super) mode: u32,
    pub(super) owner: (u64, u64),
    pub(super) mtime: u64,
    pub(super) device: (u32, u32),
    /// What the header says instead of the true length of the content.
    pub(super) size: Option<u64>,
}

impl Default for Member<'_> {
    fn default() -> Self {
        Member {
            kind: b'0',
            path: b"",
            link: b"",
            content: b"",
            mode: 0o644,
            owner: (0, 0),
            mtime: 1_700_000_000,
            device: (0, 0),
            size: None,
        }
    }
}

pub(super) fn file<'a>(path: &'a str, content: &'a str) -> Member<'a> {
    Member { path: path.as_bytes(), content: content.as_bytes(), ..Member::default() }
}

pub(super) fn dir(path: &str) -> Member<'_> {
    Member { kind: b'5', path: path.as_bytes(), mode: 0o755, ..Member::default() }
}

pub(super) fn symlink<'a>(path: &'a str, target: &'a str) -> Member<'a> {
    Member { kind: b'2', path: path.as_bytes(), link: target.as_bytes(), mode: 0o777, ..Member::default() }
}

pub(super) fn hard_link<'a>(path: &'a str, target: &'a str) -> Member<'a> {
    Member { kind: b'1', path: path.as_bytes(), link: target.as_bytes(), ..Member::default() }
}

/// GNU's `L`: the name of the member that follows.
pub(super) fn long_name(name: &[u8]) -> Member<'_> {
    Member { kind: b'L', path: b"././@LongLink", content: name, ..Member::default() }
}

/// POSIX's `x`, of records as [`record`] makes them.
pub(super) fn pax(records: &[u8]) -> Member<'_> {
    Member { kind: b'x', path: b"pax", content: records, ..Member::default() }
}

/// `LENGTH KEY=VALUE\n`.
pub(super) fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}

/// The header and the content of `member`, filled up to whole blocks.
pub(super) fn bytes(member: &Member<'_>) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::new(member.kind));
    let fields = header.as_old_mut();
    fields.name[..member.path.len()].copy_from_slice(member.path);
    fields.linkname[..member.link.len()].copy_from_slice(member.link);
    header.set_size(member.size.unwrap_or(member.content.len() as u64));
    header.set_mode(member.mode);
    header.set_uid(member.owner.0);
    header.set_gid(member.owner.1);
    header.set_mtime(member.mtime);
    header.set_device_major(member.device.0).unwrap();
    header.set_device_minor(member.device.1).unwrap();
    sealed(header, member.content)
}

/// A header with its checksum, and content filled up to whole blocks.
pub(super) fn sealed(mut header: Header, content: &[u8]) -> Vec<u8> {
    header.set_cksum();
    let padding = vec![0; content.len().next_multiple_of(512) - content.len()];
    [header.as_bytes(), content, &padding].concat()
}

/// A whole archive, with its end mark.
pub(super) fn archive(members: &[Member<'_>]) -> Vec<u8> {
    let mut archive: Vec<u8> = members.iter().flat_map(bytes).collect();
    archive.extend([0; 1024]);
    archive
}
