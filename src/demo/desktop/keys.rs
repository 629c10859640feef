//! What a key is called and which character it types (X11 keysyms, as RFC 6143 §7.5.4 sends them).

pub(super) const BACK_SPACE: u32 = 0xff08;
pub(super) const RETURN: u32 = 0xff0d;
pub(super) const KP_ENTER: u32 = 0xff8d;

/// Keys that type nothing, by their X11 names.
const NAMES: [(u32, &str); 36] = [
    (BACK_SPACE, "BackSpace"),
    (0xff09, "Tab"),
    (RETURN, "Return"),
    (0xff13, "Pause"),
    (0xff14, "Scroll_Lock"),
    (0xff1b, "Escape"),
    (0xff50, "Home"),
    (0xff51, "Left"),
    (0xff52, "Up"),
    (0xff53, "Right"),
    (0xff54, "Down"),
    (0xff55, "Page_Up"),
    (0xff56, "Page_Down"),
    (0xff57, "End"),
    (0xff61, "Print"),
    (0xff63, "Insert"),
    (0xff67, "Menu"),
    (0xff7f, "Num_Lock"),
    (KP_ENTER, "KP_Enter"),
    (0xffe1, "Shift_L"),
    (0xffe2, "Shift_R"),
    (0xffe3, "Control_L"),
    (0xffe4, "Control_R"),
    (0xffe5, "Caps_Lock"),
    (0xffe7, "Meta_L"),
    (0xffe8, "Meta_R"),
    (0xffe9, "Alt_L"),
    (0xffea, "Alt_R"),
    (0xffeb, "Super_L"),
    (0xffec, "Super_R"),
    (0xffff, "Delete"),
    (0xfe03, "ISO_Level3_Shift"),
    (0xfe20, "ISO_Left_Tab"),
    (0xfe50, "dead_grave"),
    (0xfe51, "dead_acute"),
    (0xfe52, "dead_circumflex"),
];

/// The character that a key types.
pub(super) fn character(keysym: u32) -> Option<char> {
    match keysym {
        // Latin-1 keysyms are the characters themselves.
        0x20..=0x7e | 0xa0..=0xff => char::from_u32(keysym),
        // KP_0 to KP_9.
        0xffb0..=0xffb9 => char::from_u32(keysym - 0xffb0 + u32::from(b'0')),
        0x0100_0000..=0x0110_ffff => char::from_u32(keysym - 0x0100_0000).filter(|c| !c.is_control()),
        _ => None,
    }
}

/// The key's name, the character it types, or its number.
pub(super) fn name(keysym: u32) -> String {
    if let Some((_, name)) = NAMES.iter().find(|(known, _)| *known == keysym) {
        return (*name).to_owned();
    }
    match keysym {
        0x20 => "space".to_owned(),
        0xffbe..=0xffe0 => format!("F{}", keysym - 0xffbd),
        _ => character(keysym).map_or_else(|| format!("{keysym:#x}"), String::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_names_and_characters() {
        assert_eq!((name(0x61), character(0x61)), ("a".to_owned(), Some('a')));
        assert_eq!((name(0xffc9), character(0xffc9)), ("F12".to_owned(), None));
        assert_eq!((name(0x0100_20ac), character(0x0100_20ac)), ("€".to_owned(), Some('€')));
        assert_eq!((name(0xffb7), character(0xffb7)), ("7".to_owned(), Some('7')));
        assert_eq!((name(0x0100_d800), character(0x0100_0007)), ("0x100d800".to_owned(), None));
        assert_eq!(name(u32::MAX), "0xffffffff");
    }
}
