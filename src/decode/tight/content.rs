//! What is inside a parcel of Tight, for whoever measures what unpacking it costs at least.

use super::head::{Compression, Head, Method};
use crate::decode::{Fault, Parcel, Pixels};
use crate::rfb::Reader;
use bytes::Bytes;

/// The data of a rectangle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// One colour.
    Fill,
    /// A JPEG or PNG picture.
    Picture,
    /// Filtered pixels as they are.
    Plain,
    /// Filtered pixels through a zlib stream.
    Zlib {
        /// The number of the stream, from 0.
        stream: usize,
        /// What the stream goes on with.
        data: Bytes,
    },
}

/// Looks into a parcel of a rectangle of this size: which zlib streams begin anew before it, a bit each, and its content.
///
/// # Errors
/// [`Fault`] if it is none.
pub fn content(parcel: &Parcel, width: usize, height: usize, pixels: &Pixels) -> Result<(u8, Content), Fault> {
    let mut reader = Reader::new(&parcel.payload);
    let Ok(head) = Head::read(&mut reader, false, width, height, pixels) else {
        return Err(Fault::from("a rectangle that ends in its header"));
    };
    let Head { resets, method, .. } = head?;
    let content = match method {
        Method::Fill(_) => Content::Fill,
        Method::Jpeg | Method::Png => Content::Picture,
        Method::Basic(Compression::None, _) => Content::Plain,
        Method::Basic(Compression::Zlib(stream), _) => {
            Content::Zlib { stream, data: parcel.payload.slice_ref(reader.rest()) }
        }
    };
    Ok((resets, content))
}
