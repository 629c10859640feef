//! Opens TCP connections and local sockets: every address of a name is tried, the families taking turns (RFC 8305).

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream, UnixStream};
use tokio::task::JoinSet;

use super::Asker;
use super::error::{Error, io_words};
use crate::escape::escape;

/// All of it: the name and every address. Shorter than the kernel's two minutes, long enough for two lost SYNs on a
/// slow link.
const CONNECT_LIMIT: Duration = Duration::from_secs(15);
/// How long one address may be tried alone before the next one joins (RFC 8305, section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// How a TCP connection is made; the names in brackets are those of ssh_config(5).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TcpOptions {
    /// Addresses of one family only (AddressFamily).
    pub family: Option<Family>,
    /// The address of this machine to connect from (BindAddress).
    pub from: Option<IpAddr>,
    /// How long it may take (ConnectTimeout).
    pub timeout: Option<Duration>,
    /// How often it is tried again, a second apart (ConnectionAttempts less one).
    pub retries: u32,
    /// Whether the kernel looks now and then whether the other side is still there (TCPKeepAlive).
    pub keep_alive: bool,
}

/// A family of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// Connects to `host:port`.
pub(crate) async fn connect(host: &str, port: u16, options: &TcpOptions, asker: &Asker) -> Result<TcpStream, Error> {
    let mut tried = 0;
    loop {
        let failed = match connect_once(host, port, options, asker).await {
            Ok(stream) => return Ok(stream),
            Err(failed) => failed,
        };
        if tried == options.retries {
            return Err(failed);
        }
        tried += 1;
        tracing::info!("{failed}; trying again");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn connect_once(host: &str, port: u16, options: &TcpOptions, asker: &Asker) -> Result<TcpStream, Error> {
    let place = place(host, port);
    let limit = options.timeout.unwrap_or(CONNECT_LIMIT);
    let connecting = async { race(order(resolve(host, port, options).await?), options, &place).await };
    let stream = asker.clock().within(limit, connecting).await.map_err(|_| {
        Error::unreachable(format!("{place}: no answer within {} s", limit.as_secs()))
            .hint(format!("check the address, that {} is up, and that no firewall drops port {port}", escape(host)))
    })??;
    // Key presses are small writes: they must not wait for the acknowledgement of the one before.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("{place}: TCP_NODELAY: {error}");
    }
    Ok(stream)
}

/// Connects to a local socket.
pub(crate) async fn connect_unix(path: &Path) -> Result<UnixStream, Error> {
    UnixStream::connect(path).await.map_err(|error| {
        let name = escape(&path.display().to_string());
        let error_kind = error.kind();
        let failed = Error::unreachable(format!("{name}: {}", io_words(&error)));
        match error_kind {
            std::io::ErrorKind::ConnectionRefused => failed.hint("the socket is there but no server listens on it"),
            std::io::ErrorKind::NotFound => failed.hint("check the path, and that the server runs"),
            _ => failed,
        }
    })
}

/// `host:port` as it is shown, with brackets round an IPv6 address.
pub(crate) fn place(host: &str, port: u16) -> String {
    let host = escape(host);
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

async fn resolve(host: &str, port: u16, options: &TcpOptions) -> Result<Vec<SocketAddr>, Error> {
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    let name = escape(bare);
    let hint = "check the spelling; is this machine connected to the network that knows the name?";
    match tokio::net::lookup_host((bare, port)).await {
        Ok(addresses) => {
            // An address to connect from can only reach its own family.
            let from = options.from.map(|from| if from.is_ipv4() { Family::V4 } else { Family::V6 });
            let wanted = |address: &SocketAddr| match options.family.or(from) {
                None => true,
                Some(Family::V4) => address.is_ipv4(),
                Some(Family::V6) => address.is_ipv6(),
            };
            let addresses: Vec<_> = addresses.filter(wanted).collect();
            if addresses.is_empty() {
                if let Some(family) = options.family.or(from) {
                    let family = if family == Family::V4 { "IPv4" } else { "IPv6" };
                    return Err(Error::unreachable(format!("{name}: the name has no {family} address")));
                }
                return Err(Error::unreachable(format!("{name}: the name has no address")).hint(hint));
            }
            Ok(addresses)
        }
        Err(error) => {
            tracing::debug!("{name}: {error}");
            Err(Error::unreachable(format!("{name}: the name is not known")).hint(hint))
        }
    }
}

/// Alternates the families, starting with that of the resolver's first choice.
fn order(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(|a| a.is_ipv6());
    let (mut first, mut second): (VecDeque<_>, VecDeque<_>) =
        addresses.into_iter().partition(|a| a.is_ipv6() == first_is_v6);
    let mut ordered = VecDeque::new();
    while !first.is_empty() || !second.is_empty() {
        for address in [first.pop_front(), second.pop_front()].into_iter().flatten() {
            if !ordered.contains(&address) {
                ordered.push_back(address);
            }
        }
    }
    ordered
}

async fn race(mut waiting: VecDeque<SocketAddr>, options: &TcpOptions, place: &str) -> Result<TcpStream, Error> {
    let mut running = JoinSet::new();
    let mut failures: Vec<(SocketAddr, String)> = Vec::new();
    loop {
        if let Some(address) = waiting.pop_front() {
            let (from, keep_alive) = (options.from, options.keep_alive);
            running.spawn(async move { (address, dial(address, from, keep_alive).await) });
        }
        if running.is_empty() {
            return Err(refusal(place, &failures));
        }
        tokio::select! {
            Some(done) = running.join_next() => match done {
                Ok((address, Ok(stream))) => {
                    tracing::debug!("{place}: connected to {address}");
                    return Ok(stream);
                }
                Ok((address, Err(error))) => failures.push((address, io_words(&error))),
                Err(error) => tracing::debug!("{place}: {error}"),
            },
            () = tokio::time::sleep(STAGGER), if !waiting.is_empty() => {}
        }
    }
}

async fn dial(address: SocketAddr, from: Option<IpAddr>, keep_alive: bool) -> std::io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_keepalive(keep_alive)?;
    if let Some(from) = from {
        socket.bind((from, 0).into())?;
    }
    socket.connect(address).await
}

/// One line for all addresses: the reason alone when they agree, address by address when they do not.
fn refusal(place: &str, failures: &[(SocketAddr, String)]) -> Error {
    let Some((_, first)) = failures.first() else {
        return Error::unreachable(format!("{place}: no address could be tried"));
    };
    let agree = failures.iter().all(|(_, reason)| reason == first);
    let reasons = if agree {
        first.clone()
    } else {
        let show = |ip: IpAddr, reason: &str| format!("{ip} {reason}");
        failures.iter().map(|(a, reason)| show(a.ip(), reason)).collect::<Vec<_>>().join(", ")
    };
    let failed = Error::unreachable(format!("{place}: {reasons}"));
    if agree && first == "connection refused" {
        failed.hint("the machine is there but nothing listens on this port: is the server running, is the port right?")
    } else {
        failed.hint("check the address, the network and the firewall")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn families_take_turns() {
        let given = ["[::1]:1", "[::2]:1", "1.1.1.1:1", "[::1]:1", "2.2.2.2:1"].map(address).to_vec();
        assert_eq!(order(given), ["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1"].map(address));
    }

    #[test]
    fn failures_share_one_line() {
        let same = [
            (address("[::1]:22"), "connection refused".to_string()),
            (address("127.0.0.1:22"), "connection refused".to_string()),
        ];
        assert_eq!(refusal("myhost:22", &same).message(), "myhost:22: connection refused");
        let differ = [(address("[::1]:22"), "no route to host".to_string()), same[1].clone()];
        assert_eq!(
            refusal("myhost:22", &differ).message(),
            "myhost:22: ::1 no route to host, 127.0.0.1 connection refused"
        );
    }

    #[test]
    fn places_are_shown_as_they_are_typed() {
        assert_eq!(place("myhost", 22), "myhost:22");
        assert_eq!(place("::1", 5901), "[::1]:5901");
    }

    #[tokio::test]
    async fn a_closed_port_says_so() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let error = connect("127.0.0.1", port, &TcpOptions::default(), &Asker::nobody()).await.unwrap_err();
        assert_eq!(error.message(), format!("127.0.0.1:{port}: connection refused"));
        assert!(matches!(error, Error::Unreachable(_)));
    }

    #[tokio::test]
    async fn a_missing_socket_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let error = connect_unix(&dir.path().join("none")).await.unwrap_err();
        assert!(error.message().ends_with("/none: no such file"), "{error}");
    }
}
