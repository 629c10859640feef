//! Lists of algorithms: what `+`, `-` and `^` do to a list of defaults, and which names OpenSSH 9.2 knows.

use super::pattern;

/// A list as it is written (ssh_config(5): Ciphers, HostKeyAlgorithms, KexAlgorithms, MACs and others).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    sign: Sign,
    names: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// Instead of the defaults.
    Set,
    /// `+`: after the defaults.
    Append,
    /// `-`: the defaults without these.
    Remove,
    /// `^`: before the defaults.
    Front,
}

impl List {
    pub(super) fn parse(text: &str) -> List {
        let (sign, names) = match text.chars().next() {
            Some('+') => (Sign::Append, text.get(1..)),
            Some('-') => (Sign::Remove, text.get(1..)),
            Some('^') => (Sign::Front, text.get(1..)),
            _ => (Sign::Set, Some(text)),
        };
        let names = names.unwrap_or_default().split(',').filter(|name| !name.is_empty()).map(str::to_owned);
        List { sign, names: names.collect() }
    }

    /// The list that results: of `defaults`, and of `all` that the transport can do where the list names more.
    ///
    /// It is empty if the list leaves nothing that the transport can do.
    pub fn apply(&self, defaults: &[&str], all: &[&str]) -> Vec<String> {
        let mut list = Vec::new();
        let mut add = |name: &str| {
            if !list.iter().any(|known| known == name) {
                list.push(name.to_owned());
            }
        };
        if self.sign == Sign::Remove {
            let patterns = self.names.join(",");
            defaults.iter().filter(|name| !pattern::list(&patterns, name)).for_each(|name| add(name));
            return list;
        }
        if self.sign == Sign::Append {
            defaults.iter().for_each(|name| add(name));
        }
        for wanted in &self.names {
            all.iter().filter(|name| pattern::list(wanted, name)).for_each(|name| add(name));
        }
        if self.sign == Sign::Front {
            defaults.iter().for_each(|name| add(name));
        }
        list
    }
}

/// A family of algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Cipher,
    Mac,
    Kex,
    HostKey,
    Pubkey,
    CaSignature,
}

/// Defaults and all names of one family.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// What is offered if nothing else is said, in order.
    pub defaults: &'a [&'a str],
    /// Everything that can be offered.
    pub all: &'a [&'a str],
}

/// What lists are applied to when a configuration is printed.
#[derive(Debug, Clone, Copy)]
pub struct Algorithms<'a> {
    /// Ciphers.
    pub ciphers: Names<'a>,
    /// MACs.
    pub macs: Names<'a>,
    /// KexAlgorithms.
    pub kex: Names<'a>,
    /// HostKeyAlgorithms.
    pub host_keys: Names<'a>,
    /// PubkeyAcceptedAlgorithms.
    pub pubkeys: Names<'a>,
    /// CASignatureAlgorithms.
    pub ca_signatures: Names<'a>,
}

impl Algorithms<'static> {
    /// The lists of OpenSSH 9.2.
    pub const OPENSSH_9_2: Algorithms<'static> = Algorithms {
        ciphers: Names { defaults: CIPHER_DEFAULTS, all: CIPHERS },
        macs: Names { defaults: MAC_DEFAULTS, all: MACS },
        kex: Names { defaults: KEX_DEFAULTS, all: KEX },
        host_keys: Names { defaults: KEY_DEFAULTS, all: KEYS },
        pubkeys: Names { defaults: KEY_DEFAULTS, all: KEYS },
        ca_signatures: Names { defaults: CA_DEFAULTS, all: SIGNATURES },
    };
}

impl<'a> Algorithms<'a> {
    pub(super) fn of(&self, family: Family) -> Names<'a> {
        match family {
            Family::Cipher => self.ciphers,
            Family::Mac => self.macs,
            Family::Kex => self.kex,
            Family::HostKey => self.host_keys,
            Family::Pubkey => self.pubkeys,
            Family::CaSignature => self.ca_signatures,
        }
    }
}

/// The first name of a list that no OpenSSH knows; a list without any name gives itself.
pub(super) fn unknown(family: Family, text: &str) -> Option<String> {
    let list = List::parse(text);
    if list.sign == Sign::Remove {
        return None;
    }
    if list.names.is_empty() {
        return Some(text.to_owned());
    }
    let all = Algorithms::OPENSSH_9_2.of(family).all;
    let patterns = matches!(family, Family::HostKey | Family::Pubkey | Family::CaSignature);
    let all = if patterns { KEYS } else { all };
    let known = |name: &String| {
        all.contains(&name.as_str())
            || NEWER.contains(&name.as_str())
            || (patterns && all.iter().any(|known| pattern::wildcard(name, known)))
    };
    list.names.iter().find(|name| !known(name)).cloned()
}

/// Names of later versions, which a configuration may hold already.
const NEWER: &[&str] = &["mlkem768x25519-sha256"];

const CIPHERS: &[&str] = &[
    "3des-cbc",
    "aes128-cbc",
    "aes192-cbc",
    "aes256-cbc",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
];

const CIPHER_DEFAULTS: &[&str] = &[
    "chacha20-poly1305@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
];

const MACS: &[&str] = &[
    "hmac-sha1",
    "hmac-sha1-96",
    "hmac-sha2-256",
    "hmac-sha2-512",
    "hmac-md5",
    "hmac-md5-96",
    "umac-64@openssh.com",
    "umac-128@openssh.com",
    "hmac-sha1-etm@openssh.com",
    "hmac-sha1-96-etm@openssh.com",
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-md5-etm@openssh.com",
    "hmac-md5-96-etm@openssh.com",
    "umac-64-etm@openssh.com",
    "umac-128-etm@openssh.com",
];

const MAC_DEFAULTS: &[&str] = &[
    "umac-64-etm@openssh.com",
    "umac-128-etm@openssh.com",
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha1-etm@openssh.com",
    "umac-64@openssh.com",
    "umac-128@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
    "hmac-sha1",
];

const KEX: &[&str] = &[
    "diffie-hellman-group1-sha1",
    "diffie-hellman-group14-sha1",
    "diffie-hellman-group14-sha256",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
    "diffie-hellman-group-exchange-sha1",
    "diffie-hellman-group-exchange-sha256",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "sntrup761x25519-sha512",
    "sntrup761x25519-sha512@openssh.com",
];

const KEX_DEFAULTS: &[&str] = &[
    "sntrup761x25519-sha512",
    "sntrup761x25519-sha512@openssh.com",
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
    "diffie-hellman-group14-sha256",
];

const KEYS: &[&str] = &[
    "ssh-ed25519",
    "ssh-ed25519-cert-v01@openssh.com",
    "sk-ssh-ed25519@openssh.com",
    "sk-ssh-ed25519-cert-v01@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp384-cert-v01@openssh.com",
    "ecdsa-sha2-nistp521",
    "ecdsa-sha2-nistp521-cert-v01@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-dss",
    "ssh-dss-cert-v01@openssh.com",
    "ssh-rsa",
    "ssh-rsa-cert-v01@openssh.com",
    "rsa-sha2-256",
    "rsa-sha2-256-cert-v01@openssh.com",
    "rsa-sha2-512",
    "rsa-sha2-512-cert-v01@openssh.com",
];

const KEY_DEFAULTS: &[&str] = &[
    "ssh-ed25519-cert-v01@openssh.com",
    "ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ecdsa-sha2-nistp384-cert-v01@openssh.com",
    "ecdsa-sha2-nistp521-cert-v01@openssh.com",
    "sk-ssh-ed25519-cert-v01@openssh.com",
    "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "rsa-sha2-512-cert-v01@openssh.com",
    "rsa-sha2-256-cert-v01@openssh.com",
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "rsa-sha2-512",
    "rsa-sha2-256",
];

const SIGNATURES: &[&str] = &[
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-dss",
    "ssh-rsa",
    "rsa-sha2-256",
    "rsa-sha2-512",
];

const CA_DEFAULTS: &[&str] = &[
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "rsa-sha2-512",
    "rsa-sha2-256",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        List::parse(text).apply(&["b", "a1", "a2"], &["a1", "a2", "a3", "b", "c"]).join(",")
    }

    #[test]
    fn signs_say_where_the_names_go() {
        assert_eq!(of("c,a1,c"), "c,a1");
        assert_eq!(of("+c,b"), "b,a1,a2,c");
        assert_eq!(of("^c,a2"), "c,a2,b,a1");
        assert_eq!(of("-a*"), "b");
        assert_eq!(of("-a*,!a2"), "b,a2");
        assert_eq!(of("-*"), "");
        assert_eq!(of("-"), "b,a1,a2");
    }

    #[test]
    fn wildcards_stand_for_what_can_be_done() {
        assert_eq!(of("a*"), "a1,a2,a3");
        assert_eq!(of("^a?"), "a1,a2,a3,b");
        assert_eq!(of("x,b"), "b");
    }

    #[test]
    fn names_that_nobody_knows_are_found() {
        assert_eq!(unknown(Family::Cipher, "aes128-ctr,foo").as_deref(), Some("foo"));
        assert_eq!(unknown(Family::Cipher, "aes*").as_deref(), Some("aes*"));
        assert_eq!(unknown(Family::HostKey, "+ssh-*,rsa-sha2-512"), None);
        assert_eq!(unknown(Family::Kex, "-whatever"), None);
        assert_eq!(unknown(Family::Kex, "+").as_deref(), Some("+"));
        assert_eq!(unknown(Family::Kex, "mlkem768x25519-sha256"), None);
    }
}
