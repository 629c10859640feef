//! The pointer's buttons: a press that something over the desktop took is never told to the server. Pure.

/// The pointer as it is, and what the server knows of it.
#[derive(Debug, Default)]
pub struct Pointer {
    at: (u16, u16),
    /// As the server was told.
    told: u16,
    /// Down, and not for the server until they are released.
    taken: u16,
}

impl Pointer {
    /// It is here while what is drawn over the desktop has it.
    pub fn here(&mut self, x: u16, y: u16, buttons: u16) {
        self.at = (x, y);
        self.taken = buttons;
    }

    /// It is here while the server has it; gives the buttons that are to be told.
    pub fn there(&mut self, x: u16, y: u16, buttons: u16) -> u16 {
        self.at = (x, y);
        self.taken &= buttons;
        self.told = buttons & !self.taken;
        self.told
    }

    /// The server is to hear of no button any more; where to tell it, if that is news.
    pub fn release(&mut self) -> Option<(u16, u16)> {
        self.taken |= self.told;
        (std::mem::take(&mut self.told) != 0).then_some(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_click_on_a_menu_is_none_on_what_lies_under_it() {
        let mut pointer = Pointer::default();
        pointer.here(5, 5, 1);
        // The press has closed the menu; the button is still down.
        assert_eq!(pointer.there(6, 5, 1), 0);
        assert_eq!(pointer.there(6, 5, 0b101), 0b100);
        assert_eq!(pointer.there(6, 5, 0), 0);
        assert_eq!(pointer.there(6, 5, 1), 1);
    }

    #[test]
    fn a_drag_ends_when_something_comes_over_it() {
        let mut pointer = Pointer::default();
        pointer.there(7, 8, 1);
        assert_eq!(pointer.release(), Some((7, 8)));
        assert_eq!(pointer.release(), None);
        assert_eq!(pointer.there(9, 9, 1), 0);
        assert_eq!(pointer.there(9, 9, 0), 0);
    }
}
