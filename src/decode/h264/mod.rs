//! Open H.264 (rfbproto, "Open H.264 Encoding"): pictures that tell what has changed since the last one at their place.

mod codec;
mod colours;
mod sequence;
mod units;

pub use codec::{Codec, Picture, Rusty};
pub use colours::Colours;

use super::{Fault, Pixels, Progress, Stage, stage};
use crate::picture::{Area, Target};
use crate::rfb::Inbox;
use bytes::Bytes;
use sequence::Sequence;
use units::Kind;

/// Flags of a rectangle.
const RESET_CONTEXT: u32 = 1;
const RESET_ALL_CONTEXTS: u32 = 2;

/// Contexts that are kept, as the specification wants it: for one more, the one that waited longest is forgotten.
const MOST_CONTEXTS: usize = 64;

/// Macroblocks of the largest desktop, 8K. A fuzzer, whose instruments make each take six times as long, gets fewer.
const LARGEST: usize = if cfg!(fuzzing) { 1_000 } else { 133_000 };

/// Macroblocks of the pictures that all contexts keep: for the largest desktop two reference pictures, the one that is
/// being decoded and the one that is shown.
const MOST_KEPT: usize = 4 * LARGEST;

/// Macroblocks that are decoded for a rectangle, each slice counting as a whole picture: a few bytes may say that all of a
/// picture is as it was.
const MOST_DECODED: usize = 64 * LARGEST;

/// Macroblocks of the pictures that are finished for a rectangle; servers send one. Where they are coded arithmetically, the
/// library finds more bits behind the end of the data, enough for all of a picture, and each macroblock may take 300 times
/// as long as one that is as it was: seconds for 8K and 700 bytes.
const MOST_FINISHED: usize = 2 * LARGEST;

/// The largest identifier of a picture parameter set (ITU-T H.264, 7.4.2.2).
const LAST_PICTURE_PARAMETERS: u32 = 255;

/// The decoder of Open H.264, with a history for each place on the desktop.
pub struct H264<C = Rusty> {
    // What the header of the rectangle to come says.
    header: Option<Header>,
    // The one that waited longest comes first.
    contexts: Vec<Context<C>>,
}

#[derive(Clone, Copy)]
struct Header {
    length: usize,
    flags: u32,
}

/// The state of the server's encoder for one place.
struct Context<C> {
    place: Area,
    codec: C,
    // Which the codec was begun with; it knows no other.
    sequence: Option<Sequence>,
}

impl<C: Codec> H264<C> {
    /// A decoder without contexts.
    pub fn new() -> H264<C> {
        H264 { header: None, contexts: Vec::new() }
    }

    /// Paints the rectangle at `place`, which `target` is, once all of it has arrived.
    ///
    /// # Errors
    /// [`Fault`] if the data is not H.264, is more than can be kept or decoded, or does not fill `target`. The context at
    /// `place` is forgotten then.
    pub fn advance(
        &mut self,
        inbox: &mut Inbox,
        place: Area,
        target: &mut Target<'_>,
        pixels: &Pixels,
    ) -> Result<Progress, Fault> {
        let Some((flags, data)) = self.cut(inbox, place)? else { return Ok(Progress::NeedMore) };
        let picture = {
            let _unpack = stage(Stage::Unpack);
            self.unpack(flags, &data, place)?
        };
        if let Some((picture, colours)) = picture {
            let _paint = stage(Stage::Paint);
            colours.paint(&picture, target, pixels.order())?;
        }
        Ok(Progress::Done)
    }

    fn cut(&mut self, inbox: &mut Inbox, place: Area) -> Result<Option<(u32, Bytes)>, Fault> {
        let header = match self.header {
            Some(header) => header,
            None => {
                let read = inbox.unit(|reader| Ok(Header { length: reader.u32()? as usize, flags: reader.u32()? }));
                let Some(header) = read else { return Ok(None) };
                // Several pictures of pixels that are not compressed, and room for what describes them.
                let most = place.pixels() * 8 + (1 << 18);
                if header.length > most {
                    return Err(Fault(format!("{} bytes of H.264 data (at most {most} are taken)", header.length)));
                }
                header
            }
        };
        self.header = Some(header);
        let Some(data) = inbox.payload(header.length) else { return Ok(None) };
        self.header = None;
        Ok(Some((header.flags, data)))
    }

    /// Obeys the flags and decodes all pictures in `data`; the last is the one to show, if there is any.
    fn unpack(&mut self, flags: u32, data: &[u8], place: Area) -> Result<Option<(Picture, Colours)>, Fault> {
        if flags & RESET_ALL_CONTEXTS != 0 {
            self.contexts.clear();
        }
        if flags & RESET_CONTEXT != 0 {
            self.contexts.retain(|context| context.place != place);
        }
        if data.is_empty() {
            return Ok(None);
        }
        // Whoever fails is not put back.
        let mut context = match self.contexts.iter().position(|context| context.place == place) {
            Some(index) => self.contexts.remove(index),
            None => Context { place, codec: C::default(), sequence: None },
        };
        let picture = self.decode(&mut context, data)?;
        let colours = context.sequence.map(|sequence| sequence.colours);
        self.contexts.push(context);
        Ok(picture.zip(colours))
    }

    fn decode(&mut self, context: &mut Context<C>, data: &[u8]) -> Result<Option<Picture>, Fault> {
        self.make_room(context.kept())?;
        let mut last = None;
        let (mut decoded, mut finished) = (0, 0);
        for unit in units::units(data)? {
            match unit.kind() {
                Kind::SequenceParameters => {
                    let sequence = Sequence::read(&unit.payload())?;
                    sequence.covers(context.place)?;
                    // A server may begin anew without a reset, and so that a codec keeps pictures of one size only, it is
                    // taken for that. The same again, as many send it before each I picture, changes nothing.
                    if context.sequence != Some(sequence) {
                        context.codec = C::default();
                        context.sequence = Some(sequence);
                        self.make_room(context.kept())?;
                    }
                }
                Kind::PictureParameters => {
                    if units::Bits::new(&unit.payload()).unsigned()? > LAST_PICTURE_PARAMETERS {
                        return Err(Fault::from("an H.264 picture parameter set whose number does not exist"));
                    }
                }
                Kind::Slice => {
                    let Some(sequence) = &context.sequence else {
                        return Err(Fault::from("an H.264 picture without a sequence parameter set before it"));
                    };
                    // Baseline has none, and the library was seen to panic in one of 600,000 broken streams.
                    if unit.is_b_slice()? {
                        return Err(Fault::from("H.264 pictures that refer to later ones"));
                    }
                    decoded += sequence.macroblocks();
                    if decoded > MOST_DECODED || finished + sequence.macroblocks() > MOST_FINISHED {
                        return Err(Fault::from("too many H.264 pictures for one rectangle"));
                    }
                }
                Kind::Other => continue,
            }
            let picture = context.codec.decode(unit.bytes()).map_err(|what| {
                Fault(format!("H.264 data that can not be decoded: {}", crate::escape::escape(&what)))
            })?;
            if picture.is_some() {
                finished += context.sequence.map_or(0, |sequence| sequence.macroblocks());
                last = picture;
            }
        }
        if decoded > 0 && last.is_none() {
            return Err(Fault::from("an H.264 picture without an end"));
        }
        Ok(last)
    }

    /// Forgets contexts until one more, which keeps `kept` macroblocks, fits in.
    fn make_room(&mut self, kept: usize) -> Result<(), Fault> {
        if kept > MOST_KEPT {
            return Err(Fault(format!("H.264 pictures that take {kept} macroblocks (at most {MOST_KEPT} are kept)")));
        }
        let mut all = kept + self.contexts.iter().map(Context::kept).sum::<usize>();
        let mut count = self.contexts.len();
        let forgotten = self.contexts.iter().take_while(|context| {
            let full = all > MOST_KEPT || count >= MOST_CONTEXTS;
            if full {
                all -= context.kept();
                count -= 1;
            }
            full
        });
        let forgotten = forgotten.count();
        self.contexts.drain(..forgotten);
        Ok(())
    }
}

impl<C: Codec> Default for H264<C> {
    fn default() -> H264<C> {
        H264::new()
    }
}

impl<C> Context<C> {
    /// Macroblocks of its reference pictures, of the one that is being decoded and of the one that is shown.
    fn kept(&self) -> usize {
        self.sequence.map_or(0, |sequence| sequence.macroblocks() * (sequence.references + 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Size;

    /// 480x277 macroblocks, as Constrained Baseline.
    const SEQUENCE: [u8; 14] = [0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0xda, 0, 0x78, 0, 0x22, 0xb9];
    const SLICE: [u8; 5] = [0, 0, 1, 0x65, 0xff];

    /// A codec for which a slice is all of a picture, or never is.
    #[derive(Default)]
    struct Fake<const FINISHES: bool>;

    impl<const FINISHES: bool> Codec for Fake<FINISHES> {
        fn decode(&mut self, unit: &[u8]) -> Result<Option<Picture>, String> {
            Ok((FINISHES && unit == SLICE).then(Picture::default))
        }
    }

    fn of_slices<const FINISHES: bool>(count: usize) -> Result<bool, Fault> {
        let data = [&SEQUENCE[..], &SLICE.repeat(count)].concat();
        let mut decoder = H264::<Fake<FINISHES>>::new();
        decoder.unpack(0, &data, Size::new(16, 16).whole()).map(|picture| picture.is_some())
    }

    #[test]
    fn pictures_that_are_finished_count_more_than_slices() {
        let too_many = || Err(Fault::from("too many H.264 pictures for one rectangle"));
        assert_eq!((of_slices::<true>(1), of_slices::<true>(2)), (Ok(true), Ok(true)));
        assert_eq!(of_slices::<true>(3), too_many());
        assert_eq!(of_slices::<false>(64), Err(Fault::from("an H.264 picture without an end")));
        assert_eq!(of_slices::<false>(65), too_many());
    }
}
