//! How large policies may be.
//!
//! AWS pages: "IAM and AWS STS quotas" (IAM User Guide), "Quotas and service limits for AWS
//! Organizations" (read 2026-11-25). White space does not count for IAM.

use super::{Finding, Place, Policy};
use crate::Kind;

/// Checks the size of the whole document.
pub(super) fn check(policy: &Policy<'_>, findings: &mut Vec<Finding>) {
    let (max, what) = match policy.kind {
        Kind::Managed | Kind::Boundary => (6_144, "a managed policy"),
        Kind::Identity => (10_240, "all inline policies of a role together"),
        Kind::Trust => (4_096, "a trust policy, with its quota raised"),
        Kind::Session => (2_048, "a session policy"),
        Kind::ServiceControl => (10_240, "a service control policy"),
        Kind::ResourceControl => (5_120, "a resource control policy"),
        // Each service has a limit of its own.
        Kind::Resource => return,
    };
    let text = policy.json.to_string();
    let size = text.chars().filter(|letter| !letter.is_whitespace()).count();
    if max < size {
        let message = format!("{size} characters; {what} may have {max}");
        findings.push(Finding::error("TOO_LARGE", &Place::default(), message));
    }
}
