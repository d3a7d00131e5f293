//! ARNs of identity providers, which the operations on them take instead of names.

use policy::Arn;

use super::{error, managed_policies};
use crate::{Call, Error};

/// Returns the name behind an ARN `arn:aws:iam::ACCOUNT:KIND/NAME` of the caller's account, where
/// `kind` is `oidc-provider` or `saml-provider`; `None` when it is another account's.
///
/// # Errors
/// When the text is no ARN, or names something else.
pub(super) fn name_of(call: &Call, kind: &str, arn: &str) -> Result<Option<String>, Error> {
    managed_policies::check_arn(arn)?;
    let parsed = arn.parse::<Arn>().ok().filter(|parsed| parsed.service() == "iam");
    let name = parsed.as_ref().and_then(|parsed| {
        parsed.resource().strip_prefix(kind)?.strip_prefix('/').filter(|name| !name.is_empty())
    });
    // UNVERIFIED: AWS's text for the ARN of something else.
    let name = name.ok_or_else(|| error::invalid_input(format!("Invalid ARN: {arn}")))?;
    let is_own = parsed.as_ref().is_some_and(|parsed| parsed.account() == call.account());
    Ok(is_own.then(|| name.to_owned()))
}
