//! "Intrinsic for unique identifier generation" and "Intrinsic for generic operation".

use jsonata::Moment;
use value::Value;

use super::encoding::hex_into;
use super::string_of;

/// A random UUID (version 4).
#[expect(clippy::unnecessary_wraps, reason = "every function of the table has one signature")]
pub(super) fn uuid(_: &[Value], moment: &mut Moment) -> Result<Value, String> {
    let mut bytes: [u8; 16] = moment.bytes();
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    *version = (*version & 0x0F) | 0x40;
    *variant = (*variant & 0x3F) | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        hex_into(&mut text, *byte);
    }
    Ok(text.into())
}

/// Fills the holes `{}` of the first argument with the others.
pub(super) fn format(arguments: &[Value], _: &mut Moment) -> Result<Value, String> {
    let template = string_of(arguments, 0)?;
    let mut fillings = arguments.iter().skip(1);
    let mut text = String::with_capacity(template.len());
    let mut chars = template.chars().peekable();
    while let Some(next) = chars.next() {
        match next {
            '\\' if matches!(chars.peek(), Some('{' | '}')) => text.extend(chars.next()),
            '{' if chars.peek() == Some(&'}') => {
                chars.next();
                let filling = fillings.next().ok_or("there are more holes than arguments")?;
                java_string(filling, &mut text);
            }
            plain => text.push(plain),
        }
    }
    if fillings.next().is_some() {
        return Err("there are more arguments than holes".to_owned());
    }
    Ok(text.into())
}

/// Arrays and objects are shown as Java shows lists and maps: `{Arg1=1, Arg2=[]}`.
fn java_string(value: &Value, text: &mut String) {
    match value {
        Value::String(plain) => text.push_str(plain),
        Value::Null | Value::Bool(_) | Value::Number(_) => text.push_str(&value.to_string()),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push_str(", ");
                }
                java_string(item, text);
            }
            text.push(']');
        }
        Value::Object(members) => {
            text.push('{');
            for (index, (key, member)) in members.iter().enumerate() {
                if index > 0 {
                    text.push_str(", ");
                }
                text.push_str(key);
                text.push('=');
                java_string(member, text);
            }
            text.push('}');
        }
    }
}
