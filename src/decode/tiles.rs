//! The tiles of a rectangle, row by row, painted one by one as whole ones arrive.

use super::{Fault, Progress};
use crate::picture::{Outside, Target};
use crate::rfb::{Inbox, Reader, Short};

/// Why a tile is not painted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Short,
    Fault(Fault),
}

impl From<Short> for Stop {
    fn from(_: Short) -> Stop {
        Stop::Short
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Stop {
        Stop::Fault(fault)
    }
}

impl From<Outside> for Stop {
    fn from(outside: Outside) -> Stop {
        Stop::Fault(outside.into())
    }
}

/// Tile number `index` of tiles `side` pixels wide and high; `None` behind the last.
#[inline]
pub(super) fn tile<'a>(target: &'a mut Target<'_>, side: usize, index: usize) -> Result<Option<Target<'a>>, Outside> {
    let columns = target.width().div_ceil(side);
    if index >= columns * target.height().div_ceil(side) {
        return Ok(None);
    }
    let (x, y) = (index % columns * side, index / columns * side);
    let (width, height) = ((target.width() - x).min(side), (target.height() - y).min(side));
    target.part(x, y, width, height).map(Some)
}

/// How far a rectangle of tiles of 16×16 came, that arrive without a length.
#[derive(Debug, Default)]
pub(super) struct Tiles {
    next: usize,
}

impl Tiles {
    /// Paints tiles with `paint` while whole ones have arrived, and consumes them. `paint` may change what it remembers
    /// only if it is not [`Stop::Short`], or so that the same tile read again changes it likewise.
    pub(super) fn advance(
        &mut self,
        inbox: &mut Inbox,
        target: &mut Target<'_>,
        mut paint: impl FnMut(&mut Reader<'_>, &mut Target<'_>) -> Result<(), Stop>,
    ) -> Result<Progress, Fault> {
        let mut reader = Reader::new(inbox.available());
        let result = loop {
            let mut tile = match tile(target, 16, self.next) {
                Ok(Some(tile)) => tile,
                Ok(None) => break Ok(Progress::Done),
                Err(outside) => break Err(outside.into()),
            };
            let mut ahead = reader.clone();
            match paint(&mut ahead, &mut tile) {
                Ok(()) => (reader, self.next) = (ahead, self.next + 1),
                Err(Stop::Short) => break Ok(Progress::NeedMore),
                Err(Stop::Fault(fault)) => break Err(fault),
            }
        };
        let used = inbox.available().len() - reader.rest().len();
        inbox.consume(used);
        if result == Ok(Progress::Done) {
            self.next = 0;
        }
        result
    }
}
