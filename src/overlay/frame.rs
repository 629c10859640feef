//! How much there is to draw on and how fine, and the lengths that all panels share.

use std::rc::Rc;

use super::Drawn;
use super::pen::Pen;
use super::sheet::{BRIGHT, EDGE, Sheet};
use crate::picture::{Area, Size};

/// A panel before it is drawn.
pub(super) struct Frame {
    /// The most that it may take.
    pub(super) width: i32,
    pub(super) height: i32,
    density: f32,
    /// For text.
    pub(super) pen: Pen,
    /// For titles.
    pub(super) title: Pen,
}

impl Frame {
    pub(super) fn new(room: Size, density: f32) -> Frame {
        let density = if density.is_nan() { 1.0 } else { density.clamp(0.5, 8.0) };
        Frame {
            width: room.width.into(),
            height: room.height.into(),
            density,
            pen: Pen::new(density, 1.0),
            title: Pen::new(density, 1.2),
        }
    }

    /// Pixels for those of 96 dpi.
    pub(super) fn px(&self, length: f32) -> i32 {
        ((length * self.density).round() as i32).max(1)
    }

    /// Between the edge and what is inside.
    pub(super) fn margin(&self) -> i32 {
        self.px(16.0)
    }

    /// The height of a button, of a row to choose, or of a field.
    pub(super) fn row(&self) -> i32 {
        self.pen.line() + self.px(10.0)
    }

    /// The height of so many of them, or of those that there is room for.
    pub(super) fn rows_height(&self, count: usize, room: i32) -> i32 {
        i32::try_from(count).unwrap_or(i32::MAX).min(room.max(0) / self.row()) * self.row()
    }

    /// What is inside is never wider: longer lines are hard to read.
    pub(super) fn widest(&self) -> i32 {
        (self.width - 2 * self.margin()).clamp(0, self.px(560.0))
    }

    /// An empty panel, as large as asked for if there is so much room.
    pub(super) fn sheet(&self, width: i32, height: i32) -> Sheet {
        Sheet::new(width.min(self.width), height.min(self.height), self.px(1.0))
    }

    /// The height of a title and of what lies between it and the rest.
    pub(super) fn title_height(&self) -> i32 {
        self.title.line() + self.px(10.0)
    }

    /// Writes a title, of lines that fit, and gives where it ends.
    pub(super) fn write_title(&mut self, sheet: &mut Sheet, lines: &[String], width: i32) -> i32 {
        let (x, mut y) = (self.margin(), self.margin() - self.px(4.0));
        for line in lines {
            self.title.write(sheet, x, y, line, BRIGHT);
            y += self.title.line();
        }
        sheet.fill(x, y + self.px(4.0), width, self.px(1.0), EDGE);
        y + self.px(14.0)
    }
}

/// A panel that is drawn; places that lie outside of it are none.
pub(super) fn drawn(sheet: Sheet, places: Vec<(usize, [i32; 4])>) -> Drawn {
    let picture = Rc::new(sheet.into_canvas());
    let size = picture.size();
    let clipped = |[x, y, width, height]: [i32; 4]| -> Option<Area> {
        let (right, bottom) = ((x + width).min(size.width.into()), (y + height).min(size.height.into()));
        let (x, y) = (x.max(0), y.max(0));
        let short = |length: i32| u16::try_from(length).ok();
        let area = size.area(short(x)?, short(y)?, short(right - x)?, short(bottom - y)?)?;
        (!area.is_empty()).then_some(area)
    };
    let places = places.into_iter().filter_map(|(number, place)| Some((number, clipped(place)?))).collect();
    Drawn { picture, places }
}
