//! "Intrinsic for String operation".

use jsonata::Moment;
use value::Value;

use super::string_of;

/// Every character of the second argument separates; nothing between separators is left out.
pub(super) fn split(arguments: &[Value], _: &mut Moment) -> Result<Value, String> {
    let (text, separators) = (string_of(arguments, 0)?, string_of(arguments, 1)?);
    let parts = text.split(|next| separators.contains(next)).filter(|part| !part.is_empty());
    Ok(parts.map(Value::from).collect::<Vec<_>>().into())
}
