//! `sshvnc bench --stages --limits`: parts that add up, and a floor where one is known.

use std::path::{Path, PathBuf};

use crate::real::viewer::{run, sshvnc};

fn recording(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(format!("{name}.rfb.zst"))
}

fn report(name: &str) -> serde_json::Value {
    let home = tempfile::tempdir().unwrap();
    let mut command = sshvnc(home.path());
    let ended = run(command.args(["bench", "--json", "--stages", "--limits"]).arg(recording(name)));
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    serde_json::from_str(&ended.out).unwrap()
}

/// The stages that took any time.
fn stages(report: &serde_json::Value) -> Vec<&str> {
    let stages = report["stages"].as_object().unwrap();
    stages.iter().filter(|(_, time)| time.as_f64().unwrap() > 0.0).map(|(name, _)| name.as_str()).collect()
}

#[test]
fn each_encoding_has_the_stages_that_it_goes_through() {
    for (name, expected) in [
        ("raw-tigervnc", &["frame", "paint"][..]),
        ("hextile-tightvnc", &["frame", "paint", "unpack"]),
        ("zlib-x11vnc", &["frame", "inflate", "paint", "unpack"]),
        ("zrle-tigervnc", &["frame", "inflate", "paint", "unpack"]),
        ("tight-tigervnc", &["frame", "inflate", "paint", "unpack"]),
        ("ultra-x11vnc", &["frame", "inflate", "paint", "unpack"]),
        ("tightpng-rgb565-qemu", &["frame", "paint", "unpack"]),
    ] {
        assert_eq!(stages(&report(name)), expected, "{name}");
    }
}

#[test]
fn a_floor_is_given_where_one_is_known() {
    for name in ["raw-tigervnc", "zlib-x11vnc", "zrle-x11vnc", "tight-tightvnc"] {
        let floor = report(name)["floor_seconds"].as_f64();
        assert!(floor.is_some_and(|floor| floor > 0.0), "{name}");
    }
    let report = report("rre-tigervnc");
    assert_eq!(
        (&report["floor_seconds"], report["no_floor"].as_str()),
        (&serde_json::Value::Null, Some("rectangles in RRE"))
    );
}
