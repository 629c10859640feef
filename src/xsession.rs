//! The viewer as a whole X session: what is started instead when there is no desktop.

use std::env;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::cli::{FallbackOn, PASSWORD_VARIABLE, SessionWishes};
use crate::error::{Failure, Kind};
use crate::viewer::{Instead, Policy, Reconnect};

/// With a fallback: for how long a desktop is tried for at first, and after it was lost.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
const RECONNECT_TIMEOUT: Duration = Duration::from_secs(120);

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
}
