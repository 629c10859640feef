//! LZO1X, unpacked as "LZO stream format as understood by Linux's LZO decompressor" describes it.

use super::Fault;
use super::tiles::Stop;
use crate::rfb::Reader;

/// Fills `out` with what `input` unpacks to, which must be exactly `size` bytes.
pub(super) fn unpack(input: &[u8], size: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
    out.clear();
    let mut reader = Reader::new(input);
    match instructions(&mut reader, &mut Output { bytes: out, size }) {
        Ok(()) if reader.rest().is_empty() && out.len() == size => Ok(()),
        Ok(()) if out.len() < size => Err(Fault::from("fewer compressed pixels than the rectangle has")),
        Ok(()) => Err(Fault::from("compressed data goes on behind its end")),
        Err(Stop::Short) => Err(Fault::from("compressed data ends too early")),
        Err(Stop::Fault(fault)) => Err(fault),
    }
}

/// A copy of what was unpacked before, `length` bytes from `distance` before the end, and the literals behind it.
struct Match {
    distance: usize,
    length: usize,
    literals: usize,
}

fn instructions(reader: &mut Reader<'_>, out: &mut Output<'_>) -> Result<(), Stop> {
    // How many literals came last: 0 to 3 behind a match, 4 for a run of them. It says what the lowest codes mean.
    let mut state = 0;
    if let Some(&first @ 18..) = reader.rest().first() {
        reader.u8()?;
        let count = usize::from(first) - 17;
        out.append(reader.bytes(count)?)?;
        state = count.min(4);
    }
    loop {
        let code = reader.u8()?;
        let bits = usize::from(code);
        let found = match code {
            0..16 if state == 0 => {
                let count = 3 + long(bits, 15, reader)?;
                out.append(reader.bytes(count)?)?;
                state = 4;
                continue;
            }
            0..16 => {
                let distance = usize::from(reader.u8()?) << 2 | bits >> 2;
                let (length, nearest) = if state == 4 { (3, 2049) } else { (2, 1) };
                Match { distance: distance + nearest, length, literals: bits & 3 }
            }
            16..32 => {
                let length = 2 + long(bits & 7, 7, reader)?;
                let (distance, literals) = distance_and_literals(reader)?;
                match (bits & 8) << 11 | distance {
                    0 => return Ok(()),
                    distance => Match { distance: 16384 + distance, length, literals },
                }
            }
            32..64 => {
                let length = 2 + long(bits & 31, 31, reader)?;
                let (distance, literals) = distance_and_literals(reader)?;
                Match { distance: distance + 1, length, literals }
            }
            64.. => {
                let distance = usize::from(reader.u8()?) << 3 | bits >> 2 & 7;
                Match { distance: distance + 1, length: 1 + (bits >> 5), literals: bits & 3 }
            }
        };
        out.repeat(found.distance, found.length)?;
        out.append(reader.bytes(found.literals)?)?;
        state = found.literals;
    }
}

/// A length whose bits are all 0 goes on: `most`, 255 for each byte 0, and the byte behind them.
fn long(bits: usize, most: usize, reader: &mut Reader<'_>) -> Result<usize, Stop> {
    if bits > 0 {
        return Ok(bits);
    }
    let mut length = most;
    loop {
        match reader.u8()? {
            0 => length += 255,
            last => return Ok(length + usize::from(last)),
        }
    }
}

fn distance_and_literals(reader: &mut Reader<'_>) -> Result<(usize, usize), Stop> {
    let both = usize::from(reader.u8()?) | usize::from(reader.u8()?) << 8;
    Ok((both >> 2, both & 3))
}

struct Output<'a> {
    bytes: &'a mut Vec<u8>,
    size: usize,
}

impl Output<'_> {
    fn check(&self, more: usize) -> Result<(), Fault> {
        if more > self.size - self.bytes.len() {
            return Err(Fault::from("more compressed pixels than the rectangle has"));
        }
        Ok(())
    }

    fn append(&mut self, literals: &[u8]) -> Result<(), Fault> {
        self.check(literals.len())?;
        self.bytes.extend_from_slice(literals);
        Ok(())
    }

    fn repeat(&mut self, distance: usize, length: usize) -> Result<(), Fault> {
        self.check(length)?;
        let start = self.bytes.len().checked_sub(distance).ok_or_else(|| {
            Fault(format!("compressed data repeats what is {distance} bytes back, of {}", self.bytes.len()))
        })?;
        // What is copied may itself be part of the copy: what is there already goes first, then twice as much.
        let end = self.bytes.len() + length;
        while self.bytes.len() < end {
            let now = (self.bytes.len() - start).min(end - self.bytes.len());
            self.bytes.extend_from_within(start..start + now);
        }
        Ok(())
    }
}
