//! A window of the front end for X11 in this process: what it is told is seen on its screen, and what it tells is kept.

use std::time::{Duration, Instant};

use sshvnc::display::{Display, Input, Room, Wish, X11Display};
use sshvnc::picture::{Area, ByteOrder, Canvas, Damage, Fit, Size};

use super::viewer::Picture;
use super::window;

/// A window, and the desktop that is painted.
pub struct OwnWindow {
    pub display: X11Display,
    pub screen: String,
    pub canvas: Canvas,
    pub told: Vec<Input>,
}

impl OwnWindow {
    /// A window for a desktop of noise.
    pub fn open(screen: &str, wish: Wish, size: Size) -> OwnWindow {
        let display = X11Display::on(Some(screen), wish).unwrap();
        let mut window = OwnWindow { display, screen: screen.to_owned(), canvas: Canvas::empty(), told: Vec::new() };
        window.resize(size);
        assert!(window.within(|window| window::id_on(&window.screen).is_some()), "no window");
        window
    }

    /// Another desktop of noise.
    pub fn resize(&mut self, size: Size) {
        self.display.open(size, "test - sshvnc").unwrap();
        self.canvas = Canvas::new(size, ByteOrder::Bgrx);
        self.paint(size.whole(), 1);
    }

    /// Paints part of the desktop.
    pub fn paint(&mut self, area: Area, seed: u32) {
        for (y, row) in (0..).zip(self.canvas.target(area).unwrap().rows_from(0)) {
            for (x, pixel) in (0u32..).zip(row) {
                *pixel = (x * 7919 + y * 104_729 + seed * 31).wrapping_mul(2_654_435_761) >> 8;
            }
        }
        let mut damage = Damage::default();
        damage.add(area);
        self.display.take(&self.canvas, &damage, true);
    }

    /// Does what a viewer does, once.
    pub fn turn(&mut self) {
        self.display.wait(None, Duration::from_millis(20)).unwrap();
        self.told.extend(self.display.inputs());
        if !self.display.is_busy() {
            self.display.present().unwrap();
        }
    }

    pub fn turn_for(&mut self, time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time {
            self.turn();
        }
    }

    /// Goes on until it is so; false if it never is.
    pub fn within(&mut self, mut is_so: impl FnMut(&mut OwnWindow) -> bool) -> bool {
        let start = Instant::now();
        loop {
            self.turn();
            if is_so(self) {
                return true;
            }
            if start.elapsed() > Duration::from_secs(10) {
                return false;
            }
        }
    }

    pub fn place(&self) -> (u32, u32, u32, u32) {
        window::place_on(&self.screen)
    }

    pub fn picture(&self) -> Picture {
        window::picture_on(&self.screen)
    }

    pub fn id(&self) -> String {
        window::id_on(&self.screen).map(|id| id.to_string()).unwrap_or_default()
    }

    pub fn room(&self) -> Room {
        self.display.room().unwrap()
    }

    /// The last place of the pointer that was told.
    pub fn pointer(&self) -> Option<(u16, u16)> {
        self.told.iter().rev().find_map(|input| match input {
            Input::Pointer { x, y, .. } => Some((*x, *y)),
            _ => None,
        })
    }

    /// The last room that was told.
    pub fn told_room(&self) -> Option<&Room> {
        self.told.iter().rev().find_map(|input| if let Input::Room(room) = input { Some(room) } else { None })
    }
}

/// The desktop as it is to be shown in a window of this size, in the middle.
pub fn expected(canvas: &Canvas, fit: Fit, room: Size) -> Picture {
    let mut shown = Canvas::new(fit.size(), ByteOrder::Bgrx);
    let whole = fit.size().whole();
    fit.paint(canvas, whole, &mut shown.target(whole).unwrap());
    let mut rgb = vec![0; room.pixels() * 3];
    let (left, top) = ((room.width - fit.size().width) / 2, (room.height - fit.size().height) / 2);
    for (y, row) in shown.to_rgb().chunks_exact(usize::from(fit.size().width) * 3).enumerate() {
        let start = ((y + usize::from(top)) * usize::from(room.width) + usize::from(left)) * 3;
        rgb[start..start + row.len()].copy_from_slice(row);
    }
    (room.width.into(), room.height.into(), rgb)
}

/// Where two pictures differ most, and by how much.
pub fn difference(seen: &Picture, expected: &Picture) -> (u32, u32, u8) {
    assert_eq!((seen.0, seen.1), (expected.0, expected.1));
    let pairs = seen.2.iter().zip(&expected.2).map(|(a, b)| a.abs_diff(*b));
    let (at, most) = pairs.enumerate().max_by_key(|(_, differs)| *differs).unwrap();
    let at = at as u32 / 3;
    (at % seen.0, at / seen.0, most)
}
