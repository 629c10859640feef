//! Options of other viewers, as they are typed there: `-passwd FILE` is `--passwd FILE`, `-Shared=0` is `--no-shared`.

use std::ffi::OsString;

use crate::error::Failure;

/// What was typed, with the options of other viewers in the words that are known here.
///
/// # Errors
/// [`Failure`] of the kind usage, for what has no such words.
pub(super) fn translated(arguments: impl Iterator<Item = OsString>) -> Result<Vec<OsString>, Failure> {
    let mut translated = Vec::new();
    let mut literal = false;
    for argument in arguments {
        literal |= argument == "--";
        translated.extend(if literal { vec![argument] } else { one(argument)? });
    }
    Ok(translated)
}

/// Options that other viewers spell with one dash, and their names here.
const ALIASES: [(&str, &str); 18] = [
    ("passwd", "--passwd"),
    ("passwordfile", "--passwd"),
    ("shared", "--shared"),
    ("noshared", "--no-shared"),
    ("fullscreen", "--fullscreen"),
    ("viewonly", "--view-only"),
    ("encodings", "--encodings"),
    ("preferredencoding", "--encodings"),
    ("quality", "--quality"),
    ("qualitylevel", "--quality"),
    ("compresslevel", "--compress-level"),
    ("bgr233", "--bgr233"),
    ("via", "--via"),
    ("help", "--help"),
    ("version", "--version"),
    ("direct", "--direct"),
    ("menukey", "--menu-key"),
    ("dotwhennocursor", "--dot-cursor"),
];

/// Options of other viewers that would be taken for something else here, such as `-listen` for `-l isten`.
const UNKNOWN: [&str; 17] = [
    "listen",
    "log",
    "depth",
    "owncmap",
    "truecolour",
    "truecolor",
    "nojpeg",
    "geometry",
    "display",
    "desktopsize",
    "securitytypes",
    "autopass",
    "x11cursor",
    "nocursorshape",
    "lowcolorlevel",
    "fullcolor",
    "loglevel",
];

/// An argument: an option is a word or two here, or none.
fn one(argument: OsString) -> Result<Vec<OsString>, Failure> {
    let Some(text) = argument.to_str() else { return Ok(vec![argument]) };
    let Some(typed) = text.strip_prefix('-').filter(|rest| rest.len() > 2 && !rest.starts_with('-')) else {
        return Ok(vec![argument]);
    };
    let (name, value) = match typed.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (typed, None),
    };
    let name = name.to_ascii_lowercase();
    if UNKNOWN.contains(&name.as_str()) {
        return Err(
            Failure::usage(format!("the option -{name} of other viewers is not known here")).hint("see sshvnc --help")
        );
    }
    // On here as it is there, so only its opposite has a name.
    if name == "remoteresize" {
        return Ok(match value {
            Some("0" | "off" | "false" | "no") => vec!["--no-remote-resize".into()],
            _ => vec![],
        });
    }
    let Some((_, ours)) = ALIASES.iter().find(|(theirs, _)| *theirs == name) else { return Ok(vec![argument]) };
    let takes_value =
        matches!(*ours, "--passwd" | "--encodings" | "--via" | "--quality" | "--compress-level" | "--menu-key");
    Ok(match value {
        None => vec![ours.into()],
        Some(value) if takes_value => vec![ours.into(), value.into()],
        Some("1" | "on" | "true" | "yes") => vec![ours.into()],
        Some("0" | "off" | "false" | "no") if *ours == "--shared" => vec!["--no-shared".into()],
        Some("0" | "off" | "false" | "no") => vec![],
        Some(value) => return Err(Failure::usage(format!("-{name} is on or off, not \"{value}\""))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Typed;
    use crate::cli::tests::{typed, view};

    #[test]
    fn what_is_behind_two_dashes_is_left_alone() {
        let words = ["-shared", "-p2222", "--", "-shared"].map(OsString::from);
        assert_eq!(translated(words.into_iter()).unwrap(), ["--shared", "-p2222", "--", "-shared"]);
    }

    #[test]
    fn the_recipe_of_2001_is_understood() {
        let view = view("-encodings|copyrect hextile|-passwd|/home/me/.vnc/passwd|-fullscreen|-shared|localhost:1");
        assert_eq!(view.connection.encodings.as_deref(), Some("copyrect hextile"));
        assert_eq!(view.connection.passwd, Some("/home/me/.vnc/passwd".into()));
        assert!(view.window.fullscreen && view.connection.shared && !view.connection.no_shared);
        assert_eq!(view.connection.target, "localhost:1");
    }

    #[test]
    fn values_may_be_in_the_same_word() {
        let one = view("host|-ViewOnly=1|-Shared=0");
        assert!(one.window.view_only && one.connection.no_shared);
        let levels = view("-quality|8|-CompressLevel=0|host").connection;
        assert_eq!((levels.quality, levels.compress_level), (Some(8), Some(0)));
        let sized = view("-RemoteResize=0|-MenuKey=F8|host").window;
        assert_eq!((sized.no_remote_resize, sized.menu_key), (true, Some(0xffc5)));
        assert!(!view("-RemoteResize|host").window.no_remote_resize);
    }

    #[test]
    fn help_is_help_and_what_is_unknown_is_no_short_option() {
        assert!(matches!(typed("-help"), Ok(Typed::Say(_))));
        for line in ["-listen|host", "-shared=7|host"] {
            let failure = typed(line).unwrap_err();
            assert_eq!(failure.exit_code(), 1, "{line}");
            assert!(!failure.to_string().contains('\n') && failure.to_string().len() > 10, "{failure}");
        }
    }
}
