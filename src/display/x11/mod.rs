//! The window on X11, on a connection of our own: every key, every button, damage alone, and no look without a reason.

mod front;
mod keyboard;
mod keymap;
mod overlay;
mod pixels;
mod pointer;
mod server;
mod shared;
mod surface;
mod window;

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    ButtonPressEvent, ChangeWindowAttributesAux, ClientMessageEvent, ConfigureWindowAux, ConnectionExt as _,
    CreateGCAux, EventMask, Gcontext, GrabMode, InputFocus, NotifyDetail, Window,
};

use super::{Abilities, Display, Error, Input, Overlay, Room, Wish, wait};
use crate::picture::{Canvas, Cursor, Damage, Fit, Size};
use keyboard::Keyboard;
use keymap::Keymap;
use overlay::Panels;
use server::{Server, lost};
use surface::Surface;
use window::Kind;

/// A window of the screen's size would hide its own title bar.
const ROOM_FOR_DECORATION: u16 = 48;

/// A window on an X server.
pub struct X11Display {
    server: Server,
    wish: Wish,
    kind: Kind,
    /// The screen's size as it is now.
    screen: Size,
    shown: Option<Shown>,
    /// What is to be drawn over the desktop, and what of it there is.
    overlay: Overlay,
    panels: Panels,
    keyboard: Keyboard,
    /// Whether the layout has to be read again before the next key.
    keyboard_changed: bool,
    /// Whether the window was given the focus, and not only the pointer.
    focused: bool,
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
    surface: Surface,
}

/// The pointer, as the server was told.
#[derive(Debug, Default)]
struct Pointer {
    buttons: u16,
    last: Option<(u16, u16)>,
    inside: bool,
}

impl X11Display {
    /// Connects; the window itself opens when the desktop's size is known.
    ///
    /// # Errors
    /// [`Error`] without an X server, or with one whose pixels are of an unknown kind.
    pub fn new(wish: Wish) -> Result<X11Display, Error> {
        let server = Server::connect()?;
        let kind = if wish.fullscreen { window::full_screen_kind(&server)? } else { Kind::Normal };
        // The root window tells when the screen gets another size.
        let structure = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
        server.connection.change_window_attributes(server.root, &structure).map_err(lost)?;
        keymap::subscribe(&server)?;
        Ok(X11Display {
            wish,
            kind,
            screen: server.screen,
            server,
            shown: None,
            overlay: Overlay::default(),
            panels: Panels::default(),
            keyboard: Keyboard::default(),
            keyboard_changed: true,
            focused: false,
            events: VecDeque::new(),
            inputs: Vec::new(),
            pointer: Pointer::default(),
            busy: false,
            failed: None,
        })
    }

    /// The size of a window for a desktop.
    fn size_for(&self, desktop: Size) -> Size {
        if self.kind != Kind::Normal {
            return self.screen;
        }
        // A desktop that fits exactly is left alone: somebody has chosen that size.
        let screen = self.screen;
        if desktop.width <= screen.width && desktop.height <= screen.height {
            return Size::new(desktop.width.max(1), desktop.height.max(1));
        }
        let room = |length: u16| length.saturating_sub(ROOM_FOR_DECORATION).max(64);
        Fit::inside(desktop, Size::new(room(screen.width), room(screen.height))).size()
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
        match event {
            Event::KeyPress(key) => {
                if std::mem::take(&mut self.keyboard_changed) {
                    self.keyboard.change(Keymap::read(&self.server)?);
                }
                self.inputs.extend(self.keyboard.press(key.detail, key.state));
            }
            Event::KeyRelease(key) => self.inputs.extend(self.keyboard.release(key.detail)),
            Event::MappingNotify(_) | Event::XkbMapNotify(_) | Event::XkbNewKeyboardNotify(_) => {
                self.keyboard_changed = true;
            }
            Event::FocusIn(focus) => {
                self.focused = !matches!(focus.detail, NotifyDetail::POINTER | NotifyDetail::POINTER_ROOT);
            }
            Event::FocusOut(_) => {
                self.focused = false;
                self.inputs.extend(self.keyboard.release_all());
            }
            Event::ButtonPress(button) => self.button(button, true),
            Event::ButtonRelease(button) => self.button(button, false),
            Event::MotionNotify(motion) => self.point(motion.event_x, motion.event_y),
            // Over a panel the pointer is still inside.
            Event::LeaveNotify(leave) if leave.detail == NotifyDetail::INFERIOR => {}
            Event::LeaveNotify(_) => {
                self.pointer.inside = false;
                // Without a window manager the keys go where the pointer is.
                if !self.focused {
                    self.inputs.extend(self.keyboard.release_all());
                }
            }
            Event::Expose(part) => {
                if let Some(shown) = &mut self.shown
                    && !self.panels.uncovered(&self.server, shown.gc, part)?
                {
                    shown.surface.uncovered(part.x, part.y, part.width, part.height);
                }
            }
            Event::ConfigureNotify(now) if now.window == self.server.root => {
                self.screen = Size::new(now.width, now.height);
                if self.kind == Kind::OwnFullScreen
                    && let Some(shown) = &self.shown
                {
                    resize(&self.server, shown.window, self.screen)?;
                }
            }
            Event::ConfigureNotify(now) => {
                if let Some(shown) = self.shown.as_mut().filter(|shown| shown.window == now.window) {
                    shown.size = Size::new(now.width, now.height);
                }
            }
            Event::MapNotify(mapped) if self.kind == Kind::OwnFullScreen => self.take_keyboard(mapped.window)?,
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

    /// Without a window manager nobody else gives the window its keys.
    fn take_keyboard(&self, window: Window) -> Result<(), Error> {
        let connection = &self.server.connection;
        connection.set_input_focus(InputFocus::POINTER_ROOT, window, x11rb::CURRENT_TIME).map_err(lost)?;
        let mode = GrabMode::ASYNC;
        let grab = connection.grab_keyboard(true, window, x11rb::CURRENT_TIME, mode, mode).map_err(lost)?;
        // Who holds it already keeps it; the focus is enough for most keys.
        grab.discard_reply_and_errors();
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
        self.point(event.event_x, event.event_y);
    }

    /// The pointer is here. While a button is down that may be outside of the window.
    fn point(&mut self, x: i16, y: i16) {
        let Some(shown) = &self.shown else { return };
        let at = (x.into(), y.into());
        let (x, y) = shown.surface.desktop_at(x, y);
        self.pointer.inside = true;
        if self.pointer.last.replace((x, y)) != Some((x, y)) {
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
        if let Some(shown) = self.shown.as_mut().filter(|shown| Some(shown.size) != size) {
            shown.arrange(&self.server)?;
        }
        Ok(())
    }
}

impl Shown {
    /// Fits the desktop into the window anew; what is left over is black.
    fn arrange(&mut self, server: &Server) -> Result<(), Error> {
        self.surface.arrange(server, self.size)?;
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
        let room = self.size_for(size);
        let Some(shown) = self.shown.take() else {
            let window = window::open(&self.server, self.kind, room, title)?;
            let gc = self.server.id()?;
            let unasked = CreateGCAux::new().graphics_exposures(0);
            self.server.connection.create_gc(gc, window, &unasked).map_err(lost)?;
            let surface = Surface::new(&self.server, window, gc, size, room)?;
            self.shown = Some(Shown { window, gc, size: room, surface });
            return self.draw_over();
        };
        let Shown { window, gc, size: before, surface } = shown;
        surface.release(&self.server)?;
        // One that covers the screen keeps its size, whatever that is.
        let room = if self.kind == Kind::Normal { room } else { before };
        let surface = Surface::new(&self.server, window, gc, size, room)?;
        let mut shown = Shown { window, gc, size: room, surface };
        if room != before {
            resize(&self.server, window, room)?;
        }
        shown.arrange(&self.server)?;
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
            let server = self.server.connection.stream().as_fd();
            wait::readable(wake.into_iter().chain([server]), timeout);
        }
        Ok(())
    }

    fn is_busy(&self) -> bool {
        self.busy
    }

    fn set_overlay(&mut self, overlay: &Overlay) {
        self.overlay = overlay.clone();
        if let Err(error) = self.draw_over() {
            self.failed.get_or_insert(error);
        }
    }

    fn abilities(&self) -> Abilities {
        Abilities::default()
    }

    fn room(&self) -> Option<Room> {
        let shown = self.shown.as_ref()?;
        Some(Room {
            size: shown.size,
            density: 1.0,
            fullscreen: self.wish.fullscreen,
            screens: vec![shown.size.whole()],
        })
    }

    fn set_title(&mut self, title: &str) {
        if let Some(shown) = &self.shown
            && let Err(error) = window::set_title(&self.server, shown.window, title)
        {
            self.failed.get_or_insert(error);
        }
    }

    fn set_cursor(&mut self, cursor: Option<Cursor>) {
        if let Some(shown) = &self.shown
            && let Err(error) = pointer::set(&self.server, shown.window, cursor.as_ref())
        {
            self.failed.get_or_insert(error);
        }
    }

    fn move_pointer(&mut self, x: u16, y: u16) {
        let Some(shown) = self.shown.as_ref().filter(|_| self.pointer.inside) else { return };
        let (to_x, to_y) = shown.surface.window_at(x, y);
        // The server knows where it is.
        self.pointer.last = Some((x, y));
        let none = x11rb::NONE;
        if let Err(error) = self.server.connection.warp_pointer(none, shown.window, 0, 0, 0, 0, to_x, to_y) {
            self.failed.get_or_insert(lost(error));
        }
    }
}
