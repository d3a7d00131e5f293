//! HTTP requests: routed, read and answered in words, whatever they are; and a signature holds for
//! the request that it was made for, and for no other body.
//!
//! `METHOD PATH?QUERY`, headers a line each, an empty line, the body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::{Face, Request, sigv4, validate};

const NOW_MILLIS: i64 = 1_795_608_000_000;
const SCOPE: (&str, &str) = ("us-east-1", "iam");

fuzz_target!(|given: &[u8]| {
    let request = read(given);
    let id = "00000000-0000-4000-8000-000000000000";
    let face = Face::of_name(Some("iam"));
    match sigv4::parse(&request, &face) {
        Ok(None) => signs(&request, &face),
        Ok(Some(signed)) => {
            // Nobody knows the secret.
            assert!(signed.verify(&request, "a secret", &face).is_err());
            let _ = signed.check(&request, "iam", (NOW_MILLIS, sigv4::SKEW_SECONDS), &face);
        }
        Err(fault) => assert!(400 <= fault.render(id).status),
    }
    let routed = match wire::route(&request) {
        Ok(routed) => routed,
        Err(fault) => {
            assert!(400 <= fault.render(id).status);
            return;
        }
    };
    match routed.input(&request) {
        Ok(input) => {
            let _ = validate::problems(routed.operation, &input);
            let _ = validate::problems_elsewhere(routed.operation, &input);
            // Any value can be written as an answer: what the model does not know is left out.
            let _ = wire::answer(routed.operation, &input, id);
        }
        Err(fault) => assert!(400 <= fault.render(id).status),
    }
});

fn read(given: &[u8]) -> Request {
    let end = given.windows(2).position(|two| two == b"\n\n");
    let (head, body) = match end {
        Some(end) => (&given[..end], &given[end + 2..]),
        None => (given, &[][..]),
    };
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let (method, target) =
        lines.next().unwrap_or_default().split_once(' ').unwrap_or(("POST", "/"));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    // Names come from the HTTP library in lower case, and have no blanks.
    let header = |line: &str| {
        let (name, text) = line.split_once(':')?;
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
        is_name.then(|| (name.to_ascii_lowercase(), text.trim().to_owned()))
    };
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: lines.filter_map(header).collect(),
        body: body.to_vec(),
        peer: "127.0.0.1".to_owned(),
    }
}

/// A request that is signed is read as signed, and verifies with the secret alone.
fn signs(request: &Request, face: &Face) {
    let is_plain = |name: &str| {
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !name.starts_with("x-amz-")
    };
    let mut request = request.clone();
    request.headers.retain(|(name, _)| is_plain(name));
    sigv4::sign(&mut request, "AKIDEXAMPLE", "secret", None, SCOPE, NOW_MILLIS);
    let signed = sigv4::parse(&request, face).expect("read").expect("signed");
    assert!(signed.verify(&request, "secret", face).is_ok(), "its own signature does not hold");
    assert!(signed.verify(&request, "other", face).is_err());
    request.body.push(b'x');
    assert!(signed.verify(&request, "secret", face).is_err(), "it holds for another body");
}
