//! Documents that are no response, or more than is read.

use saml::{Flaw, Response};

use super::verify;

const SIGNED: &str = include_str!("data/rsa_sha256.xml");

fn document(text: &str) -> String {
    match Response::parse(text) {
        Err(Flaw::Document(what)) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn document_types_are_refused() {
    let internal = r#"<!DOCTYPE r [<!ENTITY a "b"><!ATTLIST r ID CDATA "_a">]>"#;
    let external = r#"<!DOCTYPE r SYSTEM "http://127.0.0.1/evil.dtd">"#;
    let (declaration, rest) = SIGNED.split_once("?>").unwrap();
    for document_type in [internal, external, "<!DOCTYPE r>", "<!DOCTYPE r []>"] {
        let text = format!("{declaration}?>{document_type}{rest}");
        assert_eq!(document(&text), "document types are not accepted", "{document_type}");
    }
    document(&SIGNED.replace("alice", "&alice;"));
}

#[test]
fn depth_nodes_and_bytes_are_bounded() {
    let nest = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert_eq!(document(&nest(65)), "it nests deeper than 64 elements");
    assert!(matches!(Response::parse(&nest(64)), Err(Flaw::Malformed(_))));
    assert!(matches!(Response::parse(&nest(100_000)), Err(Flaw::Document(_))));
    let wide = format!("<a>{}</a>", "<b/>".repeat(60_000));
    assert!(document(&wide).contains("limit"), "{}", document(&wide));
    assert_eq!(document(&" ".repeat(1024 * 1024 + 1)), "it is longer than 1048576 bytes");
}

#[test]
fn attributes_namespaces_and_prefixes_are_bounded() {
    let attributes = |count: usize| (0..count).map(|at| ["a", &at.to_string(), "='' "].concat());
    let with = |inside: String| format!("<a {inside}>=</a>");
    assert_eq!(document(&with(attributes(257).collect())), "a tag has more than 256 attributes");
    let few = with(attributes(255).collect());
    assert!(matches!(Response::parse(&few), Err(Flaw::Malformed(_))));
    let namespaces: String =
        (0..33).map(|at| ["xmlns:n", &at.to_string(), "='urn:n' "].concat()).collect();
    assert_eq!(document(&with(namespaces)), "it has more than 32 namespaces");
    let prefixes = include_str!("data/rsa_prefixes.xml");
    let many = prefixes.replace("xs outer", &format!("xs outer{}", " p".repeat(14)));
    assert!(matches!(verify(&many), Err(Flaw::MalformedSignature(_))));
}

#[test]
fn only_responses_are() {
    for text in ["", "x", "<a", "<a></b>", "<a><b></a>", "<a b='1' b='2'/>", "<a:b/>"] {
        document(text);
    }
    for text in [
        "<Response/>".to_owned(),
        SIGNED.replace("SAML:2.0:protocol", "SAML:1.0:protocol"),
        SIGNED.replace(r#"ID="_r" Version="2.0""#, r#"ID="_r" Version="1.1""#),
    ] {
        assert!(matches!(Response::parse(&text), Err(Flaw::Malformed(_))), "{text}");
    }
}

#[test]
fn a_failure_is_told() {
    let denied = "urn:oasis:names:tc:SAML:2.0:status:Responder";
    let text = SIGNED.replace("urn:oasis:names:tc:SAML:2.0:status:Success", denied);
    assert_eq!(Response::parse(&text).unwrap().failure(), Ok(Some(denied)));
    let text = SIGNED.replace("samlp:StatusCode", "samlp:StatusDetail");
    assert!(matches!(Response::parse(&text).unwrap().failure(), Err(Flaw::Malformed(_))));
}

#[test]
fn encrypted_assertions_are_told_apart() {
    let text = SIGNED.replace("saml:Assertion", "saml:EncryptedAssertion");
    assert_eq!(verify(&text), Err(Flaw::Encrypted));
    assert_eq!(Response::parse(&text).unwrap().issuer(), Err(Flaw::Encrypted));
}
