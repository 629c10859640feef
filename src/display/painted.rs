//! What is drawn over the desktop, in a window that is one picture: panels painted into it, and an arrow to point at them.

use super::Overlay;
use crate::picture::{Canvas, Cursor, Size};

/// An arrow: its edge, and what is inside of it.
const ARROW: [&str; 16] = [
    "#           ",
    "##          ",
    "#.#         ",
    "#..#        ",
    "#...#       ",
    "#....#      ",
    "#.....#     ",
    "#......#    ",
    "#.......#   ",
    "#........#  ",
    "#.....##### ",
    "#..#..#     ",
    "#.# #..#    ",
    "##  #..#    ",
    "#    #..#   ",
    "     ####   ",
];

/// An arrow.
pub(super) fn arrow() -> Cursor {
    let pixel = |c: char| match c {
        '#' => [255, 255, 255, 255],
        '.' => [0, 0, 0, 255],
        _ => [0; 4],
    };
    let width = ARROW.first().map_or(0, |row| row.len()) as u16;
    let pixels = ARROW.iter().flat_map(|row| row.chars()).map(pixel).collect();
    Cursor { size: Size::new(width, ARROW.len() as u16), hotspot: (0, 0), pixels }
}

/// Whether the panels of `new` hide all that those of `old` did.
pub(super) fn hides_all_of(new: &Overlay, old: &Overlay) -> bool {
    old.panels.iter().all(|old| {
        let same = |new: &&super::Panel| (new.x, new.y, new.picture.size()) == (old.x, old.y, old.picture.size());
        new.panels.iter().any(|new| same(&new))
    })
}

/// Paints all panels; what falls outside is left out.
pub(super) fn paint(overlay: &Overlay, canvas: &mut Canvas) {
    let whole = canvas.size().whole();
    let Ok(mut target) = canvas.target(whole) else { return };
    for panel in &overlay.panels {
        let (x, y) = (i64::from(panel.x), i64::from(panel.y));
        // The panel's part to the left of the window, and the window's to the left of the panel.
        let outside = usize::try_from(-x).unwrap_or(0);
        let left = usize::try_from(x).unwrap_or(0);
        for (y, from) in (y..).zip(panel.picture.rows(panel.picture.size().whole())) {
            let Ok(y) = usize::try_from(y) else { continue };
            if y >= target.height() {
                break;
            }
            let (from, row) = (from.get(outside..).unwrap_or_default(), target.row(y));
            for (to, from) in row.get_mut(left..).unwrap_or_default().iter_mut().zip(from) {
                *to = *from;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::Panel;
    use super::*;
    use crate::picture::ByteOrder;

    fn panel(x: i32, y: i32, width: u16, height: u16, pixel: u32) -> Panel {
        let mut picture = Canvas::new(Size::new(width, height), ByteOrder::Bgrx);
        let whole = picture.size().whole();
        picture.target(whole).unwrap().fill(0, 0, width.into(), height.into(), pixel).unwrap();
        Panel { x, y, picture: Rc::new(picture) }
    }

    #[test]
    fn panels_are_painted_one_over_the_other_and_only_inside() {
        let mut canvas = Canvas::new(Size::new(4, 3), ByteOrder::Bgrx);
        let far = [panel(i32::MIN, 0, 9, 9, 9), panel(0, i32::MAX, 9, 9, 9), panel(4, 3, 9, 9, 9)];
        let near = [panel(-1, -2, 3, 3, 1), panel(1, 0, 2, 2, 2), panel(3, 1, 5, 5, 3)];
        let panels = far.into_iter().chain(near).collect();
        paint(&Overlay { dim: false, panels }, &mut canvas);
        assert_eq!(canvas.pixels(), [1, 2, 2, 0, 0, 2, 2, 3, 0, 0, 0, 3]);
    }

    #[test]
    fn a_panel_that_stays_hides_what_it_hid() {
        let over =
            |panels: &[&Panel]| Overlay { dim: false, panels: panels.iter().map(|panel| (*panel).clone()).collect() };
        let (one, other) = (panel(1, 1, 2, 2, 1), panel(1, 1, 2, 2, 2));
        assert!(hides_all_of(&over(&[&other]), &over(&[&one])));
        assert!(hides_all_of(&over(&[&one]), &over(&[])));
        assert!(!hides_all_of(&over(&[]), &over(&[&one])));
        assert!(!hides_all_of(&over(&[&panel(1, 2, 2, 2, 1)]), &over(&[&one])));
    }
}
