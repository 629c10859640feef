//! THE ONLY ROOM WITH TASKS AND THREADS: starts a connection, keeps it going, and tells what happens.
//!
//! Inbound: reader task → painter thread → [`Event`]s for whoever shows them. Outbound: [`Session::send`] → writer task;
//! no key press waits for a picture.

mod error;
mod events;
mod handshake;
mod link;
mod net;
#[cfg(target_os = "linux")]
mod network;
mod outbox;
mod pace;
mod painter;
mod reader;
mod resizes;
mod stats;

use std::cell::{Cell, RefCell};
use std::os::fd::BorrowedFd;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use secrecy::SecretSlice;
use tokio::runtime::Runtime;

use crate::picture::{ByteOrder, Size};
use crate::recording;
use crate::rfb::handshake::Agreed;
use crate::transport::{Asker, Facts, Pins, Question, QuestionKind, Route};

pub use crate::client::{Event as ServerEvent, Settings, UserInput};
pub use crate::transport;
pub use error::{End, Error};
pub use handshake::{Shaken, shake};
pub use painter::Picture;
pub use stats::Stats;

use events::Listener;
use outbox::Outbox;
use painter::Wants;
use stats::Board;

/// How long the farewell to a server may take.
const FAREWELL: Duration = Duration::from_millis(1500);
/// How long a recording may take to reach the disk.
const FINISH: Duration = Duration::from_secs(30);

/// A session as it is wanted.
pub struct Plan {
    /// The way to the server.
    pub route: Route,
    /// The VNC password, if it is known before it is asked for.
    pub password: Option<SecretSlice<u8>>,
    /// Whether a person can be asked.
    pub may_ask: bool,
    /// ClientInit's flag: leave other viewers connected.
    pub shared: bool,
    /// What the server is asked for.
    pub settings: Settings,
    /// Whether encodings and quality follow the speed of the link.
    pub follow_link: bool,
    /// The order of the bytes on the canvas.
    pub order: ByteOrder,
    /// Host keys that were believed before.
    pub pins: Pins,
    /// Where what the server sends is written to.
    pub recorder: Option<recording::Writer>,
}

/// What happens in a session, in this order.
pub enum Event {
    /// Something that only a person knows is needed.
    Question(Question),
    /// What was answered to this was refused.
    Wrong(QuestionKind),
    /// An SSH server waits for a desktop to connect to this port of its localhost.
    Listening {
        /// The server, escaped.
        server: String,
        /// The port there.
        port: u32,
    },
    /// The server's desktop is there.
    Open(Open),
    /// Part of the desktop was painted. To be dropped soon: nothing is painted while it is held.
    Picture(Picture),
    /// What the server told besides pixels, the last of each kind.
    Server(Vec<ServerEvent>),
    /// This machine's network changed, since it is watched.
    Network,
    /// A signal asks the program to end: its number.
    Signal(i32),
    /// It is over; nothing comes after this.
    Ended(End),
}

/// A desktop that answered.
#[derive(Debug, Clone)]
pub struct Open {
    /// Its size.
    pub size: Size,
    /// Its name, as sent.
    pub name: String,
    /// The version and the security type.
    pub agreed: Agreed,
    /// The way there.
    pub facts: Facts,
}

/// A session under way. Dropping it ends it at once.
pub struct Session {
    events: Listener,
    outbox: Outbox,
    wants: Wants,
    closed: Receiver<()>,
    teller: events::Teller,
    board: Board,
    #[cfg(target_os = "linux")]
    network: RefCell<Option<network::Watch>>,
    // Whether there is a painter that will report its end.
    opened: Cell<bool>,
    records: bool,
    // Taken when the session ends: its threads may hang in a name server, and nobody waits for that.
    runtime: Option<Runtime>,
}

impl Session {
    /// Starts connecting.
    ///
    /// # Errors
    /// [`Error::Local`] if this machine gives no threads.
    pub fn start(plan: Plan) -> Result<Session, Error> {
        // One worker is enough: the sockets and the cipher of one connection; decoding has a thread of its own.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("net")
            .enable_all()
            .build()
            .map_err(Error::Local)?;
        let (teller, events) = events::line().map_err(Error::Local)?;
        let (outbox, outgoing) = outbox::new();
        let (wants, jobs) = painter::queue();
        let (farewell, closed) = channel();
        let (asker, questions) = if plan.may_ask {
            let (asker, questions) = Asker::new();
            (asker, Some(questions))
        } else {
            (Asker::nobody(), None)
        };
        let (asker, steps) = asker.knowing(plan.pins.clone()).watched();
        net::watch_signals(&runtime, &teller).map_err(Error::Local)?;
        let of_the_network = teller.clone();
        let records = plan.recorder.is_some();
        let board = Board::default();
        runtime.spawn(net::run(
            plan,
            asker,
            net::Ears { steps, questions },
            net::Lines {
                events: teller,
                outbox: outbox.clone(),
                outgoing,
                wants: wants.clone(),
                jobs,
                farewell,
                board: board.clone(),
            },
        ));
        Ok(Session {
            events,
            outbox,
            wants,
            closed,
            teller: of_the_network,
            board,
            #[cfg(target_os = "linux")]
            network: RefCell::new(None),
            opened: Cell::new(false),
            records,
            runtime: Some(runtime),
        })
    }

    /// What happened next; `None` if nothing does within `wait`.
    pub fn next(&self, wait: Duration) -> Option<Event> {
        match self.events.next(wait) {
            Ok(event) => {
                match event {
                    Event::Open(_) => self.opened.set(true),
                    Event::Ended(_) => self.opened.set(false),
                    Event::Server(_) => self.wants.heard(),
                    _ => {}
                }
                Some(event)
            }
            // Whoever must tell of the end does so even in a panic: see `events::Will`.
            Err(_) => None,
        }
    }

    /// How fast all is. The round trips are measured anew each time this is asked.
    pub fn stats(&self) -> Stats {
        if let Some(runtime) = &self.runtime {
            runtime.spawn(self.board.clone().measure_ssh());
        }
        self.wants.give(painter::Job::Ping);
        self.board.read()
    }

    /// Tells of changes of the network from now on, which make another attempt worth while. The session may have ended;
    /// signals are told then too.
    pub fn watch_network(&self) {
        #[cfg(target_os = "linux")]
        match network::watch(self.teller.clone()) {
            Ok(watch) => drop(self.network.replace(Some(watch))),
            Err(error) => tracing::debug!("changes of the network are not seen: {error}"),
        }
    }

    /// Can be read while [`next`](Session::next) has something to give: for whoever sleeps in poll(2).
    pub fn bell(&self) -> BorrowedFd<'_> {
        self.events.bell()
    }

    /// Tells the server what the user does; at once, whatever is being painted.
    pub fn send(&self, input: UserInput) {
        self.outbox.send(input);
    }

    /// Asks for the whole desktop once more, without loss.
    pub fn refresh(&self) {
        self.wants.give(painter::Job::Refresh);
    }

    /// The last picture was shown: the next is welcome.
    pub fn want_picture(&self) {
        self.wants.want();
    }

    /// Stops, and says goodbye to the server for a second or so at the most. Gives what went wrong in stopping: a
    /// recording that could not be finished.
    pub fn close(self) -> Option<Error> {
        self.outbox.close();
        self.wants.stop();
        let opened = self.opened.get();
        let mut failed = None;
        // Without a desktop there is no painter, and nothing to wait for.
        while self.opened.get() {
            match self.events.next(if self.records { FINISH } else { FAREWELL }) {
                Ok(Event::Ended(End { error, .. })) => {
                    failed = error.filter(|error| matches!(error, Error::Recording(_)));
                    break;
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
        if opened {
            let _ = self.closed.recv_timeout(FAREWELL);
        }
        failed
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
