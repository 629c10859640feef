//! A desktop that moves: what the demo server shows.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod keys;
mod paint;
mod scene;
mod wallpaper;

use crate::picture::{Area, Canvas, Cursor, Damage, Size};
use paint::{ORDER, Painter, Rect};
use scene::{INKS, LINE, Scene, with_shadow};
use std::time::Duration;

/// Buttons that draw: left, middle and right.
const DRAWING: u8 = 7;
/// The radius of the pen.
const PEN: i32 = 3;

/// The desktop: its picture is a function of the time that passed, of what was typed and of what was drawn.
///
/// The same calls give the same pixels, however finely the time is cut.
pub struct Desktop {
    canvas: Canvas,
    wallpaper: Canvas,
    scene: Scene,
    damage: Damage,
    /// Pixels that the lines have moved up since this was last told.
    scrolled: i32,
}

impl Desktop {
    /// A desktop at time 0; nothing of it counts as damage. It can be of any size, and looks best from 800×600 on.
    pub fn new(size: Size) -> Desktop {
        let mut desktop = Desktop {
            canvas: Canvas::new(size, ORDER),
            wallpaper: wallpaper::wallpaper(size),
            scene: Scene::new(size),
            damage: Damage::default(),
            scrolled: 0,
        };
        desktop.compose(size.whole());
        desktop
    }

    /// The picture.
    pub fn canvas(&self) -> &Canvas {
        &self.canvas
    }

    /// The shape of the pointer on this desktop: an arrow.
    pub fn cursor() -> Cursor {
        let rows = ARROW.lines().count() as u16;
        let pixels: Vec<_> = ARROW.lines().flat_map(|row| row.chars().map(arrow_pixel)).collect();
        let columns = (pixels.len() / usize::from(rows).max(1)) as u16;
        Cursor { size: Size::new(columns, rows), hotspot: (1, 1), pixels }
    }

    /// Lets time pass.
    pub fn tick(&mut self, elapsed: Duration) {
        let (lines, seconds, moving) = (self.scene.scrolled(), self.scene.time.as_secs(), self.scene.moving());
        let above: Vec<_> = self.scene.above_terminal().collect();
        self.scene.time = self.scene.time.saturating_add(elapsed);
        let mut dirty = Vec::new();
        match self.scene.scrolled() - lines {
            0 => {}
            scrolled => self.scroll(scrolled, &above, &mut dirty),
        }
        if self.scene.moving() != moving {
            dirty.extend(joined(with_shadow(moving), with_shadow(self.scene.moving())));
        }
        if self.scene.time.as_secs() != seconds {
            dirty.push(self.scene.layout.clock);
        }
        self.repaint(dirty);
    }

    /// A key was pressed or released.
    pub fn key(&mut self, keysym: u32, down: bool) {
        self.scene.key(keysym, down);
        self.repaint([self.scene.layout.typed, self.scene.layout.key_row]);
    }

    /// The pointer is at (`x`, `y`), with these buttons pressed (bits as in PointerEvent, RFC 6143 §7.5.5).
    pub fn pointer(&mut self, x: u16, y: u16, buttons: u8) {
        let Size { width, height } = self.canvas.size();
        let (x, y) = (x.min(width.saturating_sub(1)), y.min(height.saturating_sub(1)));
        let before = (self.scene.pointer, self.scene.buttons);
        if before == (Some((x, y)), buttons) {
            return;
        }
        let mut dirty = vec![self.scene.layout.pointer_row];
        dirty.extend(self.scene.crosshair());
        dirty.extend(self.draw(before, (x, y), buttons));
        let pressed = buttons & !self.scene.buttons;
        self.scene.turn_wheel(i64::from(pressed >> 3 & 1) - i64::from(pressed >> 4 & 1));
        (self.scene.pointer, self.scene.buttons) = (Some((x, y)), buttons);
        dirty.extend(self.scene.crosshair());
        self.repaint(dirty);
    }

    /// How the lines moved since this was last told: the area that they are in now, and where it was. To be copied
    /// before the damage is painted. If it is not asked for, it is damage.
    pub fn take_copy(&mut self) -> Option<(u16, u16, Area)> {
        let scrolled = std::mem::take(&mut self.scrolled);
        let lines = Rect::of(self.lines()?);
        if scrolled == 0 {
            return None;
        }
        let size = self.canvas.size();
        let from = Rect { y: lines.y + scrolled, height: lines.height - scrolled, ..lines }.area(size)?;
        let to = Rect { height: lines.height - scrolled, ..lines }.area(size)?;
        Some((from.x(), from.y(), to))
    }

    /// What changed since this was last asked, but for a copy that was taken just before.
    pub fn take_damage(&mut self) -> Damage {
        if let Some((_, _, area)) = self.take_copy() {
            self.damage.add(area);
        }
        self.damage.take()
    }

    /// The area whose lines scroll.
    fn lines(&self) -> Option<Area> {
        self.scene.layout.lines.area(self.canvas.size())
    }

    /// Moves the lines up; `above` is what lay on them.
    fn scroll(&mut self, lines: u64, above: &[Rect], dirty: &mut Vec<Rect>) {
        let Some(area) = self.lines().map(Rect::of) else { return };
        let by = i32::try_from(lines).unwrap_or(i32::MAX).saturating_mul(LINE);
        if by.saturating_add(self.scrolled) >= area.height {
            self.scrolled = 0;
            dirty.push(area);
            return;
        }
        let kept = Rect { height: area.height - by, ..area };
        let (Some(to), Some(from)) = (kept.area(self.canvas.size()), kept.moved(0, by).area(self.canvas.size())) else {
            return;
        };
        // Both lie on the canvas.
        let _ = self.canvas.copy(from.x(), from.y(), to);
        self.scrolled += by;
        // What is damaged in the source of a copy is damaged in what it makes.
        let up = |rect: Rect| rect.and(area).moved(0, -by).and(area);
        let damaged: Vec<_> = self.damage.areas().iter().map(|&area| up(Rect::of(area))).collect();
        damaged.into_iter().for_each(|rect| self.add_damage(rect));
        dirty.push(Rect { y: area.bottom() - by, height: by, ..area });
        dirty.extend(above.iter().flat_map(|&rect| [rect.and(area), up(rect)]));
    }

    /// Draws on the wallpaper while a button is held; gives what changed.
    fn draw(&mut self, before: (Option<(u16, u16)>, u8), to: (u16, u16), buttons: u8) -> Option<Rect> {
        let button = (buttons & DRAWING).trailing_zeros();
        let ink = *INKS.get(button as usize)?;
        let to = (i32::from(to.0), i32::from(to.1));
        let from = match before {
            (Some((x, y)), held) if held >> button & 1 != 0 => (i32::from(x), i32::from(y)),
            _ => to,
        };
        let line = Rect::new(from.0.min(to.0), from.1.min(to.1), (to.0 - from.0).abs() + 1, (to.1 - from.1).abs() + 1);
        let changed = line.grown(PEN);
        let mut painter = Painter::new(&mut self.wallpaper, changed.area(self.canvas.size())?)?;
        let steps = line.width.max(line.height);
        for step in 0..=steps {
            let between = |from: i32, to: i32| from + (to - from) * step / steps;
            painter.disc(between(from.0, to.0), between(from.1, to.1), PEN, ink);
        }
        Some(changed)
    }

    fn repaint(&mut self, dirty: impl IntoIterator<Item = Rect>) {
        for rect in dirty {
            if let Some(area) = rect.area(self.canvas.size()) {
                self.compose(area);
            }
            self.add_damage(rect);
        }
    }

    fn add_damage(&mut self, rect: Rect) {
        if let Some(area) = rect.area(self.canvas.size()) {
            self.damage.add(area);
        }
    }

    fn compose(&mut self, area: Area) {
        if let Some(mut painter) = Painter::new(&mut self.canvas, area) {
            self.scene.paint(&mut painter, &self.wallpaper);
        }
    }
}

/// Both in one if they meet: a small step should not be painted twice.
fn joined(a: Rect, b: Rect) -> Vec<Rect> {
    if a.and(b).is_empty() {
        return vec![a, b];
    }
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    vec![Rect::new(x, y, a.right().max(b.right()) - x, a.bottom().max(b.bottom()) - y)]
}

const ARROW: &str = "\
##.............
###............
#o##...........
#oo##..........
#ooo##.........
#oooo##........
#ooooo##.......
#oooooo##......
#ooooooo##.....
#oooooooo##....
#ooooooooo##...
#oooooooooo##..
#ooooooo######.
#oooo#oo##.....
#ooo##ooo#.....
#oo####oo##....
###..##ooo#....
##....##oo#....
.......####....";

fn arrow_pixel(c: char) -> [u8; 4] {
    match c {
        '#' => [20, 20, 28, 255],
        'o' => [255, 255, 255, 255],
        _ => [0; 4],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(640, 480);

    /// Everything painted at once: the naive twin of repainting parts.
    fn composed(desktop: &Desktop) -> Vec<u32> {
        let mut canvas = Canvas::new(desktop.canvas.size(), ORDER);
        let area = desktop.canvas.size().whole();
        if let Some(mut painter) = Painter::new(&mut canvas, area) {
            desktop.scene.paint(&mut painter, &desktop.wallpaper);
        }
        canvas.pixels().to_vec()
    }

    /// A few seconds with keys, pointer and strokes; `look` sees the desktop after each step.
    fn live(desktop: &mut Desktop, mut look: impl FnMut(u16, &mut Desktop)) {
        for step in 0..100u16 {
            desktop.tick(Duration::from_millis(u64::from(step * 7 % 90)));
            match step % 5 {
                0 => desktop.key(0x61 + u32::from(step % 26), step % 2 == 0),
                1 => desktop.pointer(step * 4, step * 3, u8::from(step % 40 > 20) << (step % 3)),
                2 => desktop.pointer(step * 4 + 20, step * 3 + 9, (step % 32) as u8),
                _ => {}
            }
            look(step, desktop);
        }
        desktop.tick(Duration::from_secs(60));
        look(100, desktop);
    }

    #[test]
    fn repainting_parts_gives_what_painting_everything_gives() {
        let mut desktop = Desktop::new(SIZE);
        live(&mut desktop, |step, desktop| {
            if step % 10 == 0 {
                assert!(desktop.canvas.pixels() == composed(desktop), "step {step}");
            }
        });
    }

    #[test]
    fn copies_and_damage_bring_a_second_canvas_up_to_date() {
        for (every, copies) in [(1, true), (7, true), (3, false)] {
            let mut desktop = Desktop::new(SIZE);
            let mut mirror = desktop.canvas().clone();
            let mut copied = 0;
            live(&mut desktop, |step, desktop| {
                if step % every != 0 && step != 100 {
                    return;
                }
                if copies && let Some((x, y, to)) = desktop.take_copy() {
                    mirror.copy(x, y, to).unwrap();
                    copied += 1;
                }
                for area in desktop.take_damage().areas() {
                    mirror.update_from(desktop.canvas(), *area);
                }
                assert!(mirror.pixels() == desktop.canvas().pixels(), "step {step} of every {every}");
            });
            assert_eq!(copied > 2, copies);
        }
    }

    #[test]
    fn time_can_be_cut_anywhere() {
        let (mut once, mut often) = (Desktop::new(SIZE), Desktop::new(SIZE));
        once.tick(Duration::from_millis(2500));
        (0..100).for_each(|_| often.tick(Duration::from_millis(25)));
        assert!(once.canvas().pixels() == often.canvas().pixels());
    }

    #[test]
    fn what_is_typed_is_damage() {
        let mut desktop = Desktop::new(SIZE);
        assert!(desktop.take_damage().is_empty());
        let before = desktop.canvas().clone();
        desktop.key(0x61, true);
        let damage = desktop.take_damage();
        assert!(!damage.is_empty());
        assert!(desktop.canvas().pixels() != before.pixels());
    }

    #[test]
    fn every_size_can_be_shown() {
        for (width, height) in [(0, 0), (1, 1), (0, 50), (33, 17), (100, 3000), (2000, 60)] {
            let mut desktop = Desktop::new(Size::new(width, height));
            for _ in 0..20 {
                desktop.tick(Duration::from_millis(400));
                desktop.key(u32::MAX, true);
                desktop.pointer(u16::MAX, 40, 0xff);
                desktop.pointer(0, u16::MAX, 0xff);
            }
            assert!(desktop.canvas.pixels() == composed(&desktop), "{width}x{height}");
            desktop.tick(Duration::MAX);
        }
    }

    #[test]
    fn the_cursor_is_a_whole_picture() {
        let cursor = Desktop::cursor();
        assert_eq!((cursor.size, cursor.pixels.len()), (Size::new(15, 19), 15 * 19));
    }
}
