//! The roles that a call hands to a service: `iam:PassRole` is asked for each.
//!
//! IAM user guide, "Grant a user permissions to pass a role to an AWS service"; Service
//! Authorization Reference, `iam:PassedToService` (read 2026-11). AWS has no list of the members
//! that hand a role on: they are those that the models call so.

use value::Value;
use wire::model::{self, Kind, Shape};

use crate::{Call, Check, Error, Reading, iam};

/// How deeply inputs are followed.
const DEPTH_MAX: usize = 32;
/// How many roles of one call are asked about; who hands on more is asked about every role.
const ROLES_MAX: usize = 100;
/// Services whose inputs name roles and hand none on.
const HANDS_NONE: &[&str] = &["iam", "sts", "securityhub"];
/// Services that take a role by its bare name too.
const BY_NAME: &[&str] = &["ecs", "emr", "glue"];
/// What those are called that hold an instance profile, by the end of their names.
const PROFILES: &[&str] = &["IamInstanceProfile", "JobFlowRole"];
/// Services whose principal is what they are signed for. UNVERIFIED: that each calls itself so for
/// every role it takes.
const OWN_PRINCIPALS: &[&str] = &[
    "apigateway",
    "appsync",
    "athena",
    "autoscaling",
    "backup",
    "batch",
    "bedrock",
    "cloudformation",
    "cloudtrail",
    "codebuild",
    "codedeploy",
    "codepipeline",
    "comprehend",
    "config",
    "databrew",
    "datasync",
    "dlm",
    "dms",
    "ecs",
    "eks",
    "elasticmapreduce",
    "emr-containers",
    "emr-serverless",
    "events",
    "firehose",
    "glue",
    "iot",
    "kinesisanalytics",
    "lambda",
    "logs",
    "pipes",
    "redshift",
    "rekognition",
    "s3",
    "sagemaker",
    "scheduler",
    "ssm",
    "states",
    "transcribe",
    "transfer",
];

/// Returns a question for each role that an input hands on.
///
/// # Errors
/// When the store fails.
pub(super) fn checks(
    on: &Reading<'_>,
    service: &str,
    operation: &str,
    input: &Value,
) -> Result<Vec<Check>, Error> {
    let known = model::service(service).and_then(|known| known.operation(operation));
    let shape = known.and_then(|known| known.input());
    let Some(shape) = shape.filter(|_| !HANDS_NONE.contains(&service)) else {
        return Ok(Vec::new());
    };
    let mut found = Found { service, roles: Vec::new() };
    found.look(&shape, input, 0);
    if ROLES_MAX < found.roles.len() {
        return Ok(vec![Check::any("iam:PassRole")]);
    }
    let checks = found.roles.iter().map(|(member, passed)| {
        let role = match passed {
            Passed::Arn(arn) => Some((*arn).to_owned()),
            Passed::Name(name) => Some(on.call.global_arn("iam", &format!("role/{name}"))),
            Passed::Profile(name) => iam::role_in_profile(on, name)?,
        };
        let check = Check::new("iam:PassRole", role.unwrap_or_else(|| "*".into()));
        Ok(match passed_to(on.call, service, member, passed) {
            Some(principal) => check.with("iam:PassedToService", vec![principal]),
            None => check,
        })
    });
    checks.collect()
}

/// How a role is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passed<'i> {
    Arn(&'i str),
    Name(&'i str),
    /// The name of the instance profile that it is in.
    Profile(&'i str),
}

struct Found<'i> {
    service: &'i str,
    /// Each with the member that names it.
    roles: Vec<(&'static str, Passed<'i>)>,
}

impl<'i> Found<'i> {
    /// Looks by the model: what a map has for keys and texts is the caller's own.
    fn look(&mut self, shape: &Shape, given: &'i Value, depth: usize) {
        if DEPTH_MAX < depth {
            return;
        }
        match (shape.kind(), given) {
            (Kind::Structure, Value::Object(_)) => {
                for member in shape.members() {
                    let Some(value) = given.get(member.name()) else { continue };
                    match self.passed(member.name(), &member.shape(), value) {
                        Some(passed) => self.roles.push((member.name(), passed)),
                        None => self.look(&member.shape(), value, depth + 1),
                    }
                }
            }
            (Kind::List, Value::Array(items)) => {
                for (element, item) in items.iter().filter_map(|it| Some((shape.element()?, it))) {
                    self.look(&element, item, depth + 1);
                }
            }
            (Kind::Map, Value::Object(entries)) => {
                for (element, (_, value)) in
                    entries.iter().filter_map(|it| Some((shape.element()?, it)))
                {
                    self.look(&element, value, depth + 1);
                }
            }
            _ => {}
        }
    }

    /// Returns the role that a member names, if it is one that hands a role on.
    fn passed(&self, member: &str, shape: &Shape, value: &'i Value) -> Option<Passed<'i>> {
        if PROFILES.iter().any(|end| member.ends_with(end)) {
            // EC2 has a structure, EMR a text.
            let text = |member: &str| value.get(member).and_then(Value::as_str);
            let named = value.as_str().or(text("Arn")).or(text("Name"))?;
            return Some(Passed::Profile(named.rsplit('/').next().unwrap_or(named)));
        }
        let name = member.to_ascii_lowercase();
        let is_role = name.ends_with("rolearn") || name.ends_with("role");
        // What is one of a set of words is another sort of role.
        if !is_role || shape.kind() != Kind::String || !shape.values().is_empty() {
            return None;
        }
        let given = value.as_str().filter(|text| !text.is_empty())?;
        if is_role_arn(given) {
            return Some(Passed::Arn(given));
        }
        (BY_NAME.contains(&self.service) && is_role_name(given)).then_some(Passed::Name(given))
    }
}

/// `arn:aws:iam::123456789012:role/path/name`.
fn is_role_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    matches!(parts[..], ["arn", _, "iam", _, _, resource] if resource.starts_with("role/"))
}

fn is_role_name(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-/".contains(c))
}

/// Returns as whom the service will act in the role, where that is known.
fn passed_to(call: &Call, service: &str, member: &str, passed: &Passed<'_>) -> Option<String> {
    let signing_name = model::service(service).map_or(service, |known| known.signing_name());
    let name = match (service, member) {
        _ if matches!(passed, Passed::Profile(_)) => "ec2",
        ("ecs", "taskRoleArn" | "executionRoleArn")
        | ("batch", "jobRoleArn" | "executionRoleArn" | "taskRoleArn") => "ecs-tasks",
        _ if OWN_PRINCIPALS.contains(&signing_name) => signing_name,
        _ => return None,
    };
    // Principals of services end so in every partition, but for EC2's in China.
    let is_china = call.settings.partition == "aws-cn" && name == "ec2";
    Some(format!("{name}.amazonaws.com{}", if is_china { ".cn" } else { "" }))
}
