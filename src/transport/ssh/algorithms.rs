//! The algorithms that are known here by their names in RFC 4253 and its kin, in the order they are preferred.

use std::borrow::Cow;

use russh::keys::Algorithm;
use russh::{Preferred, compression, kex};

/// Key exchange methods, best first. No SHA-1; nothing that takes a second and more.
pub const KEX: [&str; 8] = [
    "mlkem768x25519-sha256",
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group14-sha256",
    "diffie-hellman-group16-sha512",
];

/// Key exchange methods that are used only if they are asked for.
pub const KEX_ON_REQUEST: [&str; 2] = ["diffie-hellman-group18-sha512", "diffie-hellman-group-exchange-sha256"];

/// All key exchange methods that are known here.
pub const ALL_KEX: [&str; 10] = {
    let ([a, b, c, d, e, f, g, h], [i, j]) = (KEX, KEX_ON_REQUEST);
    [a, b, c, d, e, f, g, h, i, j]
};

/// Signature algorithms of hosts, with and without certificates, best first.
pub const ALL_HOST_KEYS: [&str; 12] = {
    let ([a, b, c, d, e, f], [g, h, i, j, k, l]) = (HOST_KEY_CERTIFICATES, HOST_KEYS);
    [a, b, c, d, e, f, g, h, i, j, k, l]
};

/// Ciphers, best first. AES-GCM costs half of what chacha20 does on any processor with AES instructions.
pub const CIPHERS: [&str; 6] = [
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes256-ctr",
    "aes192-ctr",
    "aes128-ctr",
];

/// MACs, best first; the first three ciphers need none.
pub const MACS: [&str; 4] =
    ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512"];

/// Signature algorithms of host keys, best first.
pub const HOST_KEYS: [&str; 6] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
];

/// Signature algorithms of host keys that come with a certificate, best first (PROTOCOL.certkeys). They are offered only
/// to hosts that have a `@cert-authority` line in known_hosts.
pub const HOST_KEY_CERTIFICATES: [&str; 6] = [
    "ssh-ed25519-cert-v01@openssh.com",
    "ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ecdsa-sha2-nistp384-cert-v01@openssh.com",
    "ecdsa-sha2-nistp521-cert-v01@openssh.com",
    "rsa-sha2-512-cert-v01@openssh.com",
    "rsa-sha2-256-cert-v01@openssh.com",
];

/// Signature algorithms of users' keys: those of host keys, those of security keys, and all of them with certificates.
pub const USER_KEYS: [&str; 16] = [
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

/// The algorithms that may be used, by name and best first. Names that are not known here are passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Algorithms {
    /// KexAlgorithms.
    pub kex: Vec<String>,
    /// Ciphers.
    pub ciphers: Vec<String>,
    /// MACs.
    pub macs: Vec<String>,
    /// HostKeyAlgorithms. `None` takes all that are known, the types recorded for the host first. Names of certificates
    /// ([`HOST_KEY_CERTIFICATES`]) always come before plain ones.
    pub host_keys: Option<Vec<String>>,
    /// PubkeyAcceptedAlgorithms: keys of other types are not tried. The order matters only among RSA's two.
    pub user_keys: Vec<String>,
}

impl Default for Algorithms {
    fn default() -> Algorithms {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Algorithms {
            kex: owned(&KEX),
            ciphers: owned(&CIPHERS),
            macs: owned(&MACS),
            host_keys: None,
            user_keys: owned(&USER_KEYS),
        }
    }
}

impl Algorithms {
    /// What is offered to a server that is held to host keys of the types `pinned`, and whose keys of the types `known`
    /// are recorded; `certified` if certificates of it can be checked.
    pub(super) fn preferred(
        &self,
        pinned: &[Algorithm],
        known: &[Algorithm],
        certified: bool,
        compress: bool,
    ) -> Preferred {
        let mut methods: Vec<kex::Name> = named(&self.kex);
        // Not methods but flags: without them there is no EXT_INFO and no strict key exchange.
        methods.extend([kex::EXTENSION_SUPPORT_AS_CLIENT, kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT]);
        Preferred {
            kex: Cow::Owned(methods),
            key: Cow::Owned(self.host_key_algorithms(pinned, known)),
            host_key_certificates: Cow::Owned(if certified {
                self.host_certificate_algorithms(pinned)
            } else {
                vec![]
            }),
            cipher: Cow::Owned(named(&self.ciphers)),
            mac: Cow::Owned(named(&self.macs)),
            // russh's own preset names `none` first, which never compresses.
            compression: match compress {
                true => Cow::Borrowed(&[compression::ZLIB_LEGACY, compression::ZLIB, compression::NONE]),
                false => Cow::Borrowed(&[compression::NONE]),
            },
        }
    }

    /// The types of keys that the host is held to come first, then those that are known for it: a server with several
    /// keys then shows the one we can check.
    pub(super) fn host_key_algorithms(&self, pinned: &[Algorithm], known: &[Algorithm]) -> Vec<Algorithm> {
        let parse = |name: &str| name.parse::<Algorithm>().ok().filter(|_| HOST_KEYS.contains(&name));
        let mut all: Vec<Algorithm> = match &self.host_keys {
            Some(names) => names.iter().filter_map(|name| parse(name)).collect(),
            None => {
                let mut all: Vec<Algorithm> = HOST_KEYS.iter().filter_map(|name| parse(name)).collect();
                all.sort_by_key(|algorithm| place(algorithm, known) == known.len());
                all
            }
        };
        all.sort_by_key(|algorithm| place(algorithm, pinned));
        all
    }
}

impl Algorithms {
    /// The types of host keys that may be used without a certificate, as a key itself names its type.
    pub(super) fn host_key_types(&self) -> Vec<Algorithm> {
        let bare = |algorithm| match algorithm {
            Algorithm::Rsa { .. } => Algorithm::Rsa { hash: None },
            other => other,
        };
        self.host_key_algorithms(&[], &[]).into_iter().map(bare).collect()
    }

    /// The plain algorithms that stand for those of [`HOST_KEY_CERTIFICATES`] that may be used.
    fn host_certificate_algorithms(&self, pinned: &[Algorithm]) -> Vec<Algorithm> {
        let plain = |name: &str| {
            HOST_KEYS
                .iter()
                .filter_map(|key| key.parse::<Algorithm>().ok())
                .find(|key| key.to_certificate_type() == name)
        };
        let mut all: Vec<Algorithm> = match &self.host_keys {
            Some(names) => names.iter().filter_map(|name| plain(name)).collect(),
            None => HOST_KEY_CERTIFICATES.iter().filter_map(|name| plain(name)).collect(),
        };
        all.sort_by_key(|algorithm| place(algorithm, pinned));
        all
    }
}

/// Where the type of key that `algorithm` is for is among `types`, or behind all of them.
fn place(algorithm: &Algorithm, types: &[Algorithm]) -> usize {
    let is_for = |key: &Algorithm| {
        key == algorithm || matches!((key, algorithm), (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }))
    };
    types.iter().position(is_for).unwrap_or(types.len())
}

fn named<'a, T: TryFrom<&'a str>>(names: &'a [String]) -> Vec<T> {
    names.iter().filter_map(|name| T::try_from(name.as_str()).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use russh::{cipher, mac};

    #[test]
    fn every_name_is_known_to_the_protocol_library() {
        let all = Algorithms::default().preferred(&[], &[], true, false);
        // Two flags are added to the methods.
        let counts = [all.kex.len() - 2, all.cipher.len(), all.mac.len(), all.key.len()];
        assert_eq!(counts, [KEX.len(), CIPHERS.len(), MACS.len(), HOST_KEYS.len()]);
        assert_eq!(all.host_key_certificates.len(), HOST_KEY_CERTIFICATES.len());
        for (certificate, plain) in USER_KEYS.iter().zip(&USER_KEYS[8..]) {
            assert_eq!(plain.parse::<Algorithm>().unwrap().to_certificate_type(), *certificate);
        }
        for name in KEX_ON_REQUEST {
            assert!(kex::Name::try_from(name).is_ok(), "{name}");
        }
        for name in CIPHERS {
            assert!(cipher::Name::try_from(name).is_ok(), "{name}");
        }
        for name in MACS {
            assert!(mac::Name::try_from(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn no_algorithm_rests_on_sha1() {
        for name in KEX
            .iter()
            .chain(&KEX_ON_REQUEST)
            .chain(&MACS)
            .chain(&HOST_KEYS)
            .chain(&HOST_KEY_CERTIFICATES)
            .chain(&USER_KEYS)
        {
            assert!(!name.ends_with("sha1") && !name.starts_with("ssh-rsa"), "{name}");
        }
    }

    #[test]
    fn certificates_are_offered_only_if_they_can_be_checked() {
        let all = Algorithms::default();
        assert!(all.preferred(&[], &[], false, false).host_key_certificates.is_empty());
        let given = |names: &[&str]| {
            let host_keys = Some(names.iter().map(|&name| name.to_owned()).collect());
            let offer = Algorithms { host_keys, ..Algorithms::default() }.preferred(&[], &[], true, false);
            [offer.host_key_certificates, offer.key].map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(given(&["ssh-ed25519"]), [vec![], vec!["ssh-ed25519"]]);
        assert_eq!(
            given(&["rsa-sha2-512-cert-v01@openssh.com", "rsa-sha2-256"]),
            [vec!["rsa-sha2-512"], vec!["rsa-sha2-256"]]
        );
    }

    #[test]
    fn known_types_come_first_unless_an_order_was_given() {
        let names = |algorithms: &Algorithms, known: &[Algorithm]| {
            let all = algorithms.host_key_algorithms(&[], known);
            all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        let all = Algorithms::default();
        let rsa = [Algorithm::Rsa { hash: None }];
        assert!(names(&all, &[]).starts_with("ssh-ed25519 ecdsa"));
        assert!(names(&all, &rsa).starts_with("rsa-sha2-512 rsa-sha2-256 ssh-ed25519"));
        let given = Algorithms { host_keys: Some(vec!["ssh-rsa".into(), "ssh-ed25519".into()]), ..all };
        assert_eq!(names(&given, &rsa), "ssh-ed25519");
    }

    #[test]
    fn types_that_were_believed_before_come_first() {
        let [p256, ed25519, rsa] = [HOST_KEYS[1], HOST_KEYS[0], "ssh-rsa"].map(|name| name.parse().unwrap());
        let names = |host_keys: Option<[&str; 2]>, pinned: &[Algorithm], known: &[Algorithm]| {
            let host_keys = host_keys.map(|names| names.map(str::to_owned).to_vec());
            let offer = Algorithms { host_keys, ..Algorithms::default() }.preferred(pinned, known, true, false);
            let names = |all: &[Algorithm]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            (names(&offer.key), names(&offer.host_key_certificates))
        };
        let (keys, certificates) = names(None, &[rsa, p256.clone()], &[ed25519, p256.clone()]);
        assert!(keys.starts_with("rsa-sha2-512 rsa-sha2-256 ecdsa-sha2-nistp256 ssh-ed25519 "), "{keys}");
        assert!(certificates.starts_with("rsa-sha2-512 rsa-sha2-256 ecdsa-sha2-nistp256 ssh-ed25519 "));
        // Nothing that was not asked for.
        let given = Some(["ssh-ed25519", "ecdsa-sha2-nistp256"]);
        assert_eq!(names(given, &[p256], &[]).0, "ecdsa-sha2-nistp256 ssh-ed25519");
    }
}
