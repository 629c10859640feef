//! JPEG (rfbproto, "JPEG Encoding"): a JPEG picture, which may lack the tables that an earlier one had.

use super::image::segments::{
    END_OF_IMAGE, HUFFMAN_TABLES, MARKER, QUANTISATION_TABLES, START_OF_IMAGE, START_OF_SCAN, Segments,
};
use super::lanes::{Kind, Rectangle, Scratch};
use super::{Fault, Parcel, ParcelDecoder, Pixels};
use crate::picture::Target;
use crate::rfb::Inbox;

/// The JPEG decoder.
#[derive(Default)]
pub struct Jpeg {
    // How far the picture to come was looked through for its end.
    seen: usize,
    in_scan: bool,
    // The segments of the last picture that had any.
    huffman: Vec<u8>,
    quantisation: Vec<u8>,
    scratch: Scratch,
}

impl ParcelDecoder for Jpeg {
    fn cut(&mut self, inbox: &mut Inbox, width: usize, height: usize, _: &Pixels) -> Result<Option<Parcel>, Fault> {
        // Twice what the pixels take uncompressed, and room for tables and comments.
        let most = width * height * 8 + (1 << 18);
        let Some(length) = self.length(inbox.available(), most)? else { return Ok(None) };
        (self.seen, self.in_scan) = (0, false);
        Ok(inbox.payload(length).map(|payload| Parcel { payload }))
    }

    fn unpack(&mut self, parcel: Parcel, target: &mut Target<'_>, pixels: &Pixels) -> Result<(), Fault> {
        self.rectangle(parcel).unpack(target, pixels, &mut self.scratch)
    }
}

impl Jpeg {
    /// A parcel with the tables that it lacks, to be unpacked anywhere.
    pub fn rectangle(&mut self, parcel: Parcel) -> Rectangle {
        let picture = parcel.payload;
        let mut tables = vec![MARKER, START_OF_IMAGE];
        for (kind, remembered) in [(HUFFMAN_TABLES, &mut self.huffman), (QUANTISATION_TABLES, &mut self.quantisation)] {
            let own = || Segments::of(&picture).filter(|(marker, _)| *marker == kind).map(|(_, segment)| segment);
            if own().next().is_none() {
                tables.extend_from_slice(remembered);
            } else {
                remembered.clear();
                own().for_each(|segment| remembered.extend_from_slice(segment));
            }
        }
        if tables.len() == 2 {
            return Rectangle { kind: Kind::Jpeg(picture) };
        }
        tables.extend_from_slice(picture.get(2..).unwrap_or_default());
        Rectangle { kind: Kind::Jpeg(tables.into()) }
    }

    /// Bytes up to the end of the picture, once that has arrived.
    fn length(&mut self, bytes: &[u8], most: usize) -> Result<Option<usize>, Fault> {
        loop {
            if self.seen > most {
                return Err(Fault(format!("a JPEG picture of more than {most} bytes")));
            }
            let rest = bytes.get(self.seen..).unwrap_or_default();
            match *rest {
                // Within a scan an 0xff that is no marker is followed by 0, and restart markers mean nothing to us.
                [MARKER, 0 | 0xd0..=0xd7, ..] if self.in_scan => self.seen += 2,
                [MARKER, MARKER, ..] => self.seen += 1,
                [MARKER, START_OF_IMAGE, ..] => self.seen += 2,
                [MARKER, END_OF_IMAGE, ..] => return Ok(Some(self.seen + 2)),
                [MARKER, marker, high, low, ..] => {
                    let length = 2 + usize::from(u16::from_be_bytes([high, low]));
                    if length < 4 {
                        return Err(Fault::from("a JPEG segment shorter than its own length"));
                    }
                    if rest.len() < length {
                        return Ok(None);
                    }
                    self.seen += length;
                    self.in_scan = marker == START_OF_SCAN;
                }
                [] | [MARKER, ..] => return Ok(None),
                _ if self.in_scan => {
                    self.seen += rest.iter().position(|&byte| byte == MARKER).unwrap_or(rest.len());
                }
                _ => return Err(Fault::from("a JPEG picture with something between its segments")),
            }
        }
    }
}
