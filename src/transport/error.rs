//! What goes wrong between here and the server, sorted by what the caller can do about it.

use std::fmt;
use std::time::Duration;

/// A failure to reach the server or to stay connected to it.
///
/// `Display` is one line that says what happened and to whom; [`Error::hint`] says what to try.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum Error {
    /// The server could not be reached: a name, a port, a path or a set-up step that failed.
    Unreachable(Trouble),
    /// Somebody said no: a failed authentication, a question that was not answered.
    Refused(Trouble),
    /// A server that has not proven to be the one that was meant: its host key is unknown, changed, or revoked.
    Distrusted(Trouble),
    /// What was asked for makes no sense, such as a key file that does not exist.
    Usage(Trouble),
    /// A connection that worked is gone.
    Lost(Trouble),
}

/// The words of an [`Error`].
#[derive(Debug)]
pub struct Trouble {
    message: String,
    hint: Option<String>,
}

impl Error {
    /// The server could not be reached.
    pub fn unreachable(message: impl Into<String>) -> Error {
        Error::Unreachable(Trouble::new(message))
    }

    /// Somebody said no.
    pub fn refused(message: impl Into<String>) -> Error {
        Error::Refused(Trouble::new(message))
    }

    /// A server that has not proven to be the one that was meant.
    pub fn distrusted(message: impl Into<String>) -> Error {
        Error::Distrusted(Trouble::new(message))
    }

    /// What was asked for makes no sense.
    pub fn usage(message: impl Into<String>) -> Error {
        Error::Usage(Trouble::new(message))
    }

    /// A connection that worked is gone.
    pub fn lost(message: impl Into<String>) -> Error {
        Error::Lost(Trouble::new(message))
    }

    /// A step of the set-up took too long.
    pub(crate) fn timed_out(step: &str, host: &str, limit: Duration) -> Error {
        Error::unreachable(format!("{host} did not finish the {step} within {} s", limit.as_secs()))
            .hint("check that the address and port are right, and that the server is not overloaded")
    }

    /// Adds what to try; one line or a few.
    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.trouble_mut().hint = Some(hint.into());
        self
    }

    /// One line: what happened and who is to blame.
    pub fn message(&self) -> &str {
        &self.trouble().message
    }

    /// What to try.
    pub fn what_to_try(&self) -> Option<&str> {
        self.trouble().hint.as_deref()
    }

    fn trouble(&self) -> &Trouble {
        let (Error::Unreachable(t) | Error::Refused(t) | Error::Distrusted(t) | Error::Usage(t) | Error::Lost(t)) =
            self;
        t
    }

    fn trouble_mut(&mut self) -> &mut Trouble {
        let (Error::Unreachable(t) | Error::Refused(t) | Error::Distrusted(t) | Error::Usage(t) | Error::Lost(t)) =
            self;
        t
    }
}

impl Trouble {
    fn new(message: impl Into<String>) -> Trouble {
        Trouble { message: message.into(), hint: None }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Trouble {}

/// An operating system's error in a few lower-case words, without its number.
pub(crate) fn io_words(error: &std::io::Error) -> String {
    use std::io::ErrorKind as K;
    match error.kind() {
        K::ConnectionRefused => "connection refused".into(),
        K::ConnectionReset => "connection reset".into(),
        K::ConnectionAborted => "connection aborted".into(),
        K::BrokenPipe => "broken pipe".into(),
        K::TimedOut => "timed out".into(),
        K::HostUnreachable => "no route to host".into(),
        K::NetworkUnreachable => "network unreachable".into(),
        K::NetworkDown => "network down".into(),
        K::NotFound => "no such file".into(),
        K::PermissionDenied => "permission denied".into(),
        K::UnexpectedEof => "closed by the other side".into(),
        _ => {
            let words = error.to_string();
            let words = words.split(" (os error").next().unwrap_or(&words);
            crate::escape::escape(&words.to_lowercase())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_its_message_and_keeps_its_hint() {
        let error = Error::refused("no").hint("try again");
        assert_eq!((error.to_string().as_str(), error.what_to_try()), ("no", Some("try again")));
    }

    #[test]
    fn system_errors_read_like_sentences() {
        assert_eq!(io_words(&std::io::Error::from_raw_os_error(111)), "connection refused");
        assert_eq!(io_words(&std::io::Error::from_raw_os_error(24)), "too many open files");
    }
}
