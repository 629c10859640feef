//! The fuzz targets' common ground: the oracles of the tests, and conversations put together from arbitrary pieces.

#[path = "../../tests/it/every_cut.rs"]
#[allow(dead_code)]
pub mod every_cut;
#[path = "../../tests/it/naive.rs"]
#[allow(dead_code)]
pub mod naive;
#[path = "../../tests/it/oracles.rs"]
pub mod oracles;
#[path = "../../tests/it/server.rs"]
#[allow(dead_code)]
pub mod server;

use arbitrary::Arbitrary;
use flate2::{Compress, Compression, FlushCompress};

use server::rectangle;

/// A conversation whose messages are mostly well-formed, so that the fuzzer gets far into it.
#[derive(Debug, Arbitrary)]
pub struct Conversation {
    wire: u8,
    width: u8,
    height: u8,
    seed: u8,
    updates: Vec<Update>,
}

#[derive(Debug, Arbitrary)]
enum Update {
    /// A FramebufferUpdate with the right count.
    Counted(Vec<Rectangle>),
    /// One that LastRect ends.
    Open(Vec<Rectangle>),
    /// SetColourMapEntries.
    ColourMap { first: u8, colours: Vec<[u16; 3]> },
    /// Bell.
    Bell,
    /// ServerCutText.
    CutText(Vec<u8>),
    /// ServerCutText of the extended clipboard.
    ExtendedClipboard { action: u8, formats: u16, sizes: Vec<u32> },
    /// The same with a text, whose announced length may be another than its own.
    ClipboardText { more: i8, text: Vec<u8>, noise: bool },
    /// xvp Server Message.
    Xvp { code: u8 },
    /// QEMU Audio Server Message.
    Audio { operation: u8, data: Vec<u8> },
    /// ServerFence.
    Fence { flags: u32, payload: Vec<u8> },
    /// EndOfContinuousUpdates.
    EndOfContinuousUpdates,
    /// Whatever comes to mind.
    Noise(Vec<u8>),
}

#[derive(Debug, Arbitrary)]
struct Rectangle {
    place: [u8; 4],
    content: Content,
}

#[derive(Debug, Arbitrary)]
enum Content {
    Raw(Vec<u8>),
    CopyRect {
        x: u8,
        y: u8,
    },
    Rre(Subrectangles),
    CoRre(Subrectangles),
    Hextile(Vec<u8>),
    /// What is compressed into the stream of this conversation.
    Zlib(Vec<u8>),
    /// A parcel that nobody compressed.
    ZlibNoise(Vec<u8>),
    Trle(Vec<u8>),
    /// Tiles that are compressed into the stream of this conversation.
    Zrle {
        wavelets: bool,
        tiles: Vec<u8>,
    },
    ZlibHex(Vec<u8>),
    Ultra(Vec<u8>),
    Tight {
        control: u8,
        filter: u8,
        palette: Vec<[u8; 4]>,
        data: Vec<u8>,
    },
    /// What is behind a control byte that announces a picture.
    TightPicture {
        png: bool,
        bytes: Vec<u8>,
    },
    Jpeg(Vec<u8>),
    Cursor(Vec<u8>),
    XCursor(Vec<u8>),
    AlphaCursor(Vec<u8>),
    VmwareCursor {
        kind: u8,
        bytes: Vec<u8>,
    },
    Leds {
        vmware: bool,
        leds: u8,
    },
    PointerPos,
    /// Of QEMU's, of more buttons: without pixels.
    Ability {
        number: u8,
    },
    DesktopSize,
    ExtendedDesktopSize {
        screens: Vec<[u32; 4]>,
    },
    Name(Vec<u8>),
    LastRect,
    Other {
        encoding: i8,
    },
}

/// Pixels of the most bytes there are; a format of fewer takes them for something else.
#[derive(Debug, Arbitrary)]
struct Subrectangles {
    background: [u8; 4],
    all: Vec<([u8; 4], [u8; 4])>,
}

/// What a server compresses into.
struct Streams {
    zlib: Compress,
    zrle: Compress,
}

fn deflated(stream: &mut Compress, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 8 + 100);
    let _ = stream.compress_vec(bytes, &mut out, FlushCompress::Sync);
    out
}

impl Conversation {
    /// As the oracle takes it.
    pub fn bytes(&self) -> Vec<u8> {
        let stream = || Compress::new(Compression::fast(), true);
        let mut streams = Streams { zlib: stream(), zrle: stream() };
        let mut out = vec![self.wire, self.width, self.height, self.seed];
        let pixel = server::WIRES[usize::from(self.wire) % server::WIRES.len()].colours[0].len();
        for update in &self.updates {
            let mut rectangles = |all: &[Rectangle]| -> Vec<u8> {
                all.iter().flat_map(|rectangle| rectangle.bytes(pixel, &mut streams)).collect()
            };
            out.extend(match update {
                Update::Counted(all) => [&[0, 0][..], &(all.len() as u16).to_be_bytes(), &rectangles(all)].concat(),
                Update::Open(all) => [&[0, 0, 255, 255][..], &rectangles(all), &rectangle([0; 4], -224, &[])].concat(),
                Update::ColourMap { first, colours } => {
                    let colours: Vec<u8> = colours.iter().flatten().flat_map(|part| part.to_be_bytes()).collect();
                    let count = (colours.len() / 6) as u16;
                    [&[1, 0, 0, *first][..], &count.to_be_bytes(), &colours].concat()
                }
                Update::Bell => vec![2],
                Update::CutText(text) => [&[3, 0, 0, 0][..], &(text.len() as u32).to_be_bytes(), text].concat(),
                Update::ExtendedClipboard { action, formats, sizes } => {
                    let sizes: Vec<u8> = sizes.iter().flat_map(|size| size.to_be_bytes()).collect();
                    clipboard(1 << (24 + action % 8) | u32::from(*formats), &sizes)
                }
                Update::ClipboardText { more, text, noise } => {
                    let length = (text.len() as i32 + i32::from(*more)).to_be_bytes();
                    let all = [&length[..], text].concat();
                    clipboard(1 << 28 | 1, &if *noise { all } else { deflated(&mut stream(), &all) })
                }
                Update::Xvp { code } => vec![250, 0, 1, *code % 3],
                Update::Audio { operation: 2, data } => {
                    [&[255, 1, 0, 2][..], &(data.len() as u32).to_be_bytes(), data].concat()
                }
                Update::Audio { operation, .. } => vec![255, 1, 0, *operation % 4],
                Update::Fence { flags, payload } => {
                    let payload = &payload[..payload.len().min(66)];
                    [&[248, 0, 0, 0][..], &flags.to_be_bytes(), &[payload.len() as u8], payload].concat()
                }
                Update::EndOfContinuousUpdates => vec![150],
                Update::Noise(bytes) => bytes.clone(),
            });
        }
        out
    }
}

impl Rectangle {
    fn bytes(&self, pixel: usize, streams: &mut Streams) -> Vec<u8> {
        let lengthened = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
        let (encoding, payload) = match &self.content {
            Content::Raw(bytes) => (0, bytes.clone()),
            Content::CopyRect { x, y } => (1, vec![0, *x, 0, *y]),
            Content::Rre(parts) => (2, parts.bytes(pixel, |number| vec![0, number])),
            Content::CoRre(parts) => (4, parts.bytes(pixel, |number| vec![number])),
            Content::Hextile(bytes) => (5, bytes.clone()),
            Content::Zlib(bytes) => (6, lengthened(&deflated(&mut streams.zlib, bytes))),
            Content::ZlibNoise(bytes) => (6, lengthened(bytes)),
            Content::Trle(bytes) => (15, bytes.clone()),
            Content::Zrle { wavelets, tiles } => {
                let parcel = lengthened(&deflated(&mut streams.zrle, tiles));
                (if *wavelets { 17 } else { 16 }, parcel)
            }
            Content::ZlibHex(bytes) => (8, bytes.clone()),
            Content::Ultra(bytes) => (9, lengthened(bytes)),
            Content::Tight { control, filter, palette, data } => (7, tight(*control, *filter, palette, data, pixel)),
            Content::TightPicture { png, bytes } => {
                (if *png { -260 } else { 7 }, [&[if *png { 0xa0 } else { 0x90 }][..], &compact(bytes)].concat())
            }
            Content::Jpeg(bytes) => (21, [&[0xff, 0xd8][..], bytes, &[0xff, 0xd9]].concat()),
            Content::Cursor(bytes) => (-239, bytes.clone()),
            Content::XCursor(bytes) => (-240, bytes.clone()),
            Content::AlphaCursor(bytes) => (-314, [&[0; 4], &bytes[..]].concat()),
            Content::VmwareCursor { kind, bytes } => (0x574d_5664, [&[kind % 3, 0], &bytes[..]].concat()),
            Content::Leds { vmware: false, leds } => (-261, vec![*leds]),
            Content::Leds { vmware: true, leds } => (0x574d_5668, vec![0, 0, 0, *leds]),
            Content::PointerPos => (-232, Vec::new()),
            Content::Ability { number } => ([-257, -258, -259, -316][usize::from(number % 4)], Vec::new()),
            Content::DesktopSize => (-223, Vec::new()),
            Content::ExtendedDesktopSize { screens } => {
                let screens: Vec<u8> =
                    screens.iter().take(255).flatten().flat_map(|number| number.to_be_bytes()).collect();
                (-308, [&[(screens.len() / 16) as u8, 0, 0, 0], &screens[..]].concat())
            }
            Content::Name(name) => (-307, lengthened(name)),
            Content::LastRect => (-224, Vec::new()),
            Content::Other { encoding } => (i32::from(*encoding), Vec::new()),
        };
        rectangle(self.place.map(u16::from), encoding, &payload)
    }
}

/// ServerCutText with a length below zero.
fn clipboard(flags: u32, payload: &[u8]) -> Vec<u8> {
    let length = -(payload.len() as i32 + 4);
    [&[3, 0, 0, 0][..], &length.to_be_bytes(), &flags.to_be_bytes(), payload].concat()
}

/// A rectangle in Tight whose data, unless it is short, begins its zlib stream anew; the fuzzer sees to the right size.
fn tight(control: u8, filter: u8, palette: &[[u8; 4]], data: &[u8], pixel: usize) -> Vec<u8> {
    let mut out = vec![control];
    if control & 0x40 != 0 {
        out.push(filter % 4);
        if filter % 4 == 1 {
            out.push(palette.len().saturating_sub(1) as u8);
            let bytes = if pixel == 4 { 3 } else { pixel };
            out.extend(palette.iter().take(256).flat_map(|colour| colour.iter().take(bytes)));
        }
    }
    if data.len() < 12 || control & 0x80 != 0 {
        out.extend(data);
        return out;
    }
    out[0] |= 1 << (control >> 4 & 3);
    let mut packed = Vec::with_capacity(data.len() + data.len() / 8 + 100);
    let _ = Compress::new(Compression::fast(), true).compress_vec(data, &mut packed, FlushCompress::Sync);
    [out, compact(&packed)].concat()
}

/// Bytes behind their length in compact representation.
fn compact(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len();
    [&[length as u8 | 0x80, (length >> 7) as u8 | 0x80, (length >> 14) as u8], bytes].concat()
}

impl Subrectangles {
    fn bytes(&self, pixel: usize, number: impl Fn(u8) -> Vec<u8>) -> Vec<u8> {
        let mut out = (self.all.len() as u32).to_be_bytes().to_vec();
        out.extend(self.background.iter().take(pixel));
        for (colour, place) in &self.all {
            out.extend(colour.iter().take(pixel));
            out.extend(place.iter().flat_map(|&part| number(part)));
        }
        out
    }
}
