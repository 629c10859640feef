//! Coefficients from the bits of a scan (ITU-T T.81, F.2.2).

use crate::picture::jpeg::Block;

/// Bits that are looked up at once: a code, and mostly the value after it too.
const LOOKED_UP: u32 = 10;

/// Where the coefficients of a block are, in the order in which they come (A.3.6).
pub(super) static ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// [`ZIGZAG`], and after its end the last place again, for as far as a run or the end of a block may lead.
static PLACES: [u8; 256] = {
    let mut places = [63; 256];
    let (known, _) = places.split_at_mut(64);
    known.copy_from_slice(&ZIGZAG);
    places
};

/// How far the end of a block leads: beyond where any run can.
const END_OF_BLOCK: u32 = 80;

/// A Huffman table as it is written (B.2.4.2): how many codes there are of each length, then the symbols in their order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Specification<'a> {
    counts: &'a [u8; 16],
    symbols: &'a [u8],
}

impl<'a> Specification<'a> {
    /// From the front of `content`; gives what follows, too. `None` if it is cut off, or has more codes than there are.
    pub(super) fn read(content: &'a [u8]) -> Option<(Specification<'a>, &'a [u8])> {
        let (counts, rest) = content.split_first_chunk::<16>()?;
        let (symbols, rest) = rest.split_at_checked(counts.iter().copied().map(usize::from).sum())?;
        let space = counts.iter().zip(1_u32..).map(|(&count, length)| u32::from(count) << (16 - length)).sum::<u32>();
        (symbols.len() <= 256 && space <= 1 << 16).then_some((Specification { counts, symbols }, rest))
    }
}

/// What a code says. From the lowest bit: how many bits it has, 5 bits, 0 for none; of how many bits after it the value is
/// made, 4; how many coefficients are passed over, 7; and the value if that was looked up too, 16.
#[derive(Clone, Copy, Default)]
struct Entry(u32);

impl Entry {
    fn new(length: u32, symbol: u8) -> Entry {
        let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
        // Fifteen are passed over and one is 0: that is no end (F.1.2.2.1).
        let run = if size == 0 && run != 15 { END_OF_BLOCK } else { run };
        Entry(length | size << 5 | run << 9)
    }

    fn length(self) -> u32 {
        self.0 & 31
    }

    fn size(self) -> u32 {
        self.0 >> 5 & 15
    }

    fn run(self) -> u32 {
        self.0 >> 9 & 127
    }

    fn value(self) -> i16 {
        (self.0 >> 16) as u16 as i16
    }

    /// With the value, if `bits`, which begin with the code and of which `known` are known, have all of it.
    fn with_value(self, bits: u64, known: u32) -> Entry {
        let (length, size) = (self.length(), self.size());
        if size == 0 || length + size > known {
            return self;
        }
        let value = extended(bits << length, size) as u16;
        Entry((length + size) | self.0 & (127 << 9) | u32::from(value) << 16)
    }
}

/// The value that the first `size` bits, at least one, stand for (F.2.2.1).
#[inline(always)]
fn extended(bits: u64, size: u32) -> i16 {
    let value = (bits >> (64 - size)) as i32;
    // Without a first bit it is negative.
    let negative = !(bits.cast_signed() >> 63) as i32;
    (value + (negative & (1 - (1 << size)))) as i16
}

/// A Huffman table, ready to be looked things up in.
pub(super) struct Table {
    // What it was made of.
    counts: [u8; 16],
    symbols: Vec<u8>,
    short: Box<[Entry; 1 << LOOKED_UP]>,
    /// Of the longer codes of each length: the first one behind them, in 16 bits, and where their symbols are from there.
    long: Vec<(u32, u32, usize)>,
}

impl Table {
    /// A table that says what `specification` does.
    pub(super) fn new(specification: Specification<'_>) -> Table {
        let Specification { counts, symbols } = specification;
        let mut table = Table {
            counts: *counts,
            symbols: symbols.to_vec(),
            short: Box::new([Entry::default(); 1 << LOOKED_UP]),
            long: Vec::new(),
        };
        let (mut code, mut done) = (0_u32, 0);
        for (&count, length) in counts.iter().zip(1_u32..) {
            let (first, count) = (code << (16 - length), usize::from(count));
            if length <= LOOKED_UP {
                for &symbol in symbols.get(done..done + count).unwrap_or_default() {
                    let entry = Entry::new(length, symbol);
                    let begin = (code << (LOOKED_UP - length)) as usize;
                    let end = begin + (1 << (LOOKED_UP - length));
                    for (place, bits) in table.short.get_mut(begin..end).unwrap_or_default().iter_mut().zip(begin..) {
                        *place = entry.with_value((bits as u64) << (64 - LOOKED_UP), LOOKED_UP);
                    }
                    code += 1;
                }
            } else {
                code += count as u32;
                table.long.push((code << (16 - length), first, done));
            }
            done += count;
            code <<= 1;
        }
        table
    }

    /// Whether it is what `specification` says.
    pub(super) fn is(&self, specification: Specification<'_>) -> bool {
        self.counts == *specification.counts && self.symbols == specification.symbols
    }

    /// What `bits` begin with; an entry without length if that is no code.
    #[inline(always)]
    fn find(&self, bits: u64) -> Entry {
        let entry = self.short.get((bits >> (64 - LOOKED_UP)) as usize).copied().unwrap_or_default();
        if entry.length() == 0 { self.find_long(bits) } else { entry }
    }

    #[cold]
    fn find_long(&self, bits: u64) -> Entry {
        let code = (bits >> 48) as u32;
        let found = self.long.iter().zip(LOOKED_UP + 1..).find(|((behind, ..), _)| code < *behind);
        let Some(((_, first, at), length)) = found else { return Entry::default() };
        let Some(past) = code.checked_sub(*first) else { return Entry::default() };
        match self.symbols.get(at + (past >> (16 - length)) as usize) {
            Some(&symbol) => Entry::new(length, symbol),
            None => Entry::default(),
        }
    }
}

/// What is wrong with a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    /// Bits that are no code.
    #[error("it has bits that are no code")]
    Code,
    /// A run past the end of its block.
    #[error("coefficients run past the end of their block")]
    Run,
    /// It ends before its last block.
    #[error("it ends too early")]
    Short,
}

/// The bits of a scan, without what was stuffed between them.
pub(super) struct Bits<'a> {
    data: &'a [u8],
    // The next byte that is not among `bits` as a whole.
    next: usize,
    // The next bits, from the highest on, of which `count` are counted; those after them may be there already.
    bits: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(data: &'a [u8]) -> Bits<'a> {
        Bits { data, next: 0, bits: 0, count: 0 }
    }

    /// Whether more bits were used than there are.
    pub(super) fn is_overdrawn(&self) -> bool {
        self.next * 8 - self.count as usize > self.data.len() * 8
    }

    /// Makes it at least 56 bits; zeros after the end.
    #[inline(always)]
    fn refill(&mut self) {
        let rest = self.data.get(self.next..).unwrap_or_default();
        let eight = match rest.first_chunk() {
            Some(eight) => u64::from_be_bytes(*eight),
            None => last_bits(rest),
        };
        self.bits |= eight >> self.count;
        self.next += ((63 - self.count) >> 3) as usize;
        self.count |= 56;
    }

    #[inline(always)]
    fn skip(&mut self, count: u32) {
        self.bits <<= count;
        self.count -= count;
    }

    /// A code and its value: at most 31 bits.
    #[inline(always)]
    fn symbol(&mut self, table: &Table) -> (u32, i16, u32) {
        self.refill();
        let entry = table.find(self.bits);
        self.skip(entry.length());
        let size = entry.size();
        if size == 0 {
            return (entry.run(), entry.value(), entry.length());
        }
        // Not as rare as that, but a branch: without one each symbol waits for what few need.
        std::hint::cold_path();
        let value = extended(self.bits, size);
        self.skip(size);
        (entry.run(), value, entry.length())
    }

    /// Reads a block into `block`, which is all zeros, and adds its first coefficient to `mean`. Gives how many
    /// coefficients there are up to the last.
    ///
    /// # Errors
    /// If there is none. The end of the data does not count: see [`is_overdrawn`](Bits::is_overdrawn).
    #[inline(always)]
    pub(super) fn block(&mut self, dc: &Table, ac: &Table, mean: &mut i16, block: &mut Block) -> Result<u32, Broken> {
        let (_, difference, length) = self.symbol(dc);
        if length == 0 {
            return Err(Broken::Code);
        }
        *mean = mean.wrapping_add(difference);
        if let Some(first) = block.first_mut() {
            *first = *mean;
        }
        let mut at = 1;
        while at < 64 {
            let (run, value, length) = self.symbol(ac);
            if length == 0 {
                return Err(Broken::Code);
            }
            at += run;
            let place = PLACES.get((at & 255) as usize).copied().unwrap_or_default();
            // The end of a block writes a 0 to the last place, which has none yet.
            if let Some(coefficient) = block.get_mut(usize::from(place & 63)) {
                *coefficient = value;
            }
            at += 1;
        }
        match at {
            64 => Ok(64),
            65..=END_OF_BLOCK => Err(Broken::Run),
            _ => Ok(at - END_OF_BLOCK - 1),
        }
    }
}

/// Fewer than eight bytes, and zeros.
#[cold]
fn last_bits(rest: &[u8]) -> u64 {
    let mut eight = [0; 8];
    eight.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    u64::from_be_bytes(eight)
}
