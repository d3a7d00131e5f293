//! Condition operators: one file per family; a new family is a file and a line in [`FAMILIES`].
//!
//! AWS page: "IAM JSON policy elements: Condition operators" (User Guide, read 2026-11-23).

mod arn;
mod binary;
mod boolean;
mod comparison;
mod date;
mod family;
mod ip_address;
mod null;
mod numeric;
mod string;

pub(crate) use date::is_date;
pub(crate) use family::{Family, fits, operator_names};

use std::fmt;

use crate::Context;
use crate::pattern::{Pattern, Version};

const FAMILIES: [&[Operator]; 8] = [
    string::OPERATORS,
    numeric::OPERATORS,
    date::OPERATORS,
    boolean::OPERATORS,
    binary::OPERATORS,
    ip_address::OPERATORS,
    arn::OPERATORS,
    null::OPERATORS,
];

/// One condition operator without its prefix and suffix.
pub(crate) struct Operator {
    name: &'static str,
    polarity: Polarity,
    /// Reads one value of the policy.
    compile: fn(&str, Version) -> Box<dyn Test>,
}

/// How the values of a policy combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Polarity {
    /// The request value must match one of them.
    Positive,
    /// The request value must match none of them.
    Negated,
    /// Only whether the key is there counts.
    Presence,
}

/// One value of a policy, ready to be compared.
trait Test: fmt::Debug + Send + Sync {
    /// Returns whether a request value matches; `None` when one of the two is not of the family's
    /// type.
    fn test(&self, value: &str, context: &Context) -> Option<bool>;

    /// Returns the pattern behind the value, where variables may stand in it.
    fn pattern(&self) -> Option<&Pattern> {
        None
    }
}

/// How the values of a request combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantifier {
    /// No prefix.
    Single,
    /// `ForAllValues:`
    ForAllValues,
    /// `ForAnyValue:`
    ForAnyValue,
}

/// One operator applied to one condition key.
#[derive(Debug)]
pub(crate) struct Condition {
    /// In lower case.
    key: Box<str>,
    /// As the policy writes it.
    written_key: Box<str>,
    operator: Spelling,
    values: Vec<Box<dyn Test>>,
}

/// An operator as a policy spells it: `ForAnyValue:StringLikeIfExists`.
#[derive(Clone, Copy)]
pub(crate) struct Spelling {
    operator: &'static Operator,
    quantifier: Quantifier,
    if_exists: bool,
}

impl fmt::Debug for Spelling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = if self.if_exists { "IfExists" } else { "" };
        write!(f, "{:?}:{}{suffix}", self.quantifier, self.operator.name)
    }
}

impl Spelling {
    /// Reads an operator; `None` when AWS has none of that name.
    pub(crate) fn parse(text: &str) -> Option<Spelling> {
        let (quantifier, text) = match text.split_once(':') {
            Some((set, text)) if set.eq_ignore_ascii_case("ForAllValues") => {
                (Quantifier::ForAllValues, text)
            }
            Some((set, text)) if set.eq_ignore_ascii_case("ForAnyValue") => {
                (Quantifier::ForAnyValue, text)
            }
            Some(_) => return None,
            None => (Quantifier::Single, text),
        };
        let named = |name: &str| {
            FAMILIES.iter().copied().flatten().find(|known| known.name.eq_ignore_ascii_case(name))
        };
        if let Some(operator) = named(text) {
            return Some(Spelling { operator, quantifier, if_exists: false });
        }
        let bare = text.len().checked_sub("IfExists".len())?;
        let (bare, suffix) = text.split_at_checked(bare)?;
        let operator = named(bare)?;
        let allowed = operator.polarity != Polarity::Presence;
        (allowed && suffix.eq_ignore_ascii_case("IfExists")).then_some(Spelling {
            operator,
            quantifier,
            if_exists: true,
        })
    }

    /// Returns how the values of a request combine.
    pub(crate) fn quantifier(self) -> Quantifier {
        self.quantifier
    }

    /// Returns whether the condition cannot hold without the key.
    pub(crate) fn needs_key(self) -> bool {
        self.operator.polarity == Polarity::Positive
            && !self.if_exists
            && self.quantifier != Quantifier::ForAllValues
    }

    /// Returns whether the operator compares texts without wildcards.
    pub(crate) fn is_exact_text(self) -> bool {
        self.operator.name.starts_with("String") && !self.operator.name.ends_with("Like")
    }

    /// Returns whether the operator compares dates.
    pub(crate) fn compares_dates(self) -> bool {
        self.operator.name.starts_with("Date")
    }
}

impl Condition {
    pub(crate) fn compile(
        operator: Spelling,
        key: &str,
        values: &[String],
        version: Version,
    ) -> Condition {
        Condition {
            key: key.to_lowercase().into(),
            written_key: key.into(),
            operator,
            values: values.iter().map(|text| (operator.operator.compile)(text, version)).collect(),
        }
    }

    /// Returns whether the condition holds in a request.
    pub(crate) fn holds(&self, context: &Context) -> bool {
        let found = context.lookup(&self.key);
        let polarity = self.operator.operator.polarity;
        if polarity == Polarity::Presence {
            let absent = if found.is_empty() { "true" } else { "false" };
            return self.values.iter().any(|value| value.test(absent, context) == Some(true));
        }
        if found.is_empty() {
            return self.holds_when_absent();
        }
        match (self.operator.quantifier, polarity) {
            (Quantifier::ForAllValues, _) | (Quantifier::Single, Polarity::Negated) => {
                found.iter().all(|value| self.accepts(value, context))
            }
            // UNVERIFIED: a list met by an operator without a set prefix counts as any of them.
            (Quantifier::ForAnyValue, _)
            | (Quantifier::Single, Polarity::Positive | Polarity::Presence) => {
                found.iter().any(|value| self.accepts(value, context))
            }
        }
    }

    /// Returns the key as the policy writes it.
    pub(crate) fn written_key(&self) -> &str {
        &self.written_key
    }

    /// Returns the names of the variables in the values.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.values.iter().filter_map(|value| value.pattern()).flat_map(Pattern::variables)
    }

    /// Returns the keys that the request lacks, as the policy writes them.
    pub(crate) fn missing_keys(&self, context: &Context) -> impl Iterator<Item = &str> {
        let own = context.lookup(&self.key).is_empty().then_some(&*self.written_key);
        let patterns = self.values.iter().filter_map(|value| value.pattern());
        own.into_iter().chain(patterns.flat_map(|pattern| pattern.unresolved(context)))
    }

    fn holds_when_absent(&self) -> bool {
        if self.operator.if_exists {
            return true;
        }
        match self.operator.quantifier {
            Quantifier::ForAllValues => true,
            Quantifier::ForAnyValue => false,
            Quantifier::Single => self.operator.operator.polarity == Polarity::Negated,
        }
    }

    /// Compares one request value with the values of the policy.
    fn accepts(&self, value: &str, context: &Context) -> bool {
        let mut tests = self.values.iter().map(|wanted| wanted.test(value, context));
        match self.operator.operator.polarity {
            Polarity::Positive | Polarity::Presence => tests.any(|matched| matched == Some(true)),
            // UNVERIFIED: what cannot be compared satisfies a negated operator as little as a
            // positive one.
            Polarity::Negated => tests.all(|matched| matched == Some(false)),
        }
    }
}
