//! What the client asks the server for.

use crate::rfb::{PixelFormat, encoding};

/// neatvnc 0.5 drops a client that names more encodings.
const MOST_ENCODINGS: usize = 32;

/// What the client asks the server for.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The pixel format of the session.
    pub format: PixelFormat,
    /// Encodings of pixels, best first; the pseudo-encodings are added.
    pub encodings: Vec<i32>,
    /// Detail that lossy encodings keep, 0 to 9. Without it a server sends Tight without JPEG.
    pub quality: Option<u8>,
    /// How hard the server shall compress, 0 to 9; without it the server decides.
    pub compression: Option<u8>,
    /// Whether text that the server announces in its clipboard is asked for.
    pub clipboard: bool,
    /// Whether the desktop may get another size.
    pub resizes: bool,
}

impl Settings {
    /// Pixels of this format in these encodings, without loss and as the server likes them compressed.
    pub fn new(format: PixelFormat, encodings: Vec<i32>) -> Settings {
        Settings { format, encodings, quality: None, compression: None, clipboard: false, resizes: true }
    }

    /// The same without loss: no JPEG, and ZRLE in place of ZYWRLE.
    pub(super) fn without_loss(&self) -> Settings {
        let lossless = |number: i32| match number {
            encoding::JPEG | encoding::OPEN_H264 => None,
            encoding::ZYWRLE => Some(encoding::ZRLE),
            number => Some(number),
        };
        let encodings = self.encodings.iter().filter_map(|&number| lossless(number)).collect();
        Settings { encodings, quality: None, ..self.clone() }
    }

    /// Whether pictures may come with a loss.
    pub(super) fn may_lose(&self) -> bool {
        self.quality.is_some() || self.without_loss().encodings != self.encodings
    }

    /// SetEncodings, best first.
    pub(super) fn list(&self) -> Vec<i32> {
        // How ZYWRLE is coded depends on a quality level, and does not say so itself.
        let needed = self.encodings.contains(&encoding::ZYWRLE).then_some(encoding::ZYWRLE_QUALITY);
        let quality = self.quality.or(needed).map(encoding::quality_level);
        let compression = self.compression.map(encoding::compression_level);
        // Level 0 is none at all where the server knows how.
        let without_zlib = (self.compression == Some(0)).then_some(encoding::TIGHT_WITHOUT_ZLIB);
        let levels = quality.into_iter().chain(compression).chain(without_zlib);
        let sizes = [encoding::DESKTOP_SIZE, encoding::EXTENDED_DESKTOP_SIZE];
        let pseudo = encoding::PSEUDO_ENCODINGS.into_iter().filter(|pseudo| self.resizes || !sizes.contains(pseudo));
        // If there are too many, pseudo-encodings are left out: the others were chosen.
        self.encodings.iter().copied().chain(levels).chain(pseudo).take(MOST_ENCODINGS).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_asked_for_without_being_named_finds_room() {
        let settings = Settings::new(PixelFormat::rgb565(), encoding::default_pixel_encodings());
        let settings = Settings { quality: Some(8), compression: Some(0), ..settings };
        let list = settings.list();
        assert!(encoding::PSEUDO_ENCODINGS.iter().all(|pseudo| list.contains(pseudo)), "{list:?}");
        assert_eq!(list[9..12], [-24, -256, encoding::TIGHT_WITHOUT_ZLIB]);
    }

    #[test]
    fn a_desktop_that_is_to_keep_its_size_is_not_asked_for_others() {
        let settings = Settings::new(PixelFormat::rgb565(), encoding::default_pixel_encodings());
        let kept = Settings { resizes: false, ..settings.clone() }.list();
        let asked = settings.list().into_iter().filter(|number| ![-223, -308].contains(number)).collect::<Vec<_>>();
        assert_eq!((kept, asked.len() + 2), (asked, settings.list().len()));
    }

    #[test]
    fn what_matters_most_is_not_pushed_out() {
        // Those of a build without features; one more takes the place of the buttons.
        let all = encoding::PIXEL_ENCODINGS.iter().map(|encoding| encoding.number);
        let all = all.filter(|&number| number != encoding::OPEN_H264).collect();
        let settings = Settings { quality: Some(8), compression: Some(0), ..Settings::new(PixelFormat::rgb565(), all) };
        let list = settings.list();
        assert_eq!(list.len(), MOST_ENCODINGS);
        let kept = [
            encoding::LAST_RECT,
            encoding::DESKTOP_SIZE,
            encoding::CURSOR,
            encoding::FENCE,
            encoding::QEMU_EXTENDED_KEY_EVENT,
            encoding::EXTENDED_CLIPBOARD,
            encoding::EXTENDED_MOUSE_BUTTONS,
        ];
        assert!(kept.iter().all(|pseudo| list.contains(pseudo)), "{list:?}");
        assert!(!list.contains(&encoding::XVP));
    }
}
