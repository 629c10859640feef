//! `sshvnc TARGET`, `screenshot`, `record` and `ssh-config`: what a command puts together, and what it leaves behind.

use std::io::{self, IsTerminal};
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use crate::cli::{Connection, Record, RecordingFormat, Screenshot, View};
use crate::config::{self, Purpose};
use crate::display::{self, Headless, Until};
use crate::error::{Failure, Kind};
use crate::escape::escape;
use crate::hops::{self, Host};
use crate::picture_file;
use crate::recording::{self, Format};
use crate::say;
use crate::session::Plan;
use crate::session::transport::{self, Pins};
use crate::ssh_config;
use crate::target::Target;
use crate::viewer::{self, Options};
use crate::xsession::{self, Fallback};

/// Shows a desktop in a window.
///
/// # Errors
/// [`Failure`]
pub fn view(what: &View) -> Result<(), Failure> {
    let fallback = Fallback::of(&what.session)?;
    let ended = watch(what, fallback.as_ref());
    match &ended {
        Ok(()) => tracing::info!("the desktop was closed"),
        Err(failure) => tracing::info!("{failure}"),
    }
    let Err(failure) = ended else { return Ok(()) };
    let Some(fallback) = fallback.filter(|fallback| fallback.is_for(&failure)) else { return Err(failure) };
    if fallback.can_start() {
        say::remark(format_args!("{failure}; starting {}", fallback.name()));
    }
    transport::end_children();
    Err(fallback.exec(failure))
}

/// Until the desktop or the window is gone; the next program has the screen for itself.
fn watch(what: &View, fallback: Option<&Fallback>) -> Result<(), Failure> {
    let fallback = fallback.filter(|fallback| fallback.can_start());
    let pins = Pins::default();
    let wish = what.window.wish();
    let mut again = || {
        let mut plan = config::plan(&what.connection, Purpose::Show)?;
        plan.settings.clipboard = wish.clipboard.receive;
        Ok(Plan { pins: pins.clone(), ..plan })
    };
    let plan = again()?;
    // Before anything is asked or sent: without a display all of it would be in vain.
    let mut window = display::window(what.window.display, what.window.wish())?;
    let fallback_for = |failure: &Failure| fallback.filter(|fallback| fallback.is_for(failure));
    let last_words = |failure: &Failure| match (failure, fallback_for(failure)) {
        (Failure::Signal(_), _) => None,
        (_, Some(fallback)) => Some(vec![failure.to_string(), format!("Starting {}", fallback.name())]),
        // A person before a full screen sees no stderr.
        (Failure::Because { kind, .. }, None) => {
            let unseen = what.window.fullscreen && !io::stderr().is_terminal() && *kind != Kind::Display;
            unseen.then(|| vec![failure.to_string()])
        }
    };
    let options = Options {
        view_only: what.window.view_only,
        remote_resize: !what.window.no_remote_resize,
        policy: xsession::policy(&what.session),
        again: Some(&mut again),
        hotkeys: what.window.hotkeys(),
        window: Some(what.window.wish()),
        target: escape(&what.connection.target),
        stats: what.window.stats,
        instead: fallback.map(Fallback::instead),
        last_words: Some(&last_words),
        ..Options::default()
    };
    viewer::run(plan, &mut *window, options)
}

/// Writes a picture of a desktop.
///
/// # Errors
/// [`Failure`]
pub fn screenshot(what: &Screenshot) -> Result<(), Failure> {
    let plan = config::plan(&what.connection, Purpose::Keep)?;
    let mut display = Headless::new(Until::Complete);
    let words = format!("the desktop was not painted within {} s", what.timeout);
    let deadline = from_now(what.timeout).map(|deadline| (deadline, words));
    viewer::run(plan, &mut display, Options { view_only: true, deadline, ..Options::default() })?;
    if !display.is_complete() {
        return Err(Failure::new(Kind::Lost, "the server ended the connection before all of the desktop was painted"));
    }
    picture_file::write(&what.file, display.picture())
}

/// Records what a server sends.
///
/// # Errors
/// [`Failure`]
pub fn record(what: &Record) -> Result<(), Failure> {
    let format = match what.format {
        Some(RecordingFormat::Rfb) => Format::Rfb,
        Some(RecordingFormat::Fbs) => Format::Fbs,
        None => Format::of_name(&what.file),
    };
    let mut plan = config::plan(&what.connection, Purpose::Record)?;
    // What measures decoders has one canvas, made for the size that a recording begins with: TigerVNC's decperf ends at the
    // first word of another, and at one of the same.
    plan.settings.resizes = format != Format::Rfb;
    let plan = Plan { recorder: Some(recording::Writer::create(&what.file, format)?), ..plan };
    let mut display = Headless::new(what.seconds.and_then(from_now).map_or(Until::Ended, Until::Time));
    let mut begun = false;
    let mut tell = |open: &crate::session::Open| {
        begun = true;
        if io::stderr().is_terminal() {
            let end = if what.seconds.is_some() { "Ctrl+C ends it early" } else { "Ctrl+C ends it" };
            say::remark(format_args!("recording a desktop of {}; {end}", open.size));
        }
    };
    let options = Options { view_only: true, on_open: Some(&mut tell), ..Options::default() };
    let recorded = viewer::run(plan, &mut display, options);
    if begun && let Ok(file) = std::fs::metadata(&what.file) {
        say::remark(format_args!("{}: {} bytes", what.file.display(), file.len()));
    }
    recorded
}

/// When these seconds are over; `None` if nobody lives to see it, nor any clock.
fn from_now(seconds: NonZeroU64) -> Option<Instant> {
    let seconds = u32::try_from(seconds.get()).ok()?;
    Instant::now().checked_add(Duration::from_secs(seconds.into()))
}

/// Prints what ssh_config says of the target's host.
///
/// # Errors
/// [`Failure`]
pub fn ssh_config(what: &Connection) -> Result<(), Failure> {
    let Target::Host { user, host, .. } = Target::parse(&what.target).map_err(Failure::usage)? else {
        return Err(Failure::usage("a socket of this machine has no SSH server"));
    };
    let host = Host { user: what.login.clone().or(user), name: host, port: what.port.map(u16::from) };
    say::result(ssh_config::print(&hops::resolve(&host, what)?, &hops::known_algorithms()).trim_end());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_of_seconds_is_too_much_for_the_clock() {
        assert!(from_now(NonZeroU64::MIN).is_some_and(|time| time > Instant::now()));
        for seconds in [u64::MAX, u64::MAX / 2, 1 << 60] {
            assert_eq!(NonZeroU64::new(seconds).and_then(from_now), None);
        }
    }
}
