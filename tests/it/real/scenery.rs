//! A picture with something in it for every encoding: slow changes, noise, few colours, two colours, one.

use super::viewer::Picture;

/// Always the same one of this size.
pub fn scenery(width: u32, height: u32) -> Picture {
    let mut random = 1_u32;
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (random >> 28) as u8;
            let (across, down) = ((x * 255 / width) as u8, (y * 255 / height) as u8);
            pixels.extend(match y * 6 / height {
                0 => [across, down, 255 - across],
                1 => [across / 2 + noise, 100 + noise / 2, 200 - across / 2 - noise],
                // Eleven colours in pieces of 16 by 8, which is a quarter of a tile.
                2 => {
                    let number = (x / 16 + y / 8 * 3) % 11;
                    [(number * 23) as u8, (255 - number * 17) as u8, (number * number * 2) as u8]
                }
                // Colours that change along the row, more than a palette holds.
                3 => [across.wrapping_mul(7), down.wrapping_mul(5), across ^ down],
                4 => [[20, 40, 60], [250, 240, 200]][(((x / 3) ^ (y / 2)) % 7 == 0) as usize],
                _ => [30, 90, 140],
            });
        }
    }
    (width, height, pixels)
}

/// As a PPM file, which small programs can read and write.
pub fn to_ppm((width, height, pixels): &Picture) -> Vec<u8> {
    [format!("P6\n{width} {height}\n255\n").as_bytes(), pixels].concat()
}

/// The picture in a PPM file, if all of it is there.
pub fn from_ppm(file: &[u8]) -> Option<Picture> {
    let mut words = file.split(|byte| byte.is_ascii_whitespace());
    let mut word = || std::str::from_utf8(words.next()?).ok();
    let (kind, width, height, most) = (word()?, word()?.parse().ok()?, word()?.parse().ok()?, word()?);
    assert_eq!((kind, most), ("P6", "255"));
    let pixels = file.len().checked_sub(width as usize * height as usize * 3)?;
    Some((width, height, file[pixels..].to_vec()))
}
