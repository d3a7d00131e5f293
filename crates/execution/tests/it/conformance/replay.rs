//! A case is a small program: machines are created and executions run to their end at once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::children;
use asl::{AnyResource, Definition, Options, StateMachineType};
use execution::{
    Effect, Fact, HistoryEvent, MapRunFact, Payload, Stamp, Started, State, TimerId, apply,
};
use value::{Value, value};

use super::recorded::{self, Answers};
use super::{matching, normalise, test_states};

const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-east-1";
/// When every execution starts: 2025-01-01T00:00:00Z.
pub(crate) const START_MILLIS: i64 = 1_735_689_600_000;
/// No recorded execution takes more facts than this.
const FACTS_MAX: usize = 10_000;

/// Returns whether the engine alone can replay the case.
pub(crate) fn replayable(case: &Value) -> bool {
    let needs = case.get("needs").and_then(Value::as_array).unwrap_or_default();
    let execution = case.get("kind").and_then(Value::as_str) == Some("execution");
    let replayable = case.get("replayable").and_then(Value::as_bool) == Some(true);
    let steps = case.get("steps").and_then(Value::as_array).unwrap_or_default();
    let known = |operation: &str| {
        operation.starts_with("iam.")
            || matches!(
                operation,
                "stepfunctions.CreateStateMachine"
                    | "stepfunctions.StartExecution"
                    | "stepfunctions.GetExecutionHistory"
            )
    };
    let operations = || steps.iter().filter_map(|step| step.get("op").and_then(Value::as_str));
    let machines = case.get("state_machines").map(Value::to_string).unwrap_or_default();
    execution
        && replayable
        && needs.is_empty()
        && operations().all(known)
        && operations().any(|operation| operation.ends_with("GetExecutionHistory"))
        && !machines.contains(r#""Type":"Task""#)
}

/// Returns whether the case runs tasks, so that the recording must answer them.
pub(crate) fn has_tasks(case: &Value) -> bool {
    let steps = case.get("steps").and_then(Value::as_array).unwrap_or_default();
    let operations = || steps.iter().filter_map(|step| step.get("op").and_then(Value::as_str));
    let machines = case.get("state_machines").map(Value::to_string).unwrap_or_default();
    case.get("kind").and_then(Value::as_str) == Some("execution")
        && operations().any(|operation| operation.ends_with("GetExecutionHistory"))
        && machines.contains(r#""Type":"Task""#)
}

/// Replays a case whose tasks the recording answers, and returns where its histories differ.
pub(crate) fn run_with_recorded_answers(case: &Value) -> Vec<String> {
    let list = |name: &str, keep: fn(&Value) -> bool| -> Value {
        let items = case.get(name).and_then(Value::as_array).unwrap_or_default();
        items.iter().filter(|item| keep(item)).cloned().collect::<Vec<_>>().into()
    };
    // The answers were normalised when they were recorded; doing so twice would blur them.
    let normalise = list("normalise", |step| step.get("kind") != Some(&value!("set")));
    let keys = list("keys", |key| key.as_str().is_some_and(|key| key.contains("hist")));
    run(&case.clone().with("normalise", normalise).with("keys", keys))
}

/// Replays a case and returns where it differs from the recording.
pub(crate) fn run(case: &Value) -> Vec<String> {
    Replay::of(case).run(case)
}

pub(crate) struct Replay {
    answers: BTreeMap<usize, Value>,
    uids: BTreeMap<String, String>,
    /// How recorded tasks were answered, by the step that started their execution.
    recorded: BTreeMap<usize, Answers>,
}

impl Replay {
    pub(crate) fn of(case: &Value) -> Replay {
        let recorded = recorded::answers(case);
        Replay { answers: BTreeMap::new(), uids: BTreeMap::new(), recorded }
    }

    /// Carries out the steps of a case and compares what it saw.
    pub(crate) fn run(mut self, case: &Value) -> Vec<String> {
        let mut seen = Value::object();
        let steps = case.get("steps").and_then(Value::as_array).unwrap();
        for (index, step) in steps.iter().enumerate() {
            if let Some(key) = step.get("match").and_then(Value::as_str) {
                match self.value(step.get("value").unwrap()) {
                    Ok(found) => seen.set(key, found),
                    Err(why) => return vec![why],
                };
            } else if let Some(operation) = step.get("op").and_then(Value::as_str) {
                let params = match self.substitute(step.get("params").unwrap()) {
                    Ok(params) => params,
                    Err(why) => return vec![why],
                };
                match self.call(index, operation, &params) {
                    Ok(answer) => self.answers.insert(index, answer),
                    Err(why) => return vec![format!("{operation}: {why}")],
                };
            }
        }
        let known = self.known(case);
        matching::differences(case, &normalise::normalise(seen, case, ACCOUNT, REGION), &known)
    }

    fn call(&mut self, index: usize, operation: &str, params: &Value) -> Result<Value, String> {
        let text = |name: &str| params.get(name).and_then(Value::as_str).unwrap_or_default();
        Ok(match operation {
            "iam.CreateRole" => {
                let arn = format!("arn:aws:iam::{ACCOUNT}:role/{}", text("RoleName"));
                value!({"Role": {"Arn": arn}})
            }
            "iam.CreatePolicy" => value!({"Policy": {"Arn": "arn:aws:iam::1:policy/p"}}),
            "stepfunctions.CreateStateMachine" => {
                let options =
                    Options { machine_type: StateMachineType::Standard, resources: &AnyResource };
                Definition::parse(text("definition"), &options).map_err(|err| err.to_string())?;
                let name = text("name");
                let arn = format!("arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{name}");
                value!({
                    "stateMachineArn": arn, "name": name, "definition": text("definition"),
                    "roleArn": text("roleArn")
                })
            }
            "stepfunctions.StartExecution" => {
                let arn = text("stateMachineArn");
                let machine = self
                    .answers
                    .values()
                    .find(|answer| {
                        answer.get("stateMachineArn").and_then(Value::as_str) == Some(arn)
                    })
                    .ok_or("no such machine")?
                    .clone();
                let name = match text("name") {
                    "" => format!("{:08x}-0000-4000-8000-000000000000", self.answers.len()),
                    name => name.to_owned(),
                };
                let input = params.get("input").and_then(Value::as_str).unwrap_or("{}");
                let answers = self.recorded.remove(&index).unwrap_or_default();
                execute(&machine, &name, input, answers)?
            }
            "stepfunctions.TestState" => test_states::call(params)?,
            "stepfunctions.CreateActivity" => {
                let name = text("name");
                value!({
                    "activityArn": (format!("arn:aws:states:{REGION}:{ACCOUNT}:activity:{name}"))
                })
            }
            "lambda.CreateFunction" => {
                let name = text("FunctionName");
                value!({
                    "FunctionArn": (format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"))
                })
            }
            "sqs.CreateQueue" => {
                value!({"QueueUrl": (format!("http://queue/{ACCOUNT}/{}", text("QueueName")))})
            }
            "sns.CreateTopic" => {
                value!({"TopicArn": (format!("arn:aws:sns:{REGION}:{ACCOUNT}:{}", text("Name")))})
            }
            "stepfunctions.GetExecutionHistory" => {
                let arn = text("executionArn");
                let execution = self
                    .answers
                    .values()
                    .find(|answer| answer.get("executionArn").and_then(Value::as_str) == Some(arn))
                    .ok_or("no such execution")?;
                value!({
                    "events": execution.get("events").cloned(),
                    "ResponseMetadata": {"HTTPHeaders": {}, "HTTPStatusCode": 200}
                })
            }
            _ => Value::object(),
        })
    }

    fn substitute(&mut self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) => self.substitute_text(text)?.into(),
            Value::Array(items) => {
                let items: Result<Vec<Value>, String> =
                    items.iter().map(|item| self.substitute(item)).collect();
                items?.into()
            }
            Value::Object(members) => {
                let mut substituted = Value::object();
                for (key, member) in members.iter() {
                    substituted.set(key.clone(), self.substitute(member)?);
                }
                substituted
            }
            scalar => scalar.clone(),
        })
    }

    fn substitute_text(&mut self, text: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('\u{27e6}') {
            let (reference, behind) = behind.split_once('\u{27e7}').unwrap();
            out.push_str(before);
            out.push_str(&self.reference(reference)?);
            rest = behind;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn reference(&mut self, reference: &str) -> Result<String, String> {
        if reference == "account" {
            return Ok(ACCOUNT.to_owned());
        }
        if reference.starts_with("uid:") {
            let fresh = format!("zq{:06x}", 0x000a_1b2c + self.uids.len());
            return Ok(self.uids.entry(reference.to_owned()).or_insert(fresh).clone());
        }
        let (step, path) = reference.split_once(':').unwrap();
        let answer = self.answers.get(&step.parse().unwrap());
        let found = answer.and_then(|answer| at(answer, path));
        let text = |value: Value| value.as_str().map_or(value.to_string(), str::to_owned);
        found.map(text).ok_or_else(|| format!("no value at {reference}"))
    }

    fn value(&mut self, expression: &Value) -> Result<Value, String> {
        if let Some(step) = expression.get("$call").and_then(Value::as_i64) {
            let answer = self.answers.get(&usize::try_from(step).unwrap());
            let path = expression.get("$path").and_then(Value::as_str).unwrap_or_default();
            return answer
                .and_then(|answer| at(answer, path))
                .ok_or_else(|| format!("step {step} gave no answer"));
        }
        if let Some(members) = expression.get("$obj").and_then(Value::as_object) {
            let mut object = Value::object();
            for (key, member) in members.iter() {
                object.set(key.clone(), self.value(member)?);
            }
            return Ok(object);
        }
        if let Some(items) = expression.get("$list").and_then(Value::as_array) {
            let items: Result<Vec<Value>, String> =
                items.iter().map(|item| self.value(item)).collect();
            return Ok(items?.into());
        }
        match expression.get("$lit") {
            Some(literal) => self.substitute(literal),
            None => Err(format!("cannot evaluate {expression}")),
        }
    }

    /// The values that placeholders are known to stand for, as regular expressions.
    fn known(&mut self, case: &Value) -> BTreeMap<String, String> {
        let mut known = BTreeMap::new();
        for (token, info) in case.get("tokens").and_then(Value::as_object).unwrap().iter() {
            let values = info.get("values").and_then(Value::as_array).unwrap_or_default();
            let mut texts = Vec::new();
            for value in values {
                let Ok(text) = self.substitute_text(value.as_str().unwrap()) else { continue };
                texts.push(regex::escape(&normalise::generic(&text, ACCOUNT, REGION)));
            }
            if !texts.is_empty() && texts.len() == values.len() {
                known.insert(token.to_string(), texts.join("|"));
            }
        }
        known
    }
}

/// Follows `a.b[0].c`.
fn at(value: &Value, path: &str) -> Option<Value> {
    let mut found = value.clone();
    for step in path.split(['.', '[', ']']).filter(|step| !step.is_empty()) {
        found = match (&found, step.parse::<usize>()) {
            (Value::Array(items), Ok(index)) => items.get(index)?.clone(),
            _ => found.get(step)?.clone(),
        };
    }
    Some(found)
}

/// Runs an execution to its end, jumping from timer to timer.
fn execute(machine: &Value, name: &str, input: &str, answers: Answers) -> Result<Value, String> {
    let text = |key: &str| machine.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let options = Options { machine_type: StateMachineType::Standard, resources: &AnyResource };
    let definition =
        Definition::parse(&text("definition"), &options).map_err(|err| err.to_string())?;
    let arn = format!("arn:aws:states:{REGION}:{ACCOUNT}:execution:{}:{name}", text("name"));
    let started = Started {
        input: Payload::parse(input).map_err(|err| err.to_string())?,
        execution_arn: arn.clone(),
        execution_name: name.to_owned(),
        role_arn: text("roleArn"),
        state_machine_arn: text("stateMachineArn"),
        state_machine_name: text("name"),
        state_machine_alias_arn: None,
        state_machine_version_arn: None,
        region: REGION.to_owned(),
        history: execution::HistoryMode::Recorded,
        child: None,
    };
    let events = drive(&definition, Fact::Started(Box::new(started)), answers)?;
    // What is stored shares texts between events; one by one they read the same.
    let stored = HistoryEvent::list_to_json(&events);
    let each: Vec<String> = events.iter().map(HistoryEvent::to_json).collect();
    assert_eq!(stored, format!("[{}]", each.join(",")));
    let events: Vec<Value> = events.iter().map(HistoryEvent::to_value).collect();
    assert_eq!(stored, Value::from(events.clone()).to_string());
    Ok(value!({"executionArn": arn, "events": (Value::from(events))}))
}

/// Feeds the engine its own timers, each at its time, and returns the whole history.
fn drive(
    definition: &Definition,
    first: Fact,
    mut answers: Answers,
) -> Result<Vec<HistoryEvent>, String> {
    let mut state = State::default();
    let mut timers: BTreeSet<(i64, TimerId)> = BTreeSet::new();
    let mut events = Vec::new();
    let mut next = Some((START_MILLIS, first));
    let mut answered: VecDeque<Fact> = VecDeque::new();
    for fact_number in 0..FACTS_MAX {
        let Some((millis, fact)) = next.take() else { return Ok(events) };
        let entropy =
            std::array::from_fn(|index| u8::try_from((fact_number + index) % 251).unwrap());
        for effect in apply(definition, &mut state, &Stamp { millis, entropy }, fact) {
            match effect {
                Effect::Record(recorded) => events.extend(recorded),
                Effect::Timer { timer, at_millis } => {
                    timers.insert((at_millis, timer));
                }
                Effect::CancelTimer { timer } => timers.retain(|(_, open)| *open != timer),
                Effect::Call(call) => answered.extend(answers.next(&call)),
                Effect::Child(child) => {
                    let (task, end) = children::run(definition, millis, &child);
                    let fact = MapRunFact::ChildEnded(Box::new(end));
                    answered.push_back(Fact::MapRun { task, fact });
                }
                Effect::CancelCall { .. }
                | Effect::Look(_)
                | Effect::Withdraw(_)
                | Effect::StopChild(_)
                | Effect::ChildRecord { .. }
                | Effect::Items { .. }
                | Effect::ItemsGone { .. }
                | Effect::Pending { .. }
                | Effect::Results { .. }
                | Effect::MapRun(_)
                | Effect::Finish(_) => {}
            }
        }
        if let Some(fact) = answered.pop_front() {
            next = Some((millis, fact));
            continue;
        }
        next = timers.pop_first().map(|(at_millis, timer)| (at_millis, Fact::TimerFired { timer }));
    }
    Err("the execution does not end".to_owned())
}
