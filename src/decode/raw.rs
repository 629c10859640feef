//! Raw (RFC 6143 §7.7.1): pixels row by row.

use super::pixels::with_source;
use super::{DirectDecoder, Fault, Pixels, Progress};
use crate::picture::Target;
use crate::picture::convert::Source;
use crate::rfb::Inbox;

/// The Raw decoder.
#[derive(Debug, Default)]
pub struct Raw {
    // Pixels painted so far.
    painted: usize,
}

impl DirectDecoder for Raw {
    fn advance(&mut self, inbox: &mut Inbox, target: &mut Target<'_>, pixels: &Pixels) -> Result<Progress, Fault> {
        let total = target.width() * target.height();
        let arrived = (inbox.available().len() / pixels.bytes()).min(total - self.painted);
        let bytes = inbox.available().get(..arrived * pixels.bytes()).unwrap_or_default();
        with_source!(pixels, source => paint(source, bytes, target, self.painted));
        inbox.consume(arrived * pixels.bytes());
        self.painted += arrived;
        if self.painted < total {
            return Ok(Progress::NeedMore);
        }
        self.painted = 0;
        Ok(Progress::Done)
    }
}

/// Paints whole pixels, beginning at pixel number `first`.
fn paint<S: Source>(source: S, mut bytes: &[u8], target: &mut Target<'_>, first: usize) {
    if bytes.is_empty() {
        return;
    }
    if let Some(all) = target.contiguous() {
        return source.row(bytes, all.get_mut(first..).unwrap_or_default());
    }
    let width = target.width();
    let mut x = first % width;
    for row in target.rows_from(first / width) {
        let row = row.get_mut(x..).unwrap_or_default();
        let (now, later) = bytes.split_at(bytes.len().min(row.len() * S::BYTES));
        source.row(now, row);
        bytes = later;
        x = 0;
        if bytes.is_empty() {
            break;
        }
    }
}
