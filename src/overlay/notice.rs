//! A notice: a few words that want nothing.

use super::Drawn;
use super::frame::{Frame, drawn};
use super::lines::{widest, wrap};
use super::sheet::{ACCENT, ALERT, BRIGHT, TEXT};
use crate::picture::Size;

/// A notice.
#[derive(Debug, Clone)]
pub struct Notice {
    /// The first one says it, the others say more.
    pub lines: Vec<String>,
    /// How it looks.
    pub kind: Kind,
}

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What is good to know.
    Info,
    /// What is not as it should be.
    Warning,
}

impl Notice {
    /// Draws it into no more than `room`; `density` pixels stand for one of 96 dpi.
    pub fn draw(&self, room: Size, density: f32) -> Drawn {
        let mut frame = Frame::new(room, density);
        let (margin, pad, line) = (frame.margin(), frame.px(10.0), frame.pen.line());
        let most = usize::try_from((frame.height - 2 * pad) / line).unwrap_or(0);
        let (texts, width) = (self.lines.iter().map(String::as_str), frame.widest());
        let lines = wrap(&mut frame.pen, texts, width, most);
        let width = widest(&mut frame.pen, &lines).min(frame.widest());
        let mut sheet = frame.sheet(width + 2 * margin, lines.len() as i32 * line + 2 * pad);
        let edge = match self.kind {
            Kind::Info => ACCENT,
            Kind::Warning => ALERT,
        };
        sheet.fill(0, 0, frame.px(4.0), i32::MAX, edge);
        // What is wrapped begins bright as a whole.
        let first = self.lines.first().map_or(0, |first| {
            let most = frame.widest();
            wrap(&mut frame.pen, [first.as_str()], most, lines.len()).len()
        });
        for (at, text) in lines.iter().enumerate() {
            let colour = if at < first { BRIGHT } else { TEXT };
            frame.pen.write(&mut sheet, margin, pad + at as i32 * line, text, colour);
        }
        drawn(sheet, Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_as_large_as_its_words() {
        let size = |lines: &[&str]| {
            let lines = lines.iter().map(|line| (*line).to_owned()).collect();
            Notice { lines, kind: Kind::Info }.draw(Size::new(800, 600), 1.0).picture.size()
        };
        let one = size(&["Connected"]);
        assert!(
            size(&["Connected", "again"]).height == one.height + 20 && size(&["Connected to you"]).width > one.width
        );
        assert!((500..=560 + 32).contains(&size(&["many words ".repeat(50).as_str()]).width));
    }

    #[test]
    fn a_warning_is_seen_to_be_one() {
        let draw = |kind| Notice { lines: vec!["x".to_owned()], kind }.draw(Size::new(800, 600), 1.0).picture;
        let (info, warning) = (draw(Kind::Info), draw(Kind::Warning));
        assert!(warning.pixels().contains(&ALERT) && !info.pixels().contains(&ALERT));
    }
}
