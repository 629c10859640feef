//! What a FramebufferUpdate does to the desktop: its rectangles, and other sizes.

use super::super::pseudo::{self, Meaning};
use super::super::rectangle;
use super::super::underway::Place;
use super::super::{Event, Notice, Settings};
use super::{Client, State, checked};
use crate::decode::{Fault, Job, Progress, Stage, stage};
use crate::picture::{Area, Canvas, Coverage, Size};
use crate::rfb::screen::Screen;
use crate::rfb::server_message::RectangleHeader;
use crate::rfb::{ClientMessage, Inbox, encoding};

impl Client {
    /// Reads a rectangle or a pseudo-rectangle behind its header.
    pub(super) fn rectangle(
        &mut self,
        inbox: &mut Inbox,
        canvas: &mut Canvas,
        header: &RectangleHeader,
    ) -> Result<Progress, Fault> {
        if !pseudo::is(header.encoding) {
            return self.paint(inbox, canvas, header);
        }
        match pseudo::read(inbox, header, &self.pixels)? {
            None => return Ok(Progress::NeedMore),
            Some(Meaning::Tell(event)) => self.note(event),
            Some(Meaning::Size(size)) => self.resize(canvas, size)?,
            Some(Meaning::Desktop(size, screens, answer)) => self.show_desktop(canvas, size, screens, answer)?,
            Some(Meaning::Keycodes) => self.show(|caps| caps.keycodes = true),
            Some(Meaning::ExtendedButtons) => self.show(|caps| caps.extended_buttons = true),
            Some(Meaning::RelativePointer(relative)) => self.show(|caps| caps.relative_pointer = relative),
            Some(Meaning::Nothing) => {}
        }
        Ok(Progress::Done)
    }

    fn paint(&mut self, inbox: &mut Inbox, canvas: &mut Canvas, header: &RectangleHeader) -> Result<Progress, Fault> {
        let RectangleHeader { x, y, width, height, encoding } = *header;
        let Size { width: all_width, height: all_height } = self.size;
        let area = self.size.area(x, y, width, height).ok_or_else(|| {
            Fault(format!("{width}x{height} at {x},{y} outside of the desktop of {all_width}x{all_height}"))
        })?;
        if encoding == encoding::COPY_RECT {
            let Some((x, y)) = inbox.unit(|reader| Ok((reader.u16()?, reader.u16()?))) else {
                return Ok(Progress::NeedMore);
            };
            let from = self.size.area(x, y, width, height);
            let from = from.ok_or_else(|| Fault(format!("a copy from {x},{y} outside of the desktop")))?;
            if !self.copies.add(from, area) {
                self.copy_all(canvas)?;
                let _first = self.copies.add(from, area);
            }
        } else if rectangle::goes_to_lanes(encoding) {
            let size = (usize::from(area.width()), usize::from(area.height()));
            let Some(rectangle) = self.decoders.cut(encoding, inbox, size, &self.pixels)? else {
                return Ok(Progress::NeedMore);
            };
            let number = if let State::Rectangle { number, .. } = self.state { number } else { 0 };
            let lossy = rectangle.has_loss();
            let job = Job::new(rectangle, size.0, size.1, self.pixels.clone());
            self.underway.add(job, Place { area, encoding, lossy, number, offset: inbox.offset() });
            // Painted when its turn comes.
            return Ok(Progress::Done);
        } else {
            let mut target = canvas.target(area)?;
            if self.decoders.advance(encoding, inbox, area, &mut target, &self.pixels)? == Progress::NeedMore {
                return Ok(Progress::NeedMore);
            }
        }
        self.painted(area, encoding, matches!(encoding, encoding::ZYWRLE | encoding::OPEN_H264));
        Ok(Progress::Done)
    }

    /// Makes the copies that wait for others like them.
    pub(super) fn copy_all(&mut self, canvas: &mut Canvas) -> Result<(), Fault> {
        let _paint = stage(Stage::Paint);
        Ok(self.copies.paint(canvas)?)
    }

    /// Counts what was painted.
    pub(super) fn painted(&mut self, area: Area, encoding: i32, lossy: bool) {
        self.damage.add(area);
        if let Some(coverage) = &mut self.coverage {
            coverage.add(area);
        }
        self.refreshed(area, encoding, lossy);
        self.counts.rectangles += 1;
        self.counts.pixels += area.pixels() as u64;
        self.work += area.pixels() as u64;
        *self.counts.by_encoding.entry(encoding).or_default() += 1;
    }

    /// Goes back to pictures with a loss when all of one without has come.
    fn refreshed(&mut self, area: Area, encoding: i32, lossy: bool) {
        let Some(left) = &mut self.refresh else { return };
        if lossy {
            // The server had not heard yet that there shall be none, so what came before is no answer either.
            *left = Coverage::new(self.size);
            return;
        }
        // A copy is as good as what was there.
        if encoding == encoding::COPY_RECT {
            return;
        }
        left.add(area);
        if left.is_complete() {
            self.refresh = None;
            let list = self.settings.as_ref().map(Settings::list);
            self.say(list.map(ClientMessage::SetEncodings));
        }
    }

    fn resize(&mut self, canvas: &mut Canvas, size: Size) -> Result<(), Fault> {
        // A server may repeat its size in every answer to a full request: asking again would never end.
        if size == self.size {
            return Ok(());
        }
        checked(size)?;
        self.size = size;
        self.work += size.pixels() as u64;
        canvas.resize(size);
        self.damage.clear();
        for coverage in self.coverage.iter_mut().chain(&mut self.refresh) {
            *coverage = Coverage::new(size);
        }
        self.note(Event::Resized(size));
        self.remark(Notice::Size(size));
        let wanted = self.flow.resized(size);
        wanted.into_iter().for_each(|message| self.say(message));
        Ok(())
    }

    /// Takes another size, and tells whoever may ask for one how the desktop is now.
    fn show_desktop(
        &mut self,
        canvas: &mut Canvas,
        size: Option<Size>,
        screens: Vec<Screen>,
        answer: Option<u16>,
    ) -> Result<(), Fault> {
        if let Some(size) = size {
            self.resize(canvas, size)?;
            // A server may repeat it in every update.
            if self.desktop.as_ref().is_none_or(|known| (known.0, &known.1) != (size, &screens)) {
                self.desktop = Some((size, screens.clone()));
                self.remark(Notice::Desktop { size, screens });
            }
        }
        if let Some(answer) = answer {
            self.remark(Notice::Resized(answer));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Received, canvas_for};
    use super::*;
    use crate::picture::ByteOrder;
    use crate::rfb::PixelFormat;
    use crate::rfb::handshake::ServerInit;

    #[test]
    fn a_server_that_changes_its_size_without_end_is_left_for_a_while() {
        let order = ByteOrder::Bgrx;
        let format = PixelFormat::rgb888(order.shifts());
        let init = ServerInit { width: 1, height: 1, format, name: "door".into() };
        let mut canvas = canvas_for(&init, order).unwrap();
        let mut client = Client::of_recording(&init, order);
        // A FramebufferUpdate of 40 sizes, one large and one small in turn.
        let mut update = vec![0, 0, 0, 40];
        for size in [5000_u16, 1].repeat(20) {
            update.extend([0; 4]);
            update.extend([size, size].iter().flat_map(|length| length.to_be_bytes()));
            update.extend(encoding::DESKTOP_SIZE.to_be_bytes());
        }
        let mut inbox = Inbox::default();
        inbox.push(update.into());
        let mut turns = 0;
        while client.receive(&mut inbox, &mut canvas).unwrap() == Received::Busy {
            turns += 1;
        }
        assert_eq!((turns, canvas.size()), (6, Size::new(1, 1)));
    }
}
