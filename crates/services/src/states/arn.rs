//! ARNs of Step Functions, as far as requests name them.

use crate::Error;
use crate::states::error;

/// What an ARN of Step Functions names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    StateMachine,
    Execution,
}

impl Named {
    const fn word(self) -> &'static str {
        match self {
            Named::StateMachine => "stateMachine",
            Named::Execution => "execution",
        }
    }
}

/// Returns the resource part (`stateMachine:name`, without the word) of an ARN of the wanted kind.
pub(super) fn resource(arn: &str, wanted: Named) -> Result<&str, Error> {
    let mut parts = arn.splitn(6, ':');
    if parts.next() != Some("arn") {
        return Err(error::invalid_arn_prefix(arn));
    }
    let (_partition, service) = (parts.next(), parts.next());
    let (_region, _account) = (parts.next(), parts.next());
    let resource = parts.next().ok_or_else(|| error::invalid_arn(arn))?;
    let (word, name) = resource.split_once(':').ok_or_else(|| error::invalid_arn(arn))?;
    if service != Some("states") || name.is_empty() {
        return Err(error::invalid_arn(arn));
    }
    if word == wanted.word() { Ok(name) } else { Err(error::invalid_arn(word)) }
}
