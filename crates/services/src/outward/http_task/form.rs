//! A body written as a form: `a=1&list[0]=x`.

use runtime::CallError;
use value::Value;
use wire::percent_encode;

/// How the items of a list are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrays {
    /// `list[0]=a&list[1]=b`
    Indices,
    /// `list=a&list=b`
    Repeat,
    /// `list=a,b`
    Commas,
    /// `list[]=a&list[]=b`
    Brackets,
}

/// Returns how lists are written in a form; none when the body is JSON.
///
/// # Errors
/// Words that mean nothing.
pub(super) fn arrays(transform: Option<&Value>) -> Result<Option<Arrays>, CallError> {
    let Some(transform) = transform else { return Ok(None) };
    let text = |path: &[&str]| transform.path(path).and_then(Value::as_str);
    match text(&["RequestBodyEncoding"]).unwrap_or("NONE") {
        "NONE" => Ok(None),
        "URL_ENCODED" => {
            match text(&["RequestEncodingOptions", "ArrayFormat"]).unwrap_or("INDICES") {
                "INDICES" => Ok(Some(Arrays::Indices)),
                "REPEAT" => Ok(Some(Arrays::Repeat)),
                "COMMAS" => Ok(Some(Arrays::Commas)),
                "BRACKETS" => Ok(Some(Arrays::Brackets)),
                other => Err(super::refused(&format!("`{other}` is no ArrayFormat"))),
            }
        }
        other => Err(super::refused(&format!("`{other}` is no RequestBodyEncoding"))),
    }
}

/// Writes a body as a form; members of members are `outer[inner]`.
pub(super) fn encode(body: &Value, arrays: Arrays) -> String {
    let mut pairs = Vec::new();
    match body {
        Value::Object(members) => {
            for (name, value) in members.iter() {
                add(name, value, arrays, &mut pairs);
            }
        }
        other => pairs.push(percent_encode(&plain(other))),
    }
    pairs.join("&")
}

fn add(name: &str, value: &Value, arrays: Arrays, pairs: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (inner, value) in members.iter() {
                add(&format!("{name}[{inner}]"), value, arrays, pairs);
            }
        }
        Value::Array(items) => add_list(name, items, arrays, pairs),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            pairs.push(format!("{}={}", percent_encode(name), percent_encode(&plain(value))));
        }
    }
}

fn add_list(name: &str, items: &[Value], arrays: Arrays, pairs: &mut Vec<String>) {
    if arrays == Arrays::Commas {
        let all: Vec<String> = items.iter().map(|item| percent_encode(&plain(item))).collect();
        pairs.push(format!("{}={}", percent_encode(name), all.join(",")));
        return;
    }
    for (at, item) in items.iter().enumerate() {
        let name = match arrays {
            Arrays::Indices => format!("{name}[{at}]"),
            Arrays::Brackets => format!("{name}[]"),
            Arrays::Repeat | Arrays::Commas => name.to_owned(),
        };
        add(&name, item, arrays, pairs);
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string(),
        other => other.to_json(),
    }
}

#[cfg(test)]
mod tests {
    use value::value;

    use super::*;

    #[test]
    fn lists_are_written_in_four_ways() {
        let body = value!({ "array": ["a", "b"], "meta": { "k": "v w" }, "n": 1 });
        let written = |arrays| encode(&body, arrays).replace("%5B", "[").replace("%5D", "]");
        let rest = "&meta[k]=v%20w&n=1";
        assert_eq!(written(Arrays::Indices), format!("array[0]=a&array[1]=b{rest}"));
        assert_eq!(written(Arrays::Repeat), format!("array=a&array=b{rest}"));
        assert_eq!(written(Arrays::Commas), format!("array=a,b{rest}"));
        assert_eq!(written(Arrays::Brackets), format!("array[]=a&array[]=b{rest}"));
    }
}
