//! The main loop: what happens in the session goes to the display, what the user does goes to the server.

mod asking;
mod end;
mod goodbye;
mod keys;
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
use crate::session::transport::Question;
use crate::session::{Open, Plan, ServerEvent, UserInput};
use crate::terminal;

pub use keys::{Chord, Hotkeys};
pub use reconnect::{Policy, Reconnect};
pub use supervisor::Again;

use asking::Typed;
use keys::{Command, Key, Keys, Meant};
use menu::{Action, Facts};
use over::{Did, Over};
use pace::Pace;
use pointer::Pointer;
use stats::Meter;
use supervisor::{Happened, State, Supervisor};

/// Connecting for longer than this is worth a word.
const PATIENCE: Duration = Duration::from_secs(2);
/// For how long a question that appears over a desktop takes no key.
const CALM: Duration = Duration::from_millis(500);
/// Said of what this front end does not do.
const UNABLE: &str = "This window can not do that";
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
            if self.quits {
                return Ok(None);
            }
            if let Some(end) = self.ending.take() {
                return Ok(Some(end));
            }
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
        let mut pause = self.line.pause(now).min(self.over.pause(now));
        // What tells the time is drawn anew.
        if self.meter.is_some() || (self.covered() && self.line.state() != State::Live) {
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
            Happened::Waiting => {
                self.forget_keys();
                self.set_keeping(false);
                self.over.drop_unwanted();
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
        self.forget_keys();
        if let Some(text) = self.clipboard.clone() {
            self.send(UserInput::Clipboard(text));
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
            // The pointer here is somebody's who does something else with it.
            ServerEvent::PointerMoved { .. } if self.options.view_only || self.over.is_modal() || !self.focused => {}
            ServerEvent::PointerMoved { x, y } => self.display.move_pointer(x, y),
            ServerEvent::Locks { .. } if self.options.view_only => {}
            ServerEvent::Locks { scroll, num, caps } => self.display.set_locks(Locks { scroll, num, caps }),
            ServerEvent::Bell => self.display.bell(),
            ServerEvent::XvpInit => self.xvp = true,
            ServerEvent::XvpFail => {
                tracing::warn!("the server can not do with the machine what it was asked for");
                self.notice("The server can not do that with the machine");
            }
            ServerEvent::CutText(text) => {
                // What was copied here before is not the latest any more.
                self.clipboard = None;
                self.display.set_clipboard(&text);
            }
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

    /// Opens the window for what is drawn over a desktop that is not there yet.
    fn open_early(&mut self) -> Result<(), Failure> {
        Ok(self.display.open(Size::default(), &self.title)?)
    }

    /// Whether there is a window to draw in.
    fn covered(&self) -> bool {
        self.options.window.is_some() && self.display.room().is_some()
    }

    /// Asks where the person looks: in the window, else as ssh does, else in a window that opens for it.
    fn ask(&mut self, question: Question) -> Result<(), Failure> {
        let window = self.options.window.is_some();
        // A program that asks could not be seen behind a full screen, nor get a key.
        let fullscreen = self.display.room().is_some_and(|room| room.fullscreen);
        let elsewhere = terminal::must_ask_program() && !fullscreen;
        if window && !elsewhere && (self.covered() || !terminal::can_ask()) {
            if !self.covered() {
                self.open_early()?;
            }
            self.release_keys();
            self.release_buttons();
            // Who types at this moment does not mean the question.
            let calm = self.desktop.map(|_| Instant::now() + CALM);
            self.over.ask(question, calm);
            return Ok(());
        }
        let (answers, kind) = (self.line.answers().clone(), question.kind.clone());
        terminal::answer(question, move |answer| answers.hear(&kind, answer));
        Ok(())
    }

    /// Brings what is drawn over the desktop up to date.
    fn look_over(&mut self, now: Instant) {
        if !self.covered() {
            return;
        }
        if let Some(room) = self.display.room() {
            self.over.set_room(room);
        }
        self.over.drop_unwanted();
        self.over.set_dim(self.desktop.is_some() && (self.line.state() != State::Live || self.old));
        self.over.set_status(self.status(now));
        let rows = self.meter.as_mut().map(|meter| meter.rows(self.line.session(), now));
        self.over.set_stats(rows);
        let fullscreen = self.display.room().is_some_and(|room| room.fullscreen);
        let instead = self.instead().map(str::to_owned);
        let facts = Facts {
            abilities: self.display.abilities(),
            chord: self.options.hotkeys.chord,
            menu_key: self.options.hotkeys.menu_key,
            fullscreen,
            grab: self.takes_keys(),
            keeps_pointer: self.keeps_pointer,
            scaling: self.scaling,
            view_only: self.options.view_only,
            stats: self.meter.is_some(),
            xvp: self.xvp,
            live: self.line.state() == State::Live,
            waits: matches!(self.line.state(), State::Waiting(_)),
            instead: instead.as_deref(),
            fixed_view: self.fixed_view,
        };
        if let Some(overlay) = self.over.draw(&facts, now) {
            self.display.set_overlay(&overlay);
        }
    }

    /// What is started if there is still no desktop in the end.
    fn instead(&self) -> Option<&str> {
        let lost = self.line.trouble().lost;
        let instead = self.options.instead.as_ref()?;
        (if lost { instead.lost } else { instead.unreachable }).then_some(instead.name.as_str())
    }

    /// A few words in the window, if there is one.
    fn notice(&mut self, words: impl Into<String>) {
        if self.options.window.is_some() {
            self.over.notice(words, Instant::now());
        }
    }

    /// Where things stand, while there is no desktop.
    fn status(&self, now: Instant) -> Option<Vec<String>> {
        let trouble = self.line.trouble();
        let since = || elapsed(now.saturating_duration_since(trouble.since));
        let mut lines = Vec::new();
        match (self.line.state(), trouble.lost) {
            (State::Live, _) => return None,
            (State::Connecting, false) => lines.push(format!("Connecting to {}", self.options.target)),
            (State::Connecting, true) => lines.push(format!("Connection lost {} ago: connecting again", since())),
            (State::Waiting(until), lost) => {
                let left = until.saturating_duration_since(now).as_secs_f32().ceil();
                lines.push(match lost {
                    true => format!("Connection lost {} ago: reconnecting in {left:.0} s", since()),
                    false => format!("No connection to {} yet: trying again in {left:.0} s", self.options.target),
                });
            }
        }
        lines.extend(self.line.why());
        // A person who thinks stops the clock.
        if let (Some(instead), Some(until), false) = (self.instead(), trouble.until, self.over.asks()) {
            let left = until.saturating_duration_since(now).as_secs_f32().ceil();
            lines.push(format!("In {left:.0} s {instead} starts instead"));
        }
        lines.push(format!("{}+M: menu", self.options.hotkeys.chord.name()));
        Some(lines)
    }

    /// The user did something.
    fn did(&mut self, input: Input) {
        match input {
            Input::Key { keysym, keycode, down } => match self.meant(Key { keysym, keycode, down }) {
                Meant::Here(key) => {
                    let paste = self.keys.is_paste(key);
                    let text = self.clipboard.as_deref().unwrap_or_default();
                    let typed = match paste {
                        true => Typed::Text(text),
                        false if self.keys.holds_command() => Typed::Nothing,
                        false => Typed::Letter,
                    };
                    let did = self.over.key(key.keysym, typed, Instant::now());
                    self.chose(did);
                }
                Meant::There(key) => self.key(key),
                Meant::Command(command, releases) => {
                    releases.into_iter().for_each(|key| self.key(key));
                    self.command(command);
                }
                Meant::Nothing => {}
            },
            Input::Pointer { x, y, at, buttons } if self.over.is_modal() => {
                self.pointer.here(x, y, buttons);
                let did = self.over.pointer(at, buttons, Instant::now());
                self.chose(did);
            }
            Input::Pointer { x, y, buttons, .. } => {
                let buttons = self.pointer.there(x, y, buttons);
                self.send(UserInput::Pointer { x, y, buttons });
            }
            Input::Focus(focused) => self.focused = focused,
            Input::Clipboard(text) => {
                self.clipboard = Some(text.clone());
                self.send(UserInput::Clipboard(text));
            }
            // Without a desktop nobody is there to be asked.
            Input::Room(room) if self.desktop.is_some() => {
                let wanted = self.best_size.has(room, Instant::now());
                self.resize_there(wanted);
            }
            Input::Motion { .. } if self.over.is_modal() => {}
            Input::Motion { dx, dy, buttons } => self.send(UserInput::Motion { dx, dy, buttons }),
            Input::Room(_) | Input::Close => {}
        }
    }

    fn meant(&mut self, key: Key) -> Meant {
        self.keys.meant(key, !self.over.is_modal())
    }

    fn key(&self, Key { keysym, keycode, down }: Key) {
        self.send(UserInput::Key { keysym, keycode, down });
    }

    /// Presses keys there one after the other, and releases them the other way round.
    fn press(&self, keysyms: &[u32]) {
        let key = |keysym, down| self.key(Key { keysym, keycode: None, down });
        keysyms.iter().for_each(|&keysym| key(keysym, true));
        keysyms.iter().rev().for_each(|&keysym| key(keysym, false));
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

    /// The server is told of no key that is down from now on.
    fn release_keys(&mut self) {
        for key in self.keys.release() {
            self.key(key);
        }
    }

    /// The server is told of no button that is down from now on.
    fn release_buttons(&mut self) {
        if let Some((x, y)) = self.pointer.release() {
            self.send(UserInput::Pointer { x, y, buttons: 0 });
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Menu => {
                // The keys and the pointer are for the menu now.
                self.set_keeping(false);
                self.release_buttons();
                self.over.toggle_menu();
            }
            Command::Fullscreen => self.act(Action::Fullscreen),
            Command::Grab => self.act(Action::Grab),
            Command::KeepPointer => self.act(Action::KeepPointer),
        }
    }

    fn chose(&mut self, did: Did) {
        match did {
            Did::Nothing => {}
            Did::Chose(action) => self.act(action),
            Did::Answered(question, answer) => {
                self.line.answers().hear(&question.kind, &answer);
                let _ = question.reply.send(answer);
            }
        }
    }

    fn act(&mut self, action: Action) {
        let abilities = self.display.abilities();
        match action {
            Action::Fullscreen if !abilities.fullscreen => self.notice(UNABLE),
            Action::Grab if !abilities.grab => self.notice(UNABLE),
            Action::KeepPointer if !abilities.keep_pointer => self.notice(UNABLE),
            Action::Fullscreen => {
                let fullscreen = self.display.room().is_some_and(|room| room.fullscreen);
                self.display.set_fullscreen(!fullscreen);
            }
            Action::Grab => {
                let grab = !self.takes_keys();
                self.grabs = Some(grab);
                self.display.set_grab(grab);
                self.notice(if grab { "All keys go to the desktop" } else { "Some keys stay here" });
            }
            Action::KeepPointer => self.set_keeping(!self.keeps_pointer && self.line.state() == State::Live),
            Action::Scaling(scaling) => {
                self.scaling = scaling;
                self.display.set_scaling(scaling);
            }
            Action::ViewOnly => {
                self.release_keys();
                self.options.view_only = !self.options.view_only;
            }
            Action::Stats => {
                self.meter = match self.meter.take() {
                    Some(_) => None,
                    None => Some(Meter::default()),
                };
            }
            Action::CtrlAltDelete => self.press(&[0xffe3, 0xffe9, 0xffff]),
            Action::MenuKey(keysym) => self.press(&[keysym]),
            Action::Xvp(request) => self.send(UserInput::Xvp(request)),
            Action::Reconnect => {
                if let Some(Happened::Ended(end)) = self.line.hurry() {
                    self.ending = Some(end);
                }
            }
            Action::GiveUp => self.ending = Some(Err(self.line.give_up_now())),
            Action::Quit => self.quits = true,
        }
    }

    /// Whether all keys are taken while the window has the focus.
    fn takes_keys(&self) -> bool {
        self.grabs.unwrap_or(match self.grab {
            Grab::Always => true,
            Grab::Fullscreen => self.display.room().is_some_and(|room| room.fullscreen),
            Grab::Never => false,
        })
    }

    fn set_keeping(&mut self, keep: bool) {
        if std::mem::replace(&mut self.keeps_pointer, keep) != keep {
            self.display.keep_pointer(keep);
            if keep {
                let words = format!("The pointer stays inside: {}+P lets it go", self.options.hotkeys.chord.name());
                self.notice(words);
            }
        }
    }
}

/// Seconds, or minutes and seconds.
fn elapsed(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
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
