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
}
