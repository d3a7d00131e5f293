//! Runs a case: the real engine, on a clock that jumps to the next timer when nothing else is left.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use asl::{Definition, IntegrationPattern, Resource, StateId, error_name};
use execution::{
    Call, Child, ChildEnd, Effect, Fact, HistoryMode, ItemsWanted, MapRunFact, Payload, ReadItems,
    Stamp, Started, State, Status, TimerId, WriteResults, apply,
};
use value::{Value, value};

use super::mock::Answer;
use super::suite::Case;

/// How many facts a case may take.
const FACTS_MAX: usize = 100_000;
/// When every case begins: 2026-01-01T00:00:00Z.
const BEGIN_MILLIS: i64 = 1_767_225_600_000;

/// An execution that has ended.
pub(super) struct Ended {
    pub(super) status: Status,
    pub(super) output: Option<Payload>,
    pub(super) error: Option<String>,
    pub(super) cause: Option<String>,
    pub(super) input: Value,
    pub(super) millis: i64,
    /// As `GetExecutionHistory` shows it.
    pub(super) history: Vec<Value>,
    /// The histories of child executions.
    pub(super) children: Vec<Vec<Value>>,
    /// Why it could not go on.
    pub(super) trouble: Option<String>,
}

struct Driver<'c> {
    definition: &'c Definition,
    case: &'c Case,
    state: State,
    began: i64,
    millis: i64,
    ended: Ended,
    facts: VecDeque<Fact>,
    timers: BTreeSet<(i64, TimerId)>,
    /// The ends of child executions, and when they are.
    children: Vec<(i64, Fact)>,
    /// The items that map runs have read, by their ARN.
    items: BTreeMap<String, Value>,
    /// How many calls each state has made.
    calls: BTreeMap<String, usize>,
}

/// Runs a case to its end.
pub(super) fn drive(definition: &Definition, case: &Case) -> Ended {
    let mut driver = Driver::new(definition, case, BEGIN_MILLIS, BTreeMap::new());
    match Payload::parse(&case.input.to_json()) {
        Ok(input) => driver.run(started(input)),
        Err(err) => driver.trouble(format!("the input: {err}")),
    }
    driver.ended
}

fn started(input: Payload) -> Started {
    let arn = |rest: &str| format!("arn:aws:states:us-east-1:000000000000:{rest}");
    Started {
        input,
        execution_arn: arn("execution:machine:case"),
        execution_name: "case".into(),
        role_arn: "arn:aws:iam::000000000000:role/machine".into(),
        state_machine_arn: arn("stateMachine:machine"),
        state_machine_name: "machine".into(),
        state_machine_alias_arn: None,
        state_machine_version_arn: None,
        region: "us-east-1".into(),
        history: HistoryMode::Recorded,
        child: None,
    }
}

/// Returns where the results would be: nothing is written.
fn written(map_run_arn: &str, wanted: &WriteResults) -> MapRunFact {
    let text = |member: &str| wanted.arguments.get(member).and_then(Value::as_str);
    let Some(bucket) = text("Bucket") else {
        return MapRunFact::ResultsFailed { cause: "the ResultWriter names no Bucket".into() };
    };
    let id = map_run_arn.rsplit(':').next().unwrap_or_default();
    let prefix = text("Prefix").map(|prefix| prefix.trim_end_matches('/'));
    let key = match prefix.filter(|prefix| !prefix.is_empty()) {
        Some(prefix) => format!("{prefix}/{id}/manifest.json"),
        None => format!("{id}/manifest.json"),
    };
    MapRunFact::ResultsWritten { bucket: bucket.to_owned(), key }
}

impl<'c> Driver<'c> {
    fn new(
        definition: &'c Definition,
        case: &'c Case,
        millis: i64,
        calls: BTreeMap<String, usize>,
    ) -> Driver<'c> {
        let ended = Ended {
            status: Status::Running,
            output: None,
            error: None,
            cause: None,
            input: case.input.clone(),
            millis: 0,
            history: Vec::new(),
            children: Vec::new(),
            trouble: None,
        };
        Driver {
            definition,
            case,
            state: State::default(),
            began: millis,
            millis,
            ended,
            facts: VecDeque::new(),
            timers: BTreeSet::new(),
            children: Vec::new(),
            items: BTreeMap::new(),
            calls,
        }
    }

    fn run(&mut self, started: Started) {
        self.facts.push_back(Fact::Started(Box::new(started)));
        for _ in 0..FACTS_MAX {
            if self.ended.trouble.is_some() || self.ended.status != Status::Running {
                break;
            }
            let Some(fact) = self.facts.pop_front().or_else(|| self.next_timer()) else {
                self.trouble("it waits for what never comes: a task hangs without a timeout");
                break;
            };
            self.take(fact);
        }
        if self.ended.trouble.is_none() && self.ended.status == Status::Running {
            self.trouble(format!("it has not ended after {FACTS_MAX} answers and timers"));
        }
        self.ended.millis = self.millis - self.began;
    }

    /// Jumps to the next timer, or to the end of a child that is sooner.
    fn next_timer(&mut self) -> Option<Fact> {
        let child = self.children.iter().enumerate().min_by_key(|(_, (at_millis, _))| at_millis);
        let child = child.map(|(index, (at_millis, _))| (index, *at_millis));
        let timer = self.timers.first().map(|(at_millis, _)| *at_millis);
        if let Some((index, at_millis)) = child
            && timer.is_none_or(|timer| at_millis <= timer)
        {
            self.millis = self.millis.max(at_millis);
            return Some(self.children.remove(index).1);
        }
        let (at_millis, timer) = self.timers.pop_first()?;
        self.millis = self.millis.max(at_millis);
        Some(Fact::TimerFired { timer })
    }

    fn trouble(&mut self, what: impl Into<String>) {
        self.ended.trouble.get_or_insert(what.into());
    }

    fn take(&mut self, fact: Fact) {
        // The same for every run of the same case.
        let stamp = Stamp { millis: self.millis, entropy: [7; 32] };
        for effect in apply(self.definition, &mut self.state, &stamp, fact) {
            match effect {
                Effect::Record(events) => {
                    self.ended.history.extend(events.iter().map(execution::HistoryEvent::to_value));
                }
                Effect::Call(call) => self.call(&call),
                Effect::Child(child) => self.child(&child),
                Effect::StopChild(child) => {
                    let task = child.task;
                    let ends =
                        |fact: &Fact| matches!(fact, Fact::MapRun { task: of, .. } if *of == task);
                    self.children.retain(|(_, fact)| !ends(fact));
                    self.facts.push_back(Fact::MapRun { task, fact: MapRunFact::ChildStopped });
                }
                // Calls are answered already, or never; nobody asks for records, nor for a redrive.
                Effect::CancelCall { .. }
                | Effect::Items { wanted: ItemsWanted::Children { .. }, .. }
                | Effect::ItemsGone { .. }
                | Effect::Pending { .. }
                | Effect::Look(_)
                | Effect::Withdraw(_)
                | Effect::ChildRecord { .. }
                | Effect::MapRun(_) => {}
                Effect::Timer { timer, at_millis } => {
                    self.timers.insert((at_millis, timer));
                }
                Effect::CancelTimer { timer } => self.timers.retain(|(_, open)| *open != timer),
                Effect::Items { task, map_run_arn, wanted: ItemsWanted::Read(read) } => {
                    let fact = self.read(map_run_arn, &read);
                    self.facts.extend(fact.map(|fact| Fact::MapRun { task, fact }));
                }
                Effect::Items { task, map_run_arn, wanted: ItemsWanted::Piece(_) } => {
                    // All of them are one piece.
                    let items = self.items.get(&map_run_arn).cloned().unwrap_or_default();
                    let fact = MapRunFact::ItemsLoaded { items };
                    self.facts.push_back(Fact::MapRun { task, fact });
                }
                Effect::Results { task, map_run_arn, wanted } => {
                    let fact = written(&map_run_arn, &wanted);
                    self.facts.push_back(Fact::MapRun { task, fact });
                }
                Effect::Finish(finish) => {
                    self.ended.status = finish.status;
                    self.ended.output = finish.output;
                    self.ended.error = finish.error;
                    self.ended.cause = finish.cause;
                }
            }
        }
    }

    /// Runs a child execution of a distributed Map; its end is heard of when its time has come.
    fn child(&mut self, child: &Child) {
        let Some(input) = child.input.clone() else { return };
        let calls = std::mem::take(&mut self.calls);
        let mut driver = Driver::new(self.definition, self.case, self.millis, calls);
        let parent = started(input.clone());
        driver.run(Started {
            execution_arn: format!("{}:{}", parent.execution_arn, child.name),
            execution_name: child.name.clone(),
            child: Some(Box::new(child.of.clone())),
            ..parent
        });
        let (task, stop_millis) = (child.task, driver.millis);
        self.calls = driver.calls;
        let Ended { status, output, error, cause, history, children, trouble, .. } = driver.ended;
        self.ended.children.push(history);
        self.ended.children.extend(children);
        if let Some(trouble) = trouble {
            return self.trouble(trouble);
        }
        let end = ChildEnd {
            status,
            input,
            output,
            error,
            cause,
            start_millis: self.millis,
            stop_millis,
            is_redrivable: false,
        };
        let fact = MapRunFact::ChildEnded(Box::new(end));
        self.facts.push_back(Fact::MapRun { task, fact: MapRunFact::ChildStarted });
        self.children.push((stop_millis, Fact::MapRun { task, fact }));
    }

    /// Returns what a state's mock answers to its next call, and the number of that.
    fn answer(&mut self, state_name: &str, asks: &str) -> Option<(&'c Answer, usize)> {
        let number = self.calls.entry(state_name.to_owned()).or_default();
        let attempt = *number;
        *number += 1;
        let Some(mocks) = self.case.mocks.get(state_name) else {
            self.trouble(format!("`{state_name}` asks {asks} and has no mock"));
            return None;
        };
        let Some(answer) = mocks.answer(attempt) else {
            let call = attempt + 1;
            self.trouble(format!("the mock of `{state_name}` has no answer for its call {call}"));
            return None;
        };
        Some((answer, attempt))
    }

    /// Reads the items of a map run.
    fn read(&mut self, map_run_arn: String, read: &ReadItems) -> Option<MapRunFact> {
        let state_name = &self.definition.state(StateId(read.state))?.name;
        let (answer, attempt) = self.answer(state_name, "for its items")?;
        let template = match answer {
            Answer::Items(template) => template,
            Answer::Throw { error, cause } => {
                let error = error.as_deref().unwrap_or(error_name::ITEM_READER_FAILED).to_owned();
                let cause = cause.clone().unwrap_or_default();
                return Some(MapRunFact::ItemsFailed { error, cause });
            }
            // The suite has seen that there are none.
            Answer::Return(_) | Answer::Hang => return None,
        };
        let items = match Answer::result(template, &read.arguments, attempt) {
            Ok(Value::Array(items)) => items,
            Ok(_) => {
                self.trouble(format!("the mock of `{state_name}`: `items` is no list"));
                return None;
            }
            Err(err) => {
                self.trouble(format!("the mock of `{state_name}`: {err}"));
                return None;
            }
        };
        let most = read.items_max.and_then(|most| usize::try_from(most).ok());
        let items: Value = items.iter().take(most.unwrap_or(usize::MAX)).cloned().collect();
        let count = items.as_array().map_or(0, <[Value]>::len);
        let text = |member: &str| read.arguments.get(member).and_then(Value::as_str);
        let key = text("Key").map(|key| format!("/{key}")).unwrap_or_default();
        let source = format!("S3://{}{key}", text("Bucket").unwrap_or_default());
        let items = value!({ "Runs": [{ "Source": source, "Items": items }] });
        self.items.insert(map_run_arn, items);
        Some(MapRunFact::ItemsRead { items: count as u64, pieces: u32::from(count > 0) })
    }

    fn call(&mut self, call: &Call) {
        let Call { task, resource, state_name, arguments, .. } = call;
        let Some((answer, attempt)) = self.answer(state_name, resource) else { return };
        let task = *task;
        let ended = match answer {
            // The suite has seen that there are no items.
            Answer::Hang | Answer::Items(_) => return,
            Answer::Return(template) => match Answer::result(template, arguments, attempt) {
                Ok(output) => Fact::TaskSucceeded { task, output },
                Err(err) => return self.trouble(format!("the mock of `{state_name}`: {err}")),
            },
            Answer::Throw { error, cause } => {
                Fact::TaskFailed { task, error: error.clone(), cause: cause.clone() }
            }
        };
        // What comes before the end of a job, a callback or an activity.
        match Resource::parse(resource) {
            Some(Resource::Activity(_)) => {
                self.facts.push_back(Fact::ActivityScheduled { task });
                self.facts.push_back(Fact::ActivityStarted { task, worker: None });
            }
            Some(Resource::Integration(integration))
                if integration.pattern != IntegrationPattern::RequestResponse =>
            {
                let output = Value::object();
                self.facts.push_back(Fact::TaskSubmitted { task, output });
            }
            Some(Resource::Integration(_) | Resource::Function(_)) | None => {}
        }
        self.facts.push_back(ended);
    }
}
