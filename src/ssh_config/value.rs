//! Values of ssh_config(5) from what is written: numbers, times, sizes, ports, hops, forwardings.

use std::fs;

/// A whole number of 0 to 2147483647.
pub(super) fn count(text: &str) -> Option<u32> {
    let text = text.trim_start_matches([' ', '\t']);
    let digits = text.strip_prefix('+').unwrap_or(text);
    let number: u32 = if digits.starts_with('+') { None } else { digits.parse().ok() }?;
    (number <= LARGEST).then_some(number)
}

const LARGEST: u32 = i32::MAX as u32;

/// A time in seconds as in sshd_config(5), TIME FORMATS: numbers with s, m, h, d or w, added up.
pub(super) fn seconds(text: &str) -> Option<u32> {
    let mut rest = text;
    let mut total: u32 = 0;
    loop {
        let signless = rest.trim_start_matches([' ', '\t']);
        let signless = signless.strip_prefix('+').unwrap_or(signless);
        let end = signless.find(|c: char| !c.is_ascii_digit()).unwrap_or(signless.len());
        let (digits, after) = signless.split_at_checked(end)?;
        let number: u32 = digits.parse().ok()?;
        let mut after = after.chars();
        let unit = match after.next() {
            None | Some('s' | 'S') => 1,
            Some('m' | 'M') => 60,
            Some('h' | 'H') => 3600,
            Some('d' | 'D') => 24 * 3600,
            Some('w' | 'W') => 7 * 24 * 3600,
            Some(_) => return None,
        };
        total = number.checked_mul(unit)?.checked_add(total).filter(|&total| total <= LARGEST)?;
        rest = after.as_str();
        if rest.is_empty() {
            return Some(total);
        }
    }
}

/// A number of bytes with B, K, M, G, T, P or E after it; a fraction may stand before the letter.
pub(super) fn scaled(text: &str) -> Option<i64> {
    let text = text.trim_start_matches([' ', '\t']);
    let (negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    let whole: i64 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()))?,
        None => ("", rest),
    };
    let mut rest = rest.chars();
    let scale: i64 = match rest.next().map(|unit| unit.to_ascii_lowercase()) {
        None => 0,
        Some('b') => 1,
        Some('k') => 1 << 10,
        Some('m') => 1 << 20,
        Some('g') => 1 << 30,
        Some('t') => 1 << 40,
        Some('p') => 1 << 50,
        Some('e') => 1 << 60,
        Some(_) => return None,
    };
    if rest.next().is_some_and(|c| c.is_ascii_alphanumeric()) {
        return None;
    }
    let fraction: String = fraction.chars().take(15).collect();
    let tenths = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    let fraction: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let bytes = whole.checked_mul(scale.max(1))?;
    let bytes = bytes.checked_add(i64::try_from(fraction * i128::from(scale) / tenths).ok()?)?;
    Some(if negative { -bytes } else { bytes })
}

/// A port by its number, or by its name in the machine's list of services.
pub(super) fn port(text: &str) -> Option<u16> {
    any_port(text).filter(|&port| port != 0)
}

/// A port, or 0 for one of the peer's choice.
fn any_port(text: &str) -> Option<u16> {
    count(text).map_or_else(|| service(text), |number| u16::try_from(number).ok())
}

fn service(name: &str) -> Option<u16> {
    if name == "ssh" {
        return Some(22);
    }
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let services = fs::read_to_string("/etc/services").ok()?;
    services.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let first = words.next()?;
        let port = words.next()?.strip_suffix("/tcp")?;
        (first == name || words.any(|alias| alias == name)).then(|| port.parse().ok())?
    })
}

/// An SSH server on the way (ssh_config(5), ProxyJump).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The user's name there, if it is given.
    pub user: Option<String>,
    /// The server's name or address, without brackets; an alias of the configuration perhaps.
    pub host: String,
    /// The server's port, if it is given.
    pub port: Option<u16>,
}

/// Hops divided by commas, each `[user@]host[:port]` or `ssh://[user@]host[:port]`.
pub(super) fn hops(text: &str) -> Option<Vec<Hop>> {
    text.split(',').map(hop).collect()
}

pub(super) fn hop(text: &str) -> Option<Hop> {
    let (user, place) = match strip_scheme(text) {
        Some(uri) => {
            let uri = uri.strip_suffix('/').unwrap_or(uri);
            match uri.split_once('@') {
                // What follows a semicolon are parameters.
                Some((user, place)) => (Some(percent_decoded(user.split(';').next()?)?), place),
                None => (None, uri),
            }
        }
        None => match text.rsplit_once('@') {
            Some((user, place)) => (Some(user.to_owned()), place),
            None => (None, text),
        },
    };
    if user.as_deref() == Some("") {
        return None;
    }
    let (host, rest) = match place.strip_prefix('[') {
        Some(place) => place.split_once(']')?,
        None => place.split_at_checked(place.find([':', '/']).unwrap_or(place.len()))?,
    };
    let port = match rest.strip_prefix(':') {
        Some("") => None,
        Some(name) => Some(port(name)?),
        None if rest.is_empty() => None,
        None => return None,
    };
    (!host.is_empty()).then(|| Hop { user, host: host.to_owned(), port })
}

fn strip_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_at_checked(6)?;
    scheme.eq_ignore_ascii_case("ssh://").then_some(rest)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok().filter(|&byte| byte != 0)?);
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// Which forwarding a keyword speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forward {
    Local,
    Remote,
    Dynamic,
}

/// Both ends of a forwarding in the form in which ssh shows them.
pub(super) fn forward(kind: Forward, listen: &str, connect: Option<&str>) -> Option<String> {
    let listen = forward_end(listen, true, kind == Forward::Remote)?;
    match (kind, connect) {
        (Forward::Dynamic, _) => Some(listen),
        (_, Some(connect)) => Some(format!("{listen} {}", forward_end(connect, false, false)?)),
        (Forward::Remote, None) => Some(format!("{listen} [socks]:0")),
        (Forward::Local, None) => None,
    }
}

fn forward_end(text: &str, listens: bool, may_be_zero: bool) -> Option<String> {
    let mut fields = vec![String::new()];
    let mut bracket = false;
    let mut chars = text.trim_start_matches([' ', '\t']).chars();
    while let Some(c) = chars.next() {
        match c {
            ':' if !bracket => fields.push(String::new()),
            '[' if fields.last().is_some_and(String::is_empty) => bracket = true,
            ']' if bracket => bracket = false,
            '\\' => fields.last_mut()?.extend(chars.next()),
            c => fields.last_mut()?.push(c),
        }
    }
    if bracket {
        return None;
    }
    let port = |text: &str| any_port(text).filter(|&port| port != 0 || may_be_zero);
    match fields.as_slice() {
        [path] if path.contains('/') => Some(path.clone()),
        [one] if listens => Some(port(one)?.to_string()),
        [host, number] => Some(format!("[{host}]:{}", port(number)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_added_up() {
        assert_eq!(seconds("1h30m"), Some(5400));
        assert_eq!(seconds("5s5"), Some(10));
        assert_eq!(seconds("2147483647"), Some(LARGEST));
        for bad in ["", "m", "-1", "1x", "2147483648", "3551w", "5 ", "1 m"] {
            assert_eq!(seconds(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn sizes_have_letters_and_fractions() {
        for (text, bytes) in
            [("1K", 1024), ("1.5g", 1_610_612_736), (".5G", 1 << 29), ("G", 0), ("-1K", -1024), ("1.", 1)]
        {
            assert_eq!(scaled(text), Some(bytes), "{text:?}");
        }
        for bad in ["none", "1GB", "8E", "16,", "1e3", "9223372036854775808", "16 x"] {
            assert_eq!(scaled(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn ports_have_numbers_and_names() {
        assert_eq!((port("22"), port("+5"), port("ssh"), port(" 010")), (Some(22), Some(5), Some(22), Some(10)));
        for bad in ["0", "65536", "-5", "++5", "5a", "", "0x10", "no-such-service"] {
            assert_eq!(port(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn hops_are_places_or_addresses() {
        let of = |text| hop(text).map(|hop| (hop.user.unwrap_or_default(), hop.host, hop.port.unwrap_or_default()));
        let some = |user: &str, host: &str, port| Some((user.to_owned(), host.to_owned(), port));
        assert_eq!(of("a@b@c:5"), some("a@b", "c", 5));
        assert_eq!(of("ssh://u%40v;x@[::1]:22/"), some("u@v", "::1", 22));
        assert_eq!(of("h:"), some("", "h", 0));
        for bad in
            ["", "@h", "u@", "::1", "h:0", "h:22:33", "h/", "ssh://", "ssh://h/p", "ssh://@h", "[::1", "ssh://%4@h"]
        {
            assert_eq!(of(bad), None, "{bad:?}");
        }
        assert_eq!(hops("a,,b"), None);
        assert_eq!(hops("a,b:2").map(|hops| hops.len()), Some(2));
    }

    #[test]
    fn forwardings_are_shown_with_brackets() {
        let local = |listen, connect| forward(Forward::Local, listen, Some(connect));
        assert_eq!(local("5901", "localhost:5901").as_deref(), Some("5901 [localhost]:5901"));
        assert_eq!(local("[::1]:1", "/a/b").as_deref(), Some("[::1]:1 /a/b"));
        assert_eq!(local("1", "a/b:2").as_deref(), Some("1 [a/b]:2"));
        assert_eq!(forward(Forward::Remote, "0", None).as_deref(), Some("0 [socks]:0"));
        for (listen, connect) in
            [("0", "a:1"), ("a", "b:1"), ("1", "a"), ("1", "a:0"), ("/a:b", "a:1"), ("[::1:1", "b:2")]
        {
            assert_eq!(local(listen, connect), None, "{listen} {connect}");
        }
    }
}
