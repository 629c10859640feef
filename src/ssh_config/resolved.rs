//! One typed value for each option.

use std::path::PathBuf;
use std::time::Duration;

use super::algorithms::List;
use super::error::{Error, Place};
use super::settings::Settings;
use super::value::Hop;

/// What ssh would do: ssh_config(5) has a section of the same name for each field.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The host as it was typed.
    pub typed_host: String,
    /// HostName: names in lower case, addresses in their usual form.
    pub host: String,
    /// User
    pub user: String,
    /// Port
    pub port: u16,
    /// AddressFamily
    pub family: Family,
    /// BindAddress
    pub bind_address: Option<String>,
    /// BindInterface
    pub bind_interface: Option<String>,
    /// ProxyJump or ProxyCommand, whichever came first.
    pub proxy: Proxy,
    /// ProxyUseFdpass
    pub proxy_use_fdpass: bool,
    /// ConnectTimeout
    pub connect_timeout: Option<Duration>,
    /// ConnectionAttempts, at least 1
    pub connection_attempts: u32,
    /// TCPKeepAlive
    pub tcp_keep_alive: bool,
    /// ServerAliveInterval; None if it is 0. Debian's 300 seconds for BatchMode are in it.
    pub server_alive_interval: Option<Duration>,
    /// ServerAliveCountMax
    pub server_alive_count_max: u32,
    /// Compression
    pub compression: bool,
    /// RekeyLimit
    pub rekey_limit: RekeyLimit,
    /// UserKnownHostsFile; empty for none.
    pub user_known_hosts: Vec<PathBuf>,
    /// GlobalKnownHostsFile; empty for none.
    pub global_known_hosts: Vec<PathBuf>,
    /// StrictHostKeyChecking
    pub strict_host_key_checking: StrictHostKeyChecking,
    /// HostKeyAlias, in lower case
    pub host_key_alias: Option<String>,
    /// CheckHostIP
    pub check_host_ip: bool,
    /// HashKnownHosts
    pub hash_known_hosts: bool,
    /// UpdateHostKeys
    pub update_host_keys: Ask,
    /// NoHostAuthenticationForLocalhost
    pub no_host_authentication_for_localhost: bool,
    /// RequiredRSASize
    pub required_rsa_size: u32,
    /// KexAlgorithms
    pub kex_algorithms: Option<List>,
    /// Ciphers
    pub ciphers: Option<List>,
    /// MACs
    pub macs: Option<List>,
    /// HostKeyAlgorithms
    pub host_key_algorithms: Option<List>,
    /// PubkeyAcceptedAlgorithms
    pub pubkey_accepted_algorithms: Option<List>,
    /// CASignatureAlgorithms
    pub ca_signature_algorithms: Option<List>,
    /// IdentityFile: what was typed, then what is configured, without `none`.
    pub identity_files: Vec<Expanded<PathBuf>>,
    /// Whether those are the files that ssh tries when it is told none; they need not be there.
    pub identities_are_defaults: bool,
    /// Typed after `-i`, and not there: ssh warns of them and goes on.
    pub missing_identities: Vec<PathBuf>,
    /// CertificateFile, without `none`
    pub certificate_files: Vec<Expanded<PathBuf>>,
    /// IdentitiesOnly
    pub identities_only: bool,
    /// IdentityAgent
    pub identity_agent: Agent,
    /// AddKeysToAgent
    pub add_keys_to_agent: AddKeys,
    /// PreferredAuthentications, in order; None for ssh's own order.
    pub preferred_authentications: Option<Vec<String>>,
    /// PubkeyAuthentication
    pub pubkey_authentication: PublicKeys,
    /// PasswordAuthentication
    pub password_authentication: bool,
    /// KbdInteractiveAuthentication, once ChallengeResponseAuthentication
    pub kbd_interactive_authentication: bool,
    /// GSSAPIAuthentication
    pub gssapi_authentication: bool,
    /// GSSAPIDelegateCredentials
    pub gssapi_delegate_credentials: bool,
    /// BatchMode
    pub batch_mode: bool,
    /// NumberOfPasswordPrompts
    pub number_of_password_prompts: u32,
    /// LogLevel as ssh shows it: SILENT, FATAL, ERROR, INFO, VERBOSE, DEBUG, DEBUG2 or DEBUG3
    pub log_level: String,
    /// The files that were read, in order.
    pub files_read: Vec<PathBuf>,
    /// What would have made a difference to ssh, in whom it believes or how it gets there, and makes none here.
    pub ignored_but_relevant: Vec<Missed>,
    pub(super) settings: Settings,
}

/// A value that has `~`, tokens and variables in it. An error in them is one only if the value is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expanded<T> {
    /// As it is written.
    pub written: String,
    /// What it means.
    pub value: Result<T, Error>,
}

/// AddressFamily.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Either.
    Any,
    /// IPv4 only.
    Inet,
    /// IPv6 only.
    Inet6,
}

/// How the server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proxy {
    /// Directly.
    None,
    /// ProxyJump: through these servers, the nearest first.
    Jump(Vec<Hop>),
    /// ProxyCommand: through a program, for a shell to run.
    Command(Expanded<String>),
}

/// RekeyLimit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RekeyLimit {
    /// After so many bytes; None for the cipher's default.
    pub bytes: Option<u64>,
    /// After so much time.
    pub time: Option<Duration>,
}

/// StrictHostKeyChecking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StrictHostKeyChecking {
    /// Unknown and changed keys are refused.
    Yes,
    /// Unknown keys are believed, changed ones are refused.
    AcceptNew,
    /// A person is asked about unknown keys.
    Ask,
    /// Everything is believed, as far as ssh_config(5) lets it.
    No,
}

/// Yes, no, or let a person say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Yes.
    Yes,
    /// No.
    No,
    /// Ask.
    Ask,
}

/// PubkeyAuthentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicKeys {
    /// Yes, with every extension.
    Yes,
    /// No.
    No,
    /// Yes, without the host-bound extension.
    Unbound,
    /// Yes, with the host-bound extension.
    HostBound,
}

/// AddKeysToAgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddKeys {
    /// No.
    No,
    /// Yes, after a question.
    Ask,
    /// Yes; each use is to be confirmed, and the key is forgotten after some time.
    Yes {
        /// Whether each use is to be confirmed.
        confirm: bool,
        /// When the agent forgets the key.
        lifetime: Option<Duration>,
    },
}

/// IdentityAgent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agent {
    /// None is used.
    None,
    /// The socket that this variable of the environment names, if it names one.
    Variable(String),
    /// This socket.
    Socket(PathBuf),
}

/// A keyword that makes no difference here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// The keyword, in lower case.
    pub keyword: &'static str,
    /// Its value.
    pub value: String,
    /// Where it is written.
    pub place: Option<Place>,
}

/// The files of `~/.ssh` that ssh tries when it is told none.
pub(super) const DEFAULT_IDENTITIES: [&str; 7] =
    ["id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", "id_xmss", "id_dsa"];

impl Resolved {
    /// Whether a file or an option has a word about `keyword`, in lower case; otherwise its value is a default.
    pub fn says(&self, keyword: &str) -> bool {
        self.settings.place(keyword).is_some()
    }
}

impl Family {
    pub(super) fn named(name: &str) -> Family {
        match name {
            "inet" => Family::Inet,
            "inet6" => Family::Inet6,
            _ => Family::Any,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Family::Any => "any",
            Family::Inet => "inet",
            Family::Inet6 => "inet6",
        }
    }
}
