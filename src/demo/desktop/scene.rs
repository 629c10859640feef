//! What is on the desktop and where: the bar, the windows and the pointer, painted from the back to the front.

use super::keys;
use super::paint::{Colour, GLYPH, Painter, Rect, SHADOW};
use crate::picture::{Canvas, Size};
use std::collections::VecDeque;
use std::time::Duration;

/// The height of a line of the window that scrolls.
pub(super) const LINE: i32 = 18;
/// A line comes this often.
const LINE_EVERY: Duration = Duration::from_millis(350);
/// The moving window's speed in pixels a second, right and down.
const SPEED: (u64, u64) = (83, 47);

const BAR: i32 = 32;
const TITLE: i32 = 28;
const PADDING: i32 = 12;
/// Characters kept of what was typed.
const TYPED: usize = 512;
/// Keys shown as held.
const HELD: usize = 6;

/// Letters twice as high as wide, for text.
const TALL: (i32, i32) = (1, 2);
/// Letters for titles.
const LARGE: (i32, i32) = (2, 2);

const NIGHT: Colour = [24, 26, 40];
const DUSK: Colour = [44, 48, 74];
const PALE: Colour = [226, 228, 240];
const DIM: Colour = [122, 128, 158];
const BLUE: Colour = [122, 170, 255];
const GREEN: Colour = [142, 214, 130];
const PAPER: Colour = [246, 242, 232];
const SHEET: Colour = [255, 253, 248];
const EDGE: Colour = [214, 206, 190];
const TEXT: Colour = [52, 48, 60];
const FAINT: Colour = [150, 142, 140];
/// What the left, the middle and the right button draw with.
pub(super) const INKS: [Colour; 3] = [[255, 214, 90], [96, 222, 214], [255, 128, 160]];

/// Where things stand that do not move.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) desktop: Size,
    pub(super) bar: Rect,
    pub(super) clock: Rect,
    terminal: Rect,
    /// The part of the terminal that scrolls.
    pub(super) lines: Rect,
    pub(super) panel: Rect,
    pub(super) typed: Rect,
    pub(super) key_row: Rect,
    pub(super) pointer_row: Rect,
}

impl Layout {
    pub(super) fn new(desktop: Size) -> Layout {
        let (width, height) = (i32::from(desktop.width), i32::from(desktop.height));
        let margin = (width / 36).clamp(8, 48);
        let clock_width = 8 * 2 * GLYPH;
        let rows = ((height * 54 / 100 - TITLE - PADDING) / LINE).max(2);
        let terminal = Rect::new(margin, BAR + margin, (width / 2).max(200), TITLE + PADDING + rows * LINE);
        let lines = Rect::new(
            terminal.x + PADDING,
            terminal.y + TITLE + PADDING / 2,
            (terminal.width - 2 * PADDING).max(0),
            rows * LINE,
        );
        let panel_width = (width * 36 / 100).clamp(380, 480);
        let panel_height = TITLE + PADDING + 88 + 3 * 32;
        let panel = Rect::new(width - margin - panel_width, height - margin - panel_height, panel_width, panel_height);
        let typed =
            Rect::new(panel.x + PADDING, panel.y + TITLE + PADDING, panel.width - 2 * PADDING, 88 - PADDING + 4);
        let row = |at: i32| Rect::new(typed.x, typed.bottom() + 8 + at * 32, typed.width, 32);
        Layout {
            desktop,
            bar: Rect::new(0, 0, width, BAR),
            clock: Rect::new(width - clock_width - 12, 8, clock_width, 16),
            terminal,
            lines,
            panel,
            typed,
            key_row: Rect { height: 64, ..row(0) },
            pointer_row: row(2),
        }
    }
}

/// All that decides what the desktop looks like, but for what was drawn on its wallpaper.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) layout: Layout,
    pub(super) time: Duration,
    typed: VecDeque<char>,
    last_key: Option<(u32, bool)>,
    held: Vec<u32>,
    pub(super) pointer: Option<(u16, u16)>,
    pub(super) buttons: u8,
    wheel: i64,
}

impl Scene {
    pub(super) fn new(size: Size) -> Scene {
        Scene {
            layout: Layout::new(size),
            time: Duration::ZERO,
            typed: VecDeque::new(),
            last_key: None,
            held: Vec::new(),
            pointer: None,
            buttons: 0,
            wheel: 0,
        }
    }

    /// Lines that have scrolled out of the terminal.
    pub(super) fn scrolled(&self) -> u64 {
        (self.time.as_millis() / LINE_EVERY.as_millis()) as u64
    }

    /// Where the moving window is now, without its shadow.
    pub(super) fn moving(&self) -> Rect {
        let (width, height) = (256 + 2 * PADDING, TITLE + 2 * PADDING + 150);
        let Rect { width: all_width, height: all_height, .. } = self.layout.bar.and_desktop(self.layout.desktop);
        let millis = self.time.as_millis() as u64;
        let along = |speed: u64, start: u64, room: i32| {
            // There and back again: never negative, and less than the room.
            let room = u64::try_from(room).unwrap_or(0);
            let at = (start + millis.wrapping_mul(speed) / 1000) % (2 * room).max(1);
            at.min(2 * room - at) as i32
        };
        let (right, down) = SPEED;
        Rect::new(along(right, 420, all_width - width), BAR + along(down, 60, all_height - BAR - height), width, height)
    }

    /// Where the crosshair is.
    pub(super) fn crosshair(&self) -> Option<Rect> {
        self.pointer.map(|(x, y)| Rect::new(i32::from(x) - 11, i32::from(y) - 11, 23, 23))
    }

    /// Everything that may lie on the terminal.
    pub(super) fn above_terminal(&self) -> impl Iterator<Item = Rect> {
        [with_shadow(self.layout.panel), with_shadow(self.moving())].into_iter().chain(self.crosshair())
    }

    pub(super) fn key(&mut self, keysym: u32, down: bool) {
        self.last_key = Some((keysym, down));
        self.held.retain(|held| *held != keysym);
        if !down {
            return;
        }
        if self.held.len() < HELD {
            self.held.push(keysym);
        }
        match keysym {
            keys::BACK_SPACE => drop(self.typed.pop_back()),
            keys::RETURN | keys::KP_ENTER => self.typed.push_back('\n'),
            _ => self.typed.extend(keys::character(keysym)),
        }
        if self.typed.len() > TYPED {
            self.typed.pop_front();
        }
    }

    pub(super) fn turn_wheel(&mut self, steps: i64) {
        self.wheel = self.wheel.saturating_add(steps);
    }

    /// Paints all of it on top of `wallpaper`.
    pub(super) fn paint(&self, painter: &mut Painter<'_>, wallpaper: &Canvas) {
        painter.backdrop(wallpaper);
        self.paint_terminal(painter);
        self.paint_panel(painter);
        self.paint_moving(painter);
        self.paint_bar(painter);
        self.paint_crosshair(painter);
    }

    fn paint_bar(&self, painter: &mut Painter<'_>) {
        let Layout { bar, clock, .. } = self.layout;
        painter.fill(bar, NIGHT);
        painter.fill(Rect::new(0, BAR - 2, bar.width, 2), DUSK);
        let title = Rect::new(12, 8, clock.x - 24, 16);
        let behind = painter.text(title, "sshvnc demo", LARGE, PALE);
        let note = "this desktop comes through an SSH channel, and no port is open";
        if note.len() as i32 * GLYPH + 24 < behind.width {
            painter.text(behind.moved(24, 0), note, TALL, DIM);
        }
        let seconds = self.time.as_secs();
        let time = format!("{:02}:{:02}:{:02}", seconds / 3600 % 100, seconds / 60 % 60, seconds % 60);
        painter.fill(clock, NIGHT);
        painter.text(clock, &time, LARGE, INKS[0]);
    }

    fn paint_terminal(&self, painter: &mut Painter<'_>) {
        let Layout { terminal, lines, .. } = self.layout;
        if !painter.sees(with_shadow(terminal)) {
            return;
        }
        window(painter, terminal, "numbers", NIGHT, DUSK, PALE);
        let first = self.scrolled();
        for row in 0..lines.height / LINE {
            let place = Rect::new(lines.x, lines.y + row * LINE, lines.width, LINE);
            if painter.sees(place) {
                paint_number(painter, place, first.saturating_add(row as u64) + 1);
            }
        }
    }

    fn paint_panel(&self, painter: &mut Painter<'_>) {
        let Layout { panel, typed, key_row, pointer_row, .. } = self.layout;
        if !painter.sees(with_shadow(panel)) {
            return;
        }
        window(painter, panel, "keys and pointer", PAPER, EDGE, TEXT);
        painter.rounded(typed, 5, EDGE);
        painter.rounded(typed.grown(-1), 4, SHEET);
        let text = Rect::new(typed.x + 10, typed.y + 9, typed.width - 20, 20);
        let columns = (text.width / (2 * GLYPH)).max(1) as usize;
        let rows = wrapped(&self.typed, columns, 3);
        if self.typed.is_empty() {
            painter.text(text.moved(6, 0), "type something", LARGE, EDGE);
        }
        let mut caret = text;
        for (row, line) in (0..).zip(&rows) {
            caret = painter.text(text.moved(0, row * 22), line, LARGE, TEXT);
        }
        painter.fill(Rect { y: caret.y - 2, width: 2, ..caret }, BLUE);

        let label = |painter: &mut Painter<'_>, row: Rect, name: &str, value: &str| {
            let row = Rect { y: row.y + 8, ..row };
            painter.text(row, name, TALL, FAINT);
            let value_place = Rect { x: row.x + 9 * GLYPH, width: row.width - 9 * GLYPH, ..row };
            painter.text(value_place, value, TALL, TEXT);
        };
        let key = match self.last_key {
            Some((keysym, down)) => {
                let what = if down { "pressed" } else { "released" };
                format!("{} {what} ({keysym:#06x})", keys::name(keysym))
            }
            None => "none yet".to_owned(),
        };
        label(painter, key_row, "key", &key);
        let held: Vec<_> = self.held.iter().map(|&keysym| keys::name(keysym)).collect();
        let held = if held.is_empty() { "nothing".to_owned() } else { held.join(" ") };
        label(painter, key_row.moved(0, 32), "held", &held);
        let position = self.pointer.map_or("nowhere yet".to_owned(), |(x, y)| format!("{x}, {y}"));
        label(painter, pointer_row, "pointer", &position);
        let wheel = format!("wheel {}", self.wheel);
        let wheel_place = Rect::new(pointer_row.right() - 90 - 11 * GLYPH, pointer_row.y + 8, 11 * GLYPH, 16);
        painter.text(wheel_place, &wheel, TALL, FAINT);
        for (button, ink) in (0..).zip(INKS) {
            let (x, y) = (pointer_row.right() - 68 + button * 28, pointer_row.y + 16);
            painter.disc(x, y, 9, EDGE);
            painter.disc(x, y, 8, if self.buttons >> button & 1 != 0 { ink } else { SHEET });
        }
    }

    /// A card to judge colours by: bars, and every step of red, green, blue and grey.
    fn paint_moving(&self, painter: &mut Painter<'_>) {
        let frame = self.moving();
        if !painter.sees(with_shadow(frame)) {
            return;
        }
        window(painter, frame, "colours", DUSK, NIGHT, PALE);
        let (x, y) = (frame.x + PADDING, frame.y + TITLE + PADDING);
        for bar in 0..8 {
            let part = |bit: i32| if bar >> bit & 1 == 0 { 235 } else { 20 };
            painter.fill(Rect::new(x + bar * 32, y, 32, 62), [part(1), part(2), part(0)]);
        }
        for (row, [red, green, blue]) in (0..).zip([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]) {
            for value in 0..=255u8 {
                let colour = [red * value, green * value, blue * value];
                painter.fill(Rect::new(x + i32::from(value), y + 70 + row * 20, 1, 20), colour);
            }
        }
    }

    fn paint_crosshair(&self, painter: &mut Painter<'_>) {
        let (Some(rect), Some((x, y))) = (self.crosshair(), self.pointer) else { return };
        let (x, y) = (i32::from(x), i32::from(y));
        let ink = (0..).zip(INKS).find_map(|(button, ink)| (self.buttons >> button & 1 != 0).then_some(ink));
        for (thick, colour) in [(1, NIGHT), (0, ink.unwrap_or(SHEET))] {
            for arm in [
                Rect::new(rect.x + 1, y, 7, 1),
                Rect::new(x + 4, y, 7, 1),
                Rect::new(x, rect.y + 1, 1, 7),
                Rect::new(x, y + 4, 1, 7),
            ] {
                painter.fill(arm.grown(thick), colour);
            }
        }
        if let Some(ink) = ink {
            painter.disc(x, y, 3, ink);
        }
    }
}

impl Rect {
    /// The whole desktop, whose bar this is.
    fn and_desktop(self, desktop: Size) -> Rect {
        Rect { height: desktop.height.into(), ..self }
    }
}

/// What changes when the window at `rect` changes.
pub(super) fn with_shadow(rect: Rect) -> Rect {
    rect.grown(SHADOW)
}

/// An empty window.
fn window(painter: &mut Painter<'_>, frame: Rect, title: &str, body: Colour, head: Colour, text: Colour) {
    painter.shadow(frame, 8);
    painter.rounded(frame, 8, head);
    painter.rounded(Rect { y: frame.y + TITLE, height: frame.height - TITLE, ..frame }, 8, body);
    painter.fill(Rect { y: frame.y + TITLE, height: 10.min(frame.height - TITLE), ..frame }, body);
    for (at, colour) in (0..).zip([[240, 106, 94], [244, 190, 80], [104, 200, 88]]) {
        painter.disc(frame.x + 16 + at * 18, frame.y + TITLE / 2, 5, colour);
    }
    let title_place = Rect::new(frame.x + 74, frame.y + 6, frame.width - 80, 16);
    painter.text(title_place, title, LARGE, text);
}

/// A line of the terminal: a number in three ways, and what it is made of.
fn paint_number(painter: &mut Painter<'_>, place: Rect, number: u64) {
    let factors = factors(number);
    let prime = factors.len() == 1;
    let product: Vec<_> = factors.iter().map(u64::to_string).collect();
    let product = if prime { "prime".to_owned() } else { product.join(" \u{d7} ") };
    let mut rest = place.moved(0, 1);
    for (text, colour) in [
        (format!("{number:>7}  "), PALE),
        (format!("{:04x}  ", number & 0xffff), BLUE),
        (format!("{:016b}  ", number & 0xffff), DIM),
        (product, if prime { GREEN } else { INKS[0] }),
    ] {
        rest = painter.text(rest, &text, TALL, colour);
    }
}

/// The prime factors of a number; those of 1 are none, and a large last one is not taken apart.
fn factors(mut number: u64) -> Vec<u64> {
    let mut factors = Vec::new();
    for divisor in 2..1000 {
        if divisor * divisor > number {
            break;
        }
        while number.is_multiple_of(divisor) {
            factors.push(divisor);
            number /= divisor;
        }
    }
    if number > 1 {
        factors.push(number);
    }
    factors
}

/// Text in rows of `columns` characters; the last `rows` of them.
fn wrapped(text: &VecDeque<char>, columns: usize, rows: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut length = 0;
    for &c in text {
        if c == '\n' || length == columns {
            all.push(String::new());
            length = 0;
        }
        if c != '\n' {
            all.last_mut().into_iter().for_each(|row| row.push(c));
            length += 1;
        }
    }
    all.split_off(all.len().saturating_sub(rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_taken_apart() {
        assert!(factors(1).is_empty());
        assert_eq!(factors(97), [97]);
        assert_eq!(factors(360), [2, 2, 2, 3, 3, 5]);
    }

    #[test]
    fn long_text_shows_its_end() {
        let text: VecDeque<char> = "abcdef\ngh".chars().collect();
        assert_eq!(wrapped(&text, 3, 9), ["abc", "def", "gh"]);
        assert_eq!(wrapped(&text, 3, 2), ["def", "gh"]);
        assert_eq!(wrapped(&VecDeque::new(), 3, 2), [""]);
    }

    #[test]
    fn the_moving_window_stays_on_the_desktop() {
        let mut scene = Scene::new(Size::new(800, 600));
        for second in 0..200 {
            scene.time = Duration::from_millis(second * 517);
            let moving = scene.moving();
            assert_eq!(moving.and(Rect::new(0, BAR, 800, 600 - BAR)), moving);
        }
    }
}
