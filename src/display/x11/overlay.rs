//! What is drawn over the desktop: a child window for each panel, so that the server itself keeps the desktop from under
//! it; and a veil over a desktop that is not there now.

use std::rc::Rc;

use x11rb::protocol::render::{Color, ConnectionExt as _, CreatePictureAux, PictOp, Pictformat};
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConfigureWindowAux, ConnectionExt as _, CreateWindowAux, Cursor, EventMask, ExposeEvent,
    Gcontext, Rectangle, StackMode, Window, WindowClass,
};

use super::super::dim::{COVER, darken};
use super::super::{Error, Overlay, Panel};
use super::front::{Front, put_image};
use super::server::{Server, lost};
use crate::picture::{Area, Size};

/// The arrow in the font "cursor"; its mask comes after it.
const LEFT_PTR: u16 = 68;

/// The panels that are there.
#[derive(Default)]
pub(super) struct Panels {
    /// The window that they are in.
    parent: Window,
    /// From the lowest to the uppermost.
    children: Vec<Child>,
    arrow: Option<Cursor>,
}

struct Child {
    window: Window,
    panel: Panel,
}

impl Panels {
    /// Shows these panels and no others; one that has not changed is left alone.
    pub(super) fn show(
        &mut self,
        server: &Server,
        (parent, gc): (Window, Gcontext),
        overlay: &Overlay,
    ) -> Result<(), Error> {
        if std::mem::replace(&mut self.parent, parent) != parent {
            // They went with the window that they were in.
            self.children.clear();
        }
        let wanted = || overlay.panels.iter().filter(|panel| panel.picture.size().pixels() > 0);
        let mut spare = std::mem::take(&mut self.children);
        let mut stack: Vec<Window> = spare.iter().map(|child| child.window).collect();
        let take =
            |spare: &mut Vec<Child>, of: &dyn Fn(&Child) -> bool| spare.iter().position(of).map(|at| spare.remove(at));
        let same: Vec<Option<Child>> = wanted()
            .map(|panel| take(&mut spare, &|child| child.panel.is(panel) && child.panel.is_at(panel)))
            .collect();
        for (panel, same) in wanted().zip(same) {
            if let Some(child) = same {
                self.children.push(child);
                continue;
            }
            let other = take(&mut spare, &|child| child.panel.is(panel)).or_else(|| take(&mut spare, &|_| true));
            let child = match other {
                Some(mut child) => {
                    child.change(server, gc, panel)?;
                    child
                }
                None => {
                    let child = self.open(server, gc, panel)?;
                    stack.push(child.window);
                    child
                }
            };
            self.children.push(child);
        }
        for child in spare {
            server.connection.destroy_window(child.window).map_err(lost)?;
            stack.retain(|&window| window != child.window);
        }
        if !self.children.iter().map(|child| child.window).eq(stack) {
            for child in &self.children {
                let above = ConfigureWindowAux::new().stack_mode(StackMode::ABOVE);
                server.connection.configure_window(child.window, &above).map_err(lost)?;
            }
        }
        Ok(())
    }

    /// Shows a part again that was uncovered. False if it is no panel's.
    pub(super) fn uncovered(&self, server: &Server, gc: Gcontext, part: &ExposeEvent) -> Result<bool, Error> {
        let Some(child) = self.children.iter().find(|child| child.window == part.window) else { return Ok(false) };
        let everywhere = Size::new(u16::MAX, u16::MAX);
        let area = everywhere.area(part.x, part.y, part.width, part.height);
        if let Some(area) = area.and_then(|area| area.clip(child.panel.picture.size())) {
            child.put(server, gc, area)?;
        }
        Ok(true)
    }

    fn open(&mut self, server: &Server, gc: Gcontext, panel: &Panel) -> Result<Child, Error> {
        let (window, size, connection) = (server.id()?, panel.picture.size(), &server.connection);
        let (x, y) = panel.place();
        // What the user does here goes on to the parent. Without a background nothing flashes.
        let attributes = CreateWindowAux::new().event_mask(EventMask::EXPOSURE);
        let (depth, class) = (x11rb::COPY_DEPTH_FROM_PARENT, WindowClass::INPUT_OUTPUT);
        connection
            .create_window(depth, window, self.parent, x, y, size.width, size.height, 0, class, 0, &attributes)
            .map_err(lost)?;
        let arrow = match self.arrow {
            Some(arrow) => arrow,
            None => *self.arrow.insert(arrow(server)?),
        };
        let attributes = ChangeWindowAttributesAux::new().cursor(arrow);
        connection.change_window_attributes(window, &attributes).map_err(lost)?;
        connection.map_window(window).map_err(lost)?;
        let child = Child { window, panel: panel.clone() };
        child.put(server, gc, size.whole())?;
        Ok(child)
    }
}

impl Panel {
    /// Whether both show the same picture.
    fn is(&self, other: &Panel) -> bool {
        Rc::ptr_eq(&self.picture, &other.picture)
    }

    fn is_at(&self, other: &Panel) -> bool {
        (self.x, self.y) == (other.x, other.y)
    }

    /// Its place, as X11 counts.
    fn place(&self) -> (i16, i16) {
        let short = |at: i32| at.clamp(i16::MIN.into(), i16::MAX.into()) as i16;
        (short(self.x), short(self.y))
    }
}

impl Child {
    /// Shows another panel.
    fn change(&mut self, server: &Server, gc: Gcontext, panel: &Panel) -> Result<(), Error> {
        let before = std::mem::replace(&mut self.panel, panel.clone());
        let size = panel.picture.size();
        if !before.is_at(panel) || before.picture.size() != size {
            let (x, y) = panel.place();
            let place = ConfigureWindowAux::new().x(i32::from(x)).y(i32::from(y));
            let place = place.width(u32::from(size.width)).height(u32::from(size.height));
            server.connection.configure_window(self.window, &place).map_err(lost)?;
        }
        if before.is(panel) { Ok(()) } else { self.put(server, gc, size.whole()) }
    }

    fn put(&self, server: &Server, gc: Gcontext, area: Area) -> Result<(), Error> {
        let (layout, stride) = (&server.layout, server.layout.row(area.width()).max(1));
        let mut bytes = vec![0; stride * usize::from(area.height())];
        for (to, from) in bytes.chunks_exact_mut(stride).zip(self.panel.picture.rows(area)) {
            layout.pack(from, to);
        }
        let place = (area.x() as i16, area.y() as i16);
        put_image(server, (self.window, gc), server.depth, place, area.width(), stride, bytes.chunks_exact(stride))
    }
}

/// An ordinary arrow.
fn arrow(server: &Server) -> Result<Cursor, Error> {
    let (font, arrow, white) = (server.id()?, server.id()?, u16::MAX);
    server.connection.open_font(font, b"cursor").map_err(lost)?;
    server
        .connection
        .create_glyph_cursor(arrow, font, font, LEFT_PTR, LEFT_PTR + 1, 0, 0, 0, white, white, white)
        .map_err(lost)?;
    server.connection.close_font(font).map_err(lost)?;
    Ok(arrow)
}

/// Makes a part of the window, which shows the desktop, darker.
pub(super) fn veil(
    server: &Server,
    format: Pictformat,
    window: Window,
    (x, y): (i16, i16),
    size: Size,
) -> Result<(), Error> {
    let (connection, picture) = (&server.connection, server.id()?);
    connection.render_create_picture(picture, window, format, &CreatePictureAux::new()).map_err(lost)?;
    let black = Color { red: 0, green: 0, blue: 0, alpha: COVER };
    let part = Rectangle { x, y, width: size.width, height: size.height };
    connection.render_fill_rectangles(PictOp::OVER, picture, black, &[part]).map_err(lost)?;
    connection.render_free_picture(picture).map(drop).map_err(lost)
}

/// Shows a part of a desktop darker where the server does not mix colours.
pub(super) fn put_darker(
    server: &Server,
    front: &Front,
    area: Area,
    (window, gc): (Window, Gcontext),
    place: (i16, i16),
) -> Result<(), Error> {
    let (layout, stride) = (&server.layout, server.layout.row(area.width()).max(1));
    let mut bytes = vec![0; stride * usize::from(area.height())];
    let mut pixels = vec![0; area.width().into()];
    for (to, from) in bytes.chunks_exact_mut(stride).zip(front.rows(layout, area)) {
        layout.unpack(from, &mut pixels);
        darken(&mut pixels);
        layout.pack(&pixels, to);
    }
    put_image(server, (window, gc), server.depth, place, area.width(), stride, bytes.chunks_exact(stride))
}
