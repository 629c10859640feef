//! What the user does: who has the focus, the keys and the pointer, and what is told of it.

use std::time::Instant;

use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    ClientMessageEvent, ConnectionExt as _, EnterNotifyEvent, EventMask, FocusInEvent, InputFocus, KeyReleaseEvent,
    MotionNotifyEvent, NotifyDetail, Window,
};
use x11rb::wrapper::ConnectionExt as _;

use super::super::{Error, Grab as When, Input};
use super::grab::{Grab, Grabbed};
use super::keymap::Keymap;
use super::motion::Leash;
use super::server::lost;
use super::window::Kind;
use super::{Locks, X11Display, locks};

/// Where the keys of the user go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Focus {
    #[default]
    Elsewhere,
    /// Here, as long as the pointer is here: nobody manages the windows.
    WithPointer,
    Here,
}

/// What of keyboard and pointer is taken from everybody else.
#[derive(Debug)]
pub(super) struct Holds {
    /// What was asked for since the window was wished for.
    keys_wanted: Option<bool>,
    pointer_wanted: bool,
    keys: Grab,
    pointer: Grab,
    leash: Leash,
}

impl Default for Holds {
    fn default() -> Holds {
        Holds {
            keys_wanted: None,
            pointer_wanted: false,
            keys: Grab::new(Grabbed::Keyboard),
            pointer: Grab::new(Grabbed::Pointer),
            leash: Leash::default(),
        }
    }
}

impl X11Display {
    /// Takes notice of what the user does. False if the event is about something else.
    pub(super) fn felt(&mut self, event: &Event) -> Result<bool, Error> {
        match event {
            Event::KeyPress(key) => {
                self.know_keys()?;
                self.inputs.extend(self.keyboard.press(key.detail, key.state));
            }
            Event::KeyRelease(key) if self.repeats(key) => {}
            Event::KeyRelease(key) => self.inputs.extend(self.keyboard.release(key.detail)),
            Event::MappingNotify(_) | Event::XkbMapNotify(_) | Event::XkbNewKeyboardNotify(_) => {
                self.keyboard_changed = true;
            }
            Event::FocusIn(focus) => self.focus_comes(focus)?,
            Event::FocusOut(focus) if focus.detail != NotifyDetail::INFERIOR && !self.holds.keys.caused(focus) => {
                self.set_focus(Focus::Elsewhere)?;
            }
            Event::FocusOut(_) => {}
            Event::EnterNotify(crossing) => self.enter(crossing)?,
            Event::LeaveNotify(crossing) => self.leave(crossing)?,
            Event::MotionNotify(motion) => self.moved(motion)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn focus_comes(&mut self, focus: &FocusInEvent) -> Result<(), Error> {
        match focus.detail {
            _ if self.holds.keys.caused(focus) => Ok(()),
            NotifyDetail::INFERIOR => Ok(()),
            NotifyDetail::POINTER | NotifyDetail::POINTER_ROOT => self.set_focus(Focus::WithPointer),
            _ => self.set_focus(Focus::Here),
        }
    }

    fn enter(&mut self, crossing: &EnterNotifyEvent) -> Result<(), Error> {
        // The lowest bit tells that the keys go to this window, the next that it is on this screen.
        if crossing.same_screen_focus & 1 != 0 && self.focus == Focus::Elsewhere {
            self.set_focus(Focus::WithPointer)?;
        }
        Ok(())
    }

    fn leave(&mut self, crossing: &EnterNotifyEvent) -> Result<(), Error> {
        // It may only come to lie over a part of the window.
        if crossing.detail == NotifyDetail::INFERIOR {
            return Ok(());
        }
        self.pointer.inside = false;
        self.pointer.led.forget();
        match self.focus {
            Focus::WithPointer => self.set_focus(Focus::Elsewhere),
            Focus::Elsewhere | Focus::Here => Ok(()),
        }
    }

    fn set_focus(&mut self, focus: Focus) -> Result<(), Error> {
        let before = std::mem::replace(&mut self.focus, focus) != Focus::Elsewhere;
        let now = focus != Focus::Elsewhere;
        if before == now {
            return Ok(());
        }
        if !now {
            self.inputs.extend(self.keyboard.release_all());
        }
        self.inputs.push(Input::Focus(now));
        if self.clipboard.focus(&self.server, now)? {
            self.inputs.push(Input::ClipboardTaken);
        }
        if now { self.bring_locks() } else { Ok(()) }
    }

    /// Whether the key is only held, where the server tells of that as of a release and a press at the same time.
    fn repeats(&mut self, key: &KeyReleaseEvent) -> bool {
        if self.repeats_are_presses {
            return false;
        }
        if self.events.is_empty() {
            // The press was made together with the release, but it may be on its way still: it comes before any answer.
            let _ = self.server.connection.sync();
            self.collect();
        }
        let next = self.events.front();
        matches!(next, Some(Event::KeyPress(press)) if (press.detail, press.time) == (key.detail, key.time))
    }

    /// Reads the layout, if it has changed.
    fn know_keys(&mut self) -> Result<(), Error> {
        if std::mem::take(&mut self.keyboard_changed) {
            self.keyboard.change(Keymap::read(&self.server)?);
        }
        Ok(())
    }

    /// Without a window manager nobody else gives the window its keys. Those that others want are taken once it has them.
    pub(super) fn take_keyboard(&self, window: Window) -> Result<(), Error> {
        let (to, now) = (InputFocus::POINTER_ROOT, x11rb::CURRENT_TIME);
        self.server.connection.set_input_focus(to, window, now).map(drop).map_err(lost)
    }

    /// Asks Xwayland to take the keys from its compositor when they are grabbed.
    pub(super) fn ask_for_grabs(&self, window: Window) -> Result<(), Error> {
        let message =
            ClientMessageEvent::new(32, window, self.server.atoms._XWAYLAND_MAY_GRAB_KEYBOARD, [1, 0, 0, 0, 0]);
        let manager = EventMask::SUBSTRUCTURE_NOTIFY | EventMask::SUBSTRUCTURE_REDIRECT;
        self.server.connection.send_event(false, self.server.root, manager, message).map(drop).map_err(lost)
    }

    /// Takes what is to be taken, now that it may be, and gives up what has taken too long.
    pub(super) fn settle(&mut self) -> Result<(), Error> {
        let now = Instant::now();
        if self.clipboard.due().is_some_and(|due| due <= now) {
            self.clipboard.tick(&self.server, now)?;
        }
        let Some(shown) = &self.shown else { return Ok(()) };
        let focused = self.focus != Focus::Elsewhere;
        let wished = match self.wish.grab {
            When::Always => true,
            When::Fullscreen => self.kind != Kind::Normal,
            When::Never => false,
        };
        let holds = &mut self.holds;
        let keys = focused && holds.keys_wanted.unwrap_or(wished);
        holds.keys.settle(&self.server, shown.window, keys, now)?;
        if holds.pointer.settle(&self.server, shown.window, focused && holds.pointer_wanted, now)? {
            holds.leash.centre(&self.server, shown.window, shown.size)?;
        }
        Ok(())
    }

    /// When something has to be done though nothing happens.
    pub(super) fn due(&self) -> Option<Instant> {
        let holds = [self.holds.keys.due(), self.holds.pointer.due()];
        holds.into_iter().flatten().chain(self.clipboard.due()).min()
    }

    /// Keys are wanted from now on, or left to others.
    pub(super) fn want_keys(&mut self, wanted: bool) -> Result<(), Error> {
        self.holds.keys_wanted = Some(wanted);
        self.settle()
    }

    /// The pointer is wanted from now on, or let go.
    pub(super) fn want_pointer(&mut self, wanted: bool) -> Result<(), Error> {
        self.holds.pointer_wanted = wanted;
        self.pointer.led.forget();
        self.settle()
    }

    /// Whether the pointer is kept, so that only its distances count.
    pub(super) fn keeps_pointer(&self) -> bool {
        self.holds.pointer.is_held()
    }

    fn moved(&mut self, motion: &MotionNotifyEvent) -> Result<(), Error> {
        if !self.keeps_pointer() {
            if !self.pointer.led.caused(motion) {
                self.point(motion.event_x, motion.event_y);
            }
            return Ok(());
        }
        let Some(shown) = &self.shown else { return Ok(()) };
        let leash = &mut self.holds.leash;
        let (dx, dy) = leash.moved(motion);
        if (dx, dy) != (0, 0) {
            self.inputs.push(Input::Motion { dx, dy, buttons: self.pointer.buttons });
        }
        if leash.is_tight(shown.size) {
            leash.centre(&self.server, shown.window, shown.size)?;
        }
        Ok(())
    }

    /// The server's locks, which become those of the keyboard here while it is ours.
    pub(super) fn want_locks(&mut self, locks: Option<Locks>) -> Result<(), Error> {
        self.locks = locks;
        if self.focus == Focus::Elsewhere { Ok(()) } else { self.bring_locks() }
    }

    fn bring_locks(&mut self) -> Result<(), Error> {
        let Some(locks) = self.locks else { return Ok(()) };
        self.know_keys()?;
        locks::set(&self.server, self.keyboard.map(), locks)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};
    use std::rc::Rc;
    use std::time::Duration;

    use x11rb::protocol::xkb::{BoolCtrl, ConnectionExt as _, ID, PerClientFlag};
    use x11rb::protocol::xproto::{KEY_PRESS_EVENT, KEY_RELEASE_EVENT, MOTION_NOTIFY_EVENT};
    use x11rb::protocol::xtest::ConnectionExt as _;

    use super::super::super::{Display, Overlay, Panel, Wish};
    use super::*;
    use crate::picture::{ByteOrder, Canvas, Size};

    /// A screen of its own, of 640x480, and its name.
    fn screen() -> (Child, String) {
        let mut server = Command::new("Xvfb");
        server.args(["-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp", "-noreset"]);
        let server = server.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut server = server.expect("Xvfb is needed; tests/run installs it");
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        (server, format!(":{}", number.trim()))
    }

    #[test]
    fn a_pointer_that_the_server_moves_is_not_taken_for_the_users() {
        let (mut server, name) = screen();
        let panel = Panel { x: 0, y: 0, picture: Rc::new(Canvas::new(Size::new(9, 9), ByteOrder::Bgrx)) };
        // As it is, and made smaller.
        for (size, panels) in [((600, 400), vec![]), ((901, 701), vec![]), ((600, 400), vec![panel])] {
            let mut display = X11Display::on(Some(&name), Wish::default()).unwrap();
            display.open(Size::new(size.0, size.1), "test").unwrap();
            display.set_overlay(&Overlay { dim: false, panels });
            let told = |display: &mut X11Display| {
                let (mut told, start) = (Vec::new(), Instant::now());
                while start.elapsed() < Duration::from_millis(300) {
                    display.wait(None, Duration::from_millis(20)).unwrap();
                    told.extend(display.inputs());
                }
                let place = |input| if let Input::Pointer { x, y, .. } = input { Some((x, y)) } else { None };
                told.into_iter().filter_map(place).collect::<Vec<_>>()
            };
            let hand = |display: &X11Display, x, y| {
                let (root, connection) = (display.server.root, &display.server.connection);
                connection.xtest_fake_input(MOTION_NOTIFY_EVENT, 0, 0, root, x, y, 0).unwrap().check().unwrap();
            };
            told(&mut display);
            hand(&display, 300, 200);
            assert_eq!(told(&mut display).len(), 1, "{size:?}");
            for place in [(101, 52), (203, 151), (304, 255)] {
                display.move_pointer(place.0, place.1);
            }
            assert_eq!(told(&mut display), [], "{size:?}");
            let shown = display.shown.as_ref().unwrap();
            let pointer = display.server.connection.query_pointer(shown.window).unwrap().reply().unwrap();
            assert_eq!((pointer.win_x, pointer.win_y), shown.surface.window_at(304, 255), "{size:?}");
            // The user's hand is quicker.
            hand(&display, 310, 210);
            display.move_pointer(101, 52);
            display.move_pointer(203, 151);
            assert_eq!(told(&mut display).len(), 1, "{size:?}");
            let pointer = display.server.connection.query_pointer(display.server.root).unwrap().reply().unwrap();
            assert_eq!((pointer.root_x, pointer.root_y), (310, 210), "{size:?}");
        }
        server.kill().unwrap();
        server.wait().unwrap();
    }

    #[test]
    fn a_held_key_is_no_release_where_the_server_says_so() {
        let (mut server, name) = screen();
        let mut display = X11Display::on(Some(&name), Wish::default()).unwrap();
        assert!(display.repeats_are_presses);
        display.open(Size::new(640, 480), "test").unwrap();
        // As a server that does not know how.
        let (repeat, none) = (PerClientFlag::DETECTABLE_AUTO_REPEAT, BoolCtrl::from(0u8));
        let off = PerClientFlag::from(0u8);
        let keyboard = ID::USE_CORE_KBD.into();
        let flags = display.server.connection.xkb_per_client_flags(keyboard, repeat, off, none, none, none);
        assert_eq!(flags.unwrap().reply().unwrap().value, off);
        let mut live = |folds: bool| {
            display.repeats_are_presses = !folds;
            let (root, mut told) = (display.server.root, Vec::new());
            let strike = |display: &X11Display, kind| {
                display.server.connection.xtest_fake_input(kind, 38, 0, root, 0, 0, 0).unwrap().check().unwrap();
            };
            strike(&display, KEY_PRESS_EVENT);
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(1500) {
                display.wait(None, Duration::from_millis(50)).unwrap();
                told.extend(display.inputs());
            }
            strike(&display, KEY_RELEASE_EVENT);
            told.extend(display.inputs());
            let down = |input: Input| if let Input::Key { down, .. } = input { Some(down) } else { None };
            told.into_iter().filter_map(down).collect::<Vec<_>>()
        };
        let (without, with) = (live(false), live(true));
        server.kill().unwrap();
        server.wait().unwrap();
        let releases = |told: &[bool]| told.iter().filter(|down| !**down).count();
        assert!(releases(&without) > 3, "{without:?}");
        assert!(with.len() > 5 && releases(&with) == 1 && with.last() == Some(&false), "{with:?}");
    }
}
