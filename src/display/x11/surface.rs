//! The desktop in its window: where it lies there, how it is made to fit, and what of it is still to be shown.

use x11rb::protocol::render::{ConnectionExt as _, CreatePictureAux, PictOp, Picture, Repeat, Transform};
use x11rb::protocol::xproto::{ConnectionExt as _, Gcontext, Pixmap, Window};

use super::super::view::View;
use super::super::{Error, Scaling};
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
    view: View,
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
    /// A black desktop in a window with this much room.
    pub(super) fn new(
        server: &Server,
        (window, gc): (Window, Gcontext),
        desktop: Size,
        scaling: Scaling,
        room: Size,
    ) -> Result<Surface, Error> {
        let mut surface = Surface {
            window,
            gc,
            desktop,
            view: View::new(Scaling::None, desktop, room),
            way: Way::Same(Front::new(server, desktop)?),
            dim: false,
            fresh: Damage::default(),
            stale: Damage::default(),
        };
        surface.arrange(server, scaling, room)?;
        Ok(surface)
    }

    /// Fits the desktop into a window of this size.
    pub(super) fn arrange(&mut self, server: &Server, scaling: Scaling, room: Size) -> Result<(), Error> {
        let before = self.view.fit();
        self.view = self.view.again(scaling, self.desktop, room);
        let fit = self.view.fit();
        self.stale.clear();
        self.stale.add(fit.size().whole());
        if fit == before {
            return Ok(());
        }
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
        } else if let Some(scaler) = Scaler::new(server, self.window, self.desktop, fit)? {
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
            if let Some(area) = self.view.fit().shown(area) {
                self.stale.add(area);
            }
        }
    }

    /// Shows it darker from now on, or no more.
    pub(super) fn set_dim(&mut self, dim: bool) {
        if std::mem::replace(&mut self.dim, dim) != dim {
            self.stale.add(self.view.fit().size().whole());
        }
    }

    /// Part of the window has to be shown again.
    pub(super) fn uncovered(&mut self, x: u16, y: u16, width: u16, height: u16) {
        if let Some(area) = self.view.under(x, y, width, height) {
            self.stale.add(area);
        }
    }

    /// Shows what is not shown yet. False if that is nothing.
    pub(super) fn present(&mut self, server: &Server) -> Result<bool, Error> {
        if self.stale.is_empty() {
            return Ok(false);
        }
        let (fresh, stale) = (self.fresh.take(), self.stale.take());
        if let Way::Render(front, scaler) = &self.way {
            for &area in fresh.areas() {
                let place = (area.x() as i16, area.y() as i16);
                front.put(server, area, (scaler.pixmap, self.gc), place)?;
            }
        }
        for &area in stale.areas() {
            if let Some(area) = self.view.seen(area) {
                self.show(server, area)?;
            }
        }
        Ok(true)
    }

    fn show(&mut self, server: &Server, area: Area) -> Result<(), Error> {
        let (fit, target, dim) = (self.view.fit(), (self.window, self.gc), self.dim);
        match &mut self.way {
            Way::Same(front) => put(server, front, area, target, self.view.place(area), dim),
            Way::Render(_, scaler) => {
                let area = wider(area, fit.size());
                scaler.show(server, area, self.view.place(area))?;
                match server.formats.filter(|_| dim) {
                    Some(formats) => {
                        overlay::veil(server, formats.window, self.window, self.view.place(area), area.size())
                    }
                    None => Ok(()),
                }
            }
            Way::Own(desktop, shown, front) => {
                if let Ok(mut target) = shown.target(area) {
                    fit.paint(desktop, area, &mut target);
                }
                front.take(&server.layout, shown, area);
                put(server, front, area, target, self.view.place(area), dim)
            }
        }
    }

    /// Takes what was seen before in a desktop of another size, until something new is painted: no window goes black while
    /// it is resized.
    pub(super) fn keep(&mut self, server: &Server, before: &Surface) {
        let pixels = match &before.way {
            Way::Same(front) | Way::Render(front, _) => front.canvas(&server.layout),
            Way::Own(desktop, ..) => desktop.clone(),
        };
        if let Some(area) = pixels.size().whole().clip(self.desktop) {
            let mut damage = Damage::default();
            damage.add(area);
            self.take(server, &pixels, &damage);
        }
    }

    /// The desktop's size.
    pub(super) fn desktop(&self) -> Size {
        self.desktop
    }

    /// The desktop's pixel at a point of the window.
    pub(super) fn desktop_at(&self, x: i16, y: i16) -> (u16, u16) {
        self.view.desktop_at(x.into(), y.into())
    }

    /// The window's pixel that shows a point of the desktop.
    pub(super) fn window_at(&self, x: u16, y: u16) -> (i16, i16) {
        let inside = |at: i32| at.clamp(i16::MIN.into(), i16::MAX.into()) as i16;
        let (x, y) = self.view.window_at(x, y);
        (inside(x), inside(y))
    }

    /// Moves the view one step if the pointer is at an edge behind which there is more. False if it is not.
    pub(super) fn push(&mut self, x: i32, y: i32) -> bool {
        let Some(view) = self.view.pushed(x, y) else { return false };
        self.view = view;
        self.stale.add(view.fit().size().whole());
        true
    }

    /// Whether [`push`](Surface::push) would move the view.
    pub(super) fn is_pushed(&self, x: i32, y: i32) -> bool {
        self.view.pushed(x, y).is_some()
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
    /// are more, and counts with 16 bits behind the point, which is too few for some squares.
    fn new(server: &Server, window: Window, from: Size, fit: Fit) -> Result<Option<Scaler>, Error> {
        let (Some(formats), to) = (server.formats, fit.size()) else { return Ok(None) };
        let halves = |from: u16, to: u16| u32::from(from) <= 2 * u32::from(to);
        if !halves(from.width, to.width) || !halves(from.height, to.height) || from.width.max(from.height) > LARGEST {
            return Ok(None);
        }
        let squares = |from: u16, to: u16| {
            // What is lost in each pixel must not add up to half a pixel.
            let side = u32::from(to / from.max(1)).max(1);
            2 * u64::from(to) * u64::from(65536 % side) < 65536
        };
        if fit.is_in_squares() && !(squares(from.width, to.width) && squares(from.height, to.height)) {
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
        let filter: &[u8] = if fit.is_in_squares() { b"nearest" } else { b"bilinear" };
        connection.render_set_picture_filter(scaler.source, filter, &[]).map_err(lost)?;
        Ok(Some(scaler))
    }

    fn show(&self, server: &Server, area: Area, (at_x, at_y): (i16, i16)) -> Result<(), Error> {
        let (x, y) = (area.x() as i16, area.y() as i16);
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
