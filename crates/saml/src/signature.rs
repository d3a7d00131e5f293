//! XML signatures as SAML has them: each covers the element that it stands in.
//!
//! W3C, "XML Signature Syntax and Processing Version 1.1" (2013); OASIS, "Assertions and Protocols
//! for SAML V2.0", §5.4; RFC 9231 for the names of algorithms.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::digest;
use roxmltree::Node;

use crate::Flaw;
use crate::canonical::{Comments, Method, canonical};
use crate::document::{children, only_child, text};
use crate::key::Algorithm;

const NAMESPACE: &str = "http://www.w3.org/2000/09/xmldsig#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const EXCLUSIVE_WITH_COMMENTS: &str = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments";
/// The element that lists prefixes.
const PREFIXES: (&str, &str) = (EXCLUSIVE, "InclusiveNamespaces");
/// How many prefixes it may list.
const PREFIXES_MAX: usize = 16;
/// How many keys of a provider are tried.
const KEYS_MAX: usize = 20;

/// The name of a signature.
pub(crate) const SIGNATURE: (&str, &str) = (NAMESPACE, "Signature");
const SIGNED_INFO: (&str, &str) = (NAMESPACE, "SignedInfo");
const CANONICALIZATION_METHOD: (&str, &str) = (NAMESPACE, "CanonicalizationMethod");
const SIGNATURE_METHOD: (&str, &str) = (NAMESPACE, "SignatureMethod");
const SIGNATURE_VALUE: (&str, &str) = (NAMESPACE, "SignatureValue");
const REFERENCE: (&str, &str) = (NAMESPACE, "Reference");
const TRANSFORMS: (&str, &str) = (NAMESPACE, "Transforms");
const TRANSFORM: (&str, &str) = (NAMESPACE, "Transform");
const DIGEST_METHOD: (&str, &str) = (NAMESPACE, "DigestMethod");
const DIGEST_VALUE: (&str, &str) = (NAMESPACE, "DigestValue");

/// Checks that a signature, which stands directly in `signed`, covers all of `signed`, and that one
/// of the keys has made it. What the signature says of its key is not looked at.
///
/// # Errors
/// The flaw, when it does not.
pub(crate) fn verify(
    signature: Node<'_, '_>,
    signed: Node<'_, '_>,
    certificates: &[Vec<u8>],
) -> Result<(), Flaw> {
    let info = only(signature, SIGNED_INFO)?;
    check_reference(only(info, REFERENCE)?, signature, signed)?;
    let method = exclusive(only(info, CANONICALIZATION_METHOD)?)?;
    let name = algorithm(only(info, SIGNATURE_METHOD)?)?;
    let algorithm = Algorithm::named(name).ok_or_else(|| Flaw::algorithm(name))?;
    let value = base64(only(signature, SIGNATURE_VALUE)?)?;
    let info = canonical(info, None, &method);
    let mut keys = certificates.iter().take(KEYS_MAX);
    if keys.any(|certificate| algorithm.is_made_by(certificate, info.as_bytes(), &value)) {
        Ok(())
    } else {
        Err(Flaw::Signature)
    }
}

fn malformed(what: impl AsRef<str>) -> Flaw {
    Flaw::malformed_signature(what.as_ref())
}

fn only<'d, 'i: 'd>(
    node: Node<'d, 'i>,
    name: (&'static str, &'static str),
) -> Result<Node<'d, 'i>, Flaw> {
    only_child(node, name).ok_or_else(|| malformed(format!("it needs one {}", name.1)))
}

fn algorithm<'d>(node: Node<'d, '_>) -> Result<&'d str, Flaw> {
    let name = node.tag_name().name();
    node.attribute("Algorithm").ok_or_else(|| malformed(format!("{name} has no Algorithm")))
}

fn base64(node: Node<'_, '_>) -> Result<Vec<u8>, Flaw> {
    let packed: Option<String> = text(node).map(|text| text.split_ascii_whitespace().collect());
    let bytes = packed.and_then(|packed| BASE64_STANDARD.decode(packed).ok());
    bytes.ok_or_else(|| malformed(format!("{} is no base64", node.tag_name().name())))
}

/// Checks that the reference is to the element that holds the signature, and to no other, and that
/// this is what was signed.
fn check_reference(
    reference: Node<'_, '_>,
    signature: Node<'_, '_>,
    signed: Node<'_, '_>,
) -> Result<(), Flaw> {
    let id = signed.attribute("ID").ok_or_else(|| malformed("what it stands in has no ID"))?;
    if reference.attribute("URI").and_then(|uri| uri.strip_prefix('#')) != Some(id) {
        return Err(malformed("it refers to something else than what it stands in"));
    }
    if 1 < signed.document().descendants().filter(|node| has_id(node, id)).count() {
        return Err(malformed("the ID that it refers to is not unique"));
    }
    let method = transforms(reference)?;
    let name = algorithm(only(reference, DIGEST_METHOD)?)?;
    let digest = digest_named(name).ok_or_else(|| Flaw::algorithm(name))?;
    let covered = canonical(signed, Some(signature.id()), &method);
    let found = digest::digest(digest, covered.as_bytes());
    if base64(only(reference, DIGEST_VALUE)?)? == found.as_ref() {
        Ok(())
    } else {
        Err(Flaw::Digest)
    }
}

/// Whether an element has an id, by any of the names that somebody might take for one.
fn has_id(node: &Node<'_, '_>, id: &str) -> bool {
    let is_id = |name: &str| name.eq_ignore_ascii_case("id");
    node.attributes().any(|attribute| is_id(attribute.name()) && attribute.value() == id)
}

/// Returns how what is referred to is written, when the transforms are those of SAML.
fn transforms(reference: Node<'_, '_>) -> Result<Method, Flaw> {
    let transforms: Vec<Node<'_, '_>> = children(only(reference, TRANSFORMS)?, TRANSFORM).collect();
    let names: Vec<&str> =
        transforms.iter().map(|transform| algorithm(*transform)).collect::<Result<_, _>>()?;
    match (names.as_slice(), transforms.last()) {
        ([ENVELOPED, _], Some(last)) => {
            // A reference by a bare name leaves comments out (XML Signature, §4.4.3.3).
            Ok(Method { comments: Comments::Dropped, ..exclusive(*last)? })
        }
        ([ENVELOPED], _) => Err(Flaw::algorithm("inclusive canonicalization")),
        _ => Err(malformed(format!("its transforms are {}", names.join(", ")))),
    }
}

/// Returns how a method or transform says that something is written.
fn exclusive(node: Node<'_, '_>) -> Result<Method, Flaw> {
    let comments = match algorithm(node)? {
        EXCLUSIVE => Comments::Dropped,
        EXCLUSIVE_WITH_COMMENTS => Comments::Kept,
        other => return Err(Flaw::algorithm(other)),
    };
    let listed = only_child(node, PREFIXES).and_then(|list| list.attribute("PrefixList"));
    let listed = listed.unwrap_or_default().split_ascii_whitespace();
    let inclusive_prefixes: Vec<String> =
        listed.take(PREFIXES_MAX + 1).map(str::to_owned).collect();
    if PREFIXES_MAX < inclusive_prefixes.len() {
        return Err(malformed(format!("it lists more than {PREFIXES_MAX} prefixes")));
    }
    Ok(Method { comments, inclusive_prefixes })
}

fn digest_named(name: &str) -> Option<&'static digest::Algorithm> {
    Some(match name {
        // As with signatures: old, and taken by AWS.
        "http://www.w3.org/2000/09/xmldsig#sha1" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        "http://www.w3.org/2001/04/xmlenc#sha256" => &digest::SHA256,
        "http://www.w3.org/2001/04/xmldsig-more#sha384" => &digest::SHA384,
        "http://www.w3.org/2001/04/xmlenc#sha512" => &digest::SHA512,
        _ => return None,
    })
}
