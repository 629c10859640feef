//! Lines on stdout and stderr, whether anybody can read them or not: a full disk, or a program behind a pipe that has
//! ended, is no reason to end as well.

use std::fmt::Display;
use std::io::{self, Write};

/// A result, on stdout.
pub fn result(words: impl Display) {
    let _ = writeln!(io::stdout(), "{words}");
}

/// A remark for the person who started the program, on stderr.
pub fn remark(words: impl Display) {
    let _ = writeln!(io::stderr(), "sshvnc: {words}");
}
