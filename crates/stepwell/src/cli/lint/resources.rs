//! Which resources AWS itself knows, whether or not Stepwell serves them.

use asl::{Integration, IntegrationPattern, IntegrationStyle, Resource, Resources};
use runtime::integrations::Served;

/// Everything that a Task can ask for on AWS.
pub(super) struct Aws;

impl Resources for Aws {
    fn refusal(&self, resource: &Resource) -> Option<String> {
        let Resource::Integration(integration) = resource else { return None };
        match integration.style {
            IntegrationStyle::AwsSdk => aws_sdk(integration),
            IntegrationStyle::Optimized => (!optimized(integration)).then(|| unknown(integration)),
        }
    }
}

/// The models say which operations there are.
fn aws_sdk(integration: &Integration) -> Option<String> {
    match integration.pattern {
        IntegrationPattern::RequestResponse | IntegrationPattern::WaitForTaskToken => {
            let pattern = IntegrationPattern::RequestResponse;
            Served.refusal(&Resource::Integration(Integration { pattern, ..integration.clone() }))
        }
        IntegrationPattern::Sync | IntegrationPattern::Sync2 => Some(unknown(integration)),
    }
}

fn unknown(integration: &Integration) -> String {
    let arn = &integration.arn;
    format!(
        "The resource provided {arn} is not recognized. The value is not a valid resource ARN, or \
         the resource is not available in this region."
    )
}

fn optimized(integration: &Integration) -> bool {
    let Integration { service, action, pattern, .. } = integration;
    let known =
        OPTIMIZED.iter().find(|(name, actions, _)| name == service && actions.contains(&&**action));
    known.is_some_and(|(_, _, patterns)| {
        *pattern == IntegrationPattern::RequestResponse || patterns.contains(pattern)
    })
}

const CALL: &[IntegrationPattern] = &[];
const JOB: &[IntegrationPattern] = &[IntegrationPattern::Sync];
const TOKEN: &[IntegrationPattern] = &[IntegrationPattern::WaitForTaskToken];

/// The optimized integrations: service, actions, and the patterns beside request and response.
///
/// AWS page: "Integrating optimized services with Step Functions", and the page of each service
/// (read 2026-11-25).
const OPTIMIZED: &[(&str, &[&str], &[IntegrationPattern])] = &[
    ("apigateway", &["invoke"], TOKEN),
    ("athena", &["startQueryExecution"], JOB),
    ("athena", &["stopQueryExecution", "getQueryExecution", "getQueryResults"], CALL),
    ("batch", &["submitJob"], JOB),
    ("bedrock", &["invokeModel"], CALL),
    ("bedrock", &["createModelCustomizationJob"], JOB),
    ("codebuild", &["startBuild", "startBuildBatch", "retryBuildBatch"], JOB),
    (
        "codebuild",
        &[
            "stopBuild",
            "batchDeleteBuilds",
            "batchGetReports",
            "stopBuildBatch",
            "deleteBuildBatch",
        ],
        CALL,
    ),
    ("databrew", &["startJobRun"], JOB),
    ("dynamodb", &["getItem", "putItem", "updateItem", "deleteItem"], CALL),
    ("ecs", &["runTask"], &[IntegrationPattern::Sync, IntegrationPattern::WaitForTaskToken]),
    (
        "eks",
        &[
            "createCluster",
            "deleteCluster",
            "createFargateProfile",
            "deleteFargateProfile",
            "createNodegroup",
            "deleteNodegroup",
            "runJob",
        ],
        JOB,
    ),
    ("eks", &["call"], CALL),
    ("elasticmapreduce", &["createCluster", "terminateCluster", "addStep"], JOB),
    (
        "elasticmapreduce",
        &[
            "cancelStep",
            "setClusterTerminationProtection",
            "modifyInstanceFleetByName",
            "modifyInstanceGroupByName",
        ],
        CALL,
    ),
    ("emr-containers", &["createVirtualCluster", "deleteVirtualCluster", "startJobRun"], JOB),
    (
        "emr-serverless",
        &[
            "createApplication",
            "startApplication",
            "stopApplication",
            "deleteApplication",
            "startJobRun",
            "cancelJobRun",
        ],
        JOB,
    ),
    ("events", &["putEvents"], TOKEN),
    ("glue", &["startJobRun"], JOB),
    ("http", &["invoke"], CALL),
    ("lambda", &["invoke"], TOKEN),
    ("mediaconvert", &["createJob"], JOB),
    (
        "sagemaker",
        &[
            "createHyperParameterTuningJob",
            "createLabelingJob",
            "createProcessingJob",
            "createTrainingJob",
            "createTransformJob",
        ],
        JOB,
    ),
    (
        "sagemaker",
        &["createEndpoint", "createEndpointConfig", "createModel", "updateEndpoint"],
        CALL,
    ),
    ("sns", &["publish"], TOKEN),
    ("sqs", &["sendMessage"], TOKEN),
    (
        "states",
        &["startExecution"],
        &[
            IntegrationPattern::Sync,
            IntegrationPattern::Sync2,
            IntegrationPattern::WaitForTaskToken,
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aws_has_is_known_and_nothing_else() {
        let refused = |rest: &str| {
            let resource = Resource::parse(&format!("arn:aws:states:::{rest}")).unwrap();
            Aws.refusal(&resource).is_some()
        };
        for known in [
            "lambda:invoke",
            "lambda:invoke.waitForTaskToken",
            "states:startExecution.sync:2",
            "ecs:runTask.sync",
            "http:invoke",
            "aws-sdk:iam:getUser",
            "aws-sdk:sfn:sendTaskSuccess.waitForTaskToken",
        ] {
            assert!(!refused(known), "{known}");
        }
        for unknown in [
            "lambda:invoke.sync",
            "lambda:Invoke",
            "sqs:receiveMessage",
            "iam:getUser",
            "aws-sdk:iam:getUsers",
            "aws-sdk:nothing:getUser",
            "aws-sdk:ecs:runTask.sync",
        ] {
            assert!(refused(unknown), "{unknown}");
        }
    }
}
