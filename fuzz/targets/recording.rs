//! A file that may be a recording.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sshvnc_fuzz::oracles::recording(data));
