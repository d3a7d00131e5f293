//! Deliveries: one event on its way to one target.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use store::{Load, Read, Save, Scan, Table, Transaction};
use value::{Value, value};

use super::rules::Rule;
use super::targets::Kind;
use crate::{Error, Input, Services};

/// How often a delivery is tried at most (EventBridge: 185 attempts over 24 hours).
const ATTEMPTS_MAX: u32 = 185;
/// How old an event may grow before it is given up.
const AGE_MILLIS_MAX: i64 = 24 * 60 * 60 * 1000;
/// The first pause between attempts; it doubles up to the longest.
const PAUSE_MILLIS: i64 = 1_000;
/// The longest pause between attempts.
const PAUSE_MILLIS_MAX: i64 = 10 * 60 * 1000;
/// How many deliveries one round takes.
const DELIVERIES_PER_ROUND_MAX: usize = 64;

/// A delivery as it is stored, by its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Delivery {
    pub(super) id: String,
    pub(super) event_id: String,
    pub(super) rule_arn: String,
    pub(super) target_arn: String,
    pub(super) role_arn: Option<String>,
    /// The text that the target gets.
    pub(super) input: String,
    pub(super) since_millis: i64,
    pub(super) attempts: u32,
    pub(super) not_before_millis: i64,
}

/// Puts a delivery on its way.
pub(super) fn add(
    store: &mut dyn Transaction,
    rule: &Rule,
    target: &Value,
    event_id: &str,
    input: String,
    now_millis: i64,
) -> Result<(), Error> {
    // The same event for the same target is the same delivery, however often it is matched.
    let id = format!("{event_id}/{}/{}", rule.name, target.text("Id")?);
    let delivery = Delivery {
        id: id.clone(),
        event_id: event_id.to_owned(),
        rule_arn: rule.arn.clone(),
        target_arn: target.text("Arn")?.to_owned(),
        role_arn: target.maybe_text("RoleArn").map(str::to_owned),
        input,
        since_millis: now_millis,
        attempts: 0,
        not_before_millis: now_millis,
    };
    Ok(store.save(Table::Deliveries, &id, &delivery)?)
}

/// Returns the deliveries that are due, and when the next one will be.
pub(super) fn due(
    store: &dyn Read,
    now_millis: i64,
) -> Result<(Vec<Delivery>, Option<i64>), Error> {
    let rows: Vec<(String, Delivery)> = store.load_all(Table::Deliveries, Scan::prefix(""))?;
    let all = rows.into_iter().map(|(_, delivery)| delivery);
    let (mut due, later): (Vec<_>, Vec<_>) =
        all.partition(|delivery| delivery.not_before_millis <= now_millis);
    due.truncate(DELIVERIES_PER_ROUND_MAX);
    Ok((due, later.iter().map(|delivery| delivery.not_before_millis).min()))
}

/// Makes one attempt and remembers how it went.
pub(super) async fn attempt(services: Arc<Services>, delivery: Delivery) -> Result<(), Error> {
    let outcome = match request(&delivery) {
        Ok((service, operation, input)) => {
            let caller = runtime::Caller::Role {
                role_arn: delivery.role_arn.clone().unwrap_or_default(),
                service: "events.amazonaws.com".into(),
                session_name: session_name(&delivery.id),
                source_arn: delivery.rule_arn.clone(),
            };
            let call = runtime::Call::new(caller, service, operation, input)
                .of_effect(Some(delivery.id.clone()))
                .of_process(format!("rule/{}", delivery.rule_arn).into());
            services
                .call_as(call)
                .await
                .map_err(|err| (err.status, format!("{}: {}", err.code, err.message)))
        }
        Err(what) => Err((400, what)),
    };
    let now = services.runtime().clock().now_millis();
    let settled = services.store().write(move |tx| -> Result<(), Error> {
        match outcome {
            Ok(_) => drop(tx.delete(Table::Deliveries, &delivery.id)?),
            Err((status, what)) => put_off(tx, delivery, status, &what, now)?,
        }
        Ok(())
    });
    settled.await?
}

/// Plans the next attempt, or gives up: after too many, after too long, or when the target said
/// that the request itself is wrong.
fn put_off(
    tx: &mut dyn Transaction,
    mut delivery: Delivery,
    status: u16,
    what: &str,
    now_millis: i64,
) -> Result<(), Error> {
    delivery.attempts += 1;
    let hopeless = (400..500).contains(&status) && status != 429;
    let too_old = now_millis - delivery.since_millis > AGE_MILLIS_MAX;
    if hopeless || too_old || delivery.attempts >= ATTEMPTS_MAX {
        tracing::warn!(
            rule = %delivery.rule_arn, target = %delivery.target_arn, event = %delivery.event_id,
            attempts = delivery.attempts, error = what, "an event could not be delivered; it is \
                given up"
        );
        tx.delete(Table::Deliveries, &delivery.id)?;
        return Ok(());
    }
    let pause = PAUSE_MILLIS.saturating_mul(1 << delivery.attempts.min(20)).min(PAUSE_MILLIS_MAX);
    delivery.not_before_millis = now_millis + pause;
    Ok(tx.save(Table::Deliveries, &delivery.id, &delivery)?)
}

/// Returns the call that delivers: service, operation, input.
fn request(delivery: &Delivery) -> Result<(&'static str, &'static str, Value), String> {
    match Kind::of(&delivery.target_arn) {
        Some(Kind::StateMachine) => {
            let input = value!({
                "stateMachineArn": &delivery.target_arn,
                "input": &delivery.input,
            });
            Ok(("stepfunctions", "StartExecution", input))
        }
        Some(Kind::Automation) => {
            let (_, definition) =
                delivery.target_arn.split_once("automation-definition/").unwrap_or_default();
            let (name, version) = definition.rsplit_once(':').unwrap_or((definition, "$DEFAULT"));
            let parameters = value::parse(&delivery.input)
                .map_err(|err| format!("the input of the target is not JSON: {err}"))?;
            let input = value!({
                "DocumentName": name,
                "DocumentVersion": version,
                "Parameters": parameters,
            });
            Ok(("ssm", "StartAutomationExecution", input))
        }
        None => Err("the target is neither a state machine nor an automation definition".into()),
    }
}

/// Returns a session name within AWS's alphabet, the same for every attempt.
fn session_name(delivery_id: &str) -> String {
    runtime::definition_key(delivery_id).chars().take(32).collect()
}
