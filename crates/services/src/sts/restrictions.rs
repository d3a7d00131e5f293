//! What temporary credentials cannot do, whatever policies say.
//!
//! IAM user guide, "Compare AWS STS credentials" (read 2026-11).

use policy::{Principal, PrincipalKind};

use crate::Error;

/// What the session of a user may ask of STS; the other calls have refusals of their own.
const OF_USER_SESSIONS: &[&str] = &["AssumeRole", "GetCallerIdentity", "GetSessionToken"];

/// Refuses what the kind of the caller's credentials excludes: IAM to federated users and to user
/// sessions without MFA, and most of STS to both.
///
/// # Errors
/// `InvalidClientTokenId` from IAM, as on AWS; `AccessDenied` from STS.
pub(crate) fn check(principal: &Principal, service: &str, operation: &str) -> Result<(), Error> {
    let Some(session) = &principal.session else { return Ok(()) };
    let (is_federated, has_mfa) = match &principal.kind {
        PrincipalKind::FederatedUser { .. } => (true, false),
        PrincipalKind::User { .. } | PrincipalKind::Root => {
            (false, session.mfa_at_millis.is_some())
        }
        PrincipalKind::AssumedRole { .. }
        | PrincipalKind::Service { .. }
        | PrincipalKind::Anonymous => return Ok(()),
    };
    let excluded = match service {
        "iam" => !has_mfa,
        "sts" if is_federated => operation != "GetCallerIdentity",
        "sts" => !OF_USER_SESSIONS.contains(&operation),
        _ => false,
    };
    if !excluded {
        return Ok(());
    }
    Err(match service {
        "iam" => Error::new(
            "InvalidClientTokenId",
            "The security token included in the request is invalid",
        ),
        _ => {
            Error::new("AccessDenied", format!("Cannot call {operation} with session credentials"))
        }
    })
}

#[cfg(test)]
mod tests {
    use policy::Session;

    use super::*;

    fn code(principal: &Principal, service: &str, operation: &str) -> Option<String> {
        check(principal, service, operation).err().map(|err| err.code.into_owned())
    }

    #[test]
    fn each_kind_of_credentials_has_its_own_bounds() {
        let mfa = Session { mfa_at_millis: Some(1), ..Session::default() };
        let user = Principal::user("123456789012", "/", "u", "AIDA1");
        let session = user.clone().with_session(Session::default());
        let with_mfa = user.clone().with_session(mfa);
        let federated = Principal::federated_user("123456789012", "f");
        let role = Principal::assumed_role("123456789012", "/", "r", "AROA1", "s");
        let table = [
            (
                "iam",
                "ListUsers",
                [None, Some("InvalidClientTokenId"), None, Some("InvalidClientTokenId"), None],
            ),
            ("sts", "GetCallerIdentity", [None, None, None, None, None]),
            ("sts", "AssumeRole", [None, None, None, Some("AccessDenied"), None]),
            (
                "sts",
                "GetFederationToken",
                [None, Some("AccessDenied"), Some("AccessDenied"), Some("AccessDenied"), None],
            ),
            ("stepfunctions", "StartExecution", [None, None, None, None, None]),
        ];
        for (service, operation, expected) in table {
            for (principal, expected) in
                [&user, &session, &with_mfa, &federated, &role].into_iter().zip(expected)
            {
                let found = code(principal, service, operation);
                assert_eq!(found.as_deref(), expected, "{service}:{operation} {principal:?}");
            }
        }
    }
}
