//! Drives an execution with facts and answers its calls from a closure.

use automation::{
    Call, CallError, Effect, Fact, Format, Runbook, Script, Stamp, Started, State, Status, apply,
    record,
};
use value::{Value, value};

/// The moment at which every execution starts.
pub(crate) const START_MILLIS: i64 = 1_583_737_233_748;

/// One execution and all that it has asked for.
pub(crate) struct Driver {
    pub(crate) runbook: Runbook,
    pub(crate) state: State,
    pub(crate) effects: Vec<Effect>,
    pub(crate) facts: Vec<(Stamp, Fact)>,
    pub(crate) now_millis: i64,
}

impl Driver {
    /// Returns an execution that has not started.
    pub(crate) fn new(yaml: &str) -> Driver {
        let runbook = Runbook::parse(yaml, Format::Yaml).unwrap_or_else(|err| panic!("{err}"));
        Driver {
            runbook,
            state: State::default(),
            effects: Vec::new(),
            facts: Vec::new(),
            now_millis: START_MILLIS,
        }
    }

    /// Returns an execution that has started.
    pub(crate) fn started(yaml: &str, parameters: Value) -> Driver {
        let mut driver = Driver::new(yaml);
        driver.fact(Fact::Started(Box::new(started(parameters))));
        driver
    }

    /// Applies a fact and returns its effects without records and events.
    pub(crate) fn fact(&mut self, fact: Fact) -> Vec<Effect> {
        let mut entropy = [0; 32];
        entropy[0] = u8::try_from(self.facts.len() % 256).unwrap();
        let stamp = Stamp { millis: self.now_millis, entropy };
        self.facts.push((stamp, fact.clone()));
        let effects = apply(&self.runbook, &mut self.state, &stamp, fact);
        self.effects.extend(effects.clone());
        effects.into_iter().filter(|it| !matches!(it, Effect::Record | Effect::Event(_))).collect()
    }

    /// Returns the call that waits for its answer.
    pub(crate) fn call(&self) -> Option<Call> {
        self.state.outstanding().into_iter().find_map(|effect| match effect {
            Effect::Call(call) => Some(call),
            _ => None,
        })
    }

    /// Returns the script that waits for its answer.
    pub(crate) fn script(&self) -> Option<Script> {
        self.state.outstanding().into_iter().find_map(|effect| match effect {
            Effect::Script(script) => Some(*script),
            _ => None,
        })
    }

    /// Lets time pass up to the next timer and fires it.
    pub(crate) fn next_timer(&mut self) -> Vec<Effect> {
        let timers = self.state.outstanding().into_iter().filter_map(|effect| match effect {
            Effect::Timer { id, at_millis } => Some((at_millis, id)),
            _ => None,
        });
        let (at_millis, id) = timers.min().expect("a timer");
        self.now_millis = at_millis;
        self.fact(Fact::TimerFired { id })
    }

    /// Answers the waiting call.
    pub(crate) fn answer(&mut self, answer: Result<Value, CallError>) -> Vec<Effect> {
        let id = self.call().expect("a call").id;
        self.now_millis += 100;
        match answer {
            Ok(output) => {
                let request_id = Some("c45a9839".to_owned());
                self.fact(Fact::CallSucceeded { id, output, request_id })
            }
            Err(error) => self.fact(Fact::CallFailed { id, error }),
        }
    }

    /// Answers calls until there are none.
    pub(crate) fn answer_all(
        &mut self,
        mut answer: impl FnMut(&str, &Value) -> Result<Value, CallError>,
    ) -> Vec<(String, Value)> {
        let mut calls = Vec::new();
        while let Some(call) = self.call() {
            calls.push((call.operation.clone(), call.input.clone()));
            let answer = answer(&call.operation, &call.input);
            self.answer(answer);
        }
        calls
    }

    pub(crate) fn record(&self) -> Value {
        record(&self.runbook, &self.state)
    }

    pub(crate) fn status(&self) -> Status {
        self.state.status()
    }

    /// Returns the record of a step.
    pub(crate) fn step(&self, name: &str) -> Value {
        let record = self.record();
        let steps = record.get("StepExecutions").and_then(Value::as_array).unwrap();
        let is_it = |step: &&Value| step.get("StepName").and_then(Value::as_str) == Some(name);
        steps.iter().find(is_it).cloned().expect("a step of that name")
    }

    /// Returns the statuses of all steps, in order.
    pub(crate) fn step_statuses(&self) -> Vec<String> {
        let record = self.record();
        let steps = record.get("StepExecutions").and_then(Value::as_array).unwrap();
        steps
            .iter()
            .map(|step| step.get("StepStatus").unwrap().as_str().unwrap().to_owned())
            .collect()
    }
}

/// Who starts what in these tests.
pub(crate) fn started(parameters: Value) -> Started {
    Started {
        execution_id: "73c8eef8-f4ee-4a05-820c-e354f0000000".to_owned(),
        document_name: "Example".to_owned(),
        document_version: "1".to_owned(),
        parameters,
        executed_by: "arn:aws:sts::111122223333:assumed-role/starter/session".to_owned(),
        assume_role: Some("arn:aws:iam::111122223333:role/worker".to_owned()),
        account: "111122223333".to_owned(),
        region: "eu-central-1".to_owned(),
        partition: "aws".to_owned(),
        ..Started::default()
    }
}

/// Returns an error as a service gives it.
pub(crate) fn error(code: &str, message: &str) -> CallError {
    CallError { code: code.to_owned(), message: message.to_owned() }
}

/// Returns a runbook around these steps, with a few parameters and variables.
pub(crate) fn document(steps: &str) -> String {
    let head = r#"
schemaVersion: "0.3"
parameters:
  Name: {type: String, default: bob}
  Count: {type: Integer, default: 3}
  Flag: {type: Boolean, default: true}
  List: {type: StringList, default: [a, b]}
variables:
  Seen: {type: String, default: ""}
  Total: {type: Integer, default: 0}
mainSteps:
"#;
    format!("{head}{steps}")
}

/// An empty answer.
pub(crate) fn nothing() -> Value {
    value!({})
}
