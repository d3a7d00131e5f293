//! HTTP messages, as far as the protocols need them.

use std::fmt::Write as _;

/// The largest body of a request, in bytes.
pub const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A request, read completely.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `POST`.
    pub method: String,
    /// The path as it was sent, still percent-encoded.
    pub path: String,
    /// The query string as it was sent, without `?`.
    pub query: String,
    /// Headers, names in lower case, in the order sent.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The sender's address.
    pub peer: String,
}

impl Request {
    /// Returns the first header of this name, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// Returns an answer with a JSON body.
    pub fn json(status: u16, body: &value::Value) -> Response {
        Response {
            status,
            headers: vec![("content-type", "application/json".into())],
            body: body.to_string().into_bytes(),
        }
    }
}

/// Percent-decodes a text; `+` stays. What is no UTF-8 then is replaced.
pub fn decode_percent(text: &str) -> String {
    String::from_utf8_lossy(&percent_decode(text, Plus::IsPlus)).into_owned()
}

/// Percent-decodes; `+` is a blank only where `plus` says so. Broken escapes stay as they are.
pub(crate) fn percent_decode(text: &str, plus: Plus) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'+' if plus == Plus::IsBlank => out.push(b' '),
            b'%' => {
                let digits =
                    bytes.get(at..at + 2).and_then(|digits| std::str::from_utf8(digits).ok());
                match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                    Some(decoded) => {
                        out.push(decoded);
                        at += 2;
                    }
                    None => out.push(b'%'),
                }
            }
            other => out.push(*other),
        }
    }
    out
}

/// What a plus sign means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plus {
    IsBlank,
    IsPlus,
}

/// Percent-encodes all but RFC 3986's unreserved characters.
pub fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Like [`percent_encode`], but keeps slashes.
pub(crate) fn percent_encode_path(text: &str) -> String {
    text.split('/').map(percent_encode).collect::<Vec<_>>().join("/")
}

/// Splits a query string or a form body into decoded pairs.
///
/// # Errors
/// When a name or a value is not UTF-8.
pub fn pairs(text: &str) -> Result<Vec<(String, String)>, std::string::FromUtf8Error> {
    let parts = text.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((
                String::from_utf8(percent_decode(name, Plus::IsBlank))?,
                String::from_utf8(percent_decode(value, Plus::IsBlank))?,
            ))
        })
        .collect()
}
