//! The pointer's picture, as the server describes it.

use super::{ByteOrder, Size, Target};

/// The shape of the pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Width and height of the picture; 0 means an invisible pointer.
    pub size: Size,
    /// The pixel of the picture that lies on the pointer's position.
    pub hotspot: (u16, u16),
    /// Row by row: red, green, blue and opacity, of which 0 shows what lies below and 255 hides it.
    pub pixels: Vec<[u8; 4]>,
}

impl Cursor {
    /// Draws it with its hotspot at (`x`, `y`) of `target`; what falls outside is left out.
    pub fn draw(&self, target: &mut Target<'_>, order: ByteOrder, x: i32, y: i32) {
        let width = usize::from(self.size.width);
        if width == 0 {
            return;
        }
        let (left, top) = (x - i32::from(self.hotspot.0), y - i32::from(self.hotspot.1));
        for (row, pixels) in (top..).zip(self.pixels.chunks_exact(width)) {
            let Ok(row) = usize::try_from(row) else { continue };
            let out = target.row(row);
            for (column, pixel) in (left..).zip(pixels) {
                let place = usize::try_from(column).ok().and_then(|column| out.get_mut(column));
                if let Some(place) = place {
                    *place = order.pixel(over(*pixel, order.colour(*place)));
                }
            }
        }
    }
}

/// What is seen of both.
fn over([r, g, b, opacity]: [u8; 4], below: [u8; 3]) -> [u8; 3] {
    let opacity = u32::from(opacity);
    let mut above = [r, g, b];
    for (above, below) in above.iter_mut().zip(below) {
        *above = ((u32::from(*above) * opacity + u32::from(below) * (255 - opacity) + 127) / 255) as u8;
    }
    above
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_colour_lets_half_of_another_through() {
        assert_eq!(over([255, 0, 200, 128], [0, 255, 200]), [128, 127, 200]);
        assert_eq!(over([9, 9, 9, 0], [1, 2, 3]), [1, 2, 3]);
        assert_eq!(over([9, 8, 7, 255], [1, 2, 3]), [9, 8, 7]);
    }

    #[test]
    fn drawn_at_its_hotspot_and_cut_at_the_edge() {
        let cursor = Cursor {
            size: Size::new(2, 2),
            hotspot: (1, 1),
            pixels: vec![[1, 0, 0, 255], [7, 7, 7, 0], [2, 0, 0, 255], [3, 0, 0, 255]],
        };
        let draw = |x, y| {
            let mut pixels = vec![9; 9];
            cursor.draw(&mut Target::new(&mut pixels, 3, 3, 3).unwrap(), ByteOrder::Rgbx, x, y);
            pixels
        };
        assert_eq!(draw(1, 1), [1, 9, 9, 2, 3, 9, 9, 9, 9]);
        assert_eq!(draw(0, 0), [3, 9, 9, 9, 9, 9, 9, 9, 9]);
        assert_eq!(draw(3, 3), [9, 9, 9, 9, 9, 9, 9, 9, 1]);
        assert_eq!(draw(-5, 90), [9; 9]);
    }
}
