//! Ultra (UltraVNC's encoding 9): Raw through LZO1X, each rectangle by itself.

use super::parcel::Prefixed;
use super::pixels::with_source;
use super::{Fault, Parcel, ParcelDecoder, Pixels, Stage, lzo, stage};
use crate::picture::Target;
use crate::picture::convert::Source;
use crate::rfb::Inbox;

/// The Ultra decoder.
#[derive(Debug, Default)]
pub struct Ultra {
    length: Prefixed,
    scratch: Vec<u8>,
}

impl ParcelDecoder for Ultra {
    fn cut(
        &mut self,
        inbox: &mut Inbox,
        width: usize,
        height: usize,
        pixels: &Pixels,
    ) -> Result<Option<Parcel>, Fault> {
        self.length.cut(inbox, width * height * pixels.bytes())
    }

    fn unpack(&mut self, parcel: Parcel, target: &mut Target<'_>, pixels: &Pixels) -> Result<(), Fault> {
        let (width, height) = (target.width(), target.height());
        let inflate = stage(Stage::Inflate);
        lzo::unpack(&parcel.payload, width * height * pixels.bytes(), &mut self.scratch)?;
        drop(inflate);
        let _paint = stage(Stage::Paint);
        with_source!(pixels, source => paint(source, &self.scratch, target));
        Ok(())
    }
}

fn paint<S: Source>(source: S, bytes: &[u8], target: &mut Target<'_>) {
    let row_bytes = (target.width() * S::BYTES).max(1);
    for (row, bytes) in target.rows_from(0).zip(bytes.chunks_exact(row_bytes)) {
        source.row(bytes, row);
    }
}
