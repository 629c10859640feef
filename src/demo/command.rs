//! `sshvnc demo`: the whole path of the viewer, from host key to window, with both servers inside this process.

use std::io;
use std::sync::Arc;

use russh::keys::PrivateKey;
use secrecy::SecretString;
use tokio::io::{DuplexStream, duplex};
use tokio::runtime::Runtime;

use super::rfb_server;
use super::ssh_server::{self, AuthPolicy, DestinationRequested};
use crate::cli::Demo;
use crate::display::{self, Headless, Until};
use crate::error::{Failure, Kind};
use crate::picture::{ByteOrder, Size};
use crate::picture_file;
use crate::rfb::{PixelFormat, encoding};
use crate::say;
use crate::session::{Open, Plan, Settings};
use crate::transport::{Destination, Identity, KnownHosts, Login, Route, SshOptions, SshRoute};
use crate::viewer::{self, Options};

const HOST: &str = "demo.invalid";
const USER: &str = "demo";
const PORT: u16 = 5901;
const SIZE: Size = Size::new(960, 640);
/// Bytes between the viewer and its server, as much as a socket would hold.
const PIPE: usize = 256 * 1024;

/// Runs the demo.
///
/// # Errors
/// [`Failure`]; with `--wrong-host-key` always, of the kind "not let in".
pub fn run(what: &Demo) -> Result<(), Failure> {
    // Before anything else, as for any other desktop.
    let mut window = match what.screenshot {
        Some(_) => None,
        None => Some(display::window(what.window.display, what.window.wish()).map_err(|error| {
            Failure::new(Kind::Display, error.message).hint("a picture needs none: sshvnc demo --screenshot demo.png")
        })?),
    };
    // It lives until the viewer is done, and ends without waiting for anybody.
    let servers =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(no_start)?;
    let plan = start(&servers, what.wrong_host_key)?;
    let on_open: Option<&mut dyn FnMut(&Open)> = Some(&mut tell);
    let options = Options {
        view_only: what.window.view_only,
        on_open,
        hotkeys: what.window.hotkeys(),
        window: what.screenshot.is_none().then(|| what.window.wish()),
        target: "the demo".to_owned(),
        stats: what.window.stats,
        ..Options::default()
    };
    let ended = match &mut window {
        Some(window) => viewer::run(plan, &mut **window, options),
        None => picture(plan, options, what),
    };
    servers.shutdown_background();
    ended
}

fn picture(plan: Plan, options: Options<'_>, what: &Demo) -> Result<(), Failure> {
    let mut display = Headless::new(Until::Complete);
    viewer::run(plan, &mut display, options)?;
    let Some(file) = &what.screenshot else { return Ok(()) };
    picture_file::write(file, display.picture())?;
    say::result(format_args!("picture        {}", file.display()));
    Ok(())
}

fn no_start(error: impl std::fmt::Display) -> Failure {
    Failure::usage(format!("the demo's servers do not start: {error}"))
}

/// Starts the SSH server at the far end of a pipe, and plans the way through it to the RFB server behind.
fn start(servers: &Runtime, wrong_host_key: bool) -> Result<Plan, Failure> {
    let key = || ssh_server::generate_key().map_err(no_start);
    let (host_key, user_key) = (key()?, key()?);
    let known_key = if wrong_host_key { key()? } else { host_key.clone() };
    let password = random_password();
    let (ours, theirs) = duplex(PIPE);
    let policy =
        AuthPolicy { user: USER.to_owned(), public_key: Some(user_key.public_key().clone()), ..AuthPolicy::default() };
    let for_server = password.clone();
    let behind = servers.handle().clone();
    let open = move |to| {
        (to == DestinationRequested::Tcp { host: "localhost".into(), port: PORT }).then(|| {
            let (near, far) = duplex(PIPE);
            behind.spawn(desktop(far, for_server.clone()));
            near
        })
    };
    servers.spawn(async move {
        if let Err(error) = ssh_server::serve(theirs, host_key, policy, open).await {
            tracing::debug!("the demo's SSH server ended: {error}");
        }
    });
    Ok(plan(ours, &known_key, user_key, password))
}

async fn desktop(stream: DuplexStream, password: SecretString) {
    let served: io::Result<()> = rfb_server::serve(stream, password, SIZE, "the demo's desktop").await;
    if let Err(error) = served {
        tracing::debug!("the demo's desktop ended: {error}");
    }
}

fn plan(stream: DuplexStream, known_key: &PrivateKey, user_key: PrivateKey, password: SecretString) -> Plan {
    use secrecy::ExposeSecret;
    let known = known_key.public_key().to_openssh().unwrap_or_default();
    let mut login = Login::new(USER);
    login.identities = vec![Identity::Key(Arc::new(user_key))];
    let route = Route::Ssh(Box::new(SshRoute {
        via: Route::Given(Box::new(stream)),
        host: HOST.to_owned(),
        port: 22,
        login,
        known_hosts: KnownHosts::memory(format!("{HOST} {known}\n")),
        to: Destination::Tcp { host: "localhost".to_owned(), port: PORT },
        options: SshOptions::default(),
    }));
    let order = ByteOrder::Bgrx;
    Plan {
        route,
        password: Some(password.expose_secret().as_bytes().to_vec().into()),
        may_ask: false,
        shared: true,
        settings: Settings::new(PixelFormat::rgb888(order.shifts()), encoding::default_pixel_encodings()),
        follow_link: false,
        order,
        pins: Default::default(),
        recorder: None,
    }
}

/// Eight letters: as many as count.
fn random_password() -> SecretString {
    use russh::keys::ssh_key::rand_core::Rng;
    let mut random = russh::keys::key::safe_rng();
    let letters = (0..crate::rfb::vnc_auth::PASSWORD_LENGTH).map(|_| char::from(b'a' + (random.next_u32() % 26) as u8));
    SecretString::from(letters.collect::<String>())
}

/// Says what was connected to.
fn tell(open: &Open) {
    for ssh in &open.facts.ssh {
        let strict = if ssh.strict_kex { ", strict" } else { "" };
        say::result(format_args!("SSH server     {}", ssh.server_version));
        say::result(format_args!("key exchange   {}{strict}", ssh.kex));
        say::result(format_args!("cipher         {}", ssh.cipher));
        say::result(format_args!("host key       {} {}", ssh.host_key_algorithm, ssh.host_key_fingerprint));
        say::result(format_args!("login          {}, {}", ssh.user, ssh.authenticated_by));
    }
    say::result(format_args!("channel        {}", open.facts.peer));
    say::result(format_args!("security type  {} (RFB 3.{})", open.agreed.security_name(), open.agreed.minor));
    say::result(format_args!("desktop        {}, {}", open.name, open.size));
}
