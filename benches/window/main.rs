//! The window against `ssh -L` and TigerVNC's viewer: what a frame costs, how long a key takes to its pixel, how much
//! memory that takes, and whether anything happens while nothing happens.
//!
//! `cargo bench --bench window` prints tables; `-- KEYS ROUNDS` sets their size (200 3). With `--test` it only shows that
//! it works. Both viewers take their turn in every round; medians are printed.

#[path = "../../tests/it/real/mod.rs"]
#[allow(dead_code)]
mod real;

mod answering;
mod frames;
mod viewers;

use std::time::Duration;

/// The CPU time of a process so far.
pub fn cpu(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Behind the name, which may hold anything, come the state and 10 numbers, then those of the user and of the system.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
    // USER_HZ is 100 on every Linux.
    Duration::from_millis(ticks * 10)
}

fn main() {
    sshvnc::allocator::keep_freed_memory();
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let number =
        |at: usize, otherwise: usize| arguments.get(at).and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    if arguments.iter().any(|argument| argument == "--test") {
        frames::print(2);
        return;
    }
    let (keys, rounds) = (number(0, 200), number(1, 3));
    frames::print(100);
    viewers::print(keys, rounds);
}
