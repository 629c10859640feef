//! Any bytes before ServerInit.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sshvnc_fuzz::oracles::handshake(data));
