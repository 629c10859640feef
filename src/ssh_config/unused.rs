//! Arguments of keywords that make no difference here: a file that ssh would refuse is refused all the same.

use super::value;

fn yes_or_no(word: &str) -> bool {
    ["yes", "no", "true", "false"].iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// CanonicalDomains.
pub(super) fn domains(arguments: &[&str]) -> bool {
    let none_stands_alone = arguments.len() == 1 || !arguments.contains(&"none");
    let is_domain = |name: &&str| {
        name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
            && !name.contains("..")
    };
    none_stands_alone && arguments.iter().all(is_domain)
}

/// CanonicalizePermittedCNAMEs.
pub(super) fn permitted_names(arguments: &[&str]) -> bool {
    let is_rule = |rule: &&str| rule.split_once(':').is_some_and(|(_, target)| !target.is_empty());
    arguments == ["none"] || arguments.iter().all(is_rule)
}

/// IPQoS.
pub(super) fn ip_qos(arguments: &[&str]) -> bool {
    let is_class = |word: &&str| {
        let word = word.to_ascii_lowercase();
        let number = match word.strip_prefix("0x") {
            Some(digits) => u8::from_str_radix(digits, 16).ok(),
            None => word.parse().ok(),
        };
        let by_letters = |letters: &str, numbers: &[&str]| {
            word.strip_prefix(letters).is_some_and(|number| numbers.contains(&number))
        };
        number.is_some()
            || ["none", "ef", "le", "lowdelay", "throughput", "reliability"].contains(&word.as_str())
            || by_letters("cs", &["0", "1", "2", "3", "4", "5", "6", "7"])
            || by_letters("af", &["11", "12", "13", "21", "22", "23", "31", "32", "33", "41", "42", "43"])
    };
    matches!(arguments.len(), 1 | 2) && arguments.iter().all(is_class)
}

/// GSSAPIKexAlgorithms.
pub(super) fn gss_kex(arguments: &[&str]) -> bool {
    let known = [
        "gss-gex-sha1-",
        "gss-group1-sha1-",
        "gss-group14-sha1-",
        "gss-group14-sha256-",
        "gss-group16-sha512-",
        "gss-nistp256-sha256-",
        "gss-curve25519-sha256-",
    ];
    matches!(arguments, [list] if list.split(',').all(|name| known.contains(&name)))
}

/// ControlPersist.
pub(super) fn control_persist(arguments: &[&str]) -> bool {
    matches!(arguments, [word] if yes_or_no(word) || value::seconds(word).is_some())
}

/// EscapeChar.
pub(super) fn escape_char(arguments: &[&str]) -> bool {
    matches!(arguments, [word] if *word == "none" || word.len() == 1 || (word.len() == 2 && word.starts_with('^')))
}

/// LogVerbose.
pub(super) fn log_verbose(arguments: &[&str]) -> bool {
    !arguments.contains(&"") && (arguments.len() == 1 || !arguments.contains(&"none"))
}

/// PermitRemoteOpen.
pub(super) fn permit_remote_open(arguments: &[&str]) -> bool {
    let is_place = |place: &&str| {
        place
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && (port == "*" || value::port(port).is_some()))
    };
    match arguments {
        [] => false,
        ["any" | "none"] => true,
        places => places.iter().all(is_place),
    }
}

/// StreamLocalBindMask.
pub(super) fn bind_mask(arguments: &[&str]) -> bool {
    matches!(arguments, [mask] if u32::from_str_radix(mask, 8).is_ok_and(|mask| mask <= 0o777))
}

/// SyslogFacility.
pub(super) fn syslog_facility(arguments: &[&str]) -> bool {
    let known = ["DAEMON", "USER", "AUTH", "AUTHPRIV"];
    let local = |word: &str| {
        let word = word.to_ascii_uppercase();
        word.strip_prefix("LOCAL").is_some_and(|number| matches!(number.as_bytes(), [b'0'..=b'7']))
    };
    matches!(arguments, [word] if known.iter().any(|known| known.eq_ignore_ascii_case(word)) || local(word))
}

/// Tunnel.
pub(super) fn tunnel(arguments: &[&str]) -> bool {
    let known = ["point-to-point", "ethernet"];
    matches!(arguments, [word] if yes_or_no(word) || known.iter().any(|known| known.eq_ignore_ascii_case(word)))
}

/// TunnelDevice.
pub(super) fn tunnel_device(arguments: &[&str]) -> bool {
    let is_device = |word: &str| word == "any" || value::count(word).is_some();
    matches!(arguments, [word] if word.split(':').count() <= 2 && word.split(':').all(is_device))
}
