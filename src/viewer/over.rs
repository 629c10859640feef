//! What is drawn over the desktop, where, and what the user does there.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::asking::{Asking, Outcome, Typed};
use super::menu::{Action, Facts, menu};
use crate::display::{Overlay, Panel, Room};
use crate::overlay::{Drawn, Kind, Notice, Table};
use crate::picture::{Area, Size};
use crate::session::transport::{Answer, Question};

/// For how long a notice is there.
const NOTICE: Duration = Duration::from_secs(4);
/// For how long a question that appears over a desktop takes no key.
const CALM: Duration = Duration::from_millis(500);
/// Whoever has answered a question so shortly ago expects the next one.
const SERIES: Duration = Duration::from_secs(1);
/// Between what is drawn and the edge of the screen, in pixels of 96 dpi.
const MARGIN: f32 = 12.0;

const ENTER: [u32; 3] = [0xff0d, 0xff8d, 0x20];
const ESCAPE: u32 = 0xff1b;
const UP: [u32; 3] = [0xff52, 0xff97, 0xfe20];
const DOWN: [u32; 3] = [0xff54, 0xff99, 0xff09];

/// All that may be there.
#[derive(Default)]
pub struct Over {
    room: Room,
    dim: bool,
    menu: Option<Open>,
    questions: VecDeque<Asking>,
    status: Option<Notice>,
    notice: Option<(Notice, Instant)>,
    stats: Option<Table>,
    /// The pointer's buttons as they were.
    buttons: u16,
    /// Until then nobody means the question.
    calm: Option<Instant>,
    /// When a question was answered last.
    answered: Option<Instant>,
    /// Where what can be clicked was drawn.
    clickable: Option<(Drawn, i32, i32)>,
    changed: bool,
}

/// The menu.
struct Open {
    selected: usize,
    /// What that is, wherever it moves.
    chosen: Option<Action>,
    actions: Vec<Action>,
    enabled: Vec<bool>,
}

/// What the user's doing came to.
pub enum Did {
    /// Nothing that matters elsewhere.
    Nothing,
    /// Something was chosen in the menu.
    Chose(Action),
    /// A question was answered.
    Answered(Question, Answer),
}

impl Over {
    /// Whether keys and pointer are for what is drawn here.
    pub fn is_modal(&self) -> bool {
        self.menu.is_some() || !self.questions.is_empty()
    }

    /// Whether a person is being asked something.
    pub fn asks(&self) -> bool {
        !self.questions.is_empty()
    }

    /// The window has this room.
    pub fn set_room(&mut self, room: Room) {
        self.changed |= self.room != room;
        self.room = room;
    }

    /// The desktop is not there now.
    pub fn set_dim(&mut self, dim: bool) {
        self.changed |= self.dim != dim;
        self.dim = dim;
    }

    /// Where things stand, for as long as they do.
    pub fn set_status(&mut self, lines: Option<Vec<String>>) {
        if self.status.as_ref().map(|status| &status.lines) != lines.as_ref() {
            self.status = lines.map(|lines| Notice { lines, kind: Kind::Warning });
            self.changed = true;
        }
    }

    /// A few words that go by themselves.
    pub fn notice(&mut self, words: impl Into<String>, now: Instant) {
        self.notice = Some((Notice { lines: vec![words.into()], kind: Kind::Info }, now + NOTICE));
        self.changed = true;
    }

    /// How fast all is.
    pub fn set_stats(&mut self, rows: Option<Vec<(String, String)>>) {
        if self.stats.as_ref().map(|stats| &stats.rows) != rows.as_ref() {
            self.stats = rows.map(|rows| Table { title: "Statistics".to_owned(), rows });
            self.changed = true;
        }
    }

    /// Opens the menu, or closes it.
    pub fn toggle_menu(&mut self) {
        self.menu = match self.menu.take() {
            Some(_) => None,
            None => Some(Open { selected: 0, chosen: None, actions: Vec::new(), enabled: Vec::new() }),
        };
        // A button that is down was pressed for something else.
        self.buttons = u16::MAX;
        self.changed = true;
    }

    /// Asks a person, who may be typing into the desktop if there is one.
    pub fn ask(&mut self, question: Question, desktop: bool, now: Instant) {
        let expected = |answered: Instant| now.saturating_duration_since(answered) < SERIES;
        if !self.asks() {
            self.calm = (desktop && !self.answered.is_some_and(expected)).then(|| now + CALM);
        }
        self.buttons = u16::MAX;
        self.questions.push_back(Asking::new(question));
        self.changed = true;
    }

    /// Drops the questions that nobody waits for any more.
    pub fn drop_unwanted(&mut self) {
        let before = self.questions.len();
        self.questions.retain(Asking::is_wanted);
        self.changed |= self.questions.len() != before;
    }

    /// How long it may stay as it is.
    pub fn pause(&self, now: Instant) -> Duration {
        self.notice.as_ref().map_or(Duration::MAX, |(_, until)| until.saturating_duration_since(now))
    }

    /// A key was pressed while this is modal.
    pub fn key(&mut self, keysym: u32, typed: Typed<'_>, now: Instant) -> Did {
        self.changed = true;
        if let Some(open) = &mut self.menu {
            let count = open.actions.len().max(1);
            let step = |from: usize, by: usize| (from + by) % count;
            let mut to = |by: usize| {
                open.selected = (1..=count)
                    .map(|times| step(open.selected, by * times % count))
                    .find(|&at| open.enabled.get(at) == Some(&true))
                    .unwrap_or(open.selected);
                open.chosen = open.actions.get(open.selected).copied();
            };
            match keysym {
                ESCAPE => self.menu = None,
                _ if DOWN.contains(&keysym) => to(1),
                _ if UP.contains(&keysym) => to(count - 1),
                _ if ENTER.contains(&keysym) => return self.choose(self.selected()),
                _ => {}
            }
            return Did::Nothing;
        }
        if self.is_too_early(now) {
            return Did::Nothing;
        }
        let Some(asking) = self.questions.pop_front() else { return Did::Nothing };
        let outcome = asking.key(keysym, typed);
        self.after(outcome, now)
    }

    /// The pointer is there, with these buttons, while this is modal.
    pub fn pointer(&mut self, (x, y): (i32, i32), buttons: u16, now: Instant) -> Did {
        let pressed = buttons & !std::mem::replace(&mut self.buttons, buttons) & 1 != 0;
        let Some((drawn, left, top)) = &self.clickable else { return Did::Nothing };
        let (x, y) = (x - left, y - top);
        let Some(at) = drawn.at(x, y) else {
            let size = drawn.picture.size();
            let outside = !(0..i32::from(size.width)).contains(&x) || !(0..i32::from(size.height)).contains(&y);
            // A click beside the menu closes it.
            if pressed && outside && self.menu.take().is_some() {
                self.changed = true;
            }
            return Did::Nothing;
        };
        if let Some(open) = &mut self.menu {
            if open.enabled.get(at) != Some(&true) {
                return Did::Nothing;
            }
            self.changed |= std::mem::replace(&mut open.selected, at) != at;
            open.chosen = open.actions.get(at).copied();
            return if pressed { self.choose(at) } else { Did::Nothing };
        }
        if let Some(asking) = self.questions.front_mut() {
            self.changed |= asking.point(at);
        }
        if !pressed || self.is_too_early(now) {
            return Did::Nothing;
        }
        let Some(asking) = self.questions.pop_front() else { return Did::Nothing };
        let outcome = asking.choose(at);
        self.after(outcome, now)
    }

    fn is_too_early(&self, now: Instant) -> bool {
        self.calm.is_some_and(|calm| now < calm)
    }

    fn selected(&self) -> usize {
        self.menu.as_ref().map_or(0, |open| open.selected)
    }

    fn choose(&mut self, at: usize) -> Did {
        let Some(open) = self.menu.take() else { return Did::Nothing };
        self.changed = true;
        match open.actions.get(at).filter(|_| open.enabled.get(at) == Some(&true)) {
            Some(action) => Did::Chose(*action),
            None => Did::Nothing,
        }
    }

    fn after(&mut self, (asking, outcome): (Option<Asking>, Outcome), now: Instant) -> Did {
        self.changed = true;
        if let Some(asking) = asking {
            self.questions.push_front(asking);
        }
        match outcome {
            Outcome::Open => Did::Nothing,
            Outcome::Answered(question, answer) => {
                self.answered = Some(now);
                Did::Answered(question, answer)
            }
        }
    }

    /// What is to be drawn, if that changed.
    pub fn draw(&mut self, facts: &Facts<'_>, now: Instant) -> Option<Overlay> {
        if self.notice.as_ref().is_some_and(|(_, until)| now >= *until) {
            self.notice = None;
            self.changed = true;
        }
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let density = self.room.density.max(1.0);
        let screen = self.room.screens.first().copied().unwrap_or_else(|| self.room.size.whole());
        let margin = (MARGIN * density) as i32;
        let inner = |length: u16| u16::try_from(i32::from(length) - 2 * margin).unwrap_or(0);
        let room = Size::new(inner(screen.width()), inner(screen.height()));
        let mut panels = Vec::new();
        let mut put = |drawn: &Drawn, place: Place| {
            let (x, y) = place.of(drawn.picture.size(), screen, margin);
            if drawn.picture.size().pixels() > 0 {
                panels.push(Panel { x, y, picture: Rc::clone(&drawn.picture) });
            }
            (x, y)
        };
        if let Some(stats) = &self.stats {
            put(&stats.draw(room, density), Place::Corner);
        }
        if let Some((notice, _)) = &self.notice {
            put(&notice.draw(room, density), Place::Top);
        }
        self.clickable = None;
        let modal = self.menu.is_some() || !self.questions.is_empty();
        if let Some(status) = &self.status {
            put(&status.draw(room, density), if modal { Place::Bottom } else { Place::Middle });
        }
        let drawn = if let Some(open) = &mut self.menu {
            let (mut menu, actions) = menu(facts, open.selected);
            // Items may have come and gone above it.
            if let Some(at) = open.chosen.and_then(|chosen| actions.iter().position(|action| *action == chosen)) {
                (open.selected, menu.selected) = (at, at);
            }
            open.chosen = actions.get(open.selected).copied();
            open.enabled = menu.items.iter().map(|item| item.enabled).collect();
            open.actions = actions;
            Some(menu.draw(room, density))
        } else {
            self.questions.front().map(|asking| asking.shown().draw(room, density))
        };
        self.clickable = drawn.map(|drawn| {
            let (x, y) = put(&drawn, Place::Middle);
            (drawn, x, y)
        });
        Some(Overlay { dim: self.dim, panels })
    }
}

/// Where on the screen.
#[derive(Debug, Clone, Copy)]
enum Place {
    Middle,
    Top,
    Bottom,
    Corner,
}

impl Place {
    fn of(self, size: Size, screen: Area, margin: i32) -> (i32, i32) {
        let (left, top) = (i32::from(screen.x()), i32::from(screen.y()));
        let free_x = i32::from(screen.width()) - i32::from(size.width);
        let free_y = i32::from(screen.height()) - i32::from(size.height);
        let (x, y) = match self {
            Place::Middle => (free_x / 2, free_y / 2),
            Place::Top => (free_x / 2, margin.min(free_y)),
            Place::Bottom => (free_x / 2, free_y - margin.min(free_y)),
            Place::Corner => (free_x - margin.min(free_x), margin.min(free_y)),
        };
        (left + x, top + y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::transport::{Purpose, QuestionKind};
    use secrecy::ExposeSecret;
    use tokio::sync::oneshot;

    #[test]
    fn only_a_question_that_nobody_expects_is_deaf_at_first() {
        let question = || {
            let purpose = Purpose::Desktop { peer: "x".to_owned() };
            let kind = QuestionKind::Secret { prompt: "p".to_owned(), purpose, echo: true, again: false };
            Question { kind, reply: oneshot::channel().0 }
        };
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut over = Over::default();
        // A letter at this time and one when nobody can be deaf any more, which ends it.
        let heard = |over: &mut Over, asked: u64| {
            over.key(0x61, Typed::Letter, at(asked + 10));
            over.key(0x62, Typed::Letter, at(asked + 600));
            match over.key(ENTER[0], Typed::Letter, at(asked + 600)) {
                Did::Answered(_, Answer::Secret(text)) => text.expose_secret().to_owned(),
                _ => panic!(),
            }
        };
        over.ask(question(), false, at(0));
        assert_eq!(heard(&mut over, 0), "ab");
        over.ask(question(), true, at(5000));
        assert_eq!(heard(&mut over, 5000), "b");
        // The next of a series, and two at once.
        over.ask(question(), true, at(6000));
        assert_eq!(heard(&mut over, 6000), "ab");
        over.ask(question(), true, at(9000));
        over.key(0x63, Typed::Letter, at(9550));
        over.ask(question(), true, at(9560));
        assert_eq!(heard(&mut over, 9560), "cab");
        assert_eq!(heard(&mut over, 10_200), "ab");
        // Much later it is a surprise again.
        over.ask(question(), true, at(12_000));
        assert_eq!(heard(&mut over, 12_000), "b");
    }
}
