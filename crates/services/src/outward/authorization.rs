//! What a call that leaves must be allowed, in the words of IAM.
//!
//! Service Authorization Reference; Amazon S3 API reference, "CopyObject"; IAM user guide, "Grant a
//! user permissions to pass a role to an AWS service" (read 2026-11). Which resource a call is for
//! follows from its input; where that is not known here, the resource is `*`, so that only a policy
//! for every resource allows it.

use value::Value;
use wire::decode_percent;

use super::functions::FunctionName;
use super::passed_roles;
use crate::{Call, Check, Error, Reading};

/// Returns the questions for an operation of a service that is not served here: the operation's
/// own, then those for what else it reads and for the roles it hands on.
///
/// # Errors
/// When the store fails.
pub(crate) fn checks(
    on: &Reading<'_>,
    service: &str,
    operation: &str,
    input: &Value,
) -> Result<Vec<Check>, Error> {
    let mut checks = match (service, operation) {
        ("s3", "DeleteObjects") => deletions(on.call, input),
        _ => vec![own(on.call, service, operation, input)],
    };
    if let ("s3", "CopyObject" | "UploadPartCopy") = (service, operation) {
        checks.push(copied(on.call, input));
    }
    checks.extend(passed_roles::checks(on, service, operation, input)?);
    Ok(checks)
}

fn own(call: &Call, service: &str, operation: &str, input: &Value) -> Check {
    let signing_name = wire::model::service(service).map_or(service, |known| known.signing_name());
    // IAM mostly calls a service what its requests are signed for.
    let prefix = match signing_name {
        "monitoring" => "cloudwatch",
        "email" => "ses",
        other => other,
    };
    let has_version = input.get("VersionId").and_then(Value::as_str).is_some();
    let action = match (service, operation) {
        ("lambda", "Invoke" | "InvokeAsync" | "InvokeWithResponseStream") => "InvokeFunction",
        ("s3", "GetObject" | "HeadObject") if has_version => "GetObjectVersion",
        ("s3", "DeleteObject") if has_version => "DeleteObjectVersion",
        ("s3", "HeadObject") => "GetObject",
        ("s3", "HeadBucket" | "ListObjects" | "ListObjectsV2") => "ListBucket",
        ("s3", "ListBuckets") => "ListAllMyBuckets",
        (
            "s3",
            "CopyObject"
            | "CreateMultipartUpload"
            | "UploadPart"
            | "UploadPartCopy"
            | "CompleteMultipartUpload",
        ) => "PutObject",
        (_, operation) => operation,
    };
    let resource = resource(call, service, input).unwrap_or_else(|| "*".to_owned());
    Check::new(format!("{prefix}:{action}"), resource)
}

/// Returns the questions for the objects of one request.
// DIFFERS: S3 deletes those that the caller may delete and tells of the others.
fn deletions(call: &Call, input: &Value) -> Vec<Check> {
    let bucket = input.get("Bucket").and_then(Value::as_str).unwrap_or_default();
    let objects = input.path(&["Delete", "Objects"]).and_then(Value::as_array).unwrap_or_default();
    let all = objects.iter().map(|object| {
        let text = |member: &str| object.get(member).and_then(Value::as_str);
        let action = match text("VersionId") {
            Some(_) => "s3:DeleteObjectVersion",
            None => "s3:DeleteObject",
        };
        Check::new(action, object_arn(call, bucket, text("Key").unwrap_or("*")))
    });
    let all: Vec<Check> = all.collect();
    if all.is_empty() { vec![Check::any("s3:DeleteObject")] } else { all }
}

/// Returns the question for what is copied: `bucket/key` or an access point's ARN, percent-encoded.
fn copied(call: &Call, input: &Value) -> Check {
    let source = input.get("CopySource").and_then(Value::as_str).unwrap_or_default();
    let (object, action) = match source.split_once("?versionId=") {
        Some((object, _)) => (object, "s3:GetObjectVersion"),
        None => (source, "s3:GetObject"),
    };
    let object = decode_percent(object);
    let object = object.strip_prefix('/').unwrap_or(&object);
    match object.split_once('/') {
        Some(_) if object.starts_with("arn:") => Check::new(action, object),
        Some((bucket, key)) => Check::new(action, object_arn(call, bucket, key)),
        None => Check::any(action),
    }
}

fn resource(call: &Call, service: &str, input: &Value) -> Option<String> {
    let text = |name: &str| input.get(name).and_then(Value::as_str);
    // An input names a thing by its ARN or by its bare name.
    let named = |name: &str, kind: &str| {
        let given = text(name)?;
        let is_arn = given.starts_with("arn:");
        Some(if is_arn {
            given.to_owned()
        } else {
            call.regional_arn(service, &(kind.to_owned() + given))
        })
    };
    match service {
        "lambda" => text("FunctionName").map(|given| function_arn(call, given)),
        "sqs" => text("QueueUrl").and_then(|url| queue_arn(call, url)),
        "sns" => text("TopicArn").or(text("TargetArn")).map(str::to_owned),
        "dynamodb" => named("TableName", "table/"),
        "secretsmanager" => named("SecretId", "secret:"),
        "kinesis" => text("StreamARN").map(str::to_owned).or(named("StreamName", "stream/")),
        "ecs" => named("taskDefinition", "task-definition/").or(named("cluster", "cluster/")),
        "batch" => named("jobDefinition", "job-definition/"),
        "glue" => named("JobName", "job/"),
        "codebuild" => named("projectName", "project/"),
        "athena" => named("WorkGroup", "workgroup/"),
        "bedrock" => text("jobIdentifier").map(str::to_owned),
        "bedrock-runtime" => text("modelId").map(|given| model_arn(call, given)),
        "eks" => eks_arn(call, input),
        "emr" => {
            let first = input.get("JobFlowIds").and_then(|all| all.as_array()?.first()?.as_str());
            let id = text("ClusterId").or(text("JobFlowId")).or(first)?;
            Some(call.regional_arn("elasticmapreduce", &format!("cluster/{id}")))
        }
        "execute-api" => {
            super::execute_api::resource(input).map(|path| call.regional_arn(service, &path))
        }
        "s3" => Some(match (text("Bucket")?, text("Key")) {
            (bucket, Some(key)) => object_arn(call, bucket, key),
            (bucket, None) => format!("arn:{}:s3:::{bucket}", call.settings.partition),
        }),
        _ => None,
    }
}

/// A model is named by an ARN, or is one of those that belong to no account.
fn model_arn(call: &Call, given: &str) -> String {
    if given.starts_with("arn:") {
        return given.to_owned();
    }
    format!("arn:{}:bedrock:{}::foundation-model/{given}", call.settings.partition, call.region)
}

/// Node groups and Fargate profiles have an id in their ARN that no call names.
fn eks_arn(call: &Call, input: &Value) -> Option<String> {
    let text = |name: &str| input.get(name).and_then(Value::as_str);
    let part = match (text("clusterName"), text("nodegroupName"), text("fargateProfileName")) {
        // What is created belongs to the cluster still.
        (Some(cluster), _, _) if input.get("subnets").or(input.get("nodeRole")).is_some() => {
            format!("cluster/{cluster}")
        }
        (Some(cluster), Some(group), _) => format!("nodegroup/{cluster}/{group}/*"),
        (Some(cluster), None, Some(profile)) => format!("fargateprofile/{cluster}/{profile}/*"),
        (cluster, _, _) => format!("cluster/{}", cluster.or(text("name"))?),
    };
    Some(call.regional_arn("eks", &part))
}

/// A policy names a function without version or alias, or with them; the question is without. A
/// call names it in more ways than a policy does.
fn function_arn(call: &Call, given: &str) -> String {
    let found = FunctionName::read(given);
    let region = found.region.unwrap_or(&call.region);
    let account = found.account.unwrap_or_else(|| call.account());
    let partition = &call.settings.partition;
    format!("arn:{partition}:lambda:{region}:{account}:function:{}", found.name)
}

/// `http://host/account/name` is a queue's address.
fn queue_arn(call: &Call, url: &str) -> Option<String> {
    let mut parts = url.rsplit('/');
    let (name, account) = (parts.next()?, parts.next()?);
    let (partition, region) = (&call.settings.partition, &call.region);
    Some(format!("arn:{partition}:sqs:{region}:{account}:{name}"))
}

fn object_arn(call: &Call, bucket: &str, key: &str) -> String {
    format!("arn:{}:s3:::{bucket}/{key}", call.settings.partition)
}
