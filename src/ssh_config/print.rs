//! Shows a configuration as `ssh -G` does.

use std::fmt::Write;

use super::algorithms::{Algorithms, List};
use super::keyword::{self, Kind, SHOWN};
use super::resolved::{DEFAULT_IDENTITIES, Resolved};
use super::settings::{FORWARD_AGENT_PATH, NO_JUMP, REKEY_SECONDS};

/// The options in the lines and the order of `ssh -G`, as far as a VNC viewer has to do with them.
///
/// Lists of algorithms are those that result from `algorithms`: what the transport can do, or what OpenSSH can.
pub fn print(resolved: &Resolved, algorithms: &Algorithms) -> String {
    let mut text = String::new();
    for name in SHOWN {
        for value in values(resolved, name, algorithms) {
            let _ = writeln!(text, "{name} {value}");
        }
    }
    text
}

fn values(resolved: &Resolved, name: &str, algorithms: &Algorithms) -> Vec<String> {
    let settings = &resolved.settings;
    let Some(keyword) = keyword::find(name) else { return Vec::new() };
    let held = settings.all(name);
    match (name, &keyword.kind) {
        ("host", _) => vec![resolved.typed_host.clone()],
        ("identityfile", _) if held.is_empty() => DEFAULT_IDENTITIES.map(|name| format!("~/.ssh/{name}")).to_vec(),
        ("forwardagent", _) if settings.get(FORWARD_AGENT_PATH).is_some() => settings.all(FORWARD_AGENT_PATH).to_vec(),
        ("localforward" | "remoteforward", _) if settings.get("clearallforwardings") == Some("yes") => Vec::new(),
        ("rekeylimit", _) => {
            let number = |name| settings.get(name).unwrap_or("0");
            vec![format!("{} {}", number("rekeylimit"), number(REKEY_SECONDS))]
        }
        (_, Kind::Algorithms(family)) => {
            let names = algorithms.of(*family);
            let list = match held.first() {
                Some(text) => List::parse(text).apply(names.defaults, names.all).join(","),
                None => names.defaults.join(","),
            };
            vec![list]
        }
        (_, Kind::Files) if !held.is_empty() => vec![held.join(" ")],
        (_, Kind::ProxyJump) if held.first().is_some_and(|text| text == NO_JUMP) => Vec::new(),
        (_, Kind::Command | Kind::ProxyCommand) if held.first().is_some_and(|text| text == "none") => Vec::new(),
        _ if held.is_empty() && !keyword.default.is_empty() => vec![keyword.default.to_owned()],
        _ => held.to_vec(),
    }
}
