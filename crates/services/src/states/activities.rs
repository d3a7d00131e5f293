//! Activities: CreateActivity and its kin.
//!
//! AWS Step Functions API reference, "CreateActivity", "GetActivityTask" (read 2026-11).

use std::sync::Arc;

use runtime::{PollError, Worker};
use serde::{Deserialize, Serialize};
use store::{Load, Read, Save, Scan, Table};
use value::{Value, value};

use super::state_machines::{check_name, page_of};
use super::{arn, error, tags};
use crate::page::cut;
use crate::{
    Answer, Call, Check, Error, Input, Operation, Pending, Reading, Run, Services, Writing,
};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateActivity", checks: may_create, run: Run::Write(create) },
    Operation { name: "DescribeActivity", checks: may_describe, run: Run::Read(describe) },
    Operation { name: "DeleteActivity", checks: may_delete, run: Run::Write(delete) },
    Operation { name: "ListActivities", checks: may_list, run: Run::Read(list) },
    Operation { name: "GetActivityTask", checks: may_get_task, run: Run::Workflow(get_task) },
];

/// An activity as it is stored, by ARN.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Activity {
    #[serde(rename = "activityArn")]
    arn: String,
    name: String,
    encryption_configuration: Value,
    creation_millis: i64,
}

impl Activity {
    fn creation_date(&self) -> f64 {
        self.creation_millis as f64 / 1000.0
    }

    fn created(&self) -> Value {
        value!({ "activityArn": &self.arn, "creationDate": self.creation_date() })
    }
}

fn find(store: &dyn Read, activity_arn: &str) -> Result<Activity, Error> {
    arn::resource(activity_arn, arn::Named::Activity)?;
    store
        .load(Table::Activities, activity_arn)?
        .ok_or_else(|| error::activity_does_not_exist(activity_arn))
}

fn may_create(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let arn = on.call.regional_arn("states", &format!("activity:{}", input.text("name")?));
    Ok(vec![Check::new("states:CreateActivity", arn)])
}

/// Creates an activity; creating it again with other tags changes nothing.
fn create(on: &mut Writing<'_>, input: &Value) -> Answer {
    let name = input.text("name")?;
    check_name(name)?;
    let activity_arn = on.call.regional_arn("states", &format!("activity:{name}"));
    let encryption_configuration = encryption(input)?;
    let existing: Option<Activity> = on.store.load(Table::Activities, &activity_arn)?;
    if let Some(existing) = existing {
        return if existing.encryption_configuration == encryption_configuration {
            Ok(existing.created())
        } else {
            Err(error::activity_already_exists(&activity_arn))
        };
    }
    let activity = Activity {
        arn: activity_arn,
        name: name.to_owned(),
        encryption_configuration,
        creation_millis: on.call.now_millis,
    };
    on.store.save(Table::Activities, &activity.arn, &activity)?;
    tags::add(on.store, &activity.arn, input.list("tags"))?;
    Ok(activity.created())
}

/// Returns the encryption setting: it is kept and shown, the store has its own.
fn encryption(input: &Value) -> Result<Value, Error> {
    let Some(asked) = input.get("encryptionConfiguration") else {
        return Ok(value!({ "type": "AWS_OWNED_KEY" }));
    };
    if asked.maybe_text("type") == Some("CUSTOMER_MANAGED_KMS_KEY")
        && asked.maybe_text("kmsKeyId").is_none()
    {
        return Err(error::invalid_encryption_configuration());
    }
    Ok(asked.clone())
}

fn may_describe(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("states:DescribeActivity", input.text("activityArn")?)])
}

fn describe(on: &Reading<'_>, input: &Value) -> Answer {
    let activity = find(on.store, input.text("activityArn")?)?;
    Ok(activity
        .created()
        .with("name", &activity.name)
        .with("encryptionConfiguration", &activity.encryption_configuration))
}

fn may_delete(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("states:DeleteActivity", input.text("activityArn")?)])
}

/// Deletes an activity; deleting one that does not exist succeeds, as on AWS. Tasks that wait in
/// its queue go on waiting.
fn delete(on: &mut Writing<'_>, input: &Value) -> Answer {
    let activity_arn = input.text("activityArn")?;
    arn::resource(activity_arn, arn::Named::Activity)?;
    on.store.delete(Table::Activities, activity_arn)?;
    on.store.delete(Table::Tags, activity_arn)?;
    Ok(Value::object())
}

fn may_list(_: &Reading<'_>, _: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::any("states:ListActivities")])
}

fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let (after, limit) = page_of(input)?;
    let prefix = on.call.regional_arn("states", "activity:");
    let scan = Scan::prefix(&prefix).after(after.as_deref()).limit(limit + 1);
    let rows: Vec<(String, Activity)> = on.store.load_all(Table::Activities, scan)?;
    let page = cut(rows, after.as_deref(), limit);
    let items = page.items.iter().map(|activity| activity.created().with("name", &activity.name));
    Ok(value!({ "activities": items.collect::<Value>() }).with_some("nextToken", page.next))
}

fn may_get_task(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::new("states:GetActivityTask", input.text("activityArn")?)])
}

/// Waits for a task. Without one the answer has no token.
fn get_task(services: Arc<Services>, call: Call, input: Value) -> Pending {
    Box::pin(async move {
        let activity_arn = input.text("activityArn")?;
        if let Some(answer) = super::callbacks::known_answer(&services, &call)? {
            return Ok(answer);
        }
        services.store().read(|store| find(store, activity_arn))?;
        let worker = Worker {
            name: input.maybe_text("workerName").map(str::to_owned),
            effect_id: call.effect_id.clone(),
        };
        match services.runtime().poll_activity(activity_arn, worker).await {
            Ok(Some(task)) => Ok(task.to_value()),
            // UNVERIFIED: the API reference speaks of a null token; recorded machines test for one
            // that is absent.
            Ok(None) => Ok(Value::object()),
            Err(PollError::TooManyWorkers) => {
                Err(error::activity_worker_limit_exceeded(activity_arn))
            }
            Err(PollError::Runtime(err)) => Err(err.into()),
        }
    })
}
