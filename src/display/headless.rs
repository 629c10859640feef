//! The front end without a window: it keeps the picture, and closes itself when it has seen enough.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use super::{Display, Error, Input, Overlay, Room, wait};
use crate::picture::{ByteOrder, Canvas, Cursor, Damage, Size};

/// When it has seen enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// When every pixel has been painted.
    Complete,
    /// At this time.
    Time(Instant),
    /// Never.
    Ended,
}

/// A picture in memory.
pub struct Headless {
    until: Until,
    picture: Canvas,
    complete: bool,
}

impl Headless {
    /// A front end that closes at `until`.
    pub fn new(until: Until) -> Headless {
        Headless { until, picture: Canvas::new(Size::default(), ByteOrder::Bgrx), complete: false }
    }

    /// What was seen.
    pub fn picture(&self) -> &Canvas {
        &self.picture
    }

    /// Whether every pixel of it was painted.
    pub fn is_complete(&self) -> bool {
        self.complete
    }
}

impl Display for Headless {
    fn open(&mut self, size: Size, _title: &str) -> Result<(), Error> {
        // The pixels of a recording are of no interest here, so its picture need not be kept.
        if self.until == Until::Complete {
            self.picture.resize(size);
        }
        self.complete = false;
        Ok(())
    }

    fn take(&mut self, canvas: &Canvas, damage: &Damage, complete: bool) {
        for &area in damage.areas() {
            self.picture.update_from(canvas, area);
        }
        self.complete = complete;
    }

    fn present(&mut self) -> Result<bool, Error> {
        Ok(false)
    }

    fn inputs(&mut self) -> Vec<Input> {
        let enough = match self.until {
            Until::Complete => self.complete,
            Until::Time(time) => Instant::now() >= time,
            Until::Ended => false,
        };
        if enough { vec![Input::Close] } else { Vec::new() }
    }

    fn wait(&mut self, wake: Option<BorrowedFd<'_>>, timeout: Duration) -> Result<(), Error> {
        let enough = match self.until {
            Until::Time(time) => time.saturating_duration_since(Instant::now()),
            Until::Complete | Until::Ended => Duration::MAX,
        };
        wait::readable(wake, timeout.min(enough));
        Ok(())
    }

    fn set_overlay(&mut self, _overlay: &Overlay) {}

    fn room(&self) -> Option<Room> {
        None
    }

    fn set_title(&mut self, _title: &str) {}

    fn set_cursor(&mut self, _cursor: Option<Cursor>) {}

    fn move_pointer(&mut self, _x: u16, _y: u16) {}
}
