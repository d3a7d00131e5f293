//! Service-linked roles: made for one service, and changed by nobody else.
//!
//! IAM API reference, "CreateServiceLinkedRole", "DeleteServiceLinkedRole"; user guide, "Create a
//! service-linked role" (read 2026-11).

use serde::{Deserialize, Serialize};
use store::{Load, Save, Table};
use value::Value;

use super::attachments::{self, Use};
use super::entity::{self, Detail, Entity, Kind, RoleDetail};
use super::linked_services::{self, LinkedService};
use super::{error, managed_policies, roles, trust};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing};

/// Where such roles and the policies on them lie.
const PATH: &str = "aws-service-role";
/// How long a session may last, in seconds.
const SESSION_SECONDS: i64 = 3600;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateServiceLinkedRole", checks: may_create, run: Run::Write(create) },
    Operation {
        name: "DeleteServiceLinkedRole",
        checks: |on, input| entity::named(on, "DeleteServiceLinkedRole", Kind::Role, input),
        run: Run::Write(delete),
    },
    Operation {
        name: "GetServiceLinkedRoleDeletionStatus",
        checks: may_get_status,
        run: Run::Read(get_status),
    },
];

/// The latest deletion of a role of one name, stored by
/// `service-linked-role-deletion/account/lower-case name`.
///
/// Roles are deleted at once: no service here holds on to one.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Deletion {
    task_id: String,
}

fn deletion_key(account: &str, name: &str) -> String {
    format!("service-linked-role-deletion/{account}/{}", name.to_lowercase())
}

fn service_in(input: &Value) -> Result<&'static LinkedService, Error> {
    let principal = input.text("AWSServiceName")?;
    // UNVERIFIED: what AWS answers for a service without such a role.
    linked_services::find(principal).ok_or_else(|| {
        error::invalid_input(format!("{principal} is not a service with a service-linked role."))
    })
}

/// Returns the name of the role that an input asks for.
fn role_name(service: &LinkedService, input: &Value) -> Result<String, Error> {
    let Some(suffix) = input.maybe_text("CustomSuffix") else {
        return Ok(service.role_name());
    };
    if !service.takes_suffix {
        let principal = service.principal();
        return Err(error::invalid_input(format!("Custom suffix is not allowed for {principal}")));
    }
    let name = format!("{}_{suffix}", service.role_name());
    if name.len() > Kind::Role.name_characters_max() {
        let most = "Member must have length less than or equal to 64";
        return Err(error::constraint("roleName", Some(&name), most));
    }
    Ok(name)
}

fn may_create(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let principal = input.text("AWSServiceName")?;
    let name = match linked_services::find(principal) {
        Some(service) => role_name(service, input)?,
        None => "*".to_owned(),
    };
    let arn = on.call.global_arn("iam", &format!("role/{PATH}/{principal}/{name}"));
    let check = Check::new("iam:CreateServiceLinkedRole", arn);
    Ok(vec![check.with("iam:AWSServiceName", vec![principal.to_owned()])])
}

fn trust_policy(principal: &str) -> String {
    let statement = Value::object()
        .with("Effect", "Allow")
        .with("Principal", Value::object().with("Service", principal))
        .with("Action", "sts:AssumeRole");
    let document = Value::object().with("Version", "2012-10-17").with("Statement", vec![statement]);
    document.to_string()
}

fn create(w: &mut Writing<'_>, input: &Value) -> Answer {
    let service = service_in(input)?;
    let name = role_name(service, input)?;
    if entity::find(&*w.store, w.call.account(), Kind::Role, &name)?.is_some() {
        return Err(error::invalid_input(format!(
            "Service role name {name} has been taken in this account, please try a different \
             suffix."
        )));
    }
    let principal = service.principal();
    let trust_policy = trust_policy(&principal);
    let detail = RoleDetail {
        trusted_ids: trust::check(w.store.as_read(), w.call, &trust_policy)?,
        trust_policy,
        description: roles::checked_description(input)?,
        max_session_seconds: SESSION_SECONDS,
        linked_service: Some(principal.clone()),
    };
    let path = format!("/{PATH}/{principal}/");
    let detail = Detail::Role(detail);
    let mut role = Entity::new(Kind::Role, &name, &path, w.call.now_millis, detail);
    let partition = &w.call.settings.partition;
    let policy = format!("arn:{partition}:iam::aws:policy/{PATH}/{}", service.policy_name);
    // The policies of services that are not served here need not be known.
    if managed_policies::find(&*w.store, &policy)?.is_some() {
        role.attached_policies.insert(policy.clone());
        attachments::note(w, Use::Attached, &policy, &role.id)?;
    }
    entity::create(w, &role)?;
    let shown = roles::shown(w.store.as_read(), w.call, &role)?;
    Ok(Value::object().with("Role", shown))
}

fn delete(w: &mut Writing<'_>, input: &Value) -> Answer {
    let role = entity::get_named(&*w.store, w.call, Kind::Role, input)?;
    let Some(principal) = role.linked_service() else {
        // UNVERIFIED: AWS's text for an ordinary role.
        return Err(error::no_such_entity(format!(
            "The role with name {} is not a service-linked role.",
            role.name
        )));
    };
    for policy in &role.attached_policies {
        attachments::forget(w, Use::Attached, policy, &role.id)?;
    }
    entity::delete(w, &role)?;
    let uuid = w.call.stable_uuid("deletion");
    let task_id = format!("task/{PATH}/{principal}/{}/{uuid}", role.name);
    let key = deletion_key(w.call.account(), &role.name);
    w.store.save(Table::IamSettings, &key, &Deletion { task_id: task_id.clone() })?;
    Ok(Value::object().with("DeletionTaskId", task_id))
}

/// Returns service and role of a task id `task/aws-service-role/SERVICE/ROLE/UUID`.
fn parts(task_id: &str) -> Result<(&str, &str), Error> {
    let parts: Vec<&str> = task_id.split('/').collect();
    match &*parts {
        ["task", path, service, role, _] if *path == PATH => Ok((*service, *role)),
        // UNVERIFIED: AWS's text.
        _ => Err(error::invalid_input(format!("Invalid deletion task id: {task_id}"))),
    }
}

fn may_get_status(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let action = "iam:GetServiceLinkedRoleDeletionStatus";
    let resource = match parts(input.text("DeletionTaskId")?) {
        Ok((service, role)) => format!("role/{PATH}/{service}/{role}"),
        // The operation says what is wrong to whoever may ask about any role.
        Err(_) => format!("role/{PATH}/*"),
    };
    Ok(vec![Check::new(action, on.call.global_arn("iam", &resource))])
}

fn get_status(on: &Reading<'_>, input: &Value) -> Answer {
    let task_id = input.text("DeletionTaskId")?;
    let (_, role) = parts(task_id)?;
    let key = deletion_key(on.call.account(), role);
    let deletion: Option<Deletion> = on.store.load(Table::IamSettings, &key)?;
    if deletion.is_none_or(|deletion| deletion.task_id != task_id) {
        // UNVERIFIED: AWS's text.
        return Err(error::no_such_entity(format!(
            "The deletion task with id {task_id} cannot be found."
        )));
    }
    Ok(Value::object().with("Status", "SUCCEEDED"))
}
