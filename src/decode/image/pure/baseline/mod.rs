//! Baseline JPEG pictures, which is what servers send: Huffman codes, one scan, colours as in JFIF (ITU-T T.81).
//!
//! From a scan to planes of samples, one for each component, and from those row by row to the target.

mod header;
mod huffman;
mod planes;
mod scan;

use super::super::super::{Stage, stage};
use crate::picture::{ByteOrder, Target};
use header::Header;
use huffman::{Broken, Table};
use planes::{Plane, Rows};
use scan::{Part, Scan, unstuff};

/// A picture whose header was read.
pub struct Baseline<'a>(Box<Header<'a>>);

/// What is used again from picture to picture.
#[derive(Default)]
pub(super) struct Scratch {
    // Those of the last picture: a server's pictures mostly have the same.
    tables: [[Option<Table>; 4]; 2],
    planes: [Plane; 3],
    rows: Rows,
    // The scan without what was stuffed into it, and where its intervals end.
    scan: Vec<u8>,
    ends: Vec<usize>,
}

impl Scratch {
    /// How many bytes of samples and scans it holds on to.
    pub(super) fn held(&self) -> usize {
        self.planes.iter().map(Plane::held).sum::<usize>()
            + self.scan.capacity()
            + self.ends.capacity() * size_of::<usize>()
    }
}

impl<'a> Baseline<'a> {
    /// `None` if the picture is of another kind, or broken: the library has the words for that.
    pub(super) fn open(picture: &'a [u8]) -> Option<Baseline<'a>> {
        Header::read(picture).map(|header| Baseline(Box::new(header)))
    }

    pub(super) fn size(&self) -> (usize, usize) {
        (self.0.width, self.0.height)
    }

    /// Paints the picture, which has the target's size.
    ///
    /// # Errors
    /// What is wrong with it; some of it may be painted then.
    pub(super) fn paint(&self, target: &mut Target<'_>, order: ByteOrder, scratch: &mut Scratch) -> Result<(), String> {
        self.decode(target, order, scratch).map_err(|broken| broken.to_string())
    }

    fn decode(&self, target: &mut Target<'_>, order: ByteOrder, scratch: &mut Scratch) -> Result<(), Broken> {
        let header = &*self.0;
        let Scratch { tables, planes, rows, scan, ends } = scratch;
        for (made, written) in tables.iter_mut().flatten().zip(header.huffman.iter().flatten()) {
            if let Some(written) = written
                && !made.as_ref().is_some_and(|table| table.is(*written))
            {
                *made = Some(Table::new(*written));
            }
        }
        // Those of luminance; of chrominance there is one block in a unit.
        let (across, down) = header.components.first().map_or((1, 1), |part| (part.across, part.down));
        let columns = header.width.div_ceil(across * 8);
        let [dc, ac] = &*tables;
        let mut parts = Vec::with_capacity(planes.len());
        for (plane, part) in planes.iter_mut().zip(&header.components) {
            let size = ((header.width * part.across).div_ceil(across), (header.height * part.down).div_ceil(down));
            plane.reshape(size, columns * part.across, part.down);
            parts.push(Part {
                dc: dc.get(part.dc).and_then(Option::as_ref).ok_or(Broken::Code)?,
                ac: ac.get(part.ac).and_then(Option::as_ref).ok_or(Broken::Code)?,
                steps: header.steps.get(part.steps).and_then(Option::as_deref).ok_or(Broken::Code)?,
                across: part.across,
                down: part.down,
                mean: 0,
            });
        }
        let rows_of_units = header.height.div_ceil(down * 8);
        let intervals = (columns * rows_of_units).checked_div(header.restart).map_or(1, |whole| whole + 1);
        unstuff(header.scan, intervals, scan, ends);
        let mut scan = Scan::new(parts, columns, header.restart, scan, ends);
        let mut painted = 0;
        for row in 0..rows_of_units {
            scan.row(row, planes)?;
            let read = (row + 1) * down * 8;
            // Where chrominance has half as many rows, the last one waits for the next of chrominance.
            let until = if read >= header.height { header.height } else { read - (down - 1) };
            let _paint = stage(Stage::Paint);
            match header.components.len() {
                1 => planes::grey(&planes[0], painted..until, target),
                _ => rows.colours(planes, (across == 2, down == 2), painted..until, target, order),
            }
            painted = until;
        }
        Ok(())
    }
}
