//! Tight and Tight PNG (rfbproto): a fill, pixels through a filter and one of four zlib streams, or a picture.

pub mod content;
mod filter;
mod head;

use super::image;
use super::lanes::{Kind, Rectangle};
use super::pixels::with_tpixel_source;
use super::zlib_stream::ZlibStream;
use super::{Fault, Parcel, ParcelDecoder, Pixels, Stage, stage};
use crate::picture::Target;
use crate::picture::convert::Source;
use crate::rfb::{Inbox, Reader, Short};
use filter::{Copy, Filter, Gradient, Palette, TwoColours, WideGradient};
use head::{Compression, Head, Method};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes unpacked at a time: small enough to stay in the second-level cache until they are painted.
const BAND: usize = 64 * 1024;

/// The decoder of Tight, and of Tight PNG, which has PNG pictures too and shares the zlib streams.
pub struct Tight {
    png: bool,
    streams: [Option<Stream>; 4],
    scratch: super::Scratch,
}

/// A history of its own. Only one rectangle at a time goes on with it: the lock is there because another thread may do it.
type Stream = Arc<Mutex<ZlibStream>>;

/// A rectangle and the stream that it goes on with.
pub(super) struct Work {
    payload: bytes::Bytes,
    png: bool,
    stream: Option<(usize, Stream)>,
}

/// Memory that is used again for each rectangle.
#[derive(Default)]
pub(super) struct Scratch {
    above: Vec<u32>,
    wide_above: Vec<u64>,
}

impl Scratch {
    /// How many bytes it holds on to.
    pub(super) fn held(&self) -> usize {
        let Scratch { above, wide_above } = self;
        above.capacity() * size_of::<u32>() + wide_above.capacity() * size_of::<u64>()
    }
}

impl Tight {
    /// Tight.
    pub fn new() -> Tight {
        Tight { png: false, streams: [const { None }; 4], scratch: super::Scratch::default() }
    }

    /// Tight PNG.
    pub fn png() -> Tight {
        Tight { png: true, ..Tight::new() }
    }

    /// Whether the next rectangle is of Tight PNG.
    pub fn set_png(&mut self, png: bool) {
        self.png = png;
    }

    /// A parcel with its stream, to be unpacked anywhere, but in the order of each stream.
    ///
    /// # Errors
    /// [`Fault`] as [`cut`](ParcelDecoder::cut).
    pub fn rectangle(
        &mut self,
        parcel: Parcel,
        width: usize,
        height: usize,
        pixels: &Pixels,
    ) -> Result<Rectangle, Fault> {
        let head = head_of(&parcel.payload, self.png, width, height, pixels)?.0;
        for (number, stream) in self.streams.iter_mut().enumerate() {
            if head.resets >> number & 1 != 0 {
                reset(stream);
            }
        }
        let stream = match head.method {
            // It begins when it is used for the first time.
            Method::Basic(Compression::Zlib(number), _) => {
                let stream = self.streams.get_mut(number).ok_or("a zlib stream beyond the fourth")?;
                Some((number, stream.get_or_insert_with(|| Arc::new(Mutex::new(ZlibStream::new()))).clone()))
            }
            _ => None,
        };
        Ok(Rectangle { kind: Kind::Tight(Work { payload: parcel.payload, png: self.png, stream }) })
    }
}

/// Begins a stream anew; rectangles that wait for the old one keep it.
fn reset(stream: &mut Option<Stream>) {
    match stream.as_mut().and_then(Arc::get_mut) {
        Some(here) => here.get_mut().unwrap_or_else(PoisonError::into_inner).reset(),
        None => *stream = None,
    }
}

/// What stands before the data, and the data.
fn head_of<'a>(
    payload: &'a [u8],
    png: bool,
    width: usize,
    height: usize,
    pixels: &Pixels,
) -> Result<(Head<'a>, &'a [u8]), Fault> {
    let mut reader = Reader::new(payload);
    match Head::read(&mut reader, png, width, height, pixels) {
        Ok(head) => Ok((head?, reader.rest())),
        Err(Short) => Err(Fault::from("a rectangle that ends in its header")),
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
        let rectangle = self.rectangle(parcel, target.width(), target.height(), pixels)?;
        rectangle.unpack(target, pixels, &mut self.scratch)
    }
}

impl Work {
    pub(super) fn history(&self) -> Option<usize> {
        self.stream.as_ref().map(|(number, _)| *number)
    }

    pub(super) fn bytes(&self) -> usize {
        self.payload.len()
    }

    pub(super) fn has_loss(&self) -> bool {
        head::is_jpeg(&self.payload)
    }

    pub(super) fn unpack(
        self,
        target: &mut Target<'_>,
        pixels: &Pixels,
        scratch: &mut super::Scratch,
    ) -> Result<(), Fault> {
        let (head, data) = head_of(&self.payload, self.png, target.width(), target.height(), pixels)?;
        match head.method {
            Method::Jpeg => image::jpeg(data, target, pixels.order(), &mut scratch.image),
            Method::Png => image::png(data, target, pixels.order(), &mut scratch.image),
            Method::Fill(pixel) => with_tpixel_source!(pixels, source => {
                let _paint = stage(Stage::Paint);
                Ok(target.fill(0, 0, target.width(), target.height(), source.pixel(pixel))?)
            }),
            Method::Basic(_, filter) => {
                let Scratch { above, wide_above } = &mut scratch.tight;
                let mut stream =
                    self.stream.as_ref().map(|(_, stream)| stream.lock().unwrap_or_else(PoisonError::into_inner));
                let bytes = match &mut stream {
                    None => Bytes::AsTheyAre(data),
                    Some(stream) => Bytes::Inflated { stream, input: data },
                };
                with_tpixel_source!(pixels, source => paint(source, &filter, bytes, (above, wide_above), target, pixels))
            }
        }
    }
}

fn paint<S: Source>(
    source: S,
    filter: &head::Filter<'_>,
    mut bytes: Bytes<'_>,
    (above, wide_above): (&mut Vec<u32>, &mut Vec<u64>),
    target: &mut Target<'_>,
    pixels: &Pixels,
) -> Result<(), Fault> {
    match filter {
        head::Filter::Copy => bytes.paint(Copy(source), target),
        head::Filter::Palette(colours) => match TwoColours::new(source, colours) {
            Some(filter) => bytes.paint(filter, target),
            None => bytes.paint(Palette::new(source, colours), target),
        },
        head::Filter::Gradient if S::BYTES == 3 => bytes.paint(Gradient::new(source, above, target.width()), target),
        head::Filter::Gradient => {
            let filter = WideGradient::new(source, pixels.format(), wide_above, target.width())?;
            bytes.paint(filter, target)
        }
    }?;
    bytes.finish()
}

/// Where the filtered bytes of a rectangle come from.
enum Bytes<'a> {
    AsTheyAre(&'a [u8]),
    Inflated { stream: &'a mut ZlibStream, input: &'a [u8] },
}

impl Bytes<'_> {
    /// Fills `target` through `filter`, a band of rows at a time.
    fn paint<F: Filter>(&mut self, mut filter: F, target: &mut Target<'_>) -> Result<(), Fault> {
        let row_bytes = filter.row_bytes(target.width());
        if row_bytes == 0 {
            return Ok(());
        }
        let band_rows = BAND.div_ceil(row_bytes).min(target.height());
        for top in (0..target.height()).step_by(band_rows.max(1)) {
            let bytes = self.next(band_rows.min(target.height() - top) * row_bytes)?;
            let _stage = stage(F::STAGE);
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
            Bytes::Inflated { stream, input } => {
                let bytes = stream.next(input, count)?;
                if bytes.len() < count {
                    return Err(Fault::from(few));
                }
                Ok(bytes)
            }
        }
    }

    fn finish(self) -> Result<(), Fault> {
        match self {
            Bytes::AsTheyAre(_) => Ok(()),
            Bytes::Inflated { stream, mut input } => stream.finish(&mut input),
        }
    }
}
