//! The net thread's tasks: connects, shakes hands, then starts the reader, the writer and the painter.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedReceiver;

use super::events::{Teller, Will};
use super::handshake::{self, Shaken};
use super::link::Link;
use super::outbox::{self, Outbox, Outgoings};
use super::pace::Pace;
use super::painter::{Job, Painter, Wants};
use super::reader::{self, MOST_WAITING};
use super::stats::Board;
use super::{End, Error, Event, Open, Plan};
use crate::client::{Client, canvas_for};
use crate::lanes;
use crate::picture::{Damage, Size};
use crate::rfb::Inbox;
use crate::transport::{self, Asker, Question, Step};

/// Where everything goes and comes from.
pub(super) struct Lines {
    pub(super) events: Teller,
    pub(super) outbox: Outbox,
    pub(super) outgoing: Outgoings,
    pub(super) wants: Wants,
    pub(super) jobs: Receiver<Job>,
    /// Told when the writer has said goodbye.
    pub(super) farewell: Sender<()>,
    pub(super) board: Board,
}

/// Where it is heard what happens on the way.
pub(super) struct Ears {
    pub(super) steps: UnboundedReceiver<Step>,
    /// If anybody can be asked.
    pub(super) questions: Option<UnboundedReceiver<Question>>,
}

/// Runs a session; its end is an event.
pub(super) async fn run(plan: Plan, asker: Asker, mut ears: Ears, lines: Lines) {
    let events = lines.events.clone();
    let _will = Will::new(&events);
    let mut running = pin!(start(plan, asker, lines));
    let ended = loop {
        tokio::select! {
            // What was wrong is told before it is asked for again.
            biased;
            Some(step) = ears.steps.recv() => tell(&events, step),
            Some(question) = hear(&mut ears.questions) => events.tell(Event::Question(question)),
            ended = &mut running => break ended,
        }
    };
    // And before the end.
    while let Ok(step) = ears.steps.try_recv() {
        tell(&events, step);
    }
    if let Err(error) = ended {
        events.tell(Event::Ended(End { error: Some(error), shown: false }));
    }
}

async fn hear(questions: &mut Option<UnboundedReceiver<Question>>) -> Option<Question> {
    questions.as_mut()?.recv().await
}

fn tell(events: &Teller, step: Step) {
    match step {
        Step::Listening { server, port } => events.tell(Event::Listening { server, port }),
        Step::Wrong(question) => events.tell(Event::Wrong(question)),
        Step::Network(_) | Step::HostKey(_) | Step::Login(_) | Step::Channel(_) => {}
    }
}

async fn start(plan: Plan, asker: Asker, lines: Lines) -> Result<(), Error> {
    let Plan { route, password, may_ask: _, shared, settings, follow_link, order, pins: _, mut recorder } = plan;
    let mut connection = transport::connect(route, &asker).await?;
    let mut inbox = Inbox::default();
    let Shaken { init, agreed, round_trip } =
        handshake::shake(&mut connection, &mut inbox, shared, password, &asker).await?;
    let canvas = canvas_for(&init, order)?;
    if let Some(recorder) = &mut recorder {
        recorder.begin(&init, Instant::now())?;
    }
    let Lines { events, outbox, outgoing, wants, jobs, farewell, board } = lines;
    let transport::Connection { inbound, outbound, facts } = connection;
    board.connected(inbound.pulse());
    let peer = facts.peer.clone();
    let size = Size::new(init.width, init.height);
    events.tell(Event::Open(Open { size, name: init.name.clone(), agreed, facts }));
    let room = Arc::new(Semaphore::new(MOST_WAITING));
    let link = follow_link.then(|| (Link::new(round_trip), settings.clone()));
    let settings = link.as_ref().map_or(settings, |(link, wanted)| link.settings(wanted));
    let mut client = Client::new(&init, &settings, order);
    client.set_lanes(lanes::start(lanes::usual()).map_err(Error::Local)?);
    let painter = Painter {
        client,
        inbox,
        canvas: Some(Box::new(canvas)),
        jobs,
        wants: wants.clone(),
        room: room.clone(),
        undecoded: 0,
        events,
        outbox,
        recorder,
        peer: peer.clone(),
        damage: Damage::default(),
        shown: false,
        pace: Pace::default(),
        link,
        board,
        pinged: None,
        last: Instant::now(),
        stale: None,
        heard: Instant::now(),
        received: 0,
        decoding: Duration::ZERO,
    };
    std::thread::Builder::new().name("painter".to_owned()).spawn(|| painter.run()).map_err(Error::Local)?;
    tokio::spawn(reader::read(inbound, peer, room, wants));
    outbox::write(outgoing, outbound).await;
    let _ = farewell.send(());
    Ok(())
}

/// Turns the signals that ask a program to end into events, so that terminals and recordings are left in order.
pub(super) fn watch_signals(runtime: &Runtime, events: &Teller) -> io::Result<()> {
    let _inside = runtime.enter();
    for kind in [SignalKind::hangup(), SignalKind::interrupt(), SignalKind::terminate()] {
        let mut signals = signal(kind)?;
        let events = events.clone();
        runtime.spawn(async move {
            while signals.recv().await.is_some() {
                events.tell(Event::Signal(kind.as_raw_value()));
            }
        });
    }
    Ok(())
}
