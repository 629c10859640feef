//! A server of our own, in this process: for `sshvnc demo` and for tests without a network.

pub mod ssh_server;
