//! Amazon Resource Names.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// How many colons part an ARN: `arn:partition:service:region:account:resource`.
pub(crate) const ARN_PARTS: usize = 6;

const ACCOUNT_DIGITS: usize = 12;

/// Returns whether a text is an account number.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == ACCOUNT_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An Amazon Resource Name, taken apart; printing gives the text back byte for byte.
///
/// ```
/// use policy::Arn;
///
/// let arn: Arn = "arn:aws:states:us-east-1:123456789012:stateMachine:Off:1".parse().unwrap();
/// assert_eq!(arn.service(), "states");
/// assert_eq!(arn.resource(), "stateMachine:Off:1");
/// assert_eq!(arn.to_string(), "arn:aws:states:us-east-1:123456789012:stateMachine:Off:1");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Arn {
    partition: Arc<str>,
    service: Arc<str>,
    region: Arc<str>,
    account: Arc<str>,
    resource: Arc<str>,
}

/// A text that is no ARN.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an ARN: {reason}")]
pub struct NotAnArn {
    /// The text.
    pub text: String,
    /// What it lacks.
    pub reason: &'static str,
}

impl Arn {
    /// Makes an ARN of the partition `aws` from its parts.
    pub fn new(service: &str, region: &str, account: &str, resource: &str) -> Arn {
        Arn {
            partition: "aws".into(),
            service: service.into(),
            region: region.into(),
            account: account.into(),
            resource: resource.into(),
        }
    }

    /// Returns the ARN in another partition.
    #[must_use]
    pub fn in_partition(mut self, partition: &str) -> Arn {
        self.partition = partition.into();
        self
    }

    /// Returns the partition, e.g. `aws`.
    pub fn partition(&self) -> &str {
        &self.partition
    }

    /// Returns the service, e.g. `iam`.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Returns the region; empty for global services.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Returns the account; empty for what no account owns, `aws` for what AWS manages.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Returns everything after the fifth colon.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Returns the resource type and the rest, parted by the first `/` or `:`.
    pub fn resource_type_and_id(&self) -> (&str, &str) {
        self.resource.split_once(['/', ':']).unwrap_or((&self.resource, ""))
    }
}

impl FromStr for Arn {
    type Err = NotAnArn;

    fn from_str(text: &str) -> Result<Arn, NotAnArn> {
        let fault = |reason| NotAnArn { text: text.to_owned(), reason };
        let mut parts = text.splitn(ARN_PARTS, ':');
        if parts.next() != Some("arn") {
            return Err(fault("it does not start with `arn:`"));
        }
        let mut part = || parts.next().ok_or_else(|| fault("it has fewer than six parts"));
        let (partition, service, region) = (part()?, part()?, part()?);
        let (account, resource) = (part()?, part()?);
        if partition.is_empty() || service.is_empty() || resource.is_empty() {
            return Err(fault("partition, service or resource is empty"));
        }
        Ok(Arn {
            partition: partition.into(),
            service: service.into(),
            region: region.into(),
            account: account.into(),
            resource: resource.into(),
        })
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Arn { partition, service, region, account, resource } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}
