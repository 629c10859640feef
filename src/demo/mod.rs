//! `sshvnc demo`: a desktop and its servers inside this process, for a first look and for tests without a network.

mod command;
pub mod desktop;
pub mod rfb_server;
pub mod ssh_server;

pub use command::run;
