//! The size that a desktop had best have, by the room that its window has: in full screen, and when the user has changed
//! the window; never because a window was merely opened.

use std::time::{Duration, Instant};

use super::Room;
use crate::picture::{Area, Size};

/// How long a window manager may take to give a new window another size than it asked for.
const SETTLING: Duration = Duration::from_secs(1);
/// Nobody wants to work on a smaller desktop, whatever becomes of the window.
const LEAST: u16 = 100;

/// A desktop as it had best be: its size, and its screens.
pub type Wanted = (Size, Vec<Area>);

/// What is known of the window.
#[derive(Debug, Default)]
pub struct BestSize {
    room: Option<Room>,
    /// Until when its size is not the user's doing.
    settles: Option<Instant>,
}

impl BestSize {
    /// The window was opened for a desktop, or for one of another size, and has this room now.
    pub fn opened(&mut self, room: Option<Room>, now: Instant) -> Option<Wanted> {
        let room = room?;
        let size = |room: &Room| room.size;
        if !room.fullscreen && self.room.as_ref().map(size) != Some(room.size) {
            self.settles = Some(now + SETTLING);
        }
        let first = self.room.is_none();
        let wanted = (first && room.fullscreen).then(|| whole(&room)).flatten();
        self.room = Some(room);
        wanted
    }

    /// The window has this room.
    pub fn has(&mut self, room: Room, now: Instant) -> Option<Wanted> {
        let before = self.room.replace(room.clone())?;
        if room.fullscreen {
            // What it had before is over, and what comes after it is the user's doing.
            self.settles = None;
            let same = before.fullscreen && (before.size, &before.screens) == (room.size, &room.screens);
            return if same { None } else { whole(&room) };
        }
        let settles = self.settles.is_some_and(|until| now < until);
        if before.size == room.size || settles || room.size.width < LEAST || room.size.height < LEAST {
            return None;
        }
        Some((room.size, vec![room.size.whole()]))
    }
}

fn whole(room: &Room) -> Option<Wanted> {
    (room.size.pixels() > 0).then(|| (room.size, room.screens.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(width: u16, height: u16, fullscreen: bool) -> Room {
        let size = Size::new(width, height);
        Room { size, density: 1.0, fullscreen, screens: vec![size.whole()] }
    }

    fn wanted(width: u16, height: u16) -> Option<Wanted> {
        let size = Size::new(width, height);
        Some((size, vec![size.whole()]))
    }

    #[test]
    fn a_window_that_opens_changes_nothing_and_one_that_the_user_changes_does() {
        let (mut best, now) = (BestSize::default(), Instant::now());
        assert_eq!(best.opened(Some(room(800, 600, false)), now), None);
        // A window manager that has its own ideas.
        assert_eq!(best.has(room(700, 500, false), now + SETTLING / 2), None);
        assert_eq!(best.has(room(640, 480, false), now + SETTLING), wanted(640, 480));
        // The desktop follows, and the window keeps its size: what the user does next counts at once.
        assert_eq!(best.opened(Some(room(640, 480, false)), now + SETTLING), None);
        assert_eq!(best.has(room(650, 480, false), now + SETTLING), wanted(650, 480));
        // The server's desktop gets another size, and the window with it.
        assert_eq!(best.opened(Some(room(1024, 768, false)), now + 2 * SETTLING), None);
        assert_eq!(best.has(room(1024, 700, false), now + 2 * SETTLING), None);
        assert_eq!(best.has(room(1024, 768, false), now + 4 * SETTLING), wanted(1024, 768));
        // The same in other pixels, and one that is nearly closed.
        assert_eq!(best.has(Room { density: 2.0, ..room(1024, 768, false) }, now + 4 * SETTLING), None);
        assert_eq!(best.has(room(1024, 20, false), now + 4 * SETTLING), None);
    }

    #[test]
    fn a_full_screen_is_wanted_at_once_and_once() {
        let (mut best, now) = (BestSize::default(), Instant::now());
        assert_eq!(best.opened(Some(room(1920, 1080, true)), now), wanted(1920, 1080));
        assert_eq!(best.has(room(1920, 1080, true), now), None);
        assert_eq!(best.opened(Some(room(1920, 1080, true)), now), None);
        // Two screens where there was one.
        let size = Size::new(1920, 1080);
        let screens = vec![size.area(0, 0, 960, 1080).unwrap(), size.area(960, 0, 960, 1080).unwrap()];
        let two = Room { screens: screens.clone(), ..room(1920, 1080, true) };
        assert_eq!(best.has(two, now), Some((size, screens)));
        assert_eq!(best.has(room(1280, 1024, true), now), wanted(1280, 1024));
        // And back to a window.
        assert_eq!(best.has(room(800, 600, false), now + SETTLING), wanted(800, 600));
        // One that a window manager makes.
        let mut best = BestSize::default();
        assert_eq!(best.opened(Some(room(800, 600, false)), now), None);
        assert_eq!(best.has(room(1920, 1080, true), now), wanted(1920, 1080));
        assert_eq!(best.has(room(800, 600, false), now), wanted(800, 600));
        assert_eq!(BestSize::default().opened(None, now), None);
    }
}
