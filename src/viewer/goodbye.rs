//! The last words on the screen: why there is no desktop, and what comes instead.

use std::time::{Duration, Instant};

use crate::display::{Display, Input, Overlay, Panel};
use crate::error::Failure;
use crate::overlay::{Kind, Notice};
use crate::picture::Size;
use crate::session::{Event, Session};

/// For how long they stay.
const STAY: Duration = Duration::from_secs(4);
/// What is pressed before was meant for the desktop.
const UNREAD: Duration = Duration::from_millis(500);

/// Says it in the window for a few seconds, or until a key or button is pressed. Gives the signal that ended it, if one
/// did.
///
/// # Errors
/// [`Failure`] if the window fails.
pub fn say(display: &mut dyn Display, session: &Session, lines: Vec<String>) -> Result<Option<i32>, Failure> {
    if display.room().is_none() {
        display.open(Size::default(), "sshvnc")?;
    }
    let Some(room) = display.room() else { return Ok(None) };
    let screen = room.screens.first().copied().unwrap_or_else(|| room.size.whole());
    let drawn = Notice { lines, kind: Kind::Warning }.draw(Size::new(screen.width(), screen.height()), room.density);
    let size = drawn.picture.size();
    let middle = |at: u16, length: u16, of: u16| i32::from(at) + (i32::from(length) - i32::from(of)) / 2;
    let x = middle(screen.x(), screen.width(), size.width);
    let y = middle(screen.y(), screen.height(), size.height);
    display.set_overlay(&Overlay { dim: true, panels: vec![Panel { x, y, picture: drawn.picture }] });
    let start = Instant::now();
    let until = start + STAY;
    // Keys that were down before are no answer.
    let mut buttons = u16::MAX;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        // Its tasks still hear of signals.
        while let Some(event) = session.next(Duration::ZERO) {
            if let Event::Signal(number) = event {
                return Ok(Some(number));
            }
        }
        let read = start.elapsed() >= UNREAD;
        for input in display.inputs() {
            match input {
                Input::Close => return Ok(None),
                Input::Key { down: true, .. } if read => return Ok(None),
                Input::Pointer { buttons: now, .. } => {
                    let pressed = now & !std::mem::replace(&mut buttons, now) != 0;
                    if pressed && read {
                        return Ok(None);
                    }
                }
                _ => {}
            }
        }
        if left.is_zero() {
            return Ok(None);
        }
        display.present()?;
        display.wait(Some(session.bell()), left)?;
    }
}
