//! The main loop: what happens in the session goes to the display, what the user does goes to the server.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::display::{self, BestSize, Display, Input};
use crate::error::{Failure, Kind};
use crate::escape::escape;
use crate::picture::{Area, Size};
use crate::session::{End, Error, Event, Open, Plan, ServerEvent, Session, UserInput, transport};
use crate::terminal;

/// Frames are shown 60 times a second at the most.
const FRAME: Duration = Duration::from_micros(16_667);
/// Connecting for longer than this is worth a word.
const PATIENCE: Duration = Duration::from_secs(2);

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
}

/// Runs a session in a display until either ends.
///
/// # Errors
/// [`Failure`] if it did not end well.
pub fn run(plan: Plan, display: &mut dyn Display, options: Options<'_>) -> Result<(), Failure> {
    let session = Session::start(plan)?;
    let mut viewer = Viewer {
        session: &session,
        display,
        options,
        title: String::new(),
        best_size: BestSize::default(),
        waiting: io::stderr().is_terminal(),
        shown_at: None,
        late: false,
        dirty: false,
    };
    let watched = viewer.watch();
    terminal::restore();
    match watched {
        Ok(Some(end)) => end.into(),
        // The user has seen enough. What was recorded must still reach the disk.
        Ok(None) => session.close().map_or(Ok(()), |error| Err(error.into())),
        Err(failure) => {
            session.close();
            Err(failure)
        }
    }
}

struct Viewer<'a, 'b> {
    session: &'a Session,
    display: &'a mut dyn Display,
    options: Options<'b>,
    title: String,
    best_size: BestSize,
    /// Whether a word about a slow connection is due some time.
    waiting: bool,
    shown_at: Option<Instant>,
    /// Whether there may be something to show as soon as the next frame is due.
    late: bool,
    /// Whether a picture was taken and the next one not asked for yet.
    dirty: bool,
}

impl Viewer<'_, '_> {
    /// `None` if the display was closed.
    fn watch(&mut self) -> Result<Option<End>, Failure> {
        let start = Instant::now();
        loop {
            if self.waiting && start.elapsed() >= PATIENCE {
                eprintln!("sshvnc: still connecting; Ctrl+C ends it");
                self.waiting = false;
            }
            self.display.wait(Some(self.session.bell()), self.pause())?;
            // As many as are there, so that a busy server is not shown in slow motion; but input comes between.
            for _ in 0..256 {
                match self.session.next(Duration::ZERO) {
                    Some(Event::Ended(end)) => return Ok(Some(end)),
                    Some(event) => self.happened(event)?,
                    None => break,
                }
            }
            for input in self.display.inputs() {
                if input == Input::Close {
                    return Ok(None);
                }
                if let Some(input) = self.meant(input) {
                    self.session.send(input);
                }
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
        let mut pause = Duration::MAX;
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
            self.session.want_picture();
        }
        Ok(())
    }

    fn happened(&mut self, event: Event) -> Result<(), Failure> {
        match event {
            Event::Question(question) => {
                self.waiting = false;
                terminal::answer(question);
            }
            Event::Listening { server, port } => {
                self.waiting = false;
                eprintln!(
                    "sshvnc: {server} waits on port {port} of its localhost; there, let the desktop connect: \
                     vncconfig -connect localhost:{port}, or x11vnc -connect localhost:{port}"
                );
            }
            Event::Open(open) => {
                if let Some(told) = &mut self.options.on_open {
                    told(&open);
                }
                log(&open);
                self.title = title(&open.name);
                self.resize(open.size)?;
            }
            Event::Picture(picture) => {
                self.display.take(picture.canvas(), &picture.damage, picture.complete);
                self.dirty = true;
            }
            Event::Server(news) => return news.into_iter().try_for_each(|news| self.told(news)),
            Event::Signal(number) => return Err(Failure::Signal(number)),
            // The caller's business.
            Event::Ended(_) => {}
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
            // This window can not set the locks of its keyboard.
            ServerEvent::Locks { .. } => {}
            ServerEvent::Bell => {
                let mut stderr = io::stderr();
                if stderr.is_terminal() {
                    let _ = stderr.write_all(b"\x07");
                }
            }
            // There is no command for it yet.
            ServerEvent::XvpInit => {}
            ServerEvent::XvpFail => tracing::warn!("the server can not do with the machine what it was asked for"),
            // This window has no way to the clipboard.
            ServerEvent::CutText(text) => {
                tracing::debug!("{} characters of clipboard ignored", text.len())
            }
        }
        Ok(())
    }

    fn resize(&mut self, size: Size) -> Result<(), Failure> {
        self.waiting = false;
        self.display.open(size, &self.title)?;
        let wanted = self.best_size.opened(self.display.room(), Instant::now());
        if let Some(wish) = self.resize_there(wanted) {
            self.session.send(wish);
        }
        Ok(())
    }

    /// A wish for another size of the server's desktop.
    fn resize_there(&self, wanted: Option<(Size, Vec<Area>)>) -> Option<UserInput> {
        let (size, screens) = wanted.filter(|_| self.options.remote_resize)?;
        Some(UserInput::Resize { size, screens })
    }

    fn meant(&mut self, input: Input) -> Option<UserInput> {
        match input {
            _ if self.options.view_only => None,
            Input::Key { keysym, keycode, down } => Some(UserInput::Key { keysym, keycode, down }),
            Input::Pointer { x, y, buttons, .. } => Some(UserInput::Pointer { x, y, buttons }),
            Input::Room(room) => {
                let wanted = self.best_size.has(room, Instant::now());
                self.resize_there(wanted)
            }
            Input::Motion { .. } | Input::Focus(_) | Input::Clipboard(_) | Input::Close => None,
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

impl From<display::Error> for Failure {
    fn from(error: display::Error) -> Failure {
        let failure = Failure::new(Kind::Display, &error.message);
        match error.hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

/// Errors of a connection that worked are others than those of one that never did.
impl From<End> for Result<(), Failure> {
    fn from(End { error, shown }: End) -> Result<(), Failure> {
        let Some(error) = error else {
            return match shown {
                true => Ok(()),
                false => {
                    Err(Failure::new(Kind::NoConnection, "the server ended the connection before it showed anything"))
                }
            };
        };
        let lost = if shown { Kind::Lost } else { Kind::NoConnection };
        Err(match error {
            Error::Transport(transport::Error::Lost(trouble)) => Failure::new(lost, trouble.to_string()),
            error @ (Error::CutOff { .. }
            | Error::Silent { .. }
            | Error::Flooded(_)
            | Error::Deaf(_)
            | Error::Broken) => Failure::new(lost, error.to_string()),
            error => error.into(),
        })
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let message = error.to_string();
        match error {
            Error::Transport(error) => {
                let kind = match &error {
                    transport::Error::Unreachable(_) | transport::Error::Lost(_) => Kind::NoConnection,
                    transport::Error::Refused(_) => Kind::NotLetIn,
                    transport::Error::Usage(_) => Kind::Usage,
                };
                let failure = Failure::new(kind, message);
                match error.what_to_try() {
                    Some(hint) => failure.hint(hint),
                    None => failure,
                }
            }
            Error::Handshake(error) => error.into(),
            Error::Protocol(error) => error.into(),
            Error::NoPassword(_) => Failure::new(Kind::NotLetIn, message)
                .hint("give it with --passwd FILE or in VNC_PASSWORD, start sshvnc on a terminal, or set SSH_ASKPASS"),
            Error::Recording(error) => error.into(),
            Error::CutOff { .. } | Error::Silent { .. } | Error::Flooded(_) | Error::Deaf(_) => {
                Failure::new(Kind::NoConnection, message)
            }
            Error::Local(_) | Error::Broken => Failure::new(Kind::Usage, message),
        }
    }
}
