//! Texts made to fit: cut into lines, or off.

use super::pen::Pen;

/// A line never holds more characters, however narrow they are.
const LONGEST: usize = 2048;
/// At the end of what was cut off.
const MORE: char = '…';

/// Cuts texts into lines of this width, between words where it can; what is beyond `most` lines is left out, and that is
/// shown at the end of the last one.
pub(super) fn wrap<'a>(
    pen: &mut Pen,
    texts: impl IntoIterator<Item = &'a str>,
    width: i32,
    most: usize,
) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut texts = texts.into_iter().peekable();
    while let Some(text) = texts.next() {
        let mut rest = text;
        loop {
            if lines.len() == most {
                return cut_last(pen, lines, width);
            }
            let (line, after) = first_line(pen, rest, width);
            lines.push(line.to_owned());
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        if lines.len() == most && texts.peek().is_some() {
            return cut_last(pen, lines, width);
        }
    }
    lines
}

/// The text, or as much of its beginning as fits.
pub(super) fn cut(pen: &mut Pen, text: &str, width: i32) -> String {
    let (fits, beyond) = measure(pen, text, width as f32);
    if !beyond {
        return text.to_owned();
    }
    let room = width as f32 - pen.advance(MORE);
    let (fits, _) = measure(pen, text.get(..fits).unwrap_or_default(), room);
    let mut cut = text.get(..fits).unwrap_or_default().to_owned();
    cut.push(MORE);
    cut
}

/// The widest of some lines.
pub(super) fn widest(pen: &mut Pen, lines: &[String]) -> i32 {
    lines.iter().map(|line| pen.width(line)).max().unwrap_or(0)
}

fn cut_last(pen: &mut Pen, mut lines: Vec<String>, width: i32) -> Vec<String> {
    if let Some(last) = lines.last_mut() {
        let whole = format!("{last}{MORE}");
        // Its own end may already be more than fits.
        *last = if pen.width(&whole) <= width { whole } else { cut(pen, &whole, width) };
    }
    lines
}

/// How many bytes of a text fit, and whether there are more.
fn measure(pen: &mut Pen, text: &str, width: f32) -> (usize, bool) {
    let mut at = 0.0;
    for (count, (byte, c)) in text.char_indices().enumerate() {
        at += pen.advance(c);
        if at > width || count == LONGEST {
            return (byte, true);
        }
    }
    (text.len(), false)
}

/// What stands in the first line, at least one character of it, and what is left.
fn first_line<'a>(pen: &mut Pen, text: &'a str, width: i32) -> (&'a str, &'a str) {
    let (fits, beyond) = measure(pen, text, width as f32);
    if !beyond {
        return (text, "");
    }
    let one = text.chars().next().map_or(0, char::len_utf8);
    let fits = fits.max(one);
    let split = |at: usize| (text.get(..at).unwrap_or_default(), text.get(at..).unwrap_or_default());
    let (line, rest) = split(fits);
    if rest.starts_with(' ') {
        return (line, rest.trim_start_matches(' '));
    }
    // A word longer than a line begins where it begins and is cut anywhere.
    match line.rfind(' ').filter(|&space| !line.get(..space).unwrap_or_default().trim().is_empty()) {
        Some(space) => (line.get(..space).unwrap_or_default(), split(space + 1).1),
        None => (line, rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, width: &str, most: usize) -> Vec<String> {
        let mut pen = Pen::new(1.0, 1.0);
        let width = pen.width(width) + 1;
        let lines = wrap(&mut pen, [text], width, most);
        assert!(lines.iter().all(|line| line.chars().count() <= 1 || pen.width(line) <= width), "{lines:?}");
        lines
    }

    #[test]
    fn lines_end_between_words() {
        assert_eq!(wrapped("one two three", "one two", 9), ["one two", "three"]);
        assert_eq!(wrapped("one  two", "one t", 9), ["one ", "two"]);
        assert_eq!(wrapped("  one two", "  one", 9), ["  one", "two"]);
        assert_eq!(wrapped("", "x", 9), [""]);
    }

    #[test]
    fn a_word_longer_than_a_line_is_cut_anywhere() {
        assert_eq!(wrapped("mmmmmmmm", "mmm", 9), ["mmm", "mmm", "mm"]);
        assert_eq!(wrapped("mmm", "", 9), ["m", "m", "m"]);
        assert_eq!(wrapped("日本語日本語", "日本語", 9), ["日本語", "日本語"]);
    }

    #[test]
    fn what_is_too_long_ends_in_dots() {
        assert_eq!(wrapped("aaaa bbbb cccc dddd", "aaaa…", 2), ["aaaa", "bbbb…"]);
        assert_eq!(wrapped(&"m".repeat(10_000), "mmm…", 2), ["mmmm", "mmm…"]);
        let mut pen = Pen::new(1.0, 1.0);
        let width = pen.width("mmm…");
        assert_eq!(cut(&mut pen, "mmmm", width), "mmmm");
        assert_eq!(cut(&mut pen, "mmmmm", width), "mmm…");
        assert_eq!(cut(&mut pen, "mmmmm", 0), "…");
        assert_eq!(wrap(&mut pen, ["a", "b", "c"], 1000, 2), ["a", "b…"]);
        assert_eq!(wrap(&mut pen, ["a", "b"], 1000, 2), ["a", "b"]);
        assert!(wrap(&mut pen, ["a"], 1000, 0).is_empty());
    }

    #[test]
    fn many_narrow_characters_are_not_one_line() {
        let mut pen = Pen::new(1.0, 1.0);
        let lines = wrap(&mut pen, ["\u{301}".repeat(1_000_000).as_str()], 100, 3);
        assert!(lines.len() <= 3 && lines.iter().all(|line| line.chars().count() <= LONGEST + 1));
    }
}
