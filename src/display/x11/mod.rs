//! The window on X11, on a connection of our own: every key, every button, damage alone, and no look without a reason.

mod clipboard;
mod front;
mod fullscreen;
mod grab;
mod input;
mod keyboard;
mod keymap;
mod led;
mod locks;
mod monitors;
mod motion;
mod overlay;
mod panning;
mod pixels;
mod pointer;
mod server;
mod shared;
mod surface;
mod window;

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    ButtonPressEvent, ChangeWindowAttributesAux, ClientMessageEvent, ConfigureWindowAux, ConnectionExt as _,
    CreateGCAux, EventMask, Gcontext, Window,
};

use super::{Abilities, Display, Error, Input, Locks, Overlay, Room, Scaling, Wish, wait};
use crate::picture::{Canvas, Cursor, Damage, Size};
use clipboard::Clipboard;
use fullscreen::Covering;
use input::{Focus, Holds};
use keyboard::Keyboard;
use led::Led;
use overlay::Panels;
use server::{Server, lost};
use surface::Surface;
use window::Kind;

/// For how long a size that was asked for may be on its way.
const ON_ITS_WAY: Duration = Duration::from_millis(500);

/// A window on an X server.
pub struct X11Display {
    server: Server,
    wish: Wish,
    kind: Kind,
    /// The screen's size as it is now.
    screen: Size,
    covering: Covering,
    shown: Option<Shown>,
    /// What is to be drawn over the desktop, and what of it there is.
    overlay: Overlay,
    panels: Panels,
    keyboard: Keyboard,
    /// Whether the layout has to be read again before the next key.
    keyboard_changed: bool,
    /// Whether a held key is told of as pressed again and again, and not as released as well.
    repeats_are_presses: bool,
    focus: Focus,
    holds: Holds,
    /// What the server told of its locks last.
    locks: Option<Locks>,
    clipboard: Clipboard,
    /// What happened and was not looked at yet.
    events: VecDeque<Event>,
    inputs: Vec<Input>,
    pointer: Pointer,
    /// The last thing that was shown is not at its place yet.
    busy: bool,
    /// Why there is no window any more.
    failed: Option<Error>,
}

/// What there is once the desktop's size is known.
struct Shown {
    window: Window,
    gc: Gcontext,
    /// The window's.
    size: Size,
    /// When it was last given the size of its desktop.
    resized: Option<Instant>,
    surface: Surface,
}

/// The pointer, as the server was told.
#[derive(Debug, Default)]
struct Pointer {
    buttons: u16,
    last: Option<(u16, u16)>,
    /// In the window, as soon as what was asked for has come into effect.
    at: (i16, i16),
    inside: bool,
    led: Led,
    /// When it last moved the view.
    pushed: Option<Instant>,
}

impl X11Display {
    /// Connects; the window itself opens when the desktop's size is known.
    ///
    /// # Errors
    /// [`Error`] without an X server, or with one whose pixels are of an unknown kind.
    pub fn new(wish: Wish) -> Result<X11Display, Error> {
        X11Display::on(None, wish)
    }

    /// The same on the X server with this name; `None` is the one that DISPLAY names.
    ///
    /// # Errors
    /// As [`new`](X11Display::new).
    pub fn on(display: Option<&str>, wish: Wish) -> Result<X11Display, Error> {
        let server = Server::connect(display)?;
        // The root window tells when the screen gets another size.
        let structure = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
        server.connection.change_window_attributes(server.root, &structure).map_err(lost)?;
        Ok(X11Display {
            repeats_are_presses: keymap::subscribe(&server)?,
            clipboard: Clipboard::new(&server, wish.clipboard)?,
            wish,
            kind: Kind::Normal,
            screen: server.screen,
            covering: Covering::start(&server)?,
            server,
            shown: None,
            overlay: Overlay::default(),
            panels: Panels::default(),
            keyboard: Keyboard::default(),
            keyboard_changed: true,
            focus: Focus::default(),
            holds: Holds::default(),
            locks: None,
            events: VecDeque::new(),
            inputs: Vec::new(),
            pointer: Pointer::default(),
            busy: false,
            failed: None,
        })
    }

    /// Reads what the server sent, without waiting.
    fn collect(&mut self) {
        loop {
            match self.server.connection.poll_for_event() {
                Ok(Some(event)) => self.events.push_back(event),
                Ok(None) => return,
                Err(error) => {
                    self.failed.get_or_insert_with(|| lost(error));
                    return;
                }
            }
        }
    }

    /// Why there is no window any more, if so.
    fn check(&mut self) -> Result<(), Error> {
        self.failed.take().map_or(Ok(()), Err)
    }

    fn happened(&mut self, event: &Event) -> Result<(), Error> {
        self.note_screens(event)?;
        if self.felt(event)? {
            return Ok(());
        }
        if let Some(text) = self.clipboard.happened(&self.server, event)? {
            self.inputs.push(Input::Clipboard(text));
        }
        match event {
            Event::ButtonPress(button) => self.button(button, true),
            Event::ButtonRelease(button) => self.button(button, false),
            Event::Expose(part) => {
                if let Some(shown) = &mut self.shown
                    && !self.panels.uncovered(&self.server, shown.gc, part)?
                {
                    shown.surface.uncovered(part.x, part.y, part.width, part.height);
                }
            }
            Event::ConfigureNotify(now) => {
                if let Some(shown) = self.shown.as_mut().filter(|shown| shown.window == now.window) {
                    shown.size = Size::new(now.width, now.height);
                }
            }
            Event::MapNotify(mapped) if self.kind == Kind::OwnFullScreen => self.take_keyboard(mapped.window)?,
            // Nobody asked: what is there no more is drawn no more.
            Event::DestroyNotify(gone) if self.shown.as_ref().is_some_and(|shown| shown.window == gone.window) => {
                self.shown = None;
                self.inputs.push(Input::Close);
            }
            Event::ClientMessage(message) => {
                let atoms = &self.server.atoms;
                if message.type_ == atoms.SSHVNC_SHOWN {
                    self.busy = false;
                } else if message.type_ == atoms.WM_PROTOCOLS && message.data.as_data32()[0] == atoms.WM_DELETE_WINDOW {
                    self.inputs.push(Input::Close);
                }
            }
            Event::Error(error) => tracing::debug!("the X server did not do what it was asked for: {error:?}"),
            _ => {}
        }
        Ok(())
    }

    /// A button of X11: the first three, the wheel's steps, back and forward have the same order in RFB (RFC 6143
    /// §7.5.5; rfbproto, "ExtendedMouseButtons").
    fn button(&mut self, event: &ButtonPressEvent, down: bool) {
        let bit = match event.detail {
            number @ 1..=9 => 1 << (number - 1),
            _ => return,
        };
        let buttons = if down { self.pointer.buttons | bit } else { self.pointer.buttons & !bit };
        if buttons == self.pointer.buttons {
            return;
        }
        self.pointer.buttons = buttons;
        self.pointer.last = None;
        self.pointer.led.forget();
        if self.keeps_pointer() {
            self.inputs.push(Input::Motion { dx: 0, dy: 0, buttons });
            return;
        }
        self.point(event.event_x, event.event_y);
    }

    /// The pointer is here. While a button is down that may be outside of the window.
    fn point(&mut self, x: i16, y: i16) {
        let Some(shown) = &self.shown else { return };
        // Two points of a panel may lie over one pixel of the desktop.
        let moved = std::mem::replace(&mut self.pointer.at, (x, y)) != (x, y) && !self.overlay.panels.is_empty();
        let at = (x.into(), y.into());
        let (x, y) = shown.surface.desktop_at(x, y);
        self.pointer.inside = true;
        if self.pointer.last.replace((x, y)) != Some((x, y)) || moved {
            self.inputs.push(Input::Pointer { x, y, buttons: self.pointer.buttons, at });
        }
    }

    /// Draws over the desktop what is to be drawn there.
    fn draw_over(&mut self) -> Result<(), Error> {
        let Some(shown) = &mut self.shown else { return Ok(()) };
        shown.surface.set_dim(self.overlay.dim);
        self.panels.show(&self.server, (shown.window, shown.gc), &self.overlay)
    }

    fn look(&mut self) -> Result<(), Error> {
        self.collect();
        let size = self.shown.as_ref().map(|shown| shown.size);
        while let Some(event) = self.events.pop_front() {
            self.happened(&event)?;
        }
        self.follow_screens()?;
        if let Some(shown) = self.shown.as_mut().filter(|shown| Some(shown.size) != size) {
            shown.arrange(&self.server, self.wish.scaling)?;
        }
        self.push_view();
        self.tell_room();
        self.settle()
    }

    /// Keeps what went wrong until somebody can be told.
    fn note(&mut self, done: Result<(), Error>) {
        if let Err(error) = done {
            self.failed.get_or_insert(error);
        }
    }
}

impl Shown {
    /// Fits the desktop into the window anew; what is left over is black.
    fn arrange(&mut self, server: &Server, scaling: Scaling) -> Result<(), Error> {
        self.surface.arrange(server, scaling, self.size)?;
        server.connection.clear_area(false, self.window, 0, 0, 0, 0).map(drop).map_err(lost)
    }
}

fn resize(server: &Server, window: Window, size: Size) -> Result<(), Error> {
    let size = ConfigureWindowAux::new().width(u32::from(size.width)).height(u32::from(size.height));
    server.connection.configure_window(window, &size).map(drop).map_err(lost)
}

impl Display for X11Display {
    fn open(&mut self, size: Size, title: &str) -> Result<(), Error> {
        self.check()?;
        let scaling = self.wish.scaling;
        let Some(shown) = self.shown.take() else {
            let place = self.opening(size)?;
            let window = window::open(&self.server, self.kind, place, title)?;
            let gc = self.server.id()?;
            let unasked = CreateGCAux::new().graphics_exposures(0);
            self.server.connection.create_gc(gc, window, &unasked).map_err(lost)?;
            self.ask_for_grabs(window)?;
            let surface = Surface::new(&self.server, (window, gc), size, scaling, place.size)?;
            self.shown = Some(Shown { window, gc, size: place.size, resized: None, surface });
            return self.draw_over();
        };
        let Shown { window, gc, size: before, resized, surface } = shown;
        if surface.desktop().pixels() == 0 {
            self.opened_early(size);
        }
        // One that covers the screen keeps its size, and one that the user has given another size than the desktop's.
        let follows = before == self.size_for(surface.desktop()) || resized.is_some_and(|at| at.elapsed() < ON_ITS_WAY);
        let room = if self.kind == Kind::Normal && follows { self.size_for(size) } else { before };
        let mut next = Surface::new(&self.server, (window, gc), size, scaling, room)?;
        next.keep(&self.server, &surface);
        surface.release(&self.server)?;
        let mut shown = Shown { window, gc, size: room, resized, surface: next };
        if room != before {
            resize(&self.server, window, room)?;
            shown.resized = Some(Instant::now());
        }
        shown.arrange(&self.server, scaling)?;
        self.shown = Some(shown);
        self.set_title(title);
        self.draw_over()
    }

    fn take(&mut self, canvas: &Canvas, damage: &Damage, _complete: bool) {
        if let Some(shown) = &mut self.shown {
            shown.surface.take(&self.server, canvas, damage);
        }
    }

    fn present(&mut self) -> Result<bool, Error> {
        self.check()?;
        let Some(shown) = self.shown.as_mut().filter(|_| !self.busy) else { return Ok(false) };
        if !shown.surface.present(&self.server)? {
            return Ok(false);
        }
        // The server does one thing after the other: when this comes back, all of it is shown.
        let shown_all = ClientMessageEvent::new(32, shown.window, self.server.atoms.SSHVNC_SHOWN, [0; 5]);
        self.server.connection.send_event(false, shown.window, EventMask::NO_EVENT, shown_all).map_err(lost)?;
        self.server.connection.flush().map_err(lost)?;
        self.busy = true;
        Ok(true)
    }

    fn inputs(&mut self) -> Vec<Input> {
        if let Err(error) = self.look() {
            self.failed.get_or_insert(error);
        }
        std::mem::take(&mut self.inputs)
    }

    fn wait(&mut self, wake: Option<BorrowedFd<'_>>, timeout: Duration) -> Result<(), Error> {
        self.server.connection.flush().map_err(lost)?;
        self.collect();
        self.check()?;
        if self.events.is_empty() {
            let timeout = timeout.min(self.until_manager_is_due()).min(self.until_view_moves());
            let server = self.server.connection.stream().as_fd();
            let due = self.due().map_or(Duration::MAX, |due| due.saturating_duration_since(Instant::now()));
            let timeout = timeout.min(due);
            wait::readable(wake.into_iter().chain([server]), timeout);
        }
        Ok(())
    }

    fn is_busy(&self) -> bool {
        self.busy
    }

    fn set_overlay(&mut self, overlay: &Overlay) {
        self.overlay = overlay.clone();
        let done = self.draw_over();
        self.note(done);
    }

    fn abilities(&self) -> Abilities {
        Abilities { fullscreen: true, grab: true, clipboard: true, keep_pointer: true, scaling: true }
    }

    fn room(&self) -> Option<Room> {
        self.room_now()
    }

    fn set_fullscreen(&mut self, fullscreen: bool) {
        // Whether the keys are taken may depend on it.
        let done = self.cover(fullscreen).and_then(|()| self.settle());
        self.note(done);
    }

    fn set_scaling(&mut self, scaling: Scaling) {
        let done = self.scale(scaling);
        self.note(done);
    }

    fn set_grab(&mut self, grab: bool) {
        let done = self.want_keys(grab);
        self.note(done);
    }

    fn keep_pointer(&mut self, keep: bool) {
        let done = self.want_pointer(keep);
        self.note(done);
    }

    fn set_locks(&mut self, locks: Option<Locks>) {
        let done = self.want_locks(locks);
        self.note(done);
    }

    fn set_clipboard(&mut self, text: &str) {
        let done = self.clipboard.offer(&self.server, text);
        if matches!(done, Ok(true)) {
            self.inputs.push(Input::ClipboardTaken);
        }
        self.note(done.map(drop));
    }

    fn bell(&mut self) {
        let done = self.server.connection.bell(0).map(drop).map_err(lost);
        self.note(done);
    }

    fn release_keys(&mut self) -> Vec<Input> {
        self.keyboard.release_all().collect()
    }

    fn set_title(&mut self, title: &str) {
        if let Some(shown) = &self.shown
            && let Err(error) = window::set_title(&self.server, shown.window, title)
        {
            self.failed.get_or_insert(error);
        }
    }

    fn set_cursor(&mut self, cursor: Option<Cursor>) {
        let cursor = if self.wish.dot_cursor { pointer::or_dot(cursor) } else { cursor };
        if let Some(shown) = &self.shown
            && let Err(error) = pointer::set(&self.server, shown.window, cursor.as_ref())
        {
            self.failed.get_or_insert(error);
        }
    }

    fn move_pointer(&mut self, x: u16, y: u16) {
        let free = self.pointer.inside && !self.keeps_pointer();
        let Some(shown) = self.shown.as_ref().filter(|_| free) else { return };
        let to = shown.surface.window_at(x, y);
        // The server knows where it is.
        self.pointer.last = Some((x, y));
        // What is not seen is not followed: the view would go there and take the server's pointer along.
        let seen = |at: i16, length: u16| (0..i32::from(length)).contains(&at.into());
        if to == self.pointer.at || !seen(to.0, shown.size.width) || !seen(to.1, shown.size.height) {
            return;
        }
        let at = std::mem::replace(&mut self.pointer.at, to);
        if let Err(error) = self.pointer.led.lead(&self.server, shown.window, at, to) {
            self.failed.get_or_insert(error);
        }
    }
}
