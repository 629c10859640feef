//! What a block of codes holds: literals, and matches with what was unpacked before.

use super::Malformed;
use super::bits::Bits;
use super::table::{Codes, Entry};

/// Bytes of a match that are copied at a time.
const PIECE: usize = 16;

/// What may be written behind the place that was to be reached: two literals, the longest match, and what is written
/// beyond its end because it is copied in pieces.
pub(super) const SLACK: usize = 2 + 258 + 2 * PIECE;

/// Input that [`quickly`](Block::quickly) wants to have: it looks at eight bytes, behind as many that it may have taken.
const INPUT_SLACK: usize = 16;

/// A block while it is unpacked.
pub(super) struct Block<'a, 'b> {
    pub(super) codes: &'b Codes,
    pub(super) bits: Bits,
    pub(super) input: &'a [u8],
    /// What was unpacked, up to `filled`.
    pub(super) out: &'b mut [u8],
    pub(super) filled: usize,
}

impl Block<'_, '_> {
    /// Unpacks until `out` is filled to `until`, behind which it must have [`SLACK`]. Whether the block has ended; if
    /// neither, the input is used up.
    pub(super) fn unpack(&mut self, until: usize) -> Result<bool, Malformed> {
        if self.quickly(until)? {
            return Ok(true);
        }
        while self.filled < until {
            self.bits.refill(&mut self.input);
            match self.one()? {
                Some(Code::End) => return Ok(true),
                Some(Code::Data) => {}
                None => break,
            }
        }
        Ok(false)
    }

    /// [`unpack`](Block::unpack) as far as that is possible without a look at whether bits have arrived.
    ///
    /// Measured and given up, in its time: one check for the place of three literals 1.01, a fourth literal before the next
    /// refill 1.02, a first piece for near and far matches alike 1.05 to 1.15, one piece at a time in place of two 1.03
    /// to 1.08, bits refilled for each distance, whether or not they suffice, 1.05; BMI2 and AVX2 in all of the program 0.97.
    #[inline(never)]
    fn quickly(&mut self, until: usize) -> Result<bool, Malformed> {
        let Codes { literals, distances } = self.codes;
        let (mut bits, mut input, mut filled) = (self.bits, self.input, self.filled);
        let out = &mut *self.out;
        let mut ended = false;
        if input.len() < INPUT_SLACK {
            return Ok(false);
        }
        bits.refill_from_eight(&mut input);
        // What the bits begin with is looked up before what was said before is done.
        let mut entry = literals.first(bits);
        // 56 bits are there: two literals of 11 and a length of 20, or a distance of 28.
        while filled < until && input.len() >= INPUT_SLACK {
            if entry.is_literal() {
                put(out, &mut filled, &mut bits, entry)?;
                entry = literals.first(bits);
                if entry.is_literal() {
                    put(out, &mut filled, &mut bits, entry)?;
                    entry = literals.first(bits);
                    if entry.is_literal() {
                        put(out, &mut filled, &mut bits, entry)?;
                        bits.refill_from_eight(&mut input);
                        entry = literals.first(bits);
                        continue;
                    }
                }
            }
            if entry.is_other() {
                entry = literals.second(entry, bits);
                if entry.is_literal() {
                    put(out, &mut filled, &mut bits, entry)?;
                    bits.refill_from_eight(&mut input);
                    entry = literals.first(bits);
                    continue;
                }
                if entry.is_end() {
                    bits.skip(entry.bits());
                    ended = true;
                    break;
                }
                if entry.is_other() {
                    return Err(Malformed);
                }
            }
            let length = entry.value(bits);
            bits.skip(entry.bits());
            if bits.count() < 28 {
                bits.refill_from_eight(&mut input);
            }
            let mut far = distances.first(bits);
            if far.is_other() {
                far = distances.second(far, bits);
                if far.is_other() {
                    return Err(Malformed);
                }
            }
            let distance = far.value(bits);
            bits.skip(far.bits());
            bits.refill_from_eight(&mut input);
            entry = literals.first(bits);
            copy(out, filled, distance, length)?;
            filled += length;
        }
        bits.settle();
        (self.bits, self.input, self.filled) = (bits, input, filled);
        Ok(ended)
    }

    /// Unpacks one code, or one length and its distance; `None`, and nothing is used, if not all of it has arrived.
    fn one(&mut self) -> Result<Option<Code>, Malformed> {
        let mut bits = self.bits;
        let entry = self.codes.literals.second(self.codes.literals.first(bits), bits);
        if bits.count() < entry.code_bits() {
            return Ok(None);
        }
        if entry.is_end() {
            self.bits.skip(entry.bits());
            return Ok(Some(Code::End));
        }
        if entry.is_literal() {
            put(self.out, &mut self.filled, &mut self.bits, entry)?;
            return Ok(Some(Code::Data));
        }
        if entry.is_other() {
            return Err(Malformed);
        }
        if bits.count() < entry.bits() {
            return Ok(None);
        }
        let length = entry.value(bits);
        bits.skip(entry.bits());
        let far = self.codes.distances.second(self.codes.distances.first(bits), bits);
        if bits.count() < far.code_bits() {
            return Ok(None);
        }
        if far.is_other() {
            return Err(Malformed);
        }
        if bits.count() < far.bits() {
            return Ok(None);
        }
        let distance = far.value(bits);
        bits.skip(far.bits());
        copy(self.out, self.filled, distance, length)?;
        self.filled += length;
        self.bits = bits;
        Ok(Some(Code::Data))
    }
}

enum Code {
    Data,
    End,
}

#[inline(always)]
fn put(out: &mut [u8], filled: &mut usize, bits: &mut Bits, entry: Entry) -> Result<(), Malformed> {
    bits.skip(entry.bits());
    *out.get_mut(*filled).ok_or(Malformed)? = entry.literal();
    *filled += 1;
    Ok(())
}

/// Copies a match, and up to two pieces beyond its end.
#[inline(always)]
fn copy(out: &mut [u8], at: usize, distance: usize, length: usize) -> Result<(), Malformed> {
    let from = at.checked_sub(distance).ok_or(Malformed)?;
    let room = out.get_mut(from..at + length + 2 * PIECE).ok_or(Malformed)?;
    if distance >= PIECE {
        let mut done = 0;
        while done < length {
            room.copy_within(done..done + PIECE, distance + done);
            room.copy_within(done + PIECE..done + 2 * PIECE, distance + done + PIECE);
            done += 2 * PIECE;
        }
    } else {
        // What was just written is not read again: pixels are repeated so for hundreds of bytes.
        let Some(Repeat { mask, factor, step }) = REPEATS.get(distance) else { return Err(Malformed) };
        let first = u128::from_le_bytes(*room.first_chunk().ok_or(Malformed)?) & mask;
        let piece = first.wrapping_mul(*factor).to_le_bytes();
        let mut done = distance;
        while done < distance + length {
            *room.get_mut(done..).and_then(<[u8]>::first_chunk_mut).ok_or(Malformed)? = piece;
            *room.get_mut(done + step..).and_then(<[u8]>::first_chunk_mut).ok_or(Malformed)? = piece;
            done += 2 * step;
        }
    }
    Ok(())
}

/// How the bytes of a distance become a piece that is filled with them.
#[derive(Clone, Copy)]
struct Repeat {
    mask: u128,
    factor: u128,
    /// Bytes of a piece that are whole repetitions.
    step: usize,
}

/// By distance; there is none of 0.
const REPEATS: [Repeat; PIECE] = {
    let mut repeats = [Repeat { mask: 0, factor: 0, step: PIECE }; PIECE];
    let (mut rest, mut distance) = (repeats.as_mut_slice(), 0);
    while let Some((repeat, others)) = rest.split_first_mut() {
        if distance > 0 {
            repeat.mask = (1 << (8 * distance)) - 1;
            repeat.step = PIECE - PIECE % distance;
            let mut at = 0;
            while at < PIECE {
                repeat.factor |= 1 << (8 * at);
                at += distance;
            }
        }
        (rest, distance) = (others, distance + 1);
    }
    repeats
};
