//! Rectangles that are no pixels: shapes of the pointer, sizes, names, the state of the keyboard, and what the server
//! can do.

use super::Event;
use super::cursor::{self, Shape};
use super::resize::MOST_SCREENS;
use crate::decode::{Fault, Pixels};
use crate::picture::Size;
use crate::rfb::screen::{Screen, status};
use crate::rfb::server_message::RectangleHeader;
use crate::rfb::{Inbox, encoding, text};

/// The longest DesktopName, in bytes.
const LONGEST_NAME: usize = 1 << 20;

/// What such a rectangle means.
pub(super) enum Meaning {
    /// Something to tell.
    Tell(Event),
    /// The desktop has this size.
    Size(Size),
    /// The desktop has this size, if any is told, and these screens; and how it went if another was asked for.
    Desktop(Option<Size>, Vec<Screen>, Option<u16>),
    /// Keys may be told by their place.
    Keycodes,
    /// More buttons than seven may be told.
    ExtendedButtons,
    /// The pointer's distances are wanted, or its positions.
    RelativePointer(bool),
    /// Nothing that changes anything.
    Nothing,
}

/// Whether an encoding is one of these.
pub(super) fn is(encoding: i32) -> bool {
    matches!(
        encoding,
        encoding::CURSOR
            | encoding::X_CURSOR
            | encoding::CURSOR_WITH_ALPHA
            | encoding::VMWARE_CURSOR
            | encoding::VMWARE_CURSOR_POSITION
            | encoding::POINTER_POS
            | encoding::DESKTOP_SIZE
            | encoding::EXTENDED_DESKTOP_SIZE
            | encoding::DESKTOP_NAME
            | encoding::QEMU_EXTENDED_KEY_EVENT
            | encoding::QEMU_POINTER_MOTION_CHANGE
            | encoding::QEMU_AUDIO
            | encoding::EXTENDED_MOUSE_BUTTONS
            | encoding::LED_STATE
            | encoding::VMWARE_LED_STATE
    )
}

/// Reads what follows the header; `None` until all of it is here.
pub(super) fn read(inbox: &mut Inbox, header: &RectangleHeader, pixels: &Pixels) -> Result<Option<Meaning>, Fault> {
    let mut shape = |shape: Shape| {
        Ok(cursor::read(inbox, header, shape, pixels)?.map(|cursor| Meaning::Tell(Event::Cursor(cursor))))
    };
    Ok(match header.encoding {
        encoding::CURSOR => return shape(Shape::Masked),
        encoding::X_CURSOR => return shape(Shape::TwoColours),
        encoding::CURSOR_WITH_ALPHA => return shape(Shape::Alpha),
        encoding::VMWARE_CURSOR => return shape(Shape::Vmware),
        encoding::POINTER_POS | encoding::VMWARE_CURSOR_POSITION => {
            Some(Meaning::Tell(Event::PointerMoved { x: header.x, y: header.y }))
        }
        encoding::QEMU_EXTENDED_KEY_EVENT => Some(Meaning::Keycodes),
        encoding::EXTENDED_MOUSE_BUTTONS => Some(Meaning::ExtendedButtons),
        encoding::QEMU_POINTER_MOTION_CHANGE => Some(Meaning::RelativePointer(header.x == 0)),
        encoding::DESKTOP_SIZE => Some(Meaning::Size(size(header))),
        encoding::EXTENDED_DESKTOP_SIZE => {
            let screens = inbox.unit(|reader| {
                let count = usize::from(reader.u8()?);
                reader.bytes(3)?;
                let mut screens = Vec::new();
                for _ in 0..count {
                    let screen = Screen::read(reader)?;
                    if screens.len() < MOST_SCREENS {
                        screens.push(screen);
                    }
                }
                Ok(screens)
            });
            // x tells who wanted it, of whom 1 is this client, and y how it went: the answer to a request that failed
            // names the size that was wanted.
            let answer = (header.x == 1).then_some(header.y);
            let size = answer.is_none_or(|answer| answer == status::DONE).then(|| size(header));
            screens.map(|screens| Meaning::Desktop(size, screens, answer))
        }
        encoding::DESKTOP_NAME => {
            let Some(length) = inbox.available().first_chunk() else { return Ok(None) };
            let length = u32::from_be_bytes(*length) as usize;
            if length > LONGEST_NAME {
                return Err(Fault(format!("a desktop name of {length} bytes")));
            }
            let name = inbox.unit(|reader| reader.bytes(4).and_then(|_| reader.bytes(length)).map(text::from_peer));
            name.map(|name| Meaning::Tell(Event::Name(name)))
        }
        encoding::LED_STATE => inbox.unit(|reader| reader.u8()).map(|leds| locks(leds.into())),
        encoding::VMWARE_LED_STATE => inbox.unit(|reader| reader.u32()).map(locks),
        _ => Some(Meaning::Nothing),
    })
}

fn size(header: &RectangleHeader) -> Size {
    Size { width: header.width, height: header.height }
}

/// Bits 0 to 2: Scroll Lock, Num Lock, Caps Lock.
fn locks(leds: u32) -> Meaning {
    Meaning::Tell(Event::Locks { scroll: leds & 1 != 0, num: leds & 2 != 0, caps: leds & 4 != 0 })
}
