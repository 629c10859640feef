//! A picture in the server's own pixels, in memory that it reads itself if it can, and the way of its parts onto a screen.

use memmap2::MmapMut;
use x11rb::connection::RequestConnection;
use x11rb::protocol::shm::{ConnectionExt as _, Seg};
use x11rb::protocol::xproto::{ConnectionExt as _, Drawable, Gcontext, ImageFormat};

use super::super::Error;
use super::pixels::Layout;
use super::server::{Server, lost};
use super::shared;
use crate::picture::{Area, Canvas, Size};

/// What goes to the server in one request. Larger ones cost it three times as much, which was measured.
const PIECE: usize = 256 << 10;

/// A picture.
pub(super) struct Front {
    size: Size,
    stride: usize,
    memory: Memory,
}

enum Memory {
    Shared(MmapMut, Seg),
    Own(Vec<u8>),
}

impl Front {
    /// A black one.
    pub(super) fn new(server: &Server, size: Size) -> Result<Front, Error> {
        let stride = server.layout.row(size.width);
        let length = stride * usize::from(size.height);
        let memory = match shared(server, length)? {
            Some((map, segment)) => Memory::Shared(map, segment),
            None => Memory::Own(vec![0; length]),
        };
        Ok(Front { size, stride, memory })
    }

    /// Gives the memory back.
    pub(super) fn release(self, server: &Server) -> Result<(), Error> {
        match self.memory {
            Memory::Shared(_, segment) => server.connection.shm_detach(segment).map(drop).map_err(lost),
            Memory::Own(_) => Ok(()),
        }
    }

    fn bytes(&self) -> &[u8] {
        match &self.memory {
            Memory::Shared(map, _) => map,
            Memory::Own(bytes) => bytes,
        }
    }

    /// Takes `area` from a canvas.
    pub(super) fn take(&mut self, layout: &Layout, canvas: &Canvas, area: Area) {
        let Some(area) = area.clip(self.size).and_then(|area| area.clip(canvas.size())) else { return };
        let (left, length) = (usize::from(area.x()) * layout.bytes(), usize::from(area.width()) * layout.bytes());
        let bytes: &mut [u8] = match &mut self.memory {
            Memory::Shared(map, _) => map,
            Memory::Own(bytes) => bytes,
        };
        let rows = bytes.chunks_exact_mut(self.stride).skip(usize::from(area.y()));
        for (to, from) in rows.zip(canvas.rows(area)) {
            layout.pack(from, &mut to[left..left + length]);
        }
    }

    /// The picture as a canvas.
    pub(super) fn canvas(&self, layout: &Layout) -> Canvas {
        let mut canvas = Canvas::new(self.size, crate::picture::ByteOrder::Bgrx);
        if let Ok(mut target) = canvas.target(self.size.whole()) {
            for (from, to) in self.bytes().chunks_exact(self.stride.max(1)).zip(target.rows_from(0)) {
                layout.unpack(from, to);
            }
        }
        canvas
    }

    /// The rows of `area`, in the server's pixels.
    pub(super) fn rows(&self, layout: &Layout, area: Area) -> impl Iterator<Item = &[u8]> {
        let (left, length) = (usize::from(area.x()) * layout.bytes(), usize::from(area.width()) * layout.bytes());
        let rows = self.bytes().chunks_exact(self.stride.max(1)).skip(area.y().into()).take(area.height().into());
        rows.filter_map(move |row| row.get(left..left + length))
    }

    /// Has the server show `area` at (`x`, `y`) of a window or pixmap.
    pub(super) fn put(
        &self,
        server: &Server,
        area: Area,
        (drawable, gc): (Drawable, Gcontext),
        (x, y): (i16, i16),
    ) -> Result<(), Error> {
        match &self.memory {
            Memory::Shared(_, segment) => server
                .connection
                .shm_put_image(
                    drawable,
                    gc,
                    self.size.width,
                    self.size.height,
                    area.x(),
                    area.y(),
                    area.width(),
                    area.height(),
                    x,
                    y,
                    server.depth,
                    ImageFormat::Z_PIXMAP.into(),
                    false,
                    *segment,
                    0,
                )
                .map(drop)
                .map_err(lost),
            Memory::Own(_) => {
                let (width, stride) = (area.width(), server.layout.row(area.width()));
                put_image(server, (drawable, gc), server.depth, (x, y), width, stride, self.rows(&server.layout, area))
            }
        }
    }
}

/// Sends rows of an image in pieces.
pub(super) fn put_image<'a>(
    server: &Server,
    (drawable, gc): (Drawable, Gcontext),
    depth: u8,
    (x, y): (i16, i16),
    width: u16,
    stride: usize,
    rows: impl Iterator<Item = &'a [u8]>,
) -> Result<(), Error> {
    // The request has 24 bytes of its own, 28 with a long length.
    let most = server.connection.maximum_request_bytes().saturating_sub(28).min(PIECE);
    let most_rows = (most / stride.max(1)).max(1);
    let mut rows = rows.peekable();
    let mut piece = Vec::new();
    let mut y = y;
    while rows.peek().is_some() {
        piece.clear();
        let mut height: u16 = 0;
        for row in rows.by_ref().take(most_rows.min(usize::from(u16::MAX))) {
            height += 1;
            piece.extend_from_slice(row);
            piece.resize(usize::from(height) * stride, 0);
        }
        let format = ImageFormat::Z_PIXMAP;
        server.connection.put_image(format, drawable, gc, width, height, x, y, 0, depth, &piece).map_err(lost)?;
        y = y.saturating_add_unsigned(height);
    }
    Ok(())
}

/// Memory that the server reads too; `None` if it can not be had.
fn shared(server: &Server, length: usize) -> Result<Option<(MmapMut, Seg)>, Error> {
    if !server.shm || length == 0 {
        return Ok(None);
    }
    let (map, file) = match shared::memory(length) {
        Ok(memory) => memory,
        Err(error) => {
            tracing::warn!("pictures are sent to the X server, because no memory can be shared with it: {error}");
            return Ok(None);
        }
    };
    let segment = server.id()?;
    let file = std::os::fd::OwnedFd::from(file);
    match server.connection.shm_attach_fd(segment, file, true).map_err(lost)?.check() {
        Ok(()) => Ok(Some((map, segment))),
        Err(x11rb::errors::ReplyError::X11Error(error)) => {
            tracing::info!("pictures are sent to the X server, because it does not share memory: {error:?}");
            Ok(None)
        }
        Err(error) => Err(lost(error)),
    }
}
