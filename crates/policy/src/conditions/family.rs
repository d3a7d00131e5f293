//! The families of operators, for those who judge policies without a request.

use super::{Context, FAMILIES, Spelling, Version, date, ip_address};
use crate::arn::ARN_PARTS;

/// What an operator compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Texts.
    String,
    /// Numbers.
    Numeric,
    /// Times.
    Date,
    /// True or false.
    Bool,
    /// Bytes in base64.
    Binary,
    /// Addresses.
    IpAddress,
    /// ARNs.
    Arn,
    /// Whether a key is there.
    Null,
}

/// Returns the names of all operators, without prefix and suffix.
pub(crate) fn operator_names() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().copied().flatten().map(|operator| operator.name)
}

impl Spelling {
    /// Returns what the operator compares.
    pub(crate) fn family(self) -> Family {
        let name = self.operator.name;
        match name.trim_start_matches("Not") {
            "Bool" => Family::Bool,
            "Null" => Family::Null,
            "IpAddress" => Family::IpAddress,
            "BinaryEquals" => Family::Binary,
            _ if name.starts_with("Numeric") => Family::Numeric,
            _ if name.starts_with("Date") => Family::Date,
            _ if name.starts_with("Arn") => Family::Arn,
            _ => Family::String,
        }
    }
}

/// Returns whether a value of a policy is of the type that a family compares.
pub(crate) fn fits(family: Family, text: &str) -> bool {
    let compares_itself = |operator: &str| {
        Spelling::parse(operator).is_some_and(|spelling| {
            let test = (spelling.operator.compile)(text, Version::V2012);
            test.test(text, &Context::EMPTY).is_some()
        })
    };
    match family {
        Family::String | Family::Binary => true,
        Family::Numeric => compares_itself("NumericEquals"),
        Family::Bool => compares_itself("Bool"),
        Family::Null => ["true", "false"].iter().any(|word| text.eq_ignore_ascii_case(word)),
        Family::Date => date::is_date(text),
        Family::IpAddress => ip_address::is_range(text),
        Family::Arn => text == "*" || text.splitn(ARN_PARTS, ':').count() == ARN_PARTS,
    }
}
