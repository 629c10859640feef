//! How the server wants a pixel: its bits, and its bytes in memory.

use x11rb::protocol::xproto::{ImageOrder, Setup, Visualtype};

use crate::picture::ByteOrder;

/// One colour's bits in a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Channel {
    shift: u32,
    most: u32,
}

impl Channel {
    fn of(mask: u32) -> Option<Channel> {
        let shift = mask.trailing_zeros();
        let most = mask.checked_shr(shift)?;
        // A run of ones, of no more than 16 bits.
        (most > 0 && most <= 0xffff && most & (most + 1) == 0).then_some(Channel { shift, most })
    }

    fn pack(self, colour: u8) -> u32 {
        ((u32::from(colour) * self.most + 127) / 255) << self.shift
    }

    fn unpack(self, pixel: u32) -> u8 {
        (((pixel >> self.shift & self.most) * 255 + self.most / 2) / self.most) as u8
    }
}

/// The pixels of a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Bytes a pixel: 2 or 4.
    bytes: usize,
    /// Bytes of which a row has a multiple.
    pad: usize,
    high_byte_first: bool,
    /// Red, green, blue.
    channels: [Channel; 3],
    /// Whether a pixel is a canvas's, byte for byte.
    same: bool,
}

impl Layout {
    /// That of a visual; `None` if its pixels have neither 16 nor 32 bits in memory.
    pub(super) fn of(setup: &Setup, depth: u8, visual: &Visualtype) -> Option<Layout> {
        let format = setup.pixmap_formats.iter().find(|format| format.depth == depth)?;
        let bytes = match format.bits_per_pixel {
            16 => 2,
            32 => 4,
            _ => return None,
        };
        let high_byte_first = setup.image_byte_order == ImageOrder::MSB_FIRST;
        let masks = [visual.red_mask, visual.green_mask, visual.blue_mask];
        let [Some(red), Some(green), Some(blue)] = masks.map(Channel::of) else { return None };
        let same = bytes == 4 && !high_byte_first && masks == [0x00ff_0000, 0xff00, 0xff];
        let pad = usize::from(format.scanline_pad / 8).max(1);
        Some(Layout { bytes, pad, high_byte_first, channels: [red, green, blue], same })
    }

    /// Bytes a pixel.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes of a row of so many pixels.
    pub(super) fn row(&self, width: u16) -> usize {
        (usize::from(width) * self.bytes).next_multiple_of(self.pad)
    }

    /// Writes a canvas's pixels as the server's.
    pub(super) fn pack(&self, from: &[u32], to: &mut [u8]) {
        if self.same {
            for (to, pixel) in to.chunks_exact_mut(4).zip(from) {
                to.copy_from_slice(&pixel.to_le_bytes());
            }
            return;
        }
        for (to, &pixel) in to.chunks_exact_mut(self.bytes).zip(from) {
            let colours = ByteOrder::Bgrx.colour(pixel);
            let pixel = self.channels.iter().zip(colours).fold(0, |all, (channel, colour)| all | channel.pack(colour));
            match (self.bytes, self.high_byte_first) {
                (2, false) => to.copy_from_slice(&(pixel as u16).to_le_bytes()),
                (2, true) => to.copy_from_slice(&(pixel as u16).to_be_bytes()),
                (_, false) => to.copy_from_slice(&pixel.to_le_bytes()),
                (_, true) => to.copy_from_slice(&pixel.to_be_bytes()),
            }
        }
    }

    /// Reads them back.
    pub(super) fn unpack(&self, from: &[u8], to: &mut [u32]) {
        for (from, to) in from.chunks_exact(self.bytes).zip(to) {
            let add = |all: u32, byte: &u8| all << 8 | u32::from(*byte);
            let pixel = if self.high_byte_first { from.iter().fold(0, add) } else { from.iter().rev().fold(0, add) };
            *to = ByteOrder::Bgrx.pixel(self.channels.map(|channel| channel.unpack(pixel)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(bytes: usize, high_byte_first: bool, masks: [u32; 3]) -> Layout {
        let channels = masks.map(|mask| Channel::of(mask).unwrap());
        let same = bytes == 4 && !high_byte_first && masks[0] == 0x00ff_0000;
        Layout { bytes, pad: 4, high_byte_first, channels, same }
    }

    #[test]
    fn each_screen_gets_its_bits() {
        let packed = |layout: Layout, pixel: u32| {
            let mut bytes = vec![0; layout.bytes];
            layout.pack(&[pixel], &mut bytes);
            bytes
        };
        assert_eq!(packed(layout(4, false, [0xff_0000, 0xff00, 0xff]), 0x01_0203), [3, 2, 1, 0]);
        assert_eq!(packed(layout(4, true, [0xff_0000, 0xff00, 0xff]), 0x01_0203), [0, 1, 2, 3]);
        // Pure red, and white, of 16 bits.
        let of_16 = [0xf800, 0x7e0, 0x1f];
        assert_eq!(packed(layout(2, false, of_16), 0xff_0000), [0x00, 0xf8]);
        assert_eq!(packed(layout(2, true, of_16), 0xff_ffff), [0xff, 0xff]);
        // Green of 30 bits.
        assert_eq!(packed(layout(4, false, [0x3ff0_0000, 0xf_fc00, 0x3ff]), 0xff00), 0xf_fc00u32.to_le_bytes());
    }

    #[test]
    fn read_back_it_is_what_was_written() {
        for layout in [
            layout(4, false, [0xff_0000, 0xff00, 0xff]),
            layout(4, true, [0xff, 0xff00, 0xff_0000]),
            layout(4, true, [0x3ff0_0000, 0xf_fc00, 0x3ff]),
        ] {
            let pixels = [0, 0x12_3456, 0xff_ffff, 0xfe_0180];
            let (mut bytes, mut read) = (vec![0; 16], vec![0; 4]);
            layout.pack(&pixels, &mut bytes);
            layout.unpack(&bytes, &mut read);
            assert_eq!(read, pixels, "{layout:?}");
        }
    }

    #[test]
    fn a_mask_is_a_run_of_ones() {
        assert_eq!(Channel::of(0x7e0), Some(Channel { shift: 5, most: 63 }));
        assert_eq!([0, 0b101, 0xff_ffff].map(Channel::of), [None; 3]);
    }
}
