//! Drives the engine by hand: facts in, a readable history out.

use std::collections::BTreeMap;

use asl::{AnyResource, Definition, Options, StateMachineType};
use execution::{
    Call, Child, ChildEnd, ChildOf, Effect, Fact, Finish, HistoryEvent, ItemsWanted, Job,
    MapRunFact, MapRunReport, Payload, Stamp, Started, State, TaskId, TimerId, WriteResults, apply,
};
use value::Value;

/// An execution under test.
pub(crate) struct Driver {
    pub(crate) definition: Definition,
    pub(crate) state: State,
    pub(crate) millis: i64,
    pub(crate) events: Vec<HistoryEvent>,
    /// Calls not yet answered, oldest first.
    pub(crate) calls: Vec<Call>,
    /// Timers not yet fired, soonest first.
    pub(crate) timers: Vec<(i64, TimerId)>,
    /// Children asked for, oldest first.
    pub(crate) children: Vec<Child>,
    /// Children to be stopped.
    pub(crate) stopped: Vec<Child>,
    /// Items that were asked for.
    pub(crate) items: Vec<(TaskId, ItemsWanted)>,
    /// Results that are to be written.
    pub(crate) results: Vec<(TaskId, WriteResults)>,
    /// Where map runs stand.
    pub(crate) reports: Vec<MapRunReport>,
    /// Records of express children.
    pub(crate) records: Vec<(Child, ChildEnd)>,
    /// Inputs of children that never began, by row.
    pub(crate) pending: BTreeMap<u32, Vec<String>>,
    /// How many pieces of items were given up.
    pub(crate) items_gone: u32,
    pub(crate) finish: Option<Finish>,
    /// Looks at jobs that were asked for.
    pub(crate) looks: Vec<Job>,
    /// What was taken back.
    pub(crate) withdrawn: Vec<Job>,
}

pub(crate) fn definition(text: &str) -> Definition {
    let options = Options { machine_type: StateMachineType::Standard, resources: &AnyResource };
    Definition::parse(text, &options).unwrap_or_else(|problems| panic!("{problems}"))
}

pub(crate) fn started(input: &str) -> Fact {
    Fact::Started(Box::new(Started {
        input: Payload::parse(input).unwrap(),
        execution_arn: "arn:aws:states:us-east-1:111111111111:execution:m:e".into(),
        execution_name: "e".into(),
        role_arn: "arn:aws:iam::111111111111:role/r".into(),
        state_machine_arn: "arn:aws:states:us-east-1:111111111111:stateMachine:m".into(),
        state_machine_name: "m".into(),
        state_machine_alias_arn: None,
        state_machine_version_arn: None,
        region: "us-east-1".into(),
        history: execution::HistoryMode::Recorded,
        child: None,
    }))
}

impl Driver {
    pub(crate) fn start(text: &str, input: &str) -> Driver {
        let mut driver = Driver::of(text);
        driver.take(started(input));
        driver
    }

    /// Starts an execution as the child of a map run.
    pub(crate) fn start_child(text: &str, input: &str, of: ChildOf) -> Driver {
        let mut driver = Driver::of(text);
        let Fact::Started(mut fact) = started(input) else { panic!("it starts") };
        fact.child = Some(Box::new(of));
        driver.take(Fact::Started(fact));
        driver
    }

    fn of(text: &str) -> Driver {
        Driver {
            definition: definition(text),
            state: State::default(),
            millis: 0,
            events: Vec::new(),
            calls: Vec::new(),
            timers: Vec::new(),
            children: Vec::new(),
            stopped: Vec::new(),
            items: Vec::new(),
            results: Vec::new(),
            reports: Vec::new(),
            records: Vec::new(),
            pending: BTreeMap::new(),
            items_gone: 0,
            finish: None,
            looks: Vec::new(),
            withdrawn: Vec::new(),
        }
    }

    pub(crate) fn take(&mut self, fact: Fact) {
        let stamp = Stamp { millis: self.millis, entropy: [7; 32] };
        for effect in apply(&self.definition, &mut self.state, &stamp, fact) {
            match effect {
                Effect::Record(events) => self.events.extend(events),
                Effect::Call(call) => self.calls.push(*call),
                Effect::CancelCall { task } => self.calls.retain(|call| call.task != task),
                Effect::Look(job) => self.looks.push(*job),
                Effect::Withdraw(job) => self.withdrawn.push(*job),
                Effect::Timer { timer, at_millis } => {
                    self.timers.push((at_millis, timer));
                    self.timers.sort();
                }
                Effect::CancelTimer { timer } => self.timers.retain(|(_, open)| *open != timer),
                Effect::Child(child) => self.children.push(*child),
                Effect::StopChild(child) => {
                    self.children.retain(|open| open.task != child.task);
                    self.stopped.push(*child);
                }
                Effect::Items { task, wanted, .. } => self.items.push((task, wanted)),
                Effect::Results { task, wanted, .. } => self.results.push((task, wanted)),
                Effect::ChildRecord { child, end } => self.records.push((*child, *end)),
                Effect::Pending { row, inputs: Some(inputs), .. } => {
                    self.pending.insert(row, inputs);
                }
                Effect::Pending { row, inputs: None, .. } => drop(self.pending.remove(&row)),
                Effect::ItemsGone { pieces, .. } => self.items_gone += pieces,
                Effect::MapRun(report) => self.reports.push(*report),
                Effect::Finish(finish) => self.finish = Some(*finish),
            }
        }
    }

    /// Redrives the execution.
    pub(crate) fn redrive(&mut self, token: &str) {
        // As a stored execution would be: nothing else is left of it.
        let stored = value::to_value(&self.state).unwrap();
        self.state = value::from_value::<State>(stored).unwrap();
        self.finish = None;
        self.take(Fact::Redriven { token: token.to_owned() });
    }

    /// Answers the oldest open call.
    pub(crate) fn succeed(&mut self, output: Value) -> TaskId {
        let task = self.calls.remove(0).task;
        self.take(Fact::TaskSucceeded { task, output });
        task
    }

    /// Fails the oldest open call.
    pub(crate) fn fail(&mut self, error: &str, cause: &str) -> TaskId {
        let task = self.calls.remove(0).task;
        self.take(Fact::TaskFailed {
            task,
            error: Some(error.to_owned()),
            cause: Some(cause.to_owned()),
        });
        task
    }

    /// Runs children to their ends, the oldest first, until none is left.
    pub(crate) fn run_children(&mut self) {
        while !self.children.is_empty() {
            self.run_child();
        }
    }

    /// Runs the oldest child to its end.
    pub(crate) fn run_child(&mut self) {
        let child = self.children.remove(0);
        let (task, end) = crate::children::run(&self.definition, self.millis, &child);
        self.take(Fact::MapRun { task, fact: MapRunFact::ChildEnded(Box::new(end)) });
    }

    /// Jumps to the next timer.
    pub(crate) fn fire(&mut self) -> TimerId {
        let (millis, timer) = self.timers.remove(0);
        self.millis = millis;
        self.take(Fact::TimerFired { timer });
        timer
    }

    /// `id<previous type` of every event.
    pub(crate) fn history(&self) -> Vec<String> {
        let line = |event: &HistoryEvent| {
            format!("{}<{} {}", event.id, event.previous_event_id, event.details.event_type())
        };
        self.events.iter().map(line).collect()
    }

    /// The event as the API shows it.
    pub(crate) fn event(&self, id: usize) -> Value {
        self.events[id - 1].to_value()
    }

    pub(crate) fn output(&self) -> String {
        self.finish.as_ref().and_then(|finish| finish.output.as_ref()).map(Payload::text).unwrap()
    }
}
