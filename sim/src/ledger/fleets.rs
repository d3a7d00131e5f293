//! Runbooks over many targets: a target has one child at most, no more children run at once than
//! may, none outlives its parent, and the parent tells of them what is true.

use std::collections::BTreeMap;

use value::Value;

/// What is known of the runbooks over many targets of a world.
#[derive(Default)]
pub(crate) struct Fleets {
    /// The last record of each.
    parents: BTreeMap<String, Value>,
    /// The children of each by target: their ids and statuses.
    children: BTreeMap<String, BTreeMap<String, (String, String)>>,
}

fn text<'a>(record: &'a Value, member: &str) -> &'a str {
    record.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn counter(record: &Value, name: &str) -> i64 {
    record.path(&["ProgressCounters", name]).and_then(Value::as_i64).unwrap_or_default()
}

fn has_ended(status: &str) -> bool {
    matches!(status, "Success" | "Failed" | "TimedOut" | "Cancelled")
}

impl Fleets {
    /// Takes in where an automation stands.
    ///
    /// # Errors
    /// When it cannot stand there.
    pub(crate) fn put(&mut self, id: &str, record: &Value) -> Result<(), String> {
        if record.get("ProgressCounters").is_some() {
            self.parents.insert(id.to_owned(), record.clone());
            return self.parent(id, record);
        }
        match text(record, "ParentAutomationExecutionId") {
            "" => Ok(()),
            parent => self.child(parent, id, record),
        }
    }

    fn child(&mut self, parent: &str, id: &str, record: &Value) -> Result<(), String> {
        let (target, status) = (text(record, "Target"), text(record, "AutomationExecutionStatus"));
        let Some(of) = self.parents.get(parent) else {
            return Err(format!("{id} begins, and its parent {parent} is not known"));
        };
        if !has_ended(status) && has_ended(text(of, "AutomationExecutionStatus")) {
            return Err(format!("{id} outlives its parent {parent}"));
        }
        let children = self.children.entry(parent.to_owned()).or_default();
        let told = (id.to_owned(), status.to_owned());
        if let Some((other, _)) = children.insert(target.to_owned(), told)
            && other != id
        {
            return Err(format!("the target {target} of {parent} has {other}, and {id} begins"));
        }
        let running = children.values().filter(|(_, status)| !has_ended(status)).count();
        match text(of, "MaxConcurrency").parse::<usize>() {
            Ok(most) if running <= most => Ok(()),
            most => Err(format!("{running} children of {parent} run, {most:?} may")),
        }
    }

    fn parent(&self, id: &str, record: &Value) -> Result<(), String> {
        let status = text(record, "AutomationExecutionStatus");
        let none = BTreeMap::new();
        let children = self.children.get(id).unwrap_or(&none);
        let steps = record.get("StepExecutions").and_then(Value::as_array).unwrap_or_default();
        for step in steps {
            let (target, told) = (text(step, "StepName"), text(step, "StepStatus"));
            let known = children.get(target).map(|(_, status)| status.as_str());
            if has_ended(told) && known != Some(told) {
                return Err(format!("{id} says of {target} that it is {told}, it is {known:?}"));
            }
        }
        if !has_ended(status) {
            return Ok(());
        }
        if let Some((child, _)) = children.values().find(|(_, status)| !has_ended(status)) {
            return Err(format!("{id} has ended, and its child {child} runs"));
        }
        let errors = counter(record, "FailedSteps") + counter(record, "TimedOutSteps");
        let most = text(record, "MaxErrors").parse::<i64>().map_err(|err| err.to_string())?;
        let total = counter(record, "TotalSteps");
        let begun = i64::try_from(children.len()).unwrap_or(i64::MAX);
        match status {
            "Success" if errors <= most && begun == total => Ok(()),
            "Failed" if most < errors => Ok(()),
            // By somebody.
            "Cancelled" => Ok(()),
            _ => Err(format!(
                "{id} is {status} with {begun} children of {total}, {errors} went wrong, {most} may"
            )),
        }
    }
}
