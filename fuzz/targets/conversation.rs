//! Mostly well-formed messages after ServerInit.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: sshvnc_fuzz::Conversation| sshvnc_fuzz::oracles::client(&data.bytes()));
