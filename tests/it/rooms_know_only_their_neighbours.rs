//! Reads `src/` and fails on an edge between rooms that the design does not have.

use std::fs;
use std::path::{Path, PathBuf};

/// A room, and the rooms it may name.
const EDGES: [(&str, &[&str]); 8] = [
    ("rfb", &[]),
    ("picture", &[]),
    ("transport", &[]),
    ("decode", &["picture", "rfb"]),
    ("client", &["decode", "picture", "rfb"]),
    ("display", &["picture"]),
    ("session", &["transport", "client", "decode", "picture", "rfb"]),
    ("demo", &["session", "decode", "client", "picture", "rfb", "display", "config", "transport"]),
];

/// Rooms without input, output, threads or a clock, and what would bring those in.
const PURE: [&str; 4] = ["rfb", "decode", "picture", "client"];
const IMPURE: [&str; 4] = ["tokio", "std::net", "std::thread", "Instant::now"];

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

#[test]
fn every_edge_is_allowed() {
    let mut seen = 0;
    for (room, allowed) in EDGES {
        for file in files(&source().join(room)) {
            let text = fs::read_to_string(&file).unwrap();
            for used in text.split("crate::").skip(1) {
                let name: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let inside = name == room || allowed.contains(&name.as_str());
                assert!(inside, "{} names crate::{name}, which {room} may not know", file.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 0, "no source was read");
}

#[test]
fn pure_rooms_have_no_sockets_threads_or_clock() {
    for file in PURE.iter().flat_map(|room| files(&source().join(room))) {
        let text = fs::read_to_string(&file).unwrap();
        for word in IMPURE {
            assert!(!text.contains(word), "{} names {word}", file.display());
        }
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for file in files(&source()) {
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//! "), "{} does not begin with its purpose", file.display());
    }
}
