//! sshvnc: a VNC viewer whose connection runs inside an SSH channel of its own process.
//!
//! Data flows one way: transport → inbox → client → decode → picture → window. `ARCHITECTURE.md` names the rooms.

pub mod allocator;
pub mod bench;
pub mod check;
pub mod cli;
pub mod client;
pub mod commands;
pub mod config;
pub mod decode;
pub mod demo;
pub mod desktops;
pub mod display;
pub mod errand;
pub mod error;
pub mod escape;
pub mod hops;
pub mod install_session;
pub mod lanes;
pub mod list;
pub mod overlay;
pub mod passwd;
pub mod picture;
pub mod picture_file;
pub mod play;
pub mod recording;
pub mod rfb;
pub mod route;
pub mod say;
pub mod session;
pub mod session_log;
pub mod ssh_config;
pub mod target;
pub mod terminal;
pub mod transport;
pub mod user;
pub mod viewer;
pub mod xsession;

use std::ffi::OsString;

use cli::{Command, SessionWishes, Typed, View};
use error::Failure;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Does what was typed; `arguments` begin with the program's name.
///
/// # Errors
/// [`Failure`], to be printed and made an exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Result<(), Failure> {
    allocator::keep_freed_memory();
    let command = match cli::read(arguments)? {
        Typed::Do(command) => *command,
        Typed::Say(text) => {
            let _ = text.print();
            return Ok(());
        }
    };
    log(&command);
    match command {
        Command::View(what) => commands::view(&what),
        Command::Screenshot(what) => commands::screenshot(&what),
        Command::Record(what) => commands::record(&what),
        Command::Play(what) => play::run(&what),
        Command::Bench(what) => bench::run(&what),
        Command::Demo(what) => demo::run(&what),
        Command::Passwd(what) => passwd::run(&what),
        Command::Check(what) => check::run(&what),
        Command::List(what) => list::run(&what),
        Command::SshConfig(what) => commands::ssh_config(&what),
        Command::InstallSession(what) => install_session::run(&what),
    }
}

/// Logs to stderr as much as was asked for: warnings at least. `SSHVNC_LOG` takes filters of tracing.
fn log(command: &Command) {
    let verbose = match command {
        Command::View(what) => what.connection.verbose,
        Command::Screenshot(what) => what.connection.verbose,
        Command::Record(what) => what.connection.verbose,
        Command::Demo(what) => what.verbose,
        Command::SshConfig(what) => what.verbose,
        Command::Check(what) => what.connection.verbose,
        Command::List(what) => what.connection.verbose,
        Command::Bench(_) | Command::Play(_) | Command::Passwd(_) | Command::InstallSession(_) => 0,
    };
    let level = ["sshvnc=warn", "sshvnc=info", "sshvnc=debug", "debug"][usize::from(verbose.min(3))];
    let filter = tracing_subscriber::EnvFilter::try_from_env("SSHVNC_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    let stderr = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .without_time()
        // It would panic.
        .log_internal_errors(false)
        .with_filter(filter);
    // A second subscriber, as in tests, is none.
    let _ = tracing_subscriber::registry().with(stderr).with(session_log(command)).try_init();
}

/// The log of a whole X session, which has no terminal to say things on.
fn session_log<S>(command: &Command) -> Option<impl Layer<S> + use<S>>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    let Command::View(View { session: SessionWishes { fallback: Some(_), .. }, .. }) = command else { return None };
    match session_log::open() {
        Ok(file) => Some(
            tracing_subscriber::fmt::layer()
                .with_writer(std::sync::Mutex::new(file))
                .with_ansi(false)
                .with_target(false)
                .log_internal_errors(false)
                .with_filter(tracing_subscriber::EnvFilter::new("sshvnc=info")),
        ),
        Err(error) => {
            say::remark(format_args!("the session has no log: {error}"));
            None
        }
    }
}
