//! Reading an execution and those that it started.

use anyhow::{Context, Result};
use value::{Value, value};

/// How deep children are looked for; deeper ones there are not.
const DEPTH_MAX: usize = 6;
/// How many children of one execution are read.
const CHILDREN_MAX: usize = 300;
/// The action that has children.
const EXECUTE_AUTOMATION: &str = "aws:executeAutomation";

/// Whoever answers for Systems Manager.
pub(crate) trait Ask {
    /// Calls an operation.
    async fn ssm(&mut self, operation: &str, input: Value) -> Result<Value>;
}

/// An execution as it was seen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    /// What GetAutomationExecution answered, with all steps.
    pub(crate) record: Value,
    /// Those that it started, the oldest first.
    pub(crate) children: Vec<Seen>,
}

impl Seen {
    /// Returns it as JSON.
    pub(crate) fn to_value(&self) -> Value {
        let children: Vec<Value> = self.children.iter().map(Seen::to_value).collect();
        value!({ "AutomationExecution": self.record.clone(), "Children": children })
    }
}

/// Returns the text of a member; empty when there is none.
pub(super) fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the elements of a list; none when it is missing.
pub(super) fn list<'v>(value: &'v Value, member: &str) -> &'v [Value] {
    value.get(member).and_then(Value::as_array).unwrap_or_default()
}

/// Reads an execution and those that it started.
///
/// # Errors
/// When it is not there, or nobody answers.
pub(crate) async fn look(ask: &mut impl Ask, id: &str) -> Result<Seen> {
    deeper(ask, id, 0).await
}

async fn deeper(ask: &mut impl Ask, id: &str, depth: usize) -> Result<Seen> {
    let answer = ask.ssm("GetAutomationExecution", value!({ "AutomationExecutionId": id })).await?;
    let record = answer.get("AutomationExecution").cloned();
    let mut record = record.context("the answer holds no execution")?;
    if record.get("StepExecutionsTruncated") == Some(&Value::from(true)) {
        let steps = all(ask, "DescribeAutomationStepExecutions", "StepExecutions", {
            value!({ "AutomationExecutionId": id })
        });
        record.set("StepExecutions", steps.await?);
    }
    let mut children = Vec::new();
    let has_children =
        list(&record, "StepExecutions").iter().any(|it| text(it, "Action") == EXECUTE_AUTOMATION);
    if has_children && depth < DEPTH_MAX {
        let filters = value!([{"Key": "ParentExecutionId", "Values": [id]}]);
        let found = all(ask, "DescribeAutomationExecutions", "AutomationExecutionMetadataList", {
            value!({ "Filters": filters })
        });
        for child in found.await?.iter().rev().take(CHILDREN_MAX) {
            let id = text(child, "AutomationExecutionId").to_owned();
            children.push(Box::pin(deeper(ask, &id, depth + 1)).await?);
        }
    }
    Ok(Seen { record, children })
}

/// Returns all items of a list that comes in pages.
async fn all(ask: &mut impl Ask, name: &str, member: &str, input: Value) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    let mut input = input;
    loop {
        let page = ask.ssm(name, input.clone()).await?;
        found.extend_from_slice(list(&page, member));
        let Some(token) = page.get("NextToken") else { return Ok(found) };
        input.set("NextToken", token.clone());
    }
}
