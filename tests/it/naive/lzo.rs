//! The naive twin of LZO1X: one byte at a time.

use super::{End, take};

/// All that `bytes` unpack to, which must be `expected` bytes.
pub(super) fn unpacked(mut bytes: &[u8], expected: usize) -> Result<Vec<u8>, End> {
    let mut out = Vec::new();
    match unpack(&mut bytes, expected, &mut out) {
        Err(End::Short) => Err(End::Wrong("an early end")),
        Err(wrong) => Err(wrong),
        Ok(()) if !bytes.is_empty() || out.len() != expected => Err(End::Wrong("another size")),
        Ok(()) => Ok(out),
    }
}

fn unpack(bytes: &mut &[u8], expected: usize, out: &mut Vec<u8>) -> Result<(), End> {
    let byte = |bytes: &mut &[u8]| Ok(usize::from(take(bytes, 1)?[0]));
    let literals = |bytes: &mut &[u8], count: usize, out: &mut Vec<u8>| {
        for _ in 0..count {
            out.push(take(bytes, 1)?[0]);
        }
        if out.len() > expected { Err(End::Wrong("too many pixels")) } else { Ok(()) }
    };
    let length = |bytes: &mut &[u8], code: usize, bits: u32| {
        let mask = (1 << bits) - 1;
        if code & mask != 0 {
            return Ok(code & mask);
        }
        let mut length = mask;
        loop {
            match byte(bytes)? {
                0 => length += 255,
                last => return Ok(length + last),
            }
        }
    };
    let mut state = 0;
    if bytes.first().is_some_and(|&first| first > 17) {
        let count = byte(bytes)? - 17;
        literals(bytes, count, out)?;
        state = count.min(4);
    }
    loop {
        let code = byte(bytes)?;
        if code < 16 && state == 0 {
            let count = length(bytes, code, 4)? + 3;
            literals(bytes, count, out)?;
            state = 4;
            continue;
        }
        let (distance, count);
        if code < 16 {
            let high = byte(bytes)?;
            (distance, count) = if state == 4 { (high * 4 + code / 4 + 2049, 3) } else { (high * 4 + code / 4 + 1, 2) };
            state = code % 4;
        } else if code < 64 {
            let (bits, base) = if code < 32 { (3, 16384 + (code >> 3 & 1) * 16384) } else { (5, 1) };
            count = length(bytes, code, bits)? + 2;
            let (low, high) = (byte(bytes)?, byte(bytes)?);
            distance = base + (high * 256 + low) / 4;
            if distance == 16384 && code < 32 {
                return Ok(());
            }
            state = low % 4;
        } else {
            distance = byte(bytes)? * 8 + code / 4 % 8 + 1;
            count = if code < 128 { code / 32 % 2 + 3 } else { code / 32 % 4 + 5 };
            state = code % 4;
        }
        for _ in 0..count {
            let from = out.len().checked_sub(distance).ok_or(End::Wrong("before the start"))?;
            if out.len() >= expected {
                return Err(End::Wrong("too many pixels"));
            }
            out.push(out[from]);
        }
        literals(bytes, state, out)?;
    }
}
