//! Writes a recording while it happens, and ends it behind a whole message.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Error, FORMAT, Format, fbs};
use crate::rfb::handshake::ServerInit;

/// The longest block of FBS that is written; more becomes several.
const LONGEST_BLOCK: usize = 1 << 24;

/// A recording that is being written.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    /// From the beginning on.
    file: Option<BufWriter<File>>,
    format: Format,
    /// When time began.
    start: Instant,
    /// Bytes of the server's stream so far, and up to the end of the last whole message.
    written: u64,
    boundary: u64,
    /// The end of the file, and the block of FBS before it.
    end: u64,
    last_block: Block,
    /// One that does not begin behind the boundary.
    known_block: Block,
}

/// Where a block of FBS begins.
#[derive(Debug, Clone, Copy, Default)]
struct Block {
    in_file: u64,
    in_stream: u64,
}

impl Writer {
    /// A recording in `path`, which is tried: whatever is there stays as it is until the recording begins.
    ///
    /// # Errors
    /// [`Error::Io`] if it can not be written there.
    pub fn create(path: &Path, format: Format) -> Result<Writer, Error> {
        let tried = match File::options().write(true).create_new(true).open(path) {
            Ok(_) => fs::remove_file(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open(path, false).map(drop),
            Err(error) => Err(error),
        };
        tried.map_err(|error| Error::Io(path.to_owned(), error))?;
        Ok(Writer {
            path: path.to_owned(),
            file: None,
            format,
            start: Instant::now(),
            written: 0,
            boundary: 0,
            end: 0,
            last_block: Block::default(),
            known_block: Block::default(),
        })
    }

    /// Creates the file, or empties it, and writes ServerInit. The pixels that follow are in [`FORMAT`], whatever the server would have sent by itself. Times
    /// are counted from `now`.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn begin(&mut self, init: &ServerInit, now: Instant) -> Result<(), Error> {
        let file = open(&self.path, true).map_err(|error| self.failed(error))?;
        self.file = Some(BufWriter::new(file));
        let mut bytes = Vec::new();
        if self.format == Format::Fbs {
            self.put(fbs::HEADER).map_err(|error| self.failed(error))?;
            // Made anew: what was said about a password is nobody else's business.
            bytes.extend(fbs::HANDSHAKE);
        }
        ServerInit { format: FORMAT, ..init.clone() }.write(&mut bytes);
        self.start = now;
        self.write(&bytes, now)?;
        self.boundary(0);
        Ok(())
    }

    /// Writes what the server sent, and that it came when it `arrived`.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn write(&mut self, bytes: &[u8], arrived: Instant) -> Result<(), Error> {
        let at = arrived.saturating_duration_since(self.start);
        let written = match self.format {
            Format::Rfb => self.put_stream(bytes),
            Format::Fbs => bytes.chunks(LONGEST_BLOCK).try_for_each(|data| self.put_block(data, at)),
        };
        written.map_err(|error| self.failed(error))
    }

    /// Says that a message ends `unused` bytes before the end of what was written.
    pub fn boundary(&mut self, unused: usize) {
        self.boundary = self.written - unused as u64;
        if self.last_block.in_stream <= self.boundary {
            self.known_block = self.last_block;
        }
    }

    /// Closes the file behind the last whole message. Gives its length in bytes: none if it never began.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn finish(self) -> Result<u64, Error> {
        let Writer { path, file, boundary, format, known_block, .. } = self;
        let Some(file) = file else { return Ok(0) };
        let cut = || {
            let mut file = file.into_inner().map_err(|error| error.into_error())?;
            let end = match format {
                Format::Rfb => boundary,
                Format::Fbs => end_block(&mut file, known_block, boundary)?,
            };
            file.set_len(end)?;
            file.seek(SeekFrom::End(0))?;
            file.sync_all()?;
            Ok(end)
        };
        cut().map_err(|error| Error::Io(path, error))
    }

    fn put_block(&mut self, data: &[u8], at: Duration) -> io::Result<()> {
        self.last_block = Block { in_file: self.end, in_stream: self.written };
        let length = data.len() as u32;
        self.put(&length.to_be_bytes())?;
        self.put_stream(data)?;
        self.put(&fbs::trailer(length, at))
    }

    fn put_stream(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written += bytes.len() as u64;
        self.put(bytes)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.end += bytes.len() as u64;
        match &mut self.file {
            Some(file) => file.write_all(bytes),
            None => Err(io::Error::other("the recording has not begun")),
        }
    }

    fn failed(&self, error: io::Error) -> Error {
        Error::Io(self.path.clone(), error)
    }
}

/// Opens what may not be there yet. It is read as well: where to end is looked up in what was written.
fn open(path: &Path, truncate: bool) -> io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(truncate).open(path)
}

/// Makes the block that holds byte `boundary` of the stream end there; `block` is that one or one before it. Gives the
/// end of the file.
fn end_block(file: &mut File, block: Block, boundary: u64) -> io::Result<u64> {
    let Block { mut in_file, mut in_stream } = block;
    let number = |file: &mut File, at: u64| {
        let mut bytes = [0; 4];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut bytes)?;
        Ok::<_, io::Error>(u32::from_be_bytes(bytes))
    };
    while in_stream < boundary {
        let length = number(file, in_file)?;
        let behind = in_file + 4 + u64::from(length) + fbs::padding(length as usize) as u64;
        let wanted = u32::try_from(boundary - in_stream).unwrap_or(u32::MAX);
        if wanted <= length {
            let milliseconds = number(file, behind)?;
            file.seek(SeekFrom::Start(in_file))?;
            file.write_all(&wanted.to_be_bytes())?;
            file.seek(SeekFrom::Current(wanted.into()))?;
            file.write_all(&fbs::trailer(wanted, Duration::from_millis(milliseconds.into())))?;
            return file.stream_position();
        }
        (in_file, in_stream) = (behind + 4, in_stream + u64::from(length));
    }
    Ok(in_file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::{Arrival, Recording};
    use crate::rfb::PixelFormat;

    /// In pixels that none is decoded from.
    fn init() -> ServerInit {
        let format = PixelFormat { bits_per_pixel: 24, ..PixelFormat::rgb888([16, 8, 0]) };
        ServerInit { width: 3, height: 2, format, name: "größe".into() }
    }

    #[test]
    fn what_is_written_is_read_up_to_the_last_whole_message() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        // Seven bytes came in four pieces; the message ends so many bytes before.
        for unused in 0..=7 {
            for format in [Format::Rfb, Format::Fbs] {
                let start = Instant::now();
                let mut writer = Writer::create(&path, format).unwrap();
                writer.begin(&init(), start).unwrap();
                let mut milliseconds = 0;
                for piece in [&[2, 3, 4][..], &[5], &[], &[6, 7, 8]] {
                    milliseconds += 20;
                    writer.write(piece, start + Duration::from_millis(milliseconds)).unwrap();
                }
                writer.boundary(unused);
                // The next is not complete.
                writer.write(&[9; 20], start + Duration::from_secs(1)).unwrap();
                let length = writer.finish().unwrap();
                assert_eq!(std::fs::metadata(&path).unwrap().len(), length);
                let recording = Recording::load(&path).unwrap();
                let end = 7 - unused;
                assert_eq!(recording.init, ServerInit { format: FORMAT, ..init() });
                assert_eq!(recording.messages, [2, 3, 4, 5, 6, 7, 8][..end]);
                assert!(!recording.cut_off);
                if format == Format::Rfb {
                    assert_eq!(recording.start + end as u64, length);
                    continue;
                }
                let all = [(20, 3), (40, 4), (80, 7)].map(|(at, end)| Arrival { at: Duration::from_millis(at), end });
                let mut expected: Vec<Arrival> = Vec::new();
                for Arrival { at, end: block_end } in all {
                    if expected.last().map_or(0, |last| last.end) < end {
                        expected.push(Arrival { at, end: block_end.min(end) });
                    }
                }
                assert_eq!(recording.arrivals[..], expected[..], "{unused} unused");
            }
        }
    }

    #[test]
    fn nothing_is_lost_or_left_before_it_begins() {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (dir.path().join("old"), dir.path().join("new"));
        fs::write(&old, "an older one").unwrap();
        for path in [&old, &new] {
            drop(Writer::create(path, Format::Fbs).unwrap());
            assert_eq!(Writer::create(path, Format::Rfb).unwrap().finish().unwrap(), 0);
        }
        assert_eq!((fs::read(&old).unwrap(), new.exists()), (b"an older one".to_vec(), false));
        for path in [&old, &new] {
            let mut writer = Writer::create(path, Format::Rfb).unwrap();
            writer.begin(&init(), Instant::now()).unwrap();
            writer.finish().unwrap();
            assert_eq!(Recording::load(path).unwrap().init.name, "größe");
        }
    }

    #[test]
    fn a_file_that_can_not_be_written_is_named() {
        let error = Writer::create(Path::new("/no/such/folder/a.fbs"), Format::Fbs).unwrap_err().to_string();
        assert!(error.starts_with("/no/such/folder/a.fbs: ") && error.contains("No such file"), "{error}");
        let dir = tempfile::tempdir().unwrap();
        assert!(Writer::create(dir.path(), Format::Fbs).unwrap_err().to_string().contains("directory"));
    }
}
