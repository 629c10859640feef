//! What was painted since the window last looked: a few rectangles that cover it.

use super::Area;

/// Rectangles that cover everything painted; few, at the price of covering more.
#[derive(Debug, Clone, Default)]
pub struct Damage {
    areas: Vec<Area>,
}

impl Damage {
    /// Beyond this many, neighbours are joined: a window's work for a rectangle is not free either.
    const MOST: usize = 16;

    /// Adds `area`.
    pub fn add(&mut self, area: Area) {
        if area.is_empty() {
            return;
        }
        // Servers cut one change into a row of rectangles: a join that covers no new pixel is always right.
        for known in &mut self.areas {
            let union = known.union(area);
            if union.pixels() <= known.pixels() + area.pixels() {
                *known = union;
                return;
            }
        }
        if self.areas.len() < Self::MOST {
            self.areas.push(area);
        } else if let Some(best) = self.areas.iter_mut().min_by_key(|known| known.union(area).pixels() - known.pixels())
        {
            *best = best.union(area);
        }
    }

    /// Adds all of `other`.
    pub fn extend(&mut self, other: &Damage) {
        for &area in &other.areas {
            self.add(area);
        }
    }

    /// The rectangles.
    pub fn areas(&self) -> &[Area] {
        &self.areas
    }

    /// Whether nothing was painted.
    pub fn is_empty(&self) -> bool {
        self.areas.is_empty()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.areas.clear();
    }

    /// What is held, leaving nothing.
    pub fn take(&mut self) -> Damage {
        std::mem::take(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Size;

    #[test]
    fn everything_added_is_covered_by_few_rectangles() {
        let size = Size::new(1000, 1000);
        let mut damage = Damage::default();
        let added: Vec<Area> =
            (0..200u16).map(|i| size.area(i * 37 % 900, i * 91 % 900, i % 20, 1 + i % 9).unwrap()).collect();
        for &area in &added {
            damage.add(area);
        }
        assert!(damage.areas().len() <= Damage::MOST);
        for area in added.iter().filter(|area| !area.is_empty()) {
            // Painted pixels may be covered by several rectangles together, so look at each pixel.
            for y in u32::from(area.y())..area.bottom() {
                for x in u32::from(area.x())..area.right() {
                    assert!(damage.areas().iter().any(|known| u32::from(known.x()) <= x
                        && x < known.right()
                        && u32::from(known.y()) <= y
                        && y < known.bottom()));
                }
            }
        }
    }

    #[test]
    fn neighbours_become_one() {
        let size = Size::new(100, 100);
        let mut damage = Damage::default();
        for y in 0..100 {
            damage.add(size.area(0, y, 100, 1).unwrap());
        }
        assert_eq!(damage.areas(), [size.whole()]);
    }
}
