//! JSON text as the reference writes it.

use value::{JavaScriptNumber, Value, escape_into};

use crate::Dialect;
use crate::datum::Datum;
use crate::fault::{Fault, Run};

/// How JSON text is laid out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    Compact,
    /// Two spaces for every level.
    Indented,
}

/// Writes a value with numbers as the reference prints them; what JSON lacks becomes `null`.
pub(crate) fn write(out: &mut String, value: &Value) {
    let plain = Writer { layout: Layout::Compact, digits: Digits::All };
    // Without rounding nothing can fail.
    let _ = plain.value(out, value, 0);
}

/// Casts to a string as `$string` does.
pub(crate) fn to_text(datum: &Datum, layout: Layout, dialect: Dialect) -> Run<String> {
    match datum {
        Datum::Undefined | Datum::Native(_) | Datum::Function(_) | Datum::Tuples(_) => {
            Ok(String::new())
        }
        Datum::Value(Value::String(text)) => Ok(text.to_string()),
        Datum::Value(Value::Number(number)) if !number.as_f64().is_finite() => {
            Err(Fault::new("D3001").value(Value::Null))
        }
        other => {
            let mut out = String::new();
            let digits = match dialect {
                Dialect::Full => Digits::WholeOr15,
                Dialect::Aws => Digits::Upto15,
            };
            Writer { layout, digits }.datum(&mut out, other, 0)?;
            Ok(out)
        }
    }
}

/// Rounds to the 15 digits that `$string` shows.
fn rounded(number: f64) -> f64 {
    format!("{number:.14e}").parse().unwrap_or(number)
}

/// How many digits of a number are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Digits {
    /// As many as tell it from its neighbours; no number is refused.
    All,
    /// At most 15 (release 2.0.6).
    Upto15,
    /// At most 15, but all of a whole number.
    WholeOr15,
}

struct Writer {
    layout: Layout,
    digits: Digits,
}

impl Writer {
    fn datum(&self, out: &mut String, datum: &Datum, level: usize) -> Run<()> {
        match datum {
            Datum::Value(value) => self.value(out, value, level),
            Datum::List(list) => self.array(out, level, list.items.iter(), |out, item, level| {
                self.datum(out, item, level)
            }),
            Datum::Record(members) => {
                let members = members.iter().map(|(key, member)| (&**key, member));
                self.object(out, level, members, |out, member, level| {
                    self.datum(out, member, level)
                })
            }
            Datum::Undefined | Datum::Tuples(_) => {
                out.push_str("null");
                Ok(())
            }
            Datum::Native(_) | Datum::Function(_) => {
                out.push_str("\"\"");
                Ok(())
            }
        }
    }

    fn value(&self, out: &mut String, value: &Value, level: usize) -> Run<()> {
        match value {
            Value::Null => out.push_str("null"),
            Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Value::Number(number) => return self.number(out, number.as_f64()),
            Value::String(text) => escape_into(out, text),
            Value::Array(items) => {
                return self.array(out, level, items.iter(), |out, item, level| {
                    self.value(out, item, level)
                });
            }
            Value::Object(map) => {
                let members = map.iter().map(|(key, member)| (&**key, member));
                return self.object(out, level, members, |out, member, level| {
                    self.value(out, member, level)
                });
            }
        }
        Ok(())
    }

    fn number(&self, out: &mut String, number: f64) -> Run<()> {
        if number.is_finite() {
            let whole = number.fract() == 0.0;
            let shown = match self.digits {
                Digits::Upto15 => rounded(number),
                Digits::WholeOr15 if !whole => rounded(number),
                Digits::WholeOr15 | Digits::All => number,
            };
            out.push_str(&JavaScriptNumber(shown).to_string());
            return Ok(());
        }
        if self.digits != Digits::All {
            return Err(Fault::new("D1001").value(Value::Null));
        }
        out.push_str("null");
        Ok(())
    }

    fn array<T>(
        &self,
        out: &mut String,
        level: usize,
        items: impl ExactSizeIterator<Item = T>,
        write: impl Fn(&mut String, T, usize) -> Run<()>,
    ) -> Run<()> {
        let empty = items.len() == 0;
        out.push('[');
        for (at, item) in items.enumerate() {
            self.separate(out, at, level + 1);
            write(out, item, level + 1)?;
        }
        if !empty {
            self.line(out, level);
        }
        out.push(']');
        Ok(())
    }

    fn object<'k, T>(
        &self,
        out: &mut String,
        level: usize,
        members: impl ExactSizeIterator<Item = (&'k str, T)>,
        write: impl Fn(&mut String, T, usize) -> Run<()>,
    ) -> Run<()> {
        let empty = members.len() == 0;
        out.push('{');
        for (at, (key, member)) in members.enumerate() {
            self.separate(out, at, level + 1);
            escape_into(out, key);
            out.push_str(if self.layout == Layout::Indented { ": " } else { ":" });
            write(out, member, level + 1)?;
        }
        if !empty {
            self.line(out, level);
        }
        out.push('}');
        Ok(())
    }

    fn separate(&self, out: &mut String, at: usize, level: usize) {
        if at > 0 {
            out.push(',');
        }
        self.line(out, level);
    }

    fn line(&self, out: &mut String, level: usize) {
        if self.layout == Layout::Indented {
            out.push('\n');
            (0..level).for_each(|_| out.push_str("  "));
        }
    }
}
