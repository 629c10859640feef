//! SSH in this process against `ssh -W` and `ssh -L`: bulk, CPU, round trip and cold start, through a private sshd.
//!
//! `cargo bench --bench transport` prints a table; `-- MEGABYTES ROUNDS` sets its size (200 3). With `--test` it only
//! shows that it works. Every way takes its turn in every round; medians are printed.

#[path = "../tests/it/real/mod.rs"]
#[allow(dead_code)]
mod real;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use real::sshd::{Sshd, me};
use sshvnc::transport::{
    Algorithms, Asker, Connection, Destination, Identity, KnownHosts, Login, Route, SshOptions, SshRoute, SystemSsh,
    TcpOptions, connect,
};

const CIPHER: &str = "aes128-gcm@openssh.com";
const KEX: &str = "curve25519-sha256";
const PINGS: usize = 2000;

fn main() {
    sshvnc::allocator::keep_freed_memory();
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|first| first == "serve") {
        return serve();
    }
    let number =
        |at: usize, otherwise: usize| arguments.get(at).and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let quick = arguments.iter().any(|argument| argument == "--test");
    let (megabytes, rounds) = if quick { (4, 1) } else { (number(0, 200), number(1, 3)) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(compare(megabytes, rounds, if quick { 50 } else { PINGS }));
}

/// The far end, in a process of its own: sends as many megabytes as the first byte says, or echoes.
fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    for stream in listener.incoming() {
        std::thread::spawn(move || answer(stream.unwrap()));
    }
}

fn answer(mut stream: TcpStream) {
    stream.set_nodelay(true).unwrap();
    let mut first = [0; 2];
    if stream.read_exact(&mut first).is_err() {
        return;
    }
    let block: Vec<u8> = (0..1 << 20).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for _ in 0..u16::from_be_bytes(first) {
        if stream.write_all(&block).is_err() {
            return;
        }
    }
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut bytes) {
        if stream.write_all(&bytes[..count]).is_err() {
            return;
        }
    }
}

struct Far {
    child: Child,
    port: u16,
}

impl Far {
    fn start() -> Far {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut child = command.arg("serve").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line).unwrap();
        Far { child, port: line.trim().parse().unwrap() }
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    InProcess,
    SshW,
    SshL,
}

/// Seconds and milliseconds of one round.
#[derive(Default)]
struct Figures {
    wall: Vec<f64>,
    cpu: Vec<f64>,
    ping: Vec<f64>,
    cold: Vec<f64>,
}

async fn compare(megabytes: usize, rounds: usize, pings: usize) {
    let (sshd, far) = (Sshd::start(), Far::start());
    let ways = [(Way::InProcess, "in process"), (Way::SshW, "ssh -W"), (Way::SshL, "ssh -L")];
    let mut figures: Vec<Figures> = ways.iter().map(|_| Figures::default()).collect();
    for _ in 0..rounds {
        for ((way, _), figures) in ways.iter().zip(&mut figures) {
            round(*way, &sshd, &far, megabytes, pings, figures).await;
        }
    }
    println!("{megabytes} MB, {CIPHER}, {KEX}; medians of {rounds} rounds");
    println!("| way | MB/s | client CPU s/GB | 64 bytes there and back, us | cold start, ms |");
    println!("|---|--:|--:|--:|--:|");
    for ((_, name), figures) in ways.iter().zip(&mut figures) {
        let size = megabytes as f64 * 1.048_576;
        println!(
            "| {name} | {:.0} | {:.2} | {:.0} | {:.0} |",
            size / median(&mut figures.wall),
            median(&mut figures.cpu) / size * 1000.0,
            median(&mut figures.ping) * 1e6,
            median(&mut figures.cold) * 1e3
        );
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A forward that `ssh -L` keeps open, on a port that it is given.
struct Forward {
    ssh: Child,
    port: u16,
}

impl Drop for Forward {
    fn drop(&mut self) {
        let _ = self.ssh.kill();
        let _ = self.ssh.wait();
    }
}

fn options(sshd: &Sshd) -> Vec<String> {
    let known = format!("-oUserKnownHostsFile={}", sshd.path("home/.ssh/known_hosts").display());
    let (key, port) = (sshd.path("user").display().to_string(), sshd.port.to_string());
    let fixed = ["-F", "none", "-c", CIPHER, "-p", &port, "-i", &key, &known].map(str::to_owned);
    fixed.into_iter().chain([format!("-oKexAlgorithms={KEX}"), "-oIdentitiesOnly=yes".to_owned()]).collect()
}

async fn open(way: Way, sshd: &Sshd, far: &Far) -> (Connection, Option<Forward>) {
    let to = Destination::Tcp { host: "127.0.0.1".into(), port: far.port };
    let local = |port| Route::Tcp { host: "127.0.0.1".into(), port, options: TcpOptions::default() };
    let host = format!("{}@127.0.0.1", me());
    let mut forward = None;
    let route = match way {
        Way::InProcess => {
            let mut login = Login::new(me());
            login.identities = vec![Identity::File(sshd.path("user"))];
            let algorithms =
                Algorithms { kex: vec![KEX.into()], ciphers: vec![CIPHER.into()], ..Algorithms::default() };
            Route::Ssh(Box::new(SshRoute {
                via: local(sshd.port),
                host: "127.0.0.1".into(),
                port: sshd.port,
                login,
                known_hosts: KnownHosts::of_home(&sshd.path("home")),
                to,
                options: SshOptions { algorithms, ..SshOptions::default() },
            }))
        }
        Way::SshW => Route::SystemSsh(SystemSsh { program: "ssh".into(), options: options(sshd), host, to }),
        Way::SshL => {
            let port = real::free_port();
            let spec = format!("127.0.0.1:{port}:127.0.0.1:{}", far.port);
            let mut command = Command::new("ssh");
            let ssh =
                command.args(options(sshd)).args(["-N", "-L", &spec, &host]).stdin(Stdio::null()).spawn().unwrap();
            while TcpStream::connect(("127.0.0.1", port)).is_err() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            forward = Some(Forward { ssh, port });
            local(port)
        }
    };
    (connect(route, &Asker::nobody()).await.unwrap(), forward)
}

async fn round(way: Way, sshd: &Sshd, far: &Far, megabytes: usize, pings: usize, figures: &mut Figures) {
    let start = Instant::now();
    let (mut connection, forward) = open(way, sshd, far).await;
    let amount = u16::try_from(megabytes).unwrap_or(u16::MAX).to_be_bytes();
    connection.outbound.send(amount.to_vec().into()).await.unwrap();
    let mut received = connection.inbound.chunk().await.unwrap().unwrap().len();
    figures.cold.push(start.elapsed().as_secs_f64());
    let helper = forward.as_ref().map(|forward| forward.ssh.id()).or_else(|| child_named("ssh"));
    let (start, before) = (Instant::now(), cpu(helper));
    while received < megabytes << 20 {
        received += connection.inbound.chunk().await.unwrap().unwrap().len();
    }
    figures.wall.push(start.elapsed().as_secs_f64());
    figures.cpu.push(cpu(helper) - before);
    let mut times = Vec::new();
    for _ in 0..pings {
        let start = Instant::now();
        connection.outbound.send(vec![7; 64].into()).await.unwrap();
        let mut back = 0;
        while back < 64 {
            back += connection.inbound.chunk().await.unwrap().unwrap().len();
        }
        times.push(start.elapsed().as_secs_f64());
    }
    figures.ping.push(median(&mut times));
    let port = forward.as_ref().map(|forward| forward.port);
    assert!(port.is_none_or(|port| port > 0));
    drop(connection);
    sshvnc::transport::end_children();
}

/// Our child of this name, if there is one.
fn child_named(name: &str) -> Option<u32> {
    let children = Command::new("pgrep").args(["-P", &std::process::id().to_string(), "-x", name]).output().unwrap();
    String::from_utf8_lossy(&children.stdout).lines().next()?.parse().ok()
}

/// Seconds of CPU that this process and `helper` have used.
fn cpu(helper: Option<u32>) -> f64 {
    let of = |id: u32| {
        let tasks = std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
        let used = tasks.filter_map(|task| {
            let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<f64>().ok()
        });
        used.sum::<f64>() / 1e9
    };
    of(std::process::id()) + helper.map_or(0.0, of)
}
