//! The built-in functions: one table, one file per family, one file per function of AWS's own.

#![expect(clippy::unnecessary_wraps, reason = "all functions of the table have one shape")]

mod arrays;
mod aws;
mod encoding;
mod higher_order;
mod matching;
mod numbers;
mod objects;
mod strings;
mod time;
mod values;

use std::collections::HashMap;
use std::sync::LazyLock;

pub(crate) use numbers::rounded;

use crate::Dialect;
use crate::datum::Datum;
use crate::evaluate::Evaluator;
use crate::fault::Run;
use crate::syntax::signature::Signature;

/// A built-in function.
#[derive(Debug)]
pub(crate) struct Native {
    pub(crate) name: &'static str,
    pub(crate) signature: Option<Signature>,
    /// How many arguments it takes, as callers of callbacks count them.
    pub(crate) arity: usize,
    /// Whether it needs to know where it was called.
    pub(crate) sees_caller: bool,
    pub(crate) run: Body,
}

/// What a built-in function does with its checked arguments.
pub(crate) type Body = for<'e, 'm, 'a> fn(&'e mut Evaluator<'m>, &'a [Datum]) -> Run<Datum>;

/// A line of the table: name, signature, arity, body.
type Line = (&'static str, &'static str, usize, Body);

const SHARED: &[Line] = &[
    ("sum", "<a<n>:n>", 1, numbers::sum),
    ("count", "<a:n>", 1, arrays::count),
    ("max", "<a<n>:n>", 1, numbers::max),
    ("min", "<a<n>:n>", 1, numbers::min),
    ("average", "<a<n>:n>", 1, numbers::average),
    ("string", "<x-b?:s>", 1, strings::string),
    ("substring", "<s-nn?:s>", 3, strings::substring),
    ("substringBefore", "<s-s:s>", 2, strings::substring_before),
    ("substringAfter", "<s-s:s>", 2, strings::substring_after),
    ("lowercase", "<s-:s>", 1, strings::lowercase),
    ("uppercase", "<s-:s>", 1, strings::uppercase),
    ("length", "<s-:n>", 1, strings::length),
    ("trim", "<s-:s>", 1, strings::trim),
    ("pad", "<s-ns?:s>", 3, strings::pad),
    ("match", "<s-f<s:o>n?:a<o>>", 3, matching::match_),
    ("contains", "<s-(sf):b>", 2, matching::contains),
    ("replace", "<s-(sf)(sf)n?:s>", 4, matching::replace),
    ("split", "<s-(sf)n?:a<s>>", 3, matching::split),
    ("join", "<a<s>s?:s>", 2, strings::join),
    ("formatNumber", "<n-so?:s>", 3, numbers::format_number),
    ("formatBase", "<n-n?:s>", 2, numbers::format_base),
    ("formatInteger", "<n-s:s>", 2, numbers::format_integer),
    ("parseInteger", "<s-s:n>", 2, numbers::parse_integer),
    ("number", "<(nsb)-:n>", 1, numbers::number),
    ("floor", "<n-:n>", 1, numbers::floor),
    ("ceil", "<n-:n>", 1, numbers::ceil),
    ("round", "<n-n?:n>", 2, numbers::round),
    ("abs", "<n-:n>", 1, numbers::abs),
    ("sqrt", "<n-:n>", 1, numbers::sqrt),
    ("power", "<n-n:n>", 2, numbers::power),
    ("boolean", "<x-:b>", 1, values::boolean_),
    ("not", "<x-:b>", 1, values::not),
    ("map", "<af>", 2, higher_order::map),
    ("zip", "<a+>", 0, arrays::zip),
    ("filter", "<af>", 2, higher_order::filter),
    ("single", "<af?>", 2, higher_order::single),
    ("reduce", "<afj?:j>", 3, higher_order::reduce),
    ("sift", "<o-f?:o>", 2, higher_order::sift),
    ("keys", "<x-:a<s>>", 1, objects::keys),
    ("lookup", "<x-s:x>", 2, objects::lookup),
    ("append", "<xx:a>", 2, arrays::append_),
    ("exists", "<x:b>", 1, values::exists),
    ("spread", "<x-:a<o>>", 1, objects::spread),
    ("merge", "<a<o>:o>", 1, objects::merge),
    ("reverse", "<a:a>", 1, arrays::reverse),
    ("each", "<o-f:a>", 2, higher_order::each),
    ("error", "<s?:x>", 1, values::error),
    ("assert", "<bs?:x>", 2, values::assert),
    ("type", "<x:s>", 1, values::type_),
    ("sort", "<af?:a>", 2, higher_order::sort),
    ("shuffle", "<a:a>", 1, arrays::shuffle),
    ("distinct", "<x:x>", 1, arrays::distinct),
    ("base64encode", "<s-:s>", 1, encoding::base64_encode),
    ("base64decode", "<s-:s>", 1, encoding::base64_decode),
    ("encodeUrlComponent", "<s-:s>", 1, encoding::encode_url_component),
    ("encodeUrl", "<s-:s>", 1, encoding::encode_url),
    ("decodeUrlComponent", "<s-:s>", 1, encoding::decode_url_component),
    ("decodeUrl", "<s-:s>", 1, encoding::decode_url),
    ("toMillis", "<s-s?:n>", 2, time::to_millis),
    ("fromMillis", "<n-s?s?:s>", 3, time::from_millis),
    ("clone", "<(oa)-:o>", 1, objects::clone),
    ("now", "<s?s?:s>", 2, time::now),
    ("millis", "<:n>", 0, time::millis),
];

const FULL_ONLY: &[Line] =
    &[("eval", "<sx?:x>", 2, values::eval), ("random", "<:n>", 0, numbers::random)];

const AWS_ONLY: &[Line] = &[
    ("partition", "<x-x?>", 2, aws::partition::partition),
    ("range", "<xx?x?>", 3, aws::range::range),
    ("hash", "<s-s?>", 2, aws::hash::hash),
    ("random", "<n?>", 1, aws::random::random),
    ("uuid", "<>", 0, aws::uuid::uuid),
    ("parse", "<s->", 1, aws::parse::parse),
];

type Table = HashMap<&'static str, Native>;

fn table(lines: &[&'static [Line]]) -> Table {
    let lines = lines.iter().flat_map(|lines| lines.iter());
    let natives = lines.map(|&(name, signature, arity, run)| {
        let signature = Signature::parse(signature).ok();
        (name, Native { name, signature, arity, sees_caller: name == "eval", run })
    });
    natives.collect()
}

static FULL: LazyLock<Table> = LazyLock::new(|| table(&[SHARED, FULL_ONLY]));
static AWS: LazyLock<Table> = LazyLock::new(|| table(&[SHARED, AWS_ONLY]));

/// Finds the built-in function `name` of a dialect.
pub(crate) fn find(name: &str, dialect: Dialect) -> Option<&'static Native> {
    match dialect {
        Dialect::Full => FULL.get(name),
        Dialect::Aws => AWS.get(name),
    }
}

/// Returns an argument; a missing one is undefined.
fn argument(arguments: &[Datum], at: usize) -> &Datum {
    const UNDEFINED: &Datum = &Datum::Undefined;
    arguments.get(at).unwrap_or(UNDEFINED)
}

/// Returns an argument that is a number.
fn number_argument(arguments: &[Datum], at: usize) -> Option<f64> {
    argument(arguments, at).as_number()
}

/// Returns an argument that is a text.
fn text_argument(arguments: &[Datum], at: usize) -> Option<&str> {
    argument(arguments, at).as_text().map(|text| &**text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_parses() {
        for (name, signature, ..) in SHARED.iter().chain(FULL_ONLY).chain(AWS_ONLY) {
            assert!(Signature::parse(signature).is_ok(), "{name}");
        }
    }
}
