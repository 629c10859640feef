//! From what was typed to a session's plan: every value is checked once, here, before anything is sent.

use std::env;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use secrecy::SecretSlice;

use crate::cli::{Connection, NotYet};
use crate::error::Failure;
use crate::picture::ByteOrder;
use crate::recording;
use crate::rfb::{PixelFormat, encoding, vnc_auth};
use crate::session::transport::{Destination, Identity, KnownHosts, Login, Route, SshOptions, SshRoute};
use crate::session::{Plan, Settings};
use crate::target::{Gateway, Place, Target};
use crate::terminal;

/// The SSH server's port (RFC 4253 §4.1).
const SSH_PORT: u16 = 22;

/// What the pixels are for.
pub enum Purpose {
    /// To be looked at.
    Show,
    /// To be written down as they arrive.
    Record(recording::Writer),
}

/// The plan for what was typed. Tells on stderr what `--direct` leaves unprotected.
///
/// # Errors
/// [`Failure`] of the kind usage.
pub fn plan(typed: &Connection, purpose: Purpose) -> Result<Plan, Failure> {
    refuse_what_is_not_here(&typed.not_yet)?;
    let target = Target::parse(&typed.target).map_err(Failure::usage)?;
    let password = password(typed.passwd.as_deref())?;
    let (order, recorder) = match purpose {
        Purpose::Show => (ByteOrder::Bgrx, None),
        Purpose::Record(_) if typed.bgr233 || typed.rgb565 => {
            return Err(Failure::usage("a recording always has 32 bits a pixel: leave --bgr233 and --rgb565 out"));
        }
        Purpose::Record(writer) => (ByteOrder::Rgbx, Some(writer)),
    };
    let format = match (typed.bgr233, typed.rgb565) {
        (true, _) => PixelFormat::bgr233(),
        (_, true) => PixelFormat::rgb565(),
        _ => PixelFormat::rgb888(order.shifts()),
    };
    let encodings = encodings(typed.encodings.as_deref())?;
    let route = if typed.direct { direct(target)? } else { over_ssh(target, typed)? };
    Ok(Plan {
        route,
        password,
        may_ask: terminal::is_there(),
        shared: !typed.no_shared,
        settings: Settings { format, encodings },
        order,
        recorder,
    })
}

fn refuse_what_is_not_here(typed: &NotYet) -> Result<(), Failure> {
    let not_here = |what: &str, instead: &str| Err(Failure::usage(format!("{what} is not here yet")).hint(instead));
    match typed {
        NotYet { compression: true, .. } => {
            not_here("-C (compression)", "leave it out: encodings such as zlib compress")
        }
        NotYet { option, .. } if !option.is_empty() => {
            not_here("-o (options of ssh_config)", "-p, -l, -i and --via are; ~/.ssh/config is not read")
        }
        NotYet { config_file: Some(_), .. } => {
            not_here("-F (a file of ssh_config)", "-p, -l, -i and --via are; ~/.ssh/config is not read")
        }
        NotYet { jump: Some(_), .. } => not_here("-J (jump hosts)", "--via GATEWAY takes one"),
        _ => Ok(()),
    }
}

fn encodings(list: Option<&str>) -> Result<Vec<i32>, Failure> {
    let Some(list) = list else { return Ok(encoding::PIXEL_ENCODINGS.map(|(_, number)| number).to_vec()) };
    let mut numbers = Vec::new();
    for word in list.split([' ', ',']).filter(|word| !word.is_empty()) {
        let known = encoding::PIXEL_ENCODINGS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        let Some((_, number)) = known else {
            let names = encoding::PIXEL_ENCODINGS.map(|(name, _)| name).join(" ");
            return Err(Failure::usage(format!("the encoding \"{}\" is not known", word.escape_debug()))
                .hint(format!("known are: {names}")));
        };
        if !numbers.contains(number) {
            numbers.push(*number);
        }
    }
    if numbers.is_empty() {
        return Err(Failure::usage("--encodings names none"));
    }
    // Every server may send Raw, and some send what was not asked for if it is not named.
    if !numbers.contains(&encoding::RAW) {
        numbers.push(encoding::RAW);
    }
    Ok(numbers)
}

fn password(file: Option<&Path>) -> Result<Option<SecretSlice<u8>>, Failure> {
    if let Some(path) = file {
        let wrong = |what: String| {
            Failure::usage(format!("the password file {}: {what}", path.display()))
                .hint(format!("make one with: sshvnc passwd {}", path.display()))
        };
        let bytes = zeroize::Zeroizing::new(fs::read(path).map_err(|error| wrong(error.to_string()))?);
        let block =
            bytes.first_chunk::<8>().ok_or_else(|| wrong(format!("{} bytes, at least 8 expected", bytes.len())))?;
        return Ok(Some(vnc_auth::reveal(block).to_vec().into()));
    }
    Ok(env::var_os("VNC_PASSWORD").map(|password| password.into_vec().into()))
}

fn direct(target: Target) -> Result<Route, Failure> {
    match target {
        Target::LocalSocket(path) => Ok(Route::Unix { path }),
        Target::Host { user: Some(user), .. } => {
            Err(Failure::usage(format!("--direct has no login for {}", user.escape_debug())).hint("leave USER@ out"))
        }
        Target::Host { place: Place::Socket(path), .. } => {
            Err(Failure::usage(format!("a socket of another host ({path}) needs SSH")).hint("leave --direct out"))
        }
        Target::Host { host, place: Place::Port(port), .. } => {
            let here = matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1");
            if !here {
                eprintln!(
                    "sshvnc: --direct: nothing on the way to {host} is protected: whoever can listen sees the screen and \
                     every key, whoever can interfere can take over; a VNC password does not change that"
                );
            }
            Ok(Route::Tcp { host, port })
        }
    }
}

fn over_ssh(target: Target, typed: &Connection) -> Result<Route, Failure> {
    let Target::Host { user, host, place } = target else {
        return Err(Failure::usage("a socket of this machine is reached without SSH")
            .hint("add --direct, or name the host: HOST:/SOCKET"));
    };
    let home = home();
    let ssh = |via, host: String, port, login: Login, to| {
        let known_hosts = match &home {
            Some(home) => KnownHosts::of_home(home),
            None => KnownHosts::memory(""),
        };
        Route::Ssh(Box::new(SshRoute { via, host, port, login, known_hosts, to, options: SshOptions::default() }))
    };
    let port = typed.port.map(u16::from);
    let typed_user = typed.login.clone();
    let Some(gateway) = &typed.via else {
        let login = login(typed_user.or(user), typed, home.as_deref())?;
        let port = port.unwrap_or(SSH_PORT);
        let via = Route::Tcp { host: host.clone(), port };
        return Ok(ssh(via, host, port, login, at_host(place)));
    };
    let gateway = Gateway::parse(gateway).map_err(|error| Failure::usage(format!("--via: {error}")))?;
    let two_logins = user.is_some();
    let gateway_port = gateway.port.or(port.filter(|_| !two_logins)).unwrap_or(SSH_PORT);
    let gateway_user = gateway.user.or(typed_user.clone().filter(|_| !two_logins));
    let gateway_login = login(gateway_user, typed, home.as_deref())?;
    let first = Route::Tcp { host: gateway.host.clone(), port: gateway_port };
    if !two_logins {
        // As seen from the gateway; the part of the way behind it is as safe as that network is.
        let to = match place {
            Place::Port(port) => Destination::Tcp { host, port },
            Place::Socket(path) if host == "localhost" => Destination::Unix { path },
            Place::Socket(_) => {
                return Err(Failure::usage(format!("a socket on {host} needs a login there"))
                    .hint(format!("write USER@{host}:/SOCKET, or localhost:/SOCKET for one of the gateway")));
            }
        };
        return Ok(ssh(first, gateway.host, gateway_port, gateway_login, to));
    }
    let port = port.unwrap_or(SSH_PORT);
    let to_host = Destination::Tcp { host: host.clone(), port };
    let via = ssh(first, gateway.host, gateway_port, gateway_login, to_host);
    let login = login(typed_user.or(user), typed, home.as_deref())?;
    Ok(ssh(via, host, port, login, at_host(place)))
}

/// Where the desktop is, as its own host sees it.
fn at_host(place: Place) -> Destination {
    match place {
        Place::Port(port) => Destination::Tcp { host: "localhost".to_owned(), port },
        Place::Socket(path) => Destination::Unix { path },
    }
}

fn login(user: Option<String>, typed: &Connection, home: Option<&Path>) -> Result<Login, Failure> {
    let user = user.or_else(local_user).ok_or_else(|| {
        Failure::usage("the name of the user of this machine is not known").hint("write USER@HOST, or -l USER")
    })?;
    let mut login = Login::new(user);
    if let Some(home) = home {
        login = login.with_default_identities(home);
    }
    login.identities = typed.identity.iter().map(|path| Identity::File(expand(path, home))).collect();
    login.agent = env::var_os("SSH_AUTH_SOCK").filter(|socket| !socket.is_empty()).map(PathBuf::from);
    Ok(login)
}

/// `~/FILE`, which a shell leaves alone behind a `=`.
fn expand(path: &Path, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

/// The folder of the user's files.
pub fn home() -> Option<PathBuf> {
    env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from)
}

/// The user that runs this program, by the system's list of users, else by the environment.
fn local_user() -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let id = fs::metadata("/proc/self").ok().map(|process| process.uid().to_string());
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let by_id = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1) == id.as_deref() && id.is_some()).then(|| name.to_owned())
    });
    by_id.or_else(|| ["LOGNAME", "USER"].iter().find_map(|name| env::var(name).ok().filter(|name| !name.is_empty())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{self, Command, Typed};

    fn typed(line: &str) -> Connection {
        let words = std::iter::once("sshvnc").chain(line.split(' ')).map(Into::into);
        match cli::read(words) {
            Ok(Typed::Do(command)) => match *command {
                Command::View(view) => view.connection,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    fn route(line: &str) -> Result<Route, Failure> {
        plan(&typed(line), Purpose::Show).map(|plan| plan.route)
    }

    fn hop(route: Route) -> SshRoute {
        match route {
            Route::Ssh(hop) => *hop,
            _ => panic!("not over SSH"),
        }
    }

    fn tcp(host: &str, port: u16) -> Destination {
        Destination::Tcp { host: host.into(), port }
    }

    #[test]
    fn the_desktop_is_on_the_servers_own_localhost() {
        let hop = hop(route("me@myhost:1 -p 2222").unwrap());
        assert_eq!((hop.host.as_str(), hop.port, hop.login.user.as_str()), ("myhost", 2222, "me"));
        assert_eq!(hop.to, tcp("localhost", 5901));
        assert!(matches!(hop.via, Route::Tcp { host, port: 2222 } if host == "myhost"));
    }

    #[test]
    fn a_gateway_reaches_the_target_with_or_without_a_login_there() {
        let plain = hop(route("--via you@gw:2200 inner:1").unwrap());
        assert_eq!((plain.host.as_str(), plain.port, plain.login.user.as_str()), ("gw", 2200, "you"));
        assert_eq!(plain.to, tcp("inner", 5901));
        let inner = hop(route("--via you@gw me@inner:1 -p 2201").unwrap());
        assert_eq!((inner.host.as_str(), inner.port, inner.login.user.as_str()), ("inner", 2201, "me"));
        assert_eq!(inner.to, tcp("localhost", 5901));
        let outer = hop(inner.via);
        assert_eq!((outer.host.as_str(), outer.port, outer.login.user.as_str()), ("gw", 22, "you"));
        assert_eq!(outer.to, tcp("inner", 2201));
        assert!(route("--via gw inner:/run/vnc").is_err());
    }

    #[test]
    fn sockets_and_direct_connections() {
        assert_eq!(hop(route("h:/run/vnc").unwrap()).to, Destination::Unix { path: "/run/vnc".into() });
        assert!(matches!(route("--direct /run/vnc"), Ok(Route::Unix { .. })));
        assert!(matches!(route("--direct localhost:1"), Ok(Route::Tcp { port: 5901, .. })));
        for line in ["/run/vnc", "--direct me@h:1", "--direct h:/run/vnc"] {
            assert!(matches!(route(line), Err(Failure::Because { .. })), "{line}");
        }
    }

    #[test]
    fn what_is_not_here_is_refused_by_name() {
        for (line, name) in [("-C h", "-C"), ("-o A=b h", "-o"), ("-F f h", "-F"), ("-J j h", "-J")] {
            let failure = route(line).err().unwrap();
            assert!(failure.exit_code() == 1 && failure.to_string().starts_with(name), "{failure}");
        }
    }

    #[test]
    fn encodings_in_the_users_order() {
        assert_eq!(encodings(Some("copyrect hextile")).unwrap(), [1, 5, 0]);
        assert_eq!(encodings(Some("Raw,RRE,raw")).unwrap(), [0, 2]);
        assert!(encodings(Some("tight")).unwrap_err().to_string().contains("copyrect zlib"));
        assert!(encodings(Some(" ")).is_err());
    }

    #[test]
    fn password_files() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("passwd");
        let failure = password(Some(&path)).unwrap_err().to_string();
        assert!(failure.contains("No such file") && failure.contains("sshvnc passwd"), "{failure}");
        fs::write(&path, [1, 2, 3]).unwrap();
        assert!(password(Some(&path)).unwrap_err().to_string().contains("3 bytes"));
        fs::write(&path, vnc_auth::obfuscate(b"secret12")).unwrap();
        use secrecy::ExposeSecret;
        assert_eq!(password(Some(&path)).unwrap().unwrap().expose_secret(), b"secret12");
    }
}
