//! The rooms without sockets, threads and clocks, and that of recordings, as a crate of their own, so that fuzzing builds
//! no SSH and no windows.

#[path = "../../src/client/mod.rs"]
pub mod client;
#[path = "../../src/decode/mod.rs"]
pub mod decode;
#[path = "../../src/escape.rs"]
pub mod escape;
#[path = "../../src/picture/mod.rs"]
pub mod picture;
#[path = "../../src/recording/mod.rs"]
pub mod recording;
#[path = "../../src/rfb/mod.rs"]
pub mod rfb;
