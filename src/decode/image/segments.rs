//! The marker segments that a JPEG picture begins with (ITU-T T.81, B.1.1).

/// What every marker begins with (B.1.1.2).
pub(in crate::decode) const MARKER: u8 = 0xff;
pub(in crate::decode) const START_OF_IMAGE: u8 = 0xd8;
pub(in crate::decode) const END_OF_IMAGE: u8 = 0xd9;
pub(in crate::decode) const START_OF_SCAN: u8 = 0xda;
pub(in crate::decode) const HUFFMAN_TABLES: u8 = 0xc4;
pub(in crate::decode) const QUANTISATION_TABLES: u8 = 0xdb;

/// The segments in front of the first scan, each with its marker and all of its bytes.
pub(in crate::decode) struct Segments<'a>(&'a [u8]);

impl<'a> Segments<'a> {
    pub(in crate::decode) fn of(picture: &'a [u8]) -> Segments<'a> {
        Segments(picture)
    }

    /// After the last one: the content of the scan's header, and all that follows it.
    #[cfg_attr(feature = "turbojpeg", allow(dead_code))]
    pub(super) fn scan(self) -> Option<(&'a [u8], &'a [u8])> {
        let [MARKER, START_OF_SCAN, high, low, ..] = *self.0 else { return None };
        let (header, scan) = self.0.split_at_checked(2 + usize::from(u16::from_be_bytes([high, low])))?;
        Some((header.get(4..)?, scan))
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = (u8, &'a [u8]);

    /// `None` as well where something is that is no segment.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match *self.0 {
                [MARKER, MARKER, ..] => self.0 = self.0.get(1..)?,
                [MARKER, START_OF_IMAGE, ..] => self.0 = self.0.get(2..)?,
                [MARKER, START_OF_SCAN, ..] => return None,
                [MARKER, marker, high, low, ..] => {
                    let length = 2 + usize::from(u16::from_be_bytes([high, low]));
                    let (segment, rest) = self.0.split_at_checked(length)?;
                    self.0 = rest;
                    return Some((marker, segment));
                }
                _ => return None,
            }
        }
    }
}
