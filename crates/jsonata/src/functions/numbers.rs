//! Functions on numbers.

use value::JavaScriptNumber;

use super::{argument, number_argument, text_argument};
use crate::datum::Datum;
use crate::evaluate::Evaluator;
use crate::fault::{Fault, Run};
use crate::picture;

fn numbers(arguments: &[Datum]) -> impl Iterator<Item = f64> {
    argument(arguments, 0).spread().iter().filter_map(|item| item.as_number())
}

/// `$sum(numbers)`
pub(super) fn sum(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    if argument(arguments, 0).is_undefined() {
        return Ok(Datum::Undefined);
    }
    Ok(evaluator.number(numbers(arguments).fold(0.0, |sum, number| sum + number)))
}

/// `$max(numbers)`
pub(super) fn max(_: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    Ok(numbers(arguments).reduce(f64::max).map_or(Datum::Undefined, Datum::from))
}

/// `$min(numbers)`
pub(super) fn min(_: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    Ok(numbers(arguments).reduce(f64::min).map_or(Datum::Undefined, Datum::from))
}

/// `$average(numbers)`
pub(super) fn average(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let count = argument(arguments, 0).spread().len();
    if count == 0 {
        return Ok(Datum::Undefined);
    }
    let sum = numbers(arguments).fold(0.0, |sum, number| sum + number);
    Ok(evaluator.number(sum / count as f64))
}

/// Applies `function` to a number argument.
fn mapped(arguments: &[Datum], function: impl FnOnce(f64) -> f64) -> Datum {
    let number = number_argument(arguments, 0);
    number.map_or(Datum::Undefined, |number| Datum::from(function(number)))
}

/// `$floor(number)`
pub(super) fn floor(_: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    Ok(mapped(arguments, f64::floor))
}

/// `$ceil(number)`
pub(super) fn ceil(_: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    Ok(mapped(arguments, f64::ceil))
}

/// `$abs(number)`
pub(super) fn abs(_: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    Ok(mapped(arguments, f64::abs))
}

/// `$sqrt(number)`
pub(super) fn sqrt(_: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    match number_argument(arguments, 0) {
        Some(number) if number < 0.0 => Err(Fault::new("D3060").value(number).index(1)),
        _ => Ok(mapped(arguments, f64::sqrt)),
    }
}

/// `$power(base, exponent)`
pub(super) fn power(_: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let Some(base) = number_argument(arguments, 0) else { return Ok(Datum::Undefined) };
    let exponent = number_argument(arguments, 1).unwrap_or(f64::NAN);
    let result = base.powf(exponent);
    if result.is_finite() {
        return Ok(Datum::from(result));
    }
    let fault = Fault::new("D3061").value(base).index(1);
    Err(fault.value2(argument(arguments, 1).to_json()))
}

/// `$round(number, precision)`: half to even.
pub(super) fn round(_: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let precision = number_argument(arguments, 1).unwrap_or(0.0);
    Ok(mapped(arguments, |number| rounded(number, precision)))
}

/// Rounds half to even; the point is moved in text, which multiplying would do inexactly.
pub(crate) fn rounded(number: f64, precision: f64) -> f64 {
    let moved = shifted(number, precision);
    let mut whole = (moved + 0.5).floor();
    if (whole - moved).abs() == 0.5 && (whole % 2.0).abs() == 1.0 {
        whole -= 1.0;
    }
    // Adding zero turns a negative zero into zero.
    shifted(whole, -precision) + 0.0
}

fn shifted(number: f64, places: f64) -> f64 {
    if places == 0.0 {
        return number;
    }
    let text = JavaScriptNumber(number).to_string();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent = exponent.parse::<f64>().unwrap_or(0.0) + places;
    format!("{mantissa}e{exponent}").parse().unwrap_or(f64::NAN)
}

/// `$number(value)`: casts to a number.
pub(super) fn number(_: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let value = argument(arguments, 0);
    let cast = match value {
        Datum::Undefined => return Ok(Datum::Undefined),
        Datum::Value(value::Value::Bool(flag)) => Some(f64::from(u8::from(*flag))),
        Datum::Value(value::Value::String(text)) => from_text(text),
        other => other.as_number(),
    };
    match cast {
        Some(number) => Ok(Datum::from(number)),
        None => Err(Fault::new("D3030").value_some(value.to_json()).index(1)),
    }
}

/// Reads a JSON number, or a whole number with `0x`, `0o` or `0b`.
fn from_text(text: &str) -> Option<f64> {
    for (prefix, radix) in [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            let values = digits.chars().map(|digit| digit.to_digit(radix).map(f64::from));
            let values = values.collect::<Option<Vec<f64>>>().filter(|v| !v.is_empty())?;
            return Some(values.into_iter().fold(0.0, |sum, v| sum * f64::from(radix) + v));
        }
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-');
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let fits = [whole, fraction, exponent].into_iter().all(all_digits);
    if !fits || !text.bytes().all(plain) {
        return None;
    }
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// `$random()`
pub(super) fn random(evaluator: &mut Evaluator, _: &[Datum]) -> Run<Datum> {
    Ok(Datum::from(evaluator.moment.unit()))
}

/// `$formatNumber(number, picture, options)`
pub(super) fn format_number(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let Some(number) = number_argument(arguments, 0) else { return Ok(Datum::Undefined) };
    let picture = text_argument(arguments, 1).unwrap_or_default();
    let options = argument(arguments, 2);
    let text = picture::number::format(number, picture, options, evaluator.dialect)?;
    evaluator.text(text)
}

/// `$formatBase(number, radix)`
pub(super) fn format_base(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let Some(number) = number_argument(arguments, 0) else { return Ok(Datum::Undefined) };
    let whole = rounded(number, 0.0);
    let radix = rounded(number_argument(arguments, 1).unwrap_or(10.0), 0.0);
    if !(2.0..=36.0).contains(&radix) {
        return Err(Fault::new("D3100").value(radix));
    }
    let mut digits = Vec::new();
    let mut rest = whole.abs();
    loop {
        #[expect(clippy::cast_possible_truncation, reason = "below the radix")]
        #[expect(clippy::cast_sign_loss, reason = "not below 0")]
        let (digit, base) = ((rest % radix) as u32, radix as u32);
        digits.push(char::from_digit(digit, base).unwrap_or('0'));
        rest = (rest / radix).floor();
        if rest == 0.0 {
            break;
        }
    }
    if whole < 0.0 {
        digits.push('-');
    }
    evaluator.text(digits.into_iter().rev().collect::<String>())
}

/// `$formatInteger(number, picture)`
pub(super) fn format_integer(evaluator: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let Some(number) = number_argument(arguments, 0) else { return Ok(Datum::Undefined) };
    let picture = text_argument(arguments, 1).unwrap_or_default();
    let text = picture::integer::format(number.floor(), picture)?;
    evaluator.text(text)
}

/// `$parseInteger(text, picture)`
pub(super) fn parse_integer(_: &mut Evaluator, arguments: &[Datum]) -> Run<Datum> {
    let Some(text) = text_argument(arguments, 0) else { return Ok(Datum::Undefined) };
    let picture = text_argument(arguments, 1).unwrap_or_default();
    let number = picture::integer::parse(text, picture)?;
    Ok(number.map_or(Datum::Undefined, Datum::from))
}
