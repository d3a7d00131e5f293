//! Which trace something belongs to, and under which ids.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};
use wire::Request;

use crate::{Call, ids};

/// What the process of an execution is called, before its ARN.
const EXECUTION: &str = "execution/";

/// Where a trace came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parent {
    /// 32 hexadecimal digits.
    pub(super) trace: String,
    /// 16 hexadecimal digits; none when the trace has no span yet.
    pub(super) span: Option<String>,
    pub(super) is_sampled: bool,
}

impl Parent {
    fn traceparent(&self) -> String {
        let span = self.span.as_deref().unwrap_or_default();
        traceparent(&self.trace, span, self.is_sampled)
    }
}

/// The span that a request is answered in.
pub(crate) struct Context {
    pub(super) parent: Option<Parent>,
    pub(super) trace: String,
    pub(super) span: String,
}

impl Context {
    /// Returns a new span of the trace that the request belongs to.
    pub(crate) fn of(request: &Request) -> Context {
        let parent = parent(request);
        let trace = parent.as_ref().map(|parent| parent.trace.clone());
        let trace = trace.unwrap_or_else(|| hex(&ids::entropy::<16>()));
        Context { parent, trace, span: hex(&ids::entropy::<8>()) }
    }

    /// Returns whether the caller wants it to be sent.
    pub(super) fn is_sampled(&self) -> bool {
        self.parent.as_ref().is_none_or(|parent| parent.is_sampled)
    }

    /// Returns it as what happens within it names it.
    pub(crate) fn traceparent(&self) -> String {
        traceparent(&self.trace, &self.span, self.is_sampled())
    }
}

/// Returns the span that an execution is started in: that of its call, unless the caller names
/// another.
pub(crate) fn of_start(call: &Call, trace_header: Option<&str>) -> Option<String> {
    let called = call.trace.as_ref()?;
    let named = trace_header.and_then(from_xray).filter(|parent| parent.span.is_some());
    Some(named.map_or_else(|| called.clone(), |parent| parent.traceparent()))
}

/// Returns the span of a running process, as what it calls names it; only executions have one.
pub(crate) fn within(trace: &str, process: &str) -> Option<String> {
    let parent = from_traceparent(trace)?;
    let span = span_id(process.strip_prefix(EXECUTION)?, FIRST_EVENT);
    Some(traceparent(&parent.trace, &span, parent.is_sampled))
}

/// The event that the first span of an execution begins with.
const FIRST_EVENT: i64 = 1;

/// Returns the id of the span that begins with an event of an execution: the same whoever makes it,
/// and when.
pub(super) fn span_id(execution_arn: &str, event: i64) -> String {
    let digest = Sha256::digest(format!("span/{execution_arn}/{event}"));
    hex(digest.get(..8).unwrap_or_default())
}

/// Returns the trace of an execution that was started in no other.
pub(super) fn trace_id(execution_arn: &str) -> String {
    let digest = Sha256::digest(format!("trace/{execution_arn}"));
    hex(digest.get(..16).unwrap_or_default())
}

fn traceparent(trace: &str, span: &str, is_sampled: bool) -> String {
    format!("00-{trace}-{span}-{:02x}", u8::from(is_sampled))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns the trace that a request belongs to.
fn parent(request: &Request) -> Option<Parent> {
    let w3c = request.header("traceparent").and_then(from_traceparent);
    w3c.or_else(|| request.header("x-amzn-trace-id").and_then(from_xray))
}

/// `00-TRACE-SPAN-FLAGS`.
pub(super) fn from_traceparent(text: &str) -> Option<Parent> {
    let mut parts = text.trim().split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if !is_hex(version, 2) || version == "ff" || !is_hex(flags, 2) {
        return None;
    }
    let is_sampled = u8::from_str_radix(flags, 16).ok()? & 1 == 1;
    let (trace, span) = (id(trace, 32)?, id(span, 16)?);
    Some(Parent { trace, span: Some(span), is_sampled })
}

/// `Root=1-TIME-REST;Parent=SPAN;Sampled=1`.
fn from_xray(text: &str) -> Option<Parent> {
    let part = |name: &str| {
        let mut parts = text.split(';').filter_map(|part| part.trim().split_once('='));
        parts.find(|(known, _)| *known == name).map(|(_, text)| text)
    };
    let root = part("Root")?.strip_prefix("1-")?;
    let (time, rest) = root.split_once('-')?;
    let trace = id(&format!("{time}{rest}"), 32).filter(|_| time.len() == 8)?;
    let span = part("Parent").and_then(|span| id(span, 16));
    Some(Parent { trace, span, is_sampled: part("Sampled") != Some("0") })
}

/// Returns an id of so many digits, which must not be zero.
fn id(text: &str, digits: usize) -> Option<String> {
    let is_id = is_hex(text, digits) && text.bytes().any(|digit| digit != b'0');
    is_id.then(|| text.to_ascii_lowercase())
}

pub(super) fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    fn request(headers: &[(&str, &str)]) -> Request {
        let headers = headers.iter().map(|(name, text)| ((*name).into(), (*text).into()));
        Request { headers: headers.collect(), ..Request::default() }
    }

    #[test]
    fn a_trace_goes_on_whichever_header_it_came_with() {
        let w3c = format!("00-{TRACE}-{SPAN}-01");
        let xray = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0";
        let found = parent(&request(&[("x-amzn-trace-id", xray), ("traceparent", &w3c)])).unwrap();
        let span = Some(SPAN.to_owned());
        assert_eq!(found, Parent { trace: TRACE.into(), span, is_sampled: true });
        let found = parent(&request(&[("x-amzn-trace-id", xray)])).unwrap();
        assert_eq!(found.trace, "5759e988bd862e3fe1be46a994272793");
        assert_eq!((found.span.as_deref(), found.is_sampled), (Some("53995c3f42cd8ad8"), false));
        let zeros = format!("00-{}-{SPAN}-01", "0".repeat(32));
        for wrong in ["", "00", "é", &zeros, &w3c.replace('4', "x"), "ff-1-2-3"] {
            assert_eq!(parent(&request(&[("traceparent", wrong)])), None, "{wrong}");
            assert_eq!(parent(&request(&[("x-amzn-trace-id", wrong)])), None, "{wrong}");
        }
    }

    #[test]
    fn an_execution_names_its_span_to_what_it_calls() {
        let arn = "arn:aws:states:us-east-1:000000000000:execution:m:e";
        let trace = format!("00-{TRACE}-{SPAN}-01");
        let inside = within(&trace, &format!("execution/{arn}")).unwrap();
        let parent = from_traceparent(&inside).unwrap();
        assert_eq!((&*parent.trace, parent.span), (TRACE, Some(span_id(arn, 1))));
        assert!(parent.is_sampled);
        assert_eq!(within(&trace, "automation/1"), None);
        assert_eq!(within("nonsense", &format!("execution/{arn}")), None);
    }
}
