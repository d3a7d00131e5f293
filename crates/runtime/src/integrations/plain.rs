//! Optimized integrations that are an operation of an API and nothing more: arguments and answers
//! in PascalCase.
//!
//! Step Functions developer guide, "Integrating optimized services with Step Functions" (read
//! 2026-11). The services' names in error texts are those of the SDK's client classes; recorded are
//! DynamoDB's, the others are UNVERIFIED.

use asl::{Integration, IntegrationPattern};
use value::Value;
use wire::model;

use super::job::Job;
use super::{Acting, Integrated, Optimized, TaskFailure, aws_sdk, jobs, refused, sdk1};
use crate::endpoint::CallError;

/// A service whose integrations are its operations.
pub(super) struct Plain {
    /// Botocore's name.
    pub(super) service: &'static str,
    /// What error names begin with.
    pub(super) prefix: &'static str,
    /// What causes call the service.
    pub(super) class: &'static str,
    /// The actions, and what each can wait for.
    pub(super) actions: &'static [(&'static str, &'static [IntegrationPattern])],
    /// How headers of its answers are spelled where that differs.
    pub(super) headers: &'static [(&'static str, &'static str)],
}

/// The answer of the request, nothing else.
pub(super) const ONLY: &[IntegrationPattern] = &[IntegrationPattern::RequestResponse];
/// That, or a callback.
pub(super) const TOKEN: &[IntegrationPattern] =
    &[IntegrationPattern::RequestResponse, IntegrationPattern::WaitForTaskToken];
/// The answer of the request, or the end of the job.
const SYNC: &[IntegrationPattern] =
    &[IntegrationPattern::RequestResponse, IntegrationPattern::Sync];
/// All of these.
const ALL: &[IntegrationPattern] = &[
    IntegrationPattern::RequestResponse,
    IntegrationPattern::Sync,
    IntegrationPattern::WaitForTaskToken,
];
/// How services spell `Connection` that are no older than DynamoDB.
pub(super) const UPPER: &[(&str, &str)] = &[("connection", "Connection")];

pub(super) const ATHENA: Plain = Plain {
    service: "athena",
    prefix: "Athena",
    class: "AmazonAthena",
    actions: &[
        ("startQueryExecution", SYNC),
        ("stopQueryExecution", ONLY),
        ("getQueryExecution", ONLY),
        ("getQueryResults", ONLY),
    ],
    headers: UPPER,
};

pub(super) const BATCH: Plain = Plain {
    service: "batch",
    prefix: "Batch",
    class: "AWSBatch",
    actions: &[("submitJob", SYNC)],
    headers: UPPER,
};

pub(super) const BEDROCK: Plain = Plain {
    service: "bedrock",
    prefix: "Bedrock",
    class: "Bedrock",
    actions: &[("createModelCustomizationJob", ALL)],
    headers: UPPER,
};

pub(super) const CODEBUILD: Plain = Plain {
    service: "codebuild",
    prefix: "CodeBuild",
    class: "AWSCodeBuild",
    actions: &[
        ("startBuild", SYNC),
        ("stopBuild", ONLY),
        ("batchDeleteBuilds", ONLY),
        ("batchGetReports", ONLY),
        ("startBuildBatch", SYNC),
        ("stopBuildBatch", ONLY),
        ("retryBuildBatch", ONLY),
        ("deleteBuildBatch", ONLY),
    ],
    headers: UPPER,
};

pub(super) const DATABREW: Plain = Plain {
    service: "databrew",
    prefix: "DataBrew",
    class: "AWSGlueDataBrew",
    actions: &[("startJobRun", SYNC)],
    headers: UPPER,
};

pub(super) const ECS: Plain = Plain {
    service: "ecs",
    prefix: "ECS",
    class: "AmazonECS",
    actions: &[("runTask", ALL)],
    headers: UPPER,
};

pub(super) const EKS: Plain = Plain {
    service: "eks",
    prefix: "EKS",
    class: "AmazonEKS",
    actions: &[
        ("createCluster", SYNC),
        ("deleteCluster", SYNC),
        ("createFargateProfile", SYNC),
        ("deleteFargateProfile", SYNC),
        ("createNodegroup", SYNC),
        ("deleteNodegroup", SYNC),
    ],
    headers: UPPER,
};

pub(super) const EMR: Plain = Plain {
    service: "emr",
    prefix: "EMR",
    class: "AmazonElasticMapReduce",
    actions: &[
        ("createCluster", SYNC),
        ("terminateCluster", SYNC),
        ("addStep", SYNC),
        ("cancelStep", ONLY),
        ("setClusterTerminationProtection", ONLY),
        ("modifyInstanceFleetByName", ONLY),
        ("modifyInstanceGroupByName", ONLY),
    ],
    headers: UPPER,
};

pub(super) const EMR_CONTAINERS: Plain = Plain {
    service: "emr-containers",
    prefix: "EMRContainers",
    class: "AmazonEMRContainers",
    actions: &[
        ("createVirtualCluster", ONLY),
        ("deleteVirtualCluster", ONLY),
        ("startJobRun", SYNC),
    ],
    headers: UPPER,
};

pub(super) const EMR_SERVERLESS: Plain = Plain {
    service: "emr-serverless",
    prefix: "EMRServerless",
    class: "AWSEMRServerless",
    actions: &[
        ("createApplication", ONLY),
        ("startApplication", ONLY),
        ("stopApplication", ONLY),
        ("deleteApplication", ONLY),
        ("startJobRun", SYNC),
        ("cancelJobRun", ONLY),
    ],
    headers: UPPER,
};

pub(super) const GLUE: Plain = Plain {
    service: "glue",
    prefix: "Glue",
    class: "AWSGlue",
    actions: &[("startJobRun", SYNC)],
    headers: UPPER,
};

pub(super) const MEDIACONVERT: Plain = Plain {
    service: "mediaconvert",
    prefix: "MediaConvert",
    class: "AWSMediaConvert",
    actions: &[("createJob", SYNC)],
    headers: UPPER,
};

pub(super) const SAGEMAKER: Plain = Plain {
    service: "sagemaker",
    prefix: "SageMaker",
    class: "AmazonSageMaker",
    actions: &[
        ("createEndpoint", ONLY),
        ("createEndpointConfig", ONLY),
        ("createHyperParameterTuningJob", ONLY),
        ("createLabelingJob", ONLY),
        ("createModel", ONLY),
        ("createProcessingJob", SYNC),
        ("createTrainingJob", SYNC),
        ("createTransformJob", SYNC),
        ("updateEndpoint", ONLY),
    ],
    headers: UPPER,
};

impl Plain {
    /// Returns the call of the action's operation.
    pub(super) fn call(&self, action: &str, arguments: &Value) -> Integrated {
        let service = model::service(self.service);
        let Some(operation) = service.and_then(|service| service.operation_like(action)) else {
            return refused(&format!("the service `{}` has no action `{action}`", self.service));
        };
        let input = operation.input();
        let input = input.map_or_else(Value::object, |shape| aws_sdk::to_model(&shape, arguments));
        Integrated::Call { service: self.service.into(), operation: operation.name().into(), input }
    }

    /// Returns an answer as the SDK's classes print it.
    pub(super) fn shown(&self, action: &str, output: &Value) -> Value {
        let operation = model::service(self.service)
            .and_then(|service| service.operation_like(action)?.output());
        let shown = operation.map_or_else(|| output.clone(), |shape| sdk1::shown(&shape, output));
        sdk1::response(shown, self.headers)
    }
}

impl Optimized for Plain {
    fn patterns(&self, action: &str) -> &'static [IntegrationPattern] {
        let found = self.actions.iter().find(|(name, _)| *name == action);
        found.map_or(&[], |(_, patterns)| patterns)
    }

    fn request(&self, integration: &Integration, arguments: &Value, _: &Acting<'_>) -> Integrated {
        self.call(&integration.action, arguments)
    }

    fn response(&self, integration: &Integration, output: Value) -> Result<Value, TaskFailure> {
        let shown = self.shown(&integration.action, &output);
        // UNVERIFIED: the error name, when the request was taken and no job came of it.
        if integration.pattern == IntegrationPattern::Sync
            && !jobs::is_named(self.service, &integration.action, &shown)
        {
            let error = "States.TaskFailed".into();
            return Err(TaskFailure { error, cause: shown.to_json() });
        }
        Ok(shown)
    }

    fn failure(&self, _: &Integration, err: &CallError) -> (String, String) {
        sdk1::failure(self.prefix, self.class, err)
    }

    fn job(&self, action: &str) -> Option<&'static dyn Job> {
        jobs::find(self.service, action)
    }
}
