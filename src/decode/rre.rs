//! RRE (RFC 6143 §7.7.3) and CoRRE: a background and rectangles of one colour on it.

use super::pixels::with_source;
use super::{DirectDecoder, Fault, Pixels, Progress};
use crate::picture::Target;
use crate::picture::convert::Source;
use crate::rfb::{Inbox, Reader};

/// The decoder of RRE, whose subrectangles are four U16, and of CoRRE, where they are four U8.
#[derive(Debug)]
pub struct Rre {
    compact: bool,
    // Subrectangles still to come; `None` before the header.
    remaining: Option<u32>,
}

impl Rre {
    /// RRE.
    pub fn new() -> Rre {
        Rre { compact: false, remaining: None }
    }

    /// CoRRE.
    pub fn compact() -> Rre {
        Rre { compact: true, remaining: None }
    }
}

impl Default for Rre {
    fn default() -> Rre {
        Rre::new()
    }
}

impl DirectDecoder for Rre {
    fn advance(&mut self, inbox: &mut Inbox, target: &mut Target<'_>, pixels: &Pixels) -> Result<Progress, Fault> {
        let count = match self.remaining {
            Some(count) => count,
            None => {
                let bytes = pixels.bytes();
                let header = inbox.unit(|reader| Ok((reader.u32()?, pixels.pixel(reader.bytes(bytes)?))));
                let Some((count, background)) = header else { return Ok(Progress::NeedMore) };
                // No server has reason to send more subrectangles than pixels; a malicious one would keep us busy.
                if count as usize > target.width() * target.height() {
                    return Err(Fault(format!("{count} subrectangles in a rectangle with fewer pixels")));
                }
                target.fill(0, 0, target.width(), target.height(), background)?;
                count
            }
        };
        let (used, painted, result) = with_source!(pixels, source => if self.compact {
            paint::<_, true>(source, inbox.available(), target, count)
        } else {
            paint::<_, false>(source, inbox.available(), target, count)
        });
        inbox.consume(used);
        let remaining = count - painted;
        self.remaining = (remaining > 0).then_some(remaining);
        result?;
        Ok(if remaining > 0 { Progress::NeedMore } else { Progress::Done })
    }
}

/// Paints at most `count` subrectangles. Gives the bytes used and the subrectangles painted, and the fault that ended it.
fn paint<S: Source, const COMPACT: bool>(
    source: S,
    bytes: &[u8],
    target: &mut Target<'_>,
    count: u32,
) -> (usize, u32, Result<(), Fault>) {
    let size = S::BYTES + if COMPACT { 4 } else { 8 };
    let mut painted = 0;
    for bytes in bytes.chunks_exact(size).take(count as usize) {
        let mut reader = Reader::new(bytes);
        let parsed = (|| {
            let pixel = source.pixel(reader.bytes(S::BYTES)?);
            let mut next = || if COMPACT { reader.u8().map(usize::from) } else { reader.u16().map(usize::from) };
            Ok::<_, crate::rfb::Short>((pixel, next()?, next()?, next()?, next()?))
        })();
        let Ok((pixel, x, y, width, height)) = parsed else { break };
        if target.fill(x, y, width, height, pixel).is_err() {
            let what = format!("a subrectangle of {width}x{height} at {x},{y} outside of its rectangle");
            return (painted as usize * size, painted, Err(Fault(what)));
        }
        painted += 1;
    }
    (painted as usize * size, painted, Ok(()))
}
