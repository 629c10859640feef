//! OpenSSH's server with a configuration and keys of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::{Running, free_port, output, wait_for_port};

/// A server that lets in whoever runs the tests, by the key `user` or the encrypted key `locked`.
pub struct Sshd {
    server: Running,
    pub port: u16,
    pub folder: TempDir,
}

pub const PASSPHRASE: &str = "pass phrase";

impl Sshd {
    pub fn start() -> Sshd {
        Sshd::with_config(|_| String::new())
    }

    /// The same, with the lines for sshd_config that `more` gives, which may first make keys in the server's folder. They
    /// come first: the first value of a keyword is the one that counts.
    pub fn with_config(more: impl FnOnce(&Path) -> String) -> Sshd {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        for (name, passphrase) in [("host", ""), ("user", ""), ("locked", PASSPHRASE), ("stranger", "")] {
            output(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", passphrase, "-f", &path(name)]));
        }
        let public = |name: &str| fs::read_to_string(path(&format!("{name}.pub"))).unwrap();
        fs::write(path("authorized_keys"), public("user") + &public("locked")).unwrap();
        fs::create_dir_all(path("home/.ssh")).unwrap();
        let port = free_port();
        let host_key = public("host").split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        fs::write(path("home/.ssh/known_hosts"), format!("[127.0.0.1]:{port} {host_key}\n")).unwrap();
        let root = is_root();
        let more = more(folder.path());
        let config = format!(
            "{more}\nPort {port}\nListenAddress 127.0.0.1\nHostKey {}\nPidFile none\nAuthorizedKeysFile {}\nStrictModes no\n\
             UsePAM {}\nPasswordAuthentication {}\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n\
             AllowTcpForwarding yes\nAllowStreamLocalForwarding yes\nMaxStartups 100\n",
            path("host"),
            path("authorized_keys"),
            if root { "yes" } else { "no" },
            if root { "yes" } else { "no" },
        );
        fs::write(path("sshd_config"), config).unwrap();
        // sshd drops its privileges in a child; that child must be able to look here.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        if root {
            fs::create_dir_all("/run/sshd").unwrap();
        }
        Sshd { server: serve(folder.path(), port), port, folder }
    }

    /// Starts anew, on the same port, after [`kill`](Sshd::kill).
    pub fn start_again(&mut self) {
        self.server = serve(self.folder.path(), self.port);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn known_hosts(&self) -> PathBuf {
        self.path("home/.ssh/known_hosts")
    }

    /// `TYPE BASE64` of a key in the server's folder.
    pub fn public(&self, name: &str) -> String {
        public(self.folder.path(), name)
    }

    /// The processes that serve connections.
    pub fn connections(&self) -> Vec<u32> {
        let mut below = vec![self.server.id()];
        let mut next = 0;
        while let Some(pid) = below.get(next).copied() {
            let children = Command::new("pgrep").args(["-P", &pid.to_string()]).output().unwrap();
            below.extend(String::from_utf8_lossy(&children.stdout).lines().filter_map(|pid| pid.parse::<u32>().ok()));
            next += 1;
        }
        below.split_off(1)
    }

    /// Ends the server and, with a bang, every connection it serves.
    pub fn kill(&mut self) {
        let connections = self.connections();
        self.server.stop();
        connections.into_iter().for_each(|pid| super::signal(pid, "KILL"));
    }
}

fn serve(folder: &Path, port: u16) -> Running {
    let log = folder.join("sshd.log");
    let mut command = Command::new("/usr/sbin/sshd");
    let server = Running::start(command.args(["-D", "-e", "-f"]).arg(folder.join("sshd_config")), &log);
    wait_for_port(port, &log);
    server
}

/// Makes a key, as `ssh-keygen -t KIND` does.
pub fn make_key(folder: &Path, name: &str, kind: &[&str]) {
    let mut command = Command::new("ssh-keygen");
    output(command.args(["-q", "-N", "", "-t"]).args(kind).arg("-f").arg(folder.join(name)));
}

/// Has the key `authority` make the certificate `NAME-cert.pub` for the key `name`, with more options of `ssh-keygen -s`.
pub fn certify(folder: &Path, authority: &str, name: &str, options: &[&str]) {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-I", "test", "-s"]).arg(folder.join(authority)).args(options);
    output(command.arg(folder.join(format!("{name}.pub"))));
}

fn public(folder: &Path, name: &str) -> String {
    let line = fs::read_to_string(folder.join(format!("{name}.pub"))).unwrap();
    line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

pub fn is_root() -> bool {
    output(Command::new("id").arg("-u")).trim() == "0"
}

pub fn me() -> String {
    output(Command::new("id").arg("-un")).trim().to_owned()
}
