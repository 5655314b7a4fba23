//! Addresses of things that system calls read, or write to. They live as long as the process, which is short.

/// The address of a text.
pub fn text(text: &'static std::ffi::CStr) -> u64 {
    text.as_ptr() as u64
}

/// The address of a structure, given as its 64-bit words in order.
pub fn words(words: &[u64]) -> u64 {
    words.to_vec().leak().as_mut_ptr() as u64
}

/// The address of a page of zeros: to be written to, or read as a structure in which nothing is set.
pub fn zeros() -> u64 {
    words(&[0; 512])
}

/// Two 32-bit fields that follow each other.
pub fn pair(first: u32, second: u32) -> u64 {
    let ([a, b, c, d], [e, f, g, h]) = (first.to_ne_bytes(), second.to_ne_bytes());
    u64::from_ne_bytes([a, b, c, d, e, f, g, h])
}
