//! The locks of the keyboard here, set to what they are on the server. No key is struck for that, so nothing comes back.

use x11rb::errors::ReplyError;
use x11rb::protocol::xkb::{ConnectionExt as _, Group, ID};
use x11rb::protocol::xproto::{ConnectionExt as _, KeyButMask, ModMask};

use super::super::{Error, Locks};
use super::keymap::Keymap;
use super::server::{Server, lost};

const NUM_LOCK: u32 = 0xff7f;
const SCROLL_LOCK: u32 = 0xff14;

/// Sets those locks that differ and that this keyboard has.
pub(super) fn set(server: &Server, map: &Keymap, locks: Locks) -> Result<(), Error> {
    if !server.xkb {
        return Ok(());
    }
    let connection = &server.connection;
    let keyboard = ID::USE_CORE_KBD.into();
    let state = match connection.xkb_get_state(keyboard).map_err(lost)?.reply() {
        Ok(state) => state,
        Err(ReplyError::X11Error(_)) => return Ok(()),
        Err(error) => return Err(lost(error)),
    };
    let keys = connection.get_modifier_mapping().map_err(lost)?.reply().map_err(lost)?;
    // The keys of Shift, Lock, Control and Mod1 to Mod5, as many for each.
    let width = usize::from(keys.keycodes_per_modifier()).max(1);
    let modifier = |lock: u32| {
        let gives = |&key: &u8| key != 0 && map.keysym(key, KeyButMask::from(0u16)) == lock;
        let at = keys.keycodes.chunks_exact(width).position(|keys| keys.iter().any(gives))?;
        1u16.checked_shl(at as u32)
    };
    let caps = Some(u16::from(ModMask::LOCK));
    let wanted = [(caps, locks.caps), (modifier(NUM_LOCK), locks.num), (modifier(SCROLL_LOCK), locks.scroll)];
    let locked = u16::from(state.locked_mods);
    let (mut differ, mut on) = (0, 0);
    for (bit, wanted) in wanted.into_iter().filter_map(|(bit, wanted)| Some((bit?, wanted))) {
        if (locked & bit != 0) != wanted {
            differ |= bit;
            on |= if wanted { bit } else { 0 };
        }
    }
    if differ == 0 {
        return Ok(());
    }
    let none = ModMask::from(0u16);
    connection
        .xkb_latch_lock_state(keyboard, differ.into(), on.into(), false, Group::from(0u8), none, false, 0)
        .map(drop)
        .map_err(lost)
}
