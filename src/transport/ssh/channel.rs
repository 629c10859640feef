//! The channel to the destination (RFC 4254, section 5): opening it, its two halves and its end.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelOpenFailure, ChannelReadHalf, ChannelWriteHalf};

use super::link::Link;
use super::{Destination, LinkRef, SshFacts, reverse};
use crate::escape::{escape, escape_lines};
use crate::transport::{Asker, Error, Stream, tcp};

/// The server has to connect to the destination first: as long as a TCP connection of our own may take.
const OPEN_LIMIT: Duration = Duration::from_secs(15);
/// The server's own words arrive with the refusal but are handed over a moment later.
const WORDS_LIMIT: Duration = Duration::from_millis(200);
/// How a command ended is told right behind its last word.
const STATUS_LIMIT: Duration = Duration::from_secs(2);

/// An open channel.
pub(crate) struct Ends {
    channel: Channel<Msg>,
    link: LinkRef,
    peer: String,
    /// Whether a command is at the far end.
    command: bool,
}

/// The receiving half of a channel.
pub(crate) struct ChannelIn {
    half: ChannelReadHalf,
    link: LinkRef,
    at_end: bool,
    command: Option<Command>,
}

/// What a command on the server says beside its output.
#[derive(Default)]
struct Command {
    /// The last line of its stderr.
    said: String,
    /// How it ended, if not well.
    failed: Option<String>,
}

/// The sending half of a channel.
pub(crate) struct ChannelOut {
    half: ChannelWriteHalf<Msg>,
    link: LinkRef,
}

/// Opens a channel to `to`.
pub(super) async fn open(link: Link, to: &Destination, asker: &Asker) -> Result<(Ends, SshFacts), Error> {
    if let Destination::Reverse(wanted) = to {
        let channel = reverse::wait(&link, wanted, asker).await?;
        let peer = format!("the desktop that connected to {}", link.server.name);
        let facts = link.facts().clone();
        return Ok((Ends { channel, link: Arc::new(link), peer, command: false }, facts));
    }
    let opening = async {
        match to {
            Destination::Tcp { host, port } => {
                // There is no socket on this side that could be named as the originator.
                link.handle.channel_open_direct_tcpip(host.as_str(), u32::from(*port), "127.0.0.1", 0).await
            }
            Destination::Unix { path } => link.handle.channel_open_direct_streamlocal(path.as_str()).await,
            Destination::Exec { command } => match link.handle.channel_open_session().await {
                Ok(channel) => channel.exec(true, command.as_str()).await.map(|()| channel),
                Err(error) => Err(error),
            },
            // One waits elsewhere, the other has become something else.
            Destination::Reverse(_) | Destination::Chosen(_) => Err(russh::Error::RequestDenied),
        }
    };
    let server = link.server.name.clone();
    let place = place(to);
    match asker.clock().within(OPEN_LIMIT, opening).await {
        Ok(Ok(channel)) => {
            let facts = link.facts().clone();
            let (peer, command) = (format!("{place} of {server}"), matches!(to, Destination::Exec { .. }));
            Ok((Ends { channel, link: Arc::new(link), peer, command }, facts))
        }
        Ok(Err(russh::Error::ChannelOpenFailure(reason))) => {
            let mut life = link.life.clone();
            let words = tokio::time::timeout(WORDS_LIMIT, life.wait_for(|life| life.open_failure.is_some()));
            let words = words.await.ok().and_then(Result::ok).and_then(|life| life.open_failure.clone());
            Err(open_failed(&server, to, &place, reason, &words.unwrap_or_default()))
        }
        Ok(Err(_)) => {
            link.closed().await;
            Err(Error::unreachable(link.end_words()))
        }
        Err(_) => Err(Error::timed_out(&format!("connection to {place}"), &server, OPEN_LIMIT)),
    }
}

impl Ends {
    /// Who is at the far end, in words.
    pub(super) fn peer(&self) -> &str {
        &self.peer
    }

    /// The connection that the channel is part of.
    pub(super) fn link(&self) -> &LinkRef {
        &self.link
    }

    pub(in crate::transport) fn into_halves(self) -> (ChannelIn, ChannelOut, String) {
        let (read, write) = self.channel.split();
        let inbound = ChannelIn {
            half: read,
            link: self.link.clone(),
            at_end: false,
            command: self.command.then(Command::default),
        };
        (inbound, ChannelOut { half: write, link: self.link }, self.peer)
    }

    pub(in crate::transport) fn into_stream(self) -> (Box<dyn Stream>, LinkRef) {
        (Box::new(self.channel.into_stream()), self.link)
    }
}

impl ChannelIn {
    pub(in crate::transport) fn weak_link(&self) -> super::WeakLink {
        std::sync::Arc::downgrade(&self.link)
    }

    pub(in crate::transport) async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        while !self.at_end {
            match self.half.wait().await {
                Some(ChannelMsg::Data { data }) if !data.is_empty() => return Ok(Some(data)),
                Some(ChannelMsg::Eof) if self.command.is_some() => {
                    self.at_end = true;
                    // How it ended comes behind its last word.
                    let _ = tokio::time::timeout(STATUS_LIMIT, self.until_closed()).await;
                }
                Some(ChannelMsg::Eof | ChannelMsg::Close) | None => self.at_end = true,
                Some(message) => self.note(message),
            }
        }
        if let Some(Command { said, failed: Some(failed) }) = &self.command {
            let said = if said.is_empty() { String::new() } else { format!(": {said}") };
            return Err(Error::lost(format!("the command on {} {failed}{said}", self.link.server.name)));
        }
        // A lost connection looks like an ordinary end from here, so ask for a sign of life before calling it one.
        if self.link.answers().await {
            return Ok(None);
        }
        if self.link.is_closed() {
            self.link.closed().await;
        }
        Err(self.link.lost())
    }

    async fn until_closed(&mut self) {
        loop {
            match self.half.wait().await {
                Some(ChannelMsg::Close) | None => return,
                Some(message) => self.note(message),
            }
        }
    }

    /// Takes note of what a command says beside its output.
    fn note(&mut self, message: ChannelMsg) {
        let Some(command) = &mut self.command else { return };
        match message {
            ChannelMsg::ExtendedData { data, ext: 1 } => {
                for line in escape_lines(&String::from_utf8_lossy(&data)) {
                    tracing::warn!("{}: {line}", self.link.server.name);
                    command.said = line;
                }
            }
            ChannelMsg::ExitStatus { exit_status } if exit_status != 0 => {
                command.failed = Some(format!("ended with status {exit_status}"));
            }
            ChannelMsg::ExitSignal { signal_name, .. } => {
                command.failed = Some(format!("was ended by the signal {signal_name:?}"));
            }
            // The answer to the request to run it.
            ChannelMsg::Failure => {
                command.failed = Some("was refused".to_owned());
                self.at_end = true;
            }
            _ => {}
        }
    }
}

impl ChannelOut {
    pub(in crate::transport) async fn send(&mut self, bytes: Bytes) -> Result<(), Error> {
        // Without the second branch a send that waits for window space would outlive the channel.
        tokio::select! {
            biased;
            sent = self.half.data_bytes(bytes) => if sent.is_ok() { return Ok(()) },
            () = self.link.channel_closed(self.half.id()) => {}
        }
        if !self.link.is_closed() && self.link.life.borrow().closed.contains(&self.half.id()) {
            return Err(Error::lost(format!("{} closed the channel", self.link.server.name)));
        }
        self.link.closed().await;
        Err(self.link.lost())
    }

    pub(in crate::transport) async fn close(self) {
        let _ = self.half.eof().await;
        let _ = self.half.close().await;
        self.link.disconnect().await;
    }
}

fn place(to: &Destination) -> String {
    match to {
        Destination::Tcp { host, port } => tcp::place(host, *port),
        Destination::Unix { path } => escape(path),
        Destination::Exec { command } => format!("the command \"{}\"", escape(command)),
        Destination::Reverse(_) => "a desktop that connects".to_owned(),
        Destination::Chosen(_) => "a desktop that is looked for".to_owned(),
    }
}

fn open_failed(server: &str, to: &Destination, place: &str, reason: ChannelOpenFailure, words: &str) -> Error {
    let said = if words.is_empty() { String::new() } else { format!(" ({words})") };
    // Servers that give no reason of their own say the name of the reason code.
    let refused = matches!(words.to_ascii_lowercase().as_str(), "" | "connection refused" | "connect failed");
    match (reason, to) {
        (ChannelOpenFailure::ConnectFailed, Destination::Tcp { .. }) if refused => {
            Error::unreachable(format!("nothing listens on {place} of {server}{said}"))
                .hint("is the VNC server running there? display :N listens on port 5900 + N")
        }
        (ChannelOpenFailure::ConnectFailed, Destination::Tcp { .. }) => {
            Error::unreachable(format!("{server} could not connect to {place}{said}"))
                .hint("the name is resolved and reached from the SSH server, not from here")
        }
        (ChannelOpenFailure::ConnectFailed, Destination::Unix { .. }) => {
            Error::unreachable(format!("{server} could not connect to the socket {place}{said}"))
                .hint("check the path, that the VNC server runs, that the user may open the socket, and AllowStreamLocalForwarding in sshd_config")
        }
        (ChannelOpenFailure::AdministrativelyProhibited, Destination::Tcp { .. }) => {
            Error::unreachable(format!("{server} does not allow connections to {place}{said}"))
                .hint("AllowTcpForwarding is off or PermitOpen forbids it in the server's sshd_config; --exec COMMAND needs neither")
        }
        (ChannelOpenFailure::AdministrativelyProhibited, Destination::Unix { .. }) => {
            Error::unreachable(format!("{server} does not allow connections to the socket {place}{said}"))
                .hint("AllowStreamLocalForwarding is off in the server's sshd_config")
        }
        (reason, _) => Error::unreachable(format!("{server} did not open a channel to {place}: {reason:?}{said}")),
    }
}
