//! The pointer's buttons: a press that something over the desktop took is never told to the server. Pure.

/// The buttons as they are, and what the server knows of them.
#[derive(Debug, Default)]
pub struct Pointer {
    /// As the server was told.
    told: u16,
    /// Down, and not for the server until they are released.
    taken: u16,
}

impl Pointer {
    /// These are down while what is drawn over the desktop has the pointer.
    pub fn here(&mut self, buttons: u16) {
        self.taken = buttons;
    }

    /// These are down while the server has it, wherever it is; gives those that are to be told.
    pub fn there(&mut self, buttons: u16) -> u16 {
        self.taken &= buttons;
        self.told = buttons & !self.taken;
        self.told
    }

    /// The server is to hear of no button any more. True if that is news.
    pub fn release(&mut self) -> bool {
        self.taken |= self.told;
        std::mem::take(&mut self.told) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_click_on_a_menu_is_none_on_what_lies_under_it() {
        let mut pointer = Pointer::default();
        pointer.here(1);
        // The press has closed the menu; the button is still down.
        assert_eq!(pointer.there(1), 0);
        assert_eq!(pointer.there(0b101), 0b100);
        assert_eq!(pointer.there(0), 0);
        assert_eq!(pointer.there(1), 1);
    }

    #[test]
    fn a_drag_ends_when_something_comes_over_it() {
        let mut pointer = Pointer::default();
        pointer.there(1);
        assert!(pointer.release());
        assert!(!pointer.release());
        assert_eq!(pointer.there(1), 0);
        assert_eq!(pointer.there(0), 0);
    }
}
