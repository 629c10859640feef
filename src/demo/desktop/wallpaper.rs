//! What lies behind the windows: an evening over hills, painted once.

use super::paint::{Colour, ORDER, mixed};
use crate::picture::{Canvas, Size};

/// The sky's colours from top to bottom.
const SKY: [Colour; 4] = [[22, 30, 66], [58, 66, 122], [156, 104, 140], [244, 170, 120]];
const SUN: Colour = [255, 226, 170];

/// A ridge of hills: where it lies in thousandths of the height, how high its waves are, their length in thousandths
/// of the width, where they begin, and their colour.
const HILLS: [(f32, f32, f32, f32, Colour); 4] = [
    (620.0, 40.0, 620.0, 0.4, [118, 88, 134]),
    (700.0, 46.0, 430.0, 2.1, [80, 68, 118]),
    (800.0, 40.0, 540.0, 4.0, [50, 50, 94]),
    (900.0, 34.0, 350.0, 1.2, [28, 32, 64]),
];

/// The wallpaper of a desktop.
pub(super) fn wallpaper(size: Size) -> Canvas {
    let mut canvas = Canvas::new(size, ORDER);
    let (width, height) = (f32::from(size.width), f32::from(size.height));
    let (sun_x, sun_y, radius) = (width * 0.7, height * 0.5, height.min(width) * 0.085);
    let ridges = ridges(size);
    let Ok(mut target) = canvas.target(size.whole()) else { return canvas };
    for (y, row) in target.rows_from(0).enumerate() {
        let y = y as f32;
        let sky = gradient(y / height.max(1.0) * 1.25);
        for (x, pixel) in row.iter_mut().enumerate() {
            let distance = (x as f32 - sun_x).hypot(y - sun_y);
            let mut colour = sky;
            let glow = (1.0 - (distance - radius) / (radius * 3.0)).clamp(0.0, 1.0);
            colour = mixed(colour, SUN, (glow * glow * 90.0) as u8);
            colour = mixed(colour, SUN, covered(radius - distance));
            for (ridge, (.., hill)) in ridges.iter().zip(HILLS) {
                let top = ridge.get(x).copied().unwrap_or_default();
                colour = mixed(colour, hill, covered(y - top));
            }
            *pixel = ORDER.pixel(colour);
        }
    }
    canvas
}

/// The height of each ridge above each column.
fn ridges(size: Size) -> [Vec<f32>; 4] {
    let (width, height) = (f32::from(size.width).max(1.0), f32::from(size.height));
    HILLS.map(|(base, wave, length, start, _)| {
        let column = |x: u16| {
            let turn = f32::from(x) / width * 1000.0 / length * std::f32::consts::TAU + start;
            let shape = turn.sin() + 0.45 * (turn * 2.3 + start).sin() + 0.18 * (turn * 5.1).sin();
            (base - wave * shape) / 1000.0 * height
        };
        (0..size.width).map(column).collect()
    })
}

/// How much of a pixel is covered whose middle lies `inside` pixels behind an edge.
fn covered(inside: f32) -> u8 {
    ((inside + 0.5).clamp(0.0, 1.0) * 255.0) as u8
}

/// The sky's colour at `at`, from 0 at the top to 1 and more.
fn gradient(at: f32) -> Colour {
    let at = at.clamp(0.0, 0.999) * (SKY.len() - 1) as f32;
    let mut pairs = SKY.windows(2).skip(at as usize);
    let Some([from, to]) = pairs.next() else { return [0; 3] };
    mixed(*from, *to, (at.fract() * 255.0) as u8)
}
