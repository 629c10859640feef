//! H.264 put together by hand from ITU-T H.264: macroblocks of one colour that are not compressed, or as they were.

/// What a sequence parameter set says.
#[derive(Clone, Copy)]
pub struct Sequence {
    /// Macroblocks a row, and rows.
    pub size: (u32, u32),
    /// Pixels that are not shown at the right and at the bottom, halved.
    pub cropped: (u32, u32),
    pub references: u32,
    /// matrix_coefficients and video_full_range_flag.
    pub colours: Option<(u32, bool)>,
}

impl Sequence {
    pub fn new(width: u32, height: u32) -> Sequence {
        Sequence { size: (width, height), cropped: (0, 0), references: 1, colours: None }
    }

    pub fn unit(self) -> Vec<u8> {
        let mut bits = Bits::new(0x67);
        // Constrained Baseline, level 3.1, number 0.
        bits.put(8, 66).put(8, 0xc0).put(8, 31).unsigned(0);
        // frame_num has 4 bits, and pictures come in the order in which they are shown.
        bits.unsigned(0).unsigned(2).unsigned(self.references).put(1, 0);
        bits.unsigned(self.size.0 - 1).unsigned(self.size.1 - 1).put(2, 0b11);
        match self.cropped {
            (0, 0) => bits.put(1, 0),
            (right, bottom) => bits.put(1, 1).unsigned(0).unsigned(right).unsigned(0).unsigned(bottom),
        };
        match self.colours {
            None => bits.put(1, 0),
            Some((matrix, full)) => {
                bits.put(1, 1).put(2, 0).put(1, 1).put(3, 5).put(1, full.into());
                bits.put(1, 1).put(16, 0x0101).put(8, matrix).put(6, 0)
            }
        };
        bits.end()
    }

    /// Both parameter sets, and a picture whose macroblocks have these colours.
    pub fn intra(self, colours: &[[u8; 3]]) -> Vec<u8> {
        assert_eq!(colours.len() as u32, self.size.0 * self.size.1);
        let mut bits = Bits::new(0x65);
        // The first macroblock, I slices only, frame_num, idr_pic_id, no marking, no change of the quality, no deblocking.
        bits.unsigned(0).unsigned(7).unsigned(0).put(4, 0).unsigned(0).put(2, 0).unsigned(0).unsigned(1);
        for &colour in colours {
            bits.unsigned(25).macroblock(colour);
        }
        [self.unit(), picture_parameters(), bits.end()].concat()
    }

    /// The picture `number` behind an intra picture: as the one before but for one macroblock.
    pub fn inter(self, number: u32, change: Option<(u32, [u8; 3])>) -> Vec<u8> {
        let mut bits = Bits::new(0x41);
        bits.unsigned(0).unsigned(5).unsigned(0).put(4, number % 16).put(3, 0).unsigned(0).unsigned(1);
        let all = self.size.0 * self.size.1;
        match change {
            None => {
                bits.unsigned(all);
            }
            Some((at, colour)) => {
                bits.unsigned(at).unsigned(30).macroblock(colour);
                if at + 1 < all {
                    bits.unsigned(all - at - 1);
                }
            }
        }
        bits.end()
    }
}

pub fn picture_parameters() -> Vec<u8> {
    let mut bits = Bits::new(0x68);
    bits.unsigned(0).unsigned(0).put(2, 0).unsigned(0).unsigned(0).unsigned(0).put(3, 0);
    bits.unsigned(0).unsigned(0).unsigned(0).put(3, 0b100);
    bits.end()
}

/// A NAL unit.
pub struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    pub fn new(header: u8) -> Bits {
        Bits { bytes: vec![header], count: 8 }
    }

    pub fn put(&mut self, count: u32, value: u32) -> &mut Bits {
        for bit in (0..count).rev() {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= (value >> bit & 1) as u8 * (0x80 >> (self.count % 8));
            self.count += 1;
        }
        self
    }

    /// ue(v).
    pub fn unsigned(&mut self, value: u32) -> &mut Bits {
        let length = (value + 1).ilog2();
        self.put(length, 0).put(length + 1, value + 1)
    }

    /// The samples of a macroblock that is not compressed.
    fn macroblock(&mut self, [y, u, v]: [u8; 3]) -> &mut Bits {
        self.count = self.bytes.len() * 8;
        for (sample, count) in [(y, 256), (u, 64), (v, 64)] {
            self.bytes.extend(std::iter::repeat_n(sample, count));
            self.count += count * 8;
        }
        self
    }

    /// Behind a start code, with an end, and without start codes inside.
    pub fn end(&mut self) -> Vec<u8> {
        self.put(1, 1);
        let mut out = vec![0, 0, 0, 1];
        let mut zeros = 0;
        for &byte in &self.bytes {
            if zeros == 2 && byte <= 3 {
                out.push(3);
                zeros = 0;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            out.push(byte);
        }
        out
    }
}
