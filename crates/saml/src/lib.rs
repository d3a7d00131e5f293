//! SAML 2.0 responses: who an identity provider says that somebody is, once it is certain that the
//! provider says it.
//!
//! What it is: [`Response`] is a document that reads as a response, of which nothing is certain
//! yet. [`Response::verify`] checks its XML signatures with the provider's certificates and gives
//! an [`Assertion`], which is made of nothing but what a verified signature covers. [`Flaw`] says
//! why there is none.
//!
//! What it is not: a judge of what is asserted. Times, audiences and recipients are told, not
//! compared with anything; decrypting, metadata and everything that a provider would need are left
//! to others.
//!
//! Of XML signatures it takes what SAML allows (OASIS, "Assertions and Protocols for SAML V2.0",
//! §5.4): one reference, to the element that holds the signature; the enveloped-signature
//! transform, then exclusive canonicalisation. What else there may be in a signature is refused by
//! name.
//!
//! ```
//! use saml::{Flaw, Response};
//!
//! let text = r#"<Response xmlns="urn:oasis:names:tc:SAML:2.0:protocol" ID="r" Version="2.0">
//!     <Status><StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></Status>
//!     <Assertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion" ID="a" Version="2.0"
//!         IssueInstant="2026-11-25T12:00:00Z"><Issuer>https://idp.example.com</Issuer></Assertion>
//!     </Response>"#;
//! let response = Response::parse(text).unwrap();
//! assert_eq!(response.issuer(), Ok("https://idp.example.com".to_owned()));
//! assert_eq!(response.verify(&[]), Err(Flaw::Unsigned));
//! ```
//!
//! May depend on: no other crate of the house. It reads no clock, no file and no environment.

mod assertion;
mod canonical;
mod document;
mod flaw;
mod key;
mod response;
mod signature;

pub use assertion::{Assertion, Attribute, Conditions, Confirmation, NameId};
pub use flaw::Flaw;
pub use response::Response;
