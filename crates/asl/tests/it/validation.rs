//! What is wrong with a definition, all at once, in AWS's words.

use asl::{AnyResource, Definition, Options, StateMachineType};

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
