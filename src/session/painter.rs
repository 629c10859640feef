//! The painter thread: decodes what was received onto the canvas, and moves the canvas to the window and back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::events::{Teller, Will};
use super::link::Link;
use super::outbox::Outbox;
use super::pace::Pace;
use super::stats::Board;
use super::{End, Error, Event};
use crate::client::{Client, Received, Settings};
use crate::picture::{Canvas, Damage};
use crate::recording;
use crate::rfb::{Inbox, ProtocolError};

/// How long a server may be silent in the middle of a message, or before the first picture. Keep-alives of SSH notice
/// a dead link in the same time.
const SILENCE: Duration = Duration::from_secs(60);

/// What is stale is asked for when nothing has come for so long, or in so long at the latest.
const CALM: Duration = Duration::from_millis(300);
const LONGEST: Duration = Duration::from_secs(5);

/// Bytes that have arrived already and are decoded together.
const BATCH: usize = 256 << 10;

/// Something for the painter to do.
pub(super) enum Job {
    /// Bytes arrived, and when.
    Chunk(Bytes, Instant),
    /// The canvas came back.
    Home(Box<Canvas>),
    /// Look again whether a picture is wanted.
    Look,
    /// Ask for all of the desktop once more, without loss.
    Refresh,
    /// Somebody wants to know how long the way to the server is.
    Ping,
    /// Stop: nobody looks any more.
    Stop,
    /// No more bytes come.
    End(Result<(), Error>),
}

/// The way to the painter, for the reader and for whoever shows the pictures.
#[derive(Clone)]
pub(super) struct Wants {
    jobs: Arc<Mutex<Sender<Job>>>,
    // Beside the queue, which may be deep: a picture that is wanted must not wait behind all of it.
    wanted: Arc<AtomicBool>,
    // Whether what was told last has been heard: a server's news can not pile up.
    heard: Arc<AtomicBool>,
    // Beside the queue too: the end does not wait for what is still to be decoded.
    stopped: Arc<AtomicBool>,
}

/// The painter's queue. The first picture is wanted without a word.
pub(super) fn queue() -> (Wants, Receiver<Job>) {
    let (sender, receiver) = channel();
    let flag = |state| Arc::new(AtomicBool::new(state));
    let (wanted, heard, stopped) = (flag(true), flag(true), flag(false));
    (Wants { jobs: Arc::new(Mutex::new(sender)), wanted, heard, stopped }, receiver)
}

impl Wants {
    pub(super) fn want(&self) {
        self.wanted.store(true, Ordering::Release);
        self.give(Job::Look);
    }

    /// What was told has been heard.
    pub(super) fn heard(&self) {
        self.heard.store(true, Ordering::Release);
        self.give(Job::Look);
    }

    /// Nobody looks any more.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.give(Job::Stop);
    }

    fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Queues a job; false if the painter is gone.
    pub(super) fn give(&self, job: Job) -> bool {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).send(job).is_ok()
    }

    fn take_wanted(&self) -> bool {
        self.wanted.swap(false, Ordering::AcqRel)
    }
}

/// The canvas, on loan: it goes back when this is dropped.
pub struct Picture {
    canvas: Option<Box<Canvas>>,
    /// What was painted since the last picture.
    pub damage: Damage,
    /// Whether every pixel of the desktop has been painted by now.
    pub complete: bool,
    home: Wants,
}

impl Picture {
    /// The pixels.
    pub fn canvas(&self) -> &Canvas {
        // Only `drop` takes it away.
        self.canvas.as_deref().unwrap_or(&EMPTY)
    }
}

static EMPTY: Canvas = Canvas::empty();

impl Drop for Picture {
    fn drop(&mut self) {
        if let Some(canvas) = self.canvas.take() {
            self.home.give(Job::Home(canvas));
        }
    }
}

/// The thread's belongings.
pub(super) struct Painter {
    pub(super) client: Client,
    pub(super) inbox: Inbox,
    /// Away while the window looks at it.
    pub(super) canvas: Option<Box<Canvas>>,
    pub(super) jobs: Receiver<Job>,
    pub(super) wants: Wants,
    /// Room in the queue, in bytes; closed when it stayed full.
    pub(super) room: Arc<Semaphore>,
    /// What was taken from there and is still to be decoded, in bytes.
    pub(super) undecoded: usize,
    pub(super) events: Teller,
    pub(super) outbox: Outbox,
    pub(super) recorder: Option<recording::Writer>,
    pub(super) peer: String,
    pub(super) damage: Damage,
    /// Something of the desktop was handed over, which not every update brings.
    pub(super) shown: bool,
    pub(super) pace: Pace,
    /// If the settings follow it: the link, and the settings as they were wanted.
    pub(super) link: Option<(Link, Settings)>,
    pub(super) board: Board,
    /// When the server was asked for a sign of life.
    pub(super) pinged: Option<Instant>,
    /// When bytes came last, and since when there are stale parts.
    pub(super) last: Instant,
    pub(super) stale: Option<Instant>,
    /// When the server was heard last, or before the first picture, when it came nearer.
    pub(super) heard: Instant,
    /// Bytes, and the time that it took to decode them.
    pub(super) received: u64,
    pub(super) decoding: Duration,
}

impl Painter {
    /// Paints until the stream ends or nobody looks any more, and reports the end.
    pub(super) fn run(mut self) {
        let _will = Will::new(&self.events);
        let mut error = self.paint_all().err();
        if let Some(recorder) = self.recorder.take()
            && let Err(failed) = recorder.finish()
        {
            error = error.or(Some(failed.into()));
        }
        self.events.tell(Event::Ended(End { error, shown: self.shown }));
    }

    fn paint_all(&mut self) -> Result<(), Error> {
        let early = Bytes::copy_from_slice(self.inbox.available());
        self.record(&early, Instant::now())?;
        self.decode()?;
        let mut next = None;
        loop {
            let due = !self.client.at_boundary(&self.inbox) || !self.shown;
            let job = match next.take() {
                Some(job) => Ok(job),
                None if due && self.canvas.is_some() => {
                    // Whatever else there is to do meanwhile does not begin it anew.
                    self.jobs.recv_timeout(SILENCE.saturating_sub(self.heard.elapsed()))
                }
                None if let Some(wait) = self.renew() => match self.jobs.recv_timeout(wait) {
                    Err(RecvTimeoutError::Timeout) => continue,
                    job => job,
                },
                None => self.jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            if self.is_over() {
                return Ok(());
            }
            match job {
                Ok(Job::Chunk(chunk, arrived)) => {
                    let mut size = self.push(chunk, arrived)?;
                    // Lanes need several rectangles at a time.
                    while size < BATCH && next.is_none() {
                        match self.jobs.try_recv() {
                            Ok(Job::Chunk(chunk, arrived)) => size += self.push(chunk, arrived)?,
                            Ok(job) => next = Some(job),
                            Err(_) => break,
                        }
                    }
                    self.decode()?;
                    // A bell brings no picture nearer.
                    if self.shown || !self.client.at_boundary(&self.inbox) {
                        self.heard = Instant::now();
                    }
                }
                Ok(Job::Home(canvas)) => {
                    self.canvas = Some(canvas);
                    self.decode()?;
                }
                Ok(Job::Look) => {
                    self.show();
                    self.tell();
                }
                Ok(Job::Refresh) => {
                    self.client.refresh();
                    self.tell();
                }
                Ok(Job::Ping) => {
                    if self.client.ping() {
                        self.pinged = Some(Instant::now());
                        self.tell();
                    }
                }
                Ok(Job::Stop) => return Ok(()),
                // The rest is decoded when the canvas comes home.
                Ok(Job::End(end)) if self.canvas.is_none() => self.await_home(end)?,
                Ok(Job::End(end)) => return self.end(end),
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {
                    let (peer, what) = (self.peer.clone(), self.client.message());
                    return Err(Error::Silent { peer, what, seconds: SILENCE.as_secs() });
                }
            }
        }
    }

    /// Asks for what is stale, when nothing else is on its way or it has waited for long. Gives how long it waits still.
    fn renew(&mut self) -> Option<Duration> {
        if !self.client.is_stale() {
            self.stale = None;
            return None;
        }
        let now = Instant::now();
        let since = *self.stale.get_or_insert(now);
        let wait = (self.last + CALM).min(since + LONGEST).saturating_duration_since(now);
        if wait.is_zero() {
            self.client.renew();
            self.tell();
            return None;
        }
        Some(wait)
    }

    fn push(&mut self, chunk: Bytes, arrived: Instant) -> Result<usize, Error> {
        self.record(&chunk, arrived)?;
        self.last = arrived;
        let size = chunk.len();
        self.received += size as u64;
        self.undecoded += size;
        let due = !self.client.at_boundary(&self.inbox);
        self.inbox.push(chunk);
        if let Some((link, wanted)) = &mut self.link
            && link.arrived(size, arrived, due)
        {
            tracing::info!("the link is {}", link.describe());
            self.client.change(&link.settings(wanted));
        }
        Ok(size)
    }

    /// Puts the end of the stream behind the canvas's return.
    fn await_home(&mut self, end: Result<(), Error>) -> Result<(), Error> {
        while self.canvas.is_none() {
            match self.jobs.recv() {
                Ok(Job::Home(canvas)) => self.canvas = Some(canvas),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        self.decode()?;
        self.wants.give(Job::End(end));
        Ok(())
    }

    fn end(&mut self, end: Result<(), Error>) -> Result<(), Error> {
        end?;
        if self.client.at_boundary(&self.inbox) {
            return Ok(());
        }
        Err(Error::CutOff { peer: self.peer.clone(), what: self.client.message() })
    }

    /// Decodes as far as the bytes reach, if the canvas is here.
    fn decode(&mut self) -> Result<(), Error> {
        loop {
            let Some(canvas) = &mut self.canvas else { return Ok(()) };
            let start = Instant::now();
            let received = self.client.receive(&mut self.inbox, canvas);
            self.decoding += start.elapsed();
            self.give_room(&received);
            self.measure(&received);
            self.note();
            // The picture first: waking the net thread takes a while.
            if received.is_ok() {
                self.show();
            }
            self.tell();
            let received = received?;
            if self.outbox.is_clogged() {
                return Err(Error::Deaf(self.peer.clone()));
            }
            // The end of it comes behind all that is still to be decoded, which may take for ever.
            if self.room.is_closed() {
                return Err(Error::Flooded(self.peer.clone()));
            }
            if let Some(recorder) = self.recorder.as_mut().filter(|_| self.client.between_messages()) {
                recorder.boundary(self.inbox.available().len());
            }
            if received == Received::NeedMore || self.is_over() {
                return Ok(());
            }
        }
    }

    /// Gives back the room of what was decoded, and of the beginning of something larger: else its end might find none.
    fn give_room(&mut self, received: &Result<Received, ProtocolError>) {
        let left = if received == &Ok(Received::NeedMore) { 0 } else { self.inbox.available().len() };
        let left = left.min(self.undecoded);
        self.room.add_permits(self.undecoded - left);
        self.undecoded = left;
    }

    /// Whether nobody looks any more; what is recorded is so to its end.
    fn is_over(&self) -> bool {
        self.recorder.is_none() && self.wants.stopped()
    }

    fn measure(&mut self, received: &Result<Received, ProtocolError>) {
        if received == &Ok(Received::UpdateDone) {
            if let Some(room) = self.pace.done(Instant::now()) {
                self.client.set_room(room);
            }
        } else if self.client.in_update() {
            self.pace.part(Instant::now());
        }
    }

    /// Writes down how fast all is, if somebody reads it.
    fn note(&mut self) {
        if !self.board.is_wanted() {
            return;
        }
        let round_trip = if self.client.take_answer() { self.pinged.take() } else { None };
        let (client, received, decoding) = (&self.client, self.received, self.decoding);
        self.board.write(|stats| {
            (stats.received, stats.decoding) = (received, decoding);
            stats.counts.clone_from(client.counts());
            if let Some(since) = round_trip {
                stats.rfb = Some(since.elapsed());
            }
        });
    }

    /// Passes on what the client has to say to either side. News that nobody has time for are kept, the last of each
    /// kind, by the client.
    fn tell(&mut self) {
        self.outbox.send_bytes(self.client.messages());
        self.client.notices().into_iter().for_each(|notice| self.outbox.notice(notice));
        if self.wants.heard.load(Ordering::Acquire) {
            self.tell_news();
        }
    }

    fn tell_news(&mut self) {
        let news = self.client.events();
        if !news.is_empty() {
            self.wants.heard.store(false, Ordering::Release);
            self.events.tell(Event::Server(news));
        }
    }

    /// Moves the canvas to the window, if something was painted and the window is ready for it. What the client has to say
    /// then is for [`tell`](Painter::tell).
    fn show(&mut self) {
        let painted = self.client.take_damage();
        self.damage.extend(&painted);
        if self.damage.is_empty() || self.canvas.is_none() {
            return;
        }
        if !self.wants.take_wanted() {
            self.client.hold();
            return;
        }
        // A picture of another size comes after the news of it.
        self.tell_news();
        let picture = Picture {
            canvas: self.canvas.take(),
            damage: self.damage.take(),
            complete: self.client.is_complete(),
            home: self.wants.clone(),
        };
        self.events.tell(Event::Picture(picture));
        self.shown = true;
        self.client.release();
    }

    fn record(&mut self, bytes: &[u8], arrived: Instant) -> Result<(), Error> {
        match &mut self.recorder {
            Some(recorder) => Ok(recorder.write(bytes, arrived)?),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{events, outbox};
    use super::*;
    use crate::client::canvas_for;
    use crate::picture::ByteOrder;
    use crate::rfb::PixelFormat;
    use crate::rfb::handshake::ServerInit;

    /// A painter of a desktop of one pixel, of whose server this was heard, last at this time.
    fn painter(said: &'static [u8], heard: Instant) -> (Painter, Wants, events::Listener) {
        let format = PixelFormat::rgb888([0, 8, 16]);
        let init = ServerInit { width: 1, height: 1, format, name: String::new() };
        let (events, listener) = events::line().unwrap();
        let (wants, jobs) = queue();
        let mut inbox = Inbox::default();
        inbox.push(Bytes::from_static(said));
        let painter = Painter {
            client: Client::new(&init, &Settings::new(format, vec![0]), ByteOrder::Rgbx),
            inbox,
            canvas: Some(Box::new(canvas_for(&init, ByteOrder::Rgbx).unwrap())),
            jobs,
            wants: wants.clone(),
            room: Arc::new(Semaphore::new(0)),
            undecoded: 0,
            events,
            outbox: outbox::new().0,
            recorder: None,
            peer: "somebody".to_owned(),
            damage: Damage::default(),
            shown: false,
            pace: Pace::default(),
            link: None,
            board: Board::default(),
            pinged: None,
            last: heard,
            stale: None,
            heard,
            received: 0,
            decoding: Duration::ZERO,
        };
        (painter, wants, listener)
    }

    #[test]
    fn a_silent_server_is_noticed_whatever_there_is_to_do_besides() {
        // Nothing yet, bells, and half a message.
        for said in [&[][..], &[2], &[0, 0, 0, 1]] {
            let Some(heard) = Instant::now().checked_sub(SILENCE - Duration::from_secs(1)) else { return };
            let (mut painter, wants, _listener) = painter(said, heard);
            let start = Instant::now();
            std::thread::spawn(move || {
                while wants.give(Job::Look) && wants.give(Job::Ping) && start.elapsed() < Duration::from_secs(9) {
                    // A bell before the first picture is as good as silence.
                    let bell = said.len() < 2 && wants.give(Job::Chunk(Bytes::from_static(&[2]), Instant::now()));
                    std::thread::sleep(Duration::from_millis(if bell { 100 } else { 50 }));
                }
            });
            let end = painter.paint_all();
            assert!(matches!(end, Err(Error::Silent { .. })) && start.elapsed() < Duration::from_secs(5), "{end:?}");
        }
    }

    /// An update of one pixel.
    const UPDATE: [u8; 20] = [0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 9, 9, 9, 0];

    fn next_picture(listener: &events::Listener) -> Option<Picture> {
        std::iter::from_fn(|| listener.next(Duration::ZERO).ok()).find_map(|event| match event {
            Event::Picture(picture) => Some(picture),
            _ => None,
        })
    }

    #[test]
    fn an_update_without_a_pixel_shows_nothing() {
        // No rectangle, and a pointer that is none.
        let pointer = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x11];
        for (said, pixels) in [(&[0, 0, 0, 0][..], false), (&pointer, false), (&UPDATE, true)] {
            let (painter, wants, listener) = painter(&[], Instant::now());
            wants.give(Job::Chunk(Bytes::copy_from_slice(said), Instant::now()));
            wants.give(Job::End(Ok(())));
            let told = std::thread::spawn(move || painter.run());
            let end = std::iter::from_fn(|| listener.next(SILENCE).ok()).find_map(|event| match event {
                Event::Ended(end) => Some(end),
                _ => None,
            });
            assert!(matches!(end, Some(End { error: None, shown }) if shown == pixels), "{said:?}: {end:?}");
            assert!(told.join().is_ok());
        }
    }

    #[test]
    fn there_is_room_for_more_when_it_is_decoded_and_not_before() {
        let (mut painter, wants, listener) = painter(&[], Instant::now());
        let mut after = |jobs: Vec<Job>| {
            jobs.into_iter().chain([Job::Stop]).for_each(|job| assert!(wants.give(job)));
            let end = painter.paint_all();
            (painter.room.available_permits(), end)
        };
        let chunk = |bytes: &[u8]| Job::Chunk(Bytes::copy_from_slice(bytes), Instant::now());
        // The window takes the first picture, and what comes behind it waits.
        let (room, _) = after(vec![chunk(&UPDATE.repeat(3))]);
        assert_eq!(room, 20);
        let (room, _) = after(vec![chunk(&UPDATE), chunk(&UPDATE)]);
        assert_eq!(room, 20);
        let picture = next_picture(&listener);
        assert!(picture.is_some());
        drop(picture);
        assert_eq!(after(vec![]).0, 100);
        // The rest of something large must find room, however large it is.
        assert_eq!(after(vec![chunk(&UPDATE[..18])]).0, 118);
        assert_eq!(after(vec![chunk(&UPDATE[18..])]).0, 120);
    }

    #[test]
    fn who_floods_is_left_at_once() {
        let (mut painter, _wants, listener) = painter(&[], Instant::now());
        painter.inbox.push(Bytes::from(UPDATE.repeat(9)));
        painter.room.close();
        let end = painter.paint_all();
        assert!(matches!(end, Err(Error::Flooded(_))), "{end:?}");
        assert!(next_picture(&listener).is_some() && painter.client.counts().updates == 1);
    }
}
