//! Huffman codes as tables that are looked up by the bits to come.

use super::Malformed;
use super::bits::Bits;
use std::sync::LazyLock;

/// Bits of the longest code.
const LONGEST: usize = 15;
/// Codes of literals and lengths, and of distances, that a block may have.
const MOST_CODES: usize = 288;

/// Bits of literals and lengths that are looked up at once. 10 and 12 took as long, 9 1 to 5 % longer. Two literals in one
/// entry, where the bits suffice for both, took 2 to 30 % longer: it takes a pass over the table of each block.
const LITERAL_BITS: u8 = 11;
/// Bits of distances that are looked up at once. 9 took 1 % longer.
const DISTANCE_BITS: u8 = 8;
/// Bits of the longest code of a length of a code.
const PRECODE_BITS: u8 = 7;

/// What a code stands for. Bits 0 to 7: how many bits it takes, with those behind the code that are added to its value.
/// Bits 8 to 11: how many of them are the code. Bits 16 to 30: the value, which is a literal, the shortest length, the
/// nearest distance, or where the second table begins whose index is as long as bits 8 to 11 say.
#[derive(Clone, Copy)]
pub(super) struct Entry(u32);

const LITERAL: u32 = 1 << 31;
/// One of the following, or nothing that may be said.
const OTHER: u32 = 1 << 15;
const SECOND: u32 = 1 << 14;
const END: u32 = 1 << 13;

impl Entry {
    /// Bits that are not the beginning of any code. It takes one because zlib finds fault after one.
    const NO_CODE: Entry = Entry(OTHER | 1 << 8 | 1);

    #[inline(always)]
    pub(super) fn is_literal(self) -> bool {
        self.0 & LITERAL != 0
    }

    /// Neither a literal nor a length or distance: the end of the block, or a fault.
    #[inline(always)]
    pub(super) fn is_other(self) -> bool {
        self.0 & OTHER != 0
    }

    #[inline(always)]
    pub(super) fn is_end(self) -> bool {
        self.0 & END != 0
    }

    /// How many bits the code and what is added take.
    #[inline(always)]
    pub(super) fn bits(self) -> u8 {
        self.0 as u8
    }

    /// How many bits the code takes.
    #[inline(always)]
    pub(super) fn code_bits(self) -> u8 {
        (self.0 >> 8 & 15) as u8
    }

    #[inline(always)]
    pub(super) fn literal(self) -> u8 {
        (self.0 >> 16) as u8
    }

    /// The length or distance, with what stands behind its code in `bits`.
    #[inline(always)]
    pub(super) fn value(self, bits: Bits) -> usize {
        (self.0 >> 16) as usize + (bits.low(self.bits()) >> self.code_bits())
    }

    /// As the entry of a code of so many bits.
    fn with_code(self, bits: usize) -> Entry {
        Entry(self.0 + (bits as u32) * 0x101)
    }
}

/// Literals, the end of the block, lengths; and two that may not be said.
const LITERALS: [Entry; MOST_CODES] = {
    let mut entries = [Entry(0); MOST_CODES];
    let (mut rest, mut symbol) = (entries.as_mut_slice(), 0);
    while let Some((entry, others)) = rest.split_first_mut() {
        entry.0 = match symbol {
            0..256 => LITERAL | symbol << 16,
            256 => OTHER | END,
            257..265 => (symbol - 257 + 3) << 16,
            265..285 => {
                let added = (symbol - 261) / 4;
                (((4 + (symbol - 261) % 4) << added) + 3) << 16 | added
            }
            285 => 258 << 16,
            _ => OTHER,
        };
        (rest, symbol) = (others, symbol + 1);
    }
    entries
};

/// Distances; and two that may not be said.
const DISTANCES: [Entry; 32] = {
    let mut entries = [Entry(0); 32];
    let (mut rest, mut symbol) = (entries.as_mut_slice(), 0);
    while let Some((entry, others)) = rest.split_first_mut() {
        entry.0 = match symbol {
            0..2 => (symbol + 1) << 16,
            2..30 => {
                let added = symbol / 2 - 1;
                (((2 + symbol % 2) << added) + 1) << 16 | added
            }
            _ => OTHER,
        };
        (rest, symbol) = (others, symbol + 1);
    }
    entries
};

/// Lengths of codes, and how often the same is meant.
const PRECODES: [Entry; 19] = {
    let mut entries = [Entry(0); 19];
    let (mut rest, mut symbol) = (entries.as_mut_slice(), 0);
    while let Some((entry, others)) = rest.split_first_mut() {
        entry.0 = symbol << 16;
        (rest, symbol) = (others, symbol + 1);
    }
    entries
};

/// The table of a code: `SIZE`, a power of two, is enough for the second tables behind the one of `1 << FIRST` entries.
pub(super) struct Table<const FIRST: u8, const SIZE: usize>([Entry; SIZE]);

/// What the lengths of the codes are told with.
pub(super) type Precode = Table<PRECODE_BITS, 128>;

/// The codes of a block.
pub(super) struct Codes {
    /// Literals and lengths: 2342 entries at the most.
    pub(super) literals: Table<LITERAL_BITS, 4096>,
    /// 402 entries at the most.
    pub(super) distances: Table<DISTANCE_BITS, 512>,
}

/// The codes of blocks that bring none.
pub(super) static FIXED: LazyLock<Codes> = LazyLock::new(|| {
    let lengths: [u8; MOST_CODES] = std::array::from_fn(|symbol| match symbol {
        144..256 => 9,
        256..280 => 7,
        _ => 8,
    });
    let mut codes = Codes::new();
    // Both are complete.
    let _ = codes.literals.build(&lengths, &LITERALS);
    let _ = codes.distances.build(&[5; 32], &DISTANCES);
    codes
});

impl Codes {
    pub(super) fn new() -> Codes {
        Codes { literals: Table::new(), distances: Table::new() }
    }

    /// Takes the codes of these lengths.
    pub(super) fn set(&mut self, literals: &[u8], distances: &[u8]) -> Result<(), Malformed> {
        // Without a code for the end the block would have none.
        if literals.get(256).is_none_or(|length| *length == 0) {
            return Err(Malformed);
        }
        self.literals.build(literals, &LITERALS)?;
        self.distances.build(distances, &DISTANCES)
    }
}

impl Precode {
    /// Takes the codes of these lengths, of which there must be all or none: none gives lengths of 0.
    pub(super) fn set(&mut self, lengths: &[u8]) -> Result<(), Malformed> {
        if lengths.iter().filter(|length| **length > 0).count() == 1 {
            return Err(Malformed);
        }
        self.build(lengths, &PRECODES)
    }

    /// The length of a code that `bits` begin with, or 16 to 18; and how many bits say so.
    pub(super) fn length(&self, bits: Bits) -> (u8, u8) {
        let entry = self.look(bits.low(PRECODE_BITS));
        (if entry.is_other() { 0 } else { entry.literal() }, entry.bits())
    }
}

impl<const FIRST: u8, const SIZE: usize> Table<FIRST, SIZE> {
    pub(super) fn new() -> Self {
        Table([Entry::NO_CODE; SIZE])
    }

    /// What `bits` begin with, if the first table says that.
    #[inline(always)]
    pub(super) fn first(&self, bits: Bits) -> Entry {
        self.look(bits.low(FIRST))
    }

    /// What `bits` begin with, of which the first table says `first`.
    #[inline(always)]
    pub(super) fn second(&self, first: Entry, bits: Bits) -> Entry {
        if first.0 & SECOND == 0 {
            return first;
        }
        self.look((first.0 >> 16 & 0x7fff) as usize + (bits.low(FIRST + first.code_bits()) >> FIRST))
    }

    #[inline(always)]
    fn look(&self, index: usize) -> Entry {
        // Masked, so that nothing needs to be checked.
        self.0.get(index & (SIZE - 1)).copied().unwrap_or(Entry::NO_CODE)
    }

    #[inline(always)]
    fn put(&mut self, index: usize, entry: Entry) {
        if let Some(place) = self.0.get_mut(index & (SIZE - 1)) {
            *place = entry;
        }
    }

    /// Makes the table of the code whose lengths are given, and whose symbols mean `meanings`.
    fn build(&mut self, lengths: &[u8], meanings: &[Entry]) -> Result<(), Malformed> {
        let first = usize::from(FIRST);
        let mut counts = [0_usize; LONGEST + 1];
        for length in lengths {
            if let Some(count) = counts.get_mut(usize::from(*length)) {
                *count += 1;
            }
        }
        let of_length = |length: usize| counts.get(length).copied().unwrap_or_default();
        // Where the symbols of a length begin, when they are sorted by their lengths; and how much is left to be said.
        let mut starts = [0_usize; LONGEST + 1];
        let (mut start, mut left) = (0, 1_isize);
        for (length, place) in starts.iter_mut().enumerate().skip(1) {
            *place = start;
            start += of_length(length);
            left = (left << 1) - of_length(length) as isize;
            if left < 0 {
                return Err(Malformed);
            }
        }
        if left > 0 {
            // Not all bits mean something, which only a code of one symbol, or of none, may leave so.
            if start > 1 || start != of_length(1) {
                return Err(Malformed);
            }
            self.0.get_mut(..1 << first).unwrap_or_default().fill(Entry::NO_CODE);
            if let Some(meaning) = lengths.iter().position(|length| *length == 1).and_then(|it| meanings.get(it)) {
                (0..1 << first).step_by(2).for_each(|index| self.put(index, meaning.with_code(1)));
            }
            return Ok(());
        }
        let mut sorted = [0_u16; MOST_CODES];
        for (symbol, length) in lengths.iter().enumerate().filter(|(_, length)| **length > 0) {
            if let Some(start) = starts.get_mut(usize::from(*length))
                && let Some(place) = sorted.get_mut(*start)
            {
                *place = symbol as u16;
                *start += 1;
            }
        }
        let mut sorted = sorted.iter().filter_map(|symbol| meanings.get(usize::from(*symbol)));
        // Codes are sent with their first bit lowest, so it is reversed that they are counted through.
        let mut code = 0_usize;
        for length in 1..=first {
            // The table of codes up to this length: twice that of those before, in which the new bit made no difference.
            let half = 1 << (length - 1);
            if length > 1 && half < SIZE {
                self.0.copy_within(..half, half);
            }
            for meaning in sorted.by_ref().take(of_length(length)) {
                self.put(code, meaning.with_code(length));
                code = after(code, length);
            }
        }
        // Longer ones share an entry with all that begin with the same bits.
        let (mut prefix, mut begin, mut index_bits, mut end) = (usize::MAX, 0, 0, 1 << first);
        for length in first + 1..=LONGEST {
            for (before, meaning) in sorted.by_ref().take(of_length(length)).enumerate() {
                if code & ((1 << first) - 1) != prefix {
                    prefix = code & ((1 << first) - 1);
                    index_bits = length - first;
                    let mut used = of_length(length) - before;
                    while used < 1 << index_bits && first + index_bits < LONGEST {
                        index_bits += 1;
                        used = (used << 1) + of_length(first + index_bits);
                    }
                    begin = end;
                    end += 1 << index_bits;
                    self.put(prefix, Entry(OTHER | SECOND | (begin as u32) << 16 | (index_bits as u32) << 8));
                }
                for index in (code >> first..1 << index_bits).step_by(1 << (length - first)) {
                    self.put(begin + index, meaning.with_code(length));
                }
                code = after(code, length);
            }
        }
        Ok(())
    }
}

/// The code after `code` among those of `length` bits, both reversed; 0 after the last.
#[inline(always)]
fn after(code: usize, length: usize) -> usize {
    // One more in its highest bit, which carries downwards.
    match (code ^ ((1 << length) - 1)).checked_ilog2() {
        Some(place) => code & ((1 << place) - 1) | 1 << place,
        None => 0,
    }
}
