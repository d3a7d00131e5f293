//! One call: who makes it, when, and from where.

use std::sync::Arc;

/// What is the same for the whole server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Twelve digits.
    pub account: String,
    /// `us-east-1`.
    pub region: String,
    /// `aws`.
    pub partition: String,
}

/// Facts about one call, made before anything is asked or done.
#[derive(Clone, Debug)]
pub struct Call {
    /// Account, region and partition of the server.
    pub settings: Arc<Settings>,
    /// The region that the request was signed for.
    pub region: String,
    /// `x-amzn-RequestId`.
    pub request_id: String,
    /// Milliseconds since the epoch, on the server's clock (which may be virtual).
    pub now_millis: i64,
    /// Name of the calling IAM user, when the caller is one.
    pub user_name: Option<String>,
    /// Present when a running process calls: the same effect repeated after a crash carries the
    /// same id.
    pub effect_id: Option<String>,
}

impl Call {
    /// Returns the account that the call acts in.
    pub fn account(&self) -> &str {
        &self.settings.account
    }

    /// Returns the ARN of a global resource: `arn:aws:iam::123456789012:user/x`.
    pub fn global_arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}::{}:{resource}", self.settings.partition, self.account())
    }

    /// Returns the ARN of a regional resource: `arn:aws:states:us-east-1:123456789012:stateMachine:x`.
    pub fn regional_arn(&self, service: &str, resource: &str) -> String {
        let (partition, account) = (&self.settings.partition, self.account());
        format!("arn:{partition}:{service}:{}:{account}:{resource}", self.region)
    }

    /// Returns the time of the call as handlers put it into answers: epoch seconds, with fraction.
    pub fn now_seconds(&self) -> f64 {
        self.now_millis as f64 / 1000.0
    }
}
