//! Which of the desktops that were found is meant, and starting one where there is none.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::found::{self, Desktop, LOOK, Owner, Place};
use crate::session::transport::{Choose, Choosing, Destination, Error, Remote};

/// How often it is looked again while a desktop starts.
const PAUSE: Duration = Duration::from_millis(500);
/// How long a desktop may take to listen after the command that starts it.
const START_LIMIT: Duration = Duration::from_secs(30);

/// Takes the only desktop of the user, or asks which.
pub struct Find {
    /// What starts a desktop where there is none, for the user's shell on the host.
    pub start: Option<String>,
}

impl Choose for Find {
    fn choose<'a>(&'a self, remote: Remote<'a>) -> Choosing<'a> {
        Box::pin(self.find(remote))
    }
}

/// Looks for desktops.
///
/// # Errors
/// If the host does not run the command that looks.
pub async fn look(remote: &Remote<'_>) -> Result<Vec<Desktop>, Error> {
    let printed = remote.look(LOOK).await?;
    found::read(&String::from_utf8_lossy(&printed.out)).ok_or_else(|| {
        let said = if printed.said.is_empty() { String::new() } else { format!(": {}", printed.said) };
        Error::unreachable(format!("{} does not run the command that looks for desktops{said}", remote.server()))
            .hint("it needs a shell there; without one, name the desktop: HOST:DISPLAY")
    })
}

impl Find {
    async fn find(&self, remote: Remote<'_>) -> Result<Destination, Error> {
        let mut desktops = look(&remote).await?;
        if let Some(command) = &self.start
            && mine(&desktops).next().is_none()
        {
            desktops = start(&remote, command).await?;
        }
        // What other users of the host have there is not taken unasked: they would see the password's answer.
        let own: Vec<&Desktop> = mine(&desktops).collect();
        let candidates = if own.is_empty() { desktops.iter().collect() } else { own };
        match candidates.as_slice() {
            [] => Err(Error::unreachable(format!("no desktop was found on {}", remote.server()))
                .hint("start one there with --start COMMAND, such as --start vncserver, or name its port: HOST::PORT")),
            [only] if matches!(only.owner, Owner::Me | Owner::Root) => Ok(destination(only)),
            several => {
                let choices = several.iter().map(|desktop| desktop.to_string()).collect::<Vec<_>>();
                let prompt = format!("Desktops on {}", remote.server());
                match remote.asker().ask_choice(prompt, choices.clone()).await.and_then(|index| several.get(index)) {
                    Some(desktop) => Ok(destination(desktop)),
                    None => Err(Error::usage(format!("{} has: {}", remote.server(), choices.join("; ")))
                        .hint("name the one that is meant, such as HOST:1")),
                }
            }
        }
    }
}

fn mine(desktops: &[Desktop]) -> impl Iterator<Item = &Desktop> {
    desktops.iter().filter(|desktop| desktop.owner == Owner::Me)
}

/// Runs the command that starts a desktop, until there is one.
async fn start(remote: &Remote<'_>, command: &str) -> Result<Vec<Desktop>, Error> {
    let mut running = remote.start(command).await?;
    let deadline = Instant::now() + START_LIMIT;
    let mut ended = false;
    loop {
        if ended {
            sleep(PAUSE).await;
        } else {
            // It may go on for as long as the desktop does.
            ended = running.tend(PAUSE).await?;
        }
        let desktops = look(remote).await?;
        if mine(&desktops).next().is_some() {
            return Ok(desktops);
        }
        if Instant::now() >= deadline {
            let words =
                format!("no desktop listens on {} {} s after it was started", remote.server(), START_LIMIT.as_secs());
            return Err(
                Error::unreachable(words).hint("does the command start a VNC server on a port from 5900 to 5999?")
            );
        }
    }
}

fn destination(desktop: &Desktop) -> Destination {
    match &desktop.place {
        Place::Port { host, port } => Destination::Tcp { host: host.clone(), port: *port },
        Place::Socket(path) => Destination::Unix { path: path.clone() },
    }
}
