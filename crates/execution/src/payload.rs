//! What flows between states, with its spelling.

use serde::{Deserialize, Serialize};
use value::Value;

/// The largest input, output or result, in bytes of its JSON text (AWS's quota).
pub const PAYLOAD_BYTES_MAX: usize = 262_144;

/// A JSON value together with the text it was written as.
///
/// AWS hands an input on byte for byte as long as no state changes it; only what is computed is
/// printed compactly.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Payload {
    value: Value,
    /// The spelling, where it is not the compact one: a shared string.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    text: Option<Value>,
}

impl Payload {
    /// Reads a JSON text and remembers its spelling.
    ///
    /// # Errors
    /// The text is not JSON.
    pub fn parse(text: &str) -> Result<Payload, value::ParseError> {
        let value = value::parse(text)?;
        let spelled = value.to_string() != text;
        Ok(Payload { value, text: spelled.then(|| Value::from(text)) })
    }

    /// Returns the value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Returns the JSON text.
    pub fn text(&self) -> String {
        self.spelling().map_or_else(|| self.value.to_string(), str::to_owned)
    }

    fn spelling(&self) -> Option<&str> {
        self.text.as_ref().and_then(Value::as_str)
    }

    /// Returns whether the text is larger than the quota.
    pub(crate) fn too_large(&self) -> bool {
        let bytes = self.spelling().map_or_else(|| self.value.json_bytes(), str::len);
        bytes > PAYLOAD_BYTES_MAX
    }

    /// Returns the array of `parts`, which keep their spelling.
    pub(crate) fn array(parts: &[Payload]) -> Payload {
        let value: Value = parts.iter().map(|part| part.value.clone()).collect::<Vec<_>>().into();
        let spelled = parts.iter().any(|part| part.text.is_some());
        let text = spelled.then(|| {
            let parts: Vec<String> = parts.iter().map(Payload::text).collect();
            Value::from(format!("[{}]", parts.join(",")))
        });
        Payload { value, text }
    }
}

impl From<Value> for Payload {
    fn from(value: Value) -> Payload {
        Payload { value, text: None }
    }
}

#[cfg(test)]
mod tests {
    use super::Payload;

    #[test]
    fn spelling_survives_in_arrays_of_outputs() {
        let part = Payload::parse("[1, 2.0]").unwrap();
        let whole = Payload::array(&[part.clone(), value::value!({"a": 1}).into()]);
        assert_eq!(whole.text(), r#"[[1, 2.0],{"a":1}]"#);
        assert_eq!(whole.value().to_string(), r#"[[1,2.0],{"a":1}]"#);
    }
}
