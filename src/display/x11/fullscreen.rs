//! Which screens the window covers: with the help of a window manager, or by itself; and the room that it has.

use std::time::{Duration, Instant};

use x11rb::errors::ReplyError;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ClientMessageEvent, ConfigureWindowAux, ConnectionExt as _, EventMask, StackMode, Window,
};

use super::super::window_size::window_size;
use super::super::{Error, Input, Room, Screens};
use super::X11Display;
use super::monitors::{self, Monitor, Place, Version};
use super::server::{Server, lost};
use super::window::{self, Kind};
use crate::picture::Size;

/// How long a window manager may take to let the window cover the screen.
const PATIENCE: Duration = Duration::from_secs(3);
/// What a window manager is told to do with a state (EWMH, "_NET_WM_STATE").
const REMOVE: u32 = 0;
const ADD: u32 = 1;
/// Who wants it: a program, not a pager (EWMH, "source indication").
const PROGRAM: u32 = 1;

/// What is known of the screens and of the window's place on them.
pub(super) struct Covering {
    randr: Version,
    monitors: Vec<Monitor>,
    /// What the user has set.
    dots: Option<f32>,
    /// The window's.
    place: Place,
    /// Where the window was before it covered the screen by itself.
    before: Option<Place>,
    /// The size for a window that covered the screen before there was a desktop, once it does not any more.
    later: Option<Size>,
    /// That size is on its way, until then: what the window has before is nobody's wish.
    coming: Option<(Size, Instant)>,
    /// Whether the window manager says that the window covers the screen.
    managed: bool,
    /// What has to be asked again.
    monitors_changed: bool,
    place_changed: bool,
    state_changed: bool,
    /// When a window manager that was asked should have done it.
    due: Option<Instant>,
    told: Option<Room>,
}

impl Covering {
    /// Looks at the screens, and listens for changes.
    pub(super) fn start(server: &Server) -> Result<Covering, Error> {
        let randr = monitors::subscribe(server)?;
        Ok(Covering {
            randr,
            monitors: monitors::read(server, randr)?,
            dots: monitors::dots_set(server)?,
            place: Place::default(),
            before: None,
            later: None,
            coming: None,
            managed: false,
            monitors_changed: false,
            place_changed: false,
            state_changed: false,
            due: None,
            told: None,
        })
    }

    /// Whether a monitor is covered.
    fn is_whole(&self) -> bool {
        self.monitors.iter().any(|monitor| self.place.covers(monitor.place))
    }
}

impl X11Display {
    /// The size of a window that does not cover the screen, for a desktop.
    pub(super) fn size_for(&self, desktop: Size) -> Size {
        let screen = self.here().map_or(self.screen, |monitor| monitor.place.size);
        window_size(desktop, Some(screen), self.wish.scaling)
    }

    /// The monitor with most of the window, or with the pointer before there is one.
    fn here(&self) -> Option<Monitor> {
        monitors::with_most_of(&self.covering.monitors, self.covering.place)
    }

    /// The monitors that are to be covered.
    fn meant(&self) -> Vec<Monitor> {
        monitors::meant(&self.covering.monitors, &self.wish.screens, self.covering.place).0
    }

    /// The same; says which there are not.
    fn meant_aloud(&self) -> Vec<Monitor> {
        let (meant, missing) = monitors::meant(&self.covering.monitors, &self.wish.screens, self.covering.place);
        let many = self.covering.monitors.len();
        let none = matches!(&self.wish.screens, Screens::These(numbers) if numbers.len() == missing.len());
        let instead = if none { "; the current one is covered" } else { "" };
        for number in missing {
            tracing::warn!("there is no screen {number}, only {many}{instead}; try --screens current or --screens all");
        }
        meant
    }

    /// Where the window opens for a desktop of this size, and who decides of it.
    pub(super) fn opening(&mut self, desktop: Size) -> Result<Place, Error> {
        self.covering.monitors = monitors::read(&self.server, self.covering.randr)?;
        self.covering.place = monitors::pointer(&self.server)?;
        self.kind = if self.wish.fullscreen { window::full_screen_kind(&self.server)? } else { Kind::Normal };
        let size = self.size_for(desktop);
        let origin = |monitor: Monitor| Place { size, ..monitor.place };
        let place = match self.kind {
            Kind::Normal => self.here().map(origin),
            // What it has when it does not cover the screen any more.
            Kind::ManagedFullScreen => self.meant_aloud().first().map(|&monitor| centred(size, monitor.place)),
            Kind::OwnFullScreen => {
                self.covering.before = self.here().map(origin);
                Place::around(self.meant_aloud().iter().map(|monitor| monitor.place))
            }
        };
        let place = place.unwrap_or(Place { x: 0, y: 0, size });
        self.covering.place = place;
        self.covering.due = (self.kind == Kind::ManagedFullScreen).then(|| Instant::now() + PATIENCE);
        Ok(place)
    }

    /// The window covers the screen already, and now there is a desktop: what it is to be as a window.
    pub(super) fn opened_early(&mut self, desktop: Size) {
        if self.kind == Kind::ManagedFullScreen {
            self.covering.later = Some(self.size_for(desktop));
        }
    }

    /// Takes note of what changes the window's place, or the screens.
    pub(super) fn note_screens(&mut self, event: &Event) -> Result<(), Error> {
        let window = self.shown.as_ref().map(|shown| shown.window);
        match event {
            Event::ConfigureNotify(now) if now.window == self.server.root => {
                self.screen = Size::new(now.width, now.height);
                self.covering.monitors_changed = true;
            }
            Event::RandrScreenChangeNotify(_) | Event::RandrNotify(_) => self.covering.monitors_changed = true,
            Event::ConfigureNotify(now) if Some(now.window) == window => self.covering.place_changed = true,
            Event::ReparentNotify(now) if Some(now.window) == window => self.covering.place_changed = true,
            Event::PropertyNotify(now) if Some(now.window) == window && now.atom == self.server.atoms._NET_WM_STATE => {
                self.covering.state_changed = true;
            }
            Event::MapNotify(now) if Some(now.window) == window && self.kind == Kind::ManagedFullScreen => {
                self.name_screens(now.window)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Follows what was taken note of.
    pub(super) fn follow_screens(&mut self) -> Result<(), Error> {
        let changed = std::mem::take(&mut self.covering.monitors_changed);
        if changed {
            self.covering.monitors = monitors::read(&self.server, self.covering.randr)?;
            self.covering.dots = monitors::dots_set(&self.server)?;
        }
        let Some(shown) = &self.shown else { return Ok(()) };
        let (window, size) = (shown.window, shown.size);
        if std::mem::take(&mut self.covering.place_changed) {
            let asked = self.server.connection.translate_coordinates(window, self.server.root, 0, 0).map_err(lost)?;
            match asked.reply() {
                Ok(at) => self.covering.place = Place { x: at.dst_x.into(), y: at.dst_y.into(), size },
                // The window is gone, which is told next.
                Err(ReplyError::X11Error(_)) => {}
                Err(error) => return Err(lost(error)),
            }
        }
        if std::mem::take(&mut self.covering.state_changed) {
            self.covering.managed = window::is_full_screen(&self.server, window)?;
        }
        match self.kind {
            Kind::OwnFullScreen if changed => self.cover_alone(window)?,
            Kind::ManagedFullScreen if changed => self.name_screens(window)?,
            _ => {}
        }
        self.follow_manager();
        if self.kind == Kind::Normal
            && let Some(size) = self.covering.later.take()
        {
            super::resize(&self.server, window, size)?;
            self.covering.coming = Some((size, Instant::now() + super::ON_ITS_WAY));
        }
        Ok(())
    }

    /// Finds out what the window manager has made of a wish, or what the user has done without us.
    fn follow_manager(&mut self) {
        let whole = self.covering.managed && self.covering.is_whole();
        if let Some(due) = self.covering.due {
            let done = if self.kind == Kind::Normal { !self.covering.managed } else { whole };
            if !done && Instant::now() < due {
                return;
            }
            self.covering.due = None;
            if !done && self.kind == Kind::ManagedFullScreen {
                tracing::warn!("the window manager does not let the window cover the screen; it stays a window");
                self.kind = Kind::Normal;
                self.wish.fullscreen = false;
            }
        }
        if self.kind == Kind::Normal && whole {
            self.kind = Kind::ManagedFullScreen;
            self.wish.fullscreen = true;
        } else if self.kind == Kind::ManagedFullScreen && !self.covering.managed {
            self.kind = Kind::Normal;
            self.wish.fullscreen = false;
        }
    }

    /// How long nothing need be looked at for the window manager's sake.
    pub(super) fn until_manager_is_due(&self) -> Duration {
        let coming = self.covering.coming.map(|(_, until)| until);
        let due = self.covering.due.into_iter().chain(coming).min();
        due.map_or(Duration::MAX, |due| due.saturating_duration_since(Instant::now()))
    }

    /// Covers the screen, or stops doing so.
    pub(super) fn cover(&mut self, fullscreen: bool) -> Result<(), Error> {
        if fullscreen == self.wish.fullscreen {
            return Ok(());
        }
        self.wish.fullscreen = fullscreen;
        let Some(shown) = &self.shown else { return Ok(()) };
        let (window, desktop) = (shown.window, shown.surface.desktop());
        let kind = window::full_screen_kind(&self.server)?;
        match (fullscreen, self.kind, kind) {
            (true, _, Kind::OwnFullScreen) => {
                self.kind = kind;
                self.covering.before = Some(self.covering.place);
                self.meant_aloud();
                self.override_redirect(window, true)?;
                self.cover_alone(window)?;
                self.take_keyboard(window)?;
            }
            (true, ..) => {
                self.kind = kind;
                let meant = self.meant_aloud();
                if let Some(&first) = meant.first()
                    && !meant.iter().any(|monitor| Some(*monitor) == self.here())
                {
                    let place = centred(self.covering.place.size, first.place);
                    let to = ConfigureWindowAux::new().x(place.x).y(place.y);
                    self.server.connection.configure_window(window, &to).map_err(lost)?;
                }
                self.ask_manager(window, ADD)?;
                self.name_screens(window)?;
            }
            (false, Kind::OwnFullScreen, now) => {
                self.kind = Kind::Normal;
                let before = self.covering.before.take().unwrap_or(self.covering.place);
                self.covering.place = before;
                let place = Place { size: self.size_for(desktop), ..before };
                // A window manager that came later takes notice of windows only when they are mapped.
                let managed = now == Kind::ManagedFullScreen;
                if managed {
                    self.server.connection.unmap_window(window).map_err(lost)?;
                }
                self.override_redirect(window, false)?;
                put(&self.server, window, place)?;
                if managed {
                    self.server.connection.map_window(window).map_err(lost)?;
                }
            }
            // Nobody is left to be asked.
            (false, _, Kind::OwnFullScreen) => {
                self.kind = Kind::Normal;
                self.covering.managed = false;
                let state = self.server.atoms._NET_WM_STATE;
                self.server.connection.delete_property(window, state).map_err(lost)?;
                let place = Place { size: self.size_for(desktop), ..self.covering.place };
                put(&self.server, window, place)?;
            }
            (false, ..) => {
                self.kind = Kind::Normal;
                self.ask_manager(window, REMOVE)?;
            }
        }
        Ok(())
    }

    /// Without a window manager: lies over all that is meant.
    fn cover_alone(&self, window: Window) -> Result<(), Error> {
        let screen = Place { x: 0, y: 0, size: self.screen };
        let place = Place::around(self.meant().iter().map(|monitor| monitor.place)).unwrap_or(screen);
        put(&self.server, window, place)?;
        let above = ConfigureWindowAux::new().stack_mode(StackMode::ABOVE);
        self.server.connection.configure_window(window, &above).map(drop).map_err(lost)
    }

    fn override_redirect(&self, window: Window, on: bool) -> Result<(), Error> {
        let attributes = ChangeWindowAttributesAux::new().override_redirect(u32::from(on));
        self.server.connection.change_window_attributes(window, &attributes).map(drop).map_err(lost)
    }

    fn ask_manager(&mut self, window: Window, action: u32) -> Result<(), Error> {
        self.covering.due = Some(Instant::now() + PATIENCE);
        let atoms = &self.server.atoms;
        self.send_manager(window, atoms._NET_WM_STATE, [action, atoms._NET_WM_STATE_FULLSCREEN, 0, PROGRAM, 0])
    }

    /// Tells the window manager which screens are meant.
    fn name_screens(&self, window: Window) -> Result<(), Error> {
        if self.wish.screens == Screens::Current {
            return Ok(());
        }
        let meant = self.meant();
        let Some([top, bottom, left, right]) = monitors::edges(&meant) else { return Ok(()) };
        let kind = self.server.atoms._NET_WM_FULLSCREEN_MONITORS;
        if meant.len() > 1 && !window::is_supported(&self.server, kind)? {
            tracing::warn!("the window manager covers one screen, not several");
        }
        self.send_manager(window, kind, [top, bottom, left, right, PROGRAM])
    }

    fn send_manager(&self, window: Window, kind: u32, data: [u32; 5]) -> Result<(), Error> {
        let message = ClientMessageEvent::new(32, window, kind, data);
        let listeners = EventMask::SUBSTRUCTURE_NOTIFY | EventMask::SUBSTRUCTURE_REDIRECT;
        self.server.connection.send_event(false, self.server.root, listeners, message).map(drop).map_err(lost)
    }

    /// The room that the window has.
    pub(super) fn room_now(&self) -> Option<Room> {
        let size = self.shown.as_ref()?.size;
        let place = Place { size, ..self.covering.place };
        Some(Room {
            size,
            density: monitors::density(self.covering.dots, self.here()),
            fullscreen: match self.kind {
                Kind::Normal => false,
                Kind::ManagedFullScreen => self.covering.managed && self.covering.is_whole(),
                Kind::OwnFullScreen => true,
            },
            screens: monitors::covered(&self.covering.monitors, place),
        })
    }

    /// Tells of the room if it is another one than was told.
    pub(super) fn tell_room(&mut self) {
        let room = self.room_now();
        // The manager may change the size first and say why afterwards.
        let covered = |room: &Option<Room>| room.as_ref().is_some_and(|room| room.fullscreen);
        if self.covering.later.is_some() && covered(&self.covering.told) && !covered(&room) {
            return;
        }
        if let Some((size, until)) = self.covering.coming
            && Instant::now() < until
            && room.as_ref().is_some_and(|room| room.size != size)
        {
            return;
        }
        self.covering.coming = None;
        if room != self.covering.told {
            self.inputs.extend(room.clone().map(Input::Room));
            self.covering.told = room;
        }
    }
}

/// A window of this size in the middle of a monitor.
fn centred(size: Size, monitor: Place) -> Place {
    let border = |room: u16, length: u16| i32::from(room.saturating_sub(length) / 2);
    let (x, y) = (border(monitor.size.width, size.width), border(monitor.size.height, size.height));
    Place { x: monitor.x.saturating_add(x), y: monitor.y.saturating_add(y), size }
}

/// Gives the window this place and size.
fn put(server: &Server, window: Window, place: Place) -> Result<(), Error> {
    let (width, height) = (u32::from(place.size.width.max(1)), u32::from(place.size.height.max(1)));
    let place = ConfigureWindowAux::new().x(place.x).y(place.y).width(width).height(height);
    server.connection.configure_window(window, &place).map(drop).map_err(lost)
}
