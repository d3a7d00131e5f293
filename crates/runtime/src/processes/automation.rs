//! Runbook executions on the runtime.

use std::collections::BTreeMap;
use std::sync::Arc;

use automation::{Effect as Wanted, Fact, Identity, Runbook, Started, State, StatusChange};
use events::Event;
use serde::{Deserialize, Serialize};
use store::Table;
use value::{SerdeError, Value};

use super::{newest_first, restored};
use crate::Error;
use crate::attachments::Attachments;
use crate::definitions::Definitions;
use crate::endpoint::{Call, CallError, Caller};
use crate::fleet::{self, FleetChild};
use crate::process::{Effect, Notice, Stamp, put};
use crate::scripts::Script;
use crate::{Kind, ProcessId, integrations};

/// How a runbook execution begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BeginAutomation {
    /// Key of the document's text in `Table::Definitions`.
    pub definition: String,
    /// Who runs what.
    pub started: Started,
    /// As whom calls are made.
    pub caller: Caller,
    /// `YAML` or `JSON`.
    pub format: String,
    /// What was asked for, to tell whether the same client token asks for the same.
    pub request: Value,
    /// The files attached to the document.
    #[serde(default)]
    pub attachments: Attachments,
    /// Who started it, as whom it starts other runbooks; the caller when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starter: Option<Box<policy::Principal>>,
    /// How many executions it is nested in.
    #[serde(default)]
    pub depth: u32,
    /// Its tags, which can be changed from then on.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

type Tags = BTreeMap<String, String>;

/// Returns the key under which the tags of an execution stand in `Table::Tags`.
pub fn automation_tags_key(id: &str) -> String {
    format!("automation-execution/{id}")
}

/// A running runbook execution.
pub(crate) struct AutomationProcess {
    runbook: Arc<Runbook>,
    kept: Kept,
}

/// What a snapshot holds.
#[derive(Serialize, Deserialize)]
struct Kept {
    id: String,
    begin: BeginAutomation,
    state: State,
}

impl AutomationProcess {
    pub(crate) fn begin(
        id: &str,
        begin: &BeginAutomation,
        stamp: &Stamp,
        definitions: &Definitions,
        effects: &mut Vec<Effect>,
    ) -> Result<AutomationProcess, Error> {
        let runbook = definitions.runbook(&begin.definition, &begin.format)?;
        let kept = Kept { id: id.to_owned(), begin: begin.clone(), state: State::default() };
        let mut process = AutomationProcess { runbook, kept };
        let index = format!("{}/{id}", newest_first(stamp.millis));
        effects.push(Effect::Write(put(Table::AutomationsByStart, &*index, &id.into())));
        if let Some(parent) = &begin.started.parent_execution_id {
            let index = format!("{parent}/{index}");
            effects.push(Effect::Write(put(Table::AutomationsByParent, index, &id.into())));
        }
        if !begin.tags.is_empty() {
            let tags = begin.tags.iter();
            let tags = tags.fold(Value::object(), |all, (key, tag)| all.with(&**key, &**tag));
            effects.push(Effect::Write(put(Table::Tags, automation_tags_key(id), &tags)));
        }
        process.apply(stamp, Fact::Started(Box::new(begin.started.clone())), effects);
        Ok(process)
    }

    pub(crate) fn apply(&mut self, stamp: &Stamp, fact: Fact, effects: &mut Vec<Effect>) {
        let moment = automation::Stamp { millis: stamp.millis, entropy: stamp.entropy };
        let wanted = automation::apply(&self.runbook, &mut self.kept.state, &moment, fact);
        let changed = !wanted.is_empty();
        for (number, effect) in wanted.into_iter().enumerate() {
            effects.extend(self.effect(effect, stamp, number));
        }
        if changed {
            effects.push(Effect::Write(self.record()));
        }
    }

    /// Returns the write of what GetAutomationExecution answers.
    fn record(&self) -> store::Write {
        let record = automation::record(&self.runbook, &self.kept.state)
            .with("$request", &self.kept.begin.request)
            .with_some("$depth", Some(self.kept.begin.depth).filter(|depth| *depth != 0));
        put(Table::Automations, &*self.kept.id, &record)
    }

    fn effect(&self, wanted: Wanted, stamp: &Stamp, number: usize) -> Option<Effect> {
        Some(match wanted {
            Wanted::Call(call) => Effect::Call {
                number: call.id,
                call: {
                    let operation = integrations::operation_name(&call.service, &call.operation);
                    let (caller, nested_in) = self.caller(call.identity);
                    let made = Call::new(caller, call.service, operation, call.input);
                    let made = made.of_effect(Some(self.effect_id(call.id)));
                    Box::new(Call { nested_in, ..made })
                },
            },
            Wanted::Script(script) => Effect::Script {
                number: script.id,
                script: Box::new(Script {
                    caller: self
                        .kept
                        .begin
                        .started
                        .assume_role
                        .is_some()
                        .then(|| self.kept.begin.caller.clone()),
                    attachments: self.kept.begin.attachments.clone(),
                    script: *script,
                }),
            },
            Wanted::Child(child) => {
                Effect::FleetChild { number: child.id, child: Box::new(self.child(*child)) }
            }
            Wanted::Timer { id, at_millis } => Effect::Arm { timer: id, at_millis },
            Wanted::CancelTimer { id } => Effect::Disarm { timer: id },
            Wanted::Cancel { id } => Effect::Cancel { number: id },
            Wanted::Event(change) => {
                let event = self.event(change, stamp);
                Effect::Notice(Box::new(Notice { event, stamp: *stamp, number }))
            }
            Wanted::Finish { .. } => Effect::Finished,
            // The record is written after every change.
            Wanted::Record => return None,
        })
    }

    /// Returns as whom a call is made, and the execution in which it starts another.
    fn caller(&self, identity: Identity) -> (Caller, Option<String>) {
        match identity {
            Identity::Worker => (self.kept.begin.caller.clone(), None),
            Identity::Starter => {
                let starter = self.kept.begin.starter.clone().map(Caller::Principal);
                let caller = starter.unwrap_or_else(|| self.kept.begin.caller.clone());
                (caller, Some(self.kept.id.clone()))
            }
        }
    }

    /// Returns how the execution for one target begins.
    fn child(&self, child: automation::Child) -> FleetChild {
        let mut begin = self.kept.begin.clone();
        let (parent, id) = (&self.kept.id, &child.execution_id);
        if let Caller::Role { session_name, source_arn, .. } = &mut begin.caller {
            session_name.clone_from(id);
            *source_arn = source_arn.replace(&**parent, id);
        }
        let started = &mut begin.started;
        started.rate = None;
        started.execution_id.clone_from(id);
        started.parent_execution_id = Some(parent.clone());
        started.target = Some(child.target);
        for (name, given) in child.parameters.as_object().into_iter().flat_map(value::Map::iter) {
            started.parameters.set(name.clone(), given.clone());
        }
        begin.request = Value::Null;
        begin.tags = Tags::new();
        begin.depth += 1;
        FleetChild { id: ProcessId::new(Kind::Automation, id), begin, wish: child.wish }
    }

    fn event(&self, change: StatusChange, stamp: &Stamp) -> Event {
        Event {
            id: String::new(),
            detail_type: change.detail_type,
            source: "aws.ssm".into(),
            account: self.kept.begin.started.account.clone(),
            time_millis: stamp.millis,
            region: self.kept.begin.started.region.clone(),
            resources: change.resources,
            detail: change.detail,
        }
    }

    pub(crate) fn effect_id(&self, call: u64) -> String {
        format!("automation/{}/{call}", self.kept.id)
    }

    pub(crate) fn answered(&self, call: u64, answer: Result<Value, CallError>) -> Fact {
        match answer {
            Ok(told) if self.kept.state.awaits_child(call) => {
                Fact::ChildEnded { id: call, end: fleet::end_of(&told) }
            }
            Ok(output) => Fact::CallSucceeded { id: call, output, request_id: None },
            Err(err) => Fact::CallFailed {
                id: call,
                error: automation::CallError { code: err.code, message: err.message },
            },
        }
    }

    pub(crate) fn outstanding(&self) -> Vec<Effect> {
        let stamp = Stamp { millis: 0, entropy: [0; 32] };
        let outstanding = self.kept.state.outstanding().into_iter();
        outstanding.filter_map(|effect| self.effect(effect, &stamp, 0)).collect()
    }

    pub(crate) fn snapshot(&self) -> Result<Value, SerdeError> {
        value::to_value(&self.kept)
    }

    pub(crate) fn restore(
        name: &str,
        snapshot: Value,
        definitions: &Definitions,
    ) -> Result<AutomationProcess, Error> {
        let kept: Kept = restored(name, snapshot)?;
        let runbook = definitions.runbook(&kept.begin.definition, &kept.begin.format)?;
        Ok(AutomationProcess { runbook, kept })
    }

    /// Returns whether it runs over many targets.
    pub(crate) fn has_children(&self) -> bool {
        self.kept.begin.started.rate.is_some()
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.kept.state.status().is_terminal()
    }
}
