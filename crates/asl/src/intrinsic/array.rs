//! "Intrinsics for arrays".

use jsonata::Moment;
use value::Value;

use super::{array_of, integer_of};

/// The most elements that a range may have (AWS's quota).
const RANGE_LENGTH_MAX: usize = 1_000;

#[expect(clippy::unnecessary_wraps, reason = "every function of the table has one signature")]
pub(super) fn array(arguments: &[Value], _: &mut Moment) -> Result<Value, String> {
    Ok(arguments.to_vec().into())
}

pub(super) fn partition(arguments: &[Value], _: &mut Moment) -> Result<Value, String> {
    let items = array_of(arguments, 0)?;
    let size = usize::try_from(integer_of(arguments, 1)?).ok().filter(|size| *size > 0);
    let size = size.ok_or("the size of a part must be positive")?;
    let parts: Vec<Value> = items.chunks(size).map(|part| part.to_vec().into()).collect();
    Ok(parts.into())
}

pub(super) fn contains(arguments: &[Value], _: &mut Moment) -> Result<Value, String> {
    let items = array_of(arguments, 0)?;
    let wanted = arguments.get(1);
    Ok(items.iter().any(|item| Some(item) == wanted).into())
}

pub(super) fn range(arguments: &[Value], _: &mut Moment) -> Result<Value, String> {
    let (first, last) = (integer_of(arguments, 0)?, integer_of(arguments, 1)?);
    let step = integer_of(arguments, 2)?;
    if step == 0 {
        return Err("the step must not be zero".to_owned());
    }
    let mut items: Vec<Value> = Vec::new();
    let mut next = first;
    while if step > 0 { next <= last } else { last <= next } {
        if items.len() == RANGE_LENGTH_MAX {
            return Err(format!("a range must not have more than {RANGE_LENGTH_MAX} elements"));
        }
        items.push(next.into());
        let Some(following) = next.checked_add(step) else { break };
        next = following;
    }
    Ok(items.into())
}

pub(super) fn get_item(arguments: &[Value], _: &mut Moment) -> Result<Value, String> {
    let items = array_of(arguments, 0)?;
    let index = integer_of(arguments, 1)?;
    let found = usize::try_from(index).ok().and_then(|index| items.get(index));
    found.cloned().ok_or_else(|| format!("index {index} is out of bounds"))
}

pub(super) fn length(arguments: &[Value], _: &mut Moment) -> Result<Value, String> {
    Ok(array_of(arguments, 0)?.len().into())
}

pub(super) fn unique(arguments: &[Value], _: &mut Moment) -> Result<Value, String> {
    let mut unique: Vec<Value> = Vec::new();
    for item in array_of(arguments, 0)? {
        if !unique.contains(item) {
            unique.push(item.clone());
        }
    }
    Ok(unique.into())
}
