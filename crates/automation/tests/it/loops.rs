//! `aws:loop`: iterations, and the ways out of them.

use automation::{Fact, Format, Runbook, Status, StopType};
use value::{Value, value};

use crate::driver::{Driver, START_MILLIS, document, error, nothing};

/// A loop with these inputs and properties around two steps, and a step behind it.
fn looped(properties: &str, inputs: &str, body: &str) -> String {
    document(&format!(
        "  - name: around
    action: aws:loop
    {properties}
    inputs:
      {inputs}
      Steps:
        {body}
        - {{name: note, action: 'aws:updateVariable', inputs: {{Name: 'variable:Total', Value: '{{{{ Loop.CurrentIteration }}}}'}}}}
  - {{name: after, action: 'aws:sleep', inputs: {{Duration: PT0S}}}}
"
    ))
}

const CALL: &str = "- {name: ask, action: 'aws:executeAwsApi', BODY inputs: {Service: iam, Api: GetUser, \
                    UserName: '{{ Loop.CurrentIteratorValue }}'}, \
                    outputs: [{Name: More, Selector: $.More, Type: Boolean}]}";

fn call(properties: &str) -> String {
    CALL.replace("BODY", properties)
}

/// Returns name, iteration and status of everything that the record shows.
fn shown(driver: &Driver) -> Vec<String> {
    let record = driver.record();
    let steps = record.get("StepExecutions").and_then(Value::as_array).unwrap();
    let text = |step: &Value, path: &[&str]| {
        step.path(path)
            .map_or(String::new(), |it| it.as_str().map_or(it.to_string(), str::to_owned))
    };
    let show = |step: &Value| {
        let iteration = text(step, &["ParentStepDetails", "Iteration"]);
        format!("{}{iteration} {}", text(step, &["StepName"]), text(step, &["StepStatus"]))
    };
    steps.iter().map(show).collect()
}

#[test]
fn runs_its_body_for_every_element() {
    let yaml = looped("isCritical: true", "Iterators: '{{ List }}'", &call(""));
    let mut driver = Driver::started(&yaml, nothing());
    let calls = driver.answer_all(|_, _| Ok(nothing()));
    let inputs: Vec<String> = calls.iter().map(|(_, input)| input.to_string()).collect();
    assert_eq!(inputs, [r#"{"UserName":"a"}"#, r#"{"UserName":"b"}"#]);
    assert_eq!(
        shown(&driver),
        [
            "around Success",
            "ask1 Success",
            "note1 Success",
            "ask2 Success",
            "note2 Success",
            "after Success"
        ]
    );
    let record = driver.record();
    let second = record.get("StepExecutions").unwrap().at(3).unwrap().clone();
    let around = driver.step("around").get("StepExecutionId").unwrap().clone();
    assert_eq!(
        second.get("ParentStepDetails").unwrap().to_string(),
        value!({
            "StepExecutionId": around,
            "StepName": "around",
            "Action": "aws:loop",
            "Iteration": 2,
            "IteratorValue": "\"b\"",
        })
        .to_string()
    );
    assert_eq!(record.path(&["Variables", "Total"]), Some(&value!(["2"])));
}

#[test]
fn repeats_while_the_condition_holds_behind_the_body() {
    let condition = |most: u64| {
        format!(
            "MaxIterations: {most}\n      \
             LoopCondition: {{Variable: '{{{{ ask.More }}}}', BooleanEquals: true}}"
        )
    };
    for (most, rounds) in [(10, 3), (2, 2), (1, 1)] {
        let yaml = looped("isEnd: false", &condition(most), &call(""));
        let mut driver = Driver::started(&yaml, nothing());
        let mut round = 0;
        let calls = driver.answer_all(|_, _| {
            round += 1;
            Ok(value!({"More": round < 3}))
        });
        assert_eq!(calls.len(), rounds);
        assert_eq!(driver.status(), Status::Success);
    }
}

#[test]
fn a_step_of_the_body_may_end_the_iteration_leave_the_loop_or_fail_it() {
    for (properties, fails, expected) in [
        (
            "isEnd: true,",
            false,
            vec!["around Success", "ask1 Success", "ask2 Success", "after Success"],
        ),
        ("nextStep: after,", false, vec!["around Success", "ask1 Success", "after Success"]),
        (
            "onFailure: 'step:after', isCritical: false,",
            true,
            vec!["around Success", "ask1 Failed", "after Success"],
        ),
        (
            "onFailure: Continue, isEnd: true,",
            true,
            vec!["around Success", "ask1 Failed", "ask2 Failed", "after Success"],
        ),
        ("", true, vec!["around Failed", "ask1 Failed", "after Pending"]),
    ] {
        let yaml = looped("isCritical: true", "Iterators: [x, y]", &call(properties));
        let mut driver = Driver::started(&yaml, nothing());
        driver.answer_all(|_, _| if fails { Err(error("No", "no")) } else { Ok(nothing()) });
        assert_eq!(shown(&driver), expected, "{properties}");
        assert!(driver.state.outstanding().is_empty());
    }
}

#[test]
fn a_loop_that_fails_goes_on_as_its_own_properties_say() {
    let yaml = looped("onFailure: Continue", "Iterators: [x]", &call(""));
    let mut driver = Driver::started(&yaml, nothing());
    driver.answer(Err(error("No", "no")));
    assert_eq!(shown(&driver), ["around Failed", "ask1 Failed", "after Success"]);
    assert_eq!(driver.status(), Status::Success);

    let yaml = looped("maxAttempts: 2", "Iterators: [x]", &call(""));
    let mut driver = Driver::started(&yaml, nothing());
    driver.answer(Err(error("No", "no")));
    driver.answer(Ok(nothing()));
    assert_eq!(driver.status(), Status::Success);
}

#[test]
fn a_loop_that_takes_too_long_ends_the_step_inside_it() {
    let yaml = looped("timeoutSeconds: 5", "Iterators: [x]", &call("timeoutSeconds: 60,"));
    let mut driver = Driver::started(&yaml, nothing());
    driver.next_timer();
    assert_eq!(driver.now_millis, START_MILLIS + 5000);
    assert_eq!(shown(&driver), ["around TimedOut", "ask1 Cancelled", "after Pending"]);
    assert_eq!(driver.status(), Status::TimedOut);
    assert!(driver.state.outstanding().is_empty());
}

#[test]
fn stopping_stops_the_loop_too() {
    for (stop, ask) in [(StopType::Cancel, "ask1 Cancelled"), (StopType::Complete, "ask1 Success")]
    {
        let yaml = looped("timeoutSeconds: 500", "Iterators: [x]", &call(""));
        let mut driver = Driver::started(&yaml, nothing());
        driver.fact(Fact::StopRequested(stop));
        if driver.call().is_some() {
            driver.answer(Ok(nothing()));
        }
        assert_eq!(shown(&driver), ["around Cancelled", ask, "after Pending"]);
        assert_eq!(driver.status(), Status::Cancelled);
        assert!(driver.state.outstanding().is_empty());
    }
}

#[test]
fn refuses_what_it_cannot_iterate_over() {
    for inputs in [
        "Iterators: '{{ Name }}'",
        "MaxIterations: 3",
        "Iterators: [a]\n      IteratorDataType: Integer",
    ] {
        let driver = Driver::started(&looped("isCritical: true", inputs, &call("")), nothing());
        assert_eq!(driver.status(), Status::Failed, "{inputs}");
    }
    let many = format!("Iterators: [{}]", "1, ".repeat(101));
    let driver = Driver::started(&looped("isCritical: true", &many, &call("")), nothing());
    assert_eq!(driver.status(), Status::Failed);
    let driver =
        Driver::started(&looped("isCritical: true", "Iterators: []", &call("")), nothing());
    assert_eq!(driver.status(), Status::Success);
}

#[test]
fn survives_a_crash_in_every_iteration() {
    let yaml = looped("isCritical: true", "Iterators: [x, y, z]", &call(""));
    let mut driver = Driver::started(&yaml, nothing());
    while driver.call().is_some() {
        let stored = value::to_value(&driver.state).unwrap().to_string();
        driver.state = value::from_value(value::parse(&stored).unwrap()).unwrap();
        driver.answer(Ok(nothing()));
    }
    assert_eq!(driver.status(), Status::Success);
    assert_eq!(shown(&driver).len(), 8);
}

#[test]
fn nobody_jumps_into_a_loop() {
    let yaml = looped("isCritical: true", "Iterators: [x]", &call(""))
        .replace("{name: after,", "{name: after, onFailure: 'step:ask',");
    let err = Runbook::parse(&yaml, Format::Yaml).unwrap_err().to_string();
    assert!(err.contains("`ask` is inside another loop"), "{err}");
}
