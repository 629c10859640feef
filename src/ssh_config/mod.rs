//! OPTIONS OF ssh: from the user's and the machine's ssh_config and the command line to one value each.
//!
//! Written from ssh_config(5) and from what `ssh -G` of OpenSSH 9.2 answers. This room reads files and, if it is
//! allowed to, runs the commands of `Match exec`; it knows no socket and no transport.
//!
//! Known differences from ssh: host names are never looked up, so `CanonicalizeHostname` only reads the files again, as
//! `Match final` does; after the first wrong line the others are not looked at; three keywords and one algorithm that
//! are newer than 9.2 are read over instead of refused; a list with an empty name in it is refused for the names behind
//! that too; commands of `Match exec` in files included for other hosts are not run; a file of the user that is there
//! and can not be read is an error.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod algorithms;
mod error;
mod files;
mod finish;
mod keyword;
mod line;
mod pattern;
mod print;
mod resolve;
mod resolved;
mod settings;
mod tokens;
mod unused;
mod value;

use std::path::PathBuf;

pub use algorithms::{Algorithms, List, Names};
pub use error::{Error, Place};
pub use print::print;
pub use resolved::{
    AddKeys, Agent, Ask, Expanded, Family, Missed, Proxy, PublicKeys, RekeyLimit, Resolved, StrictHostKeyChecking,
};
pub use value::Hop;

/// What was typed, and who typed it where.
pub struct Request {
    /// The host as it was typed, without `user@`.
    pub host: String,
    /// The user of `-l` or `user@`.
    pub user: Option<String>,
    /// The port of `-p`.
    pub port: Option<u16>,
    /// The options of `-o`, in order. They come before `user` and `port`; a caller for whom the order of typing
    /// matters puts `User=` and `Port=` here instead.
    pub options: Vec<String>,
    /// The files of `-i`.
    pub identities: Vec<PathBuf>,
    /// The hops of `-J`.
    pub jump: Option<String>,
    /// `-C`
    pub compression: bool,
    /// `-4` or `-6`
    pub family: Option<Family>,
    /// The file of `-F`, instead of both others; `none` for no file at all.
    pub config_file: Option<PathBuf>,
    /// The machine's file.
    pub system_file: PathBuf,
    /// The home directory: `~`, and where `.ssh/config` is.
    pub home: Option<PathBuf>,
    /// The name of the user here.
    pub local_user: String,
    /// The number of the user here, who must own the files, if root does not.
    pub uid: u32,
    /// The name of this machine.
    pub local_host: String,
    /// Whether `Match exec` may run its command.
    pub allow_match_exec: bool,
    /// The environment.
    pub environment: Environment,
}

/// How the value of an environment variable is found.
pub type Environment = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

impl Request {
    /// A request for `host` with nothing else typed, by nobody in particular: no home, no environment.
    pub fn new(host: impl Into<String>) -> Request {
        Request {
            host: host.into(),
            user: None,
            port: None,
            options: Vec::new(),
            identities: Vec::new(),
            jump: None,
            compression: false,
            family: None,
            config_file: None,
            system_file: PathBuf::from("/etc/ssh/ssh_config"),
            home: None,
            local_user: String::new(),
            uid: 0,
            local_host: String::new(),
            allow_match_exec: false,
            environment: Box::new(|_| None),
        }
    }
}

/// Finds out one value for each option.
///
/// # Errors
/// [`Error`], where ssh would refuse the configuration or what was typed, for `Match exec` without permission, and for
/// configurations without bound.
pub fn resolve(request: &Request) -> Result<Resolved, Error> {
    resolve::resolve(request)
}

#[cfg(test)]
mod tests;
