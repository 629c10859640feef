//! An SSH connection that stands: its handle, whether it still answers, and in which words it ended.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use russh::Disconnect;
use russh::client::Handle;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{oneshot, watch};

use super::client::{Client, Server};
use super::{LinkRef, SshFacts};
use crate::transport::{Error, Stream};

/// How long a server may take to answer when the stream has ended; long enough for a slow satellite link.
const PING_LIMIT: Duration = Duration::from_secs(5);

/// How long an ending session may take to say why.
const END_LIMIT: Duration = Duration::from_secs(2);

/// An SSH connection.
pub(crate) struct Link {
    pub(super) handle: Handle<Client>,
    pub(super) server: Server,
    pub(super) life: watch::Receiver<Life>,
    pub(super) facts: Arc<Mutex<SshFacts>>,
    /// Ends the session task when this link goes, in whatever state it is.
    pub(super) _leash: Leash,
    /// The connection that this one travels in. It lives as long, and its end explains ours.
    pub(super) outer: Option<LinkRef>,
}

/// What the session task reports. Its sender goes with the task, so a task that panicked is noticed too.
#[derive(Debug, Default)]
pub(super) struct Life {
    /// Why the connection ended.
    pub ended: Option<String>,
    /// The server closed the channel.
    pub channel_closed: bool,
    /// Why the channel could not be opened, in the server's words.
    pub open_failure: Option<String>,
}

impl Link {
    /// Whether the session task has ended.
    pub(super) fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// Waits until the session task has ended, which by now it should.
    pub(super) async fn closed(&self) {
        let mut life = self.life.clone();
        let gone = async { while life.changed().await.is_ok() {} };
        let _ = tokio::time::timeout(END_LIMIT, gone).await;
    }

    /// Waits until bytes can no longer be sent: the channel or the whole connection is closed.
    pub(super) async fn channel_closed(&self) {
        let _ = self.life.clone().wait_for(|life| life.channel_closed).await;
    }

    /// Asks the server for a sign of life.
    pub(super) async fn answers(&self) -> bool {
        // The answer to a ping that is never sent also ends, so look again whether the task is there.
        tokio::time::timeout(PING_LIMIT, self.handle.send_ping()).await.is_ok_and(|sent| sent.is_ok())
            && !self.is_closed()
    }

    /// Why the connection is gone, innermost cause first: the outer connection's end explains this one's.
    pub(super) fn end_words(&self) -> String {
        if let Some(outer) = self.outer.as_ref().filter(|outer| outer.is_closed()) {
            return outer.end_words();
        }
        let words = self.life.borrow().ended.clone();
        match words {
            Some(words) => words,
            None if self.is_closed() => format!("the SSH connection to {} broke off", self.server.name),
            None => format!("{} no longer answers", self.server.name),
        }
    }

    pub(super) fn lost(&self) -> Error {
        Error::lost(self.end_words())
    }

    pub(super) fn facts(&self) -> MutexGuard<'_, SshFacts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says goodbye and waits until it is sent.
    pub(super) async fn disconnect(&self) {
        if self.handle.disconnect(Disconnect::ByApplication, "", "").await.is_ok() {
            self.closed().await;
        }
    }
}

/// The holding end of a leash; dropping it fails the reads of the [`Leashed`] stream.
pub(super) struct Leash {
    _hold: oneshot::Sender<()>,
}

/// A stream that fails when its leash is dropped. russh runs a session in a task of its own that nothing else can
/// stop while it waits for a silent peer.
pub(super) struct Leashed {
    stream: Box<dyn Stream>,
    hold: Option<oneshot::Receiver<()>>,
}

/// Puts a stream on a leash.
pub(super) fn leash(stream: Box<dyn Stream>) -> (Leash, Leashed) {
    let (sender, receiver) = oneshot::channel();
    (Leash { _hold: sender }, Leashed { stream, hold: Some(receiver) })
}

impl AsyncRead for Leashed {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.hold.as_mut().is_none_or(|hold| Pin::new(hold).poll(cx).is_ready()) {
            self.hold = None;
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Leashed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
