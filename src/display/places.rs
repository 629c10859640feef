//! Where the keys of an X11 keyboard lie, as XT keycodes: what a virtual machine's own layout makes sense of.

/// The XT keycodes of the keys that have one.
#[derive(Debug, Default)]
pub(super) struct Places(Vec<Place>);

/// A key and where it is.
#[derive(Debug)]
struct Place {
    /// The keysym that minifb knows the key by.
    name: u32,
    /// What it gives without and with Shift, in two layouts.
    keysyms: [u32; 4],
    keycode: u32,
}

/// X11 keycodes are those of the Linux kernel, and so much higher.
pub(super) const ABOVE_KERNEL: u8 = 8;
/// The cursor key upwards, by which such keycodes are told from those of other systems.
pub(super) const UP: (u8, u32) = (111, 0xff52);

impl Places {
    /// Takes GetKeyboardMapping's answer for the keycodes from `first` on, with `width` keysyms for each. What was not
    /// numbered by the kernel stays unknown.
    pub(super) fn of_x11(first: u8, width: u8, keysyms: &[u32]) -> Places {
        let rows = || (first..=u8::MAX).zip(keysyms.chunks_exact(usize::from(width).max(1)));
        let is_up = |(keycode, row): (u8, &[u32])| (keycode, row.first()) == (UP.0, Some(&UP.1));
        if !rows().any(is_up) {
            return Places::default();
        }
        let place = |(keycode, row): (u8, &[u32])| {
            let keysym = |at| row.get(at).copied().unwrap_or(0);
            let keysyms = [keysym(0), keysym(1), keysym(2), keysym(3)];
            Some(Place { name: name(keysyms), keysyms, keycode: xt_keycode(keycode.checked_sub(ABOVE_KERNEL)?)? })
        };
        Places(rows().filter_map(place).collect())
    }

    /// The place of the key that minifb knows by the keysym `name`, if there it gives `keysym` with no other help than
    /// Shift's. What AltGr or dead keys made can not be told by a place alone: minifb does not tell of those keys.
    pub(super) fn keycode(&self, name: u32, keysym: u32) -> Option<u32> {
        let place = self.0.iter().find(|place| place.name == name)?;
        place.keysyms.contains(&keysym).then_some(place.keycode)
    }
}

/// minifb looks at the keysym without Shift, but for the keypad at the one with it.
fn name([plain, shifted, ..]: [u32; 4]) -> u32 {
    match shifted {
        0xffb0..=0xffb9 | 0xffac | 0xffae | 0xffbd | 0xff8d => shifted,
        _ => plain,
    }
}

/// The XT keycode of a key of Linux (linux/input-event-codes.h): the first ones were numbered after the XT's scancodes.
pub(super) fn xt_keycode(linux: u8) -> Option<u32> {
    Some(match linux {
        1..=83 => linux.into(),
        // The key between Shift and Z; F11, F12.
        86..=88 => linux.into(),
        // Ro, Henkan, Katakana and Hiragana, Muhenkan, Yen.
        89 => 0x73,
        92 => 0x79,
        93 => 0x70,
        94 => 0x7b,
        124 => 0x7d,
        // Enter on the keypad, Control on the right, the keypad's slash, Print, AltGr.
        96 => 0x9c,
        97 => 0x9d,
        98 => 0xb5,
        99 => 0x54,
        100 => 0xb8,
        // Home, up, page up, left, right, end, down, page down, Insert, Delete.
        102 => 0xc7,
        103 => 0xc8,
        104 => 0xc9,
        105 => 0xcb,
        106 => 0xcd,
        107 => 0xcf,
        108 => 0xd0,
        109 => 0xd1,
        110 => 0xd2,
        111 => 0xd3,
        // Pause, Super on either side, Menu.
        119 => 0xc6,
        125 => 0xdb,
        126 => 0xdc,
        127 => 0xdd,
        _ => return None,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A keyboard of three levels on which these keycodes have keysyms.
    pub(in super::super) fn keyboard(keys: &[(u8, [u32; 3])]) -> Places {
        let mut keysyms = vec![0; 3 * 248];
        for (keycode, row) in keys.iter().chain(&[(UP.0, [UP.1, 0, 0])]) {
            keysyms[usize::from(keycode - 8) * 3..][..3].copy_from_slice(row);
        }
        Places::of_x11(8, 3, &keysyms)
    }

    #[test]
    fn a_layout_moves_the_letters_and_not_the_places() {
        // Z and Y of a German keyboard; the keypad's 7; Control on the right.
        let german = [(29, [0x7a, 0x5a, 0]), (52, [0x79, 0x59, 0]), (79, [0xff95, 0xffb7, 0]), (105, [0xffe4, 0, 0])];
        let german = keyboard(&german);
        assert_eq!(german.keycode(0x7a, 0x7a), Some(0x15));
        assert_eq!(german.keycode(0x79, 0x59), Some(0x2c));
        for keysym in [0xff95, 0xffb7] {
            assert_eq!(german.keycode(0xffb7, keysym), Some(0x47));
        }
        assert_eq!(german.keycode(0xffe4, 0xffe4), Some(0x9d));
        assert_eq!(german.keycode(0xff52, 0xff52), Some(0xc8));
        assert_eq!(german.keycode(0x61, 0x61), None);
    }

    #[test]
    fn what_more_than_shift_made_has_no_place() {
        let q = keyboard(&[(24, [0x71, 0x51, 0])]);
        assert_eq!(q.keycode(0x71, 0x51), Some(0x10));
        assert_eq!(q.keycode(0x71, 0x40), None);
    }

    #[test]
    fn other_systems_number_otherwise() {
        let mut keysyms = vec![0; 3 * 248];
        keysyms[(98 - 8) * 3] = UP.1;
        keysyms[(38 - 8) * 3] = 0x61;
        assert!(Places::of_x11(8, 3, &keysyms).0.is_empty());
        assert!(Places::of_x11(8, 0, &[]).0.is_empty());
        assert!(Places::of_x11(200, 1, &[1; 300]).0.is_empty());
    }
}
