//! What there is to be said over the desktop: where things stand, and questions.

use std::time::{Duration, Instant};

use super::Viewer;
use super::menu::Facts;
use super::supervisor::State;
use crate::error::Failure;
use crate::picture::Size;
use crate::session::transport::{Question, QuestionKind};
use crate::terminal;

impl Viewer<'_, '_> {
    /// Opens the window for what is drawn over a desktop that is not there yet.
    pub(super) fn open_early(&mut self) -> Result<(), Failure> {
        Ok(self.display.open(Size::default(), &self.title)?)
    }

    /// Whether there is a window to draw in.
    pub(super) fn has_window(&self) -> bool {
        self.options.window.is_some() && self.display.room().is_some()
    }

    /// Asks where the person looks: in the window, else as ssh does, else in a window that opens for it.
    pub(super) fn ask(&mut self, question: Question) -> Result<(), Failure> {
        let window = self.options.window.is_some();
        // A program that asks could not be seen behind a full screen, nor get a key; a window manager may take its time.
        let wished = self.options.window.as_ref().is_some_and(|wish| wish.fullscreen);
        let fullscreen = wished || self.display.room().is_some_and(|room| room.fullscreen);
        let elsewhere = terminal::must_ask_program() && !fullscreen;
        if window && !elsewhere && (self.has_window() || !terminal::can_ask()) {
            if !self.has_window() {
                self.open_early()?;
            }
            tracing::info!("asking in the window: {}", about(&question.kind));
            self.release_keys();
            self.release_buttons();
            self.over.ask(question, self.desktop.is_some(), Instant::now());
            return Ok(());
        }
        let (answers, kind) = (self.line.answers().clone(), question.kind.clone());
        terminal::answer(question, move |answer| answers.hear(&kind, answer));
        Ok(())
    }

    /// Brings what is drawn over the desktop up to date.
    pub(super) fn look_over(&mut self, now: Instant) {
        if !self.has_window() {
            return;
        }
        if let Some(room) = self.display.room() {
            self.over.set_room(room);
        }
        self.over.drop_unwanted();
        self.over.set_dim(self.desktop.is_some() && (self.line.state() != State::Live || self.old));
        self.over.set_status(self.status(now));
        let rows = self.meter.as_mut().map(|meter| meter.rows(self.line.session(), now));
        self.over.set_stats(rows);
        let fullscreen = self.display.room().is_some_and(|room| room.fullscreen);
        let instead = self.instead().map(str::to_owned);
        let facts = Facts {
            abilities: self.display.abilities(),
            chord: self.options.hotkeys.chord,
            menu_key: self.options.hotkeys.menu_key,
            fullscreen,
            grab: self.takes_keys(),
            keeps_pointer: self.keeps_pointer,
            scaling: self.scaling,
            view_only: self.options.view_only,
            stats: self.meter.is_some(),
            xvp: self.xvp,
            live: self.line.is_there(),
            waits: matches!(self.line.state(), State::Waiting(_)),
            instead: instead.as_deref(),
            fixed_view: self.fixed_view,
        };
        if let Some(overlay) = self.over.draw(&facts, now) {
            self.display.set_overlay(&overlay);
        }
    }

    /// What is started if there is still no desktop in the end.
    pub(super) fn instead(&self) -> Option<&str> {
        let lost = self.line.trouble().lost;
        let instead = self.options.instead.as_ref()?;
        (if lost { instead.lost } else { instead.unreachable }).then_some(instead.name.as_str())
    }

    /// A few words in the window, if there is one.
    pub(super) fn notice(&mut self, words: impl Into<String>) {
        if self.options.window.is_some() {
            self.over.notice(words, Instant::now());
        }
    }

    /// Where things stand, while there is no desktop.
    pub(super) fn status(&self, now: Instant) -> Option<Vec<String>> {
        let trouble = self.line.trouble();
        let since = || elapsed(now.saturating_duration_since(trouble.since));
        let mut lines = Vec::new();
        match (self.line.state(), trouble.lost) {
            (State::Live, _) if self.line.is_there() => return None,
            (State::Live, false) => {
                lines.push(format!("Connected to {}: waiting for the picture", self.options.target))
            }
            (State::Live, true) => lines.push(format!("Connection lost {} ago: waiting for the picture", since())),
            (State::Connecting, false) => lines.push(format!("Connecting to {}", self.options.target)),
            (State::Connecting, true) => lines.push(format!("Connection lost {} ago: connecting again", since())),
            (State::Waiting(until), lost) => {
                let left = until.saturating_duration_since(now).as_secs_f32().ceil();
                lines.push(match lost {
                    true => format!("Connection lost {} ago: reconnecting in {left:.0} s", since()),
                    false => format!("No connection to {} yet: trying again in {left:.0} s", self.options.target),
                });
            }
        }
        lines.extend(self.line.why());
        // A person who thinks stops the clock.
        if let (Some(instead), Some(until), false) = (self.instead(), trouble.until, self.over.asks()) {
            let left = until.saturating_duration_since(now).as_secs_f32().ceil();
            lines.push(format!("In {left:.0} s {instead} starts instead"));
        }
        lines.push(format!("{}+M: menu", self.options.hotkeys.chord.name()));
        Some(lines)
    }
}

/// What is asked, for the log.
fn about(kind: &QuestionKind) -> String {
    match kind {
        QuestionKind::UnknownHostKey { host, key_type, .. } => format!("is this {key_type} key the one of {host}?"),
        QuestionKind::Secret { prompt, .. } | QuestionKind::Choice { prompt, .. } => prompt.clone(),
    }
}

/// Seconds, or minutes and seconds.
fn elapsed(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}
