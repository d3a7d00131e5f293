//! The managed policies of AWS itself that are known here: `data/managed-policies.json`.

use std::sync::OnceLock;

use value::Value;

use super::managed_policies::{ManagedPolicy, PolicyVersion};
use crate::Input;

// UNVERIFIED: texts, ids and version numbers are written from memory; ReadOnlyAccess covers only
// the services served here, and the id of AWSDenyAll is made up.
const TABLE: &str = include_str!("../../../../data/managed-policies.json");
/// When policies of AWS were made, for lack of true dates: 2015-02-06, the day of the oldest.
const CREATED_MILLIS: i64 = 1_423_180_800_000;

/// Returns AWS's policy of this ARN.
pub(super) fn find(arn: &str) -> Option<ManagedPolicy> {
    if !arn.contains(":iam::aws:policy/") {
        return None;
    }
    all().find(|policy| policy.arn == arn)
}

/// Returns every policy of AWS that is known here.
pub(super) fn all() -> impl Iterator<Item = ManagedPolicy> {
    static POLICIES: OnceLock<Vec<ManagedPolicy>> = OnceLock::new();
    let read = || {
        // A table that is no JSON stays empty; a test counts its policies.
        let table = value::parse(TABLE).unwrap_or_default();
        table.as_array().unwrap_or_default().iter().filter_map(policy).collect()
    };
    POLICIES.get_or_init(read).iter().cloned()
}

fn policy(entry: &Value) -> Option<ManagedPolicy> {
    let (path, name) = (entry.maybe_text("Path")?, entry.maybe_text("PolicyName")?);
    let version = entry.maybe_text("VersionId")?;
    Some(ManagedPolicy {
        arn: format!("arn:aws:iam::aws:policy{path}{name}"),
        name: name.to_owned(),
        id: entry.maybe_text("PolicyId")?.to_owned(),
        path: path.to_owned(),
        description: entry.maybe_text("Description").map(str::to_owned),
        created_millis: CREATED_MILLIS,
        updated_millis: CREATED_MILLIS,
        default_version: version.to_owned(),
        next_version: 0,
        versions: vec![PolicyVersion {
            id: version.to_owned(),
            document: entry.get("Document")?.to_pretty(),
            created_millis: CREATED_MILLIS,
        }],
        tags: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_is_one() {
        let policies: Vec<_> = all().collect();
        assert_eq!(policies.len(), 9);
        for policy in policies {
            let document = policy.document().expect("a default version");
            policy::Document::parse(document, policy::Kind::Managed).expect(&policy.name);
        }
    }
}
