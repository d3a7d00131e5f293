//! Replay: any prefix stored and resumed gives the same, and repeated facts change nothing.

use execution::{
    Effect, Fact, HistoryEvent, HistoryMode, Stamp, State, TaskId, TimerId, apply, outstanding,
};
use value::value;

use crate::driver::{definition, started};

/// A machine that meets every kind of fact: retries, a Wait, branches, iterations.
const MACHINE: &str = r#"{"StartAt": "Shape", "TimeoutSeconds": 3600, "States": {
    "Shape": {"Type": "Pass", "Parameters": {"id.$": "States.UUID()", "list": [1, 2, 3]},
        "Next": "Both"},
    "Both": {"Type": "Parallel", "ResultPath": "$.both", "Next": "Each", "Branches": [
        {"StartAt": "Call", "States": {"Call": {"Type": "Task", "TimeoutSeconds": 60,
            "Resource": "arn:aws:states:::aws-sdk:iam:getUser", "End": true,
            "Retry": [{"ErrorEquals": ["States.ALL"], "JitterStrategy": "FULL"}]}}},
        {"StartAt": "Nap", "States": {"Nap": {"Type": "Wait", "Seconds": 7, "End": true}}}]},
    "Each": {"Type": "Map", "ItemsPath": "$.list", "MaxConcurrency": 2, "End": true,
        "ItemProcessor": {"StartAt": "One", "States": {"One": {"Type": "Task", "End": true,
            "Resource": "arn:aws:states:::aws-sdk:iam:listUsers"}}}}}}"#;

/// Facts in their order, with the numbers that the machine above gives to tasks and timers.
fn facts() -> Vec<(i64, Fact)> {
    let mut found = vec![(0, started("{}"))];
    let definition = definition(MACHINE);
    let mut state = State::default();
    let mut open: Vec<(i64, Fact)> = found.clone();
    found.clear();
    let mut failed = false;
    while !open.is_empty() {
        open.sort_by_key(|(millis, _)| *millis);
        let (millis, fact) = open.remove(0);
        found.push((millis, fact.clone()));
        for effect in apply(&definition, &mut state, &stamp(millis), fact) {
            match effect {
                Effect::Call(call) if !failed => {
                    failed = true;
                    let (error, cause) = (Some("E".to_owned()), Some("c".to_owned()));
                    open.push((millis + 1, Fact::TaskFailed { task: call.task, error, cause }));
                }
                Effect::Call(call) => {
                    let output = value!({"task": (call.task.0)});
                    open.push((millis + 1, Fact::TaskSucceeded { task: call.task, output }));
                }
                Effect::Timer { timer, at_millis } => {
                    open.push((at_millis, Fact::TimerFired { timer }));
                }
                Effect::CancelTimer { timer: gone } => open.retain(
                    |(_, fact)| !matches!(fact, Fact::TimerFired { timer } if *timer == gone),
                ),
                Effect::Record(_)
                | Effect::CancelCall { .. }
                | Effect::Look(_)
                | Effect::Withdraw(_)
                | Effect::Child(_)
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
    }
    found
}

fn stamp(millis: i64) -> Stamp {
    Stamp { millis, entropy: [u8::try_from(millis % 200).unwrap(); 32] }
}

fn shown(effects: &[Effect]) -> Vec<String> {
    effects.iter().map(|effect| format!("{effect:?}")).collect()
}

#[test]
fn any_prefix_stored_and_resumed_equals_one_go() {
    let definition = definition(MACHINE);
    let facts = facts();
    assert!(facts.len() >= 8, "the machine meets many facts: {}", facts.len());
    let (mut straight, mut stored) = (State::default(), State::default());
    for (millis, fact) in facts {
        let wanted = apply(&definition, &mut straight, &stamp(millis), fact.clone());
        let text = value::to_value(&stored).unwrap().to_string();
        stored = value::from_value(value::parse(&text).unwrap()).unwrap();
        let got = apply(&definition, &mut stored, &stamp(millis), fact);
        assert_eq!(shown(&got), shown(&wanted));
    }
    assert_eq!(straight.status().as_str(), "SUCCEEDED");
}

#[test]
fn facts_and_events_can_be_stored() {
    let definition = definition(MACHINE);
    let mut state = State::default();
    for (millis, fact) in facts() {
        let stored = value::to_value(&fact).unwrap().to_string();
        let fact: Fact = value::from_value(value::parse(&stored).unwrap()).unwrap();
        for effect in apply(&definition, &mut state, &stamp(millis), fact) {
            let Effect::Record(events) = effect else { continue };
            let stored = value::to_value(&events).unwrap().to_string();
            let again: Vec<HistoryEvent> =
                value::from_value(value::parse(&stored).unwrap()).unwrap();
            let shown = |events: &[HistoryEvent]| -> Vec<String> {
                events.iter().map(|event| event.to_value().to_string()).collect()
            };
            assert_eq!(shown(&again), shown(&events));
        }
    }
    assert_eq!(state.status().as_str(), "SUCCEEDED");
}

#[test]
fn definitions_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<asl::Definition>();
    shared::<State>();
}

#[test]
fn repeated_and_late_facts_change_nothing() {
    let definition = definition(MACHINE);
    let mut state = State::default();
    let mut seen: Vec<Fact> = Vec::new();
    for (millis, fact) in facts() {
        apply(&definition, &mut state, &stamp(millis), fact.clone());
        seen.push(fact);
        let before = value::to_value(&state).unwrap();
        for earlier in &seen {
            let effects = apply(&definition, &mut state, &stamp(millis), earlier.clone());
            assert_eq!(shown(&effects), [""; 0], "{earlier:?}");
        }
        for unknown in [
            Fact::TimerFired { timer: TimerId(9_999) },
            Fact::TaskSucceeded { task: TaskId(9_999), output: value!(1) },
        ] {
            assert!(apply(&definition, &mut state, &stamp(millis), unknown).is_empty());
        }
        assert_eq!(value::to_value(&state).unwrap().to_string(), before.to_string());
    }
}

#[test]
fn what_is_outstanding_is_what_was_asked_for_and_not_answered() {
    let definition = definition(MACHINE);
    let mut state = State::default();
    let first = apply(&definition, &mut state, &stamp(0), started("{}"));
    let asked = first.iter().filter(|e| matches!(e, Effect::Call(_) | Effect::Timer { .. }));
    let mut asked: Vec<String> = asked.map(|effect| format!("{effect:?}")).collect();
    let mut open = shown(&outstanding(&state));
    asked.sort();
    open.sort();
    assert_eq!(open, asked);
}

/// Applies the facts `from` on; returns what comes out, events as they are stored.
fn resume(definition: &asl::Definition, state: &mut State, from: usize) -> Vec<String> {
    let mut out = Vec::new();
    for (millis, fact) in facts().into_iter().skip(from) {
        for effect in apply(definition, state, &stamp(millis), fact) {
            match effect {
                Effect::Record(events) => {
                    out.extend(events.iter().map(|event| event.to_value().to_string()));
                }
                other => out.push(format!("{other:?}")),
            }
        }
    }
    out
}

#[test]
fn states_stored_by_earlier_versions_are_resumed() {
    let definition = definition(MACHINE);
    let stored = include_str!("replay/state-0.json");
    let mut old: State = value::from_value(value::parse(stored.trim_end()).unwrap()).unwrap();
    let mut new = State::default();
    for (millis, fact) in facts().into_iter().take(5) {
        apply(&definition, &mut new, &stamp(millis), fact);
    }
    assert_eq!(resume(&definition, &mut old, 5), resume(&definition, &mut new, 5));
    assert_eq!(old.status().as_str(), "SUCCEEDED");
}

#[test]
fn without_a_history_everything_else_is_the_same() {
    let definition = definition(MACHINE);
    let (mut recorded, mut counted) = (State::default(), State::default());
    for (millis, fact) in facts() {
        let mut wanted = apply(&definition, &mut recorded, &stamp(millis), fact.clone());
        let fact = match fact {
            Fact::Started(mut started) => {
                started.history = HistoryMode::Counted;
                Fact::Started(started)
            }
            other => other,
        };
        let got = apply(&definition, &mut counted, &stamp(millis), fact);
        wanted.retain(|effect| !matches!(effect, Effect::Record(_)));
        assert_eq!(shown(&got), shown(&wanted));
        assert_eq!(counted.history_events(), recorded.history_events());
    }
    assert_eq!(counted.status().as_str(), "SUCCEEDED");
}
