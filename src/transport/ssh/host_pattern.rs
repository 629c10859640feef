//! Does a known_hosts line speak of this host? (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".)

use hmac::{Hmac, KeyInit, Mac};
use russh::keys::key::safe_rng;
use russh::keys::ssh_key::known_hosts::HostPatterns;
use russh::keys::ssh_key::rand_core::Rng;

/// The name under which known_hosts files keep `host:port`: the bare name for port 22, `[host]:port` otherwise.
pub(super) fn file_name_of(host: &str, port: u16) -> String {
    // Names are compared without regard to case, and ssh lowers them before it hashes them.
    let host = host.to_ascii_lowercase();
    if port == 22 { host } else { format!("[{host}]:{port}") }
}

/// `name`, a result of [`file_name_of`], so that a reader of the file does not learn it: `|1|SALT|HASH`.
pub(super) fn hashed(name: &str) -> Result<String, String> {
    let mut salt = vec![0; 20];
    safe_rng().fill_bytes(&mut salt);
    let mac = Hmac::<sha1::Sha1>::new_from_slice(&salt).map_err(|error| error.to_string())?;
    let hash = mac.chain_update(name.as_bytes()).finalize().into_bytes().into();
    Ok(HostPatterns::HashedName { salt, hash }.to_string())
}

/// Whether a line with these patterns could have been written by a program: one name or hash, or a name and an address.
pub(super) fn is_simple(patterns: &HostPatterns) -> bool {
    match patterns {
        HostPatterns::HashedName { .. } => true,
        HostPatterns::Patterns(patterns) => {
            patterns.len() <= 2 && !patterns.iter().any(|pattern| pattern.contains(['*', '?', '!']))
        }
    }
}

/// Whether a host certificate for `principal` is one for `name`; it may have wildcards but, as in ssh, no other case.
pub(super) fn is_principal(principal: &str, name: &str) -> bool {
    glob(principal, name, |a, b| a == b)
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

fn wildcard(pattern: &str, name: &str) -> bool {
    glob(pattern, name, |a, b| a.eq_ignore_ascii_case(&b))
}

/// `*` stands for any characters, `?` for one. Time is at most the product of both lengths, whatever the pattern.
fn glob(pattern: &str, name: &str, same: fn(u8, u8) -> bool) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p + 1, n));
                p += 1;
            }
            Some(&c) if c == b'?' || same(c, name[n]) => {
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

    #[test]
    fn a_name_that_was_hashed_here_matches_only_itself() {
        let line = hashed("[alpha]:2222").unwrap();
        assert!(line.starts_with("|1|") && line.len() == 3 + 28 + 1 + 28, "{line}");
        assert!(says(&line, "alpha", 2222) && !says(&line, "alpha", 22) && !says(&line, "beta", 2222));
        assert_ne!(hashed("[alpha]:2222").unwrap(), line, "the salt is new each time");
    }

    #[test]
    fn lines_of_programs_are_told_from_those_of_people() {
        for (patterns, simple) in
            [("a", true), ("a,192.0.2.1", true), ("a,b,c", false), ("*.a", false), ("a?", false), ("a,!b", false)]
        {
            assert_eq!(is_simple(&patterns.parse().unwrap()), simple, "{patterns}");
        }
        assert!(is_simple(&HASHED[0].0.parse().unwrap()));
    }

    #[test]
    fn principals_keep_their_case() {
        assert!(is_principal("alpha.example.org", "alpha.example.org"));
        assert!(is_principal("*.example.org", "alpha.example.org"));
        assert!(!is_principal("Alpha.example.org", "alpha.example.org"));
        assert!(!is_principal("", "alpha"));
    }

    const HASHED: &[(&str, &str, u16)] = &[
        ("|1|aFECFi9j0FBK8/SwXM2v3ooNGJM=|Zh+oB7jL5wfim1vnyGhdxFzXYgQ=", "myhost.example.org", 22),
        ("|1|FPGKDMAWY7FszQOep47eXYfAs6c=|11BbLIRqTCJKuZUL/V+77D/OIHg=", "myhost.example.org", 2222),
    ];
}
