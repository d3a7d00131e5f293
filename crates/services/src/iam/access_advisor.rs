//! The access advisor: which services somebody may use, and when they last did.
//!
//! IAM API reference, "GenerateServiceLastAccessedDetails" and its kin; user guide, "Refine
//! permissions in AWS using last accessed information" (read 2026-11).

use std::collections::BTreeMap;

use policy::{Arn, actions};
use serde::{Deserialize, Serialize};
use store::{Load, Save, Scan, Table};
use value::{Value, value};

use super::entity::{self, Entity, Kind, seconds};
use super::granted_services::{grants, grants_action};
use super::{attachments, error, managed_policies, memberships, paging};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing, decisions};

/// How many reports an account has; the oldest go.
const REPORTS_KEPT_MAX: usize = 100;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "GenerateServiceLastAccessedDetails",
        checks: |_, input| {
            Ok(vec![Check::new("iam:GenerateServiceLastAccessedDetails", input.text("Arn")?)])
        },
        run: Run::Write(generate),
    },
    Operation {
        name: "GetServiceLastAccessedDetails",
        checks: |_, _| Ok(vec![Check::any("iam:GetServiceLastAccessedDetails")]),
        run: Run::Read(get),
    },
    Operation {
        name: "GetServiceLastAccessedDetailsWithEntities",
        checks: |_, _| Ok(vec![Check::any("iam:GetServiceLastAccessedDetailsWithEntities")]),
        run: Run::Read(get_with_entities),
    },
    Operation {
        name: "ListPoliciesGrantingServiceAccess",
        checks: |_, input| {
            Ok(vec![Check::new("iam:ListPoliciesGrantingServiceAccess", input.text("Arn")?)])
        },
        run: Run::Read(list_policies),
    },
];

/// What people call the services that are served here.
// DIFFERS: the others are called by their prefix: no list of names is at hand.
const NAMES: &[(&str, &str)] = &[
    ("cloudformation", "AWS CloudFormation"),
    ("events", "Amazon EventBridge"),
    ("iam", "AWS Identity and Access Management"),
    ("lambda", "AWS Lambda"),
    ("logs", "Amazon CloudWatch Logs"),
    ("s3", "Amazon S3"),
    ("ssm", "AWS Systems Manager"),
    ("states", "AWS Step Functions"),
    ("sts", "AWS Security Token Service"),
];

/// A report, stored by `access-advisor/account/job`, as of when it was asked for.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    created_millis: i64,
    granularity: String,
    /// In order of their namespaces.
    services: Vec<Value>,
    /// Who used each service, by its namespace.
    entities: BTreeMap<String, Vec<Value>>,
}

/// Whom a report is about: policies, and those who act under them.
struct Subject {
    policies: Vec<Granting>,
    entities: Vec<Entity>,
}

/// A policy and on whom it hangs.
struct Granting {
    document: Value,
    name: String,
    /// Of a managed policy.
    arn: Option<String>,
    /// Kind and name of whom an inline policy is part of.
    of: Option<(Kind, String)>,
}

fn prefix(account: &str) -> String {
    format!("access-advisor/{account}/")
}

/// Returns the user, group or role of an ARN.
fn entity_of(on: &Reading<'_>, arn: &str) -> Result<Option<Entity>, Error> {
    let parsed: Arn =
        arn.parse().map_err(|_| error::invalid_input(format!("Invalid ARN: {arn}")))?;
    let resource = parsed.resource();
    let kinds = [Kind::User, Kind::Group, Kind::Role];
    let kind = kinds.into_iter().find(|kind| resource.split('/').next() == Some(kind.word()));
    let Some(kind) = kind else { return Ok(None) };
    let name = resource.rsplit('/').next().unwrap_or_default();
    let entity = entity::get(on.store, on.call, kind, name)?;
    if entity.arn(on.call) != arn {
        let text = format!("The {} with name {name} cannot be found.", kind.word());
        return Err(error::no_such_entity(text));
    }
    Ok(Some(entity))
}

fn subject(on: &Reading<'_>, arn: &str) -> Result<Subject, Error> {
    let Some(entity) = entity_of(on, arn)? else { return policy_subject(on, arn) };
    let mut policies = Vec::new();
    add_policies(on, &entity, &mut policies)?;
    let account = on.call.account();
    let entities = match entity.kind() {
        Kind::User => {
            for group in memberships::groups_of(on.store, account, &entity.id)? {
                add_policies(on, &group, &mut policies)?;
            }
            vec![entity]
        }
        Kind::Group => memberships::members_of(on.store, account, &entity.id)?,
        Kind::Role => vec![entity],
    };
    Ok(Subject { policies, entities })
}

fn add_policies(
    on: &Reading<'_>,
    entity: &Entity,
    policies: &mut Vec<Granting>,
) -> Result<(), Error> {
    for (name, text) in &entity.inline_policies {
        policies.push(Granting {
            document: value::parse(text).unwrap_or_default(),
            name: name.clone(),
            arn: None,
            of: Some((entity.kind(), entity.name.clone())),
        });
    }
    for arn in &entity.attached_policies {
        policies.extend(managed(on, arn)?);
    }
    Ok(())
}

fn managed(on: &Reading<'_>, arn: &str) -> Result<Option<Granting>, Error> {
    let policy = managed_policies::find(on.store, arn)?;
    Ok(policy.map(|policy| Granting {
        document: policy.document().and_then(|text| value::parse(text).ok()).unwrap_or_default(),
        name: policy.name.clone(),
        arn: Some(policy.arn.clone()),
        of: None,
    }))
}

/// A managed policy, and all users and roles on which it hangs, by way of their groups too.
fn policy_subject(on: &Reading<'_>, arn: &str) -> Result<Subject, Error> {
    let Some(policy) = managed(on, arn)? else { return Err(managed_policies::not_found(arn)) };
    let account = on.call.account();
    let mut entities: BTreeMap<String, Entity> = BTreeMap::new();
    for id in attachments::attached_ids(on.store, account, arn)? {
        let Some(entity) = entity::by_id(on.store, account, &id)? else { continue };
        let acting = match entity.kind() {
            Kind::Group => memberships::members_of(on.store, account, &id)?,
            Kind::User | Kind::Role => vec![entity],
        };
        entities.extend(acting.into_iter().map(|entity| (entity.id.clone(), entity)));
    }
    Ok(Subject { policies: vec![policy], entities: entities.into_values().collect() })
}

/// What one user or role last did with a service.
struct Used<'e> {
    entity: &'e Entity,
    millis: i64,
    region: String,
}

fn generate(w: &mut Writing<'_>, input: &Value) -> Answer {
    let on = w.reading();
    let subject = subject(&on, input.text("Arn")?)?;
    let granularity = input.maybe_text("Granularity").unwrap_or("SERVICE_LEVEL").to_owned();
    let mut uses = Vec::new();
    for entity in &subject.entities {
        for (action, last) in decisions::uses_of(on.store, &entity.id)? {
            uses.push((action, Used { entity, millis: last.millis, region: last.region }));
        }
    }
    // In order of time, so that the last of any selection is the latest.
    uses.sort_by_key(|(_, used)| used.millis);
    let mut report = Report {
        created_millis: on.call.now_millis,
        services: Vec::new(),
        entities: BTreeMap::new(),
        granularity,
    };
    for namespace in actions::services() {
        if subject.policies.iter().any(|policy| grants(&policy.document, namespace)) {
            add_service(&on, &subject, namespace, &uses, &mut report);
        }
    }
    keep(w, &report)
}

fn add_service(
    on: &Reading<'_>,
    subject: &Subject,
    namespace: &str,
    uses: &[(String, Used<'_>)],
    report: &mut Report,
) {
    let of_service = |action: &str| action.split(':').next() == Some(namespace);
    let used = uses.iter().filter(|(action, _)| of_service(action)).map(|(_, used)| used);
    let latest: BTreeMap<&str, &Used<'_>> = used.map(|used| (&*used.entity.id, used)).collect();
    let mut latest: Vec<&Used<'_>> = latest.into_values().collect();
    latest.sort_by_key(|used| std::cmp::Reverse(used.millis));
    let known = NAMES.iter().find(|(known, _)| *known == namespace);
    let mut service = value!({
        "ServiceName": known.map_or(namespace, |(_, name)| *name),
        "ServiceNamespace": namespace,
        "TotalAuthenticatedEntities": latest.len(),
    });
    if let Some(last) = latest.first() {
        service.set("LastAuthenticated", seconds(last.millis));
        service.set("LastAuthenticatedEntity", last.entity.arn(on.call));
        service.set("LastAuthenticatedRegion", &*last.region);
    }
    if report.granularity == "ACTION_LEVEL" {
        let tracked = tracked(on, subject, namespace, uses);
        service = service
            .with_some("TrackedActionsLastAccessed", Some(tracked).filter(|all| !all.is_empty()));
    }
    report.services.push(service);
    let entities = latest.into_iter().map(|used| details(on, used));
    report.entities.insert(namespace.to_owned(), entities.collect());
}

/// Returns the actions of a service that are allowed, and when each was used.
// DIFFERS: AWS tracks the management actions of some services; here every action of what is served
// is tracked, and listed for services that were used.
fn tracked(
    on: &Reading<'_>,
    subject: &Subject,
    namespace: &str,
    uses: &[(String, Used<'_>)],
) -> Vec<Value> {
    let last_use = |action: &str| {
        let mut of_action = uses.iter().rev().filter(|(used, _)| used.eq_ignore_ascii_case(action));
        of_action.next().map(|(_, used)| used)
    };
    let prefix = format!("{namespace}:");
    if !uses.iter().any(|(action, _)| action.starts_with(&prefix)) {
        return Vec::new();
    }
    let all = actions::service(namespace).into_iter().flat_map(actions::Service::actions);
    let granted = all.filter(|action| {
        let name = action.full_name();
        subject.policies.iter().any(|policy| grants_action(&policy.document, &name))
    });
    let shown = granted.map(|action| {
        let shown = value!({ "ActionName": &action.name });
        match last_use(&action.full_name()) {
            Some(used) => shown
                .with("LastAccessedEntity", used.entity.arn(on.call))
                .with("LastAccessedTime", seconds(used.millis))
                .with("LastAccessedRegion", &*used.region),
            None => shown,
        }
    });
    shown.collect()
}

fn details(on: &Reading<'_>, used: &Used<'_>) -> Value {
    let entity = used.entity;
    let info = value!({
        "Arn": (entity.arn(on.call)),
        "Name": &entity.name,
        "Type": (entity.kind().word().to_uppercase()),
        "Id": &entity.id,
        "Path": &entity.path,
    });
    value!({ "EntityInfo": info, "LastAuthenticated": (seconds(used.millis)) })
}

/// Stores a report; the oldest make room.
fn keep(w: &mut Writing<'_>, report: &Report) -> Answer {
    let job = w.call.stable_uuid_at("access-advisor");
    let prefix = prefix(w.call.account());
    let mut known: Vec<(i64, String)> = Vec::new();
    for (key, report) in w.store.load_all::<Report>(Table::IamSettings, Scan::prefix(&prefix))? {
        known.push((report.created_millis, key));
    }
    known.sort_unstable();
    let too_many = (known.len() + 1).saturating_sub(REPORTS_KEPT_MAX);
    for (_, key) in known.into_iter().take(too_many) {
        w.store.delete(Table::IamSettings, &key)?;
    }
    w.store.save(Table::IamSettings, &format!("{prefix}{job}"), report)?;
    Ok(value!({ "JobId": job }))
}

fn report(on: &Reading<'_>, input: &Value) -> Result<(Report, Value), Error> {
    let job = input.text("JobId")?;
    let key = prefix(on.call.account()) + job;
    let report: Option<Report> = on.store.load(Table::IamSettings, &key)?;
    // UNVERIFIED: AWS's text.
    let report = report
        .ok_or_else(|| error::no_such_entity(format!("The job with id {job} cannot be found.")))?;
    // DIFFERS: a report is ready at once; on AWS it is IN_PROGRESS for a while.
    let head = value!({
        "JobStatus": "COMPLETED",
        "JobCreationDate": (seconds(report.created_millis)),
        "JobCompletionDate": (seconds(report.created_millis)),
    });
    Ok((report, head))
}

fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let (report, head) = report(on, input)?;
    let head = head.with("JobType", &*report.granularity);
    let rows = report.services.into_iter().map(|service| {
        (service.maybe_text("ServiceNamespace").unwrap_or_default().to_owned(), service)
    });
    let page = paging::slice(input, rows)?;
    Ok(paging::close(head.with("ServicesLastAccessed", page.items), page.next))
}

fn get_with_entities(on: &Reading<'_>, input: &Value) -> Answer {
    let (mut report, head) = report(on, input)?;
    let namespace = input.text("ServiceNamespace")?;
    // UNVERIFIED: AWS's text.
    let entities = report.entities.remove(namespace).ok_or_else(|| {
        error::no_such_entity(format!("The report does not hold the service {namespace}."))
    })?;
    // The latest first: their places are the keys.
    let rows = entities.into_iter().enumerate().map(|(at, entity)| (format!("{at:06}"), entity));
    let page = paging::slice(input, rows)?;
    Ok(paging::close(head.with("EntityDetailsList", page.items), page.next))
}

fn list_policies(on: &Reading<'_>, input: &Value) -> Answer {
    let arn = input.text("Arn")?;
    // UNVERIFIED: AWS's text.
    if entity_of(on, arn)?.is_none() {
        return Err(error::invalid_input(format!("{arn} is no user, group or role.")));
    }
    let policies = subject(on, arn)?.policies;
    let namespaces = input.list("ServiceNamespaces").iter().filter_map(Value::as_str);
    let entries = namespaces.map(|namespace| {
        let granting = policies.iter().filter(|policy| grants(&policy.document, namespace));
        let shown: Vec<Value> = granting.map(Granting::shown).collect();
        value!({ "ServiceNamespace": namespace, "Policies": shown })
    });
    let entries: Vec<Value> = entries.collect();
    Ok(value!({ "PoliciesGrantingServiceAccess": entries, "IsTruncated": false }))
}

impl Granting {
    fn shown(&self) -> Value {
        let kind = if self.arn.is_some() { "MANAGED" } else { "INLINE" };
        let (of, name) = match &self.of {
            Some((of, name)) => (Some(of.word().to_uppercase()), Some(name.as_str())),
            None => (None, None),
        };
        value!({ "PolicyName": &self.name, "PolicyType": kind })
            .with_some("PolicyArn", self.arn.as_deref())
            .with_some("EntityType", of)
            .with_some("EntityName", name)
    }
}
