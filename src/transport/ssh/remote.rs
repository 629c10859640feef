//! Commands on an SSH server beside the channel that is wanted (RFC 4254, section 6.5): to look around, to start things.

use std::pin::Pin;
use std::time::Duration;

use russh::client::Msg;
use russh::{Channel, ChannelMsg};

use super::Destination;
use super::link::Link;
use crate::escape::{escape, escape_lines};
use crate::transport::{Asker, Error};

/// How long a command that only looks around may take.
const LOOK_LIMIT: Duration = Duration::from_secs(20);
/// How long the last words of a command may take behind its status.
const WORDS_LIMIT: Duration = Duration::from_secs(1);
/// More than this is not read of what a command prints.
const MOST_PRINTED: usize = 256 * 1024;

/// An SSH server that let us in.
pub struct Remote<'a> {
    link: &'a Link,
    asker: &'a Asker,
}

/// What a command printed.
#[derive(Debug, Default)]
pub struct Printed {
    /// Its standard output.
    pub out: Vec<u8>,
    /// The last line of its standard error, escaped.
    pub said: String,
    /// Its exit status; none if a signal ended it.
    pub status: Option<u32>,
}

/// A command on its way.
pub struct Running {
    channel: Channel<Msg>,
    words: String,
    server: String,
    printed: Printed,
    closed: bool,
}

/// Looks around on a server and decides what the channel is connected to.
pub trait Choose: Send + Sync {
    /// The destination.
    ///
    /// # Errors
    /// If there is none, or nobody to ask which of several is meant.
    fn choose<'a>(&'a self, remote: Remote<'a>) -> Choosing<'a>;
}

/// A choice under way.
pub type Choosing<'a> = Pin<Box<dyn Future<Output = Result<Destination, Error>> + Send + 'a>>;

impl<'a> Remote<'a> {
    pub(super) fn new(link: &'a Link, asker: &'a Asker) -> Remote<'a> {
        Remote { link, asker }
    }

    /// The server's name with its port, escaped.
    pub fn server(&self) -> &'a str {
        &self.link.server.name
    }

    /// The user who logged in, escaped.
    pub fn user(&self) -> String {
        self.link.facts().user.clone()
    }

    /// Who can be asked.
    pub fn asker(&self) -> &'a Asker {
        self.asker
    }

    /// Runs a command and reads what it prints. It counts as done when all of its output has come.
    ///
    /// # Errors
    /// If the server runs none, it takes too long, or prints too much.
    pub async fn look(&self, command: &str) -> Result<Printed, Error> {
        let looking = async {
            let mut running = self.start(command).await?;
            while running.step().await? {}
            Ok(running.printed)
        };
        let late = || Error::timed_out("look around", self.server(), LOOK_LIMIT);
        self.asker.clock().within(LOOK_LIMIT, looking).await.unwrap_or_else(|_| Err(late()))
    }

    /// Starts a command that may go on running; it lasts as long as the SSH connection.
    ///
    /// # Errors
    /// If the server runs none.
    pub async fn start(&self, command: &str) -> Result<Running, Error> {
        let server = self.server().to_owned();
        let words = format!("the command \"{}\"", escape(command));
        let opening = async {
            let channel = self.link.handle.channel_open_session().await?;
            channel.exec(true, command).await?;
            Ok(channel)
        };
        match opening.await {
            Ok(channel) => Ok(Running { channel, words, server, printed: Printed::default(), closed: false }),
            Err(russh::Error::ChannelOpenFailure(reason)) => {
                Err(Error::unreachable(format!("{server} runs no commands for this user: {reason:?}"))
                    .hint("name the desktop instead: HOST:DISPLAY"))
            }
            Err(_) => {
                self.link.closed().await;
                Err(Error::unreachable(self.link.end_words()))
            }
        }
    }
}

impl Running {
    /// Looks after it for a while; true once it has ended well. Programs that go into the background may keep the
    /// output open: the status is what counts.
    ///
    /// # Errors
    /// If it ended in another way.
    pub async fn tend(&mut self, pause: Duration) -> Result<bool, Error> {
        let going = async {
            while !self.closed && self.printed.status.is_none() {
                self.closed = !self.step().await?;
            }
            Ok::<(), Error>(())
        };
        match tokio::time::timeout(pause, going).await {
            Err(_) => return Ok(false),
            Ok(ended) => ended?,
        }
        if self.printed.status != Some(0) {
            // Why it failed may be told behind the status.
            let rest = async {
                while self.step().await? {}
                Ok::<(), Error>(())
            };
            if let Ok(ended) = tokio::time::timeout(WORDS_LIMIT, rest).await {
                ended?;
            }
        }
        self.well().map(|()| true)
    }

    /// Takes in what comes next; false at the end.
    async fn step(&mut self) -> Result<bool, Error> {
        match self.channel.wait().await {
            Some(ChannelMsg::Data { data }) => {
                if self.printed.out.len() + data.len() > MOST_PRINTED {
                    return Err(Error::unreachable(format!("{} on {} printed too much", self.words, self.server)));
                }
                self.printed.out.extend_from_slice(&data);
            }
            Some(ChannelMsg::ExtendedData { data, ext: 1 }) => {
                for line in escape_lines(&String::from_utf8_lossy(&data)) {
                    tracing::info!("{}: {line}", self.server);
                    self.printed.said = line;
                }
            }
            Some(ChannelMsg::ExitStatus { exit_status }) => self.printed.status = Some(exit_status),
            Some(ChannelMsg::Failure) => {
                return Err(Error::unreachable(format!("{} refused to run {}", self.server, self.words)));
            }
            Some(ChannelMsg::Close) | None => return Ok(false),
            Some(_) => {}
        }
        Ok(true)
    }

    /// Passes if it ended with status 0.
    fn well(&self) -> Result<(), Error> {
        let Printed { said, status, .. } = &self.printed;
        if *status == Some(0) {
            return Ok(());
        }
        let status = status.map_or_else(|| "was ended".to_owned(), |status| format!("ended with status {status}"));
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        Err(Error::unreachable(format!("{} on {} {status}{said}", self.words, self.server)))
    }
}
