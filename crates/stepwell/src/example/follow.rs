//! Watching an execution to its end: its states, and the steps of the runbooks it starts.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use value::{Value, value};

use super::outcome::{Outcome, StateRun, StepRun};
use super::screen::Screen;
use super::session::{LOOK_MILLIS, Session};

/// How many looks an execution may take to begin after its start.
const BEGIN_LOOKS_MAX: usize = 2_000;
/// How many events a page of history holds.
const PAGE_EVENTS: i64 = 1_000;

/// Follows the machine's newest execution to its end.
///
/// # Errors
/// When none begins, or the server cannot answer.
pub(super) async fn to_the_end(
    session: &mut Session,
    machine: &Value,
    screen: Screen,
) -> Result<Outcome> {
    let machine = session.fill(machine).context("`watch`")?;
    let arn = begun(session, &machine).await?;
    let mut follower = Follower { arn, events_seen: 0, open: None, outcome: Outcome::default() };
    loop {
        let execution = follower.describe(session).await?;
        let ended = execution.get("status").and_then(Value::as_str) != Some("RUNNING");
        follower.read_history(session, screen).await?;
        follower.read_runbooks(session, screen).await?;
        if ended {
            follower.outcome.execution = execution;
            return Ok(follower.outcome);
        }
        tokio::time::sleep(Duration::from_millis(LOOK_MILLIS)).await;
    }
}

async fn begun(session: &mut Session, machine: &Value) -> Result<String> {
    for _ in 0..BEGIN_LOOKS_MAX {
        let input = value!({"stateMachineArn": machine.clone(), "maxResults": 1});
        let found = ask(session, "stepfunctions", "ListExecutions", input).await?;
        let newest = found.get("executions").and_then(|list| list.at(0)).cloned();
        let arn = newest.as_ref().and_then(|one| one.get("executionArn")).and_then(Value::as_str);
        if let Some(arn) = arn {
            return Ok(arn.to_owned());
        }
        tokio::time::sleep(Duration::from_millis(LOOK_MILLIS)).await;
    }
    bail!("nothing started an execution of {machine}")
}

async fn ask(session: &mut Session, service: &str, name: &str, input: Value) -> Result<Value> {
    let answer = session.ask(service, name, input).await;
    answer.map_err(|err| anyhow!("{service}:{name}: {}: {}", err.code, err.message))
}

struct Follower {
    arn: String,
    events_seen: usize,
    /// The state that was entered last, and when.
    open: Option<(String, f64)>,
    outcome: Outcome,
}

impl Follower {
    async fn describe(&self, session: &mut Session) -> Result<Value> {
        let input = value!({ "executionArn": &self.arn });
        ask(session, "stepfunctions", "DescribeExecution", input).await
    }

    /// Reads the events that are new.
    async fn read_history(&mut self, session: &mut Session, screen: Screen) -> Result<()> {
        let input = value!({"executionArn": &self.arn, "maxResults": PAGE_EVENTS});
        let mut token: Option<Value> = None;
        let mut index = 0;
        loop {
            let page = input.clone().with_some("nextToken", token);
            let page = ask(session, "stepfunctions", "GetExecutionHistory", page).await?;
            for event in page.get("events").and_then(Value::as_array).unwrap_or_default() {
                index += 1;
                if self.events_seen < index {
                    self.events_seen = index;
                    self.event(event, screen);
                }
            }
            token = page.get("nextToken").cloned();
            if token.is_none() {
                return Ok(());
            }
        }
    }

    fn event(&mut self, event: &Value, screen: Screen) {
        let kind = event.get("type").and_then(Value::as_str).unwrap_or_default();
        let at = event.get("timestamp").and_then(Value::as_f64).unwrap_or_default();
        let name = |details: &str| {
            let details = event.get(details)?;
            Some(details.get("name")?.as_str()?.to_owned())
        };
        if let Some(kind) = kind.strip_suffix("StateEntered") {
            let name = name("stateEnteredEventDetails").unwrap_or_default();
            screen.entered(&name, kind);
            match self.outcome.states.iter_mut().find(|state| state.name == name) {
                Some(state) => state.times += 1,
                None => self.outcome.states.push(StateRun {
                    name: name.clone(),
                    kind: kind.to_owned(),
                    times: 1,
                    seconds: 0.0,
                }),
            }
            self.open = Some((name, at));
        } else if kind.ends_with("StateExited") {
            let name = name("stateExitedEventDetails").unwrap_or_default();
            if let Some((_, entered)) = self.open.take_if(|(open, _)| *open == name)
                && let Some(state) = self.outcome.states.iter_mut().find(|one| one.name == name)
            {
                state.seconds += at - entered;
            }
        } else if kind.ends_with("Failed") {
            screen.failed(kind, event);
        }
    }

    /// Reads how far the account's runbook executions are.
    async fn read_runbooks(&mut self, session: &mut Session, screen: Screen) -> Result<()> {
        let found = ask(session, "ssm", "DescribeAutomationExecutions", value!({})).await?;
        let executions = found.get("AutomationExecutionMetadataList").and_then(Value::as_array);
        let mut steps = Vec::new();
        for execution in executions.unwrap_or_default().iter().rev() {
            let id = execution.get("AutomationExecutionId").cloned().unwrap_or_default();
            let input = value!({ "AutomationExecutionId": id });
            let whole = ask(session, "ssm", "GetAutomationExecution", input).await?;
            let whole = whole.get("AutomationExecution").cloned().unwrap_or_default();
            let runbook = text(&whole, "DocumentName");
            let list = whole.get("StepExecutions").and_then(Value::as_array).unwrap_or_default();
            steps.extend(list.iter().map(|step| StepRun {
                runbook: runbook.clone(),
                name: text(step, "StepName"),
                status: text(step, "StepStatus"),
                failure: step.get("FailureMessage").and_then(Value::as_str).map(str::to_owned),
            }));
        }
        for (index, step) in steps.iter().enumerate() {
            let known = self.outcome.steps.get(index).map(|step| step.status.as_str());
            if known != Some(&step.status) && step.status != "Pending" {
                screen.step(step);
            }
        }
        self.outcome.steps = steps;
        Ok(())
    }
}

fn text(value: &Value, member: &str) -> String {
    value.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
}
