//! A user of this machine with a password, for as long as the test runs: only root can make one.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::output;
use super::sshd::is_root;

pub struct User {
    pub name: String,
}

pub const USER_PASSWORD: &str = "Sesame-77";

impl User {
    pub fn create() -> User {
        assert!(is_root(), "only root can make a user: leave this test out with --skip for_root_to_test");
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("sshvnc{}x{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        output(Command::new("useradd").args(["-m", "-s", "/bin/sh", &name]));
        let user = User { name };
        user.set_password(USER_PASSWORD);
        user
    }

    pub fn set_password(&self, password: &str) {
        let mut change = Command::new("chpasswd").stdin(Stdio::piped()).spawn().unwrap();
        change.stdin.take().unwrap().write_all(format!("{}:{password}\n", self.name).as_bytes()).unwrap();
        assert!(change.wait().unwrap().success());
    }
}

impl Drop for User {
    fn drop(&mut self) {
        // What a test started as this user ends with it.
        let _ = Command::new("pkill").args(["-KILL", "-u", &self.name]).stderr(Stdio::null()).status();
        let _ = Command::new("userdel").args(["-f", "-r", &self.name]).stderr(Stdio::null()).status();
    }
}
