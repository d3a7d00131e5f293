//! AssumeRoleWithWebIdentity: a session for whom a registered identity provider vouches.
//!
//! STS API reference, "AssumeRoleWithWebIdentity"; IAM user guide, "OIDC federation" (read
//! 2026-11). Nobody signs such a call: the token is all that it has.

mod claims;
mod fetched;
mod issuers;
mod keys;
mod token;

use std::sync::Arc;

use policy::IdentityProvider;
use runtime::wall_millis;
use value::Value;

use super::assume_role::{duration_seconds, role_arn_in, session_name_in};
use super::federated::{self, Vouched};
use super::texts;
use crate::iam::{self, OidcProvider};
use crate::{Answer, Call, Error, Input, Operation, Pending, Run, Services, Writing};
use claims::Claims;
pub use issuers::Issuers;
use token::Token;

const OPERATION: &str = "AssumeRoleWithWebIdentity";
/// The bounds of a source identity, in characters.
const SOURCE_IDENTITY_CHARACTERS: std::ops::RangeInclusive<usize> = 2..=64;

pub(super) const OPERATIONS: &[Operation] = &[Operation {
    name: OPERATION,
    // The trust policy of the role alone decides, on what the token says.
    checks: |_, _| Ok(Vec::new()),
    run: Run::Workflow(assume_role_with_web_identity),
}];

fn assume_role_with_web_identity(services: Arc<Services>, call: Call, input: Value) -> Pending {
    Box::pin(async move {
        if let Some(provider) = input.maybe_text("ProviderId") {
            // DIFFERS: AWS asks Facebook and Login with Amazon about access tokens of theirs.
            return Err(invalid(format!(
                "Access tokens of {provider} cannot be checked here; only OpenID Connect ID tokens \
                 are accepted."
            )));
        }
        role_arn_in(&input)?;
        session_name_in(&input)?;
        duration_seconds(&input)?;
        let (provider, claims) =
            claims_of(&services, &call, input.text("WebIdentityToken")?).await?;
        let written = services.store().write(move |store| {
            let mut on = Writing { store, call: &call, notices: Vec::new() };
            open(&mut on, &input, &provider, claims)
        });
        written.await?
    })
}

fn invalid(text: impl Into<String>) -> Error {
    Error::new("InvalidIdentityToken", text)
}

/// Returns who has issued a token and what it says, once it is certain that it is genuine.
async fn claims_of(
    services: &Services,
    call: &Call,
    text: &str,
) -> Result<(OidcProvider, Claims), Error> {
    let token = Token::parse(text).ok_or_else(|| {
        invalid(
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an \
             Access Token)",
        )
    })?;
    let issuer = token.issuer().ok_or_else(|| invalid("Missing a required claim: iss"))?;
    let found = services.store().read(|store| {
        iam::find_oidc_provider(store, call.account(), issuer.trim_end_matches('/'))
    })?;
    let provider = found.ok_or_else(|| {
        invalid(format!("No OpenIDConnect provider found in your account for {issuer}"))
    })?;
    services.issuers().verify(&token, &provider.url).await?;
    // Tokens are made by others, whose clocks know no virtual time.
    let claims = claims::check(&token, &provider, wall_millis().div_euclid(1000))?;
    Ok((provider, claims))
}

/// Opens the session, if the role lets in whom the provider vouches for.
fn open(w: &mut Writing<'_>, input: &Value, provider: &OidcProvider, claims: Claims) -> Answer {
    if let Some(identity) = &claims.source_identity {
        texts::check("sourceIdentity", identity, SOURCE_IDENTITY_CHARACTERS, texts::NAMES)?;
    }
    let identity_provider = IdentityProvider { arn: provider.arn(w.call), keys: claims.keys };
    let vouched = Vouched {
        lasting: identity_provider.clone(),
        provider: identity_provider,
        session_name: session_name_in(input)?.to_owned(),
        tags: claims.tags,
        transitive_tag_keys: claims.transitive_tag_keys,
        source_identity: claims.source_identity,
        seconds_max: None,
    };
    Ok(federated::open(w, input, OPERATION, vouched)?
        .with("SubjectFromWebIdentityToken", claims.subject)
        .with("Provider", claims.issuer)
        .with("Audience", claims.audience))
}
