//! Encodings and pseudo-encodings by their numbers (RFC 6143 §7.7, §7.8 and the community's rfbproto).

/// Raw (§7.7.1).
pub const RAW: i32 = 0;
/// CopyRect (§7.7.2).
pub const COPY_RECT: i32 = 1;
/// RRE (§7.7.3).
pub const RRE: i32 = 2;
/// CoRRE: RRE with one byte a coordinate.
pub const CORRE: i32 = 4;
/// Hextile (§7.7.4).
pub const HEXTILE: i32 = 5;
/// Zlib: Raw through one zlib stream.
pub const ZLIB: i32 = 6;
/// Tight: a fill, a palette, pixels or differences through one of four zlib streams, or a JPEG picture.
pub const TIGHT: i32 = 7;
/// ZlibHex: Hextile whose tiles may be compressed.
pub const ZLIB_HEX: i32 = 8;
/// Ultra: Raw through LZO1X.
pub const ULTRA: i32 = 9;
/// TRLE (§7.7.5).
pub const TRLE: i32 = 15;
/// ZRLE (§7.7.6).
pub const ZRLE: i32 = 16;
/// ZYWRLE: ZRLE with wavelets.
pub const ZYWRLE: i32 = 17;
/// JPEG: nothing but a JPEG picture, which may lack the tables that an earlier one had.
pub const JPEG: i32 = 21;
/// Open H.264: pictures that tell what has changed since the last one at their place.
pub const OPEN_H264: i32 = 50;
/// Tight PNG: Tight with PNG pictures in place of everything that is compressed with zlib.
pub const TIGHT_PNG: i32 = -260;
/// Tight Encoding Without Zlib: Tight's pixels may come uncompressed.
pub const TIGHT_WITHOUT_ZLIB: i32 = -317;
/// JPEG Quality Level 0, the lowest; each level above it is a number higher.
pub const QUALITY_LEVEL_0: i32 = -32;
/// Compression Level 0, the fastest; each level above it is a number higher.
pub const COMPRESSION_LEVEL_0: i32 = -256;
/// Cursor: the shape in the session's pixel format and a mask (§7.8.1).
pub const CURSOR: i32 = -239;
/// XCursor: a shape of two colours.
pub const X_CURSOR: i32 = -240;
/// PointerPos: the server moved the pointer.
pub const POINTER_POS: i32 = -232;
/// LastRect: ends an update that did not say how many rectangles it has.
pub const LAST_RECT: i32 = -224;
/// DesktopSize (§7.8.2).
pub const DESKTOP_SIZE: i32 = -223;
/// ExtendedDesktopSize: the size and its screens.
pub const EXTENDED_DESKTOP_SIZE: i32 = -308;
/// DesktopName.
pub const DESKTOP_NAME: i32 = -307;
/// QEMU Pointer Motion Change: whether positions or distances are wanted.
pub const QEMU_POINTER_MOTION_CHANGE: i32 = -257;
/// QEMU Extended Key Event: keys may be told by their place on the keyboard.
pub const QEMU_EXTENDED_KEY_EVENT: i32 = -258;
/// QEMU Audio.
pub const QEMU_AUDIO: i32 = -259;
/// LED State: which locks the server's keyboard has (QEMU's).
pub const LED_STATE: i32 = -261;
/// VMware LED State.
pub const VMWARE_LED_STATE: i32 = 0x574d_5668;
/// xvp: a machine can be shut down and started again.
pub const XVP: i32 = -309;
/// Fence: a point in the stream that either side can wait for.
pub const FENCE: i32 = -312;
/// ContinuousUpdates: updates without requests.
pub const CONTINUOUS_UPDATES: i32 = -313;
/// Cursor With Alpha.
pub const CURSOR_WITH_ALPHA: i32 = -314;
/// ExtendedMouseButtons: more than seven.
pub const EXTENDED_MOUSE_BUTTONS: i32 = -316;
/// Extended Clipboard: texts in UTF-8, and only if they are asked for.
pub const EXTENDED_CLIPBOARD: i32 = 0xc0a1_e5ce_u32 as i32;
/// VMware Cursor: a shape with masks or with opacity.
pub const VMWARE_CURSOR: i32 = 0x574d_5664;
/// VMware Cursor Position.
pub const VMWARE_CURSOR_POSITION: i32 = 0x574d_5666;

/// An encoding of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelEncoding {
    /// As it is named on the command line.
    pub name: &'static str,
    /// Its number.
    pub number: i32,
    /// Whether it is asked for only by name: it loses detail, or there is always a better one.
    pub by_name_only: bool,
}

const fn offered(name: &'static str, number: i32) -> PixelEncoding {
    PixelEncoding { name, number, by_name_only: false }
}

const fn by_name(name: &'static str, number: i32) -> PixelEncoding {
    PixelEncoding { name, number, by_name_only: true }
}

/// All encodings of pixels, best first.
pub const PIXEL_ENCODINGS: &[PixelEncoding] = &[
    offered("copyrect", COPY_RECT),
    offered("tight", TIGHT),
    offered("zrle", ZRLE),
    offered("zlib", ZLIB),
    offered("trle", TRLE),
    offered("hextile", HEXTILE),
    offered("corre", CORRE),
    offered("rre", RRE),
    offered("raw", RAW),
    // A server that hears of it does without Tight's better half.
    by_name("tightpng", TIGHT_PNG),
    by_name("jpeg", JPEG),
    by_name("zywrle", ZYWRLE),
    by_name("zlibhex", ZLIB_HEX),
    by_name("ultra", ULTRA),
    #[cfg(feature = "h264")]
    by_name("h264", OPEN_H264),
];

/// The numbers of those that are asked for if nobody names any.
pub fn default_pixel_encodings() -> Vec<i32> {
    PIXEL_ENCODINGS.iter().filter(|encoding| !encoding.by_name_only).map(|encoding| encoding.number).collect()
}

/// Pseudo-encodings that are always asked for, those that matter most first: where many encodings are named, the last
/// find no room. Of several for one thing the better comes first.
pub const PSEUDO_ENCODINGS: [i32; 19] = [
    LAST_RECT,
    EXTENDED_DESKTOP_SIZE,
    DESKTOP_SIZE,
    CURSOR_WITH_ALPHA,
    VMWARE_CURSOR,
    CURSOR,
    FENCE,
    CONTINUOUS_UPDATES,
    QEMU_EXTENDED_KEY_EVENT,
    EXTENDED_CLIPBOARD,
    DESKTOP_NAME,
    POINTER_POS,
    LED_STATE,
    QEMU_POINTER_MOTION_CHANGE,
    EXTENDED_MOUSE_BUTTONS,
    X_CURSOR,
    VMWARE_CURSOR_POSITION,
    VMWARE_LED_STATE,
    XVP,
];

/// The quality level that is asked for along with ZYWRLE.
pub const ZYWRLE_QUALITY: u8 = 5;

/// How often a server takes ZYWRLE's wavelets at a quality level. The encoding itself does not say.
pub fn zywrle_levels(quality: u8) -> usize {
    match quality {
        0..=2 => 3,
        3..=5 => 2,
        _ => 1,
    }
}

/// The pseudo-encoding that asks for a quality level of lossy encodings from 0 to 9; a higher one than 9 is 9.
pub fn quality_level(level: u8) -> i32 {
    QUALITY_LEVEL_0 + i32::from(level.min(9))
}

/// The pseudo-encoding that asks for a compression level from 0 to 9; a higher one than 9 is 9.
pub fn compression_level(level: u8) -> i32 {
    COMPRESSION_LEVEL_0 + i32::from(level.min(9))
}

/// The encoding's name in the specification, or its number.
pub fn name(encoding: i32) -> String {
    let name = match encoding {
        RAW => "Raw",
        COPY_RECT => "CopyRect",
        RRE => "RRE",
        CORRE => "CoRRE",
        HEXTILE => "Hextile",
        ZLIB => "Zlib",
        ZLIB_HEX => "ZlibHex",
        ULTRA => "Ultra",
        TRLE => "TRLE",
        ZRLE => "ZRLE",
        ZYWRLE => "ZYWRLE",
        TIGHT => "Tight",
        JPEG => "JPEG",
        OPEN_H264 => "Open H.264",
        TIGHT_PNG => "Tight PNG",
        CURSOR => "Cursor",
        X_CURSOR => "XCursor",
        POINTER_POS => "PointerPos",
        LAST_RECT => "LastRect",
        DESKTOP_SIZE => "DesktopSize",
        EXTENDED_DESKTOP_SIZE => "ExtendedDesktopSize",
        DESKTOP_NAME => "DesktopName",
        QEMU_POINTER_MOTION_CHANGE => "QEMU Pointer Motion Change",
        QEMU_EXTENDED_KEY_EVENT => "QEMU Extended Key Event",
        QEMU_AUDIO => "QEMU Audio",
        LED_STATE => "LED State",
        VMWARE_LED_STATE => "VMware LED State",
        XVP => "xvp",
        FENCE => "Fence",
        CONTINUOUS_UPDATES => "ContinuousUpdates",
        EXTENDED_MOUSE_BUTTONS => "ExtendedMouseButtons",
        EXTENDED_CLIPBOARD => "Extended Clipboard",
        CURSOR_WITH_ALPHA => "Cursor With Alpha",
        VMWARE_CURSOR => "VMware Cursor",
        VMWARE_CURSOR_POSITION => "VMware Cursor Position",
        other => return other.to_string(),
    };
    name.to_owned()
}
