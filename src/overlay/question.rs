//! A question: what is asked, something to type, and choices.

use super::Drawn;
use super::frame::{Frame, drawn};
use super::lines::{cut, widest, wrap};
use super::rows::{Row, Rows};
use super::sheet::{ACCENT, BRIGHT, BUTTON, CHOSEN, Sheet, TEXT, WELL};
use crate::picture::Size;

/// What a character is shown as where it must not be seen.
const BULLET: char = '•';
/// No more of a field is looked at, on either side of its cursor.
const LONGEST: usize = 1024;

/// A question.
#[derive(Clone, Default)]
pub struct Question {
    /// In a few words; none if empty.
    pub title: String,
    /// The rest; what does not fit is left out.
    pub lines: Vec<String>,
    /// Something to type.
    pub field: Option<Field>,
    /// Buttons; one under the other if they do not fit beside each other.
    pub choices: Vec<String>,
    /// The number of the choice that Enter takes.
    pub selected: usize,
}

/// What is typed. It may be secret: there is no way to print it.
#[derive(Clone)]
pub struct Field {
    shown: String,
    /// How many characters are before the cursor.
    cursor: usize,
}

impl Field {
    /// A text, with the cursor behind so many of its characters.
    pub fn shown(text: &str, cursor: usize) -> Field {
        Field { shown: text.to_owned(), cursor }
    }

    /// A secret. Only how long it is is kept.
    pub fn masked(secret: &str, cursor: usize) -> Field {
        Field { shown: secret.chars().map(|_| BULLET).collect(), cursor }
    }
}

impl Question {
    /// Draws it into no more than `room`; `density` pixels stand for one of 96 dpi. A choice's place has its number.
    pub fn draw(&self, room: Size, density: f32) -> Drawn {
        let mut frame = Frame::new(room, density);
        let (margin, gap, line, most) = (frame.margin(), frame.px(12.0), frame.pen.line(), frame.widest());
        let fit = |height: i32, line: i32| usize::try_from(height / line.max(1)).unwrap_or(0);

        let title_most = fit(frame.height / 4, line).min(2) * usize::from(!self.title.is_empty());
        let title = wrap(&mut frame.title, [self.title.as_str()], most, title_most);
        let buttons = self.buttons(&mut frame);
        let beside = buttons.iter().map(|(_, width)| width + gap).sum::<i32>() - gap;
        let rows = Rows {
            rows: self.choices.iter().map(|label| Row { label, hint: "", checked: None, enabled: true }).collect(),
            chosen: self.selected,
        };
        let in_rows = beside > most;

        // What must be there comes first; a list of choices leaves room for some lines, and they for it.
        let head = if title.is_empty() {
            margin
        } else {
            margin + frame.title_height() + frame.title.line() * (title.len() as i32 - 1)
        };
        let field = if self.field.is_some() { frame.row() + gap } else { 0 };
        let rest = (frame.height - head - field - margin).max(0);
        let count = if in_rows { self.choices.len() } else { self.choices.len().min(1) };
        let asked = wrap(&mut frame.pen, self.lines.iter().map(String::as_str), most, fit(rest, line));
        let asked_height = if asked.is_empty() { 0 } else { asked.len() as i32 * line + gap };
        let choices = frame.rows_height(count, (rest - asked_height).max(rest / 2).max(frame.row().min(rest)));
        let asked = match asked_height + choices <= rest {
            true => asked,
            false => wrap(&mut frame.pen, self.lines.iter().map(String::as_str), most, fit(rest - choices - gap, line)),
        };

        let mut width = widest(&mut frame.title, &title).max(widest(&mut frame.pen, &asked));
        width = width.max(if in_rows { rows.width(&mut frame) } else { beside });
        let least = if self.field.is_some() { frame.px(360.0) } else { frame.px(240.0) };
        width = width.max(least).min(most);
        let asked_height = if asked.is_empty() { 0 } else { asked.len() as i32 * line + gap };
        let height = head + asked_height + field + choices + if choices == 0 { 0 } else { margin };
        let mut sheet = frame.sheet(width + 2 * margin, height);
        let mut y = head;
        if !title.is_empty() {
            frame.write_title(&mut sheet, &title, width);
        }
        for text in &asked {
            frame.pen.write(&mut sheet, margin, y, text, TEXT);
            y += line;
        }
        y = head + asked_height;
        if let Some(field) = &self.field {
            field.draw(&mut frame, &mut sheet, [margin, y, width]);
            y += frame.row() + gap;
        }
        let places = match in_rows {
            true => rows.draw(&mut frame, &mut sheet, [margin, y, width, choices]),
            false if choices < frame.row() => Vec::new(),
            false => self.draw_buttons(&mut frame, &mut sheet, &buttons, margin + width - beside, y),
        };
        drawn(sheet, places)
    }

    /// What stands on the buttons, and their widths.
    fn buttons(&self, frame: &mut Frame) -> Vec<(String, i32)> {
        let (least, pad, most) = (frame.px(84.0), frame.px(16.0), frame.widest());
        // More than these are no buttons.
        let labels = self.choices.iter().take(64).map(|label| {
            let label = cut(&mut frame.pen, label, most.saturating_add(1));
            let width = (frame.pen.width(&label) + 2 * pad).max(least);
            (label, width)
        });
        labels.collect()
    }

    fn draw_buttons(
        &self,
        frame: &mut Frame,
        sheet: &mut Sheet,
        buttons: &[(String, i32)],
        x: i32,
        y: i32,
    ) -> Vec<(usize, [i32; 4])> {
        let (tall, gap) = (frame.row(), frame.px(12.0));
        let mut x = x;
        let mut places = Vec::new();
        for (number, (label, width)) in buttons.iter().enumerate() {
            let (ground, colour) = if number == self.selected { (CHOSEN, BRIGHT) } else { (BUTTON, TEXT) };
            sheet.round(x, y, *width, tall, frame.px(5.0), ground);
            let left = x + (width - frame.pen.width(label)) / 2;
            let top = y + (tall - frame.pen.line()) / 2;
            frame.pen.write(sheet, left, top, label, colour);
            places.push((number, [x, y, *width, tall]));
            x += width + gap;
        }
        places
    }
}

impl Field {
    /// Draws as much as fits around the cursor.
    fn draw(&self, frame: &mut Frame, sheet: &mut Sheet, [x, y, width]: [i32; 3]) {
        let (tall, line, pad) = (frame.row(), frame.px(1.0), frame.px(8.0));
        sheet.round(x, y, width, tall, frame.px(5.0), ACCENT);
        sheet.round(x + line, y + line, width - 2 * line, tall - 2 * line, frame.px(4.0), WELL);
        let room = width - 2 * pad - frame.px(2.0);
        let split = self.shown.char_indices().nth(self.cursor).map_or(self.shown.len(), |(at, _)| at);
        let (before, after) = self.shown.split_at(split);
        // The end of what stands before it, then what follows.
        let mut used = 0.0;
        let mut start = before.len();
        for (at, c) in before.char_indices().rev().take(LONGEST) {
            used += frame.pen.advance(c);
            if used > room as f32 {
                break;
            }
            start = at;
        }
        let before = before.get(start..).unwrap_or_default();
        let top = y + (tall - frame.pen.line()) / 2;
        frame.pen.write(sheet, x + pad, top, before, BRIGHT);
        let at = x + pad + frame.pen.width(before);
        let left = room - (at - x - pad);
        let after: String = after.chars().take(LONGEST).collect();
        let after = if left > 0 { cut(&mut frame.pen, &after, left) } else { String::new() };
        if frame.pen.width(&after) <= left {
            frame.pen.write(sheet, at, top, &after, BRIGHT);
        }
        sheet.fill(at, top, frame.px(1.5), frame.pen.line(), ACCENT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(field: Option<Field>, choices: &[&str]) -> Question {
        let choices = choices.iter().map(|choice| (*choice).to_owned()).collect();
        let lines = vec!["The password of anna".to_owned()];
        Question { title: "Password".to_owned(), lines, field, choices, selected: 1 }
    }

    const ROOM: Size = Size::new(800, 600);

    fn pixels(question: &Question) -> Vec<u32> {
        question.draw(ROOM, 1.0).picture.pixels().to_vec()
    }

    #[test]
    fn a_masked_field_shows_nothing_of_the_text() {
        let masked = |secret: &str| pixels(&asked(Some(Field::masked(secret, secret.chars().count())), &["No", "Yes"]));
        assert_eq!(masked("iiii"), masked("WWWW"));
        assert_eq!(masked("ßж日\u{202e}"), masked("WWWW"));
        assert_ne!(masked("WWW"), masked("WWWW"));
        let shown = |text: &str| pixels(&asked(Some(Field::shown(text, 4)), &["No", "Yes"]));
        assert_ne!(shown("iiii"), shown("WWWW"));
        assert_ne!(masked("WWWW"), shown("WWWW"));
    }

    #[test]
    fn the_cursor_is_seen_wherever_it_is() {
        let text = "m".repeat(1000);
        let with = |cursor| asked(Some(Field::shown(&text, cursor)), &["No", "Yes"]);
        // It is the only thing in this colour that stands inside of the field.
        let cursor = |question: &Question| {
            let picture = question.draw(ROOM, 1.0).picture;
            let width = usize::from(picture.size().width);
            let columns =
                picture.pixels().iter().enumerate().filter(|(_, pixel)| **pixel == ACCENT).map(|(at, _)| at % width);
            let mut count = vec![0; width];
            columns.for_each(|column| count[column] += 1);
            (20..width - 20).find(|&column| count[column] >= 12)
        };
        let places: Vec<_> = [0, 3, 500, 1000, 5000].iter().map(|&at| cursor(&with(at))).collect();
        assert!(places.iter().all(Option::is_some), "{places:?}");
        assert!(places[0] < places[1] && places[1] < places[2] && places[3] == places[4], "{places:?}");
    }

    #[test]
    fn choices_are_beside_each_other_if_they_fit() {
        let drawn = asked(None, &["No", "Only now", "Yes"]).draw(ROOM, 1.0);
        let size = drawn.picture.size();
        let y = i32::from(size.height) - 30;
        let mut row: Vec<usize> = (0..size.width.into()).filter_map(|x| drawn.at(x, y)).collect();
        row.dedup();
        assert_eq!(row, [0, 1, 2]);
        let long = "a choice that needs many words";
        let drawn = asked(None, &[long; 12]).draw(ROOM, 1.0);
        let mut column: Vec<usize> = (0..drawn.picture.size().height.into()).filter_map(|y| drawn.at(100, y)).collect();
        column.dedup();
        assert_eq!(column, (0..12).collect::<Vec<_>>());
    }

    #[test]
    fn a_long_text_leaves_the_choices_and_the_field() {
        let mut question = asked(Some(Field::masked("secret", 6)), &["No", "Yes"]);
        question.lines = vec!["instructions ".repeat(500); 100];
        let drawn = question.draw(Size::new(640, 400), 1.0);
        let size = drawn.picture.size();
        assert!(size.height <= 400);
        let found: std::collections::BTreeSet<usize> =
            (0..400).flat_map(|y| (0..640).map(move |x| (x, y))).filter_map(|(x, y)| drawn.at(x, y)).collect();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [0, 1]);
        assert!(drawn.picture.pixels().contains(&ACCENT));
    }
}
