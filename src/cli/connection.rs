//! Options of the way to a desktop, and of what is said there.

use std::num::NonZeroU16;
use std::path::PathBuf;

use clap::Args;

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
