//! The keys that are down on the server, and as what each was pressed.

use x11rb::protocol::xproto::KeyButMask;

use super::super::{Input, places};
use super::keymap::Keymap;

/// A keyboard.
#[derive(Debug, Default)]
pub(super) struct Keyboard {
    map: Keymap,
    /// Whether the kernel numbered its keys, so that their places are known.
    places: bool,
    held: Vec<Held>,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    key: u8,
    keysym: u32,
    place: Option<u32>,
}

impl Held {
    fn told(self, down: bool) -> Input {
        Input::Key { keysym: self.keysym, keycode: self.place, down }
    }
}

impl Keyboard {
    /// Takes another layout; keys that are down stay what they were.
    pub(super) fn change(&mut self, map: Keymap) {
        let (up, keysym) = places::UP;
        self.places = map.keysym(up, KeyButMask::from(0u16)) == keysym;
        self.map = map;
    }

    /// The layout.
    pub(super) fn map(&self) -> &Keymap {
        &self.map
    }

    /// A key was pressed, or is held and repeats itself.
    pub(super) fn press(&mut self, key: u8, state: KeyButMask) -> Option<Input> {
        if let Some(held) = self.held.iter().find(|held| held.key == key) {
            return Some(held.told(true));
        }
        let keysym = self.map.keysym(key, state);
        let place = key.checked_sub(places::ABOVE_KERNEL).filter(|_| self.places).and_then(places::xt_keycode);
        if keysym == 0 {
            return None;
        }
        let held = Held { key, keysym, place };
        self.held.push(held);
        Some(held.told(true))
    }

    /// A key was released: as what it was pressed, whatever the modifiers are now.
    pub(super) fn release(&mut self, key: u8) -> Option<Input> {
        let at = self.held.iter().position(|held| held.key == key)?;
        Some(self.held.remove(at).told(false))
    }

    /// Releases everything: the window will not be told.
    pub(super) fn release_all(&mut self) -> impl Iterator<Item = Input> {
        self.held.drain(..).rev().map(|held| held.told(false))
    }
}
