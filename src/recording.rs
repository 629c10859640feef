//! Recordings: what a server sent from ServerInit on, in files without header or timestamps, as decoders are measured with.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::rfb::handshake::{ServerInit, read_server_init};
use crate::rfb::{Inbox, PixelFormat};

/// The pixel format of recordings: 32 bits a pixel, depth 24, little-endian, bytes red, green, blue, unused.
pub const FORMAT: PixelFormat = PixelFormat::rgb888([0, 8, 16]);

/// The largest recording that is read, unpacked.
const LARGEST: u64 = 4 << 30;

/// A recording that can not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system said no.
    #[error("{}: {}", .0.display(), .1)]
    Io(PathBuf, io::Error),
    /// It is no recording, or one cut off in its ServerInit.
    #[error("{}: {}", .0.display(), .1)]
    Content(PathBuf, String),
}

/// A recording in memory.
#[derive(Debug, Clone)]
pub struct Recording {
    /// What the server said of its desktop. The pixel format is the one all its pixels are in.
    pub init: ServerInit,
    /// The messages behind ServerInit.
    pub messages: Bytes,
    /// Bytes before them.
    pub start: u64,
}

impl Recording {
    /// Reads `path`; a name that ends in `.zst` is unpacked.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn load(path: &Path) -> Result<Recording, Error> {
        let io_error = |error| Error::Io(path.to_owned(), error);
        let wrong = |what: String| Error::Content(path.to_owned(), what);
        let file = File::open(path).map_err(io_error)?;
        let mut bytes = Vec::new();
        if path.extension().is_some_and(|extension| extension == "zst") {
            let decoder = ruzstd::decoding::StreamingDecoder::new(BufReader::new(file))
                .map_err(|error| wrong(format!("no zstd file: {error}")))?;
            decoder.take(LARGEST + 1).read_to_end(&mut bytes).map_err(io_error)?;
        } else {
            file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(io_error)?;
        }
        if bytes.len() as u64 > LARGEST {
            return Err(wrong(format!("a recording of more than {} GiB", LARGEST >> 30)));
        }
        Recording::parse(bytes.into()).map_err(wrong)
    }

    /// A recording from its bytes.
    ///
    /// # Errors
    /// What is wrong with its ServerInit, in words.
    pub fn parse(bytes: Bytes) -> Result<Recording, String> {
        let mut inbox = Inbox::default();
        inbox.push(bytes.clone());
        let init = match read_server_init(&mut inbox) {
            Ok(Some(init)) => init,
            Ok(None) => return Err("it ends before its ServerInit does: is it a recording?".to_owned()),
            Err(error) => return Err(format!("no recording of a server: {}", error.what)),
        };
        let start = inbox.offset();
        Ok(Recording { init, messages: bytes.slice(start as usize..), start })
    }
}

/// A recording that is being written.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    file: BufWriter<File>,
    written: u64,
    boundary: u64,
}

impl Writer {
    /// Creates `path`, or empties it.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn create(path: &Path) -> Result<Writer, Error> {
        let file = File::create(path).map_err(|error| Error::Io(path.to_owned(), error))?;
        Ok(Writer { path: path.to_owned(), file: BufWriter::new(file), written: 0, boundary: 0 })
    }

    /// Writes ServerInit. The pixels that follow are in [`FORMAT`], whatever the server would have sent by itself.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn begin(&mut self, init: &ServerInit) -> Result<(), Error> {
        let mut bytes = Vec::new();
        ServerInit { format: FORMAT, ..init.clone() }.write(&mut bytes);
        self.write(&bytes)?;
        self.boundary = self.written;
        Ok(())
    }

    /// Writes what the server sent.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.written += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|error| Error::Io(self.path.clone(), error))
    }

    /// Says that a message ends `unused` bytes before the end of what was written.
    pub fn boundary(&mut self, unused: usize) {
        self.boundary = self.written - unused as u64;
    }

    /// Closes the file behind the last whole message. Gives its length in bytes.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn finish(self) -> Result<u64, Error> {
        let Writer { path, file, boundary, .. } = self;
        let cut = || {
            let mut file = file.into_inner().map_err(|error| error.into_error())?;
            file.set_len(boundary)?;
            file.seek(io::SeekFrom::End(0))?;
            file.sync_all()
        };
        cut().map_err(|error| Error::Io(path, error))?;
        Ok(boundary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_up_to_the_last_whole_message() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.rfb");
        let init = ServerInit { width: 3, height: 2, format: PixelFormat::rgb565(), name: "größe".into() };
        let mut writer = Writer::create(&path).unwrap();
        writer.begin(&init).unwrap();
        writer.write(&[2, 2, 0, 0, 0]).unwrap();
        writer.boundary(3);
        let length = writer.finish().unwrap();
        let recording = Recording::load(&path).unwrap();
        assert_eq!(recording.init, ServerInit { format: FORMAT, ..init });
        assert_eq!(recording.messages, [2, 2][..]);
        assert_eq!((recording.start + 2, std::fs::metadata(&path).unwrap().len()), (length, length));
    }

    #[test]
    fn other_files_are_refused_in_words() {
        let dir = tempfile::tempdir().unwrap();
        let error = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            Recording::load(&path).unwrap_err().to_string()
        };
        assert!(error("short.rfb", b"RFB").contains("ends before its ServerInit"));
        assert!(error("text.rfb", &[b'x'; 99]).contains("no recording"));
        assert!(error("text.rfb.zst", b"no zstd at all, but text").contains("no zstd file"));
    }
}
