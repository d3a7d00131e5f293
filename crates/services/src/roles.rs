//! Roles that services assume: state machines, runbooks, rules, stacks.

use policy::Principal;

use crate::{Error, Reading, sts};

/// Checks that a role exists and that its trust policy lets a service in on behalf of `source_arn`:
/// what is about to be made, or to begin, for trust policies ask for it (`aws:SourceArn`).
///
/// # Errors
/// What STS says when it does not.
pub(crate) fn check_assumable(
    on: &Reading<'_>,
    role_arn: &str,
    service: &str,
    source_arn: &str,
) -> Result<(), Error> {
    assume(on, role_arn, service, "check", source_arn).map(|_| ())
}

/// Returns the session of a service in a role. Nothing is stored: the trust policy is asked anew at
/// every call.
///
/// # Errors
/// What STS says when the role does not exist or does not trust the service.
pub(crate) fn assume(
    on: &Reading<'_>,
    role_arn: &str,
    service: &str,
    session_name: &str,
    source_arn: &str,
) -> Result<Principal, Error> {
    sts::assume_for_service(on, role_arn, service, session_name, source_arn)
}
