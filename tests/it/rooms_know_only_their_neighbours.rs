//! Reads `src/` and fails on an edge between rooms that the design does not have.

use std::fs;
use std::path::{Path, PathBuf};

/// A room, which is a folder or a file, and the rooms it may name. Every room may name `escape`, which names none.
const EDGES: &[(&str, &[&str])] = &[
    // Data, from the wire to the window.
    ("rfb", &[]),
    ("picture", &[]),
    ("decode", &["picture", "rfb"]),
    ("client", &["decode", "picture", "rfb"]),
    ("recording", &["rfb"]),
    ("transport", &[]),
    ("lanes", &["decode"]),
    ("session", &["client", "lanes", "picture", "recording", "rfb", "transport"]),
    ("display", &["picture"]),
    ("overlay", &["picture"]),
    ("viewer", &["display", "error", "overlay", "picture", "rfb", "say", "session", "terminal"]),
    // What is typed, and what is said.
    ("allocator", &[]),
    ("escape", &[]),
    ("say", &[]),
    ("error", &["recording", "rfb"]),
    ("cli", &["display", "error", "viewer"]),
    ("session_log", &["user"]),
    ("xsession", &["cli", "error", "viewer"]),
    ("target", &[]),
    ("terminal", &["session"]),
    ("ssh_config", &[]),
    ("user", &[]),
    ("hops", &["cli", "error", "session", "ssh_config", "target", "user"]),
    ("desktops", &["session"]),
    ("route", &["cli", "desktops", "error", "hops", "say", "session", "target"]),
    ("config", &["cli", "error", "picture", "recording", "rfb", "route", "session", "target", "terminal"]),
    // Commands.
    ("errand", &["error", "terminal", "transport"]),
    ("list", &["cli", "desktops", "errand", "error", "route", "say", "session", "target", "terminal", "transport"]),
    ("picture_file", &["error", "picture"]),
    ("play", &["cli", "client", "display", "error", "picture", "picture_file", "recording", "rfb"]),
    (
        "commands",
        &[
            "cli",
            "config",
            "display",
            "error",
            "hops",
            "picture_file",
            "recording",
            "say",
            "session",
            "ssh_config",
            "target",
            "viewer",
            "xsession",
        ],
    ),
    ("bench", &["cli", "client", "decode", "error", "lanes", "picture", "picture_file", "recording", "rfb", "say"]),
    (
        "check",
        &[
            "cli",
            "client",
            "config",
            "errand",
            "error",
            "hops",
            "picture",
            "rfb",
            "say",
            "session",
            "ssh_config",
            "target",
            "transport",
        ],
    ),
    ("passwd", &["cli", "error", "rfb", "say", "terminal", "user"]),
    ("install_session", &["cli", "error", "say", "user", "xsession"]),
    (
        "demo",
        &[
            "cli",
            "client",
            "decode",
            "display",
            "error",
            "picture",
            "picture_file",
            "rfb",
            "say",
            "session",
            "transport",
            "viewer",
        ],
    ),
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

/// The files of a room that is a folder, or its one file.
fn room_files(room: &str) -> Vec<PathBuf> {
    let file = source().join(format!("{room}.rs"));
    if file.exists() { vec![file] } else { files(&source().join(room)) }
}

#[test]
fn every_edge_is_allowed() {
    for (room, allowed) in EDGES {
        for file in room_files(room) {
            let text = fs::read_to_string(&file).unwrap();
            for used in text.split("crate::").skip(1) {
                let name: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let known = name == *room || name == "escape" || allowed.contains(&name.as_str());
                assert!(known, "{} names crate::{name}, which {room} may not know", file.display());
            }
        }
    }
}

#[test]
fn every_room_is_on_the_list() {
    for entry in fs::read_dir(source()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let listed = EDGES.iter().any(|(room, _)| *room == name);
        assert!(listed || matches!(name, "lib" | "main"), "{name} is no room that the list of edges knows");
    }
    for (room, _) in EDGES {
        assert!(!room_files(room).is_empty(), "{room} is not there any more");
    }
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
