//! JPEG in Rust: baseline pictures by our own code, all others by zune-jpeg.
//!
//! On one machine (Sapphire Rapids) the six recordings with JPEG of the corpus took 0.60 to 0.74 of the time that they take
//! with zune-jpeg alone, and 0.69 to 0.87 of libvncclient's, which has libjpeg-turbo.

mod baseline;
mod zune;

use super::segments;
use crate::picture::{ByteOrder, Target};

/// A picture whose header was read.
pub(super) enum Jpeg<'a> {
    Baseline(baseline::Baseline<'a>),
    Other(Box<zune::Jpeg<'a>>),
}

/// What is used again from picture to picture.
#[derive(Default)]
pub(super) struct Scratch {
    baseline: Box<baseline::Scratch>,
    pixels: Vec<u8>,
}

impl Scratch {
    pub(super) fn held(&self) -> usize {
        self.baseline.held() + self.pixels.capacity()
    }
}

impl<'a> Jpeg<'a> {
    pub(super) fn open(data: &'a [u8], _: &mut Scratch) -> Result<Jpeg<'a>, String> {
        match baseline::Baseline::open(data) {
            Some(picture) => Ok(Jpeg::Baseline(picture)),
            None => zune::Jpeg::open(data).map(|picture| Jpeg::Other(Box::new(picture))),
        }
    }

    pub(super) fn size(&self) -> (usize, usize) {
        match self {
            Jpeg::Baseline(picture) => picture.size(),
            Jpeg::Other(picture) => picture.size(),
        }
    }

    /// Paints the picture, which has the target's size.
    pub(super) fn paint(self, target: &mut Target<'_>, order: ByteOrder, scratch: &mut Scratch) -> Result<(), String> {
        match self {
            Jpeg::Baseline(picture) => picture.paint(target, order, &mut scratch.baseline),
            Jpeg::Other(picture) => picture.paint(target, order, &mut scratch.pixels),
        }
    }
}
