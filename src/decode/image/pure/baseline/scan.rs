//! A scan: minimum coded units become samples, row by row (ITU-T T.81, A.2.3 and E.2).

use super::super::segments::MARKER;
use super::huffman::{Bits, Broken, Table};
use super::planes::Plane;
use crate::picture::jpeg::{Block, even_block, inverse_dct, inverse_dct_of_corner};
use crate::picture::{Work, for_this_machine};

/// A component on its way to samples.
pub(super) struct Part<'a> {
    pub(super) dc: &'a Table,
    pub(super) ac: &'a Table,
    pub(super) steps: &'a Block,
    pub(super) across: usize,
    pub(super) down: usize,
    /// The first coefficient of the last block (F.2.1.3.1).
    pub(super) mean: i16,
}

/// Blocks of a minimum coded unit, at most: four of luminance, two of chrominance.
const MOST_BLOCKS: usize = 6;

/// The coefficients of a block, and how many of them there are up to the last.
type Coefficients = (Block, u32);

/// Coefficients, in the order in which they come, that may be other than 0 where all others than the first four of the
/// first four rows are 0.
const CORNER: u32 = 10;

impl Part<'_> {
    /// Reads its blocks of a minimum coded unit (A.2.3).
    #[inline(always)]
    fn read<'b>(
        &mut self,
        bits: &mut Bits<'_>,
        blocks: &mut impl Iterator<Item = &'b mut Coefficients>,
    ) -> Result<(), Broken> {
        for (block, count) in blocks.take(self.across * self.down) {
            *block = [0; 64];
            *count = bits.block(self.dc, self.ac, &mut self.mean, block)?;
        }
        Ok(())
    }

    /// Writes their samples.
    #[inline(always)]
    fn write<'b>(
        &self,
        blocks: &mut impl Iterator<Item = &'b Coefficients>,
        plane: &mut Plane,
        column: usize,
        row: usize,
    ) {
        for y in row * self.down..(row + 1) * self.down {
            for x in column * self.across..(column + 1) * self.across {
                let Some((block, count)) = blocks.next() else { return };
                let (out, stride) = plane.block(x, y);
                match *count {
                    0..=1 => even_block(block[0], self.steps[0], out, stride),
                    2..=CORNER => inverse_dct_of_corner(block, self.steps, out, stride),
                    _ => inverse_dct(block, self.steps, out, stride),
                }
            }
        }
    }
}

/// A scan of all components.
pub(super) struct Scan<'a> {
    pub(super) parts: Vec<Part<'a>>,
    /// Minimum coded units in a row.
    columns: usize,
    /// After how many of them a new interval begins; 0 for never.
    restart: usize,
    /// How many are left until then.
    left: usize,
    bits: Bits<'a>,
    intervals: Intervals<'a>,
}

impl<'a> Scan<'a> {
    /// From its first unit on; `data` and `ends` are by [`unstuff`].
    pub(super) fn new(
        parts: Vec<Part<'a>>,
        columns: usize,
        restart: usize,
        data: &'a [u8],
        ends: &'a [usize],
    ) -> Scan<'a> {
        let mut intervals = Intervals { data, begin: 0, ends: ends.iter() };
        let bits = intervals.next().unwrap_or(Bits::new(&[]));
        Scan { parts, columns, restart, left: restart, bits, intervals }
    }

    /// Reads the units of row `row`, which are the next.
    pub(super) fn row(&mut self, row: usize, planes: &mut [Plane; 3]) -> Result<(), Broken> {
        // Shifts by a variable take one step there in place of three.
        for_this_machine(Row { scan: self, row, planes })
    }

    /// The bits of the next interval, in which all begins anew, after those of the last one.
    fn next_interval(&mut self, last: &Bits<'_>) -> Result<Bits<'a>, Broken> {
        if last.is_overdrawn() {
            return Err(Broken::Short);
        }
        self.parts.iter_mut().for_each(|part| part.mean = 0);
        self.left = self.restart;
        self.intervals.next().ok_or(Broken::Short)
    }
}

/// A row of minimum coded units, to be read.
struct Row<'a, 'b> {
    scan: &'b mut Scan<'a>,
    row: usize,
    planes: &'b mut [Plane; 3],
}

impl Work for Row<'_, '_> {
    type Output = Result<(), Broken>;

    #[inline(always)]
    fn run(self) -> Result<(), Broken> {
        let Row { scan, row, planes } = self;
        // Here, where nothing else can point to it, it stays in registers.
        let mut bits = std::mem::replace(&mut scan.bits, Bits::new(&[]));
        let mut blocks: [Coefficients; MOST_BLOCKS] = [([0; 64], 0); MOST_BLOCKS];
        for column in 0..scan.columns {
            if scan.restart > 0 {
                if scan.left == 0 {
                    bits = scan.next_interval(&bits)?;
                }
                scan.left -= 1;
            }
            // First all, then all: what was just written by twos is slow to be read by 32 bytes.
            let mut to_read = blocks.iter_mut();
            for part in &mut scan.parts {
                part.read(&mut bits, &mut to_read)?;
            }
            let mut to_write = blocks.iter();
            for (part, plane) in scan.parts.iter().zip(&mut *planes) {
                part.write(&mut to_write, plane, column, row);
            }
        }
        if bits.is_overdrawn() {
            return Err(Broken::Short);
        }
        scan.bits = bits;
        Ok(())
    }
}

/// The bits of one interval after the other.
struct Intervals<'a> {
    data: &'a [u8],
    begin: usize,
    ends: std::slice::Iter<'a, usize>,
}

impl<'a> Iterator for Intervals<'a> {
    type Item = Bits<'a>;

    fn next(&mut self) -> Option<Bits<'a>> {
        let end = *self.ends.next()?;
        let interval = self.data.get(self.begin..end)?;
        self.begin = end;
        Some(Bits::new(interval))
    }
}

/// Takes what a scan has in front of its end, without the zero after each 0xff (F.1.2.3), and notes where an interval
/// ends: at a restart marker, and with the scan. Of more than `most` intervals, at least one, the others are left out.
pub(super) fn unstuff(mut scan: &[u8], most: usize, out: &mut Vec<u8>, ends: &mut Vec<usize>) {
    out.clear();
    ends.clear();
    out.reserve(scan.len());
    loop {
        let plain = memchr::memchr(MARKER, scan).unwrap_or(scan.len());
        let (before, rest) = scan.split_at(plain);
        out.extend_from_slice(before);
        scan = match rest {
            [MARKER, 0, rest @ ..] => {
                out.push(MARKER);
                rest
            }
            [MARKER, 0xd0..=0xd7, rest @ ..] => {
                if ends.len() + 1 >= most {
                    break;
                }
                ends.push(out.len());
                rest
            }
            // It may be filled up with more of the same (B.1.1.2).
            [MARKER, MARKER, ..] => rest.get(1..).unwrap_or_default(),
            _ => break,
        };
    }
    ends.push(out.len());
}
