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
const JOB_OR_TOKEN: &[IntegrationPattern] =
    &[IntegrationPattern::Sync, IntegrationPattern::WaitForTaskToken];

/// The optimized integrations: service, actions, and the patterns beside request and response.
///
/// Step Functions developer guide, "Integrating optimized services with Step Functions" (which
/// service has which pattern), and the page of each service (which actions have it); read
/// 2026-11-25. What this server serves of it is the runtime's to say: the test below holds the two
/// together.
const OPTIMIZED: &[(&str, &[&str], &[IntegrationPattern])] = &[
    ("apigateway", &["invoke"], TOKEN),
    ("athena", &["startQueryExecution"], JOB),
    ("athena", &["stopQueryExecution", "getQueryExecution", "getQueryResults"], CALL),
    ("batch", &["submitJob"], JOB),
    // UNVERIFIED: which action has callbacks; the guide's table gives them to the service, its page
    // to neither action.
    ("bedrock", &["invokeModel"], TOKEN),
    ("bedrock", &["createModelCustomizationJob"], JOB_OR_TOKEN),
    ("bedrockagentcore", &["invokeHarness"], CALL),
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
    ("ecs", &["runTask"], JOB_OR_TOKEN),
    // UNVERIFIED: callbacks of both; the guide's table gives them to the service, its page denies
    // them.
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
        JOB_OR_TOKEN,
    ),
    ("eks", &["call"], TOKEN),
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
    ("emr-containers", &["createVirtualCluster"], CALL),
    ("emr-containers", &["deleteVirtualCluster", "startJobRun"], JOB),
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
    // UNVERIFIED: that it has no callbacks; the guide's table leaves it out, its page names none.
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
            "emr-containers:createVirtualCluster.sync",
            "bedrockagentcore:invokeHarness.waitForTaskToken",
        ] {
            assert!(refused(unknown), "{unknown}");
        }
    }

    /// The runtime's own list serves another question, and may not know more than AWS.
    #[test]
    fn what_this_server_serves_is_known() {
        let patterns = [
            IntegrationPattern::RequestResponse,
            IntegrationPattern::Sync,
            IntegrationPattern::Sync2,
            IntegrationPattern::WaitForTaskToken,
        ];
        let mut asked: Vec<(&str, String)> = Vec::new();
        for service in wire::model::service_names() {
            for operation in wire::model::service(service).unwrap().operation_names() {
                let (first, rest) = operation.split_at(1);
                asked.push((service, format!("{}{rest}", first.to_lowercase())));
            }
        }
        for (service, actions, _) in OPTIMIZED {
            asked.extend(actions.iter().map(|action| (*service, (*action).to_owned())));
        }
        let mut served = 0;
        for (service, action) in asked {
            for pattern in patterns {
                let arn = format!("arn:aws:states:::{service}:{action}{}", pattern.suffix());
                // The models' names that are no ARN's are no integration's either.
                let Some(resource) = Resource::parse(&arn) else { continue };
                if Served.refusal(&resource).is_none() {
                    served += 1;
                    assert_eq!(Aws.refusal(&resource), None, "{arn}");
                }
            }
        }
        assert!(served >= 40, "{served}");
    }
}
