//! What the menu offers, and what stands for each of its items.

use super::keys::Chord;
use crate::display::{Abilities, Scaling};
use crate::overlay::{Item, Menu};
use crate::rfb::XvpRequest;

/// What can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Cover the screen, or stop doing so.
    Fullscreen,
    /// Take all keys, or leave some to others.
    Grab,
    /// Keep the pointer, or let it go.
    KeepPointer,
    /// Show the desktop in this way.
    Scaling(Scaling),
    /// Have the whole desktop sent once more, without loss.
    Refresh,
    /// Send nothing, or everything again.
    ViewOnly,
    /// Show how fast all is, or hide it.
    Stats,
    /// Press Ctrl+Alt+Delete there.
    CtrlAltDelete,
    /// Press the key there that opens the menu here.
    MenuKey(u32),
    /// Shut the machine down, or start it again.
    Xvp(XvpRequest),
    /// Try again now.
    Reconnect,
    /// Give up now, and let another program have the screen.
    GiveUp,
    /// End.
    Quit,
}

/// What the menu depends on.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    pub abilities: Abilities,
    pub chord: Chord,
    pub menu_key: Option<u32>,
    pub fullscreen: bool,
    pub grab: bool,
    pub keeps_pointer: bool,
    pub scaling: Scaling,
    pub view_only: bool,
    /// It was so from the beginning, and stays so.
    pub fixed_view: bool,
    pub stats: bool,
    pub xvp: bool,
    /// The desktop is there.
    pub live: bool,
    /// Another attempt is waited for.
    pub waits: bool,
    pub instead: Option<&'a str>,
}

/// The ways of scaling, in the order in which the menu goes through them.
const SCALING: [(Scaling, &str); 5] = [
    (Scaling::Shrink, "shrink to fit"),
    (Scaling::Fit, "fit the window"),
    (Scaling::Fill, "fill the window"),
    (Scaling::Integer, "whole pixels"),
    (Scaling::None, "pixel for pixel"),
];

/// The menu, and the action behind each of its items.
pub fn menu(facts: &Facts<'_>, selected: usize) -> (Menu, Vec<Action>) {
    let chord = |key: &str| format!("{}+{key}", facts.chord.name());
    let at = SCALING.iter().position(|(scaling, _)| *scaling == facts.scaling).unwrap_or(0);
    let next = SCALING[(at + 1) % SCALING.len()].0;
    let (abilities, control) = (facts.abilities, facts.live && !facts.view_only);
    let mut items = Vec::new();
    let mut add = |shown: bool, action: Action, label: &str, hint: String, checked: Option<bool>, enabled: bool| {
        if shown {
            items.push((action, Item { label: label.to_owned(), hint, checked, enabled }));
        }
    };
    let none = String::new;
    add(facts.waits, Action::Reconnect, "Try again now", none(), None, true);
    if let Some(instead) = facts.instead {
        add(!facts.live, Action::GiveUp, &format!("Start {instead} now"), none(), None, true);
    }
    add(abilities.fullscreen, Action::Fullscreen, "Full screen", chord("Enter"), Some(facts.fullscreen), true);
    add(abilities.grab, Action::Grab, "Take all keys", chord("G"), Some(facts.grab), true);
    add(
        abilities.keep_pointer,
        Action::KeepPointer,
        "Keep the pointer inside",
        chord("P"),
        Some(facts.keeps_pointer),
        facts.live,
    );
    let scaling = format!("Scaling: {}", SCALING[at].1);
    add(abilities.scaling, Action::Scaling(next), &scaling, none(), None, true);
    add(true, Action::Refresh, "Refresh, without loss", none(), None, facts.live);
    add(!facts.fixed_view, Action::ViewOnly, "View only", none(), Some(facts.view_only), true);
    add(true, Action::Stats, "Statistics", none(), Some(facts.stats), true);
    add(true, Action::CtrlAltDelete, "Send Ctrl+Alt+Delete", none(), None, control);
    if let Some(key) = facts.menu_key {
        add(true, Action::MenuKey(key), "Send the menu key", none(), None, control);
    }
    add(facts.xvp, Action::Xvp(XvpRequest::Shutdown), "Shut the machine down", none(), None, control);
    add(facts.xvp, Action::Xvp(XvpRequest::Reboot), "Start the machine again", none(), None, control);
    add(facts.xvp, Action::Xvp(XvpRequest::Reset), "Reset the machine at once", none(), None, control);
    add(true, Action::Quit, "Disconnect", none(), None, true);
    let (actions, items): (Vec<_>, Vec<_>) = items.into_iter().unzip();
    (Menu { title: "sshvnc".to_owned(), items, selected }, actions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts<'static> {
        Facts {
            abilities: Abilities { fullscreen: true, grab: true, clipboard: true, keep_pointer: true, scaling: true },
            chord: Chord::default(),
            menu_key: None,
            fullscreen: true,
            grab: false,
            keeps_pointer: false,
            scaling: Scaling::None,
            view_only: false,
            fixed_view: false,
            stats: false,
            xvp: false,
            live: true,
            waits: false,
            instead: Some("openbox"),
        }
    }

    #[test]
    fn it_offers_what_makes_sense_now() {
        let (menu, actions) = menu(&facts(), 0);
        assert_eq!(menu.items.len(), actions.len());
        assert_eq!(actions[0], Action::Fullscreen);
        assert_eq!((menu.items[0].checked, menu.items[0].hint.as_str()), (Some(true), "Ctrl+Alt+Enter"));
        assert!(actions.contains(&Action::Scaling(Scaling::Shrink)) && !actions.contains(&Action::GiveUp));
        let lost = Facts { live: false, waits: true, xvp: true, menu_key: Some(0xffc5), ..facts() };
        let (menu, actions) = super::menu(&lost, 0);
        assert_eq!(actions[..2], [Action::Reconnect, Action::GiveUp]);
        assert_eq!(menu.items[1].label, "Start openbox now");
        let send = actions.iter().position(|action| *action == Action::MenuKey(0xffc5)).unwrap();
        assert!(!menu.items[send].enabled);
        // A front end that can do nothing still ends.
        let bare = Facts { abilities: Abilities::default(), instead: None, ..facts() };
        assert_eq!(super::menu(&bare, 0).1.last(), Some(&Action::Quit));
    }
}
