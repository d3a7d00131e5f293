//! Looking up targets at the services that know them: tags, resource groups, EC2.

use std::sync::Arc;

use automation::rate::TARGETS_MAX;
use value::{Value, value};

use super::error;
use super::targets::Sought;
use crate::{Call, Error, Input, Services};

/// How many pages of answers are read at most.
const PAGES_MAX: usize = 100;

/// How a list is asked for, and where in its answer the resources and the next page are.
struct List {
    service: &'static str,
    operation: &'static str,
    input: Value,
    /// The member that asks for a page.
    page_in: &'static str,
    /// The member that names the next page.
    page_out: &'static str,
    resources: fn(&Value) -> Vec<String>,
}

/// Returns the resources that a target stands for, as the caller sees them.
///
/// # Errors
/// `InvalidTarget`, with what the service said that was asked, or that none is configured.
pub(super) async fn find(
    services: &Arc<Services>,
    call: &Call,
    sought: &Sought,
    target_type: Option<&str>,
) -> Result<Vec<String>, Error> {
    let List { service, operation, mut input, page_in, page_out, resources } =
        list(sought, target_type);
    let mut found = Vec::new();
    for _ in 0..PAGES_MAX {
        let answer = services.call_outside(call, service, operation, input.clone()).await;
        let answer = answer.map_err(|err| {
            let text = format!(
                "The targets cannot be looked up with {service}:{operation}: {}",
                err.message
            );
            error::invalid_target(text)
        })?;
        found.extend(resources(&answer));
        match answer.maybe_text(page_out).filter(|token| !token.is_empty()) {
            Some(token) if found.len() <= TARGETS_MAX => drop(input.set(page_in, token)),
            Some(_) | None => return Ok(found),
        }
    }
    Ok(found)
}

fn list(sought: &Sought, target_type: Option<&str>) -> List {
    match sought {
        Sought::Tag { key, values } => {
            let kinds = target_type.and_then(tagging_type).map(|kind| value!([kind]));
            List {
                service: "resourcegroupstaggingapi",
                operation: "GetResources",
                input: value!({"TagFilters": [{"Key": key, "Values": values.clone()}]})
                    .with_some("ResourceTypeFilters", kinds),
                page_in: "PaginationToken",
                page_out: "PaginationToken",
                resources: |answer| ids(answer.list("ResourceTagMappingList"), &["ResourceARN"]),
            }
        }
        Sought::ResourceGroup(group) => List {
            service: "resource-groups",
            operation: "ListGroupResources",
            input: value!({"Group": group}),
            page_in: "NextToken",
            page_out: "NextToken",
            resources: |answer| ids(answer.list("Resources"), &["Identifier", "ResourceArn"]),
        },
        Sought::Instances => List {
            service: "ec2",
            operation: "DescribeInstances",
            input: Value::object(),
            page_in: "NextToken",
            page_out: "NextToken",
            resources: |answer| {
                let reservations = answer.list("Reservations").iter();
                reservations.flat_map(|it| ids(it.list("Instances"), &["InstanceId"])).collect()
            },
        },
    }
}

/// Returns the ids of resources: what stands at the end of their ARNs.
fn ids(resources: &[Value], path: &[&str]) -> Vec<String> {
    let texts = resources.iter().filter_map(|resource| resource.path(path)?.as_str());
    texts.filter_map(|arn| arn.rsplit(['/', ':']).next().map(str::to_owned)).collect()
}

/// Returns a document's `TargetType` (`/AWS::EC2::Instance`) as the tagging API spells it; none for
/// `/`, which means any.
fn tagging_type(target_type: &str) -> Option<String> {
    let mut parts = target_type.trim_start_matches('/').split("::").skip(1);
    let (service, resource) = (parts.next()?, parts.next()?);
    Some(format!("{}:{}", service.to_ascii_lowercase(), resource.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_named_by_the_end_of_their_arn() {
        let list = value!([
            {"ResourceARN": "arn:aws:ec2:us-east-1:1:instance/i-1"},
            {"ResourceARN": "arn:aws:s3:::bucket"},
        ]);
        assert_eq!(ids(list.as_array().unwrap(), &["ResourceARN"]), ["i-1", "bucket"]);
    }

    #[test]
    fn types_are_spelled_in_lower_case() {
        let kind = tagging_type("/AWS::EC2::Instance");
        assert_eq!((kind.as_deref(), tagging_type("/")), (Some("ec2:instance"), None));
    }
}
