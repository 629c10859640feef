//! Makes a picture smaller: each pixel is the mean of the pixels it stands for, so that no stroke of a letter is lost.

use super::{Area, Canvas, Size, Target};

/// Where a large picture lies in a smaller one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fit {
    from: Size,
    to: Size,
}

impl Fit {
    /// As large as `room` allows with all of `from` visible, and never larger than it is.
    pub fn inside(from: Size, room: Size) -> Fit {
        let (w, h) = (u32::from(from.width), u32::from(from.height));
        let (room_w, room_h) = (u32::from(room.width), u32::from(room.height));
        let part = |of: u32, numerator: u32, denominator: u32| {
            let scaled = u64::from(of) * u64::from(numerator) / u64::from(denominator.max(1));
            u16::try_from(scaled.max(1)).unwrap_or(u16::MAX)
        };
        let to = if w <= room_w && h <= room_h || from.pixels() == 0 || room.pixels() == 0 {
            from
        } else if u64::from(w) * u64::from(room_h) > u64::from(h) * u64::from(room_w) {
            Size::new(room.width, part(h, room_w, w))
        } else {
            Size::new(part(w, room_h, h), room.height)
        };
        Fit { from, to }
    }

    /// The size of the smaller picture.
    pub fn size(self) -> Size {
        self.to
    }

    /// Whether nothing is scaled.
    pub fn is_same(self) -> bool {
        self.from == self.to
    }

    /// The pixels of the smaller picture in which `area` of the large one has a part.
    pub fn shrink(self, area: Area) -> Option<Area> {
        let near = |edge: u32, from: u16, to: u16| u64::from(edge) * u64::from(to) / u64::from(from.max(1));
        let far = |edge: u32, from: u16, to: u16| (u64::from(edge) * u64::from(to)).div_ceil(u64::from(from.max(1)));
        let x = near(area.x().into(), self.from.width, self.to.width) as u16;
        let y = near(area.y().into(), self.from.height, self.to.height) as u16;
        let right = far(area.right(), self.from.width, self.to.width) as u16;
        let bottom = far(area.bottom(), self.from.height, self.to.height) as u16;
        self.to.area(x, y, right.saturating_sub(x), bottom.saturating_sub(y))
    }

    /// The point of the large picture under a point of the smaller one; the nearest inside for one outside.
    pub fn enlarge(self, x: i32, y: i32) -> (u16, u16) {
        let back = |at: i32, from: u16, to: u16| {
            let at = u64::try_from(at).unwrap_or(0).min(u64::from(to.saturating_sub(1)));
            // The middle of the pixel, so that the last one reaches the last of the large picture nearly.
            let large = (2 * at + 1) * u64::from(from) / (2 * u64::from(to.max(1)));
            u16::try_from(large).unwrap_or(u16::MAX).min(from.saturating_sub(1))
        };
        (back(x, self.from.width, self.to.width), back(y, self.from.height, self.to.height))
    }

    /// The point of the smaller picture that shows a point of the large one.
    pub fn reduce(self, x: u16, y: u16) -> (i32, i32) {
        let part = |at: u16, from: u16, to: u16| (u32::from(at) * u32::from(to) / u32::from(from.max(1))) as i32;
        (part(x, self.from.width, self.to.width), part(y, self.from.height, self.to.height))
    }

    /// Paints `area` of the smaller picture, which `target` covers exactly.
    pub fn paint(self, large: &Canvas, area: Area, target: &mut Target<'_>) {
        let span = |at: usize, from: u16, to: u16| {
            let (from, to) = (usize::from(from), usize::from(to).max(1));
            let start = at * from / to;
            start..((at + 1) * from).div_ceil(to).clamp(start + 1, from.max(start + 1))
        };
        let stride = usize::from(self.from.width);
        let pixels = large.pixels();
        let columns: Vec<_> = (area.x().into()..area.right() as usize)
            .map(|column| span(column, self.from.width, self.to.width))
            .collect();
        for (row, out) in (usize::from(area.y())..).zip(target.rows_from(0)) {
            let rows = span(row, self.from.height, self.to.height);
            for (columns, out) in columns.iter().zip(out) {
                // Two colours at a time in one sum: 2^16 pixels of 255 fit in the 32 bits each has.
                let (mut even, mut odd, mut count) = (0u64, 0u64, 0u64);
                for y in rows.clone() {
                    let line = pixels.get(y * stride + columns.start..y * stride + columns.end).unwrap_or_default();
                    for &pixel in line {
                        let pixel = u64::from(pixel);
                        even += pixel & 0xff | (pixel & 0x00ff_0000) << 16;
                        odd += pixel >> 8 & 0xff;
                    }
                    count += line.len() as u64;
                }
                let count = count.max(1);
                let mean = |sum: u64| ((sum + count / 2) / count) as u32;
                *out = mean(even & 0xffff_ffff) | mean(odd) << 8 | mean(even >> 32) << 16;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::ByteOrder;

    #[test]
    fn fits_by_the_tighter_side_and_never_grows() {
        let fit = |w, h, room_w, room_h| Fit::inside(Size::new(w, h), Size::new(room_w, room_h)).size();
        assert_eq!(fit(800, 600, 1024, 768), Size::new(800, 600));
        assert_eq!(fit(2048, 768, 1024, 768), Size::new(1024, 384));
        assert_eq!(fit(1024, 1536, 1024, 768), Size::new(512, 768));
        assert_eq!(fit(65535, 1, 100, 100), Size::new(100, 1));
        assert_eq!(fit(0, 5, 100, 100), Size::new(0, 5));
    }

    #[test]
    fn a_pixel_is_the_mean_of_those_it_stands_for() {
        let mut large = Canvas::new(Size::new(4, 2), ByteOrder::Bgrx);
        let colours = [[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 255, 0]];
        for (x, colour) in (0..).zip(colours) {
            let area = large.size().area(x, 0, 1, 2).unwrap();
            large.target(area).unwrap().fill(0, 0, 1, 2, ByteOrder::Bgrx.pixel(colour)).unwrap();
        }
        let fit = Fit::inside(large.size(), Size::new(2, 2));
        assert_eq!(fit.size(), Size::new(2, 1));
        let mut small = Canvas::new(fit.size(), ByteOrder::Bgrx);
        let whole = fit.size().whole();
        fit.paint(&large, whole, &mut small.target(whole).unwrap());
        assert_eq!(small.to_rgb(), [128, 0, 0, 0, 255, 0]);
    }

    #[test]
    fn places_there_and_back() {
        let fit = Fit::inside(Size::new(3000, 2000), Size::new(1000, 1000));
        assert_eq!(fit.enlarge(0, 0), (1, 1));
        assert_eq!(fit.enlarge(999, 665), (2998, 1998));
        assert_eq!(fit.enlarge(-5, 9999), (1, 1998));
        assert_eq!(fit.reduce(2999, 1999), (999, 665));
        let area = Size::new(3000, 2000).area(4, 4, 1, 1).unwrap();
        assert_eq!(fit.shrink(area), fit.size().area(1, 1, 1, 1));
        let same = Fit::inside(Size::new(30, 20), Size::new(100, 100));
        assert_eq!((same.enlarge(7, 8), same.reduce(7, 8)), ((7, 8), (7, 8)));
    }

    #[test]
    fn painting_a_part_equals_painting_all() {
        let mut large = Canvas::new(Size::new(97, 61), ByteOrder::Bgrx);
        let area = large.size().whole();
        for (i, row) in large.target(area).unwrap().rows_from(0).enumerate() {
            for (j, pixel) in row.iter_mut().enumerate() {
                *pixel = (i * 7919 + j * 104_729) as u32 & 0x00ff_ffff;
            }
        }
        let fit = Fit::inside(large.size(), Size::new(40, 40));
        let paint = |areas: &[Area]| {
            let mut small = Canvas::new(fit.size(), ByteOrder::Bgrx);
            areas.iter().for_each(|&area| fit.paint(&large, area, &mut small.target(area).unwrap()));
            small.pixels().to_vec()
        };
        let size = fit.size();
        let halves =
            [size.area(0, 0, 13, size.height).unwrap(), size.area(13, 0, size.width - 13, size.height).unwrap()];
        assert_eq!(paint(&[size.whole()]), paint(&halves));
    }
}
