//! A channel of an SSH connection that runs inside this process (RFC 4251 to 4254).

mod agent;
pub mod algorithms;
mod auth;
mod candidates;
mod certificate;
mod channel;
mod client;
mod host_key;
mod host_pattern;
mod keys;
mod known_hosts;
mod link;
mod options;
mod pipe;
mod prompts;
mod remember;
mod remote;
mod reverse;
mod update;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::keys::PrivateKey;

use super::connection::{self, Ends as AnyEnds};
use super::{Asker, Error, Route, Step};

pub use algorithms::Algorithms;
pub use known_hosts::KnownHosts;
pub use options::{HostKeyChecking, HostKeyPolicy, Options};
pub use remote::{Choose, Choosing, Printed, Remote, Running};

pub(super) use channel::{ChannelIn, ChannelOut, Ends};
pub(super) use keys::Unlocked;
pub(super) type LinkRef = Arc<link::Link>;
/// The same, for whoever does not keep it alive.
pub(super) type WeakLink = std::sync::Weak<link::Link>;

/// One SSH connection and the channel wanted from it.
pub struct SshRoute {
    /// How the SSH server itself is reached; may be an SSH route again.
    pub via: Route,
    /// The SSH server's name, for known_hosts and messages.
    pub host: String,
    /// The SSH server's port, for known_hosts and messages.
    pub port: u16,
    /// Who logs in, and with what.
    pub login: Login,
    /// The host keys to believe.
    pub known_hosts: KnownHosts,
    /// What the SSH server shall connect the channel to.
    pub to: Destination,
    /// Everything else that ssh_config(5) has a keyword for.
    pub options: Options,
}

/// The far end of a channel, as the SSH server sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// `direct-tcpip` (RFC 4254, section 7.2).
    Tcp {
        /// Name or address, resolved by the server.
        host: String,
        /// Port number.
        port: u16,
    },
    /// `direct-streamlocal@openssh.com` (OpenSSH's PROTOCOL, section 2.4).
    Unix {
        /// The path on the server.
        path: String,
    },
    /// The input and output of a command there (RFC 4254, section 6.5): no port is open on the server either.
    Exec {
        /// For the user's shell on the server.
        command: String,
    },
    /// Whoever connects to the server's localhost first (RFC 4254, section 7.1).
    Reverse(Reverse),
    /// What is found by looking around there.
    Chosen(Chooser),
}

/// A desktop that is to connect to the SSH server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reverse {
    /// The port there; the server takes a free one if none is named.
    pub port: Option<u16>,
    /// What makes the desktop connect, for the user's shell on the server; `%p` stands for the port.
    pub command: Option<String>,
}

/// Who chooses.
#[derive(Clone)]
pub struct Chooser(pub Arc<dyn Choose>);

impl PartialEq for Chooser {
    fn eq(&self, other: &Chooser) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Chooser {}

impl std::fmt::Debug for Chooser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Chooser")
    }
}

/// Who logs in, and with what.
#[derive(Debug, Clone)]
pub struct Login {
    /// The user's name on the server.
    pub user: String,
    /// Keys that were asked for by name; one that can not be used is an error before anything is sent.
    pub identities: Vec<Identity>,
    /// Key files that are tried if they are there.
    pub default_identities: Vec<PathBuf>,
    /// CertificateFile: certificates to show, each for a key that is given here or held by the agent. If there are none,
    /// those that lie beside the key files (`KEY-cert.pub`) are shown.
    pub certificates: Vec<PathBuf>,
    /// Offer only keys that are in the lists above, even if the agent holds more.
    pub identities_only: bool,
    /// The socket of the SSH agent, usually the value of `SSH_AUTH_SOCK`.
    pub agent: Option<PathBuf>,
    /// The methods that may be used, in the order they are tried.
    pub methods: Vec<Method>,
}

/// A private key to log in with.
#[derive(Clone)]
pub enum Identity {
    /// In a file; a public key file chooses a key of the agent, and a certificate is shown like one of
    /// [`Login::certificates`].
    File(PathBuf),
    /// In memory.
    Key(Arc<PrivateKey>),
}

/// An authentication method of RFC 4252 and RFC 4256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `publickey`.
    PublicKey,
    /// `keyboard-interactive`.
    KeyboardInteractive,
    /// `password`.
    Password,
}

/// What was agreed with one SSH server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SshFacts {
    /// `host:port` as in the route.
    pub server: String,
    /// The user's name on the server.
    pub user: String,
    /// The server's identification string (RFC 4253, section 4.2), escaped.
    pub server_version: String,
    /// The key exchange method.
    pub kex: String,
    /// Whether the strict key exchange extension is in force (it closes CVE-2023-48795).
    pub strict_kex: bool,
    /// The cipher, in both directions.
    pub cipher: String,
    /// The MAC from the server; ciphers with authentication of their own have none.
    pub mac: Option<String>,
    /// The signature algorithm of the host key.
    pub host_key_algorithm: String,
    /// `SHA256:` and base64.
    pub host_key_fingerprint: String,
    /// Why the host key is believed, and where it is recorded, in words.
    pub host_key_by: String,
    /// The host key is not the known one and was let pass (StrictHostKeyChecking no): no secret is sent there.
    pub host_key_unproven: bool,
    /// The method that opened the door, with the key's name.
    pub authenticated_by: String,
    /// The banner, escaped line by line.
    pub banner: Vec<String>,
}

impl Login {
    /// Logs in as `user` by whatever method works, with no keys yet.
    pub fn new(user: impl Into<String>) -> Login {
        Login {
            user: user.into(),
            identities: Vec::new(),
            default_identities: Vec::new(),
            certificates: Vec::new(),
            identities_only: false,
            agent: None,
            methods: vec![Method::PublicKey, Method::KeyboardInteractive, Method::Password],
        }
    }

    /// Adds the key files that ssh tries by itself for a user with this home directory.
    pub fn with_default_identities(mut self, home: &Path) -> Login {
        // As in ssh_config(5), without the security key types, whose files need the token: those work through the agent.
        self.default_identities =
            ["id_rsa", "id_ecdsa", "id_ed25519"].map(|name| home.join(".ssh").join(name)).to_vec();
        self
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Identity::File(path) => f.debug_tuple("File").field(path).finish(),
            Identity::Key(key) => f.debug_tuple("Key").field(&key.algorithm()).finish(),
        }
    }
}

/// The key files that were asked for by name, on every hop.
fn key_files(route: &Route) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut route = route;
    while let Route::Ssh(ssh) = route {
        files.extend(ssh.login.identities.iter().filter_map(|identity| match identity {
            Identity::File(path) => Some(path.clone()),
            Identity::Key(_) => None,
        }));
        route = &ssh.via;
    }
    files
}

/// Looks at every key that was asked for by name, on every hop, before anything is sent.
pub(super) fn check(route: &Route) -> impl Future<Output = Result<(), Error>> + Send + use<> {
    // The route itself can not be shared between threads, so what is needed of it is taken first.
    let files = key_files(route);
    async move {
        for path in &files {
            keys::check_explicit(path).await?;
        }
        Ok(())
    }
}

/// Connects to the SSH server, logs in and opens the channel.
pub(super) async fn open(route: SshRoute, asker: &Asker) -> Result<AnyEnds, Error> {
    let to = route.to.clone();
    let (link, mut facts, learner) = log_in(route, asker).await?;
    let to = match to {
        Destination::Chosen(chooser) => chooser.0.choose(Remote::new(&link, asker)).await?,
        to => to,
    };
    let (ends, ssh_facts) = channel::open(link, &to, asker).await?;
    asker.report(Step::Channel(ends.peer().to_owned()));
    if let Some(learner) = learner {
        learner.start(ends.link());
    }
    facts.push(ssh_facts);
    Ok(AnyEnds::Ssh { ends, facts })
}

/// Connects to the SSH server, logs in and runs an errand there.
pub(super) async fn visit<T>(
    route: SshRoute,
    asker: &Asker,
    errand: impl AsyncFnOnce(Remote<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let (link, ..) = log_in(route, asker).await?;
    let done = errand(Remote::new(&link, asker)).await;
    link.disconnect().await;
    done
}

/// A server that let us in, what is known of those before it, and who learns its other host keys.
type LoggedIn = (link::Link, Vec<SshFacts>, Option<update::Learner>);

async fn log_in(route: SshRoute, asker: &Asker) -> Result<LoggedIn, Error> {
    let SshRoute { via, host, port, login, known_hosts, to: _, options } = route;
    let (stream, outer, facts) = connection::open(via, asker).await?.into_stream();
    let silence = options.alive.map_or(std::time::Duration::ZERO, |(interval, count)| interval * (count as u32 + 1));
    let learner = update::Learner::new(&known_hosts, &host, port, &options, asker.pins());
    let server = client::Server { name: super::tcp::place(&host, port), host, port, silence };
    let mut session = client::connect(stream, outer, server, known_hosts, &options, &login.user, asker).await?;
    asker.report(Step::HostKey(session.server.name.clone()));
    auth::authenticate(&mut session, &login, &options, asker).await?;
    asker.report(Step::Login(session.server.name.clone()));
    Ok((session, facts, learner))
}
