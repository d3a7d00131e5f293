//! ARNs of Step Functions, as far as requests name them.

use crate::states::error;
use crate::{Check, Error};

/// What an ARN of Step Functions names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    StateMachine,
    Execution,
    Activity,
    MapRun,
}

impl Named {
    const fn word(self) -> &'static str {
        match self {
            Named::StateMachine => "stateMachine",
            Named::Execution => "execution",
            Named::Activity => "activity",
            Named::MapRun => "mapRun",
        }
    }
}

/// Returns the resource part (`stateMachine:name`, without the word) of an ARN of the wanted kind.
pub(super) fn resource(arn: &str, wanted: Named) -> Result<&str, Error> {
    let mut parts = arn.splitn(6, ':');
    if parts.next() != Some("arn") {
        return Err(error::invalid_arn_prefix(arn));
    }
    let (_partition, service) = (parts.next(), parts.next());
    let (_region, _account) = (parts.next(), parts.next());
    let resource = parts.next().ok_or_else(|| error::invalid_arn(arn))?;
    let (word, name) = resource.split_once(':').ok_or_else(|| error::invalid_arn(arn))?;
    if service != Some("states") || name.is_empty() {
        return Err(error::invalid_arn(arn));
    }
    // Of express executions, those of map runs are kept.
    let is_express_child = word == "express" && name.contains('/') && wanted == Named::Execution;
    if word == wanted.word() || is_express_child { Ok(name) } else { Err(error::invalid_arn(word)) }
}

/// What the ARN of a state machine ends in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Qualifier<'a> {
    /// A version's number.
    Version(u32),
    /// An alias's name.
    Alias(&'a str),
}

/// The ARN of a state machine, of one of its versions or of one of its aliases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Qualified<'a> {
    /// The ARN as it was given.
    pub(super) whole: &'a str,
    /// The ARN of the state machine.
    pub(super) machine: &'a str,
    /// What follows it.
    pub(super) qualifier: Option<Qualifier<'a>>,
}

/// Reads the ARN of a state machine, a version or an alias.
pub(super) fn qualified(arn: &str) -> Result<Qualified<'_>, Error> {
    let name = resource(arn, Named::StateMachine)?;
    Ok(split(arn, name))
}

fn split<'a>(arn: &'a str, name: &'a str) -> Qualified<'a> {
    let bare = Qualified { whole: arn, machine: arn, qualifier: None };
    let Some((_, written)) = name.split_once(':') else { return bare };
    let Some(machine) = arn.get(..arn.len() - written.len() - 1) else { return bare };
    let is_number = written.bytes().all(|byte| byte.is_ascii_digit());
    let qualifier = match written.parse() {
        Ok(number) if is_number => Qualifier::Version(number),
        Ok(_) | Err(_) => Qualifier::Alias(written),
    };
    Qualified { whole: arn, machine, qualifier: Some(qualifier) }
}

/// Returns the question whether the caller may do `action` to a state machine. A version or an
/// alias is authorised as its machine with a condition key (Service Authorization Reference,
/// "states:StateMachineQualifier").
pub(super) fn check(action: &str, arn: &str) -> Check {
    let Ok(found) = qualified(arn) else { return Check::new(action, arn) };
    let check = Check::new(action, found.machine);
    match found.qualifier {
        None => check,
        Some(Qualifier::Version(number)) => {
            check.with("states:StateMachineQualifier", vec![number.to_string()])
        }
        Some(Qualifier::Alias(name)) => {
            check.with("states:StateMachineQualifier", vec![name.to_owned()])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qualifiers_are_numbers_or_names() {
        let machine = "arn:aws:states:us-east-1:1:stateMachine:m";
        for (suffix, expected) in [
            ("", None),
            (":7", Some(Qualifier::Version(7))),
            (":prod", Some(Qualifier::Alias("prod"))),
            (":7a", Some(Qualifier::Alias("7a"))),
            (":+7", Some(Qualifier::Alias("+7"))),
        ] {
            let arn = format!("{machine}{suffix}");
            let found = qualified(&arn).unwrap();
            assert_eq!((found.machine, found.qualifier), (machine, expected), "{arn}");
        }
    }
}
