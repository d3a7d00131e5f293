//! `dynamodb:getItem`, `putItem`, `updateItem`, `deleteItem`.
//!
//! Step Functions developer guide, "Perform DynamoDB CRUD operations with Step Functions" (read
//! 2026-11); answers and texts as recorded on AWS (conformance/states).

use asl::{Integration, IntegrationPattern};
use value::Value;

use super::plain::{ONLY, Plain, UPPER};
use super::{Acting, Integrated, Optimized, TaskFailure};
use crate::endpoint::CallError;

/// `dynamodb:`.
pub(super) struct DynamoDb;

const API: Plain = Plain {
    service: "dynamodb",
    prefix: "DynamoDB",
    class: "AmazonDynamoDBv2",
    actions: &[("getItem", ONLY), ("putItem", ONLY), ("updateItem", ONLY), ("deleteItem", ONLY)],
    headers: UPPER,
};

/// Recorded, twice: what answers reads spells the id of the request in another way.
const READING: Plain = Plain {
    headers: &[("connection", "Connection"), ("x-amzn-requestid", "x-amzn-requestid")],
    ..API
};

impl Optimized for DynamoDb {
    fn patterns(&self, action: &str) -> &'static [IntegrationPattern] {
        API.patterns(action)
    }

    fn request(&self, integration: &Integration, arguments: &Value, _: &Acting<'_>) -> Integrated {
        API.call(&integration.action, arguments)
    }

    fn response(&self, integration: &Integration, output: Value) -> Result<Value, TaskFailure> {
        match &*integration.action {
            "getItem" => READING.response(integration, output),
            _ => API.response(integration, output),
        }
    }

    fn failure(&self, integration: &Integration, err: &CallError) -> (String, String) {
        API.failure(integration, err)
    }
}
