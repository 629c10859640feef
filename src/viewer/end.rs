//! What an end means: the failure, its exit code, and what to try.

use crate::display;
use crate::error::{Failure, Kind};
use crate::session::{End, Error, transport};

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
                    transport::Error::Refused(_) | transport::Error::Distrusted(_) => Kind::NotLetIn,
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
