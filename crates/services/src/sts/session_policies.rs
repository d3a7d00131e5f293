//! Session policies: texts and ARNs that narrow what a session may do.

use policy::{Kind, SessionPolicy};
use store::Read;
use value::Value;

use crate::{Error, Input, iam};

/// How long the texts of the inline policy and of the ARNs may be together, in characters.
const POLICY_CHARACTERS_MAX: usize = 2048;
/// How many managed policies a session may be given.
const POLICY_ARNS_MAX: usize = 10;
/// What AccessDenied and reasons call the inline one.
const INLINE_LABEL: &str = "session policy";

/// Returns the session policies of an input; `None` when it has none.
///
/// # Errors
/// When a text is no policy, an ARN names none, or there are too many.
pub(super) fn in_input(
    store: &dyn Read,
    input: &Value,
) -> Result<Option<Vec<SessionPolicy>>, Error> {
    let mut policies = Vec::new();
    let arns = input.list("PolicyArns");
    if arns.len() > POLICY_ARNS_MAX {
        return Err(Error::validation(format!(
            "1 validation error detected: Value at 'policyArns' failed to satisfy constraint: \
             Member must have length less than or equal to {POLICY_ARNS_MAX}"
        )));
    }
    let arns: Vec<&str> = arns.iter().map(|arn| arn.text("arn")).collect::<Result<_, _>>()?;
    let inline = input.maybe_text("Policy");
    let texts = arns.iter().copied().chain(inline);
    if POLICY_CHARACTERS_MAX < texts.map(|text| text.chars().count()).sum() {
        // UNVERIFIED: AWS's text for plain texts that are too long together.
        return Err(Error::new(
            "PackedPolicyTooLarge",
            format!("The session policies are longer than {POLICY_CHARACTERS_MAX} characters"),
        ));
    }
    if let Some(text) = inline {
        iam::validate_policy(text, Kind::Session)?;
        policies.push(SessionPolicy { label: INLINE_LABEL.into(), document: text.to_owned() });
    }
    for arn in arns {
        let document = iam::policy_document(store, arn)?.ok_or_else(|| {
            // UNVERIFIED: AWS's text for session policies that do not exist.
            Error::validation(format!("Policy {arn} does not exist or is not attachable."))
        })?;
        policies.push(SessionPolicy { label: arn.to_owned(), document });
    }
    Ok((!policies.is_empty()).then_some(policies))
}
