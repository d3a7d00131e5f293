//! SAML responses: nothing verifies but what was signed.
#![no_main]

use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use libfuzzer_sys::fuzz_target;
use saml::{Assertion, Response};

const PEM: [&str; 3] = [
    include_str!("../../crates/saml/tests/it/data/rsa.pem"),
    include_str!("../../crates/saml/tests/it/data/p256.pem"),
    include_str!("../../crates/saml/tests/it/data/p384.pem"),
];
const SIGNED: &str = include_str!("../../crates/saml/tests/it/data/rsa_sha256.xml");

static CERTIFICATES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let der = |pem: &str| {
        let lines: String = pem.lines().filter(|line| !line.starts_with("---")).collect();
        BASE64_STANDARD.decode(lines).expect("base64")
    };
    PEM.map(der).to_vec()
});
/// What each of the seeds says.
static ASSERTED: LazyLock<Assertion> = LazyLock::new(|| {
    Response::parse(SIGNED).expect("a response").verify(&CERTIFICATES).expect("signed")
});

fuzz_target!(|text: &str| {
    let response = match Response::parse(text) {
        Ok(response) => response,
        Err(flaw) => {
            assert!(!flaw.to_string().is_empty());
            return;
        }
    };
    let _ = response.failure();
    let issuer = response.issuer();
    match response.verify(&CERTIFICATES) {
        Ok(assertion) => {
            assert_eq!(assertion, *ASSERTED, "nobody has signed that");
            assert_eq!(issuer, Ok(assertion.issuer));
        }
        Err(flaw) => assert!(!flaw.to_string().is_empty()),
    }
});
