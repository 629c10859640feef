//! DESKTOPS OF A HOST: looks for them over SSH, and takes the only one, asks which, or starts one.

mod choose;
mod found;

pub use choose::{Find, look};
pub use found::{Desktop, Owner, Place};

use std::fmt;

use crate::escape::escape;

impl fmt::Display for Desktop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        match &self.owner {
            Owner::Me => {}
            Owner::Root => f.write_str(", of root")?,
            Owner::Other(name) => write!(f, ", of {name}")?,
            Owner::Unknown => f.write_str(", of an unknown user")?,
        }
        if self.what.is_empty() { Ok(()) } else { write!(f, ", {}", self.what) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Port { port: port @ 5900..=5999, .. } => write!(f, ":{}", port - 5900),
            Place::Port { port, .. } => write!(f, "::{port}"),
            Place::Socket(path) => write!(f, ":{}", escape(path)),
        }
    }
}
