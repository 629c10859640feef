//! Rectangles that begin with their length: cut out of the stream whole.

use super::zlib_stream::plausible;
use super::{Fault, Parcel};
use crate::rfb::Inbox;

/// The length of the rectangle to come, once it was read.
#[derive(Debug, Default)]
pub(super) struct Prefixed {
    length: Option<usize>,
}

impl Prefixed {
    /// Takes a rectangle that unpacks to `most` bytes, or fewer.
    pub(super) fn cut(&mut self, inbox: &mut Inbox, most: usize) -> Result<Option<Parcel>, Fault> {
        let length = match self.length {
            Some(length) => length,
            None => {
                let Some(length) = inbox.unit(|reader| reader.u32()) else { return Ok(None) };
                let length = length as usize;
                plausible(length, most)?;
                length
            }
        };
        self.length = Some(length);
        let Some(payload) = inbox.payload(length) else { return Ok(None) };
        self.length = None;
        Ok(Some(Parcel { payload }))
    }
}
