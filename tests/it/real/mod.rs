//! Real servers, each started by the test that needs it, on this machine's own addresses, and ended with it.

pub mod browsing;
pub mod desktop;
pub mod front;
pub mod link;
pub mod machine;
pub mod manager;
pub mod own_window;
pub mod program;
pub mod scenery;
pub mod sshd;
pub mod tap;
pub mod terminal;
pub mod user;
pub mod viewer;
pub mod wayland;
pub mod window;

use std::collections::BTreeSet;
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How long anything may take to start or to happen.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A program that ends with the test.
pub struct Running(Child);

impl Running {
    /// Starts `command`; what it says goes to the file `log`.
    pub fn start(command: &mut Command, log: &Path) -> Running {
        let file = File::options().create(true).append(true).open(log).unwrap();
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        let name = command.get_program().to_owned();
        Running(command.spawn().unwrap_or_else(|error| panic!("{name:?} is needed: {error}; tests/run installs it")))
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Asks it to end, as `kill` does, and waits.
    pub fn stop(&mut self) {
        if let Ok(None) = self.0.try_wait() {
            signal(self.0.id(), "TERM");
            if !within(Duration::from_secs(3), || !matches!(self.0.try_wait(), Ok(None))) {
                let _ = self.0.kill();
            }
            let _ = self.0.wait();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

pub fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).stderr(Stdio::null()).status();
    assert!(sent.is_ok(), "kill is needed");
}

/// Looks again and again until it is so; false if it never is.
pub fn within(limit: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while !is_so() {
        if start.elapsed() > limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    true
}

/// A port that nothing listens on. X displays get the same number, which must be below 59536.
pub fn free_port() -> u16 {
    // Tests run side by side, and some use only the display of a number.
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    for _ in 0..200 {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let taken = Path::new(&format!("/tmp/.X11-unix/X{port}")).exists();
        if (10_000..59_000).contains(&port) && !taken && GIVEN.lock().unwrap().insert(port) {
            return port;
        }
    }
    panic!("no free port");
}

pub fn wait_for_port(port: u16, log: &Path) {
    let listens = within(PATIENCE, || TcpStream::connect(("127.0.0.1", port)).is_ok());
    assert!(listens, "nothing listens on {port}: {}", std::fs::read_to_string(log).unwrap_or_default());
}

/// Runs a program that must succeed; gives what it printed.
pub fn output(command: &mut Command) -> String {
    let name = command.get_program().to_owned();
    let output = command.output().unwrap_or_else(|error| panic!("{name:?} is needed: {error}; tests/run installs it"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
