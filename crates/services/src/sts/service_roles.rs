//! Roles that services of this server assume: no session is stored, the trust policy is asked anew.

use std::sync::Arc;

use policy::{CallFacts, Kind, Policy, PolicySet, Principal, Request};

use crate::decisions::Judged;
use crate::{Check, Error, Reading, iam};

/// Returns the session of a service (`states.amazonaws.com`) in a role, if the role's trust policy
/// lets the service in on behalf of `source_arn`.
///
/// # Errors
/// `AccessDenied` as STS words it, also for a role that does not exist.
pub fn assume_for_service(
    on: &Reading<'_>,
    role_arn: &str,
    service: &str,
    session_name: &str,
    source_arn: &str,
) -> Result<Principal, Error> {
    let call = on.call;
    let refused = || {
        Error::new(
            "AccessDenied",
            format!(
                "User: {service} is not authorized to perform: sts:AssumeRole on resource: \
                 {role_arn}"
            ),
        )
    };
    let role = iam::find_role(on.store, call.account(), role_arn)?.ok_or_else(refused)?;
    let trust = iam::validate_policy(&role.trust_policy, Kind::Trust)?;
    let principal = Principal::service(service);
    let facts = CallFacts {
        now_millis: call.now_millis,
        region: call.region.clone(),
        source_arn: Some(source_arn.to_owned()),
        source_account: Some(call.account().to_owned()),
        resource_account: Some(call.account().to_owned()),
        ..CallFacts::default()
    };
    let context =
        policy::standard_context(&principal, &facts).with("sts:RoleSessionName", session_name);
    let request =
        Request::new(principal, "sts:AssumeRole", &role.arn, context).in_account(call.account());
    let policies = PolicySet {
        resource: Some(Policy::new(role.arn.as_str(), Arc::new(trust))),
        ..PolicySet::default()
    };
    let decision = policy::decide(&request, &policies);
    if !decision.is_allowed() {
        let check = Check::new("sts:AssumeRole", &role.arn);
        call.judgements.add(Judged::new(&check, Some(decision)).asked_by(request.principal));
        return Err(refused());
    }
    Ok(role.session(call.account(), session_name, call.now_millis))
}
