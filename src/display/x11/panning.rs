//! How the desktop is shown in its window, and how the pointer moves what does not fit.

use std::time::{Duration, Instant};

use super::super::{Error, Scaling};
use super::X11Display;

/// How often the view moves while the pointer is at an edge.
const STEP: Duration = Duration::from_millis(16);

impl X11Display {
    /// Shows the desktop in another way.
    pub(super) fn scale(&mut self, scaling: Scaling) -> Result<(), Error> {
        if std::mem::replace(&mut self.wish.scaling, scaling) != scaling
            && let Some(shown) = &mut self.shown
        {
            shown.arrange(&self.server, scaling)?;
            self.pointer.last = None;
        }
        Ok(())
    }

    /// How long the view stays where it is; forever if the pointer is at no edge, or elsewhere.
    pub(super) fn until_view_moves(&self) -> Duration {
        let (x, y) = self.pointer.at;
        let pushed = |at: Option<Instant>| at.map_or(Duration::ZERO, |at| STEP.saturating_sub(at.elapsed()));
        match &self.shown {
            Some(shown) if self.pointer.inside && shown.surface.is_pushed(x.into(), y.into()) => {
                pushed(self.pointer.pushed)
            }
            _ => Duration::MAX,
        }
    }

    /// Moves the view a step if it is time; what is under the pointer is something else then.
    pub(super) fn push_view(&mut self) {
        let (x, y) = self.pointer.at;
        if self.until_view_moves() == Duration::ZERO
            && let Some(shown) = &mut self.shown
            && shown.surface.push(x.into(), y.into())
        {
            self.pointer.pushed = Some(Instant::now());
            self.point(x, y);
        }
    }
}
