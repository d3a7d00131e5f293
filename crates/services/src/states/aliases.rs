//! Aliases: names that lead to one version of a state machine, or to two by weight.
//!
//! AWS Step Functions API reference, "CreateStateMachineAlias" (read 2026-11); texts as recorded on
//! AWS (conformance/states).

use serde::{Deserialize, Serialize};
use store::{Load, Read, Save, Scan, Table, Transaction};
use value::{Value, value};

use super::arn::{self, Qualifier};
use super::state_machines::{find, page_of};
use super::{error, versions};
use crate::page::cut;
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing};

/// How many aliases a state machine may have (Step Functions quotas).
const ALIASES_MAX: usize = 100;
/// What the weights of an alias add up to.
const WEIGHTS_SUM: i64 = 100;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateStateMachineAlias", checks: may_create, run: Run::Write(create) },
    Operation { name: "DescribeStateMachineAlias", checks: may_describe, run: Run::Read(describe) },
    Operation { name: "ListStateMachineAliases", checks: may_list, run: Run::Read(list) },
    Operation { name: "UpdateStateMachineAlias", checks: may_update, run: Run::Write(update) },
    Operation { name: "DeleteStateMachineAlias", checks: may_delete, run: Run::Write(delete) },
];

/// An alias as it is stored, by ARN.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Alias {
    pub(super) arn: String,
    name: String,
    description: Option<String>,
    routing_configuration: Vec<Route>,
    creation_millis: i64,
    update_millis: i64,
}

/// Where an alias leads, and how often out of a hundred times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Route {
    state_machine_version_arn: String,
    weight: i64,
}

impl Alias {
    /// Returns the ARN of the version that a draw leads to.
    pub(super) fn version(&self, draw: u64) -> &str {
        let mut left = i64::try_from(draw % 100).unwrap_or(0);
        for route in &self.routing_configuration {
            if left < route.weight {
                return &route.state_machine_version_arn;
            }
            left -= route.weight;
        }
        // INVARIANT: the weights were checked to add up to a hundred.
        self.routing_configuration.first().map_or("", |route| &route.state_machine_version_arn)
    }
}

/// Returns a stored alias.
pub(super) fn load(store: &dyn Read, alias_arn: &str) -> Result<Option<Alias>, Error> {
    Ok(store.load(Table::StateMachineAliases, alias_arn)?)
}

fn find_alias(store: &dyn Read, alias_arn: &str) -> Result<Alias, Error> {
    let found = arn::qualified(alias_arn)?;
    match found.qualifier {
        Some(Qualifier::Alias(_)) => {
            load(store, alias_arn)?.ok_or_else(error::resource_does_not_exist)
        }
        // UNVERIFIED: AWS's answer to an ARN that names no alias.
        Some(Qualifier::Version(_)) | None => Err(error::invalid_arn("stateMachine")),
    }
}

fn all(store: &dyn Read, machine_arn: &str) -> Result<Vec<(String, Alias)>, Error> {
    let prefix = format!("{machine_arn}:");
    let scan = Scan::prefix(&prefix).limit(ALIASES_MAX);
    Ok(store.load_all(Table::StateMachineAliases, scan)?)
}

/// Returns the names of the aliases that lead to a version.
pub(super) fn pointing_to(
    store: &dyn Read,
    machine_arn: &str,
    version_arn: &str,
) -> Result<Vec<String>, Error> {
    let aliases = all(store, machine_arn)?.into_iter().map(|(_, alias)| alias);
    Ok(aliases.filter(|alias| alias.leads_to(version_arn)).map(|alias| alias.name).collect())
}

/// Removes every alias of a state machine.
pub(super) fn remove_all(store: &mut dyn Transaction, machine_arn: &str) -> Result<(), Error> {
    for (key, _) in all(store.as_read(), machine_arn)? {
        store.delete(Table::StateMachineAliases, &key)?;
    }
    Ok(())
}

impl Alias {
    fn leads_to(&self, version_arn: &str) -> bool {
        self.routing_configuration
            .iter()
            .any(|route| route.state_machine_version_arn == version_arn)
    }

    fn routing(&self) -> Value {
        let routes = self.routing_configuration.iter().map(|route| {
            value!({
                "stateMachineVersionArn": &route.state_machine_version_arn,
                "weight": route.weight,
            })
        });
        routes.collect()
    }
}

/// Reads a routing configuration and checks it; returns the ARN of the state machine too.
fn routes(store: &dyn Read, given: &[Value]) -> Result<(String, Vec<Route>), Error> {
    let routes: Vec<Route> = given
        .iter()
        .map(|route| Route {
            state_machine_version_arn: route
                .maybe_text("stateMachineVersionArn")
                .unwrap_or_default()
                .to_owned(),
            weight: route.integer("weight").unwrap_or(0),
        })
        .collect();
    let arns: Vec<&str> = routes.iter().map(|route| &*route.state_machine_version_arn).collect();
    let refused = |what: &str| {
        let received = arns.join(", ");
        let text = format!("Routing configuration must contain {what}. Received: [{received}]");
        error::validation(text)
    };
    let mut machines = Vec::new();
    for arn in &arns {
        let found = arn::qualified(arn)?;
        match found.qualifier {
            Some(Qualifier::Version(_)) => machines.push(found.machine),
            Some(Qualifier::Alias(_)) | None => {
                return Err(refused("state machine version ARNs"));
            }
        }
    }
    if arns.iter().enumerate().any(|(at, arn)| arns.iter().take(at).any(|other| other == arn)) {
        return Err(refused("distinct state machine version ARNs"));
    }
    let machine =
        (*machines.first().ok_or_else(|| refused("state machine version ARNs"))?).to_owned();
    if machines.iter().any(|other| **other != machine) {
        // UNVERIFIED: AWS's wording.
        return Err(refused("versions of the same state machine"));
    }
    let weights: Vec<String> = routes.iter().map(|route| route.weight.to_string()).collect();
    if routes.iter().map(|route| route.weight).sum::<i64>() != WEIGHTS_SUM {
        return Err(error::validation(format!(
            "Sum of routing configuration weights must equal {WEIGHTS_SUM}. Received: [{}]",
            weights.join(", ")
        )));
    }
    for arn in &arns {
        if versions::find_by_arn(store, arn)?.is_none() {
            return Err(error::resource_does_not_exist());
        }
    }
    Ok((machine, routes))
}

fn may_create(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let routed = input.list("routingConfiguration").first();
    let version = routed.and_then(|route| route.maybe_text("stateMachineVersionArn"));
    let machine = version.and_then(|version| arn::qualified(version).ok());
    let any = on.call.regional_arn("states", "stateMachine:*");
    let machine = machine.map_or(any, |found| found.machine.to_owned());
    let name = input.text("name")?.to_owned();
    Ok(vec![
        Check::new("states:CreateStateMachineAlias", machine)
            .with("states:StateMachineQualifier", vec![name]),
    ])
}

fn create(on: &mut Writing<'_>, input: &Value) -> Answer {
    let name = input.text("name")?;
    let (machine_arn, routing_configuration) =
        routes(on.store.as_read(), input.list("routingConfiguration"))?;
    let machine = find(on.store.as_read(), &machine_arn)?;
    let alias = Alias {
        arn: format!("{}:{name}", machine.arn),
        name: name.to_owned(),
        description: input.maybe_text("description").map(str::to_owned),
        routing_configuration,
        creation_millis: on.call.now_millis,
        update_millis: on.call.now_millis,
    };
    if let Some(known) = load(on.store.as_read(), &alias.arn)? {
        let same = known.description == alias.description
            && known.routing_configuration == alias.routing_configuration;
        return if same {
            Ok(created(&known))
        } else {
            Err(error::conflict(
                "Failed to create alias because an alias with the same name and a different \
                 routing configuration already exists.",
            ))
        };
    }
    if all(on.store.as_read(), &machine_arn)?.len() == ALIASES_MAX {
        // UNVERIFIED: AWS's wording.
        let text = format!("State machine aliases limit of {ALIASES_MAX} exceeded");
        return Err(Error::new("ServiceQuotaExceededException", text));
    }
    on.store.save(Table::StateMachineAliases, &alias.arn, &alias)?;
    Ok(created(&alias))
}

fn created(alias: &Alias) -> Value {
    value!({
        "stateMachineAliasArn": &alias.arn,
        "creationDate": alias.creation_millis as f64 / 1000.0,
    })
}

fn may_describe(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let arn = input.text("stateMachineAliasArn")?;
    Ok(vec![arn::check("states:DescribeStateMachineAlias", arn)])
}

fn describe(on: &Reading<'_>, input: &Value) -> Answer {
    let alias = find_alias(on.store, input.text("stateMachineAliasArn")?)?;
    Ok(created(&alias)
        .with("name", &alias.name)
        .with_some("description", alias.description.as_ref())
        .with("routingConfiguration", alias.routing())
        .with("updateDate", alias.update_millis as f64 / 1000.0))
}

fn may_list(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let arn = input.text("stateMachineArn")?;
    Ok(vec![arn::check("states:ListStateMachineAliases", arn)])
}

/// The aliases of a state machine, or those that lead to one of its versions.
fn list(on: &Reading<'_>, input: &Value) -> Answer {
    let found = arn::qualified(input.text("stateMachineArn")?)?;
    find(on.store, found.machine)?;
    let (after, limit) = page_of(input)?;
    let mut rows = all(on.store, found.machine)?;
    match found.qualifier {
        None => {}
        Some(Qualifier::Version(_)) => rows.retain(|(_, alias)| alias.leads_to(found.whole)),
        Some(Qualifier::Alias(_)) => return Err(error::resource_does_not_exist()),
    }
    let page = cut(rows, after.as_deref(), limit);
    let aliases: Value = page.items.iter().map(created).collect();
    Ok(value!({ "stateMachineAliases": aliases }).with_some("nextToken", page.next))
}

fn may_update(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let arn = input.text("stateMachineAliasArn")?;
    Ok(vec![arn::check("states:UpdateStateMachineAlias", arn)])
}

fn update(on: &mut Writing<'_>, input: &Value) -> Answer {
    let mut alias = find_alias(on.store.as_read(), input.text("stateMachineAliasArn")?)?;
    let (description, routing) =
        (input.maybe_text("description"), input.get("routingConfiguration"));
    if description.is_none() && routing.is_none() {
        // UNVERIFIED: AWS's wording.
        let text = "Either the description or the routing configuration must be specified";
        return Err(error::validation(text));
    }
    if let Some(description) = description {
        alias.description = Some(description.to_owned());
    }
    if routing.is_some() {
        let given = input.list("routingConfiguration");
        let (machine_arn, routes) = routes(on.store.as_read(), given)?;
        if arn::qualified(&alias.arn)?.machine != machine_arn {
            // UNVERIFIED: AWS's wording.
            let text = "Routing configuration must contain versions of the alias's state machine";
            return Err(error::validation(text));
        }
        alias.routing_configuration = routes;
    }
    alias.update_millis = on.call.now_millis;
    on.store.save(Table::StateMachineAliases, &alias.arn, &alias)?;
    Ok(value!({ "updateDate": on.call.now_seconds() }))
}

fn may_delete(_: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let arn = input.text("stateMachineAliasArn")?;
    Ok(vec![arn::check("states:DeleteStateMachineAlias", arn)])
}

fn delete(on: &mut Writing<'_>, input: &Value) -> Answer {
    let alias = find_alias(on.store.as_read(), input.text("stateMachineAliasArn")?)?;
    on.store.delete(Table::StateMachineAliases, &alias.arn)?;
    Ok(Value::object())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_hundredths_of_the_draws() {
        let route =
            |version: &str, weight| Route { state_machine_version_arn: version.to_owned(), weight };
        let alias = Alias {
            arn: "m:a".into(),
            name: "a".into(),
            description: None,
            routing_configuration: vec![route("m:1", 30), route("m:2", 70)],
            creation_millis: 0,
            update_millis: 0,
        };
        let first = (0..100).filter(|draw| alias.version(*draw) == "m:1").count();
        assert_eq!((first, alias.version(29), alias.version(30)), (30, "m:1", "m:2"));
        assert_eq!(alias.version(u64::MAX), alias.version(u64::MAX % 100));
    }
}
