//! A slow decoder of whole streams, written from RFC 6143 and rfbproto alone: pixel by pixel, the naive twin of the real one.
//!
//! It shares no code with the real one but for the inflater, which it uses in another way, and the readers of JPEG and
//! PNG pictures. It checks that every
//! pixel lies where one may lie, but has no limits of size. The fuzz targets include this file as well.

use flate2::{Decompress, FlushDecompress};

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
    tight: [Stream; 4],
    /// JPEG's Huffman and quantisation tables, as they came last.
    tables: [Vec<u8>; 2],
    picture: Picture,
}

/// A zlib stream and how many bytes of its header are still to come.
struct Stream {
    inflate: Decompress,
    header: usize,
}

impl Stream {
    fn new() -> Stream {
        // Without the checksum at the stream's end: the real one does not look at it either.
        Stream { inflate: Decompress::new(false), header: 2 }
    }
}

type Rect = [usize; 4];

/// Decodes a stream that begins with ServerInit.
pub fn decode(stream: &[u8]) -> Result<Picture, End> {
    let mut decoder = Decoder {
        rest: stream,
        format: Format { bytes: 0, depth: 0, big_endian: false, true_colour: false, max: [0; 3], shift: [0; 3] },
        map: vec![[0; 3]; 65536],
        zlib: Stream::new(),
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

impl<'a> Decoder<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], End> {
        let (now, later) = self.rest.split_at_checked(count).ok_or(End::Short)?;
        self.rest = later;
        Ok(now)
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
                let length = self.number(4)?;
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
            -232 => {}
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
                let pixels = inflate(&mut self.zlib, input, width * height * bytes)?;
                for (at, pixel) in pixels.chunks_exact(bytes).enumerate() {
                    let colour = self.colour(pixel);
                    self.set(rect, at % width, at / width, colour)?;
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

    fn tight(&mut self, rect: Rect, png: bool) -> Result<(), End> {
        let [_, _, width, height] = rect;
        let control = self.number(1)?;
        for stream in 0..4 {
            if control & 1 << stream != 0 {
                self.tight[stream] = Stream::new();
            }
        }
        let basic = match control >> 4 {
            8 => {
                let colour = self.tight_pixel()?;
                return self.fill(rect, [0, 0, width, height], colour);
            }
            9 | 10 if control >> 4 == 9 || png => {
                let length = self.compact_length()?;
                let data = self.take(length)?;
                return if control >> 4 == 9 { self.jpeg(rect, data) } else { self.png(rect, data) };
            }
            kind if !png && (kind < 8 || kind == 10 || kind == 14) => kind,
            _ => return Err(End::Wrong("an unknown compression")),
        };
        let filter = if basic & 4 != 0 { self.number(1)? } else { 0 };
        if filter > 2 || filter == 2 && (self.format.bytes == 1 || !self.format.true_colour) {
            return Err(End::Wrong("a filter that is unknown, or a gradient of pixels without three colours"));
        }
        let mut palette = Vec::new();
        if filter == 1 {
            for _ in 0..=self.number(1)? {
                palette.push(self.tight_pixel()?);
            }
            if palette.len() < 2 {
                return Err(End::Wrong("a palette of one colour"));
            }
        }
        let pixel = self.tight_pixel_bytes();
        let row = match palette.len() {
            0 => width * pixel,
            2 => width.div_ceil(8),
            _ => width,
        };
        let expected = row * height;
        let bytes = if expected < 12 {
            self.take(expected)?.to_vec()
        } else {
            let length = self.compact_length()?;
            if basic & 8 != 0 && length != expected {
                return Err(End::Wrong("another length than that of the pixels"));
            }
            let data = self.take(length)?;
            if basic & 8 == 0 { inflate(&mut self.tight[basic & 3], data, expected)? } else { data.to_vec() }
        };
        match filter {
            0 => {
                for at in 0..width * height {
                    let colour = self.tight_colour(&bytes[at * pixel..][..pixel]);
                    self.set(rect, at % width, at / width, colour)?;
                }
            }
            1 => {
                for at in 0..width * height {
                    let (x, y) = (at % width, at / width);
                    let index = match palette.len() {
                        2 => bytes[y * row + x / 8] >> (7 - x % 8) & 1,
                        _ => bytes[at],
                    };
                    let colour = *palette.get(usize::from(index)).ok_or(End::Wrong("a colour beyond the palette"))?;
                    self.set(rect, x, y, colour)?;
                }
            }
            _ => self.gradient(rect, &bytes)?,
        }
        Ok(())
    }

    fn gradient(&mut self, rect: Rect, bytes: &[u8]) -> Result<(), End> {
        let [_, _, width, height] = rect;
        let pixel = self.tight_pixel_bytes();
        let mut values = vec![[0i64; 3]; width * height];
        for at in 0..width * height {
            let (x, y) = (at % width, at / width);
            let bytes = &bytes[at * pixel..][..pixel];
            let value = self.value(bytes);
            for i in 0..3 {
                let (max, difference) = match pixel {
                    3 => (255, i64::from(bytes[i])),
                    _ => {
                        let max = self.format.max[i];
                        (i64::from(max), i64::from(value >> self.format.shift[i] & max))
                    }
                };
                let seen = |dx: usize, dy: usize| if x < dx || y < dy { 0 } else { values[at - dx - dy * width][i] };
                let predicted = (seen(1, 0) + seen(0, 1) - seen(1, 1)).clamp(0, max);
                values[at][i] = (predicted + difference) & max;
            }
            let colour = std::array::from_fn(|i| match pixel {
                3 => values[at][i] as u8,
                _ => scale(values[at][i] as u32, self.format.max[i]),
            });
            self.set(rect, x, y, colour)?;
        }
        Ok(())
    }

    /// Whether a TPIXEL is red, green and blue.
    fn tight_pixel_bytes(&self) -> usize {
        let Format { bytes, depth, true_colour, max, .. } = self.format;
        if true_colour && bytes == 4 && depth == 24 && max == [255; 3] { 3 } else { bytes }
    }

    fn tight_pixel(&mut self) -> Result<[u8; 3], End> {
        let bytes = self.take(self.tight_pixel_bytes())?;
        Ok(self.tight_colour(bytes))
    }

    fn tight_colour(&self, bytes: &[u8]) -> [u8; 3] {
        if let [red, green, blue] = *bytes { [red, green, blue] } else { self.colour(bytes) }
    }

    fn compact_length(&mut self) -> Result<usize, End> {
        let first = self.number(1)?;
        if first < 128 {
            return Ok(first);
        }
        let second = self.number(1)?;
        if second < 128 {
            return Ok(first - 128 + 128 * second);
        }
        Ok(first - 128 + 128 * (second - 128) + 128 * 128 * self.number(1)?)
    }

    /// A picture up to its end marker, with the tables that it lacks.
    fn jpeg_with_tables(&mut self, rect: Rect) -> Result<(), End> {
        let bytes = self.rest;
        let byte = |at: usize| bytes.get(at).copied().ok_or(End::Short);
        let (mut at, mut in_scan, mut scans) = (0, false, 0);
        let mut found = [Vec::new(), Vec::new()];
        loop {
            if byte(at)? != 0xff {
                if !in_scan {
                    return Err(End::Wrong("something between the segments of a picture"));
                }
                at += 1;
                continue;
            }
            let marker = byte(at + 1)?;
            match marker {
                0xff => at += 1,
                0xd8 => at += 2,
                0xd9 => break,
                0 | 0xd0..=0xd7 if in_scan => at += 2,
                _ => {
                    let length = usize::from(byte(at + 2)?) << 8 | usize::from(byte(at + 3)?);
                    if length < 2 {
                        return Err(End::Wrong("a segment shorter than its length"));
                    }
                    let segment = bytes.get(at..at + 2 + length).ok_or(End::Short)?;
                    in_scan = marker == 0xda;
                    scans += usize::from(in_scan);
                    match marker {
                        0xc4 if scans == 0 => found[0].extend_from_slice(segment),
                        0xdb if scans == 0 => found[1].extend_from_slice(segment),
                        _ => {}
                    }
                    at += 2 + length;
                }
            }
        }
        let picture = self.take(at + 2)?;
        let mut whole = picture[..2].to_vec();
        for (known, found) in self.tables.iter_mut().zip(found) {
            if found.is_empty() {
                whole.extend_from_slice(known);
            } else {
                *known = found;
            }
        }
        whole.extend_from_slice(&picture[2..]);
        self.jpeg(rect, &whole)
    }

    fn jpeg(&mut self, rect: Rect, data: &[u8]) -> Result<(), End> {
        use zune_jpeg::zune_core::{bytestream::ZCursor, options::DecoderOptions};
        let options = DecoderOptions::default().set_strict_mode(true).set_max_width(65535).set_max_height(65535);
        let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(data), options.jpeg_set_max_scans(32));
        let wrong = |_| End::Wrong("a broken JPEG picture");
        decoder.decode_headers().map_err(wrong)?;
        self.fits(rect, decoder.dimensions().unwrap())?;
        if !data.windows(2).any(|pair| pair == [0xff, 0xd9]) {
            return Err(End::Wrong("a picture without an end"));
        }
        let rgb = decoder.decode().map_err(wrong)?;
        self.colours(rect, rgb.as_chunks().0)
    }

    fn png(&mut self, rect: Rect, data: &[u8]) -> Result<(), End> {
        let wrong = |_| End::Wrong("a broken PNG picture");
        let mut decoder = png::Decoder::new(std::io::Cursor::new(data));
        decoder.set_transformations(png::Transformations::normalize_to_color8() | png::Transformations::ALPHA);
        let header = decoder.read_header_info().map_err(wrong)?;
        self.fits(rect, (header.width as usize, header.height as usize))?;
        let mut reader = decoder.read_info().map_err(wrong)?;
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut bytes).map_err(wrong)?;
        let grey = reader.output_color_type().0 == png::ColorType::GrayscaleAlpha;
        let rgb: Vec<[u8; 3]> = match grey {
            true => bytes.chunks(2).map(|pixel| [pixel[0]; 3]).collect(),
            false => bytes.chunks(4).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect(),
        };
        self.colours(rect, &rgb)
    }

    fn fits(&self, [_, _, width, height]: Rect, size: (usize, usize)) -> Result<(), End> {
        if size == (width, height) { Ok(()) } else { Err(End::Wrong("a picture of another size")) }
    }

    fn colours(&mut self, rect: Rect, colours: &[[u8; 3]]) -> Result<(), End> {
        for (at, &colour) in colours.iter().enumerate() {
            self.set(rect, at % rect[2], at / rect[2], colour)?;
        }
        Ok(())
    }
}

/// A part of a pixel, brought from 0 to `max` to 0 to 255.
fn scale(part: u32, max: u32) -> u8 {
    if max == 0 { 0 } else { (f64::from(part) * 255.0 / f64::from(max)).round() as u8 }
}

/// All that `input` unpacks to, which must be `expected` bytes.
fn inflate(stream: &mut Stream, mut input: &[u8], expected: usize) -> Result<Vec<u8>, End> {
    let header = stream.header.min(input.len());
    stream.header -= header;
    input = &input[header..];
    let zlib = &mut stream.inflate;
    let mut out = Vec::new();
    // One byte at a time: nothing depends on how much the inflater likes to see.
    let mut byte = [0];
    loop {
        let (before_in, before_out) = (zlib.total_in(), zlib.total_out());
        let step = input.get(..1).unwrap_or_default();
        zlib.decompress(step, &mut byte, FlushDecompress::Sync)
            .map_err(|_| End::Wrong("data that can not be inflated"))?;
        let read = (zlib.total_in() - before_in) as usize;
        input = &input[read..];
        let wrote = zlib.total_out() > before_out;
        if wrote {
            out.push(byte[0]);
        }
        if out.len() > expected {
            return Err(End::Wrong("too many pixels"));
        }
        if !wrote && read == 0 {
            break;
        }
    }
    if out.len() < expected { Err(End::Wrong("too few pixels")) } else { Ok(out) }
}
