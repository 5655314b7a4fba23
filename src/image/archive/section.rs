//! A part of a file.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

/// Reads a part of a file, whose own position stays where it is: several can be read at once.
#[derive(Debug)]
pub struct Section<'a> {
    file: &'a File,
    at: u64,
    left: u64,
}

impl<'a> Section<'a> {
    /// The `size` bytes from `offset` on.
    pub fn new(file: &'a File, offset: u64, size: u64) -> Section<'a> {
        Section { file, at: offset, left: size }
    }
}

impl Read for Section<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.left.min(buffer.len() as u64) as usize;
        let count = self.file.read_at(&mut buffer[..most], self.at)?;
        if count == 0 && most > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter"));
        }
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}
