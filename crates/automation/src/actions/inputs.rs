//! Which inputs each action knows, and which outputs it has without their being declared.
//!
//! AWS Systems Manager user guide, "Systems Manager Automation actions reference" (read in the
//! reference of 2026-11). Unknown ones are doubtful, not wrong: AWS adds to these lists.

/// Name, inputs, outputs.
type Known = (&'static str, &'static [&'static str], &'static [&'static str]);

const IMAGE: &[&str] = &["ImageId", "ImageState"];

/// Actions that pass any input on are not here.
const KNOWN: &[Known] = &[
    (
        "aws:approve",
        &["NotificationArn", "Message", "MinRequiredApprovals", "Approvers"],
        &["ApprovalStatus", "ApproverDecisions"],
    ),
    ("aws:branch", &["Choices", "Default"], &[]),
    (
        "aws:changeInstanceState",
        &["InstanceIds", "CheckStateOnly", "DesiredState", "Force", "AdditionalInfo"],
        &["InstanceStates"],
    ),
    (
        "aws:copyImage",
        &[
            "SourceImageId",
            "SourceRegion",
            "ImageName",
            "ImageDescription",
            "Encrypted",
            "KmsKeyId",
            "ClientToken",
        ],
        IMAGE,
    ),
    (
        "aws:createImage",
        &["InstanceId", "ImageName", "ImageDescription", "NoReboot", "BlockDeviceMappings"],
        IMAGE,
    ),
    (
        "aws:createStack",
        &[
            "StackName",
            "TemplateBody",
            "TemplateURL",
            "Parameters",
            "Capabilities",
            "ClientRequestToken",
            "DisableRollback",
            "OnFailure",
            "NotificationARNs",
            "ResourceTypes",
            "RoleARN",
            "StackPolicyBody",
            "StackPolicyURL",
            "Tags",
            "TimeoutInMinutes",
        ],
        &["StackId", "StackStatus", "StackStatusReason"],
    ),
    ("aws:createTags", &["ResourceIds", "ResourceType", "Tags"], &[]),
    ("aws:deleteImage", &["ImageId"], &[]),
    ("aws:deleteStack", &["StackName", "ClientRequestToken", "RetainResources", "RoleARN"], &[]),
    (
        "aws:executeAutomation",
        &[
            "DocumentName",
            "DocumentVersion",
            "MaxConcurrency",
            "MaxErrors",
            "RuntimeParameters",
            "Tags",
            "TargetLocations",
            "TargetMaps",
            "TargetParameterName",
            "Targets",
        ],
        &["Output", "ExecutionId", "Status"],
    ),
    (
        "aws:executeScript",
        &["Runtime", "Handler", "InputPayload", "Script", "Attachment"],
        &["Payload", "OutputPayload", "ExecutionLog"],
    ),
    (
        "aws:invokeLambdaFunction",
        &[
            "FunctionName",
            "Qualifier",
            "InvocationType",
            "LogType",
            "ClientContext",
            "InputPayload",
            "Payload",
        ],
        &["StatusCode", "FunctionError", "LogResult", "Payload"],
    ),
    ("aws:invokeWebhook", &["IntegrationName", "Body"], &["Response", "ResponseCode"]),
    (
        "aws:loop",
        &["Iterators", "IteratorDataType", "LoopCondition", "MaxIterations", "Steps"],
        &[],
    ),
    ("aws:pause", &[], &[]),
    ("aws:sleep", &["Duration", "Timestamp"], &[]),
    ("aws:updateVariable", &["Name", "Value"], &[]),
];

/// Returns the inputs that an action knows; nothing for one that takes any, or is unknown.
pub(crate) fn known(action: &str) -> Option<&'static [&'static str]> {
    let inputs = find(action)?.1;
    // Whatever is written at `aws:pause` is not read.
    (action != "aws:pause").then_some(inputs)
}

/// Returns the outputs that an action has of itself; nothing when they are not known.
pub(crate) fn outputs(action: &str) -> Option<&'static [&'static str]> {
    match action {
        // They have those that the step declares.
        "aws:executeAwsApi"
        | "aws:waitForAwsResourceProperty"
        | "aws:assertAwsResourceProperty" => Some(&[]),
        "aws:runCommand" => {
            Some(&["CommandId", "Status", "ResponseCode", "Output", "OutputPayload"])
        }
        "aws:runInstances" => Some(&["InstanceIds", "InstanceStates"]),
        other => find(other).map(|(_, _, outputs)| *outputs),
    }
}

fn find(action: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|(name, _, _)| *name == action)
}
