//! What a server says, put together by hand, and a client that listens.

use sshvnc::client::{Client, canvas_for};
use sshvnc::picture::{ByteOrder, Canvas};
use sshvnc::rfb::Inbox;
use sshvnc::rfb::handshake::{ServerInit, read_server_init};

use crate::every_cut::{Answer, every_cut};
use crate::naive;

/// PIXEL_FORMAT (RFC 6143 §7.4) and the bytes of the colours that the tests paint with.
pub struct Wire {
    pub name: &'static str,
    pub format: [u8; 16],
    /// Black, red, green, blue, white.
    pub colours: [&'static [u8]; 5],
}

/// The same colours in every kind of pixel format.
pub const WIRES: [Wire; 9] = [
    Wire {
        name: "32 bits, little-endian, red lowest",
        format: [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0],
        colours: [&[0, 0, 0, 0], &[255, 0, 0, 0], &[0, 255, 0, 0], &[0, 0, 255, 0], &[255, 255, 255, 0]],
    },
    Wire {
        name: "32 bits, little-endian, blue lowest",
        format: [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0],
        colours: [&[0, 0, 0, 0], &[0, 0, 255, 0], &[0, 255, 0, 0], &[255, 0, 0, 0], &[255, 255, 255, 0]],
    },
    Wire {
        name: "32 bits, big-endian",
        format: [32, 24, 1, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0],
        colours: [&[0, 0, 0, 0], &[0, 255, 0, 0], &[0, 0, 255, 0], &[0, 0, 0, 255], &[0, 255, 255, 255]],
    },
    Wire {
        name: "32 bits, true-colour flag 255, rubbish in the unused byte",
        format: [32, 24, 0, 255, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0],
        colours: [&[0, 0, 0, 9], &[255, 0, 0, 255], &[0, 255, 0, 1], &[0, 0, 255, 2], &[255, 255, 255, 3]],
    },
    Wire {
        name: "32 bits, ten a colour",
        format: [32, 30, 0, 1, 3, 255, 3, 255, 3, 255, 20, 10, 0, 0, 0, 0],
        colours: [
            &[0, 0, 0, 0],
            &[0x00, 0x00, 0xf0, 0x3f],
            &[0x00, 0xfc, 0x0f, 0x00],
            &[0xff, 0x03, 0x00, 0x00],
            &[0xff, 0xff, 0xff, 0x3f],
        ],
    },
    Wire {
        name: "rgb565",
        format: [16, 16, 0, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0, 0, 0, 0],
        colours: [&[0, 0], &[0x00, 0xf8], &[0xe0, 0x07], &[0x1f, 0x00], &[0xff, 0xff]],
    },
    Wire {
        name: "rgb565, big-endian",
        format: [16, 16, 1, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0, 0, 0, 0],
        colours: [&[0, 0], &[0xf8, 0x00], &[0x07, 0xe0], &[0x00, 0x1f], &[0xff, 0xff]],
    },
    Wire {
        name: "bgr233",
        format: [8, 8, 0, 1, 0, 7, 0, 7, 0, 3, 0, 3, 6, 0, 0, 0],
        colours: [&[0x00], &[0x07], &[0x38], &[0xc0], &[0xff]],
    },
    Wire {
        name: "a colour map",
        format: [8, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        colours: [&[10], &[11], &[12], &[13], &[200]],
    },
];

/// The first of [`WIRES`]: a canvas's own, so that a pixel reads `[red, green, blue, 0]`.
pub const PLAIN: &Wire = &WIRES[0];

/// SetColourMapEntries for the last of [`WIRES`]; the others ignore it.
pub const COLOUR_MAP: [u8; 42] = [
    1, 0, 0, 10, 0, 4, // entries 10 to 13: black, red, green, blue, of which only the high bytes can be shown
    0, 255, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0x12, //
    1, 0, 0, 200, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, // entry 200: white
];

impl Wire {
    /// The bytes of a colour: `.` black, `R`, `G`, `B`, `W`.
    pub fn pixel(&self, letter: char) -> &'static [u8] {
        self.colours[".RGBW".find(letter).unwrap()]
    }

    /// The bytes of a row of colours.
    pub fn pixels(&self, letters: &str) -> Vec<u8> {
        letters.chars().flat_map(|letter| self.pixel(letter)).copied().collect()
    }

    /// ServerInit (§7.3.2) of a desktop that is called "x".
    pub fn server_init(&self, width: u16, height: u16) -> Vec<u8> {
        let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
        [&size[..], &self.format, &[0, 0, 0, 1, b'x']].concat()
    }

    /// A client in the format of this wire, and its canvas.
    pub fn client(&self, width: u16, height: u16, order: ByteOrder) -> (Client, Canvas) {
        let init = self.parsed(width, height);
        (Client::of_recording(&init, order), canvas_for(&init, order).unwrap())
    }

    pub fn parsed(&self, width: u16, height: u16) -> ServerInit {
        let mut inbox = Inbox::default();
        inbox.push(self.server_init(width, height).into());
        read_server_init(&mut inbox).unwrap().unwrap()
    }

    /// What a client makes of `messages`, however they are cut and however its canvas lies in memory.
    /// If they are well-formed and whole, the naive decoder must paint the same.
    pub fn answer(&self, width: u16, height: u16, messages: &[u8]) -> Answer {
        let answer = every_cut(|| self.client(width, height, ByteOrder::Rgbx), messages);
        let windows = every_cut(|| self.client(width, height, ByteOrder::Bgrx), messages);
        assert!(answer.rgb == windows.rgb, "{}: the byte order of the canvas changes the picture", self.name);
        if answer.at_boundary {
            let stream = [&self.server_init(width, height), messages].concat();
            let naive = naive::decode(&stream).unwrap_or_else(|end| panic!("{}: {end:?}", self.name));
            assert_eq!((naive.width, naive.height), (answer.size.width.into(), answer.size.height.into()));
            assert!(naive.rgb.as_flattened() == answer.rgb, "{}: the naive decoder paints otherwise", self.name);
        }
        answer
    }
}

/// The header of a rectangle (§7.6.1).
pub fn header(x: u16, y: u16, width: u16, height: u16, encoding: i32) -> Vec<u8> {
    let place = [x, y, width, height].map(u16::to_be_bytes);
    [place.as_flattened(), &encoding.to_be_bytes()].concat()
}

/// A rectangle and what follows its header.
pub fn rectangle([x, y, width, height]: [u16; 4], encoding: i32, payload: &[u8]) -> Vec<u8> {
    [&header(x, y, width, height, encoding), payload].concat()
}

/// FramebufferUpdate (§7.6.1).
pub fn update<R: AsRef<[u8]>>(rectangles: &[R]) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    bytes.extend(u16::try_from(rectangles.len()).unwrap().to_be_bytes());
    rectangles.iter().for_each(|rectangle| bytes.extend(rectangle.as_ref()));
    bytes
}

/// FramebufferUpdate that ends with LastRect.
pub fn endless_update(rectangles: &[Vec<u8>]) -> Vec<u8> {
    [&[0, 0, 0xff, 0xff][..], &rectangles.concat()].concat()
}

/// Draws the picture with the letters of [`Wire::pixel`], a line a row; other colours are shown as `?`.
pub fn drawn(answer: &Answer) -> Vec<String> {
    let letter = |pixel: &[u8]| match pixel {
        [0, 0, 0] => '.',
        [255, 0, 0] => 'R',
        [0, 255, 0] => 'G',
        [0, 0, 255] => 'B',
        [255, 255, 255] => 'W',
        _ => '?',
    };
    let row = usize::from(answer.size.width) * 3;
    answer.rgb.chunks(row.max(1)).map(|row| row.chunks(3).map(letter).collect()).collect()
}

/// What is sent with [`Wire::answer`] paints `picture` in every pixel format, and all of it is used.
pub fn paints(width: u16, height: u16, messages: impl Fn(&Wire) -> Vec<u8>, picture: &[&str]) {
    for wire in &WIRES {
        let stream = [&COLOUR_MAP[..], &messages(wire)].concat();
        let answer = wire.answer(width, height, &stream);
        assert_eq!(answer.error, None, "{}", wire.name);
        assert!(answer.at_boundary, "{}: more bytes are wanted", wire.name);
        assert_eq!(drawn(&answer), picture, "{}", wire.name);
    }
}
