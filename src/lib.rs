//! sshvnc: a VNC viewer whose connection runs inside an SSH channel of its own process.
//!
//! Data flows one way: transport → inbox → client → decode → picture → window. `ARCHITECTURE.md` names the rooms.

pub mod bench;
pub mod cli;
pub mod client;
pub mod decode;
pub mod demo;
pub mod error;
pub mod picture;
pub mod picture_file;
pub mod recording;
pub mod rfb;
pub mod transport;

use std::ffi::OsString;

use cli::{Command, Typed};
use error::Failure;

/// Does what was typed; `arguments` begin with the program's name.
///
/// # Errors
/// [`Failure`], to be printed and made an exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Result<(), Failure> {
    match cli::read(arguments)? {
        Typed::Say(text) => {
            let _ = text.print();
            Ok(())
        }
        Typed::Do(command) => match *command {
            Command::Bench(what) => bench::run(&what),
            _ => Err(Failure::usage("not built yet")),
        },
    }
}
