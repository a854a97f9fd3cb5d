//! Opens a file and sees through its compression, which is told by the first bytes and never by
//! the name.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;

use super::error::LogError;
use super::{Packing, STDIN};

/// Bytes that suffice to tell every format by.
const MAGIC_BYTES: u64 = 4;

/// Size of the reads from disk, in bytes.
const READ_BYTES: usize = 1 << 17;

/// How many bytes of the file have been read.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter(Rc<Cell<u64>>);

impl Meter {
    pub(super) fn read(&self) -> u64 {
        self.0.get()
    }

    pub(super) fn set(&self, bytes: u64) {
        self.0.set(bytes);
    }
}

/// A file that is open, unpacked.
pub(super) struct Input {
    pub content: Content,
    pub packing: Packing,
    /// Counts the bytes as they are on disk.
    pub meter: Meter,
    /// Length of the file on disk, where it is a file.
    pub total_bytes: Option<u64>,
}

pub(super) enum Content {
    Text(Box<dyn Read>),
    Parquet(File),
}

/// Opens a file, or standard input where the path is `-`.
pub(super) fn open(path: &Path) -> Result<Input, LogError> {
    let failed = |source| LogError::Open { path: path.into(), source };
    if path.as_os_str() == STDIN {
        return unpack(path, Box::new(io::stdin()), None);
    }
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(LogError::Folder { path: path.into() });
    }
    let disk = if metadata.is_file() {
        Some((file.try_clone().map_err(failed)?, metadata.len()))
    } else {
        None
    };
    unpack(path, Box::new(file), disk)
}

fn unpack(
    path: &Path,
    mut input: Box<dyn Read>,
    disk: Option<(File, u64)>,
) -> Result<Input, LogError> {
    let failed = |source| LogError::Read { path: path.into(), line: 1, source };
    let mut magic = Vec::new();
    input.by_ref().take(MAGIC_BYTES).read_to_end(&mut magic).map_err(failed)?;

    let meter = Meter::default();
    let total_bytes = disk.as_ref().map(|(_, length)| *length);
    let (content, packing) = if magic == b"PAR1" {
        let (file, _) = disk.ok_or_else(|| LogError::NoSeek { path: path.into() })?;
        (Content::Parquet(file), Packing::None)
    } else {
        let packing = Packing::of(&magic);
        let whole = Metered { input: Cursor::new(magic).chain(input), meter: meter.clone() };
        let whole = BufReader::with_capacity(READ_BYTES, whole);
        let text: Box<dyn Read> = match packing {
            Packing::None => Box::new(whole),
            Packing::Gzip => Box::new(MultiGzDecoder::new(whole)),
            Packing::Zstd => {
                Box::new(zstd::stream::read::Decoder::with_buffer(whole).map_err(failed)?)
            }
        };
        (Content::Text(text), packing)
    };
    Ok(Input { content, packing, meter, total_bytes })
}

impl Packing {
    fn of(magic: &[u8]) -> Self {
        match magic {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd] => Self::Zstd,
            _ => Self::None,
        }
    }
}

struct Metered<R> {
    input: R,
    meter: Meter,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        // Widening: no platform has a `usize` beyond 64 bits.
        self.meter.set(self.meter.read() + read as u64);
        Ok(read)
    }
}
