//! The framebuffer: all pixels of the desktop, moved whole between threads and never locked.

use super::{Area, Outside, Size, Target};

/// In which order the bytes of a pixel lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrder {
    /// Red, green, blue, unused: what recordings carry.
    Rgbx,
    /// Blue, green, red, unused (0x00RRGGBB): what windows take.
    Bgrx,
}

impl ByteOrder {
    /// The shifts of red, green and blue in a pixel.
    pub const fn shifts(self) -> [u8; 3] {
        match self {
            ByteOrder::Rgbx => [0, 8, 16],
            ByteOrder::Bgrx => [16, 8, 0],
        }
    }

    /// The pixel of a colour.
    pub const fn pixel(self, [red, green, blue]: [u8; 3]) -> u32 {
        let [r, g, b] = self.shifts();
        (red as u32) << r | (green as u32) << g | (blue as u32) << b
    }

    /// The colour of a pixel, red first.
    pub const fn colour(self, pixel: u32) -> [u8; 3] {
        let [r, g, b] = self.shifts();
        [(pixel >> r) as u8, (pixel >> g) as u8, (pixel >> b) as u8]
    }
}

/// Memory that a canvas takes beyond its own, in pixels, once it scrolls: so far it may before its pixels are moved after
/// all.
const ROOM: usize = 2 << 20;

/// Pixels in a line of the processor's caches. Tiles of Hextile are as wide: where each of their rows is one line and not
/// parts of two, video-hextile takes 0.87 of the time.
const LINE: usize = 16;

/// The framebuffer.
///
/// When most of the picture is copied up or down, the place in memory where it begins is moved, and not its pixels.
pub struct Canvas {
    size: Size,
    order: ByteOrder,
    memory: Vec<u32>,
    /// Where in `memory` the first row begins.
    first: usize,
    /// The first place where it may, and how far beyond that it may too.
    front: usize,
    room: usize,
}

impl Canvas {
    /// A black canvas. The caller has checked `size` against its budget.
    pub fn new(size: Size, order: ByteOrder) -> Canvas {
        let rows = (ROOM / usize::from(size.width).max(1)).min(size.height.into());
        let memory = vec![0; size.pixels() + LINE];
        // An offset that can not be told is as good as none.
        let front = memory.as_ptr().align_offset(LINE * size_of::<u32>()).min(LINE);
        Canvas { size, order, memory, first: front, front, room: rows * usize::from(size.width) }
    }

    /// A canvas without pixels.
    pub const fn empty() -> Canvas {
        Canvas { size: Size::new(0, 0), order: ByteOrder::Bgrx, memory: Vec::new(), first: 0, front: 0, room: 0 }
    }

    /// Width and height.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The order of the bytes of a pixel.
    pub fn order(&self) -> ByteOrder {
        self.order
    }

    /// All pixels, row by row, without gaps.
    pub fn pixels(&self) -> &[u32] {
        self.memory.get(self.first..self.first + self.size.pixels()).unwrap_or_default()
    }

    fn pixels_mut(&mut self) -> &mut [u32] {
        self.memory.get_mut(self.first..self.first + self.size.pixels()).unwrap_or_default()
    }

    /// Makes everything black.
    pub fn clear(&mut self) {
        self.pixels_mut().fill(0);
    }

    /// Gives the canvas another size; what both sizes share keeps its pixels, the rest is black.
    pub fn resize(&mut self, size: Size) {
        if size == self.size {
            return;
        }
        let mut resized = Canvas::new(size, self.order);
        let shared = Size::new(size.width.min(self.size.width), size.height.min(self.size.height)).whole();
        resized.update_from(self, shared);
        *self = resized;
    }

    /// The pixels of `area`, to be painted.
    ///
    /// # Errors
    /// [`Outside`] if `area` was made for a larger canvas.
    pub fn target(&mut self, area: Area) -> Result<Target<'_>, Outside> {
        let Size { width, height } = self.size;
        Target::new(self.pixels_mut(), usize::from(width), usize::from(width), usize::from(height))
            .ok_or(Outside)?
            .into_part(
                usize::from(area.x()),
                usize::from(area.y()),
                usize::from(area.width()),
                usize::from(area.height()),
            )
    }

    /// The rows of `area`, for reading.
    pub fn rows(&self, area: Area) -> impl Iterator<Item = &[u32]> {
        let width = usize::from(self.size.width).max(1);
        let (x, right) = (usize::from(area.x()), area.right() as usize);
        self.pixels()
            .chunks_exact(width)
            .skip(usize::from(area.y()))
            .take(usize::from(area.height()))
            .filter_map(move |row| row.get(x..right))
    }

    /// Copies the rectangle at (`x`, `y`), of `to`'s size, to `to`; the two may overlap.
    ///
    /// # Errors
    /// [`Outside`] if either does not lie inside the canvas; nothing is copied then.
    pub fn copy(&mut self, x: u16, y: u16, to: Area) -> Result<(), Outside> {
        let from = self.size.area(x, y, to.width(), to.height()).ok_or(Outside)?;
        self.size.area(to.x(), to.y(), to.width(), to.height()).ok_or(Outside)?;
        let stride = usize::from(self.size.width);
        let width = usize::from(to.width());
        let rows = usize::from(to.height());
        let start = |area: Area, row: usize| (usize::from(area.y()) + row) * stride + usize::from(area.x());
        let pixels = self.pixels_mut();
        for i in 0..rows {
            // Downwards moves start at the bottom, so that no row is overwritten before it was read. Copies by AVX2, AVX-512 or
            // `rep movsb` are no faster than the C library's: 0.96 to 1.04 of its time.
            let row = if to.y() > from.y() { rows - 1 - i } else { i };
            let source = start(from, row);
            pixels.copy_within(source..source + width, start(to, row));
        }
        Ok(())
    }

    /// Moves the whole picture down by so many rows, or up if there are fewer than none; only the areas that `stay`,
    /// which have no pixel in common, keep their pixels. What comes from outside of the picture is anything. False if to
    /// copy what does not stay is less work; nothing is moved then.
    pub(super) fn scroll(&mut self, rows: i32, stay: &mut [Area]) -> bool {
        let (stride, pixels) = (usize::from(self.size.width), self.size.pixels());
        let by = rows.unsigned_abs() as usize * stride;
        // So often it may go on this way until all pixels are moved.
        let times = self.room.checked_div(by).unwrap_or(0) as u64;
        let (all, kept) = (pixels as u64, stay.iter().map(|area| area.pixels() as u64).sum::<u64>());
        if all + times * kept >= times * all.saturating_sub(kept) {
            return false;
        }
        let up = rows < 0;
        let (front, back) = (self.front, self.front + self.room);
        if up && self.first + by > back {
            self.lie_at(front);
        } else if !up && self.first - front < by {
            self.lie_at(back);
        }
        let before = self.first;
        self.first = if up { before + by } else { before - by };
        self.reach(self.first + pixels);
        // What stays moves the other way in memory: the rows that are foremost there go first.
        stay.sort_unstable_by_key(|area| if up { -i32::from(area.y()) } else { i32::from(area.y()) });
        for area in stay {
            let (width, height) = (usize::from(area.width()), usize::from(area.height()));
            // Rows of the whole width are one.
            let (width, height) = if width == stride { (width * height, 1) } else { (width, height) };
            for row in 0..height {
                let row = if up { height - 1 - row } else { row };
                let at = (usize::from(area.y()) + row) * stride + usize::from(area.x());
                self.memory.copy_within(before + at..before + at + width, self.first + at);
            }
        }
        true
    }

    /// Moves all pixels in memory.
    fn lie_at(&mut self, first: usize) {
        self.reach(first + self.size.pixels());
        self.memory.copy_within(self.first..self.first + self.size.pixels(), first);
        self.first = first;
    }

    /// Takes memory up to there. The first time all is asked for that may be needed, which is not there before it is used.
    fn reach(&mut self, end: usize) {
        let most = self.front + self.room + self.size.pixels();
        self.memory.reserve_exact(most.saturating_sub(self.memory.len()));
        self.memory.resize(end.max(self.memory.len()), 0);
    }

    /// Takes `area` from `other`, which has the same size and order.
    pub fn update_from(&mut self, other: &Canvas, area: Area) {
        let Some(area) = area.clip(self.size).and_then(|area| area.clip(other.size)) else { return };
        let Ok(mut target) = self.target(area) else { return };
        for (to, from) in target.rows_from(0).zip(other.rows(area)) {
            to.copy_from_slice(from);
        }
    }

    /// All pixels as bytes red, green, blue, row by row.
    pub fn to_rgb(&self) -> Vec<u8> {
        self.pixels().iter().flat_map(|&pixel| self.order.colour(pixel)).collect()
    }

    /// All pixels as bytes red, green, blue, 0, row by row, handed over a row at a time.
    pub fn each_rgbx_row(&self, mut take: impl FnMut(&[u8])) {
        let mut bytes = Vec::new();
        for row in self.rows(self.size.whole()) {
            bytes.clear();
            bytes.extend(row.iter().flat_map(|&pixel| {
                let [red, green, blue] = self.order.colour(pixel);
                [red, green, blue, 0]
            }));
            take(&bytes);
        }
    }
}

impl Clone for Canvas {
    fn clone(&self) -> Canvas {
        let mut other = Canvas::new(self.size, self.order);
        other.pixels_mut().copy_from_slice(self.pixels());
        other
    }
}

impl std::fmt::Debug for Canvas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Canvas").field("size", &self.size).field("order", &self.order).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(width: u16, height: u16) -> Canvas {
        let mut canvas = Canvas::new(Size::new(width, height), ByteOrder::Rgbx);
        for (i, pixel) in canvas.pixels_mut().iter_mut().enumerate() {
            *pixel = i as u32;
        }
        canvas
    }

    /// The obvious way to copy, to compare with.
    fn naive_copy(canvas: &Canvas, x: u16, y: u16, to: Area) -> Vec<u32> {
        let stride = usize::from(canvas.size.width);
        let mut out = canvas.pixels().to_vec();
        for row in 0..usize::from(to.height()) {
            for column in 0..usize::from(to.width()) {
                out[(usize::from(to.y()) + row) * stride + usize::from(to.x()) + column] =
                    canvas.pixels()[(usize::from(y) + row) * stride + usize::from(x) + column];
            }
        }
        out
    }

    #[test]
    fn copies_overlapping_rectangles_in_every_direction() {
        for (x, y) in [(0, 0), (1, 0), (2, 1), (0, 2), (1, 1), (2, 2)] {
            for (to_x, to_y) in [(0, 0), (1, 0), (2, 1), (0, 2), (1, 1), (2, 2)] {
                let mut canvas = numbered(7, 6);
                let to = canvas.size().area(to_x, to_y, 5, 4).unwrap();
                let expected = naive_copy(&canvas, x, y, to);
                canvas.copy(x, y, to).unwrap();
                assert_eq!(canvas.pixels(), expected, "{x},{y} to {to_x},{to_y}");
            }
        }
    }

    #[test]
    fn a_copy_from_outside_changes_nothing() {
        let mut canvas = numbered(4, 4);
        let to = canvas.size().area(0, 0, 3, 3).unwrap();
        assert_eq!(canvas.copy(2, 0, to), Err(Outside));
        assert_eq!(canvas.copy(0, 65535, to), Err(Outside));
        assert_eq!(canvas.pixels(), numbered(4, 4).pixels());
        let large = Size::new(9, 9).area(0, 0, 9, 9).unwrap();
        assert!(canvas.target(large).is_err());
    }

    #[test]
    fn resizing_keeps_what_both_share() {
        let mut canvas = numbered(3, 2);
        canvas.resize(Size::new(2, 3));
        assert_eq!(canvas.pixels(), [0, 1, 3, 4, 0, 0]);
        canvas.resize(Size::new(0, 3));
        assert!(canvas.pixels().is_empty());
        canvas.resize(Size::new(1, 1));
        assert_eq!(canvas.pixels(), [0]);
    }

    #[test]
    fn byte_orders() {
        assert_eq!(ByteOrder::Rgbx.pixel([1, 2, 3]).to_le_bytes(), [1, 2, 3, 0]);
        assert_eq!(ByteOrder::Bgrx.pixel([1, 2, 3]), 0x010203);
        assert_eq!(ByteOrder::Bgrx.colour(0xff01_0203), [1, 2, 3]);
    }
}
