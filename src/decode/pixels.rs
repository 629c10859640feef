//! How this session's pixels become the canvas's: made once a pixel format, chosen from once a rectangle.

use crate::picture::ByteOrder;
use crate::picture::convert::{Parts, Scale16, Scale32, Shift32, scaled};
use crate::rfb::{Layout, PixelFormat};

/// The conversion of a [`PixelFormat`] to the pixels of a canvas.
#[derive(Clone)]
pub struct Pixels {
    format: PixelFormat,
    order: ByteOrder,
    conversion: Conversion,
}

#[derive(Clone)]
pub(super) enum Conversion {
    Same32,
    Shift32(Shift32),
    Scale32(Scale32),
    Scale16(Scale16),
    Table16 { big_endian: bool, table: Box<[u32; 65536]> },
    Table8(Box<[u32; 256]>),
}

/// Compiles `$body` once for each kind of source and runs the one that fits.
macro_rules! with_source {
    ($pixels:expr, $source:ident => $body:expr) => {{
        use $crate::decode::pixels::Conversion;
        use $crate::picture::convert::{Same32, Table8, Table16};
        match $pixels.conversion() {
            Conversion::Same32 => {
                let $source = Same32;
                $body
            }
            Conversion::Shift32($source) => {
                let $source = *$source;
                $body
            }
            Conversion::Scale32($source) => {
                let $source = *$source;
                $body
            }
            Conversion::Scale16($source) => {
                let $source = *$source;
                $body
            }
            Conversion::Table16 { big_endian, table } => {
                let $source = Table16 { big_endian: *big_endian, table };
                $body
            }
            Conversion::Table8(table) => {
                let $source = Table8 { table };
                $body
            }
        }
    }};
}
pub(super) use with_source;

/// As [`with_source`], for the CPIXELs of TRLE and ZRLE (RFC 6143 §7.7.5).
macro_rules! with_cpixel_source {
    ($pixels:expr, $source:ident => $body:expr) => {{
        use $crate::decode::pixels::Conversion;
        use $crate::picture::convert::{Packed24, Same32};
        match ($pixels.conversion(), $pixels.cpixel_first_away()) {
            (Conversion::Same32, Some(first_away)) => {
                let $source = Packed24::new(Same32, first_away);
                $body
            }
            (Conversion::Shift32(whole), Some(first_away)) => {
                let $source = Packed24::new(*whole, first_away);
                $body
            }
            (Conversion::Scale32(whole), Some(first_away)) => {
                let $source = Packed24::new(*whole, first_away);
                $body
            }
            _ => $crate::decode::pixels::with_source!($pixels, $source => $body),
        }
    }};
}
pub(super) use with_cpixel_source;

/// As [`with_source`], for the TPIXELs of Tight (rfbproto, "Tight Encoding"): red, green and blue in three bytes where
/// the format has 8 bits of each in 32, else as in Raw.
macro_rules! with_tpixel_source {
    ($pixels:expr, $source:ident => $body:expr) => {{
        use $crate::picture::ByteOrder;
        use $crate::picture::convert::{Packed24, Same32, Shift32};
        match ($pixels.has_tpixels(), $pixels.order()) {
            (true, ByteOrder::Rgbx) => {
                let $source = Packed24::new(Same32, false);
                $body
            }
            (true, order) => {
                let whole = Shift32 { big_endian: false, from: [0, 8, 16], to: order.shifts() };
                let $source = Packed24::new(whole, false);
                $body
            }
            _ => $crate::decode::pixels::with_source!($pixels, $source => $body),
        }
    }};
}
pub(super) use with_tpixel_source;

impl Pixels {
    /// From `format` on the wire to `order` on the canvas. A colour map starts black.
    pub fn new(format: PixelFormat, order: ByteOrder) -> Pixels {
        let to = order.shifts();
        let table = |value: usize| match format.layout {
            Layout::ColourMap => 0,
            Layout::TrueColour { max, shift } => {
                let part = |(shift, max): (u8, u16)| scaled(value as u32, shift, max) as u8;
                let [r, g, b] = shift;
                let [max_r, max_g, max_b] = max;
                order.pixel([part((r, max_r)), part((g, max_g)), part((b, max_b))])
            }
        };
        let conversion = match (format.bits_per_pixel, format.layout) {
            (8, _) => Conversion::Table8(Box::new(std::array::from_fn(table))),
            // Multiplied: rows by a table of 256 KiB take 1.6 times as long, even while the table is all in the cache.
            (16, Layout::TrueColour { max: [max_r, max_g, max_b], shift: [r, g, b] }) => {
                let parts = Parts::new([(r, max_r), (g, max_g), (b, max_b)], to);
                Conversion::Scale16(Scale16 { big_endian: format.big_endian, parts })
            }
            (16, Layout::ColourMap) => {
                Conversion::Table16 { big_endian: format.big_endian, table: Box::new([0; 65536]) }
            }
            (_, Layout::TrueColour { max: [255, 255, 255], shift }) if shift == to && !format.big_endian => {
                Conversion::Same32
            }
            (_, Layout::TrueColour { max: [255, 255, 255], shift: from }) => {
                Conversion::Shift32(Shift32 { big_endian: format.big_endian, from, to })
            }
            (_, Layout::TrueColour { max: [max_r, max_g, max_b], shift: [r, g, b] }) => {
                let parts = Parts::new([(r, max_r), (g, max_g), (b, max_b)], to);
                Conversion::Scale32(Scale32 { big_endian: format.big_endian, parts })
            }
            // Refused when the format was read; black is as good as anything.
            (_, Layout::ColourMap) => {
                Conversion::Scale32(Scale32 { big_endian: false, parts: Parts::new([(0, 0); 3], to) })
            }
        };
        Pixels { format, order, conversion }
    }

    /// The format on the wire.
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// The order of the bytes on the canvas.
    pub fn order(&self) -> ByteOrder {
        self.order
    }

    /// Bytes a pixel on the wire.
    pub fn bytes(&self) -> usize {
        self.format.bytes()
    }

    /// Sets entry `index` of the colour map. Without a colour map, or beyond its end, nothing happens.
    pub fn set_colour(&mut self, index: usize, colour: [u8; 3]) {
        if self.format.layout != Layout::ColourMap {
            return;
        }
        let entry = match &mut self.conversion {
            Conversion::Table8(table) => table.get_mut(index),
            Conversion::Table16 { table, .. } => table.get_mut(index),
            _ => None,
        };
        if let Some(entry) = entry {
            *entry = self.order.pixel(colour);
        }
    }

    /// The canvas pixel of one pixel on the wire.
    pub fn pixel(&self, bytes: &[u8]) -> u32 {
        use crate::picture::convert::Source;
        with_source!(self, source => source.pixel(bytes))
    }

    /// Whether a CPIXEL has three bytes, and if so, whether the one that stays away comes first on the wire.
    pub(super) fn cpixel_first_away(&self) -> Option<bool> {
        // The specification asks for a depth of 24 at most besides. Servers look at the colours alone: programs of
        // libvncserver's say 32, and send three bytes.
        let PixelFormat { bits_per_pixel: 32, big_endian, layout: Layout::TrueColour { max, shift }, .. } = self.format
        else {
            return None;
        };
        let used = max.iter().zip(shift).fold(0, |used, (&max, shift)| used | u64::from(max) << shift);
        // Where both would do, the least significant three bytes are sent.
        let low = used & !0x00ff_ffff == 0;
        let high = used & !0xffff_ff00 == 0;
        (low || high).then_some(low == big_endian)
    }

    /// Bytes a TPIXEL.
    pub(super) fn tpixel_bytes(&self) -> usize {
        if self.has_tpixels() { 3 } else { self.bytes() }
    }

    /// Whether a TPIXEL has three bytes: red, green, blue.
    pub(super) fn has_tpixels(&self) -> bool {
        let PixelFormat { bits_per_pixel, depth, layout, .. } = self.format;
        (bits_per_pixel, depth) == (32, 24) && matches!(layout, Layout::TrueColour { max: [255, 255, 255], .. })
    }

    pub(super) fn conversion(&self) -> &Conversion {
        &self.conversion
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::convert::Source;

    fn colour(format: PixelFormat, bytes: &[u8]) -> [u8; 3] {
        ByteOrder::Bgrx.colour(Pixels::new(format, ByteOrder::Bgrx).pixel(bytes))
    }

    #[test]
    fn every_layout_gives_the_same_orange() {
        let true_colour = |bits_per_pixel, big_endian, max, shift| PixelFormat {
            bits_per_pixel,
            depth: 24,
            big_endian,
            layout: Layout::TrueColour { max, shift },
        };
        let orange = [255, 132, 0];
        assert_eq!(colour(PixelFormat::rgb888([16, 8, 0]), &[0, 132, 255, 7]), orange);
        assert_eq!(colour(PixelFormat::rgb888([0, 8, 16]), &[255, 132, 0, 7]), orange);
        assert_eq!(colour(true_colour(32, true, [255; 3], [16, 8, 0]), &[7, 255, 132, 0]), orange);
        assert_eq!(colour(true_colour(16, false, [31; 3], [10, 5, 0]), &[0x00, 0x7e]), orange);
        assert_eq!(colour(true_colour(16, true, [31; 3], [10, 5, 0]), &[0x7e, 0x00]), orange);
        let deep = 1023u32 << 20 | 530 << 10;
        assert_eq!(colour(true_colour(32, true, [1023; 3], [20, 10, 0]), &deep.to_be_bytes()), orange);
        assert_eq!(colour(PixelFormat::bgr233(), &[7 | 4 << 3]), [255, 146, 0]);
    }

    #[test]
    fn pixels_of_three_bytes_leave_out_the_byte_without_colour() {
        let format = |depth, big_endian, max, shift| {
            let layout = Layout::TrueColour { max, shift };
            Pixels::new(PixelFormat { bits_per_pixel: 32, depth, big_endian, layout }, ByteOrder::Rgbx)
        };
        assert_eq!(format(24, false, [255; 3], [16, 8, 0]).cpixel_first_away(), Some(false));
        assert_eq!(format(24, true, [255; 3], [16, 8, 0]).cpixel_first_away(), Some(true));
        assert_eq!(format(24, false, [255; 3], [24, 16, 8]).cpixel_first_away(), Some(true));
        assert_eq!(format(24, true, [255; 3], [24, 16, 8]).cpixel_first_away(), Some(false));
        assert_eq!(format(16, false, [31; 3], [18, 13, 8]).cpixel_first_away(), Some(false));
        assert_eq!(format(32, false, [255; 3], [16, 8, 0]).cpixel_first_away(), Some(false));
        assert_eq!(format(30, false, [1023; 3], [20, 10, 0]).cpixel_first_away(), None);
        assert_eq!(format(24, false, [255; 3], [24, 16, 0]).cpixel_first_away(), None);
        assert!(format(24, false, [255; 3], [0, 8, 16]).has_tpixels());
        assert!(!format(32, false, [255; 3], [0, 8, 16]).has_tpixels());
        let rgb = [1, 2, 3];
        let red_high = format(24, true, [255; 3], [24, 16, 8]);
        assert_eq!(with_cpixel_source!(red_high, source => ByteOrder::Rgbx.colour(source.pixel(&rgb))), rgb);
        assert_eq!(with_tpixel_source!(red_high, source => ByteOrder::Rgbx.colour(source.pixel(&rgb))), rgb);
        let red_low = format(24, false, [255; 3], [0, 8, 16]);
        assert_eq!(with_cpixel_source!(red_low, source => ByteOrder::Rgbx.colour(source.pixel(&rgb))), rgb);
    }

    #[test]
    fn a_colour_map_is_black_until_it_is_sent() {
        let format = PixelFormat { bits_per_pixel: 8, depth: 8, big_endian: false, layout: Layout::ColourMap };
        let mut pixels = Pixels::new(format, ByteOrder::Rgbx);
        assert_eq!(pixels.pixel(&[9]), 0);
        pixels.set_colour(9, [1, 2, 3]);
        pixels.set_colour(256, [1, 2, 3]);
        assert_eq!(pixels.pixel(&[9]), 0x030201);
    }
}
