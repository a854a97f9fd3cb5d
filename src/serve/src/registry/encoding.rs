//! Content codings that blobs are compressed with once, when they are published.

use std::io::{self, Read};

/// Brotli's window, 4 MiB: what every decoder allocates without being asked twice.
const BROTLI_WINDOW: i32 = 22;
/// A coding must save this fraction of the bytes to be worth the decoding.
const LEAST_SAVING: usize = 16;
/// Where a quick pass saves less than this fraction, nothing repeats: the saving is that of the
/// entropy code alone, and searching for matches takes a hundred times as long for 1% more.
const REPETITIVE: usize = 4;
/// Bytes decoded at a time when a coding is checked.
const CHUNK: usize = 1 << 16;

/// A content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
}

impl Encoding {
    /// Every coding.
    pub const ALL: [Self; 2] = [Self::Brotli, Self::Zstd];

    /// Its name in HTTP.
    pub const fn token(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// What is appended to the name of a file coded so.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Zstd => ".zst",
        }
    }

    /// `bytes` coded, or `None` where that saves too little.
    pub(super) fn encode(self, bytes: &[u8], effort: Effort) -> io::Result<Option<Vec<u8>>> {
        let coded = match self {
            Self::Brotli => brotli_encode(bytes, effort.brotli)?,
            Self::Zstd => zstd::bulk::compress(bytes, effort.zstd)?,
        };
        Ok(saves(bytes, &coded, LEAST_SAVING).then_some(coded))
    }

    /// Whether `coded` is a coding of exactly `expected`. Memory: a constant, whatever `coded`
    /// claims to hold.
    pub(super) fn decodes_to(self, coded: &[u8], expected: &[u8]) -> bool {
        match self {
            Self::Brotli => {
                let mut decoder = brotli::Decompressor::new(coded, CHUNK);
                // The decoder reports bytes after the end of its stream only when it is asked
                // again, and only those that it has taken in.
                yields(&mut decoder, expected)
                    && yields(&mut decoder, &[])
                    && decoder.get_ref().is_empty()
            }
            Self::Zstd => zstd::Decoder::with_buffer(coded)
                .is_ok_and(|mut decoder| yields(&mut decoder, expected)),
        }
    }
}

/// The levels to compress at.
#[derive(Clone, Copy)]
pub(super) struct Effort {
    brotli: i32,
    zstd: i32,
}

impl Effort {
    const LIGHT: Self = Self { brotli: 5, zstd: 3 };
    /// Brotli's highest, and the highest of zstd whose window stays within the 8 MiB that
    /// RFC 9659 allows in HTTP.
    const THOROUGH: Self = Self { brotli: 11, zstd: 19 };

    /// What `bytes` are worth, told by a quick pass; `None` where coding them is not.
    pub(super) fn worth(bytes: &[u8]) -> Option<Self> {
        let quick = zstd::bulk::compress(bytes, 1).ok()?;
        if saves(bytes, &quick, REPETITIVE) {
            Some(Self::THOROUGH)
        } else {
            saves(bytes, &quick, LEAST_SAVING).then_some(Self::LIGHT)
        }
    }
}

/// Whether `coded` saves more than one part in `fraction` of `bytes`.
const fn saves(bytes: &[u8], coded: &[u8], fraction: usize) -> bool {
    coded.len() + bytes.len() / fraction < bytes.len()
}

fn brotli_encode(bytes: &[u8], quality: i32) -> io::Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality,
        lgwin: BROTLI_WINDOW,
        size_hint: bytes.len(),
        ..Default::default()
    };
    let mut coded = Vec::new();
    brotli::BrotliCompress(&mut &bytes[..], &mut coded, &parameters)?;
    Ok(coded)
}

/// Whether `reader` gives exactly `expected` and then ends.
fn yields(reader: &mut impl Read, mut expected: &[u8]) -> bool {
    let mut chunk = vec![0; CHUNK];
    loop {
        match reader.read(&mut chunk) {
            Ok(0) => return expected.is_empty(),
            Ok(len) => match expected.strip_prefix(&chunk[..len]) {
                Some(rest) => expected = rest,
                None => return false,
            },
            Err(_) => return false,
        }
    }
}
