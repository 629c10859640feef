//! The viewer as a whole X session: what is started instead when there is no desktop, and the log of all that.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::cli::{FallbackOn, PASSWORD_VARIABLE, SessionWishes};
use crate::error::{Failure, Kind};
use crate::user;
use crate::viewer::{Instead, Policy, Reconnect};

/// With a fallback: for how long a desktop is tried for at first, and after it was lost.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
const RECONNECT_TIMEOUT: Duration = Duration::from_secs(120);
/// A log of this length is put aside, in bytes.
const LONG_LOG: u64 = 256 << 10;

/// The program that takes this one's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    words: Vec<String>,
    on: Vec<FallbackOn>,
}

impl Fallback {
    /// What was typed, if anything was. Warns if there is no such program, since then it is too late.
    ///
    /// # Errors
    /// [`Failure`] of the kind usage.
    pub fn of(wishes: &SessionWishes) -> Result<Option<Fallback>, Failure> {
        let Some(typed) = &wishes.fallback else { return Ok(None) };
        let words = shlex::split(typed).filter(|words| words.first().is_some_and(|program| !program.is_empty()));
        let Some(words) = words else {
            return Err(Failure::usage(format!("--fallback is no command: \"{}\"", typed.escape_debug()))
                .hint("write the command and its arguments as one word: --fallback 'openbox-session'"));
        };
        let fallback = Fallback { words, on: wishes.fallback_on.clone() };
        if !fallback.can_start() {
            tracing::warn!("--fallback: there is no program {}, so nothing can be started", fallback.name());
        }
        Ok(Some(fallback))
    }

    /// The command as it may be shown.
    pub fn name(&self) -> String {
        crate::escape::escape(&self.words.join(" "))
    }

    /// What the viewer says of it.
    pub fn instead(&self) -> Instead {
        Instead {
            name: self.name(),
            unreachable: self.is_for_kind(Kind::NoConnection),
            lost: self.is_for_kind(Kind::Lost),
        }
    }

    /// Whether it is for this end.
    pub fn is_for(&self, failure: &Failure) -> bool {
        matches!(failure, Failure::Because { kind, .. } if self.is_for_kind(*kind))
    }

    fn is_for_kind(&self, kind: Kind) -> bool {
        self.on.iter().any(|on| match on {
            FallbackOn::Unreachable => kind == Kind::NoConnection,
            FallbackOn::Lost => kind == Kind::Lost,
            FallbackOn::Any => {
                matches!(kind, Kind::NoConnection | Kind::Lost | Kind::NotLetIn | Kind::Protocol)
            }
        })
    }

    /// Whether there is such a program.
    pub fn can_start(&self) -> bool {
        can_run(self.program())
    }

    /// Becomes that program, because of this. Comes back only if that fails.
    pub fn exec(&self, why: Failure) -> Failure {
        tracing::info!("starting {}", self.name());
        let mut command = Command::new(self.program());
        // It was meant for the desktop that is not there.
        let error = command.args(self.words.iter().skip(1)).env_remove(PASSWORD_VARIABLE).exec();
        let hint = if error.kind() == io::ErrorKind::NotFound { "; is it installed, and in PATH?" } else { "" };
        let failed = format!("--fallback {} could not be started: {error}{hint}", self.name());
        tracing::warn!("{failed}");
        match why {
            Failure::Because { kind, .. } => Failure::new(kind, format!("{why}; {failed}")),
            signal @ Failure::Signal(_) => signal,
        }
    }

    fn program(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }
}

/// How often and for how long a desktop is tried for.
pub fn policy(wishes: &SessionWishes) -> Policy {
    let session = wishes.fallback.is_some();
    let seconds = |typed: Option<std::num::NonZeroU32>, usual| {
        typed.map(|seconds| Duration::from_secs(seconds.get().into())).or(session.then_some(usual))
    };
    Policy {
        reconnect: wishes.reconnect.unwrap_or(if session { Reconnect::Forever } else { Reconnect::No }),
        timeout: seconds(wishes.reconnect_timeout, RECONNECT_TIMEOUT),
        connect_timeout: seconds(wishes.connect_timeout, CONNECT_TIMEOUT),
    }
}

/// Whether `program` can be run, as execvp(3) looks for it.
fn can_run(program: &str) -> bool {
    let runs = |path: &Path| path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0);
    if program.contains('/') {
        return runs(Path::new(program));
    }
    let path = env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    env::split_paths(&path).any(|folder| runs(&folder.join(program)))
}

/// Opens the log, `$XDG_STATE_HOME/sshvnc/session.log`; a long one is put aside as `session.log.1`.
///
/// # Errors
/// What the system says, with the file.
pub fn open_log() -> Result<Log, String> {
    let path = log_path(env::var_os("XDG_STATE_HOME").as_deref(), user::home().as_deref())
        .ok_or("there is no home directory for it")?;
    open_log_at(&path).map_err(|error| format!("{}: {error}", path.display()))
}

fn log_path(state: Option<&OsStr>, home: Option<&Path>) -> Option<PathBuf> {
    // A relative path is invalid and to be ignored (XDG Base Directory Specification).
    let state = state.map(PathBuf::from).filter(|path| path.is_absolute());
    Some(state.or_else(|| Some(home?.join(".local/state")))?.join("sshvnc/session.log"))
}

fn open_log_at(path: &Path) -> io::Result<Log> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    if path.metadata().is_ok_and(|file| file.len() > LONG_LOG) {
        fs::rename(path, path.with_extension("log.1"))?;
    }
    // Host names are nobody else's business.
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    Ok(Log { length: file.metadata()?.len(), file, path: path.to_owned() })
}

/// The log's file. Servers say things that are written there, and a session may last for months.
#[derive(Debug)]
pub struct Log {
    file: File,
    path: PathBuf,
    /// In bytes.
    length: u64,
}

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.length > LONG_LOG {
            match open_log_at(&self.path) {
                Ok(log) => *self = log,
                // The disk may be full: not at each line.
                Err(_) => self.length = 0,
            }
        }
        let written = self.file.write(line)?;
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(fallback: &str) -> SessionWishes {
        SessionWishes {
            fallback: Some(fallback.to_owned()),
            fallback_on: vec![FallbackOn::Unreachable, FallbackOn::Lost],
            ..SessionWishes::default()
        }
    }

    #[test]
    fn commands_are_taken_apart_as_a_shell_does() {
        let words = |typed| Fallback::of(&wishes(typed)).map(|fallback| fallback.unwrap().words);
        assert_eq!(words("xterm -title 'a b' c\\ d").unwrap(), ["xterm", "-title", "a b", "c d"]);
        for wrong in ["", "  ", "''", "xterm 'a"] {
            assert_eq!(words(wrong).unwrap_err().exit_code(), 1, "{wrong}");
        }
        assert!(Fallback::of(&SessionWishes::default()).unwrap().is_none());
    }

    #[test]
    fn it_is_for_the_ends_that_were_named() {
        let all = [Kind::Usage, Kind::NoConnection, Kind::NotLetIn, Kind::Protocol, Kind::Display, Kind::Lost];
        let codes = |on: &[FallbackOn]| {
            let fallback = Fallback { words: vec!["x".to_owned()], on: on.to_vec() };
            let failures = all.map(|kind| Failure::new(kind, ""));
            failures.iter().filter(|failure| fallback.is_for(failure)).map(Failure::exit_code).collect::<Vec<u8>>()
        };
        assert_eq!(codes(&[FallbackOn::Unreachable, FallbackOn::Lost]), [2, 6]);
        assert_eq!(codes(&[FallbackOn::Lost]), [6]);
        assert_eq!(codes(&[FallbackOn::Any]), [2, 3, 4, 6]);
        assert!(!Fallback { words: vec![], on: vec![FallbackOn::Any] }.is_for(&Failure::Signal(15)));
    }

    #[test]
    fn a_fallback_makes_it_try_and_give_up() {
        let with = policy(&wishes("x"));
        assert_eq!(with.reconnect, Reconnect::Forever);
        assert_eq!((with.connect_timeout, with.timeout), (Some(CONNECT_TIMEOUT), Some(RECONNECT_TIMEOUT)));
        let without = policy(&SessionWishes::default());
        assert_eq!(without.reconnect, Reconnect::No);
        assert_eq!((without.connect_timeout, without.timeout), (None, None));
    }

    #[test]
    fn programs_are_looked_for() {
        assert!(can_run("sh") && can_run("/bin/sh"));
        assert!(!can_run("/etc/passwd") && !can_run("no-such-program") && !can_run("/bin"));
        let failure = Fallback { words: vec!["no-such-program".to_owned()], on: vec![] };
        let failure = failure.exec(Failure::new(Kind::Lost, "gone"));
        assert!(failure.to_string().starts_with("gone; --fallback no-such-program could not be started"), "{failure}");
        assert_eq!(failure.exit_code(), 6);
    }

    #[test]
    fn a_long_log_is_put_aside() {
        let home = Path::new("/home/me");
        let at = |state: Option<&str>| log_path(state.map(OsStr::new), Some(home)).unwrap();
        assert_eq!(at(None), Path::new("/home/me/.local/state/sshvnc/session.log"));
        assert_eq!(at(Some("relative")), at(None));
        assert_eq!(at(Some("/s")), Path::new("/s/sshvnc/session.log"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/sshvnc/session.log");
        open_log_at(&path).unwrap().file.set_len(LONG_LOG + 1).unwrap();
        assert_eq!(open_log_at(&path).unwrap().file.metadata().unwrap().len(), 0);
        assert_eq!(path.with_extension("log.1").metadata().unwrap().len(), LONG_LOG + 1);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        // While it is written, too.
        let mut log = open_log_at(&path).unwrap();
        for number in 0..LONG_LOG / 50 * 5 {
            writeln!(log, "{number:>49}").unwrap();
            let lengths = [path.clone(), path.with_extension("log.1")].map(|path| path.metadata().unwrap().len());
            assert!(lengths.iter().all(|length| *length <= LONG_LOG + 100), "{lengths:?}");
        }
    }
}
