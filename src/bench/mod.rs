//! `sshvnc bench`: decodes recordings from memory and says how long it took.

mod floor;
mod report;
mod stages;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::cli::Bench;
use crate::client::{Client, Counts, Received, canvas_for};
use crate::decode::{Alone, Fault, Lanes};
use crate::error::{Failure, Kind};
use crate::lanes;
use crate::picture::{ByteOrder, Canvas};
use crate::picture_file;
use crate::recording::Recording;
use crate::rfb::{Inbox, ProtocolError};
use crate::say;
use floor::Floor;
use report::{Limits, Report, median};

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
        let broken = |error| Failure::in_file(path, error);
        let mut seconds = Vec::new();
        let mut stages: [Vec<f64>; stages::NAMES.len()] = Default::default();
        let mut counts = Counts::default();
        let mut limits = what.limits.then(|| Limits { floor: Floor::of(&recording), seconds: Vec::new(), inflated: 0 });
        for _ in 0..what.passes.get() {
            // In turn, so that a disturbance of the machine meets them all.
            if let Some(Limits { floor: Ok(floor), seconds, inflated: bytes }) = &mut limits {
                let pass = floor.pass(&mut canvas);
                let (time, inflated) = pass.map_err(|Fault(what)| Failure::new(Kind::Protocol, what))?;
                *bytes = inflated;
                seconds.push(time.as_secs_f64());
            }
            if what.stages {
                let times = staged_pass(&recording, &mut canvas).map_err(broken)?;
                stages.iter_mut().zip(times).for_each(|(stage, time)| stage.push(time.as_secs_f64()));
            }
            let (time, counted) = pass(&recording, &mut canvas, start_lanes(what.lanes)?).map_err(broken)?;
            seconds.push(time.as_secs_f64());
            counts = counted;
        }
        seconds.sort_by(f64::total_cmp);
        let hash = what.hash.then(|| hash(&canvas));
        let stages = what.stages.then(|| stages.map(median));
        let report = Report { path, recording: &recording, counts, seconds, hash, stages, limits };
        say::result(if what.json { report.json() } else { report.line() });
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
// By this name callgrind finds it (benches/instructions/count).
#[inline(never)]
pub fn pass(
    recording: &Recording,
    canvas: &mut Canvas,
    lanes: Box<dyn Lanes>,
) -> Result<(Duration, Counts), ProtocolError> {
    measured_pass(recording, canvas, lanes, |decode| {
        let start = Instant::now();
        decode()?;
        Ok(start.elapsed())
    })
}

/// The same with a clock that is stopped at every change of stage.
fn staged_pass(recording: &Recording, canvas: &mut Canvas) -> Result<stages::Times, ProtocolError> {
    let staged = measured_pass(recording, canvas, Box::new(Alone), |decode| {
        let (done, times) = stages::timed(decode);
        done.map(|()| times)
    });
    staged.map(|(times, _)| times)
}

/// A pass of which `measure` does the decoding.
fn measured_pass<T>(
    recording: &Recording,
    canvas: &mut Canvas,
    lanes: Box<dyn Lanes>,
    measure: impl FnOnce(&mut dyn FnMut() -> Result<(), ProtocolError>) -> Result<T, ProtocolError>,
) -> Result<(T, Counts), ProtocolError> {
    let init = &recording.init;
    canvas.resize(crate::picture::Size::new(init.width, init.height));
    canvas.clear();
    let mut client = Client::of_recording(init, canvas.order());
    client.set_lanes(lanes);
    let mut inbox = Inbox::default();
    inbox.push(recording.messages.clone());
    let measured = measure(&mut || {
        while client.receive(&mut inbox, canvas)? != Received::NeedMore {}
        Ok(())
    })?;
    let cut_off = if recording.cut_off { Some("block") } else { None };
    let end = cut_off.or((!client.at_boundary(&inbox)).then_some("message"));
    if let Some(end) = end {
        let what = format!("it ends in the middle of a {end}");
        return Err(ProtocolError::new("recording", inbox.offset(), what));
    }
    Ok((measured, client.counts().clone()))
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
