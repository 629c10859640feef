//! The system's own ssh as the way there, for what only it has: Kerberos, PKCS#11, a connection that is shared.

use std::process::Command;

use tokio::net::UnixStream;

use super::{Destination, Error, SystemSsh, command, tcp};
use crate::escape::escape;

/// Options that would open ports, start shells or detach: whatever the user's configuration says, this is one stream.
const ALWAYS: [&str; 9] = [
    "-T",
    "-oClearAllForwardings=yes",
    "-oRemoteCommand=none",
    "-oPermitLocalCommand=no",
    "-oForkAfterAuthentication=no",
    "-oStdinNull=no",
    "-oForwardAgent=no",
    "-oForwardX11=no",
    "-oExitOnForwardFailure=yes",
];

/// Starts it. Gives the stream, and who is at its other end in words.
pub(super) fn open(ssh: &SystemSsh) -> Result<(UnixStream, String), Error> {
    let SystemSsh { program, options, host, to } = ssh;
    let mut call = Command::new(program);
    call.args(ALWAYS).args(options);
    let place = match to {
        Destination::Tcp { host: name, port } => {
            let place = tcp::place(name, *port);
            call.args(["-W", &place, "--", host]);
            place
        }
        Destination::Exec { command } => {
            call.args(["--", host, command]);
            format!("the command \"{}\"", escape(command))
        }
        Destination::Unix { path } => {
            return Err(Error::usage(format!("{program} can not reach the socket {} of a server", escape(path)))
                .hint("use --exec with a program there that connects to it, such as socat or nc -U"));
        }
        Destination::Reverse(_) | Destination::Chosen(_) => {
            return Err(Error::usage(format!("{program} can not look for a desktop or wait for one"))
                .hint("leave --ssh-program out, or name the desktop"));
        }
    };
    let stream = command::start(&mut call, program)?;
    Ok((stream, format!("{place} of {} by {}", escape(host), escape(program))))
}
