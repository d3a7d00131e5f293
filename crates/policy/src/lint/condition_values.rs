//! Operators and values that do not fit a condition key.

use super::condition_keys::known;
use super::nearest::nearest;
use super::statement::{Condition, Entry};
use super::{Finding, Policy};
use crate::actions::Values;
use crate::conditions::{Family, Spelling, fits, operator_names};

/// Checks operators against keys, and values against operators.
pub(super) fn check(policy: &Policy<'_>, findings: &mut Vec<Finding>) {
    for condition in policy.statements.iter().flat_map(|statement| &statement.conditions) {
        let Some(spelling) = condition.spelling else {
            let message = format!("there is no condition operator `{}`", condition.operator);
            let place = &condition.operator_place;
            let finding = Finding::error("UNKNOWN_CONDITION_OPERATOR", place, message);
            findings.push(finding.did_you_mean(similar_operator(condition.operator)));
            continue;
        };
        findings.extend(wrong_family(condition, spelling));
        let values = condition.values.iter();
        findings.extend(values.filter_map(|value| value_fault(condition, spelling, value)));
    }
}

/// Returns the operator that was probably meant.
pub(super) fn similar_operator(written: &str) -> Option<String> {
    let (set, bare) = written.split_once(':').map_or(("", written), |(set, bare)| (set, bare));
    let (bare, suffix) =
        bare.strip_suffix("IfExists").map_or((bare, ""), |bare| (bare, "IfExists"));
    let name = nearest(bare, operator_names())?;
    if set.is_empty() {
        return Some(format!("{name}{suffix}"));
    }
    let set = nearest(set, ["ForAllValues", "ForAnyValue"])?;
    Some(format!("{set}:{name}{suffix}"))
}

fn wrong_family(condition: &Condition<'_>, spelling: Spelling) -> Option<Finding> {
    let key = known(condition.key)?;
    let (is, use_) = match (key.values, spelling.family()) {
        (Values::Numeric, Family::String | Family::Bool | Family::IpAddress | Family::Arn) => {
            ("a number", "NumericEquals and its kin")
        }
        (Values::Date, Family::String | Family::Bool | Family::IpAddress | Family::Arn) => {
            ("a time", "DateLessThan and its kin")
        }
        (Values::IpAddress, Family::String | Family::Numeric | Family::Bool | Family::Arn) => {
            ("an address", "IpAddress or NotIpAddress")
        }
        (Values::Bool, Family::Numeric | Family::Date | Family::IpAddress | Family::Arn) => {
            ("true or false", "Bool")
        }
        (Values::Arn, Family::Numeric | Family::Date | Family::Bool | Family::IpAddress) => {
            ("an ARN", "ArnLike or ArnNotLike")
        }
        (Values::String, Family::Numeric | Family::Date | Family::IpAddress) => {
            ("a text", "StringEquals and its kin")
        }
        _ => return None,
    };
    let message =
        format!("`{}` is {is}, which `{}` does not compare", condition.key, condition.operator);
    let finding = Finding::warning("OPERATOR_NOT_FOR_KEY", &condition.operator_place, message);
    Some(finding.hint(format!("use {use_}")))
}

fn value_fault(
    condition: &Condition<'_>,
    spelling: Spelling,
    value: &Entry<'_>,
) -> Option<Finding> {
    let text = value.text;
    if text.contains("${") {
        return None;
    }
    if spelling.is_exact_text() && text.contains(['*', '?']) {
        let message = format!("`{}` takes the wildcards of `{text}` literally", condition.operator);
        let like = condition.operator.replace("Equals", "Like").replace("IgnoreCase", "");
        let finding = Finding::warning("WILDCARD_IS_LITERAL", &value.place, message);
        return Some(
            finding.hint(format!("use `{like}`, or write `${{*}}` where a star is meant")),
        );
    }
    let wanted = match spelling.family() {
        Family::Numeric => "a number",
        Family::Bool => "`true` or `false`",
        Family::Null => "`true` (absent) or `false` (there)",
        Family::IpAddress => "an address or a range of addresses",
        Family::Arn => "an ARN of six parts",
        Family::Date => "a time",
        Family::String | Family::Binary => return None,
    };
    if fits(spelling.family(), text) {
        return None;
    }
    let message = format!("`{text}` is not {wanted}, so nothing can match it");
    Some(Finding::warning("VALUE_NEVER_MATCHES", &value.place, message))
}
