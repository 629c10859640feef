//! sshvnc: a VNC viewer whose connection runs inside an SSH channel of its own process.
//!
//! Data flows one way: transport → inbox → client → decode → picture → window. `ARCHITECTURE.md` names the rooms.

pub mod client;
pub mod decode;
pub mod demo;
pub mod picture;
pub mod rfb;
pub mod transport;
