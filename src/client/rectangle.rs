//! The decoders of a session and which of them an encoding belongs to.

#[cfg(feature = "h264")]
use crate::decode::H264;
use crate::decode::{
    DirectDecoder, Fault, Hextile, Jpeg, ParcelDecoder, Pixels, Progress, Raw, Rectangle, Rre, Stage, Tight, Trle,
    Ultra, Zlib, ZlibHex, Zrle, stage,
};
use crate::picture::{Area, Target};
use crate::rfb::{Inbox, encoding};

/// One decoder of each kind, with the state that lasts as long as the connection.
pub(super) struct Decoders {
    raw: Raw,
    rre: Rre,
    corre: Rre,
    hextile: Hextile,
    zlib: Zlib,
    zlib_hex: ZlibHex,
    ultra: Ultra,
    trle: Trle,
    zrle: Zrle,
    wavelet_levels: usize,
    tight: Tight,
    jpeg: Jpeg,
    #[cfg(feature = "h264")]
    h264: H264,
}

/// Whether rectangles of this encoding can be unpacked beside each other: Tight has four histories, and pictures none.
/// Zlib, ZRLE and their kin have one, so another thread would only add a copy.
pub(super) fn goes_to_lanes(encoding: i32) -> bool {
    matches!(encoding, encoding::TIGHT | encoding::TIGHT_PNG | encoding::JPEG)
}

impl Decoders {
    pub(super) fn new() -> Decoders {
        Decoders {
            raw: Raw::default(),
            rre: Rre::new(),
            corre: Rre::compact(),
            hextile: Hextile::default(),
            zlib: Zlib::new(),
            zlib_hex: ZlibHex::new(),
            ultra: Ultra::default(),
            trle: Trle::default(),
            zrle: Zrle::new(),
            wavelet_levels: encoding::zywrle_levels(encoding::ZYWRLE_QUALITY),
            tight: Tight::new(),
            jpeg: Jpeg::default(),
            #[cfg(feature = "h264")]
            h264: H264::new(),
        }
    }

    /// The quality that ZYWRLE was asked for in.
    pub(super) fn set_quality(&mut self, level: u8) {
        self.wavelet_levels = encoding::zywrle_levels(level);
    }

    /// Cuts a rectangle out of the stream that any thread can unpack, once all of it is there.
    pub(super) fn cut(
        &mut self,
        encoding: i32,
        inbox: &mut Inbox,
        (width, height): (usize, usize),
        pixels: &Pixels,
    ) -> Result<Option<Rectangle>, Fault> {
        if encoding == encoding::JPEG {
            return Ok(self.jpeg.cut(inbox, width, height, pixels)?.map(|parcel| self.jpeg.rectangle(parcel)));
        }
        let tight = &mut self.tight;
        tight.set_png(encoding == encoding::TIGHT_PNG);
        let Some(parcel) = tight.cut(inbox, width, height, pixels)? else { return Ok(None) };
        tight.rectangle(parcel, width, height, pixels).map(Some)
    }

    /// Paints what has arrived of the rectangle at `place`, which `target` is.
    pub(super) fn advance(
        &mut self,
        encoding: i32,
        inbox: &mut Inbox,
        #[cfg_attr(not(feature = "h264"), expect(unused_variables))] place: Area,
        target: &mut Target<'_>,
        pixels: &Pixels,
    ) -> Result<Progress, Fault> {
        match encoding {
            encoding::RAW => {
                let _paint = stage(Stage::Paint);
                self.raw.advance(inbox, target, pixels)
            }
            encoding::RRE => direct(&mut self.rre, inbox, target, pixels),
            encoding::CORRE => direct(&mut self.corre, inbox, target, pixels),
            encoding::HEXTILE => direct(&mut self.hextile, inbox, target, pixels),
            encoding::ZLIB => parcel(&mut self.zlib, inbox, target, pixels),
            encoding::ZLIB_HEX => direct(&mut self.zlib_hex, inbox, target, pixels),
            encoding::ULTRA => parcel(&mut self.ultra, inbox, target, pixels),
            encoding::TRLE => direct(&mut self.trle, inbox, target, pixels),
            encoding::ZRLE | encoding::ZYWRLE => {
                // Both go through one stream, so a server may change from one to the other.
                self.zrle.set_levels(match encoding {
                    encoding::ZYWRLE => self.wavelet_levels,
                    _ => 0,
                });
                parcel(&mut self.zrle, inbox, target, pixels)
            }
            #[cfg(feature = "h264")]
            encoding::OPEN_H264 => self.h264.advance(inbox, place, target, pixels),
            _ => Err(Fault::from("an encoding that was not asked for")),
        }
    }
}

/// Paints what has arrived of a rectangle whose pieces are read and painted at once.
fn direct(
    decoder: &mut impl DirectDecoder,
    inbox: &mut Inbox,
    target: &mut Target<'_>,
    pixels: &Pixels,
) -> Result<Progress, Fault> {
    let _unpack = stage(Stage::Unpack);
    decoder.advance(inbox, target, pixels)
}

/// Cuts a rectangle out and paints it, once all of it is there.
fn parcel(
    decoder: &mut impl ParcelDecoder,
    inbox: &mut Inbox,
    target: &mut Target<'_>,
    pixels: &Pixels,
) -> Result<Progress, Fault> {
    let Some(parcel) = decoder.cut(inbox, target.width(), target.height(), pixels)? else {
        return Ok(Progress::NeedMore);
    };
    let _unpack = stage(Stage::Unpack);
    decoder.unpack(parcel, target, pixels).map(|()| Progress::Done)
}
