//! The decoder of Tight PNG.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sshvnc_fuzz::oracles::decoder(-260, data));
