//! OpenSSH certificates (PROTOCOL.certkeys): whether a host's may be believed, and until when any is good.

use std::time::{SystemTime, UNIX_EPOCH};

use russh::keys::ssh_key::certificate::CertType;
use russh::keys::{Certificate, HashAlg, PublicKey};

use super::algorithms::USER_KEYS;
use super::host_pattern::is_principal;
use crate::escape::escape;

/// Seconds since 1970, which is how certificates count.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Why `certificate` does not prove that its key is the host `name`'s; `None` if it does. In ssh's order, so that the
/// reason is the same; that neither key is revoked is for the caller to see to.
pub(super) fn host_problem<'a>(
    certificate: &Certificate,
    name: &str,
    mut authorities: impl Iterator<Item = &'a PublicKey>,
    now: u64,
) -> Option<String> {
    let signer = certificate.signature_key();
    let fingerprint = signer.fingerprint(HashAlg::Sha256);
    if !authorities.any(|authority| authority.key_data() == signer) {
        return Some(format!("the key that signed it, {fingerprint}, is no @cert-authority of this host"));
    }
    if certificate.cert_type() != CertType::Host {
        return Some("it is not for a host".into());
    }
    if let Some(problem) = time_problem(certificate, now) {
        return Some(problem);
    }
    let principals = certificate.valid_principals();
    // Once it meant "any host"; OpenSSH has come to refuse it as well.
    if principals.is_empty() {
        return Some("it names no host".into());
    }
    if !principals.iter().any(|principal| is_principal(principal, name)) {
        return Some(format!("it is for {}, not for {}", escape(&principals.join(", ")), escape(name)));
    }
    // No critical option is defined for hosts.
    if let Some(option) = certificate.critical_options().keys().next() {
        return Some(format!("it has the critical option {}, which is not known", escape(option)));
    }
    let algorithm = certificate.signature().algorithm().to_string();
    if !USER_KEYS.contains(&algorithm.as_str()) {
        return Some(format!("it is signed with {}, which is not safe enough", escape(&algorithm)));
    }
    // Looks at the time and the signer again, and at the signature.
    certificate.validate_at(now, [&fingerprint]).is_err().then(|| "its signature is wrong".into())
}

/// Why `certificate` is not good at the time `now`; `None` if it is.
pub(super) fn time_problem(certificate: &Certificate, now: u64) -> Option<String> {
    let (after, before) = (certificate.valid_after(), certificate.valid_before());
    if now < after {
        Some(format!("it is not valid yet, but in {}", span(after - now)))
    } else if now >= before {
        Some(format!("it expired {} ago", span(now - before)))
    } else {
        None
    }
}

fn span(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..120 => (seconds, "seconds"),
        120..7_200 => (seconds / 60, "minutes"),
        7_200..172_800 => (seconds / 3_600, "hours"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{count} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use russh::keys::key::safe_rng;
    use russh::keys::ssh_key::certificate::Builder;
    use russh::keys::{Algorithm, PrivateKey};

    const NOW: u64 = 1_000_000;

    fn key() -> PrivateKey {
        PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap()
    }

    fn certificate(authority: &PrivateKey, edit: impl FnOnce(&mut Builder)) -> Certificate {
        of_type(CertType::Host, authority, edit)
    }

    fn of_type(cert_type: CertType, authority: &PrivateKey, edit: impl FnOnce(&mut Builder)) -> Certificate {
        let mut builder =
            Builder::new_with_random_nonce(&mut safe_rng(), key().public_key(), NOW - 10, NOW + 10).unwrap();
        builder.cert_type(cert_type).unwrap();
        edit(&mut builder);
        builder.sign(authority).unwrap()
    }

    fn named(authority: &PrivateKey) -> Certificate {
        certificate(authority, |builder| {
            builder.valid_principal("alpha").unwrap().valid_principal("*.example.org").unwrap();
        })
    }

    fn problem(certificate: &Certificate, name: &str, authority: &PrivateKey, now: u64) -> String {
        host_problem(certificate, name, [authority.public_key()].into_iter(), now).unwrap_or_default()
    }

    #[test]
    fn a_good_certificate_is_believed() {
        let authority = key();
        for name in ["alpha", "beta.example.org"] {
            assert_eq!(problem(&named(&authority), name, &authority, NOW), "");
        }
    }

    #[test]
    fn another_signer_is_no_authority() {
        let (authority, other) = (key(), key());
        assert!(problem(&named(&other), "alpha", &authority, NOW).ends_with("is no @cert-authority of this host"));
        assert!(host_problem(&named(&authority), "alpha", std::iter::empty(), NOW).is_some());
    }

    #[test]
    fn it_is_good_from_the_first_second_to_the_one_before_the_last() {
        let authority = key();
        let certificate = named(&authority);
        let at = |now| problem(&certificate, "alpha", &authority, now);
        assert_eq!(at(NOW - 11), "it is not valid yet, but in 1 seconds");
        assert_eq!((at(NOW - 10), at(NOW + 9)), (String::new(), String::new()));
        assert_eq!(at(NOW + 10), "it expired 0 seconds ago");
        assert_eq!(at(NOW + 10 + 200_000), "it expired 2 days ago");
    }

    #[test]
    fn it_is_good_for_its_names_only() {
        let authority = key();
        assert_eq!(
            problem(&named(&authority), "example.org\x1b", &authority, NOW),
            "it is for alpha, *.example.org, not for example.org\\u{1b}"
        );
        let nobody = certificate(&authority, |builder| {
            builder.all_principals_valid().unwrap();
        });
        assert_eq!(problem(&nobody, "alpha", &authority, NOW), "it names no host");
    }

    #[test]
    fn a_users_certificate_is_no_hosts() {
        let authority = key();
        let user = of_type(CertType::User, &authority, |builder| {
            builder.valid_principal("alpha").unwrap();
        });
        assert_eq!(problem(&user, "alpha", &authority, NOW), "it is not for a host");
    }

    #[test]
    fn critical_options_are_refused() {
        let authority = key();
        let bound = certificate(&authority, |builder| {
            builder.valid_principal("alpha").unwrap().critical_option("source-address", "192.0.2.1").unwrap();
        });
        assert!(problem(&bound, "alpha", &authority, NOW).contains("critical option source-address"));
    }

    #[test]
    fn a_changed_certificate_is_noticed() {
        let authority = key();
        let mut bytes = named(&authority).to_bytes().unwrap();
        let at = bytes.windows(5).position(|part| part == b"alpha").unwrap();
        bytes[at] = b'o';
        let forged = Certificate::from_bytes(&bytes).unwrap();
        assert_eq!(problem(&forged, "olpha", &authority, NOW), "its signature is wrong");
    }
}
