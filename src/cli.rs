//! The command line: what can be typed, in the words of the help.

use std::ffi::OsString;
use std::num::{NonZeroU16, NonZeroU32, NonZeroU64};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::display::{ClipboardWish, FrontEnd, Grab, Scaling, Screens, Wish};
use crate::error::{EXIT_CODES, Failure};
use crate::viewer::{Chord, Hotkeys, Reconnect};

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

const LONG_HELP: &str = "\
Targets:
  [USER@]HOST             display 0 (port 5900) of HOST's own localhost
  [USER@]HOST:N           display N (port 5900 + N); 100 and up is a port
  [USER@]HOST::PORT       that port
  [USER@]HOST:/PATH       a Unix socket on HOST
  With --via, HOST is reached from the gateway: without SSH of its own, or with it if TARGET names a USER.
  With --direct there is no SSH at all; /PATH is then a socket of this machine.

Passwords: the VNC password comes from --passwd FILE, else VNC_PASSWORD, else a question on the terminal. SSH uses the agent, key files, keyboard-interactive and password, as ssh does.

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

/// How the window behaves.
#[derive(Debug, Clone, Args)]
#[group(id = "window-options")]
#[command(next_help_heading = "The window")]
pub struct Window {
    /// Show only: keys, pointer and clipboard are not sent
    #[arg(long)]
    pub view_only: bool,
    /// Cover the whole screen
    #[arg(long)]
    pub fullscreen: bool,
    /// The screens that --fullscreen covers: all, current, or their numbers from left to right, such as 1,2
    #[arg(long, value_name = "WHICH", default_value = "current", value_parser = screens)]
    pub screens: Screens,
    /// How a desktop of another size than the window is shown
    #[arg(long, value_name = "HOW", default_value = "shrink")]
    pub scaling: Scaling,
    /// Do not ask the server for a desktop of the size of the full screen, or of the window that you have resized
    #[arg(long)]
    pub no_remote_resize: bool,
    /// When all keys are taken, those of the window manager too
    #[arg(long, value_name = "WHEN", default_value = "fullscreen")]
    pub grab: Grab,
    /// Modifiers that make M (menu), Enter (full screen), G (all keys) and P (keep the pointer) keys of the viewer
    #[arg(long, value_name = "KEYS", default_value = "ctrl+alt", value_parser = Chord::parse)]
    pub escape_keys: Chord,
    /// A key that opens the menu, beside Ctrl+Alt+M: such as F8
    #[arg(long, value_name = "KEY", value_parser = menu_key)]
    pub menu_key: Option<u32>,
    /// Show a dot where the server hides the pointer
    #[arg(long)]
    pub dot_cursor: bool,
    /// What is passed on of what was copied
    #[arg(long, value_name = "WAYS", default_value = "both")]
    pub clipboard: Ways,
    /// The longest text that is passed on, in bytes
    #[arg(long, value_name = "BYTES", default_value = "16777216")]
    pub clipboard_limit: NonZeroU32,
    /// Leave the selection that the middle button pastes alone
    #[arg(long)]
    pub no_primary: bool,
    /// Show how fast all is: round trips, Mbit/s, frames a second
    #[arg(long)]
    pub stats: bool,
    /// What shows the window
    #[arg(long, value_name = "WHICH", default_value = "auto")]
    pub display: FrontEnd,
}

impl Window {
    /// The viewer's own keys.
    pub fn hotkeys(&self) -> Hotkeys {
        Hotkeys { chord: self.escape_keys, menu_key: self.menu_key }
    }

    /// What is wished of the window.
    pub fn wish(&self) -> Wish {
        Wish {
            fullscreen: self.fullscreen,
            screens: self.screens.clone(),
            scaling: self.scaling,
            grab: self.grab,
            dot_cursor: self.dot_cursor,
            clipboard: ClipboardWish {
                send: matches!(self.clipboard, Ways::Both | Ways::Send) && !self.view_only,
                receive: matches!(self.clipboard, Ways::Both | Ways::Receive),
                primary: !self.no_primary,
                longest: usize::try_from(self.clipboard_limit.get()).unwrap_or(usize::MAX),
            },
        }
    }
}

/// The ways of the clipboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Ways {
    /// To the server and from it
    Both,
    /// To the server only
    Send,
    /// From the server only
    Receive,
    /// Neither way
    Off,
}

fn screens(typed: &str) -> Result<Screens, String> {
    let number = |word: &str| word.trim().parse().ok().filter(|&number: &u8| number > 0);
    match typed {
        "all" => Ok(Screens::All),
        "current" => Ok(Screens::Current),
        _ => typed
            .split(',')
            .map(number)
            .collect::<Option<_>>()
            .map(Screens::These)
            .ok_or_else(|| "all, current, or numbers from 1 on such as 1,2 are possible".to_owned()),
    }
}

/// The keysym of a function key, or of one of the keys that hardly anybody needs.
fn menu_key(typed: &str) -> Result<u32, String> {
    const OTHERS: [(&str, u32); 6] = [
        ("pause", 0xff13),
        ("scroll_lock", 0xff14),
        ("insert", 0xff63),
        ("menu", 0xff67),
        ("print", 0xff61),
        ("escape", 0xff1b),
    ];
    let name = typed.to_ascii_lowercase();
    let function = name.strip_prefix('f').and_then(|number| number.parse().ok());
    let function = function.filter(|number: &u32| (1..=24).contains(number)).map(|number| 0xffbe + number - 1);
    let other = OTHERS.iter().find(|(other, _)| *other == name).map(|&(_, keysym)| keysym);
    function
        .or(other)
        .ok_or_else(|| "F1 to F24, Pause, Scroll_Lock, Insert, Menu, Print and Escape are possible".to_owned())
}

/// How to reach a desktop.
#[derive(Debug, Clone, Args)]
#[group(id = "connection")]
pub struct Connection {
    /// The desktop, as typed.
    #[arg(help = "The desktop: [USER@]HOST[:DISPLAY], [USER@]HOST::PORT or [USER@]HOST:/SOCKET")]
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub target: String,
    /// An SSH server on the way, as typed.
    #[arg(
        help = "Reach TARGET from this SSH server: [USER@]HOST[:PORT]",
        long,
        value_name = "GATEWAY",
        conflicts_with = "direct"
    )]
    pub via: Option<String>,
    /// Without SSH: plain TCP, or a local socket
    #[arg(long)]
    pub direct: bool,
    /// Port of the SSH server
    #[arg(short, value_name = "PORT", conflicts_with = "direct")]
    pub port: Option<NonZeroU16>,
    /// User on the SSH server
    #[arg(short, value_name = "USER", conflicts_with = "direct")]
    pub login: Option<String>,
    /// Private key file; may be given several times
    #[arg(short, value_name = "FILE", conflicts_with = "direct")]
    pub identity: Vec<PathBuf>,
    /// VNC password file, as `sshvnc passwd` and vncpasswd write them
    #[arg(long, value_name = "FILE")]
    pub passwd: Option<PathBuf>,
    /// Encodings, best first; without them, and without a quality, what is asked for follows the speed of the link. Of: copyrect tight zrle zlib trle hextile corre rre raw, and if named tightpng jpeg zywrle
    /// zlibhex ultra, and h264 in a build with that feature
    #[arg(long, value_name = "LIST")]
    pub encodings: Option<String>,
    /// How much detail JPEG and wavelets keep, from 0 (least) to 9; without it as much as the link carries, and with
    /// --encodings all of it
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(u8).range(0..=9))]
    pub quality: Option<u8>,
    /// How hard the server compresses, from 0 (hardly) to 9; without it the server decides
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(u8).range(0..=9))]
    pub compress_level: Option<u8>,
    /// Leave other viewers connected (the default)
    #[arg(long, conflicts_with = "no_shared")]
    pub shared: bool,
    /// Ask the server to disconnect other viewers
    #[arg(long)]
    pub no_shared: bool,
    /// 256 colours, for slow links
    #[arg(long, visible_alias = "low-colour", alias = "low-color")]
    pub bgr233: bool,
    /// 65536 colours, for slow links
    #[arg(long, conflicts_with = "bgr233")]
    pub rgb565: bool,
    /// Say what happens, on stderr; twice for more
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Compress what goes through SSH: for slow links and encodings that do not compress
    #[arg(short = 'C', conflicts_with = "direct")]
    pub compression: bool,
    /// The desktop is the input and output of this command on the SSH server, such as socat STDIO 'EXEC:x11vnc -inetd'
    #[arg(long, value_name = "COMMAND", conflicts_with = "direct")]
    pub exec: Option<String>,
    /// Look for the desktop on HOST: the only one is taken, several are asked for (see also `sshvnc list`)
    #[arg(long, conflicts_with_all = ["direct", "exec", "reverse", "ssh_program"])]
    pub find: bool,
    /// As --find; if you have no desktop there, start one by this command, such as --start vncserver
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["direct", "exec", "reverse", "ssh_program"])]
    pub start: Option<String>,
    /// Wait on HOST's localhost for the desktop to connect (vncconfig -connect, x11vnc -connect): on the port that TARGET
    /// names, else on a free one. COMMAND makes it connect, with %p for the port
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["direct", "exec", "ssh_program"], num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub reverse: Option<String>,
    /// Let the system's ssh make the connection, for what only it has (Kerberos, PKCS#11, ControlMaster)
    #[arg(long, value_name = "PROGRAM", conflicts_with = "direct", num_args = 0..=1, require_equals = true, default_missing_value = "ssh")]
    pub ssh_program: Option<String>,
    /// An option of ssh_config, such as StrictHostKeyChecking=accept-new; may be given several times
    #[arg(short = 'o', value_name = "KEY=VALUE", conflicts_with = "direct")]
    pub options: Vec<String>,
    /// Read this file instead of ~/.ssh/config and the system's; "none" reads none
    #[arg(short = 'F', value_name = "FILE", conflicts_with = "direct")]
    pub config_file: Option<PathBuf>,
    /// SSH servers on the way, as typed.
    #[arg(
        short = 'J',
        value_name = "HOSTS",
        help = "Jump through these SSH servers first: [USER@]HOST[:PORT],...",
        conflicts_with_all = ["direct", "via"]
    )]
    pub jump: Option<String>,
    /// IPv4 only
    #[arg(short = '4', conflicts_with = "ipv6")]
    pub ipv4: bool,
    /// IPv6 only
    #[arg(short = '6')]
    pub ipv6: bool,
    /// Let `Match exec` of ssh_config run its commands
    #[arg(long)]
    pub allow_match_exec: bool,
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
    /// ServerInit and what follows
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
    let name: Vec<OsString> = arguments.next().into_iter().collect();
    let mut translated = name;
    let mut literal = false;
    for argument in arguments {
        literal |= argument == "--";
        translated.extend(if literal { vec![argument] } else { from_other_viewers(argument)? });
    }
    let read =
        Cli::command().try_get_matches_from(translated).and_then(|mut matches| match matches.subcommand_name() {
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

/// Options that other viewers spell with one dash, and their names here.
const ALIASES: [(&str, &str); 18] = [
    ("passwd", "--passwd"),
    ("passwordfile", "--passwd"),
    ("shared", "--shared"),
    ("noshared", "--no-shared"),
    ("fullscreen", "--fullscreen"),
    ("viewonly", "--view-only"),
    ("encodings", "--encodings"),
    ("preferredencoding", "--encodings"),
    ("quality", "--quality"),
    ("qualitylevel", "--quality"),
    ("compresslevel", "--compress-level"),
    ("bgr233", "--bgr233"),
    ("via", "--via"),
    ("help", "--help"),
    ("version", "--version"),
    ("direct", "--direct"),
    ("menukey", "--menu-key"),
    ("dotwhennocursor", "--dot-cursor"),
];

/// Options of other viewers that would be taken for something else here, such as `-listen` for `-l isten`.
const UNKNOWN: [&str; 17] = [
    "listen",
    "log",
    "depth",
    "owncmap",
    "truecolour",
    "truecolor",
    "nojpeg",
    "geometry",
    "display",
    "desktopsize",
    "securitytypes",
    "autopass",
    "x11cursor",
    "nocursorshape",
    "lowcolorlevel",
    "fullcolor",
    "loglevel",
];

/// `-passwd FILE` as `--passwd FILE`, `-Shared=0` as `--no-shared`.
fn from_other_viewers(argument: OsString) -> Result<Vec<OsString>, Failure> {
    let Some(text) = argument.to_str() else { return Ok(vec![argument]) };
    let Some(typed) = text.strip_prefix('-').filter(|rest| rest.len() > 2 && !rest.starts_with('-')) else {
        return Ok(vec![argument]);
    };
    let (name, value) = match typed.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (typed, None),
    };
    let name = name.to_ascii_lowercase();
    if UNKNOWN.contains(&name.as_str()) {
        return Err(
            Failure::usage(format!("the option -{name} of other viewers is not known here")).hint("see sshvnc --help")
        );
    }
    // On here as it is there, so only its opposite has a name.
    if name == "remoteresize" {
        return Ok(match value {
            Some("0" | "off" | "false" | "no") => vec!["--no-remote-resize".into()],
            _ => vec![],
        });
    }
    let Some((_, ours)) = ALIASES.iter().find(|(theirs, _)| *theirs == name) else { return Ok(vec![argument]) };
    let takes_value =
        matches!(*ours, "--passwd" | "--encodings" | "--via" | "--quality" | "--compress-level" | "--menu-key");
    Ok(match value {
        None => vec![ours.into()],
        Some(value) if takes_value => vec![ours.into(), value.into()],
        Some("1" | "on" | "true" | "yes") => vec![ours.into()],
        Some("0" | "off" | "false" | "no") if *ours == "--shared" => vec!["--no-shared".into()],
        Some("0" | "off" | "false" | "no") => vec![],
        Some(value) => return Err(Failure::usage(format!("-{name} is on or off, not \"{value}\""))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> Result<Typed, Failure> {
        read(std::iter::once("sshvnc").chain(line.split('|')).map(OsString::from))
    }

    fn view(line: &str) -> View {
        match typed(line) {
            Ok(Typed::Do(command)) => match *command {
                Command::View(view) => view,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_recipe_of_2001_is_understood() {
        let view = view("-encodings|copyrect hextile|-passwd|/home/me/.vnc/passwd|-fullscreen|-shared|localhost:1");
        assert_eq!(view.connection.encodings.as_deref(), Some("copyrect hextile"));
        assert_eq!(view.connection.passwd, Some("/home/me/.vnc/passwd".into()));
        assert!(view.window.fullscreen && view.connection.shared && !view.connection.no_shared);
        assert_eq!(view.connection.target, "localhost:1");
    }

    #[test]
    fn options_may_follow_the_target_and_carry_values() {
        let one = view("me@host:1|-p|2222|-l|you|-i|a|-i|b|-ViewOnly=1|-Shared=0|-vv");
        assert_eq!((one.connection.port.map(u16::from), one.connection.login.as_deref()), (Some(2222), Some("you")));
        assert_eq!(one.connection.identity, [PathBuf::from("a"), PathBuf::from("b")]);
        assert!(one.window.view_only && one.connection.no_shared);
        assert_eq!(one.connection.verbose, 2);
        let levels = view("-quality|8|-CompressLevel=0|--low-colour|host").connection;
        assert_eq!((levels.quality, levels.compress_level, levels.bgr233), (Some(8), Some(0), true));
        assert!(typed("--quality|10|host").is_err());
        // A short option with its value in one word stays one.
        assert_eq!(view("-p2222|host").connection.port.map(u16::from), Some(2222));
        let sized = view("-RemoteResize=0|-MenuKey=F8|host").window;
        assert_eq!((sized.no_remote_resize, sized.menu_key), (true, Some(0xffc5)));
        assert!(!view("-RemoteResize|host").window.no_remote_resize);
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
        assert!(matches!(typed("-help"), Ok(Typed::Say(_))));
    }

    #[test]
    fn errors_take_one_line_and_the_code_of_usage() {
        for line in [
            "",
            "host:1|--nonsense",
            "host:1|-p|0",
            "host:1|-p|x",
            "-listen|host",
            "bench",
            "a|b",
            "-shared=7|a",
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
