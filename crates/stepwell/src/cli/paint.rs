//! Colours, for people only.

use std::io::IsTerminal;

/// Whether text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    /// As it is.
    Plain,
    /// With the colours of a terminal.
    Coloured,
}

/// What a piece of text means.
#[derive(Clone, Copy)]
pub(crate) enum Meaning {
    /// What went well.
    Good,
    /// An error.
    Bad,
    /// A warning.
    Doubtful,
    /// What stands out.
    Strong,
    /// What leads the eye elsewhere: line numbers, rulers.
    Quiet,
}

impl Paint {
    /// Returns how to write to `stream`: coloured when a person watches and has not set NO_COLOR.
    pub(crate) fn of(stream: &impl IsTerminal) -> Paint {
        let colours = stream.is_terminal() && std::env::var_os("NO_COLOR").is_none();
        if colours { Paint::Coloured } else { Paint::Plain }
    }

    /// Returns the text with its colour.
    pub(crate) fn text(self, text: &str, meaning: Meaning) -> String {
        let code = match meaning {
            Meaning::Good => "32",
            Meaning::Doubtful => "1;33",
            Meaning::Strong => "1",
            Meaning::Bad => "1;31",
            Meaning::Quiet => "90",
        };
        match self {
            Paint::Coloured => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            Paint::Plain => text.to_owned(),
        }
    }
}
