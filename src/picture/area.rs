//! Sizes, and rectangles that were checked once to lie inside one.

/// A width and a height in pixels; both may be 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Pixels a row.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl Size {
    /// A size of `width` × `height` pixels.
    pub const fn new(width: u16, height: u16) -> Size {
        Size { width, height }
    }

    /// The number of pixels: at most 65535², so it fits.
    pub const fn pixels(self) -> usize {
        self.width as usize * self.height as usize
    }

    /// The rectangle at (`x`, `y`), if all of it lies inside this size.
    pub fn area(self, x: u16, y: u16, width: u16, height: u16) -> Option<Area> {
        let inside = u32::from(x) + u32::from(width) <= u32::from(self.width)
            && u32::from(y) + u32::from(height) <= u32::from(self.height);
        inside.then_some(Area { x, y, width, height })
    }

    /// The whole of it as an area.
    pub const fn whole(self) -> Area {
        Area { x: 0, y: 0, width: self.width, height: self.height }
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// A rectangle that lies inside the [`Size`] which made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    x: u16,
    y: u16,
    width: u16,
    height: u16,
}

impl Area {
    /// Left edge.
    pub const fn x(self) -> u16 {
        self.x
    }

    /// Top edge.
    pub const fn y(self) -> u16 {
        self.y
    }

    /// Pixels a row.
    pub const fn width(self) -> u16 {
        self.width
    }

    /// Rows.
    pub const fn height(self) -> u16 {
        self.height
    }

    /// One past the right edge.
    pub const fn right(self) -> u32 {
        self.x as u32 + self.width as u32
    }

    /// One past the bottom edge.
    pub const fn bottom(self) -> u32 {
        self.y as u32 + self.height as u32
    }

    /// Width and height.
    pub const fn size(self) -> Size {
        Size::new(self.width, self.height)
    }

    /// The number of pixels.
    pub const fn pixels(self) -> usize {
        self.size().pixels()
    }

    /// Whether it holds no pixel.
    pub const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// The smallest rectangle that holds both.
    pub fn union(self, other: Area) -> Area {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        // Each edge is one of the two rectangles' own, which fit in a u16.
        let width = (self.right().max(other.right()) - u32::from(x)) as u16;
        let height = (self.bottom().max(other.bottom()) - u32::from(y)) as u16;
        Area { x, y, width, height }
    }

    /// The part that lies inside `other`, if any pixel does.
    pub fn common(self, other: Area) -> Option<Area> {
        Area::between(
            (self.x.max(other.x).into(), self.right().min(other.right())),
            (self.y.max(other.y).into(), self.bottom().min(other.bottom())),
        )
    }

    /// The parts outside of `hole`: above, below, left and right.
    pub fn outside(self, hole: Area) -> impl Iterator<Item = Area> {
        let (columns, rows) = ((self.x.into(), self.right()), (self.y.into(), self.bottom()));
        let parts = match self.common(hole) {
            None => [Some(self), None, None, None],
            Some(hole) => {
                let beside = (hole.y.into(), hole.bottom());
                [
                    Area::between(columns, (rows.0, beside.0)),
                    Area::between(columns, (beside.1, rows.1)),
                    Area::between((columns.0, hole.x.into()), beside),
                    Area::between((hole.right(), columns.1), beside),
                ]
            }
        };
        parts.into_iter().flatten()
    }

    /// The area between two columns and two rows, if there is a pixel between them.
    fn between((left, right): (u32, u32), (top, bottom): (u32, u32)) -> Option<Area> {
        let number = |value: u32| u16::try_from(value).ok();
        let (width, height) = (right.checked_sub(left)?, bottom.checked_sub(top)?);
        let area = Area { x: number(left)?, y: number(top)?, width: number(width)?, height: number(height)? };
        (!area.is_empty()).then_some(area)
    }

    /// The part that lies inside `size`, if any pixel does.
    pub fn clip(self, size: Size) -> Option<Area> {
        let width = self.right().min(u32::from(size.width)).checked_sub(u32::from(self.x))? as u16;
        let height = self.bottom().min(u32::from(size.height)).checked_sub(u32::from(self.y))? as u16;
        let area = Area { width, height, ..self };
        (!area.is_empty()).then_some(area)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_lies_inside_its_size() {
        let size = Size::new(10, 5);
        assert!(size.area(0, 0, 10, 5).is_some());
        assert!(size.area(10, 5, 0, 0).is_some());
        assert!(size.area(1, 0, 10, 5).is_none());
        assert!(size.area(0, 65535, 1, 65535).is_none());
        assert!(Size::new(65535, 65535).area(65535, 0, 1, 1).is_none());
    }

    #[test]
    fn union_and_clip() {
        let size = Size::new(100, 100);
        let a = size.area(10, 10, 5, 5).unwrap();
        let b = size.area(20, 0, 5, 5).unwrap();
        assert_eq!(a.union(b), size.area(10, 0, 15, 15).unwrap());
        assert_eq!(a.clip(Size::new(12, 100)), size.area(10, 10, 2, 5));
        assert_eq!(a.clip(Size::new(10, 100)), None);
        assert_eq!(a.clip(Size::new(3, 3)), None);
    }

    #[test]
    fn a_hole_and_what_is_around_it_make_the_whole() {
        let size = Size::new(12, 10);
        let area = size.area(2, 2, 8, 6).unwrap();
        for hole in [(0, 0, 12, 10), (4, 4, 2, 2), (0, 0, 5, 5), (9, 7, 3, 3), (10, 0, 2, 10), (3, 0, 1, 10)] {
            let hole = size.area(hole.0, hole.1, hole.2, hole.3).unwrap();
            let parts: Vec<_> = area.outside(hole).collect();
            let kept: usize = parts.iter().map(|part| part.pixels()).sum();
            assert_eq!(kept + area.common(hole).map_or(0, Area::pixels), area.pixels(), "{hole:?}");
            assert!(parts.iter().all(|part| part.common(hole).is_none()));
        }
    }
}
