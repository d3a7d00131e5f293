//! What xmlsec1 and signxml have signed is verified, and nothing else is. `data/make.py` makes the
//! responses: canonical forms are others', so ours are compared with theirs.

use saml::{Assertion, Attribute, Conditions, Confirmation, Flaw, NameId, Response};

use super::{P256, P384, RSA, der, verify};

const SIGNED: [(&str, &str, &str); 12] = [
    ("rsa_sha1", RSA, include_str!("data/rsa_sha1.xml")),
    ("rsa_sha256", RSA, include_str!("data/rsa_sha256.xml")),
    ("rsa_sha384", RSA, include_str!("data/rsa_sha384.xml")),
    ("rsa_sha512", RSA, include_str!("data/rsa_sha512.xml")),
    ("p256_sha256", P256, include_str!("data/p256_sha256.xml")),
    ("p384_sha384", P384, include_str!("data/p384_sha384.xml")),
    ("rsa_nasty", RSA, include_str!("data/rsa_nasty.xml")),
    ("rsa_comments", RSA, include_str!("data/rsa_comments.xml")),
    ("rsa_prefixes", RSA, include_str!("data/rsa_prefixes.xml")),
    ("rsa_response", RSA, include_str!("data/rsa_response.xml")),
    ("rsa_both", RSA, include_str!("data/rsa_both.xml")),
    ("rsa_signxml", RSA, include_str!("data/rsa_signxml.xml")),
];

fn asserted() -> Assertion {
    let noon = 1_795_608_000_000;
    let text = str::to_owned;
    Assertion {
        issuer: text("https://idp.example.com/metadata"),
        issued_millis: noon,
        name_id: Some(NameId {
            value: text("alice@example.com"),
            format: Some(text("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent")),
        }),
        confirmations: vec![Confirmation {
            method: text("urn:oasis:names:tc:SAML:2.0:cm:bearer"),
            recipient: Some(text("https://signin.aws.amazon.com/saml")),
            not_before_millis: None,
            not_on_or_after_millis: Some(noon + 300_500),
        }],
        conditions: Conditions {
            not_before_millis: Some(noon - 300_000),
            not_on_or_after_millis: Some(noon + 300_000),
            audience_restrictions: vec![vec![text("urn:amazon:webservices")]],
        },
        session_ends_millis: Some(noon + 8 * 3_600_000),
        attributes: vec![Attribute { name: text("team"), values: vec![text("red"), text("blue")] }],
    }
}

#[test]
fn what_others_have_signed_is_verified_with_the_right_key_only() {
    for (name, key, text) in SIGNED {
        let response = Response::parse(text).unwrap();
        assert_eq!(response.failure(), Ok(None));
        for (other, certificates) in
            [(RSA, vec![der(RSA)]), (P256, vec![der(P256)]), (P384, vec![der(P384)])]
        {
            let expected = if key == other { Ok(asserted()) } else { Err(Flaw::Signature) };
            assert_eq!(response.verify(&certificates), expected, "{name}");
        }
        // A provider that changes its key has two for a while.
        let both = [b"no certificate".to_vec(), der(P384), der(P256), der(RSA)];
        assert_eq!(response.verify(&both), Ok(asserted()), "{name}");
        assert_eq!(response.verify(&[]), Err(Flaw::Signature), "{name}");
    }
}

#[test]
fn an_altered_character_never_changes_what_is_asserted() {
    for name in ["rsa_sha256", "rsa_nasty", "rsa_response"] {
        let (_, _, text) = SIGNED.into_iter().find(|(known, ..)| *known == name).unwrap();
        let (mut refused, mut same) = (0, 0);
        for (at, letter) in text.char_indices().step_by(3) {
            let other = if letter == 'x' { "y" } else { "x" };
            let end = at + letter.len_utf8();
            let altered = [&text[..at], other, &text[end..]].concat();
            match verify(&altered) {
                Err(_) => refused += 1,
                // White space in base64, or what no signature covers.
                Ok(assertion) => {
                    same += 1;
                    assert_eq!(assertion, asserted(), "{name} at {at}: {altered}");
                }
            }
        }
        assert!(same < refused / 2, "{name}: {refused} refused, {same} without effect");
    }
}

#[test]
fn whatever_is_removed_or_doubled_never_changes_what_is_asserted() {
    let (_, _, text) = SIGNED[1];
    let starts: Vec<usize> = text.match_indices('<').map(|(at, _)| at).collect();
    let mut verified = 0;
    for (index, &from) in starts.iter().enumerate() {
        for &to in starts.iter().skip(index + 1) {
            let removed = [&text[..from], &text[to..]].concat();
            let doubled = [&text[..to], &text[from..]].concat();
            for altered in [removed, doubled] {
                if let Ok(assertion) = verify(&altered) {
                    assert_eq!(assertion, asserted(), "{altered}");
                    verified += 1;
                }
            }
        }
    }
    // The response around the signed assertion may lose its own issuer, its status …
    assert!(0 < verified);
}

#[test]
fn a_comment_neither_breaks_a_signature_nor_ends_a_name() {
    for (name, key, text) in SIGNED {
        let at = "alice@exa<!-- -->mple.com<!---->";
        let commented = text.replace("alice@example.com", at);
        let found = Response::parse(&commented).unwrap().verify(&[der(key)]);
        assert_eq!(found.unwrap().name_id, asserted().name_id, "{name}");
        let instructed = text.replace("alice@example.com", "alice@exa<?x?>mple.com");
        let found = Response::parse(&instructed).unwrap().verify(&[der(key)]);
        assert_eq!(found, Err(Flaw::Digest), "{name}");
    }
}

#[test]
fn other_ways_to_sign_are_refused_by_name() {
    let text = SIGNED[1].2;
    let rsa = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    let table = [
        (rsa, "http://www.w3.org/2000/09/xmldsig#hmac-sha1"),
        (rsa, "http://www.w3.org/2000/09/xmldsig#dsa-sha1"),
        (rsa, "http://www.w3.org/2001/04/xmldsig-more#rsa-md5"),
        (rsa, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"),
        ("http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmldsig-more#md5"),
        ("http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/2006/12/xml-c14n11"),
    ];
    for (given, other) in table {
        let found = verify(&text.replace(given, other));
        assert_eq!(found, Err(Flaw::Algorithm(other.into())));
    }
    assert_eq!(
        verify(include_str!("data/rsa_inclusive.xml")),
        Err(Flaw::Algorithm("http://www.w3.org/TR/2001/REC-xml-c14n-20010315".into()))
    );
    let transform = r#"<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>"#;
    assert_eq!(
        verify(&text.replace(transform, "")),
        Err(Flaw::Algorithm("inclusive canonicalization".into()))
    );
    let enveloped = "xmldsig#enveloped-signature";
    for other in ["xmldsig#base64", "xmldsig#enveloped-signature2"] {
        let found = verify(&text.replace(enveloped, other)).unwrap_err();
        assert!(matches!(found, Flaw::MalformedSignature(_)), "{found}");
    }
}
