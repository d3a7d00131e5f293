//! The jobs of services that are asked how a job is doing: one entry each.
//!
//! Step Functions developer guide, the pages on AWS Batch, Amazon ECS, AWS Glue, AWS Glue DataBrew,
//! CodeBuild, Athena, SageMaker AI, EMR on EKS, EMR Serverless and MediaConvert, with the API
//! references of these services for their statuses (read 2026-11). Recorded on AWS is ECS; that
//! the others fail as it does, and what MediaConvert and EMR show, is UNVERIFIED.

use value::Value;

use super::Integrated;
use super::job::{Job, JobState, Submitted};
use super::plain::{self, Plain};

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
    /// In which member the Task gets it; empty for the job itself.
    wrapped: &'static str,
    /// Where the job has its status.
    status: &'static str,
    /// Statuses that are good ends, and bad ones.
    ends: (&'static [&'static str], &'static [&'static str]),
    /// What else a good end takes.
    is_well: fn(&Value) -> bool,
    /// The operation that stops it, and its input.
    stop: (&'static str, Input),
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
use From::{Answer, Argument, Listed, Text};

/// Why jobs are stopped.
const REASON: From = Text("The Step Functions task that waits for it is over.");

const POLLED: &[Polled] = &[
    Polled {
        of: &plain::ECS,
        action: "runTask",
        look: (
            "DescribeTasks",
            &[("Cluster", Answer("Tasks.0.ClusterArn")), ("Tasks", Listed("Tasks.0.TaskArn"))],
        ),
        job: "Tasks.0",
        wrapped: "",
        status: "LastStatus",
        ends: (&["STOPPED"], &[]),
        is_well: containers_are_well,
        stop: (
            "StopTask",
            &[
                ("Cluster", Answer("Tasks.0.ClusterArn")),
                ("Task", Answer("Tasks.0.TaskArn")),
                ("Reason", REASON),
            ],
        ),
    },
    Polled {
        of: &plain::BATCH,
        action: "submitJob",
        look: ("DescribeJobs", &[("Jobs", Listed("JobId"))]),
        job: "Jobs.0",
        wrapped: "",
        status: "Status",
        ends: (&["SUCCEEDED"], &["FAILED"]),
        is_well: always,
        stop: ("TerminateJob", &[("JobId", Answer("JobId")), ("Reason", REASON)]),
    },
    Polled {
        of: &plain::GLUE,
        action: "startJobRun",
        look: ("GetJobRun", &[("JobName", Argument("JobName")), ("RunId", Answer("JobRunId"))]),
        job: "JobRun",
        wrapped: "",
        status: "JobRunState",
        ends: (&["SUCCEEDED"], &["FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED"]),
        is_well: always,
        stop: (
            "BatchStopJobRun",
            &[("JobName", Argument("JobName")), ("JobRunIds", Listed("JobRunId"))],
        ),
    },
    Polled {
        of: &plain::DATABREW,
        action: "startJobRun",
        look: ("DescribeJobRun", &[("Name", Argument("Name")), ("RunId", Answer("RunId"))]),
        job: "",
        wrapped: "",
        status: "State",
        ends: (&["SUCCEEDED"], &["FAILED", "STOPPED", "TIMEOUT"]),
        is_well: always,
        stop: ("StopJobRun", &[("Name", Argument("Name")), ("RunId", Answer("RunId"))]),
    },
    Polled {
        of: &plain::CODEBUILD,
        action: "startBuild",
        look: ("BatchGetBuilds", &[("Ids", Listed("Build.Id"))]),
        job: "Builds.0",
        wrapped: "Build",
        status: "BuildStatus",
        ends: (&["SUCCEEDED"], &["FAILED", "FAULT", "TIMED_OUT", "STOPPED"]),
        is_well: always,
        stop: ("StopBuild", &[("Id", Answer("Build.Id"))]),
    },
    Polled {
        of: &plain::CODEBUILD,
        action: "startBuildBatch",
        look: ("BatchGetBuildBatches", &[("Ids", Listed("BuildBatch.Id"))]),
        job: "BuildBatches.0",
        wrapped: "BuildBatch",
        status: "BuildBatchStatus",
        ends: (&["SUCCEEDED"], &["FAILED", "FAULT", "TIMED_OUT", "STOPPED"]),
        is_well: always,
        stop: ("StopBuildBatch", &[("Id", Answer("BuildBatch.Id"))]),
    },
    Polled {
        of: &plain::ATHENA,
        action: "startQueryExecution",
        look: ("GetQueryExecution", &[("QueryExecutionId", Answer("QueryExecutionId"))]),
        job: "QueryExecution",
        wrapped: "QueryExecution",
        status: "Status.State",
        ends: (&["SUCCEEDED"], &["FAILED", "CANCELLED"]),
        is_well: always,
        stop: ("StopQueryExecution", &[("QueryExecutionId", Answer("QueryExecutionId"))]),
    },
    Polled {
        of: &plain::SAGEMAKER,
        action: "createTrainingJob",
        look: ("DescribeTrainingJob", &[("TrainingJobName", Argument("TrainingJobName"))]),
        job: "",
        wrapped: "",
        status: "TrainingJobStatus",
        ends: (&["Completed"], &["Failed", "Stopped"]),
        is_well: always,
        stop: ("StopTrainingJob", &[("TrainingJobName", Argument("TrainingJobName"))]),
    },
    Polled {
        of: &plain::SAGEMAKER,
        action: "createTransformJob",
        look: ("DescribeTransformJob", &[("TransformJobName", Argument("TransformJobName"))]),
        job: "",
        wrapped: "",
        status: "TransformJobStatus",
        ends: (&["Completed"], &["Failed", "Stopped"]),
        is_well: always,
        stop: ("StopTransformJob", &[("TransformJobName", Argument("TransformJobName"))]),
    },
    Polled {
        of: &plain::SAGEMAKER,
        action: "createProcessingJob",
        look: ("DescribeProcessingJob", &[("ProcessingJobName", Argument("ProcessingJobName"))]),
        job: "",
        wrapped: "",
        status: "ProcessingJobStatus",
        ends: (&["Completed"], &["Failed", "Stopped"]),
        is_well: always,
        stop: ("StopProcessingJob", &[("ProcessingJobName", Argument("ProcessingJobName"))]),
    },
    Polled {
        of: &plain::EMR_CONTAINERS,
        action: "startJobRun",
        look: (
            "DescribeJobRun",
            &[("Id", Answer("Id")), ("VirtualClusterId", Answer("VirtualClusterId"))],
        ),
        job: "JobRun",
        wrapped: "",
        status: "State",
        ends: (&["COMPLETED"], &["FAILED", "CANCELLED"]),
        is_well: always,
        stop: (
            "CancelJobRun",
            &[("Id", Answer("Id")), ("VirtualClusterId", Answer("VirtualClusterId"))],
        ),
    },
    Polled {
        of: &plain::EMR_SERVERLESS,
        action: "startJobRun",
        look: (
            "GetJobRun",
            &[("ApplicationId", Answer("ApplicationId")), ("JobRunId", Answer("JobRunId"))],
        ),
        job: "JobRun",
        wrapped: "",
        status: "State",
        ends: (&["SUCCESS"], &["FAILED", "CANCELLED"]),
        is_well: always,
        stop: (
            "CancelJobRun",
            &[("ApplicationId", Answer("ApplicationId")), ("JobRunId", Answer("JobRunId"))],
        ),
    },
    Polled {
        of: &plain::MEDIACONVERT,
        action: "createJob",
        look: ("GetJob", &[("Id", Answer("Job.Id"))]),
        job: "Job",
        wrapped: "Job",
        status: "Status",
        ends: (&["COMPLETE"], &["ERROR", "CANCELED"]),
        is_well: always,
        stop: ("CancelJob", &[("Id", Answer("Job.Id"))]),
    },
];

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

    fn state(&self, _: &Submitted<'_>, seen: &Value) -> JobState {
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
        if is_good && (self.is_well)(job) {
            return JobState::Succeeded(output);
        }
        JobState::Failed { error: "States.TaskFailed".into(), cause: output.to_json() }
    }

    fn stop(&self, submitted: &Submitted<'_>) -> Integrated {
        self.call(self.stop, submitted)
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
            for (operation, input) in [job.look, job.stop] {
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
