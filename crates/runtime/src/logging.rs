//! Vended logs: what executions write into a log group.
//!
//! Step Functions developer guide, "Using CloudWatch Logs to log execution history in Step
//! Functions" (read 2026-11); the shape of a message as recorded (conformance/states, `logs`).
//! Rows of STANDARD executions are written with the commit that holds their history, so each event
//! is logged once; those of EXPRESS executions behind it, as AWS promises: best effort.

use execution::HistoryEvent;
use store::{Table, Transaction, Write};
use value::{Value, value};

use crate::process::put;

/// How long an input or output within a message is at most, escaped; the rest is cut off
/// (developer guide: 248 KB).
const DATA_BYTES_MAX: usize = 248 * 1024;
/// How long one log stream takes events, in milliseconds.
// DIFFERS: AWS starts a new stream when it likes; here each machine has one an hour.
const STREAM_MILLIS: i64 = 60 * 60 * 1000;

/// Which events are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    All,
    Error,
    Fatal,
}

/// Where and what the executions of a state machine log.
#[derive(Clone, Debug, PartialEq)]
pub struct Logging {
    level: Level,
    /// Whether input and output are shown.
    shows_data: bool,
    /// ARN of the log group.
    group_arn: String,
    machine_name: String,
}

impl Logging {
    /// Returns how a state machine logs, by what is stored of it; `None` when it does not.
    pub fn of(machine: &Value) -> Option<Logging> {
        let configuration = machine.get("loggingConfiguration")?;
        let level = match configuration.get("level")?.as_str()? {
            "ALL" => Level::All,
            "ERROR" => Level::Error,
            "FATAL" => Level::Fatal,
            _ => return None,
        };
        let destination = configuration.get("destinations")?.as_array()?.first()?;
        let arn = destination.path(&["cloudWatchLogsLogGroup", "logGroupArn"])?.as_str()?;
        let shows_data = configuration.get("includeExecutionData").and_then(Value::as_bool);
        Some(Logging {
            level,
            shows_data: shows_data.unwrap_or(false),
            group_arn: arn.strip_suffix(":*").unwrap_or(arn).to_owned(),
            machine_name: machine.get("name")?.as_str()?.to_owned(),
        })
    }

    /// Returns the rows of the events that are to be logged, of an execution that was redriven so
    /// many times.
    pub(crate) fn rows(
        &self,
        execution_arn: &str,
        events: &[HistoryEvent],
        redrive_count: u32,
    ) -> Vec<Write> {
        let mut rows = Vec::new();
        let logged = events.iter().filter(|event| self.level.logs(event.details.event_type()));
        for event in logged {
            let millis = event.timestamp_millis;
            let (stream, since_millis) = self.stream(millis);
            let key = format!("{}:log-stream:{stream}", self.group_arn);
            let created = value!({ "creationMillis": since_millis });
            rows.push(put(Table::LogStreams, key, &created));
            // In the order of time within the group.
            let key =
                format!("{}:{millis:013}:{stream}:{execution_arn}/{:08}", self.group_arn, event.id);
            let message = self.message(execution_arn, event, redrive_count).to_json();
            let row = value!({ "timestamp": millis, "message": message });
            rows.push(put(Table::LogEvents, key, &row));
        }
        rows
    }

    /// Returns the name of the stream that takes the events of a time, and since when it does.
    fn stream(&self, millis: i64) -> (String, i64) {
        let since_millis = millis - millis.rem_euclid(STREAM_MILLIS);
        let time = asl::format_millis(since_millis);
        let minute: String = time
            .chars()
            .take("2026-11-25T14:00".len())
            .map(|letter| if letter.is_ascii_digit() { letter } else { '-' })
            .collect();
        // UNVERIFIED: how AWS ends the names of its streams.
        (format!("states/{}/{minute}/00000000", self.machine_name), since_millis)
    }

    fn message(&self, execution_arn: &str, event: &HistoryEvent, redrive_count: u32) -> Value {
        let shown = event.to_value();
        let members = shown.as_object().into_iter().flat_map(value::Map::iter);
        let mut details = members
            .filter(|(key, _)| key.ends_with("EventDetails"))
            .map(|(_, details)| details.clone())
            .next()
            .unwrap_or_else(Value::object);
        if self.shows_data {
            shorten(&mut details, "input", "inputDetails");
            shorten(&mut details, "output", "outputDetails");
        } else {
            // UNVERIFIED: that a task's parameters are execution data too.
            let data = ["input", "inputDetails", "output", "outputDetails", "parameters"];
            details.object_mut().retain(|key, _| !data.contains(&&**key));
        }
        value!({
            "id": event.id.to_string(),
            "type": event.details.event_type(),
            "details": details,
            "redrive_count": redrive_count.to_string(),
            "previous_event_id": event.previous_event_id.to_string(),
            "event_timestamp": event.timestamp_millis.to_string(),
            "execution_arn": execution_arn,
        })
    }
}

/// Writes rows within a transaction of their own.
pub(crate) fn write(tx: &mut dyn Transaction, rows: &[Write]) -> Result<(), store::Error> {
    for row in rows {
        match row {
            Write::Put(table, key, bytes) => tx.put(*table, key, bytes)?,
            Write::Delete(table, key) => drop(tx.delete(*table, key)?),
        }
    }
    Ok(())
}

impl Level {
    /// Returns whether an event of a type is logged (developer guide, "Log levels for Step
    /// Functions execution events").
    fn logs(self, event_type: &str) -> bool {
        let fatal = ["ExecutionAborted", "ExecutionFailed", "ExecutionTimedOut"];
        match self {
            Level::All => true,
            Level::Fatal => fatal.contains(&event_type),
            Level::Error => {
                let ends = ["Failed", "TimedOut", "Aborted"];
                event_type == "FailStateEntered" || ends.iter().any(|end| event_type.ends_with(end))
            }
        }
    }
}

/// Cuts a text that is too long for a message, and says so.
fn shorten(details: &mut Value, member: &str, about: &str) {
    let Some(text) = details.get(member).and_then(Value::as_str) else { return };
    if text.len() <= DATA_BYTES_MAX / 6 {
        // Not even if every byte had to be escaped.
        return;
    }
    let (mut kept, mut bytes) = (String::new(), 0);
    let mut escaped = String::new();
    for letter in text.chars() {
        escaped.clear();
        value::escape_into(&mut escaped, letter.encode_utf8(&mut [0; 4]));
        // Without the quotes around it.
        bytes += escaped.len() - 2;
        if DATA_BYTES_MAX < bytes {
            details.set(member, kept);
            details.set(about, value!({ "truncated": true }));
            return;
        }
        kept.push(letter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(level: &str) -> Value {
        let arn = "arn:aws:logs:us-east-1:1:log-group:/aws/vendedlogs/g:*";
        value!({ "name": "m", "loggingConfiguration": {
            "level": level,
            "destinations": [{ "cloudWatchLogsLogGroup": { "logGroupArn": arn } }],
        }})
    }

    #[test]
    fn levels_hold_what_aws_says() {
        for (event_type, error, fatal) in [
            ("ExecutionStarted", false, false),
            ("ExecutionFailed", true, true),
            ("ExecutionTimedOut", true, true),
            ("FailStateEntered", true, false),
            ("TaskFailed", true, false),
            ("MapIterationAborted", true, false),
            ("TaskStateExited", false, false),
        ] {
            assert!(Level::All.logs(event_type));
            assert_eq!(Level::Error.logs(event_type), error, "{event_type}");
            assert_eq!(Level::Fatal.logs(event_type), fatal, "{event_type}");
        }
    }

    #[test]
    fn a_machine_without_level_or_destination_logs_nothing() {
        assert_eq!(Logging::of(&machine("OFF")), None);
        assert_eq!(Logging::of(&value!({ "name": "m" })), None);
        let logging = Logging::of(&machine("ALL")).unwrap();
        assert_eq!(logging.group_arn, "arn:aws:logs:us-east-1:1:log-group:/aws/vendedlogs/g");
        let (stream, since) = logging.stream(1_795_478_400_000 + 61_000);
        assert_eq!(since, 1_795_478_400_000);
        assert_eq!(stream, "states/m/2026-11-24-00-00/00000000");
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_so() {
        let long = "\"".repeat(DATA_BYTES_MAX);
        let mut details = value!({ "input": long, "inputDetails": { "truncated": false } });
        shorten(&mut details, "input", "inputDetails");
        let kept = details.get("input").and_then(Value::as_str).unwrap().len();
        assert_eq!(kept, DATA_BYTES_MAX / 2);
        assert_eq!(details.path(&["inputDetails", "truncated"]), Some(&value!(true)));
    }
}
