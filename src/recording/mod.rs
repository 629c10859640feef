//! Recordings: what a server sent from ServerInit on, in the files of this viewer and in those of others.
//!
//! A file whose name commonly ends in `.rfb` is ServerInit and the messages behind it, nothing else: what decoders are
//! measured with. One in `.fbs` is what proxies and players of VNC share, and knows when the bytes came.

mod fbs;
mod writer;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::rfb::handshake::{ServerInit, read_server_init};
use crate::rfb::{Inbox, PixelFormat};

pub use writer::Writer;

/// The pixel format of recordings: 32 bits a pixel, depth 24, little-endian, bytes red, green, blue, unused.
pub const FORMAT: PixelFormat = PixelFormat::rgb888([0, 8, 16]);

/// The largest recording that is read, unpacked.
const LARGEST: u64 = 4 << 30;
/// The first bytes of what zstd packed (RFC 8878 §3.1.1). As a ServerInit's they would be a desktop of 10421x12285.
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

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

/// The kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// ServerInit and what follows.
    Rfb,
    /// "FBS 001.001": blocks with times, and a handshake before ServerInit.
    Fbs,
}

impl Format {
    /// The kind that a file's name asks for.
    pub fn of_name(path: &Path) -> Format {
        let is_fbs = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("fbs"));
        if is_fbs { Format::Fbs } else { Format::Rfb }
    }
}

/// What had been sent by some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// The time, from the start of the recording.
    pub at: Duration,
    /// That many bytes of the messages.
    pub end: usize,
}

/// A recording in memory, which its clones share.
#[derive(Debug, Clone)]
pub struct Recording {
    /// What the server said of its desktop. The pixel format is the one all its pixels are in.
    pub init: ServerInit,
    /// The messages behind ServerInit.
    pub messages: Bytes,
    /// Bytes before them.
    pub start: u64,
    /// When the messages came, both parts ascending. A file without times has all of them come at once.
    pub arrivals: Arc<[Arrival]>,
    /// Whether the file ends before it should.
    pub cut_off: bool,
}

impl Recording {
    /// Reads a file of either kind, which may be packed by zstd. Its bytes tell which it is, not its name.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn load(path: &Path) -> Result<Recording, Error> {
        let io_error = |error| Error::Io(path.to_owned(), error);
        let wrong = |what: String| Error::Content(path.to_owned(), what);
        let mut file = BufReader::new(File::open(path).map_err(io_error)?);
        let mut bytes = Vec::new();
        if file.fill_buf().map_err(io_error)?.starts_with(ZSTD) {
            let decoder = ruzstd::decoding::StreamingDecoder::new(file)
                .map_err(|error| wrong(format!("no zstd file: {error}")))?;
            decoder.take(LARGEST + 1).read_to_end(&mut bytes).map_err(io_error)?;
        } else {
            file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(io_error)?;
        }
        if bytes.len() as u64 > LARGEST {
            return Err(wrong(format!("a recording of more than {} GiB", LARGEST >> 30)));
        }
        Recording::parse(bytes).map_err(wrong)
    }

    /// A recording from its bytes.
    ///
    /// # Errors
    /// What is wrong before its messages, in words.
    pub fn parse(mut bytes: Vec<u8>) -> Result<Recording, String> {
        let blocks = match bytes.starts_with(fbs::SIGNATURE) {
            true => Some(fbs::join(&mut bytes)?),
            false => None,
        };
        let stream = Bytes::from(bytes);
        let mut inbox = Inbox::default();
        inbox.push(stream.clone());
        let init = match blocks {
            Some(_) => fbs::skip_handshake(&mut inbox)?,
            None => {
                read_server_init(&mut inbox).map_err(|error| format!("no recording of a server: {}", error.what))?
            }
        };
        let init = init.ok_or("it ends before its ServerInit does: is it a recording?")?;
        let start = inbox.offset();
        let messages = stream.slice(start as usize..);
        let (mut arrivals, cut_off) = match blocks {
            Some(fbs::Blocks { arrivals, cut_off }) => (arrivals, cut_off),
            None => (vec![Arrival { at: Duration::ZERO, end: stream.len() }], false),
        };
        arrivals.retain_mut(|arrival| {
            arrival.end = arrival.end.saturating_sub(start as usize);
            arrival.end > 0
        });
        Ok(Recording { init, messages, start, arrivals: arrivals.into(), cut_off })
    }

    /// How long it took; nothing if it does not know.
    pub fn duration(&self) -> Duration {
        self.arrivals.last().map_or(Duration::ZERO, |last| last.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn init() -> ServerInit {
        ServerInit { width: 3, height: 2, format: FORMAT, name: "größe".into() }
    }

    fn stream() -> Vec<u8> {
        let mut bytes = Vec::new();
        init().write(&mut bytes);
        bytes.extend([2, 2]);
        bytes
    }

    #[test]
    fn the_bytes_tell_the_kind_and_not_the_name() {
        let dir = tempfile::tempdir().unwrap();
        let load = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            Recording::load(&path)
        };
        // A frame of one raw block (RFC 8878 §3.1.1): a descriptor without size, a window of 1 KiB, the last block.
        let packed = |bytes: &[u8]| {
            let header = ((bytes.len() as u32) << 3 | 1).to_le_bytes();
            [ZSTD, &[0, 0], &header[..3], bytes].concat()
        };
        let handshake = [b"RFB 003.003\n\0\0\0\x01", &stream()[..]].concat();
        let length = handshake.len() as u32;
        let padding = vec![0; handshake.len().next_multiple_of(4) - handshake.len()];
        let fbs = [b"FBS 001.000\n", &length.to_be_bytes()[..], &handshake, &padding, &1500u32.to_be_bytes()].concat();
        for (name, bytes, start, seconds) in [
            ("a.fbs", stream(), 0, 0.0),
            ("b.rfb", fbs.clone(), 16, 1.5),
            ("c", packed(&fbs), 16, 1.5),
            ("d", packed(&stream()), 0, 0.0),
        ] {
            let recording = load(name, &bytes).unwrap();
            assert_eq!((&recording.init, &recording.messages[..]), (&init(), &[2, 2][..]), "{name}");
            assert_eq!(recording.start, start + stream().len() as u64 - 2, "{name}");
            let at = Duration::from_secs_f64(seconds);
            assert_eq!((&recording.arrivals[..], recording.cut_off), (&[Arrival { at, end: 2 }][..], false), "{name}");
        }
        let error = |name: &str, bytes: &[u8]| load(name, bytes).unwrap_err().to_string();
        assert!(error("short.rfb", b"RFB").contains("ends before its ServerInit"));
        assert!(error("empty.fbs", b"").contains("ends before its ServerInit"));
        assert!(error("text.rfb", &[b'x'; 99]).contains("no recording"));
        assert!(error("a.rfb.zst", &[ZSTD, b"but no more of it than this"].concat()).contains("zst"));
    }

    #[test]
    fn a_name_asks_for_a_kind() {
        for (name, format) in
            [("a.fbs", Format::Fbs), ("A.FBS", Format::Fbs), ("fbs", Format::Rfb), ("a.rfb", Format::Rfb)]
        {
            assert_eq!(Format::of_name(Path::new(name)), format, "{name}");
        }
    }
}
