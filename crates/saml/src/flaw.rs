//! Why a response is not accepted.

/// How much is repeated of what a document says, in characters.
const SHOWN_CHARACTERS_MAX: usize = 200;

/// Returns the beginning of what a document says: enough to recognise it.
fn beginning(text: &str) -> String {
    text.chars().take(SHOWN_CHARACTERS_MAX).collect()
}

/// Why a response is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// It is no XML, or more of it than is read.
    #[error("the document is not accepted: {0}")]
    Document(String),
    /// It is XML, and no response as SAML has them.
    #[error("the response is malformed: {0}")]
    Malformed(String),
    /// Its assertion is encrypted.
    #[error("the assertion is encrypted")]
    Encrypted,
    /// Nobody signs it.
    #[error("neither the response nor its assertion is signed")]
    Unsigned,
    /// It is signed in a way that is not accepted.
    #[error("{0} is not accepted in a signature")]
    Algorithm(String),
    /// The signature is not what SAML allows, or stands where it signs nothing.
    #[error("the signature is malformed: {0}")]
    MalformedSignature(String),
    /// What the signature covers is not what was signed.
    #[error("what is signed was altered")]
    Digest,
    /// None of the provider's keys has made the signature.
    #[error("the signature was made with none of the provider's keys")]
    Signature,
}

impl Flaw {
    /// Returns the refusal of an algorithm, by its name in the document.
    pub(crate) fn algorithm(name: &str) -> Flaw {
        Flaw::Algorithm(beginning(name))
    }

    /// Returns what is wrong with a signature.
    pub(crate) fn malformed_signature(what: &str) -> Flaw {
        Flaw::MalformedSignature(beginning(what))
    }
}
