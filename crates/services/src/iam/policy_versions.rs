//! Versions of managed policies.
//!
//! IAM API reference, "CreatePolicyVersion", "SetDefaultPolicyVersion" (read 2026-11).

use value::Value;

use super::entity::seconds;
use super::managed_policies::{self, ManagedPolicy, PolicyVersion, check};
use super::policy_text::encoded;
use super::{error, paging};
use crate::{Answer, Error, Input, Operation, Reading, Run, Writing};

/// How many versions a policy can have.
const VERSIONS_MAX: usize = 5;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "CreatePolicyVersion",
        checks: |on, input| Ok(vec![check(on, "CreatePolicyVersion", input)?]),
        run: Run::Write(create),
    },
    Operation {
        name: "GetPolicyVersion",
        checks: |on, input| Ok(vec![check(on, "GetPolicyVersion", input)?]),
        run: Run::Read(get),
    },
    Operation {
        name: "ListPolicyVersions",
        checks: |on, input| Ok(vec![check(on, "ListPolicyVersions", input)?]),
        run: Run::Read(list),
    },
    Operation {
        name: "SetDefaultPolicyVersion",
        checks: |on, input| Ok(vec![check(on, "SetDefaultPolicyVersion", input)?]),
        run: Run::Write(set_default),
    },
    Operation {
        name: "DeletePolicyVersion",
        checks: |on, input| Ok(vec![check(on, "DeletePolicyVersion", input)?]),
        run: Run::Write(delete),
    },
];

/// Returns a version without its text.
pub(super) fn shown(policy: &ManagedPolicy, version: &PolicyVersion) -> Value {
    Value::object()
        .with("VersionId", &*version.id)
        .with("IsDefaultVersion", version.id == policy.default_version)
        .with("CreateDate", seconds(version.created_millis))
}

/// Returns the version that an input names.
fn named<'p>(policy: &'p ManagedPolicy, input: &Value) -> Result<&'p PolicyVersion, Error> {
    let id = input.text("VersionId")?;
    policy.versions.iter().find(|version| version.id == id).ok_or_else(|| {
        error::no_such_entity(format!(
            "Policy {} version {id} does not exist or is not attachable.",
            policy.arn
        ))
    })
}

fn create(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut policy = managed_policies::get_customer(&*w.store, w.call, input)?;
    let document = input.text("PolicyDocument")?;
    managed_policies::check_document(document)?;
    if policy.versions.len() >= VERSIONS_MAX {
        return Err(Error::new(
            "LimitExceeded",
            "A managed policy can have up to 5 versions. Before you create a new version, you \
             must delete an existing version.",
        ));
    }
    let version = PolicyVersion {
        id: format!("v{}", policy.next_version),
        document: document.to_owned(),
        created_millis: w.call.now_millis,
    };
    policy.next_version += 1;
    policy.updated_millis = w.call.now_millis;
    if input.flag("SetAsDefault") {
        policy.default_version.clone_from(&version.id);
    }
    let shown = shown(&policy, &version);
    policy.versions.push(version);
    managed_policies::save(w, &policy)?;
    Ok(Value::object().with("PolicyVersion", shown))
}

fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let policy = managed_policies::get_named(on.store, input)?;
    let version = named(&policy, input)?;
    let shown = shown(&policy, version).with("Document", encoded(&version.document));
    Ok(Value::object().with("PolicyVersion", shown))
}

/// Newest first, as AWS lists them.
fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let policy = managed_policies::get_named(on.store, input)?;
    let newest_first = policy.versions.iter().rev().enumerate();
    let rows = newest_first.map(|(at, version)| (format!("{at:04}"), shown(&policy, version)));
    paging::page(input, "Versions", rows)
}

fn set_default(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut policy = managed_policies::get_customer(&*w.store, w.call, input)?;
    let id = named(&policy, input)?.id.clone();
    policy.default_version = id;
    policy.updated_millis = w.call.now_millis;
    managed_policies::save(w, &policy)?;
    Ok(Value::object())
}

fn delete(w: &mut Writing<'_>, input: &Value) -> Answer {
    let mut policy = managed_policies::get_customer(&*w.store, w.call, input)?;
    let id = named(&policy, input)?.id.clone();
    if id == policy.default_version {
        return Err(Error::new("DeleteConflict", "Cannot delete the default version of a policy."));
    }
    policy.versions.retain(|version| version.id != id);
    managed_policies::save(w, &policy)?;
    Ok(Value::object())
}
