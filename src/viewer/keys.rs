//! The keyboard's way to the server, and the chords on it that are meant for the viewer. Pure.

/// Modifiers of which all are held makes the next key the viewer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chord {
    ctrl: bool,
    alt: bool,
    shift: bool,
    super_: bool,
}

/// What the viewer's own keys are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hotkeys {
    /// Held with M, Enter, G or P.
    pub chord: Chord,
    /// A keysym that opens the menu alone.
    pub menu_key: Option<u32>,
}

/// What a chord asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// M, or the menu key.
    Menu,
    /// Enter.
    Fullscreen,
    /// G.
    Grab,
    /// P.
    KeepPointer,
}

/// A key that goes to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// X11 keysym.
    pub keysym: u32,
    /// XT keycode, if its place is known.
    pub keycode: Option<u32>,
    /// Pressed, or released.
    pub down: bool,
}

/// What becomes of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meant {
    /// It goes to the server.
    There(Key),
    /// It goes to what is drawn over the desktop.
    Here(Key),
    /// The viewer was meant. These releases go to the server first.
    Command(Command, Vec<Key>),
    /// It is the rest of something that is over.
    Nothing,
}

/// The keys that are down.
#[derive(Debug, Default)]
pub struct Keys {
    hotkeys: Hotkeys,
    /// In the order in which they were pressed.
    held: Vec<(Key, Heard)>,
}

/// Who heard of a key that is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Server,
    Overlay,
    /// Nobody, or not any more: its repetitions and its release are nobody's.
    Nobody,
}

impl Default for Chord {
    fn default() -> Chord {
        Chord { ctrl: true, alt: true, shift: false, super_: false }
    }
}

impl Chord {
    /// Reads `ctrl+alt` and the like: two modifiers at least, since one alone is what programs use.
    ///
    /// # Errors
    /// What would be possible.
    pub fn parse(text: &str) -> Result<Chord, String> {
        let mut chord = Chord { ctrl: false, alt: false, shift: false, super_: false };
        let mut count = 0;
        for word in text.split('+') {
            let modifier = match word.trim().to_ascii_lowercase().as_str() {
                "ctrl" | "control" => &mut chord.ctrl,
                "alt" => &mut chord.alt,
                "shift" => &mut chord.shift,
                "super" | "win" => &mut chord.super_,
                _ => return Err("two or more of ctrl, alt, shift and super are possible, such as ctrl+alt".to_owned()),
            };
            count += u32::from(!std::mem::replace(modifier, true));
        }
        (count >= 2).then_some(chord).ok_or_else(|| "two modifiers at least are needed, such as ctrl+alt".to_owned())
    }

    /// Its modifiers, as they are typed.
    pub fn name(self) -> String {
        let all = [(self.ctrl, "Ctrl"), (self.alt, "Alt"), (self.shift, "Shift"), (self.super_, "Super")];
        let names: Vec<&str> = all.into_iter().filter(|(held, _)| *held).map(|(_, name)| name).collect();
        names.join("+")
    }

    /// Whether these keys, and no other modifier of the four, are down.
    fn is_held(self, keys: &[(Key, Heard)]) -> bool {
        let held = |either: [u32; 3]| keys.iter().any(|(key, _)| either.contains(&key.keysym));
        let now = Chord {
            ctrl: held([0xffe3, 0xffe4, 0]),
            // Alt with Shift is Meta on many keyboards.
            alt: held([0xffe9, 0xffea, 0]) || held([0xffe7, 0xffe8, 0]),
            shift: held([0xffe1, 0xffe2, 0]),
            super_: held([0xffeb, 0xffec, 0]),
        };
        now == self
    }
}

impl Command {
    /// By its letter, or by the letter's place where the layout has another there.
    fn of(key: Key) -> Option<Command> {
        Some(match (key.keysym, key.keycode) {
            (0x6d | 0x4d, _) => Command::Menu,
            (0xff0d | 0xff8d, _) => Command::Fullscreen,
            (0x67 | 0x47, _) => Command::Grab,
            (0x70 | 0x50, _) => Command::KeepPointer,
            // Letters of the alphabet would have been meant as such.
            (0x20..=0x7e, _) => return None,
            (_, Some(0x32)) => Command::Menu,
            (_, Some(0x1c)) => Command::Fullscreen,
            (_, Some(0x22)) => Command::Grab,
            (_, Some(0x19)) => Command::KeepPointer,
            _ => return None,
        })
    }
}

impl Keys {
    /// Nothing is down yet.
    pub fn new(hotkeys: Hotkeys) -> Keys {
        Keys { hotkeys, ..Keys::default() }
    }

    /// A key was pressed, repeated or released here, while keys go to the server (`there`) or to what is drawn over it.
    pub fn meant(&mut self, key: Key, there: bool) -> Meant {
        let at = self.held.iter().position(|(held, _)| same(held, &key));
        let before = at.and_then(|at| self.held.get(at)).map(|&(_, heard)| heard);
        let heard = match before {
            Some(Heard::Server) if !key.down => {
                self.held.retain(|(held, _)| !same(held, &key));
                return Meant::There(key);
            }
            _ if !key.down => {
                self.held.retain(|(held, _)| !same(held, &key));
                return Meant::Nothing;
            }
            Some(heard) => heard,
            None => {
                if let Some(command) = self.command(key) {
                    let releases = self.release();
                    self.held.push((key, Heard::Nobody));
                    return Meant::Command(command, releases);
                }
                let heard = if there { Heard::Server } else { Heard::Overlay };
                self.held.push((key, heard));
                heard
            }
        };
        match heard {
            Heard::Server if there => Meant::There(key),
            Heard::Overlay if !there => Meant::Here(key),
            Heard::Server | Heard::Overlay | Heard::Nobody => Meant::Nothing,
        }
    }

    fn command(&self, key: Key) -> Option<Command> {
        match self.hotkeys {
            Hotkeys { menu_key, .. } if menu_key == Some(key.keysym) => Some(Command::Menu),
            Hotkeys { chord, .. } if chord.is_held(&self.held) => Command::of(key),
            _ => None,
        }
    }

    /// Whether a modifier is held that makes commands of letters.
    pub fn holds_command(&self) -> bool {
        self.held.iter().any(|(key, _)| matches!(key.keysym, 0xffe3 | 0xffe4 | 0xffe7..=0xffec))
    }

    /// Whether a key pressed now asks for what was copied: Ctrl+V, or Shift+Insert.
    pub fn is_paste(&self, key: Key) -> bool {
        let held = |either: [u32; 2]| self.held.iter().any(|(key, _)| either.contains(&key.keysym));
        matches!(key.keysym, 0x56 | 0x76) && held([0xffe3, 0xffe4]) || key.keysym == 0xff63 && held([0xffe1, 0xffe2])
    }

    /// Nobody is to hear of the keys that are down any more: their releases for the server, the last pressed first.
    pub fn release(&mut self) -> Vec<Key> {
        let held = self.held.iter_mut().rev();
        let told = held.filter_map(|(key, heard)| {
            let before = std::mem::replace(heard, Heard::Nobody);
            (before == Heard::Server).then_some(Key { down: false, ..*key })
        });
        told.collect()
    }
}

fn same(one: &Key, other: &Key) -> bool {
    (one.keysym, one.keycode) == (other.keysym, other.keycode)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CTRL: Key = Key { keysym: 0xffe3, keycode: Some(0x1d), down: true };
    const ALT: Key = Key { keysym: 0xffe9, keycode: Some(0x38), down: true };
    const M: Key = Key { keysym: 0x6d, keycode: Some(0x32), down: true };

    fn up(key: Key) -> Key {
        Key { down: false, ..key }
    }

    #[test]
    fn the_chord_is_the_viewers_and_leaves_no_key_down() {
        let mut keys = Keys::new(Hotkeys::default());
        assert_eq!(keys.meant(CTRL, true), Meant::There(CTRL));
        assert_eq!(keys.meant(ALT, true), Meant::There(ALT));
        assert_eq!(keys.meant(M, true), Meant::Command(Command::Menu, vec![up(ALT), up(CTRL)]));
        // Repetitions and releases in whatever order.
        for key in [M, ALT, up(CTRL), M, up(M), up(ALT)] {
            assert_eq!(keys.meant(key, true), Meant::Nothing);
        }
        assert_eq!(keys.meant(M, true), Meant::There(M));
        assert_eq!(keys.meant(M, true), Meant::There(M));
        assert_eq!(keys.meant(up(M), true), Meant::There(up(M)));
    }

    #[test]
    fn what_was_pressed_over_the_desktop_is_never_told_there() {
        let mut keys = Keys::new(Hotkeys::default());
        keys.meant(CTRL, true);
        assert_eq!(keys.meant(M, false), Meant::Here(M));
        assert_eq!(keys.meant(M, false), Meant::Here(M));
        // What it did has closed the menu.
        assert_eq!(keys.meant(M, true), Meant::Nothing);
        assert_eq!(keys.meant(up(M), true), Meant::Nothing);
        assert_eq!(keys.meant(CTRL, false), Meant::Nothing);
        assert_eq!(keys.release(), [up(CTRL)]);
        assert_eq!(keys.release(), []);
        assert_eq!(keys.meant(up(CTRL), true), Meant::Nothing);
    }

    #[test]
    fn one_chord_may_follow_the_other() {
        let enter = Key { keysym: 0xff0d, keycode: Some(0x1c), down: true };
        let mut keys = Keys::new(Hotkeys::default());
        keys.meant(CTRL, true);
        keys.meant(ALT, true);
        keys.meant(enter, true);
        keys.meant(up(enter), true);
        assert_eq!(keys.meant(M, true), Meant::Command(Command::Menu, vec![]));
    }

    #[test]
    fn other_modifiers_and_other_letters_pass() {
        let shift = Key { keysym: 0xffe1, keycode: Some(0x2a), down: true };
        let delete = Key { keysym: 0xffff, keycode: Some(0xd3), down: true };
        let mut keys = Keys::new(Hotkeys::default());
        for key in [CTRL, ALT, delete, up(delete), shift, M] {
            assert_eq!(keys.meant(key, true), Meant::There(key));
        }
        let mut keys = Keys::new(Hotkeys { chord: Chord::parse("Super+shift").unwrap(), menu_key: Some(0xffc5) });
        for key in [CTRL, ALT, M] {
            assert_eq!(keys.meant(key, true), Meant::There(key));
        }
        let f8 = Key { keysym: 0xffc5, keycode: None, down: true };
        assert_eq!(keys.meant(f8, true), Meant::Command(Command::Menu, vec![up(M), up(ALT), up(CTRL)]));
    }

    #[test]
    fn a_letter_of_another_alphabet_counts_by_its_place() {
        let soft_sign = Key { keysym: 0x6d8, keycode: Some(0x32), down: true };
        let comma_where_m_was = Key { keysym: 0x2c, keycode: Some(0x32), down: true };
        let mut keys = Keys::new(Hotkeys::default());
        keys.meant(CTRL, true);
        keys.meant(ALT, true);
        assert_eq!(keys.meant(comma_where_m_was, true), Meant::There(comma_where_m_was));
        assert!(matches!(keys.meant(soft_sign, true), Meant::Command(Command::Menu, _)));
    }

    #[test]
    fn chords_are_read_and_named() {
        assert_eq!(Chord::parse("ctrl+alt"), Ok(Chord::default()));
        assert_eq!(Chord::parse("Alt+Shift+Control").map(Chord::name), Ok("Ctrl+Alt+Shift".to_owned()));
        for wrong in ["", "ctrl", "ctrl+ctrl", "ctrl+x", "ctrl+"] {
            assert!(Chord::parse(wrong).is_err(), "{wrong}");
        }
    }
}
