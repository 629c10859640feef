//! PATTERNS of ssh_config(5), and the patterns of file names that `Include` takes (glob(7)).

/// `*` stands for any characters, `?` for one. Time is at most the product of both lengths.
pub(super) fn wildcard(pattern: &str, text: &str) -> bool {
    let tokens = pattern.bytes().map(|byte| match byte {
        b'*' => Token::Any,
        b'?' => Token::One,
        byte => Token::Byte(byte),
    });
    fits(&tokens.collect::<Vec<_>>(), text.as_bytes())
}

/// Whether a pattern-list, divided by commas, includes `text`: a negated pattern that fits excludes it, wherever it
/// stands, and one that does not fit includes nothing.
pub(super) fn list(patterns: &str, text: &str) -> bool {
    let mut included = false;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) if wildcard(pattern, text) => return false,
            Some(_) => {}
            None => included |= wildcard(pattern, text),
        }
    }
    included
}

/// As [`list`], for names of hosts, which have no case.
pub(super) fn host_list(patterns: &str, host: &str) -> bool {
    list(&patterns.to_ascii_lowercase(), &host.to_ascii_lowercase())
}

enum Token {
    Any,
    One,
    Byte(u8),
    /// Whether the bytes are the excluded ones.
    Set(bool, Vec<Member>),
}

enum Member {
    Range(u8, u8),
    Class(Class),
}

type Class = fn(&u8) -> bool;

impl Token {
    fn fits(&self, byte: u8) -> bool {
        match self {
            Token::Any => false,
            Token::One => true,
            Token::Byte(own) => *own == byte,
            Token::Set(excluded, members) => {
                let inside = members.iter().any(|member| match member {
                    Member::Range(from, to) => (*from..=*to).contains(&byte),
                    Member::Class(class) => class(&byte),
                });
                inside != *excluded
            }
        }
    }
}

fn fits(tokens: &[Token], text: &[u8]) -> bool {
    let (mut t, mut i) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(&byte) = text.get(i) {
        match tokens.get(t) {
            Some(Token::Any) => {
                t += 1;
                retry = Some((t, i));
            }
            Some(token) if token.fits(byte) => {
                t += 1;
                i += 1;
            }
            _ => match retry {
                Some((after_star, from)) => {
                    t = after_star;
                    i = from + 1;
                    retry = Some((after_star, i));
                }
                None => return false,
            },
        }
    }
    tokens.iter().skip(t).all(|token| matches!(token, Token::Any))
}

/// One component of a path's pattern.
pub(super) struct Component {
    tokens: Vec<Token>,
    /// The component without escapes, if it stands for one name only.
    pub literal: Option<String>,
    hidden: bool,
}

impl Component {
    /// Reads one component: `*`, `?`, `[a-z]`, `[!a-z]`, `[[:digit:]]` and backslashes before any of them.
    pub fn new(pattern: &str) -> Component {
        let bytes = pattern.as_bytes();
        let mut tokens = Vec::new();
        let mut literal = Some(Vec::new());
        let mut i = 0;
        while let Some(&byte) = bytes.get(i) {
            i += 1;
            let token = match byte {
                b'*' => Token::Any,
                b'?' => Token::One,
                b'[' => match set(bytes, i) {
                    Some((token, next)) => {
                        i = next;
                        token
                    }
                    None => Token::Byte(byte),
                },
                b'\\' => {
                    let escaped = bytes.get(i).copied();
                    i += 1;
                    Token::Byte(escaped.unwrap_or(byte))
                }
                byte => Token::Byte(byte),
            };
            match (&token, &mut literal) {
                (Token::Byte(byte), Some(literal)) => literal.push(*byte),
                _ => literal = None,
            }
            tokens.push(token);
        }
        let hidden = matches!(tokens.first(), Some(Token::Byte(b'.')));
        Component { tokens, literal: literal.and_then(|bytes| String::from_utf8(bytes).ok()), hidden }
    }

    /// Whether `name` fits; hidden ones only if the pattern begins with a dot.
    pub fn fits(&self, name: &str) -> bool {
        (self.hidden || !name.starts_with('.')) && fits(&self.tokens, name.as_bytes())
    }
}

/// Reads `[...]`, of which the bracket is read; gives the place behind it. None if it does not end.
fn set(bytes: &[u8], mut i: usize) -> Option<(Token, usize)> {
    let excluded = bytes.get(i) == Some(&b'!');
    i += usize::from(excluded);
    let mut members = Vec::new();
    loop {
        let first = *bytes.get(i)?;
        if first == b']' && !members.is_empty() {
            return Some((Token::Set(excluded, members), i + 1));
        }
        if let Some((class, length)) = class(bytes.get(i..)?) {
            members.push(Member::Class(class));
            i += length;
        } else if bytes.get(i + 1) == Some(&b'-') && bytes.get(i + 2).is_some_and(|&byte| byte != b']') {
            members.push(Member::Range(first, *bytes.get(i + 2)?));
            i += 3;
        } else {
            members.push(Member::Range(first, first));
            i += 1;
        }
    }
}

fn class(bytes: &[u8]) -> Option<(Class, usize)> {
    let classes: [(&str, Class); 9] = [
        ("[:alnum:]", u8::is_ascii_alphanumeric),
        ("[:alpha:]", u8::is_ascii_alphabetic),
        ("[:digit:]", u8::is_ascii_digit),
        ("[:lower:]", u8::is_ascii_lowercase),
        ("[:upper:]", u8::is_ascii_uppercase),
        ("[:space:]", u8::is_ascii_whitespace),
        ("[:punct:]", u8::is_ascii_punctuation),
        ("[:xdigit:]", u8::is_ascii_hexdigit),
        ("[:graph:]", u8::is_ascii_graphic),
    ];
    classes.into_iter().find(|(name, _)| bytes.starts_with(name.as_bytes())).map(|(name, class)| (class, name.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_include_and_exclude() {
        assert!(list("a,b*", "bcd") && list("*,!x", "y"));
        assert!(!list("*,!x", "x") && !list("!x,*", "x") && !list("!x", "y") && !list("", "y"));
        assert!(host_list("*.Example.COM", "www.example.com") && !list("ROOT", "root"));
    }

    #[test]
    fn wildcards_are_stars_and_question_marks() {
        assert!(wildcard("a?c", "abc") && wildcard("*", "") && wildcard("a*b*c", "aXbYbZc"));
        assert!(!wildcard("a?c", "ac") && !wildcard("[ab]", "a") && !wildcard("a*b*c", "aXbYbZ"));
    }

    #[test]
    fn a_long_pattern_takes_no_long_time() {
        assert!(!wildcard(&"*a".repeat(2000), &"a".repeat(1999)));
    }

    #[test]
    fn components_of_paths_have_sets() {
        let fits = |pattern: &str, name: &str| Component::new(pattern).fits(name);
        assert!(fits("*.conf", "a.conf") && fits("[0-9]*", "10-x") && fits("[!0-9]", "a") && fits("[[:digit:]-]", "-"));
        assert!(!fits("*", ".hidden") && fits(".*", ".hidden") && !fits("[!0-9]", "1") && !fits("[^0-9]", "a"));
        assert!(fits("[]]", "]") && fits("[a", "[a") && fits("\\*", "*") && !fits("\\*", "a"));
        assert_eq!(Component::new("a\\[b").literal.as_deref(), Some("a[b"));
        assert!(Component::new("a*").literal.is_none());
    }
}
