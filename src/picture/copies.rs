//! Copies that belong together: the pieces into which a server cuts a desktop that scrolls.

use super::{Area, Canvas, Outside};

/// Rectangles that are to be copied by the same way, of which none reads what one before it writes.
#[derive(Debug, Default)]
pub struct Copies {
    /// Columns to the right and rows down.
    by: (i32, i32),
    to: Vec<Area>,
    /// What is not copied, while that is found out.
    stay: Vec<Area>,
    parts: Vec<Area>,
}

impl Copies {
    /// So many are gathered: each new one is compared with all of them.
    const MOST: usize = 64;

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.to.is_empty()
    }

    /// Adds a copy between two rectangles of the same size. False if it is of another way than the others, if it reads what
    /// one of them writes, or if there are enough: they must be [painted](Copies::paint) first.
    #[must_use]
    pub fn add(&mut self, from: Area, to: Area) -> bool {
        let way = |to: u16, from: u16| i32::from(to) - i32::from(from);
        let by = (way(to.x(), from.x()), way(to.y(), from.y()));
        let follows = |known: &Area| known.common(from).is_some();
        if !self.is_empty() && (by != self.by || self.to.len() >= Self::MOST || self.to.iter().any(follows)) {
            return false;
        }
        self.by = by;
        self.to.push(to);
        true
    }

    /// Makes all of them on `canvas`, and forgets them. If they go up or down and are most of it, the canvas is scrolled and
    /// what is left of it put back: of the term-* recordings, in which this was half of the time, that took 0.55 to 0.68.
    ///
    /// # Errors
    /// [`Outside`] if one does not lie inside the canvas.
    pub fn paint(&mut self, canvas: &mut Canvas) -> Result<(), Outside> {
        let size = canvas.size();
        if self.to.iter().any(|to| size.area(to.x(), to.y(), to.width(), to.height()).is_none()) {
            return Err(Outside);
        }
        let copied: usize = self.to.iter().map(|to| to.pixels()).sum();
        if self.by.0 == 0 && copied > size.pixels() / 2 {
            let Copies { stay, parts, .. } = self;
            stay.clear();
            stay.push(size.whole());
            for to in &self.to {
                parts.clear();
                parts.extend(stay.iter().flat_map(|area| area.outside(*to)));
                std::mem::swap(stay, parts);
            }
            if canvas.scroll(self.by.1, stay) {
                self.to.clear();
                return Ok(());
            }
        }
        for to in self.to.drain(..) {
            // They were made of one that began inside.
            let from = |to: u16, by: i32| u16::try_from(i32::from(to) - by).map_err(|_| Outside);
            canvas.copy(from(to.x(), self.by.0)?, from(to.y(), self.by.1)?, to)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ByteOrder, Size};
    use super::*;

    const SIZE: Size = Size::new(13, 16);

    fn numbered(seed: u32) -> Canvas {
        let mut canvas = Canvas::new(SIZE, ByteOrder::Rgbx);
        renumber(&mut canvas, seed);
        canvas
    }

    fn renumber(canvas: &mut Canvas, seed: u32) {
        let mut target = canvas.target(SIZE.whole()).unwrap();
        target.contiguous().unwrap().iter_mut().zip(seed..).for_each(|(pixel, number)| *pixel = number);
    }

    /// A number below `below`, in no order.
    fn any(state: &mut u32, below: u16) -> u16 {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((*state >> 16) % u32::from(below.max(1))) as u16
    }

    #[test]
    fn are_as_if_each_was_made_for_itself() {
        let mut state = 1;
        let (mut canvas, mut scrolled) = (numbered(0), 0);
        for turn in 0..20_000 {
            renumber(&mut canvas, turn * 1000);
            let mut naive = canvas.clone();
            let mut copies = Copies::default();
            let by = (if turn % 4 == 0 { 1 } else { 0 }, any(&mut state, 12));
            let up = any(&mut state, 2) == 0;
            let (left, right) = (any(&mut state, 2), any(&mut state, 3));
            let (mut top, end) = (any(&mut state, 3), SIZE.height - by.1 - any(&mut state, 2).min(SIZE.height - by.1));
            let place = |canvas: &Canvas| canvas.pixels().as_ptr();
            let before = place(&canvas);
            let mut pieces = Vec::new();
            while top < end {
                let rows = (1 + any(&mut state, 8)).min(end - top);
                let middle = left + 1 + any(&mut state, 5);
                let hole = any(&mut state, 2);
                pieces.push((left, top, middle - left, rows));
                pieces.push((middle + hole, top, SIZE.width - 1 - right - middle - hole, rows));
                top += rows;
            }
            // As servers do, so that nothing is overwritten before it was read; and as they do not.
            if !up && turn % 8 != 7 {
                pieces.reverse();
            }
            for (x, y, width, height) in pieces {
                let (low, high) = ((x, y), (x + by.0, y + by.1));
                let (from, to) = if up { (high, low) } else { (low, high) };
                let [from, to] = [from, to].map(|(x, y)| SIZE.area(x, y, width, height).unwrap());
                naive.copy(from.x(), from.y(), to).unwrap();
                if !copies.add(from, to) {
                    copies.paint(&mut canvas).unwrap();
                    assert!(copies.add(from, to));
                }
            }
            copies.paint(&mut canvas).unwrap();
            assert!(copies.is_empty());
            assert_eq!(canvas.pixels(), naive.pixels(), "turn {turn}: {by:?} {up}");
            scrolled += usize::from(place(&canvas) != before);
        }
        assert!((1000..18_000).contains(&scrolled), "{scrolled} times");
    }

    #[test]
    fn only_what_belongs_together_is_taken_together() {
        let area = |x, y, width, height| SIZE.area(x, y, width, height).unwrap();
        let mut copies = Copies::default();
        assert!(copies.add(area(0, 4, 13, 4), area(0, 2, 13, 4)));
        assert!(!copies.add(area(0, 9, 13, 4), area(0, 8, 13, 4)), "another way");
        assert!(!copies.add(area(0, 5, 13, 1), area(0, 3, 13, 1)), "from where one ends");
        assert!(copies.add(area(0, 8, 13, 4), area(0, 6, 13, 4)));
        for _ in 2..Copies::MOST {
            assert!(copies.add(area(0, 12, 1, 1), area(0, 10, 1, 1)));
        }
        assert!(!copies.add(area(0, 12, 1, 1), area(0, 10, 1, 1)), "too many");
    }

    #[test]
    fn a_canvas_without_memory_to_scroll_is_copied() {
        let mut canvas = Canvas::new(Size::new(3, 2), ByteOrder::Rgbx);
        let before = canvas.pixels().as_ptr();
        canvas.target(canvas.size().whole()).unwrap().fill(0, 1, 3, 1, 7).unwrap();
        let mut clone = canvas.clone();
        assert!(!clone.scroll(-3, &mut []));
        let mut copies = Copies::default();
        let [top, bottom] = [0, 1].map(|y| canvas.size().area(0, y, 3, 1).unwrap());
        assert!(copies.add(bottom, top));
        copies.paint(&mut canvas).unwrap();
        assert_eq!((canvas.pixels(), canvas.pixels().as_ptr()), (&[7; 6][..], before));
    }
}
