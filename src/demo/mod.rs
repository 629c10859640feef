//! A server of our own, in this process: for `sshvnc demo` and for tests without a network.

pub mod desktop;
pub mod rfb_server;
pub mod ssh_server;
