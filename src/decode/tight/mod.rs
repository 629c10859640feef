//! Tight and Tight PNG (rfbproto): a fill, pixels through a filter and one of four zlib streams, or a picture.

mod filter;
mod head;

use super::image::{self, Image};
use super::pixels::with_tpixel_source;
use super::zlib_stream::ZlibStream;
use super::{Fault, Parcel, ParcelDecoder, Pixels};
use crate::picture::Target;
use crate::picture::convert::Source;
use crate::rfb::{Inbox, Reader, Short};
use filter::{Copy, Filter, Gradient, Palette, TwoColours, WideGradient};
use head::{Compression, Head, Method};

/// Bytes unpacked at a time: small enough to stay in the second-level cache until they are painted.
const BAND: usize = 64 * 1024;

/// The decoder of Tight, and of Tight PNG, which has PNG pictures and no zlib streams.
pub struct Tight {
    png: bool,
    // Each is a history of its own: whoever unpacks the rectangles of one in their order may unpack those of another
    // at the same time.
    // It begins when it is used for the first time.
    streams: [Option<ZlibStream>; 4],
    scratch: Scratch,
}

/// Memory that is used again for each rectangle.
#[derive(Default)]
struct Scratch {
    band: Vec<u8>,
    above: Vec<u32>,
    wide_above: Vec<u64>,
    image: Image,
}

impl Tight {
    /// Tight.
    pub fn new() -> Tight {
        Tight { png: false, streams: [const { None }; 4], scratch: Scratch::default() }
    }

    /// Tight PNG.
    pub fn png() -> Tight {
        Tight { png: true, ..Tight::new() }
    }
}

impl Default for Tight {
    fn default() -> Tight {
        Tight::new()
    }
}

impl ParcelDecoder for Tight {
    fn cut(
        &mut self,
        inbox: &mut Inbox,
        width: usize,
        height: usize,
        pixels: &Pixels,
    ) -> Result<Option<Parcel>, Fault> {
        let mut reader = Reader::new(inbox.available());
        match Head::read(&mut reader, self.png, width, height, pixels) {
            Ok(head) => {
                let length = head?.length + inbox.available().len() - reader.rest().len();
                Ok(inbox.payload(length).map(|payload| Parcel { payload }))
            }
            Err(Short) => Ok(None),
        }
    }

    fn unpack(&mut self, parcel: Parcel, target: &mut Target<'_>, pixels: &Pixels) -> Result<(), Fault> {
        let mut reader = Reader::new(&parcel.payload);
        let Ok(head) = Head::read(&mut reader, self.png, target.width(), target.height(), pixels) else {
            return Err(Fault::from("a rectangle that ends in its header"));
        };
        let Head { resets, method, .. } = head?;
        for (number, stream) in self.streams.iter_mut().enumerate() {
            if let Some(stream) = stream.as_mut().filter(|_| resets >> number & 1 != 0) {
                stream.reset();
            }
        }
        let data = reader.rest();
        match method {
            Method::Jpeg => return image::jpeg(data, target, pixels.order(), &mut self.scratch.image),
            Method::Png => return image::png(data, target, pixels.order(), &mut self.scratch.image),
            _ => {}
        }
        with_tpixel_source!(pixels, source => self.paint(source, &method, data, target, pixels))
    }
}

impl Tight {
    fn paint<S: Source>(
        &mut self,
        source: S,
        method: &Method<'_>,
        data: &[u8],
        target: &mut Target<'_>,
        pixels: &Pixels,
    ) -> Result<(), Fault> {
        let (compression, filter) = match method {
            Method::Fill(pixel) => {
                return Ok(target.fill(0, 0, target.width(), target.height(), source.pixel(pixel))?);
            }
            Method::Basic(compression, filter) => (*compression, filter),
            // Painted without a TPIXEL.
            Method::Jpeg | Method::Png => return Ok(()),
        };
        let Scratch { band, above, wide_above, .. } = &mut self.scratch;
        let mut bytes = match compression {
            Compression::None => Bytes::AsTheyAre(data),
            Compression::Zlib(number) => {
                let stream = self.streams.get_mut(number).ok_or("a zlib stream beyond the fourth")?;
                let stream = stream.get_or_insert_with(ZlibStream::new);
                Bytes::Inflated { stream, input: data, band }
            }
        };
        match filter {
            head::Filter::Copy => bytes.paint(Copy(source), target),
            head::Filter::Palette(colours) => match TwoColours::new(source, colours) {
                Some(filter) => bytes.paint(filter, target),
                None => bytes.paint(Palette::new(source, colours), target),
            },
            head::Filter::Gradient if S::BYTES == 3 => {
                bytes.paint(Gradient::new(source, above, target.width()), target)
            }
            head::Filter::Gradient => {
                let filter = WideGradient::new(source, pixels.format(), wide_above, target.width())?;
                bytes.paint(filter, target)
            }
        }?;
        bytes.finish()
    }
}

/// Where the filtered bytes of a rectangle come from.
enum Bytes<'a> {
    AsTheyAre(&'a [u8]),
    Inflated { stream: &'a mut ZlibStream, input: &'a [u8], band: &'a mut Vec<u8> },
}

impl Bytes<'_> {
    /// Fills `target` through `filter`, a band of rows at a time.
    fn paint(&mut self, mut filter: impl Filter, target: &mut Target<'_>) -> Result<(), Fault> {
        let row_bytes = filter.row_bytes(target.width());
        if row_bytes == 0 {
            return Ok(());
        }
        let band_rows = BAND.div_ceil(row_bytes).min(target.height());
        for top in (0..target.height()).step_by(band_rows.max(1)) {
            let bytes = self.next(band_rows.min(target.height() - top) * row_bytes)?;
            for (bytes, row) in bytes.chunks_exact(row_bytes).zip(target.rows_from(top)) {
                filter.row(bytes, row)?;
            }
        }
        Ok(())
    }

    fn next(&mut self, count: usize) -> Result<&[u8], Fault> {
        let few = "fewer compressed pixels than the rectangle has";
        match self {
            Bytes::AsTheyAre(rest) => {
                let (now, later) = rest.split_at_checked(count).ok_or(few)?;
                *rest = later;
                Ok(now)
            }
            Bytes::Inflated { stream, input, band } => {
                band.resize(band.len().max(count), 0);
                let bytes = band.get_mut(..count).unwrap_or_default();
                if stream.fill(input, bytes)? < count {
                    return Err(Fault::from(few));
                }
                Ok(bytes)
            }
        }
    }

    fn finish(self) -> Result<(), Fault> {
        match self {
            Bytes::AsTheyAre(_) => Ok(()),
            Bytes::Inflated { stream, mut input, .. } => stream.finish(&mut input),
        }
    }
}
