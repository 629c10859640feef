//! DejaVu Sans as it lies in the program: which outline belongs to a character, and how wide it is.
//!
//! The tables are those of OpenType 1.9: "cmap" (formats 4 and 12), "hmtx", "loca" and "glyf". They are read where they
//! lie, so a glyph that nobody looks at costs nothing.

/// A glyph of a glyph of a glyph … ends here; those of this font end at 2.
const DEEPEST: u8 = 5;

/// The font, by the places of its tables.
pub(super) struct Font {
    bytes: &'static [u8],
    units_per_em: f32,
    long_offsets: bool,
    /// How many glyphs have a width of their own.
    widths: u16,
    cmap: usize,
    hmtx: usize,
    loca: usize,
    glyf: usize,
}

/// A point of an outline in the font's units, upwards, and whether the outline goes through it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) on: bool,
}

impl Font {
    /// `None` if it were no font.
    pub(super) fn open() -> Option<Font> {
        let bytes = dejavu::sans::regular();
        let table = |name: &[u8; 4]| {
            let count = usize::from(u16_at(bytes, 4)?);
            let entries = bytes.get(12..12 + count * 16)?.chunks_exact(16);
            let entry = entries.into_iter().find(|entry| entry.starts_with(name))?;
            Some(u32_at(entry, 8)? as usize)
        };
        let (head, hhea) = (table(b"head")?, table(b"hhea")?);
        Some(Font {
            bytes,
            units_per_em: u16_at(bytes, head + 18)?.into(),
            long_offsets: u16_at(bytes, head + 50)? != 0,
            widths: u16_at(bytes, hhea + 34)?,
            cmap: characters(bytes, table(b"cmap")?)?,
            hmtx: table(b"hmtx")?,
            loca: table(b"loca")?,
            glyf: table(b"glyf")?,
        })
    }

    /// How many of its units are as high as a letter is large.
    pub(super) fn units_per_em(&self) -> f32 {
        self.units_per_em
    }

    /// The glyph of a character, if it has one.
    pub(super) fn glyph(&self, c: char) -> Option<u16> {
        let (bytes, table, code) = (self.bytes, self.cmap, u32::from(c));
        let glyph = match u16_at(bytes, table)? {
            12 => {
                let count = u32_at(bytes, table + 12)? as usize;
                let group = |at: usize| {
                    let group = table + 16 + at * 12;
                    Some((u32_at(bytes, group)?, u32_at(bytes, group + 4)?, u32_at(bytes, group + 8)?))
                };
                let (first, last, glyph) =
                    group(first(count, |at| group(at).is_some_and(|(_, last, _)| last >= code)))?;
                if !(first..=last).contains(&code) {
                    return None;
                }
                u16::try_from(glyph + (code - first)).ok()?
            }
            _ => {
                let code = u16::try_from(code).ok()?;
                let twice = usize::from(u16_at(bytes, table + 6)?);
                let at = first(twice / 2, |at| u16_at(bytes, table + 14 + at * 2).is_some_and(|last| last >= code));
                let (starts, deltas) = (table + 16 + twice, table + 16 + 2 * twice);
                let offsets = table + 16 + 3 * twice + at * 2;
                let start = u16_at(bytes, starts + at * 2)?;
                let (delta, offset) = (u16_at(bytes, deltas + at * 2)?, u16_at(bytes, offsets)?);
                let into = usize::from(code.checked_sub(start)?);
                match offset {
                    0 => code.wrapping_add(delta),
                    _ => match u16_at(bytes, offsets + usize::from(offset) + into * 2)? {
                        0 => 0,
                        glyph => glyph.wrapping_add(delta),
                    },
                }
            }
        };
        (glyph != 0).then_some(glyph)
    }

    /// How far the next glyph is from this one, in the font's units.
    pub(super) fn advance(&self, glyph: u16) -> f32 {
        let at = usize::from(glyph.min(self.widths.saturating_sub(1)));
        u16_at(self.bytes, self.hmtx + at * 4).unwrap_or(0).into()
    }

    /// The closed lines around a glyph.
    pub(super) fn outline(&self, glyph: u16) -> Vec<Vec<Point>> {
        let mut contours = Vec::new();
        self.add(glyph, [1.0, 0.0, 0.0, 1.0, 0.0, 0.0], DEEPEST, &mut contours);
        contours
    }

    /// Adds what is around a glyph, moved by `how` (x' = ax + cy + e, y' = bx + dy + f).
    fn add(&self, glyph: u16, how: [f32; 6], deeper: u8, contours: &mut Vec<Vec<Point>>) -> Option<()> {
        let offset = |glyph: usize| match self.long_offsets {
            true => Some(u32_at(self.bytes, self.loca + glyph * 4)? as usize),
            false => Some(usize::from(u16_at(self.bytes, self.loca + glyph * 2)?) * 2),
        };
        let (start, end) = (offset(glyph.into())?, offset(usize::from(glyph) + 1)?);
        let data = self.bytes.get(self.glyf + start..self.glyf + end)?;
        match i16_at(data, 0)? {
            count @ 0.. => simple(data, count as usize, how, contours),
            _ => self.composite(data, how, deeper.checked_sub(1)?, contours),
        }
    }

    fn composite(&self, data: &[u8], how: [f32; 6], deeper: u8, contours: &mut Vec<Vec<Point>>) -> Option<()> {
        let [a, b, c, d, e, f] = how;
        let mut at = 10;
        loop {
            let (flags, glyph) = (u16_at(data, at)?, u16_at(data, at + 2)?);
            at += 4;
            let (x, y) = match flags & 1 {
                0 => (f32::from(*data.get(at)? as i8), f32::from(*data.get(at + 1)? as i8)),
                _ => (i16_at(data, at)?.into(), i16_at(data, at + 2)?.into()),
            };
            at += if flags & 1 == 0 { 2 } else { 4 };
            // Numbers with 14 bits behind the point.
            let mut part = || {
                at += 2;
                Some(f32::from(i16_at(data, at - 2)?) / 16384.0)
            };
            let [pa, pb, pc, pd] = match flags & 0xc8 {
                0x08 => {
                    let scale = part()?;
                    [scale, 0.0, 0.0, scale]
                }
                0x40 => [part()?, 0.0, 0.0, part()?],
                0x80 => [part()?, part()?, part()?, part()?],
                _ => [1.0, 0.0, 0.0, 1.0],
            };
            let how = [
                a * pa + c * pb,
                b * pa + d * pb,
                a * pc + c * pd,
                b * pc + d * pd,
                a * x + c * y + e,
                b * x + d * y + f,
            ];
            self.add(glyph, how, deeper, contours);
            if flags & 0x20 == 0 {
                return Some(());
            }
        }
    }
}

/// Adds the contours of a glyph that is not made of others.
fn simple(data: &[u8], count: usize, [a, b, c, d, e, f]: [f32; 6], contours: &mut Vec<Vec<Point>>) -> Option<()> {
    let ends: Vec<usize> = (0..count).map_while(|at| Some(u16_at(data, 10 + at * 2)?.into())).collect();
    let points = ends.last()? + 1;
    let mut at = 12 + count * 2 + usize::from(u16_at(data, 10 + count * 2)?);
    let mut flags = Vec::with_capacity(points);
    while flags.len() < points {
        let flag = *data.get(at)?;
        at += 1;
        let mut times = 1;
        if flag & 8 != 0 {
            times += usize::from(*data.get(at)?);
            at += 1;
        }
        flags.resize(flags.len() + times, flag);
    }
    flags.truncate(points);
    // Each coordinate is told by its distance from the one before: a byte, nothing or two bytes.
    let mut coordinates = |short: u8, same: u8| {
        let mut value = 0i32;
        let mut next = |flag: &u8| {
            match (flag & short != 0, flag & same != 0) {
                (true, positive) => {
                    let distance = i32::from(*data.get(at)?);
                    at += 1;
                    value += if positive { distance } else { -distance };
                }
                (false, true) => {}
                (false, false) => {
                    value += i32::from(i16_at(data, at)?);
                    at += 2;
                }
            }
            Some(value as f32)
        };
        flags.iter().map(&mut next).collect::<Option<Vec<f32>>>()
    };
    let (xs, ys) = (coordinates(2, 16)?, coordinates(4, 32)?);
    let mut moved = xs.iter().zip(&ys).zip(&flags).map(|((&x, &y), flag)| Point {
        x: a * x + c * y + e,
        y: b * x + d * y + f,
        on: flag & 1 != 0,
    });
    let mut start = 0;
    for end in ends {
        let contour: Vec<Point> = moved.by_ref().take((end + 1).saturating_sub(start)).collect();
        start = end + 1;
        contours.push(contour);
    }
    Some(())
}

/// The best table of characters: all of Unicode if there is one, else its first 65536.
fn characters(bytes: &[u8], cmap: usize) -> Option<usize> {
    let tables: Vec<usize> = (0..usize::from(u16_at(bytes, cmap + 2)?))
        .map_while(|at| Some(cmap + u32_at(bytes, cmap + 4 + at * 8 + 4)? as usize))
        .collect();
    [12, 4].into_iter().find_map(|format| tables.iter().copied().find(|&at| u16_at(bytes, at) == Some(format)))
}

/// The first of `count` places at which it is so, if it stays so from there on; `count` if nowhere.
fn first(count: usize, is_so: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = (low + high) / 2;
        if is_so(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn i16_at(bytes: &[u8], at: usize) -> Option<i16> {
    Some(i16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines around a character's glyph: how many, and the box that holds their points.
    fn extent(font: &Font, c: char) -> (usize, [i32; 4]) {
        let outline = font.outline(font.glyph(c).unwrap());
        let points = || outline.iter().flatten();
        let least = |of: fn(&Point) -> f32| points().map(of).fold(f32::MAX, f32::min) as i32;
        let most = |of: fn(&Point) -> f32| points().map(of).fold(f32::MIN, f32::max) as i32;
        (outline.len(), [least(|p| p.x), least(|p| p.y), most(|p| p.x), most(|p| p.y)])
    }

    #[test]
    fn glyphs_are_where_the_font_says() {
        let font = Font::open().unwrap();
        assert_eq!(font.units_per_em(), 2048.0);
        // What other readers of this font say: x is 1120 high; I is a bar; o has a hole.
        assert_eq!(extent(&font, 'x').1[3], 1120);
        assert_eq!(extent(&font, 'I'), (1, [201, 0, 403, 1493]));
        assert_eq!(extent(&font, 'o').0, 2);
        assert_eq!(font.advance(font.glyph(' ').unwrap()), 651.0);
        // One glyph of two, the second moved above the first.
        let (lines, [.., top]) = extent(&font, 'Ä');
        assert!(lines == 4 && top > 1493, "{lines} {top}");
    }

    #[test]
    fn three_alphabets_and_their_accents_are_there() {
        let font = Font::open().unwrap();
        let text = "AZaz09ÀÿŁőΑΩαωάЀЯаяёђ•…✓";
        assert!(text.chars().all(|c| font.glyph(c).is_some_and(|glyph| !font.outline(glyph).is_empty())));
        assert_eq!(font.glyph('井'), None);
    }
}
