//! The `sshvnc` program.

use std::process::ExitCode;

use sshvnc::error::Failure;

fn main() -> ExitCode {
    let ended = sshvnc::run(std::env::args_os());
    sshvnc::transport::end_children();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Whoever sent a signal knows why it ended.
            if !matches!(failure, Failure::Signal(_)) {
                sshvnc::say::remark(&failure);
            }
            ExitCode::from(failure.exit_code())
        }
    }
}
