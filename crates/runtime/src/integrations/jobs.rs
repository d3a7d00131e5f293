//! The jobs of services that are asked how a job is doing: one entry each.
//!
//! Step Functions developer guide, the pages on AWS Batch, Amazon ECS, AWS Glue, AWS Glue DataBrew,
//! CodeBuild, Athena, SageMaker AI, EMR on EKS, EMR Serverless, MediaConvert, EMR, EKS and Bedrock,
//! with the API references of these services for their statuses (read 2026-11). Recorded on AWS is
//! ECS; that the others fail as it does, and what MediaConvert, EMR and EKS show, is UNVERIFIED.

use value::Value;

use super::Integrated;
use super::job::{Job, JobState, Submitted};
use super::plain::{self, Plain};
use super::sdk1;
use crate::endpoint::CallError;

use self::From::{Answer, Argument, Listed, Text};
use self::table::POLLED;

mod table;

/// How long the next look is put off, in seconds; AWS mostly hears of the end by an event.
const AGAIN_SECONDS: u32 = 5;

/// A job that is looked at. Names are in PascalCase, paths have points: `Tasks.0.TaskArn`.
pub(super) struct Polled {
    of: &'static Plain,
    /// The action that submits it.
    action: &'static str,
    /// The operation that tells how it is doing, and its input.
    look: (&'static str, Input),
    /// Where its answer has the job; empty for the answer itself.
    job: &'static str,
    /// What the Task also gets of the request's answer.
    also: &'static [&'static str],
    /// In which member the Task gets it; empty for the job itself.
    wrapped: &'static str,
    /// Where the job has its status.
    status: &'static str,
    /// Statuses that are good ends, and bad ones.
    ends: (&'static [&'static str], &'static [&'static str]),
    /// What else a good end takes.
    is_well: fn(&Value) -> bool,
    /// The operation that stops it, and its input; none when nothing does.
    stop: Option<(&'static str, Input)>,
    /// The code that says of what is deleted that it is gone: a good end.
    gone: Option<&'static str>,
}

type Input = &'static [(&'static str, From)];

/// Where a member of an input comes from.
enum From {
    /// The answer to the request.
    Answer(&'static str),
    /// The same, as the only element of a list.
    Listed(&'static str),
    /// The Task's arguments.
    Argument(&'static str),
    /// Here.
    Text(&'static str),
}

/// Returns how the jobs are followed that an action submits.
pub(super) fn find(service: &str, action: &str) -> Option<&'static dyn Job> {
    let found = POLLED.iter().find(|job| job.of.service == service && job.action == action);
    found.map(|job| job as &dyn Job)
}

/// Says whether an answer names the job that it submitted; ECS answers that it could not place a
/// task like any other answer.
pub(super) fn is_named(service: &str, action: &str, answer: &Value) -> bool {
    let found = POLLED.iter().find(|job| job.of.service == service && job.action == action);
    found.is_none_or(|job| {
        job.look.1.iter().all(|(_, from)| match from {
            Answer(path) | Listed(path) => at(answer, path).is_some(),
            Argument(_) | Text(_) => true,
        })
    })
}

fn always(_: &Value) -> bool {
    true
}

/// Recorded: a container that never began has no exit code, and its task has failed.
fn containers_are_well(task: &Value) -> bool {
    let containers = task.get("Containers").and_then(Value::as_array).unwrap_or_default();
    let codes = containers.iter().map(|container| container.get("ExitCode"));
    !containers.is_empty() && codes.into_iter().all(|code| code.and_then(Value::as_i64) == Some(0))
}

impl Polled {
    fn call(&self, (operation, members): (&str, Input), submitted: &Submitted<'_>) -> Integrated {
        let input = members.iter().fold(Value::object(), |input, (member, from)| {
            let found = match from {
                Answer(path) => at(submitted.answer, path).cloned(),
                Listed(path) => {
                    at(submitted.answer, path).map(|one| Value::from(vec![one.clone()]))
                }
                Argument(path) => at(submitted.arguments, path).cloned(),
                Text(text) => Some((*text).into()),
            };
            match found {
                Some(found) => input.with(*member, found),
                None => input,
            }
        });
        self.of.call(operation, &input)
    }
}

impl Job for Polled {
    fn look(&self, submitted: &Submitted<'_>) -> Integrated {
        self.call(self.look, submitted)
    }

    fn state(&self, submitted: &Submitted<'_>, seen: &Value) -> JobState {
        let shown = self.of.shown(self.look.0, seen);
        let Some(job) = at(&shown, self.job) else {
            let error = "States.TaskFailed".into();
            return JobState::Failed { error, cause: shown.to_json() };
        };
        let status = at(job, self.status).and_then(Value::as_str).unwrap_or_default();
        let (good, bad) = self.ends;
        let is_good = good.contains(&status);
        if !is_good && !bad.contains(&status) {
            return JobState::Runs;
        }
        let output = match self.wrapped {
            "" => job.clone(),
            member => Value::object().with(member, job),
        };
        let also = self.also.iter();
        let output = also
            .fold(output, |output, member| output.with_some(*member, submitted.answer.get(member)));
        if is_good && (self.is_well)(job) {
            return JobState::Succeeded(output);
        }
        JobState::Failed { error: "States.TaskFailed".into(), cause: output.to_json() }
    }

    fn stop(&self, submitted: &Submitted<'_>) -> Option<Integrated> {
        self.stop.map(|stop| self.call(stop, submitted))
    }

    fn is_stoppable(&self) -> bool {
        self.stop.is_some()
    }

    // UNVERIFIED: what a Task gets of what it deleted; here what the request was answered.
    fn gone(&self, submitted: &Submitted<'_>, err: &CallError) -> Option<Value> {
        let is_gone = self.gone == Some(&*err.code);
        is_gone.then(|| sdk1::without_http(submitted.answer))
    }

    fn again_seconds(&self) -> u32 {
        AGAIN_SECONDS
    }
}

/// Returns what is at a path.
fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let steps = path.split('.').filter(|step| !step.is_empty());
    steps.into_iter().try_fold(value, |value, step| match step.parse::<usize>() {
        Ok(index) => value.as_array()?.get(index),
        Err(_) => value.get(step),
    })
}

#[cfg(test)]
mod tests {
    use wire::model;

    use super::*;

    /// Every name in the table is one of the model's, and every integration is served.
    #[test]
    fn the_table_says_what_the_models_say() {
        for job in POLLED {
            let service = model::service(job.of.service).unwrap();
            assert!(
                job.of.actions.iter().any(|(action, _)| *action == job.action),
                "{}",
                job.action
            );
            for (operation, input) in [Some(job.look), job.stop].into_iter().flatten() {
                let found = service.operation(operation).unwrap();
                let shape = found.input().unwrap();
                for (member, _) in input {
                    let known = shape.members().any(|one| one.name().eq_ignore_ascii_case(member));
                    assert!(known, "{operation} {member}");
                }
            }
        }
    }
}
