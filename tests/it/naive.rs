//! A slow decoder of whole streams, written from RFC 6143 and rfbproto alone: pixel by pixel, the naive twin of the real one.
//!
//! It shares no code with the real one but for the readers of PNG pictures and of JPEG pictures that are not baseline. It
//! checks that every pixel lies where one may lie, but has no limits of size. The fuzz targets include this file as well.

use flate2::{Decompress, FlushDecompress};

// The path is given because the fuzz targets' copy of this module lies elsewhere.
#[path = "naive/jpeg.rs"]
mod jpeg;
#[path = "naive/lzo.rs"]
mod lzo;
#[path = "naive/tight.rs"]
mod tight;
#[path = "naive/tiles.rs"]
mod tiles;
#[path = "naive/zlib_hex.rs"]
mod zlib_hex;

/// Why decoding ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The bytes end inside of a message.
    Short,
    /// The bytes break the protocol.
    Wrong(&'static str),
}

/// The picture as the stream left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    pub rgb: Vec<[u8; 3]>,
}

struct Format {
    bytes: usize,
    depth: usize,
    big_endian: bool,
    true_colour: bool,
    max: [u32; 3],
    shift: [u32; 3],
}

struct Decoder<'a> {
    rest: &'a [u8],
    format: Format,
    map: Vec<[u8; 3]>,
    zlib: Stream,
    zrle: Stream,
    hex_streams: [Stream; 2],
    tight: [Stream; 4],
    /// JPEG's Huffman and quantisation tables, as they came last.
    tables: [Vec<u8>; 2],
    picture: Picture,
}

type Rect = [usize; 4];
type Colour = [u8; 3];

/// A zlib stream.
struct Stream {
    inflate: Decompress,
    // Bytes of the header that are still to come.
    header: usize,
}

/// Decodes a stream that begins with ServerInit.
pub fn decode(stream: &[u8]) -> Result<Picture, End> {
    let mut decoder = Decoder {
        rest: stream,
        format: Format { bytes: 0, depth: 0, big_endian: false, true_colour: false, max: [0; 3], shift: [0; 3] },
        map: vec![[0; 3]; 65536],
        zlib: Stream::new(),
        zrle: Stream::new(),
        hex_streams: [Stream::new(), Stream::new()],
        tight: [(); 4].map(|()| Stream::new()),
        tables: [Vec::new(), Vec::new()],
        picture: Picture { width: 0, height: 0, rgb: Vec::new() },
    };
    decoder.server_init()?;
    while !decoder.rest.is_empty() {
        decoder.message()?;
    }
    Ok(decoder.picture)
}

fn take<'b>(bytes: &mut &'b [u8], count: usize) -> Result<&'b [u8], End> {
    let (now, later) = bytes.split_at_checked(count).ok_or(End::Short)?;
    *bytes = later;
    Ok(now)
}

impl<'a> Decoder<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], End> {
        take(&mut self.rest, count)
    }

    /// A big-endian number of `count` bytes.
    fn number(&mut self, count: usize) -> Result<usize, End> {
        Ok(self.take(count)?.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte)))
    }

    fn server_init(&mut self) -> Result<(), End> {
        let (width, height) = (self.number(2)?, self.number(2)?);
        let bits = self.number(1)?;
        self.format.depth = self.number(1)?;
        self.format.bytes = bits / 8;
        self.format.big_endian = self.number(1)? != 0;
        self.format.true_colour = self.number(1)? != 0;
        for i in 0..3 {
            self.format.max[i] = self.number(2)? as u32;
        }
        for i in 0..3 {
            self.format.shift[i] = self.number(1)? as u32;
        }
        self.take(3)?;
        let name = self.number(4)?;
        self.take(name)?;
        self.resize(width, height);
        Ok(())
    }

    fn resize(&mut self, width: usize, height: usize) {
        let old = std::mem::replace(&mut self.picture, Picture { width, height, rgb: vec![[0; 3]; width * height] });
        for y in 0..height.min(old.height) {
            for x in 0..width.min(old.width) {
                self.picture.rgb[y * width + x] = old.rgb[y * old.width + x];
            }
        }
    }

    fn value(&self, bytes: &[u8]) -> u32 {
        let add = |sum: u32, byte: &u8| sum << 8 | u32::from(*byte);
        if self.format.big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
    }

    fn colour(&self, bytes: &[u8]) -> [u8; 3] {
        let value = self.value(bytes);
        if !self.format.true_colour {
            return self.map[value as usize];
        }
        std::array::from_fn(|i| {
            scale(value.wrapping_shr(self.format.shift[i]) & self.format.max[i], self.format.max[i])
        })
    }

    fn pixel(&mut self) -> Result<[u8; 3], End> {
        let bytes = self.take(self.format.bytes)?;
        Ok(self.colour(bytes))
    }

    /// Paints (`x`, `y`) of `inside`, which must hold it.
    fn set(&mut self, inside: Rect, x: usize, y: usize, colour: [u8; 3]) -> Result<(), End> {
        let [left, top, width, height] = inside;
        if x >= width || y >= height {
            return Err(End::Wrong("a pixel outside of its rectangle"));
        }
        self.picture.rgb[(top + y) * self.picture.width + left + x] = colour;
        Ok(())
    }

    fn fill(&mut self, inside: Rect, [x, y, width, height]: Rect, colour: [u8; 3]) -> Result<(), End> {
        if x + width > inside[2] || y + height > inside[3] {
            return Err(End::Wrong("a subrectangle outside of its rectangle"));
        }
        for row in y..y + height {
            for column in x..x + width {
                self.set(inside, column, row, colour)?;
            }
        }
        Ok(())
    }

    fn message(&mut self) -> Result<(), End> {
        match self.number(1)? {
            0 => {
                self.take(1)?;
                let count = self.number(2)?;
                let mut seen = 0;
                while count == 0xffff || seen < count {
                    if !self.rectangle()? {
                        break;
                    }
                    seen += 1;
                }
                Ok(())
            }
            1 => {
                self.take(1)?;
                let (first, count) = (self.number(2)?, self.number(2)?);
                for i in 0..count {
                    let colour = [self.number(2)?, self.number(2)?, self.number(2)?];
                    self.map[(first + i) % 65536] = colour.map(|part| (part >> 8) as u8);
                }
                Ok(())
            }
            2 => Ok(()),
            3 => {
                self.take(3)?;
                // Below zero it is a message of the extended clipboard, which paints nothing either.
                let length = self.number(4)? as u32 as i32;
                self.take(length.unsigned_abs() as usize).map(|_| ())
            }
            250 => self.take(3).map(|_| ()),
            255 => {
                if self.number(1)? != 1 {
                    return Err(End::Wrong("no audio"));
                }
                let length = if self.number(2)? == 2 { self.number(4)? } else { 0 };
                self.take(length).map(|_| ())
            }
            150 => Ok(()),
            248 => {
                self.take(7)?;
                let length = self.number(1)?;
                if length > 64 {
                    return Err(End::Wrong("a long fence"));
                }
                self.take(length).map(|_| ())
            }
            _ => Err(End::Wrong("an unknown message")),
        }
    }

    /// Whether the update goes on.
    fn rectangle(&mut self) -> Result<bool, End> {
        let rect = [self.number(2)?, self.number(2)?, self.number(2)?, self.number(2)?];
        let [x, y, width, height] = rect;
        let encoding = self.number(4)? as u32 as i32;
        let mask = width.div_ceil(8) * height;
        match encoding {
            -224 => return Ok(false),
            -239 => drop(self.take(if mask == 0 { 0 } else { width * height * self.format.bytes + mask })?),
            -240 => drop(self.take(if mask == 0 { 0 } else { 6 + 2 * mask })?),
            -232 | -257 | -258 | -259 | -316 | 0x574d_5666 => {}
            -261 => drop(self.take(1)?),
            0x574d_5668 => drop(self.take(4)?),
            -314 => {
                if self.number(4)? != 0 {
                    return Err(End::Wrong("a cursor that is not raw"));
                }
                self.take(width * height * 4)?;
            }
            0x574d_5664 => {
                let kind = self.number(1)?;
                self.take(1)?;
                match kind {
                    0 => drop(self.take(width * height * self.format.bytes * 2)?),
                    1 => drop(self.take(width * height * 4)?),
                    _ => return Err(End::Wrong("a VMware cursor of an unknown type")),
                }
            }
            -223 => self.resize(width, height),
            -308 => {
                let screens = self.number(1)?;
                self.take(3 + 16 * screens)?;
                if x != 1 || y == 0 {
                    self.resize(width, height);
                }
            }
            -307 => {
                let length = self.number(4)?;
                self.take(length)?;
            }
            _ => {
                if x + width > self.picture.width || y + height > self.picture.height {
                    return Err(End::Wrong("a rectangle outside of the framebuffer"));
                }
                self.paint(encoding, rect)?;
            }
        }
        Ok(true)
    }

    fn paint(&mut self, encoding: i32, rect: Rect) -> Result<(), End> {
        let [_, _, width, height] = rect;
        match encoding {
            0 => {
                for at in 0..width * height {
                    let colour = self.pixel()?;
                    self.set(rect, at % width, at / width, colour)?;
                }
            }
            1 => {
                let (x, y) = (self.number(2)?, self.number(2)?);
                if x + width > self.picture.width || y + height > self.picture.height {
                    return Err(End::Wrong("a copy from outside of the framebuffer"));
                }
                let before = self.picture.rgb.clone();
                for at in 0..width * height {
                    let from = (y + at / width) * self.picture.width + x + at % width;
                    self.set(rect, at % width, at / width, before[from])?;
                }
            }
            2 | 4 => {
                let each = if encoding == 2 { 2 } else { 1 };
                let count = self.number(4)?;
                let background = self.pixel()?;
                self.fill(rect, [0, 0, width, height], background)?;
                for _ in 0..count {
                    let colour = self.pixel()?;
                    let part = [self.number(each)?, self.number(each)?, self.number(each)?, self.number(each)?];
                    self.fill(rect, part, colour)?;
                }
            }
            5 => self.hextile(rect)?,
            6 => {
                let length = self.number(4)?;
                let input = self.take(length)?;
                let bytes = self.format.bytes;
                let pixels = self.zlib.exactly(input, width * height * bytes)?;
                for (at, pixel) in pixels.chunks_exact(bytes).enumerate() {
                    let colour = self.colour(pixel);
                    self.set(rect, at % width, at / width, colour)?;
                }
            }
            8 => self.zlib_hex(rect)?,
            9 => {
                let length = self.number(4)?;
                let bytes = self.format.bytes;
                let pixels = lzo::unpacked(self.take(length)?, width * height * bytes)?;
                for (at, pixel) in pixels.chunks_exact(bytes).enumerate() {
                    let colour = self.colour(pixel);
                    self.set(rect, at % width, at / width, colour)?;
                }
            }
            15 => {
                let mut rest = self.rest;
                self.trle(&mut rest, rect, 16, 0)?;
                self.rest = rest;
            }
            16 | 17 => {
                let length = self.number(4)?;
                let input = self.take(length)?;
                let unpacked = self.zrle.all_of(input, usize::MAX)?;
                let mut rest = &unpacked[..];
                // ZYWRLE at the quality that is always asked for.
                match self.trle(&mut rest, rect, 64, if encoding == 17 { 2 } else { 0 }) {
                    Err(End::Short) => return Err(End::Wrong("too few pixels")),
                    Ok(()) if !rest.is_empty() => return Err(End::Wrong("too many pixels")),
                    result => result?,
                }
            }
            7 | -260 => self.tight(rect, encoding == -260)?,
            21 => self.jpeg_with_tables(rect)?,
            _ => return Err(End::Wrong("an unknown encoding")),
        }
        Ok(())
    }

    fn hextile(&mut self, [left, top, width, height]: Rect) -> Result<(), End> {
        let (mut background, mut foreground) = ([0; 3], [0; 3]);
        for y in (0..height).step_by(16) {
            for x in (0..width).step_by(16) {
                let tile = [left + x, top + y, 16.min(width - x), 16.min(height - y)];
                let subencoding = self.number(1)?;
                if subencoding & 1 != 0 {
                    self.paint(0, tile)?;
                    continue;
                }
                if subencoding & 2 != 0 {
                    background = self.pixel()?;
                }
                if subencoding & 4 != 0 {
                    foreground = self.pixel()?;
                }
                self.fill(tile, [0, 0, tile[2], tile[3]], background)?;
                let count = if subencoding & 8 != 0 { self.number(1)? } else { 0 };
                for _ in 0..count {
                    let colour = if subencoding & 16 != 0 { self.pixel()? } else { foreground };
                    let (xy, wh) = (self.number(1)?, self.number(1)?);
                    self.fill(tile, [xy >> 4, xy & 15, (wh >> 4) + 1, (wh & 15) + 1], colour)?;
                }
            }
        }
        Ok(())
    }
}

impl Stream {
    fn new() -> Stream {
        // Without the checksum at the stream's end: the real one does not look at it either.
        Stream { inflate: Decompress::new(false), header: 2 }
    }

    /// All that `input` unpacks to, which must be `expected` bytes.
    fn exactly(&mut self, input: &[u8], expected: usize) -> Result<Vec<u8>, End> {
        let out = self.all_of(input, expected)?;
        if out.len() < expected { Err(End::Wrong("too few pixels")) } else { Ok(out) }
    }

    /// All that `input` unpacks to, which may be `most` bytes.
    fn all_of(&mut self, mut input: &[u8], most: usize) -> Result<Vec<u8>, End> {
        let header = self.header.min(input.len());
        self.header -= header;
        input = &input[header..];
        let mut out = Vec::new();
        // One byte at a time: nothing depends on how much the inflater likes to see.
        let mut byte = [0];
        loop {
            let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
            let step = input.get(..1).unwrap_or_default();
            self.inflate
                .decompress(step, &mut byte, FlushDecompress::Sync)
                .map_err(|_| End::Wrong("data that can not be inflated"))?;
            let read = (self.inflate.total_in() - before_in) as usize;
            input = &input[read..];
            let wrote = self.inflate.total_out() > before_out;
            if wrote {
                out.push(byte[0]);
            }
            if out.len() > most {
                return Err(End::Wrong("too many pixels"));
            }
            if !wrote && read == 0 {
                return Ok(out);
            }
        }
    }
}

/// A part of a pixel, brought from 0 to `max` to 0 to 255.
fn scale(part: u32, max: u32) -> u8 {
    if max == 0 { 0 } else { (f64::from(part) * 255.0 / f64::from(max)).round() as u8 }
}
