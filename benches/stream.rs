//! Recording → picture: what servers really sent, from memory to the last picture, as `sshvnc bench` times it.
//!
//! Of `tests/recordings`, and of the folder that `SSHVNC_CORPUS` names or `../shared/corpus` beside the repository. The
//! group `lanes` compares one thread with two on what can be unpacked by two: JPEG, and Tight through four streams, which
//! is made here.

use std::fs;
use std::path::{Path, PathBuf};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use flate2::{Compress, Compression, FlushCompress};
use sshvnc::bench;
use sshvnc::client::canvas_for;
use sshvnc::lanes;
use sshvnc::picture::ByteOrder;
use sshvnc::recording::{FORMAT, Recording};
use sshvnc::rfb::encoding::{self, PIXEL_ENCODINGS};
use sshvnc::rfb::handshake::ServerInit;

/// The recordings that the manifest of `folder` lists in an encoding that is decoded here; none without a manifest.
fn listed(folder: &Path) -> Vec<PathBuf> {
    let Ok(manifest) = fs::read(folder.join("manifest.json")) else { return Vec::new() };
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("manifest.json is JSON");
    let entries = manifest.as_array().into_iter().flatten();
    entries
        .filter(|entry| {
            let asked = entry["asked"].as_str().unwrap_or_default();
            PIXEL_ENCODINGS.iter().any(|known| asked.split([',', ' ']).next() == Some(known.name))
        })
        .filter_map(|entry| Some(folder.join(entry["file"].as_str()?.to_owned() + ".zst")))
        .collect()
}

/// Updates of four strips, each through a zlib stream of its own: slow gradients under grain.
fn four_streams() -> Recording {
    const WIDTH: usize = 1280;
    const STRIP: usize = 48;
    let mut streams = [(); 4].map(|()| Compress::new(Compression::new(1), true));
    let mut grain = 1u32;
    let mut messages = Vec::new();
    for update in 0..12 {
        messages.extend([0, 0, 0, 16]);
        for rectangle in 0..16 {
            let (number, top) = (rectangle / 4, rectangle * STRIP);
            let pixels: Vec<u8> = (0..WIDTH * STRIP)
                .flat_map(|at| {
                    let (x, y) = (at % WIDTH, top + at / WIDTH);
                    grain = grain.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let grain = (grain >> 30) as usize;
                    [x / 9 + update + grain, (x + y) / 12 + grain, y / 5 + grain].map(|part| part as u8)
                })
                .collect();
            let mut data = Vec::with_capacity(pixels.len() + 4096);
            streams[number].compress_vec(&pixels, &mut data, FlushCompress::Sync).expect("it compresses");
            messages.extend([0, top, WIDTH, STRIP].map(|part| (part as u16).to_be_bytes()).as_flattened());
            messages.extend(encoding::TIGHT.to_be_bytes());
            let length = data.len();
            messages
                .extend([number << 4, length & 0x7f | 0x80, length >> 7 & 0x7f | 0x80, length >> 14].map(|b| b as u8));
            messages.extend(data);
        }
    }
    let (width, height, name) = (WIDTH as u16, 16 * STRIP as u16, "four streams".to_owned());
    let init = ServerInit { width, height, format: FORMAT, name };
    Recording { init, messages: messages.into(), start: 0, arrivals: [].into(), cut_off: false }
}

/// One thread against two.
fn lanes(criterion: &mut Criterion) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = std::env::var_os("SSHVNC_CORPUS").map_or_else(|| root.join("../shared/corpus"), PathBuf::from);
    let mut recordings = vec![("four-streams".to_owned(), four_streams())];
    for path in listed(&corpus).into_iter().chain(listed(&root.join("tests/recordings"))) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().replace(".rfb.zst", "");
        if name.contains("tightjpeg") {
            recordings.push((name, Recording::load(&path).expect("a recording")));
        }
    }
    let mut group = criterion.benchmark_group("lanes");
    group.sample_size(10);
    for (name, recording) in recordings {
        for count in [0, 1] {
            time(&mut group, &format!("{name}/{}", count + 1), &recording, count);
        }
    }
    group.finish();
}

fn time(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, recording: &Recording, lanes: usize) {
    let mut canvas = canvas_for(&recording.init, ByteOrder::Rgbx).expect("a desktop of an ordinary size");
    let mut pass = || bench::pass(recording, &mut canvas, lanes::start(lanes).expect("threads"));
    let (_, counts) = pass().expect("a whole recording");
    group.throughput(Throughput::Elements(counts.pixels));
    group.bench_function(name, |bencher| {
        // Clearing the canvas and making the client are not part of the decoding.
        bencher.iter_custom(|passes| (0..passes).filter_map(|_| pass().ok()).map(|(time, _)| time).sum());
    });
}

fn stream(criterion: &mut Criterion) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = std::env::var_os("SSHVNC_CORPUS").map_or_else(|| root.join("../shared/corpus"), PathBuf::from);
    for (name, folder) in [("own", root.join("tests/recordings")), ("corpus", corpus)] {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10);
        for path in listed(&folder) {
            let recording = Recording::load(&path).expect("a recording");
            let name = path.file_name().unwrap_or_default().to_string_lossy().replace(".rfb.zst", "");
            time(&mut group, &name, &recording, 0);
        }
        group.finish();
    }
}

criterion_group!(benches, stream, lanes);
criterion_main!(benches);
