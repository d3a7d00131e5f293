//! Checks arguments against a signature, in the words of the reference.

use value::Value;

use crate::Dialect;
use crate::datum::{Datum, Items};
use crate::fault::{Fault, Run};
use crate::syntax::signature::{Parameter, Repeat, Signature};

/// Returns the arguments as the function receives them.
pub(super) fn check(
    signature: &Signature,
    arguments: Vec<Datum>,
    context: &Datum,
    dialect: Dialect,
) -> Run<Vec<Datum>> {
    let parameters = signature.parameters.as_slice();
    let one_each = parameters.len() == arguments.len()
        && parameters.iter().zip(&arguments).all(|(p, a)| p.accepts.has(letter(a)));
    if one_each {
        return convert_each(parameters, arguments);
    }
    let letters: Vec<char> = arguments.iter().map(letter).collect();
    let taken =
        assign(parameters, &letters).ok_or_else(|| mismatch(parameters, &letters, &arguments))?;
    let mut checked = Vec::with_capacity(parameters.len());
    let mut arguments = arguments.into_iter();
    let mut at = 0;
    for (parameter, taken) in parameters.iter().zip(taken) {
        if taken == 0 && parameter.context {
            if !parameter.accepts.has(letter(context)) {
                return Err(Fault::new("T0411").value_some(context.to_json()).index(at + 1));
            }
            checked.push(context.clone());
            continue;
        }
        let first = checked.len();
        for _ in 0..taken.max(1) {
            let argument = arguments.next().unwrap_or_default();
            at += 1;
            checked.push(convert(parameter, argument, at)?);
        }
        // Release 2.0.6 hands on the first of several, as often as there are some.
        if dialect == Dialect::Aws && !parameter.array && taken > 1 {
            let (_, repeated) = checked.split_at_mut(first);
            if let Some((first, others)) = repeated.split_first_mut() {
                others.fill(first.clone());
            }
        }
    }
    Ok(checked)
}

/// Converts arguments of which every parameter takes one.
fn convert_each(parameters: &[Parameter], mut arguments: Vec<Datum>) -> Run<Vec<Datum>> {
    for (at, (parameter, argument)) in parameters.iter().zip(&mut arguments).enumerate() {
        if parameter.array {
            *argument = convert(parameter, std::mem::take(argument), at + 1)?;
        }
    }
    Ok(arguments)
}

/// Returns the letter that stands for an argument in signatures.
pub(crate) fn letter(datum: &Datum) -> char {
    match datum {
        Datum::Undefined | Datum::Tuples(_) => 'm',
        Datum::List(_) => 'a',
        Datum::Record(_) => 'o',
        Datum::Native(_) | Datum::Function(_) => 'f',
        Datum::Value(value) => letter_of(value),
    }
}

fn letter_of(value: &Value) -> char {
    match value {
        Value::Null => 'l',
        Value::Bool(_) => 'b',
        Value::Number(_) => 'n',
        Value::String(_) => 's',
        Value::Array(_) => 'a',
        Value::Object(_) => 'o',
    }
}

/// Finds how many arguments each parameter takes, greedily and with second thoughts.
fn assign(parameters: &[Parameter], letters: &[char]) -> Option<Vec<usize>> {
    let Some((parameter, rest)) = parameters.split_first() else {
        return letters.is_empty().then(Vec::new);
    };
    let fitting = letters.iter().take_while(|letter| parameter.accepts.has(**letter)).count();
    let counts: Vec<usize> = match parameter.repeat {
        Repeat::Once => (1..=fitting.min(1)).collect(),
        Repeat::AtMostOnce => (0..=fitting.min(1)).rev().collect(),
        Repeat::Reluctant => (0..=fitting.min(1)).collect(),
        Repeat::AtLeastOnce => (1..=fitting).rev().collect(),
    };
    counts.into_iter().find_map(|count| {
        let mut taken = assign(rest, letters.get(count..)?)?;
        taken.insert(0, count);
        Some(taken)
    })
}

/// Returns the error for the first argument that no parameter takes.
fn mismatch(parameters: &[Parameter], letters: &[char], arguments: &[Datum]) -> Fault {
    let mut good = 0;
    for count in 1..=parameters.len() {
        match longest_prefix(parameters.get(..count).unwrap_or_default(), letters) {
            Some(length) => good = length,
            None => break,
        }
    }
    let value = arguments.get(good).and_then(Datum::to_json);
    Fault::new("T0410").value_some(value).index(good + 1)
}

/// Returns how many arguments the parameters take together, more arguments may follow.
fn longest_prefix(parameters: &[Parameter], letters: &[char]) -> Option<usize> {
    let Some((parameter, rest)) = parameters.split_first() else { return Some(0) };
    let fitting = letters.iter().take_while(|letter| parameter.accepts.has(**letter)).count();
    let counts: Vec<usize> = match parameter.repeat {
        Repeat::Once => (1..=fitting.min(1)).collect(),
        Repeat::AtMostOnce => (0..=fitting.min(1)).rev().collect(),
        Repeat::Reluctant => (0..=fitting.min(1)).collect(),
        Repeat::AtLeastOnce => (1..=fitting).rev().collect(),
    };
    counts.into_iter().find_map(|count| Some(count + longest_prefix(rest, letters.get(count..)?)?))
}

/// Wraps a single value where an array is wanted, and checks what the array holds.
fn convert(parameter: &Parameter, argument: Datum, index: usize) -> Run<Datum> {
    if !parameter.array || argument.is_undefined() {
        return Ok(argument);
    }
    let letter = letter(&argument);
    if let Some(subtype) = &parameter.subtype {
        let fits = match argument.items() {
            Some(items) => holds(items, subtype),
            None => subtype.len() == 1 && subtype.starts_with(letter),
        };
        if !fits {
            let fault = Fault::new("T0412").value_some(argument.to_json()).index(index);
            return Err(fault.kind(plural(subtype)));
        }
    }
    Ok(if letter == 'a' { argument } else { Datum::array(vec![argument]) })
}

/// Returns whether all items are of the wanted kind.
fn holds(items: Items, subtype: &str) -> bool {
    let wanted = subtype.chars().next();
    match items {
        Items::Values(values) => values.iter().all(|value| Some(letter_of(value)) == wanted),
        Items::Data(data) => data.iter().all(|item| Some(letter(item)) == wanted),
        Items::One(one) => Some(letter(one)) == wanted,
    }
}

fn plural(subtype: &str) -> &'static str {
    match subtype {
        "a" => "arrays",
        "b" => "booleans",
        "f" => "functions",
        "n" => "numbers",
        "o" => "objects",
        "s" => "strings",
        _ => "",
    }
}
