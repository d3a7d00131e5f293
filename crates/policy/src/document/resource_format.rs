//! The form of `Resource` entries, in the words AWS refuses them with.
//!
//! The words are those of getmoto/moto's tests (Apache-2.0), which name AWS as their source.

use crate::arn::ARN_PARTS;

const LEGACY: &str = "The policy failed legacy parsing";
const VENDOR: &str = "Resource vendor must be fully qualified and cannot contain regexes.";

const PARTITIONS: [&str; 7] =
    ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f"];

const IAM_PATHS: [&str; 13] = [
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
];

/// Paths that AWS's own managed policies have beside those that its text names.
const NEWER_IAM_PATHS: [&str; 1] = ["role-template/"];

/// Resources of S3 that live in a Region, unlike buckets.
const REGIONAL_S3_PATHS: [&str; 5] =
    ["accesspoint", "job/", "storage-lens", "access-grants/", "async-request/"];

/// Returns whether AWS's first parser gives up on the resource.
pub(super) fn fails_legacy_parsing(resource: &str) -> bool {
    let parts: Vec<&str> = resource.splitn(ARN_PARTS, ':').collect();
    let cut_short = (4..ARN_PARTS).contains(&parts.len())
        && !parts.last().is_some_and(|last| last.ends_with('*'));
    let without_service = parts.len() > 3 && parts.get(2).is_some_and(|service| service.is_empty());
    let partition = parts.get(1).copied().unwrap_or_default();
    parts.first() == Some(&"arn") && is_partition(partition) && (cut_short || without_service)
}

/// Returns AWS's text for a resource of the wrong form.
pub(super) fn fault(resource: &str) -> Option<String> {
    if resource == "*" {
        return None;
    }
    if !resource.contains(':') {
        return Some(format!("Resource {resource} must be in ARN format or \"*\"."));
    }
    if fails_legacy_parsing(resource) {
        return Some(LEGACY.to_owned());
    }
    let parts: Vec<&str> = resource.splitn(ARN_PARTS, ':').collect();
    let part = |at: usize| parts.get(at).copied().unwrap_or_default();
    if !is_partition(part(1)) {
        return Some(bad_partition(&parts));
    }
    if parts.len() < 3 || part(2).contains(['*', '?']) {
        return Some(VENDOR.to_owned());
    }
    service_fault(resource, part(2), part(3), part(5))
}

fn service_fault(resource: &str, service: &str, region: &str, path: &str) -> Option<String> {
    match service {
        "iam" if !region.is_empty() && region != "*" => {
            Some(format!("IAM resource {resource} cannot contain region information."))
        }
        "iam" if !iam_path_is_known(path) => Some(format!(
            "IAM resource path must either be \"*\" or start with {}.",
            IAM_PATHS.join(", ")
        )),
        "s3" if !region.is_empty()
            && !is_wild(region)
            && !REGIONAL_S3_PATHS.iter().any(|known| path.starts_with(known)) =>
        {
            Some(format!("Resource {resource} can not contain region information."))
        }
        _ => None,
    }
}

/// A cut-off ARN such as `arn:aws:iam::*` has no path; a wildcard or variable may stand for any.
fn iam_path_is_known(path: &str) -> bool {
    let open_ended = path.split('/').next().is_some_and(|first| is_wild(first) || first.is_empty());
    open_ended
        || path == "root"
        || IAM_PATHS.iter().chain(&NEWER_IAM_PATHS).any(|known| path.starts_with(known))
}

fn is_partition(part: &str) -> bool {
    is_wild(part) || PARTITIONS.contains(&part)
}

fn is_wild(part: &str) -> bool {
    part.contains(['*', '?', '$'])
}

/// AWS shows such a resource with `arn` in front and stars for what is missing.
fn bad_partition(parts: &[&str]) -> String {
    let partition = parts.get(1).copied().unwrap_or_default();
    let given = parts.iter().skip(1).copied();
    let missing = std::iter::repeat_n("*", ARN_PARTS.saturating_sub(parts.len()));
    let shown: Vec<&str> = std::iter::once("arn").chain(given).chain(missing).collect();
    let shown = shown.join(":");
    format!("Partition \"{partition}\" is not valid for resource \"{shown}\".")
}
