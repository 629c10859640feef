//! The units of a byte stream (ITU-T H.264, Annex B) and the bits inside of them.

use crate::decode::Fault;

/// What a unit begins with.
const START_CODE: [u8; 3] = [0, 0, 1];

/// What a unit carries (table 7-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Part of a picture, or all of it.
    Slice,
    SequenceParameters,
    PictureParameters,
    /// What can be done without.
    Other,
}

/// A NAL unit.
#[derive(Clone, Copy)]
pub(super) struct Unit<'a>(&'a [u8]);

/// The units of `data`.
///
/// # Errors
/// [`Fault`] if something else comes before the first.
pub(super) fn units(data: &[u8]) -> Result<impl Iterator<Item = Unit<'_>>, Fault> {
    let (before, mut rest) = split(data);
    if before.iter().any(|&byte| byte != 0) || rest.is_empty() {
        return Err(Fault::from("H.264 data without a start code"));
    }
    Ok(std::iter::from_fn(move || {
        let code = rest.get(..START_CODE.len())?;
        let (unit, after) = split(rest.get(code.len()..)?);
        let bytes = rest.get(..code.len() + unit.len())?;
        rest = after;
        // No unit ends with zeros: those belong to the start code to come, or to nothing.
        let end = bytes.iter().rposition(|&byte| byte != 0)?;
        bytes.get(..=end).map(Unit)
    }))
}

/// What lies before the next start code, and from there on.
fn split(data: &[u8]) -> (&[u8], &[u8]) {
    let at = data.windows(START_CODE.len()).position(|bytes| bytes == START_CODE);
    data.split_at_checked(at.unwrap_or(data.len())).unwrap_or_default()
}

impl<'a> Unit<'a> {
    /// With its start code.
    pub(super) fn bytes(self) -> &'a [u8] {
        self.0
    }

    pub(super) fn kind(self) -> Kind {
        match self.0.get(START_CODE.len()).map(|header| header & 0x1f) {
            Some(1 | 5) => Kind::Slice,
            Some(7) => Kind::SequenceParameters,
            Some(8) => Kind::PictureParameters,
            _ => Kind::Other,
        }
    }

    /// Whether it is a slice of a picture that may refer to later ones (7.3.3), which no encoder for desktops makes: it would
    /// have to wait for those.
    pub(super) fn is_b_slice(self) -> Result<bool, Fault> {
        // Two numbers, of at most 63 bits each.
        let head = Unit(self.0.get(..32).unwrap_or(self.0)).payload();
        let mut bits = Bits::new(&head);
        // first_mb_in_slice, slice_type
        bits.unsigned()?;
        Ok(matches!(bits.unsigned()?, 1 | 6))
    }

    /// What is behind its header, without the bytes that keep start codes out of it (7.4.1).
    pub(super) fn payload(self) -> Vec<u8> {
        let mut zeros = 0;
        let mut payload = self.0.get(START_CODE.len() + 1..).unwrap_or_default().to_vec();
        payload.retain(|&byte| {
            let kept = zeros < 2 || byte != 3;
            zeros = if kept && byte == 0 { zeros + 1 } else { 0 };
            kept
        });
        payload
    }
}

/// Reads numbers from the front of a unit's payload (7.2, 9.1).
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    read: usize,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Bits<'a> {
        Bits { bytes, read: 0 }
    }

    /// f(1), u(1).
    pub(super) fn flag(&mut self) -> Result<bool, Fault> {
        let byte = self.bytes.get(self.read / 8).ok_or_else(|| Fault::from("an H.264 header without an end"))?;
        let bit = byte >> (7 - self.read % 8) & 1;
        self.read += 1;
        Ok(bit == 1)
    }

    /// u(n), of at most 32 bits.
    pub(super) fn bits(&mut self, count: u32) -> Result<u32, Fault> {
        (0..count).try_fold(0, |number: u32, _| Ok(number << 1 | u32::from(self.flag()?)))
    }

    /// ue(v).
    pub(super) fn unsigned(&mut self) -> Result<u32, Fault> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros == 32 {
                return Err(Fault::from("a number in an H.264 header that is too large"));
            }
        }
        Ok((1 << zeros) - 1 + self.bits(zeros)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_lie_between_start_codes_and_zeros() {
        let data = [0, 0, 0, 1, 0x67, 7, 0, 0, 0, 1, 0x68, 0, 0, 3, 1, 0, 0, 1, 0, 0, 1, 0x65, 9, 0, 0];
        let kinds: Vec<_> = units(&data).unwrap().map(|unit| (unit.kind(), unit.bytes().len())).collect();
        let expected = [
            (Kind::SequenceParameters, 5),
            (Kind::PictureParameters, 8),
            // Nothing between two start codes.
            (Kind::Other, 3),
            (Kind::Slice, 5),
        ];
        assert_eq!(kinds, expected);
        assert_eq!(units(&data).unwrap().nth(1).unwrap().payload(), [0, 0, 1]);
        for none in [&[][..], &[0, 0, 0], &[9, 0, 0, 1, 0x65], &[0, 0, 0, 2, 0x65]] {
            assert!(units(none).is_err(), "{none:?}");
        }
    }

    #[test]
    fn only_a_three_behind_two_zeros_is_left_out() {
        let payload = |bytes: &[u8]| Unit(&[&[0, 0, 1, 0x67], bytes].concat()).payload();
        assert_eq!(payload(&[0, 0, 3, 0, 0, 3, 3, 0, 3]), [0, 0, 0, 0, 3, 0, 3]);
    }

    #[test]
    fn numbers_are_as_long_as_the_zeros_before_them() {
        // 1, 010, 011, 00100, 00111, then the rest.
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0011, 0b1000_0000]);
        let numbers: Vec<_> = std::iter::from_fn(|| bits.unsigned().ok()).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 6]);
        let mut largest = vec![0, 0, 0, 1];
        largest.extend([0xff; 4]);
        assert_eq!(Bits::new(&largest).unsigned().unwrap(), u32::MAX - 1);
        assert!(Bits::new(&[0; 9]).unsigned().is_err());
        assert_eq!(Bits::new(&[0xa5, 0xff]).bits(12).unwrap(), 0xa5f);
        assert!(Bits::new(&[0xa5]).bits(9).is_err());
    }
}
