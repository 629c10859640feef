//! A table: names and what is known of each.

use super::Drawn;
use super::frame::{Frame, drawn};
use super::lines::{cut, widest, wrap};
use super::sheet::{BRIGHT, FAINT};
use crate::picture::Size;

/// A table.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// What it is about; none if empty.
    pub title: String,
    /// A name, and a value in one line.
    pub rows: Vec<(String, String)>,
}

impl Table {
    /// Draws it into no more than `room`; `density` pixels stand for one of 96 dpi.
    pub fn draw(&self, room: Size, density: f32) -> Drawn {
        let mut frame = Frame::new(room, density);
        let (margin, line, most, gap) =
            (frame.margin(), frame.pen.line() + frame.px(4.0), frame.widest(), frame.px(20.0));
        let title = wrap(&mut frame.title, [self.title.as_str()], most, usize::from(!self.title.is_empty()));
        let head = if title.is_empty() { margin } else { margin + frame.title_height() };
        let fit = usize::try_from((frame.height - head - margin) / line).unwrap_or(0);
        let rows = self.rows.iter().take(fit);
        let names: Vec<String> = rows.clone().map(|(name, _)| cut(&mut frame.pen, name, most / 2)).collect();
        let beside = widest(&mut frame.pen, &names) + gap;
        let values: Vec<String> = rows.map(|(_, value)| cut(&mut frame.pen, value, (most - beside).max(0))).collect();
        let wanted = widest(&mut frame.title, &title).max(beside + widest(&mut frame.pen, &values));
        // In steps, so that it stays as wide while numbers change.
        let step = frame.px(48.0);
        let width = ((wanted + step - 1) / step * step).min(most);
        let mut sheet = frame.sheet(width + 2 * margin, head + names.len() as i32 * line + margin);
        if !title.is_empty() {
            frame.write_title(&mut sheet, &title, width);
        }
        for (at, (name, value)) in names.iter().zip(&values).enumerate() {
            let y = head + at as i32 * line;
            frame.pen.write(&mut sheet, margin, y, name, FAINT);
            frame.pen.write(&mut sheet, margin + beside, y, value, BRIGHT);
        }
        drawn(sheet, Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_as_wide_while_numbers_change() {
        let draw = |speed: &str| {
            let rows = vec![("Received".to_owned(), speed.to_owned()), ("Way".to_owned(), "SSH".to_owned())];
            Table { title: "Statistics".to_owned(), rows }.draw(Size::new(800, 600), 1.0).picture
        };
        let (slow, fast) = (draw("9.9 MB/s"), draw("10.1 MB/s"));
        assert_eq!(slow.size(), fast.size());
        assert_ne!(slow.pixels(), fast.pixels());
    }

    #[test]
    fn rows_that_do_not_fit_are_left_out() {
        let rows = vec![("name".to_owned(), "value".to_owned()); 1000];
        let size = Table { title: String::new(), rows }.draw(Size::new(800, 300), 1.0).picture.size();
        assert!((250..=300).contains(&size.height), "{size}");
    }
}
