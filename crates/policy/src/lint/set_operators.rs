//! `ForAllValues` and `ForAnyValue`: where they surprise.

use super::condition_keys::known;
use super::statement::{Condition, Statement};
use super::{Finding, Policy};
use crate::Effect;
use crate::actions::{Count, Key};
use crate::conditions::{Family, Quantifier};

/// Checks set operators against the number of values that a key has.
pub(super) fn check(policy: &Policy<'_>, findings: &mut Vec<Finding>) {
    for statement in &policy.statements {
        let conditions = statement.conditions.iter();
        findings.extend(conditions.filter_map(|condition| fault(statement, condition)));
    }
}

fn fault(statement: &Statement<'_>, condition: &Condition<'_>) -> Option<Finding> {
    let spelling = condition.spelling?;
    let count = known(condition.key).map(|Key { count, .. }| *count);
    let (key, place) = (condition.key, &condition.operator_place);
    match (spelling.quantifier(), count) {
        (Quantifier::ForAllValues, Some(Count::Single)) => {
            let message = format!("`{key}` has one value, and without it ForAllValues holds");
            let finding = Finding::warning("FOR_ALL_VALUES_OF_ONE", place, message);
            Some(finding.hint("leave `ForAllValues:` out"))
        }
        (Quantifier::ForAnyValue, Some(Count::Single)) => {
            let message = format!("`{key}` has one value, so ForAnyValue is of no use");
            let finding = Finding::warning("FOR_ANY_VALUE_OF_ONE", place, message);
            Some(finding.hint("leave `ForAnyValue:` out"))
        }
        (Quantifier::ForAllValues, Some(Count::Multiple) | None)
            if statement.effect == Effect::Allow && !demands(statement, key) =>
        {
            let message = format!("ForAllValues holds for a request without `{key}`");
            let finding = Finding::warning("FOR_ALL_VALUES_WHEN_ABSENT", place, message);
            Some(finding.hint(format!("add `\"Null\": {{\"{key}\": \"false\"}}`")))
        }
        (Quantifier::Single, Some(Count::Multiple)) if spelling.family() != Family::Null => {
            let message = format!("`{key}` has a list of values, which needs a set operator");
            let finding = Finding::warning("SET_OPERATOR_MISSING", place, message);
            let operator = condition.operator;
            Some(finding.hint(format!("use `ForAnyValue:{operator}` or `ForAllValues:{operator}`")))
        }
        _ => None,
    }
}

/// Returns whether another condition demands that the key is there.
fn demands(statement: &Statement<'_>, key: &str) -> bool {
    statement.conditions.iter().any(|condition| {
        let same = condition.key.eq_ignore_ascii_case(key);
        let null = condition.spelling.is_some_and(|spelling| spelling.family() == Family::Null);
        let any = condition
            .spelling
            .is_some_and(|spelling| spelling.quantifier() == Quantifier::ForAnyValue);
        let present = condition.values.iter().any(|value| value.text.eq_ignore_ascii_case("false"));
        same && (any || (null && present))
    })
}
