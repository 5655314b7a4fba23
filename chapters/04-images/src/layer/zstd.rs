//! Zstandard: frames, one after the other.
//!
//! Writers that want parts of a layer to be read for themselves make many frames, and put a table of them into a frame
//! that decoders skip. How much memory a frame takes is in its header (the window that repetitions reach back into), so
//! it is looked at before a decoder is set up.
//!
//! Source: RFC 8878, section 3.1.

use std::io::{self, BufRead, Error, Read};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

const MAGIC: u32 = 0xfd2f_b528;
/// The first of the sixteen magic numbers of frames that are skipped.
const SKIPPED: u32 = 0x184d_2a50;
/// The most that a frame may reach back: what `zstd -d` allows by itself.
const WINDOW_MAX: u64 = 128 << 20;
/// Up to here one decoder serves frame after frame.
const WINDOW_SHARED: u64 = 8 << 20;
/// How much is decoded at a time.
const STEP: usize = 128 << 10;

/// What the frames of `source` hold.
pub(super) struct Frames<R> {
    source: R,
    decoder: FrameDecoder,
    in_frame: bool,
}

impl<R: BufRead> Frames<R> {
    pub(super) fn new(source: R) -> Frames<R> {
        Frames { source, decoder: FrameDecoder::new(), in_frame: false }
    }

    /// Goes to the next frame with content. `false` at the end.
    fn next_frame(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            let mut header = vec![0; 4];
            self.source.read_exact(&mut header)?;
            match u32::from_le_bytes([header[0], header[1], header[2], header[3]]) {
                MAGIC => {
                    let window = self.read_header(&mut header)?;
                    if window > WINDOW_MAX {
                        return Err(Error::other(format!(
                            "it needs {window} bytes of memory to unpack, and {WINDOW_MAX} is the most it may"
                        )));
                    }
                    if window > WINDOW_SHARED {
                        self.decoder = FrameDecoder::new();
                    }
                    self.decoder.init(header.as_slice()).map_err(Error::other)?;
                    return Ok(true);
                }
                magic if magic & !0xf == SKIPPED => self.skip()?,
                _ => return Err(Error::other("after a zstd frame comes something else")),
            }
        }
        Ok(false)
    }

    /// Reads the rest of a header, and says how far back the frame reaches.
    fn read_header(&mut self, header: &mut Vec<u8>) -> io::Result<u64> {
        let descriptor = self.more(header, 1)?[0];
        let single_segment = descriptor & 0x20 != 0;
        let window = if single_segment { 0 } else { self.more(header, 1)?[0] };
        self.more(header, [0, 1, 2, 4][usize::from(descriptor & 3)])?;
        let size_bytes = [usize::from(single_segment), 2, 4, 8][usize::from(descriptor >> 6)];
        let mut size = [0; 8];
        size[..size_bytes].copy_from_slice(self.more(header, size_bytes)?);
        if single_segment {
            return Ok(u64::from_le_bytes(size));
        }
        let base = 1u64 << (10 + (window >> 3));
        Ok(base + base / 8 * u64::from(window & 7))
    }

    fn more<'a>(&mut self, header: &'a mut Vec<u8>, count: usize) -> io::Result<&'a [u8]> {
        let start = header.len();
        header.resize(start + count, 0);
        self.source.read_exact(&mut header[start..])?;
        Ok(&header[start..])
    }

    fn skip(&mut self) -> io::Result<()> {
        let mut length = [0; 4];
        self.source.read_exact(&mut length)?;
        let length = u64::from(u32::from_le_bytes(length));
        let skipped = io::copy(&mut self.source.by_ref().take(length), &mut io::sink())?;
        if skipped < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    fn checksum_is_right(&self) -> bool {
        let written = self.decoder.get_checksum_from_data();
        written.is_none_or(|written| self.decoder.get_calculated_checksum() == Some(written))
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.in_frame {
                if !self.next_frame()? {
                    return Ok(0);
                }
                self.in_frame = true;
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let step = BlockDecodingStrategy::UptoBytes(buffer.len().min(STEP));
                self.decoder.decode_blocks(&mut self.source, step).map_err(Error::other)?;
            }
            let count = self.decoder.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            if !self.checksum_is_right() {
                return Err(Error::other("the layer is damaged: a zstd frame has a wrong checksum"));
            }
            self.in_frame = false;
        }
    }
}
