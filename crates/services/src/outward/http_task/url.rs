//! The URL of an HTTP task, in the one form in which it is asked about and called.
//!
//! A policy compares texts (`states:HTTPEndpoint`), a server reads a URL. What two texts mean to
//! say is therefore one text here (RFC 3986, 6.2.2 and 6.2.3), and what servers read differently is
//! refused.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

/// How long a host and one label of it may be, in characters (RFC 1035).
const HOST_CHARACTERS_MAX: usize = 253;
const LABEL_CHARACTERS_MAX: usize = 63;

/// A URL, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Url<'u> {
    /// `https://host`, or `http://127.0.0.1:8000`.
    pub(super) address: String,
    pub(super) path: String,
    /// What is behind `?`, as it was given.
    pub(super) query: &'u str,
}

impl Url<'_> {
    /// Reads a URL.
    ///
    /// # Errors
    /// Why it cannot be called.
    pub(super) fn read(url: &str) -> Result<Url<'_>, &'static str> {
        let url = url.split('#').next().unwrap_or_default();
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let scheme = scheme.to_ascii_lowercase();
        let (host, port) = parts(authority).ok_or("it names no host")?;
        // DIFFERS: AWS takes `https` alone; a stand-in on this machine needs no certificate.
        let is_here = matches!(&*host, "localhost" | "127.0.0.1" | "[::1]");
        let usual_port = match &*scheme {
            "https" => 443,
            "http" if is_here => 80,
            _ => return Err("it must be https://, or http:// on this machine"),
        };
        let port = port.filter(|port| *port != usual_port);
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let path = resolved(path).ok_or("servers read its path in different ways")?;
        Ok(Url { address: format!("{scheme}://{host}{port}"), path, query })
    }
}

/// Returns host and port of an authority, if it is nothing but these.
fn parts(authority: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let address: Ipv6Addr = address.parse().ok()?;
        (format!("[{address}]"), port)
    } else {
        let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
        (named(host)?, port)
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        Some("") => None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse().ok()?)
        }
        Some(_) | None => return None,
    };
    Some((host, port))
}

/// Returns a host in lower case, if it is a name of labels or an IPv4 address as they are written.
fn named(host: &str) -> Option<String> {
    let host = host.to_ascii_lowercase();
    let is_label = |label: &str| {
        let fits = (1..=LABEL_CHARACTERS_MAX).contains(&label.len());
        fits && label.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    };
    let is_name = host.len() <= HOST_CHARACTERS_MAX && host.split('.').all(is_label);
    // Resolvers take `127.1` and `0x7f000001` for addresses.
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_number = last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit());
    let is_host = is_name && (!is_number || host.parse::<Ipv4Addr>().is_ok());
    is_host.then_some(host)
}

/// Returns a path without dot segments, and with escapes where they are needed and nowhere else.
/// None when a server that decodes more than others would see a dot segment in it.
fn resolved(path: &str) -> Option<String> {
    let mut resolved: Vec<String> = Vec::new();
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        let segment = escaped(segment);
        let is_last = segments.peek().is_none();
        match &*segment {
            "." => {}
            ".." => drop(resolved.pop()),
            _ if hides_dots(&segment) => return None,
            _ => {
                resolved.push(segment);
                continue;
            }
        }
        if is_last {
            resolved.push(String::new());
        }
    }
    Some(format!("/{}", resolved.join("/")))
}

/// Whether a segment is `..` or has one within for whoever takes `%2F` or `\` for a slash, or what
/// is behind `;` for a parameter.
fn hides_dots(segment: &str) -> bool {
    let pieces = segment.split("%2F").flat_map(|piece| piece.split("%5C"));
    let mut pieces = pieces.map(|piece| piece.split(';').next().unwrap_or_default());
    pieces.any(|piece| matches!(piece, "." | ".."))
}

/// Returns a segment with escapes in upper case, and only for what a path cannot have.
fn escaped(segment: &str) -> String {
    let bytes = segment.as_bytes();
    let mut escaped = String::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let meant = (*byte == b'%').then(|| escape(bytes.get(at + 1..at + 3)?)).flatten();
        let (byte, length) = meant.map_or((*byte, 1), |meant| (meant, 3));
        // As an escape it may mean something else than as itself.
        let is_delimiter = length == 1 && b"!$&'()*+,;=:@".contains(&byte);
        if is_unreserved(byte) || is_delimiter {
            escaped.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
        at += length;
    }
    escaped
}

/// Returns the byte that two hexadecimal digits are.
fn escape(digits: &[u8]) -> Option<u8> {
    let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
    let digits = std::str::from_utf8(digits).ok().filter(|_| is_hex)?;
    u8::from_str_radix(digits, 16).ok()
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what a policy compares with.
    fn endpoint(url: &str) -> Option<String> {
        Url::read(url).ok().map(|url| url.address + &url.path)
    }

    #[test]
    fn what_means_the_same_is_the_same_text() {
        for (url, wanted) in [
            ("https://api.example.com", "https://api.example.com/"),
            ("HTTPS://API.Example.COM:443/v1?x=/../#y", "https://api.example.com/v1"),
            ("https://api.example.com:/v1", "https://api.example.com/v1"),
            ("https://api.example.com:0443/v1", "https://api.example.com/v1"),
            ("https://api.example.com:8443/v1", "https://api.example.com:8443/v1"),
            ("http://LOCALHOST:80/", "http://localhost/"),
            ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/"),
            ("http://[0:0::1]:80/", "http://[::1]/"),
            ("https://h/public/../admin", "https://h/admin"),
            ("https://h/public/%2e%2E/admin", "https://h/admin"),
            ("https://h/../../admin/.", "https://h/admin/"),
            ("https://h/a/b/..", "https://h/a/"),
            ("https://h/a/./b/", "https://h/a/b/"),
            ("https://h/%61dmin/%c3%a9", "https://h/admin/%C3%A9"),
            ("https://h/é b|c", "https://h/%C3%A9%20b%7Cc"),
            ("https://h/a%2fb%", "https://h/a%2Fb%25"),
            ("https://h/a;v=1,2/b:c@d", "https://h/a;v=1,2/b:c@d"),
            ("https://h/...", "https://h/..."),
            ("https://h//a", "https://h//a"),
        ] {
            assert_eq!(endpoint(url).as_deref(), Some(wanted), "{url}");
            assert_eq!(endpoint(wanted).as_deref(), Some(wanted), "{url}");
        }
        assert_eq!(Url::read("https://h?a=/b").unwrap().query, "a=/b");
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for url in [
            "",
            "https://",
            "https:///path",
            "ftp://h/",
            "http://example.com/",
            "http://127.0.0.1.example.com/",
            "https://user@h/",
            "https://allowed.example.com\\@h/",
            "https://allowed.example.com%2f.h/",
            "https://h h/",
            "https://h./",
            "https://a..b/",
            "https://bücher.example/",
            "https://[::1/",
            "https://[::1]x/",
            "https://h:+443/",
            "https://h:65536/",
            "https://h:1:2/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f.0x1/",
            "https://010.0.0.1/",
            "https://h/public/..%2fadmin",
            "https://h/public/..\\admin",
            "https://h/public/%2e%2e%5Cadmin",
            "https://h/public/..;x/admin",
        ] {
            assert_eq!(endpoint(url), None, "{url}");
        }
    }
}
