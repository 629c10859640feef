//! Sleeps in poll(2).

use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Sleeps until one of these can be read or is at its end, but no longer than `timeout`. A signal may end it earlier.
pub(super) fn readable<'a>(descriptors: impl IntoIterator<Item = BorrowedFd<'a>>, timeout: Duration) {
    let mut descriptors: Vec<PollFd<'_>> =
        descriptors.into_iter().map(|descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN)).collect();
    // A time that does not fit is forever.
    let timeout = Timespec::try_from(timeout).ok();
    let _ = poll(&mut descriptors, timeout.as_ref());
}
