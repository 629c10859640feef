//! TARGET and GATEWAY as they are typed: who, where, and which desktop there.

use std::path::PathBuf;

/// The first port of VNC displays (RFC 6143 §1: display N listens on 5900 + N).
const FIRST_PORT: u16 = 5900;
/// From here on a number behind one colon is a port, as in other viewers.
const FIRST_NUMBER_OF_A_PORT: u16 = 100;

/// A desktop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// On a host, perhaps this one.
    Host {
        /// The user on the host's SSH server.
        user: Option<String>,
        /// Name or address, without brackets.
        host: String,
        /// Where the desktop listens there, if that was said.
        place: Option<Place>,
    },
    /// A Unix socket of this machine.
    LocalSocket(PathBuf),
}

/// Where a desktop listens on its host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A TCP port.
    Port(u16),
    /// The path of a Unix socket.
    Socket(String),
}

/// An SSH server on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// The user there.
    pub user: Option<String>,
    /// Name or address, without brackets.
    pub host: String,
    /// The SSH server's port.
    pub port: Option<u16>,
}

impl Default for Place {
    /// Display 0.
    fn default() -> Place {
        Place::Port(FIRST_PORT)
    }
}

impl Target {
    /// Reads `[USER@]HOST[:DISPLAY]`, `[USER@]HOST::PORT`, `[USER@]HOST:/SOCKET` or `/SOCKET`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Target, String> {
        if text.contains("://") {
            return Err(format!("\"{text}\" is a URI: write USER@HOST:DISPLAY"));
        }
        if text.starts_with('/') {
            return Ok(Target::LocalSocket(text.into()));
        }
        // A path may hold any character, so it is cut off before anything else is looked at.
        if let Some((before, path)) = text.split_once(":/") {
            let (user, host) = user_and_host(before.strip_suffix(':').unwrap_or(before))?;
            let (host, rest) = bracketed(host)?.unwrap_or((host, ""));
            if !rest.is_empty() {
                return Err(format!("\"{text}\" has something between the host and the socket's path"));
            }
            return Ok(Target::Host {
                user,
                host: checked_host(host)?,
                place: Some(Place::Socket(format!("/{path}"))),
            });
        }
        let (user, rest) = user_and_host(text)?;
        let (host, number) = host_and_number(rest)?;
        let host = if host.is_empty() { "localhost".to_owned() } else { checked_host(host)? };
        let port = match number {
            Number::None => None,
            Number::Port(port) => Some(number_in(port, 1, "a port")?),
            Number::Display(display) => Some(match number_in(display, 0, "a display or port")? {
                display if display < FIRST_NUMBER_OF_A_PORT => FIRST_PORT + display,
                port => port,
            }),
        };
        Ok(Target::Host { user, host, place: port.map(Place::Port) })
    }
}

impl Gateway {
    /// Reads `[USER@]HOST[:PORT]`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Gateway, String> {
        let (user, rest) = user_and_host(text)?;
        let (host, number) = host_and_number(rest)?;
        let port = match number {
            Number::None => None,
            Number::Display(port) | Number::Port(port) => Some(number_in(port, 1, "a port")?),
        };
        Ok(Gateway { user, host: checked_host(host)?, port })
    }
}

enum Number<'a> {
    None,
    /// Behind one colon.
    Display(&'a str),
    /// Behind two colons.
    Port(&'a str),
}

/// The last `@` ends the user's name, as in ssh.
fn user_and_host(text: &str) -> Result<(Option<String>, &str), String> {
    let Some((user, host)) = text.rsplit_once('@') else { return Ok((None, text)) };
    if user.is_empty() || user.chars().any(|c| c.is_control()) {
        return Err(format!("\"{text}\" has no user's name before its @"));
    }
    Ok((Some(user.to_owned()), host))
}

/// `[HOST]REST`.
fn bracketed(text: &str) -> Result<Option<(&str, &str)>, String> {
    let Some(inside) = text.strip_prefix('[') else { return Ok(None) };
    inside.split_once(']').map(Some).ok_or_else(|| format!("\"{text}\" lacks its closing bracket"))
}

fn host_and_number(text: &str) -> Result<(&str, Number<'_>), String> {
    if let Some((host, rest)) = bracketed(text)? {
        return match (rest.strip_prefix("::"), rest.strip_prefix(':')) {
            _ if rest.is_empty() => Ok((host, Number::None)),
            (Some(port), _) => Ok((host, Number::Port(port))),
            (None, Some(display)) => Ok((host, Number::Display(display))),
            (None, None) => Err(format!("\"{text}\" has something behind its bracket that is no number")),
        };
    }
    // Other viewers read ::1 as port 1 of localhost; three colons and more make an address of IPv6.
    Ok(match text.matches(':').count() {
        0 => (text, Number::None),
        1 => text.split_once(':').map_or((text, Number::None), |(host, number)| (host, Number::Display(number))),
        2 if text.contains("::") => {
            text.split_once("::").map_or((text, Number::None), |(host, number)| (host, Number::Port(number)))
        }
        _ => (text, Number::None),
    })
}

fn number_in(text: &str, least: u16, what: &str) -> Result<u16, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u16>() {
        Ok(number) if digits && number >= least => Ok(number),
        _ => Err(format!("\"{text}\" is not {what}")),
    }
}

fn checked_host(host: &str) -> Result<String, String> {
    let harmless = |c: char| !c.is_whitespace() && !c.is_control() && !"/[]\"'`$;|&<>()\\".contains(c);
    if host.is_empty() {
        return Err("the host's name is missing".to_owned());
    }
    if host.starts_with('-') || host.len() > 255 || !host.chars().all(harmless) {
        return Err(format!("\"{}\" is no host's name", host.escape_debug()));
    }
    Ok(host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(user: Option<&str>, host: &str, place: Option<Place>) -> Result<Target, String> {
        Ok(Target::Host { user: user.map(str::to_owned), host: host.to_owned(), place })
    }

    #[test]
    fn displays_and_ports_as_in_other_viewers() {
        for (text, name, port) in [
            ("host", "host", 0),
            ("host:1", "host", 5901),
            ("host:99", "host", 5999),
            ("host:100", "host", 100),
            ("host:5950", "host", 5950),
            ("host::42", "host", 42),
            (":7", "localhost", 5907),
            ("::1", "localhost", 1),
            ("[::1]:1", "::1", 5901),
            ("[::1]::22", "::1", 22),
            ("[fe80::1%eth0]", "fe80::1%eth0", 0),
            ("2001:db8::5", "2001:db8::5", 0),
        ] {
            assert_eq!(Target::parse(text), host(None, name, (port > 0).then_some(Place::Port(port))), "{text}");
        }
    }

    #[test]
    fn users_and_sockets() {
        assert_eq!(Target::parse("me@host:1"), host(Some("me"), "host", Some(Place::Port(5901))));
        assert_eq!(Target::parse("me@corp.com@host"), host(Some("me@corp.com"), "host", None));
        let socket = |path: &str| Some(Place::Socket(path.to_owned()));
        assert_eq!(Target::parse("me@host:/run/a@b:1"), host(Some("me"), "host", socket("/run/a@b:1")));
        assert_eq!(Target::parse("host::/run/vnc"), host(None, "host", socket("/run/vnc")));
        assert_eq!(Target::parse("[::1]:/run/vnc"), host(None, "::1", socket("/run/vnc")));
        assert_eq!(Target::parse("/run/vnc"), Ok(Target::LocalSocket("/run/vnc".into())));
    }

    #[test]
    fn nonsense_is_named() {
        for text in [
            "host:x",
            "host:",
            "host::",
            "host::0",
            "host:65536",
            "@host",
            "a b:1",
            "-oProxyCommand=x:1",
            "vnc://host",
            "[::1",
            "[::1]x",
            "me@",
            "host:+1",
            "me@:/x",
        ] {
            let error = Target::parse(text);
            assert!(error.is_err() || text == "me@", "{text}: {error:?}");
        }
    }

    #[test]
    fn gateways() {
        let gateway = |user: Option<&str>, host: &str, port| {
            Ok(Gateway { user: user.map(str::to_owned), host: host.into(), port })
        };
        assert_eq!(Gateway::parse("gw"), gateway(None, "gw", None));
        assert_eq!(Gateway::parse("me@gw:22"), gateway(Some("me"), "gw", Some(22)));
        assert_eq!(Gateway::parse("[::1]:2222"), gateway(None, "::1", Some(2222)));
        assert!(Gateway::parse("gw:ssh").is_err() && Gateway::parse("").is_err() && Gateway::parse("gw:0").is_err());
    }
}
