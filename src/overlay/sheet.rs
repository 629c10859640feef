//! What is drawn on, and the colours: everything that falls outside is left out.

use crate::picture::{ByteOrder, Canvas, Size};

/// The ground of a panel.
pub(super) const GROUND: u32 = 0x0022_262e;
/// The line around one.
pub(super) const EDGE: u32 = 0x0046_4e5c;
/// The ground of what can be typed into.
pub(super) const WELL: u32 = 0x0016_191f;
/// A button that is not chosen.
pub(super) const BUTTON: u32 = 0x0034_3b47;
/// What is chosen.
pub(super) const CHOSEN: u32 = 0x0029_62b8;
/// Where something can be typed, and what is good to know.
pub(super) const ACCENT: u32 = 0x005a_9cf8;
/// What needs attention.
pub(super) const ALERT: u32 = 0x00e5_a93d;
/// Text, of falling weight.
pub(super) const BRIGHT: u32 = 0x00ff_ffff;
pub(super) const TEXT: u32 = 0x00dc_e1ea;
pub(super) const FAINT: u32 = 0x009c_a6b6;
pub(super) const DISABLED: u32 = 0x0070_7988;

/// A panel's picture.
pub(super) struct Sheet {
    canvas: Canvas,
}

impl Sheet {
    /// An empty panel with a line around it.
    pub(super) fn new(width: i32, height: i32, line: i32) -> Sheet {
        let length = |length: i32| u16::try_from(length.max(0)).unwrap_or(u16::MAX);
        let mut sheet = Sheet { canvas: Canvas::new(Size::new(length(width), length(height)), ByteOrder::Bgrx) };
        sheet.fill(0, 0, width, height, EDGE);
        sheet.fill(line, line, width - 2 * line, height - 2 * line, GROUND);
        sheet
    }

    /// The picture.
    pub(super) fn into_canvas(self) -> Canvas {
        self.canvas
    }

    /// Fills a rectangle.
    pub(super) fn fill(&mut self, x: i32, y: i32, width: i32, height: i32, colour: u32) {
        let size = self.canvas.size();
        let inside = |at: i32, most: u16| at.clamp(0, most.into()) as u16;
        let (left, top) = (inside(x, size.width), inside(y, size.height));
        let right = inside(x.saturating_add(width), size.width).max(left);
        let bottom = inside(y.saturating_add(height), size.height).max(top);
        let Some(area) = size.area(left, top, right - left, bottom - top) else { return };
        if let Ok(mut target) = self.canvas.target(area) {
            target.rows_from(0).for_each(|row| row.fill(colour));
        }
    }

    /// Fills a rectangle with round corners.
    pub(super) fn round(&mut self, x: i32, y: i32, width: i32, height: i32, radius: i32, colour: u32) {
        let radius = radius.min(width / 2).min(height / 2).max(0);
        self.fill(x, y + radius, width, height - 2 * radius, colour);
        for row in 0..radius {
            let covered: Vec<u8> = (0..width)
                .map(|column| {
                    let beside = (radius - column.min(width - 1 - column)).max(0);
                    let (dx, dy) = (beside as f32 - 0.5, (radius - row) as f32 - 0.5);
                    let outside = if beside == 0 { 0.0 } else { dx.hypot(dy) + 0.5 - radius as f32 };
                    ((1.0 - outside).clamp(0.0, 1.0) * 255.0) as u8
                })
                .collect();
            self.cover(x, y + row, width as usize, &covered, colour);
            self.cover(x, y + height - 1 - row, width as usize, &covered, colour);
        }
    }

    /// Paints what is covered, of 255, in rows of `width`.
    pub(super) fn cover(&mut self, x: i32, y: i32, width: usize, covered: &[u8], colour: u32) {
        let whole = self.canvas.size().whole();
        let Ok(mut target) = self.canvas.target(whole) else { return };
        for (y, covered) in (y..).zip(covered.chunks_exact(width.max(1))) {
            let Ok(y) = usize::try_from(y) else { continue };
            let row = target.row(y);
            for (x, &covered) in (x..).zip(covered) {
                let Some(pixel) = usize::try_from(x).ok().and_then(|x| row.get_mut(x)) else { continue };
                *pixel = mix(*pixel, colour, covered);
            }
        }
    }
}

/// So much of the second colour, of 255, over the first.
fn mix(below: u32, above: u32, part: u8) -> u32 {
    let part = u32::from(part);
    let channel = |shift: u32| {
        let (below, above) = (below >> shift & 0xff, above >> shift & 0xff);
        ((below * (255 - part) + above * part + 127) / 255) << shift
    };
    channel(16) | channel(8) | channel(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_painted_outside() {
        let mut sheet = Sheet::new(4, 3, 1);
        sheet.fill(-5, -5, 100, 6, 1);
        sheet.fill(3, 2, i32::MAX, i32::MAX, 2);
        sheet.cover(-1, 2, 3, &[255; 9], 3);
        sheet.round(100, 100, 20, 20, 5, 4);
        let [e, g] = [EDGE, GROUND];
        assert_eq!(sheet.canvas.pixels(), [1, 1, 1, 1, e, g, g, e, 3, 3, e, 2]);
    }

    #[test]
    fn colours_mix() {
        assert_eq!(mix(0x0010_2030, 0x00ff_ffff, 0), 0x0010_2030);
        assert_eq!(mix(0x0010_2030, 0x00fe_dcba, 255), 0x00fe_dcba);
        assert_eq!(mix(0, 0x00ff_ff00, 128), 0x0080_8000);
    }
}
