//! Rectangles unpacked beside the painter: what a lane is given, and what it gives back.

use super::image::{self, Image};
use super::{Fault, Pixels, Stage, stage, tight};
use crate::picture::Target;
use bytes::Bytes;
use std::sync::Arc;

/// Zlib histories that jobs can go on with: those of Tight.
pub const HISTORIES: usize = 4;

/// Whoever unpacks rectangles beside the caller, who paints them in the order they were given in.
pub trait Lanes: Send {
    /// How many rectangles can be unpacked beside the caller's; with none there is nothing to give.
    fn count(&self) -> usize;

    /// Puts jobs behind the others. Jobs of one history are done in their order, one at a time.
    fn give(&mut self, jobs: &mut dyn Iterator<Item = Job>);

    /// The oldest job that was given and not taken, once it is done or if nobody has begun it. One that comes back undone
    /// must be done before anything else is asked of the lanes.
    fn take(&mut self) -> Taken;

    /// Gives a sheet back, for other rectangles.
    fn put_back(&mut self, sheet: Sheet);
}

/// No lanes: everything is unpacked where it is painted.
pub struct Alone;

impl Lanes for Alone {
    fn count(&self) -> usize {
        0
    }

    fn give(&mut self, _: &mut dyn Iterator<Item = Job>) {}

    fn take(&mut self) -> Taken {
        Taken::Lost
    }

    fn put_back(&mut self, _: Sheet) {}
}

/// A job that was given to [`Lanes`].
pub enum Taken {
    /// Unpacked.
    Done(Done),
    /// Not begun: the caller's to unpack.
    Undone(Job),
    /// Whoever had it broke down, or there was none.
    Lost,
}

/// A rectangle that was cut out of the stream, with all that is needed to unpack it anywhere.
pub struct Rectangle {
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    Tight(tight::Work),
    /// A whole JPEG picture.
    Jpeg(Bytes),
}

/// Memory to unpack with, used again for each rectangle.
#[derive(Default)]
pub struct Scratch {
    pub(super) tight: tight::Scratch,
    pub(super) image: Image,
}

impl Scratch {
    fn held(&self) -> usize {
        self.tight.held() + self.image.held()
    }
}

impl Rectangle {
    fn history(&self) -> Option<usize> {
        match &self.kind {
            Kind::Tight(work) => work.history(),
            Kind::Jpeg(_) => None,
        }
    }

    /// Whether it is a picture that lost something when it was packed.
    pub fn has_loss(&self) -> bool {
        match &self.kind {
            Kind::Tight(work) => work.has_loss(),
            Kind::Jpeg(_) => true,
        }
    }

    fn bytes(&self) -> usize {
        match &self.kind {
            Kind::Tight(work) => work.bytes(),
            Kind::Jpeg(picture) => picture.len(),
        }
    }

    fn is_fill(&self) -> bool {
        self.history().is_none() && self.bytes() <= 16
    }

    pub(super) fn unpack(self, target: &mut Target<'_>, pixels: &Pixels, scratch: &mut Scratch) -> Result<(), Fault> {
        let _unpack = stage(Stage::Unpack);
        match self.kind {
            Kind::Tight(work) => work.unpack(target, pixels, scratch),
            Kind::Jpeg(picture) => image::jpeg(&picture, target, pixels.order(), &mut scratch.image),
        }
    }
}

/// A sheet of pixels to paint a rectangle on before its turn, and what is needed for that.
#[derive(Default)]
pub struct Sheet {
    pixels: Vec<u32>,
    scratch: Scratch,
}

impl Sheet {
    /// One that had a rectangle of so many pixels.
    #[cfg(test)]
    pub(crate) fn of(pixels: usize) -> Sheet {
        Sheet { pixels: vec![0; pixels], ..Sheet::default() }
    }

    /// How many bytes it holds on to.
    pub fn held(&self) -> usize {
        self.pixels.capacity() * size_of::<u32>() + self.scratch.held()
    }
}

/// A rectangle to unpack, and all that is needed for it.
pub struct Job {
    rectangle: Rectangle,
    width: usize,
    height: usize,
    pixels: Arc<Pixels>,
}

impl Job {
    /// A rectangle of `width` × `height` pixels.
    pub fn new(rectangle: Rectangle, width: usize, height: usize, pixels: Arc<Pixels>) -> Job {
        Job { rectangle, width, height, pixels }
    }

    /// The zlib history that it goes on with, below [`HISTORIES`].
    pub fn history(&self) -> Option<usize> {
        self.rectangle.history()
    }

    /// Nanoseconds that it takes, within a factor of three: between 4 and 25 a byte of the payload on the recordings.
    pub fn cost(&self) -> usize {
        self.rectangle.bytes() * 4 + if self.rectangle.is_fill() { 0 } else { self.width * self.height }
    }

    /// Unpacks it onto a sheet.
    pub fn run(self, mut sheet: Sheet) -> Done {
        let Job { rectangle, width, height, pixels } = self;
        // What lies there is from another rectangle, and painted over: a decoder fills all of its target or fails.
        sheet.pixels.resize(sheet.pixels.len().max(width * height), 0);
        let result = match Target::new(&mut sheet.pixels, width, width, height) {
            Some(mut target) => rectangle.unpack(&mut target, &pixels, &mut sheet.scratch),
            None => Err(Fault::from("a rectangle without room")),
        };
        Done { result, width, sheet }
    }

    /// Unpacks it onto the target that it belongs to.
    ///
    /// # Errors
    /// [`Fault`] if the payload can not be unpacked, or does not fill `target` exactly.
    pub fn paint(self, target: &mut Target<'_>, scratch: &mut Scratch) -> Result<(), Fault> {
        self.rectangle.unpack(target, &self.pixels, scratch)
    }
}

/// A rectangle on its sheet.
pub struct Done {
    result: Result<(), Fault>,
    width: usize,
    sheet: Sheet,
}

impl Done {
    /// Copies the pixels to where they belong, and gives the sheet for another.
    ///
    /// # Errors
    /// [`Fault`] if the rectangle could not be unpacked; nothing is painted then.
    pub fn paint(self, target: &mut Target<'_>) -> Result<Sheet, Fault> {
        self.result?;
        for (row, painted) in target.rows_from(0).zip(self.sheet.pixels.chunks_exact(self.width.max(1))) {
            row.copy_from_slice(painted);
        }
        Ok(self.sheet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{Parcel, Tight};
    use crate::picture::ByteOrder;
    use crate::rfb::PixelFormat;

    #[test]
    fn a_sheet_knows_what_it_holds_the_memory_of_pictures_too() {
        let mut data = Vec::new();
        let mut encoder = png::Encoder::new(&mut data, 100, 50);
        encoder.set_color(png::ColorType::Rgb);
        encoder.write_header().unwrap().write_image_data(&[7; 100 * 50 * 3]).unwrap();
        let mut payload = vec![0xa0, data.len() as u8 | 0x80, (data.len() >> 7) as u8];
        assert!(data.len() < 1 << 14);
        payload.extend(data);
        let pixels = Arc::new(Pixels::new(PixelFormat::rgb888([0, 8, 16]), ByteOrder::Rgbx));
        let rectangle = Tight::png().rectangle(Parcel { payload: payload.into() }, 100, 50, &pixels).unwrap();
        assert_eq!(Sheet::default().held(), 0);
        let done = Job::new(rectangle, 100, 50, pixels).run(Sheet::default());
        assert_eq!(done.result, Ok(()));
        let held = done.sheet.held();
        assert!(held >= 100 * 50 * (4 + 3), "{held}");
    }
}
