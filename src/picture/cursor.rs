//! The pointer's picture, as the server describes it.

use super::{ByteOrder, Size, Target};

/// The shape of the pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Width and height of the picture; 0 means an invisible pointer.
    pub size: Size,
    /// The pixel of the picture that lies on the pointer's position.
    pub hotspot: (u16, u16),
    /// Row by row; `None` shows what lies below.
    pub pixels: Vec<Option<[u8; 3]>>,
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
                if let (Some(place), Some(colour)) = (place, pixel) {
                    *place = order.pixel(*colour);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_at_its_hotspot_and_cut_at_the_edge() {
        let cursor = Cursor {
            size: Size::new(2, 2),
            hotspot: (1, 1),
            pixels: vec![Some([1, 0, 0]), None, Some([2, 0, 0]), Some([3, 0, 0])],
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
