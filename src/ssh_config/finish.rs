//! The end of it: what depends on other values, what is expanded, and the type of each value.

use std::path::PathBuf;
use std::time::Duration;

use super::Request;
use super::algorithms::List;
use super::error::Error;
use super::keyword::{self, Role};
use super::resolved::{
    AddKeys, Agent, Ask, DEFAULT_IDENTITIES, Expanded, Family, Missed, Proxy, PublicKeys, RekeyLimit, Resolved,
    StrictHostKeyChecking,
};
use super::settings::{FORWARD_AGENT_PATH, NO_JUMP, REKEY_SECONDS, Settings};
use super::tokens::{self, Environment, Tokens};
use super::value;

/// Fills in what was not said, expands what is expanded before anything is used, and gives everything its type.
pub(super) fn finish(
    request: &Request,
    mut settings: Settings,
    tokens: &Tokens,
    files_read: Vec<PathBuf>,
    missing_identities: Vec<PathBuf>,
) -> Result<Resolved, Error> {
    let environment = &*request.environment;
    fill_in(&mut settings, tokens);
    expand(&mut settings, tokens, environment)?;
    let said = Said { settings: &settings };
    if said.number("connectionattempts") == 0 {
        let error = Error::new("connectionattempts can not be 0").hint("write 1 or more");
        return Err(settings.place("connectionattempts").map_or(error.clone(), |place| error.at(place)));
    }
    let defaults = DEFAULT_IDENTITIES.map(|name| format!("~/.ssh/{name}"));
    let identities_are_defaults = settings.all("identityfile").is_empty();
    let identities = if identities_are_defaults { &defaults } else { settings.all("identityfile") };
    Ok(Resolved {
        typed_host: request.host.clone(),
        host: tokens.host.clone(),
        user: tokens.user.clone(),
        port: said.text("port").parse().unwrap_or(22),
        family: Family::named(said.text("addressfamily")),
        bind_address: said.some_text("bindaddress"),
        bind_interface: said.some_text("bindinterface"),
        proxy: said.proxy(tokens),
        proxy_use_fdpass: said.yes("proxyusefdpass"),
        // Time 0 is no limit either.
        connect_timeout: said.seconds("connecttimeout"),
        connection_attempts: said.number("connectionattempts"),
        tcp_keep_alive: said.yes("tcpkeepalive"),
        server_alive_interval: said.seconds("serveraliveinterval"),
        server_alive_count_max: said.number("serveralivecountmax"),
        compression: said.yes("compression"),
        rekey_limit: RekeyLimit {
            bytes: said.text("rekeylimit").parse().ok().filter(|&bytes| bytes != 0),
            time: said.seconds(REKEY_SECONDS),
        },
        user_known_hosts: said.files("userknownhostsfile"),
        global_known_hosts: said.files("globalknownhostsfile"),
        strict_host_key_checking: match said.text("stricthostkeychecking") {
            "true" => StrictHostKeyChecking::Yes,
            "accept-new" => StrictHostKeyChecking::AcceptNew,
            "false" => StrictHostKeyChecking::No,
            _ => StrictHostKeyChecking::Ask,
        },
        host_key_alias: said.some_text("hostkeyalias"),
        check_host_ip: said.yes("checkhostip"),
        hash_known_hosts: said.yes("hashknownhosts"),
        update_host_keys: match said.text("updatehostkeys") {
            "true" => Ask::Yes,
            "ask" => Ask::Ask,
            _ => Ask::No,
        },
        no_host_authentication_for_localhost: said.yes("nohostauthenticationforlocalhost"),
        required_rsa_size: said.number("requiredrsasize"),
        kex_algorithms: said.list("kexalgorithms"),
        ciphers: said.list("ciphers"),
        macs: said.list("macs"),
        host_key_algorithms: said.list("hostkeyalgorithms"),
        pubkey_accepted_algorithms: said.list("pubkeyacceptedalgorithms"),
        ca_signature_algorithms: said.list("casignaturealgorithms"),
        identity_files: paths(identities, tokens, environment),
        identities_are_defaults,
        missing_identities,
        certificate_files: paths(settings.all("certificatefile"), tokens, environment),
        identities_only: said.yes("identitiesonly"),
        identity_agent: said.agent(),
        add_keys_to_agent: said.add_keys(),
        preferred_authentications: said
            .some_text("preferredauthentications")
            .map(|text| text.split(',').filter(|method| !method.is_empty()).map(str::to_owned).collect()),
        pubkey_authentication: match said.text("pubkeyauthentication") {
            "false" => PublicKeys::No,
            "unbound" => PublicKeys::Unbound,
            "host-bound" => PublicKeys::HostBound,
            _ => PublicKeys::Yes,
        },
        password_authentication: said.yes("passwordauthentication"),
        kbd_interactive_authentication: said.yes("kbdinteractiveauthentication"),
        gssapi_authentication: said.yes("gssapiauthentication"),
        gssapi_delegate_credentials: said.yes("gssapidelegatecredentials"),
        batch_mode: said.yes("batchmode"),
        number_of_password_prompts: said.number("numberofpasswordprompts"),
        log_level: said.text("loglevel").to_owned(),
        files_read,
        ignored_but_relevant: missed(&settings),
        settings,
    })
}

/// Defaults that depend on something.
fn fill_in(settings: &mut Settings, tokens: &Tokens) {
    settings.set("user", vec![tokens.user.clone()], None);
    settings.set("port", vec![tokens.port.clone()], None);
    if settings.get("hostkeyalias").is_some() {
        settings.replace("hostkeyalias", vec![tokens.key_name.clone()]);
    }
    if settings.get("batchmode") == Some("yes") {
        // Debian's: whoever can not be asked shall not wait for ever either.
        settings.set("serveraliveinterval", vec!["300".to_owned()], None);
    }
    if settings.get("proxyjump").is_some_and(|jump| jump != NO_JUMP) {
        // ssh itself makes the connection that goes through the other servers.
        settings.replace("proxyusefdpass", vec!["no".to_owned()]);
    }
    // Keys are learnt only if they go where ssh would have put them by itself, and nothing else vouches for them.
    let usual = matches!(settings.all("userknownhostsfile"), [] | [_]);
    let usual = usual && settings.get("userknownhostsfile").is_none_or(|file| file == "~/.ssh/known_hosts");
    let by_dns = settings.get("verifyhostkeydns").is_some_and(|how| how != "false");
    settings.set("updatehostkeys", vec![(usual && !by_dns).to_string()], None);
    // What keeps ssh from asking a person.
    let in_background = settings.get("controlpersist").is_some_and(|how| !matches!(how, "no" | "false"))
        && settings.get("controlpath").is_some_and(|path| path != "none");
    let quiet = settings.get("loglevel").is_some_and(|level| matches!(level, "SILENT" | "FATAL" | "ERROR"));
    let command = settings.get("remotecommand").is_some_and(|command| command != "none");
    let no_terminal = settings.get("requesttty") == Some("no");
    if (in_background || quiet || command || no_terminal) && settings.get("updatehostkeys") == Some("ask") {
        settings.replace("updatehostkeys", vec!["false".to_owned()]);
    }
}

/// Expands what ssh expands even for `ssh -G`.
fn expand(settings: &mut Settings, tokens: &Tokens, environment: &Environment) -> Result<(), Error> {
    let known_hosts: Vec<String> = keyword::default_words("userknownhostsfile").map(str::to_owned).collect();
    settings.set("userknownhostsfile", known_hosts, None);
    for name in ["identityagent", FORWARD_AGENT_PATH, "controlpath", "userknownhostsfile"] {
        let file = |text: &String| {
            let none = text == "none" && name != FORWARD_AGENT_PATH;
            if none { Ok(text.clone()) } else { tokens.file(text, environment) }
        };
        expand_all(settings, name, &file)?;
    }
    for name in ["localforward", "remoteforward"] {
        expand_all(settings, name, &|text| {
            let ends = text.split(' ').map(|end| {
                let path = end.contains('/') && !end.starts_with('[');
                if path { tokens.path(end, environment) } else { Ok(end.to_owned()) }
            });
            Ok(ends.collect::<Result<Vec<_>, Error>>()?.join(" "))
        })?;
    }
    expand_all(settings, "remotecommand", &|text| tokens::percent(text, &|token| tokens.value(token)))
}

type Expand<'a> = &'a dyn Fn(&String) -> Result<String, Error>;

fn expand_all(settings: &mut Settings, name: &'static str, expand: Expand) -> Result<(), Error> {
    let values = settings.all(name).iter().map(expand).collect::<Result<Vec<_>, Error>>();
    match (values, settings.place(name)) {
        (Ok(values), _) => {
            if !values.is_empty() {
                settings.replace(name, values);
            }
            Ok(())
        }
        (Err(error), Some(place)) => Err(error.at(place)),
        (Err(error), None) => Err(error),
    }
}

fn paths(files: &[String], tokens: &Tokens, environment: &Environment) -> Vec<Expanded<PathBuf>> {
    let files = files.iter().filter(|file| !file.eq_ignore_ascii_case("none"));
    files
        .map(|file| Expanded { written: file.clone(), value: tokens.file(file, environment).map(PathBuf::from) })
        .collect()
}

fn missed(settings: &Settings) -> Vec<Missed> {
    let said = keyword::of_role(Role::Missed).filter_map(|keyword| {
        let value = settings.all(keyword.name).join(" ");
        let idle = value.is_empty() || value == keyword.default || value.eq_ignore_ascii_case("none");
        (!idle).then(|| Missed { keyword: keyword.name, value, place: settings.place(keyword.name).cloned() })
    });
    said.collect()
}

/// Values with their types; they have been checked when they were heard.
struct Said<'a> {
    settings: &'a Settings,
}

impl<'a> Said<'a> {
    fn text(&self, name: &'static str) -> &'a str {
        let default = keyword::find(name).map_or("", |keyword| keyword.default);
        self.settings.get(name).unwrap_or(default)
    }

    fn some_text(&self, name: &str) -> Option<String> {
        self.settings.get(name).map(str::to_owned)
    }

    fn yes(&self, name: &'static str) -> bool {
        self.text(name) == "yes"
    }

    fn number(&self, name: &'static str) -> u32 {
        self.text(name).parse().unwrap_or_default()
    }

    fn seconds(&self, name: &str) -> Option<Duration> {
        let text = self.settings.get(name)?;
        text.parse().ok().filter(|&seconds| seconds != 0).map(Duration::from_secs)
    }

    fn list(&self, name: &str) -> Option<List> {
        self.settings.get(name).map(List::parse)
    }

    fn files(&self, name: &'static str) -> Vec<PathBuf> {
        match self.settings.all(name) {
            [] => keyword::default_words(name).map(PathBuf::from).collect(),
            [none] if none == "none" => Vec::new(),
            files => files.iter().map(PathBuf::from).collect(),
        }
    }

    fn proxy(&self, tokens: &Tokens) -> Proxy {
        let value = |token| tokens.proxy_value(token);
        if let Some(command) = self.settings.get("proxycommand").filter(|command| *command != "none") {
            return Proxy::Command(Expanded { written: command.to_owned(), value: tokens::percent(command, &value) });
        }
        let jump = self.settings.get("proxyjump").filter(|jump| *jump != NO_JUMP);
        let Some(mut hops) = jump.and_then(value::hops) else { return Proxy::None };
        for hop in &mut hops {
            // The zone of an address is no token.
            hop.host = tokens::percent(&hop.host, &value).unwrap_or_else(|_| hop.host.clone());
            hop.user = hop.user.take().map(|user| tokens::percent(&user, &value).unwrap_or(user));
        }
        Proxy::Jump(hops)
    }

    fn agent(&self) -> Agent {
        match self.settings.get("identityagent") {
            None | Some("SSH_AUTH_SOCK") => Agent::Variable("SSH_AUTH_SOCK".to_owned()),
            Some("none") => Agent::None,
            Some(text) => match text.strip_prefix('$') {
                Some(variable) => Agent::Variable(variable.to_owned()),
                None => Agent::Socket(PathBuf::from(text)),
            },
        }
    }

    fn add_keys(&self) -> AddKeys {
        let text = self.text("addkeystoagent");
        let lifetime = |text: &str| text.parse().ok().map(Duration::from_secs);
        match text.strip_prefix("confirm") {
            Some(time) => AddKeys::Yes { confirm: true, lifetime: lifetime(time.trim_start()) },
            None if text == "false" => AddKeys::No,
            None if text == "ask" => AddKeys::Ask,
            None => AddKeys::Yes { confirm: false, lifetime: lifetime(text) },
        }
    }
}
