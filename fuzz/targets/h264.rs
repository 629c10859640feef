//! The decoder of Open H.264. A panic of its library, which a session survives, is found here like any other.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sshvnc_fuzz::oracles::h264(data));
