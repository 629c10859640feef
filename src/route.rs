//! From TARGET and the options of ssh to the way there: which servers, which logins, which channel.

use std::sync::Arc;

use crate::cli::Connection;
use crate::desktops::Find;
use crate::error::Failure;
use crate::hops::{self, Before, Host, Way};
use crate::say;
use crate::session::transport::{Chooser, Destination, Reverse, Route, SystemSsh, TcpOptions};
use crate::target::{Gateway, Place, Target};

/// The way to `target`. Tells on stderr what `--direct` leaves unprotected.
///
/// # Errors
/// [`Failure`] of the kind usage.
pub fn to(target: Target, typed: &Connection) -> Result<Way, Failure> {
    if typed.direct { direct(target).map(|route| Way { route, may_ask: true }) } else { over_ssh(target, typed) }
}

fn direct(target: Target) -> Result<Route, Failure> {
    let (host, place) = match target {
        Target::LocalSocket(path) => return Ok(Route::Unix { path }),
        Target::Host { user: Some(user), .. } => {
            return Err(
                Failure::usage(format!("--direct has no login for {}", user.escape_debug())).hint("leave USER@ out")
            );
        }
        Target::Host { host, place, .. } => (host, place.unwrap_or_default()),
    };
    let port = match place {
        Place::Port(port) => port,
        Place::Socket(path) => {
            return Err(
                Failure::usage(format!("a socket of another host ({path}) needs SSH")).hint("leave --direct out")
            );
        }
    };
    if !matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1") {
        say::remark(format_args!(
            "--direct: nothing on the way to {host} is protected: whoever can listen sees the screen and every key, \
             whoever can interfere can take over; a VNC password does not change that"
        ));
    }
    Ok(Route::Tcp { host, port, options: TcpOptions { keep_alive: true, ..TcpOptions::default() } })
}

/// The channel that is wanted, and from which SSH server.
struct Wanted {
    /// The SSH server that opens the channel.
    host: Host,
    to: Destination,
    /// A server before it.
    gateway: Option<Gateway>,
}

fn over_ssh(target: Target, typed: &Connection) -> Result<Way, Failure> {
    let wanted = wanted(target, typed)?;
    if let Some(program) = &typed.ssh_program {
        return Ok(Way { route: Route::SystemSsh(system_ssh(program, wanted, typed)), may_ask: true });
    }
    let before = match wanted.gateway {
        Some(gateway) => Before::Jumps(vec![gateway.into()]),
        None => Before::AsConfigured,
    };
    hops::way(&wanted.host, wanted.to, before, typed)
}

/// Reads TARGET and `--via` together: who opens the channel, and to what.
fn wanted(target: Target, typed: &Connection) -> Result<Wanted, Failure> {
    let Target::Host { user, host, place } = target else {
        return Err(Failure::usage("a socket of this machine is reached without SSH")
            .hint("add --direct, or name the host: HOST:/SOCKET"));
    };
    let port = typed.port.map(u16::from);
    let typed_user = typed.login.clone();
    let gateway = match &typed.via {
        Some(gateway) => Some(Gateway::parse(gateway).map_err(|error| Failure::usage(format!("--via: {error}")))?),
        None => None,
    };
    if let Some(command) = &typed.exec {
        if place.is_some() {
            return Err(Failure::usage("--exec and a display exclude each other")
                .hint("name the host alone: the command is the desktop"));
        }
        let to = Destination::Exec { command: command.clone() };
        return Ok(Wanted { host: Host { user: typed_user.or(user), name: host, port }, to, gateway });
    }
    let place = match (looked_for(typed, &place)?, place) {
        (Some(to), _) => return Ok(Wanted { host: Host { user: typed_user.or(user), name: host, port }, to, gateway }),
        (None, place) => place.unwrap_or_default(),
    };
    match gateway {
        // Without a login behind the gateway the target is as the gateway sees it: as safe as the network there.
        Some(gateway) if user.is_none() => {
            let to = match place {
                Place::Port(port) => Destination::Tcp { host, port },
                Place::Socket(path) if host == "localhost" => Destination::Unix { path },
                Place::Socket(_) => {
                    return Err(Failure::usage(format!("a socket on {host} needs a login there"))
                        .hint(format!("write USER@{host}:/SOCKET, or localhost:/SOCKET for one of the gateway")));
                }
            };
            let (user, port) = (gateway.user.or(typed_user), gateway.port.or(port));
            Ok(Wanted { host: Host { user, name: gateway.host, port }, to, gateway: None })
        }
        gateway => {
            let to = match place {
                Place::Port(port) => Destination::Tcp { host: "localhost".to_owned(), port },
                Place::Socket(path) => Destination::Unix { path },
            };
            Ok(Wanted { host: Host { user: typed_user.or(user), name: host, port }, to, gateway })
        }
    }
}

/// A desktop that is looked for, or that comes by itself.
fn looked_for(typed: &Connection, place: &Option<Place>) -> Result<Option<Destination>, Failure> {
    if let Some(command) = &typed.reverse {
        let command = Some(command.clone()).filter(|command| !command.is_empty());
        return match place {
            None => Ok(Some(Destination::Reverse(Reverse { port: None, command }))),
            Some(Place::Port(port)) => Ok(Some(Destination::Reverse(Reverse { port: Some(*port), command }))),
            Some(Place::Socket(_)) => Err(Failure::usage("--reverse waits on a port, not on a socket")),
        };
    }
    if !typed.find && typed.start.is_none() {
        return Ok(None);
    }
    if place.is_some() {
        return Err(Failure::usage("TARGET names the desktop, so there is nothing to look for")
            .hint("leave the display out, or --find and --start"));
    }
    Ok(Some(Destination::Chosen(Chooser(Arc::new(Find { start: typed.start.clone() })))))
}

/// The same for the system's ssh, which reads its own configuration.
fn system_ssh(program: &str, wanted: Wanted, typed: &Connection) -> SystemSsh {
    let mut options = Vec::new();
    let mut add = |flag: &str, value: Option<String>| {
        if let Some(value) = value {
            options.extend([flag.to_owned(), value]);
        }
    };
    add("-p", wanted.host.port.map(|port| port.to_string()));
    add("-l", wanted.host.user);
    add("-F", typed.config_file.as_ref().map(|file| file.display().to_string()));
    for option in &typed.options {
        add("-o", Some(option.clone()));
    }
    for file in &typed.identity {
        add("-i", Some(file.display().to_string()));
    }
    add(
        "-J",
        wanted.gateway.map(|Gateway { user, host, port }| {
            let user = user.map_or_else(String::new, |user| format!("{user}@"));
            let host = if host.contains(':') { format!("[{host}]") } else { host };
            port.map_or_else(|| format!("{user}{host}"), |port| format!("{user}{host}:{port}"))
        }),
    );
    if typed.compression {
        options.push("-C".to_owned());
    }
    SystemSsh { program: program.to_owned(), options, host: wanted.host.name, to: wanted.to }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{self, Command, Typed};
    use crate::session::transport::SshRoute;

    fn route(line: &str) -> Result<Route, Failure> {
        // Nobody's configuration.
        let config: &[&str] = if line.contains("--direct") { &[] } else { &["-F", "none"] };
        let words = ["sshvnc"].iter().chain(config).copied().chain(line.split(' ')).map(Into::into);
        let typed = match cli::read(words) {
            Ok(Typed::Do(command)) => match *command {
                Command::View(view) => view.connection,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        };
        to(Target::parse(&typed.target).unwrap(), &typed).map(|way| way.route)
    }

    fn ssh(route: Route) -> SshRoute {
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
        let hop = ssh(route("me@myhost:1 -p 2222").unwrap());
        assert_eq!((hop.host.as_str(), hop.port, hop.login.user.as_str()), ("myhost", 2222, "me"));
        assert_eq!(hop.to, tcp("localhost", 5901));
        assert!(matches!(hop.via, Route::Tcp { host, port: 2222, .. } if host == "myhost"));
        assert_eq!(ssh(route("myhost").unwrap()).to, tcp("localhost", 5900));
    }

    #[test]
    fn a_gateway_reaches_the_target_with_or_without_a_login_there() {
        let plain = ssh(route("--via you@gw:2200 inner:1").unwrap());
        assert_eq!((plain.host.as_str(), plain.port, plain.login.user.as_str()), ("gw", 2200, "you"));
        assert_eq!(plain.to, tcp("inner", 5901));
        let inner = ssh(route("--via you@gw me@inner:1 -p 2201").unwrap());
        assert_eq!((inner.host.as_str(), inner.port, inner.login.user.as_str()), ("inner", 2201, "me"));
        assert_eq!(inner.to, tcp("localhost", 5901));
        let outer = ssh(inner.via);
        assert_eq!((outer.host.as_str(), outer.port, outer.login.user.as_str()), ("gw", 22, "you"));
        assert_eq!(outer.to, tcp("inner", 2201));
        assert!(route("--via gw inner:/run/vnc").is_err());
    }

    #[test]
    fn sockets_commands_and_direct_connections() {
        assert_eq!(ssh(route("h:/run/vnc").unwrap()).to, Destination::Unix { path: "/run/vnc".into() });
        assert_eq!(ssh(route("h --exec vnc").unwrap()).to, Destination::Exec { command: "vnc".into() });
        assert!(matches!(route("--direct /run/vnc"), Ok(Route::Unix { .. })));
        assert!(matches!(route("--direct localhost:1"), Ok(Route::Tcp { port: 5901, .. })));
        for line in ["/run/vnc", "--direct me@h:1", "--direct h:/run/vnc", "h:1 --exec vnc"] {
            assert!(route(line).is_err(), "{line}");
        }
    }

    #[test]
    fn desktops_that_are_looked_for_or_come_by_themselves() {
        assert!(matches!(ssh(route("h --find").unwrap()).to, Destination::Chosen(_)));
        assert!(matches!(ssh(route("h --start vncserver").unwrap()).to, Destination::Chosen(_)));
        let reverse = |line| match ssh(route(line).unwrap()).to {
            Destination::Reverse(reverse) => (reverse.port, reverse.command),
            other => panic!("{other:?}"),
        };
        assert_eq!(reverse("--reverse h"), (None, None));
        assert_eq!(reverse("--reverse=x:%p h::5500"), (Some(5500), Some("x:%p".into())));
        for line in ["h:1 --find", "h:1 --start vncserver", "h:/run/vnc --reverse"] {
            assert!(route(line).is_err(), "{line}");
        }
    }

    #[test]
    fn options_of_ssh_decide_how_and_how_long() {
        use crate::session::transport::Method;
        let plain = ssh(route("h").unwrap());
        assert_eq!(plain.options.alive, Some((std::time::Duration::from_secs(15), 3)));
        assert_eq!(plain.login.methods, [Method::PublicKey, Method::KeyboardInteractive, Method::Password]);
        let line = "h -o ServerAliveInterval=0 -o PreferredAuthentications=password,publickey -o CompressioN=yes";
        let told = ssh(route(line).unwrap());
        assert_eq!(told.options.alive, None);
        assert_eq!(told.login.methods, [Method::Password, Method::PublicKey]);
        assert!(told.options.compression && !plain.options.compression);
        let asked = ssh(route("h -o ServerAliveInterval=7 -o ServerAliveCountMax=2").unwrap());
        assert_eq!(asked.options.alive, Some((std::time::Duration::from_secs(7), 2)));
        assert!(route("h -o PubkeyAuthentication=no -o PreferredAuthentications=publickey").is_err());
    }

    #[test]
    fn the_systems_ssh_is_told_what_was_typed() {
        let line = "me@myhost:1 --ssh-program -p 2222 -i key -C --via gw:22";
        let Ok(Route::SystemSsh(ssh)) = route(line) else { panic!() };
        assert_eq!(ssh.options, ["-p", "2222", "-l", "me", "-F", "none", "-i", "key", "-J", "gw:22", "-C"]);
        assert_eq!((ssh.program.as_str(), ssh.host.as_str(), ssh.to), ("ssh", "myhost", tcp("localhost", 5901)));
    }
}
