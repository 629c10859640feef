//! An SSH connection that stands: its handle, whether it still answers, and in which words it ended.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use russh::client::Handle;
use russh::keys::PublicKey;
use russh::{ChannelId, Disconnect};
use tokio::sync::watch;

use super::client::{Client, Server};
use super::pipe::Leash;
use super::reverse::Door;
use super::{LinkRef, SshFacts};
use crate::transport::Error;

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
    /// Where channels go that the server opens.
    pub(super) door: Door,
    /// Ends the session task when this link goes, in whatever state it is.
    pub(super) _leash: Leash,
    /// The connection that this one travels in. It lives as long, and its end explains ours.
    pub(super) outer: Option<LinkRef>,
}

/// What the session task reports. Its sender goes with the task, so a task that panicked is noticed too.
#[derive(Debug, Default)]
pub(super) struct Life {
    /// How the connection ended.
    pub ended: Option<End>,
    /// The channels that the server closed.
    pub closed: Vec<ChannelId>,
    /// Why the channel could not be opened, in the server's words.
    pub open_failure: Option<String>,
    /// The host keys that the server says it has, if that may teach us any.
    pub announced: Option<Vec<PublicKey>>,
}

/// How a connection ended.
#[derive(Debug, Clone)]
pub(super) struct End {
    /// Why, in words.
    pub words: String,
    pub cause: Cause,
}

/// Who ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// Nobody meant it, or not because of us.
    Broken,
    /// The server said goodbye (SSH_MSG_DISCONNECT).
    Dismissed,
    /// The server lets nobody in who has not got in by now: it accepts no method of authentication any more.
    NoMethods,
}

impl Link {
    /// Whether the session task has ended.
    pub(super) fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// Waits until the session task has ended, which by now it should.
    pub(super) async fn closed(&self) {
        let _ = tokio::time::timeout(END_LIMIT, self.ended()).await;
    }

    /// Waits until bytes can no longer be sent: the channel or the whole connection is closed.
    pub(super) async fn channel_closed(&self, channel: ChannelId) {
        let _ = self.life.clone().wait_for(|life| life.closed.contains(&channel)).await;
    }

    /// Waits until the connection is gone.
    pub(super) async fn ended(&self) {
        let mut life = self.life.clone();
        while life.changed().await.is_ok() {}
    }

    /// Asks the server for a sign of life.
    pub(in crate::transport) async fn answers(&self) -> bool {
        // The answer to a ping that is never sent also ends, so look again whether the task is there.
        tokio::time::timeout(PING_LIMIT, self.handle.send_ping()).await.is_ok_and(|sent| sent.is_ok())
            && !self.is_closed()
    }

    /// Why the connection is gone, innermost cause first: the outer connection's end explains this one's.
    pub(super) fn end_words(&self) -> String {
        if let Some(outer) = self.outer.as_ref().filter(|outer| outer.is_closed()) {
            return outer.end_words();
        }
        let end = self.life.borrow().ended.clone();
        match end {
            Some(end) => end.words,
            None if self.is_closed() => format!("the SSH connection to {} broke off", self.server.name),
            None => format!("{} no longer answers", self.server.name),
        }
    }

    /// Who ended the connection.
    pub(super) fn cause(&self) -> Cause {
        self.life.borrow().ended.as_ref().map_or(Cause::Broken, |end| end.cause)
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
