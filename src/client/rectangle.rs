//! The decoders of a session and which of them an encoding belongs to.

use crate::decode::{DirectDecoder, Fault, Hextile, ParcelDecoder, Pixels, Progress, Raw, Rre, Zlib};
use crate::picture::Target;
use crate::rfb::{Inbox, encoding};

/// One decoder of each kind, with the state that lasts as long as the connection.
pub(super) struct Decoders {
    raw: Raw,
    rre: Rre,
    corre: Rre,
    hextile: Hextile,
    zlib: Zlib,
}

impl Decoders {
    pub(super) fn new() -> Decoders {
        Decoders {
            raw: Raw::default(),
            rre: Rre::new(),
            corre: Rre::compact(),
            hextile: Hextile::default(),
            zlib: Zlib::new(),
        }
    }

    /// Paints what has arrived of a rectangle.
    pub(super) fn advance(
        &mut self,
        encoding: i32,
        inbox: &mut Inbox,
        target: &mut Target<'_>,
        pixels: &Pixels,
    ) -> Result<Progress, Fault> {
        match encoding {
            encoding::RAW => self.raw.advance(inbox, target, pixels),
            encoding::RRE => self.rre.advance(inbox, target, pixels),
            encoding::CORRE => self.corre.advance(inbox, target, pixels),
            encoding::HEXTILE => self.hextile.advance(inbox, target, pixels),
            encoding::ZLIB => {
                let area = target.width() * target.height();
                match self.zlib.cut(inbox, area, pixels)? {
                    Some(parcel) => self.zlib.unpack(parcel, target, pixels).map(|()| Progress::Done),
                    None => Ok(Progress::NeedMore),
                }
            }
            _ => Err(Fault::from("an encoding that was not asked for")),
        }
    }
}
