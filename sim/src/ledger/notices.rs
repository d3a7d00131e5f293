//! Status-change events: each reaches the outbox once.

use std::collections::BTreeMap;

use value::Value;

/// Of one execution: what was said of which step (empty: of the execution), and how often.
type Said = BTreeMap<(String, String), usize>;

/// Returns which life of a state-machine execution is meant.
fn life(redrive: Option<i64>) -> String {
    match redrive.unwrap_or_default() {
        0 => String::new(),
        redrive => format!("redrive {redrive}"),
    }
}

/// The outbox, as it was filled.
#[derive(Default)]
pub(crate) struct Notices {
    said: BTreeMap<String, Said>,
    /// What must have been said of those that have ended.
    due: BTreeMap<String, Vec<(String, String)>>,
}

impl Notices {
    /// Takes an event in.
    pub(crate) fn put(&mut self, key: &str, bytes: &[u8]) -> Result<(), String> {
        let event: Value = super::read(bytes)?;
        let text = |member: &str| {
            let found = event.path(&["detail", member]).and_then(Value::as_str);
            found.unwrap_or_default().to_owned()
        };
        let of_machine = event.path(&["detail", "executionArn"]).is_some();
        let (id, what) = if of_machine {
            let redrive = event.path(&["detail", "redriveCount"]).and_then(Value::as_i64);
            (text("executionArn"), (life(redrive), text("status")))
        } else {
            (text("ExecutionId"), (text("StepName"), text("Status")))
        };
        let times = self.said.entry(id.clone()).or_default().entry(what.clone()).or_default();
        *times += 1;
        if *times == 1 {
            return Ok(());
        }
        let (step, status) = what;
        Err(format!("the event {status} of step `{step}` of {id} comes again as {key}"))
    }

    /// Takes in how a state-machine execution ended: it has said that it began, and how it ended.
    /// After a redrive it says both again.
    pub(crate) fn machine_ended(&mut self, arn: &str, record: &Value) {
        let status = record.get("status").and_then(Value::as_str).unwrap_or_default();
        let redrive = record.get("redriveCount").and_then(Value::as_i64);
        let due = ["RUNNING", status].map(|status| (life(redrive), status.to_owned()));
        self.due.entry(arn.to_owned()).or_default().extend(due);
    }

    /// Takes in how a runbook execution ended: every step that began has said so, and how it ended.
    pub(crate) fn ended(&mut self, id: &str, record: &Value) -> Result<(), String> {
        let status = record.get("AutomationExecutionStatus").and_then(Value::as_str);
        let mut due = vec![(String::new(), status.unwrap_or_default().to_owned())];
        let steps = record.get("StepExecutions").and_then(Value::as_array).unwrap_or_default();
        // The steps of one that runs over targets stand for its children, who speak for themselves.
        let steps = if record.get("ProgressCounters").is_some() { &[] } else { steps };
        for step in steps.iter().filter(|step| step.get("ExecutionStartTime").is_some()) {
            let text = |member| step.get(member).and_then(Value::as_str).unwrap_or_default();
            due.push((text("StepName").to_owned(), "InProgress".to_owned()));
            due.push((text("StepName").to_owned(), text("StepStatus").to_owned()));
        }
        self.due.insert(id.to_owned(), due);
        Ok(())
    }

    pub(crate) fn check_end(&self) -> Result<(), String> {
        let nothing = Said::new();
        for (id, due) in &self.due {
            let said = self.said.get(id).unwrap_or(&nothing);
            if let Some((step, status)) = due.iter().find(|what| !said.contains_key(what)) {
                return Err(format!("the event {status} of step `{step}` of {id} never came"));
            }
        }
        Ok(())
    }
}
