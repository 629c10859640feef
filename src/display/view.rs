//! Where the desktop lies in its window, and which part of it is seen if there is more of it.

use crate::picture::{Area, Fit, Size};

use super::Scaling;

/// How near to an edge of the window the pointer moves the view, in pixels.
const EDGE: i32 = 32;

/// A desktop as it is shown in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct View {
    fit: Fit,
    room: Size,
    /// The place of the desktop's corner in the window: left of it or above, if not all can be seen.
    corner: (i32, i32),
}

/// How a desktop is shown in a window of this size.
fn fit(scaling: Scaling, desktop: Size, room: Size) -> Fit {
    match scaling {
        Scaling::Shrink => Fit::inside(desktop, room),
        Scaling::Fit => Fit::contained(desktop, room),
        Scaling::Fill => Fit::filling(desktop, room),
        Scaling::None => Fit::same(desktop),
        Scaling::Integer => Fit::in_squares(desktop, room),
    }
}

impl View {
    /// In the middle, if all of it can be seen; else its upper left part.
    pub(super) fn new(scaling: Scaling, desktop: Size, room: Size) -> View {
        let fit = fit(scaling, desktop, room);
        let corner = |room: u16, shown: u16| i32::from(room.saturating_sub(shown) / 2);
        View { fit, room, corner: (corner(room.width, fit.size().width), corner(room.height, fit.size().height)) }
    }

    /// The same, where this one was: what is seen of a large desktop stays.
    pub(super) fn again(&self, scaling: Scaling, desktop: Size, room: Size) -> View {
        let mut view = View::new(scaling, desktop, room);
        let least = view.least();
        let stay = |before: i32, least: i32, new: &mut i32| {
            if least < 0 {
                *new = before.clamp(least, 0);
            }
        };
        stay(self.corner.0, least.0, &mut view.corner.0);
        stay(self.corner.1, least.1, &mut view.corner.1);
        view
    }

    pub(super) fn fit(&self) -> Fit {
        self.fit
    }

    /// The desktop's pixel under a point of the window; the nearest one for a point beside it.
    pub(super) fn desktop_at(&self, x: i32, y: i32) -> (u16, u16) {
        self.fit.picture_at(x.saturating_sub(self.corner.0), y.saturating_sub(self.corner.1))
    }

    /// The point of the window that shows a pixel of the desktop; outside of it if that is not seen.
    pub(super) fn window_at(&self, x: u16, y: u16) -> (i32, i32) {
        let (x, y) = self.fit.shown_at(x, y);
        (x + self.corner.0, y + self.corner.1)
    }

    /// The part of `area`, in pixels as they are shown, that the window has room for.
    pub(super) fn seen(&self, area: Area) -> Option<Area> {
        let part = |near: u16, far: u32, corner: i32, room: u16| {
            let near = i32::from(near).max(-corner);
            let far = i32::try_from(far).unwrap_or(i32::MAX).min(i32::from(room) - corner);
            let length = u16::try_from(far - near).ok().filter(|&length| length > 0)?;
            Some((u16::try_from(near).ok()?, length))
        };
        let (x, width) = part(area.x(), area.right(), self.corner.0, self.room.width)?;
        let (y, height) = part(area.y(), area.bottom(), self.corner.1, self.room.height)?;
        self.fit.size().area(x, y, width, height)
    }

    /// Where the corner of an area that is seen lies in the window.
    pub(super) fn place(&self, seen: Area) -> (i16, i16) {
        let place = |at: u16, corner: i32| (i32::from(at) + corner).clamp(i16::MIN.into(), i16::MAX.into()) as i16;
        (place(seen.x(), self.corner.0), place(seen.y(), self.corner.1))
    }

    /// What is shown of the desktop in a part of the window.
    pub(super) fn under(&self, x: u16, y: u16, width: u16, height: u16) -> Option<Area> {
        let part = |at: u16, length: u16, corner: i32, shown: u16| {
            let near = (i32::from(at) - corner).max(0);
            let far = (i32::from(at) + i32::from(length) - corner).min(shown.into());
            let length = u16::try_from(far - near).ok()?;
            Some((u16::try_from(near).ok()?, length))
        };
        let (x, width) = part(x, width, self.corner.0, self.fit.size().width)?;
        let (y, height) = part(y, height, self.corner.1, self.fit.size().height)?;
        self.fit.size().area(x, y, width, height).filter(|area| !area.is_empty())
    }

    /// The least that the corner may be: all of the desktop is left of the window's right edge, and above the lower one.
    fn least(&self) -> (i32, i32) {
        let least = |room: u16, shown: u16| (i32::from(room) - i32::from(shown)).min(0);
        (least(self.room.width, self.fit.size().width), least(self.room.height, self.fit.size().height))
    }

    /// The view one step on, if the pointer is at an edge behind which there is more: the nearer, the further.
    pub(super) fn pushed(&self, x: i32, y: i32) -> Option<View> {
        let push = |at: i32, room: u16, corner: i32, least: i32| {
            let edge = EDGE.min(i32::from(room) / 4).max(1);
            let at = at.clamp(0, i32::from(room));
            let (before, behind) = (edge - at, at - (i32::from(room) - 1 - edge));
            let step = if before > 0 { before } else { -behind.max(0) };
            if least < 0 { (corner + step.clamp(-edge, edge)).clamp(least, 0) } else { corner }
        };
        let least = self.least();
        let corner =
            (push(x, self.room.width, self.corner.0, least.0), push(y, self.room.height, self.corner.1, least.1));
        (corner != self.corner).then_some(View { corner, ..*self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Scaling; 5] = [Scaling::Shrink, Scaling::Fit, Scaling::Fill, Scaling::None, Scaling::Integer];

    #[test]
    fn it_lies_in_the_middle_with_a_border() {
        let view = View::new(Scaling::Shrink, Size::new(80, 60), Size::new(101, 100));
        assert_eq!((view.window_at(0, 0), view.window_at(79, 59)), ((10, 20), (89, 79)));
        assert_eq!((view.desktop_at(9, 20), view.desktop_at(11, 21)), ((0, 0), (1, 1)));
        assert_eq!((view.desktop_at(-9, 99), view.desktop_at(100, -1)), ((0, 59), (79, 0)));
        let whole = view.fit().size().whole();
        assert_eq!((view.seen(whole), view.place(whole)), (Some(whole), (10, 20)));
        assert_eq!(view.under(0, 0, 10, 100), None);
        assert_eq!(view.under(5, 30, 10, 100), whole.size().area(0, 10, 5, 50));
        assert_eq!(view.pushed(0, 0), None);
    }

    #[test]
    fn the_pointer_reaches_every_point_of_a_large_desktop() {
        let mut view = View::new(Scaling::None, Size::new(3000, 50), Size::new(200, 100));
        let whole = view.fit().size().whole();
        assert_eq!((view.seen(whole), view.place(whole)), (whole.size().area(0, 0, 200, 50), (0, 25)));
        // In the middle, and at an edge behind which there is nothing.
        assert_eq!((view.pushed(100, 50), view.pushed(0, 0), view.pushed(100, 99)), (None, None, None));
        let mut steps = 0;
        while let Some(next) = view.pushed(199, 50) {
            assert!(next.desktop_at(199, 50).0 > view.desktop_at(199, 50).0);
            view = next;
            steps += 1;
        }
        assert!((20..300).contains(&steps), "{steps}");
        assert_eq!(view.desktop_at(199, 60), (2999, 35));
        let seen = view.seen(whole).unwrap();
        assert_eq!((seen.x(), seen.width(), view.place(seen)), (2800, 200, (0, 25)));
        assert_eq!(view.under(10, 30, 5, 5), whole.size().area(2810, 5, 5, 5));
        assert_eq!(view.window_at(0, 0), (-2800, 25));
        // One pixel away from the middle it moves slowly.
        let slow = view.pushed(31, 50).unwrap();
        assert_eq!(view.desktop_at(0, 0).0 - slow.desktop_at(0, 0).0, 1);
        // What is seen stays where it is in a larger window, as far as that goes.
        let larger = view.again(Scaling::None, Size::new(3000, 50), Size::new(600, 100));
        assert_eq!(larger.desktop_at(0, 25), (2400, 0));
        let all = view.again(Scaling::None, Size::new(100, 50), Size::new(200, 100));
        assert_eq!(all, View::new(Scaling::None, Size::new(100, 50), Size::new(200, 100)));
        while let Some(next) = view.pushed(-500, 50) {
            view = next;
        }
        assert_eq!(view.desktop_at(0, 25), (0, 0));
    }

    #[test]
    fn every_pixel_of_the_window_is_one_of_the_desktop() {
        let sizes = [Size::new(0, 0), Size::new(1, 1), Size::new(37, 90), Size::new(300, 20), Size::new(65535, 65535)];
        for (desktop, room) in sizes.into_iter().flat_map(|desktop| sizes.map(|room| (desktop, room))) {
            for scaling in ALL {
                let view = View::new(scaling, desktop, room);
                let side = i32::from(room.width).min(400);
                for at in (-2..side + 2).chain([i32::MIN, i32::MAX]) {
                    let (x, y) = view.desktop_at(at, at);
                    assert!(x < desktop.width.max(1) && y < desktop.height.max(1), "{view:?} {at}");
                    if let Some(next) = view.pushed(at, 5) {
                        assert!(next.seen(view.fit().size().whole()).is_some(), "{next:?}");
                    }
                }
                if let Some(seen) = view.seen(view.fit().size().whole()) {
                    assert!(seen.width() <= room.width && seen.height() <= room.height, "{view:?}");
                    assert_eq!(view.under(0, 0, room.width, room.height), Some(seen), "{view:?}");
                }
            }
        }
    }
}
