//! What an assertion says, checked: for whom it was made, since when and until when it is good, and
//! which session it wants.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use policy::IdentityProvider;
use saml::{Assertion, Confirmation, NameId};
use sha1::{Digest, Sha1};

use super::super::federated::{self, Vouched};
use super::{OPERATION, attributes, invalid};
use crate::iam::SamlProvider;
use crate::{Call, Error};

/// How long after it was made a response may be used, in milliseconds.
const REDEEMED_MILLIS_MAX: i64 = 300_000;
/// How far ahead the clock of a provider may be, in milliseconds.
const AHEAD_MILLIS_MAX: i64 = 300_000;
/// How long sessions last that an attribute bounds, in seconds.
const SESSION_SECONDS: std::ops::RangeInclusive<i64> = 900..=43_200;
/// The bounds of names, in characters, and what they have beside letters and digits.
const NAME_CHARACTERS: std::ops::RangeInclusive<usize> = 2..=64;
const NAME_PUNCTUATION: &str = "_+=,.@-";
/// What nobody but AWS may begin a source identity with.
const RESERVED_PREFIX: &str = "aws:";
/// How assertions are proved that whoever has may use.
const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
/// What the format of a name begins with where the rest of it says enough.
const FORMAT_PREFIX: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:";
/// The format of a name that tells none (OASIS, "Assertions and Protocols for SAML V2.0", §2.2.2).
const UNSPECIFIED: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";
/// What AWS calls itself to providers.
const AUDIENCE: &str = "urn:amazon:webservices";
const SIGN_IN_HOST: &str = "signin.aws.amazon.com";
/// What the names of attributes begin with that AWS reads.
const ATTRIBUTES: &str = "https://aws.amazon.com/SAML/Attributes/";
/// The keys that go on counting in a session ("Available keys for SAML-based AWS STS federation",
/// permission policies).
const LASTING_KEYS: [&str; 3] = ["saml:namequalifier", "saml:sub", "saml:sub_type"];

/// What an assertion says, as far as a session cares.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Claims {
    pub(super) vouched: Vouched,
    pub(super) subject: String,
    pub(super) subject_type: String,
    pub(super) issuer: String,
    /// What AWS's answer calls the audience.
    pub(super) recipient: String,
    pub(super) name_qualifier: String,
}

/// Checks what a verified assertion says against its provider, the role and the time.
///
/// # Errors
/// `InvalidIdentityToken`, `ExpiredTokenException` or `AccessDenied` in AWS's words.
pub(super) fn check(
    call: &Call,
    provider: &SamlProvider,
    assertion: &Assertion,
    role_arn: &str,
    now_millis: i64,
) -> Result<Claims, Error> {
    check_times(assertion, now_millis)?;
    check_audience(assertion, provider)?;
    let recipient = recipient(&assertion.confirmations, provider, now_millis)?;
    // As the documentation has it: who is nobody is not let in.
    let name = assertion.name_id.as_ref().ok_or_else(|| federated::refused(OPERATION))?;
    check_role(assertion, role_arn, &provider.arn(call))?;
    let (subject, subject_type) = (name.value.clone(), subject_type(name));
    let document = format!("{}/{}", call.account(), provider.name);
    let qualifier = Sha1::digest(format!("{}{document}", assertion.issuer));
    let name_qualifier = BASE64_STANDARD.encode(qualifier);
    let mut keys = BTreeMap::new();
    for (key, value) in [
        ("saml:aud", &recipient),
        ("saml:iss", &assertion.issuer),
        ("saml:sub", &subject),
        ("saml:sub_type", &subject_type),
        ("saml:namequalifier", &name_qualifier),
        ("saml:doc", &document),
    ] {
        keys.insert(key.to_owned(), vec![value.clone()]);
    }
    attributes::describe(assertion, &mut keys);
    let lasting = keys.iter().filter(|(key, _)| LASTING_KEYS.contains(&key.as_str()));
    let lasting = lasting.map(|(key, values)| (key.clone(), values.clone())).collect();
    let arn = provider.arn(call);
    let vouched = Vouched {
        lasting: IdentityProvider { arn: arn.clone(), keys: lasting },
        provider: IdentityProvider { arn, keys },
        session_name: session_name(assertion)?,
        tags: tags(assertion)?,
        transitive_tag_keys: values(assertion, "TransitiveTagKeys"),
        source_identity: source_identity(assertion)?,
        seconds_max: seconds_max(assertion, now_millis)?,
    };
    let issuer = assertion.issuer.clone();
    Ok(Claims { vouched, subject, subject_type, issuer, recipient, name_qualifier })
}

fn expired(text: impl Into<String>) -> Error {
    Error::new("ExpiredTokenException", text)
}

// UNVERIFIED: that the time of the assertion counts, not that of the response around it, and AWS's
// texts but for that of the five minutes. That one response may be used more than once within them
// is how the known clients work, which open sessions of several roles with it.
fn check_times(assertion: &Assertion, now_millis: i64) -> Result<(), Error> {
    if assertion.issued_millis + REDEEMED_MILLIS_MAX < now_millis {
        return Err(expired("Token must be redeemed within 5 minutes of issuance"));
    }
    let conditions = &assertion.conditions;
    let from = conditions.not_before_millis.unwrap_or(assertion.issued_millis);
    if now_millis + AHEAD_MILLIS_MAX < from.max(assertion.issued_millis) {
        return Err(invalid("The assertion is not yet valid"));
    }
    if conditions.not_on_or_after_millis.is_some_and(|until| until <= now_millis) {
        return Err(expired("The assertion has expired"));
    }
    Ok(())
}

/// Every restriction must mean AWS, and there must be one.
fn check_audience(assertion: &Assertion, provider: &SamlProvider) -> Result<(), Error> {
    let restrictions = &assertion.conditions.audience_restrictions;
    let means_aws = |audiences: &Vec<String>| {
        audiences.iter().any(|audience| audience == AUDIENCE || is_sign_in(audience, provider))
    };
    if !restrictions.is_empty() && restrictions.iter().all(means_aws) {
        Ok(())
    } else {
        Err(invalid("Response does not contain the required audience."))
    }
}

/// Returns whether an address is one at which AWS takes responses: of every region or of one, of
/// every provider or of this one.
// DIFFERS: addresses and names of attributes are those of the partition `aws` in every partition.
fn is_sign_in(address: &str, provider: &SamlProvider) -> bool {
    let Some((host, path)) = address.strip_prefix("https://").and_then(|rest| rest.split_once('/'))
    else {
        return false;
    };
    let is_region = |label: &str| {
        let is_of_regions = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-';
        !label.is_empty() && label.bytes().all(is_of_regions)
    };
    let is_host = match host.strip_suffix(SIGN_IN_HOST) {
        Some("") => true,
        Some(before) => before.strip_suffix('.').is_some_and(is_region),
        None => false,
    };
    let is_path = match path.strip_prefix("saml/acs/") {
        Some(id) => id == provider.id(),
        None => matches!(path, "saml" | "static/saml"),
    };
    is_host && is_path
}

/// Returns to whom the assertion may be shown, which must be AWS.
// UNVERIFIED: AWS's texts.
fn recipient(
    confirmations: &[Confirmation],
    provider: &SamlProvider,
    now_millis: i64,
) -> Result<String, Error> {
    let [confirmation] = confirmations else {
        return Err(invalid("Response must contain exactly one SubjectConfirmation"));
    };
    if confirmation.method != BEARER {
        return Err(invalid(format!("SubjectConfirmation must be of the method {BEARER}")));
    }
    let (Some(recipient), Some(until)) =
        (&confirmation.recipient, confirmation.not_on_or_after_millis)
    else {
        return Err(invalid("SubjectConfirmationData must have NotOnOrAfter and Recipient"));
    };
    if !is_sign_in(recipient, provider) {
        return Err(invalid("Response does not contain the required recipient"));
    }
    if until <= now_millis {
        return Err(expired("The assertion has expired"));
    }
    if confirmation.not_before_millis.is_some_and(|from| now_millis + AHEAD_MILLIS_MAX < from) {
        return Err(invalid("The assertion is not yet valid"));
    }
    Ok(recipient.clone())
}

fn subject_type(name: &NameId) -> String {
    let format = name.format.as_deref().unwrap_or(UNSPECIFIED);
    format.strip_prefix(FORMAT_PREFIX).unwrap_or(format).to_owned()
}

/// The provider must say which roles of its own somebody may have, in pairs of either order.
fn check_role(assertion: &Assertion, role_arn: &str, provider_arn: &str) -> Result<(), Error> {
    let is_asked = |pair: &String| {
        pair.split_once(',').is_some_and(|(one, other)| {
            let pair = (one.trim(), other.trim());
            pair == (role_arn, provider_arn) || pair == (provider_arn, role_arn)
        })
    };
    if values(assertion, "Role").iter().any(is_asked) {
        Ok(())
    } else {
        Err(invalid(
            "SAML Assertion doesn't contain the requested Role and Metadata in the attributes",
        ))
    }
}

/// Returns the values of an attribute that AWS reads.
fn values(assertion: &Assertion, name: &str) -> Vec<String> {
    assertion.values(&format!("{ATTRIBUTES}{name}")).map(str::to_owned).collect()
}

/// Returns the value of such an attribute; an error where there are more.
// UNVERIFIED: AWS's text for several.
fn value(assertion: &Assertion, name: &str) -> Result<Option<String>, Error> {
    let mut values = values(assertion, name);
    match values.len() {
        0 | 1 => Ok(values.pop()),
        _ => Err(invalid(format!("{name} in AuthnResponse must have one value"))),
    }
}

fn is_name(text: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || NAME_PUNCTUATION.contains(letter);
    NAME_CHARACTERS.contains(&text.len()) && text.chars().all(fits)
}

fn session_name(assertion: &Assertion) -> Result<String, Error> {
    let name = value(assertion, "RoleSessionName")?
        .ok_or_else(|| invalid("RoleSessionName is required in AuthnResponse"))?;
    if is_name(&name) {
        Ok(name)
    } else {
        Err(invalid("RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}"))
    }
}

fn source_identity(assertion: &Assertion) -> Result<Option<String>, Error> {
    let identity = value(assertion, "SourceIdentity")?;
    let is_reserved = |text: &str| text.to_lowercase().starts_with(RESERVED_PREFIX);
    match identity {
        Some(text) if !is_name(&text) || is_reserved(&text) => Err(invalid(
            "Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with \"aws:\"",
        )),
        identity => Ok(identity),
    }
}

fn tags(assertion: &Assertion) -> Result<Vec<(String, String)>, Error> {
    let prefix = format!("{ATTRIBUTES}PrincipalTag:");
    let mut tags = Vec::new();
    for attribute in &assertion.attributes {
        let Some(key) = attribute.name.strip_prefix(&prefix) else { continue };
        let [value] = attribute.values.as_slice() else {
            // UNVERIFIED: AWS's text.
            return Err(invalid(format!("PrincipalTag:{key} must have one value")));
        };
        tags.push((key.to_owned(), value.clone()));
    }
    Ok(tags)
}

/// Returns how long the session may last at most.
// UNVERIFIED: AWS's texts, and that a provider may end a session sooner than AWS would let anybody
// ask for.
fn seconds_max(assertion: &Assertion, now_millis: i64) -> Result<Option<i64>, Error> {
    let duration = match value(assertion, "SessionDuration")? {
        Some(text) => {
            let seconds = text.parse().ok().filter(|seconds| SESSION_SECONDS.contains(seconds));
            Some(seconds.ok_or_else(|| {
                invalid("SessionDuration in AuthnResponse must be from 900 to 43200 seconds")
            })?)
        }
        None => None,
    };
    let ends = assertion.session_ends_millis.map(|ends| (ends - now_millis).div_euclid(1000));
    if ends.is_some_and(|seconds| seconds <= 0) {
        return Err(expired("The session of the identity provider has expired"));
    }
    Ok(duration.into_iter().chain(ends).min())
}
