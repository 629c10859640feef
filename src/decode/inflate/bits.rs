//! Bits that were taken from the input and not used yet.

/// The next bits, lowest first.
#[derive(Clone, Copy, Default)]
pub(super) struct Bits {
    buffer: u64,
    count: u8,
}

impl Bits {
    /// How many there are.
    #[inline(always)]
    pub(super) fn count(self) -> u8 {
        self.count
    }

    /// Takes bytes from the front of `input` until there are 56 bits at least, or `input` is used up.
    pub(super) fn refill(&mut self, input: &mut &[u8]) {
        if input.len() >= 8 {
            self.refill_from_eight(input);
        } else {
            self.refill_by_bytes(input);
        }
    }

    /// [`refill`](Bits::refill) from an input of eight bytes or more; nothing happens if there are fewer.
    #[inline(always)]
    pub(super) fn refill_from_eight(&mut self, input: &mut &[u8]) {
        // Of the eight as many are taken as there is room for. What lies above `count` then is read again the next time,
        // and is the same.
        let Some(next) = input.first_chunk() else { return };
        self.buffer |= u64::from_le_bytes(*next) << (self.count & 63);
        *input = input.get(usize::from((63 ^ self.count) >> 3)..).unwrap_or_default();
        self.count |= 56;
    }

    fn refill_by_bytes(&mut self, input: &mut &[u8]) {
        while self.count < 56
            && let Some((byte, rest)) = input.split_first()
        {
            self.buffer |= u64::from(*byte) << self.count;
            self.count += 8;
            *input = rest;
        }
    }

    /// Forgets what was looked at and not taken: the input may go on elsewhere.
    pub(super) fn settle(&mut self) {
        self.buffer &= (1 << (self.count & 63)) - 1;
    }

    /// The next `count` bits, which are less than 32; zeros where none have arrived.
    #[inline(always)]
    pub(super) fn low(self, count: u8) -> usize {
        (self.buffer & ((1 << (count & 31)) - 1)) as usize
    }

    /// Goes on behind the next `count` bits, which must be there.
    #[inline(always)]
    pub(super) fn skip(&mut self, count: u8) {
        self.buffer >>= count & 63;
        self.count = self.count.wrapping_sub(count);
    }

    /// The next `count` bits, if all of them are there.
    pub(super) fn take(&mut self, count: u8) -> Option<usize> {
        let value = self.low(count);
        (self.count >= count).then(|| {
            self.skip(count);
            value
        })
    }

    /// Goes on with the next whole byte.
    pub(super) fn skip_to_byte(&mut self) {
        self.skip(self.count & 7);
    }
}
