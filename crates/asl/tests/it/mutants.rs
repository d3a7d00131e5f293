//! Definitions that were damaged: every one is accepted or refused in words, with a place in the text.

use asl::{AnyResource, Options, StateMachineType, check};
use value::Value;

const MUTANTS: usize = 4_000;

const DEFINITIONS: &[&str] = &[
    r#"{"QueryLanguage": "JSONata", "StartAt": "T", "TimeoutSeconds": 60, "States": {
        "T": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:iam:getUser",
            "Arguments": {"UserName": "{% $states.input.user %}"}, "Assign": {"u": "{% $states.result %}"},
            "Output": {"a": ["{% $u.id %}"]}, "TimeoutSeconds": "{% 5 %}",
            "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2, "JitterStrategy": "FULL"}],
            "Catch": [{"ErrorEquals": ["X"], "Output": "{% $states.errorOutput %}", "Next": "C"}],
            "Next": "C"},
        "C": {"Type": "Choice", "Choices": [{"Condition": "{% $u = 1 %}", "Next": "W"}], "Default": "M"},
        "W": {"Type": "Wait", "Seconds": "{% $u.n %}", "Next": "M"},
        "M": {"Type": "Map", "Items": "{% [1..3] %}", "MaxConcurrency": 2, "ItemSelector": {"i": "{% $states.context.Map.Item.Value %}"},
            "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}}, "End": true}}}"#,
    r#"{"StartAt": "P", "Comment": "x", "States": {
        "P": {"Type": "Pass", "Parameters": {"a.$": "States.Format('{}', $.x)", "b": [{"c.$": "$$.Execution.Id"}]},
            "ResultPath": "$.r", "OutputPath": "$.r['b']", "Next": "C"},
        "C": {"Type": "Choice", "Choices": [{"And": [{"Variable": "$.x", "IsPresent": true},
            {"Not": {"Variable": "$.y[0]", "NumericLessThanPath": "$.z"}}], "Next": "F"}], "Default": "A"},
        "A": {"Type": "Parallel", "Branches": [{"StartAt": "S", "States": {"S": {"Type": "Succeed"}}}],
            "ResultSelector": {"r.$": "$[0]"}, "Next": "W"},
        "W": {"Type": "Wait", "TimestampPath": "$.t", "Next": "D"},
        "D": {"Type": "Map", "Label": "d", "ItemsPath": "$.items", "ToleratedFailurePercentage": 5,
            "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
                "StartAt": "I", "States": {"I": {"Type": "Succeed"}}}, "End": true},
        "F": {"Type": "Fail", "ErrorPath": "$.e", "Cause": "c"}}}"#,
];
const PUT: &[&str] = &[
    "null",
    "-1",
    "1e400",
    "\"\"",
    "\"{% $ + %}\"",
    "\"$.a[?(\"",
    "\"States.Format('{\"",
    "[]",
    "{}",
    "\"Map\"",
    "\"Pass\"",
    "true",
    "[[{\"Type\": null}]]",
    "\"日本\\u0000\"",
    "\"{% $states.result %}\"",
];

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % sides.max(1)
    }

    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.roll(from.len())]
    }
}

/// Replaces, drops or moves something within the value.
fn damage(dice: &mut Dice, value: &mut Value) {
    match value {
        Value::Object(map) if !map.is_empty() && dice.roll(8) > 0 => {
            let keys: Vec<_> = map.keys().cloned().collect();
            let key = &keys[dice.roll(keys.len())];
            let map = value.object_mut();
            match dice.roll(12) {
                0 => drop(map.remove(key)),
                1 => {
                    let moved = map.remove(key);
                    let to =
                        dice.pick(&["Next", "End", "Type", "StartAt", "Output", "x.$", "日本"]);
                    map.extend(moved.map(|moved| (to, moved)));
                }
                _ => damage(dice, map.get_mut(key).unwrap()),
            }
        }
        Value::Array(items) if !items.is_empty() && dice.roll(8) > 0 => {
            let at = dice.roll(items.len());
            damage(dice, &mut value.array_mut()[at]);
        }
        other => *other = value::parse(dice.pick(PUT)).unwrap(),
    }
}

#[test]
fn damaged_definitions_are_accepted_or_refused_in_words() {
    let mut dice = Dice(20_261_125);
    for whole in DEFINITIONS {
        let options = Options { machine_type: StateMachineType::Standard, resources: &AnyResource };
        let checked = check(whole, &options);
        assert!(checked.definition.is_some(), "{:?}", checked.diagnostics);
    }
    let mut accepted = 0;
    for _ in 0..MUTANTS {
        let mut definition = value::parse(dice.pick(DEFINITIONS)).unwrap();
        for _ in 0..=dice.roll(3) {
            damage(&mut dice, &mut definition);
        }
        let text = definition.to_string();
        for machine_type in [StateMachineType::Standard, StateMachineType::Express] {
            let checked = check(&text, &Options { machine_type, resources: &AnyResource });
            accepted += usize::from(checked.definition.is_some());
            assert!(checked.definition.is_some() || !checked.diagnostics.is_empty(), "{text}");
            for found in &checked.diagnostics {
                assert!(!found.to_string().is_empty(), "{text}");
                let inside = |span: asl::Span| {
                    span.start.offset <= span.end.offset && span.end.offset <= text.len()
                };
                assert!(found.span.is_none_or(inside), "{text}: {found:?}");
            }
        }
    }
    assert!(accepted > MUTANTS / 40, "only {accepted} accepted");
}
