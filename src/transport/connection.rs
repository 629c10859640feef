//! The two halves of a connection, whatever carries it, and what is known about it.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::error::{Error, io_words};
use super::prompt::Prompt;
use super::ssh::{self, SshFacts};
use super::{Asker, Route, Step, Stream, command, system_ssh, tcp};

/// The room offered to one read of a socket: large enough that a busy server costs few system calls.
const READ_ROOM: usize = 256 * 1024;
/// Below this much room left, a new buffer is taken.
const READ_ROOM_LEAST: usize = 64 * 1024;
/// How long a farewell may take: nobody waits for a server when leaving.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// A connection: two halves that may live in different tasks.
pub struct Connection {
    /// What the server sends.
    pub inbound: Inbound,
    /// What the server gets.
    pub outbound: Outbound,
    /// What is known about the way there.
    pub facts: Facts,
}

/// What is known about a connection.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Who is at the other end, in words.
    pub peer: String,
    /// The SSH connections on the way, outermost first; none without SSH.
    pub ssh: Vec<SshFacts>,
}

/// The receiving half.
pub struct Inbound(In);

/// The sending half.
pub struct Outbound(Out);

enum In {
    Plain { reader: Box<dyn AsyncRead + Send + Unpin>, room: BytesMut, peer: String },
    Ssh(ssh::ChannelIn),
}

enum Out {
    Plain { writer: Box<dyn AsyncWrite + Send + Unpin>, peer: String },
    Ssh(ssh::ChannelOut),
}

/// Feels whether the SSH server at the end of the way answers, without keeping the connection alive.
#[derive(Clone)]
pub struct Pulse(ssh::WeakLink);

impl Pulse {
    /// Waits for an answer, for some seconds at the most.
    pub async fn answers(&self) -> bool {
        match self.0.upgrade() {
            Some(link) => link.answers().await,
            None => false,
        }
    }
}

impl Inbound {
    /// The SSH server's, if there is one.
    pub fn pulse(&self) -> Option<Pulse> {
        match &self.0 {
            In::Ssh(channel) => Some(Pulse(channel.weak_link())),
            In::Plain { .. } => None,
        }
    }

    /// The next bytes, never empty. `None` only when the server ended the stream in order; a connection that broke is
    /// [`Error::Lost`]. Dropping the future loses nothing.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        match &mut self.0 {
            In::Ssh(channel) => channel.chunk().await,
            In::Plain { reader, room, peer } => {
                if room.capacity() < READ_ROOM_LEAST {
                    room.reserve(READ_ROOM);
                }
                match reader.read_buf(room).await {
                    Ok(0) => Ok(None),
                    Ok(_) => Ok(Some(room.split().freeze())),
                    Err(error) => Err(lost(peer, &error)),
                }
            }
        }
    }
}

impl Outbound {
    /// Sends all of `bytes`. Not to be dropped half-way: the stream would miss a part.
    pub async fn send(&mut self, bytes: Bytes) -> Result<(), Error> {
        match &mut self.0 {
            Out::Ssh(channel) => channel.send(bytes).await,
            Out::Plain { writer, peer } => {
                let written = async {
                    writer.write_all(&bytes).await?;
                    writer.flush().await
                };
                written.await.map_err(|error| lost(peer, &error))
            }
        }
    }

    /// Says that nothing more will come, and over SSH goodbye; takes a second at the most.
    pub async fn close(self) {
        let farewell = async {
            match self.0 {
                Out::Ssh(channel) => channel.close().await,
                Out::Plain { mut writer, .. } => {
                    let _ = writer.shutdown().await;
                }
            }
        };
        let _ = tokio::time::timeout(CLOSE_LIMIT, farewell).await;
    }
}

fn lost(peer: &str, error: &std::io::Error) -> Error {
    Error::lost(format!("the connection to {peer} was lost: {}", io_words(error)))
}

/// Both ends of a finished way, before it is known whether a person or another SSH connection will use it.
pub(super) enum Ends {
    Plain { reader: Box<dyn AsyncRead + Send + Unpin>, writer: Box<dyn AsyncWrite + Send + Unpin>, peer: String },
    Ssh { ends: ssh::Ends, facts: Vec<SshFacts> },
}

/// Follows `route`. Boxed because an SSH route contains the route to its own server.
pub(super) fn open(route: Route, asker: &Asker) -> Pin<Box<dyn Future<Output = Result<Ends, Error>> + Send + '_>> {
    Box::pin(async move {
        let ends = match route {
            Route::Tcp { host, port, options } => {
                let (reader, writer) = tcp::connect(&host, port, &options, asker).await?.into_split();
                let peer = tcp::place(&host, port);
                Ok(Ends::Plain { reader: Box::new(Prompt::new(reader)), writer: Box::new(writer), peer })
            }
            Route::Unix { path } => {
                let (reader, writer) = tcp::connect_unix(&path).await?.into_split();
                let peer = crate::escape::escape(&path.display().to_string());
                Ok(Ends::Plain { reader: Box::new(reader), writer: Box::new(writer), peer })
            }
            Route::Command(command) => {
                let (reader, writer) = command::shell(&command)?.into_split();
                let peer = format!("the command \"{}\"", crate::escape::escape(&command));
                Ok(Ends::Plain { reader: Box::new(reader), writer: Box::new(writer), peer })
            }
            Route::SystemSsh(ssh) => {
                let (stream, peer) = system_ssh::open(&ssh)?;
                let (reader, writer) = stream.into_split();
                Ok(Ends::Plain { reader: Box::new(reader), writer: Box::new(writer), peer })
            }
            Route::Given(stream) => {
                let (reader, writer) = tokio::io::split(stream);
                Ok(Ends::Plain { reader: Box::new(reader), writer: Box::new(writer), peer: "the given stream".into() })
            }
            Route::Ssh(route) => ssh::open(*route, asker).await,
        }?;
        if let Ends::Plain { peer, .. } = &ends {
            asker.report(Step::Network(peer.clone()));
        }
        Ok(ends)
    })
}

impl Ends {
    /// One stream of both ends, for the SSH connection that goes through them.
    pub(super) fn into_stream(self) -> (Box<dyn Stream>, Option<ssh::LinkRef>, Vec<SshFacts>) {
        match self {
            Ends::Plain { reader, writer, .. } => (Box::new(tokio::io::join(reader, writer)), None, Vec::new()),
            Ends::Ssh { ends, facts } => {
                let (stream, link) = ends.into_stream();
                (stream, Some(link), facts)
            }
        }
    }

    pub(super) fn into_connection(self) -> Connection {
        match self {
            Ends::Plain { reader, writer, peer } => Connection {
                inbound: Inbound(In::Plain { reader, room: BytesMut::new(), peer: peer.clone() }),
                outbound: Outbound(Out::Plain { writer, peer: peer.clone() }),
                facts: Facts { peer, ssh: Vec::new() },
            },
            Ends::Ssh { ends, facts } => {
                let (inbound, outbound, peer) = ends.into_halves();
                Connection {
                    inbound: Inbound(In::Ssh(inbound)),
                    outbound: Outbound(Out::Ssh(outbound)),
                    facts: Facts { peer, ssh: facts },
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn connected() -> (Connection, tokio::io::DuplexStream) {
        let (ours, theirs) = tokio::io::duplex(1000);
        let connection = super::super::connect(Route::Given(Box::new(ours)), &Asker::nobody()).await.unwrap();
        (connection, theirs)
    }

    #[tokio::test]
    async fn a_given_stream_carries_bytes_both_ways() {
        let (mut connection, mut server) = connected().await;
        connection.outbound.send(Bytes::from_static(b"hello")).await.unwrap();
        let mut got = [0; 5];
        server.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"hello");
        server.write_all(b"world").await.unwrap();
        assert_eq!(connection.inbound.chunk().await.unwrap().unwrap(), "world");
    }

    #[tokio::test]
    async fn the_end_of_the_stream_is_no_error() {
        let (mut connection, server) = connected().await;
        drop(server);
        assert_eq!(connection.inbound.chunk().await.unwrap(), None);
        assert!(matches!(connection.outbound.send(Bytes::from_static(b"x")).await, Err(Error::Lost(_))));
    }

    #[tokio::test]
    async fn closing_ends_the_other_side() {
        let (connection, mut server) = connected().await;
        connection.outbound.close().await;
        assert_eq!(server.read(&mut [0; 1]).await.unwrap(), 0);
    }
}
