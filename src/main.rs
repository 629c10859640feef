//! The `sshvnc` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    match sshvnc::run(std::env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("sshvnc: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}
