//! The floor behind `sshvnc bench --limits`: the part of the work that no decoder of a recording can do without.
//!
//! Of Zlib, ZRLE, ZYWRLE and Tight that is inflating their streams into memory that nobody looks at, and filling the
//! rectangles and tiles of one colour; of CopyRect copying, even where a canvas would scroll, and of Raw copying its rows.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::client::{Client, canvas_for};
use crate::decode::tight_content::{Content, content};
use crate::decode::{Fault, Parcel, ParcelDecoder, Pixels, Progress, Tight, Zlib, ZlibStream, Zrle};
use crate::picture::convert::{Same32, Source};
use crate::picture::{Area, ByteOrder, Canvas, Outside, Size};
use crate::recording::{FORMAT, Recording};
use crate::rfb::server_message::{self, RectangleHeader};
use crate::rfb::{Inbox, encoding};

/// Pixels a row of a tile of ZRLE, and rows.
const TILE: u16 = 64;
/// Bytes inflated at a time.
const BAND: usize = 64 * 1024;
/// What fills are made with: the time does not depend on it.
const COLOUR: u32 = 0x0055_aacc;
/// The zlib streams of a session: those of Tight, and one each of Zlib and ZRLE.
const STREAMS: usize = 6;
const ZLIB_STREAM: usize = 4;
const ZRLE_STREAM: usize = 5;

enum Step {
    Resize(Size),
    Copy { x: u16, y: u16, to: Area },
    Rows { to: Area, bytes: Bytes },
    Fill(Area),
    Inflate { stream: usize, data: Bytes },
    Restart { stream: usize },
}

/// What is left of a recording when everything is taken away that could be done better.
pub struct Floor {
    size: Size,
    steps: Vec<Step>,
}

impl Floor {
    /// The floor of `recording`.
    ///
    /// # Errors
    /// Why none is known, in words: an encoding that is not one of the above, or another pixel format.
    pub fn of(recording: &Recording) -> Result<Floor, String> {
        if recording.init.format != FORMAT {
            return Err("other pixels than those of 32 bits with red lowest".into());
        }
        let canvas = canvas_for(&recording.init, ByteOrder::Rgbx).map_err(|error| error.to_string())?;
        let size = canvas.size();
        let client = Client::of_recording(&recording.init, canvas.order());
        let pixels = Pixels::new(FORMAT, canvas.order());
        let (zlib, zrle, tight) = (Zlib::new(), Zrle::new(), Tight::new());
        let mut walk = Walk { inbox: Inbox::default(), canvas, client, pixels, zlib, zrle, tight, steps: Vec::new() };
        walk.inbox.push(recording.messages.clone());
        while !walk.inbox.is_empty() {
            walk.message().map_err(|Fault(what)| what)?;
        }
        Ok(Floor { size, steps: walk.steps })
    }

    /// Does what is left, on `canvas`. Gives the time and the bytes inflated.
    ///
    /// # Errors
    /// [`Fault`] if something is not as it was when the recording was looked through.
    pub fn pass(&self, canvas: &mut Canvas) -> Result<(Duration, u64), Fault> {
        let mut streams: [ZlibStream; STREAMS] = std::array::from_fn(|_| ZlibStream::new());
        let mut inflated = 0;
        canvas.resize(self.size);
        let start = Instant::now();
        for step in &self.steps {
            match step {
                Step::Resize(size) => canvas.resize(*size),
                Step::Copy { x, y, to } => canvas.copy(*x, *y, *to)?,
                Step::Rows { to, bytes } => {
                    let row_bytes = usize::from(to.width()) * Same32::BYTES;
                    let mut target = canvas.target(*to)?;
                    for (bytes, row) in bytes.chunks_exact(row_bytes.max(1)).zip(target.rows_from(0)) {
                        Same32.row(bytes, row);
                    }
                }
                Step::Fill(area) => {
                    let mut target = canvas.target(*area)?;
                    target.fill(0, 0, area.width().into(), area.height().into(), COLOUR)?;
                }
                Step::Restart { stream } => streams[*stream].reset(),
                Step::Inflate { stream, data } => inflated += inflate(&mut streams[*stream], data)?,
            }
        }
        Ok((start.elapsed(), inflated))
    }
}

/// Inflates `data`; gives the bytes that it became.
fn inflate(stream: &mut ZlibStream, mut data: &[u8]) -> Result<u64, Fault> {
    let mut inflated = 0;
    loop {
        let bytes = stream.next(&mut data, BAND)?.len();
        inflated += bytes as u64;
        if bytes < BAND {
            return Ok(inflated);
        }
    }
}

/// A recording that is looked through.
struct Walk {
    inbox: Inbox,
    canvas: Canvas,
    /// For all that is no pixels.
    client: Client,
    pixels: Pixels,
    zlib: Zlib,
    zrle: Zrle,
    tight: Tight,
    steps: Vec<Step>,
}

impl Walk {
    fn message(&mut self) -> Result<(), Fault> {
        if self.inbox.available().first() == Some(&server_message::FRAMEBUFFER_UPDATE) {
            return self.update();
        }
        let progress = self.client.take_message(&mut self.inbox, &mut self.canvas)?;
        self.passed_over(progress)
    }

    /// After something that is no pixels.
    fn passed_over(&mut self, progress: Progress) -> Result<(), Fault> {
        // Nobody hears what it says.
        self.client.messages();
        if progress == Progress::Done { Ok(()) } else { Err(cut_off()) }
    }

    fn update(&mut self) -> Result<(), Fault> {
        let count = self.inbox.unit(|reader| {
            reader.bytes(2)?;
            reader.u16()
        });
        let count = count.ok_or_else(cut_off)?;
        // 65535 means "until LastRect".
        let mut left = (count != 0xffff).then_some(count);
        while left != Some(0) {
            let header = self.inbox.unit(RectangleHeader::read).ok_or_else(cut_off)?;
            if header.encoding == encoding::LAST_RECT {
                break;
            }
            self.rectangle(&header)?;
            left = left.map(|left| left - 1);
        }
        Ok(())
    }

    fn rectangle(&mut self, header: &RectangleHeader) -> Result<(), Fault> {
        let RectangleHeader { x, y, width, height, encoding } = *header;
        let before = self.canvas.size();
        if let Some(progress) = self.client.take_pseudo(&mut self.inbox, &mut self.canvas, header)? {
            let size = self.canvas.size();
            self.steps.extend((size != before).then_some(Step::Resize(size)));
            return self.passed_over(progress);
        }
        let to = self.canvas.size().area(x, y, width, height).ok_or(Outside)?;
        let (width, height) = (usize::from(width), usize::from(height));
        let Walk { inbox, canvas, client: _, pixels, zlib, zrle, tight, steps } = self;
        match encoding {
            encoding::COPY_RECT => {
                let (x, y) = inbox.unit(|reader| Ok((reader.u16()?, reader.u16()?))).ok_or_else(cut_off)?;
                steps.push(Step::Copy { x, y, to });
                canvas.copy(x, y, to)?;
            }
            encoding::RAW => {
                let bytes = inbox.payload(width * height * Same32::BYTES).ok_or_else(cut_off)?;
                steps.push(Step::Rows { to, bytes });
            }
            encoding::ZLIB => {
                let parcel = zlib.cut(inbox, width, height, pixels)?.ok_or_else(cut_off)?;
                steps.push(Step::Inflate { stream: ZLIB_STREAM, data: parcel.payload });
            }
            encoding::ZRLE | encoding::ZYWRLE => {
                let parcel = zrle.cut(inbox, width, height, pixels)?.ok_or_else(cut_off)?;
                steps.push(Step::Inflate { stream: ZRLE_STREAM, data: parcel.payload.clone() });
                // Which tiles have one colour is seen when they are painted.
                let level = encoding::ZYWRLE_QUALITY;
                zrle.set_levels(if encoding == encoding::ZYWRLE { encoding::zywrle_levels(level) } else { 0 });
                zrle.unpack(parcel, &mut canvas.target(to)?, pixels)?;
                steps.extend(tiles(canvas.size(), to).filter(|tile| has_one_colour(canvas, *tile)).map(Step::Fill));
            }
            encoding::TIGHT => {
                let parcel: Parcel = tight.cut(inbox, width, height, pixels)?.ok_or_else(cut_off)?;
                let (resets, content) = content(&parcel, width, height, pixels)?;
                let restarts = (0..ZLIB_STREAM).filter(|stream| resets >> stream & 1 != 0);
                steps.extend(restarts.map(|stream| Step::Restart { stream }));
                match content {
                    Content::Fill => steps.push(Step::Fill(to)),
                    Content::Zlib { stream, data } => steps.push(Step::Inflate { stream, data }),
                    Content::Plain => {}
                    Content::Picture => return Err(Fault::from("JPEG pictures")),
                }
            }
            other => return Err(Fault(format!("rectangles in {}", encoding::name(other)))),
        }
        Ok(())
    }
}

fn cut_off() -> Fault {
    Fault::from("an end in the middle of a message")
}

/// The tiles of `area`, which lies inside `size`.
fn tiles(size: Size, area: Area) -> impl Iterator<Item = Area> {
    let (right, bottom) = (area.x() + area.width(), area.y() + area.height());
    let rows = (area.y()..bottom).step_by(TILE.into());
    rows.flat_map(move |y| {
        let columns = (area.x()..right).step_by(TILE.into());
        columns.filter_map(move |x| size.area(x, y, TILE.min(right - x), TILE.min(bottom - y)))
    })
}

fn has_one_colour(canvas: &Canvas, area: Area) -> bool {
    let mut pixels = canvas.rows(area).flatten();
    let first = pixels.next();
    pixels.all(|pixel| Some(pixel) == first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rfb::handshake::ServerInit;

    fn recording(name: &str) -> Recording {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
        Recording::load(&folder.join(format!("{name}.rfb.zst"))).unwrap()
    }

    fn floor(name: &str) -> Result<Floor, String> {
        Floor::of(&recording(name))
    }

    #[test]
    fn what_is_no_pixels_is_passed_over() {
        let init = ServerInit { width: 2, height: 1, format: FORMAT, name: String::new() };
        let pixels = |width: u8, encoding: i32, payload: &[u8]| {
            [&[0, 0, 0, 0, 0, width, 0, 1][..], &encoding.to_be_bytes(), payload].concat()
        };
        let messages = [
            // A fence, EndOfContinuousUpdates, a bell, audio, xvp, the extended clipboard, colours.
            &[248, 0, 0, 0, 0x80, 0, 0, 0, 2, 7, 7, 150, 2, 255, 1, 0, 2, 0, 0, 0, 3, 1, 2, 3, 250, 0, 1, 1][..],
            &[3, 0, 0, 0, 0xff, 0xff, 0xff, 0xfc, 4, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0],
            &[0, 0, 0, 9],
            &pixels(0, encoding::QEMU_EXTENDED_KEY_EVENT, &[]),
            &pixels(0, encoding::EXTENDED_MOUSE_BUTTONS, &[]),
            &pixels(0, encoding::QEMU_POINTER_MOTION_CHANGE, &[]),
            &pixels(1, encoding::CURSOR_WITH_ALPHA, &[0, 0, 0, 0, 1, 2, 3, 4]),
            &pixels(0, encoding::DESKTOP_NAME, &[0, 0, 0, 1, b'x']),
            &pixels(0, encoding::LED_STATE, &[1]),
            &pixels(0, encoding::VMWARE_LED_STATE, &[0, 0, 0, 1]),
            &pixels(3, encoding::DESKTOP_SIZE, &[]),
            &pixels(3, encoding::RAW, &[9; 12]),
        ];
        let mut recording =
            Recording { init, messages: messages.concat().into(), start: 0, arrivals: [].into(), cut_off: false };
        let floor = Floor::of(&recording).unwrap();
        let mut canvas = canvas_for(&recording.init, ByteOrder::Rgbx).unwrap();
        for _ in 0..2 {
            floor.pass(&mut canvas).unwrap();
            assert_eq!((canvas.size(), canvas.pixels()), (Size::new(3, 1), &[0x0909_0909; 3][..]));
        }
        recording.messages = vec![248, 0, 0, 0, 0, 0, 0, 0, 9].into();
        assert_eq!(Floor::of(&recording).err().unwrap(), "an end in the middle of a message");
    }

    #[test]
    fn of_raw_it_is_the_whole_work() {
        let recording = recording("raw-tigervnc");
        let mut canvas = canvas_for(&recording.init, ByteOrder::Rgbx).unwrap();
        Floor::of(&recording).unwrap().pass(&mut canvas).unwrap();
        let painted = canvas.clone();
        super::super::pass(&recording, &mut canvas, Box::new(crate::decode::Alone)).unwrap();
        assert!(painted.pixels() == canvas.pixels());
    }

    #[test]
    fn every_stream_is_inflated_from_end_to_end() {
        let inflated = |name| {
            let recording = recording(name);
            let mut canvas = canvas_for(&recording.init, ByteOrder::Rgbx).unwrap();
            let (_, inflated) = Floor::of(&recording).unwrap().pass(&mut canvas).unwrap();
            let (_, counts) = super::super::pass(&recording, &mut canvas, Box::new(crate::decode::Alone)).unwrap();
            (inflated, counts)
        };
        // All of its rectangles are Zlib's, of four bytes a pixel.
        let (bytes, counts) = inflated("zlib-x11vnc");
        assert_eq!((bytes, counts.by_encoding.len()), (4 * counts.pixels, 1));
        for name in ["zrle-tigervnc", "zywrle-x11vnc", "tight-tigervnc", "tightgrad-tightvnc"] {
            let (bytes, _) = inflated(name);
            assert!(bytes > recording(name).messages.len() as u64, "{name}: {bytes}");
        }
    }

    #[test]
    fn what_has_none_says_why() {
        let why = |name| floor(name).err().unwrap();
        assert_eq!(why("hextile-tigervnc"), "rectangles in Hextile");
        assert_eq!(why("tightjpeg-tigervnc"), "JPEG pictures");
        assert_eq!(why("zlib-rgb565-tightvnc"), "other pixels than those of 32 bits with red lowest");
    }
}
