//! Programs whose standard input and output are the connection: ProxyCommand, and the system's own ssh.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::UnixStream;

use super::error::{Error, io_words};
use crate::escape::escape;

/// How long a program may take to end by itself.
const END_LIMIT: Duration = Duration::from_millis(500);

/// The programs that were started. Whoever ends the process ends them first: `ssh -W` does not notice that nobody reads
/// any more, and spins.
static CHILDREN: Mutex<Vec<Child>> = Mutex::new(Vec::new());

/// Starts `shell -c "exec COMMAND"`, as ssh does with a ProxyCommand.
pub(super) fn shell(command: &str) -> Result<UnixStream, Error> {
    let shell = std::env::var_os("SHELL").filter(|shell| !shell.is_empty()).unwrap_or_else(|| "/bin/sh".into());
    let words = [OsString::from("-c"), OsString::from(format!("exec {command}"))];
    start(Command::new(shell).args(words), command)
}

/// Starts a program with one end of a pair of sockets as its input and output; what it says goes to our stderr.
///
/// A pair of sockets costs a fifth less than two pipes.
pub(super) fn start(command: &mut Command, name: &str) -> Result<UnixStream, Error> {
    let name = escape(name);
    let failed = |error: std::io::Error| {
        Error::unreachable(format!("the command \"{name}\" could not be started: {}", io_words(&error)))
    };
    let (ours, theirs) = StdUnixStream::pair().map_err(failed)?;
    let input = OwnedFd::from(theirs.try_clone().map_err(failed)?);
    let child = command.stdin(Stdio::from(input)).stdout(Stdio::from(OwnedFd::from(theirs))).spawn().map_err(failed)?;
    // Our copies of its end go with the command's own; without that its end would never be seen.
    command.stdin(Stdio::null()).stdout(Stdio::null());
    tracing::debug!("started {name} as process {}", child.id());
    children().push(child);
    ours.set_nonblocking(true).map_err(failed)?;
    UnixStream::from_std(ours).map_err(failed)
}

/// Ends every program that was started: politely first, then surely.
pub fn end_children() {
    let mut children = std::mem::take(&mut *children());
    children.retain_mut(|child| !matches!(child.try_wait(), Ok(Some(_))));
    for child in &children {
        let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
    }
    let start = Instant::now();
    while !children.is_empty() && start.elapsed() < END_LIMIT {
        std::thread::sleep(Duration::from_millis(5));
        children.retain_mut(|child| !matches!(child.try_wait(), Ok(Some(_))));
    }
    for child in &mut children {
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn children() -> std::sync::MutexGuard<'static, Vec<Child>> {
    CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn a_command_is_a_stream_and_is_gone_afterwards() {
        let mut echo = shell("cat").unwrap();
        echo.write_all(b"hello").await.unwrap();
        let mut got = [0; 5];
        echo.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"hello");
        drop(echo);
        // One that ignores the end of its input and a polite word.
        let mut stubborn = shell("sh -c 'trap \"\" TERM; echo ready; while :; do sleep 1; done'").unwrap();
        stubborn.read_exact(&mut got).await.unwrap();
        let pids: Vec<u32> = children().iter().map(Child::id).collect();
        end_children();
        for pid in pids {
            assert!(!std::path::Path::new(&format!("/proc/{pid}/exe")).exists());
        }
    }

    #[tokio::test]
    async fn the_end_of_a_command_ends_the_stream() {
        let mut stream = shell("true").unwrap();
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
        let error = start(&mut Command::new("/no/such/program"), "no\nsuch").unwrap_err();
        assert_eq!(error.message(), "the command \"no\\nsuch\" could not be started: no such file");
    }
}
