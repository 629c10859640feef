//! A picture in another size: smaller, each pixel is the mean of those it stands for, so that no stroke of a letter is
//! lost; larger, it lies between its neighbours, or repeats itself.

use std::ops::Range;

use super::{Area, Canvas, Size, Target};

/// How a picture of one size is shown in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fit {
    from: Size,
    to: Size,
    /// Whether each pixel becomes a square of whole pixels.
    squares: bool,
}

impl Fit {
    /// As it is.
    pub fn same(from: Size) -> Fit {
        Fit { from, to: from, squares: false }
    }

    /// As large as `room` allows with all of `from` visible, and never larger than it is.
    pub fn inside(from: Size, room: Size) -> Fit {
        let fits = from.width <= room.width && from.height <= room.height;
        if fits { Fit::same(from) } else { Fit::contained(from, room) }
    }

    /// As large as `room` allows with all of `from` visible.
    pub fn contained(from: Size, room: Size) -> Fit {
        if from.pixels() == 0 || room.pixels() == 0 {
            return Fit::same(from);
        }
        let part = |of: u16, numerator: u16, denominator: u16| {
            let scaled = u64::from(of) * u64::from(numerator) / u64::from(denominator.max(1));
            u16::try_from(scaled.max(1)).unwrap_or(u16::MAX)
        };
        let flat = u64::from(from.width) * u64::from(room.height) > u64::from(from.height) * u64::from(room.width);
        let to = match flat {
            true => Size::new(room.width, part(from.height, room.width, from.width)),
            false => Size::new(part(from.width, room.height, from.height), room.height),
        };
        Fit { from, to, squares: false }
    }

    /// All of `room`, whatever becomes of the proportions.
    pub fn filling(from: Size, room: Size) -> Fit {
        let nothing = from.pixels() == 0 || room.pixels() == 0;
        if nothing { Fit::same(from) } else { Fit { from, to: room, squares: false } }
    }

    /// Each pixel as a square of whole pixels, the largest for which all of `from` is visible. Where there is no room
    /// for squares of one pixel it is made smaller.
    pub fn in_squares(from: Size, room: Size) -> Fit {
        let most = |from: u16, room: u16| room / from.max(1);
        let side = most(from.width, room.width).min(most(from.height, room.height));
        if from.pixels() == 0 || side < 2 {
            return Fit::inside(from, room);
        }
        // No wider and no higher than the room.
        Fit { from, to: Size::new(from.width * side, from.height * side), squares: true }
    }

    /// The size in which it is shown.
    pub fn size(self) -> Size {
        self.to
    }

    /// Whether nothing is scaled.
    pub fn is_same(self) -> bool {
        self.from == self.to
    }

    /// Whether each pixel becomes a square of whole pixels.
    pub fn is_in_squares(self) -> bool {
        self.squares
    }

    /// The pixels as they are shown in which `area` of the picture has a part.
    pub fn shown(self, area: Area) -> Option<Area> {
        let (x, right) = self.reach(area.x().into(), area.right(), self.from.width, self.to.width);
        let (y, bottom) = self.reach(area.y().into(), area.bottom(), self.from.height, self.to.height);
        self.to.area(x, y, right.saturating_sub(x), bottom.saturating_sub(y))
    }

    /// How far the pixels from `near` to before `far` are seen.
    fn reach(self, near: u32, far: u32, from: u16, to: u16) -> (u16, u16) {
        let (near, far) = (u64::from(near), u64::from(far));
        let (from, most) = (u64::from(from.max(1)), to);
        let to = u64::from(to);
        let (near, far) = if to <= from || self.squares {
            (near * to / from, (far * to).div_ceil(from))
        } else {
            // Half a pixel further, where the neighbours begin.
            let (near, far) = ((2 * near).saturating_sub(1) * to, (2 * far + 1) * to);
            (near.saturating_sub(from) / (2 * from), far.saturating_sub(from).div_ceil(2 * from))
        };
        let inside = |edge: u64| u16::try_from(edge).unwrap_or(u16::MAX).min(most);
        (inside(near), inside(far))
    }

    /// The picture's pixel at a point where it is shown; the nearest one for a point outside. The first and the last
    /// stay so: what hides at an edge of a desktop can be reached.
    pub fn picture_at(self, x: i32, y: i32) -> (u16, u16) {
        let back = |at: i32, from: u16, to: u16| {
            let (first, last) = (at <= 0, at >= i32::from(to) - 1);
            match (first, last) {
                // The middle of the pixel.
                (false, false) => middle(at.unsigned_abs(), from, to),
                (true, _) => 0,
                (_, true) => from.saturating_sub(1),
            }
        };
        (back(x, self.from.width, self.to.width), back(y, self.from.height, self.to.height))
    }

    /// The point that shows the middle of a pixel of the picture.
    pub fn shown_at(self, x: u16, y: u16) -> (i32, i32) {
        let part = |at: u16, from: u16, to: u16| i32::from(middle(at.into(), to, from));
        (part(x, self.from.width, self.to.width), part(y, self.from.height, self.to.height))
    }

    /// Paints `area` as it is shown, which `target` covers exactly.
    pub fn paint(self, picture: &Canvas, area: Area, target: &mut Target<'_>) {
        let taps = |at: Range<u32>, from: u16, to: u16| at.map(move |at| self.tap(at as usize, from, to));
        let columns: Vec<Tap> = taps(area.x().into()..area.right(), self.from.width, self.to.width).collect();
        let rows = taps(area.y().into()..area.bottom(), self.from.height, self.to.height);
        let source = Source { pixels: picture.pixels(), stride: self.from.width.into() };
        let larger = self.to.width > self.from.width && self.to.height > self.from.height && !self.squares;
        // Rows are mixed first, each column once.
        let used =
            columns.first().map_or(0..0, |first| first.near.start..columns.last().map_or(0, |last| last.far.end));
        let mut line = vec![0; if larger { used.len() } else { 0 }];
        for (row, out) in rows.zip(target.rows_from(0)) {
            if larger {
                let (near, far) = (source.line(&used, row.near.start), source.line(&used, row.far.start));
                for (mixed, (near, far)) in line.iter_mut().zip(near.iter().zip(far)) {
                    *mixed = mix(*near, *far, row.part);
                }
                for (column, out) in columns.iter().zip(out) {
                    let at = |column: usize| line.get(column - used.start).copied().unwrap_or_default();
                    *out = mix(at(column.near.start), at(column.far.start), column.part);
                }
                continue;
            }
            for (column, out) in columns.iter().zip(out) {
                let along = |rows: &Range<usize>| {
                    let near = source.mean(&column.near, rows);
                    if column.part == 0 { near } else { mix(near, source.mean(&column.far, rows), column.part) }
                };
                let near = along(&row.near);
                *out = if row.part == 0 { near } else { mix(near, along(&row.far), row.part) };
            }
        }
    }

    /// What a row or column is made of.
    fn tap(self, at: usize, from: u16, to: u16) -> Tap {
        let (from, to) = (usize::from(from).max(1), usize::from(to).max(1));
        if to <= from || self.squares {
            let start = at * from / to;
            let near = start..((at + 1) * from).div_ceil(to).clamp(start + 1, from.max(start + 1));
            return Tap { far: near.clone(), near, part: 0 };
        }
        // The middle of this pixel, counted from the middle of the picture's first, in 256ths of the picture's.
        let middle = ((2 * at + 1) * from * 128 / to).saturating_sub(128);
        let (near, last) = (middle / 256, from - 1);
        let far = (near + 1).min(last);
        Tap { near: near..near + 1, far: far..far + 1, part: (middle % 256) as u32 }
    }
}

/// The pixel of `from` in which the middle of the pixel `at` of `to` lies.
fn middle(at: u32, from: u16, to: u16) -> u16 {
    let middle = (2 * u64::from(at) + 1) * u64::from(from) / (2 * u64::from(to.max(1)));
    u16::try_from(middle).unwrap_or(u16::MAX).min(from.saturating_sub(1))
}

/// Rows or columns of the picture that are seen in one: the mean of some, or a part of its neighbour's too.
struct Tap {
    near: Range<usize>,
    far: Range<usize>,
    /// How much of `far`, in 256ths.
    part: u32,
}

struct Source<'a> {
    pixels: &'a [u32],
    stride: usize,
}

impl Source<'_> {
    fn line(&self, columns: &Range<usize>, y: usize) -> &[u32] {
        let start = y * self.stride;
        self.pixels.get(start + columns.start..start + columns.end).unwrap_or_default()
    }

    fn mean(&self, columns: &Range<usize>, rows: &Range<usize>) -> u32 {
        let line = |y: usize| self.line(columns, y);
        if columns.len() == 1 && rows.len() == 1 {
            return line(rows.start).first().copied().unwrap_or_default();
        }
        let (mut blue, mut green, mut red, mut count) = (0u64, 0u64, 0u64, 0u64);
        for y in rows.clone() {
            let line = line(y);
            // Two colours at a time in one sum: a row of 255 each fits in the 32 bits that each has.
            let (mut even, mut odd) = (0u64, 0u64);
            for &pixel in line {
                let pixel = u64::from(pixel);
                even += pixel & 0xff | (pixel & 0x00ff_0000) << 16;
                odd += pixel >> 8 & 0xff;
            }
            blue += even & 0xffff_ffff;
            green += odd;
            red += even >> 32;
            count += line.len() as u64;
        }
        let count = count.max(1);
        let mean = |sum: u64| ((sum + count / 2) / count) as u32;
        mean(blue) | mean(green) << 8 | mean(red) << 16
    }
}

/// Between two pixels; `part` 256ths of the second.
fn mix(near: u32, far: u32, part: u32) -> u32 {
    // Two colours at a time, each with 16 bits.
    let two = |near: u32, far: u32| (near * (256 - part) + far * part + 0x0080_0080) >> 8 & 0x00ff_00ff;
    two(near & 0x00ff_00ff, far & 0x00ff_00ff) | two(near >> 8 & 0xff, far >> 8 & 0xff) << 8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::ByteOrder;

    type Way = fn(Size, Size) -> Fit;
    const WAYS: [Way; 5] =
        [Fit::inside, Fit::contained, Fit::filling, Fit::in_squares, |from: Size, _: Size| Fit::same(from)];

    fn noise(size: Size) -> Canvas {
        let mut canvas = Canvas::new(size, ByteOrder::Bgrx);
        for (i, row) in canvas.target(size.whole()).unwrap().rows_from(0).enumerate() {
            for (j, pixel) in row.iter_mut().enumerate() {
                *pixel = ((i * 7919 + j * 104_729) as u32).wrapping_mul(2_654_435_761) >> 8;
            }
        }
        canvas
    }

    fn painted(fit: Fit, picture: &Canvas, areas: &[Area]) -> Vec<u32> {
        let mut shown = Canvas::new(fit.size(), ByteOrder::Bgrx);
        areas.iter().for_each(|&area| fit.paint(picture, area, &mut shown.target(area).unwrap()));
        shown.pixels().to_vec()
    }

    #[test]
    fn each_way_has_its_size() {
        let sizes = |w, h, room_w, room_h| {
            let (from, room) = (Size::new(w, h), Size::new(room_w, room_h));
            let size = |way: Way| way(from, room).size();
            [size(Fit::inside), size(Fit::contained), size(Fit::filling), size(Fit::in_squares)]
        };
        let new = Size::new;
        assert_eq!(sizes(800, 600, 1024, 768), [new(800, 600), new(1024, 768), new(1024, 768), new(800, 600)]);
        assert_eq!(sizes(500, 300, 1024, 768), [new(500, 300), new(1024, 614), new(1024, 768), new(1000, 600)]);
        assert_eq!(sizes(2048, 768, 1024, 768), [new(1024, 384), new(1024, 384), new(1024, 768), new(1024, 384)]);
        assert_eq!(sizes(1024, 1536, 1024, 768), [new(512, 768), new(512, 768), new(1024, 768), new(512, 768)]);
        assert_eq!(sizes(65535, 1, 100, 100), [new(100, 1), new(100, 1), new(100, 100), new(100, 1)]);
        assert_eq!(sizes(1, 1, 65535, 65535), [new(1, 1), new(65535, 65535), new(65535, 65535), new(65535, 65535)]);
        assert_eq!(sizes(0, 5, 100, 100), [new(0, 5); 4]);
        assert_eq!(sizes(3, 5, 0, 100), [new(3, 5); 4]);
        assert!(Fit::in_squares(new(500, 300), new(1024, 768)).is_in_squares());
        assert!(!Fit::in_squares(new(800, 600), new(1024, 768)).is_in_squares());
    }

    #[test]
    fn a_smaller_pixel_is_the_mean_of_those_it_stands_for() {
        let mut large = Canvas::new(Size::new(4, 2), ByteOrder::Bgrx);
        let colours = [[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 255, 0]];
        for (x, colour) in (0..).zip(colours) {
            let area = large.size().area(x, 0, 1, 2).unwrap();
            large.target(area).unwrap().fill(0, 0, 1, 2, ByteOrder::Bgrx.pixel(colour)).unwrap();
        }
        let fit = Fit::inside(large.size(), Size::new(2, 2));
        assert_eq!(fit.size(), Size::new(2, 1));
        assert_eq!(painted(fit, &large, &[fit.size().whole()]), [0x0080_0000, 0x0000_ff00]);
        // More than 2^24 pixels of white in one.
        let mut huge = Canvas::new(Size::new(5000, 5000), ByteOrder::Bgrx);
        let whole = huge.size().whole();
        huge.target(whole).unwrap().fill(0, 0, 5000, 5000, 0x00ff_ffff).unwrap();
        let fit = Fit::inside(huge.size(), Size::new(1, 1));
        assert_eq!(painted(fit, &huge, &[fit.size().whole()]), [0x00ff_ffff]);
    }

    #[test]
    fn a_larger_pixel_lies_between_its_neighbours() {
        let mut small = Canvas::new(Size::new(2, 1), ByteOrder::Bgrx);
        small.target(small.size().area(1, 0, 1, 1).unwrap()).unwrap().fill(0, 0, 1, 1, 0x00ff_8000).unwrap();
        let fit = Fit::filling(small.size(), Size::new(4, 2));
        let row = [0, 0x0040_2000, 0x00bf_6000, 0x00ff_8000];
        assert_eq!(painted(fit, &small, &[fit.size().whole()]), [row, row].concat());
        // Smaller one way and larger the other.
        let fit = Fit::filling(small.size(), Size::new(1, 3));
        assert_eq!(painted(fit, &small, &[fit.size().whole()]), [0x0080_4000; 3]);
        let fit = Fit::in_squares(small.size(), Size::new(6, 9));
        let row = [0, 0, 0, 0x00ff_8000, 0x00ff_8000, 0x00ff_8000];
        assert_eq!(painted(fit, &small, &[fit.size().whole()]), [row, row, row].concat());
    }

    #[test]
    fn places_there_and_back() {
        let fit = Fit::inside(Size::new(3000, 2000), Size::new(1000, 1000));
        assert_eq!(fit.picture_at(0, 0), (0, 0));
        assert_eq!(fit.picture_at(1, 1), (4, 4));
        assert_eq!(fit.picture_at(999, 665), (2999, 1999));
        assert_eq!(fit.picture_at(-5, 9999), (0, 1999));
        assert_eq!(fit.shown_at(2999, 1999), (999, 665));
        for (from, room) in [(300, 100), (100, 300), (100, 307), (97, 100), (100, 97), (1, 50), (50, 1), (64, 64)] {
            for way in WAYS {
                let fit = way(Size::new(from, from), Size::new(room, room));
                for at in 0..from {
                    let (x, y) = fit.shown_at(at, at);
                    assert!(x == y && x >= 0 && x < i32::from(fit.size().width), "{fit:?} {at}");
                    if fit.size().width >= from {
                        assert_eq!(fit.picture_at(x, y), (at, at), "{fit:?}");
                    }
                }
                let mut last = 0;
                for at in 0..i32::from(fit.size().width) {
                    let (x, y) = fit.picture_at(at, at);
                    assert!(x == y && x >= last && x < from, "{fit:?} {at}");
                    last = x;
                }
                if fit.size().width > 1 {
                    assert_eq!((fit.picture_at(0, 0), last), ((0, 0), from - 1), "{fit:?}");
                }
            }
        }
    }

    #[test]
    fn what_a_pixel_changes_is_told_and_little_more() {
        let sizes = [(9, 7), (1, 1), (23, 5), (12, 12)];
        let rooms = [(9, 7), (3, 2), (40, 31), (23, 3), (5, 60), (1, 1), (36, 36)];
        for ((w, h), (room_w, room_h)) in sizes.into_iter().flat_map(|size| rooms.map(|room| (size, room))) {
            for way in WAYS {
                let fit = way(Size::new(w, h), Size::new(room_w, room_h));
                let (mut picture, whole) = (noise(Size::new(w, h)), fit.size().whole());
                let before = painted(fit, &picture, &[whole]);
                for (x, y) in [(0, 0), (w - 1, h - 1), (w / 2, h / 3)] {
                    let pixel = Size::new(w, h).area(x, y, 1, 1).unwrap();
                    let old = picture.rows(pixel).next().unwrap()[0];
                    picture.target(pixel).unwrap().fill(0, 0, 1, 1, old ^ 0x00ff_ffff).unwrap();
                    let after = painted(fit, &picture, &[whole]);
                    let told = fit.shown(pixel).unwrap();
                    for (at, _) in before.iter().zip(&after).enumerate().filter(|(_, (a, b))| a != b) {
                        let (x, y) = (at as u32 % u32::from(whole.width()), at as u32 / u32::from(whole.width()));
                        let inside = (u32::from(told.x())..told.right()).contains(&x)
                            && (u32::from(told.y())..told.bottom()).contains(&y);
                        assert!(inside, "{fit:?}: {x},{y} is not in {told:?}");
                    }
                    // Twice the pixel's own part, and one more on each side.
                    let most = |from: u16, to: u16| 2 * to.div_ceil(from) + 2;
                    assert!(told.width() <= most(w, whole.width()) && told.height() <= most(h, whole.height()));
                    picture.target(pixel).unwrap().fill(0, 0, 1, 1, old).unwrap();
                }
            }
        }
    }

    #[test]
    fn painting_a_part_equals_painting_all() {
        let picture = noise(Size::new(97, 61));
        for room in [Size::new(40, 40), Size::new(150, 200), Size::new(200, 30), Size::new(300, 200)] {
            for way in WAYS {
                let fit = way(picture.size(), room);
                let size = fit.size();
                let (left, right) = (size.area(0, 0, 13, size.height), size.area(13, 0, size.width - 13, size.height));
                let halves = [left.unwrap(), right.unwrap()];
                assert!(painted(fit, &picture, &[size.whole()]) == painted(fit, &picture, &halves), "{fit:?}");
            }
        }
    }

    #[test]
    fn the_largest_sizes_are_counted_with() {
        let sizes = [0, 1, 2, 32767, 65535].map(|side| Size::new(side, side));
        for (from, room) in sizes.into_iter().flat_map(|from| sizes.map(|room| (from, room))) {
            for way in WAYS {
                let fit = way(from, room);
                assert_eq!(fit.shown(from.whole()), Some(fit.size().whole()), "{fit:?}");
                assert!(fit.shown(from.area(from.width, from.height, 0, 0).unwrap()).is_some(), "{fit:?}");
                let (x, y) = fit.picture_at(i32::MAX, i32::MIN);
                assert_eq!((x, y), (from.width.saturating_sub(1), 0), "{fit:?}");
                let (x, y) = fit.shown_at(u16::MAX, u16::MAX);
                let most = i32::from(fit.size().width.max(1)) - 1;
                assert_eq!((x, y), (most, most), "{fit:?}");
            }
        }
    }
}
