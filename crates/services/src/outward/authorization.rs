//! What a call that leaves must be allowed, in the words of IAM.
//!
//! Service Authorization Reference (read 2026-11). Which resource a call is for follows from its
//! input; where that is not known here, the resource is `*`, so that only a policy for every
//! resource allows it.

use value::Value;

use crate::{Call, Check};

/// Returns the question for an operation of a service that is not served here.
pub(crate) fn check(call: &Call, service: &str, operation: &str, input: &Value) -> Check {
    let signing_name = wire::model::service(service).map_or(service, |known| known.signing_name());
    // IAM mostly calls a service what its requests are signed for.
    let prefix = match signing_name {
        "monitoring" => "cloudwatch",
        "email" => "ses",
        other => other,
    };
    let action = match (service, operation) {
        ("lambda", "Invoke" | "InvokeAsync" | "InvokeWithResponseStream") => "InvokeFunction",
        ("s3", "HeadObject") => "GetObject",
        ("s3", "HeadBucket" | "ListObjects" | "ListObjectsV2") => "ListBucket",
        ("s3", "ListBuckets") => "ListAllMyBuckets",
        ("s3", "DeleteObjects") => "DeleteObject",
        ("s3", "CopyObject" | "CreateMultipartUpload" | "UploadPart") => "PutObject",
        (_, operation) => operation,
    };
    let resource = resource(call, service, input).unwrap_or_else(|| "*".to_owned());
    Check::new(format!("{prefix}:{action}"), resource)
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
        "lambda" => named("FunctionName", "function:").map(|arn| unqualified(&arn)),
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
        "execute-api" => {
            super::execute_api::resource(input).map(|path| call.regional_arn(service, &path))
        }
        "s3" => bucket_arn(call, text("Bucket")?, text("Key")),
        _ => None,
    }
}

/// A policy names a function without version or alias, or with them; the question is without.
fn unqualified(arn: &str) -> String {
    arn.split(':').take(7).collect::<Vec<_>>().join(":")
}

/// `http://host/account/name` is a queue's address.
fn queue_arn(call: &Call, url: &str) -> Option<String> {
    let mut parts = url.rsplit('/');
    let (name, account) = (parts.next()?, parts.next()?);
    let (partition, region) = (&call.settings.partition, &call.region);
    Some(format!("arn:{partition}:sqs:{region}:{account}:{name}"))
}

fn bucket_arn(call: &Call, bucket: &str, key: Option<&str>) -> Option<String> {
    let partition = &call.settings.partition;
    Some(match key {
        Some(key) => format!("arn:{partition}:s3:::{bucket}/{key}"),
        None => format!("arn:{partition}:s3:::{bucket}"),
    })
}
