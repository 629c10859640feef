//! The header of a baseline picture, if it is one (ITU-T T.81, B.2).

use super::super::segments::{HUFFMAN_TABLES, MARKER, QUANTISATION_TABLES, START_OF_IMAGE, Segments};
use super::huffman::{self, ZIGZAG};
use crate::picture::jpeg::Block;

const BASELINE: u8 = 0xc0;
const EXTENDED_SEQUENTIAL: u8 = 0xc1;
const RESTART_INTERVAL: u8 = 0xdd;
const APPLICATION: std::ops::RangeInclusive<u8> = 0xe0..=0xef;
const APPLICATION_14: u8 = 0xee;
const COMMENT: u8 = 0xfe;

/// What is known of a picture before its scan.
pub(super) struct Header<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    /// One, or luminance and two chrominances.
    pub(super) components: Vec<Component>,
    /// Quantisation steps, row by row.
    pub(super) steps: [Option<Box<Block>>; 4],
    /// The Huffman tables of DC differences and of AC coefficients, as they are written.
    pub(super) huffman: [[Option<huffman::Specification<'a>>; 4]; 2],
    /// Minimum coded units between restarts; 0 for none.
    pub(super) restart: usize,
    /// The scan, and all that follows.
    pub(super) scan: &'a [u8],
}

/// A component of the picture.
pub(super) struct Component {
    identifier: u8,
    /// Blocks in a minimum coded unit, across and down.
    pub(super) across: usize,
    pub(super) down: usize,
    /// The numbers of its tables.
    pub(super) steps: usize,
    pub(super) dc: usize,
    pub(super) ac: usize,
}

impl<'a> Header<'a> {
    /// `None` if the picture is of another kind, or broken.
    pub(super) fn read(picture: &'a [u8]) -> Option<Header<'a>> {
        let mut header = Header {
            width: 0,
            height: 0,
            components: Vec::new(),
            steps: [const { None }; 4],
            huffman: [[None; 4]; 2],
            restart: 0,
            scan: &[],
        };
        if !picture.starts_with(&[MARKER, START_OF_IMAGE]) {
            return None;
        }
        let mut segments = Segments::of(picture);
        for (marker, segment) in &mut segments {
            let content = segment.get(4..)?;
            match marker {
                BASELINE | EXTENDED_SEQUENTIAL if header.components.is_empty() => header.frame(content)?,
                HUFFMAN_TABLES => header.huffman_tables(content)?,
                QUANTISATION_TABLES => header.quantisation_tables(content)?,
                RESTART_INTERVAL => header.restart = u16::from_be_bytes(*content.first_chunk()?).into(),
                // Adobe's says which colours the components are, if it is not 1: those of JFIF.
                APPLICATION_14 if content.starts_with(b"Adobe") && content.get(11) != Some(&1) => return None,
                COMMENT => {}
                _ if APPLICATION.contains(&marker) => {}
                _ => return None,
            }
        }
        let (content, scan) = segments.scan()?;
        header.scan = scan;
        header.scan_header(content)?;
        header.is_whole().then_some(header)
    }

    /// B.2.2.
    fn frame(&mut self, content: &[u8]) -> Option<()> {
        let [8, high, low, high2, low2, count, components @ ..] = content else { return None };
        self.height = u16::from_be_bytes([*high, *low]).into();
        self.width = u16::from_be_bytes([*high2, *low2]).into();
        let (components, []) = components.as_chunks::<3>() else { return None };
        if components.len() != usize::from(*count) {
            return None;
        }
        self.components = components
            .iter()
            .map(|&[identifier, sampling, steps]| {
                let (across, down) = (usize::from(sampling >> 4), usize::from(sampling & 15));
                Component { identifier, across, down, steps: steps.into(), dc: 0, ac: 0 }
            })
            .collect();
        match &mut *self.components {
            // The units of a single component are its blocks, whatever it says (A.2.2).
            [grey] => (grey.across, grey.down) = (1, 1),
            [luminance, blue, red] => {
                let whole = |part: &Component| (part.across, part.down) == (1, 1);
                let known = (1..=2).contains(&luminance.across) && (1..=2).contains(&luminance.down);
                let letters = [luminance.identifier, blue.identifier, red.identifier];
                if !known || !whole(blue) || !whole(red) || letters == *b"RGB" {
                    return None;
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// B.2.4.1.
    fn quantisation_tables(&mut self, mut content: &[u8]) -> Option<()> {
        while let Some((&number, rest)) = content.split_first() {
            // A number with steps of two bytes is beyond the last.
            let place = self.steps.get_mut(usize::from(number))?;
            let (steps, rest) = rest.split_first_chunk::<64>()?;
            let mut block = Box::new([0; 64]);
            for (&step, &at) in steps.iter().zip(&ZIGZAG) {
                *block.get_mut(usize::from(at))? = step.into();
            }
            *place = Some(block);
            content = rest;
        }
        Some(())
    }

    /// B.2.4.2.
    fn huffman_tables(&mut self, mut content: &'a [u8]) -> Option<()> {
        while let Some((&kind, rest)) = content.split_first() {
            let place = self.huffman.get_mut(usize::from(kind >> 4))?.get_mut(usize::from(kind & 15))?;
            let (specification, rest) = huffman::Specification::read(rest)?;
            *place = Some(specification);
            content = rest;
        }
        Some(())
    }

    /// B.2.3, if the scan has all components.
    fn scan_header(&mut self, content: &[u8]) -> Option<()> {
        let (count, rest) = content.split_first()?;
        let (of_components, rest) = rest.split_at_checked(usize::from(*count) * 2)?;
        if rest != [0, 63, 0] || usize::from(*count) != self.components.len() {
            return None;
        }
        for (component, [identifier, tables]) in self.components.iter_mut().zip(of_components.as_chunks::<2>().0) {
            if component.identifier != *identifier {
                return None;
            }
            (component.dc, component.ac) = (usize::from(tables >> 4), usize::from(tables & 15));
        }
        Some(())
    }

    /// Whether all is there that the scan will need.
    fn is_whole(&self) -> bool {
        let [dc, ac] = &self.huffman;
        let has = |tables: &[Option<_>; 4], number: usize| tables.get(number).is_some_and(Option::is_some);
        self.width > 0
            && self.height > 0
            && !self.components.is_empty()
            && self.components.iter().all(|component| {
                has(dc, component.dc)
                    && has(ac, component.ac)
                    && self.steps.get(component.steps).is_some_and(Option::is_some)
            })
    }
}
