//! The naive twin of baseline JPEG, from ITU-T T.81 and JFIF 1.02: bit by bit and sample by sample, as libjpeg rounds.

use std::num::Wrapping;

use super::{Colour, End, take};

/// A picture of this kind, of which nothing but the headers was read.
pub(super) struct Baseline<'a> {
    pub(super) size: (usize, usize),
    components: Vec<Component>,
    /// After how many minimum coded units a new interval begins; 0 for never.
    restart: usize,
    scan: &'a [u8],
}

struct Component {
    /// The horizontal and the vertical sampling factor.
    across: usize,
    down: usize,
    /// In the zigzag order.
    steps: [u8; 64],
    dc: Codes,
    ac: Codes,
}

/// A Huffman table (B.2.4.2).
#[derive(Clone)]
struct Codes {
    /// How many there are of each length from 1 to 16.
    counts: [u8; 16],
    symbols: Vec<u8>,
}

/// The samples of a component, of which the blocks at the right and at the bottom may have more than the picture.
struct Plane {
    width: usize,
    height: usize,
    /// How many pixels share a sample, across and down.
    scale: (usize, usize),
    samples: Vec<Vec<u8>>,
}

/// The bits of an interval that are still to come.
struct Bits {
    bytes: Vec<u8>,
    at: usize,
}

type Block = [[i32; 8]; 8];

/// `None` for a picture of another kind, be it a broken one.
pub(super) fn baseline(picture: &[u8]) -> Option<Baseline<'_>> {
    let mut rest = picture.strip_prefix(&[0xff, 0xd8])?;
    let (mut frame, mut restart) = (None, 0);
    let mut steps = [None; 4];
    let mut codes = [const { [const { None }; 4] }; 2];
    loop {
        // B.1.1.2: a marker may be preceded by any number of fill bytes.
        rest = rest.strip_prefix(&[0xff])?;
        while let Some(more) = rest.strip_prefix(&[0xff]) {
            rest = more;
        }
        let marker = number(&mut rest, 1)?;
        if marker == 0xd8 {
            continue;
        }
        let length = number(&mut rest, 2)?;
        let mut content = take(&mut rest, length.checked_sub(2)?).ok()?;
        match marker {
            // SOF0 and SOF1 (B.2.2).
            0xc0 | 0xc1 if frame.is_none() => frame = Some(content),
            // DHT (B.2.4.2).
            0xc4 => {
                while !content.is_empty() {
                    let (class, at) = nibbles(number(&mut content, 1)?);
                    let counts: [u8; 16] = take(&mut content, 16).ok()?.try_into().unwrap();
                    let symbols = counts.iter().map(|&count| usize::from(count)).sum();
                    let room: usize = (1..=16).map(|length| usize::from(counts[length - 1]) << (16 - length)).sum();
                    if class > 1 || at > 3 || symbols > 256 || room > 65536 {
                        return None;
                    }
                    let symbols = take(&mut content, symbols).ok()?.to_vec();
                    codes[class][at] = Some(Codes { counts, symbols });
                }
            }
            // DQT (B.2.4.1).
            0xdb => {
                while !content.is_empty() {
                    let (precision, at) = nibbles(number(&mut content, 1)?);
                    if precision != 0 || at > 3 {
                        return None;
                    }
                    let table: [u8; 64] = take(&mut content, 64).ok()?.try_into().unwrap();
                    steps[at] = Some(table);
                }
            }
            // DRI (B.2.4.4).
            0xdd => restart = number(&mut content, 2)?,
            // APP14 of Adobe's: 1 stands for YCbCr.
            0xee if content.starts_with(b"Adobe") && content.get(11) != Some(&1) => return None,
            0xe0..=0xef | 0xfe => {}
            // SOS (B.2.3).
            0xda => {
                let (size, components) = components(frame?, content, &steps, &codes)?;
                return Some(Baseline { size, components, restart, scan: rest });
            }
            _ => return None,
        }
    }
}

/// The picture's size and its components, from the contents of the frame header (B.2.2) and the scan header (B.2.3).
fn components(
    mut frame: &[u8],
    mut scan: &[u8],
    steps: &[Option<[u8; 64]>; 4],
    codes: &[[Option<Codes>; 4]; 2],
) -> Option<((usize, usize), Vec<Component>)> {
    let precision = number(&mut frame, 1)?;
    let (height, width) = (number(&mut frame, 2)?, number(&mut frame, 2)?);
    let count = number(&mut frame, 1)?;
    if precision != 8 || width == 0 || height == 0 || count != 1 && count != 3 || frame.len() != 3 * count {
        return None;
    }
    if number(&mut scan, 1)? != count || scan.len() != 2 * count + 3 || !scan.ends_with(&[0, 63, 0]) {
        return None;
    }
    let (mut components, mut names) = (Vec::new(), Vec::new());
    for i in 0..count {
        let name = number(&mut frame, 1)?;
        let (across, down) = nibbles(number(&mut frame, 1)?);
        let table = number(&mut frame, 1)?;
        if number(&mut scan, 1)? != name {
            return None;
        }
        let (dc, ac) = nibbles(number(&mut scan, 1)?);
        // A.2.2: the only component's factors mean nothing.
        let (across, down) = if count == 1 { (1, 1) } else { (across, down) };
        let most = if i == 0 { 2 } else { 1 };
        if !(1..=most).contains(&across) || !(1..=most).contains(&down) {
            return None;
        }
        components.push(Component {
            across,
            down,
            steps: (*steps.get(table)?)?,
            dc: codes[0].get(dc)?.clone()?,
            ac: codes[1].get(ac)?.clone()?,
        });
        names.push(name as u8);
    }
    if names == b"RGB" { None } else { Some(((width, height), components)) }
}

/// A big-endian number of `count` bytes.
fn number(bytes: &mut &[u8], count: usize) -> Option<usize> {
    Some(take(bytes, count).ok()?.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte)))
}

fn nibbles(byte: usize) -> (usize, usize) {
    (byte >> 4, byte & 15)
}

impl Baseline<'_> {
    pub(super) fn colours(&self) -> Result<Vec<Colour>, End> {
        let planes = self.planes()?;
        let (width, height) = self.size;
        let mut colours = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let values: Vec<i32> = planes.iter().map(|plane| plane.sample(x, y)).collect();
                colours.push(match values[..] {
                    [grey] => [grey as u8; 3],
                    _ => colour(values[0], values[1] - 128, values[2] - 128),
                });
            }
        }
        Ok(colours)
    }

    fn planes(&self) -> Result<Vec<Plane>, End> {
        let (width, height) = self.size;
        let luma = &self.components[0];
        // A.2.3: a minimum coded unit has as many blocks of each component as its factors say.
        let (units_across, units_down) = (width.div_ceil(8 * luma.across), height.div_ceil(8 * luma.down));
        let mut planes = Vec::new();
        for component in &self.components {
            let row = vec![0; units_across * component.across * 8];
            let scale = (luma.across / component.across, luma.down / component.down);
            planes.push(Plane {
                width: width.div_ceil(scale.0),
                height: height.div_ceil(scale.1),
                scale,
                samples: vec![row; units_down * component.down * 8],
            });
        }
        let mut intervals = intervals(self.scan).into_iter();
        let mut bits = Bits { bytes: intervals.next().unwrap(), at: 0 };
        let mut predictions = [0; 3];
        for unit in 0..units_across * units_down {
            if self.restart > 0 && unit > 0 && unit % self.restart == 0 {
                bits = Bits { bytes: intervals.next().ok_or(End::Wrong("too few intervals"))?, at: 0 };
                predictions = [0; 3];
            }
            for (i, component) in self.components.iter().enumerate() {
                for block in 0..component.across * component.down {
                    let coefficients = bits.block(component, &mut predictions[i])?;
                    let samples = inverse_transform(&coefficients);
                    let left = unit % units_across * component.across + block % component.across;
                    let top = unit / units_across * component.down + block / component.across;
                    for (y, row) in samples.iter().enumerate() {
                        for (x, &sample) in row.iter().enumerate() {
                            planes[i].samples[top * 8 + y][left * 8 + x] = sample as u8;
                        }
                    }
                }
            }
        }
        Ok(planes)
    }
}

/// The bytes of the scan as the restart markers part them (B.1.1.5, F.1.2.3).
fn intervals(scan: &[u8]) -> Vec<Vec<u8>> {
    let mut intervals = vec![Vec::new()];
    let mut at = 0;
    while at < scan.len() {
        match (scan[at], scan.get(at + 1)) {
            (0xff, Some(0)) => {
                intervals.last_mut().unwrap().push(0xff);
                at += 2;
            }
            (0xff, Some(0xff)) => at += 1,
            (0xff, Some(0xd0..=0xd7)) => {
                intervals.push(Vec::new());
                at += 2;
            }
            (0xff, _) => break,
            (byte, _) => {
                intervals.last_mut().unwrap().push(byte);
                at += 1;
            }
        }
    }
    intervals
}

impl Bits {
    /// A number of `count` bits (RECEIVE, F.2.2.4).
    fn number(&mut self, count: usize) -> Result<i32, End> {
        let mut number = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8).ok_or(End::Wrong("too few bits"))?;
            number = number << 1 | i32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Ok(number)
    }

    /// The symbol of the code that comes next: each length's codes go on after those of the length before (C.2).
    fn symbol(&mut self, codes: &Codes) -> Result<usize, End> {
        let (mut code, mut first, mut shorter) = (0, 0, 0);
        for &count in &codes.counts {
            code = code << 1 | self.number(1)?;
            first <<= 1;
            if code < first + i32::from(count) {
                return Ok(usize::from(codes.symbols[shorter + (code - first) as usize]));
            }
            first += i32::from(count);
            shorter += usize::from(count);
        }
        Err(End::Wrong("bits that are no code"))
    }

    /// A value of `size` bits (EXTEND, F.2.2.1).
    fn value(&mut self, size: usize) -> Result<i16, End> {
        let number = self.number(size)?;
        let below_zero = size > 0 && number < 1 << (size - 1);
        Ok((if below_zero { number - (1 << size) + 1 } else { number }) as i16)
    }

    /// The coefficients of a block, times their steps (F.2.2.1, F.2.2.2, A.3.4).
    fn block(&mut self, component: &Component, prediction: &mut i16) -> Result<Block, End> {
        let mut coefficients = [0i16; 64];
        let size = self.symbol(&component.dc)? & 15;
        *prediction = prediction.wrapping_add(self.value(size)?);
        coefficients[0] = *prediction;
        let mut at = 1;
        while at < 64 {
            let (run, size) = nibbles(self.symbol(&component.ac)?);
            if size == 0 && run != 15 {
                break;
            }
            // A run of fifteen and no size is a zero after fifteen others.
            at += run;
            let value = self.value(size)?;
            *coefficients.get_mut(at).ok_or(End::Wrong("a coefficient beyond the last"))? = value;
            at += 1;
        }
        let mut block = [[0; 8]; 8];
        for (at, (x, y)) in zigzag().into_iter().enumerate() {
            block[y][x] = i32::from(coefficients[at].wrapping_mul(i16::from(component.steps[at])));
        }
        Ok(block)
    }
}

/// Where the coefficients lie (A.3.6): one diagonal after the other, up and down in turn.
fn zigzag() -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    for diagonal in 0..15 {
        for step in 0..=diagonal {
            let (x, y) = if diagonal % 2 == 0 { (step, diagonal - step) } else { (diagonal - step, step) };
            if x < 8 && y < 8 {
                places.push((x, y));
            }
        }
    }
    places
}

/// The samples of a block (A.3.3, A.3.1), as the accurate integer transform of libjpeg rounds them (jidctint).
fn inverse_transform(block: &Block) -> Block {
    let mut columns = *block;
    for x in 0..8 {
        let out = one_dimension(std::array::from_fn(|y| block[y][x]));
        for y in 0..8 {
            columns[y][x] = descaled(out[y], 11).clamp(-32768, 32767);
        }
    }
    columns.map(|row| one_dimension(row).map(|value| descaled(value, 18).clamp(-128, 127) + 128))
}

fn descaled(value: i32, bits: u32) -> i32 {
    value.wrapping_add(1 << (bits - 1)) >> bits
}

/// The transform of eight values, times 8192 and the square root of eight.
fn one_dimension(values: [i32; 8]) -> [i32; 8] {
    let fix = |real: f64| Wrapping((real * 8192.0).round() as i32);
    let [v0, v1, v2, v3, v4, v5, v6, v7] = values.map(Wrapping);
    // Only absurd values do not fit.
    let short = |sum: Wrapping<i32>| Wrapping(i32::from(sum.0 as i16));
    let (z3, z4) = (short(v7 + v3), short(v5 + v1));

    let twice = (v2 + v6) * fix(0.541196100);
    let even0 = (v0 + v4) * fix(1.0) + twice + v2 * fix(0.765366865);
    let even1 = (v0 - v4) * fix(1.0) + twice - v6 * fix(1.847759065);
    let even2 = (v0 - v4) * fix(1.0) - twice + v6 * fix(1.847759065);
    let even3 = (v0 + v4) * fix(1.0) - twice - v2 * fix(0.765366865);

    let both = (z3 + z4) * fix(1.175875602);
    let odd0 = v1 * fix(1.501321110) - (v7 + v1) * fix(0.899976223) - z4 * fix(0.390180644) + both;
    let odd1 = v3 * fix(3.072711026) - (v5 + v3) * fix(2.562915447) - z3 * fix(1.961570560) + both;
    let odd2 = v5 * fix(2.053119869) - (v5 + v3) * fix(2.562915447) - z4 * fix(0.390180644) + both;
    let odd3 = v7 * fix(0.298631336) - (v7 + v1) * fix(0.899976223) - z3 * fix(1.961570560) + both;

    let all = [even0 + odd0, even1 + odd1, even2 + odd2, even3 + odd3];
    let mirrored = [even3 - odd3, even2 - odd2, even1 - odd1, even0 - odd0];
    std::array::from_fn(|i| if i < 4 { all[i].0 } else { mirrored[i - 4].0 })
}

impl Plane {
    fn at(&self, x: usize, y: usize) -> i32 {
        i32::from(self.samples[y][x])
    }

    /// The value at a pixel (JFIF: samples lie in the middle of their pixels), as libjpeg's "fancy" upsampling has it.
    fn sample(&self, x: usize, y: usize) -> i32 {
        let (near_x, near_y) = (x / self.scale.0, y / self.scale.1);
        let (far_x, far_y) = (neighbour(x, self.width), neighbour(y, self.height));
        let (odd_x, odd_y) = ((x % 2) as i32, (y % 2) as i32);
        match self.scale {
            (1, 2) => (3 * self.at(x, near_y) + self.at(x, far_y) + 1 + odd_y) >> 2,
            (2, _) if self.width <= 2 => self.at(near_x, near_y),
            (2, 1) => (3 * self.at(near_x, y) + self.at(far_x, y) + 1 + odd_x) >> 2,
            (2, 2) => {
                let sum = |x| 3 * self.at(x, near_y) + self.at(x, far_y);
                (3 * sum(near_x) + sum(far_x) + 8 - odd_x) >> 4
            }
            _ => self.at(x, y),
        }
    }
}

/// The sample that is next to the one that half of this pixel's belongs to, of so many; itself where there is none.
fn neighbour(pixel: usize, count: usize) -> usize {
    if pixel.is_multiple_of(2) { (pixel / 2).saturating_sub(1) } else { (pixel / 2 + 1).min(count - 1) }
}

/// JFIF's colours, in sixteen bits after the point.
fn colour(y: i32, cb: i32, cr: i32) -> Colour {
    let red = y + ((91881 * cr + 32768) >> 16);
    let green = y + ((-22554 * cb - 46802 * cr + 32768) >> 16);
    let blue = y + ((116130 * cb + 32768) >> 16);
    [red, green, blue].map(|part| part.clamp(0, 255) as u8)
}
