//! PIXELS: the canvas, the rectangles painted on it, conversion and damage; it does not know what RFB is.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod area;
mod canvas;
pub mod convert;
mod copies;
mod coverage;
mod cursor;
mod damage;
mod kernels;
mod scale;
mod target;

pub use area::{Area, Size};
pub use canvas::{ByteOrder, Canvas};
pub use copies::Copies;
pub use coverage::Coverage;
pub use cursor::Cursor;
pub use damage::Damage;
pub use kernels::{Work, for_this_machine, jpeg};
pub use scale::Fit;
pub use target::{Outside, Target};
