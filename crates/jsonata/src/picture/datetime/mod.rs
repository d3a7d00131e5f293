//! Points in time as texts, and back (XPath functions and operators 3.1, "Formatting dates and
//! times").

mod calendar;
mod parse;
mod spec;
mod write;

pub(crate) use parse::{parse, parse_iso};
pub(crate) use write::format;

/// The names of the months.
const MONTHS: &[&str] = &[
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// The names of the days, the week begins on Monday.
const DAYS: &[&str] =
    &["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
