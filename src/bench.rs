//! `sshvnc bench`: decodes recordings from memory and says how long it took.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::cli::Bench;
use crate::client::{Client, Counts, Received, canvas_for};
use crate::decode::Lanes;
use crate::error::Failure;
use crate::lanes;
use crate::picture::{ByteOrder, Canvas};
use crate::picture_file;
use crate::recording::Recording;
use crate::rfb::{Inbox, ProtocolError};

/// Decodes every file and prints a line for each.
///
/// # Errors
/// [`Failure`] for the first file that can not be read or decoded.
pub fn run(what: &Bench) -> Result<(), Failure> {
    if what.dump.is_some() && what.files.len() > 1 {
        return Err(Failure::usage("--dump takes one recording at a time"));
    }
    for path in &what.files {
        let recording = Recording::load(path)?;
        let init = &recording.init;
        let mut canvas = canvas_for(init, ByteOrder::Rgbx).map_err(|error| Failure::in_file(path, error))?;
        let mut seconds = Vec::new();
        let mut counts = Counts::default();
        for _ in 0..what.passes.get() {
            let (time, counted) = pass(&recording, &mut canvas, start_lanes(what.lanes)?)
                .map_err(|error| Failure::in_file(path, error))?;
            seconds.push(time.as_secs_f64());
            counts = counted;
        }
        seconds.sort_by(f64::total_cmp);
        let report = Report { path, recording: &recording, counts, seconds, hash: what.hash.then(|| hash(&canvas)) };
        println!("{}", if what.json { report.json() } else { report.line() });
        if let Some(to) = &what.dump {
            picture_file::write(to, &canvas)?;
        }
    }
    Ok(())
}

fn start_lanes(count: u8) -> Result<Box<dyn Lanes>, Failure> {
    lanes::start(count.into()).map_err(|error| Failure::usage(format!("no thread for a lane: {error}")))
}

/// Decodes the whole recording onto a black canvas; only the decoding is timed.
///
/// # Errors
/// [`ProtocolError`], also for a recording that ends inside a message.
pub fn pass(
    recording: &Recording,
    canvas: &mut Canvas,
    lanes: Box<dyn Lanes>,
) -> Result<(Duration, Counts), ProtocolError> {
    let init = &recording.init;
    canvas.resize(crate::picture::Size::new(init.width, init.height));
    canvas.clear();
    let mut client = Client::of_recording(init, canvas.order());
    client.set_lanes(lanes);
    let mut inbox = Inbox::default();
    inbox.push(recording.messages.clone());
    let start = Instant::now();
    while client.receive(&mut inbox, canvas)? == Received::UpdateDone {}
    let time = start.elapsed();
    let cut_off = if recording.cut_off { Some("block") } else { None };
    let end = cut_off.or((!client.at_boundary(&inbox)).then_some("message"));
    if let Some(end) = end {
        let what = format!("it ends in the middle of a {end}");
        return Err(ProtocolError::new("recording", inbox.offset(), what));
    }
    Ok((time, client.counts().clone()))
}

/// SHA-256 of the picture as bytes red, green, blue, 0, row by row, in hexadecimal.
pub fn hash(canvas: &Canvas) -> String {
    let mut sha = Sha256::new();
    canvas.each_rgbx_row(|row| sha.update(row));
    sha.finalize().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

struct Report<'a> {
    path: &'a Path,
    recording: &'a Recording,
    counts: Counts,
    /// In ascending order, at least one.
    seconds: Vec<f64>,
    hash: Option<String>,
}

impl Report<'_> {
    fn median(&self) -> f64 {
        let n = self.seconds.len();
        (self.seconds[(n - 1) / 2] + self.seconds[n / 2]) / 2.0
    }

    fn bytes(&self) -> u64 {
        self.recording.start + self.recording.messages.len() as u64
    }

    fn line(&self) -> String {
        let Counts { updates, rectangles, pixels, .. } = self.counts;
        let seconds = self.median();
        let name = self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy();
        let mut line = format!(
            "{name}: {updates} updates, {rectangles} rectangles, {pixels} pixels, {} bytes, {seconds:.6} s, {:.1} Mpixel/s, {:.1} MB/s",
            self.bytes(),
            pixels as f64 / seconds / 1e6,
            self.bytes() as f64 / seconds / 1e6,
        );
        if let Some(hash) = &self.hash {
            let _ = write!(line, ", sha256 {hash}");
        }
        line
    }

    fn json(&self) -> String {
        let seconds = self.median();
        let mut report = json!({
            "file": self.path.to_string_lossy(),
            "updates": self.counts.updates,
            "rectangles": self.counts.rectangles,
            "pixels": self.counts.pixels,
            "bytes": self.bytes(),
            "passes": self.seconds.len(),
            "seconds": seconds,
            "seconds_min": self.seconds[0],
            "mpixel_per_second": self.counts.pixels as f64 / seconds / 1e6,
            "mb_per_second": self.bytes() as f64 / seconds / 1e6,
        });
        if let Some(hash) = &self.hash {
            report["hash"] = json!(hash);
        }
        report.to_string()
    }
}
