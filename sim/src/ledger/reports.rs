//! What executions report on each other's tasks: who says that he reported was heard, once, and who
//! was heard does not say that he came too late.

use std::collections::BTreeSet;

use execution::TaskToken;
use value::Value;

/// What is known of reports: the execution that is told, and the name of the one that tells.
#[derive(Default)]
pub(crate) struct Reports {
    /// In the words of those who told.
    told: BTreeSet<(String, String)>,
    /// In the histories of those who were told.
    heard: BTreeSet<(String, String)>,
    /// The names of those who say that they came too late, and reported once.
    late: BTreeSet<String>,
}

impl Reports {
    /// Takes in the record of an execution that has ended.
    pub(crate) fn ended(&mut self, record: &Value) {
        let text = |member: &str| record.get(member).and_then(Value::as_str).unwrap_or_default();
        let Ok(output) = value::parse(text("output")) else { return };
        let said = |member: &str| output.get(member).and_then(Value::as_str);
        if let Some(token) = said("told").and_then(TaskToken::parse) {
            self.told.insert((token.execution_arn, text("name").to_owned()));
        }
        // Who was stopped while he reported and redriven reports again: then he is late, and heard.
        let is_redriven = record.get("redriveCount").is_some();
        if said("late").is_some() && !is_redriven {
            self.late.insert(text("name").to_owned());
        }
    }

    /// Takes in an event of a history.
    ///
    /// # Errors
    /// When the same report was heard before.
    pub(crate) fn event(&mut self, arn: &str, event: &Value) -> Result<(), String> {
        let details = ["taskSucceededEventDetails", "activitySucceededEventDetails"];
        let output = details.iter().find_map(|details| event.path(&[details, "output"]));
        let output = output.and_then(Value::as_str).and_then(|text| value::parse(text).ok());
        let Some(by) = output.as_ref().and_then(|output| output.get("by")?.as_str()) else {
            return Ok(());
        };
        if self.heard.insert((arn.to_owned(), by.to_owned())) {
            return Ok(());
        }
        Err(format!("{arn} has heard the report of {by} twice"))
    }

    /// Checks what must hold when everything has ended.
    ///
    /// # Errors
    /// What does not hold.
    pub(crate) fn check_end(&self) -> Result<(), String> {
        if let Some((arn, by)) = self.told.difference(&self.heard).next() {
            return Err(format!("{by} was told that his report was taken, {arn} has not heard it"));
        }
        match self.heard.iter().find(|(_, by)| self.late.contains(by)) {
            Some((arn, by)) => Err(format!("{arn} has heard {by}, who was told that he is late")),
            None => Ok(()),
        }
    }
}
