//! How far an execution has come, state by state, by its history.

use std::collections::HashMap;

use value::Value;

/// What became of a state; of several visits the first of these that one of them had counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Status {
    /// It ended the execution, or its Parallel or Map, badly.
    Failed,
    /// It has not ended.
    Running,
    /// It was under way when the execution, or its Parallel or Map, ended.
    Aborted,
    /// Its error was caught.
    Caught,
    Succeeded,
}

impl Status {
    /// Returns what the picture calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Status::Failed => "failed",
            Status::Running => "running",
            Status::Aborted => "aborted",
            Status::Caught => "caught",
            Status::Succeeded => "succeeded",
        }
    }
}

/// What is known of one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) status: Status,
    /// How often it was entered.
    pub(super) times: usize,
    /// How often it was tried, retries included, if it is one that is tried.
    pub(super) attempts: usize,
}

impl Mark {
    /// Returns what is written behind the caption: numbers that are not plain anyway.
    pub(super) fn counts(self) -> String {
        let mut counts = String::new();
        if self.times > 1 {
            counts = format!(" · {} times", self.times);
        }
        if self.attempts > self.times {
            counts = format!("{counts} · {} attempts", self.attempts);
        }
        counts
    }
}

/// The marks of the states that an execution has entered.
#[derive(Debug, Default)]
pub(crate) struct Progress(HashMap<String, Mark>);

/// One stay in a state.
struct Visit<'h> {
    name: &'h str,
    /// `Parallel` or `Map`, and so on.
    kind: &'h str,
    attempts: usize,
    /// Whether the last try failed.
    has_failed: bool,
    /// What it came to, once it is left.
    left: Option<Status>,
}

impl Progress {
    /// Reads the events of `GetExecutionHistory`, from the first on.
    pub(crate) fn of(history: &[Value]) -> Progress {
        let mut visits: Vec<Visit<'_>> = Vec::new();
        // In which visit each event happened.
        let mut owners: HashMap<i64, usize> = HashMap::new();
        let mut is_over = false;
        for event in history {
            let number = |name: &str| event.get(name).and_then(Value::as_i64).unwrap_or_default();
            let kind = event.get("type").and_then(Value::as_str).unwrap_or_default();
            let name = |details: &str| event.path(&[details, "name"]).and_then(Value::as_str);
            is_over |= kind.starts_with("Execution") && kind != "ExecutionStarted";
            let mut owner = owners.get(&number("previousEventId")).copied();
            if let Some(name) = name("stateEnteredEventDetails") {
                owner = Some(visits.len());
                let kind = kind.trim_end_matches("StateEntered");
                let has_failed = kind == "Fail";
                visits.push(Visit { name, kind, attempts: 0, has_failed, left: None });
            } else if let Some(name) = name("stateExitedEventDetails") {
                owner = visit_of(&visits, owner, |visit| visit.name == name);
                if let Some(visit) = owner.and_then(|owner| visits.get_mut(owner)) {
                    let caught = visit.has_failed;
                    visit.left = Some(if caught { Status::Caught } else { Status::Succeeded });
                }
            } else {
                let group = ["Parallel", "Map"].into_iter().find(|group| {
                    kind.strip_prefix(group).is_some_and(|rest| rest.starts_with("State"))
                });
                if let Some(group) = group {
                    owner = visit_of(&visits, owner, |visit| visit.kind == group);
                }
                if let Some(visit) = owner.and_then(|owner| visits.get_mut(owner)) {
                    visit.happens(kind);
                }
            }
            owners.extend(owner.map(|owner| (number("id"), owner)));
        }
        let mut progress = Progress::default();
        for visit in &visits {
            progress.add(visit, is_over);
        }
        progress
    }

    fn add(&mut self, visit: &Visit<'_>, is_over: bool) {
        let status = match visit.left {
            Some(status) => status,
            None if visit.has_failed => Status::Failed,
            None if is_over => Status::Aborted,
            None => Status::Running,
        };
        let mark = self.0.entry(visit.name.to_owned());
        let mark = mark.or_insert(Mark { status, times: 0, attempts: 0 });
        mark.status = mark.status.min(status);
        mark.times += 1;
        mark.attempts += visit.attempts;
    }

    /// Returns what is known of a state.
    pub(super) fn mark(&self, state: &str) -> Option<Mark> {
        self.0.get(state).copied()
    }
}

/// Finds the open visit that is meant: the one that the history leads back to, else the last one.
fn visit_of(
    visits: &[Visit<'_>],
    owner: Option<usize>,
    is_meant: impl Fn(&Visit<'_>) -> bool,
) -> Option<usize> {
    let open = |index: &usize| {
        visits.get(*index).is_some_and(|visit| visit.left.is_none() && is_meant(visit))
    };
    owner.filter(open).or_else(|| (0..visits.len()).rev().find(open))
}

impl Visit<'_> {
    fn happens(&mut self, kind: &str) {
        if self.left.is_some() {
            return;
        }
        match kind {
            "TaskScheduled"
            | "LambdaFunctionScheduled"
            | "ActivityScheduled"
            | "ParallelStateStarted"
            | "MapStateStarted" => {
                self.attempts += 1;
                self.has_failed = false;
            }
            _ => self.has_failed |= kind.ends_with("Failed") || kind.ends_with("TimedOut"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Mark, Progress, Status};
    use value::{Value, value};

    /// Writes a history: `id previous type name`, one event a line.
    fn marks(events: &str, states: &[&str]) -> Vec<Option<Mark>> {
        let event = |line: &str| {
            let mut words = line.split_whitespace();
            let mut number = || words.next().unwrap().parse::<i64>().unwrap();
            let (id, previous) = (number(), number());
            let kind = words.next().unwrap();
            let event = value!({"id": id, "previousEventId": previous, "type": kind});
            match words.next() {
                Some(name) if kind.ends_with("Exited") => {
                    event.with("stateExitedEventDetails", value!({"name": name}))
                }
                Some(name) => event.with("stateEnteredEventDetails", value!({"name": name})),
                None => event,
            }
        };
        let history: Vec<Value> = events.trim().lines().map(event).collect();
        let progress = Progress::of(&history);
        states.iter().map(|state| progress.mark(state)).collect()
    }

    fn mark(status: Status, times: usize, attempts: usize) -> Option<Mark> {
        Some(Mark { status, times, attempts })
    }

    #[test]
    fn what_was_retried_succeeded_and_what_was_caught_did_not() {
        let events = "1 0 ExecutionStarted
            2 0 TaskStateEntered A
            3 2 TaskScheduled
            4 3 TaskStarted
            5 4 TaskFailed
            6 5 TaskScheduled
            7 6 TaskSucceeded
            8 7 TaskStateExited A
            9 8 TaskStateEntered B
            10 9 LambdaFunctionScheduled
            11 10 LambdaFunctionTimedOut
            12 11 TaskStateExited B
            13 12 WaitStateEntered C";
        let [a, b, c, d] = marks(events, &["A", "B", "C", "D"])[..] else { panic!() };
        assert_eq!(a, mark(Status::Succeeded, 1, 2));
        assert_eq!(a.unwrap().counts(), " · 2 attempts");
        assert_eq!(b, mark(Status::Caught, 1, 1));
        assert_eq!(c, mark(Status::Running, 1, 0));
        assert_eq!(c.unwrap().counts(), "");
        assert_eq!(d, None);
        let over = marks(&format!("{events}\n14 0 ExecutionAborted"), &["C"]);
        assert_eq!(over, [mark(Status::Aborted, 1, 0)]);
    }

    #[test]
    fn a_parallel_that_is_caught_leaves_its_branches_failed_and_aborted() {
        let events = "1 0 ExecutionStarted
            2 0 ParallelStateEntered P
            3 2 ParallelStateStarted
            4 3 WaitStateEntered Slow
            5 3 PassStateEntered Quick
            6 5 PassStateExited Quick
            7 6 FailStateEntered Bad
            8 7 ParallelStateFailed
            9 8 ParallelStateExited P
            10 9 SucceedStateEntered End
            11 10 SucceedStateExited End
            12 11 ExecutionSucceeded";
        assert_eq!(
            marks(events, &["P", "Slow", "Quick", "Bad", "End"]),
            [
                mark(Status::Caught, 1, 1),
                mark(Status::Aborted, 1, 0),
                mark(Status::Succeeded, 1, 0),
                mark(Status::Failed, 1, 0),
                mark(Status::Succeeded, 1, 0),
            ]
        );
    }

    #[test]
    fn visits_are_counted_and_the_worst_one_shows() {
        let events = "1 0 ExecutionStarted
            2 0 MapStateEntered M
            3 2 MapStateStarted
            4 3 MapIterationStarted
            5 3 MapIterationStarted
            6 4 TaskStateEntered T
            7 5 TaskStateEntered T
            8 6 TaskScheduled
            9 7 TaskScheduled
            10 8 TaskSucceeded
            11 10 TaskStateExited T
            12 11 MapIterationSucceeded
            13 9 TaskFailed
            14 13 MapIterationFailed
            15 14 MapStateFailed
            16 15 ExecutionFailed";
        let [m, t] = marks(events, &["M", "T"])[..] else { panic!() };
        assert_eq!((m, t), (mark(Status::Failed, 1, 1), mark(Status::Failed, 2, 2)));
        assert_eq!(t.unwrap().counts(), " · 2 times");
    }
}
