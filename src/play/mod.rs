//! `sshvnc play`: shows a recording in a window, at its own speed.

mod film;
mod player;

use std::time::{Duration, Instant};

use crate::cli::Play;
use crate::display::{self, ClipboardWish, Display, Input, Wish};
use crate::error::Failure;
use crate::escape::escape;
use crate::picture::{ByteOrder, Size};
use crate::picture_file;
use crate::recording::Recording;
use crate::rfb::ProtocolError;

use film::Film;
use player::Player;

/// Frames are shown 60 times a second at the most.
const FRAME: Duration = Duration::from_micros(16_667);
const SECOND: Duration = Duration::from_secs(1);
/// How far the arrow keys jump.
const JUMP: Duration = Duration::from_secs(5);

/// X11 keysyms.
const SPACE: u32 = 0x20;
const ESCAPE: u32 = 0xff1b;
const LEFT: u32 = 0xff51;
const RIGHT: u32 = 0xff53;

/// Plays a recording until its window is closed, or writes a picture of it.
///
/// # Errors
/// [`Failure`] if it can not be read, shown or decoded.
pub fn run(what: &Play) -> Result<(), Failure> {
    let of_file = |error| Failure::in_file(&what.file, error);
    if let Some(picture) = &what.screenshot {
        let mut film = Film::new(Recording::load(&what.file)?, ByteOrder::Bgrx).map_err(of_file)?;
        let until = what.start.unwrap_or(Duration::MAX);
        while film.due().is_some_and(|due| due <= until) {
            film.step().map_err(of_file)?;
        }
        warn_if_cut_off(&film, what);
        return picture_file::write(picture, film.canvas());
    }
    // Without a display the rest would be in vain.
    let clipboard = ClipboardWish { send: false, receive: false, ..ClipboardWish::default() };
    let mut window = display::window(what.display, Wish { clipboard, ..Wish::default() })?;
    let film = Film::new(Recording::load(&what.file)?, ByteOrder::Bgrx).map_err(of_file)?;
    let now = Instant::now();
    let mut player = Player::new(film, what.speed, what.again, now);
    if let Some(start) = what.start {
        player.skip(start, now).map_err(of_file)?;
    }
    let mut show = Show { display: &mut *window, player, title: String::new(), size: None, shown_at: None };
    show.run(of_file)?;
    warn_if_cut_off(show.player.film(), what);
    Ok(())
}

/// What is there can be looked at all the same.
fn warn_if_cut_off(film: &Film, what: &Play) {
    if film.due().is_none() && !film.is_whole() {
        tracing::warn!("{}: it is cut off in the middle of a message", what.file.display());
    }
}

struct Show<'a> {
    display: &'a mut dyn Display,
    player: Player,
    title: String,
    /// That of the window.
    size: Option<Size>,
    shown_at: Option<Instant>,
}

impl Show<'_> {
    /// Until the window is closed.
    fn run(&mut self, of_file: impl Fn(ProtocolError) -> Failure) -> Result<(), Failure> {
        loop {
            self.player.advance(Instant::now()).map_err(&of_file)?;
            let shown = self.present()?;
            for input in self.display.inputs() {
                let now = Instant::now();
                match input {
                    Input::Close | Input::Key { keysym: ESCAPE, down: true, .. } => return Ok(()),
                    Input::Key { keysym: SPACE, down: true, .. } => self.player.pause(now),
                    Input::Key { keysym: LEFT, down: true, .. } => self.player.skip_back(JUMP, now),
                    Input::Key { keysym: RIGHT, down: true, .. } => self.player.skip(JUMP, now),
                    _ => Ok(()),
                }
                .map_err(&of_file)?;
            }
            let wait = match self.player.wait(Instant::now()) {
                // The title tells the time.
                Some(wait) => wait.min(SECOND),
                None => Duration::MAX,
            };
            // What is late is decoded at once; what is due before the next frame has time until then.
            if !wait.is_zero() {
                let frame = self.until_next_frame();
                self.display.wait(None, if shown { wait.max(frame) } else { frame })?;
            }
        }
    }

    fn until_next_frame(&self) -> Duration {
        self.shown_at.map_or(Duration::ZERO, |shown_at| FRAME.saturating_sub(shown_at.elapsed()))
    }

    /// False if it is too early for the next frame.
    fn present(&mut self) -> Result<bool, Failure> {
        if self.until_next_frame() > Duration::ZERO {
            return Ok(false);
        }
        let status = self.player.status(Instant::now());
        let film = self.player.film();
        let title = format!("{} - {status} - sshvnc", escape(film.name().trim()));
        if title != self.title {
            self.title = title;
            self.display.set_title(&self.title);
        }
        self.show_picture()?;
        if self.display.present()? {
            self.shown_at = Some(Instant::now());
        }
        Ok(true)
    }

    fn show_picture(&mut self) -> Result<(), Failure> {
        // A long way to the start is waited for in front of a black window.
        if self.player.is_seeking() && self.size.is_some() {
            return Ok(());
        }
        let film = self.player.film();
        let mut damage = film.take_damage();
        let size = film.canvas().size();
        if self.size != Some(size) {
            self.size = Some(size);
            self.display.open(size, &self.title)?;
            damage.add(size.whole());
        }
        self.display.take(self.player.film().canvas(), &damage, true);
        Ok(())
    }
}
