//! What the user does: for the server, for what is drawn over the desktop, or for the window.

use std::time::Instant;

use super::Viewer;
use super::asking::Typed;
use super::keys::{Command, Key, Meant};
use super::menu::Action;
use super::over::Did;
use super::stats::Meter;
use super::supervisor::{Happened, State};
use crate::display::{Grab, Input};
use crate::session::UserInput;

/// Said of what this front end does not do.
const UNABLE: &str = "This window can not do that";

impl Viewer<'_, '_> {
    /// The user did something.
    pub(super) fn did(&mut self, input: Input) {
        match input {
            Input::Key { keysym, keycode, down } => match self.meant(Key { keysym, keycode, down }) {
                Meant::Here(key) => {
                    let paste = self.keys.is_paste(key);
                    let text = self.clipboard.as_deref().unwrap_or_default();
                    let typed = match paste {
                        true => Typed::Text(text),
                        false if self.keys.holds_command() => Typed::Nothing,
                        false => Typed::Letter,
                    };
                    let did = self.over.key(key.keysym, typed, Instant::now());
                    self.chose(did);
                }
                Meant::There(key) => self.key(key),
                Meant::Command(command, releases) => {
                    releases.into_iter().for_each(|key| self.key(key));
                    self.command(command);
                }
                Meant::Nothing => {}
            },
            Input::Pointer { at, buttons, .. } if self.over.is_modal() => {
                self.pointer.here(buttons);
                let did = self.over.pointer(at, buttons, Instant::now());
                self.chose(did);
            }
            Input::Pointer { x, y, buttons, .. } => {
                let buttons = self.pointer.there(buttons);
                self.follow.told(Instant::now());
                self.send(UserInput::Pointer { x, y, buttons });
            }
            Input::Focus(focused) => {
                self.focused = focused;
                if !focused && self.keeps_pointer {
                    // It is let go, and whoever gets it then hears of what is released.
                    self.release_buttons();
                }
            }
            Input::Clipboard(text) => {
                self.clipboard = Some(text);
                self.tell_clipboard();
            }
            // It is not the latest any more.
            Input::ClipboardTaken => self.clipboard = None,
            // Without a desktop nobody is there to be asked.
            Input::Room(room) if self.desktop.is_some() => {
                let wanted = self.best_size.has(room, Instant::now());
                self.resize_there(wanted);
            }
            Input::Motion { buttons, .. } if self.over.is_modal() => self.pointer.here(buttons),
            Input::Motion { dx, dy, buttons } => {
                let buttons = self.pointer.there(buttons);
                self.send(UserInput::Motion { dx, dy, buttons });
            }
            Input::Room(_) | Input::Close => {}
        }
    }

    pub(super) fn meant(&mut self, key: Key) -> Meant {
        self.keys.meant(key, !self.over.is_modal())
    }

    pub(super) fn key(&self, Key { keysym, keycode, down }: Key) {
        self.send(UserInput::Key { keysym, keycode, down });
    }

    /// Presses keys there one after the other, and releases them the other way round.
    pub(super) fn press(&self, keysyms: &[u32]) {
        let key = |keysym, down| self.key(Key { keysym, keycode: None, down });
        keysyms.iter().for_each(|&keysym| key(keysym, true));
        keysyms.iter().rev().for_each(|&keysym| key(keysym, false));
    }

    pub(super) fn send(&self, input: UserInput) {
        if !self.options.view_only {
            self.line.send(input);
        }
    }

    /// Moves the pointer where the server has it, unless it is somebody's who does something else with it.
    pub(super) fn follow_pointer(&mut self, now: Instant) {
        let others = self.options.view_only || self.over.is_modal() || !self.focused;
        if let Some((x, y)) = self.follow.due(now).filter(|_| !others) {
            self.display.move_pointer(x, y);
        }
    }

    /// Tells the server what was copied here last, at once or when it is told anything again.
    pub(super) fn tell_clipboard(&mut self) {
        self.untold = self.options.view_only;
        if let Some(text) = self.clipboard.clone() {
            self.send(UserInput::Clipboard(text));
        }
    }

    /// No server knows of the keys and buttons that are down.
    pub(super) fn forget_held(&mut self) {
        self.keys.release();
        self.pointer.release();
    }

    /// The server is told of no key that is down from now on.
    pub(super) fn release_keys(&mut self) {
        for key in self.keys.release() {
            self.key(key);
        }
    }

    /// The server is told of no button that is down from now on.
    pub(super) fn release_buttons(&mut self) {
        if self.pointer.release() {
            // Where it is, which the server knows better while the pointer is kept.
            self.send(UserInput::Motion { dx: 0, dy: 0, buttons: 0 });
        }
    }

    pub(super) fn command(&mut self, command: Command) {
        match command {
            Command::Menu => {
                // The keys and the pointer are for the menu now.
                self.release_buttons();
                self.set_keeping(false);
                self.over.toggle_menu();
            }
            Command::Fullscreen => self.act(Action::Fullscreen),
            Command::Grab => self.act(Action::Grab),
            Command::KeepPointer => self.act(Action::KeepPointer),
        }
    }

    pub(super) fn chose(&mut self, did: Did) {
        match did {
            Did::Nothing => {}
            Did::Chose(action) => self.act(action),
            Did::Answered(question, answer) => {
                self.line.answers().hear(&question.kind, &answer);
                let _ = question.reply.send(answer);
            }
        }
    }

    pub(super) fn act(&mut self, action: Action) {
        let abilities = self.display.abilities();
        match action {
            Action::Fullscreen if !abilities.fullscreen => self.notice(UNABLE),
            Action::Grab if !abilities.grab => self.notice(UNABLE),
            Action::KeepPointer if !abilities.keep_pointer => self.notice(UNABLE),
            Action::Fullscreen => {
                let fullscreen = self.display.room().is_some_and(|room| room.fullscreen);
                self.options.window.iter_mut().for_each(|wish| wish.fullscreen = !fullscreen);
                self.display.set_fullscreen(!fullscreen);
            }
            Action::Grab => {
                let grab = !self.takes_keys();
                self.grabs = Some(grab);
                self.display.set_grab(grab);
                self.notice(if grab { "All keys go to the desktop" } else { "Some keys stay here" });
            }
            Action::KeepPointer => self.set_keeping(!self.keeps_pointer && self.line.state() == State::Live),
            Action::Scaling(scaling) => {
                self.scaling = scaling;
                self.display.set_scaling(scaling);
            }
            Action::Refresh => self.line.session().refresh(),
            Action::ViewOnly => {
                self.release_keys();
                self.options.view_only = !self.options.view_only;
                if self.untold && !self.options.view_only {
                    self.tell_clipboard();
                }
            }
            Action::Stats => {
                self.meter = match self.meter.take() {
                    Some(_) => None,
                    None => Some(Meter::default()),
                };
            }
            Action::CtrlAltDelete => self.press(&[0xffe3, 0xffe9, 0xffff]),
            Action::MenuKey(keysym) => self.press(&[keysym]),
            Action::Xvp(request) => self.send(UserInput::Xvp(request)),
            Action::Reconnect => {
                if let Some(Happened::Ended(end)) = self.line.hurry(Instant::now()) {
                    self.ending = Some(end);
                }
            }
            Action::GiveUp => self.ending = Some(Err(self.line.give_up_now())),
            Action::Quit => self.quits = true,
        }
    }

    /// Whether all keys are taken while the window has the focus.
    pub(super) fn takes_keys(&self) -> bool {
        self.grabs.unwrap_or(match self.grab {
            Grab::Always => true,
            Grab::Fullscreen => self.display.room().is_some_and(|room| room.fullscreen),
            Grab::Never => false,
        })
    }

    pub(super) fn set_keeping(&mut self, keep: bool) {
        if std::mem::replace(&mut self.keeps_pointer, keep) != keep {
            self.display.keep_pointer(keep);
            if keep {
                let words = format!("The pointer stays inside: {}+P lets it go", self.options.hotkeys.chord.name());
                self.notice(words);
            }
        }
    }
}
