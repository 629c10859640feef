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
