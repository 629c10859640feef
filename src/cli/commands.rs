//! What each command takes.

use std::ffi::OsString;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{Connection, SessionWishes, Window};
use crate::display::FrontEnd;

/// `sshvnc TARGET`
#[derive(Debug, Args)]
pub struct View {
    /// The desktop and the way there.
    #[command(flatten)]
    pub connection: Connection,
    /// The window.
    #[command(flatten)]
    pub window: Window,
    /// What happens without the desktop.
    #[command(flatten)]
    pub session: SessionWishes,
}

/// `sshvnc screenshot`
#[derive(Debug, Args)]
pub struct Screenshot {
    /// The desktop and the way there.
    #[command(flatten)]
    pub connection: Connection,
    /// Where the picture goes
    #[arg(value_name = "FILE.png")]
    pub file: PathBuf,
    /// Give up after this many seconds
    #[arg(long, value_name = "N", default_value = "60")]
    pub timeout: NonZeroU64,
}

/// `sshvnc record`
#[derive(Debug, Args)]
pub struct Record {
    /// The desktop and the way there.
    #[command(flatten)]
    pub connection: Connection,
    /// Where the recording goes
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Without times, or as other players and proxies of VNC take it [default: fbs if FILE ends in .fbs, else rfb]
    #[arg(long)]
    pub format: Option<RecordingFormat>,
    /// Stop after this many seconds (without it: at Ctrl+C, or when the server ends)
    #[arg(long, value_name = "N")]
    pub seconds: Option<NonZeroU64>,
}

/// The formats of recordings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RecordingFormat {
    /// ServerInit and what follows, at one size
    Rfb,
    /// FBS 001.001, which knows when it came
    Fbs,
}

/// `sshvnc play`
#[derive(Debug, Args)]
#[command(after_help = "Keys: space pauses and goes on, left and right seek 5 seconds, escape ends.")]
pub struct Play {
    /// A recording, .rfb or .fbs; packed by zstd or not. One without times is played at 25 updates a second
    pub file: PathBuf,
    /// So many times faster: 0.1 to 100
    #[arg(long, value_name = "X", default_value = "1", value_parser = speed)]
    pub speed: f64,
    /// Begin there: all before is decoded at once
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub start: Option<Duration>,
    /// Begin again at the end
    #[arg(long = "loop")]
    pub again: bool,
    /// What shows the window
    #[arg(long, value_name = "WHICH", default_value = "auto")]
    pub display: FrontEnd,
    /// Write the last picture, or the one at --start, and end, instead of opening a window
    #[arg(long, value_name = "FILE.png", conflicts_with_all = ["again", "speed"])]
    pub screenshot: Option<PathBuf>,
}

fn speed(typed: &str) -> Result<f64, String> {
    let speed = typed.parse().ok().filter(|speed| (0.1..=100.0).contains(speed));
    speed.ok_or_else(|| "0.1 to 100 are possible".to_owned())
}

fn seconds(typed: &str) -> Result<Duration, String> {
    let seconds = typed.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| "a number of seconds is needed".to_owned())
}

/// `sshvnc check`
#[derive(Debug, Args)]
pub struct Check {
    /// The desktop and the way there.
    #[command(flatten)]
    pub connection: Connection,
    /// One JSON object a layer
    #[arg(long)]
    pub json: bool,
}

/// `sshvnc list`
#[derive(Debug, Args)]
pub struct List {
    /// The host and the way there.
    #[command(flatten)]
    pub connection: Connection,
    /// One JSON object a desktop
    #[arg(long)]
    pub json: bool,
}

/// `sshvnc bench`
#[derive(Debug, Args)]
pub struct Bench {
    /// Recordings, .rfb or .fbs; packed by zstd or not
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Print the SHA-256 of the last picture, as bytes R, G, B, 0
    #[arg(long)]
    pub hash: bool,
    /// One JSON object a file
    #[arg(long)]
    pub json: bool,
    /// How often each is decoded; the median counts
    #[arg(long, value_name = "N", default_value = "5")]
    pub passes: NonZeroU32,
    /// Threads that unpack Tight and JPEG rectangles beside the one that paints
    #[arg(long, value_name = "N", default_value = "0", value_parser = clap::value_parser!(u8).range(0..=4))]
    pub lanes: u8,
    /// Where the time goes: frame (reading messages, cutting rectangles out), inflate, unpack (filters, palettes, JPEG,
    /// and all of the encodings that are painted as they are read: RRE, Hextile, TRLE, ZRLE), paint (copies, fills, rows)
    #[arg(long)]
    pub stages: bool,
    /// Compare with what no decoder can do without: inflating the same bytes, its CopyRects and fills, the rows of Raw
    #[arg(long)]
    pub limits: bool,
    /// Write the last picture
    #[arg(long, value_name = "FILE.png")]
    pub dump: Option<PathBuf>,
}

/// `sshvnc demo`
#[derive(Debug, Args)]
pub struct Demo {
    /// Write a picture and end, instead of opening a window
    #[arg(long, value_name = "FILE.png")]
    pub screenshot: Option<PathBuf>,
    /// Let the server show another host key than the known one: the viewer must refuse (exit code 3)
    #[arg(long)]
    pub wrong_host_key: bool,
    /// Say what happens, on stderr; twice for more
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// The window.
    #[command(flatten)]
    pub window: Window,
}

/// `sshvnc passwd`
#[derive(Debug, Args)]
pub struct Passwd {
    /// The file; ~/.vnc/passwd if none is named
    pub file: Option<PathBuf>,
}

/// `sshvnc install-session`
#[derive(Debug, Args)]
#[command(override_usage = "sshvnc install-session [--name NAME] [--dir DIR] [--print] [--force] TARGET [-- OPTIONS]")]
pub struct InstallSession {
    /// The desktop, as for `sshvnc TARGET`
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub target: String,
    /// What the login screen calls it [default: Remote desktop: TARGET]
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub name: Option<String>,
    /// Where it is written [default: /usr/share/xsessions, which only root can write to]
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// Show what would be written
    #[arg(long)]
    pub print: bool,
    /// Replace what is there
    #[arg(long)]
    pub force: bool,
    /// Options of sshvnc for the session, beside --fullscreen; such as --fallback openbox-session. A file needs its whole
    /// path: the session starts in its user's home
    #[arg(last = true, value_name = "OPTIONS")]
    pub options: Vec<OsString>,
}
