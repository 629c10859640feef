//! Tight, Tight PNG and JPEG, as rfbproto describes them.

use super::{Decoder, End, Format, Rect, Stream, jpeg, scale};

impl Decoder<'_> {
    pub(super) fn tight(&mut self, rect: Rect, png: bool) -> Result<(), End> {
        let [_, _, width, height] = rect;
        let control = self.number(1)?;
        for stream in 0..4 {
            if control & 1 << stream != 0 {
                self.tight[stream] = Stream::new();
            }
        }
        let basic = match control >> 4 {
            8 => {
                let colour = self.tight_pixel()?;
                return self.fill(rect, [0, 0, width, height], colour);
            }
            9 | 10 if control >> 4 == 9 || png => {
                let length = self.compact_length()?;
                let data = self.take(length)?;
                return if control >> 4 == 9 { self.jpeg(rect, data) } else { self.png(rect, data) };
            }
            // QEMU sends it as Tight PNG too, for pixels of 8 bits.
            kind if kind < 8 || !png && (kind == 10 || kind == 14) => kind,
            _ => return Err(End::Wrong("an unknown compression")),
        };
        let filter = if basic & 4 != 0 { self.number(1)? } else { 0 };
        if filter > 2 || filter == 2 && (self.format.bytes == 1 || !self.format.true_colour) {
            return Err(End::Wrong("a filter that is unknown, or a gradient of pixels without three colours"));
        }
        let mut palette = Vec::new();
        if filter == 1 {
            let last = self.number(1)?;
            if last == 0 {
                return Err(End::Wrong("a palette of one colour"));
            }
            for _ in 0..=last {
                palette.push(self.tight_pixel()?);
            }
        }
        let pixel = self.tight_pixel_bytes();
        let row = match palette.len() {
            0 => width * pixel,
            2 => width.div_ceil(8),
            _ => width,
        };
        let expected = row * height;
        let bytes = if expected < 12 {
            self.take(expected)?.to_vec()
        } else {
            let length = self.compact_length()?;
            if basic & 8 != 0 && length != expected {
                return Err(End::Wrong("another length than that of the pixels"));
            }
            let data = self.take(length)?;
            if basic & 8 == 0 { self.tight[basic & 3].exactly(data, expected)? } else { data.to_vec() }
        };
        match filter {
            0 => {
                for at in 0..width * height {
                    let colour = self.tight_colour(&bytes[at * pixel..][..pixel]);
                    self.set(rect, at % width, at / width, colour)?;
                }
            }
            1 => {
                for at in 0..width * height {
                    let (x, y) = (at % width, at / width);
                    let index = match palette.len() {
                        2 => bytes[y * row + x / 8] >> (7 - x % 8) & 1,
                        _ => bytes[at],
                    };
                    let colour = *palette.get(usize::from(index)).ok_or(End::Wrong("a colour beyond the palette"))?;
                    self.set(rect, x, y, colour)?;
                }
            }
            _ => self.gradient(rect, &bytes)?,
        }
        Ok(())
    }

    fn gradient(&mut self, rect: Rect, bytes: &[u8]) -> Result<(), End> {
        let [_, _, width, height] = rect;
        let pixel = self.tight_pixel_bytes();
        let mut values = vec![[0i64; 3]; width * height];
        for at in 0..width * height {
            let (x, y) = (at % width, at / width);
            let bytes = &bytes[at * pixel..][..pixel];
            let value = self.value(bytes);
            for i in 0..3 {
                let (max, difference) = match pixel {
                    3 => (255, i64::from(bytes[i])),
                    _ => {
                        let max = self.format.max[i];
                        (i64::from(max), i64::from(value >> self.format.shift[i] & max))
                    }
                };
                let seen = |dx: usize, dy: usize| if x < dx || y < dy { 0 } else { values[at - dx - dy * width][i] };
                let predicted = (seen(1, 0) + seen(0, 1) - seen(1, 1)).clamp(0, max);
                values[at][i] = (predicted + difference) & max;
            }
            let colour = std::array::from_fn(|i| match pixel {
                3 => values[at][i] as u8,
                _ => scale(values[at][i] as u32, self.format.max[i]),
            });
            self.set(rect, x, y, colour)?;
        }
        Ok(())
    }

    /// Whether a TPIXEL is red, green and blue.
    fn tight_pixel_bytes(&self) -> usize {
        let Format { bytes, depth, true_colour, max, .. } = self.format;
        if true_colour && bytes == 4 && depth == 24 && max == [255; 3] { 3 } else { bytes }
    }

    fn tight_pixel(&mut self) -> Result<[u8; 3], End> {
        let bytes = self.take(self.tight_pixel_bytes())?;
        Ok(self.tight_colour(bytes))
    }

    fn tight_colour(&self, bytes: &[u8]) -> [u8; 3] {
        if let [red, green, blue] = *bytes { [red, green, blue] } else { self.colour(bytes) }
    }

    fn compact_length(&mut self) -> Result<usize, End> {
        let first = self.number(1)?;
        if first < 128 {
            return Ok(first);
        }
        let second = self.number(1)?;
        if second < 128 {
            return Ok(first - 128 + 128 * second);
        }
        Ok(first - 128 + 128 * (second - 128) + 128 * 128 * self.number(1)?)
    }

    /// A picture up to its end marker, with the tables that it lacks.
    pub(super) fn jpeg_with_tables(&mut self, rect: Rect) -> Result<(), End> {
        let bytes = self.rest;
        let byte = |at: usize| bytes.get(at).copied().ok_or(End::Short);
        let (mut at, mut in_scan, mut scans) = (0, false, 0);
        let mut found = [Vec::new(), Vec::new()];
        loop {
            if byte(at)? != 0xff {
                if !in_scan {
                    return Err(End::Wrong("something between the segments of a picture"));
                }
                at += 1;
                continue;
            }
            let marker = byte(at + 1)?;
            match marker {
                0xff => at += 1,
                0xd8 => at += 2,
                0xd9 => break,
                0 | 0xd0..=0xd7 if in_scan => at += 2,
                _ => {
                    let length = usize::from(byte(at + 2)?) << 8 | usize::from(byte(at + 3)?);
                    if length < 2 {
                        return Err(End::Wrong("a segment shorter than its length"));
                    }
                    let segment = bytes.get(at..at + 2 + length).ok_or(End::Short)?;
                    in_scan = marker == 0xda;
                    scans += usize::from(in_scan);
                    match marker {
                        0xc4 if scans == 0 => found[0].extend_from_slice(segment),
                        0xdb if scans == 0 => found[1].extend_from_slice(segment),
                        _ => {}
                    }
                    at += 2 + length;
                }
            }
        }
        let picture = self.take(at + 2)?;
        let mut whole = picture[..2].to_vec();
        for (known, found) in self.tables.iter_mut().zip(found) {
            if found.is_empty() {
                whole.extend_from_slice(known);
            } else {
                *known = found;
            }
        }
        whole.extend_from_slice(&picture[2..]);
        self.jpeg(rect, &whole)
    }

    fn jpeg(&mut self, rect: Rect, data: &[u8]) -> Result<(), End> {
        use zune_jpeg::zune_core::{bytestream::ZCursor, options::DecoderOptions};
        let ends = data.windows(2).any(|pair| pair == [0xff, 0xd9]);
        if let Some(picture) = jpeg::baseline(data) {
            self.fits(rect, picture.size)?;
            if !ends {
                return Err(End::Wrong("a picture without an end"));
            }
            return self.colours(rect, &picture.colours()?);
        }
        let options = DecoderOptions::default().set_strict_mode(true).set_max_width(65535).set_max_height(65535);
        let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(data), options.jpeg_set_max_scans(32));
        let wrong = |_| End::Wrong("a broken JPEG picture");
        decoder.decode_headers().map_err(wrong)?;
        self.fits(rect, decoder.dimensions().unwrap())?;
        if !ends {
            return Err(End::Wrong("a picture without an end"));
        }
        let rgb = decoder.decode().map_err(wrong)?;
        self.colours(rect, rgb.as_chunks().0)
    }

    fn png(&mut self, rect: Rect, data: &[u8]) -> Result<(), End> {
        let wrong = |_| End::Wrong("a broken PNG picture");
        let mut decoder = png::Decoder::new(std::io::Cursor::new(data));
        decoder.set_transformations(png::Transformations::normalize_to_color8() | png::Transformations::ALPHA);
        let header = decoder.read_header_info().map_err(wrong)?;
        self.fits(rect, (header.width as usize, header.height as usize))?;
        let mut reader = decoder.read_info().map_err(wrong)?;
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut bytes).map_err(wrong)?;
        let grey = reader.output_color_type().0 == png::ColorType::GrayscaleAlpha;
        let rgb: Vec<[u8; 3]> = match grey {
            true => bytes.chunks(2).map(|pixel| [pixel[0]; 3]).collect(),
            false => bytes.chunks(4).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect(),
        };
        self.colours(rect, &rgb)
    }

    fn fits(&self, [_, _, width, height]: Rect, size: (usize, usize)) -> Result<(), End> {
        if size == (width, height) { Ok(()) } else { Err(End::Wrong("a picture of another size")) }
    }

    fn colours(&mut self, rect: Rect, colours: &[[u8; 3]]) -> Result<(), End> {
        for (at, &colour) in colours.iter().enumerate() {
            self.set(rect, at % rect[2], at / rect[2], colour)?;
        }
        Ok(())
    }
}
