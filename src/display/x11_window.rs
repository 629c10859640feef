//! What minifb does not tell of its window on X11, from a second connection: each click, what was uncovered, and where
//! the keys lie.
//!
//! minifb tells of buttons as levels, so that a press and a release between two looks are lost (`xdotool click`, a busy
//! machine), and it counts each step of the wheel twice. Events of the second version of XInput go to whoever asked
//! for them and are kept from minifb; those of uncovered parts go to both.

use std::error::Error;

use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xinput::{ButtonPressEvent, ConnectionExt as _, Device, EventMask as DeviceMask, XIEventMask};
use x11rb::protocol::xproto::{ChangeWindowAttributesAux, ConnectionExt as _, EventMask};
use x11rb::rust_connection::RustConnection;

use super::places::Places;

/// The second connection.
pub(super) struct X11Window(RustConnection);

/// Something that happened in the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happened {
    /// A button; 4 to 7 are the wheel's steps up, down, left and right, 8 is back, 9 forward.
    Button {
        /// Its number, from 1.
        number: u32,
        /// Pressed, or released.
        down: bool,
        /// From the window's left edge.
        x: i32,
        /// From the window's top edge.
        y: i32,
    },
    /// Part of it has to be shown again.
    Uncovered,
    /// The keyboard has another layout.
    KeyboardChanged,
}

impl X11Window {
    /// Listens at a window; `None` where that can not be done, as on Wayland.
    pub(super) fn listen(window: u32) -> Option<X11Window> {
        match X11Window::try_listen(window) {
            Ok(listener) => Some(listener),
            Err(error) => {
                tracing::debug!("buttons are looked at now and then: {error}");
                None
            }
        }
    }

    fn try_listen(window: u32) -> Result<X11Window, Box<dyn Error>> {
        let (connection, _) = RustConnection::connect(None)?;
        connection.xinput_xi_query_version(2, 0)?.reply()?;
        let mask = XIEventMask::BUTTON_PRESS | XIEventMask::BUTTON_RELEASE;
        let buttons = DeviceMask { deviceid: Device::ALL_MASTER.into(), mask: vec![mask] };
        connection.xinput_xi_select_events(window, &[buttons])?.check()?;
        let exposure = ChangeWindowAttributesAux::new().event_mask(EventMask::EXPOSURE);
        connection.change_window_attributes(window, &exposure)?.check()?;
        Ok(X11Window(connection))
    }

    /// Where the keys lie; nothing is known where the server does not say.
    pub(super) fn places(&self) -> Places {
        let setup = self.0.setup();
        let first = setup.min_keycode;
        let asked = self.0.get_keyboard_mapping(first, setup.max_keycode.saturating_sub(first).saturating_add(1));
        match asked.map(|cookie| cookie.reply()) {
            Ok(Ok(mapping)) => Places::of_x11(first, mapping.keysyms_per_keycode, &mapping.keysyms),
            Ok(Err(_)) | Err(_) => Places::default(),
        }
    }

    /// What happened since the last call.
    pub(super) fn happened(&self) -> Vec<Happened> {
        let mut happened = Vec::new();
        // A broken connection ends it too: minifb's own breaks at the same time.
        while let Ok(Some(event)) = self.0.poll_for_event() {
            match event {
                Event::XinputButtonPress(event) => happened.push(button(&event, true)),
                Event::XinputButtonRelease(event) => happened.push(button(&event, false)),
                Event::Expose(_) => happened.push(Happened::Uncovered),
                Event::MappingNotify(_) => happened.push(Happened::KeyboardChanged),
                _ => {}
            }
        }
        happened
    }
}

fn button(event: &ButtonPressEvent, down: bool) -> Happened {
    // Positions have 16 bits behind the point.
    Happened::Button { number: event.detail, down, x: event.event_x >> 16, y: event.event_y >> 16 }
}
