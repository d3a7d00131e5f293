//! What holds for every run, whatever happens to it.

use automation::{
    CallError, Effect, Fact, Format, Runbook, Signal, Stamp, State, Status, StopType, apply, record,
};
use proptest::collection::vec;
use proptest::prelude::*;
use value::{Value, value};

use crate::driver::{START_MILLIS, document, started};

/// A runbook with every available action, retries, jumps and a cancellation flow.
const STEPS: &str = "
  - {name: look, action: 'aws:executeAwsApi', maxAttempts: 2, onFailure: 'step:rescue', onCancel: 'step:rescue', inputs: {Service: iam, Api: GetUser}, outputs: [{Name: Id, Selector: $.User.UserId, Type: String}]}
  - {name: choose, action: 'aws:branch', inputs: {Choices: [{Variable: '{{ look.Id }}', StringEquals: AIDA, NextStep: ask}], Default: halt}}
  - {name: halt, action: 'aws:pause', inputs: {}, onFailure: Continue}
  - {name: ask, action: 'aws:approve', timeoutSeconds: 60, onFailure: Continue, inputs: {Approvers: [ann]}}
  - {name: rest, action: 'aws:sleep', inputs: {Duration: PT5S}}
  - {name: run, action: 'aws:executeScript', isCritical: false, onFailure: Continue, inputs: {Runtime: python3.11, Handler: f, Script: x, InputPayload: {id: '{{ look.Id }}'}}}
  - {name: wait, action: 'aws:waitForAwsResourceProperty', timeoutSeconds: 30, inputs: {Service: iam, Api: GetUser, PropertySelector: $.On, DesiredValues: ['True']}}
  - {name: check, action: 'aws:assertAwsResourceProperty', inputs: {Service: iam, Api: GetUser, PropertySelector: $.On, DesiredValues: ['True']}}
  - {name: around, action: 'aws:loop', timeoutSeconds: 40, maxAttempts: 2, onFailure: Continue, inputs: {Iterators: [x, y], Steps: [{name: inner, action: 'aws:executeAwsApi', onFailure: Continue, inputs: {Service: iam, Api: GetUser, UserName: '{{ Loop.CurrentIteratorValue }}'}}, {name: nap, action: 'aws:sleep', inputs: {Duration: PT1S}}, {name: machine, action: 'aws:executeStateMachine', inputs: {stateMachineArn: m}}]}}
  - {name: set, action: 'aws:updateVariable', isEnd: true, inputs: {Name: 'variable:Seen', Value: '{{ global:DATE }}'}}
  - {name: rescue, action: 'aws:updateVariable', isEnd: true, inputs: {Name: 'variable:Seen', Value: rescued}}
";

/// What the world does next; it answers whatever is outstanding.
#[derive(Debug, Clone)]
enum Move {
    Answer { index: usize, kind: usize },
    Fact { kind: usize },
    Stray { id: u64 },
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        6 => (0..4_usize, 0..6_usize).prop_map(|(index, kind)| Move::Answer { index, kind }),
        2 => (0..7_usize).prop_map(|kind| Move::Fact { kind }),
        1 => (0..40_u64).prop_map(|id| Move::Stray { id }),
    ];
    vec(one, 0..40)
}

/// Returns the fact that answers an effect in one of several ways.
fn answer(effect: &Effect, kind: usize) -> Option<Fact> {
    let id = effect.awaited_id()?;
    let error = CallError { code: "NoSuchEntity".to_owned(), message: "gone".to_owned() };
    Some(match (effect, kind) {
        (Effect::Call(_), 0 | 1) => Fact::CallFailed { id, error },
        (Effect::Call(_), kind) => {
            let output = match kind {
                2 => value!({"User": {"UserId": "AIDA"}, "On": true}),
                3 => value!({"User": {"UserId": "other"}, "On": "true"}),
                _ => value!({"On": true}),
            };
            Fact::CallSucceeded { id, output, request_id: None }
        }
        (Effect::Script(_), 0) => Fact::ScriptFailed { id, text: "no".to_owned() },
        (Effect::Script(_), _) => {
            Fact::ScriptSucceeded { id, payload: value!({"a": 1}), log: String::new() }
        }
        (_, _) => Fact::TimerFired { id },
    })
}

fn fact(kind: usize) -> Fact {
    let approver = "arn:aws:iam::111122223333:user/ann".to_owned();
    match kind {
        0 => Fact::StopRequested(StopType::Cancel),
        1 => Fact::StopRequested(StopType::Complete),
        2 => Fact::Signal(Signal::Approve { approver, comment: None }),
        3 => Fact::Signal(Signal::Reject { approver, comment: None }),
        4 => Fact::Signal(Signal::Resume { step_name: None }),
        5 => Fact::Signal(Signal::StartStep { step_name: None }),
        _ => Fact::Started(Box::new(started(value!({})))),
    }
}

/// Plays moves against a run and returns the facts that came of them, with their stamps.
fn play(runbook: &Runbook, moves: &[Move]) -> Vec<(Stamp, Fact)> {
    let mut state = State::default();
    let mut facts = vec![(stamp(0), fact(6))];
    apply(runbook, &mut state, &stamp(0), fact(6));
    for (turn, one) in moves.iter().enumerate() {
        let outstanding = state.outstanding();
        let next = match one {
            Move::Answer { .. } if outstanding.is_empty() => None,
            Move::Answer { index, kind } => answer(&outstanding[index % outstanding.len()], *kind),
            Move::Fact { kind } => Some(fact(*kind)),
            Move::Stray { id } => Some(Fact::TimerFired { id: id + 1000 }),
        };
        if let Some(next) = next {
            facts.push((stamp(turn + 1), next.clone()));
            apply(runbook, &mut state, &stamp(turn + 1), next);
        }
    }
    facts
}

fn stamp(turn: usize) -> Stamp {
    let turn = u8::try_from(turn).unwrap();
    Stamp { millis: START_MILLIS + i64::from(turn) * 500, entropy: [turn; 32] }
}

fn runbook() -> Runbook {
    Runbook::parse(&document(STEPS), Format::Yaml).unwrap_or_else(|err| panic!("{err}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn replaying_a_prefix_from_store_and_then_the_rest_equals_one_go(
        moves in moves(), cut in 0..40_usize,
    ) {
        let runbook = runbook();
        let facts = play(&runbook, &moves);
        let (mut one_go, mut crashed) = (State::default(), State::default());
        for (count, (stamp, fact)) in facts.iter().enumerate() {
            if count == cut {
                let stored = value::to_value(&crashed).unwrap().to_string();
                crashed = value::from_value(value::parse(&stored).unwrap()).unwrap();
            }
            let left = apply(&runbook, &mut one_go, stamp, fact.clone());
            let right = apply(&runbook, &mut crashed, stamp, fact.clone());
            prop_assert_eq!(left, right);
        }
        prop_assert_eq!(&one_go, &crashed);
        prop_assert_eq!(record(&runbook, &one_go), record(&runbook, &crashed));
    }

    #[test]
    fn an_answer_delivered_twice_changes_nothing_the_second_time(moves in moves()) {
        let runbook = runbook();
        let mut state = State::default();
        for (stamp, fact) in play(&runbook, &moves) {
            apply(&runbook, &mut state, &stamp, fact.clone());
            let is_signal = matches!(fact, Fact::Signal(_) | Fact::StopRequested(_));
            if !is_signal {
                let before = state.clone();
                prop_assert!(apply(&runbook, &mut state, &stamp, fact).is_empty());
                prop_assert_eq!(&state, &before);
            }
        }
    }

    #[test]
    fn every_run_either_waits_for_something_or_is_over(moves in moves()) {
        let runbook = runbook();
        let mut state = State::default();
        let mut finished = 0;
        for (stamp, fact) in play(&runbook, &moves) {
            let effects = apply(&runbook, &mut state, &stamp, fact);
            finished += effects.iter().filter(|it| matches!(it, Effect::Finish { .. })).count();
            let waiting = state.status() == Status::Waiting;
            let over = state.status().is_terminal();
            prop_assert_eq!(over, state.outstanding().is_empty() && !waiting);
            prop_assert_eq!(usize::from(over), finished);
            prop_assert_eq!(
                record(&runbook, &state).get("ExecutionEndTime").is_some(), over
            );
            let ids: Vec<_> = state.outstanding().iter().map(Effect::awaited_id).collect();
            prop_assert!(ids.iter().all(Option::is_some));
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[-a-z{}\\[\\]:,&*!|>'\"# \n\t\u{1F600}]{0,80}") {
        for format in [Format::Json, Format::Yaml] {
            if let Err(err) = Runbook::parse(&text, format) {
                prop_assert!(!err.to_string().is_empty());
            }
        }
    }

    #[test]
    fn any_data_is_the_same_after_yaml(data in data()) {
        let yaml = automation::document::write(&data, Format::Yaml);
        let read = automation::document::read(&yaml, Format::Yaml);
        prop_assert_eq!(read.map(|it| it.to_string()), Ok(data.to_string()), "{}", yaml);
    }
}

/// Any JSON value, rich in texts that YAML might take for something else.
fn data() -> impl Strategy<Value = Value> {
    let odd = [
        "",
        "yes",
        "null",
        "~",
        "1",
        "1.0",
        "0x1f",
        "012",
        "true",
        "- a",
        "a: b",
        "a #b",
        "{{ x }}",
        "\ta",
        "a\n",
        "a\nb\n\n",
        " a\nb",
        "a\n\n  b",
        "%x",
        "@",
        "\u{85}",
        "日本\n語",
        "a\r\nb",
        "---",
        "...",
        ".5",
        "=",
        "<<",
        "2020-01-01",
        "\u{feff}x",
        "x:",
        "!t",
        "|",
        "a\n \nb",
        "\"q\"",
        "?",
        "a\\b\nc",
    ];
    let text = prop_oneof![
        proptest::sample::select(odd.to_vec()).prop_map(str::to_owned),
        "[ -~\n\u{e9}\u{1F600}]{0,20}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e6..1e6_f64).prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((text.clone(), inner), 0..5).prop_map(|members| {
                members
                    .into_iter()
                    .fold(Value::object(), |all, (key, member)| all.with(key, member))
            }),
        ]
    })
}
