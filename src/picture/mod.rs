//! PIXELS: the canvas, the rectangles painted on it, conversion and damage; it does not know what RFB is.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod area;
mod canvas;
pub mod convert;
mod cursor;
mod damage;
mod target;

pub use area::{Area, Size};
pub use canvas::{ByteOrder, Canvas};
pub use cursor::Cursor;
pub use damage::Damage;
pub use target::{Outside, Target};
