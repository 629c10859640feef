//! The main loop: what happens in the session goes to the display, what the user does goes to the server.

mod asking;
mod compose;
mod doing;
mod end;
mod follow;
mod goodbye;
mod keys;
mod looking;
mod memory;
mod menu;
mod over;
mod pace;
mod pointer;
mod reconnect;
mod stats;
mod supervisor;

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use crate::display::{BestSize, Display, Grab, Input, Locks, Scaling, Wish};
use crate::error::{Failure, Kind};
use crate::escape::escape;
use crate::picture::{Area, Size};
use crate::say;
use crate::session::{Open, Plan, ServerEvent, UserInput};
use crate::terminal;

pub use keys::{Chord, Hotkeys};
pub use reconnect::{Policy, Reconnect};
pub use supervisor::Again;

use follow::Follow;
use keys::Keys;
use over::Over;
use pace::Pace;
use pointer::Pointer;
use stats::Meter;
use supervisor::{Happened, Supervisor};

/// Connecting for longer than this is worth a word.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often what tells the time is drawn.
const TICK: Duration = Duration::from_secs(1);

/// How a session is watched.
#[derive(Default)]
pub struct Options<'a> {
    /// Keys and pointer are not sent.
    pub view_only: bool,
    /// The desktop is given the size of the window where the server allows it.
    pub remote_resize: bool,
    /// Give up at this time, in these words.
    pub deadline: Option<(Instant, String)>,
    /// Told when the desktop is there.
    pub on_open: Option<&'a mut dyn FnMut(&Open)>,
    /// When another connection is made.
    pub policy: Policy,
    /// Makes the plan for it; without it there is none.
    pub again: Option<&'a mut Again<'a>>,
    /// The viewer's own keys.
    pub hotkeys: Hotkeys,
    /// As the window was wished for; `None` if there is none, and nobody looks.
    pub window: Option<Wish>,
    /// Where the desktop is, in words.
    pub target: String,
    /// Show the statistics.
    pub stats: bool,
    /// What is started when there is no desktop.
    pub instead: Option<Instead>,
    /// What is said in the window for some seconds when it did not end well, if anything.
    pub last_words: Option<&'a LastWords<'a>>,
}

/// Another program that is started when there is no desktop.
#[derive(Debug, Clone)]
pub struct Instead {
    /// In words.
    pub name: String,
    /// When the desktop can not be reached.
    pub unreachable: bool,
    /// When it was lost.
    pub lost: bool,
}

/// What there is to say about a failure.
pub type LastWords<'a> = dyn Fn(&Failure) -> Option<Vec<String>> + 'a;

/// Runs a session in a display until either ends.
///
/// # Errors
/// [`Failure`] if it did not end well.
pub fn run(plan: Plan, display: &mut dyn Display, mut options: Options<'_>) -> Result<(), Failure> {
    let line = Supervisor::start(plan, options.again.take(), options.policy)?;
    let wish = options.window.clone().unwrap_or_default();
    let mut viewer = Viewer {
        line,
        display,
        keys: Keys::new(options.hotkeys),
        pointer: Pointer::default(),
        follow: Follow::default(),
        focused: false,
        fixed_view: options.view_only,
        quits: false,
        over: Over::default(),
        grab: wish.grab,
        grabs: None,
        keeps_pointer: false,
        scaling: wish.scaling,
        meter: options.stats.then(Meter::default),
        xvp: false,
        ending: None,
        title: "sshvnc".to_owned(),
        desktop: None,
        best_size: BestSize::default(),
        old: false,
        clipboard: None,
        untold: false,
        waiting: io::stderr().is_terminal(),
        start: Instant::now(),
        pace: Pace::default(),
        late: false,
        dirty: false,
        options,
    };
    let watched = viewer.watch();
    terminal::restore();
    match watched {
        Ok(Some(end)) => viewer.say_last_words(end),
        // The user has seen enough. What was recorded must still reach the disk.
        Ok(None) => viewer.line.close().map_or(Ok(()), Err),
        Err(failure) => {
            viewer.line.close();
            Err(failure)
        }
    }
}

struct Viewer<'a, 'b> {
    line: Supervisor<'b>,
    display: &'a mut dyn Display,
    options: Options<'b>,
    keys: Keys,
    pointer: Pointer,
    follow: Follow,
    /// The window has the keyboard's focus.
    focused: bool,
    /// The user was to look only, from the beginning.
    fixed_view: bool,
    /// The menu was asked for the end.
    quits: bool,
    /// What is drawn over the desktop.
    over: Over,
    /// When all keys are taken, and what was said of it since.
    grab: Grab,
    grabs: Option<bool>,
    keeps_pointer: bool,
    scaling: Scaling,
    /// What the statistics are counted from, while they are shown.
    meter: Option<Meter>,
    /// The machine behind the desktop can be shut down.
    xvp: bool,
    /// The menu was asked for an end: of this kind.
    ending: Option<Result<(), Failure>>,
    title: String,
    /// The desktop's size, if it was ever there.
    desktop: Option<Size>,
    best_size: BestSize,
    /// What is shown is from before the connection was lost.
    old: bool,
    /// What was copied here last, for a server that comes back.
    clipboard: Option<String>,
    /// It was not told, since the user was only to look.
    untold: bool,
    /// Whether a word about a slow connection is due some time.
    waiting: bool,
    start: Instant,
    pace: Pace,
    /// Whether there may be something to show as soon as the next frame is due.
    late: bool,
    /// Whether a picture was taken and the next one not asked for yet.
    dirty: bool,
}

impl Viewer<'_, '_> {
    /// `None` if the display was closed.
    fn watch(&mut self) -> Result<Option<Result<(), Failure>>, Failure> {
        if self.options.window.as_ref().is_some_and(|wish| wish.fullscreen) {
            self.open_early()?;
        }
        loop {
            if self.waiting && self.start.elapsed() >= PATIENCE {
                say::remark("still connecting; Ctrl+C ends it");
                self.waiting = false;
            }
            self.display.wait(Some(self.line.bell()), self.pause())?;
            // As many as are there, so that a busy server is not shown in slow motion; but input comes between.
            for _ in 0..256 {
                match self.line.next(Instant::now()) {
                    Some(Happened::Ended(end)) => return Ok(Some(end)),
                    Some(event) => self.happened(event)?,
                    None => break,
                }
            }
            for input in self.display.inputs() {
                if input == Input::Close {
                    return Ok(None);
                }
                self.did(input);
            }
            if self.quits {
                return Ok(None);
            }
            if let Some(end) = self.ending.take() {
                return Ok(Some(end));
            }
            self.follow_pointer(Instant::now());
            self.look_over(Instant::now());
            self.present()?;
            let now = Instant::now();
            if let Some((deadline, words)) = &self.options.deadline
                && now >= *deadline + self.line.thought(now)
            {
                return Err(Failure::new(Kind::NoConnection, words.clone()));
            }
        }
    }

    /// Says in the window why it ended, if that is wanted.
    fn say_last_words(&mut self, end: Result<(), Failure>) -> Result<(), Failure> {
        let Err(failure) = &end else { return end };
        let lines = self.options.last_words.and_then(|words| words(failure));
        let Some(lines) = lines else { return end };
        match goodbye::say(&mut *self.display, self.line.session(), lines) {
            // Without a window it was said on stderr and in the log all the same.
            Ok(None) | Err(_) => end,
            Ok(Some(signal)) => Err(Failure::Signal(signal)),
        }
    }

    /// How long nothing need be done if nothing happens.
    fn pause(&self) -> Duration {
        let now = Instant::now();
        let mut pause = self.line.pause(now).min(self.over.pause(now)).min(self.follow.pause(now));
        // What tells the time is drawn anew.
        if self.meter.is_some() || (self.has_window() && !self.line.is_there()) {
            pause = pause.min(TICK);
        }
        if self.waiting {
            pause = pause.min(PATIENCE);
        }
        if let Some((deadline, _)) = &self.options.deadline {
            pause = pause.min((*deadline + self.line.thought(now)).saturating_duration_since(now));
        }
        if self.late {
            pause = pause.min(self.pace.wait(now));
        }
        pause
    }

    fn present(&mut self) -> Result<(), Failure> {
        let start = Instant::now();
        self.late = self.pace.wait(start) > Duration::ZERO;
        if self.late || self.display.is_busy() {
            return Ok(());
        }
        if self.display.present()? {
            self.pace.shown(start);
            if let Some(meter) = &mut self.meter {
                meter.presented(start.elapsed());
            }
        }
        if std::mem::take(&mut self.dirty) {
            self.line.session().want_picture();
        }
        Ok(())
    }

    fn happened(&mut self, event: Happened) -> Result<(), Failure> {
        match event {
            Happened::Question(question) => {
                self.waiting = false;
                self.ask(question)?;
            }
            Happened::Listening(server, port) => {
                self.waiting = false;
                say::remark(format_args!(
                    "{server} waits on port {port} of its localhost; there, let the desktop connect: \
                     vncconfig -connect localhost:{port}, or x11vnc -connect localhost:{port}"
                ));
            }
            Happened::Open(open) => self.opened(&open)?,
            Happened::Picture(picture) => {
                self.old = false;
                self.display.take(picture.canvas(), &picture.damage, picture.complete);
                self.dirty = true;
            }
            Happened::Server(news) => return news.into_iter().try_for_each(|news| self.told(news)),
            Happened::Waiting => {
                self.forget_held();
                self.set_keeping(false);
                self.over.drop_unwanted();
                // What that server said and could do.
                self.follow = Follow::default();
                self.display.set_locks(None);
                self.xvp = false;
                if self.options.window.is_some() && self.display.room().is_none() {
                    self.open_early()?;
                }
            }
            Happened::Trying => {}
            Happened::Signal(number) => return Err(Failure::Signal(number)),
            // The caller's business.
            Happened::Ended(_) => {}
        }
        Ok(())
    }

    fn opened(&mut self, open: &Open) -> Result<(), Failure> {
        if let Some(told) = &mut self.options.on_open {
            told(open);
        }
        log(open);
        self.title = title(&open.name);
        // The last picture stays until there is a new one.
        self.old = self.desktop == Some(open.size);
        self.best_size = BestSize::default();
        if self.old {
            self.display.set_title(&self.title);
            self.size_there();
        } else {
            self.resize(open.size)?;
        }
        // What is down was never told to this server.
        self.forget_held();
        self.tell_clipboard();
        Ok(())
    }

    fn told(&mut self, news: ServerEvent) -> Result<(), Failure> {
        match news {
            ServerEvent::Resized(size) => self.resize(size)?,
            ServerEvent::Name(name) => {
                self.title = title(&name);
                self.display.set_title(&self.title);
            }
            ServerEvent::Cursor(cursor) => self.display.set_cursor(cursor),
            ServerEvent::PointerMoved { x, y } => self.follow.moved(x, y),
            ServerEvent::Locks { .. } if self.options.view_only => {}
            ServerEvent::Locks { scroll, num, caps } => self.display.set_locks(Some(Locks { scroll, num, caps })),
            ServerEvent::Bell => self.display.bell(),
            ServerEvent::XvpInit => self.xvp = true,
            ServerEvent::XvpFail => {
                tracing::warn!("the server can not do with the machine what it was asked for");
                self.notice("The server can not do that with the machine");
            }
            ServerEvent::CutText(text) => self.display.set_clipboard(&text),
        }
        Ok(())
    }

    fn resize(&mut self, size: Size) -> Result<(), Failure> {
        self.waiting = false;
        self.desktop = Some(size);
        self.display.open(size, &self.title)?;
        self.size_there();
        Ok(())
    }

    /// Tells the server which size would be best, if that is known by now.
    fn size_there(&mut self) {
        let wanted = self.best_size.opened(self.display.room(), Instant::now());
        self.resize_there(wanted);
    }

    /// Asks for another size of the server's desktop.
    fn resize_there(&self, wanted: Option<(Size, Vec<Area>)>) {
        if let Some((size, screens)) = wanted.filter(|_| self.options.remote_resize) {
            self.send(UserInput::Resize { size, screens });
        }
    }
}

fn log(open: &Open) {
    for ssh in &open.facts.ssh {
        let (kex, cipher, login) = (&ssh.kex, &ssh.cipher, &ssh.authenticated_by);
        tracing::info!("SSH to {}: {}, {kex}, {cipher}; {} by {login}", ssh.server, ssh.server_version, ssh.user);
    }
    let (agreed, size) = (&open.agreed, open.size);
    tracing::info!("{}: RFB 3.{}, {}, {size}", open.facts.peer, agreed.minor, agreed.security_name());
}

fn title(name: &str) -> String {
    let name = escape(name.trim());
    if name.is_empty() { "sshvnc".to_owned() } else { format!("{name} - sshvnc") }
}
