//! The state machines that are measured.

use value::{Value, value};

/// How many states the chain has, and so how many transitions an execution of it makes.
pub(crate) const CHAIN_STATES: usize = 20;
/// Events in the history of a chain: started, two per state, succeeded.
pub(crate) const CHAIN_EVENTS: usize = 2 * CHAIN_STATES + 2;

/// Returns a chain of Pass states, each of which computes and builds an object.
pub(crate) fn chain() -> Value {
    let mut states = Value::object();
    for number in 1..=CHAIN_STATES {
        let state = value!({
            "Type": "Pass",
            "Output": {"n": "{% $states.input.n + 1 %}", "name": "step"},
        });
        let state = if number == CHAIN_STATES {
            state.with("End", true)
        } else {
            state.with("Next", format!("Step{}", number + 1))
        };
        states.set(format!("Step{number}"), state);
    }
    value!({"QueryLanguage": "JSONata", "StartAt": "Step1"}).with("States", states)
}

/// Returns one Pass state.
pub(crate) fn pass() -> Value {
    value!({
        "QueryLanguage": "JSONata",
        "StartAt": "Pass",
        "States": {"Pass": {"Type": "Pass", "End": true}},
    })
}

/// Returns an inline Map over the numbers up to `count` of the input, each of which is made an
/// object with the next one; the answer is the last.
pub(crate) fn map() -> Value {
    let next = value!({"Type": "Pass", "Output": {"n": "{% $states.input + 1 %}"}, "End": true});
    let processor = value!({
        "ProcessorConfig": {"Mode": "INLINE"},
        "StartAt": "Next",
        "States": {"Next": next},
    });
    let map = value!({
        "Type": "Map",
        "Items": "{% [1..$states.input.count] %}",
        "ItemProcessor": processor,
        "Output": {"last": "{% $states.result[-1].n %}"},
        "End": true,
    });
    value!({"QueryLanguage": "JSONata", "StartAt": "Map", "States": {"Map": map}})
}

/// Returns a distributed Map over the lines of an object, one Pass state each, whose results are
/// written beside it.
pub(crate) fn distributed_map(bucket: &str, key: &str, execution_type: &str) -> Value {
    let output = value!({"id": "{% $states.input.id %}", "done": true});
    let done = value!({"Type": "Pass", "Output": output, "End": true});
    let processor = value!({
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": execution_type},
        "StartAt": "Done",
        "States": {"Done": done},
    });
    let map = value!({
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSONL"},
            "Arguments": {"Bucket": bucket, "Key": key},
        },
        "ItemProcessor": processor,
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject",
            "Arguments": {"Bucket": bucket, "Prefix": "results"},
        },
        "End": true,
    });
    value!({"QueryLanguage": "JSONata", "StartAt": "Map", "States": {"Map": map}})
}

/// Returns one Wait state that waits a day.
pub(crate) fn wait_a_day() -> Value {
    value!({
        "QueryLanguage": "JSONata",
        "StartAt": "Wait",
        "States": {"Wait": {"Type": "Wait", "Seconds": 86_400.0, "End": true}},
    })
}
