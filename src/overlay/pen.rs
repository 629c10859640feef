//! Letters at a size: how wide a text is, and its pixels.

use std::collections::HashMap;
use std::rc::Rc;

use ab_glyph_rasterizer::{Rasterizer, point};
use unifont_bitmap::Unifont;

use super::font::{Font, Point};
use super::sheet::Sheet;

/// The height of a small letter in the font's units.
const SMALL_LETTER: f32 = 1120.0;
/// How tall one is at 96 dpi, in pixels: whole ones, so that its edges are sharp. A capital letter is as tall as one of
/// 15 pixels.
const SMALL_LETTER_PIXELS: f32 = 8.0;
/// A line's height, of the size of its letters, and how much of it lies above the line that they stand on.
const LINE: f32 = 1.36;
const ABOVE: f32 = 1.02;
/// Between two pixels, a letter begins at one of so many places.
const PLACES: f32 = 4.0;
/// What stands for that which has no picture.
const REPLACEMENT: char = '\u{fffd}';

/// Letters at a size.
pub(super) struct Pen {
    font: Option<Font>,
    /// For what the font does not have: drawn by pixels, and unpacked 256 characters at a time.
    others: Option<Box<Unifont>>,
    /// The letters' size in pixels.
    size: f32,
    /// Pixels of the window a pixel of `others`.
    coarse: f32,
    letters: HashMap<(char, u8), Rc<Letter>>,
}

/// A letter's picture.
struct Letter {
    /// Its place, from the pixel it begins in and the line that it stands on.
    left: i32,
    top: i32,
    width: usize,
    /// Row by row, how much of each pixel is covered, of 255.
    covered: Vec<u8>,
}

impl Pen {
    /// For text at a density, `scale` times as large as usual.
    pub(super) fn new(density: f32, scale: f32) -> Pen {
        let font = Font::open();
        let units = font.as_ref().map_or(2048.0, Font::units_per_em);
        let size = (SMALL_LETTER_PIXELS * density * scale).round().max(3.0) * units / SMALL_LETTER;
        let coarse = (density * scale * 2.0).round().max(1.0) / 2.0;
        Pen { font, others: None, size, coarse, letters: HashMap::new() }
    }

    /// The height of a line.
    pub(super) fn line(&self) -> i32 {
        (self.size * LINE).round() as i32
    }

    /// How far a character moves the pen.
    pub(super) fn advance(&mut self, c: char) -> f32 {
        let c = shown(c);
        if let Some(font) = &self.font
            && let Some(glyph) = font.glyph(c)
        {
            return font.advance(glyph) * self.size / font.units_per_em();
        }
        let wide = self.other(c).is_some_and(|(wide, _)| wide);
        self.coarse * if wide { 16.0 } else { 8.0 }
    }

    /// A text's width in pixels.
    pub(super) fn width(&mut self, text: &str) -> i32 {
        text.chars().map(|c| self.advance(c)).sum::<f32>().ceil() as i32
    }

    /// Writes in a line whose upper left corner is given.
    pub(super) fn write(&mut self, sheet: &mut Sheet, x: i32, y: i32, text: &str, colour: u32) {
        let stand = y + (self.size * ABOVE).round() as i32;
        let mut at = x as f32;
        for c in text.chars() {
            let place = ((at - at.floor()) * PLACES) as u8;
            let letter = self.letter(shown(c), place);
            sheet.cover(at.floor() as i32 + letter.left, stand + letter.top, letter.width, &letter.covered, colour);
            at += self.advance(c);
        }
    }

    fn letter(&mut self, c: char, place: u8) -> Rc<Letter> {
        if let Some(letter) = self.letters.get(&(c, place)) {
            return letter.clone();
        }
        let part = f32::from(place) / PLACES;
        let outline = self.outline(c);
        let letter = Rc::new(Letter::fill(&outline, part));
        self.letters.insert((c, place), letter.clone());
        letter
    }

    /// A character's lines in pixels, downwards.
    fn outline(&mut self, c: char) -> Vec<Vec<Point>> {
        if let Some(font) = &self.font
            && let Some(glyph) = font.glyph(c)
        {
            let scale = self.size / font.units_per_em();
            let mut outline = font.outline(glyph);
            for point in outline.iter_mut().flatten() {
                (point.x, point.y) = (point.x * scale, -point.y * scale);
            }
            return outline;
        }
        let coarse = self.coarse;
        let Some((wide, rows)) = self.other(c) else { return Vec::new() };
        let width = if wide { 16 } else { 8 };
        // Of 16 rows, 14 stand above the line.
        let rows = (-14i32..).zip(rows);
        let squares = rows.flat_map(|(y, row)| (0..width).filter(move |x| row & 0x8000 >> x != 0).map(move |x| (x, y)));
        squares
            .map(|(x, y)| {
                let corners = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)];
                corners.map(|(x, y)| Point { x: x as f32 * coarse, y: y as f32 * coarse, on: true }).to_vec()
            })
            .collect()
    }

    /// The pixels of a character that the font lacks: whether they are 16 wide and not 8, and each row, its leftmost
    /// pixel in the uppermost bit.
    fn other(&mut self, c: char) -> Option<(bool, [u16; 16])> {
        let others = self.others.get_or_insert_with(|| Box::new(Unifont::open()));
        let bitmap = others.load_bitmap(c.into());
        let bytes = bitmap.get_bytes();
        let wide = bytes.len() == 32;
        let mut rows = [0; 16];
        for (row, bytes) in rows.iter_mut().zip(bytes.chunks_exact(if wide { 2 } else { 1 })) {
            *row = bytes.iter().zip([8, 0]).fold(0, |row, (&byte, shift)| row | u16::from(byte) << shift);
        }
        Some((wide, rows))
    }
}

/// What is shown for a character: those that control, that reorder or that can not be seen are shown as one that can.
fn shown(c: char) -> char {
    match c {
        '\t' | '\u{a0}' => ' ',
        '\u{ad}'
        | '\u{61c}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}' => REPLACEMENT,
        c if c.is_control() => REPLACEMENT,
        c => c,
    }
}

impl Letter {
    /// Fills what lies inside of lines, which begin `part` of a pixel further to the right.
    fn fill(outline: &[Vec<Point>], part: f32) -> Letter {
        let points = || outline.iter().flatten();
        let least = |of: fn(&Point) -> f32| points().map(of).fold(f32::MAX, f32::min).floor();
        let most = |of: fn(&Point) -> f32| points().map(of).fold(f32::MIN, f32::max).ceil();
        if points().next().is_none() {
            return Letter { left: 0, top: 0, width: 0, covered: Vec::new() };
        }
        let (left, top) = (least(|p| p.x), least(|p| p.y));
        // One more for the part.
        let (width, height) = ((most(|p| p.x) - left) as usize + 1, (most(|p| p.y) - top) as usize);
        let mut filler = Rasterizer::new(width, height);
        let place = |p: Point| point(p.x - left + part, p.y - top);
        for contour in outline {
            curves(contour, |from, over, to| match over {
                Some(over) => filler.draw_quad(place(from), place(over), place(to)),
                None => filler.draw_line(place(from), place(to)),
            });
        }
        let mut covered = vec![0; width * height];
        filler.for_each_pixel(|at, part| {
            if let Some(pixel) = covered.get_mut(at) {
                *pixel = (part.abs().min(1.0) * 255.0).round() as u8;
            }
        });
        Letter { left: left as i32, top: top as i32, width, covered }
    }
}

/// Goes around a contour: from a point, over one that pulls the line, if any, to the next one. Between two that pull lies
/// one in the middle.
fn curves(contour: &[Point], mut draw: impl FnMut(Point, Option<Point>, Point)) {
    let middle = |a: Point, b: Point| Point { x: (a.x + b.x) / 2.0, y: (a.y + b.y) / 2.0, on: true };
    let (Some(&first), Some(&last)) = (contour.first(), contour.last()) else { return };
    let start = match (first.on, last.on) {
        (true, _) => first,
        (false, true) => last,
        (false, false) => middle(first, last),
    };
    let (mut at, mut over) = (start, None);
    for &next in contour {
        match (over, next.on) {
            (None, false) => over = Some(next),
            (None, true) => {
                draw(at, None, next);
                at = next;
            }
            (Some(pull), false) => {
                let half = middle(pull, next);
                draw(at, Some(pull), half);
                (at, over) = (half, Some(next));
            }
            (Some(_), true) => {
                draw(at, over.take(), next);
                at = next;
            }
        }
    }
    draw(at, over, start);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_follow_the_font_and_the_density() {
        let mut pen = Pen::new(1.0, 1.0);
        // The font's m is 1995 of 2048 wide, at 14.63 pixels.
        assert_eq!(pen.width("m"), (1995.0f32 * 8.0 / 1120.0).ceil() as i32);
        assert_eq!((pen.width(""), pen.line()), (0, 20));
        assert!(pen.width("iiii") < pen.width("mmmm") / 2);
        let mut double = Pen::new(2.0, 1.0);
        assert!((double.width("Hello, World") - 2 * pen.width("Hello, World")).abs() <= 2);
    }

    #[test]
    fn other_scripts_are_drawn_by_pixels() {
        let mut pen = Pen::new(1.0, 1.0);
        assert_eq!(pen.width("井"), 16);
        let letter = pen.letter('井', 0);
        let full = letter.covered.iter().filter(|&&covered| covered == 255).count();
        let partly = letter.covered.iter().filter(|&&covered| covered != 255 && covered != 0).count();
        assert!(full > 30 && partly == 0, "{full} {partly}");
    }

    #[test]
    fn what_can_not_be_seen_is_shown() {
        let mut pen = Pen::new(1.0, 1.0);
        for c in ['\0', '\n', '\x1b', '\u{9b}', '\u{200b}', '\u{202e}', '\u{2066}', '\u{feff}', '\u{e0041}'] {
            assert_eq!(shown(c), REPLACEMENT, "{c:?}");
            assert!(pen.advance(c) > 4.0);
        }
        assert_eq!(shown('\t'), ' ');
    }

    #[test]
    fn every_character_has_a_width_and_a_picture() {
        let mut pen = Pen::new(1.0, 1.0);
        let (mut drawn, mut wide) = (0, 0);
        for c in '\0'..=char::MAX {
            let advance = pen.advance(c);
            assert!((0.0..=64.0).contains(&advance), "{c:?} {advance}");
            wide += u32::from(advance == 16.0);
            if pen.font.as_ref().unwrap().glyph(c).is_some() {
                let letter = pen.letter(c, 3);
                drawn += u32::from(letter.covered.iter().any(|&covered| covered > 100));
            }
        }
        assert!(drawn > 5000 && wide > 40_000, "{drawn} {wide}");
    }

    #[test]
    fn a_letter_is_filled_inside_of_its_lines() {
        let mut pen = Pen::new(4.0, 1.0);
        let letter = pen.letter('I', 0);
        let row = letter.covered.len() / letter.width / 2;
        let row = &letter.covered[row * letter.width..][..letter.width];
        // 202 of 2048 units of a size of 58.5 pixels.
        let sum: u32 = row.iter().map(|&covered| u32::from(covered)).sum();
        let expected = 202.0 / 1120.0 * 32.0 * 255.0;
        assert!((sum as f32 - expected).abs() < 4.0, "{sum} {expected}");
        // And not in the hole of an o.
        let letter = pen.letter('o', 0);
        let middle = letter.covered.len() / letter.width / 2 * letter.width + letter.width / 2;
        assert_eq!(letter.covered[middle], 0);
    }
}
