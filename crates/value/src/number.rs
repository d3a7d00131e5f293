//! Numbers: fast where they are plain, exact where they are not.

use std::fmt;
use std::sync::Arc;

/// A JSON number.
///
/// `Int` and `Float` are numbers whose canonical text is what was written; `Raw` keeps any other
/// spelling (`1.0`, `1e5`, thirty digits) byte for byte, so that pass-through data is never
/// altered.
#[derive(Clone, Debug)]
pub enum Number {
    /// A whole number within `i64`.
    Int(i64),
    /// A finite binary number whose shortest text is its spelling.
    Float(f64),
    /// Any other spelling that the JSON grammar allows.
    Raw(Arc<str>),
}

/// The integers above which `f64` can no longer tell neighbours apart.
const F64_EXACT_INT: f64 = 9_007_199_254_740_992.0;

impl Number {
    /// Returns the number for text that obeys the JSON grammar.
    pub(crate) fn from_json_text(text: &str) -> Number {
        if let Ok(int) = text.parse::<i64>()
            && (int != 0 || !text.starts_with('-'))
        {
            return Number::Int(int);
        }
        if let Ok(float) = text.parse::<f64>()
            && float.is_finite()
            && JavaScriptNumber(float).to_string() == text
        {
            return Number::Float(float);
        }
        Number::Raw(Arc::from(text))
    }

    /// Returns the number as `f64`; text beyond its range becomes the largest finite number.
    pub fn as_f64(&self) -> f64 {
        match self {
            Number::Int(int) => *int as f64,
            Number::Float(float) => *float,
            Number::Raw(text) => {
                let float = text.parse::<f64>().unwrap_or(0.0);
                if float.is_finite() { float } else { f64::MAX.copysign(float) }
            }
        }
    }

    /// Returns the number when it is whole and within `i64` (beyond 2^53 only if written as an
    /// integer).
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Number::Int(int) => Some(*int),
            Number::Float(_) | Number::Raw(_) => {
                let float = self.as_f64();
                let whole = float.fract() == 0.0 && float.abs() <= F64_EXACT_INT;
                #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
                whole.then_some(float as i64)
            }
        }
    }
}

impl From<f64> for Number {
    /// Whole numbers within 2^53 become `Int`; a number that JSON cannot say becomes zero, so
    /// callers check `is_finite` first.
    fn from(float: f64) -> Number {
        if !float.is_finite() {
            return Number::Int(0);
        }
        if float.fract() == 0.0 && float.abs() <= F64_EXACT_INT {
            #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
            return Number::Int(float as i64);
        }
        Number::Float(float)
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => a == b,
            (Number::Raw(a), Number::Raw(b)) if a == b => true,
            _ => self.as_f64() == other.as_f64(),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Int(int) => write!(f, "{int}"),
            Number::Float(float) => JavaScriptNumber(*float).fmt(f),
            Number::Raw(text) => f.write_str(text),
        }
    }
}

/// Prints an `f64` as ECMAScript's `Number::toString` does: `100`, `0.1`, `1e+21`, `1.5e-7`.
pub struct JavaScriptNumber(
    /// The number to print.
    pub f64,
);

impl fmt::Display for JavaScriptNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let float = self.0;
        if float.is_nan() {
            return f.write_str("NaN");
        }
        if float.is_infinite() {
            return f.write_str(if float > 0.0 { "Infinity" } else { "-Infinity" });
        }
        if float == 0.0 {
            return f.write_str("0");
        }
        if float.fract() == 0.0 && float.abs() <= F64_EXACT_INT {
            #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
            return fmt::Display::fmt(&(float as i64), f);
        }
        // Rust's shortest digits, in the form `d.ddde±x`; only the layout differs from ECMAScript.
        let mut scientific = format!("{:e}", float.abs());
        let mark = scientific.find('e').unwrap_or(scientific.len());
        let exponent: i32 =
            scientific.get(mark + 1..).and_then(|text| text.parse().ok()).unwrap_or(0);
        scientific.truncate(mark);
        if scientific.len() > 1 {
            scientific.remove(1);
        }
        let digits = &scientific;
        if float < 0.0 {
            f.write_str("-")?;
        }
        layout(f, digits, exponent + 1)
    }
}

/// Writes `digits` with the decimal point after `point` digits (ECMA-262, Number::toString).
fn layout(f: &mut fmt::Formatter<'_>, digits: &str, point: i32) -> fmt::Result {
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    if count <= point && point <= 21 {
        f.write_str(digits)?;
        return (count..point).try_for_each(|_| f.write_str("0"));
    }
    if 0 < point && point <= 21 {
        let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0));
        return write!(f, "{whole}.{fraction}");
    }
    if -6 < point && point <= 0 {
        f.write_str("0.")?;
        (point..0).try_for_each(|_| f.write_str("0"))?;
        return f.write_str(digits);
    }
    let exponent = point - 1;
    let sign = if exponent < 0 { '-' } else { '+' };
    let (first, rest) = digits.split_at(1);
    let dot = if rest.is_empty() { "" } else { "." };
    write!(f, "{first}{dot}{rest}e{sign}{}", exponent.abs())
}
