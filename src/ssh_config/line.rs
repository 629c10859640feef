//! One line of ssh_config(5): its keyword, and what follows it as arguments, as words of `Match`, or as it stands.

/// A line that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// In lower case.
    pub keyword: String,
    /// What follows the keyword and its separator; empty if nothing does.
    pub rest: String,
}

/// Splits a line into keyword and rest; None for empty lines and comments.
///
/// The separator is white space, or one `=` with white space round it.
pub(super) fn split(line: &str) -> Option<Line> {
    // What a C string can hold.
    let line = line.split('\0').next().unwrap_or_default();
    let line = line.trim_end_matches([' ', '\t', '\r', '\n', '\u{c}']);
    let mut rest = line;
    // White space, a `=` or an empty pair of quotes in front of it is an empty word.
    let mut keyword = word(&mut rest)?;
    if keyword.is_empty() {
        keyword = word(&mut rest)?;
    }
    if keyword.is_empty() || keyword.starts_with('#') {
        return None;
    }
    keyword.make_ascii_lowercase();
    Some(Line { keyword, rest: rest.trim_start_matches(WHITE).to_owned() })
}

const WHITE: [char; 4] = [' ', '\t', '\r', '\n'];

/// Takes one word as `Match` and the keyword are read: it ends at white space, at one `=`, or with a quoted part.
/// None at the end, and for a quote without its twin.
pub(super) fn word(rest: &mut &str) -> Option<String> {
    let text = *rest;
    if text.is_empty() {
        return None;
    }
    let Some(at) = text.find(|c| WHITE.contains(&c) || c == '"' || c == '=') else {
        *rest = "";
        return Some(text.to_owned());
    };
    let (before, after) = text.split_at(at);
    if let Some(quoted) = after.strip_prefix('"') {
        let Some((quoted, after)) = quoted.split_once('"') else {
            *rest = "";
            return None;
        };
        *rest = after.trim_start_matches(WHITE);
        return Some(format!("{before}{quoted}"));
    }
    let after = match after.strip_prefix('=') {
        Some(after) => after.trim_start_matches(WHITE),
        None => {
            let after = after.trim_start_matches(WHITE);
            after.strip_prefix('=').map_or(after, |after| after.trim_start_matches(WHITE))
        }
    };
    *rest = after;
    Some(before.to_owned())
}

/// Splits what follows a keyword into arguments; None if a quote has no twin.
///
/// Both kinds of quotes hold blanks together; a backslash takes its meaning from a quote, a backslash and, outside of
/// quotes, a blank; an argument that begins with `#` begins a comment.
pub(super) fn arguments(rest: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut chars = rest.chars().peekable();
    loop {
        while chars.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        match chars.peek() {
            None | Some('#') => return Some(found),
            Some(_) => {}
        }
        let mut argument = String::new();
        let mut quote = None;
        loop {
            match (chars.next(), quote) {
                (None, Some(_)) => return None,
                (None | Some(' ' | '\t'), None) => break,
                (Some('\\'), _) => {
                    let escaped = chars.next_if(|&c| matches!(c, '\\' | '"' | '\'') || (c == ' ' && quote.is_none()));
                    argument.push(escaped.unwrap_or('\\'));
                }
                (Some(c), Some(open)) if c == open => quote = None,
                (Some(c @ ('"' | '\'')), None) => quote = Some(c),
                (Some(c), _) => argument.push(c),
            }
        }
        found.push(argument);
    }
}

/// What follows the keyword as it stands, for commands: they are for a shell to split.
pub(super) fn command(rest: &str) -> &str {
    rest.trim_start_matches([' ', '\t', '\r', '\n', '='])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halves(line: &str) -> Option<(String, String)> {
        split(line).map(|line| (line.keyword, line.rest))
    }

    fn pair(keyword: &str, rest: &str) -> Option<(String, String)> {
        Some((keyword.to_owned(), rest.to_owned()))
    }

    #[test]
    fn a_keyword_is_followed_by_blanks_or_one_equals_sign() {
        for line in ["Port 5", " \tPORT\t5\r", "port=5", "Port = 5 \u{c}", "=Port 5", "\"Port\" 5", "Po\"rt\" 5\0 6"] {
            assert_eq!(halves(line), pair("port", "5"), "{line:?}");
        }
        assert_eq!(halves("Port == 5"), pair("port", "= 5"));
        assert_eq!(halves("\"Port\"=5"), pair("port", "=5"));
        assert_eq!(halves("Port"), pair("port", ""));
    }

    #[test]
    fn comments_and_empty_lines_say_nothing() {
        for line in ["", "  \t", "# Port 5", "  #Port 5", "\r", "=", "= =", "\"Port 5", " \"\"Port 5"] {
            assert_eq!(split(line), None, "{line:?}");
        }
    }

    #[test]
    fn arguments_may_be_quoted_and_escaped() {
        let of = |rest| arguments(rest).unwrap();
        assert_eq!(of("a  b\tc"), ["a", "b", "c"]);
        assert_eq!(of("\"a b\" 'c d' e\"f g\"h"), ["a b", "c d", "ef gh"]);
        assert_eq!(of(r#"a\ b "c\"d" '\'' \\ \x "\ ""#), ["a b", "c\"d", "'", "\\", "\\x", "\\ "]);
        assert_eq!(of("a #b \"c"), ["a"]);
        assert_eq!(of("a#b \"#\" ''"), ["a#b", "#", ""]);
        assert_eq!(arguments("\"a"), None);
        assert_eq!(arguments("it's"), None);
    }

    #[test]
    fn words_of_match_end_at_an_equals_sign_too() {
        let mut rest = "host=a \"user\" \"b c\" final";
        let mut words = Vec::new();
        while let Some(one) = word(&mut rest) {
            words.push(one);
        }
        assert_eq!(words, ["host", "a", "user", "b c", "final"]);
    }
}
