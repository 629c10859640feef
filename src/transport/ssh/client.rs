//! The SSH transport layer (RFC 4253): which algorithms are offered, the key exchange, and why a connection ended.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::client::{self, DisconnectReason, Handler};
use russh::keys::{HashAlg, PublicKey, PublicKeyOrCertificate};
use russh::{ChannelId, ChannelOpenFailure, Disconnect, Limits, Names, SshId, cipher};
use tokio::sync::watch;

use super::host_key::{Belief, Believed, Judge};
use super::link::{Cause, End, Life, Link};
use super::pipe::leash;
use super::reverse::Door;
use super::{KnownHosts, LinkRef, Options, SshFacts};
use crate::escape::{escape, escape_lines};
use crate::transport::error::io_words;
use crate::transport::{Asker, Error, Stream};

/// Greeting and key exchange: a slow server needs about a second for its largest keys, so this is a dead one.
const KEX_LIMIT: Duration = Duration::from_secs(20);
/// Keys are exchanged anew after as many bytes; fewer than the least would be nothing but key exchanges.
const REKEY_MOST: usize = 1 << 30;
const REKEY_LEAST: usize = 1 << 20;
/// And after this time (RFC 4253, section 9).
const REKEY_TIME: Duration = Duration::from_secs(3600);
/// Measured over 1 Gbit/s: 2 MiB halve the speed on long paths (20 ms: 44 MB/s, 4 MiB 77). 16 MiB are slower again (14
/// MB/s), because OpenSSH's server keeps what the path does not take yet and copies all of it with every 32 KiB that it
/// reads (its buffer grows by a new allocation each time). 8 MiB would bring 1.1 times more at 50 ms and 1.2 at 100 ms,
/// and 0.8 at 20 ms. russh has one window for all channels, fixed before any speed is known.
const WINDOW: u32 = 4 * 1024 * 1024;
/// OpenSSH never fills a larger packet.
const PACKET: u32 = 32 * 1024;
/// Lines of a server's banner that are kept: it may send one after the other.
const MOST_BANNER: usize = 100;

/// An SSH server, as the route names it.
#[derive(Debug, Clone)]
pub(super) struct Server {
    /// `host:port`, escaped.
    pub name: String,
    pub host: String,
    pub port: u16,
    /// After which it counts as gone.
    pub silence: Duration,
}

/// Exchanges keys over `stream` and checks the server's.
pub(super) async fn connect(
    stream: Box<dyn Stream>,
    outer: Option<LinkRef>,
    server: Server,
    known_hosts: KnownHosts,
    options: &Options,
    user: &str,
    asker: &Asker,
) -> Result<Link, Error> {
    let judge = Judge::new(server.clone(), known_hosts, options, asker.clone());
    let config = Arc::new(config(options, &judge));
    let facts = SshFacts { server: server.name.clone(), user: escape(user), ..SshFacts::default() };
    let facts = Arc::new(Mutex::new(facts));
    let (report, life) = watch::channel(Life::default());
    let door = Door::default();
    let client = Client {
        judge: Some(judge),
        belief: None,
        server: server.clone(),
        report,
        facts: facts.clone(),
        door: door.clone(),
    };
    let (hold, stream) = leash(stream);
    let limit = options.connect_timeout.unwrap_or(KEX_LIMIT);
    let connecting = asker.clock().within(limit, client::connect_stream(config, stream, client));
    let handle = match connecting.await {
        Ok(Ok(handle)) => handle,
        Ok(Err(Failure::Ours(error))) => return Err(error),
        Ok(Err(Failure::Russh(error))) => {
            let cause = life.borrow().ended.as_ref().map(|end| end.words.clone());
            let cause = outer.filter(|outer| outer.is_closed()).map(|outer| outer.end_words()).or(cause);
            return Err(key_exchange_failed(&server, &error, cause));
        }
        Err(_) => return Err(Error::timed_out("SSH greeting and key exchange", &server.name, limit)),
    };
    Ok(Link { handle, server, life, facts, door, _leash: hold, outer })
}

/// russh's view of this program: it calls us when something happens.
pub(crate) struct Client {
    /// Gone after the first key exchange: later ones use the same host key.
    judge: Option<Judge>,
    /// What it found.
    belief: Option<Belief>,
    server: Server,
    report: watch::Sender<Life>,
    facts: Arc<Mutex<SshFacts>>,
    door: Door,
}

/// An error that passes through russh.
#[derive(Debug)]
pub(crate) enum Failure {
    Russh(russh::Error),
    Ours(Error),
}

impl From<russh::Error> for Failure {
    fn from(error: russh::Error) -> Failure {
        Failure::Russh(error)
    }
}

impl Client {
    fn edit_facts(&self, edit: impl FnOnce(&mut SshFacts)) {
        edit(&mut self.facts.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Handler for Client {
    type Error = Failure;

    async fn check_server_key(&mut self, offered: &PublicKeyOrCertificate) -> Result<bool, Failure> {
        // Of a certificate too: the key itself is what the server has proven to own.
        let fingerprint = offered.public_key().fingerprint(HashAlg::Sha256).to_string();
        self.edit_facts(|facts| facts.host_key_fingerprint = fingerprint);
        let Some(judge) = self.judge.take() else { return Ok(false) };
        let belief = match offered {
            PublicKeyOrCertificate::PublicKey { key, .. } => judge.check(key).await,
            PublicKeyOrCertificate::Certificate(certificate) => judge.check_certificate(certificate).await,
        };
        let Believed { belief, by } = belief.map_err(Failure::Ours)?;
        self.belief = Some(belief);
        self.edit_facts(|facts| {
            facts.host_key_by = by;
            facts.host_key_unproven = belief == Belief::LetPass;
        });
        Ok(true)
    }

    async fn openssh_ext_host_keys_announced(
        &mut self,
        keys: Vec<PublicKey>,
        _session: &mut client::Session,
    ) -> Result<(), Failure> {
        // A host that is known by other means than its own line in the user's file has nothing added to it.
        if self.belief == Some(Belief::Own) {
            self.report.send_if_modified(|life| {
                let first = life.announced.is_none();
                life.announced.get_or_insert(keys);
                first
            });
        }
        Ok(())
    }

    async fn kex_done(
        &mut self,
        _shared_secret: Option<&[u8]>,
        names: &Names,
        session: &mut client::Session,
    ) -> Result<(), Failure> {
        let has_mac = ![cipher::AES_128_GCM, cipher::AES_256_GCM, cipher::CHACHA20_POLY1305].contains(&names.cipher);
        let certified = self.belief == Some(Belief::Certified);
        let version = escape(&String::from_utf8_lossy(session.remote_sshid()));
        self.edit_facts(|facts| {
            facts.kex = names.kex.as_ref().into();
            facts.strict_kex = names.strict_kex();
            facts.cipher = names.cipher.as_ref().into();
            facts.mac = has_mac.then(|| names.server_mac.as_ref().into());
            facts.host_key_algorithm = if certified { names.key.to_certificate_type() } else { names.key.to_string() };
            facts.server_version = version;
            tracing::debug!(?facts, "key exchange done");
        });
        Ok(())
    }

    async fn auth_banner(&mut self, banner: &str, _session: &mut client::Session) -> Result<(), Failure> {
        let lines = escape_lines(banner);
        lines.iter().for_each(|line| tracing::info!("{}: {line}", self.server.name));
        self.edit_facts(|facts| {
            let room = MOST_BANNER.saturating_sub(facts.banner.len());
            facts.banner.extend(lines.into_iter().take(room));
        });
        Ok(())
    }

    async fn channel_open_failure(
        &mut self,
        _channel: ChannelId,
        _reason: ChannelOpenFailure,
        description: &str,
        _language: &str,
        _session: &mut client::Session,
    ) -> Result<(), Failure> {
        self.report.send_modify(|life| life.open_failure = Some(escape(description)));
        Ok(())
    }

    async fn channel_close(&mut self, channel: ChannelId, _session: &mut client::Session) -> Result<(), Failure> {
        self.report.send_modify(|life| {
            if !life.closed.contains(&channel) {
                life.closed.push(channel);
            }
        });
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Failure>) -> Result<(), Failure> {
        let cause = match &reason {
            DisconnectReason::ReceivedDisconnect(info) => match info.reason_code {
                // This says nothing of who wants to come in, or how.
                Disconnect::ServiceNotAvailable | Disconnect::ConnectionLost | Disconnect::TooManyConnections => {
                    Cause::Broken
                }
                _ => Cause::Dismissed,
            },
            DisconnectReason::Error(Failure::Russh(russh::Error::NoAuthMethod)) => Cause::NoMethods,
            DisconnectReason::Error(_) => Cause::Broken,
        };
        let words = match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                let words = escape(info.message.trim());
                let words = if words.is_empty() { format!("{:?}", info.reason_code) } else { words };
                format!("{} ended the SSH connection: {words}", self.server.name)
            }
            DisconnectReason::Error(Failure::Russh(error)) => end_words(&self.server, &error),
            DisconnectReason::Error(Failure::Ours(error)) => error.message().to_owned(),
        };
        tracing::debug!("{words}");
        self.report.send_modify(|life| life.ended = Some(End { words, cause }));
        Ok(())
    }

    // A server has no business opening channels to a viewer, but for the desktop that was told to come to us: russh
    // accepts most of them unless told otherwise.

    async fn server_channel_open_session(
        &mut self,
        _channel: russh::Channel<client::Msg>,
        reply: client::ChannelOpenHandle,
        _session: &mut client::Session,
    ) -> Result<(), Failure> {
        reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
        Ok(())
    }

    async fn server_channel_open_agent_forward(
        &mut self,
        _channel: russh::Channel<client::Msg>,
        reply: client::ChannelOpenHandle,
        _session: &mut client::Session,
    ) -> Result<(), Failure> {
        reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
        Ok(())
    }

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        channel: russh::Channel<client::Msg>,
        _connected_address: &str,
        _connected_port: u32,
        _originator_address: &str,
        _originator_port: u32,
        reply: client::ChannelOpenHandle,
        _session: &mut client::Session,
    ) -> Result<(), Failure> {
        self.door.knock(channel, reply).await;
        Ok(())
    }

    async fn server_channel_open_forwarded_streamlocal(
        &mut self,
        _channel: russh::Channel<client::Msg>,
        _socket_path: &str,
        reply: client::ChannelOpenHandle,
        _session: &mut client::Session,
    ) -> Result<(), Failure> {
        reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
        Ok(())
    }

    async fn server_channel_open_direct_tcpip(
        &mut self,
        _channel: russh::Channel<client::Msg>,
        _host: &str,
        _port: u32,
        _originator_address: &str,
        _originator_port: u32,
        reply: client::ChannelOpenHandle,
        _session: &mut client::Session,
    ) -> Result<(), Failure> {
        reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
        Ok(())
    }

    async fn server_channel_open_direct_streamlocal(
        &mut self,
        _channel: russh::Channel<client::Msg>,
        _socket_path: &str,
        reply: client::ChannelOpenHandle,
        _session: &mut client::Session,
    ) -> Result<(), Failure> {
        reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
        Ok(())
    }

    async fn server_channel_open_x11(
        &mut self,
        _channel: russh::Channel<client::Msg>,
        _originator_address: &str,
        _originator_port: u32,
        reply: client::ChannelOpenHandle,
        _session: &mut client::Session,
    ) -> Result<(), Failure> {
        reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
        Ok(())
    }
}

fn config(options: &Options, judge: &Judge) -> client::Config {
    let (interval, count) = options.alive.unzip();
    // russh refuses more than a gigabyte, after which keys should be new anyway.
    let bytes = options.rekey_bytes.map_or(REKEY_MOST, |bytes| usize::try_from(bytes).unwrap_or(REKEY_MOST));
    let bytes = bytes.clamp(REKEY_LEAST, REKEY_MOST);
    client::Config {
        client_id: SshId::Standard(Cow::Borrowed(concat!("SSH-2.0-sshvnc_", env!("CARGO_PKG_VERSION")))),
        limits: Limits::new(bytes, bytes, options.rekey_time.unwrap_or(REKEY_TIME)),
        window_size: WINDOW,
        maximum_packet_size: PACKET,
        preferred: options.algorithms.preferred(
            &judge.pinned_key_types(),
            &judge.known_key_types(),
            judge.has_authority(),
            options.compression,
        ),
        // It would end idle but healthy connections and does not cover the key exchange.
        inactivity_timeout: None,
        keepalive_interval: interval,
        keepalive_max: count.unwrap_or_default(),
        nodelay: true,
        ..client::Config::default()
    }
}

fn key_exchange_failed(server: &Server, error: &russh::Error, cause: Option<String>) -> Error {
    let name = &server.name;
    match error {
        russh::Error::NoCommonAlgo { kind, theirs, .. } => {
            let kind = format!("{kind:?}").to_lowercase();
            let theirs = escape(&theirs.join(","));
            Error::unreachable(format!("{name} offers no {kind} algorithm that is safe enough: {theirs}"))
                .hint("the server is too old or set up too narrowly: allow a modern algorithm there")
        }
        russh::Error::Version => Error::unreachable(format!("{name} does not speak SSH 2"))
            .hint(format!("is {} the port of the SSH server?", server.port)),
        _ => match cause {
            Some(cause) => Error::unreachable(cause),
            None => Error::unreachable(end_words(server, error))
                .hint(format!("is {} the port of an SSH server, and does it let this machine in?", server.port)),
        },
    }
}

fn end_words(server: &Server, error: &russh::Error) -> String {
    use russh::Error as E;
    let name = &server.name;
    match error {
        E::KeepaliveTimeout => {
            format!("the SSH connection to {name} was lost: no sign of life for {} s", server.silence.as_secs())
        }
        E::IO(error) => format!("the SSH connection to {name} was lost: {}", io_words(error)),
        E::Disconnect | E::HUP | E::SendError | E::RecvError => {
            format!("the SSH connection to {name} was lost: closed by the other side")
        }
        E::WrongServerSig => format!("{name} could not prove that it owns its host key"),
        E::PacketAuth | E::DecryptionError => format!("what arrived from {name} was damaged or forged on the way"),
        error => format!("the SSH connection to {name} failed: {}", escape(&error.to_string().to_lowercase())),
    }
}
