//! A process as a start would find it, made of nothing but what is durable.

use std::sync::Arc;

use execution::{Effect, HistoryEvent, HistoryMode, Payload};
use runtime::{Begin, BeginAutomation, BeginExecution, Fact, Kind, ProcessId};
use value::Value;

use super::Meant;
use super::errands::Errands;
use crate::workload::Furniture;

/// A stamp as the journal has it: milliseconds, and 64 hexadecimal digits.
#[derive(serde::Deserialize)]
pub(super) struct StampText(i64, String);

impl StampText {
    fn entropy(&self) -> [u8; 32] {
        let mut entropy = [0; 32];
        for (at, byte) in entropy.iter_mut().enumerate() {
            let digits = self.1.get(2 * at..2 * at + 2).unwrap_or_default();
            *byte = u8::from_str_radix(digits, 16).unwrap_or_default();
        }
        entropy
    }
}

/// A process.
pub(super) enum Shadow {
    Execution { definition: Arc<asl::Definition>, state: Box<execution::State>, errands: Errands },
    Automation { runbook: Arc<automation::Runbook>, state: Box<automation::State> },
}

fn machine(begin: &BeginExecution) -> Result<Arc<asl::Definition>, String> {
    let furniture = Furniture::of_every_world().map_err(|err| err.to_string())?;
    furniture.machine(&begin.definition).ok_or_else(|| "an unknown definition".to_owned())
}

fn runbook() -> Result<Arc<automation::Runbook>, String> {
    Ok(Furniture::of_every_world().map_err(|err| err.to_string())?.runbook())
}

impl Shadow {
    /// Returns a process that begins, and the history rows that this means.
    pub(super) fn begin(
        id: &ProcessId,
        begin: &Begin,
        stamp: &StampText,
    ) -> Result<(Shadow, Meant), String> {
        match begin {
            Begin::Execution(begin) => {
                let definition = machine(begin)?;
                let (state, errands) = (Box::default(), Errands::default());
                let mut shadow = Shadow::Execution { definition, state, errands };
                let started = started(id.name(), begin)?;
                let fact = Fact::Execution(execution::Fact::Started(Box::new(started)));
                let rows = shadow.apply_to(Some(id.name()), stamp, fact)?;
                Ok((shadow, rows))
            }
            Begin::Automation(BeginAutomation { started, .. }) => {
                let mut shadow = Shadow::Automation { runbook: runbook()?, state: Box::default() };
                let fact = automation::Fact::Started(Box::new(started.clone()));
                let rows = shadow.apply_to(None, stamp, Fact::Automation(fact))?;
                Ok((shadow, rows))
            }
            Begin::Stack(_) => Err("no stack was begun".to_owned()),
        }
    }

    /// Applies a fact and returns the history rows that this means.
    pub(super) fn apply(&mut self, stamp: &StampText, fact: Fact) -> Result<Meant, String> {
        let arn = match self {
            Shadow::Execution { state, .. } => {
                state.started().map(|started| started.execution_arn.clone())
            }
            Shadow::Automation { .. } => None,
        };
        self.apply_to(arn.as_deref(), stamp, fact)
    }

    fn apply_to(
        &mut self,
        arn: Option<&str>,
        stamp: &StampText,
        fact: Fact,
    ) -> Result<Meant, String> {
        let (millis, entropy) = (stamp.0, stamp.entropy());
        let mut rows = Meant::new();
        match (self, fact) {
            (Shadow::Execution { definition, state, errands }, Fact::Execution(fact)) => {
                let stamp = execution::Stamp { millis, entropy };
                for effect in execution::apply(definition, state, &stamp, fact) {
                    match effect {
                        Effect::Record(events) => {
                            let Some(first) = events.first() else { continue };
                            let key = format!("{}/{:08}", arn.unwrap_or_default(), first.id);
                            rows.insert(key, HistoryEvent::list_to_json(&events).into_bytes());
                        }
                        Effect::Withdraw(job) => errands.withdrawn(&job),
                        Effect::Finish(_) => errands.ended(),
                        _ => {}
                    }
                }
            }
            (Shadow::Execution { state, errands, .. }, Fact::Watched(watcher)) => {
                if state.status() == execution::Status::Running {
                    errands.watched(watcher);
                }
            }
            (Shadow::Execution { errands, .. }, Fact::ErrandDone(done)) => errands.done(&done),
            (Shadow::Automation { runbook, state }, Fact::Automation(fact)) => {
                let stamp = automation::Stamp { millis, entropy };
                automation::apply(runbook, state, &stamp, fact);
            }
            _ => return Err("a fact of another kind".to_owned()),
        }
        Ok(rows)
    }

    /// Returns how many history events there are.
    pub(super) fn history_events(&self) -> Option<u64> {
        match self {
            Shadow::Execution { state, .. } => Some(state.history_events()),
            Shadow::Automation { .. } => None,
        }
    }

    /// Returns whether it has ended and still has children to stop, or errands.
    pub(super) fn lingers(&self) -> bool {
        match self {
            Shadow::Execution { state, errands, .. } => {
                state.status() != execution::Status::Running
                    && (!state.is_over() || errands.are_open())
            }
            Shadow::Automation { .. } => false,
        }
    }

    /// Returns the ids of the effects that are asked for and not answered.
    pub(super) fn asks(&self, id: &ProcessId) -> Vec<String> {
        match self {
            Shadow::Execution { state, errands, .. } => execution::outstanding(state)
                .into_iter()
                .filter_map(|effect| match effect {
                    Effect::Call(call) => Some(u64::from(call.task.0)),
                    _ => None,
                })
                .chain(errands.calls())
                .map(|number| format!("{}/{number}", id.name()))
                .collect(),
            Shadow::Automation { state, .. } => state
                .outstanding()
                .into_iter()
                .filter_map(|effect| match effect {
                    automation::Effect::Call(call) => {
                        Some(format!("automation/{}/{}", id.name(), call.id))
                    }
                    _ => None,
                })
                .collect(),
        }
    }

    fn to_value(&self) -> Option<Value> {
        match self {
            Shadow::Execution { state, .. } => value::to_value(state).ok(),
            Shadow::Automation { state, .. } => value::to_value(state).ok(),
        }
    }
}

/// How an execution is told that it begins; as the runtime does.
fn started(arn: &str, begin: &BeginExecution) -> Result<execution::Started, String> {
    Ok(execution::Started {
        input: Payload::parse(&begin.input).map_err(|err| err.to_string())?,
        execution_arn: arn.to_owned(),
        execution_name: begin.name.clone(),
        role_arn: begin.role_arn.clone(),
        state_machine_arn: begin.state_machine_arn.clone(),
        state_machine_name: begin.state_machine_name.clone(),
        state_machine_alias_arn: None,
        state_machine_version_arn: None,
        region: begin.region.clone(),
        history: HistoryMode::Recorded,
        child: begin.child.clone(),
    })
}

/// The row of a process.
pub(super) struct Row {
    kind: Kind,
    head: Value,
    kept: Value,
}

/// Returns the process whose row has this key.
pub(super) fn id_of(key: &str) -> Option<ProcessId> {
    let (_, name) = key.split_once('/')?;
    let (kind, name) = name.split_once('/')?;
    let kind = match kind {
        "execution" => Kind::Execution,
        "automation" => Kind::Automation,
        _ => return None,
    };
    Some(ProcessId::new(kind, name))
}

impl Row {
    pub(super) fn read(key: &str, bytes: &[u8]) -> Result<(ProcessId, Row), String> {
        let id = id_of(key).ok_or_else(|| format!("the row {key} is nobody's"))?;
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (head, kept) = bytes.split_at(end.ok_or("a row without a first line")?);
        let (head, kept) = (super::read(head)?, super::read(kept)?);
        Ok((id.clone(), Row { kind: id.kind(), head, kept }))
    }

    /// Returns the row of what remains of an execution.
    pub(super) fn of_remains(kept: Value) -> Row {
        Row { kind: Kind::Execution, head: Value::object(), kept }
    }

    /// Returns whether this is what remains of an execution.
    pub(super) fn holds(&self, kept: &Value) -> bool {
        self.kept == *kept
    }

    /// Returns whether the process stays in memory.
    pub(super) fn is_of_a_checkpoint(&self) -> bool {
        self.head.get("timers").is_none_or(Value::is_null)
    }

    /// Returns whether this is the same process in the same state.
    pub(super) fn is(&self, shadow: &Shadow) -> bool {
        shadow.to_value().as_ref() == self.kept.get("state")
    }

    pub(super) fn into_shadow(self) -> Result<Shadow, String> {
        let part = |name: &str| self.kept.get(name).cloned().unwrap_or_default();
        let wrong = |err: value::SerdeError| err.to_string();
        Ok(match self.kind {
            Kind::Execution => {
                let begin: BeginExecution = value::from_value(part("begin")).map_err(wrong)?;
                let state = value::from_value(part("state")).map_err(wrong)?;
                let errands = value::from_value(part("errands")).map_err(wrong)?;
                Shadow::Execution { definition: machine(&begin)?, state: Box::new(state), errands }
            }
            Kind::Automation => {
                let state = value::from_value(part("state")).map_err(wrong)?;
                Shadow::Automation { runbook: runbook()?, state: Box::new(state) }
            }
            Kind::Stack => return Err("no stack was begun".to_owned()),
        })
    }
}
