//! What `sshvnc bench` says of a recording: a line, or JSON.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;

use super::floor::Floor;
use super::stages;
use crate::client::Counts;
use crate::recording::Recording;

/// What is known of a recording after its passes.
pub(super) struct Report<'a> {
    pub(super) path: &'a Path,
    pub(super) recording: &'a Recording,
    pub(super) counts: Counts,
    /// In ascending order, at least one.
    pub(super) seconds: Vec<f64>,
    pub(super) hash: Option<String>,
    /// Seconds, in the order of [`stages::NAMES`].
    pub(super) stages: Option<[f64; stages::NAMES.len()]>,
    pub(super) limits: Option<Limits>,
}

/// The floor of a recording, or why none is known.
pub(super) struct Limits {
    pub(super) floor: Result<Floor, String>,
    /// How long it took each time.
    pub(super) seconds: Vec<f64>,
    /// Bytes inflated each time.
    pub(super) inflated: u64,
}

/// The value in the middle, or between both.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    (values[(n - 1) / 2] + values[n / 2]) / 2.0
}

impl Report<'_> {
    fn median(&self) -> f64 {
        median(self.seconds.clone())
    }

    fn bytes(&self) -> u64 {
        self.recording.start + self.recording.messages.len() as u64
    }

    /// For people.
    pub(super) fn line(&self) -> String {
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
        if let Some(stages) = &self.stages {
            let all: f64 = stages.iter().sum();
            let parts = stages::NAMES
                .iter()
                .zip(stages)
                .map(|((_, name), time)| format!("{name} {:.3} ms ({:.0} %)", time * 1e3, time / all * 100.0));
            let _ = write!(line, "\n    stages: {}", parts.collect::<Vec<_>>().join(", "));
        }
        match &self.limits {
            Some(Limits { floor: Ok(_), seconds: floor, inflated }) => {
                let floor = median(floor.clone());
                let _ = write!(
                    line,
                    "\n    limits: floor {:.3} ms ({:.1} MB inflated), ours/floor {:.2}",
                    floor * 1e3,
                    *inflated as f64 / 1e6,
                    seconds / floor
                );
            }
            Some(Limits { floor: Err(why), .. }) => {
                let _ = write!(line, "\n    limits: no floor is known for {why}");
            }
            None => {}
        }
        line
    }

    /// One JSON object.
    pub(super) fn json(&self) -> String {
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
        if let Some(stages) = &self.stages {
            for ((_, name), time) in stages::NAMES.iter().zip(stages) {
                report["stages"][name] = json!(time);
            }
        }
        match &self.limits {
            Some(Limits { floor: Ok(_), seconds: floor, .. }) => report["floor_seconds"] = json!(median(floor.clone())),
            Some(Limits { floor: Err(why), .. }) => report["no_floor"] = json!(why),
            None => {}
        }
        report.to_string()
    }
}
