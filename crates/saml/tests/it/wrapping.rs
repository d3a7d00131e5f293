//! Signature wrapping: the signed assertion is kept where it is not read, so that its signature
//! holds, and another one is put where it is.
//!
//! Somorovsky and others, "On Breaking SAML: Be Whoever You Want to Be" (USENIX Security 2012).

use saml::Flaw;

use super::verify;

const ASSERTION: &str = include_str!("data/rsa_sha256.xml");
const RESPONSE: &str = include_str!("data/rsa_response.xml");

/// Returns the part of a text from where `start` stands to behind where `end` does.
fn part<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let from = text.find(start).unwrap();
    let to = text[from..].find(end).unwrap() + from + end.len();
    &text[from..to]
}

struct Parts {
    /// The signed assertion, and its signature.
    signed: String,
    signature: String,
    /// The same without its signature.
    bare: String,
    /// Another one, with an ID of its own.
    evil: String,
}

fn parts() -> Parts {
    let signed = part(ASSERTION, "<saml:Assertion", "</saml:Assertion>").to_owned();
    let signature = part(&signed, "<ds:Signature ", "</ds:Signature>").to_owned();
    let bare = signed.replace(&signature, "");
    let evil = bare.replace("alice@", "mallory@").replace("\"_a\"", "\"_evil\"");
    Parts { signed, signature, bare, evil }
}

/// Returns the response with something else in place of its assertion.
fn with(instead: &str) -> String {
    ASSERTION.replace(&parts().signed, instead)
}

/// Puts something before the end of an element.
fn into(element: &str, end: &str, more: &str) -> String {
    let at = element.rfind(end).unwrap();
    [&element[..at], more, &element[at..]].concat()
}

fn is_malformed(flaw: &Flaw) -> bool {
    matches!(flaw, Flaw::Malformed(_) | Flaw::MalformedSignature(_) | Flaw::Document(_))
}

#[test]
fn no_assertion_is_taken_for_the_signed_one() {
    let Parts { signed, signature, bare, evil } = parts();
    let object = |inside: &str| format!("<ds:Object>{inside}</ds:Object>");
    let with_signature = |assertion: &str, signature: &str| {
        assertion.replacen("</saml:Issuer>", &format!("</saml:Issuer>{signature}"), 1)
    };
    let end = "</saml:Assertion>";
    let extensions = format!("<samlp:Extensions>{signed}</samlp:Extensions>");
    let hiding = into(&signature, "</ds:Signature>", &object(&bare));
    let table = [
        ("beside, first", with(&format!("{evil}{signed}"))),
        ("beside, last", with(&format!("{signed}{evil}"))),
        ("around", with(&into(&evil, end, &signed))),
        ("around, with the signature", with(&into(&with_signature(&evil, &signature), end, &bare))),
        (
            "with the signature, the signed one last",
            with(&format!("{}{bare}", with_signature(&evil, &signature))),
        ),
        ("with the signed one in the signature", with(&with_signature(&evil, &hiding))),
        ("the signed one in extensions", with(&format!("{extensions}{evil}"))),
        (
            "the signed one in what is signed no more",
            with(&into(&evil, end, &format!("<saml:Advice>{signed}</saml:Advice>"))),
        ),
        ("the same ID twice", with(&format!("{}{signed}", evil.replace("_evil", "_a")))),
        (
            "hidden under another name",
            with(&with_signature(
                &evil.replace("_evil", "_a"),
                &into(
                    &signature,
                    "</ds:Signature>",
                    &object(&bare.replace("saml:Assertion", "saml:Old")),
                ),
            )),
        ),
        (
            "in a response of its own",
            with(&format!("{evil}<samlp:Response>{signed}</samlp:Response>")),
        ),
    ];
    for (how, text) in table {
        let flaw = verify(&text).unwrap_err();
        assert!(is_malformed(&flaw) || flaw == Flaw::Digest, "{how}: {flaw}");
    }
    assert_eq!(verify(&with(&bare)), Err(Flaw::Unsigned));
    let moved = verify(&with(&with_signature(&evil, &signature))).unwrap_err();
    assert!(is_malformed(&moved), "{moved}");
}

#[test]
fn no_response_is_taken_for_the_signed_one() {
    let response = part(RESPONSE, "<samlp:Response", "</samlp:Response>");
    let signature = part(response, "<ds:Signature ", "</ds:Signature>");
    let bare = response.replace(signature, "");
    let evil = response.replace("alice@", "mallory@").replace("\"_r\"", "\"_evil\"");
    let object = format!("<ds:Object>{bare}</ds:Object></ds:Signature>");
    let hiding = signature.replace("</ds:Signature>", &object);
    let table = [
        ("the signed one in the signature", evil.replace(signature, &hiding)),
        (
            "the signed one before the signature",
            evil.replace(signature, &format!("{bare}{signature}")),
        ),
        (
            "the signed one in extensions",
            evil.replace(signature, &format!("<samlp:Extensions>{response}</samlp:Extensions>")),
        ),
        (
            "the signature in extensions",
            evil.replace(signature, &format!("<samlp:Extensions>{signature}</samlp:Extensions>")),
        ),
        ("the assertion out of the response", response.replace("alice@", "mallory@")),
    ];
    for (how, text) in table {
        let flaw = verify(&text).unwrap_err();
        assert!(
            is_malformed(&flaw) || flaw == Flaw::Digest || flaw == Flaw::Unsigned,
            "{how}: {flaw}"
        );
    }
}

#[test]
fn a_reference_is_to_what_the_signature_stands_in() {
    let reference = part(ASSERTION, "<ds:Reference", "</ds:Reference>");
    let info = part(ASSERTION, "<ds:SignedInfo", "</ds:SignedInfo>");
    let table = [
        ASSERTION.replace("URI=\"#_a\"", "URI=\"\""),
        ASSERTION.replace(" URI=\"#_a\"", ""),
        ASSERTION.replace("URI=\"#_a\"", "URI=\"#_r\""),
        ASSERTION.replace("URI=\"#_a\"", "URI=\"#xpointer(id('_a'))\""),
        ASSERTION.replace("URI=\"#_a\"", "URI=\"https://example.com/#_a\""),
        ASSERTION.replace(reference, &format!("{reference}{reference}")),
        ASSERTION.replace(reference, ""),
        ASSERTION.replace(info, &format!("{info}{info}")),
        ASSERTION.replace("ID=\"_r\"", "ID=\"_r\" Id=\"_a\""),
        ASSERTION.replace("ID=\"_r\"", "ID=\"_r\" xml:id=\"_a\""),
    ];
    for text in table {
        let flaw = verify(&text).unwrap_err();
        assert!(matches!(flaw, Flaw::MalformedSignature(_)), "{flaw}: {text}");
    }
}

#[test]
fn of_two_signatures_both_must_hold() {
    let both = include_str!("data/rsa_both.xml");
    assert!(verify(both).is_ok());
    let values: Vec<&str> = both
        .split("<ds:SignatureValue>")
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap())
        .collect();
    for value in values {
        let letter = if value.starts_with('A') { "B" } else { "A" };
        let broken = both.replace(value, &format!("{letter}{}", &value[1..]));
        assert!(matches!(verify(&broken), Err(Flaw::Signature | Flaw::Digest)));
    }
}
