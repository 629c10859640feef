//! The desktop in its window: where it lies there, how it is made to fit, and what of it is still to be shown.

use x11rb::protocol::render::{ConnectionExt as _, CreatePictureAux, PictOp, Picture, Repeat, Transform};
use x11rb::protocol::xproto::{ConnectionExt as _, Gcontext, Pixmap, Window};

use super::super::Error;
use super::front::Front;
use super::overlay;
use super::server::{Server, lost};
use crate::picture::{Area, Canvas, Damage, Fit, Size};

/// What X11 counts pixels with has 16 bits, one of which is a sign.
const LARGEST: u16 = i16::MAX as u16;

/// A desktop in a window.
pub(super) struct Surface {
    window: Window,
    gc: Gcontext,
    desktop: Size,
    fit: Fit,
    /// The desktop's place in the window, which may leave a border.
    offset: (u16, u16),
    way: Way,
    /// Whether it is shown darker.
    dim: bool,
    /// Painted, but not at the server yet; in the desktop's pixels.
    fresh: Damage,
    /// To be shown, in the pixels of the desktop as it is shown.
    stale: Damage,
}

/// The way of the pixels into the window.
enum Way {
    /// As they are.
    Same(Front),
    /// Scaled by the server.
    Render(Front, Scaler),
    /// Scaled here: the desktop, and what it is made to.
    Own(Canvas, Canvas, Front),
}

/// The server's copy of the desktop, and how it is looked at.
struct Scaler {
    pixmap: Pixmap,
    source: Picture,
    target: Picture,
}

impl Surface {
    /// A black desktop.
    pub(super) fn new(
        server: &Server,
        window: Window,
        gc: Gcontext,
        desktop: Size,
        room: Size,
    ) -> Result<Surface, Error> {
        let whole = Fit::inside(desktop, desktop);
        let mut surface = Surface {
            window,
            gc,
            desktop,
            fit: whole,
            offset: (0, 0),
            way: Way::Same(Front::new(server, desktop)?),
            dim: false,
            fresh: Damage::default(),
            stale: Damage::default(),
        };
        surface.arrange(server, room)?;
        Ok(surface)
    }

    /// Fits the desktop into a window of this size.
    pub(super) fn arrange(&mut self, server: &Server, room: Size) -> Result<(), Error> {
        let fit = Fit::inside(self.desktop, room);
        let border = |room: u16, shown: u16| room.saturating_sub(shown) / 2;
        self.offset = (border(room.width, fit.size().width), border(room.height, fit.size().height));
        self.stale.clear();
        self.stale.add(fit.size().whole());
        if fit == self.fit {
            return Ok(());
        }
        self.fit = fit;
        let pixels = match std::mem::replace(
            &mut self.way,
            Way::Own(Canvas::empty(), Canvas::empty(), Front::new(server, Size::default())?),
        ) {
            Way::Same(front) => Ok(front),
            Way::Render(front, scaler) => {
                scaler.release(server)?;
                Ok(front)
            }
            Way::Own(desktop, _, shown) => {
                shown.release(server)?;
                Err(desktop)
            }
        };
        let front = |pixels| match pixels {
            Ok(front) => Ok(front),
            Err(desktop) => {
                let mut front = Front::new(server, self.desktop)?;
                front.take(&server.layout, &desktop, self.desktop.whole());
                Ok::<_, Error>(front)
            }
        };
        self.way = if fit.is_same() {
            Way::Same(front(pixels)?)
        } else if let Some(scaler) = Scaler::new(server, self.window, self.desktop, fit.size())? {
            self.fresh.add(self.desktop.whole());
            Way::Render(front(pixels)?, scaler)
        } else {
            let desktop = match pixels {
                Ok(front) => {
                    let desktop = front.canvas(&server.layout);
                    front.release(server)?;
                    desktop
                }
                Err(desktop) => desktop,
            };
            let shown = Canvas::new(fit.size(), desktop.order());
            Way::Own(desktop, shown, Front::new(server, fit.size())?)
        };
        Ok(())
    }

    /// Takes what was painted.
    pub(super) fn take(&mut self, server: &Server, canvas: &Canvas, damage: &Damage) {
        for &area in damage.areas() {
            match &mut self.way {
                Way::Same(front) => front.take(&server.layout, canvas, area),
                Way::Render(front, _) => {
                    front.take(&server.layout, canvas, area);
                    self.fresh.add(area);
                }
                Way::Own(desktop, ..) => desktop.update_from(canvas, area),
            }
            if let Some(area) = self.fit.shrink(area) {
                self.stale.add(area);
            }
        }
    }

    /// Shows it darker from now on, or no more.
    pub(super) fn set_dim(&mut self, dim: bool) {
        if std::mem::replace(&mut self.dim, dim) != dim {
            self.stale.add(self.fit.size().whole());
        }
    }

    /// Part of the window has to be shown again.
    pub(super) fn uncovered(&mut self, x: u16, y: u16, width: u16, height: u16) {
        let (left, top) = (x.saturating_sub(self.offset.0), y.saturating_sub(self.offset.1));
        let right = (x.saturating_add(width)).saturating_sub(self.offset.0);
        let bottom = (y.saturating_add(height)).saturating_sub(self.offset.1);
        let largest = Size::new(u16::MAX, u16::MAX);
        let area = largest.area(left, top, right.saturating_sub(left), bottom.saturating_sub(top));
        if let Some(area) = area.and_then(|area| area.clip(self.fit.size())) {
            self.stale.add(area);
        }
    }

    /// Shows what is not shown yet. False if that is nothing.
    pub(super) fn present(&mut self, server: &Server) -> Result<bool, Error> {
        if self.stale.is_empty() {
            return Ok(false);
        }
        let (window, gc, dim) = (self.window, self.gc, self.dim);
        let (fresh, stale) = (self.fresh.take(), self.stale.take());
        let place =
            |area: Area, (x, y): (u16, u16)| (area.x().saturating_add(x) as i16, area.y().saturating_add(y) as i16);
        match &mut self.way {
            Way::Same(front) => {
                for &area in stale.areas() {
                    put(server, front, area, (window, gc), place(area, self.offset), dim)?;
                }
            }
            Way::Render(front, scaler) => {
                for &area in fresh.areas() {
                    front.put(server, area, (scaler.pixmap, gc), place(area, (0, 0)))?;
                }
                for &area in stale.areas() {
                    let area = wider(area, self.fit.size());
                    scaler.show(server, area, self.offset)?;
                    if let Some(formats) = server.formats.filter(|_| dim) {
                        overlay::veil(server, formats.window, window, place(area, self.offset), area.size())?;
                    }
                }
            }
            Way::Own(desktop, shown, front) => {
                for &area in stale.areas() {
                    if let Ok(mut target) = shown.target(area) {
                        self.fit.paint(desktop, area, &mut target);
                    }
                    front.take(&server.layout, shown, area);
                    put(server, front, area, (window, gc), place(area, self.offset), dim)?;
                }
            }
        }
        Ok(true)
    }

    /// The desktop's pixel at a point of the window.
    pub(super) fn desktop_at(&self, x: i16, y: i16) -> (u16, u16) {
        self.fit.enlarge(i32::from(x) - i32::from(self.offset.0), i32::from(y) - i32::from(self.offset.1))
    }

    /// The window's pixel that shows a point of the desktop.
    pub(super) fn window_at(&self, x: u16, y: u16) -> (i16, i16) {
        let (x, y) = self.fit.reduce(x, y);
        ((x + i32::from(self.offset.0)) as i16, (y + i32::from(self.offset.1)) as i16)
    }

    /// Gives everything back.
    pub(super) fn release(self, server: &Server) -> Result<(), Error> {
        match self.way {
            Way::Same(front) | Way::Own(_, _, front) => front.release(server),
            Way::Render(front, scaler) => {
                scaler.release(server)?;
                front.release(server)
            }
        }
    }
}

/// Shows a part, darker if that is asked for.
fn put(
    server: &Server,
    front: &Front,
    area: Area,
    (window, gc): (Window, Gcontext),
    place: (i16, i16),
    dim: bool,
) -> Result<(), Error> {
    match server.formats {
        None if dim => overlay::put_darker(server, front, area, (window, gc), place),
        Some(formats) if dim => {
            front.put(server, area, (window, gc), place)?;
            overlay::veil(server, formats.window, window, place, area.size())
        }
        _ => front.put(server, area, (window, gc), place),
    }
}

/// A pixel more on each side: that far a changed pixel shows when the server scales.
fn wider(area: Area, size: Size) -> Area {
    let (x, y) = (area.x().saturating_sub(1), area.y().saturating_sub(1));
    let right = (area.right() + 1).min(size.width.into()) as u16;
    let bottom = (area.bottom() + 1).min(size.height.into()) as u16;
    size.area(x, y, right.saturating_sub(x), bottom.saturating_sub(y)).unwrap_or(area)
}

impl Scaler {
    /// `None` where the server does not scale, or not well: it looks at four pixels for one, which loses some if there
    /// are more.
    fn new(server: &Server, window: Window, from: Size, to: Size) -> Result<Option<Scaler>, Error> {
        let Some(formats) = server.formats else { return Ok(None) };
        let halves = |from: u16, to: u16| u32::from(from) <= 2 * u32::from(to);
        if !halves(from.width, to.width) || !halves(from.height, to.height) || from.width.max(from.height) > LARGEST {
            return Ok(None);
        }
        let connection = &server.connection;
        let scaler = Scaler { pixmap: server.id()?, source: server.id()?, target: server.id()? };
        let made =
            connection.create_pixmap(server.depth, scaler.pixmap, window, from.width, from.height).map_err(lost)?;
        match made.check() {
            Ok(()) => {}
            // There is no room for it.
            Err(x11rb::errors::ReplyError::X11Error(_)) => return Ok(None),
            Err(error) => return Err(lost(error)),
        }
        let part = |from: u16, to: u16| (i64::from(from) * 65536 / i64::from(to.max(1))) as i32;
        let transform = Transform {
            matrix11: part(from.width, to.width),
            matrix22: part(from.height, to.height),
            matrix33: 65536,
            ..Transform::default()
        };
        // At its edge it looks one pixel further.
        let edge = CreatePictureAux::new().repeat(Repeat::PAD);
        connection.render_create_picture(scaler.source, scaler.pixmap, formats.window, &edge).map_err(lost)?;
        connection.render_create_picture(scaler.target, window, formats.window, &Default::default()).map_err(lost)?;
        connection.render_set_picture_transform(scaler.source, transform).map_err(lost)?;
        connection.render_set_picture_filter(scaler.source, b"bilinear", &[]).map_err(lost)?;
        Ok(Some(scaler))
    }

    fn show(&self, server: &Server, area: Area, (left, top): (u16, u16)) -> Result<(), Error> {
        let (x, y) = (area.x() as i16, area.y() as i16);
        let (at_x, at_y) = (area.x().saturating_add(left) as i16, area.y().saturating_add(top) as i16);
        let (op, none) = (PictOp::SRC, x11rb::NONE);
        server
            .connection
            .render_composite(op, self.source, none, self.target, x, y, 0, 0, at_x, at_y, area.width(), area.height())
            .map(drop)
            .map_err(lost)
    }

    fn release(self, server: &Server) -> Result<(), Error> {
        server.connection.render_free_picture(self.source).map_err(lost)?;
        server.connection.render_free_picture(self.target).map_err(lost)?;
        server.connection.free_pixmap(self.pixmap).map(drop).map_err(lost)
    }
}
