//! The fuzz targets' seeds, and some noise, through the same checks, so that they run without a fuzzer.

use std::fs;
use std::path::Path;

use crate::every_cut::Numbers;
use crate::oracles;

type Oracle = fn(&[u8]);

const TARGETS: [(&str, Oracle); 17] = [
    ("inflate", oracles::inflate),
    ("raw", |data| oracles::decoder(0, data)),
    ("rre", |data| oracles::decoder(2, data)),
    ("corre", |data| oracles::decoder(4, data)),
    ("hextile", |data| oracles::decoder(5, data)),
    ("zlib", |data| oracles::decoder(6, data)),
    ("zlibhex", |data| oracles::decoder(8, data)),
    ("ultra", |data| oracles::decoder(9, data)),
    ("trle", |data| oracles::decoder(15, data)),
    ("zrle", |data| oracles::decoder(16, data)),
    ("zywrle", |data| oracles::decoder(17, data)),
    ("tight", |data| oracles::decoder(7, data)),
    ("tightpng", |data| oracles::decoder(-260, data)),
    ("jpeg", |data| oracles::decoder(21, data)),
    ("client", oracles::client),
    ("handshake", oracles::handshake),
    ("recording", oracles::recording),
];

fn pass(name: &str, oracle: Oracle) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
    let mut seen = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        oracle(&fs::read(entry.unwrap().path()).unwrap());
        seen += 1;
    }
    assert!(seen > 0, "{} is empty", folder.display());
}

#[test]
fn every_seed_passes() {
    TARGETS.into_iter().for_each(|(name, oracle)| pass(name, oracle));
}

#[cfg(feature = "h264")]
#[test]
fn so_does_every_one_of_h264() {
    pass("h264", oracles::h264);
}

#[test]
fn so_does_noise() {
    let mut numbers = Numbers(1);
    for (_, oracle) in TARGETS {
        for limit in [2, 3, 9, 30, 255] {
            for _ in 0..400 {
                let length = 4 + numbers.next_number() as usize % 300;
                let mut data = numbers.bytes(length);
                data[1..].iter_mut().for_each(|byte| *byte %= limit);
                oracle(&data);
            }
        }
    }
}

#[test]
fn a_server_that_speaks_another_protocol_is_told_apart_however_its_words_come() {
    for words in [
        "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
        "HTTP/1.1 400 Bad Request\r\n",
        "RFB 3.8\nand more",
        "RFB 002.002\nxxxxxx",
    ] {
        oracles::handshake(&[b"\0", words.as_bytes()].concat());
    }
}
