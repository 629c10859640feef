//! What is wrong with a configuration, where, and what to try.

use std::fmt;
use std::path::PathBuf;

use crate::escape::escape;

/// Where something is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A line of a file; the first is 1.
    Line {
        /// The file.
        file: PathBuf,
        /// The line.
        line: usize,
    },
    /// An option as it was typed after `-o`.
    Option(String),
    /// A file as a whole.
    File(PathBuf),
}

/// Why the options of ssh could not be found out: one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    /// Where the reason is written, if it is written anywhere.
    pub place: Option<Place>,
    what: String,
    hint: Option<String>,
}

impl Error {
    pub(super) fn new(what: impl Into<String>) -> Error {
        Error { place: None, what: what.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Error {
        self.hint = Some(hint.into());
        self
    }

    /// Says where, unless a place nearer to the reason is known already.
    pub(super) fn at(mut self, place: &Place) -> Error {
        self.place.get_or_insert_with(|| place.clone());
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line { file, line } => write!(f, "{}:{line}", escape(&file.to_string_lossy())),
            Place::Option(option) => write!(f, "-o {}", escape(option)),
            Place::File(file) => f.write_str(&escape(&file.to_string_lossy())),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.what)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// A word of the user's, in quotes and fit to show.
pub(super) fn quoted(word: &str) -> String {
    format!("\"{}\"", escape(word))
}
