//! Task resources: what a Task asks for, read from its ARN.

use std::fmt;

/// What a Task's `Resource` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// `arn:aws:states:::aws-sdk:iam:getUser` or `arn:aws:states:::states:startExecution.sync:2`.
    Integration(Integration),
    /// An activity: `arn:aws:states:us-east-1:111122223333:activity:name`.
    Activity(String),
    /// A Lambda function's own ARN.
    Function(String),
}

/// A call of an AWS service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integration {
    /// The whole ARN, as written.
    pub arn: String,
    /// The service in AWS's spelling, e.g. `iam`, `sfn` or `states`.
    pub service: String,
    /// The action in camel case, e.g. `getUser`.
    pub action: String,
    /// Whether the service's API is called as it is, or through an optimized integration.
    pub style: IntegrationStyle,
    /// What the Task waits for.
    pub pattern: IntegrationPattern,
}

/// How an [`Integration`] reaches its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntegrationStyle {
    /// `aws-sdk:`: the API operation itself.
    AwsSdk,
    /// An integration made for Step Functions.
    Optimized,
}

/// What a Task waits for after its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntegrationPattern {
    /// The answer of the request.
    RequestResponse,
    /// The end of the job that the request started (`.sync`).
    Sync,
    /// The same, with the job's output parsed as JSON (`.sync:2`).
    Sync2,
    /// A callback with the task token (`.waitForTaskToken`).
    WaitForTaskToken,
}

impl IntegrationPattern {
    /// Returns the suffix of the ARN.
    pub fn suffix(self) -> &'static str {
        match self {
            IntegrationPattern::RequestResponse => "",
            IntegrationPattern::Sync => ".sync",
            IntegrationPattern::Sync2 => ".sync:2",
            IntegrationPattern::WaitForTaskToken => ".waitForTaskToken",
        }
    }
}

impl Integration {
    /// Returns the `resourceType` of history events: `aws-sdk:iam` or `states`.
    pub fn resource_type(&self) -> String {
        match self.style {
            IntegrationStyle::AwsSdk => format!("aws-sdk:{}", self.service),
            IntegrationStyle::Optimized => self.service.clone(),
        }
    }

    /// Returns the `resource` of history events: `getUser` or `startExecution.sync`.
    pub fn resource(&self) -> String {
        format!("{}{}", self.action, self.pattern.suffix())
    }
}

impl Resource {
    /// Reads an ARN; `None` when it names nothing that a Task can run.
    ///
    /// ```
    /// use asl::{IntegrationPattern, Resource};
    /// let arn = "arn:aws:states:::states:startExecution.sync:2";
    /// let Some(Resource::Integration(found)) = Resource::parse(arn) else { panic!() };
    /// assert_eq!((found.service.as_str(), found.action.as_str()), ("states", "startExecution"));
    /// assert_eq!(found.pattern, IntegrationPattern::Sync2);
    /// ```
    pub fn parse(arn: &str) -> Option<Resource> {
        let mut parts = arn.splitn(6, ':');
        let (scheme, partition) = (parts.next()?, parts.next()?);
        let (service, region, _account) = (parts.next()?, parts.next()?, parts.next()?);
        let rest = parts.next()?;
        if scheme != "arn" || partition.is_empty() || rest.is_empty() {
            return None;
        }
        match service {
            "states" if rest.starts_with("activity:") => Some(Resource::Activity(arn.to_owned())),
            "states" if region.is_empty() || rest.starts_with("aws-sdk:") => {
                Some(Resource::Integration(integration(arn, rest)?))
            }
            "lambda" => is_function(rest).then(|| Resource::Function(arn.to_owned())),
            _ => None,
        }
    }

    /// Returns the ARN as written.
    pub fn arn(&self) -> &str {
        match self {
            Resource::Integration(integration) => &integration.arn,
            Resource::Activity(arn) | Resource::Function(arn) => arn,
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.arn())
    }
}

/// Returns whether a text is `function:NAME` or `function:NAME:VERSION_OR_ALIAS`.
fn is_function(rest: &str) -> bool {
    let mut parts = rest.split(':');
    let word = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    };
    parts.next() == Some("function")
        && parts.next().is_some_and(word)
        && parts.next().is_none_or(|qualifier| qualifier == "$LATEST" || word(qualifier))
        && parts.next().is_none()
}

fn integration(arn: &str, rest: &str) -> Option<Integration> {
    let (style, rest) = match rest.strip_prefix("aws-sdk:") {
        Some(rest) => (IntegrationStyle::AwsSdk, rest),
        None => (IntegrationStyle::Optimized, rest),
    };
    let (service, action) = rest.split_once(':')?;
    let patterns =
        [IntegrationPattern::Sync, IntegrationPattern::Sync2, IntegrationPattern::WaitForTaskToken];
    let (action, pattern) = patterns
        .into_iter()
        .find_map(|pattern| Some((action.strip_suffix(pattern.suffix())?, pattern)))
        .unwrap_or((action, IntegrationPattern::RequestResponse));
    let named = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    (named(service) && named(action)).then(|| Integration {
        arn: arn.to_owned(),
        service: service.to_owned(),
        action: action.to_owned(),
        style,
        pattern,
    })
}

/// Which resources the runtime can serve; asked while a definition is validated.
pub trait Resources {
    /// Returns why `resource` cannot be served, in AWS's words where AWS has some; `None` when it
    /// can be.
    fn refusal(&self, resource: &Resource) -> Option<String>;
}

/// Accepts every resource that parses: for tools that only look at definitions, and for tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct AnyResource;

impl Resources for AnyResource {
    fn refusal(&self, _resource: &Resource) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{IntegrationPattern, IntegrationStyle, Resource};

    #[test]
    fn integrations_give_the_words_of_history_events() {
        for (arn, resource_type, resource) in [
            ("arn:aws:states:::aws-sdk:iam:getUser", "aws-sdk:iam", "getUser"),
            (
                "arn:aws-cn:states:::sqs:sendMessage.waitForTaskToken",
                "sqs",
                "sendMessage.waitForTaskToken",
            ),
            ("arn:aws:states:us-east-1:1:aws-sdk:ssm:getParameter", "aws-sdk:ssm", "getParameter"),
        ] {
            let Some(Resource::Integration(found)) = Resource::parse(arn) else { panic!("{arn}") };
            assert_eq!((&*found.resource_type(), &*found.resource()), (resource_type, resource));
        }
    }

    #[test]
    fn other_arns_are_activities_functions_or_nothing() {
        let activity = "arn:aws:states:us-east-1:111111111111:activity:a";
        assert_eq!(Resource::parse(activity), Some(Resource::Activity(activity.to_owned())));
        let function = "arn:aws:lambda:us-east-1:111111111111:function:f";
        assert_eq!(Resource::parse(function), Some(Resource::Function(function.to_owned())));
        for arn in ["", "arn", "arn:aws:s3:::bucket", "arn:aws:states:::aws-sdk:iam", "x"] {
            assert_eq!(Resource::parse(arn), None, "{arn}");
        }
        let _ = (IntegrationStyle::AwsSdk, IntegrationPattern::Sync);
    }
}
