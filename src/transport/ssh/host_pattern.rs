//! Does a known_hosts line speak of this host? (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".)

use hmac::{Hmac, KeyInit, Mac};
use russh::keys::ssh_key::known_hosts::HostPatterns;

/// The name under which known_hosts files keep `host:port`: the bare name for port 22, `[host]:port` otherwise.
pub(super) fn file_name_of(host: &str, port: u16) -> String {
    // Names are compared without regard to case, and ssh lowers them before it hashes them.
    let host = host.to_ascii_lowercase();
    if port == 22 { host } else { format!("[{host}]:{port}") }
}

/// Whether `patterns` include `name`, a result of [`file_name_of`].
pub(super) fn matches(patterns: &HostPatterns, name: &str) -> bool {
    match patterns {
        HostPatterns::HashedName { salt, hash } => is_hash_of(salt, hash, name),
        HostPatterns::Patterns(patterns) => {
            let mut found = false;
            for pattern in patterns {
                match pattern.strip_prefix('!') {
                    // A negated pattern that fits excludes the whole line, wherever it stands.
                    Some(pattern) if wildcard(pattern, name) => return false,
                    Some(_) => {}
                    None => found |= wildcard(pattern, name),
                }
            }
            found
        }
    }
}

fn is_hash_of(salt: &[u8], hash: &[u8], name: &str) -> bool {
    match Hmac::<sha1::Sha1>::new_from_slice(salt) {
        Ok(mac) => mac.chain_update(name.as_bytes()).verify_slice(hash).is_ok(),
        Err(_) => false,
    }
}

/// `*` stands for any characters, `?` for one. Time is at most the product of both lengths, whatever the pattern.
fn wildcard(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p + 1, n));
                p += 1;
            }
            Some(&c) if c == b'?' || c.eq_ignore_ascii_case(&name[n]) => {
                p += 1;
                n += 1;
            }
            _ => match retry {
                Some((after_star, from)) => {
                    p = after_star;
                    n = from + 1;
                    retry = Some((after_star, n));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(patterns: &str, host: &str, port: u16) -> bool {
        matches(&patterns.parse().unwrap(), &file_name_of(host, port))
    }

    #[test]
    fn plain_names_match_without_regard_to_case() {
        assert!(says("alpha,Beta.Example.ORG", "beta.example.org", 22));
        assert!(says("beta.example.org", "BETA.example.org", 22));
        assert!(!says("alpha", "alph", 22));
        assert!(!says("alph", "alpha", 22));
    }

    #[test]
    fn stars_and_question_marks_are_wildcards() {
        assert!(says("*.example.org", "a.b.example.org", 22));
        assert!(!says("*.example.org", "example.org", 22));
        assert!(says("host?", "host7", 22));
        assert!(!says("host?", "host", 22));
        assert!(says("*", "anything", 22));
        assert!(says("a*b*c", "aXbYbZc", 22));
        assert!(!says("a*b*c", "aXbYbZ", 22));
        assert!(says("[*.example.org]:2222", "x.example.org", 2222));
    }

    #[test]
    fn a_negation_excludes_the_line() {
        assert!(says("*.example.org,!bad.example.org", "good.example.org", 22));
        assert!(!says("*.example.org,!bad.example.org", "bad.example.org", 22));
        assert!(!says("!bad.example.org,*.example.org", "bad.example.org", 22));
        assert!(!says("!bad.example.org", "good.example.org", 22));
    }

    #[test]
    fn other_ports_have_brackets() {
        assert!(says("[myhost]:2222", "myhost", 2222));
        assert!(!says("myhost", "myhost", 2222));
        assert!(!says("[myhost]:2222", "myhost", 22));
        assert!(says("[::1]:2222", "::1", 2222));
    }

    // Lines made with `ssh-keygen -H`.
    #[test]
    fn hashed_names_match() {
        HASHED.iter().for_each(|&(line, host, port)| {
            assert!(says(line, host, port), "{host}");
            assert!(!says(line, "otherhost", port));
            assert!(!says(line, host, port + 1));
        });
        assert!(says(HASHED[0].0, "MYHOST.example.org", 22));
    }

    const HASHED: &[(&str, &str, u16)] = &[
        ("|1|aFECFi9j0FBK8/SwXM2v3ooNGJM=|Zh+oB7jL5wfim1vnyGhdxFzXYgQ=", "myhost.example.org", 22),
        ("|1|FPGKDMAWY7FszQOep47eXYfAs6c=|11BbLIRqTCJKuZUL/V+77D/OIHg=", "myhost.example.org", 2222),
    ];
}
