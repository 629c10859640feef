//! What each key gives: the keysym of a keycode in a group and with modifiers, as XKB has it.

use x11rb::connection::Connection;
use x11rb::errors::ReplyError;
use x11rb::protocol::xkb::{
    BoolCtrl, ConnectionExt as _, EventType, ID, KTMapEntry, KeySymMap, KeyType, MapPart, PerClientFlag,
    SelectEventsAux, VMod,
};
use x11rb::protocol::xproto::{ConnectionExt as _, KeyButMask, ModMask};
use xkeysym::Keysym;

use super::super::Error;
use super::server::{Server, lost};

/// A keyboard's layout.
#[derive(Debug, Default)]
pub(super) struct Keymap {
    first: u8,
    types: Vec<KeyType>,
    keys: Vec<KeySymMap>,
}

/// Has the server tell of changes, and of a held key as pressed again and again. False if it can not do the latter.
pub(super) fn subscribe(server: &Server) -> Result<bool, Error> {
    if !server.xkb {
        return Ok(false);
    }
    let keyboard = ID::USE_CORE_KBD.into();
    let changes = EventType::NEW_KEYBOARD_NOTIFY | EventType::MAP_NOTIFY;
    let parts = MapPart::KEY_TYPES | MapPart::KEY_SYMS;
    let connection = &server.connection;
    connection
        .xkb_select_events(keyboard, EventType::from(0u8), changes, parts, parts, &SelectEventsAux::new())
        .map_err(lost)?;
    let (repeat, none) = (PerClientFlag::DETECTABLE_AUTO_REPEAT, BoolCtrl::from(0u8));
    match connection.xkb_per_client_flags(keyboard, repeat, repeat, none, none, none).map_err(lost)?.reply() {
        Ok(flags) => Ok(u32::from(flags.value) & u32::from(repeat) != 0),
        Err(ReplyError::X11Error(_)) => Ok(false),
        Err(error) => Err(lost(error)),
    }
}

impl Keymap {
    /// The layout as it is now.
    pub(super) fn read(server: &Server) -> Result<Keymap, Error> {
        if server.xkb {
            let parts = MapPart::KEY_TYPES | MapPart::KEY_SYMS;
            let (keyboard, none) = (ID::USE_CORE_KBD.into(), MapPart::from(0u8));
            let asked = server
                .connection
                .xkb_get_map(keyboard, parts, none, 0, 0, 0, 0, 0, 0, 0, 0, VMod::from(0u8), 0, 0, 0, 0, 0, 0)
                .map_err(lost)?;
            match asked.reply() {
                Ok(map) => {
                    let (types, keys) = (map.map.types_rtrn.unwrap_or_default(), map.map.syms_rtrn.unwrap_or_default());
                    return Ok(Keymap { first: map.first_key_sym, types, keys });
                }
                Err(ReplyError::X11Error(error)) => tracing::debug!("no XKB map: {error:?}"),
                Err(error) => return Err(lost(error)),
            }
        }
        let setup = server.connection.setup();
        let first = setup.min_keycode;
        let count = setup.max_keycode.saturating_sub(first).saturating_add(1);
        let map = server.connection.get_keyboard_mapping(first, count).map_err(lost)?.reply().map_err(lost)?;
        Ok(Keymap::of_core(first, map.keysyms_per_keycode, &map.keysyms))
    }

    /// The layout of a server without XKB: two groups, of which each has a level for Shift, and Lock makes capitals
    /// (X Window System Protocol, "Keyboards").
    fn of_core(first: u8, width: u8, keysyms: &[u32]) -> Keymap {
        let shift = |mods| KTMapEntry { active: true, mods_mask: mods, level: 1, ..KTMapEntry::default() };
        let two_levels = |mask: ModMask, mods: &[ModMask]| KeyType {
            mods_mask: mask,
            num_levels: 2,
            map: mods.iter().copied().map(shift).collect(),
            ..KeyType::default()
        };
        let plain = two_levels(ModMask::SHIFT, &[ModMask::SHIFT]);
        let letters = two_levels(ModMask::SHIFT | ModMask::LOCK, &[ModMask::SHIFT, ModMask::LOCK]);
        let key = |row: &[u32]| {
            let at = |column: usize| row.get(column).copied().unwrap_or(0);
            // One that says nothing of Shift means a letter and its capital, or the same with Shift as without.
            let group = |column: usize| match (at(column), at(column + 1)) {
                (plain, 0) => [plain, capital(plain).unwrap_or(plain)],
                (plain, shifted) => [plain, shifted],
            };
            let (main, other) = (group(0), group(2));
            let groups: u8 = if other[0] == 0 { 1 } else { 2 };
            let syms = if groups == 1 { main.to_vec() } else { [main, other].concat() };
            let kind = |group: [u32; 2]| u8::from(capital(group[0]) == Some(group[1]));
            KeySymMap { kt_index: [kind(main), kind(other), 0, 0], group_info: groups, width: 2, syms }
        };
        let keys = keysyms.chunks_exact(usize::from(width).max(1)).map(key).collect();
        Keymap { first, types: vec![plain, letters], keys }
    }

    /// What a key gives while this is the state of modifiers and group; 0 for nothing.
    pub(super) fn keysym(&self, keycode: u8, state: KeyButMask) -> u32 {
        let Some(key) = keycode.checked_sub(self.first).and_then(|at| self.keys.get(usize::from(at))) else { return 0 };
        let groups = key.group_info & 0x0f;
        if groups == 0 {
            return 0;
        }
        // Bits 13 and 14 of an event's state are the group; what a key does about one that it does not have are the
        // upper bits of its own (The X Keyboard Extension, §12.2).
        let state = u16::from(state);
        let group = (state >> 13 & 3) as u8;
        let group = match key.group_info & 0xc0 {
            _ if group < groups => group,
            0x40 => groups - 1,
            0x80 => Some(key.group_info >> 4 & 3).filter(|&group| group < groups).unwrap_or(0),
            _ => group % groups,
        };
        let kind = key.kt_index.get(usize::from(group)).and_then(|&kind| self.types.get(usize::from(kind)));
        let (level, consumed) = kind.map_or((0, 0), |kind| {
            let mask = u16::from(kind.mods_mask);
            let fits = |entry: &KTMapEntry| entry.active && u16::from(entry.mods_mask) == state & 0xff & mask;
            let Some(at) = kind.map.iter().position(fits) else { return (0, mask) };
            let preserved = kind.preserve.get(at).map_or(0, |preserved| u16::from(preserved.mask));
            (kind.map.get(at).map_or(0, |entry| entry.level), mask & !preserved)
        });
        let at = usize::from(group) * usize::from(key.width) + usize::from(level);
        let keysym = key.syms.get(at).copied().unwrap_or(0);
        // Lock makes capitals of what it has not chosen (The X Keyboard Extension, §12.1.3).
        let capitals = state & u16::from(ModMask::LOCK) & !consumed != 0;
        if capitals { in_capitals(keysym) } else { keysym }
    }
}

/// The capital of a letter of any alphabet, where one letter has one; others are their own.
fn in_capitals(keysym: u32) -> u32 {
    let Some(letter) = Keysym::new(keysym).key_char().filter(|c| c.is_lowercase()) else { return keysym };
    let mut capital = letter.to_uppercase();
    match (capital.next(), capital.next()) {
        (Some(capital), None) if capital != letter => Keysym::from_char(capital).raw(),
        _ => keysym,
    }
}

/// The capital of a Latin-1 letter.
fn capital(keysym: u32) -> Option<u32> {
    match keysym {
        0x61..=0x7a | 0xe0..=0xf6 | 0xf8..=0xfe => Some(keysym - 0x20),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use x11rb::protocol::xkb::ModDef;

    use super::*;

    const SHIFT: u16 = 1;
    const LOCK: u16 = 2;
    const GROUP_2: u16 = 1 << 13;

    fn state(bits: u16) -> KeyButMask {
        KeyButMask::from(bits)
    }

    #[test]
    fn a_server_without_xkb_has_shift_lock_and_two_groups() {
        // A letter, a digit, a letter of which only the small one is told, and a key that also has Greek.
        let rows = [[0x61, 0x41, 0, 0], [0x31, 0x21, 0, 0], [0x62, 0, 0, 0], [0x67, 0x47, 0x7e3, 0x7c3], [0; 4]];
        let map = Keymap::of_core(10, 4, &rows.concat());
        let given = |keycode, bits| map.keysym(keycode, state(bits));
        assert_eq!([given(10, 0), given(10, SHIFT), given(10, LOCK), given(10, 0x4)], [0x61, 0x41, 0x41, 0x61]);
        assert_eq!([given(11, 0), given(11, SHIFT), given(11, LOCK)], [0x31, 0x21, 0x31]);
        assert_eq!([given(12, 0), given(12, SHIFT)], [0x62, 0x42]);
        assert_eq!([given(13, 0), given(13, GROUP_2), given(13, GROUP_2 | SHIFT)], [0x67, 0x7e3, 0x7c3]);
        // Keys that have one group give it in the other, too.
        assert_eq!(given(10, GROUP_2 | SHIFT), 0x41);
        assert_eq!([given(14, 0), given(9, 0), given(200, 0)], [0; 3]);
    }

    #[test]
    fn lock_makes_capitals_where_the_type_of_a_key_does_not_use_it() {
        let modifiers = |mask: u8| ModMask::from(u16::from(mask));
        let entry =
            |mods: u8, level| KTMapEntry { active: true, mods_mask: modifiers(mods), level, ..KTMapEntry::default() };
        let kept = |mask: u8| ModDef { mask: modifiers(mask), ..ModDef::default() };
        // TWO_LEVEL, ALPHABETIC, and one that chooses by Lock only without the fifth modifier.
        let types = [
            KeyType { mods_mask: modifiers(1), map: vec![entry(1, 1)], ..KeyType::default() },
            KeyType { mods_mask: modifiers(3), map: vec![entry(1, 1), entry(2, 1)], ..KeyType::default() },
            KeyType {
                mods_mask: modifiers(0x82),
                map: vec![entry(2, 1), entry(0x80, 1), entry(0x82, 1)],
                has_preserve: true,
                preserve: vec![kept(0), kept(0), kept(2)],
                ..KeyType::default()
            },
        ];
        let key =
            |kind, syms: [u32; 2]| KeySymMap { kt_index: [kind; 4], group_info: 1, width: 2, syms: syms.to_vec() };
        let keys = [
            key(0, [0xe9, 0x32]),
            key(0, [0xfc, 0xe8]),
            key(1, [0x61, 0x41]),
            key(2, [0x61, 0x62]),
            // Letters of other tables, a letter without a capital, a dead key.
            key(0, [0x7e1, 0xff]),
            key(0, [0x6c8, 0xdf]),
            key(0, [0x0100_0180, 0xfe52]),
        ];
        let map = Keymap { first: 8, types: types.to_vec(), keys: keys.to_vec() };
        let given = |keycode, bits| map.keysym(keycode, state(bits));
        let both = |keycode| [given(keycode, LOCK), given(keycode, SHIFT | LOCK)];
        assert_eq!([both(8), both(9), both(10)], [[0xc9, 0x32], [0xdc, 0xc8], [0x41, 0x61]]);
        assert_eq!([given(11, 0), given(11, LOCK), given(11, 0x80), given(11, 0x82)], [0x61, 0x62, 0x62, 0x42]);
        assert_eq!([both(12), both(13), both(14)], [[0x7c1, 0x13be], [0x6e8, 0xdf], [0x0100_0243, 0xfe52]]);
    }

    #[test]
    fn a_type_says_which_modifiers_lead_to_which_level() {
        // Shift and the fifth modifier choose among four levels; Lock is none of its.
        let entry =
            |mods: u8, level| KTMapEntry { active: true, mods_mask: mods.into(), level, ..KTMapEntry::default() };
        let kind = KeyType {
            mods_mask: 0x81u8.into(),
            num_levels: 4,
            map: vec![entry(1, 1), entry(0x80, 2), entry(0x81, 3)],
            ..KeyType::default()
        };
        let key = |group_info, groups: usize| KeySymMap {
            kt_index: [0; 4],
            group_info,
            width: 4,
            syms: (1..=4 * groups as u32).collect(),
        };
        let map = Keymap { first: 8, types: vec![kind], keys: vec![key(1, 1), key(0x42, 2), key(0x92, 2), key(2, 2)] };
        let given = |keycode, bits| map.keysym(keycode, state(bits));
        assert_eq!([given(8, 0), given(8, 1), given(8, 0x80), given(8, 0x81), given(8, 0x82)], [1, 2, 3, 4, 3]);
        // The fourth group of two: the last, the one named, or around again.
        let fourth = 3 << 13;
        assert_eq!([given(9, fourth), given(10, fourth), given(11, fourth), given(11, 2 << 13)], [5, 5, 5, 1]);
    }
}
