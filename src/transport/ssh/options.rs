//! What can be chosen about one SSH connection; the names are those of ssh_config(5).

use std::time::Duration;

use super::algorithms::Algorithms;

/// The options of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Which algorithms may be used.
    pub algorithms: Algorithms,
    /// Which host keys are believed.
    pub host_keys: HostKeyPolicy,
    /// ServerAliveInterval and ServerAliveCountMax: how often a silent server is asked for a sign of life, and how many
    /// may stay away. `None` never asks.
    pub alive: Option<(Duration, usize)>,
    /// ConnectTimeout: how long the greeting and the key exchange may take, and each address of a TCP connection.
    pub connect_timeout: Option<Duration>,
    /// Compression: worth it only on links slower than about 400 Mbit/s, for encodings that do not compress.
    pub compression: bool,
    /// RekeyLimit's first part: bytes after which keys are exchanged anew.
    pub rekey_bytes: Option<u64>,
    /// RekeyLimit's second part.
    pub rekey_time: Option<Duration>,
    /// NumberOfPasswordPrompts: how often a password may be mistyped.
    pub password_prompts: usize,
}

/// How host keys are judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostKeyPolicy {
    /// StrictHostKeyChecking.
    pub checking: HostKeyChecking,
    /// HostKeyAlias: the name to look for in known_hosts instead of the host's.
    pub alias: Option<String>,
    /// HashKnownHosts: new lines do not show the host's name.
    pub hash: bool,
    /// UpdateHostKeys: a server that proves further keys has them added. Keys that it no longer has are left alone,
    /// where ssh removes them.
    pub update: bool,
}

/// StrictHostKeyChecking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HostKeyChecking {
    /// `yes`: a host that is not known is refused.
    Yes,
    /// `accept-new`: it is believed and written down.
    AcceptNew,
    /// `ask`: a person decides.
    #[default]
    Ask,
    /// `no`: a new key is believed and written down; a changed one is believed too, with a warning, and no password is
    /// sent to it.
    No,
}

impl HostKeyPolicy {
    /// The name and port under which known_hosts keeps a server. An alias stands for the whole place, port and all.
    pub(super) fn known_as(&self, host: &str, port: u16) -> (String, u16) {
        match &self.alias {
            Some(alias) => (alias.to_lowercase(), 22),
            None => (host.to_owned(), port),
        }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            algorithms: Algorithms::default(),
            host_keys: HostKeyPolicy::default(),
            // A server that fell silent is noticed within a minute.
            alive: Some((Duration::from_secs(15), 3)),
            connect_timeout: None,
            compression: false,
            rekey_bytes: None,
            rekey_time: None,
            password_prompts: 3,
        }
    }
}
