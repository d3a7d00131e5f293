//! The text of a document: JSON or YAML, read into one [`Value`] and printed from it.

mod json_places;
mod yaml_reader;
mod yaml_writer;

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use value::Value;

use crate::diagnostic::Position;

/// The longest content `CreateDocument` takes (`MaxDocumentSizeExceeded`).
pub const CONTENT_BYTES_MAX: usize = 64 * 1024;

/// How a document's content is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// JSON, AWS's default.
    #[default]
    Json,
    /// YAML 1.2, core schema.
    Yaml,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Json => "JSON",
            Format::Yaml => "YAML",
        })
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Format, UnknownFormat> {
        match text {
            "JSON" => Ok(Format::Json),
            "YAML" => Ok(Format::Yaml),
            _ => Err(UnknownFormat(text.to_owned())),
        }
    }
}

/// A format that runbooks are not written in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a format of runbooks, use JSON or YAML")]
pub struct UnknownFormat(String);

/// Why a text is not a document at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (line {}, column {})", position.line, position.column)]
pub struct SyntaxError {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub position: Position,
}

/// Reads a document's content.
pub fn read(content: &str, format: Format) -> Result<Value, SyntaxError> {
    match format {
        Format::Yaml => yaml_reader::read(content),
        Format::Json => value::parse(content).map_err(|err| SyntaxError {
            message: err.message,
            position: Position { line: err.line, column: err.column },
        }),
    }
}

/// Prints a document's content; [`read`] gives the same data back.
pub fn write(document: &Value, format: Format) -> String {
    match format {
        Format::Json => document.to_pretty(),
        Format::Yaml => yaml_writer::write(document),
    }
}

/// Every place of a document by its path's text; the empty path is the document itself.
pub(crate) type Places = HashMap<String, Position>;

/// Returns where everything stands in a content that [`read`] accepts.
///
/// Places are looked up only when a problem is reported, so that the data itself carries none.
pub(crate) fn places(content: &str, format: Format) -> Places {
    match format {
        Format::Json => json_places::places(content),
        Format::Yaml => yaml_reader::places(content),
    }
}
