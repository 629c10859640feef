//! How dark a desktop is shown that is not there now.

/// What is left of its light, of 256: 45 percent.
const LEFT: u32 = 115;

/// What covers it, as the opacity of black: of 65535.
pub(super) const COVER: u16 = (65535 * (256 - LEFT) / 256) as u16;

/// Makes pixels darker.
pub(super) fn darken(pixels: &mut [u32]) {
    for pixel in pixels {
        let channel = |shift: u32| ((*pixel >> shift & 0xff) * LEFT / 256) << shift;
        *pixel = channel(16) | channel(8) | channel(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_than_half_is_left_of_each_colour() {
        let mut pixels = [0x00ff_0080, 0xffff_ffff, 0];
        darken(&mut pixels);
        assert_eq!(pixels, [0x0072_0039, 0x0072_7272, 0]);
        assert_eq!(COVER, 0x8cff);
    }
}
