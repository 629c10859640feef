//! `sshvnc check`: the connection explained layer by layer, each with its time, and what to try where it fails.

use std::future::Future;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::cli::Check;
use crate::client::{Client, Received, canvas_for};
use crate::config::{self, Purpose};
use crate::errand;
use crate::error::{Failure, Kind};
use crate::escape::escape;
use crate::hops::{self, Host};
use crate::rfb::handshake::{Agreed, ServerInit, security_type_name};
use crate::rfb::{ClientMessage, Inbox, encoding};
use crate::say;
use crate::session::{Error, Plan, Shaken, shake};
use crate::ssh_config::Proxy;
use crate::target::Target;
use crate::transport::{self, Asker, Connection, Step};

/// How long the first picture may take.
const PICTURE_LIMIT: Duration = Duration::from_secs(30);
/// How often the round trip is measured, and how long one may take.
const ROUND_TRIPS: usize = 30;
const ROUND_TRIP_LIMIT: Duration = Duration::from_secs(5);

/// Goes through the layers; each is a line on stdout.
///
/// # Errors
/// [`Failure`] of the layer that fails, as the viewer would end.
pub fn run(what: &Check) -> Result<(), Failure> {
    let mut report = Report { json: what.json, since: Instant::now() };
    let (plan, words) = report.guard("configuration", configuration(what))?;
    report.pass("configuration", &words);
    errand::run(plan.may_ask, async |asker| probe(plan, asker, &mut report).await)
}

/// What was typed and what ssh_config makes of it.
fn configuration(what: &Check) -> Result<(Plan, String), Failure> {
    let typed = &what.connection;
    let plan = config::plan(typed, Purpose::Show)?;
    let target = Target::parse(&typed.target).map_err(Failure::usage)?;
    let (Target::Host { user, host, .. }, false, None) = (target, typed.direct, &typed.ssh_program) else {
        return Ok((plan, "no SSH of this process is on the way".to_owned()));
    };
    let host = Host { user: typed.login.clone().or(user), name: host, port: typed.port.map(u16::from) };
    let resolved = hops::resolve(&host, typed)?;
    let files: Vec<String> = resolved.files_read.iter().map(|file| file.display().to_string()).collect();
    let files = if files.is_empty() { "no file of ssh_config".to_owned() } else { files.join(", ") };
    let way = match &resolved.proxy {
        Proxy::None => String::new(),
        Proxy::Jump(hops) => {
            format!(" through {}", hops.iter().map(|hop| hop.host.as_str()).collect::<Vec<_>>().join(", "))
        }
        Proxy::Command(_) => " through a command".to_owned(),
    };
    for missed in &resolved.ignored_but_relevant {
        let place = missed.place.as_ref().map_or_else(String::new, |place| format!(" ({place})"));
        tracing::warn!("{} is not obeyed here{place}", missed.keyword);
    }
    Ok((plan, format!("{files}: {}@{}:{}{way}", escape(&resolved.user), escape(&resolved.host), resolved.port)))
}

async fn probe(plan: Plan, asker: Asker, report: &mut Report) -> Result<(), Failure> {
    let mut connection = reach(plan.route, &asker, report).await?;
    let mut inbox = Inbox::default();
    let shaken = shake(&mut connection, &mut inbox, plan.shared, plan.password, &asker).await;
    let Shaken { init, agreed, .. } = report.guard("RFB", shaken.map_err(Failure::from))?;
    report.pass("RFB", &spoken(&agreed));
    let size = format!("\"{}\", {}x{}", escape(&init.name), init.width, init.height);
    report.pass("desktop", &size);
    let mut client = Client::new(&init, &plan.settings, plan.order);
    let canvas = report.guard("picture", canvas_for(&init, plan.order).map_err(Failure::from))?;
    let mut screen = Screen { connection, inbox, canvas, received: 0 };
    let painted = screen.first_picture(&mut client).await;
    let words = report.guard("picture", painted)?;
    report.pass("picture", &words);
    let measured = screen.round_trips(&mut client, &init).await;
    let words = report.guard("round trip", measured)?;
    report.pass("round trip", &words);
    screen.connection.outbound.close().await;
    Ok(())
}

/// Connects, telling of each step as it is done.
async fn reach(route: transport::Route, asker: &Asker, report: &mut Report) -> Result<Connection, Failure> {
    let (asker, mut steps) = asker.clone().watched();
    let mut next = "network";
    let connecting = transport::connect(route, &asker);
    tokio::pin!(connecting);
    let connected = loop {
        tokio::select! {
            biased;
            Some(step) = steps.recv() => next = report.step(&step),
            connected = &mut connecting => break connected,
        }
    };
    while let Ok(step) = steps.try_recv() {
        next = report.step(&step);
    }
    next = match (&connected, next) {
        (Err(transport::Error::Refused(_) | transport::Error::Distrusted(_)), "SSH") => "host key",
        // A key file that was named and can not be used: nothing was sent.
        (Err(transport::Error::Usage(_) | transport::Error::Refused(_)), "network") => "configuration",
        (_, next) => next,
    };
    let connection = report.guard(next, connected.map_err(|error| Failure::from(Error::from(error))))?;
    for ssh in &connection.facts.ssh {
        let strict = if ssh.strict_kex { ", strict" } else { "" };
        let words = format!("{}: {}, {}{strict}, {}", ssh.server, ssh.server_version, ssh.kex, ssh.cipher);
        report.tell("algorithms", &words);
        let (key, by) = (&ssh.host_key_fingerprint, &ssh.host_key_by);
        let words = format!("{}: {} {key}, {by}", ssh.server, ssh.host_key_algorithm);
        report.tell("host key", &words);
        report.tell("authentication", &format!("{}: {} by {}", ssh.server, ssh.user, ssh.authenticated_by));
    }
    Ok(connection)
}

fn spoken(agreed: &Agreed) -> String {
    let offered: Vec<String> = agreed.offered.iter().map(|&security| security_type_name(security)).collect();
    format!("3.{}; offered {}; chosen {}", agreed.minor, offered.join(", "), agreed.security_name())
}

struct Screen {
    connection: Connection,
    inbox: Inbox,
    canvas: crate::picture::Canvas,
    received: u64,
}

impl Screen {
    /// Receives until `enough`, or for as long as `limit`.
    async fn receive(
        &mut self,
        client: &mut Client,
        limit: Duration,
        enough: impl Fn(&Client) -> bool,
    ) -> Result<(), Failure> {
        let receiving = async {
            loop {
                while client.receive(&mut self.inbox, &mut self.canvas)? != Received::NeedMore {}
                self.connection.outbound.send(client.messages().into()).await.map_err(Error::from)?;
                client.events();
                if enough(client) {
                    return Ok(());
                }
                let Some(chunk) = self.connection.inbound.chunk().await.map_err(Error::from)? else {
                    return Err(Failure::new(Kind::NoConnection, "the server ended the connection"));
                };
                self.received += chunk.len() as u64;
                self.inbox.push(chunk);
            }
        };
        within(limit, receiving).await
    }

    async fn first_picture(&mut self, client: &mut Client) -> Result<String, Failure> {
        let start = Instant::now();
        self.receive(client, PICTURE_LIMIT, Client::is_complete).await?;
        let (seconds, megabytes) = (start.elapsed().as_secs_f64(), self.received as f64 / 1e6);
        let counts = client.counts();
        let used = counts.by_encoding.iter().map(|(number, count)| format!("{} {count}", encoding::name(*number)));
        let used = used.collect::<Vec<_>>().join(", ");
        Ok(format!("complete; {megabytes:.2} MB, {:.1} MB/s; rectangles: {used}", megabytes / seconds.max(1e-6)))
    }

    /// Asks for one pixel again and again.
    async fn round_trips(&mut self, client: &mut Client, init: &ServerInit) -> Result<String, Failure> {
        if init.width == 0 || init.height == 0 {
            return Ok("not measured: the desktop has no pixels".to_owned());
        }
        let mut times = Vec::new();
        for _ in 0..ROUND_TRIPS {
            let mut request = Vec::new();
            let pixel = ClientMessage::FramebufferUpdateRequest { incremental: false, x: 0, y: 0, width: 1, height: 1 };
            pixel.write(&mut request);
            // Of pixels: servers may tell the desktop's size in an update of its own first.
            let (before, start) = (client.counts().rectangles, Instant::now());
            self.connection.outbound.send(request.into()).await.map_err(Error::from)?;
            self.receive(client, ROUND_TRIP_LIMIT, |client| client.counts().rectangles > before).await?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        let at = |part: f64| times.get(((times.len() - 1) as f64 * part) as usize).copied().unwrap_or_default();
        Ok(format!("p50 {:.2} ms, p99 {:.2} ms, of {ROUND_TRIPS} requests for a pixel", at(0.5), at(0.99)))
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let late = || Failure::new(Kind::NoConnection, format!("nothing came for {} s", limit.as_secs()));
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(late()))
}

/// Prints a line for each layer.
struct Report {
    json: bool,
    since: Instant,
}

impl Report {
    /// A layer that works, with the time since the one before.
    fn pass(&mut self, layer: &str, words: &str) {
        let time = std::mem::replace(&mut self.since, Instant::now()).elapsed().as_secs_f64() * 1e3;
        self.line(layer, "ok", Some(time), words, None);
    }

    /// A step of the way. Gives the layer that comes next.
    fn step(&mut self, step: &Step) -> &'static str {
        let (layer, whose, next) = match step {
            Step::Network(peer) => ("network", peer, "SSH"),
            Step::HostKey(server) => ("SSH", server, "login"),
            Step::Login(server) => ("login", server, "channel"),
            // The next SSH connection, inside of this one.
            Step::Channel(peer) => ("channel", peer, "SSH"),
            Step::Wrong(_) => return "login",
            Step::Listening { server, port } => {
                self.tell("channel", &format!("{server} waits for a desktop on port {port} of its localhost"));
                return "channel";
            }
        };
        self.pass(layer, whose);
        next
    }

    /// Something to know about a layer that works.
    fn tell(&self, layer: &str, words: &str) {
        self.line(layer, "ok", None, words, None);
    }

    /// Passes on what is well, and says where it is not.
    fn guard<T>(&self, layer: &str, result: Result<T, Failure>) -> Result<T, Failure> {
        if let Err(failure) = &result {
            let time = self.since.elapsed().as_secs_f64() * 1e3;
            match failure {
                Failure::Because { message, hint, .. } => {
                    self.line(layer, "FAILED", Some(time), message, hint.as_deref());
                }
                Failure::Signal(_) => {}
            }
        }
        result
    }

    fn line(&self, layer: &str, verdict: &str, milliseconds: Option<f64>, words: &str, hint: Option<&str>) {
        if self.json {
            let ok = verdict == "ok";
            say::result(json!({"layer": layer, "ok": ok, "ms": milliseconds, "what": words, "try": hint}));
            return;
        }
        let time = milliseconds.map_or_else(String::new, |ms| format!("{ms:.1} ms"));
        say::result(format_args!("{layer:<15} {verdict:<6} {time:>11}  {words}"));
        if let Some(hint) = hint {
            say::result(format_args!("{:<34}  try: {hint}", ""));
        }
    }
}
