//! The conformance cases of our own, `conformance/automation/*.yaml`: what every action asks for and
//! what becomes of a run, told as data.
//!
//! A file holds `cases`; a file that is named after an action also `cannot`, which says why the
//! action has no case of a kind. A case:
//!
//! - `name`, and `shows`: one or more of [`KINDS`], which must have happened then, or `rule` for
//!   anything else;
//! - `steps`, `parameters`, `variables`, `outputs`: those of the document; `start`: the parameters
//!   given at the start;
//! - `events`: what happens, in order. Each thing asked for is told here, with its exact input:
//!   `call: service:Operation` with `answer` or `error`; `script: handler` with `returns` or `raises`;
//!   `timer: seconds` (the next one, due in so many); `told: service:Operation`, a call whose answer
//!   nobody waits for; `stop: Cancel`; `signal: {Approve: {…}}`; `sees`: statuses by step, and of
//!   `execution`, at this moment;
//! - what is expected: `status`, `message` (without the sentence that all of them end with), `ends`
//!   (`name Status` of all records, in order), `execution` and `step` (parts of their records).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use automation::{
    Call, CallError, Effect, Fact, Format, Runbook, Signal, State, StopType, actions, document,
    failure,
};
use value::{Value, value};

use crate::driver::{Driver, START_MILLIS};

/// What every action must show.
const KINDS: [&str; 5] = ["happy", "failure", "timeout", "retry", "cancel"];

/// Files that are about more than one action.
const TOPICS: [&str; 3] = ["flow", "interpolation", "outputs"];

struct File {
    stem: String,
    content: Value,
}

fn files() -> Vec<File> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/automation");
    let mut files: Vec<File> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let content = document::read(&text, Format::Yaml);
            let content = content.unwrap_or_else(|err| panic!("{}: {err}", path.display()));
            File { stem: path.file_stem().unwrap().to_str().unwrap().to_owned(), content }
        })
        .collect();
    files.sort_by(|one, other| one.stem.cmp(&other.stem));
    files
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).unwrap_or_default()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Returns what a case shows.
fn shows(case: &Value) -> Vec<&str> {
    match case.get("shows") {
        Some(Value::String(one)) => vec![one],
        Some(many) => many.as_array().unwrap().iter().filter_map(Value::as_str).collect(),
        None => panic!("{case}: what does it show?"),
    }
}

#[test]
fn every_case_holds() {
    let (mut count, mut failed) = (0, Vec::new());
    for file in files() {
        for case in list(&file.content, "cases") {
            let run = || Case::new(&file.stem, case).run();
            // All are tried, so that one run tells of all that are wrong.
            if std::panic::catch_unwind(run).is_err() {
                failed.push(format!("{}: {}", file.stem, text(case, "name")));
            }
            count += 1;
        }
    }
    println!("{count} cases");
    assert!(failed.is_empty(), "{} of {count} failed:\n{}", failed.len(), failed.join("\n"));
    assert!(100 < count, "only {count} cases were found");
}

#[test]
fn every_action_has_cases_of_every_kind() {
    let files = files();
    let stem = |name: &str| name.strip_prefix("aws:").unwrap().to_owned();
    let actions: BTreeSet<String> =
        actions::ACTIONS.iter().map(|action| stem(action.name)).collect();
    let mut lacking = Vec::new();
    for action in &actions {
        let file = files.iter().find(|file| file.stem == *action);
        let shown: BTreeSet<&str> =
            file.iter().flat_map(|file| list(&file.content, "cases")).flat_map(shows).collect();
        let cannot = file.and_then(|file| file.content.get("cannot")).cloned().unwrap_or_default();
        for kind in KINDS {
            match (shown.contains(kind), text(&cannot, kind)) {
                (false, "") => lacking.push(format!("aws:{action} has no case of kind {kind}")),
                (true, "") | (false, _) => {}
                (true, why) => panic!("aws:{action} has a case of kind {kind}, yet: {why}"),
            }
        }
    }
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
    for file in files {
        let known = actions.contains(&file.stem) || TOPICS.contains(&&*file.stem);
        assert!(known, "{} is neither an action nor a topic", file.stem);
    }
}

#[test]
fn every_input_of_every_action_is_given_in_a_case() {
    let files = files();
    let cases = files.iter().flat_map(|file| list(&file.content, "cases"));
    let mut given = BTreeSet::new();
    let mut open: Vec<&Value> = cases.flat_map(|case| list(case, "steps")).collect();
    while let Some(step) = open.pop() {
        let inputs = step.get("inputs").unwrap_or(&Value::Null);
        // Steps of a loop.
        open.extend(list(inputs, "Steps"));
        let names = inputs.as_object().into_iter().flat_map(value::Map::keys);
        given.extend(names.map(|name| format!("{}: {name}", text(step, "action"))));
    }
    let names = actions::ACTIONS.iter().map(|action| action.name);
    let inputs = names.flat_map(|name| {
        actions::inputs_of(name).iter().map(move |input| format!("{name}: {input}"))
    });
    let lacking: Vec<String> = inputs.filter(|input| !given.contains(input)).collect();
    assert!(lacking.is_empty(), "in no case:\n{}", lacking.join("\n"));
}

struct Case<'a> {
    name: String,
    data: &'a Value,
    driver: Driver,
    /// Calls that nobody waits for and no event has told of.
    told: Vec<Call>,
    /// How many effects were looked through for them.
    seen: usize,
}

impl<'a> Case<'a> {
    fn new(stem: &str, case: &'a Value) -> Case<'a> {
        let name = format!("{stem}: {}", text(case, "name"));
        let mut document = value!({"schemaVersion": "0.3"});
        document.set("mainSteps", case.get("steps").cloned().unwrap_or_default());
        for key in ["parameters", "variables", "outputs"] {
            if let Some(part) = case.get(key) {
                document.set(key, part.clone());
            }
        }
        let runbook = Runbook::from_value(&document).unwrap_or_else(|err| panic!("{name}: {err}"));
        let driver = Driver {
            runbook,
            state: State::default(),
            effects: Vec::new(),
            facts: Vec::new(),
            now_millis: START_MILLIS,
        };
        Case { name, data: case, driver, told: Vec::new(), seen: 0 }
    }

    fn run(mut self) {
        let start = self.data.get("start").cloned().unwrap_or_else(Value::object);
        let started = crate::driver::started(start);
        self.driver.fact(Fact::Started(Box::new(started)));
        for (number, event) in list(self.data, "events").iter().enumerate() {
            let before = self.name.clone();
            self.name = format!("{before}, event {}", number + 1);
            self.note_told();
            self.event(event);
            self.name = before;
        }
        self.note_told();
        self.judge();
    }

    /// Collects the calls that nobody waits for.
    fn note_told(&mut self) {
        let waiting: Vec<u64> =
            self.driver.state.outstanding().iter().filter_map(Effect::awaited_id).collect();
        for effect in &self.driver.effects[self.seen..] {
            if let Effect::Call(call) = effect
                && !waiting.contains(&call.id)
            {
                self.told.push(call.clone());
            }
        }
        self.seen = self.driver.effects.len();
    }

    fn event(&mut self, event: &Value) {
        let (key, wanted) = event.as_object().unwrap().iter().next().unwrap();
        let wanted_text = wanted.as_str().unwrap_or_default();
        match &**key {
            "call" => self.call(wanted_text, event),
            "told" => {
                assert!(!self.told.is_empty(), "{}: nothing was told", self.name);
                let call = self.told.remove(0);
                self.compare_call(&call, wanted_text, event);
            }
            "script" => self.script(wanted_text, event),
            "timer" => {
                let from = self.driver.now_millis;
                self.driver.next_timer();
                let seconds = (self.driver.now_millis - from) as f64 / 1000.0;
                let wanted = wanted.as_f64().unwrap();
                assert!((seconds - wanted).abs() < 0.5, "{}: {seconds} s", self.name);
            }
            "stop" => {
                let stop = match wanted_text {
                    "Complete" => StopType::Complete,
                    _ => StopType::Cancel,
                };
                self.driver.fact(Fact::StopRequested(stop));
            }
            "signal" => {
                let signal = self.signal(wanted);
                self.driver.fact(Fact::Signal(signal));
            }
            "sees" => self.sees(wanted),
            other => panic!("{}: `{other}` is no event", self.name),
        }
    }

    fn compare_call(&self, call: &Call, wanted: &str, event: &Value) {
        assert_eq!(format!("{}:{}", call.service, call.operation), wanted, "{}", self.name);
        let input = event.get("input").cloned().unwrap_or_else(Value::object);
        assert_eq!(call.input, input, "{}", self.name);
    }

    fn call(&mut self, wanted: &str, event: &Value) {
        let Some(call) = self.driver.call() else { panic!("{}: no call", self.name) };
        self.compare_call(&call, wanted, event);
        match (event.get("answer"), event.get("error")) {
            (Some(answer), None) => {
                self.driver.answer(Ok(answer.clone()));
            }
            (None, Some(error)) => {
                let (code, message) = (text(error, "code").into(), text(error, "message").into());
                self.driver.answer(Err(CallError { code, message }));
            }
            // It is under way.
            _ => {}
        }
    }

    fn script(&mut self, wanted: &str, event: &Value) {
        let Some(script) = self.driver.script() else { panic!("{}: no script", self.name) };
        assert_eq!(script.handler.as_deref().unwrap_or_default(), wanted, "{}", self.name);
        if let Some(payload) = event.get("payload") {
            assert_eq!(script.payload, *payload, "{}", self.name);
        }
        if let Some(attachment) = event.get("attachment") {
            assert_eq!(script.attachment.as_deref(), attachment.as_str(), "{}", self.name);
        }
        let id = script.id;
        match (event.get("returns"), event.get("raises")) {
            (Some(payload), None) => {
                let log = text(event, "log").to_owned();
                self.driver.fact(Fact::ScriptSucceeded { id, payload: payload.clone(), log });
            }
            (None, Some(_)) => {
                let text = text(event, "raises").to_owned();
                self.driver.fact(Fact::ScriptFailed { id, text });
            }
            _ => {}
        }
    }

    fn signal(&self, signal: &Value) -> Signal {
        let (kind, payload) = signal.as_object().unwrap().iter().next().unwrap();
        let owned = |key: &str| payload.get(key).and_then(Value::as_str).map(str::to_owned);
        let (approver, comment) = (owned("approver").unwrap_or_default(), owned("comment"));
        match &**kind {
            "Approve" => Signal::Approve { approver, comment },
            "Reject" => Signal::Reject { approver, comment },
            "Resume" => Signal::Resume { step_name: owned("step") },
            "StartStep" => Signal::StartStep { step_name: owned("step") },
            "StopStep" => {
                let step = self.driver.step(&owned("step").unwrap());
                Signal::StopStep { step_execution_id: text(&step, "StepExecutionId").to_owned() }
            }
            other => panic!("{}: `{other}` is no signal", self.name),
        }
    }

    fn sees(&self, wanted: &Value) {
        for (name, status) in wanted.as_object().unwrap().iter() {
            let found = if &**name == "execution" {
                Value::from(self.driver.status().name())
            } else {
                self.driver.step(name).get("StepStatus").cloned().unwrap()
            };
            assert_eq!(found, *status, "{}: {name}", self.name);
        }
    }

    fn judge(self) {
        let Case { name, data: case, driver, told, .. } = self;
        let left = driver.state.outstanding();
        assert!(left.is_empty(), "{name}: still asks for {left:?}");
        assert!(told.is_empty(), "{name}: also told {told:?}");
        assert_eq!(driver.status().name(), text(case, "status"), "{name}: {}", driver.record());
        let record = driver.record();
        let message = case.get("message").and_then(Value::as_str);
        let message = message.map(|message| format!("{message}{}", failure::SUFFIX));
        let found = record.get("FailureMessage").and_then(Value::as_str);
        assert_eq!(found, message.as_deref(), "{name}");
        if let Some(steps) = case.get("ends") {
            let found: Value = list(&record, "StepExecutions")
                .iter()
                .map(|step| format!("{} {}", text(step, "StepName"), text(step, "StepStatus")))
                .collect();
            assert_eq!(found, *steps, "{name}");
        }
        if let Some(wanted) = case.get("execution") {
            includes(&name, &record, wanted);
        }
        for kind in shows(case) {
            assert!(is_shown(kind, case, &record), "{name}: it does not show a {kind}: {record}");
        }
        for (step, wanted) in
            case.get("step").and_then(Value::as_object).into_iter().flat_map(value::Map::iter)
        {
            includes(&format!("{name}: {step}"), &driver.step(step), wanted);
        }
    }
}

/// Returns whether what has happened is what a case says that it shows.
fn is_shown(kind: &str, case: &Value, record: &Value) -> bool {
    let (events, steps) = (list(case, "events"), list(record, "StepExecutions"));
    let has_ended = |status: &str| steps.iter().any(|step| text(step, "StepStatus") == status);
    let number = |step: &Value, key: &str| step.get(key).and_then(Value::as_f64);
    match kind {
        "happy" => text(record, "AutomationExecutionStatus") == "Success",
        "failure" => has_ended("Failed"),
        // Of the step, or of an attempt that is not the last.
        "timeout" => {
            let is_over = |event: &Value| {
                let timer = event.get("timer").and_then(Value::as_f64);
                timer.is_some() && steps.iter().any(|step| number(step, "TimeoutSeconds") == timer)
            };
            has_ended("TimedOut") || events.iter().any(is_over)
        }
        // Something is asked for again, unless nothing is asked for.
        "retry" => {
            let asked = |event: &Value| {
                let (key, what) = event.as_object()?.iter().next()?;
                matches!(&**key, "call" | "script").then(|| what.to_string())
            };
            let asked: Vec<String> = events.iter().filter_map(asked).collect();
            let may_try = |step: &Value| number(step, "MaxAttempts").is_some_and(|it| 1.0 < it);
            asked.iter().collect::<BTreeSet<_>>().len() < asked.len()
                || asked.is_empty() && steps.iter().any(may_try)
        }
        "cancel" => {
            let is_asked = |event: &Value| {
                event.get("stop").is_some() || event.path(&["signal", "StopStep"]).is_some()
            };
            events.iter().any(is_asked)
        }
        "rule" => true,
        _ => false,
    }
}

/// Asserts that a value has these members.
fn includes(name: &str, found: &Value, wanted: &Value) {
    for (key, wanted) in wanted.as_object().unwrap().iter() {
        let found = found.get(key).cloned().unwrap_or_default();
        match (wanted.as_object(), &**key) {
            // Told without the sentence that all messages end with.
            (None, "FailureMessage") => {
                let wanted = format!("{}{}", wanted.as_str().unwrap(), failure::SUFFIX);
                assert_eq!(found.as_str(), Some(&*wanted), "{name}: {key}");
            }
            (Some(_), "FailureDetails" | "ParentStepDetails") => {
                includes(name, &found, wanted);
            }
            _ => assert_eq!(found, *wanted, "{name}: {key}"),
        }
    }
}
