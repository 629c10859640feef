//! Notices when this machine's network changes: a cable, a wireless net, an address, a machine that wakes up.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};

use super::Event;
use super::events::Teller;

/// Links, addresses and routes, of IPv4 and IPv6 (rtnetlink(7)).
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;
/// Changes come in bursts: an address, then its routes. The last one counts.
const BURST: Duration = Duration::from_millis(300);

/// Tells of each change until this is dropped.
pub(super) struct Watch {
    _leash: UnixStream,
}

/// Watches the network from a thread of its own.
pub(super) fn watch(events: Teller) -> io::Result<Watch> {
    let changes = listen()?;
    let (near, far) = UnixStream::pair()?;
    std::thread::Builder::new().name("network".to_owned()).spawn(move || tell(&changes, &far, &events))?;
    Ok(Watch { _leash: near })
}

fn listen() -> io::Result<OwnedFd> {
    // Without a protocol it is NETLINK_ROUTE.
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
    Ok(socket)
}

fn tell(changes: &OwnedFd, leash: &UnixStream, events: &Teller) {
    loop {
        let mut both = [changes.as_fd(), leash.as_fd()].map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
        match poll(&mut both, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return tracing::debug!("changes of the network are not seen: {error}"),
        }
        let [changed, ended] = both.map(|fd| !fd.revents().is_empty());
        if ended {
            return;
        }
        if changed {
            std::thread::sleep(BURST);
            drain(changes);
            events.tell(Event::Network);
        }
    }
}

/// What changed does not matter, only that it did.
fn drain(socket: &OwnedFd) {
    let mut room = [0; 4096];
    while recv(socket, &mut room[..], RecvFlags::DONTWAIT).is_ok_and(|(length, _)| length > 0) {}
}
