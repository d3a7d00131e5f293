//! Stack operations on the runtime.

use serde::{Deserialize, Serialize};
use stacks::{Effect as Wanted, Fact, State};
use store::Table;
use value::{SerdeError, Value, value};

use super::restored;
use crate::Error;
use crate::endpoint::{Call, CallError, Caller};
use crate::process::{Effect, Stamp, put};

/// More events than a stack ever has: keys count down, so that the newest comes first.
const EVENTS_MAX: u64 = 9_999_999_999;

/// Returns the key of a stack's event; events are counted from 1.
pub fn stack_event_key(stack_id: &str, number: u64) -> String {
    format!("{stack_id}/{:010}", EVENTS_MAX.saturating_sub(number))
}

/// How a stack operation begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BeginStack {
    /// The stack.
    pub stack_id: String,
    /// The stack as it stood before the operation.
    pub state: State,
    /// What is asked: to create, update or delete it.
    pub request: Fact,
    /// As whom resources are made.
    pub caller: Caller,
    /// What the API keeps beside the state: tags, creation time, capabilities …
    pub about: Value,
    /// How many events the stack has had.
    pub events: u64,
}

/// A running stack operation.
pub(crate) struct StackProcess {
    kept: Kept,
}

/// What a snapshot holds.
#[derive(Serialize, Deserialize)]
struct Kept {
    id: String,
    stack_id: String,
    caller: Caller,
    about: Value,
    events: u64,
    state: State,
    /// The engine's names of calls; the runtime's numbers are their positions.
    calls: Vec<String>,
    finished: bool,
}

impl StackProcess {
    pub(crate) fn begin(
        id: &str,
        begin: &BeginStack,
        stamp: &Stamp,
        effects: &mut Vec<Effect>,
    ) -> StackProcess {
        let kept = Kept {
            id: id.to_owned(),
            stack_id: begin.stack_id.clone(),
            caller: begin.caller.clone(),
            about: begin.about.clone(),
            events: begin.events,
            state: begin.state.clone(),
            calls: Vec::new(),
            finished: false,
        };
        let mut process = StackProcess { kept };
        let known = value!({ "stackId": &begin.stack_id });
        effects.push(Effect::Write(put(Table::StackOperations, id, &known)));
        process.apply(stamp, begin.request.clone(), effects);
        process
    }

    pub(crate) fn apply(&mut self, stamp: &Stamp, fact: Fact, effects: &mut Vec<Effect>) {
        let moment = stacks::Stamp { millis: stamp.millis, entropy: stamp.entropy };
        for wanted in stacks::apply(&mut self.kept.state, fact, &moment) {
            let effect = self.effect(wanted);
            effects.push(effect);
        }
        effects.push(Effect::Write(self.record()));
    }

    /// Returns the write of what DescribeStacks answers from.
    fn record(&self) -> store::Write {
        let state = value::to_value(&self.kept.state).unwrap_or_default();
        let record = value!({
            "state": state,
            "about": &self.kept.about,
            "events": self.kept.events,
        });
        put(Table::Stacks, &*self.kept.stack_id, &record)
    }

    fn number(&mut self, id: &str) -> u64 {
        let known = self.kept.calls.iter().position(|known| known == id);
        let at = known.unwrap_or_else(|| {
            self.kept.calls.push(id.to_owned());
            self.kept.calls.len() - 1
        });
        at as u64
    }

    fn effect(&mut self, wanted: Wanted) -> Effect {
        match wanted {
            Wanted::Call { id, service, operation, input } => {
                let number = self.number(&id);
                self.call(number, service, operation, input)
            }
            Wanted::Record(event) => {
                self.kept.events += 1;
                let key = stack_event_key(&self.kept.stack_id, self.kept.events);
                let event = value::to_value(&event).unwrap_or_default();
                Effect::Write(put(Table::StackEvents, key, &event))
            }
            Wanted::Finish { .. } => {
                self.kept.finished = true;
                Effect::Finished
            }
        }
    }

    fn call(&self, number: u64, service: String, operation: String, input: Value) -> Effect {
        let effect_id = Some(self.effect_id(number));
        let caller = self.kept.caller.clone();
        let call = Call::new(caller, service, operation, input).of_effect(effect_id);
        Effect::Call { number, call: Box::new(call) }
    }

    pub(crate) fn effect_id(&self, number: u64) -> String {
        format!("stack/{}/{number}", self.kept.id)
    }

    /// Returns the fact that an answered call is; `None` for a number never given out.
    pub(crate) fn answered(&self, call: u64, answer: Result<Value, CallError>) -> Option<Fact> {
        let id = self.kept.calls.get(usize::try_from(call).ok()?)?.clone();
        Some(match answer {
            Ok(output) => Fact::CallSucceeded { id, output },
            Err(err) => Fact::CallFailed { id, code: err.code, message: err.message },
        })
    }

    pub(crate) fn outstanding(&self) -> Vec<Effect> {
        let mut effects = Vec::new();
        for wanted in stacks::outstanding(&self.kept.state) {
            if let Wanted::Call { id, service, operation, input } = wanted
                && let Some(number) = self.kept.calls.iter().position(|known| *known == id)
            {
                effects.push(self.call(number as u64, service, operation, input));
            }
        }
        effects
    }

    pub(crate) fn snapshot(&self) -> Result<Value, SerdeError> {
        value::to_value(&self.kept)
    }

    pub(crate) fn restore(name: &str, snapshot: Value) -> Result<StackProcess, Error> {
        Ok(StackProcess { kept: restored(name, snapshot)? })
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.kept.finished
    }
}
