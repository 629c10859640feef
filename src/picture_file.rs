//! Writes a picture as a PNG file: whole, or not at all.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::Failure;
use crate::picture::Canvas;

/// Writes `canvas` to `path`.
///
/// # Errors
/// [`Failure`] of the kind usage if the file can not be written; nothing is left behind then.
pub fn write(path: &Path, canvas: &Canvas) -> Result<(), Failure> {
    let size = canvas.size();
    if size.pixels() == 0 {
        return Err(Failure::usage(format!("{}: the desktop has no pixels ({size})", path.display())));
    }
    // Beside its final place first: a reader never sees half a picture, and a full disk leaves the old one.
    let mut beside = path.as_os_str().to_owned();
    beside.push(".tmp");
    let beside = PathBuf::from(beside);
    let written = encode(&beside, canvas).and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        Failure::usage(format!("{}: {error}", path.display())).hint("choose a place that can be written to")
    })
}

fn encode(path: &Path, canvas: &Canvas) -> std::io::Result<()> {
    let size = canvas.size();
    let mut file = BufWriter::new(File::create(path)?);
    let mut encoder = png::Encoder::new(&mut file, size.width.into(), size.height.into());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::Fast);
    encoder.write_header()?.write_image_data(&canvas.to_rgb())?;
    file.flush()
}
