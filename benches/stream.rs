//! Recording → picture: what servers really sent, from memory to the last picture, as `sshvnc bench` times it.
//!
//! Of `tests/recordings`, and of the folder that `SSHVNC_CORPUS` names or `../shared/corpus` beside the repository.

use std::fs;
use std::path::{Path, PathBuf};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sshvnc::bench;
use sshvnc::client::canvas_for;
use sshvnc::lanes;
use sshvnc::picture::ByteOrder;
use sshvnc::recording::Recording;
use sshvnc::rfb::encoding::PIXEL_ENCODINGS;

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

fn stream(criterion: &mut Criterion) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = std::env::var_os("SSHVNC_CORPUS").map_or_else(|| root.join("../shared/corpus"), PathBuf::from);
    for (name, folder) in [("own", root.join("tests/recordings")), ("corpus", corpus)] {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10);
        for path in listed(&folder) {
            let recording = Recording::load(&path).expect("a recording");
            let mut canvas = canvas_for(&recording.init, ByteOrder::Rgbx).expect("a desktop of an ordinary size");
            let (_, counts) =
                bench::pass(&recording, &mut canvas, lanes::start(0).unwrap()).expect("a whole recording");
            group.throughput(Throughput::Elements(counts.pixels));
            let name = path.file_name().unwrap_or_default().to_string_lossy().replace(".rfb.zst", "");
            group.bench_function(name, |bencher| {
                // Clearing the canvas and making the client are not part of the decoding.
                bencher.iter_custom(|passes| {
                    (0..passes)
                        .filter_map(|_| bench::pass(&recording, &mut canvas, lanes::start(0).unwrap()).ok())
                        .map(|(time, _)| time)
                        .sum()
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, stream);
criterion_main!(benches);
