//! What a SAML 2.0 metadata document says of an identity provider.
//!
//! OASIS, "Metadata for the OASIS Security Assertion Markup Language (SAML) V2.0", §2.3 to §2.4.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use wire::xml::{self, Element};
use x509_parser::prelude::{FromDer, X509Certificate};

/// The namespace of metadata.
const NAMESPACE: &str = "urn:oasis:names:tc:SAML:2.0:metadata";

/// Who the provider is, and with which keys it signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SamlMetadata {
    /// What its assertions name as their `Issuer`.
    pub entity_id: String,
    /// X.509 certificates in DER, in the order of the document; at least one.
    pub signing_certificates: Vec<Vec<u8>>,
    /// When the document ceases to be valid, in milliseconds since the epoch.
    pub valid_until_millis: Option<i64>,
}

impl SamlMetadata {
    /// Reads a document; `None` when it does not describe an identity provider.
    ///
    /// Certificates are read, not judged: their dates and signatures mean nothing in metadata.
    pub fn read(document: &str) -> Option<SamlMetadata> {
        let root = xml::parse(document).ok()?;
        let is_metadata = root.declared_namespaces().any(|uri| uri == NAMESPACE);
        if root.name != "EntityDescriptor" || !is_metadata {
            return None;
        }
        let entity_id = root.attribute("entityID").filter(|id| !id.is_empty())?.to_owned();
        let valid_until_millis = match root.attribute("validUntil") {
            Some(text) => Some(text.parse::<Timestamp>().ok()?.as_millisecond()),
            None => None,
        };
        let signing_certificates = signing_certificates(root.child("IDPSSODescriptor")?)?;
        Some(SamlMetadata { entity_id, signing_certificates, valid_until_millis })
    }
}

/// Returns the certificates of the keys that are for signing, or for everything.
fn signing_certificates(descriptor: &Element) -> Option<Vec<Vec<u8>>> {
    let keys = descriptor.children.iter().filter(|child| child.name == "KeyDescriptor");
    let signing = keys.filter(|key| key.attribute("use").is_none_or(|usage| usage == "signing"));
    let mut certificates = Vec::new();
    for key in signing {
        let data = key.child("KeyInfo")?.children.iter().filter(|child| child.name == "X509Data");
        let given = data.flat_map(|data| &data.children).filter(|c| c.name == "X509Certificate");
        for certificate in given {
            certificates.push(der(&certificate.text)?);
        }
    }
    Some(certificates).filter(|certificates| !certificates.is_empty())
}

fn der(text: &str) -> Option<Vec<u8>> {
    let packed: String = text.split_ascii_whitespace().collect();
    let bytes = BASE64_STANDARD.decode(packed).ok()?;
    let (rest, _) = X509Certificate::from_der(&bytes).ok()?;
    rest.is_empty().then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = include_str!("../../tests/it/data/one.pem");

    fn certificate() -> String {
        PEM.lines().filter(|line| !line.starts_with("---")).collect()
    }

    fn document(attributes: &str, key: &str) -> String {
        format!(
            r#"<?xml version="1.0"?><md:EntityDescriptor
            xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" {attributes}><md:IDPSSODescriptor>{key}
            </md:IDPSSODescriptor></md:EntityDescriptor>"#
        )
    }

    fn key(usage: &str, certificate: &str) -> String {
        format!(
            "<md:KeyDescriptor {usage}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}\
             </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        )
    }

    #[test]
    fn tells_the_issuer_its_signing_keys_and_how_long_they_hold() {
        let keys = [
            key("use=\"encryption\"", "not read"),
            key("use=\"signing\"", &certificate()),
            key("", &certificate()),
        ];
        let attributes = "entityID=\"https://idp\" validUntil=\"2030-01-01T00:00:00Z\"";
        let metadata = SamlMetadata::read(&document(attributes, &keys.concat())).unwrap();
        assert_eq!(metadata.entity_id, "https://idp");
        assert_eq!(metadata.signing_certificates.len(), 2);
        assert_eq!(metadata.valid_until_millis, Some(1_893_456_000_000));
    }

    #[test]
    fn a_document_without_name_key_or_date_is_none() {
        let good = key("", &certificate());
        assert!(SamlMetadata::read(&document("entityID=\"x\"", &good)).is_some());
        let bad = [
            document("", &good),
            document("entityID=\"\"", &good),
            document("entityID=\"x\" validUntil=\"soon\"", &good),
            document("entityID=\"x\"", ""),
            document("entityID=\"x\"", &key("", "AAAA")),
            document("entityID=\"x\"", &key("use=\"encryption\"", &certificate())),
            document("entityID=\"x\"", &good).replace(NAMESPACE, "urn:something:else"),
            document("entityID=\"x\"", &good).replace("EntityDescriptor", "EntityThing"),
            format!("<!DOCTYPE x>{}", document("entityID=\"x\"", &good)),
        ];
        for document in bad {
            assert_eq!(SamlMetadata::read(&document), None, "{document}");
        }
    }
}
