//! GetSessionToken: temporary credentials for a user, with MFA if wanted.
//!
//! STS API reference, "GetSessionToken" (read 2026-11).

use policy::{PrincipalKind, Session};
use value::Value;

use super::sessions;
use crate::{Answer, Error, Input, Operation, Run, Writing, iam};

/// How long credentials of a user last, in seconds; root's never longer than an hour.
pub(super) const DURATION_SECONDS_DEFAULT: i64 = 43_200;
pub(super) const DURATION_SECONDS_MIN: i64 = 900;
pub(super) const DURATION_SECONDS_MAX: i64 = 129_600;
pub(super) const ROOT_DURATION_SECONDS_MAX: i64 = 3600;

pub(super) const OPERATIONS: &[Operation] = &[
    // Needs no permission.
    Operation {
        name: "GetSessionToken",
        checks: |_, _| Ok(Vec::new()),
        run: Run::Write(get_session_token),
    },
];

fn get_session_token(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut principal = (*w.call.principal).clone();
    let id = match &principal.kind {
        PrincipalKind::User { id, .. } => Some(id.clone()),
        PrincipalKind::Root => None,
        PrincipalKind::AssumedRole { .. }
        | PrincipalKind::FederatedUser { .. }
        | PrincipalKind::Service { .. }
        | PrincipalKind::Anonymous => return Err(with_session_credentials()),
    };
    if principal.session.is_some() {
        return Err(with_session_credentials());
    }
    let asked = input.integer("DurationSeconds").unwrap_or(DURATION_SECONDS_DEFAULT);
    check_duration(asked, DURATION_SECONDS_MIN, DURATION_SECONDS_MAX)?;
    let mfa_at_millis = accept_mfa(w, input)?;
    principal.session =
        Some(Session { issued_at_millis: w.call.now_millis, mfa_at_millis, ..Session::default() });
    let seconds = if id.is_none() { asked.min(ROOT_DURATION_SECONDS_MAX) } else { asked };
    let credentials = sessions::open(w, &principal, None, seconds)?;
    Ok(Value::object().with("Credentials", credentials.shown()))
}

fn with_session_credentials() -> Error {
    Error::new("AccessDenied", "Cannot call GetSessionToken with session credentials")
}

/// Returns when the caller proved to have its MFA device, if it did so with this call.
///
/// # Errors
/// When the code is wrong, half of what is needed is missing, or the caller can have no device.
pub(super) fn accept_mfa(w: &mut Writing<'_>, input: &Value) -> Result<Option<i64>, Error> {
    match (input.maybe_text("SerialNumber"), input.maybe_text("TokenCode")) {
        (None, None) => Ok(None),
        (Some(serial_number), Some(code)) => {
            let PrincipalKind::User { id, .. } = &w.call.principal.kind else {
                return Err(iam::no_such_device());
            };
            iam::accept_token_code(w, id, serial_number, code)?;
            Ok(Some(w.call.now_millis))
        }
        (Some(_), None) | (None, Some(_)) => Err(Error::new(
            "AccessDenied",
            "MultiFactorAuthentication failed, must provide both MFA serial number and one time \
             pass code. ",
        )),
    }
}

/// Refuses a duration outside its bounds.
pub(super) fn check_duration(seconds: i64, least: i64, most: i64) -> Result<(), Error> {
    let refused = |bound: String| {
        Err(Error::validation(format!(
            "1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy \
             constraint: Member must have value {bound}"
        )))
    };
    if seconds < least {
        return refused(format!("greater than or equal to {least}"));
    }
    if seconds > most {
        return refused(format!("less than or equal to {most}"));
    }
    Ok(())
}
