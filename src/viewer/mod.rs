//! The main loop: what happens in the session goes to the display, what the user does goes to the server.

mod end;
mod keys;
mod memory;
mod reconnect;
mod supervisor;

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::display::{Display, Input, Locks};
use crate::error::{Failure, Kind};
use crate::escape::escape;
use crate::picture::Size;
use crate::session::{Open, Plan, ServerEvent, UserInput};
use crate::terminal;

pub use keys::{Chord, Hotkeys};
pub use reconnect::{Policy, Reconnect};
pub use supervisor::Again;

use keys::{Command, Key, Keys, Meant};
use supervisor::{Happened, State, Supervisor};

/// Frames are shown 60 times a second at the most.
const FRAME: Duration = Duration::from_micros(16_667);
/// Connecting for longer than this is worth a word.
const PATIENCE: Duration = Duration::from_secs(2);

/// How a session is watched.
#[derive(Default)]
pub struct Options<'a> {
    /// Keys and pointer are not sent.
    pub view_only: bool,
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
    /// The window is wanted before there is a desktop, and questions are asked in it.
    pub covers: bool,
    /// Show the statistics.
    pub stats: bool,
    /// What is started when there is no desktop, in words.
    pub instead: Option<String>,
}

/// Runs a session in a display until either ends.
///
/// # Errors
/// [`Failure`] if it did not end well.
pub fn run(plan: Plan, display: &mut dyn Display, mut options: Options<'_>) -> Result<(), Failure> {
    let line = Supervisor::start(plan, options.again.take(), options.policy)?;
    let mut viewer = Viewer {
        line,
        display,
        keys: Keys::new(options.hotkeys),
        title: "sshvnc".to_owned(),
        desktop: None,
        old: false,
        clipboard: None,
        waiting: io::stderr().is_terminal(),
        start: Instant::now(),
        shown_at: None,
        late: false,
        dirty: false,
        options,
    };
    let watched = viewer.watch();
    terminal::restore();
    match watched {
        Ok(Some(end)) => end,
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
    title: String,
    /// The desktop's size, if it was ever there.
    desktop: Option<Size>,
    /// What is shown is from before the connection was lost.
    old: bool,
    /// What was copied here last, for a server that comes back.
    clipboard: Option<String>,
    /// Whether a word about a slow connection is due some time.
    waiting: bool,
    start: Instant,
    shown_at: Option<Instant>,
    /// Whether there may be something to show as soon as the next frame is due.
    late: bool,
    /// Whether a picture was taken and the next one not asked for yet.
    dirty: bool,
}

impl Viewer<'_, '_> {
    /// `None` if the display was closed.
    fn watch(&mut self) -> Result<Option<Result<(), Failure>>, Failure> {
        if self.options.covers {
            self.display.open(Size::default(), &self.title)?;
        }
        loop {
            if self.waiting && self.start.elapsed() >= PATIENCE {
                eprintln!("sshvnc: still connecting; Ctrl+C ends it");
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
            self.present()?;
            if let Some((deadline, words)) = &self.options.deadline
                && Instant::now() >= *deadline
            {
                return Err(Failure::new(Kind::NoConnection, words.clone()));
            }
        }
    }

    /// How long nothing need be done if nothing happens.
    fn pause(&self) -> Duration {
        let mut pause = self.line.pause(Instant::now());
        if self.waiting {
            pause = pause.min(PATIENCE);
        }
        if let Some((deadline, _)) = &self.options.deadline {
            pause = pause.min(deadline.saturating_duration_since(Instant::now()));
        }
        if self.late {
            pause = pause.min(self.until_next_frame());
        }
        pause
    }

    fn until_next_frame(&self) -> Duration {
        self.shown_at.map_or(Duration::ZERO, |shown_at| FRAME.saturating_sub(shown_at.elapsed()))
    }

    fn present(&mut self) -> Result<(), Failure> {
        self.late = self.until_next_frame() > Duration::ZERO;
        if self.late || self.display.is_busy() {
            return Ok(());
        }
        if self.display.present()? {
            self.shown_at = Some(Instant::now());
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
                let (answers, kind) = (self.line.answers().clone(), question.kind.clone());
                terminal::answer(question, move |answer| answers.hear(&kind, answer));
            }
            Happened::Listening(server, port) => {
                self.waiting = false;
                eprintln!(
                    "sshvnc: {server} waits on port {port} of its localhost; there, let the desktop connect: \
                     vncconfig -connect localhost:{port}, or x11vnc -connect localhost:{port}"
                );
            }
            Happened::Open(open) => self.opened(&open)?,
            Happened::Picture(picture) => {
                self.old = false;
                self.display.take(picture.canvas(), &picture.damage, picture.complete);
                self.dirty = true;
            }
            Happened::Server(news) => return news.into_iter().try_for_each(|news| self.told(news)),
            Happened::Waiting => self.forget_keys(),
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
        if self.old {
            self.display.set_title(&self.title);
        } else {
            self.resize(open.size)?;
        }
        // What is down was never told to this server.
        self.forget_keys();
        if let Some(text) = self.clipboard.clone() {
            self.line.send(UserInput::Clipboard(text));
        }
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
            ServerEvent::PointerMoved { x, y } => self.display.move_pointer(x, y),
            ServerEvent::Locks { scroll, num, caps } => self.display.set_locks(Locks { scroll, num, caps }),
            ServerEvent::Bell => {
                self.display.bell();
                let mut stderr = io::stderr();
                if stderr.is_terminal() {
                    let _ = stderr.write_all(b"\x07");
                }
            }
            // There is no command for it yet.
            ServerEvent::XvpInit => {}
            ServerEvent::XvpFail => tracing::warn!("the server can not do with the machine what it was asked for"),
            ServerEvent::CutText(text) => self.display.set_clipboard(&text),
        }
        Ok(())
    }

    fn resize(&mut self, size: Size) -> Result<(), Failure> {
        self.waiting = false;
        self.desktop = Some(size);
        Ok(self.display.open(size, &self.title)?)
    }

    /// The user did something.
    fn did(&mut self, input: Input) {
        match input {
            Input::Key { keysym, keycode, down } => match self.keys.meant(Key { keysym, keycode, down }) {
                Meant::Pass(key) => self.key(key),
                Meant::Command(command, releases) => {
                    releases.into_iter().for_each(|key| self.key(key));
                    self.command(command);
                }
                Meant::Nothing => {}
            },
            Input::Pointer { x, y, buttons, .. } => self.send(UserInput::Pointer { x, y, buttons }),
            Input::Clipboard(text) => {
                self.clipboard = (!self.options.view_only).then(|| text.clone());
                self.send(UserInput::Clipboard(text));
            }
            Input::Motion { .. } | Input::Focus(_) | Input::Room(_) | Input::Close => {}
        }
    }

    fn key(&self, Key { keysym, keycode, down }: Key) {
        self.send(UserInput::Key { keysym, keycode, down });
    }

    fn send(&self, input: UserInput) {
        if !self.options.view_only {
            self.line.send(input);
        }
    }

    /// No server knows of the keys that are down.
    fn forget_keys(&mut self) {
        self.keys.release();
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Fullscreen | Command::Grab | Command::KeepPointer | Command::Menu => {}
        }
    }
}

/// Says why there is no desktop and what comes instead, for a few seconds or until a key is pressed.
pub fn say_goodbye(_display: &mut dyn Display, _why: &str, _instead: &str) {}

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
