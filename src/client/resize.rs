//! Asks the server for another size of its desktop: for one at a time, and for the last that is wanted.

use crate::picture::{Area, Size};
use crate::rfb::ClientMessage;
use crate::rfb::screen::{Screen, status};

/// More screens are not asked for, and no more of the server's are remembered.
pub(super) const MOST_SCREENS: usize = 16;

/// A desktop that is wanted: its size, and the screens in it.
type Wanted = (Size, Vec<Area>);

/// What is wanted of the size, and how far that is.
#[derive(Default)]
pub(super) struct Resizer {
    /// As the server has shown it, if it knows how to change it.
    shown: Option<(Size, Vec<Screen>)>,
    wanted: Option<Wanted>,
    asked: Option<Wanted>,
    refused: Option<Wanted>,
}

impl Resizer {
    /// This is wanted from now on.
    pub(super) fn want(&mut self, size: Size, mut screens: Vec<Area>) {
        screens.retain(|area| !area.is_empty() && area.clip(size) == Some(*area));
        screens.truncate(MOST_SCREENS);
        if screens.is_empty() {
            screens.push(size.whole());
        }
        self.wanted = Some((size, screens));
    }

    /// The server shows that its desktop is like this.
    pub(super) fn shows(&mut self, size: Size, screens: Vec<Screen>) {
        self.shown = Some((size, screens));
    }

    /// The server answers: how it went.
    pub(super) fn answered(&mut self, answer: u16) {
        let asked = self.asked.take();
        if !matches!(answer, status::DONE | status::FORWARDED) {
            self.refused = asked;
        }
    }

    /// The server does not answer.
    pub(super) fn give_up(&mut self) {
        self.asked = None;
    }

    /// Whether the server has not answered yet.
    pub(super) fn is_under_way(&self) -> bool {
        self.asked.is_some()
    }

    /// Whether there is something to ask for: another desktop than is shown, and than was refused.
    pub(super) fn is_wanted(&self) -> bool {
        let (Some(wanted), Some((size, shown))) = (&self.wanted, &self.shown) else { return false };
        let same = |screens: &[Area]| {
            shown.len() == screens.len() && screens.iter().all(|area| shown.iter().any(|screen| is_at(screen, area)))
        };
        !(wanted.0 == *size && same(&wanted.1)) && self.refused.as_ref() != Some(wanted)
    }

    /// Asks for what is wanted, once.
    pub(super) fn ask(&mut self) -> Option<ClientMessage> {
        let needed = self.is_wanted();
        let (size, areas) = self.wanted.take().filter(|_| needed)?;
        let (_, shown) = self.shown.as_ref()?;
        let screens = layout(shown, &areas);
        self.refused = None;
        self.asked = Some((size, areas));
        Some(ClientMessage::SetDesktopSize { width: size.width, height: size.height, screens })
    }
}

/// Screens for these areas: the server's own, as far as there are enough, and above all those that stay where they are.
fn layout(shown: &[Screen], areas: &[Area]) -> Vec<Screen> {
    let mut free = shown.to_vec();
    let stays = |area: &Area| {
        let at = free.iter().position(|screen| is_at(screen, area))?;
        Some(free.remove(at))
    };
    let staying: Vec<Option<Screen>> = areas.iter().map(stays).collect();
    let mut free = free.into_iter();
    let mut screens: Vec<Screen> = Vec::new();
    for (area, stays) in areas.iter().zip(staying) {
        let (id, flags) = match stays.or_else(|| free.next()) {
            Some(known) => (known.id, known.flags),
            None => ((0..).find(|id| shown.iter().chain(&screens).all(|known| known.id != *id)).unwrap_or(0), 0),
        };
        screens.push(Screen { id, x: area.x(), y: area.y(), width: area.width(), height: area.height(), flags });
    }
    screens
}

fn is_at(screen: &Screen, area: &Area) -> bool {
    (screen.x, screen.y, screen.width, screen.height) == (area.x(), area.y(), area.width(), area.height())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(30, 20);

    fn screen(id: u32, area: Area, flags: u32) -> Screen {
        Screen { id, x: area.x(), y: area.y(), width: area.width(), height: area.height(), flags }
    }

    /// What is asked for: size and screens.
    fn asked(resizer: &mut Resizer) -> Option<(Size, Vec<Screen>)> {
        match resizer.ask()? {
            ClientMessage::SetDesktopSize { width, height, screens } => Some((Size::new(width, height), screens)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_is_asked_of_a_server_that_does_not_know_how() {
        let mut resizer = Resizer::default();
        resizer.want(SIZE, vec![SIZE.whole()]);
        assert!(!resizer.is_wanted() && resizer.ask().is_none());
        resizer.want(SIZE, vec![SIZE.whole()]);
        // It shows the same.
        resizer.shows(SIZE, vec![screen(7, SIZE.whole(), 0)]);
        assert!(!resizer.is_wanted() && resizer.ask().is_none());
    }

    #[test]
    fn the_last_wish_counts_and_a_refused_one_is_not_repeated() {
        let mut resizer = Resizer::default();
        resizer.shows(Size::new(8, 6), vec![screen(7, Size::new(8, 6).whole(), 5)]);
        resizer.want(Size::new(10, 10), vec![]);
        resizer.want(SIZE, vec![]);
        assert!(resizer.is_wanted() && !resizer.is_under_way());
        assert_eq!(asked(&mut resizer), Some((SIZE, vec![screen(7, SIZE.whole(), 5)])));
        assert!(resizer.is_under_way() && !resizer.is_wanted());
        resizer.answered(status::PROHIBITED);
        resizer.want(SIZE, vec![]);
        assert!(!resizer.is_wanted());
        resizer.want(Size::new(10, 10), vec![]);
        assert!(asked(&mut resizer).is_some());
        resizer.answered(status::DONE);
        resizer.want(SIZE, vec![]);
        assert!(asked(&mut resizer).is_some());
        resizer.give_up();
        resizer.want(SIZE, vec![]);
        assert!(resizer.is_wanted());
    }

    #[test]
    fn screens_keep_their_names() {
        let area = |x, width| SIZE.area(x, 0, width, 20).unwrap();
        let shown = [screen(3, area(0, 10), 1), screen(0, area(10, 20), 2)];
        // One that stays where it is keeps its name, though it is the second; the other is moved.
        let two = layout(&shown, &[area(10, 20), area(0, 5)]);
        assert_eq!(two, [screen(0, area(10, 20), 2), screen(3, area(0, 5), 1)]);
        let three = layout(&shown, &[area(0, 10), area(10, 10), area(20, 10)]);
        assert_eq!(three, [screen(3, area(0, 10), 1), screen(0, area(10, 10), 2), screen(1, area(20, 10), 0)]);
        assert_eq!(layout(&[], &[area(0, 5), area(5, 5)]).iter().map(|screen| screen.id).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn screens_outside_of_the_desktop_are_left_out() {
        let mut resizer = Resizer::default();
        resizer.shows(Size::new(8, 6), vec![]);
        let outside = Size::new(100, 100).area(20, 0, 20, 20).unwrap();
        resizer.want(SIZE, vec![outside, SIZE.area(3, 3, 0, 9).unwrap()]);
        assert_eq!(asked(&mut resizer), Some((SIZE, vec![screen(0, SIZE.whole(), 0)])));
        resizer.want(SIZE, vec![SIZE.whole(); 300]);
        assert_eq!(asked(&mut resizer).unwrap().1.len(), MOST_SCREENS);
    }
}
