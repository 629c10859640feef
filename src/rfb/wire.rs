//! Reading what has arrived so far: "more bytes are needed" is a value, never an error.

use bytes::{Buf, Bytes, BytesMut};

/// The bytes that have arrived end before the unit does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Short;

/// Reads big-endian numbers (RFC 6143 §7) from the front of a slice.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    /// What was not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// [`Short`] if there are fewer.
    #[inline]
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], Short> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or(Short)?;
        self.rest = rest;
        Ok(bytes)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Short> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(Short)?;
        self.rest = rest;
        Ok(*bytes)
    }

    /// U8.
    ///
    /// # Errors
    /// [`Short`]
    #[inline]
    pub fn u8(&mut self) -> Result<u8, Short> {
        self.array().map(u8::from_be_bytes)
    }

    /// U16.
    ///
    /// # Errors
    /// [`Short`]
    #[inline]
    pub fn u16(&mut self) -> Result<u16, Short> {
        self.array().map(u16::from_be_bytes)
    }

    /// U32.
    ///
    /// # Errors
    /// [`Short`]
    #[inline]
    pub fn u32(&mut self) -> Result<u32, Short> {
        self.array().map(u32::from_be_bytes)
    }

    /// S32.
    ///
    /// # Errors
    /// [`Short`]
    #[inline]
    pub fn i32(&mut self) -> Result<i32, Short> {
        self.array().map(i32::from_be_bytes)
    }
}

/// What has arrived and was not used yet.
#[derive(Debug, Default)]
pub struct Inbox {
    data: Data,
    offset: u64,
}

#[derive(Debug)]
enum Data {
    // A chunk as it arrived: the usual case, nothing is copied.
    Shared(Bytes),
    // A chunk arrived while part of another was unused: they must lie in one piece.
    Own(BytesMut),
}

impl Default for Data {
    fn default() -> Data {
        Data::Shared(Bytes::new())
    }
}

impl Inbox {
    /// Adds a chunk.
    pub fn push(&mut self, chunk: Bytes) {
        match &mut self.data {
            Data::Shared(rest) if rest.is_empty() => self.data = Data::Shared(chunk),
            Data::Own(rest) if rest.is_empty() => self.data = Data::Shared(chunk),
            Data::Shared(rest) => {
                let mut own = BytesMut::with_capacity((rest.len() + chunk.len()).next_power_of_two());
                own.extend_from_slice(rest);
                own.extend_from_slice(&chunk);
                self.data = Data::Own(own);
            }
            Data::Own(rest) => rest.extend_from_slice(&chunk),
        }
    }

    /// All that is here.
    #[inline]
    pub fn available(&self) -> &[u8] {
        match &self.data {
            Data::Shared(bytes) => bytes,
            Data::Own(bytes) => bytes,
        }
    }

    /// Bytes used so far, from the first ever pushed.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether nothing is here.
    pub fn is_empty(&self) -> bool {
        self.available().is_empty()
    }

    /// Drops the first `count` bytes; no more than there are.
    #[inline]
    pub fn consume(&mut self, count: usize) {
        let count = count.min(self.available().len());
        match &mut self.data {
            Data::Shared(bytes) => bytes.advance(count),
            Data::Own(bytes) => bytes.advance(count),
        }
        self.offset += count as u64;
    }

    /// Reads a whole unit, or nothing: `None` leaves everything where it was.
    #[inline]
    pub fn unit<T>(&mut self, read: impl FnOnce(&mut Reader<'_>) -> Result<T, Short>) -> Option<T> {
        let available = self.available();
        let before = available.len();
        let mut reader = Reader::new(available);
        let unit = read(&mut reader).ok()?;
        let used = before - reader.rest.len();
        self.consume(used);
        Some(unit)
    }

    /// Takes `count` bytes as they lie, without a copy; `None` if fewer are here.
    pub fn payload(&mut self, count: usize) -> Option<Bytes> {
        if self.available().len() < count {
            return None;
        }
        self.offset += count as u64;
        let payload = match &mut self.data {
            Data::Shared(bytes) => bytes.split_to(count),
            Data::Own(bytes) => bytes.split_to(count).freeze(),
        };
        if self.is_empty() {
            // The memory goes with the payload: 16 MB stayed here after a desktop that came as one rectangle.
            self.data = Data::default();
        }
        Some(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_read_whole_or_not_at_all() {
        let mut inbox = Inbox::default();
        inbox.push(Bytes::from_static(&[1, 2]));
        let read = |reader: &mut Reader<'_>| Ok((reader.u8()?, reader.u16()?));
        assert_eq!(inbox.unit(read), None);
        assert_eq!(inbox.offset(), 0);
        inbox.push(Bytes::from_static(&[3, 4]));
        assert_eq!(inbox.unit(read), Some((1, 0x0203)));
        assert_eq!((inbox.available(), inbox.offset()), (&[4][..], 3));
        inbox.push(Bytes::from_static(&[5, 6]));
        assert_eq!(inbox.payload(4), None);
        assert_eq!(inbox.payload(2).unwrap(), [4, 5][..]);
        inbox.consume(99);
        assert_eq!((inbox.is_empty(), inbox.offset()), (true, 6));
        inbox.push(Bytes::from_static(&[7]));
        assert!(matches!(inbox.data, Data::Shared(_)));
    }
}
