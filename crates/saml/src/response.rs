//! A response, as it came: nothing that it says is certain before it is verified.

use roxmltree::{Document, Node};

use crate::document::{self, children, is_named, only_child, text};
use crate::signature::{self, SIGNATURE};
use crate::{Assertion, Flaw, assertion};

const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const RESPONSE: (&str, &str) = (PROTOCOL, "Response");
const STATUS: (&str, &str) = (PROTOCOL, "Status");
const STATUS_CODE: (&str, &str) = (PROTOCOL, "StatusCode");
/// What the status is of somebody who was authenticated.
const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

/// A document that reads as a response.
#[derive(Debug)]
pub struct Response<'t> {
    document: Document<'t>,
}

impl<'t> Response<'t> {
    /// Reads a response.
    ///
    /// # Errors
    /// [`Flaw::Document`] or [`Flaw::Malformed`] when it is none.
    pub fn parse(text: &'t str) -> Result<Response<'t>, Flaw> {
        let document = document::parse(text)?;
        let root = document.root_element();
        if !is_named(&root, RESPONSE) || root.attribute("Version") != Some(assertion::VERSION) {
            return Err(Flaw::Malformed("it is no Response of SAML 2.0".into()));
        }
        Ok(Response { document })
    }

    /// Returns the status when it is another than success: the provider has refused somebody.
    ///
    /// It is not signed where the assertion alone is, so it can only be a reason to refuse.
    ///
    /// # Errors
    /// [`Flaw::Malformed`] when there is no status.
    pub fn failure(&self) -> Result<Option<&str>, Flaw> {
        let status = only_child(self.document.root_element(), STATUS);
        let code = status.and_then(|status| only_child(status, STATUS_CODE));
        let code = code.and_then(|code| code.attribute("Value"));
        let code = code.ok_or_else(|| Flaw::Malformed("it has no status".into()))?;
        Ok((code != SUCCESS).then_some(code))
    }

    /// Returns who is said to have issued the assertion: whose keys it is to be verified with.
    ///
    /// # Errors
    /// When there is no such assertion.
    pub fn issuer(&self) -> Result<String, Flaw> {
        let issuer = only_child(self.assertion()?, assertion::ISSUER).and_then(text);
        issuer.ok_or_else(|| Flaw::Malformed("the assertion has no issuer".into()))
    }

    /// Returns the only assertion.
    ///
    /// INVARIANT: there is one in the whole document. Who wraps a signature has to hide the signed
    /// assertion somewhere.
    fn assertion(&self) -> Result<Node<'_, 't>, Flaw> {
        let root = self.document.root_element();
        let count = |name| self.document.descendants().filter(|node| is_named(node, name)).count();
        if 0 < count(assertion::ENCRYPTED_ASSERTION) {
            return Err(Flaw::Encrypted);
        }
        match only_child(root, assertion::ASSERTION) {
            Some(found) if count(assertion::ASSERTION) == 1 && count(RESPONSE) == 1 => Ok(found),
            _ => Err(Flaw::Malformed("it must have exactly one assertion".into())),
        }
    }

    /// Verifies the response with the provider's certificates, in DER, and returns what it asserts.
    ///
    /// Response and assertion may be signed, one or both; every signature must hold. One of the
    /// response covers the assertion too.
    ///
    /// # Errors
    /// The flaw, when the assertion is not certain to be the provider's.
    pub fn verify(&self, certificates: &[Vec<u8>]) -> Result<Assertion, Flaw> {
        let (root, found) = (self.document.root_element(), self.assertion()?);
        let all = self.document.descendants().filter(|node| is_named(node, SIGNATURE)).count();
        let mut verified = 0;
        for signed in [root, found] {
            for signature in children(signed, SIGNATURE) {
                signature::verify(signature, signed, certificates)?;
                verified += 1;
            }
        }
        if verified == 0 {
            return Err(Flaw::Unsigned);
        }
        if verified != all {
            let what = "it stands in neither the response nor the assertion";
            return Err(Flaw::malformed_signature(what));
        }
        Assertion::read(found)
    }
}
