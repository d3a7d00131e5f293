//! `ResourceHandlingOption`: the resources that launching an instance needs.
//!
//! IAM API reference, "SimulateCustomPolicy" (read 2026-11-25).

use policy::Arn;

use super::super::error::invalid_input;
use crate::Error;

/// Each option with the types of the resources that must be there.
const SCENARIOS: &[(&str, &[&str])] = &[
    ("EC2-VPC-InstanceStore", &["instance", "image", "security-group", "network-interface"]),
    (
        "EC2-VPC-InstanceStore-Subnet",
        &["instance", "image", "security-group", "network-interface", "subnet"],
    ),
    ("EC2-VPC-EBS", &["instance", "image", "security-group", "network-interface", "volume"]),
    (
        "EC2-VPC-EBS-Subnet",
        &["instance", "image", "security-group", "network-interface", "subnet", "volume"],
    ),
];

/// Refuses an option that AWS does not have, and one whose resources are not all there.
pub(super) fn check(option: &str, resources: &[String]) -> Result<(), Error> {
    // UNVERIFIED: both of AWS's texts.
    let Some((_, types)) = SCENARIOS.iter().find(|(name, _)| *name == option) else {
        return Err(invalid_input(format!("Invalid ResourceHandlingOption: {option}")));
    };
    let is_there = |wanted: &str| {
        resources
            .iter()
            .filter_map(|text| text.parse::<Arn>().ok())
            .any(|arn| arn.service() == "ec2" && arn.resource_type_and_id().0 == wanted)
    };
    match types.iter().find(|wanted| !is_there(wanted)) {
        Some(missing) => Err(invalid_input(format!(
            "ResourceHandlingOption {option} needs a resource of the type {missing}"
        ))),
        None => Ok(()),
    }
}
