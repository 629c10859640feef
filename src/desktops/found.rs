//! The command that looks for desktops, and what its output says.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::escape::escape;

/// The ports of displays 0 to 99.
const PORTS: std::ops::RangeInclusive<u16> = 5900..=5999;

/// Prints what there is to know, for [`read`] to make sense of: listening ports with their owners, programs that may be
/// VNC servers, sockets. One line without quotes of its own, so that every login shell passes it on to `sh` unharmed.
pub(super) const LOOK: &str = concat!(
    "exec sh -c '",
    "echo =user; id -u; ",
    // On Linux without any tool; elsewhere by what is there.
    "echo =ports; if [ -r /proc/net/tcp ]; then cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | ",
    "grep -E \":17(0[C-F]|[1-6][0-9A-F]) [0-9A-F]+:[0-9A-F]+ 0A \"; ",
    "else netstat -an -p tcp 2>/dev/null | grep LISTEN; fi; ",
    "echo =programs; ps -A -o uid= -o user= -o args= 2>/dev/null | grep -i -e vnc -e krfb -e vino | cut -c1-1000; ",
    "echo =sockets; for d in \"$HOME/.vnc\" \"${XDG_RUNTIME_DIR:-/run/user/$(id -u)}\"; do ",
    "find \"$d\" -maxdepth 2 -type s 2>/dev/null; done; ",
    "echo =listening; if [ -r /proc/net/unix ]; then echo known; ",
    "grep \" 00010000 \" /proc/net/unix | grep -i -e vnc -e rfb; fi; ",
    "echo =end'",
);

/// A desktop, or what looks like one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desktop {
    /// Where it listens.
    pub place: Place,
    /// Whose it is.
    pub owner: Owner,
    /// The program and the desktop's name, escaped; empty if they are not known.
    pub what: String,
}

/// Where a desktop listens on its host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A TCP port.
    Port {
        /// A name or address by which the host itself reaches it.
        host: String,
        /// Its number.
        port: u16,
    },
    /// A Unix socket.
    Socket(String),
}

/// Whose a desktop is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// The user who logged in.
    Me,
    /// The system.
    Root,
    /// Somebody else, by name or number.
    Other(String),
    /// The host does not say.
    Unknown,
}

/// A program that may be a VNC server.
struct Program {
    uid: String,
    user: String,
    words: Vec<String>,
}

/// Reads what [`LOOK`] printed: the user's own desktops first, ports before sockets. `None` if the command did not run
/// to its end.
pub(super) fn read(printed: &str) -> Option<Vec<Desktop>> {
    let section = |name: &str| {
        let lines = printed.lines().skip_while(move |line| line.trim_end() != name).skip(1);
        lines.take_while(|line| !line.starts_with('=')).map(str::trim).collect::<Vec<_>>()
    };
    printed.lines().find(|line| line.trim_end() == "=end")?;
    let me = section("=user").first().copied().unwrap_or_default().to_owned();
    let programs: Vec<Program> = section("=programs").into_iter().filter_map(program).collect();
    let mut desktops = Vec::new();
    for (host, port, uid) in ports(&section("=ports")) {
        let program = programs.iter().find(|program| program.port() == Some(port));
        let uid = uid.or(program.map(|program| program.uid.as_str()));
        let place = Place::Port { host, port };
        desktops.push(Desktop { place, owner: owner(uid, &me, &programs), what: what(program) });
    }
    let listening = section("=listening");
    let listens = |path: &str| listening.is_empty() || listening.iter().any(|line| line.ends_with(path));
    let named = programs.iter().filter(|program| program.uid == me).filter_map(|program| program.socket());
    let mut paths: Vec<&str> = section("=sockets").into_iter().filter(|path| speaks_rfb(path)).collect();
    paths.extend(named);
    paths.sort_unstable();
    paths.dedup();
    for path in paths.into_iter().filter(|path| listens(path)) {
        let program = programs.iter().find(|program| program.socket() == Some(path));
        // A server that listens on a port as well is one desktop, not two.
        let twice = program.and_then(Program::port).is_some_and(|port| {
            desktops.iter().any(|desktop| matches!(&desktop.place, Place::Port { port: theirs, .. } if *theirs == port))
        });
        if !twice {
            desktops.push(Desktop { place: Place::Socket(path.to_owned()), owner: Owner::Me, what: what(program) });
        }
    }
    desktops.sort_by(|a, b| (&a.owner, &a.place).cmp(&(&b.owner, &b.place)));
    Some(desktops)
}

/// Sockets in the folders of the user's session belong to all kinds of programs; wayvncctl controls a VNC server.
fn speaks_rfb(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let vnc = path.to_ascii_lowercase();
    (vnc.contains("vnc") || vnc.contains("rfb")) && !name.contains("ctl")
}

fn owner(uid: Option<&str>, me: &str, programs: &[Program]) -> Owner {
    match uid {
        Some(uid) if uid == me => Owner::Me,
        Some("0") => Owner::Root,
        Some(uid) => {
            let named = programs.iter().find(|program| program.uid == uid);
            Owner::Other(escape(named.map_or(uid, |program| &program.user)))
        }
        None => Owner::Unknown,
    }
}

/// Each port once: by which name it is reached, and the number of its owner if that is told.
fn ports<'a>(lines: &[&'a str]) -> Vec<(String, u16, Option<&'a str>)> {
    let mut all: Vec<(IpAddr, u16, Option<&str>)> =
        lines.iter().filter_map(|line| proc_port(line).or_else(|| netstat_port(line))).collect();
    all.retain(|(_, port, _)| PORTS.contains(port));
    all.sort_by_key(|(address, port, _)| {
        (*port, !address.is_loopback() && !address.is_unspecified(), address.is_ipv6())
    });
    all.dedup_by_key(|(_, port, _)| *port);
    let name = |address: IpAddr| match address {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    };
    all.into_iter().map(|(address, port, uid)| (name(address).to_string(), port, uid)).collect()
}

/// A line of `/proc/net/tcp` or `tcp6` (proc(5)): numbers in hexadecimal, addresses as the machine keeps them.
fn proc_port(line: &str) -> Option<(IpAddr, u16, Option<&str>)> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (address, port) = fields.get(1)?.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| u32::from_str_radix(address.get(at..at + 8)?, 16).ok();
    let address = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?.to_le_bytes())),
        32 => {
            let mut bytes = [0; 16];
            for (at, chunk) in bytes.chunks_exact_mut(4).enumerate() {
                chunk.copy_from_slice(&word(at * 8)?.to_le_bytes());
            }
            IpAddr::V6(Ipv6Addr::from(bytes))
        }
        _ => return None,
    };
    Some((address, port, fields.get(7).copied()))
}

/// A line of netstat: `tcp4 0 0 127.0.0.1.5901 *.* LISTEN` on BSD and macOS, with a colon before the port elsewhere.
fn netstat_port(line: &str) -> Option<(IpAddr, u16, Option<&str>)> {
    let local = line.split_whitespace().nth(3)?;
    let (address, port) = local.rsplit_once(['.', ':'])?;
    let any = if line.starts_with("tcp6") { IpAddr::from(Ipv6Addr::UNSPECIFIED) } else { Ipv4Addr::UNSPECIFIED.into() };
    let address = if address == "*" { any } else { address.trim_matches(['[', ']']).parse().ok()? };
    Some((address, port.parse().ok()?, None))
}

fn program(line: &str) -> Option<Program> {
    let mut words = line.split_whitespace().map(str::to_owned);
    let (uid, user) = (words.next()?, words.next()?);
    let program = Program { uid, user, words: words.collect() };
    let name = program.name().to_ascii_lowercase();
    let known = ["vnc", "krfb", "vino-server", "qemu"].iter().any(|part| name.contains(part));
    known.then_some(program)
}

impl Program {
    /// The file's name, without the folder.
    fn name(&self) -> &str {
        let first = self.words.first().map_or("", String::as_str);
        first.rsplit('/').next().unwrap_or_default()
    }

    /// What follows the option, whether behind a space or a `=`.
    fn option(&self, names: &[&str]) -> Option<&str> {
        self.words.iter().zip(self.words.iter().skip(1).map(Some).chain([None])).find_map(|(word, next)| {
            let plain = word.trim_start_matches('-');
            if plain.len() == word.len() {
                return None;
            }
            match plain.split_once('=') {
                Some((name, value)) => names.contains(&name).then_some(value),
                None if names.contains(&plain) => next.map(String::as_str),
                None => None,
            }
        })
    }

    /// The port it listens on, as far as its command line tells.
    fn port(&self) -> Option<u16> {
        let display = |text: &str| text.rsplit_once(':')?.1.split(',').next()?.parse::<u16>().ok().map(|n| 5900 + n);
        if let Some(port) = self.option(&["rfbport"]) {
            return port.parse().ok();
        }
        match self.name() {
            name if name.starts_with("qemu") => self.option(&["vnc"]).and_then(display),
            name if name.starts_with('X') => {
                self.words.iter().find(|word| word.starts_with(':')).and_then(|d| display(d))
            }
            name if name.contains("vncserver-x11") => Some(5900),
            "x11vnc" | "wayvnc" | "x0vncserver" | "x0tigervncserver" | "krfb" | "vino-server" => {
                self.words.last().and_then(|word| word.parse().ok()).or(Some(5900))
            }
            _ => None,
        }
    }

    fn socket(&self) -> Option<&str> {
        self.option(&["rfbunixpath", "unixsock"]).or_else(|| {
            let path = self.option(&["vnc"])?.strip_prefix("unix:")?;
            path.split(',').next()
        })
    }

    /// The desktop's name, which may have several words.
    fn title(&self) -> Option<String> {
        let start = self.words.iter().position(|word| matches!(word.as_str(), "-desktop" | "-name"))? + 1;
        let words: Vec<&str> =
            self.words.iter().skip(start).take_while(|word| !word.starts_with('-')).map(String::as_str).collect();
        Some(words.join(" ")).filter(|title| !title.is_empty())
    }
}

fn what(program: Option<&Program>) -> String {
    let Some(program) = program else { return String::new() };
    let title = program.title().map_or_else(String::new, |title| format!(" \"{title}\""));
    escape(&format!("{}{title}", program.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(host: &str, port: u16) -> Place {
        Place::Port { host: host.to_owned(), port }
    }

    #[test]
    fn a_linux_host_tells_whose_everything_is() {
        let printed = "Welcome!\n=user\n1000\n=ports\n\
            0: 0100007F:170D 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12345 1\n\
            1: 00000000:170C 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12346 1\n\
            2: 0100007F:1710 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 12347 1\n\
            0: 00000000000000000000000001000000:170D 00000000000000000000000000000000:0000 0A 0:0 0:0 0  1000 0 12348\n\
            1: 00000000000000000000000000000000:170F 00000000000000000000000000000000:0000 0A 0:0 0:0 0  1000 0 12349\n\
            =programs\n\
            1000 me /usr/bin/Xtigervnc :1 -localhost=1 -desktop host:1 (me) -rfbport 5901 -geometry 1x1\n\
            1001 you /usr/bin/qemu-system-x86_64 -name vm -vnc 127.0.0.1:4\n\
            1000 me Xvnc :7 -rfbport=-1 -rfbunixpath /home/me/.vnc/sock\n\
            1000 me grep -i -e vnc\n\
            1000 me wayvnc --socket=/run/user/1000/wayvncctl 127.0.0.1 5903\n\
            =sockets\n/home/me/.vnc/sock\n/home/me/.vnc/stale\n/run/user/1000/wayvncctl\n/run/user/1000/bus\n\
            =listening\nknown\n0000: 00000002 00000000 00010000 0001 01 12350 /home/me/.vnc/sock\n=end\n";
        let desktops = read(printed).unwrap();
        let told: Vec<(Place, Owner, &str)> =
            desktops.iter().map(|d| (d.place.clone(), d.owner.clone(), d.what.as_str())).collect();
        assert_eq!(
            told,
            [
                (port("127.0.0.1", 5901), Owner::Me, "Xtigervnc \"host:1 (me)\""),
                (port("::1", 5903), Owner::Me, "wayvnc"),
                (Place::Socket("/home/me/.vnc/sock".into()), Owner::Me, "Xvnc"),
                (port("127.0.0.1", 5900), Owner::Root, ""),
                (port("127.0.0.1", 5904), Owner::Other("you".into()), "qemu-system-x86_64 \"vm\""),
            ]
        );
    }

    #[test]
    fn other_systems_tell_the_ports() {
        let printed = "=user\n501\n=ports\n\
            tcp4       0      0  *.5900                 *.*                    LISTEN\n\
            tcp6       0      0  *.5900                 *.*                    LISTEN\n\
            tcp6       0      0  ::1.5902               *.*                    LISTEN\n\
            tcp        0      0 10.0.0.5:5905           0.0.0.0:*              LISTEN\n\
            tcp4       0      0  *.22                   *.*                    LISTEN\n\
            =programs\n=sockets\n/Users/me/.vnc/sock\n=listening\n=end\n";
        let desktops = read(printed).unwrap();
        let places: Vec<Place> = desktops.iter().map(|desktop| desktop.place.clone()).collect();
        let socket = Place::Socket("/Users/me/.vnc/sock".into());
        assert_eq!(places, [socket, port("10.0.0.5", 5905), port("127.0.0.1", 5900), port("::1", 5902)]);
        assert_eq!(desktops[1].owner, Owner::Unknown);
    }

    #[test]
    fn a_server_on_a_port_and_a_socket_is_one_desktop() {
        let printed = "=user\n7\n=ports\n\
            0: 0100007F:170D 00000000:0000 0A 0:0 0:0 0  7 0 1\n=programs\n\
            7 me Xvnc :1 -rfbunixpath /s/vnc\n=sockets\n=listening\nknown\nx 00010000 /s/vnc\n=end";
        assert_eq!(read(printed).unwrap().len(), 1);
    }

    #[test]
    fn what_did_not_run_to_its_end_says_nothing() {
        assert_eq!(read("=user\n7\n=ports\n"), None);
        assert_eq!(read("This account is not available."), None);
        assert_eq!(read("=end"), Some(vec![]));
        assert!(read("=ports\nx :17 é é é\n1 é:170D 0 0A\n=programs\né\n=end").unwrap().is_empty());
        assert!(!LOOK.trim_start_matches("exec sh -c '").trim_end_matches('\'').contains('\''));
    }
}
