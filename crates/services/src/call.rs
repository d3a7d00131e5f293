//! One call: who makes it, when, and from where.

use std::sync::Arc;

use policy::Principal;
use sha2::{Digest, Sha256};
use store::Lease;

use crate::{Judgements, Limits, ids};

/// What is the same for the whole server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Twelve digits.
    pub account: String,
    /// `us-east-1`.
    pub region: String,
    /// `aws`.
    pub partition: String,
    /// How faithful Amazon's own documents are.
    pub edition: automation::catalogue::Edition,
    /// How much is taken.
    pub limits: Limits,
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
    /// Who calls.
    pub principal: Arc<Principal>,
    /// The caller's address and program, when the call came over HTTP.
    pub from: Origin,
    /// Present when a running process calls: the same effect repeated after a crash carries the
    /// same id.
    pub effect_id: Option<String>,
    /// The automation execution that starts another one by this call.
    pub nested_in: Option<String>,
    /// The lease under which that process acts, on a store that several nodes share.
    pub lease: Option<Lease>,
    /// On whose behalf the call is made: `execution/ARN`, `automation/ID`, `stack/ID`, `rule/ARN`.
    pub process: Option<Arc<str>>,
    /// The span that it is made in, as a `traceparent`; none while nothing is traced.
    pub trace: Option<String>,
    /// What was decided about it.
    pub judgements: Judgements,
}

/// Where a call comes from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// Over HTTP.
    Http {
        /// The caller's address.
        source_ip: String,
        /// `User-Agent`.
        user_agent: Option<String>,
    },
    /// A service acts for a resource: a state machine's task, a rule's target, a runbook's step.
    Service {
        /// The ARN of that resource.
        source_arn: String,
    },
}

impl Call {
    /// Returns the account that the call acts in.
    pub fn account(&self) -> &str {
        &self.settings.account
    }

    /// Returns the name of the calling IAM user, when the caller is one.
    pub fn user_name(&self) -> Option<&str> {
        match &self.principal.kind {
            policy::PrincipalKind::User { name, .. } => Some(name),
            policy::PrincipalKind::Root
            | policy::PrincipalKind::AssumedRole { .. }
            | policy::PrincipalKind::FederatedUser { .. }
            | policy::PrincipalKind::Service { .. }
            | policy::PrincipalKind::Anonymous => None,
        }
    }

    /// Returns the ARN of a global resource: `arn:aws:iam::123456789012:user/x`.
    pub fn global_arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}::{}:{resource}", self.settings.partition, self.account())
    }

    /// Returns the ARN of a regional resource:
    /// `arn:aws:states:us-east-1:123456789012:stateMachine:x`.
    pub fn regional_arn(&self, service: &str, resource: &str) -> String {
        let (partition, account) = (&self.settings.partition, self.account());
        format!("arn:{partition}:{service}:{}:{account}:{resource}", self.region)
    }

    /// Returns the time of the call as handlers put it into answers: epoch seconds, with fraction.
    pub fn now_seconds(&self) -> f64 {
        self.now_millis as f64 / 1000.0
    }

    /// Returns a UUID for something that this call creates: the same one when the same effect is
    /// repeated after a crash, a random one otherwise.
    pub fn stable_uuid(&self, purpose: &str) -> String {
        match &self.effect_id {
            Some(effect) => self.uuid_of(&format!("effect/{effect}/{purpose}")),
            None => ids::uuid(),
        }
    }

    /// Returns the same for something that is stored under it in great numbers: where
    /// [`Call::stable_uuid`] is random, this one begins with the time.
    pub fn stable_uuid_at(&self, purpose: &str) -> String {
        match &self.effect_id {
            Some(_) => self.stable_uuid(purpose),
            None => ids::uuid_at(self.now_millis),
        }
    }

    /// Returns a draw for something that this call decides: the same one when the same effect is
    /// repeated after a crash, a random one otherwise.
    pub fn stable_draw(&self, purpose: &str) -> u64 {
        let bytes: [u8; 8] = match &self.effect_id {
            Some(effect) => {
                let digest = Sha256::digest(format!("draw/{effect}/{purpose}"));
                std::array::from_fn(|at| digest.get(at).copied().unwrap_or_default())
            }
            None => ids::entropy(),
        };
        u64::from_be_bytes(bytes)
    }

    /// Returns the UUID that belongs to a text in this account and region.
    pub fn uuid_of(&self, text: &str) -> String {
        let digest = Sha256::digest(format!("{}/{}/{text}", self.account(), self.region));
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(digest) {
            *to = from;
        }
        ids::uuid_from(bytes)
    }
}
