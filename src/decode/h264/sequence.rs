//! Sequence parameter sets (ITU-T H.264, 7.3.2.1.1 and Annex E): how large pictures are, how many are kept, which colours.

use super::Colours;
use super::units::Bits;
use crate::decode::Fault;
use crate::picture::Area;

/// Pixels a row of a macroblock, and rows.
const SIDE: usize = 16;

/// Profiles whose parameter sets tell the format of the pixels.
const WITH_FORMAT: [u32; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

/// Larger pictures than any desktop, in macroblocks a row or rows.
const TOO_LONG: u32 = 65536 / SIDE as u32;

/// What has to be known of a sequence before it is decoded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sequence {
    number: u32,
    /// Macroblocks a row, and rows.
    size: (usize, usize),
    /// Pixels at the right and at the bottom that are not shown.
    cropped: (usize, usize),
    /// Pictures that later ones may refer to, at least 1.
    pub(super) references: usize,
    pub(super) colours: Colours,
}

impl Sequence {
    /// Reads the payload of a parameter set.
    ///
    /// # Errors
    /// [`Fault`] if it is broken, or tells of pictures that no server of desktops sends.
    pub(super) fn read(payload: &[u8]) -> Result<Sequence, Fault> {
        let mut bits = Bits::new(payload);
        let profile = bits.bits(8)?;
        // The constraints and the level.
        bits.bits(16)?;
        let number = bits.unsigned()?;
        if WITH_FORMAT.contains(&profile) {
            format(&mut bits)?;
        }
        order(&mut bits)?;
        let references = bits.unsigned()?;
        if number > 31 || references > 16 {
            return Err(Fault::from("an H.264 sequence parameter set with numbers that do not exist"));
        }
        // gaps_in_frame_num_value_allowed_flag
        bits.flag()?;
        let size = (bits.unsigned()?, bits.unsigned()?);
        if size.0 >= TOO_LONG || size.1 >= TOO_LONG {
            return Err(Fault::from("H.264 pictures that are larger than any desktop"));
        }
        let size = (size.0 as usize + 1, size.1 as usize + 1);
        if !bits.flag()? {
            return Err(Fault::from("H.264 pictures of interlaced rows"));
        }
        // direct_8x8_inference_flag
        bits.flag()?;
        let cropped = if bits.flag()? { crop(&mut bits, size)? } else { (0, 0) };
        let colours = if bits.flag()? { colours(&mut bits)? } else { Colours::default() };
        Ok(Sequence { number, size, cropped, references: references.max(1) as usize, colours })
    }

    /// Macroblocks a picture.
    pub(super) fn macroblocks(&self) -> usize {
        self.size.0 * self.size.1
    }

    /// Whether its pictures are as large as a rectangle, or larger.
    ///
    /// # Errors
    /// [`Fault`] if they are not.
    pub(super) fn covers(&self, place: Area) -> Result<(), Fault> {
        let (width, height) = (self.size.0 * SIDE - self.cropped.0, self.size.1 * SIDE - self.cropped.1);
        let (ours, theirs) = (place.width(), place.height());
        if width < usize::from(ours) || height < usize::from(theirs) {
            return Err(Fault(format!("an H.264 picture of {width}x{height} for a rectangle of {ours}x{theirs}")));
        }
        Ok(())
    }
}

/// The format of the pixels: half of the colours in each direction, with eight bits.
fn format(bits: &mut Bits<'_>) -> Result<(), Fault> {
    // chroma_format_idc, and what is more than eight bits.
    if [bits.unsigned()?, bits.unsigned()?, bits.unsigned()?] != [1, 0, 0] {
        return Err(Fault::from("H.264 pictures that are not YUV 4:2:0 with 8 bits"));
    }
    // qpprime_y_zero_transform_bypass_flag
    bits.flag()?;
    if bits.flag()? {
        return Err(Fault::from("H.264 pictures with scaling matrices"));
    }
    Ok(())
}

/// How the order of the pictures is told.
fn order(bits: &mut Bits<'_>) -> Result<(), Fault> {
    // log2_max_frame_num_minus4
    bits.unsigned()?;
    match bits.unsigned()? {
        // log2_max_pic_order_cnt_lsb_minus4
        0 => bits.unsigned().map(drop),
        1 => {
            bits.flag()?;
            // Signed numbers are as long as unsigned ones.
            bits.unsigned()?;
            bits.unsigned()?;
            (0..bits.unsigned()?).try_for_each(|_| bits.unsigned().map(drop))
        }
        2 => Ok(()),
        other => Err(Fault(format!("H.264 pictures in an order of the type {other} (0, 1 and 2 exist)"))),
    }
}

/// Pixels that are not shown at the right and at the bottom; all encoders crop there.
fn crop(bits: &mut Bits<'_>, size: (usize, usize)) -> Result<(usize, usize), Fault> {
    let [left, right, top, bottom] = [bits.unsigned()?, bits.unsigned()?, bits.unsigned()?, bits.unsigned()?];
    let (right, bottom) = (right as usize * 2, bottom as usize * 2);
    if left != 0 || top != 0 || right >= size.0 * SIDE || bottom >= size.1 * SIDE {
        return Err(Fault::from("H.264 pictures that are cropped at the left or at the top, or away"));
    }
    Ok((right, bottom))
}

/// The beginning of the video usability information (E.1.1).
fn colours(bits: &mut Bits<'_>) -> Result<Colours, Fault> {
    // The shape of a pixel; 255 is followed by its sides.
    if bits.flag()? && bits.bits(8)? == 255 {
        bits.bits(32)?;
    }
    // Whether edges may be lost on a television.
    if bits.flag()? {
        bits.flag()?;
    }
    let mut colours = Colours::default();
    // What the signal is.
    if bits.flag()? {
        bits.bits(3)?;
        colours.full_range = bits.flag()?;
        if bits.flag()? {
            // The primaries and the transfer are those of every desktop.
            bits.bits(16)?;
            colours.matrix = bits.bits(8)?;
        }
    }
    Ok(colours)
}
