//! From brightness and colour differences (YUV) to red, green and blue.

use super::Picture;
use crate::decode::Fault;
use crate::picture::{ByteOrder, Target};

/// How the numbers of a picture are to be understood (ITU-T H.264, table E-5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colours {
    /// matrix_coefficients
    pub matrix: u32,
    /// video_full_range_flag
    pub full_range: bool,
}

impl Default for Colours {
    /// As nothing is said: BT.709 in its limited range, which neatvnc sends.
    fn default() -> Colours {
        Colours { matrix: 1, full_range: false }
    }
}

/// Bits behind the point.
const POINT: u32 = 16;

/// What a difference adds to a colour, and brightness to all of them.
struct Weights {
    black: i32,
    luma: i32,
    red_by_v: i32,
    green_by_u: i32,
    green_by_v: i32,
    blue_by_u: i32,
}

impl Colours {
    /// Paints the upper left part of a picture that is as large as the target, or larger.
    ///
    /// # Errors
    /// [`Fault`] if the picture is smaller.
    pub fn paint(self, picture: &Picture, target: &mut Target<'_>, order: ByteOrder) -> Result<(), Fault> {
        let Picture { width, height, y, u, v } = picture;
        let whole = y.len() >= width * height && u.len().min(v.len()) >= width.div_ceil(2) * height.div_ceil(2);
        if !whole || *width < target.width() || *height < target.height() {
            return Err(Fault::from("an H.264 picture that is smaller than its rectangle"));
        }
        let weights = self.weights();
        let luma = y.chunks_exact((*width).max(1));
        let chroma_width = width.div_ceil(2).max(1);
        // Each row of colours is for two rows of pixels.
        let chroma = u.chunks_exact(chroma_width).zip(v.chunks_exact(chroma_width)).flat_map(|row| [row, row]);
        for ((row, luma), (u, v)) in target.rows_from(0).zip(luma).zip(chroma) {
            for ((out, luma), (&u, &v)) in row.chunks_mut(2).zip(luma.chunks(2)).zip(u.iter().zip(v)) {
                let differences = weights.differences(u, v);
                for (out, &luma) in out.iter_mut().zip(luma) {
                    *out = order.pixel(weights.colour(luma, differences));
                }
            }
        }
        Ok(())
    }

    fn weights(self) -> Weights {
        // How much red and blue count in brightness.
        let (red, blue) = match self.matrix {
            4 => (0.30, 0.11),
            5 | 6 => (0.299, 0.114),
            7 => (0.212, 0.087),
            9 | 10 => (0.2627, 0.0593),
            _ => (0.2126, 0.0722),
        };
        let green = 1.0 - red - blue;
        let (black, luma, chroma) = if self.full_range { (0, 1.0, 1.0) } else { (16, 255.0 / 219.0, 255.0 / 224.0) };
        let fixed = |weight: f64| (weight * f64::from(1 << POINT)).round() as i32;
        let (by_v, by_u) = (2.0 * (1.0 - red) * chroma, 2.0 * (1.0 - blue) * chroma);
        Weights {
            black,
            luma: fixed(luma),
            red_by_v: fixed(by_v),
            green_by_u: fixed(-by_u * blue / green),
            green_by_v: fixed(-by_v * red / green),
            blue_by_u: fixed(by_u),
        }
    }
}

impl Weights {
    /// What the differences add to red, green and blue, with half a step for rounding.
    fn differences(&self, u: u8, v: u8) -> [i32; 3] {
        let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
        [self.red_by_v * v, self.green_by_u * u + self.green_by_v * v, self.blue_by_u * u]
            .map(|difference| difference + (1 << (POINT - 1)))
    }

    fn colour(&self, luma: u8, differences: [i32; 3]) -> [u8; 3] {
        let luma = (i32::from(luma) - self.black) * self.luma;
        differences.map(|difference| ((luma + difference) >> POINT).clamp(0, 255) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(matrix: u32, full_range: bool, [y, u, v]: [u8; 3]) -> [u8; 3] {
        let weights = Colours { matrix, full_range }.weights();
        weights.colour(y, weights.differences(u, v))
    }

    #[test]
    fn black_white_and_red_are_what_the_recommendations_say() {
        for matrix in [1, 2, 4, 5, 6, 7, 9] {
            assert_eq!(colour(matrix, false, [16, 128, 128]), [0; 3]);
            assert_eq!(colour(matrix, false, [235, 128, 128]), [255; 3]);
            assert_eq!(colour(matrix, true, [0, 128, 128]), [0; 3]);
            assert_eq!(colour(matrix, true, [255, 128, 128]), [255; 3]);
            // Beyond black and white there is nothing.
            assert_eq!(colour(matrix, false, [0, 128, 128]), [0; 3]);
            assert_eq!(colour(matrix, false, [255, 128, 128]), [255; 3]);
        }
        let near = |ours: [u8; 3], theirs: [u8; 3]| ours.iter().zip(theirs).all(|(&a, b)| a.abs_diff(b) <= 1);
        // The primaries as BT.709 and BT.601 have them in 8 bits.
        assert!(near(colour(1, false, [63, 102, 240]), [255, 0, 0]));
        assert!(near(colour(1, false, [173, 42, 26]), [0, 255, 0]));
        assert!(near(colour(1, false, [32, 240, 118]), [0, 0, 255]));
        assert!(near(colour(6, false, [81, 90, 240]), [254, 0, 0]));
        assert!(near(colour(5, false, [145, 54, 34]), [0, 255, 1]));
        assert!(near(colour(6, true, [76, 85, 255]), [254, 0, 0]));
    }

    #[test]
    fn a_larger_picture_is_cropped_and_a_smaller_one_refused() {
        let y: Vec<u8> = (0..16).map(|at| at * 10).collect();
        let picture = Picture { width: 4, height: 4, y, u: vec![128; 4], v: vec![128; 4] };
        let colours = Colours { matrix: 1, full_range: true };
        let mut pixels = [0; 9];
        let mut target = Target::new(&mut pixels, 3, 3, 3).unwrap();
        colours.paint(&picture, &mut target, ByteOrder::Rgbx).unwrap();
        assert_eq!(pixels.map(|pixel| pixel & 0xff), [0, 10, 20, 40, 50, 60, 80, 90, 100]);
        for (width, height) in [(5, 3), (3, 5)] {
            let mut pixels = [0; 15];
            let mut target = Target::new(&mut pixels, width, width, height).unwrap();
            assert!(colours.paint(&picture, &mut target, ByteOrder::Rgbx).is_err());
        }
    }
}
