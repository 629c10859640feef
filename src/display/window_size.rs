//! The size that a window opens with, if it does not cover the screen.

use super::Scaling;
use crate::picture::{Fit, Size};

/// A window without a desktop yet.
const FIRST: Size = Size::new(640, 400);
/// A window of the screen's size would hide its own title bar.
const ROOM_FOR_DECORATION: u16 = 48;

/// The size for a desktop, which has no pixels if there is none yet, on a screen whose size may not be known.
pub(super) fn window_size(desktop: Size, screen: Option<Size>, scaling: Scaling) -> Size {
    let wanted = if desktop.pixels() == 0 { FIRST } else { desktop };
    let Some(screen) = screen else { return wanted };
    let within = |most: Size| Size::new(wanted.width.min(most.width), wanted.height.min(most.height));
    // A desktop that fits exactly is left alone: somebody has chosen that size.
    if desktop.pixels() == 0 || within(screen) == desktop {
        return within(screen);
    }
    let room = |length: u16| length.saturating_sub(ROOM_FOR_DECORATION).max(64);
    let room = Size::new(room(screen.width), room(screen.height));
    if scaling == Scaling::None { within(room) } else { Fit::inside(desktop, room).size() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCREEN: Option<Size> = Some(Size::new(1024, 768));

    fn size(desktop: (u16, u16), scaling: Scaling) -> (u16, u16) {
        let size = window_size(Size::new(desktop.0, desktop.1), SCREEN, scaling);
        (size.width, size.height)
    }

    #[test]
    fn what_fits_is_left_alone_and_what_does_not_leaves_room_for_a_title_bar() {
        for scaling in [Scaling::Shrink, Scaling::Fit, Scaling::Fill, Scaling::None, Scaling::Integer] {
            assert_eq!(size((800, 600), scaling), (800, 600));
            assert_eq!(size((1024, 768), scaling), (1024, 768));
        }
        for scaling in [Scaling::Shrink, Scaling::Fit, Scaling::Fill, Scaling::Integer] {
            assert_eq!(size((1952, 976), scaling), (976, 488));
            assert_eq!(size((768, 1440), scaling), (384, 720));
        }
        assert_eq!(size((1952, 976), Scaling::None), (976, 720));
        assert_eq!(size((768, 1440), Scaling::None), (768, 720));
    }

    #[test]
    fn without_a_desktop_or_a_screen_there_is_a_size_too() {
        let nothing = Size::new(0, 0);
        assert_eq!(window_size(nothing, SCREEN, Scaling::Shrink), FIRST);
        assert_eq!(window_size(nothing, None, Scaling::Shrink), FIRST);
        assert_eq!(window_size(nothing, Some(Size::new(320, 480)), Scaling::Shrink), Size::new(320, 400));
        assert_eq!(window_size(Size::new(5000, 4000), None, Scaling::Shrink), Size::new(5000, 4000));
        // On the smallest of screens there is no room beside the title bar.
        assert_eq!(window_size(Size::new(128, 128), Some(Size::new(64, 64)), Scaling::Fit), Size::new(64, 64));
    }
}
