//! Painting one part of a canvas: rectangles, discs, shadows and text, cut at the part's edges.

use crate::picture::{Area, ByteOrder, Canvas, Size, Target};
use font8x8::legacy::{BASIC_LEGACY, LATIN_LEGACY};

/// Red, green and blue.
pub(super) type Colour = [u8; 3];

/// The order of the bytes of everything painted here.
pub(super) const ORDER: ByteOrder = ByteOrder::Bgrx;

/// The side of a character at scale 1.
pub(super) const GLYPH: i32 = 8;

/// A rectangle that may lie anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

impl Rect {
    pub(super) const fn new(x: i32, y: i32, width: i32, height: i32) -> Rect {
        Rect { x, y, width, height }
    }

    pub(super) fn of(area: Area) -> Rect {
        Rect::new(area.x().into(), area.y().into(), area.width().into(), area.height().into())
    }

    pub(super) fn moved(self, x: i32, y: i32) -> Rect {
        Rect { x: self.x + x, y: self.y + y, ..self }
    }

    /// Larger by `by` on every side; smaller if that is negative.
    pub(super) fn grown(self, by: i32) -> Rect {
        Rect::new(self.x - by, self.y - by, self.width + 2 * by, self.height + 2 * by)
    }

    pub(super) fn right(self) -> i32 {
        self.x + self.width
    }

    pub(super) fn bottom(self) -> i32 {
        self.y + self.height
    }

    /// What both hold; the size is 0 if they do not meet.
    pub(super) fn and(self, other: Rect) -> Rect {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let width = self.right().min(other.right()) - x;
        let height = self.bottom().min(other.bottom()) - y;
        Rect::new(x, y, width.max(0), height.max(0))
    }

    /// The parts of it above, below, left and right of `other`; some of them are empty.
    pub(super) fn around(self, other: Rect) -> [Rect; 4] {
        let other = self.and(other);
        if other.is_empty() {
            return [self, Rect::new(0, 0, 0, 0), Rect::new(0, 0, 0, 0), Rect::new(0, 0, 0, 0)];
        }
        [
            Rect { height: other.y - self.y, ..self },
            Rect { y: other.bottom(), height: self.bottom() - other.bottom(), ..self },
            Rect { width: other.x - self.x, x: self.x, ..other },
            Rect { width: self.right() - other.right(), x: other.right(), ..other },
        ]
    }

    pub(super) fn is_empty(self) -> bool {
        self.width <= 0 || self.height <= 0
    }

    /// The part of it that lies on a canvas of `size`, if any does.
    pub(super) fn area(self, size: Size) -> Option<Area> {
        let part = self.and(Rect::of(size.whole()));
        if part.is_empty() {
            return None;
        }
        let number = |value: i32| u16::try_from(value).ok();
        size.area(number(part.x)?, number(part.y)?, number(part.width)?, number(part.height)?)
    }
}

/// A part of the canvas that is being painted, from the back to the front.
pub(super) struct Painter<'a> {
    target: Target<'a>,
    clip: Rect,
}

impl<'a> Painter<'a> {
    /// Paints on `area` of `canvas` and nowhere else. `None` if the area is not the canvas's own.
    pub(super) fn new(canvas: &'a mut Canvas, area: Area) -> Option<Painter<'a>> {
        Some(Painter { clip: Rect::of(area), target: canvas.target(area).ok()? })
    }

    /// Whether anything of `rect` would be seen.
    pub(super) fn sees(&self, rect: Rect) -> bool {
        !rect.and(self.clip).is_empty()
    }

    /// Takes everything from a picture that lies behind.
    pub(super) fn backdrop(&mut self, picture: &Canvas) {
        let Some(area) = self.clip.area(picture.size()) else { return };
        for (to, from) in self.target.rows_from(0).zip(picture.rows(area)) {
            let width = to.len().min(from.len());
            if let (Some(to), Some(from)) = (to.get_mut(..width), from.get(..width)) {
                to.copy_from_slice(from);
            }
        }
    }

    pub(super) fn fill(&mut self, rect: Rect, colour: Colour) {
        let pixel = ORDER.pixel(colour);
        self.each(rect, |pixels| pixels.fill(pixel));
    }

    /// Mixes `colour` into what is there: 0 leaves it, 255 covers it.
    pub(super) fn blend(&mut self, rect: Rect, colour: Colour, alpha: u8) {
        self.each(rect, |pixels| {
            pixels.iter_mut().for_each(|pixel| *pixel = ORDER.pixel(mixed(ORDER.colour(*pixel), colour, alpha)));
        });
    }

    /// A rectangle with round corners.
    pub(super) fn rounded(&mut self, rect: Rect, radius: i32, colour: Colour) {
        round_rows(rect, radius, |row| self.fill(row, colour));
    }

    /// The soft shadow of a rectangle, [`SHADOW`] pixels wide; only what the rectangle, with corners as round as
    /// `radius`, does not cover.
    pub(super) fn shadow(&mut self, rect: Rect, radius: i32) {
        for step in (1..=SHADOW).step_by(2) {
            round_rows(rect.moved(0, 4).grown(step - 4), 6 + step, |row| {
                for part in row.around(rect.grown(-radius)) {
                    self.blend(part, [0; 3], 14);
                }
            });
        }
    }

    pub(super) fn disc(&mut self, x: i32, y: i32, radius: i32, colour: Colour) {
        disc_rows(x, y, radius, |row| self.fill(row, colour));
    }

    /// Text from the upper left corner of `place` on, as many whole letters as are wide enough in it. Each dot of the
    /// font is as wide and as high as `scale` says. Gives the place behind the text.
    pub(super) fn text(&mut self, place: Rect, text: &str, scale: (i32, i32), colour: Colour) -> Rect {
        let (wide, high) = (GLYPH * scale.0, GLYPH * scale.1);
        let mut rest = place;
        for c in text.chars() {
            if rest.width < wide {
                break;
            }
            if self.sees(Rect { width: wide, height: high, ..rest }) {
                for (row, bits) in (0..).zip(glyph(c)) {
                    for column in (0..GLYPH).filter(|column| bits >> column & 1 != 0) {
                        let (x, y) = (rest.x + column * scale.0, rest.y + row * scale.1);
                        self.fill(Rect::new(x, y, scale.0, scale.1), colour);
                    }
                }
            }
            rest = Rect { x: rest.x + wide, width: rest.width - wide, ..rest };
        }
        rest
    }

    /// Hands over the pixels of `rect` that are to be painted, row by row.
    fn each(&mut self, rect: Rect, mut paint: impl FnMut(&mut [u32])) {
        let part = rect.and(self.clip).moved(-self.clip.x, -self.clip.y);
        if part.is_empty() {
            return;
        }
        // Not negative: the part lies inside the clip.
        let columns = part.x as usize..part.right() as usize;
        for row in self.target.rows_from(part.y as usize).take(part.height as usize) {
            if let Some(pixels) = row.get_mut(columns.clone()) {
                paint(pixels);
            }
        }
    }
}

/// How far a shadow reaches around its rectangle, at most.
pub(super) const SHADOW: i32 = 14;

/// `colour` over `below`.
pub(super) fn mixed(below: Colour, colour: Colour, alpha: u8) -> Colour {
    let mix = |a: u8, b: u8| {
        let alpha = u32::from(alpha);
        ((u32::from(a) * (255 - alpha) + u32::from(b) * alpha + 127) / 255) as u8
    };
    let ([r, g, b], [to_r, to_g, to_b]) = (below, colour);
    [mix(r, to_r), mix(g, to_g), mix(b, to_b)]
}

/// The rows of a disc.
fn disc_rows(x: i32, y: i32, radius: i32, mut row: impl FnMut(Rect)) {
    for dy in -radius..=radius {
        let half = (radius * radius + radius - dy * dy).max(0).isqrt();
        row(Rect::new(x - half, y + dy, 2 * half + 1, 1));
    }
}

/// The rows of a rectangle with round corners.
fn round_rows(rect: Rect, radius: i32, mut row: impl FnMut(Rect)) {
    if rect.is_empty() {
        return;
    }
    let radius = radius.min(rect.width / 2).min(rect.height / 2).max(0);
    for y in 0..radius {
        let up = radius - y;
        let inset = radius - (radius * radius + radius - up * up).max(0).isqrt().min(radius);
        row(Rect::new(rect.x + inset, rect.y + y, rect.width - 2 * inset, 1));
        row(Rect::new(rect.x + inset, rect.bottom() - 1 - y, rect.width - 2 * inset, 1));
    }
    row(Rect::new(rect.x, rect.y + radius, rect.width, rect.height - 2 * radius));
}

/// The eight rows of a character, the leftmost dot in the lowest bit. What the font does not have is a box.
fn glyph(c: char) -> [u8; 8] {
    const BOX: [u8; 8] = [0, 0x7e, 0x42, 0x42, 0x42, 0x42, 0x7e, 0];
    let code = c as usize;
    let known = BASIC_LEGACY.get(code).or_else(|| LATIN_LEGACY.get(code.checked_sub(0xa0)?));
    *known.unwrap_or(&BOX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_painted_outside_of_the_part() {
        let size = Size::new(20, 20);
        let mut canvas = Canvas::new(size, ORDER);
        let area = size.area(5, 6, 7, 8).unwrap();
        let mut painter = Painter::new(&mut canvas, area).unwrap();
        painter.fill(Rect::new(-100, -100, 300, 300), [255; 3]);
        painter.text(Rect::new(-3, 2, 90, 16), "Äß€ and more", (2, 2), [1, 2, 3]);
        painter.shadow(Rect::new(0, 0, 9, 9), 2);
        painter.disc(11, 13, 5, [9; 3]);
        painter.rounded(Rect::new(3, 3, 4, 40), 99, [8; 3]);
        let painted = canvas.pixels().iter().filter(|pixel| **pixel != 0).count();
        assert_eq!(painted, area.pixels());
        assert!(canvas.rows(area).all(|row| row.iter().all(|pixel| *pixel != 0)));
    }

    #[test]
    fn rectangles_meet_and_are_cut() {
        let rect = Rect::new(-5, -5, 10, 10);
        assert_eq!(rect.area(Size::new(3, 9)), Size::new(3, 9).area(0, 0, 3, 5));
        assert_eq!(rect.area(Size::new(0, 9)), None);
        assert_eq!(rect.moved(-5, 0).area(Size::new(9, 9)), None);
        assert_eq!(rect.grown(-2), Rect::new(-3, -3, 6, 6));
        let around = rect.around(Rect::new(0, -3, 50, 4));
        assert_eq!(around.map(|part| part.width * part.height), [20, 40, 20, 0]);
        assert_eq!(rect.around(Rect::new(5, 0, 9, 9))[0], rect);
    }

    #[test]
    fn mixing_reaches_both_ends() {
        assert_eq!(mixed([10, 20, 30], [200, 0, 255], 0), [10, 20, 30]);
        assert_eq!(mixed([10, 20, 30], [200, 0, 255], 255), [200, 0, 255]);
    }
}
