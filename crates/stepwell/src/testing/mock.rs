//! What tasks answer in a test, and what ItemReaders read.
//!
//! AWS page: "Configuration file for mocked service integrations in Step Functions" (read
//! 2026-11-25, by when AWS calls Step Functions Local unsupported).

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use asl::{Map, MapMode, StateKind};
use jsonata::Bindings;
use value::Value;

use super::suite::{only, text};
use crate::example::fill;

/// The highest attempt that a mock configuration may name.
const ATTEMPTS_MAX: usize = 10_000;

/// The answers of one state's task or ItemReader.
#[derive(Clone, Debug)]
pub(super) enum Mocks {
    /// The same for every call.
    Always(Answer),
    /// One for each call; `None` where a mock configuration names none.
    InTurn(Vec<Option<Answer>>),
}

/// An answer.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// A result, in which expressions may look at `$arguments` and `$attempt`.
    Return(Value),
    /// The items that an ItemReader reads; expressions may look at the same.
    Items(Value),
    /// A failure.
    Throw { error: Option<String>, cause: Option<String> },
    /// None: timeouts and heartbeats run out.
    Hang,
}

impl Mocks {
    /// Reads a mock of a file of cases: an answer, or a list of answers.
    pub(super) fn of(mock: &Value) -> Result<Mocks> {
        let Some(list) = mock.as_array() else {
            if mock.get("times").is_some() {
                bail!("`times` is for lists: what is no list answers every call");
            }
            return Ok(Mocks::Always(answer(mock)?));
        };
        let mut answers = Vec::new();
        for entry in list {
            let times = match entry.get("times") {
                None => 1,
                Some(times) => {
                    let times = times.as_i64().and_then(|times| usize::try_from(times).ok());
                    times
                        .filter(|times| (1..=ATTEMPTS_MAX).contains(times))
                        .with_context(|| format!("`times` is a number from 1 to {ATTEMPTS_MAX}"))?
                }
            };
            answers.extend(std::iter::repeat_n(Some(answer(entry)?), times));
        }
        Ok(Mocks::InTurn(answers))
    }

    /// Returns why a state cannot be mocked so.
    pub(super) fn refusal(&self, state: &StateKind) -> Option<&'static str> {
        let answers: Vec<&Answer> = match self {
            Mocks::Always(answer) => vec![answer],
            Mocks::InTurn(answers) => answers.iter().flatten().collect(),
        };
        let is_items = |answer: &&Answer| matches!(answer, Answer::Items(_));
        let is_result = |answer: &&Answer| matches!(answer, Answer::Return(_) | Answer::Hang);
        match state {
            StateKind::Task(_) => answers
                .iter()
                .any(is_items)
                .then_some("is a Task, and `items` are for Maps with an ItemReader"),
            StateKind::Map(map) if reads_items(map) => answers
                .iter()
                .any(is_result)
                .then_some("is a Map with an ItemReader, whose mock has `items` or `throw`"),
            StateKind::Map(_) | StateKind::Parallel(_) => {
                Some("is run, not mocked: the tasks inside it can be mocked")
            }
            StateKind::Pass(_)
            | StateKind::Choice(_)
            | StateKind::Wait(_)
            | StateKind::Succeed
            | StateKind::Fail(_) => Some("calls nothing that could be mocked"),
        }
    }

    /// Returns the answer to the call with this number, counted from 0.
    pub(super) fn answer(&self, call: usize) -> Option<&Answer> {
        match self {
            Mocks::Always(answer) => Some(answer),
            Mocks::InTurn(answers) => answers.get(call)?.as_ref(),
        }
    }
}

fn reads_items(map: &Map) -> bool {
    match &map.mode {
        MapMode::Distributed(distributed) => distributed.item_reader.is_some(),
        MapMode::Inline => false,
    }
}

impl Answer {
    /// Returns the result of [`Answer::Return`] or the items of [`Answer::Items`], with its
    /// expressions replaced.
    pub(super) fn result(template: &Value, arguments: &Value, call: usize) -> Result<Value> {
        let attempt = i64::try_from(call).unwrap_or(i64::MAX);
        let known = Bindings::new().with("arguments", arguments.clone()).with("attempt", attempt);
        fill(template, &known)
    }
}

fn answer(entry: &Value) -> Result<Answer> {
    only(entry, "an answer", &["return", "items", "throw", "hang", "times"])?;
    let kinds = ["return", "items", "throw", "hang"];
    match kinds.map(|kind| entry.get(kind)) {
        [Some(result), None, None, None] => Ok(Answer::Return(result.clone())),
        [None, Some(items), None, None] => Ok(Answer::Items(items.clone())),
        [None, None, Some(failure), None] => {
            only(failure, "`throw`", &["error", "cause"])?;
            let member = |name| Ok::<_, anyhow::Error>(text(failure, name)?.map(str::to_owned));
            Ok(Answer::Throw { error: member("error")?, cause: member("cause")? })
        }
        [None, None, None, Some(Value::Bool(true))] => Ok(Answer::Hang),
        _ => bail!(
            "an answer is one of `return: …`, `items: […]`, `throw: {{error, cause}}`, `hang: true`"
        ),
    }
}

/// Reads the test cases that a mock configuration file of Step Functions Local has for a machine:
/// by test case and state.
///
/// # Errors
/// When the file says something else.
pub(super) fn imported(
    config: &Value,
    machine: Option<&str>,
) -> Result<BTreeMap<String, BTreeMap<String, Mocks>>> {
    let machines = config.get("StateMachines").and_then(Value::as_object);
    let machines = machines.context("`StateMachines` is missing")?;
    let chosen = match machine {
        Some(name) => machines.get(name).with_context(|| format!("no state machine `{name}`"))?,
        None if machines.len() == 1 => machines.values().next().context("no state machine")?,
        None => {
            let names: Vec<String> = machines.keys().map(ToString::to_string).collect();
            bail!("`stateMachine` must say which one is meant: {}", names.join(", "))
        }
    };
    let responses = config.get("MockedResponses");
    let cases = chosen.get("TestCases").and_then(Value::as_object).context("no `TestCases`")?;
    let mut found = BTreeMap::new();
    for (case, states) in cases.iter() {
        let states = states.as_object().with_context(|| format!("test case `{case}`"))?;
        let mut mocks = BTreeMap::new();
        for (state, name) in states.iter() {
            let name = name.as_str().with_context(|| format!("`{state}` of `{case}`"))?;
            let response = responses.and_then(|all| all.get(name));
            let response = response.with_context(|| format!("no mocked response `{name}`"))?;
            let answers =
                attempts(response).with_context(|| format!("mocked response `{name}`"))?;
            mocks.insert(state.to_string(), Mocks::InTurn(answers));
        }
        found.insert(case.to_string(), mocks);
    }
    Ok(found)
}

/// Reads `{"0": {"Return": …}, "1-2": {"Throw": …}}`.
fn attempts(response: &Value) -> Result<Vec<Option<Answer>>> {
    let mut answers: Vec<Option<Answer>> = Vec::new();
    for (range, answer) in response.as_object().context("no object")?.iter() {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let number = |text: &str| {
            let number = text.trim().parse::<usize>().ok();
            number.filter(|number| *number < ATTEMPTS_MAX)
        };
        let (Some(first), Some(last)) = (number(first), number(last)) else {
            bail!("`{range}` is no attempt and no range of attempts");
        };
        if last < first {
            bail!("`{range}` ends before it begins");
        }
        let answer = match (answer.get("Return"), answer.get("Throw")) {
            // Braces of JSONata mean nothing in this format.
            (Some(result), None) => Answer::Return(literal(result)),
            (None, Some(failure)) => {
                let member = |name| failure.get(name).and_then(Value::as_str).map(str::to_owned);
                Answer::Throw { error: member("Error"), cause: member("Cause") }
            }
            _ => bail!("`{range}` has neither `Return` nor `Throw`, or both"),
        };
        if answers.len() <= last {
            answers.resize(last + 1, None);
        }
        for place in answers.iter_mut().take(last + 1).skip(first) {
            *place = Some(answer.clone());
        }
    }
    Ok(answers)
}

/// Returns an expression-free template of a value.
fn literal(value: &Value) -> Value {
    match value {
        Value::String(text) if text.trim_start().starts_with("{%") => {
            Value::from(format!("{{% {} %}}", value::quote(text)))
        }
        Value::Array(items) => items.iter().map(literal).collect(),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), literal(value)));
            Value::from(members.collect::<value::Map>())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
