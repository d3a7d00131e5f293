//! What is wrong with a definition, all at once, in AWS's words.

use asl::{AnyResource, Definition, Options, Severity, StateMachineType, check};

pub(crate) fn problems(text: &str) -> Vec<String> {
    let options = Options { machine_type: StateMachineType::Standard, resources: &AnyResource };
    match Definition::parse(text, &options) {
        Ok(_) => Vec::new(),
        Err(found) => found.0.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn every_problem_is_found_in_one_go() {
    let text = r#"{"StartAt": "pass1", "States": {
        "pass1": {"Type": "Pass", "Next": "pass3"},
        "pass2": {"Type": "Wait", "Timestamp": "2016-13-05T21:29:29Z", "End": true},
        "task": {"Type": "Task", "Resource": "nonsense", "Credentials": {}, "End": true}}}"#;
    assert_eq!(
        problems(text),
        [
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: pass3 at /States/pass1/Next",
            "MISSING_TRANSITION_TARGET: State \"pass2\" is not reachable. at /States/pass2",
            "SCHEMA_VALIDATION_FAILED: String does not match RFC3339 timestamp at \
             /States/pass2/Timestamp",
            "MISSING_TRANSITION_TARGET: State \"task\" is not reachable. at /States/task",
            "SCHEMA_VALIDATION_FAILED: Value is not a valid resource ARN at /States/task/Resource",
            "SCHEMA_VALIDATION_FAILED: The field 'RoleArn' is required but was missing at \
             /States/task/Credentials",
        ]
    );
}

#[test]
fn expressions_are_checked_where_they_stand() {
    let text = r#"{"QueryLanguage": "JSONata", "StartAt": "E", "States": {
        "E": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:iam:getUser",
            "Arguments": {"UserName": "{% $states.input.username + %}", "x": "{% $states.result %}"},
            "Output": {"v": "{% phone %}", "w": ["{% $$ %}", "{% $states.errorOutput %}"]},
            "Catch": [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput %}",
                "Next": "F"}], "Next": "F"},
        "F": {"Type": "Succeed"}}}"#;
    assert_eq!(
        problems(text),
        [
            "INVALID_JSONATA_EXPRESSION: Unexpected end of expression at \
             /States/E/Arguments/UserName",
            "UNSUPPORTED_JSONATA_EXPRESSION: Field '$states.result' does not exist. at \
             /States/E/Arguments/x",
            "UNSUPPORTED_JSONATA_EXPRESSION: Reference to 'phone' at the top level is not \
             supported. at /States/E/Output/v",
            "UNSUPPORTED_JSONATA_EXPRESSION: Reference to '$$' is not supported. at \
             /States/E/Output/w[0]",
            "UNSUPPORTED_JSONATA_EXPRESSION: Field '$states.errorOutput' does not exist. at \
             /States/E/Output/w[1]",
        ]
    );
}

#[test]
fn problems_carry_their_place_and_a_hint() {
    let text = "{\"QueryLanguage\": \"JSONata\", \"StartAt\": \"A\", \"States\": {\n  \"A\": {\"Type\": \
                \"Pass\", \"Output\": \"{% 1 + ) %}\", \"Next\": \"Don\"},\n  \"Done\": {\"Type\": \
                \"Succeed\"}}}";
    let options = Options { machine_type: StateMachineType::Standard, resources: &AnyResource };
    let found = Definition::parse(text, &options).unwrap_err().0;
    let expression = found[0].span.unwrap().start;
    assert_eq!((expression.line, expression.column), (2, 43));
    assert_eq!(text.get(expression.offset..=expression.offset), Some(")"));
    assert_eq!(found[1].hint.as_deref(), Some("did you mean `Done`?"));
}

#[test]
fn fields_of_the_other_language_and_of_the_other_mode_are_refused_by_name() {
    let text = r#"{"StartAt": "M", "States": {"M": {"Type": "Map", "Items": [1], "End": true,
        "ItemBatcher": {"MaxItemsPerBatch": 2}, "Nope": 1,
        "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}}}}}"#;
    assert_eq!(
        problems(text),
        [
            "SCHEMA_VALIDATION_FAILED: Field 'ItemBatcher' is only supported in 'DISTRIBUTED' mode \
             at /States/M/ItemBatcher",
            "SCHEMA_VALIDATION_FAILED: Field 'Items' is only supported with query language \
             JSONata at /States/M/Items",
            "SCHEMA_VALIDATION_FAILED: Field is not supported at /States/M/Nope",
        ]
    );
}

#[test]
fn variables_that_states_read_are_known() {
    let text = r#"{"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Assign": {"x": 1, "y": 2}, "Next": "B"},
        "B": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $y + $x %}", "Next": "C"},
        "C": {"Type": "Pass", "Parameters": {"v.$": "States.Format('{}', $x)"}, "End": true}}}"#;
    let options = Options { machine_type: StateMachineType::Standard, resources: &AnyResource };
    let definition = Definition::parse(text, &options).unwrap();
    let found: Vec<_> =
        definition.variable_references().map(|(name, names)| (name, names.join(","))).collect();
    assert_eq!(found, [("B", "x,y".to_owned()), ("C", "x".to_owned())]);
}

#[test]
fn a_definition_that_younger_rules_refuse_is_still_read_when_it_was_accepted() {
    let options = Options { machine_type: StateMachineType::Standard, resources: &AnyResource };
    let machine = |task: &str, more: &str| {
        format!(
            r#"{{"StartAt": "T", "States": {{"T": {{"Type": "Task", {task},
                "Resource": "arn:aws:states:::aws-sdk:iam:listUsers"}}, {more}
                "Z": {{"Type": "Succeed"}}}}}}"#
        )
    };
    for runs in [
        // Nothing leads to Z.
        machine(r#""End": true"#, ""),
        machine(r#""Next": "Z", "TimeoutSeconds": 1, "TimeoutSecondsPath": "$.s""#, ""),
        machine(r#""Next": "Z", "Parameters": {"a": 1, "a.$": "$.a"}"#, ""),
        machine(r#""Next": "T""#, ""),
    ] {
        assert!(Definition::parse(&runs, &options).is_err(), "{runs}");
        assert!(Definition::parse_accepted(&runs, &options).is_ok(), "{runs}");
    }
    for means_nothing in
        [machine(r#""Next": "Y""#, ""), machine(r#""Next": "Z""#, r#""X": {"Type": "Jump"},"#)]
    {
        assert!(Definition::parse_accepted(&means_nothing, &options).is_err(), "{means_nothing}");
    }
}

#[test]
fn no_text_panics() {
    let whole = r#"{"StartAt": "A", "QueryLanguage": "JSONata", "States": {"A": {"Type": "Choice",
        "Choices": [{"Condition": "{% $states.input.日本 > 1 %}", "Next": "A"}], "Default": "B"},
        "B": {"Type": "Wait", "Timestamp": "{% $x %}", "Next": "C"},
        "C": {"Type": "Fail", "Error": "e\\u0041"}}}"#;
    let cuts = whole.char_indices().map(|(at, _)| at);
    for at in cuts {
        let (before, after) = whole.split_at(at);
        problems(before);
        for put in ["\"", "{", "}", "[", "null", "\u{1}", "{%"] {
            problems(&format!("{before}{put}{after}"));
        }
        let mut rest = after.chars();
        rest.next();
        problems(&format!("{before}{}", rest.as_str()));
    }
    problems(&"[".repeat(100_000));
}

#[test]
fn express_machines_have_no_activities_callbacks_and_map_runs() {
    let text = r#"{"StartAt": "A", "States": {
        "A": {"Type": "Task", "Resource": "arn:aws:states:us-east-1:111111111111:activity:a", "Next": "B"},
        "B": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "Next": "C"},
        "C": {"Type": "Map", "End": true, "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
            "StartAt": "D", "States": {"D": {"Type": "Pass", "End": true}}}}}}"#;
    let options = |machine_type| Options { machine_type, resources: &AnyResource };
    let found = asl::check(text, &options(StateMachineType::Express)).diagnostics;
    let found: Vec<&str> = found.iter().map(|problem| problem.location.as_str()).collect();
    let place = "/States/C/ItemProcessor/ProcessorConfig/Mode";
    assert_eq!(found, ["/States/A/Resource", "/States/B/Resource", place]);
    assert!(asl::check(text, &options(StateMachineType::Standard)).definition.is_some());
    // One of its states can be tested all the same.
    let map = text.replace(".waitForTaskToken", "").replace(":activity:a", ":function:a");
    let map = map.replace("arn:aws:states:us-east-1", "arn:aws:lambda:us-east-1");
    assert!(Definition::parse_state(&map, &options(StateMachineType::Express)).is_ok());
}

#[test]
fn what_excludes_each_other_is_refused_together() {
    let state = |fields: &str| {
        format!(r#"{{"StartAt": "A", "States": {{"A": {{"Comment": "", {fields}}}}}}}"#)
    };
    let map = r#""Type": "Map", "End": true, "ItemProcessor": {"StartAt": "P", "States":
        {"P": {"Type": "Pass", "End": true}}}"#;
    let task = r#""Type": "Task", "End": true, "Resource":
        "arn:aws:lambda:us-east-1:111111111111:function:f""#;
    for (fields, pair) in [
        (r#""Type": "Fail", "Cause": "c", "CausePath": "$.c""#.to_owned(), "Cause, CausePath"),
        (
            format!(r#"{task}, "TimeoutSeconds": 1, "TimeoutSecondsPath": "$.t""#),
            "TimeoutSeconds, TimeoutSecondsPath",
        ),
        (format!(r#"{map}, "ItemSelector": {{}}, "Parameters": {{}}"#), "ItemSelector, Parameters"),
    ] {
        let wanted = format!(
            "SCHEMA_VALIDATION_FAILED: Only one of the fields [{pair}] is allowed at /States/A"
        );
        assert_eq!(problems(&state(&fields)), [wanted]);
    }
    let batched = map.replace(
        r#""ItemProcessor": {"#,
        r#""ItemBatcher": {"MaxItemsPerBatch": 1, "MaxItemsPerBatchPath": "$.n"},
        "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "#,
    );
    assert_eq!(
        problems(&state(&batched)),
        ["SCHEMA_VALIDATION_FAILED: Only one of the fields [MaxItemsPerBatch, \
             MaxItemsPerBatchPath] is allowed at /States/A/ItemBatcher"]
    );
    let fields = r#""Type": "Pass", "End": true, "Parameters": {"a": {"x.$": "$.x", "x": 1}}"#;
    assert_eq!(
        problems(&state(fields)),
        ["SCHEMA_VALIDATION_FAILED: Duplicate field 'x', with and without '.$' at \
             /States/A/Parameters/a"]
    );
}

#[test]
fn a_machine_without_an_end_is_refused() {
    let text = r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"},
        "B": {"Type": "Choice", "Choices": [{"Variable": "$.x", "IsNull": true, "Next": "A"}]}}}"#;
    assert_eq!(
        problems(text),
        ["MISSING_END_STATE: The workflow does not have a terminal state at /States"]
    );
}

/// Returns the code and location of every warning; the definition must be accepted or not as said.
fn warnings(text: &str, accepted: bool) -> Vec<String> {
    let options = Options { machine_type: StateMachineType::Standard, resources: &AnyResource };
    let checked = check(text, &options);
    assert_eq!(checked.definition.is_some(), accepted, "{:?}", checked.diagnostics);
    let warnings = checked.diagnostics.iter().filter(|one| one.severity == Severity::Warning);
    warnings.map(|one| format!("{} {}", one.code.as_str(), one.location)).collect()
}

#[test]
fn what_is_probably_not_meant_is_warned_of_and_accepted() {
    let text = r#"{"StartAt": "P", "States": {
        "P": {"Type": "Pass", "Result": {"a.$": "$.a", "b": ["States.UUID()", "$5", "$"]},
            "Next": "T"},
        "T": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "f", "Payload": {"id": "$.order.id", "at": "$$.State",
                "on": "$$.Execution.Id", "made": "States.Format('{}', $.x)", "price": "$.5 or so",
                "read.$": "$.order.id", "States": "States. of mind"}},
            "ResultSelector": {"x": "$['a b']"}, "Next": "C"},
        "C": {"Type": "Choice", "Default": "F", "Choices": [
            {"Variable": "$.a", "StringEquals": "$.b", "Next": "F"},
            {"Not": {"Variable": "$.a", "StringMatches": "$.b*"}, "Next": "F"}]},
        "F": {"Type": "Fail", "Error": "$.error", "Cause": "costs $.50"}}}"#;
    assert_eq!(
        warnings(text, true),
        [
            "PASS_RESULT_IS_STATIC /States/P/Result/a.$",
            "PASS_RESULT_IS_STATIC /States/P/Result/b[0]",
            "NO_DOLLAR /States/T/Parameters/Payload/id",
            "NO_DOLLAR /States/T/Parameters/Payload/at",
            "NO_DOLLAR /States/T/Parameters/Payload/on",
            "NO_DOLLAR /States/T/Parameters/Payload/made",
            "NO_DOLLAR /States/T/ResultSelector/x",
            "NO_PATH /States/C/Choices[0]/StringEquals",
            "NO_PATH /States/F/Error",
        ]
    );
    let refused = r#"{"StartAt": "W", "States": {
        "W": {"Type": "Wait", "Seconds": "$.seconds", "End": true}}}"#;
    assert_eq!(warnings(refused, false), ["NO_PATH /States/W/Seconds"]);
}

#[test]
fn jsonata_states_have_no_paths_to_warn_of() {
    let text = r#"{"QueryLanguage": "JSONata", "StartAt": "T", "States": {
        "T": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"Payload": "$.x"}, "Next": "F"},
        "F": {"Type": "Fail", "Error": "$.error"}}}"#;
    assert_eq!(warnings(text, true), [""; 0]);
}
