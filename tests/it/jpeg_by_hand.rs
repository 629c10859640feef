//! A JPEG picture of one colour, put together by hand from ITU-T T.81.

/// Which tables a picture brings along.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tables {
    Both,
    OnlyQuantisation,
    None,
}

/// A baseline picture whose every pixel is `ycbcr`.
pub fn jpeg(width: u16, height: u16, ycbcr: [u8; 3], tables: Tables) -> Vec<u8> {
    let mut out = vec![0xff, 0xd8];
    if tables != Tables::None {
        // The first coefficient is eight times the mean.
        segment(&mut out, 0xdb, &[&[0], &[8; 64][..]].concat());
    }
    let (height_bytes, width_bytes) = (height.to_be_bytes(), width.to_be_bytes());
    let components = [3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0];
    segment(&mut out, 0xc0, &[&[8], &height_bytes[..], &width_bytes, &components].concat());
    if tables == Tables::Both {
        out.extend(huffman_tables());
    }
    segment(&mut out, 0xda, &[3, 1, 0, 2, 0, 3, 0, 0, 63, 0]);

    let mut bits = Bits { out, held: 0, count: 0 };
    let blocks = usize::from(width.div_ceil(8)) * usize::from(height.div_ceil(8));
    for block in 0..blocks {
        for part in ycbcr {
            let difference = if block == 0 { i32::from(part) - 128 } else { 0 };
            let size = 32 - difference.unsigned_abs().leading_zeros();
            bits.put(size, 4);
            bits.put((if difference < 0 { difference + (1 << size) - 1 } else { difference }) as u32, size);
            // No coefficient beyond the first.
            bits.put(0, 1);
        }
    }
    bits.put(0x7f, 7);
    [&bits.out[..], &[0xff, 0xd9]].concat()
}

/// The tables of the pictures that have [`Tables::Both`]: sizes 0 to 8 as themselves in four bits; "end of block" as 0.
fn huffman_tables() -> Vec<u8> {
    let mut out = Vec::new();
    let (mut dc, mut ac) = ([0; 16], [0; 16]);
    (dc[3], ac[0]) = (9, 1);
    segment(&mut out, 0xc4, &[&[0x00], &dc[..], &[0, 1, 2, 3, 4, 5, 6, 7, 8]].concat());
    segment(&mut out, 0xc4, &[&[0x10], &ac[..], &[0]].concat());
    out
}

fn segment(out: &mut Vec<u8>, marker: u8, body: &[u8]) {
    out.extend([0xff, marker]);
    out.extend((body.len() as u16 + 2).to_be_bytes());
    out.extend(body);
}

struct Bits {
    out: Vec<u8>,
    held: u32,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        for bit in (0..count).rev() {
            self.held = self.held << 1 | (value >> bit & 1);
            self.count += 1;
            if self.count == 8 {
                self.out.push(self.held as u8);
                if self.held == 0xff {
                    self.out.push(0);
                }
                (self.held, self.count) = (0, 0);
            }
        }
    }
}
