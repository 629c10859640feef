//! Makes words that came from the network or a file safe to show on a terminal, in a title or in a log.

/// The most characters of a peer's text that are worth showing; a longer one ends in "...".
const MOST: usize = 1024;

/// Returns `text` as one line without control characters.
///
/// C0 and C1 controls, and the invisible characters that reorder text (bidirectional overrides), become `\u{..}`, so
/// that a server can not move the cursor, colour the terminal or forge a second line.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len().min(MOST));
    for (count, c) in text.chars().enumerate() {
        if count == MOST {
            safe.push_str("...");
            break;
        }
        match c {
            '\t' => safe.push(' '),
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            c if c.is_control() || reorders(c) => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    safe
}

/// Splits a text of several lines (a banner, an instruction) and escapes each line; empty lines at both ends go.
pub fn escape_lines(text: &str) -> Vec<String> {
    text.trim().lines().take(100).map(|line| escape(line.trim_end())).collect()
}

fn reorders(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_become_visible() {
        assert_eq!(escape("a\x1b[31mb\x07"), "a\\u{1b}[31mb\\u{7}");
        assert_eq!(escape("one\r\ntwo\tthree"), "one\\r\\ntwo three");
        assert_eq!(escape("\u{9b}1m \u{202e}evil"), "\\u{9b}1m \\u{202e}evil");
        assert_eq!(escape("naïve 日本"), "naïve 日本");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(escape(&"x".repeat(5000)).len(), MOST + 3);
    }

    #[test]
    fn lines_are_kept_apart() {
        assert_eq!(escape_lines("\nhello\x1b\r\n\nworld\n"), ["hello\\u{1b}", "", "world"]);
    }
}
