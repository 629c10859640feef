//! Every keyword of ssh_config(5) as OpenSSH 9.2 knows them: how its value is read, and what becomes of it here.

use super::algorithms::Family;
use super::unused;
use super::value::Forward;

/// A keyword.
pub(super) struct Keyword {
    /// Its newest name, in lower case.
    pub name: &'static str,
    pub kind: Kind,
    /// What ssh takes if nothing is said, in the form of `ssh -G`; empty if it shows nothing then.
    pub default: &'static str,
    pub role: Role,
}

/// What a keyword is good for here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Its value goes into [`Resolved`](super::Resolved).
    Used,
    /// It is read, and makes no difference.
    Unused,
    /// It makes no difference here, but would to ssh: who may be believed, or how the server is reached.
    Missed,
}

/// What may be written after a keyword.
pub(super) enum Kind {
    Host,
    Match,
    Include,
    /// One of these words, whatever their case; the second of each pair is how `ssh -G` shows it.
    Choice(&'static [(&'static str, &'static str)]),
    Count,
    /// A time; `none` is as if nothing had been said.
    Seconds,
    Port,
    /// One word.
    Word,
    /// The rest of the line.
    Command,
    ProxyCommand,
    ProxyJump,
    Algorithms(Family),
    /// Names of files; `none` stands alone.
    Files,
    /// The name of one file; each line adds one.
    OneMoreFile,
    RekeyLimit,
    AddKeysToAgent,
    ForwardAgent,
    IdentityAgent,
    Forward(Forward),
    SendEnv,
    SetEnv,
    /// Arguments that make no difference, but must be right.
    Unused(fn(&[&str]) -> bool),
    /// From another time: anything goes.
    Anything,
}

/// Finds a keyword by its name in lower case.
pub(super) fn find(name: &str) -> Option<&'static Keyword> {
    let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, name)| name);
    KEYWORDS.iter().find(|keyword| keyword.name == name)
}

/// The keywords of a role.
pub(super) fn of_role(role: Role) -> impl Iterator<Item = &'static Keyword> {
    KEYWORDS.iter().filter(move |keyword| keyword.role == role)
}

/// The words of a keyword's default.
pub(super) fn default_words(name: &str) -> impl Iterator<Item = &'static str> {
    find(name).map_or("", |keyword| keyword.default).split(' ').filter(|word| !word.is_empty())
}

const ALIASES: [(&str, &str); 11] = [
    ("challengeresponseauthentication", "kbdinteractiveauthentication"),
    ("dsaauthentication", "pubkeyauthentication"),
    ("hostbasedkeytypes", "hostbasedacceptedalgorithms"),
    ("identityfile2", "identityfile"),
    ("keepalive", "tcpkeepalive"),
    ("protocolkeepalives", "serveraliveinterval"),
    ("pubkeyacceptedkeytypes", "pubkeyacceptedalgorithms"),
    ("setuptimeout", "serveraliveinterval"),
    ("skeyauthentication", "kbdinteractiveauthentication"),
    ("smartcarddevice", "pkcs11provider"),
    ("tisauthentication", "kbdinteractiveauthentication"),
];

const YES_NO: Kind = Kind::Choice(&[("yes", "yes"), ("no", "no"), ("true", "yes"), ("false", "no")]);
/// As [`YES_NO`], where ssh shows it in other words.
const TRUE_FALSE: &[(&str, &str)] = &[("yes", "true"), ("no", "false"), ("true", "true"), ("false", "false")];
const ASK: Kind =
    Kind::Choice(&[("ask", "ask"), ("yes", "true"), ("no", "false"), ("true", "true"), ("false", "false")]);

const fn used(name: &'static str, kind: Kind, default: &'static str) -> Keyword {
    Keyword { name, kind, default, role: Role::Used }
}

const fn unused(name: &'static str, kind: Kind) -> Keyword {
    Keyword { name, kind, default: "", role: Role::Unused }
}

/// `default` is what makes no difference to ssh either.
const fn missed(name: &'static str, kind: Kind, default: &'static str) -> Keyword {
    Keyword { name, kind, default, role: Role::Missed }
}

const KEYWORDS: &[Keyword] = &[
    unused("host", Kind::Host),
    unused("match", Kind::Match),
    unused("include", Kind::Include),
    used("ignoreunknown", Kind::Word, ""),
    // Whom to reach, and how.
    used("hostname", Kind::Word, ""),
    used("user", Kind::Word, ""),
    used("port", Kind::Port, ""),
    used("addressfamily", Kind::Choice(&[("any", "any"), ("inet", "inet"), ("inet6", "inet6")]), "any"),
    used("bindaddress", Kind::Word, ""),
    used("bindinterface", Kind::Word, ""),
    used("proxycommand", Kind::ProxyCommand, ""),
    used("proxyjump", Kind::ProxyJump, ""),
    missed("proxyusefdpass", YES_NO, "no"),
    used("connecttimeout", Kind::Seconds, "none"),
    used("connectionattempts", Kind::Count, "1"),
    used("tcpkeepalive", YES_NO, "yes"),
    used("serveraliveinterval", Kind::Seconds, "0"),
    used("serveralivecountmax", Kind::Count, "3"),
    used("compression", Kind::Choice(&[("yes", "yes"), ("no", "no")]), "no"),
    used("rekeylimit", Kind::RekeyLimit, ""),
    missed(
        "canonicalizehostname",
        Kind::Choice(&[("yes", "true"), ("no", "false"), ("true", "true"), ("false", "false"), ("always", "always")]),
        "false",
    ),
    unused("canonicaldomains", Kind::Unused(unused::domains)),
    unused("canonicalizefallbacklocal", YES_NO),
    unused("canonicalizemaxdots", Kind::Count),
    missed("canonicalizepermittedcnames", Kind::Unused(unused::permitted_names), "none"),
    unused("ipqos", Kind::Unused(unused::ip_qos)),
    // Whom to believe.
    used("userknownhostsfile", Kind::Files, "~/.ssh/known_hosts ~/.ssh/known_hosts2"),
    used("globalknownhostsfile", Kind::Files, "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"),
    used(
        "stricthostkeychecking",
        Kind::Choice(&[
            ("accept-new", "accept-new"),
            ("ask", "ask"),
            ("yes", "true"),
            ("true", "true"),
            ("no", "false"),
            ("false", "false"),
            ("off", "false"),
        ]),
        "ask",
    ),
    used("hostkeyalias", Kind::Word, ""),
    used("checkhostip", YES_NO, "no"),
    used("hashknownhosts", YES_NO, "no"),
    used("updatehostkeys", ASK, "true"),
    used("nohostauthenticationforlocalhost", YES_NO, "no"),
    missed("verifyhostkeydns", ASK, "false"),
    missed("knownhostscommand", Kind::Command, ""),
    missed("revokedhostkeys", Kind::Word, ""),
    used("requiredrsasize", Kind::Count, "1024"),
    unused(
        "fingerprinthash",
        Kind::Choice(&[("md5", ""), ("sha1", ""), ("sha256", ""), ("sha384", ""), ("sha512", "")]),
    ),
    unused("visualhostkey", YES_NO),
    // Which algorithms.
    used("ciphers", Kind::Algorithms(Family::Cipher), ""),
    used("macs", Kind::Algorithms(Family::Mac), ""),
    used("kexalgorithms", Kind::Algorithms(Family::Kex), ""),
    used("hostkeyalgorithms", Kind::Algorithms(Family::HostKey), ""),
    used("pubkeyacceptedalgorithms", Kind::Algorithms(Family::Pubkey), ""),
    used("casignaturealgorithms", Kind::Algorithms(Family::CaSignature), ""),
    unused("hostbasedacceptedalgorithms", Kind::Algorithms(Family::Pubkey)),
    unused("gssapikexalgorithms", Kind::Unused(unused::gss_kex)),
    // Who logs in, and with what.
    used("identityfile", Kind::OneMoreFile, ""),
    used("certificatefile", Kind::OneMoreFile, ""),
    used("identitiesonly", YES_NO, "no"),
    used("identityagent", Kind::IdentityAgent, ""),
    used("addkeystoagent", Kind::AddKeysToAgent, "false"),
    used("preferredauthentications", Kind::Word, ""),
    used("passwordauthentication", YES_NO, "yes"),
    used("kbdinteractiveauthentication", YES_NO, "yes"),
    used(
        "pubkeyauthentication",
        Kind::Choice(&[
            ("yes", "true"),
            ("no", "false"),
            ("true", "true"),
            ("false", "false"),
            ("unbound", "unbound"),
            ("host-bound", "host-bound"),
        ]),
        "true",
    ),
    used("gssapiauthentication", YES_NO, "no"),
    used("gssapidelegatecredentials", YES_NO, "no"),
    used("batchmode", YES_NO, "no"),
    used("numberofpasswordprompts", Kind::Count, "3"),
    missed("hostbasedauthentication", YES_NO, "no"),
    missed("pkcs11provider", Kind::Word, ""),
    missed("securitykeyprovider", Kind::Word, "internal"),
    unused("kbdinteractivedevices", Kind::Word),
    unused("gssapiclientidentity", Kind::Word),
    unused("gssapiserveridentity", Kind::Word),
    unused("gssapikeyexchange", YES_NO),
    unused("gssapirenewalforcesrekey", YES_NO),
    unused("gssapitrustdns", YES_NO),
    unused("enablesshkeysign", YES_NO),
    // What else goes through a connection.
    used("forwardagent", Kind::ForwardAgent, "no"),
    used("localforward", Kind::Forward(Forward::Local), ""),
    used("remoteforward", Kind::Forward(Forward::Remote), ""),
    unused("dynamicforward", Kind::Forward(Forward::Dynamic)),
    used("clearallforwardings", YES_NO, "no"),
    used("remotecommand", Kind::Command, ""),
    used("sendenv", Kind::SendEnv, ""),
    used("setenv", Kind::SetEnv, ""),
    used("loglevel", Kind::Choice(LOG_LEVELS), "INFO"),
    unused("controlmaster", Kind::Choice(CONTROL_MASTER)),
    unused("controlpath", Kind::Word),
    unused("controlpersist", Kind::Unused(unused::control_persist)),
    unused("enableescapecommandline", YES_NO),
    unused("escapechar", Kind::Unused(unused::escape_char)),
    unused("exitonforwardfailure", YES_NO),
    unused("forkafterauthentication", YES_NO),
    unused("forwardx11", YES_NO),
    unused("forwardx11timeout", Kind::Seconds),
    unused("forwardx11trusted", YES_NO),
    unused("gatewayports", YES_NO),
    unused("localcommand", Kind::Command),
    unused("logverbose", Kind::Unused(unused::log_verbose)),
    unused("permitlocalcommand", YES_NO),
    unused("permitremoteopen", Kind::Unused(unused::permit_remote_open)),
    unused(
        "requesttty",
        Kind::Choice(&[("yes", ""), ("no", "no"), ("true", ""), ("false", "no"), ("force", ""), ("auto", "")]),
    ),
    unused("sessiontype", Kind::Choice(&[("none", ""), ("subsystem", ""), ("default", "")])),
    unused("stdinnull", YES_NO),
    unused("streamlocalbindmask", Kind::Unused(unused::bind_mask)),
    unused("streamlocalbindunlink", YES_NO),
    unused("syslogfacility", Kind::Unused(unused::syslog_facility)),
    unused("tunnel", Kind::Unused(unused::tunnel)),
    unused("tunneldevice", Kind::Unused(unused::tunnel_device)),
    unused("xauthlocation", Kind::Word),
    // From another time: ssh reads over these.
    unused("afstokenpassing", Kind::Anything),
    unused("cipher", Kind::Anything),
    unused("compressionlevel", Kind::Anything),
    unused("fallbacktorsh", Kind::Anything),
    unused("globalknownhostsfile2", Kind::Anything),
    unused("kerberosauthentication", Kind::Anything),
    unused("kerberostgtpassing", Kind::Anything),
    unused("protocol", Kind::Anything),
    unused("rhostsauthentication", Kind::Anything),
    unused("rhostsrsaauthentication", Kind::Anything),
    unused("rsaauthentication", Kind::Anything),
    unused("useblacklistedkeys", Kind::Anything),
    unused("useprivilegedport", Kind::Anything),
    unused("userknownhostsfile2", Kind::Anything),
    unused("useroaming", Kind::Anything),
    unused("usersh", Kind::Anything),
    // Newer than 9.2, without any meaning for a channel: whoever has a newer ssh shall not be refused for them.
    unused("channeltimeout", Kind::Anything),
    unused("obscurekeystroketiming", Kind::Anything),
    unused("warnweakcrypto", Kind::Anything),
];

const CONTROL_MASTER: &[(&str, &str)] =
    &[("yes", ""), ("no", ""), ("true", ""), ("false", ""), ("auto", ""), ("ask", ""), ("autoask", "")];

const LOG_LEVELS: &[(&str, &str)] = &[
    ("quiet", "SILENT"),
    ("silent", "SILENT"),
    ("fatal", "FATAL"),
    ("error", "ERROR"),
    ("info", "INFO"),
    ("verbose", "VERBOSE"),
    ("debug", "DEBUG"),
    ("debug1", "DEBUG"),
    ("debug2", "DEBUG2"),
    ("debug3", "DEBUG3"),
];

/// What `AddKeysToAgent` takes beside times.
pub(super) const ADD_KEYS: &[(&str, &str)] =
    &[("yes", "true"), ("no", "false"), ("true", "true"), ("false", "false"), ("ask", "ask"), ("confirm", "confirm")];

/// The other form of yes and no.
pub(super) const YES_OR_NO: &[(&str, &str)] = TRUE_FALSE;

/// The keywords that are shown, in the order of `ssh -G`.
pub(super) const SHOWN: &[&str] = &[
    "host",
    "user",
    "hostname",
    "port",
    "addressfamily",
    "batchmode",
    "checkhostip",
    "compression",
    "gssapiauthentication",
    "gssapidelegatecredentials",
    "hashknownhosts",
    "identitiesonly",
    "kbdinteractiveauthentication",
    "nohostauthenticationforlocalhost",
    "passwordauthentication",
    "proxyusefdpass",
    "pubkeyauthentication",
    "stricthostkeychecking",
    "tcpkeepalive",
    "verifyhostkeydns",
    "updatehostkeys",
    "connectionattempts",
    "numberofpasswordprompts",
    "serveralivecountmax",
    "serveraliveinterval",
    "requiredrsasize",
    "bindaddress",
    "bindinterface",
    "ciphers",
    "hostkeyalgorithms",
    "hostkeyalias",
    "identityagent",
    "kexalgorithms",
    "casignaturealgorithms",
    "remotecommand",
    "loglevel",
    "macs",
    "preferredauthentications",
    "pubkeyacceptedalgorithms",
    "knownhostscommand",
    "localforward",
    "remoteforward",
    "identityfile",
    "certificatefile",
    "globalknownhostsfile",
    "userknownhostsfile",
    "sendenv",
    "setenv",
    "addkeystoagent",
    "forwardagent",
    "connecttimeout",
    "rekeylimit",
    "proxyjump",
    "proxycommand",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_lower_case() {
        for (i, keyword) in KEYWORDS.iter().enumerate() {
            assert_eq!(keyword.name, keyword.name.to_ascii_lowercase());
            assert!(!KEYWORDS[..i].iter().any(|other| other.name == keyword.name), "{} is there twice", keyword.name);
            assert!(!ALIASES.iter().any(|(alias, _)| *alias == keyword.name), "{}", keyword.name);
        }
    }

    #[test]
    fn aliases_and_shown_keywords_exist() {
        for (alias, name) in ALIASES {
            assert_eq!(find(alias).map(|keyword| keyword.name), Some(name));
        }
        for name in SHOWN {
            assert!(find(name).is_some(), "{name}");
        }
        assert!(find("usekeychain").is_none());
    }
}
