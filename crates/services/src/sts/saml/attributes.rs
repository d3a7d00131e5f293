//! Which attributes of an assertion become which condition keys.
//!
//! IAM user guide, "Configure SAML assertions for the authentication response", "Mapping SAML
//! attributes to AWS trust policy context keys" (read 2026-11).

use std::collections::BTreeMap;

use saml::Assertion;

/// How many values a key has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Values {
    One,
    Many,
}
use Values::{Many, One};

/// The `Name` of an attribute, its key, and what that holds.
// UNVERIFIED: AWS's page writes three of the X.500 names differently from how they are registered
// (2.4.5.42 for 2.5.4.42, 19200300100 for 19200300.100): both are taken. It maps primarygroupsid to
// `uid`, and lists a key `saml:primaryGroupSID`: the latter is set.
const KEYS: [(&str, &str, Values); 33] = [
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.1", "edupersonaffiliation", Many),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.2", "edupersonnickname", Many),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.3", "edupersonorgdn", One),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.4", "edupersonorgunitdn", Many),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.5", "edupersonprimaryaffiliation", One),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.6", "edupersonprincipalname", One),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.7", "edupersonentitlement", Many),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.8", "edupersonprimaryorgunitdn", One),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.9", "edupersonscopedaffiliation", Many),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.10", "edupersontargetedid", Many),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.11", "edupersonassurance", Many),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.2", "eduorghomepageuri", Many),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.3", "eduorgidentityauthnpolicyuri", Many),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.4", "eduorglegalname", Many),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.5", "eduorgsuperioruri", Many),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.6", "eduorgwhitepagesuri", Many),
    ("urn:oid:2.5.4.3", "cn", Many),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", "name", One),
    ("http://schemas.xmlsoap.org/claims/CommonName", "commonName", One),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname", "givenName", One),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname", "surname", One),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", "mail", One),
    (
        "http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid",
        "primaryGroupSID",
        One,
    ),
    ("2.5.4.3", "commonName", One),
    ("2.5.4.4", "surname", One),
    ("2.4.5.42", "givenName", One),
    ("2.5.4.42", "givenName", One),
    ("2.5.4.45", "x500UniqueIdentifier", One),
    ("0.9.2342.19200300100.1.1", "uid", One),
    ("0.9.2342.19200300.100.1.1", "uid", One),
    ("0.9.2342.19200300100.1.3", "mail", One),
    ("0.9.2342.19200300.100.1.3", "mail", One),
    ("0.9.2342.19200300.100.1.45", "organizationStatus", One),
];

/// Sets the condition keys of an assertion's attributes.
pub(super) fn describe(assertion: &Assertion, keys: &mut BTreeMap<String, Vec<String>>) {
    for (name, key, count) in KEYS {
        let most = match count {
            One => 1,
            Many => usize::MAX,
        };
        let values: Vec<String> = assertion.values(name).take(most).map(str::to_owned).collect();
        // Where several attributes tell the same, one is taken.
        if !values.is_empty() {
            keys.entry(format!("saml:{key}")).or_insert(values);
        }
    }
}
