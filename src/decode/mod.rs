//! PAYLOAD to pixels: one decoder an encoding; none knows a socket, a thread, the canvas or the other encodings.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[cfg(feature = "h264")]
mod h264;
mod hextile;
mod image;
mod inflate;
mod jpeg;
mod lanes;
mod lzo;
mod parcel;
mod pixels;
mod probe;
mod raw;
mod rre;
mod tight;
mod tiles;
mod trle;
mod ultra;
mod zlib;
mod zlib_hex;
mod zlib_stream;
mod zrle;
mod zywrle;

#[cfg(feature = "h264")]
pub use h264::H264;
pub use hextile::Hextile;
pub use jpeg::Jpeg;
pub use lanes::{Alone, Done, HISTORIES, Job, Lanes, Rectangle, Scratch, Sheet, Taken};
pub use pixels::Pixels;
pub(crate) use probe::stage;
pub use probe::{Probe, Stage, probed};
pub use raw::Raw;
pub use rre::Rre;
pub use tight::{Tight, content as tight_content};
pub use trle::Trle;
pub use ultra::Ultra;
pub use zlib::Zlib;
pub use zlib_hex::ZlibHex;
pub use zlib_stream::ZlibStream;
pub use zrle::Zrle;

use crate::picture::{Outside, Target};
use crate::rfb::Inbox;
use bytes::Bytes;

/// How far a decoder came with what has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// All that could be used was used; the rectangle goes on.
    NeedMore,
    /// The rectangle is painted.
    Done,
}

/// What is wrong with a rectangle, in words; the client adds where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault(pub String);

impl From<&str> for Fault {
    fn from(what: &str) -> Fault {
        Fault(what.to_owned())
    }
}

impl From<String> for Fault {
    fn from(what: String) -> Fault {
        Fault(what)
    }
}

impl From<Outside> for Fault {
    fn from(_: Outside) -> Fault {
        Fault::from("a part that does not lie inside its rectangle")
    }
}

/// A decoder that paints as bytes arrive: cheap encodings, and those whose length is not known before they are read.
///
/// `target` is the same rectangle at every call until it is [`Progress::Done`]; the decoder is ready for the next then.
pub trait DirectDecoder {
    /// Paints what has arrived and consumes it.
    ///
    /// # Errors
    /// [`Fault`] if the server broke the encoding's rules. Everything before the fault is consumed.
    fn advance(&mut self, inbox: &mut Inbox, target: &mut Target<'_>, pixels: &Pixels) -> Result<Progress, Fault>;
}

/// The payload of one rectangle, cut out of the stream before it is unpacked.
pub struct Parcel {
    /// The bytes as they lay on the wire.
    pub payload: Bytes,
}

/// A decoder whose rectangles say how long they are: cut in wire order, unpacked later.
pub trait ParcelDecoder {
    /// Takes the payload of a rectangle of `width` × `height` pixels; `None` until all of it has arrived.
    ///
    /// # Errors
    /// [`Fault`] if the length is not one that so many pixels can have.
    fn cut(&mut self, inbox: &mut Inbox, width: usize, height: usize, pixels: &Pixels)
    -> Result<Option<Parcel>, Fault>;

    /// Paints a parcel. Parcels come in the order they were cut in.
    ///
    /// # Errors
    /// [`Fault`] if the payload can not be unpacked, or does not fill `target` exactly.
    fn unpack(&mut self, parcel: Parcel, target: &mut Target<'_>, pixels: &Pixels) -> Result<(), Fault>;
}
