//! From a host as it is typed to its place on the way, by ssh_config: jumps, programs, logins, keys and all the rest.

use std::env;
use std::net::IpAddr;
use std::path::PathBuf;

use crate::cli::Connection;
use crate::error::Failure;
use crate::session::transport::{
    Algorithms, Destination, Family, HostKeyChecking, HostKeyPolicy, Identity, KnownHosts, Login, Method, Route,
    SshOptions, SshRoute, TcpOptions, algorithms,
};
use crate::ssh_config::{self, Agent, Ask, List, Names, Proxy, PublicKeys, Request, Resolved, StrictHostKeyChecking};
use crate::target::Gateway;
use crate::user;

/// As many SSH connections inside each other as anyone needs; a configuration that jumps in circles ends here.
const MOST_HOPS: usize = 16;

/// A host as it is typed, and what was typed about it.
pub struct Host {
    /// The user, if one was named.
    pub user: Option<String>,
    /// The name: an alias of the configuration perhaps.
    pub name: String,
    /// The port, if one was named.
    pub port: Option<u16>,
}

/// What comes before a host.
pub enum Before {
    /// What its configuration says, or nothing.
    AsConfigured,
    /// These hosts, the nearest first.
    Jumps(Vec<Host>),
}

/// The way to a destination, and whether a person may be asked on it.
pub struct Way {
    /// The way.
    pub route: Route,
    /// False with BatchMode.
    pub may_ask: bool,
}

impl From<Gateway> for Host {
    fn from(Gateway { user, host, port }: Gateway) -> Host {
        Host { user, name: host, port }
    }
}

impl From<ssh_config::Error> for Failure {
    fn from(error: ssh_config::Error) -> Failure {
        Failure::usage(error.to_string())
    }
}

/// What ssh_config says of `host`, with all options that were typed.
///
/// # Errors
/// [`Failure`] of the kind usage.
pub fn resolve(host: &Host, typed: &Connection) -> Result<Resolved, Failure> {
    let mut request = request(host, typed);
    request.options.clone_from(&typed.options);
    request.identities.clone_from(&typed.identity);
    request.jump.clone_from(&typed.jump);
    request.compression = typed.compression;
    Ok(ssh_config::resolve(&request)?)
}

/// The way to `to` as `host` sees it.
///
/// # Errors
/// [`Failure`] of the kind usage.
pub fn way(host: &Host, to: Destination, before: Before, typed: &Connection) -> Result<Way, Failure> {
    let resolved = resolve(host, typed)?;
    let may_ask = !resolved.batch_mode;
    let route = hop(&resolved, to, before, typed, MOST_HOPS)?;
    Ok(Way { route, may_ask })
}

/// What is typed once holds for every host on the way.
fn request(host: &Host, typed: &Connection) -> Request {
    let local_host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    Request {
        user: host.user.clone(),
        port: host.port,
        family: match (typed.ipv4, typed.ipv6) {
            (true, _) => Some(ssh_config::Family::Inet),
            (_, true) => Some(ssh_config::Family::Inet6),
            _ => None,
        },
        config_file: typed.config_file.clone(),
        home: user::home(),
        local_user: user::name().unwrap_or_default(),
        uid: user::id().unwrap_or_default(),
        local_host: local_host.trim().to_owned(),
        allow_match_exec: typed.allow_match_exec,
        environment: Box::new(|name| env::var(name).ok()),
        ..Request::new(host.name.clone())
    }
}

/// A host that is jumped through is resolved by itself, as if by an ssh of its own: with its own keys and options, and
/// with those files that were typed, because nothing says for which host they are.
fn jump(mut hosts: Vec<Host>, to: Destination, typed: &Connection, left: usize) -> Result<Route, Failure> {
    let Some(last) = hosts.pop() else { return Err(Failure::usage("a jump through no host at all")) };
    let mut request = request(&last, typed);
    request.identities.clone_from(&typed.identity);
    let resolved = ssh_config::resolve(&request)?;
    let before = if hosts.is_empty() { Before::AsConfigured } else { Before::Jumps(hosts) };
    hop(&resolved, to, before, typed, left)
}

/// One SSH connection and everything before it.
fn hop(
    resolved: &Resolved,
    to: Destination,
    before: Before,
    typed: &Connection,
    left: usize,
) -> Result<Route, Failure> {
    let left = left.checked_sub(1).ok_or_else(|| {
        Failure::usage(format!("more than {MOST_HOPS} SSH connections on the way to {}", resolved.typed_host))
            .hint("does a ProxyJump of the configuration lead back to itself?")
    })?;
    let (host, port) = (resolved.host.clone(), resolved.port);
    let here = Destination::Tcp { host: host.clone(), port };
    let via = match (before, &resolved.proxy) {
        (Before::Jumps(hosts), _) => jump(hosts, here, typed, left)?,
        (_, Proxy::Jump(hops)) => {
            let host = |hop: &ssh_config::Hop| Host { user: hop.user.clone(), name: hop.host.clone(), port: hop.port };
            jump(hops.iter().map(host).collect(), here, typed, left)?
        }
        (_, Proxy::Command(command)) => Route::Command(command.value.clone()?),
        (_, Proxy::None) => Route::Tcp { host: host.clone(), port, options: tcp(resolved)? },
    };
    let known_hosts =
        KnownHosts::Files { user: resolved.user_known_hosts.clone(), global: resolved.global_known_hosts.clone() };
    let (login, options) = (login(resolved, &typed.identity)?, options(resolved)?);
    Ok(Route::Ssh(Box::new(SshRoute { via, host, port, login, known_hosts, to, options })))
}

fn tcp(resolved: &Resolved) -> Result<TcpOptions, Failure> {
    let from = resolved.bind_address.as_deref().map(|address| {
        address.parse::<IpAddr>().map_err(|_| {
            Failure::usage(format!("BindAddress {} is no address", address.escape_debug()))
                .hint("names of this machine's interfaces are not looked up here")
        })
    });
    Ok(TcpOptions {
        family: match resolved.family {
            ssh_config::Family::Any => None,
            ssh_config::Family::Inet => Some(Family::V4),
            ssh_config::Family::Inet6 => Some(Family::V6),
        },
        from: from.transpose()?,
        timeout: resolved.connect_timeout,
        retries: resolved.connection_attempts.saturating_sub(1),
        keep_alive: resolved.tcp_keep_alive,
    })
}

fn login(resolved: &Resolved, named: &[PathBuf]) -> Result<Login, Failure> {
    if resolved.user.is_empty() {
        return Err(
            Failure::usage("the name of the user of this machine is not known").hint("write USER@HOST, or -l USER")
        );
    }
    let mut login = Login::new(resolved.user.clone());
    // A file that was typed must be there; one that is configured need not be, as in ssh.
    login.identities = named.iter().map(|path| Identity::File(user::expand(path))).collect();
    let typed = named.len().saturating_sub(resolved.missing_identities.len());
    let files = resolved.identity_files.iter().skip(typed).map(|file| file.value.clone());
    for path in files.collect::<Result<Vec<PathBuf>, _>>()? {
        let mut public = path.clone().into_os_string();
        public.push(".pub");
        match (resolved.identities_are_defaults, path.exists(), PathBuf::from(public)) {
            (true, ..) => login.default_identities.push(path),
            (false, true, _) => login.identities.push(Identity::File(path)),
            // The agent may hold its private half.
            (false, false, public) if public.exists() => login.identities.push(Identity::File(public)),
            (false, false, _) => tracing::debug!("{} is not there", path.display()),
        }
    }
    let certificates = resolved.certificate_files.iter().map(|file| file.value.clone());
    login.certificates = certificates.collect::<Result<Vec<PathBuf>, _>>()?;
    login.identities_only = resolved.identities_only;
    login.agent = match &resolved.identity_agent {
        Agent::None => None,
        Agent::Variable(name) => env::var_os(name).filter(|socket| !socket.is_empty()).map(PathBuf::from),
        Agent::Socket(path) => Some(path.clone()),
    };
    login.methods = methods(resolved);
    if login.methods.is_empty() {
        return Err(Failure::usage(format!(
            "no way to log in at {} is left by the configuration",
            resolved.typed_host
        ))
        .hint("see PreferredAuthentications, PubkeyAuthentication, PasswordAuthentication in ssh_config"));
    }
    Ok(login)
}

fn methods(resolved: &Resolved) -> Vec<Method> {
    let all = [
        ("publickey", Method::PublicKey, resolved.pubkey_authentication != PublicKeys::No),
        ("keyboard-interactive", Method::KeyboardInteractive, resolved.kbd_interactive_authentication),
        ("password", Method::Password, resolved.password_authentication),
    ];
    let allowed = all.into_iter().filter(|(_, _, allowed)| *allowed);
    match &resolved.preferred_authentications {
        None => allowed.map(|(_, method, _)| method).collect(),
        Some(preferred) => {
            let allowed: Vec<_> = allowed.collect();
            let method =
                |wanted: &String| allowed.iter().find(|(name, ..)| name == wanted).map(|(_, method, _)| *method);
            preferred.iter().filter_map(method).collect()
        }
    }
}

fn options(resolved: &Resolved) -> Result<SshOptions, Failure> {
    let ours = SshOptions::default();
    Ok(SshOptions {
        algorithms: algorithms(resolved)?,
        host_keys: HostKeyPolicy {
            checking: match resolved.strict_host_key_checking {
                StrictHostKeyChecking::Yes => HostKeyChecking::Yes,
                StrictHostKeyChecking::AcceptNew => HostKeyChecking::AcceptNew,
                StrictHostKeyChecking::Ask => HostKeyChecking::Ask,
                StrictHostKeyChecking::No => HostKeyChecking::No,
            },
            alias: resolved.host_key_alias.clone(),
            hash: resolved.hash_known_hosts,
            update: resolved.update_host_keys == Ask::Yes,
        },
        // ssh does not ask for signs of life unless told to; a viewer that stands still for ever is worse.
        alive: match resolved.server_alive_interval {
            Some(interval) => Some((interval, resolved.server_alive_count_max as usize)),
            None if resolved.says("serveraliveinterval") => None,
            None => ours.alive,
        },
        connect_timeout: resolved.connect_timeout,
        compression: resolved.compression,
        rekey_bytes: resolved.rekey_limit.bytes,
        rekey_time: resolved.rekey_limit.time,
        password_prompts: resolved.number_of_password_prompts as usize,
    })
}

/// The algorithms that the transport has, as lists of ssh_config are applied to them.
pub fn known_algorithms() -> ssh_config::Algorithms<'static> {
    ssh_config::Algorithms {
        ciphers: Names { defaults: &algorithms::CIPHERS, all: &algorithms::CIPHERS },
        macs: Names { defaults: &algorithms::MACS, all: &algorithms::MACS },
        kex: Names { defaults: &algorithms::KEX, all: &algorithms::ALL_KEX },
        host_keys: Names { defaults: &algorithms::ALL_HOST_KEYS, all: &algorithms::ALL_HOST_KEYS },
        pubkeys: Names { defaults: &algorithms::USER_KEYS, all: &algorithms::USER_KEYS },
        ca_signatures: Names { defaults: &algorithms::HOST_KEYS, all: &algorithms::HOST_KEYS },
    }
}

fn algorithms(resolved: &Resolved) -> Result<Algorithms, Failure> {
    let known = known_algorithms();
    let apply = |keyword: &str, list: &Option<List>, names: &Names<'_>| match list {
        None => Ok(None),
        Some(list) => {
            let left = list.apply(names.defaults, names.all);
            if left.is_empty() {
                return Err(Failure::usage(format!(
                    "{keyword} for {} leaves nothing that is known here",
                    resolved.typed_host
                ))
                .hint(format!("known are: {}", names.all.join(","))));
            }
            Ok(Some(left))
        }
    };
    let ours = Algorithms::default();
    Ok(Algorithms {
        kex: apply("KexAlgorithms", &resolved.kex_algorithms, &known.kex)?.unwrap_or(ours.kex),
        ciphers: apply("Ciphers", &resolved.ciphers, &known.ciphers)?.unwrap_or(ours.ciphers),
        macs: apply("MACs", &resolved.macs, &known.macs)?.unwrap_or(ours.macs),
        host_keys: apply("HostKeyAlgorithms", &resolved.host_key_algorithms, &known.host_keys)?,
        user_keys: apply("PubkeyAcceptedAlgorithms", &resolved.pubkey_accepted_algorithms, &known.pubkeys)?
            .unwrap_or(ours.user_keys),
    })
}
