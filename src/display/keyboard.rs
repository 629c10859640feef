//! From minifb's keys and characters to keysyms: which were pressed, and the same ones when they are released.

use minifb::Key;

use super::Input;
use super::places::Places;

/// What minifb's callback tells, in its order: a key, then the characters that it gives, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stroke {
    /// A key by its place on an unshifted keyboard; pressed, repeated or released.
    Key(Key, bool),
    /// A character typed, perhaps by several keys together.
    Char(char),
}

/// The keys that are down on the server, and as what each was pressed.
#[derive(Debug, Default)]
pub(super) struct Keyboard {
    held: Vec<Held>,
    /// Where the keys lie, as far as that is known.
    pub(super) places: Places,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    key: Key,
    keysym: u32,
    keycode: Option<u32>,
}

impl Held {
    fn told(self, down: bool) -> Input {
        Input::Key { keysym: self.keysym, keycode: self.keycode, down }
    }
}

/// What a key means.
enum Meaning {
    /// The same keysym, whatever else is pressed; its characters say nothing new.
    Fixed(u32),
    /// A character, which the layout and the modifiers decide; this one without any.
    Printing(char),
    /// On the keypad: the first with NumLock, when it also gives a character, else the second.
    Keypad(u32, u32),
    /// Nothing that could be sent.
    None,
}

const CONTROL: [Key; 2] = [Key::LeftCtrl, Key::RightCtrl];
const SHIFT: [Key; 2] = [Key::LeftShift, Key::RightShift];

impl Keyboard {
    /// What the server is told of `strokes`.
    pub(super) fn inputs(&mut self, strokes: &[Stroke]) -> Vec<Input> {
        let mut inputs = Vec::new();
        let mut strokes = strokes.iter().copied().peekable();
        while let Some(stroke) = strokes.next() {
            match stroke {
                Stroke::Key(key, true) => {
                    let typed = match strokes.peek() {
                        Some(&Stroke::Char(c)) => Some(c),
                        _ => None,
                    };
                    let meaning = meaning(key);
                    if typed.is_some() && !matches!(meaning, Meaning::None) {
                        strokes.next();
                    }
                    inputs.extend(self.press(key, &meaning, typed).map(|held| held.told(true)));
                }
                Stroke::Key(key, false) => {
                    if let Some(at) = self.held.iter().position(|held| held.key == key) {
                        inputs.push(self.held.remove(at).told(false));
                    }
                }
                // From a dead key, an input method or a key without a name: there is no release to wait for.
                Stroke::Char(c) if !c.is_control() => {
                    let told = |down| Input::Key { keysym: keysym_of(c), keycode: None, down };
                    inputs.extend([told(true), told(false)]);
                }
                Stroke::Char(_) => {}
            }
        }
        inputs
    }

    /// Releases everything: the window lost the focus and will not be told of releases.
    pub(super) fn release(&mut self) -> Vec<Input> {
        self.held.drain(..).rev().map(|held| held.told(false)).collect()
    }

    fn press(&mut self, key: Key, meaning: &Meaning, typed: Option<char>) -> Option<Held> {
        // A repeat of a key that is down goes out as it went before.
        if let Some(held) = self.held.iter().find(|held| held.key == key) {
            return Some(*held);
        }
        let down = |keys: [Key; 2]| self.held.iter().any(|held| keys.contains(&held.key));
        let (name, keysym) = match *meaning {
            Meaning::None => return None,
            Meaning::Fixed(keysym) => (keysym, keysym),
            Meaning::Keypad(digit, cursor) => (digit, if typed.is_some() { digit } else { cursor }),
            Meaning::Printing(plain) => {
                let keysym = match typed {
                    Some(c) if !c.is_control() && !down(CONTROL) => keysym_of(c),
                    // With Control the character is a control code: the letter under it is meant.
                    Some(c) if !c.is_control() => keysym_of(c),
                    _ if down(SHIFT) => keysym_of(plain.to_ascii_uppercase()),
                    _ => keysym_of(plain),
                };
                (keysym_of(plain), keysym)
            }
        };
        let held = Held { key, keysym, keycode: self.places.keycode(name, keysym) };
        self.held.push(held);
        Some(held)
    }
}

/// The keysym of a character: its own number in Latin-1, beyond it with a mark in front (X11's keysym encoding).
pub(super) fn keysym_of(c: char) -> u32 {
    match u32::from(c) {
        latin1 @ (0x20..=0x7e | 0xa0..=0xff) => latin1,
        unicode => 0x0100_0000 | unicode,
    }
}

fn meaning(key: Key) -> Meaning {
    use Meaning::{Fixed, Keypad, None, Printing};
    let nth = |first: u32, base: Key| first + (key as u32 - base as u32);
    match key {
        Key::Key0
        | Key::Key1
        | Key::Key2
        | Key::Key3
        | Key::Key4
        | Key::Key5
        | Key::Key6
        | Key::Key7
        | Key::Key8
        | Key::Key9 => Printing(char::from_u32(nth(0x30, Key::Key0)).unwrap_or('0')),
        key if (Key::A..=Key::Z).contains(&key) => Printing(char::from_u32(nth(0x61, Key::A)).unwrap_or('a')),
        key if (Key::F1..=Key::F15).contains(&key) => Fixed(nth(0xffbe, Key::F1)),
        Key::Apostrophe => Printing('\''),
        Key::Backquote => Printing('`'),
        Key::Backslash => Printing('\\'),
        Key::Comma => Printing(','),
        Key::Equal => Printing('='),
        Key::LeftBracket => Printing('['),
        Key::Minus => Printing('-'),
        Key::Period => Printing('.'),
        Key::RightBracket => Printing(']'),
        Key::Semicolon => Printing(';'),
        Key::Slash => Printing('/'),
        Key::Space => Printing(' '),
        Key::Left => Fixed(0xff51),
        Key::Up => Fixed(0xff52),
        Key::Right => Fixed(0xff53),
        Key::Down => Fixed(0xff54),
        Key::PageUp => Fixed(0xff55),
        Key::PageDown => Fixed(0xff56),
        Key::End => Fixed(0xff57),
        Key::Home => Fixed(0xff50),
        Key::Insert => Fixed(0xff63),
        Key::Delete => Fixed(0xffff),
        Key::Backspace => Fixed(0xff08),
        Key::Tab => Fixed(0xff09),
        Key::Enter => Fixed(0xff0d),
        Key::Pause => Fixed(0xff13),
        Key::ScrollLock => Fixed(0xff14),
        Key::Escape => Fixed(0xff1b),
        Key::Menu => Fixed(0xff67),
        Key::NumLock => Fixed(0xff7f),
        Key::CapsLock => Fixed(0xffe5),
        Key::LeftShift => Fixed(0xffe1),
        Key::RightShift => Fixed(0xffe2),
        Key::LeftCtrl => Fixed(0xffe3),
        Key::RightCtrl => Fixed(0xffe4),
        Key::LeftAlt => Fixed(0xffe9),
        Key::RightAlt => Fixed(0xffea),
        Key::LeftSuper => Fixed(0xffeb),
        Key::RightSuper => Fixed(0xffec),
        Key::NumPad0 => Keypad(0xffb0, 0xff9e),
        Key::NumPad1 => Keypad(0xffb1, 0xff9c),
        Key::NumPad2 => Keypad(0xffb2, 0xff99),
        Key::NumPad3 => Keypad(0xffb3, 0xff9b),
        Key::NumPad4 => Keypad(0xffb4, 0xff96),
        Key::NumPad5 => Keypad(0xffb5, 0xff9d),
        Key::NumPad6 => Keypad(0xffb6, 0xff98),
        Key::NumPad7 => Keypad(0xffb7, 0xff95),
        Key::NumPad8 => Keypad(0xffb8, 0xff97),
        Key::NumPad9 => Keypad(0xffb9, 0xff9a),
        Key::NumPadDot => Keypad(0xffae, 0xff9f),
        Key::NumPadSlash => Fixed(0xffaf),
        Key::NumPadAsterisk => Fixed(0xffaa),
        Key::NumPadMinus => Fixed(0xffad),
        Key::NumPadPlus => Fixed(0xffab),
        Key::NumPadEnter => Fixed(0xff8d),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::places;

    fn keys(strokes: &[Stroke]) -> Vec<(u32, bool)> {
        told(&mut Keyboard::default(), strokes)
    }

    fn told(keyboard: &mut Keyboard, strokes: &[Stroke]) -> Vec<(u32, bool)> {
        let inputs = keyboard.inputs(strokes).into_iter();
        inputs
            .map(|input| if let Input::Key { keysym, down, .. } = input { (keysym, down) } else { panic!() })
            .collect()
    }

    #[test]
    fn a_place_goes_along_where_it_says_the_same() {
        use Stroke::{Char, Key as K};
        // Q of a German keyboard, which has @ on its third level.
        let places = places::tests::keyboard(&[(24, [0x71, 0x51, 0]), (50, [0xffe1, 0, 0])]);
        let mut keyboard = Keyboard { places, ..Keyboard::default() };
        let mut told = |strokes: &[Stroke]| -> Vec<(u32, Option<u32>, bool)> {
            let input = |input| match input {
                Input::Key { keysym, keycode, down } => (keysym, keycode, down),
                _ => panic!(),
            };
            keyboard.inputs(strokes).into_iter().map(input).collect()
        };
        let q = |keysym, down| (keysym, Some(0x10), down);
        assert_eq!(told(&[K(Key::Q, true), Char('q'), K(Key::Q, false)]), [q(0x71, true), q(0x71, false)]);
        // The release has the place of its press.
        let strokes = [K(Key::LeftShift, true), K(Key::Q, true), Char('Q'), K(Key::LeftShift, false), K(Key::Q, false)];
        let shift = |down| (0xffe1, Some(0x2a), down);
        assert_eq!(told(&strokes), [shift(true), q(0x51, true), shift(false), q(0x51, false)]);
        assert_eq!(told(&[K(Key::Q, true), Char('@'), K(Key::Q, false)]), [(0x40, None, true), (0x40, None, false)]);
        assert_eq!(told(&[K(Key::A, true), Char('a')]), [(0x61, None, true)]);
        assert_eq!(told(&[Char('é')]), [(0xe9, None, true), (0xe9, None, false)]);
    }

    #[test]
    fn the_layout_decides_and_the_release_is_that_of_the_press() {
        use Stroke::{Char, Key as K};
        // Shift is released before the letter, which stays the capital it was.
        let strokes = [K(Key::LeftShift, true), K(Key::A, true), Char('A'), K(Key::LeftShift, false), K(Key::A, false)];
        let expected = [(0xffe1, true), (0x41, true), (0xffe1, false), (0x41, false)];
        assert_eq!(keys(&strokes), expected);
        // Third level of a German layout; and Cyrillic.
        assert_eq!(keys(&[K(Key::Q, true), Char('@'), K(Key::Q, false)]), [(0x40, true), (0x40, false)]);
        assert_eq!(keys(&[K(Key::F, true), Char('ф')]), [(0x0100_0444, true)]);
        assert_eq!(keys(&[K(Key::E, true), Char('é')]), [(0xe9, true)]);
    }

    #[test]
    fn control_codes_stand_for_their_letter() {
        use Stroke::{Char, Key as K};
        let strokes = [K(Key::LeftCtrl, true), K(Key::C, true), Char('\u{3}'), K(Key::C, false)];
        assert_eq!(keys(&strokes), [(0xffe3, true), (0x63, true), (0x63, false)]);
        let strokes = [K(Key::LeftCtrl, true), K(Key::RightShift, true), K(Key::C, true), Char('\u{3}')];
        assert_eq!(keys(&strokes), [(0xffe3, true), (0xffe2, true), (0x43, true)]);
        assert_eq!(keys(&[K(Key::Enter, true), Char('\r'), K(Key::Enter, false)]), [(0xff0d, true), (0xff0d, false)]);
        assert_eq!(keys(&[K(Key::Delete, true), Char('\u{7f}')]), [(0xffff, true)]);
    }

    #[test]
    fn the_keypad_obeys_num_lock() {
        use Stroke::{Char, Key as K};
        assert_eq!(
            keys(&[K(Key::NumPad4, true), Char('4'), K(Key::NumPad4, false)]),
            [(0xffb4, true), (0xffb4, false)]
        );
        assert_eq!(keys(&[K(Key::NumPad4, true), K(Key::NumPad4, false)]), [(0xff96, true), (0xff96, false)]);
    }

    #[test]
    fn repeats_are_presses_and_lost_focus_releases_everything() {
        use Stroke::{Char, Key as K};
        let mut keyboard = Keyboard::default();
        let strokes = [K(Key::A, true), Char('a'), K(Key::A, true), Char('a'), K(Key::LeftAlt, true)];
        assert_eq!(told(&mut keyboard, &strokes), [(0x61, true), (0x61, true), (0xffe9, true)]);
        let released = keyboard.release();
        assert_eq!(released.len(), 2);
        assert!(told(&mut keyboard, &[K(Key::A, false)]).is_empty());
    }

    #[test]
    fn characters_without_a_key_are_typed_at_once() {
        use Stroke::{Char, Key as K};
        assert_eq!(keys(&[Char('€')]), [(0x0100_20ac, true), (0x0100_20ac, false)]);
        // A dead key is no key for minifb; the letter after it comes composed, and its release belongs to it.
        assert_eq!(keys(&[K(Key::A, true), Char('á'), K(Key::A, false)]), [(0xe1, true), (0xe1, false)]);
        assert!(keys(&[K(Key::Unknown, true), K(Key::A, false), Char('\u{1b}')]).is_empty());
    }
}
