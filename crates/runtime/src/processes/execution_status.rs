//! What an execution tells EventBridge when its status changes.
//!
//! Step Functions developer guide, "Automating Step Functions event delivery with EventBridge"
//! (read 2026-11); the shape as recorded (conformance/states).

use events::Event;
use execution::{NotRedrivable, Payload, Status};
use value::value;

use super::emit;
use super::execution::{ExecutionProcess, Kept};
use crate::process::{Effect, StatusChange};

/// Whose events the changes of status are.
pub(crate) const EXECUTION_EVENTS_SOURCE: &str = "aws.states";
/// How much of its data an event carries: the input is left out when both together, escaped, are
/// longer, the output when it alone is.
const EVENT_DATA_BYTES_MAX: usize = 248 * 1024;
/// Which part of an ARN is the account.
const ARN_ACCOUNT: usize = 4;

impl ExecutionProcess {
    /// Returns the event of a change of status.
    pub(crate) fn status_event(&self, change: &StatusChange) -> Effect {
        let Kept { arn, begin, start_millis, state, .. } = &self.kept;
        let StatusChange { stamp, finish } = change;
        let status = finish.as_ref().map_or(Status::Running, |finish| finish.status);
        let output = finish.as_ref().and_then(|finish| finish.output.as_ref()).map(Payload::text);
        let output_bytes = output.as_deref().map_or(0, escaped_bytes);
        let input_fits = escaped_bytes(&begin.input) + output_bytes <= EVENT_DATA_BYTES_MAX;
        let output_fits = output_bytes <= EVENT_DATA_BYTES_MAX;
        let included = |fits: bool| value!({ "included": fits });
        let refusal = match finish {
            Some(_) => state.redrivable().err(),
            None => Some(NotRedrivable::Is(Status::Running)),
        };
        let redrives = state.redrives();
        let detail = value!({
            "executionArn": arn,
            "stateMachineArn": &begin.state_machine_arn,
            "name": &begin.name,
            "status": status.as_str(),
            "startDate": *start_millis,
            "stopDate": finish.is_some().then_some(stamp.millis),
            "input": input_fits.then_some(&*begin.input),
            "inputDetails": included(input_fits),
            "output": output.as_deref().filter(|_| output_fits),
            "outputDetails": output.is_some().then(|| included(output_fits)),
            "stateMachineVersionArn": begin.state_machine_version_arn.as_ref(),
            "stateMachineAliasArn": begin.state_machine_alias_arn.as_ref(),
            "redriveCount": self.redrive_count(),
            "redriveDate": redrives.map(|redrives| redrives.last_millis),
            "redriveStatus": if refusal.is_some() { "NOT_REDRIVABLE" } else { "REDRIVABLE" },
            "redriveStatusReason": refusal.map(|refusal| refusal.to_string()),
            "error": finish.as_ref().and_then(|finish| finish.error.as_ref()),
            "cause": finish.as_ref().and_then(|finish| finish.cause.as_ref()),
        });
        let event = Event {
            id: String::new(),
            detail_type: "Step Functions Execution Status Change".into(),
            source: EXECUTION_EVENTS_SOURCE.into(),
            account: arn.split(':').nth(ARN_ACCOUNT).unwrap_or_default().to_owned(),
            time_millis: stamp.millis,
            region: begin.region.clone(),
            resources: vec![arn.clone()],
            detail,
        };
        // An execution may begin and end in one fact: the two events have ids of their own.
        emit(event, stamp, usize::from(finish.is_some()))
    }
}

/// Returns how long a text is within JSON.
fn escaped_bytes(text: &str) -> usize {
    let mut escaped = String::new();
    value::escape_into(&mut escaped, text);
    escaped.len()
}
