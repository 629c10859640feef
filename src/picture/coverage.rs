//! Which pixels have been painted at all: a picture is whole when none is left.

use super::{Area, Size};

/// One bit a pixel, until all are set.
#[derive(Debug)]
pub struct Coverage {
    words_a_row: usize,
    words: Vec<u64>,
    left: usize,
}

impl Coverage {
    /// Nothing of a picture of `size` was painted.
    pub fn new(size: Size) -> Coverage {
        let words_a_row = usize::from(size.width).div_ceil(64);
        Coverage { words_a_row, words: vec![0; words_a_row * usize::from(size.height)], left: size.pixels() }
    }

    /// All of `area` was painted. It lies inside the picture.
    pub fn add(&mut self, area: Area) {
        if self.left == 0 || area.is_empty() {
            return;
        }
        let (from, to) = (usize::from(area.x()), area.right() as usize);
        let rows = self.words.chunks_exact_mut(self.words_a_row);
        for row in rows.skip(area.y().into()).take(area.height().into()) {
            for (start, word) in (0..).step_by(64).zip(row).take(to.div_ceil(64)).skip(from / 64) {
                let mask = ones(to.saturating_sub(start)) & !ones(from.saturating_sub(start));
                self.left = self.left.saturating_sub((mask & !*word).count_ones() as usize);
                *word |= mask;
            }
        }
        if self.left == 0 {
            self.words = Vec::new();
        }
    }

    /// Whether every pixel was painted.
    pub fn is_complete(&self) -> bool {
        self.left == 0
    }
}

/// The lowest `count` bits.
fn ones(count: usize) -> u64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_a_naive_count() {
        let size = Size::new(150, 9);
        let mut coverage = Coverage::new(size);
        let mut naive = vec![false; size.pixels()];
        for i in 0..400u16 {
            let (x, y) = (i * 37 % 150, i * 5 % 9);
            let area = size.area(x, y, (i * 13 % 70).min(150 - x), (i % 4).min(9 - y)).unwrap();
            coverage.add(area);
            for row in y..y + area.height() {
                for column in x..x + area.width() {
                    naive[usize::from(row) * 150 + usize::from(column)] = true;
                }
            }
            assert_eq!(coverage.left, naive.iter().filter(|painted| !**painted).count());
        }
        coverage.add(size.whole());
        assert!(coverage.is_complete());
        assert!(Coverage::new(Size::new(0, 5)).is_complete());
    }
}
