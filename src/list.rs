//! `sshvnc list`: the desktops of a host, and what to type for each.

use std::net::IpAddr;

use serde_json::json;

use crate::cli::List;
use crate::desktops::{self, Desktop, Owner, Place};
use crate::errand;
use crate::error::{Failure, Kind};
use crate::escape::escape;
use crate::route;
use crate::say;
use crate::session::Error;
use crate::target::Target;
use crate::terminal;
use crate::transport;

/// Prints them.
///
/// # Errors
/// [`Failure`]; of the kind that means no connection if there is none.
pub fn run(what: &List) -> Result<(), Failure> {
    let typed = &what.connection;
    let target = Target::parse(&typed.target).map_err(Failure::usage)?;
    let host = match &target {
        Target::Host { host, place: None, .. } if !typed.direct => host.clone(),
        _ => {
            return Err(Failure::usage(format!("\"{}\" is no host to look around on", typed.target.escape_debug()))
                .hint("name it without a display: [USER@]HOST"));
        }
    };
    let way = route::to(target, typed)?;
    let visit = async |asker| {
        let visited = transport::visit(way.route, &asker, async |remote| desktops::look(&remote).await).await;
        visited.map_err(|error| Failure::from(Error::from(error)))
    };
    let desktops = errand::run(way.may_ask && terminal::can_ask(), visit)?;
    if desktops.is_empty() {
        return Err(Failure::new(Kind::NoConnection, format!("no desktop was found on {}", escape(&host)))
            .hint(format!("start one: sshvnc --start vncserver {}", typed.target)));
    }
    for desktop in &desktops {
        if what.json {
            say::result(object(desktop, &typed.target));
        } else {
            say::result(format_args!("{:<30} {}", target_of(desktop, &typed.target), words(desktop)));
        }
    }
    Ok(())
}

/// What to type for it.
fn target_of(desktop: &Desktop, host: &str) -> String {
    let is_local = |name: &str| name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match &desktop.place {
        Place::Port { host: name, .. } if !is_local(name) => {
            format!("--via {host} {}{}", bracketed(name), desktop.place)
        }
        place => format!("{}{place}", bracketed(host)),
    }
}

fn bracketed(host: &str) -> String {
    if host.contains("::") && !host.contains('[') { format!("[{host}]") } else { host.to_owned() }
}

fn words(desktop: &Desktop) -> String {
    let whose = whose(desktop).map_or_else(|| "of an unknown user".to_owned(), |whose| format!("of {whose}"));
    let what = if desktop.what.is_empty() { String::new() } else { format!(", {}", desktop.what) };
    match &desktop.place {
        Place::Port { host, port } => format!("{whose}, {}{what}", transport::place(host, *port)),
        Place::Socket(_) => format!("{whose}, a socket{what}"),
    }
}

fn whose(desktop: &Desktop) -> Option<&str> {
    match &desktop.owner {
        Owner::Me => Some("you"),
        Owner::Root => Some("root"),
        Owner::Other(name) => Some(name),
        Owner::Unknown => None,
    }
}

fn object(desktop: &Desktop, host: &str) -> serde_json::Value {
    let (port, socket) = match &desktop.place {
        Place::Port { port, .. } => (Some(port), None),
        Place::Socket(path) => (None, Some(path)),
    };
    json!({
        "target": target_of(desktop, host),
        "port": port,
        "socket": socket,
        "mine": desktop.owner == Owner::Me,
        "owner": whose(desktop),
        "what": desktop.what,
    })
}
