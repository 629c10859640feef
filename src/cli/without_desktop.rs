//! Options for when there is no desktop: what is tried again, and what is started instead.

use std::num::NonZeroU32;

use clap::{Args, ValueEnum};

use crate::viewer::Reconnect;

/// What happens when there is no desktop.
#[derive(Debug, Clone, Default, Args)]
#[group(id = "session")]
#[command(next_help_heading = "Without the desktop")]
pub struct SessionWishes {
    /// What takes the place of this program when there is no desktop, such as openbox-session; then the session also has
    /// a log: ~/.local/state/sshvnc/session.log
    #[arg(long, value_name = "COMMAND")]
    pub fallback: Option<String>,
    /// When that is started
    #[arg(long, value_name = "WHEN", value_delimiter = ',', default_value = "unreachable,lost", requires = "fallback")]
    pub fallback_on: Vec<FallbackOn>,
    /// For how long a desktop is tried for at first [default: with --fallback 20, else one attempt]
    #[arg(long, value_name = "SECONDS")]
    pub connect_timeout: Option<NonZeroU32>,
    /// How often a lost desktop is taken up again: no, a number, or forever [default: with --fallback forever, else no]
    #[arg(long, value_name = "TIMES", value_parser = reconnect)]
    pub reconnect: Option<Reconnect>,
    /// For how long a lost desktop is tried for [default: with --fallback 120, else without end]
    #[arg(long, value_name = "SECONDS")]
    pub reconnect_timeout: Option<NonZeroU32>,
}

/// When a fallback is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FallbackOn {
    /// The desktop can not be reached (exit code 2)
    Unreachable,
    /// It was lost and did not come back (6)
    Lost,
    /// Either, and also when we are not let in (3), or the server breaks the protocol (4)
    Any,
}

fn reconnect(typed: &str) -> Result<Reconnect, String> {
    match typed {
        "no" => Ok(Reconnect::No),
        "forever" => Ok(Reconnect::Forever),
        number => match number.parse() {
            Ok(0) => Ok(Reconnect::No),
            Ok(times) => Ok(Reconnect::Times(times)),
            Err(_) => Err("no, forever, or a number is possible".to_owned()),
        },
    }
}
