//! Memory that the X server reads too: an anonymous file, so that nothing of it outlives both.

use std::fs::File;
use std::io;

use memmap2::MmapMut;
#[cfg(any(target_os = "linux", target_os = "freebsd"))]
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
pub(super) fn memory(_: usize) -> io::Result<(MmapMut, File)> {
    // The pixels go through the socket then.
    Err(io::ErrorKind::Unsupported.into())
}

/// `length` bytes of 0, and the file that they lie in.
#[cfg(any(target_os = "linux", target_os = "freebsd"))]
#[allow(unsafe_code)]
pub(super) fn memory(length: usize) -> io::Result<(MmapMut, File)> {
    let file = File::from(memfd_create("sshvnc", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
    file.set_len(length as u64)?;
    // Nobody can shorten it under the map any more, which would end the process at the next access.
    fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    // SAFETY: the file has no name and its length is sealed. Only the X server gets it, attached for reading: the bytes
    // change through this map alone.
    let map = unsafe { MmapMut::map_mut(&file)? };
    Ok((map, file))
}
