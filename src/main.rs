//! The `sshvnc` program.

fn main() {}
