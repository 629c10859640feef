//! From what was typed to a session's plan: every value is checked once, here, before anything is sent.

use std::env;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use secrecy::SecretSlice;

use crate::cli::{Connection, PASSWORD_VARIABLE};
use crate::error::Failure;
use crate::picture::ByteOrder;
use crate::rfb::{PixelFormat, encoding, vnc_auth};
use crate::route;
use crate::session::{Plan, Settings};
use crate::target::Target;
use crate::terminal;

/// What the pixels are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be looked at, soon and then again and again.
    Show,
    /// To be looked at once, as they are.
    Keep,
    /// To be written down as they arrive.
    Record,
}

/// The plan for what was typed. Tells on stderr what `--direct` leaves unprotected.
///
/// # Errors
/// [`Failure`] of the kind usage.
pub fn plan(typed: &Connection, purpose: Purpose) -> Result<Plan, Failure> {
    let target = Target::parse(&typed.target).map_err(Failure::usage)?;
    let password = password(typed.passwd.as_deref())?;
    let shows = purpose == Purpose::Show;
    let follow_link = shows && typed.encodings.is_none() && typed.quality.is_none();
    let order = match purpose {
        Purpose::Show | Purpose::Keep => ByteOrder::Bgrx,
        Purpose::Record if typed.bgr233 || typed.rgb565 => {
            return Err(Failure::usage("a recording always has 32 bits a pixel: leave --bgr233 and --rgb565 out"));
        }
        Purpose::Record => ByteOrder::Rgbx,
    };
    let format = match (typed.bgr233, typed.rgb565) {
        (true, _) => PixelFormat::bgr233(),
        (_, true) => PixelFormat::rgb565(),
        _ => PixelFormat::rgb888(order.shifts()),
    };
    let encodings = encodings(typed.encodings.as_deref())?;
    if purpose == Purpose::Record {
        recordable(&encodings, typed.quality)?;
    }
    let way = route::to(target, typed)?;
    Ok(Plan {
        route: way.route,
        password,
        // In a window questions can always be asked.
        may_ask: way.may_ask && (shows || terminal::can_ask()),
        shared: !typed.no_shared,
        settings: Settings {
            quality: typed.quality,
            compression: typed.compress_level,
            ..Settings::new(format, encodings)
        },
        follow_link,
        order,
        pins: Default::default(),
        recorder: None,
    })
}

fn encodings(list: Option<&str>) -> Result<Vec<i32>, Failure> {
    let Some(list) = list else { return Ok(encoding::default_pixel_encodings()) };
    let mut numbers = Vec::new();
    for word in list.split([' ', ',']).filter(|word| !word.is_empty()) {
        let known = encoding::PIXEL_ENCODINGS.iter().find(|known| known.name.eq_ignore_ascii_case(word));
        let Some(known) = known else {
            let names: Vec<_> = encoding::PIXEL_ENCODINGS.iter().map(|known| known.name).collect();
            return Err(Failure::usage(format!("the encoding \"{}\" is not known", word.escape_debug()))
                .hint(format!("known are: {}", names.join(" "))));
        };
        if !numbers.contains(&known.number) {
            numbers.push(known.number);
        }
    }
    if numbers.is_empty() {
        return Err(Failure::usage("--encodings names none"));
    }
    // Every server may send Raw, and some send what was not asked for if it is not named.
    if !numbers.contains(&encoding::RAW) {
        numbers.push(encoding::RAW);
    }
    Ok(numbers)
}

/// What is recorded is decoded later by who does not know what was asked for.
fn recordable(encodings: &[i32], quality: Option<u8>) -> Result<(), Failure> {
    let known = |quality: &u8| encoding::zywrle_levels(*quality) == encoding::zywrle_levels(encoding::ZYWRLE_QUALITY);
    if encodings.contains(&encoding::ZYWRLE) && !quality.iter().all(known) {
        let levels: Vec<_> = (0..=9).filter(known).map(|level| level.to_string()).collect();
        return Err(Failure::usage("a recording does not say which --quality zywrle was made for")
            .hint(format!("take one of {}, or leave it out", levels.join(" "))));
    }
    Ok(())
}

fn password(file: Option<&Path>) -> Result<Option<SecretSlice<u8>>, Failure> {
    if let Some(path) = file {
        let wrong = |what: String| {
            Failure::usage(format!("the password file {}: {what}", path.display()))
                .hint(format!("make one with: sshvnc passwd {}", path.display()))
        };
        let bytes = zeroize::Zeroizing::new(fs::read(path).map_err(|error| wrong(error.to_string()))?);
        let block =
            bytes.first_chunk::<8>().ok_or_else(|| wrong(format!("{} bytes, at least 8 expected", bytes.len())))?;
        return Ok(Some(vnc_auth::reveal(block).to_vec().into()));
    }
    Ok(env::var_os(PASSWORD_VARIABLE).map(|password| password.into_vec().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_in_the_users_order() {
        assert_eq!(encodings(Some("copyrect hextile")).unwrap(), [1, 5, 0]);
        assert_eq!(encodings(Some("Raw,RRE,raw")).unwrap(), [0, 2]);
        assert!(encodings(Some("tigth")).unwrap_err().to_string().contains("copyrect tight zrle"));
        assert!(!encodings(None).unwrap().contains(&encoding::TIGHT_PNG));
        assert_eq!(encodings(Some("tightpng")).unwrap(), [-260, 0]);
        assert!(encodings(Some(" ")).is_err());
        assert_eq!(encodings(Some("zywrle")).unwrap(), [17, 0]);
        assert!(!encodings(None).unwrap().contains(&17));
    }

    #[test]
    fn wavelets_are_recorded_as_they_are_read_later() {
        let zywrle = encodings(Some("zywrle")).unwrap();
        for quality in 0..=9 {
            assert_eq!(recordable(&zywrle, Some(quality)).is_ok(), (3..=5).contains(&quality), "{quality}");
        }
        assert!(recordable(&zywrle, None).is_ok() && recordable(&encodings(None).unwrap(), Some(9)).is_ok());
        let said = recordable(&zywrle, Some(9)).unwrap_err().to_string();
        assert_eq!(
            said,
            "a recording does not say which --quality zywrle was made for; take one of 3 4 5, or leave it out"
        );
    }

    #[test]
    fn password_files() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("passwd");
        let failure = password(Some(&path)).unwrap_err().to_string();
        assert!(failure.contains("No such file") && failure.contains("sshvnc passwd"), "{failure}");
        fs::write(&path, [1, 2, 3]).unwrap();
        assert!(password(Some(&path)).unwrap_err().to_string().contains("3 bytes"));
        fs::write(&path, vnc_auth::obfuscate(b"secret12")).unwrap();
        use secrecy::ExposeSecret;
        assert_eq!(password(Some(&path)).unwrap().unwrap().expose_secret(), b"secret12");
    }
}
