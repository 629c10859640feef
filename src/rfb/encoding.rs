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
/// JPEG: nothing but a JPEG picture, which may lack the tables that an earlier one had.
pub const JPEG: i32 = 21;
/// Tight PNG: Tight with PNG pictures in place of everything that is compressed with zlib.
pub const TIGHT_PNG: i32 = -260;
/// Tight Encoding Without Zlib: Tight's pixels may come uncompressed.
pub const TIGHT_WITHOUT_ZLIB: i32 = -317;
/// JPEG Quality Level 0, the lowest; each level above it is a number higher.
pub const JPEG_QUALITY_LEVEL_0: i32 = -32;
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

/// Encodings of pixels, as they are named on the command line, best first.
pub const PIXEL_ENCODINGS: [(&str, i32); 9] = [
    ("copyrect", COPY_RECT),
    ("tight", TIGHT),
    ("zlib", ZLIB),
    ("hextile", HEXTILE),
    ("corre", CORRE),
    ("rre", RRE),
    ("raw", RAW),
    ("tightpng", TIGHT_PNG),
    ("jpeg", JPEG),
];

/// Those of [`PIXEL_ENCODINGS`] that are asked for only by name: a server that hears of TightPNG does without Tight's
/// better half, and JPEG alone loses what it paints.
pub const ONLY_BY_NAME: [i32; 2] = [TIGHT_PNG, JPEG];

/// Pseudo-encodings that are always asked for.
pub const PSEUDO_ENCODINGS: [i32; 7] =
    [CURSOR, X_CURSOR, POINTER_POS, DESKTOP_SIZE, EXTENDED_DESKTOP_SIZE, LAST_RECT, DESKTOP_NAME];

/// The pseudo-encoding that asks for a JPEG quality level from 0 to 9; a higher one than 9 is 9.
pub fn jpeg_quality_level(level: u8) -> i32 {
    JPEG_QUALITY_LEVEL_0 + i32::from(level.min(9))
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
        TIGHT => "Tight",
        JPEG => "JPEG",
        TIGHT_PNG => "Tight PNG",
        CURSOR => "Cursor",
        X_CURSOR => "XCursor",
        POINTER_POS => "PointerPos",
        LAST_RECT => "LastRect",
        DESKTOP_SIZE => "DesktopSize",
        EXTENDED_DESKTOP_SIZE => "ExtendedDesktopSize",
        DESKTOP_NAME => "DesktopName",
        other => return other.to_string(),
    };
    name.to_owned()
}
