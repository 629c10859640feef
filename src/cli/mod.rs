//! The command line: what can be typed, in the words of the help.

mod commands;
mod connection;
mod other_viewers;
mod window;
mod without_desktop;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub use commands::{Bench, Check, Demo, InstallSession, List, Passwd, Play, Record, RecordingFormat, Screenshot, View};
pub use connection::Connection;
pub use window::{Ways, Window};
pub use without_desktop::{FallbackOn, SessionWishes};

use crate::error::{EXIT_CODES, Failure};

/// A VNC viewer whose connection runs inside an SSH channel of its own process.
#[derive(Debug, Parser)]
#[command(
    name = "sshvnc",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    arg_required_else_help = true,
    override_usage = "sshvnc [OPTIONS] TARGET\n       sshvnc COMMAND ...",
    after_help = EXIT_CODES,
    after_long_help = format!("{LONG_HELP}\n\n{EXIT_CODES}"),
)]
struct Cli {
    #[command(subcommand)]
    _command: Option<Command>,
    #[command(flatten)]
    _view: View,
}

/// What may hold the VNC password, as for other viewers.
pub const PASSWORD_VARIABLE: &str = "VNC_PASSWORD";

const LONG_HELP: &str = "\
Targets:
  [USER@]HOST             display 0 (port 5900) of HOST's own localhost
  [USER@]HOST:N           display N (port 5900 + N); 100 and up is a port
  [USER@]HOST::PORT       that port
  [USER@]HOST:/PATH       a Unix socket on HOST
  With --via, HOST is reached from the gateway: without SSH of its own, or with it if TARGET names a USER.
  With --direct there is no SSH at all; /PATH is then a socket of this machine.

Passwords: the VNC password comes from --passwd FILE, else VNC_PASSWORD, else a question: in the window once it is open, before that on the terminal or by the program in SSH_ASKPASS; where there is neither, the window opens for it. SSH uses the agent, key files, keyboard-interactive and password, as ssh does.

Options of other viewers may be typed as they are there: -passwd FILE, -shared, -fullscreen, -viewonly, -via HOST, -encodings \"copyrect hextile\", -bgr233.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show a desktop in a window (what is done when no command is named)
    View(View),
    /// Write a picture of a desktop, once all of it has been painted
    Screenshot(Screenshot),
    /// Record what a server sends, for `play` and `bench`
    Record(Record),
    /// Show a recording in a window, at its own speed
    Play(Play),
    /// Decode recordings and say how long it takes
    Bench(Bench),
    /// Show the viewer at work: an SSH server and a desktop inside this process
    Demo(Demo),
    /// Write a VNC password file
    Passwd(Passwd),
    /// Explain the connection layer by layer: what works, how long it takes, and what to try where it does not
    Check(Check),
    /// List the desktops of a host
    List(List),
    /// Print what ssh_config says of a host, in the form of `ssh -G`
    SshConfig(Connection),
    /// Offer a desktop as a session at the login screen
    InstallSession(InstallSession),
}

/// What came of reading a command line.
#[derive(Debug)]
pub enum Typed {
    /// Something to do.
    Do(Box<Command>),
    /// A text for stdout, such as the help: done then.
    Say(clap::error::Error),
}

/// Reads a command line, the program's name first.
///
/// # Errors
/// [`Failure`] of the kind usage.
pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Typed, Failure> {
    let mut arguments = arguments.into_iter();
    let mut words: Vec<OsString> = arguments.next().into_iter().collect();
    words.extend(other_viewers::translated(arguments)?);
    let read = Cli::command().try_get_matches_from(words).and_then(|mut matches| match matches.subcommand_name() {
        Some(_) => Command::from_arg_matches_mut(&mut matches),
        None => View::from_arg_matches_mut(&mut matches).map(Command::View),
    });
    match read {
        Ok(command) => Ok(Typed::Do(Box::new(command))),
        Err(error) if !error.use_stderr() => Ok(Typed::Say(error)),
        Err(error) => Err(Failure::usage(one_line(&error))),
    }
}

/// clap's words without its layout of several lines.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let paragraphs = text.split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    let kept: Vec<String> = paragraphs
        .filter(|part| !part.is_empty() && !part.starts_with("Usage:"))
        .map(|part| match part.strip_prefix("error: ") {
            Some(rest) => rest.to_owned(),
            None if part.starts_with("For more information") => "see sshvnc --help".to_owned(),
            None => part,
        })
        .collect();
    if matches!(error.kind(), clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand) {
        return "no TARGET was given; try: sshvnc USER@HOST:1, or sshvnc --help".to_owned();
    }
    kept.join("; ")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;

    pub(super) fn typed(line: &str) -> Result<Typed, Failure> {
        read(std::iter::once("sshvnc").chain(line.split('|')).map(OsString::from))
    }

    pub(super) fn view(line: &str) -> View {
        match typed(line) {
            Ok(Typed::Do(command)) => match *command {
                Command::View(view) => view,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn options_may_follow_the_target_and_carry_values() {
        let one = view("me@host:1|-p|2222|-l|you|-i|a|-i|b|-vv|--low-colour").connection;
        assert_eq!((one.port.map(u16::from), one.login.as_deref()), (Some(2222), Some("you")));
        assert_eq!(one.identity, [PathBuf::from("a"), PathBuf::from("b")]);
        assert_eq!((one.verbose, one.bgr233), (2, true));
        assert!(typed("--quality|10|host").is_err());
        // A short option with its value in one word stays one.
        assert_eq!(view("-p2222|host").connection.port.map(u16::from), Some(2222));
        assert_eq!(view("view|demo").connection.target, "demo");
    }

    #[test]
    fn other_commands_and_their_words() {
        let command = |line| match typed(line) {
            Ok(Typed::Do(command)) => *command,
            other => panic!("{other:?}"),
        };
        assert!(matches!(command("bench|a.rfb|--hash"), Command::Bench(_)));
        assert!(matches!(command("demo|--screenshot|a.png"), Command::Demo(_)));
        match command("play|a.fbs|--speed|0.5|--start|1.5|--loop") {
            Command::Play(play) => {
                assert_eq!((play.speed, play.start, play.again), (0.5, Some(Duration::from_millis(1500)), true));
            }
            other => panic!("{other:?}"),
        }
        match command("record|host|a|--format|fbs") {
            Command::Record(record) => assert_eq!(record.format, Some(RecordingFormat::Fbs)),
            other => panic!("{other:?}"),
        }
        assert!(matches!(typed("--help"), Ok(Typed::Say(_))));
    }

    #[test]
    fn errors_take_one_line_and_the_code_of_usage() {
        for line in [
            "",
            "host:1|--nonsense",
            "host:1|-p|0",
            "host:1|-p|x",
            "bench",
            "a|b",
            "play|a|--speed|0",
            "play|a|--speed|nan",
            "play|a|--start=-1",
            "play|a|--start|1e30",
            "play|a|--screenshot|b|--loop",
            "record|host|a|--format|avi",
        ] {
            let failure = typed(line).unwrap_err();
            assert_eq!(failure.exit_code(), 1, "{line}");
            assert!(!failure.to_string().contains('\n') && failure.to_string().len() > 10, "{failure}");
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
