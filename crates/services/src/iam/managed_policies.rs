//! Managed policies: CreatePolicy and its kin. Versions have a file of their own.
//!
//! IAM API reference, "CreatePolicy", "ListPolicies", "ListEntitiesForPolicy" (read 2026-11).

use policy::Arn;
use serde::{Deserialize, Serialize};
use store::{Load, Read, Save, Scan, Table};
use value::Value;

use super::attachments::Use;
use super::entity::{self, Kind, seconds};
use super::policy_text::{billed_characters, validate_policy};
use super::tags::{self, Tag};
use super::{attachments, aws_managed, error, names, paging};
use crate::{Answer, Call, Check, Error, Input, Operation, Reading, Run, Writing, ids};

/// The longest name, in characters.
const NAME_CHARACTERS_MAX: usize = 128;
/// The largest document, in characters that are not white space.
const DOCUMENT_CHARACTERS_MAX: usize = 6144;
/// Where AWS's policies for service-linked roles lie.
const SERVICE_ROLE_PATH: &str = "/aws-service-role/";
/// How many customer managed policies an account can have.
const POLICIES_MAX: usize = 1500;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreatePolicy", checks: may_create, run: Run::Write(create) },
    Operation {
        name: "GetPolicy",
        checks: |on, input| Ok(vec![check(on, "GetPolicy", input)?]),
        run: Run::Read(get),
    },
    Operation {
        name: "ListPolicies",
        checks: |on, _| {
            let display = on.call.global_arn("iam", "policy/");
            Ok(vec![Check::any("iam:ListPolicies").shown_as(display)])
        },
        run: Run::Read(list),
    },
    Operation {
        name: "DeletePolicy",
        checks: |on, input| Ok(vec![check(on, "DeletePolicy", input)?]),
        run: Run::Write(delete),
    },
    Operation {
        name: "ListEntitiesForPolicy",
        checks: |on, input| Ok(vec![check(on, "ListEntitiesForPolicy", input)?]),
        run: Run::Read(list_entities),
    },
];

/// A managed policy, stored by its ARN.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ManagedPolicy {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) id: String,
    pub(super) path: String,
    pub(super) description: Option<String>,
    pub(super) created_millis: i64,
    pub(super) updated_millis: i64,
    /// `v1`
    pub(super) default_version: String,
    /// The number of the next version; numbers are never used again.
    pub(super) next_version: u32,
    /// Oldest first.
    pub(super) versions: Vec<PolicyVersion>,
    pub(super) tags: Vec<Tag>,
}

/// One text of a managed policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PolicyVersion {
    pub(super) id: String,
    pub(super) document: String,
    pub(super) created_millis: i64,
}

impl ManagedPolicy {
    /// Returns the text in force.
    pub(super) fn document(&self) -> Option<&str> {
        let default = self.versions.iter().find(|version| version.id == self.default_version);
        default.map(|version| &*version.document)
    }
}

/// Returns the customer's own policies with their keys.
pub(super) fn customers(on: &Reading<'_>) -> Result<Vec<(String, ManagedPolicy)>, Error> {
    let own = on.call.global_arn("iam", "policy/");
    Ok(on.store.load_all(Table::Policies, Scan::prefix(&own))?)
}

/// Refuses a text that is no ARN.
pub(super) fn check_arn(arn: &str) -> Result<(), Error> {
    match arn.parse::<Arn>() {
        // Two blanks: so AWS writes it.
        Err(_) => Err(Error::validation("Invalid ARN:  Could not be parsed!")),
        Ok(_) => Ok(()),
    }
}

/// Refuses AWS's policies for service-linked roles, which only AWS attaches.
pub(super) fn check_attachable(policy: &ManagedPolicy, whereto: &str) -> Result<(), Error> {
    if policy.path != SERVICE_ROLE_PATH {
        return Ok(());
    }
    // UNVERIFIED: AWS's text for anything but a role.
    let text = format!("Cannot attach a Service Role Policy {whereto}.");
    Err(Error::new("PolicyNotAttachable", text))
}

/// Returns a policy, the customer's or AWS's, by its ARN; `None` when there is none.
pub(super) fn find(
    store: &(impl Read + ?Sized),
    arn: &str,
) -> Result<Option<ManagedPolicy>, Error> {
    match aws_managed::find(arn) {
        Some(policy) => Ok(Some(policy)),
        None => Ok(store.load(Table::Policies, arn)?),
    }
}

/// Returns the policy that an input names.
pub(super) fn get_named(
    store: &(impl Read + ?Sized),
    input: &Value,
) -> Result<ManagedPolicy, Error> {
    let arn = input.text("PolicyArn")?;
    check_arn(arn)?;
    find(store, arn)?.ok_or_else(|| not_found(arn))
}

pub(super) fn not_found(arn: &str) -> Error {
    error::no_such_entity(format!("Policy {arn} was not found."))
}

/// Returns the policy that an input names, for changing.
///
/// # Errors
/// `AccessDenied` for AWS's own policies, which nobody can change.
pub(super) fn get_customer(
    store: &(impl Read + ?Sized),
    call: &Call,
    input: &Value,
) -> Result<ManagedPolicy, Error> {
    let policy = get_named(store, input)?;
    let own = call.global_arn("iam", "policy/");
    if policy.arn.starts_with(&own) {
        return Ok(policy);
    }
    // UNVERIFIED: AWS's text for changing a policy of its own.
    Err(Error::new("AccessDenied", format!("Policy {} is outside your own account.", policy.arn)))
}

/// Stores what has changed in a policy.
pub(super) fn save(w: &mut Writing<'_>, policy: &ManagedPolicy) -> Result<(), Error> {
    Ok(w.store.save(Table::Policies, &policy.arn, policy)?)
}

/// Refuses a document that is no managed policy, or too large for one.
pub(super) fn check_document(text: &str) -> Result<(), Error> {
    if billed_characters(text) > DOCUMENT_CHARACTERS_MAX {
        return Err(error::quota("PolicySize", DOCUMENT_CHARACTERS_MAX));
    }
    validate_policy(text, policy::Kind::Managed).map(|_| ())
}

/// Returns the question that an operation on a policy raises.
pub(super) fn check(on: &Reading<'_>, action: &str, input: &Value) -> Result<Check, Error> {
    let arn = input.text("PolicyArn")?;
    let check = Check::new(format!("iam:{action}"), arn).shown_as(format!("policy {arn}"));
    Ok(match find(on.store, arn)? {
        Some(policy) => tags::with_resource_tags(check, &policy.tags),
        None => check,
    })
}

/// Returns a policy as lists show it.
pub(super) fn shown(on: &Reading<'_>, policy: &ManagedPolicy) -> Result<Value, Error> {
    let account = on.call.account();
    let attached = attachments::attached_count(on.store, account, &policy.arn)?;
    let boundaries = attachments::boundary_count(on.store, account, &policy.arn)?;
    Ok(Value::object()
        .with("PolicyName", &*policy.name)
        .with("PolicyId", &*policy.id)
        .with("Arn", &*policy.arn)
        .with("Path", &*policy.path)
        .with("DefaultVersionId", &*policy.default_version)
        .with("AttachmentCount", attached)
        .with("PermissionsBoundaryUsageCount", boundaries)
        .with("IsAttachable", true)
        .with("CreateDate", seconds(policy.created_millis))
        .with("UpdateDate", seconds(policy.updated_millis)))
}

fn shown_whole(on: &Reading<'_>, policy: &ManagedPolicy) -> Result<Value, Error> {
    Ok(shown(on, policy)?
        .with_some("Description", policy.description.as_deref())
        .with("Tags", tags::shown(&policy.tags)))
}

fn may_create(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let path = input.maybe_text("Path").unwrap_or(names::ROOT_PATH);
    let arn = on.call.global_arn("iam", &format!("policy{path}{}", input.text("PolicyName")?));
    let display = format!("policy {}", input.text("PolicyName")?);
    let check = Check::new("iam:CreatePolicy", arn).shown_as(display);
    Ok(vec![tags::with_request_tags(check, input)])
}

/// Names are unique in the account whatever path and case; this row holds them so.
fn name_key(account: &str, name: &str) -> String {
    format!("policy-of-name/{account}/{}", name.to_lowercase())
}

fn create(w: &mut Writing<'_>, input: &Value) -> Answer {
    let (name, path) = (input.text("PolicyName")?, names::path_of(input)?);
    names::check_name("policyName", name, NAME_CHARACTERS_MAX)?;
    let document = input.text("PolicyDocument")?;
    check_document(document)?;
    let account = w.call.account();
    let name_key = name_key(account, name);
    if w.store.get(Table::Relations, &name_key)?.is_some() {
        return Err(error::already_exists(format!(
            "A policy called {name} already exists. Duplicate names are not allowed."
        )));
    }
    let names =
        w.store.scan(Table::Relations, Scan::prefix(&format!("policy-of-name/{account}/")))?;
    if names.len() >= POLICIES_MAX {
        return Err(error::quota("PoliciesPerAccount", POLICIES_MAX));
    }
    let now = w.call.now_millis;
    let policy = ManagedPolicy {
        arn: w.call.global_arn("iam", &format!("policy{path}{name}")),
        name: name.to_owned(),
        id: ids::unique_id("ANPA"),
        path: path.to_owned(),
        description: input.maybe_text("Description").map(str::to_owned),
        created_millis: now,
        updated_millis: now,
        default_version: "v1".into(),
        next_version: 2,
        versions: vec![PolicyVersion {
            id: "v1".into(),
            document: document.to_owned(),
            created_millis: now,
        }],
        tags: tags::in_input(input)?,
    };
    save(w, &policy)?;
    w.store.save(Table::Relations, &name_key, &policy.arn)?;
    // AWS leaves the description out of this answer.
    let tags = Some(&policy.tags).filter(|tags| !tags.is_empty());
    let shown = shown(&w.reading(), &policy)?.with_some("Tags", tags.map(|tags| tags::shown(tags)));
    Ok(Value::object().with("Policy", shown))
}

fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let policy = get_named(on.store, input)?;
    Ok(Value::object().with("Policy", shown_whole(on, &policy)?))
}

fn delete(w: &mut Writing<'_>, input: &Value) -> Answer {
    let policy = get_customer(&*w.store, w.call, input)?;
    let account = w.call.account();
    let used = attachments::attached_count(&*w.store, account, &policy.arn)?
        + attachments::boundary_count(&*w.store, account, &policy.arn)?;
    if used > 0 {
        return Err(Error::new("DeleteConflict", "Cannot delete a policy attached to entities."));
    }
    if policy.versions.len() > 1 {
        // UNVERIFIED: the wording; AWS refuses while versions other than the default remain.
        return Err(Error::new(
            "DeleteConflict",
            "This policy has more than one version. Before you delete a policy, you must delete \
             the policy's versions. The default version is deleted with the policy.",
        ));
    }
    w.store.delete(Table::Policies, &policy.arn)?;
    w.store.delete(Table::Relations, &name_key(account, &policy.name))?;
    Ok(Value::object())
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let scope = input.maybe_text("Scope").unwrap_or("All");
    let mut policies = Vec::new();
    if scope != "AWS" {
        let own = on.call.global_arn("iam", "policy/");
        let rows = on.store.load_all::<ManagedPolicy>(Table::Policies, Scan::prefix(&own))?;
        policies.extend(rows.into_iter().map(|(_, policy)| policy));
    }
    if scope != "Local" {
        policies.extend(aws_managed::all());
    }
    let how = match input.maybe_text("PolicyUsageFilter") {
        Some("PermissionsBoundary") => Use::Boundary,
        Some(_) | None => Use::Attached,
    };
    // One look at what is used, for AWS's own policies are too many to ask for one by one.
    let used = if input.flag("OnlyAttached") {
        Some(attachments::used(on.store, how, on.call.account())?)
    } else {
        None
    };
    policies.retain(|policy| {
        let wanted = used.as_ref().is_none_or(|used| used.contains(&policy.arn));
        wanted && names::under_prefix(input, &policy.path)
    });
    policies.sort_by(|one, other| one.arn.cmp(&other.arn));
    let rows = policies.into_iter().map(|policy| (policy.arn.clone(), policy));
    let page = paging::slice(input, rows)?;
    let shown: Vec<Value> =
        page.items.iter().map(|policy| shown(on, policy)).collect::<Result<_, _>>()?;
    Ok(paging::close(Value::object().with("Policies", shown), page.next))
}

fn list_entities(on: &Reading<'_>, input: &Value) -> Answer {
    let policy = get_named(on.store, input)?;
    let account = on.call.account();
    let usage = input.maybe_text("PolicyUsageFilter");
    let mut ids = Vec::new();
    if usage != Some("PermissionsBoundary") {
        ids.extend(attachments::attached_ids(on.store, account, &policy.arn)?);
    }
    if usage != Some("PermissionsPolicy") {
        ids.extend(attachments::boundary_ids(on.store, account, &policy.arn)?);
    }
    ids.sort();
    ids.dedup();
    let mut rows = Vec::new();
    for id in ids {
        let Some(entity) = entity::by_id(on.store, account, &id)? else { continue };
        let kind = entity.kind();
        let wanted = input.maybe_text("EntityFilter").is_none_or(|filter| filter == kind.title());
        if wanted && names::under_prefix(input, &entity.path) {
            let title = kind.title();
            let shown = Value::object()
                .with(format!("{title}Name"), &*entity.name)
                .with(format!("{title}Id"), &*entity.id);
            rows.push((id, (kind, shown)));
        }
    }
    let page = paging::slice(input, rows)?;
    let of = |kind: Kind| -> Vec<Value> {
        let items = page.items.iter().filter(|(other, _)| *other == kind);
        items.map(|(_, shown)| shown.clone()).collect()
    };
    let answer = Value::object()
        .with("PolicyGroups", of(Kind::Group))
        .with("PolicyUsers", of(Kind::User))
        .with("PolicyRoles", of(Kind::Role));
    Ok(paging::close(answer, page.next.clone()))
}
