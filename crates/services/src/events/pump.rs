//! The pump: moves events from the outbox to their targets, in the background.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use events::transform::Context;
use events::{EventPattern, InputPath};
use store::{Load, Scan, Store, Table, Transaction};
use tokio::sync::Notify;
use value::Value;

use super::rules::{self, Rule};
use super::{deliveries, schedules, targets};
use crate::kept::Kept;
use crate::{Call, Error, Input, Services};

/// How many events one transaction matches.
const EVENTS_PER_ROUND_MAX: usize = 128;
/// How long the pump sleeps at most while something is planned; a virtual clock may jump meanwhile.
const SLEEP_MILLIS_MAX: u64 = 200;
/// How many compiled patterns are kept; beyond that all are compiled anew.
const PATTERNS_KEPT_MAX: usize = 1_024;

/// Compiled patterns, and the bell that wakes the pump.
#[derive(Default)]
pub(crate) struct Pump {
    bell: Notify,
    /// Whether any rule could match an event of a source.
    heard: Kept<String, bool>,
    patterns: Mutex<HashMap<String, Arc<EventPattern>>>,
}

impl Pump {
    /// Says that there is something to move.
    pub(crate) fn wake(&self) {
        self.bell.notify_one();
    }

    /// Returns whether a rule might match an event of this source; when in doubt, it might.
    pub(crate) fn hears(&self, store: &Store, source: &str) -> bool {
        let heard = self.heard.get(store, source, || {
            let rules = store.read(rules::all)?;
            Ok::<_, Error>(rules.iter().any(|rule| rule.might_match_source(source)))
        });
        heard.unwrap_or(true)
    }

    fn pattern(&self, text: &str) -> Option<Arc<EventPattern>> {
        let mut patterns = self.patterns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = patterns.get(text) {
            return Some(found.clone());
        }
        // Stored patterns have been checked when they were put.
        let compiled = Arc::new(EventPattern::parse(text).ok()?);
        if patterns.len() >= PATTERNS_KEPT_MAX {
            patterns.clear();
        }
        patterns.insert(text.to_owned(), compiled.clone());
        Some(compiled)
    }

    /// Runs for ever.
    pub(crate) async fn run(&self, services: Arc<Services>) {
        loop {
            if !services.runtime().is_leader() {
                // Another node does this; if it dies, this one may become the one that does.
                tokio::time::sleep(Duration::from_millis(SLEEP_MILLIS_MAX)).await;
                continue;
            }
            let busy = services.runtime().clock().busy();
            let planned = match self.round(&services).await {
                Ok(planned) => planned,
                Err(err) => {
                    tracing::error!(error = %err, "events could not be moved; trying again");
                    true
                }
            };
            drop(busy);
            // Other nodes put events into the store without waking this one.
            if planned || services.store().is_shared() {
                let nap = Duration::from_millis(SLEEP_MILLIS_MAX);
                // Woken or not, the next round looks at everything.
                let _ = tokio::time::timeout(nap, self.bell.notified()).await;
            } else {
                self.bell.notified().await;
            }
        }
    }

    /// Moves everything that can be moved now; returns whether something is planned for later.
    async fn round(&self, services: &Arc<Services>) -> Result<bool, Error> {
        while self.match_events(services).await? {}
        let call = services.own_call();
        if services.store().read(schedules::next_due)?.is_some_and(|at| at <= call.now_millis) {
            let written = services.store().write(move |tx| schedules::run_due(tx, &call));
            written.await??;
        }
        loop {
            let now = services.runtime().clock().now_millis();
            let (due, later) = services.store().read(|store| deliveries::due(store, now))?;
            if due.is_empty() {
                let scheduled = services.store().read(schedules::next_due)?;
                return Ok(later.is_some() || scheduled.is_some());
            }
            let attempts: Vec<_> = due
                .into_iter()
                .map(|delivery| tokio::spawn(deliveries::attempt(services.clone(), delivery)))
                .collect();
            for attempt in attempts {
                attempt.await.map_err(|err| Error::internal(&err))??;
            }
        }
    }

    /// Matches events of the outbox against the rules; returns whether there were any.
    async fn match_events(&self, services: &Arc<Services>) -> Result<bool, Error> {
        let rows: Vec<(String, Value)> = services.store().read(|store| {
            store.load_all(Table::EventOutbox, Scan::prefix("").limit(EVENTS_PER_ROUND_MAX))
        })?;
        if rows.is_empty() {
            return Ok(false);
        }
        let rules = services.store().read(rules::all)?;
        let mut matched = Vec::new();
        for (key, stored) in rows {
            let rules = rules.iter().filter(|rule| {
                let pattern = rule.event_pattern.as_deref().and_then(|text| self.pattern(text));
                rule.is_enabled() && pattern.is_some_and(|pattern| pattern.matches(&stored))
            });
            matched.push((key, rules.cloned().collect::<Vec<_>>(), stored));
        }
        let call = services.own_call();
        let written = services.store().write(move |tx| -> Result<(), Error> {
            for (key, rules, event) in &matched {
                for rule in rules {
                    deliver_to_targets(tx, rule, event, &call)?;
                }
                tx.delete(Table::EventOutbox, key)?;
            }
            Ok(())
        });
        written.await??;
        Ok(true)
    }
}

/// Puts one event on its way to every target of a rule.
pub(super) fn deliver_to_targets(
    tx: &mut dyn Transaction,
    rule: &Rule,
    event: &Value,
    call: &Call,
) -> Result<(), Error> {
    let id = event.maybe_text("id").unwrap_or_default();
    for target in targets::of_rule(tx.as_read(), &rule.name)? {
        match input_of(&target, rule, event, call) {
            Ok(input) => deliveries::add(tx, rule, &target, id, input, call.now_millis)?,
            Err(what) => tracing::warn!(
                rule = %rule.arn, event = id, error = %what,
                "the input of a target could not be made; the event is not delivered to it"
            ),
        }
    }
    Ok(())
}

/// Returns the text that a target gets: the event, a part of it, a fixed text, or a new one.
fn input_of(target: &Value, rule: &Rule, event: &Value, call: &Call) -> Result<String, String> {
    if let Some(fixed) = target.maybe_text("Input") {
        return Ok(fixed.to_owned());
    }
    if let Some(path) = target.maybe_text("InputPath") {
        let path = InputPath::parse(path).map_err(|err| err.to_string())?;
        return Ok(path.apply(event).to_string());
    }
    if let Some(given) = target.get("InputTransformer") {
        let transformer = targets::transformer(given).map_err(|err| err.to_string())?;
        return Ok(transformer.apply(&Context {
            rule_arn: &rule.arn,
            rule_name: &rule.name,
            ingestion_millis: call.now_millis,
            event,
        }));
    }
    Ok(event.to_string())
}
