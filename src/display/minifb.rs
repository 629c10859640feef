//! The portable window, by minifb: whole frames, polled input, and what it lacks made up for.
//!
//! minifb can not resize a window, shows no picture as a pointer and sends whole frames. What else it does not tell on
//! X11 comes from a second connection.

use std::cell::RefCell;
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use minifb::{InputCallback, Key, MouseButton, MouseMode, ScaleMode, Window, WindowOptions};

use super::dim::darken;
use super::keyboard::{Keyboard, Stroke};
use super::screen::{self, Screen};
use super::view::View;
use super::window_size::window_size;
use super::x11_window::{Happened, X11Window};
use super::{Abilities, Display, Error, Input, Overlay, Room, Scaling, Wish, painted, wait};
use crate::picture::{Area, ByteOrder, Canvas, Cursor, Damage, Size};

/// While the pointer is over the window: a click is two looks at a level, and a fast one lasts 10 ms.
const POLL_BUSY: Duration = Duration::from_millis(4);
/// While it is elsewhere.
const POLL_IDLE: Duration = Duration::from_millis(15);
/// Where nobody tells what was uncovered, it is black until the next frame, so there is one now and then.
const REFRESH: Duration = Duration::from_millis(500);
/// How often the view moves while the pointer is at an edge.
const STEP: Duration = Duration::from_millis(16);

/// The buttons that minifb tells of, and their bits (RFC 6143 §7.5.5; rfbproto, "ExtendedMouseButtons").
const BUTTONS: [(MouseButton, u16); 5] = [
    (MouseButton::Left, 0),
    (MouseButton::Middle, 1),
    (MouseButton::Right, 2),
    (MouseButton::Back, 7),
    (MouseButton::Forward, 8),
];

/// A window.
pub struct MinifbWindow {
    screen: Screen,
    fullscreen: bool,
    scaling: Scaling,
    inner: Option<Inner>,
    /// The desktop, in its own size.
    front: Canvas,
    cursor: Option<Cursor>,
    overlay: Overlay,
    keyboard: Keyboard,
}

struct Inner {
    window: Window,
    x11: Option<X11Window>,
    strokes: Rc<RefCell<Vec<Stroke>>>,
    view: View,
    /// When the pointer last moved it.
    pushed: Option<Instant>,
    /// What the window shows: the desktop in the window's size, what is drawn over it, and the pointer.
    shown: Canvas,
    /// To be painted anew, in the pixels of the desktop as it is shown.
    stale: Damage,
    /// Whether there are panels.
    panels: bool,
    /// Whether the pointer or what is drawn over the desktop is to be painted anew.
    changed: bool,
    presented: Option<Instant>,
    /// Where the pointer is drawn, in the window's pixels.
    pointer: Option<(i32, i32)>,
    /// What it covers there.
    drawn: Option<Area>,
    system_cursor_hidden: bool,
    buttons: u16,
    last_told: Option<(u16, u16, u16)>,
    wheel: (f32, f32),
    active: bool,
    inputs: Vec<Input>,
}

struct Callback(Rc<RefCell<Vec<Stroke>>>);

impl InputCallback for Callback {
    fn add_char(&mut self, code: u32) {
        if let Some(c) = char::from_u32(code) {
            self.0.borrow_mut().push(Stroke::Char(c));
        }
    }

    fn set_key_state(&mut self, key: Key, down: bool) {
        self.0.borrow_mut().push(Stroke::Key(key, down));
    }
}

impl MinifbWindow {
    /// Looks for a screen; the window itself opens when the desktop's size is known.
    ///
    /// # Errors
    /// [`Error`] without a display that minifb can use.
    pub fn new(wish: &Wish) -> Result<MinifbWindow, Error> {
        Ok(MinifbWindow {
            screen: screen::find()?,
            fullscreen: wish.fullscreen,
            scaling: wish.scaling,
            inner: None,
            front: Canvas::empty(),
            cursor: None,
            overlay: Overlay::default(),
            keyboard: Keyboard::default(),
        })
    }

    /// The window's size for a desktop; it can not be changed.
    fn size_for(&self, desktop: Size) -> Size {
        match self.screen.size {
            Some(screen) if self.fullscreen => screen,
            screen => window_size(desktop, screen, self.scaling),
        }
    }
}

impl Display for MinifbWindow {
    fn open(&mut self, size: Size, title: &str) -> Result<(), Error> {
        self.front.resize(size);
        let room = self.size_for(size);
        let view = View::new(self.scaling, size, room);
        let (width, height) = (usize::from(room.width), usize::from(room.height));
        let options = WindowOptions {
            borderless: self.fullscreen,
            title: !self.fullscreen,
            resize: false,
            scale_mode: ScaleMode::UpperLeft,
            ..WindowOptions::default()
        };
        let title = title.replace('\0', "");
        let mut window = Window::new(&title, width, height, options).map_err(|error| Error {
            message: format!("no window of {width}x{height} could be opened: {error}"),
            hint: Some("minifb needs the libraries libX11 and libXcursor: apt-get install libx11-6 libxcursor1"),
        })?;
        // The viewer's loop has its own pace.
        window.set_target_fps(0);
        let strokes = Rc::new(RefCell::new(Vec::new()));
        window.set_input_callback(Box::new(Callback(strokes.clone())));
        let before = self.inner.take();
        let x11 = match self.screen.wayland {
            true => None,
            // An X window's number has 29 bits.
            false => u32::try_from(window.get_window_handle() as usize).ok().and_then(X11Window::listen),
        };
        let mut stale = Damage::default();
        stale.add(view.fit().size().whole());
        self.keyboard.places = x11.as_ref().map(X11Window::places).unwrap_or_default();
        let other_room = before.as_ref().is_none_or(|before| before.shown.size() != room);
        let focused = before.as_ref().is_some_and(|before| before.active);
        let mut inputs = before.map_or_else(Vec::new, |before| before.inputs);
        inputs.extend(self.keyboard.release());
        // It was the old window's.
        inputs.extend(focused.then_some(Input::Focus(false)));
        self.inner = Some(Inner {
            window,
            x11,
            strokes,
            view,
            pushed: None,
            shown: Canvas::new(room, ByteOrder::Bgrx),
            stale,
            panels: !self.overlay.panels.is_empty(),
            changed: true,
            presented: None,
            pointer: None,
            drawn: None,
            system_cursor_hidden: false,
            buttons: 0,
            last_told: None,
            wheel: (0.0, 0.0),
            active: false,
            inputs,
        });
        let told = self.room().filter(|_| other_room).map(Input::Room);
        self.inner.iter_mut().for_each(|inner| inner.inputs.extend(told.clone()));
        Ok(())
    }

    fn take(&mut self, canvas: &Canvas, damage: &Damage, _complete: bool) {
        for &area in damage.areas() {
            self.front.update_from(canvas, area);
            if let Some(inner) = &mut self.inner
                && let Some(area) = inner.view.fit().shown(area)
            {
                inner.stale.add(area);
            }
        }
    }

    fn present(&mut self) -> Result<bool, Error> {
        let Some(inner) = &mut self.inner else { return Ok(false) };
        let refresh = inner.x11.is_none().then_some(REFRESH);
        let due = inner.presented.is_none_or(|last| refresh.is_some_and(|refresh| last.elapsed() >= refresh));
        if !inner.is_stale() && !due {
            return Ok(false);
        }
        inner.paint(&self.front, self.cursor.as_ref(), &self.overlay);
        let size = inner.shown.size();
        inner
            .window
            .update_with_buffer(inner.shown.pixels(), size.width.into(), size.height.into())
            .map_err(|error| Error { message: format!("the window failed: {error}"), hint: None })?;
        inner.presented = Some(Instant::now());
        inner.look(&mut self.keyboard, self.screen.wayland);
        Ok(true)
    }

    fn inputs(&mut self) -> Vec<Input> {
        let Some(inner) = &mut self.inner else { return Vec::new() };
        inner.window.update();
        inner.look(&mut self.keyboard, self.screen.wayland);
        std::mem::take(&mut inner.inputs)
    }

    fn wait(&mut self, wake: Option<BorrowedFd<'_>>, timeout: Duration) -> Result<(), Error> {
        let patience = match &self.inner {
            Some(inner) if inner.pointer.is_some() => POLL_BUSY,
            _ => POLL_IDLE,
        };
        wait::readable(wake, timeout.min(patience));
        Ok(())
    }

    fn set_overlay(&mut self, overlay: &Overlay) {
        let before = std::mem::replace(&mut self.overlay, overlay.clone());
        let Some(inner) = &mut self.inner else { return };
        inner.changed = true;
        if before.dim != overlay.dim || !painted::hides_all_of(overlay, &before) {
            inner.repaint();
        }
        inner.panels = !overlay.panels.is_empty();
    }

    fn abilities(&self) -> Abilities {
        Abilities { scaling: true, ..Abilities::default() }
    }

    fn set_scaling(&mut self, scaling: Scaling) {
        self.scaling = scaling;
        if let Some(inner) = &mut self.inner {
            let view = inner.view.again(scaling, self.front.size(), inner.shown.size());
            if view != inner.view {
                inner.show(view);
            }
        }
    }

    fn room(&self) -> Option<Room> {
        let size = self.inner.as_ref()?.shown.size();
        Some(Room { size, density: 1.0, fullscreen: self.fullscreen, screens: vec![size.whole()] })
    }

    fn set_title(&mut self, title: &str) {
        if let Some(inner) = &mut self.inner {
            inner.window.set_title(&title.replace('\0', ""));
        }
    }

    fn set_cursor(&mut self, cursor: Option<Cursor>) {
        // Each hiding leaks a little inside minifb, so it is done once a window.
        if let Some(inner) = self.inner.as_mut().filter(|inner| !inner.system_cursor_hidden) {
            inner.window.set_cursor_visibility(false);
            inner.system_cursor_hidden = true;
        }
        self.cursor = cursor;
        if let Some(inner) = &mut self.inner {
            inner.redraw_pointer();
        }
    }

    fn move_pointer(&mut self, x: u16, y: u16) {
        if let Some(inner) = &mut self.inner {
            inner.pointer = Some(inner.view.window_at(x, y));
            inner.redraw_pointer();
        }
    }
}

impl Inner {
    fn is_stale(&self) -> bool {
        self.changed || !self.stale.is_empty()
    }

    /// Has the place of the old pointer painted anew; a new one is drawn with every frame.
    fn redraw_pointer(&mut self) {
        self.changed = true;
    }

    /// Shows all of the desktop anew, in another way or another part of it.
    fn show(&mut self, view: View) {
        self.view = view;
        self.repaint();
        // What is under the pointer is something else.
        self.last_told = None;
    }

    /// Has everything painted anew.
    fn repaint(&mut self) {
        self.changed = true;
        self.shown.clear();
        self.drawn = None;
        self.stale.clear();
        self.stale.add(self.view.fit().size().whole());
    }

    /// Moves the view a step, if it is time and the pointer is at an edge behind which there is more.
    fn push_view(&mut self) {
        let due = self.pushed.is_none_or(|at| at.elapsed() >= STEP);
        if let Some((x, y)) = self.pointer.filter(|_| due)
            && let Some(view) = self.view.pushed(x, y)
        {
            self.pushed = Some(Instant::now());
            self.show(view);
        }
    }

    /// Brings `shown` up to date.
    fn paint(&mut self, front: &Canvas, cursor: Option<&Cursor>, overlay: &Overlay) {
        self.changed = false;
        let size = self.shown.size();
        let mut stale = self.stale.take();
        if let Some(drawn) = self.drawn.take() {
            // What is beside the desktop is black.
            if let Ok(mut target) = self.shown.target(drawn) {
                target.rows_from(0).for_each(|row| row.fill(0));
            }
            if let Some(under) = self.view.under(drawn.x(), drawn.y(), drawn.width(), drawn.height()) {
                stale.add(under);
            }
        }
        for area in stale.areas().iter().filter_map(|&area| self.view.seen(area)) {
            let (x, y) = self.view.place(area);
            let place = size.area(x.max(0) as u16, y.max(0) as u16, area.width(), area.height());
            let Some(Ok(mut target)) = place.map(|place| self.shown.target(place)) else { continue };
            if self.view.fit().is_same() {
                for (to, from) in target.rows_from(0).zip(front.rows(area)) {
                    to.copy_from_slice(from);
                }
            } else {
                self.view.fit().paint(front, area, &mut target);
            }
            if overlay.dim {
                target.rows_from(0).for_each(darken);
            }
        }
        painted::paint(overlay, &mut self.shown);
        let Some((x, y)) = self.pointer else { return };
        // Panels are there to be pointed at, even if the desktop hides its pointer.
        let arrow = (cursor.is_none() && self.system_cursor_hidden && !overlay.panels.is_empty()).then(painted::arrow);
        let Some(cursor) = cursor.or(arrow.as_ref()) else { return };
        if let Ok(mut target) = self.shown.target(size.whole()) {
            cursor.draw(&mut target, ByteOrder::Bgrx, x, y);
        }
        let part = |at: i32, hotspot: u16, length: u16, room: u16| {
            let near = (at - i32::from(hotspot)).clamp(0, room.into());
            let far = (at - i32::from(hotspot) + i32::from(length)).clamp(near, room.into());
            (near as u16, (far - near) as u16)
        };
        let (x, width) = part(x, cursor.hotspot.0, cursor.size.width, size.width);
        let (y, height) = part(y, cursor.hotspot.1, cursor.size.height, size.height);
        self.drawn = size.area(x, y, width, height);
    }

    /// Collects what happened in the window.
    fn look(&mut self, keyboard: &mut Keyboard, wayland: bool) {
        if !self.window.is_open() {
            self.inputs.push(Input::Close);
            return;
        }
        let strokes: Vec<Stroke> = self.strokes.borrow_mut().drain(..).collect();
        self.inputs.extend(keyboard.inputs(&strokes));
        let active = self.window.is_active();
        if std::mem::replace(&mut self.active, active) != active {
            if !active {
                self.inputs.extend(keyboard.release());
            }
            self.inputs.push(Input::Focus(active));
        }
        self.push_view();
        self.look_at_pointer(keyboard, wayland);
    }

    fn look_at_pointer(&mut self, keyboard: &mut Keyboard, wayland: bool) {
        let mut buttons = self.buttons;
        match &self.x11 {
            Some(x11) => {
                for happened in x11.happened() {
                    match happened {
                        Happened::Button { number, down, x, y } => buttons = self.press(buttons, number, down, x, y),
                        // The whole frame goes out again, which is all that minifb can do.
                        Happened::Uncovered => self.presented = None,
                        Happened::KeyboardChanged => {
                            keyboard.places = self.x11.as_ref().map(X11Window::places).unwrap_or_default();
                        }
                    }
                }
            }
            None => {
                buttons = 0;
                for (button, bit) in BUTTONS {
                    buttons |= u16::from(self.window.get_mouse_down(button)) << bit;
                }
            }
        }
        // A drag goes on outside of the window; anything else there is not ours.
        let mode = if buttons | self.buttons != 0 { MouseMode::Clamp } else { MouseMode::Discard };
        let Some((x, y)) = self.window.get_unscaled_mouse_pos(mode) else {
            if self.last_told.take().is_some() {
                self.pointer = None;
                self.redraw_pointer();
            }
            return;
        };
        let (x, y) = (x as i32, y as i32);
        let (desktop_x, desktop_y) = self.view.desktop_at(x, y);
        let here = (desktop_x, desktop_y, buttons);
        self.buttons = buttons;
        // Two points of a panel may lie over one pixel of the desktop.
        if self.last_told != Some(here) || self.panels && self.pointer != Some((x, y)) {
            self.last_told = Some(here);
            self.pointer = Some((x, y));
            self.redraw_pointer();
            self.inputs.push(Input::Pointer { x: desktop_x, y: desktop_y, buttons, at: (x, y) });
        }
        if self.x11.is_none() {
            self.turn_wheel(here, (x, y), wayland);
        }
    }

    /// A button of X11: the first three, the wheel's steps, back and forward have the same order in RFB (RFC 6143
    /// §7.5.5; rfbproto, "ExtendedMouseButtons").
    fn press(&mut self, buttons: u16, number: u32, down: bool, x: i32, y: i32) -> u16 {
        let bit = match number {
            1..=9 => 1 << (number - 1),
            _ => return buttons,
        };
        let buttons = if down { buttons | bit } else { buttons & !bit };
        let at = (x, y);
        let (x, y) = self.view.desktop_at(x, y);
        self.last_told = Some((x, y, buttons));
        self.inputs.push(Input::Pointer { x, y, buttons, at });
        buttons
    }

    /// A step of the wheel is a button pressed and released (RFC 6143 §7.5.5).
    fn turn_wheel(&mut self, (x, y, buttons): (u16, u16, u16), at: (i32, i32), wayland: bool) {
        // On X11 minifb counts press and release; Wayland tells pixels, about 15 a step.
        let unit = if wayland { 15.0 } else { 2.0 };
        if let Some((right, up)) = self.window.get_scroll_wheel() {
            self.wheel = (self.wheel.0 + right / unit, self.wheel.1 + up / unit);
        }
        let mut step = |turned: &mut f32, forward: u8, back: u8| {
            // The other side may send nonsense, but not a million steps at once.
            for _ in 0..32 {
                let bit = match *turned {
                    turned if turned >= 1.0 => forward,
                    turned if turned <= -1.0 => back,
                    _ => return,
                };
                *turned -= turned.signum();
                for buttons in [buttons | 1 << bit, buttons] {
                    self.inputs.push(Input::Pointer { x, y, buttons, at });
                }
            }
        };
        let (mut sideways, mut upwards) = self.wheel;
        step(&mut upwards, 3, 4);
        step(&mut sideways, 5, 6);
        self.wheel = (sideways, upwards);
    }
}
