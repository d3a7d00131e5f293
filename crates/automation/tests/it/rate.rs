//! Executions over many targets: when their children begin, and what becomes of them.

use automation::rate::{RateControl, Target};
use automation::{
    Child, ChildEnd, ChildWish, Effect, Fact, Format, Runbook, Stamp, Started, State, Status,
    StopType, apply, record,
};
use proptest::collection::vec;
use proptest::prelude::*;
use value::{Value, value};

use crate::driver::{Driver, START_MILLIS, document, nothing, started};

const STEPS: &str = "  - {name: set, action: 'aws:updateVariable', \
                     inputs: {Name: 'variable:Seen', Value: '{{ Name }}'}}\n";

/// An execution over `count` targets.
fn over(count: usize, max_concurrency: &str, max_errors: &str) -> Started {
    let target = |number: usize| Target {
        name: format!("t{number}"),
        parameters: value!({"Name": [format!("t{number}")]}),
    };
    let rate = RateControl {
        target_parameter_name: Some("Name".to_owned()),
        targets: value!([{"Key": "ParameterValues", "Values": ["…"]}]),
        target_maps: Value::Null,
        target_locations: Value::Null,
        max_concurrency: max_concurrency.to_owned(),
        max_errors: max_errors.to_owned(),
        resolved: (0..count).map(target).collect(),
    };
    Started { rate: Some(Box::new(rate)), ..started(nothing()) }
}

fn begun(count: usize, max_concurrency: &str, max_errors: &str) -> Driver {
    let mut driver = Driver::new(&document(STEPS));
    driver.fact(Fact::Started(Box::new(over(count, max_concurrency, max_errors))));
    driver
}

fn children(state: &State) -> Vec<Child> {
    let child = |effect| match effect {
        Effect::Child(child) => Some(*child),
        _ => None,
    };
    state.outstanding().into_iter().filter_map(child).collect()
}

fn running(driver: &Driver) -> Vec<String> {
    children(&driver.state).into_iter().map(|child| child.target).collect()
}

/// Ends the child that runs longest.
fn end(driver: &mut Driver, status: Status) {
    let id = children(&driver.state).first().expect("a child").id;
    driver.now_millis += 1000;
    let failure_message = (status == Status::Failed).then(|| "no such thing".to_owned());
    driver.fact(Fact::ChildEnded { id, end: ChildEnd { status, failure_message } });
}

fn counters(driver: &Driver) -> Value {
    driver.record().get("ProgressCounters").cloned().unwrap()
}

#[test]
fn twice_as_many_run_each_time_up_to_the_concurrency() {
    let mut driver = begun(20, "5", "0");
    let mut most = vec![running(&driver).len()];
    while driver.status() == Status::InProgress {
        end(&mut driver, Status::Success);
        most.push(running(&driver).len());
    }
    assert_eq!(most[..9], [1, 2, 2, 4, 4, 4, 4, 5, 5]);
    assert_eq!(most[most.len() - 6..], [5, 4, 3, 2, 1, 0]);
    assert_eq!(driver.status(), Status::Success);
    assert_eq!(
        counters(&driver),
        value!({
            "TotalSteps": 20, "SuccessSteps": 20, "FailedSteps": 0,
            "CancelledSteps": 0, "TimedOutSteps": 0,
        })
    );
}

#[test]
fn a_child_has_its_target_and_its_parameters() {
    let driver = begun(2, "1", "0");
    let [child] = &children(&driver.state)[..] else { panic!() };
    assert_eq!((&*child.target, child.wish), ("t0", ChildWish::Run));
    assert_eq!(child.parameters, value!({"Name": ["t0"]}));
    let record = driver.record();
    assert_eq!(record.get("TargetParameterName"), Some(&value!("Name")));
    assert_eq!(record.get("MaxConcurrency"), Some(&value!("1")));
    let resolved = value!({"ParameterValues": ["t0", "t1"], "Truncated": false});
    assert_eq!(record.get("ResolvedTargets"), Some(&resolved));
    let step = driver.step("t0");
    assert_eq!(step.get("Action"), Some(&value!("aws:executeAutomation")));
    assert_eq!(
        step.path(&["Outputs", "ExecutionId"]),
        Some(&value!([child.execution_id.as_str()]))
    );
}

#[test]
fn more_errors_than_allowed_begin_no_further_target() {
    // As the API reference says: of 50 targets and 10 %, the sixth error is one too many.
    for (allowed, errors) in [("0", 1), ("3", 4), ("10%", 6)] {
        let mut driver = begun(50, "1", allowed);
        for _ in 0..errors {
            assert_eq!(running(&driver).len(), 1, "{allowed}");
            end(&mut driver, Status::Failed);
        }
        assert_eq!(driver.status(), Status::Failed, "{allowed}");
        let message = driver.record().get("FailureMessage").cloned().unwrap();
        let expected = format!("{errors} of 50 targets failed");
        assert!(message.as_str().unwrap().contains(&expected), "{message}");
    }
}

#[test]
fn those_that_run_may_finish_after_too_many_errors() {
    let mut driver = begun(9, "4", "0");
    end(&mut driver, Status::Success);
    end(&mut driver, Status::TimedOut);
    assert_eq!(driver.status(), Status::InProgress);
    assert_eq!(running(&driver), ["t2"]);
    end(&mut driver, Status::Success);
    assert_eq!(driver.status(), Status::Failed);
}

#[test]
fn fewer_errors_than_allowed_are_a_success() {
    let mut driver = begun(3, "1", "1");
    for status in [Status::Failed, Status::Cancelled, Status::Success] {
        end(&mut driver, status);
    }
    assert_eq!(driver.status(), Status::Success);
    assert_eq!(driver.step_statuses(), ["Failed", "Cancelled", "Success"]);
}

#[test]
fn cancel_stops_the_children_and_waits_for_them() {
    let mut driver = begun(9, "4", "0");
    end(&mut driver, Status::Success);
    let effects = driver.fact(Fact::StopRequested(StopType::Cancel));
    let wishes: Vec<_> = effects
        .iter()
        .map(|effect| match effect {
            Effect::Child(child) => (&*child.target, child.wish),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(wishes, [("t1", ChildWish::Stop), ("t2", ChildWish::Stop)]);
    assert_eq!(driver.status(), Status::Cancelling);
    // After a crash the wish is the same.
    assert!(children(&driver.state).iter().all(|child| child.wish == ChildWish::Stop));
    end(&mut driver, Status::Cancelled);
    end(&mut driver, Status::Success);
    assert_eq!(driver.status(), Status::Cancelled);
}

#[test]
fn complete_lets_the_children_finish() {
    let mut driver = begun(9, "4", "0");
    end(&mut driver, Status::Success);
    assert_eq!(driver.fact(Fact::StopRequested(StopType::Complete)), []);
    end(&mut driver, Status::Success);
    assert_eq!(running(&driver), ["t2"]);
    end(&mut driver, Status::Success);
    assert_eq!(driver.status(), Status::Cancelled);
}

/// What happens: the child at this place ends in one of four ways, or somebody stops the whole.
fn moves() -> impl Strategy<Value = Vec<(usize, usize)>> {
    vec((0..40_usize, 0..20_usize), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn never_too_many_and_never_one_twice(
        count in 1..30_usize, concurrency in 1..9_usize, errors in 0..4_usize, moves in moves(),
    ) {
        let runbook = Runbook::parse(&document(STEPS), Format::Yaml).unwrap();
        let (mut state, mut crashed) = (State::default(), State::default());
        let mut begun = Vec::new();
        let mut failed = 0;
        let mut turn = 0_u8;
        let started = over(count, &concurrency.to_string(), &errors.to_string());
        let mut fact = Fact::Started(Box::new(started));
        let mut moves = moves.into_iter();
        loop {
            let stamp = Stamp { millis: START_MILLIS + i64::from(turn), entropy: [turn; 32] };
            turn += 1;
            let effects = apply(&runbook, &mut state, &stamp, fact.clone());
            let stored = value::to_value(&crashed).unwrap().to_string();
            crashed = value::from_value(value::parse(&stored).unwrap()).unwrap();
            prop_assert_eq!(&apply(&runbook, &mut crashed, &stamp, fact), &effects);
            prop_assert_eq!(record(&runbook, &state), record(&runbook, &crashed));
            for effect in effects {
                if let Effect::Child(child) = effect && child.wish == ChildWish::Run {
                    prop_assert!(failed <= errors);
                    begun.push((child.target, child.execution_id));
                }
            }
            let running = children(&state);
            prop_assert!(running.len() <= concurrency);
            prop_assert_eq!(running.is_empty(), state.status().is_terminal());
            let Some((place, kind)) = moves.next() else { break };
            let Some(child) = running.get(place % running.len().max(1)) else { break };
            let status = [Status::Success, Status::Failed, Status::TimedOut, Status::Cancelled];
            failed += usize::from(kind % 4 == 1 || kind % 4 == 2) * usize::from(kind < 16);
            fact = match kind {
                16..18 => Fact::StopRequested(StopType::Cancel),
                18.. => Fact::StopRequested(StopType::Complete),
                _ => Fact::ChildEnded {
                    id: child.id,
                    end: ChildEnd { status: status[kind % 4], failure_message: None },
                },
            };
        }
        let expected: Vec<String> = (0..begun.len()).map(|number| format!("t{number}")).collect();
        prop_assert_eq!(begun.iter().map(|(target, _)| target.clone()).collect::<Vec<_>>(), expected);
        begun.sort_by(|(_, one), (_, other)| one.cmp(other));
        begun.dedup_by(|(_, one), (_, other)| one == other);
        prop_assert_eq!(begun.len(), record(&runbook, &state).get("StepExecutions").unwrap().as_array().unwrap().len());
    }
}
