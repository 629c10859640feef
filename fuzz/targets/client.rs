//! Any bytes after ServerInit.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sshvnc_fuzz::oracles::client(data));
