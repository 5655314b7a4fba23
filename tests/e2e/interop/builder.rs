//! Layers that say whatever a test wants them to say.

use tar::EntryType;

/// A layer that is being written.
pub struct Builder(tar::Builder<Vec<u8>>);

/// A member of it.
pub struct Member<'a> {
    layer: &'a mut Builder,
    header: tar::Header,
    pax: Vec<(String, Vec<u8>)>,
    path: String,
}

impl Builder {
    pub fn new() -> Builder {
        Builder(tar::Builder::new(Vec::new()))
    }

    pub fn add(&mut self, kind: EntryType, path: &str) -> Member<'_> {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(if kind == EntryType::Directory { 0o755 } else { 0o644 });
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_000_000_000);
        header.set_size(0);
        Member { layer: self, header, pax: Vec::new(), path: path.to_owned() }
    }

    pub fn end(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

impl Member<'_> {
    pub fn mode(mut self, mode: u32) -> Self {
        self.header.set_mode(mode);
        self
    }

    pub fn owner(mut self, user: u64, group: u64) -> Self {
        self.header.set_uid(user);
        self.header.set_gid(group);
        self
    }

    pub fn pax(mut self, key: &str, value: &str) -> Self {
        self.pax.push((key.to_owned(), value.as_bytes().to_owned()));
        self
    }

    /// `cap_net_raw+ep`, in the second version of the kernel's form (capabilities(7)).
    pub fn capability(mut self) -> Self {
        let words = [0x0200_0001_u32, 1 << 13, 0, 0, 0];
        let value = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.pax.push(("SCHILY.xattr.security.capability".to_owned(), value));
        self
    }

    pub fn device(mut self, major: u32, minor: u32) {
        self.header.set_device_major(major).unwrap();
        self.header.set_device_minor(minor).unwrap();
        self.data(b"");
    }

    pub fn link(mut self, target: &str) {
        self.extend();
        self.layer.0.append_link(&mut self.header, &self.path, target).unwrap();
    }

    pub fn data(mut self, content: &[u8]) {
        self.extend();
        self.header.set_size(content.len() as u64);
        self.layer.0.append_data(&mut self.header, &self.path, content).unwrap();
    }

    /// With the path as it was given, whatever is in it. It has at most 100 bytes.
    pub fn data_as_is(mut self, content: &[u8]) {
        self.extend();
        self.header.set_size(content.len() as u64);
        let name = &mut self.header.as_old_mut().name;
        name.fill(0);
        name[..self.path.len()].copy_from_slice(self.path.as_bytes());
        self.header.set_cksum();
        self.layer.0.append(&self.header, content).unwrap();
    }

    fn extend(&mut self) {
        let pax = self.pax.iter().map(|(key, value)| (key.as_str(), value.as_slice()));
        self.layer.0.append_pax_extensions(pax).unwrap();
    }
}
