//! From the desktop's pixels to rectangles on the wire: Raw, Hextile and Zlib in any true-colour format.

use crate::picture::{Area, ByteOrder, Canvas, Cursor};
use crate::rfb::server_message::RectangleHeader;
use crate::rfb::{Layout, PixelFormat, encoding};
use flate2::{Compress, Compression, FlushCompress};
use std::io;

/// The encodings of pixels that are known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PixelEncoding {
    Raw,
    Hextile,
    Zlib,
}

impl PixelEncoding {
    pub(super) fn of_number(number: i32) -> Option<PixelEncoding> {
        match number {
            encoding::RAW => Some(PixelEncoding::Raw),
            encoding::HEXTILE => Some(PixelEncoding::Hextile),
            encoding::ZLIB => Some(PixelEncoding::Zlib),
            _ => None,
        }
    }

    fn number(self) -> i32 {
        match self {
            PixelEncoding::Raw => encoding::RAW,
            PixelEncoding::Hextile => encoding::HEXTILE,
            PixelEncoding::Zlib => encoding::ZLIB,
        }
    }
}

/// What encodes rectangles, with the zlib stream that lasts as long as the connection.
pub(super) struct Encoder {
    format: WireFormat,
    zlib: Compress,
}

impl Encoder {
    pub(super) fn new(format: WireFormat) -> Encoder {
        // Fast: the other end is this same program, and the pixels are new thirty times a second.
        Encoder { format, zlib: Compress::new(Compression::fast(), true) }
    }

    /// Another pixel format from here on; the zlib stream goes on.
    pub(super) fn set_format(&mut self, format: WireFormat) {
        self.format = format;
    }

    /// Appends the rectangle `area` of `canvas`.
    pub(super) fn rectangle(
        &mut self,
        canvas: &Canvas,
        area: Area,
        encoding: PixelEncoding,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        header(area, encoding.number(), out);
        match encoding {
            PixelEncoding::Raw => self.raw(canvas, area, out),
            PixelEncoding::Hextile => self.hextile(canvas, area, out),
            PixelEncoding::Zlib => {
                let mut pixels = Vec::with_capacity(area.pixels() * self.format.bytes);
                self.raw(canvas, area, &mut pixels);
                let packed = deflate(&mut self.zlib, &pixels)?;
                let length = u32::try_from(packed.len()).map_err(io::Error::other)?;
                out.extend(length.to_be_bytes());
                out.extend(packed);
            }
        }
        Ok(())
    }

    /// Appends the Cursor pseudo-rectangle (RFC 6143 §7.8.1).
    pub(super) fn cursor(&self, cursor: &Cursor, out: &mut Vec<u8>) {
        let (x, y) = cursor.hotspot;
        let size = cursor.size;
        write_header(
            &RectangleHeader { x, y, width: size.width, height: size.height, encoding: encoding::CURSOR },
            out,
        );
        for &[r, g, b, _] in &cursor.pixels {
            self.format.put(self.format.value([r, g, b]), out);
        }
        for row in cursor.pixels.chunks(usize::from(size.width).max(1)) {
            let bits = |eight: &[[u8; 4]]| {
                eight.iter().zip(0..8).fold(0, |byte, (pixel, bit)| byte | u8::from(pixel[3] > 127) << (7 - bit))
            };
            out.extend(row.chunks(8).map(bits));
        }
    }

    fn raw(&self, canvas: &Canvas, area: Area, out: &mut Vec<u8>) {
        for row in canvas.rows(area) {
            for &pixel in row {
                self.format.put(self.format.value(canvas.order().colour(pixel)), out);
            }
        }
    }

    fn hextile(&self, canvas: &Canvas, area: Area, out: &mut Vec<u8>) {
        let mut last = LastColours::default();
        for y in (area.y()..).step_by(Tile::SIDE).take_while(|y| u32::from(*y) < area.bottom()) {
            for x in (area.x()..).step_by(Tile::SIDE).take_while(|x| u32::from(*x) < area.right()) {
                // At most 16.
                let width = (area.right() - u32::from(x)).min(16) as u16;
                let height = (area.bottom() - u32::from(y)).min(16) as u16;
                let Some(place) = canvas.size().area(x, y, width, height) else { continue };
                let pixels = canvas.rows(place).flatten();
                let values = pixels.map(|&pixel| self.format.value(canvas.order().colour(pixel))).collect();
                Tile { width: usize::from(width), values }.write(&self.format, &mut last, out);
            }
        }
    }
}

/// Appends the header of a rectangle of pixels.
pub(super) fn header(area: Area, encoding: i32, out: &mut Vec<u8>) {
    let (x, y, width, height) = (area.x(), area.y(), area.width(), area.height());
    write_header(&RectangleHeader { x, y, width, height, encoding }, out);
}

pub(super) fn write_header(header: &RectangleHeader, out: &mut Vec<u8>) {
    out.extend([header.x, header.y, header.width, header.height].iter().flat_map(|number| number.to_be_bytes()));
    out.extend(header.encoding.to_be_bytes());
}

/// A true-colour format, ready to write pixels in.
pub(super) struct WireFormat {
    bytes: usize,
    big_endian: bool,
    /// The part of a pixel's value that each level of red, green and blue gives.
    parts: [Box<[u32; 256]>; 3],
}

impl WireFormat {
    /// The format that a client asked for.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn new(format: &PixelFormat) -> Result<WireFormat, String> {
        let Layout::TrueColour { max, shift } = format.layout else {
            return Err("a colour map, which this server does not have".to_owned());
        };
        let mut used = 0u64;
        for (max, shift) in max.into_iter().zip(shift) {
            let bits = u64::from(max) << shift.min(63);
            if max == 0 || max & max.wrapping_add(1) != 0 {
                return Err(format!("a largest colour of {max}, which is not one less than a power of two"));
            }
            if bits & used != 0 || bits >> format.bits_per_pixel != 0 {
                return Err("colours that overlap or do not fit in their pixel".to_owned());
            }
            used |= bits;
        }
        let [r, g, b] = max;
        let [to_r, to_g, to_b] = shift;
        let part = |max: u16, shift: u8| {
            let part = |level: usize| ((level as u32 * u32::from(max) + 127) / 255) << shift;
            Box::new(std::array::from_fn(part))
        };
        let parts = [part(r, to_r), part(g, to_g), part(b, to_b)];
        Ok(WireFormat { bytes: format.bytes(), big_endian: format.big_endian, parts })
    }

    fn value(&self, [red, green, blue]: [u8; 3]) -> u32 {
        let [reds, greens, blues] = &self.parts;
        let part = |parts: &[u32; 256], level: u8| parts.get(usize::from(level)).copied().unwrap_or_default();
        part(reds, red) | part(greens, green) | part(blues, blue)
    }

    fn put(&self, value: u32, out: &mut Vec<u8>) {
        match (self.bytes, self.big_endian) {
            (1, _) => out.push(value as u8),
            (2, true) => out.extend((value as u16).to_be_bytes()),
            (2, false) => out.extend((value as u16).to_le_bytes()),
            (_, true) => out.extend(value.to_be_bytes()),
            (_, false) => out.extend(value.to_le_bytes()),
        }
    }
}

/// Compresses to a point from which the other end can unpack all of it.
fn deflate(zlib: &mut Compress, mut input: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = Vec::with_capacity(input.len() / 8 + 64);
    loop {
        let before = zlib.total_in();
        zlib.compress_vec(input, &mut packed, FlushCompress::Sync).map_err(io::Error::other)?;
        input = input.get((zlib.total_in() - before) as usize..).unwrap_or_default();
        // Room left over tells that nothing is held back.
        if input.is_empty() && packed.len() < packed.capacity() {
            return Ok(packed);
        }
        packed.reserve(packed.len().max(64));
    }
}

/// The colours that the next tile need not repeat.
#[derive(Default)]
struct LastColours {
    background: Option<u32>,
    foreground: Option<u32>,
}

const RAW: u8 = 1;
const BACKGROUND_SPECIFIED: u8 = 2;
const FOREGROUND_SPECIFIED: u8 = 4;
const ANY_SUBRECTS: u8 = 8;
const SUBRECTS_COLOURED: u8 = 16;

/// A tile of Hextile (RFC 6143 §7.7.4), as values on the wire.
struct Tile {
    width: usize,
    values: Vec<u32>,
}

struct Subrect {
    value: u32,
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

impl Tile {
    const SIDE: usize = 16;
    /// A tile of more colours is not worth looking at further: it is sent raw.
    const MOST_COLOURS: usize = 32;

    fn write(&self, format: &WireFormat, last: &mut LastColours, out: &mut Vec<u8>) {
        let plan = self.colours().and_then(|colours| {
            let background = colours.iter().max_by_key(|(_, count)| *count)?.0;
            let others: Vec<u32> = colours.iter().map(|(value, _)| *value).filter(|v| *v != background).collect();
            let coloured = others.len() > 1;
            let each = if coloured { format.bytes + 2 } else { 2 };
            let most = (self.values.len() * format.bytes / each).min(255);
            Some((background, others, self.subrects(background, most)?))
        });
        let Some((background, others, subrects)) = plan else {
            out.push(RAW);
            self.values.iter().for_each(|&value| format.put(value, out));
            // A raw tile leaves both colours open.
            *last = LastColours::default();
            return;
        };
        let flags_at = out.len();
        let mut flags = 0;
        out.push(flags);
        if last.background != Some(background) {
            flags |= BACKGROUND_SPECIFIED;
            format.put(background, out);
        }
        last.background = Some(background);
        let coloured = match *others {
            [] => false,
            [foreground] => {
                if last.foreground != Some(foreground) {
                    flags |= FOREGROUND_SPECIFIED;
                    format.put(foreground, out);
                }
                last.foreground = Some(foreground);
                false
            }
            _ => {
                flags |= SUBRECTS_COLOURED;
                last.foreground = None;
                true
            }
        };
        if !subrects.is_empty() {
            flags |= ANY_SUBRECTS;
            // At most 255 by plan.
            out.push(subrects.len() as u8);
        }
        for subrect in subrects {
            if coloured {
                format.put(subrect.value, out);
            }
            let packed = |high: usize, low: usize| (high << 4 | low) as u8;
            out.extend([packed(subrect.x, subrect.y), packed(subrect.width - 1, subrect.height - 1)]);
        }
        if let Some(place) = out.get_mut(flags_at) {
            *place = flags;
        }
    }

    /// The colours and how often they come, unless there are too many.
    fn colours(&self) -> Option<Vec<(u32, usize)>> {
        let mut colours: Vec<(u32, usize)> = Vec::new();
        for &value in &self.values {
            if let Some((_, count)) = colours.iter_mut().find(|(known, _)| *known == value) {
                *count += 1;
            } else if colours.len() < Self::MOST_COLOURS {
                colours.push((value, 1));
            } else {
                return None;
            }
        }
        Some(colours)
    }

    /// What is not background as rectangles of one colour, each as wide and then as high as it can be; `None` if that
    /// takes more than `most`.
    fn subrects(&self, background: u32, most: usize) -> Option<Vec<Subrect>> {
        let mut rest: Vec<Option<u32>> = self.values.iter().map(|&v| (v != background).then_some(v)).collect();
        let mut subrects = Vec::new();
        while let Some((at, value)) = rest.iter().enumerate().find_map(|(at, value)| value.map(|value| (at, value))) {
            if subrects.len() == most {
                return None;
            }
            let (x, y) = (at % self.width, at / self.width);
            let same = |pixel: &&Option<u32>| **pixel == Some(value);
            let row = rest.chunks(self.width).nth(y)?;
            let width = row.iter().skip(x).take_while(same).count();
            let whole = |row: &&[Option<u32>]| row.iter().skip(x).take(width).filter(same).count() == width;
            let height = rest.chunks(self.width).skip(y).take_while(whole).count();
            for row in rest.chunks_mut(self.width).skip(y).take(height) {
                row.iter_mut().skip(x).take(width).for_each(|pixel| *pixel = None);
            }
            subrects.push(Subrect { value, x, y, width, height });
        }
        Some(subrects)
    }
}

/// The format that ServerInit names: 32 bits, little-endian, as the canvas has it.
pub(super) fn native_format(order: ByteOrder) -> PixelFormat {
    PixelFormat::rgb888(order.shifts())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{DirectDecoder, Hextile, ParcelDecoder, Pixels, Progress, Zlib};
    use crate::picture::{Size, Target};
    use crate::rfb::Inbox;
    use bytes::Bytes;

    const ORDER: ByteOrder = ByteOrder::Bgrx;

    /// Tiles of one colour, of two, of a few, of too many, and cut ones at the edges.
    fn varied() -> Canvas {
        let size = Size::new(85, 37);
        let mut canvas = Canvas::new(size, ORDER);
        let mut target = canvas.target(size.whole()).unwrap();
        for (y, row) in target.rows_from(0).enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                *pixel = match x / 16 {
                    0 => 0x102030,
                    1 if (x + y) % 5 < 2 => 0xffffff,
                    1 => 0x102030,
                    2 if x % 2 == 0 => 0x445566,
                    2 => 0xffffff,
                    3 => (y as u32 / 2 % 16) * 0x0f0101,
                    4 => ((x * 73 + y * 151) * 7919 % 0xffffff) as u32,
                    _ => 0xffffff,
                };
            }
        }
        canvas
    }

    fn encoded(encoder: &mut Encoder, canvas: &Canvas, encoding: PixelEncoding) -> Bytes {
        let mut out = Vec::new();
        encoder.rectangle(canvas, canvas.size().whole(), encoding, &mut out).unwrap();
        Bytes::from(out).slice(12..)
    }

    #[test]
    fn hextile_gives_back_what_went_in() {
        let canvas = varied();
        for format in [native_format(ORDER), native_format(ByteOrder::Rgbx)] {
            let mut encoder = Encoder::new(WireFormat::new(&format).unwrap());
            let mut inbox = Inbox::default();
            inbox.push(encoded(&mut encoder, &canvas, PixelEncoding::Hextile));
            assert!(inbox.available().len() < canvas.pixels().len() * 4 / 2);
            let mut pixels = vec![0; canvas.pixels().len()];
            let mut target = Target::new(&mut pixels, 85, 85, 37).unwrap();
            let progress = Hextile::default().advance(&mut inbox, &mut target, &Pixels::new(format, ORDER));
            assert_eq!((progress, inbox.is_empty()), (Ok(Progress::Done), true));
            assert_eq!(pixels, canvas.pixels());
        }
    }

    #[test]
    fn one_zlib_stream_carries_many_rectangles() {
        let canvas = varied();
        let format = native_format(ORDER);
        let mut encoder = Encoder::new(WireFormat::new(&format).unwrap());
        let mut decoder = Zlib::new();
        let wire = Pixels::new(format, ORDER);
        for _ in 0..3 {
            let mut inbox = Inbox::default();
            inbox.push(encoded(&mut encoder, &canvas, PixelEncoding::Zlib));
            let mut pixels = vec![0; canvas.pixels().len()];
            let mut target = Target::new(&mut pixels, 85, 85, 37).unwrap();
            let parcel = decoder.cut(&mut inbox, 85, 37, &wire).unwrap().unwrap();
            decoder.unpack(parcel, &mut target, &wire).unwrap();
            assert!(inbox.is_empty());
            assert_eq!(pixels, canvas.pixels());
        }
    }

    #[test]
    fn pixels_in_every_width_and_byte_order() {
        let bytes = |bits_per_pixel, big_endian, max, shift| {
            let layout = Layout::TrueColour { max, shift };
            let format = WireFormat::new(&PixelFormat { bits_per_pixel, depth: 24, big_endian, layout }).unwrap();
            let mut out = Vec::new();
            format.put(format.value([255, 132, 0]), &mut out);
            out
        };
        assert_eq!(bytes(32, false, [255; 3], [16, 8, 0]), [0, 132, 255, 0]);
        assert_eq!(bytes(32, true, [255; 3], [16, 8, 0]), [0, 255, 132, 0]);
        assert_eq!(bytes(16, false, [31; 3], [10, 5, 0]), [0x00, 0x7e]);
        assert_eq!(bytes(16, true, [31; 3], [10, 5, 0]), [0x7e, 0x00]);
        assert_eq!(bytes(8, false, [7, 7, 3], [0, 3, 6]), [7 | 4 << 3]);
    }

    #[test]
    fn nonsense_is_no_format() {
        let refused = |bits_per_pixel, layout| {
            WireFormat::new(&PixelFormat { bits_per_pixel, depth: 8, big_endian: false, layout }).is_err()
        };
        assert!(refused(8, Layout::ColourMap));
        assert!(refused(8, Layout::TrueColour { max: [7, 7, 7], shift: [0, 3, 6] }));
        assert!(refused(16, Layout::TrueColour { max: [31, 63, 31], shift: [10, 5, 0] }));
        assert!(refused(32, Layout::TrueColour { max: [254, 255, 255], shift: [16, 8, 0] }));
        assert!(refused(32, Layout::TrueColour { max: [0, 255, 255], shift: [16, 8, 0] }));
        assert!(refused(32, Layout::TrueColour { max: [65535, 1, 1], shift: [255, 1, 0] }));
        assert!(!refused(32, Layout::TrueColour { max: [65535, 255, 255], shift: [16, 8, 0] }));
    }
}
