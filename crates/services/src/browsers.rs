//! Requests that somebody's page makes, shown in a browser on this machine.
//!
//! A listener on loopback is reached by the programs of this machine, and one of them is a browser:
//! any page can have it ask any address. What a browser says of itself (Fetch standard: `Origin`;
//! Fetch Metadata: `Sec-Fetch-Site`) tells such requests from those of programs. A page whose name
//! is given another address, that of this machine (DNS rebinding), is at home here for the browser;
//! but then the name stands in `Host`, and it is none of this machine's.

use std::net::IpAddr;

use wire::Request;

/// Whether a request is addressed to this machine by a name that nobody else can give it:
/// `localhost`, or an address. Only browsers matter, and they always say.
pub(crate) fn names_this_machine(request: &Request) -> bool {
    request.header("host").is_none_or(is_own)
}

/// Whether a page of another origin, or of none, has a browser make this request.
pub(crate) fn is_of_foreign_page(request: &Request) -> bool {
    let is_foreign = |origin: &str| {
        let host = request.header("host").unwrap_or_default();
        let is_same =
            origin.strip_prefix("http://").is_some_and(|of| of.eq_ignore_ascii_case(host));
        !is_same || !is_own(host)
    };
    let site = request.header("sec-fetch-site");
    request.header("origin").is_some_and(is_foreign)
        || site.is_some_and(|site| !matches!(site, "same-origin" | "none"))
}

/// Whether a host, with or without port, is an address or a name that browsers give no other.
fn is_own(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)]) -> Request {
        let headers = headers.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Request { headers: headers.collect(), ..Request::default() }
    }

    #[test]
    fn a_name_of_somebody_elses_is_none_of_this_machine() {
        for host in [
            "localhost",
            "LOCALHOST:4566",
            "localhost.:80",
            "sync-localhost.localhost:80",
            "127.0.0.1:4566",
            "127.8.9.1",
            "10.0.0.5:4566",
            "[::1]:4566",
            "[::1]",
        ] {
            assert!(names_this_machine(&request(&[("host", host)])), "{host}");
        }
        for host in [
            "",
            "rebound.example:4566",
            "localhost.example",
            "127.0.0.1.example:4566",
            "notlocalhost",
            "[rebound.example]:80",
        ] {
            assert!(!names_this_machine(&request(&[("host", host)])), "{host}");
        }
        assert!(names_this_machine(&request(&[])));
    }

    #[test]
    fn a_page_of_somebody_elses_is_known_by_what_the_browser_says() {
        let of = |headers: &[(&str, &str)]| is_of_foreign_page(&request(headers));
        let here = ("host", "localhost:4566");
        assert!(!of(&[here]));
        assert!(!of(&[here, ("origin", "http://localhost:4566")]));
        assert!(!of(&[here, ("sec-fetch-site", "same-origin")]));
        assert!(!of(&[here, ("sec-fetch-site", "none")]));
        for origin in ["https://foreign.example", "http://localhost:3000", "null", ""] {
            assert!(of(&[here, ("origin", origin)]), "{origin}");
        }
        assert!(of(&[here, ("sec-fetch-site", "cross-site")]));
        assert!(of(&[here, ("sec-fetch-site", "same-site")]));
        // Bound to this machine's address, it is the same origin to the browser.
        let rebound = [("host", "rebound.example"), ("origin", "http://rebound.example")];
        assert!(of(&rebound));
    }
}
