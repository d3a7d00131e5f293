//! AssumeRoleWithSAML: a session for whom a registered SAML identity provider vouches.
//!
//! STS API reference, "AssumeRoleWithSAML"; IAM user guide, "Configure SAML assertions for the
//! authentication response", "Troubleshoot SAML federation with IAM" (read 2026-11). Nobody signs
//! such a call: the assertion is all that it has.

mod attributes;
mod claims;

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use runtime::wall_millis;
use saml::{Flaw, Response};
use value::Value;

use super::assume_role::{duration_seconds, role_arn_in};
use super::federated;
use crate::iam::{self, SamlProvider};
use crate::{Answer, Call, Error, Input, Operation, Pending, Run, Services, Writing};
use claims::Claims;

const OPERATION: &str = "AssumeRoleWithSAML";
/// What a provider is set to whose assertions must be encrypted.
const ENCRYPTION_REQUIRED: &str = "Required";
/// How much is repeated of the status of a response.
const STATUS_CHARACTERS_MAX: usize = 200;

pub(super) const OPERATIONS: &[Operation] = &[Operation {
    name: OPERATION,
    // The trust policy of the role alone decides, on what the assertion says.
    checks: |_, _| Ok(Vec::new()),
    run: Run::Workflow(assume_role_with_saml),
}];

fn assume_role_with_saml(services: Arc<Services>, call: Call, input: Value) -> Pending {
    Box::pin(async move {
        let role_arn = role_arn_in(&input)?;
        duration_seconds(&input)?;
        let provider = provider(&services, &call, input.text("PrincipalArn")?)?;
        // Assertions are made by others, whose clocks know no virtual time.
        let now_millis = wall_millis();
        let assertion = verified(&call, &provider, input.text("SAMLAssertion")?, now_millis)?;
        let claims = claims::check(&call, &provider, &assertion, role_arn, now_millis)?;
        let written = services.store().write(move |store| {
            let mut on = Writing { store, call: &call, notices: Vec::new() };
            open(&mut on, &input, claims)
        });
        written.await?
    })
}

fn invalid(text: impl Into<String>) -> Error {
    Error::new("InvalidIdentityToken", text)
}

/// Returns what STS passes on from the service behind it that knows the providers.
fn passed_on(call: &Call, text: &str, code: &str) -> Error {
    invalid(format!(
        "{text} (Service: AWSOpenIdDiscoveryService; Status Code: 400; Error Code: {code}; Request \
         ID: {}; Proxy: null)",
        call.request_id
    ))
}

fn bad_response(call: &Call, text: &str) -> Error {
    passed_on(call, text, "AuthSamlInvalidSamlResponseException")
}

fn provider(services: &Services, call: &Call, arn: &str) -> Result<SamlProvider, Error> {
    if arn.parse::<policy::Arn>().is_err() {
        return Err(Error::validation(format!("{arn} is invalid")));
    }
    let absent =
        || passed_on(call, "Specified provider doesn't exist", "AuthSamlManifestNotFoundException");
    let found = services.store().read(|store| iam::find_saml_provider(store, call, arn));
    match found {
        Ok(found) => found.ok_or_else(absent),
        // The ARN of something else.
        Err(err) if err.code == "InvalidInput" => Err(absent()),
        Err(err) => Err(err),
    }
}

/// Returns what a response asserts, once it is certain that the provider asserts it.
fn verified(
    call: &Call,
    provider: &SamlProvider,
    text: &str,
    now_millis: i64,
) -> Result<saml::Assertion, Error> {
    let packed: String = text.split_ascii_whitespace().collect();
    let bytes = BASE64_STANDARD.decode(packed).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.ok_or_else(|| bad_response(call, "Invalid base64 SAMLResponse"))?;
    let refused = |flaw: Flaw| told(provider, &flaw);
    let response = Response::parse(&text).map_err(refused)?;
    if let Some(status) = response.failure().map_err(refused)? {
        let status: String = status.chars().take(STATUS_CHARACTERS_MAX).collect();
        // UNVERIFIED: AWS's text for responses that tell of a failure.
        return Err(Error::new(
            "IDPRejectedClaim",
            format!("The identity provider reported that authentication failed: {status}"),
        ));
    }
    let metadata = provider.metadata()?;
    if response.issuer().map_err(refused)? != metadata.entity_id {
        return Err(bad_response(call, "Issuer not present in specified provider"));
    }
    if provider.valid_until_millis <= now_millis {
        // UNVERIFIED: AWS's text for metadata that is valid no more.
        return Err(invalid("The metadata document of the identity provider has expired"));
    }
    if provider.assertion_encryption_mode.as_deref() == Some(ENCRYPTION_REQUIRED) {
        // UNVERIFIED: AWS's text.
        return Err(invalid("The identity provider requires encrypted assertions"));
    }
    let assertion = response.verify(&metadata.signing_certificates).map_err(refused)?;
    // Told again, by what is signed.
    if assertion.issuer == metadata.entity_id {
        Ok(assertion)
    } else {
        Err(bad_response(call, "Issuer not present in specified provider"))
    }
}

/// Returns what the caller hears of a flaw; the log says more.
fn told(provider: &SamlProvider, flaw: &Flaw) -> Error {
    tracing::info!(provider = provider.name, "a SAML response is refused: {flaw}");
    match flaw {
        // UNVERIFIED: AWS's texts, but for that of signatures.
        Flaw::Document(_) | Flaw::Malformed(_) => invalid(format!("Invalid SAMLResponse: {flaw}")),
        // DIFFERS: AWS decrypts assertions with the private keys of the provider.
        Flaw::Encrypted => invalid("Encrypted assertions are not accepted here."),
        Flaw::Algorithm(name) => {
            invalid(format!("Response signature invalid: {name} is not accepted."))
        }
        Flaw::Unsigned | Flaw::MalformedSignature(_) | Flaw::Digest | Flaw::Signature => {
            invalid("Response signature invalid")
        }
    }
}

/// Opens the session, if the role lets in whom the provider vouches for.
fn open(w: &mut Writing<'_>, input: &Value, claims: Claims) -> Answer {
    Ok(federated::open(w, input, OPERATION, claims.vouched)?
        .with("Subject", claims.subject)
        .with("SubjectType", claims.subject_type)
        .with("Issuer", claims.issuer)
        .with("Audience", claims.recipient)
        .with("NameQualifier", claims.name_qualifier))
}
