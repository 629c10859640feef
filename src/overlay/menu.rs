//! A menu: things that can be done, one under the other.

use super::Drawn;
use super::frame::{Frame, drawn};
use super::lines::{widest, wrap};
use super::rows::{Row, Rows};
use crate::picture::Size;

/// A menu.
#[derive(Debug, Clone, Default)]
pub struct Menu {
    /// What it is about; none if empty.
    pub title: String,
    /// From top to bottom.
    pub items: Vec<Item>,
    /// The number of the item that the next key or click is for.
    pub selected: usize,
}

/// Something that can be done.
#[derive(Debug, Clone, Default)]
pub struct Item {
    /// What it does.
    pub label: String,
    /// The keys that do it too, for example "Ctrl+Alt+Enter"; none if empty.
    pub hint: String,
    /// Whether it is on, of something that can be on or off.
    pub checked: Option<bool>,
    /// Whether it can be done now.
    pub enabled: bool,
}

impl Menu {
    /// Draws it into no more than `room`; `density` pixels stand for one of 96 dpi. An item's place has its number.
    pub fn draw(&self, room: Size, density: f32) -> Drawn {
        let mut frame = Frame::new(room, density);
        let rows = self.items.iter().map(|item| Row {
            label: &item.label,
            hint: &item.hint,
            checked: item.checked,
            enabled: item.enabled,
        });
        let rows = Rows { rows: rows.collect(), chosen: self.selected };
        let most = frame.widest();
        let titles = usize::from(!self.title.is_empty());
        let title = wrap(&mut frame.title, [self.title.as_str()], most, titles);
        let least = frame.px(240.0).min(most);
        let width = rows.width(&mut frame).max(widest(&mut frame.title, &title)).clamp(least, most);
        let margin = frame.margin();
        let head = if title.is_empty() { margin / 2 } else { margin + frame.title_height() };
        let tall = frame.rows_height(rows.rows.len(), frame.height - head - margin / 2);
        let mut sheet = frame.sheet(width + 2 * margin, head + tall + margin / 2);
        if !title.is_empty() {
            frame.write_title(&mut sheet, &title, width);
        }
        let hang = margin / 2;
        let place = [margin - hang, head, width + 2 * hang, tall];
        let places = rows.draw(&mut frame, &mut sheet, place);
        drawn(sheet, places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn menu(count: usize, selected: usize) -> Menu {
        let item = |n: usize| Item { label: format!("Item {n}"), enabled: true, ..Item::default() };
        Menu { title: "Menu".to_owned(), items: (0..count).map(item).collect(), selected }
    }

    /// The items in a column of points.
    fn column(drawn: &Drawn) -> Vec<usize> {
        let size = drawn.picture.size();
        let mut found: Vec<usize> =
            (0..size.height.into()).filter_map(|y| drawn.at(i32::from(size.width) / 2, y)).collect();
        found.dedup();
        found
    }

    #[test]
    fn items_are_where_they_are_drawn() {
        let room = Size::new(800, 600);
        let drawn = menu(5, 2).draw(room, 1.0);
        assert_eq!(column(&drawn), [0, 1, 2, 3, 4]);
        assert_eq!((drawn.at(-1, 50), drawn.at(0, 0), drawn.at(50, 5000)), (None, None, None));
        // Where another one is chosen, its place and the other's look different, and nothing else does.
        let other = menu(5, 3).draw(room, 1.0);
        let size = drawn.picture.size();
        let differ = drawn.picture.pixels().iter().zip(other.picture.pixels()).enumerate().filter(|(_, (a, b))| a != b);
        let mut places: Vec<Option<usize>> = differ
            .map(|(at, _)| drawn.at((at % usize::from(size.width)) as i32, (at / usize::from(size.width)) as i32))
            .collect();
        places.dedup();
        assert_eq!(places, [Some(2), Some(3)]);
    }

    #[test]
    fn the_chosen_one_is_always_seen() {
        let room = Size::new(300, 200);
        for selected in [0, 1, 50, 98, 99] {
            let column = column(&menu(100, selected).draw(room, 1.0));
            assert!(column.contains(&selected) && column.len() < 10, "{selected}: {column:?}");
            assert!(column.is_sorted());
        }
        assert_eq!(column(&menu(3, 77).draw(room, 1.0)), [0, 1, 2]);
        assert!(column(&menu(0, 0).draw(room, 1.0)).is_empty());
    }

    #[test]
    fn marks_and_what_can_not_be_done_are_seen() {
        let with = |checked, enabled| {
            let mut menu = menu(2, 1);
            menu.items[0].checked = checked;
            menu.items[1].checked = Some(false);
            menu.items[0].enabled = enabled;
            menu.draw(Size::new(800, 600), 1.0).picture.pixels().to_vec()
        };
        let plain = with(Some(false), true);
        assert!(plain != with(Some(true), true) && plain != with(Some(false), false));
    }
}
