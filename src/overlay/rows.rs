//! A list of rows of which one is chosen; where not all fit, those around it are seen.

use super::frame::Frame;
use super::lines::cut;
use super::sheet::{ACCENT, BRIGHT, CHOSEN, DISABLED, EDGE, FAINT, Sheet, TEXT};

/// Something to choose.
pub(super) struct Row<'a> {
    pub(super) label: &'a str,
    pub(super) hint: &'a str,
    pub(super) checked: Option<bool>,
    pub(super) enabled: bool,
}

/// All of it.
pub(super) struct Rows<'a> {
    pub(super) rows: Vec<Row<'a>>,
    pub(super) chosen: usize,
}

/// Beyond this a row is cut off anyway.
const LONGEST: usize = 256;

impl Rows<'_> {
    /// Whether any of them has a mark.
    fn marked(&self) -> bool {
        self.rows.iter().any(|row| row.checked.is_some())
    }

    /// How wide they would like to be.
    pub(super) fn width(&self, frame: &mut Frame) -> i32 {
        let begin = |text: &str| text.chars().take(LONGEST).collect::<String>();
        let mark = if self.marked() { frame.px(22.0) } else { 0 };
        let gap = frame.px(28.0);
        let mut widest = 0;
        for row in &self.rows {
            let hint = if row.hint.is_empty() { 0 } else { gap + frame.pen.width(&begin(row.hint)) };
            widest = widest.max(frame.pen.width(&begin(row.label)) + hint);
        }
        mark + widest + 2 * frame.px(8.0)
    }

    /// Draws as many as there is height for; gives where they are.
    pub(super) fn draw(
        &self,
        frame: &mut Frame,
        sheet: &mut Sheet,
        [x, y, width, height]: [i32; 4],
    ) -> Vec<(usize, [i32; 4])> {
        let tall = frame.row();
        let fit = usize::try_from(height / tall).unwrap_or(0).min(self.rows.len());
        let first = self.chosen.saturating_sub(fit / 2).min(self.rows.len() - fit);
        let all = self.rows.len() == fit;
        // What shows that there are more.
        let bar = if all { 0 } else { frame.px(10.0) };
        let mut places = Vec::new();
        for ((number, row), y) in self.rows.iter().enumerate().skip(first).take(fit).zip((0..).map(|at| y + at * tall))
        {
            self.draw_row(frame, sheet, number, row, [x, y, width - bar]);
            places.push((number, [x, y, width - bar, tall]));
        }
        if !all && fit > 0 {
            let (whole, shown) = (fit as i32 * tall, self.rows.len() as i64);
            let part = |count: usize| (i64::from(whole) * count as i64 / shown) as i32;
            let wide = frame.px(4.0);
            sheet.round(x + width - wide, y, wide, whole, wide / 2, EDGE);
            let thumb = part(fit).max(wide * 2);
            sheet.round(x + width - wide, y + part(first).min(whole - thumb), wide, thumb, wide / 2, FAINT);
        }
        places
    }

    fn draw_row(&self, frame: &mut Frame, sheet: &mut Sheet, number: usize, row: &Row<'_>, [x, y, width]: [i32; 3]) {
        let chosen = number == self.chosen;
        let (label, hint) = match (row.enabled, chosen) {
            (false, _) => (DISABLED, DISABLED),
            (true, false) => (TEXT, FAINT),
            (true, true) => (BRIGHT, BRIGHT),
        };
        if chosen {
            let ground = if row.enabled { CHOSEN } else { EDGE };
            sheet.round(x, y, width, frame.row(), frame.px(5.0), ground);
        }
        let (pad, top) = (frame.px(8.0), y + (frame.row() - frame.pen.line()) / 2);
        let (mut left, mut right) = (x + pad, x + width - pad);
        if self.marked() {
            if row.checked == Some(true) {
                let colour = if chosen || !row.enabled { label } else { ACCENT };
                frame.pen.write(sheet, left, top, "✓", colour);
            }
            left += frame.px(22.0);
        }
        let text = cut(&mut frame.pen, row.label, right - left);
        frame.pen.write(sheet, left, top, &text, label);
        left += frame.pen.width(&text) + frame.px(12.0);
        if !row.hint.is_empty() && left < right {
            let text = cut(&mut frame.pen, row.hint, right - left);
            right -= frame.pen.width(&text);
            frame.pen.write(sheet, right, top, &text, hint);
        }
    }
}
