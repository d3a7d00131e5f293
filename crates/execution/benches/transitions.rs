//! Times state transitions: `cargo bench -p execution`. Prints the best of many batches.
//!
//! `cargo bench -p execution -- chain 200000` applies one case that often, for `perf`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench reports and may fail")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use asl::{AnyResource, Definition, Options, StateMachineType};
use execution::{
    Effect, Fact, HistoryEvent, HistoryMode, Payload, Stamp, Started, State, Status, apply,
};

/// Time spent on one case.
const BUDGET: Duration = Duration::from_millis(800);
/// A batch below this, in nanoseconds, is made larger.
const WORTH_TIMING_NANOS: i64 = 200_000;
/// States in a chain.
const STATES: usize = 20;

fn definition(text: &str, machine_type: StateMachineType) -> Definition {
    Definition::parse(text, &Options { machine_type, resources: &AnyResource }).unwrap()
}

/// Twenty Pass states, each of which computes a number and builds an object.
fn chain() -> String {
    let states: Vec<String> = (0..STATES)
        .map(|at| {
            let next = if at + 1 == STATES {
                r#""End": true"#.to_owned()
            } else {
                format!(r#""Next": "S{}""#, at + 1)
            };
            format!(
                r#""S{at}": {{"Type": "Pass",
                    "Output": {{"n": "{{% $states.input.n + 1 %}}", "name": "step"}}, {next}}}"#
            )
        })
        .collect();
    format!(
        r#"{{"QueryLanguage": "JSONata", "StartAt": "S0", "States": {{{}}}}}"#,
        states.join(",")
    )
}

/// A Map whose item processor is one Pass.
fn map(mode: &str) -> String {
    format!(
        r#"{{"QueryLanguage": "JSONata", "StartAt": "M", "States": {{"M": {{"Type": "Map",
            "Items": "{{% $states.input.items %}}", "End": true,
            "ItemProcessor": {{"ProcessorConfig": {mode}, "StartAt": "P",
                "States": {{"P": {{"Type": "Pass", "End": true,
                    "Output": {{"n": "{{% $states.input.n + 1 %}}"}}}}}}}}}}}}}}"#
    )
}

fn items(count: usize) -> String {
    let items: Vec<String> = (0..count).map(|at| format!(r#"{{"n":{at}}}"#)).collect();
    format!(r#"{{"items":[{}]}}"#, items.join(","))
}

/// What becomes of the events.
#[derive(Clone, Copy, PartialEq)]
enum Events {
    /// They are made into the bytes that the runtime stores.
    Rendered,
    /// They are dropped.
    Dropped,
    /// None are made.
    Unmade,
}

/// Applies a whole execution; returns the bytes of its history.
fn run(definition: &Definition, input: &Payload, events: Events) -> usize {
    let started = Started {
        input: input.clone(),
        execution_arn: "arn:aws:states:us-east-1:111111111111:execution:m:e".into(),
        execution_name: "e".into(),
        role_arn: "arn:aws:iam::111111111111:role/r".into(),
        state_machine_arn: "arn:aws:states:us-east-1:111111111111:stateMachine:m".into(),
        state_machine_name: "m".into(),
        state_machine_alias_arn: None,
        state_machine_version_arn: None,
        region: "us-east-1".into(),
        history: match events {
            Events::Rendered | Events::Dropped => HistoryMode::Recorded,
            Events::Unmade => HistoryMode::Counted,
        },
        child: None,
    };
    let mut state = State::default();
    let mut fact = Some(Fact::Started(Box::new(started)));
    let mut bytes = 0;
    while let Some(next) = fact.take() {
        let stamp = Stamp { millis: 1_791_194_400_123, entropy: [7; 32] };
        for effect in apply(definition, &mut state, &stamp, next) {
            match effect {
                Effect::Record(recorded) if events == Events::Rendered => {
                    bytes += black_box(stored(&recorded)).len();
                }
                Effect::Timer { timer, .. } => fact = Some(Fact::TimerFired { timer }),
                Effect::Record(_)
                | Effect::Call(_)
                | Effect::CancelCall { .. }
                | Effect::Look(_)
                | Effect::Withdraw(_)
                | Effect::CancelTimer { .. }
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
    assert_eq!(state.status(), Status::Succeeded);
    bytes
}

/// The bytes that the runtime stores.
fn stored(events: &[HistoryEvent]) -> Vec<u8> {
    HistoryEvent::list_to_json(events).into_bytes()
}

/// Returns the processor time of this thread in nanoseconds: on a shared machine the clock on the
/// wall counts the neighbours too.
fn processor_time() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

/// Returns the least nanoseconds of processor time of one call.
fn nanoseconds(mut work: impl FnMut()) -> f64 {
    let mut batch = 1_u32;
    let mut best = f64::INFINITY;
    let started = Instant::now();
    while started.elapsed() < BUDGET {
        let before = processor_time();
        (0..batch).for_each(|_| work());
        let spent = processor_time() - before;
        best = best.min(spent as f64 / f64::from(batch));
        if spent < WORTH_TIMING_NANOS {
            batch *= 2;
        }
    }
    best
}

/// A machine, its input, and how many transitions a run takes.
struct Case {
    name: &'static str,
    definition: Definition,
    input: Payload,
    transitions: usize,
}

fn cases() -> Vec<Case> {
    let inline = r#"{"Mode": "INLINE"}"#;
    let chain_input = || Payload::parse(r#"{"n": 0}"#).unwrap();
    let case = |name, text: &str, machine_type, input, transitions| Case {
        name,
        definition: definition(text, machine_type),
        input,
        transitions,
    };
    let (standard, express) = (StateMachineType::Standard, StateMachineType::Express);
    let payload = |count| Payload::parse(&items(count)).unwrap();
    vec![
        case("chain", &chain(), standard, chain_input(), STATES),
        case("map 1000", &map(inline), express, payload(1_000), 1_000),
        case("map 10000", &map(inline), express, payload(10_000), 10_000),
    ]
}

fn main() {
    let cases = cases();
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let [name, mode, times] = arguments.as_slice() {
        let case = cases.iter().find(|case| case.name == name).unwrap();
        let events = match mode.as_str() {
            "unmade" => Events::Unmade,
            "dropped" => Events::Dropped,
            _ => Events::Rendered,
        };
        for _ in 0..times.parse().unwrap() {
            black_box(run(&case.definition, &case.input, events));
        }
        return;
    }
    println!(
        "{:16} {:>12} {:>12} {:>12}   ns per transition or item",
        "", "stored", "recorded", "no history"
    );
    for Case { name, definition, input, transitions } in &cases {
        let each = |events| {
            let spent = nanoseconds(|| {
                black_box(run(definition, input, events));
            });
            spent / *transitions as f64
        };
        let (stored, recorded, none) =
            (each(Events::Rendered), each(Events::Dropped), each(Events::Unmade));
        println!("{name:16} {stored:>12.0} {recorded:>12.0} {none:>12.0}");
    }
}
