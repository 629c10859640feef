//! Recordings of real servers: whole, byte by byte and cut at random places, to the picture that the manifest names.
//!
//! The small ones lie in `tests/recordings`. The folder that `SSHVNC_CORPUS` names, or `../shared/corpus` beside the
//! repository, adds large ones where it exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sshvnc::bench;
use sshvnc::client::{Client, Event, canvas_for};
use sshvnc::decode::Alone;
use sshvnc::lanes;
use sshvnc::picture::{ByteOrder, Canvas};
use sshvnc::recording::Recording;
use sshvnc::rfb::encoding::PIXEL_ENCODINGS;

use crate::every_cut::{Answer, every_cut, random_cuts, receive, whole};
use crate::naive;
use crate::real::viewer::{read_png, run, sshvnc};

/// Bytes at the start of a large recording that are also decoded byte by byte.
const PREFIX: usize = 200_000;

struct Listed {
    path: PathBuf,
    /// The encoding of pixels that was asked for.
    encoding: String,
    /// Of the last picture; of one with JPEG in it nothing is said, because decoders differ by a few levels.
    hash: Option<String>,
}

/// The recordings that the manifest of `folder` lists, if it has one.
fn listed(folder: &Path) -> Vec<Listed> {
    let Ok(manifest) = fs::read_to_string(folder.join("manifest.json")) else { return Vec::new() };
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap().to_owned();
    let entries = manifest.as_array().unwrap().iter();
    entries
        .map(|entry| Listed {
            path: folder.join(text(entry, "file") + ".zst"),
            encoding: text(entry, "asked").split([',', ' ']).next().unwrap().to_owned(),
            hash: (entry["exact"] != false).then(|| text(entry, "framebuffer_sha256")),
        })
        .collect()
}

fn own() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings")
}

fn open(recording: &Recording) -> (Client, Canvas) {
    let init = &recording.init;
    (Client::of_recording(init, ByteOrder::Rgbx), canvas_for(init, ByteOrder::Rgbx).unwrap())
}

fn hash(rgb: &[u8]) -> String {
    let mut sha = Sha256::new();
    rgb.chunks(3).for_each(|pixel| sha.update([pixel[0], pixel[1], pixel[2], 0]));
    sha.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn check(name: &Path, answer: &Answer, expected: Option<&str>) {
    assert_eq!(answer.error_text(), "", "{}", name.display());
    assert!(answer.at_boundary, "{}: it ends in the middle of a message", name.display());
    assert!(expected.is_none_or(|expected| hash(&answer.rgb) == expected), "{}: another picture", name.display());
}

#[test]
fn the_small_ones_do_however_they_are_cut() {
    let mut encodings = BTreeSet::new();
    let mut events = Vec::new();
    for Listed { path, hash: expected, .. } in listed(&own()) {
        let recording = Recording::load(&path).unwrap();
        let answer = every_cut(|| open(&recording), &recording.messages);
        check(&path, &answer, expected.as_deref());
        let hash = hash(&answer.rgb);
        encodings.extend(answer.counts.by_encoding.keys().copied());
        events.extend(answer.events);

        let mut canvas = canvas_for(&recording.init, ByteOrder::Bgrx).unwrap();
        let (_, counts) = bench::pass(&recording, &mut canvas, Box::new(Alone)).unwrap();
        assert_eq!((bench::hash(&canvas), counts), (hash, answer.counts), "{}", path.display());
    }
    // The set is worth something only while it holds every encoding of pixels, and cursors and a resize. No server at
    // hand sends TRLE, ZlibHex, Open H.264, or JPEG by itself.
    let mut missing = PIXEL_ENCODINGS.iter().filter(|known| !encodings.contains(&known.number));
    assert!(missing.all(|known| ["trle", "zlibhex", "jpeg", "h264"].contains(&known.name)), "{encodings:?}");
    assert!(events.iter().any(|event| matches!(event, Event::Cursor(Some(_)))));
    assert!(events.iter().any(|event| matches!(event, Event::Resized(_))));
    assert!(events.iter().any(|event| matches!(event, Event::Bell)));
}

#[test]
fn playing_the_small_ones_ends_in_the_same_picture() {
    let home = tempfile::tempdir().unwrap();
    let picture = home.path().join("last.png");
    for Listed { path, hash: expected, .. } in listed(&own()) {
        let ended = run(sshvnc(home.path()).args(["play", "--screenshot"]).arg(&picture).arg(&path));
        assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""), "{}", path.display());
        let recording = Recording::load(&path).unwrap();
        let expected = expected.unwrap_or_else(|| hash(&whole(open(&recording), &recording.messages).rgb));
        assert_eq!(hash(&read_png(&picture).2), expected, "{}", path.display());
    }
}

#[test]
fn the_naive_decoder_paints_the_small_ones_alike() {
    for Listed { path, hash: expected, .. } in listed(&own()) {
        let recording = Recording::load(&path).unwrap();
        let mut stream = Vec::new();
        recording.init.write(&mut stream);
        stream.extend(&recording.messages);
        let picture = naive::decode(&stream).unwrap();
        let real = whole(open(&recording), &recording.messages);
        let naive = picture.rgb.as_flattened();
        if expected.is_none() && cfg!(feature = "turbojpeg") {
            // The naive decoder reads JPEG by another library.
            let far = naive.iter().zip(&real.rgb).filter(|(a, b)| a.abs_diff(**b) > 3).count();
            assert!(naive.len() == real.rgb.len() && far * 1000 < naive.len(), "{}: {far}", path.display());
        } else {
            assert!(naive == real.rgb, "{}", path.display());
        }
        check(&path, &real, expected.as_deref());
    }
}

#[test]
fn every_small_one_is_listed_and_small() {
    let known: BTreeSet<PathBuf> = listed(&own()).into_iter().map(|listed| listed.path).collect();
    let paths = fs::read_dir(own()).unwrap().map(|entry| entry.unwrap().path());
    let present: BTreeSet<PathBuf> = paths.filter(|path| path.extension().is_some_and(|e| e == "zst")).collect();
    assert_eq!(known, present);
    assert!(present.iter().all(|path| fs::metadata(path).unwrap().len() < 60_000));
}

#[test]
fn the_large_ones_do_where_they_exist() {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let folder = std::env::var_os("SSHVNC_CORPUS").map_or_else(beside, PathBuf::from);
    // Without optimisation it would take minutes.
    if cfg!(debug_assertions) {
        return;
    }
    let known = |encoding: &str| PIXEL_ENCODINGS.iter().any(|known| known.name == encoding);
    for (number, Listed { path, hash: expected, .. }) in
        listed(&folder).into_iter().filter(|listed| known(&listed.encoding)).enumerate()
    {
        let recording = Recording::load(&path).unwrap();
        let answer = whole(open(&recording), &recording.messages);
        check(&path, &answer, expected.as_deref());
        let mut canvas = canvas_for(&recording.init, ByteOrder::Rgbx).unwrap();
        bench::pass(&recording, &mut canvas, lanes::start(2).unwrap()).unwrap();
        assert_eq!(bench::hash(&canvas), hash(&answer.rgb), "{}: with lanes", path.display());
        let cut = receive(open(&recording), &recording.messages, random_cuts(number as u64));
        assert!(cut == answer, "{}: cut at random places, {}", path.display(), cut.difference(&answer));
        // Into the middle of a message, most likely: what is painted of it may not depend on cuts either.
        let prefix: Bytes = recording.messages.slice(..recording.messages.len().min(PREFIX));
        let start = whole(open(&recording), &prefix);
        let bytewise = receive(open(&recording), &prefix, std::iter::repeat(1));
        assert!(bytewise == start, "{}: byte by byte, {}", path.display(), bytewise.difference(&start));
    }
}
