//! What a verified assertion says.
//!
//! OASIS, "Assertions and Protocols for SAML V2.0", §2.3 to §2.7.

use jiff::Timestamp;
use roxmltree::Node;

use crate::Flaw;
use crate::document::{children, only_child, text};

const NAMESPACE: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
pub(crate) const ASSERTION: (&str, &str) = (NAMESPACE, "Assertion");
pub(crate) const ENCRYPTED_ASSERTION: (&str, &str) = (NAMESPACE, "EncryptedAssertion");
pub(crate) const ISSUER: (&str, &str) = (NAMESPACE, "Issuer");
const SUBJECT: (&str, &str) = (NAMESPACE, "Subject");
const NAME_ID: (&str, &str) = (NAMESPACE, "NameID");
const CONFIRMATION: (&str, &str) = (NAMESPACE, "SubjectConfirmation");
const CONFIRMATION_DATA: (&str, &str) = (NAMESPACE, "SubjectConfirmationData");
const CONDITIONS: (&str, &str) = (NAMESPACE, "Conditions");
const AUDIENCE_RESTRICTION: (&str, &str) = (NAMESPACE, "AudienceRestriction");
const AUDIENCE: (&str, &str) = (NAMESPACE, "Audience");
const AUTHN_STATEMENT: (&str, &str) = (NAMESPACE, "AuthnStatement");
const ATTRIBUTE_STATEMENT: (&str, &str) = (NAMESPACE, "AttributeStatement");
const ATTRIBUTE: (&str, &str) = (NAMESPACE, "Attribute");
const ATTRIBUTE_VALUE: (&str, &str) = (NAMESPACE, "AttributeValue");
/// The version of SAML that is read.
pub(crate) const VERSION: &str = "2.0";

/// What a provider says of somebody; times in milliseconds since the epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assertion {
    /// Who says it.
    pub issuer: String,
    /// When it was said.
    pub issued_millis: i64,
    /// Of whom.
    pub name_id: Option<NameId>,
    /// How somebody proves to be the one.
    pub confirmations: Vec<Confirmation>,
    /// Under which conditions it counts.
    pub conditions: Conditions,
    /// When sessions that it opens have to end.
    pub session_ends_millis: Option<i64>,
    /// What else is known, in the order of the document.
    pub attributes: Vec<Attribute>,
}

/// The name of somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameId {
    /// The name.
    pub value: String,
    /// What kind of name it is: a URI.
    pub format: Option<String>,
}

/// A `SubjectConfirmation`, with its data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confirmation {
    /// How: a URI.
    pub method: String,
    /// To whom it may be shown.
    pub recipient: Option<String>,
    /// From when on.
    pub not_before_millis: Option<i64>,
    /// Until when.
    pub not_on_or_after_millis: Option<i64>,
}

/// The `Conditions`; without any, nothing restricts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// From when on it counts.
    pub not_before_millis: Option<i64>,
    /// Until when.
    pub not_on_or_after_millis: Option<i64>,
    /// For whom: one of each restriction's audiences must be meant.
    pub audience_restrictions: Vec<Vec<String>>,
}

/// An `Attribute`. Values that are more than text are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attribute {
    /// Its `Name`.
    pub name: String,
    /// Its values.
    pub values: Vec<String>,
}

impl Assertion {
    /// Returns the values of every attribute of this name, in order.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.attributes.iter().filter(move |attribute| attribute.name == name);
        named.flat_map(|attribute| attribute.values.iter().map(String::as_str))
    }

    /// Reads the element of an assertion, which a signature covers.
    pub(crate) fn read(node: Node<'_, '_>) -> Result<Assertion, Flaw> {
        if node.attribute("Version") != Some(VERSION) {
            return Err(malformed("the assertion is not of SAML 2.0"));
        }
        let issuer = only_child(node, ISSUER).and_then(text);
        let statements = children(node, ATTRIBUTE_STATEMENT);
        let attributes = statements.flat_map(|statement| children(statement, ATTRIBUTE));
        let mut session_ends_millis: Option<i64> = None;
        for statement in children(node, AUTHN_STATEMENT) {
            let ends = time(statement, "SessionNotOnOrAfter")?;
            session_ends_millis = session_ends_millis.into_iter().chain(ends).min();
        }
        let subject = optional(node, SUBJECT)?;
        Ok(Assertion {
            issuer: issuer.ok_or_else(|| malformed("the assertion has no issuer"))?,
            issued_millis: time(node, "IssueInstant")?
                .ok_or_else(|| malformed("the assertion has no IssueInstant"))?,
            name_id: subject.map(name_id).transpose()?.flatten(),
            confirmations: match subject {
                Some(subject) => {
                    children(subject, CONFIRMATION).map(confirmation).collect::<Result<_, _>>()?
                }
                None => Vec::new(),
            },
            conditions: match optional(node, CONDITIONS)? {
                Some(node) => conditions(node)?,
                None => Conditions::default(),
            },
            session_ends_millis,
            attributes: attributes.map(attribute).collect::<Result<_, _>>()?,
        })
    }
}

fn malformed(what: impl Into<String>) -> Flaw {
    Flaw::Malformed(what.into())
}

/// Returns the element of this name; none when there is none.
fn optional<'d, 'i: 'd>(
    node: Node<'d, 'i>,
    name: (&'static str, &'static str),
) -> Result<Option<Node<'d, 'i>>, Flaw> {
    let mut found = children(node, name);
    let first = found.next();
    match found.next() {
        None => Ok(first),
        Some(_) => Err(malformed(format!("it has more than one {}", name.1))),
    }
}

/// Returns the time that an attribute tells; in UTC where it names no zone, as SAML has it.
fn time(node: Node<'_, '_>, name: &str) -> Result<Option<i64>, Flaw> {
    let Some(text) = node.attribute(name) else { return Ok(None) };
    let read = |text: &str| text.parse::<Timestamp>().ok();
    let time = read(text).or_else(|| read(&format!("{text}Z")));
    let time = time.ok_or_else(|| malformed(format!("{name} is no time")))?;
    Ok(Some(time.as_millisecond()))
}

fn name_id(subject: Node<'_, '_>) -> Result<Option<NameId>, Flaw> {
    let Some(node) = optional(subject, NAME_ID)? else { return Ok(None) };
    let value = text(node).filter(|value| !value.is_empty());
    let value = value.ok_or_else(|| malformed("the NameID is no text"))?;
    Ok(Some(NameId { value, format: node.attribute("Format").map(str::to_owned) }))
}

fn confirmation(node: Node<'_, '_>) -> Result<Confirmation, Flaw> {
    let method = node.attribute("Method").unwrap_or_default().to_owned();
    let Some(data) = optional(node, CONFIRMATION_DATA)? else {
        return Ok(Confirmation { method, ..Confirmation::default() });
    };
    Ok(Confirmation {
        method,
        recipient: data.attribute("Recipient").map(str::to_owned),
        not_before_millis: time(data, "NotBefore")?,
        not_on_or_after_millis: time(data, "NotOnOrAfter")?,
    })
}

fn conditions(node: Node<'_, '_>) -> Result<Conditions, Flaw> {
    let restriction = |node| children(node, AUDIENCE).filter_map(text).collect();
    Ok(Conditions {
        not_before_millis: time(node, "NotBefore")?,
        not_on_or_after_millis: time(node, "NotOnOrAfter")?,
        audience_restrictions: children(node, AUDIENCE_RESTRICTION).map(restriction).collect(),
    })
}

fn attribute(node: Node<'_, '_>) -> Result<Attribute, Flaw> {
    let name = node.attribute("Name").ok_or_else(|| malformed("an attribute has no Name"))?;
    let values = children(node, ATTRIBUTE_VALUE).filter_map(text).collect();
    Ok(Attribute { name: name.to_owned(), values })
}
