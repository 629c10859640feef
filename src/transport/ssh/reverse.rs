//! A desktop that comes to us (RFC 4254, section 7.1): the SSH server listens, and the first that connects is the desktop.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::client::{ChannelOpenHandle, Msg};
use russh::{Channel, ChannelOpenFailure};
use tokio::sync::oneshot;

use super::Reverse;
use super::link::Link;
use super::remote::Remote;
use crate::transport::{Asker, Error, Step};

/// The server's own localhost: nobody from its network comes in.
const ADDRESS: &str = "localhost";
/// How long the desktop may take to connect once the command that makes it do so has ended.
const COME_LIMIT: Duration = Duration::from_secs(30);

/// Where a channel that the server opens goes: to whoever waits for one, once; otherwise it is refused.
#[derive(Clone, Default)]
pub(super) struct Door(Arc<Mutex<Option<oneshot::Sender<Channel<Msg>>>>>);

impl Door {
    fn open(&self) -> oneshot::Receiver<Channel<Msg>> {
        let (sender, receiver) = oneshot::channel();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        receiver
    }

    /// Lets the first in, and shuts the door behind it.
    pub(super) async fn knock(&self, channel: Channel<Msg>, reply: ChannelOpenHandle) {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match waiting {
            Some(waiting) if !waiting.is_closed() => {
                reply.accept().await;
                let _ = waiting.send(channel);
            }
            _ => reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await,
        }
    }
}

/// Has the server listen, and waits for the desktop.
pub(super) async fn wait(link: &Link, wanted: &Reverse, asker: &Asker) -> Result<Channel<Msg>, Error> {
    let server = &link.server.name;
    let mut visitor = link.door.open();
    let asked = u32::from(wanted.port.unwrap_or_default());
    let given = match link.handle.tcpip_forward(ADDRESS, asked).await {
        Ok(given) => {
            if given == 0 {
                asked
            } else {
                given
            }
        }
        Err(russh::Error::RequestDenied) => {
            let port = wanted.port.map_or_else(String::new, |port| format!(" on port {port}"));
            return Err(Error::unreachable(format!("{server} does not listen{port} for us")).hint(
                "the port may be taken there, or AllowTcpForwarding or PermitListen in its sshd_config forbids it",
            ));
        }
        Err(_) => {
            link.closed().await;
            return Err(Error::unreachable(link.end_words()));
        }
    };
    let came = match &wanted.command {
        None => {
            asker.report(Step::Listening { server: server.clone(), port: given });
            came(link, &mut visitor).await
        }
        Some(command) => {
            let command = command.replace("%p", &given.to_string());
            called(link, &command, given, &mut visitor, asker).await
        }
    };
    // One desktop is enough; whoever else knocks is turned away by the door.
    let _ = link.handle.cancel_tcpip_forward(ADDRESS, given).await;
    came
}

/// Waits as long as it takes: a person may have to walk over to another machine.
async fn came(link: &Link, visitor: &mut oneshot::Receiver<Channel<Msg>>) -> Result<Channel<Msg>, Error> {
    tokio::select! {
        Ok(channel) = visitor => Ok(channel),
        () = link.ended() => Err(Error::lost(link.end_words())),
    }
}

/// Runs the command that makes the desktop come.
async fn called(
    link: &Link,
    command: &str,
    port: u32,
    visitor: &mut oneshot::Receiver<Channel<Msg>>,
    asker: &Asker,
) -> Result<Channel<Msg>, Error> {
    let mut running = Remote::new(link, asker).start(command).await?;
    let ending = async {
        while !running.tend(Duration::MAX).await? {}
        tokio::time::sleep(COME_LIMIT).await;
        Err(Error::unreachable(format!("no desktop connected to port {port} of {}", link.server.name))
            .hint("%p in the command stands for the port"))
    };
    tokio::select! {
        biased;
        came = came(link, visitor) => came,
        ended = ending => ended,
    }
}
