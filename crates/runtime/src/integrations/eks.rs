//! `eks:`: clusters, node groups and Fargate profiles of EKS.
//!
//! Step Functions developer guide, "Create and manage Amazon EKS clusters with Step Functions"
//! (read 2026-11).

use asl::{Integration, IntegrationPattern};
use value::Value;

use super::job::Job;
use super::plain::EKS as API;
use super::{Acting, Integrated, Optimized, TaskFailure};
use crate::endpoint::CallError;

/// `eks:`.
pub(super) struct Eks;

/// Why a cluster's own API is not called.
const NO_KUBERNETES: &str = "a cluster's own API lets in who shows a token of IAM on AWS, which \
    the role of a state machine does not have here";

impl Optimized for Eks {
    fn patterns(&self, action: &str) -> &'static [IntegrationPattern] {
        API.patterns(action)
    }

    fn absence(&self, action: &str) -> Option<&'static str> {
        matches!(action, "call" | "runJob").then_some(NO_KUBERNETES)
    }

    fn request(
        &self,
        integration: &Integration,
        arguments: &Value,
        acting: &Acting<'_>,
    ) -> Integrated {
        API.request(integration, arguments, acting)
    }

    fn response(&self, integration: &Integration, output: Value) -> Result<Value, TaskFailure> {
        API.response(integration, output)
    }

    fn failure(&self, integration: &Integration, err: &CallError) -> (String, String) {
        API.failure(integration, err)
    }

    fn job(&self, action: &str) -> Option<&'static dyn Job> {
        API.job(action)
    }
}
