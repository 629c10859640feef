//! Text on the wire: Latin-1 in cut texts, UTF-8 or Latin-1 in names and reasons.

/// Latin-1 bytes as text (RFC 6143 §7.5.6: ISO 8859-1, lines end with a line feed).
pub fn from_latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

/// Text as Latin-1; what it can not express becomes `?`.
pub fn to_latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

/// Text whose lines end with a line feed, whatever ended them before.
pub fn with_line_feeds(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// A desktop's name or a reason: UTF-8 as the specification says, Latin-1 as old servers send, without a closing NUL.
pub fn from_peer(bytes: &[u8]) -> String {
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| from_latin1(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latin1_both_ways() {
        assert_eq!(from_latin1(b"caf\xe9"), "café");
        assert_eq!(to_latin1("café €"), b"caf\xe9 ?");
        assert_eq!(from_peer("größe\0".as_bytes()), "größe");
        assert_eq!(from_peer(b"gr\xf6\xdfe"), "größe");
    }
}
