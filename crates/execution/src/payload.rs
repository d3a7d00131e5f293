//! What flows between states, with its spelling.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use value::Value;

/// The largest input, output or result, in bytes of its JSON text (AWS's quota).
pub const PAYLOAD_BYTES_MAX: usize = 262_144;

/// A JSON value together with the text it was written as.
///
/// AWS hands an input on byte for byte as long as no state changes it; only what is computed is
/// printed compactly. Cloning copies neither.
#[derive(Clone)]
pub struct Payload {
    value: Value,
    text: Text,
}

/// What is known of a payload's text.
#[derive(Clone)]
enum Text {
    /// It is the compact one, and not at hand.
    Compact,
    /// It is the compact one, printed: the exit, the next entry and the quota share it.
    Printed(Arc<str>),
    /// It is another one.
    Spelled(Arc<str>),
}

impl Payload {
    /// Reads a JSON text and remembers its spelling.
    ///
    /// # Errors
    /// The text is not JSON.
    pub fn parse(text: &str) -> Result<Payload, value::ParseError> {
        let value = value::parse(text)?;
        let spelled = value.to_json() != text;
        let text = Arc::from(text);
        Ok(Payload { value, text: if spelled { Text::Spelled(text) } else { Text::Printed(text) } })
    }

    /// Returns the value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Returns the JSON text.
    pub fn text(&self) -> String {
        match &self.text {
            Text::Compact => self.value.to_json(),
            Text::Printed(text) | Text::Spelled(text) => text.to_string(),
        }
    }

    /// Returns the JSON text to share; prints it at most once.
    pub(crate) fn print(&mut self) -> Arc<str> {
        match &self.text {
            Text::Printed(text) | Text::Spelled(text) => text.clone(),
            Text::Compact => {
                let text: Arc<str> = self.value.to_json().into();
                self.text = Text::Printed(text.clone());
                text
            }
        }
    }

    /// Forgets a text that can be printed again: what waits is to be small.
    pub(crate) fn forget_print(&mut self) {
        if matches!(self.text, Text::Printed(_)) {
            self.text = Text::Compact;
        }
    }

    fn spelling(&self) -> Option<&Arc<str>> {
        match &self.text {
            Text::Spelled(text) => Some(text),
            Text::Compact | Text::Printed(_) => None,
        }
    }

    /// Returns whether the text is larger than the quota.
    pub(crate) fn too_large(&self) -> bool {
        let bytes = match &self.text {
            Text::Printed(text) | Text::Spelled(text) => text.len(),
            Text::Compact => self.value.json_bytes(),
        };
        bytes > PAYLOAD_BYTES_MAX
    }

    /// Returns the array of `parts`, which keep their spelling.
    pub(crate) fn array(parts: &[Payload]) -> Payload {
        let value: Value = parts.iter().map(|part| part.value.clone()).collect::<Vec<_>>().into();
        if parts.iter().all(|part| part.spelling().is_none()) {
            return Payload::from(value);
        }
        let parts: Vec<String> = parts.iter().map(Payload::text).collect();
        let text = format!("[{}]", parts.join(",")).into();
        Payload { value, text: Text::Spelled(text) }
    }
}

impl From<Value> for Payload {
    fn from(value: Value) -> Payload {
        Payload { value, text: Text::Compact }
    }
}

/// Shows the text, whether it is at hand or not: what was printed is no part of a state.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Payload").field(&self.text()).finish()
    }
}

/// How a payload is stored: the spelling only where it is not the compact one.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Payload")]
struct Stored {
    value: Value,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    text: Option<Value>,
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let text = self.spelling().map(|text| Value::String(text.clone()));
        Stored { value: self.value.clone(), text }.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Payload, D::Error> {
        let Stored { value, text } = Stored::deserialize(from)?;
        let text = match text {
            Some(Value::String(text)) => Text::Spelled(text),
            Some(_) | None => Text::Compact,
        };
        Ok(Payload { value, text })
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

    #[test]
    fn only_another_spelling_is_stored() {
        for (text, stored) in [
            (r#"{"a":1}"#, r#"{"value":{"a":1}}"#),
            (r#"{"a": 1}"#, r#"{"value":{"a":1},"text":"{\"a\": 1}"}"#),
        ] {
            let mut payload = Payload::parse(text).unwrap();
            payload.print();
            let kept = value::to_value(&payload).unwrap();
            assert_eq!(kept.to_string(), stored);
            let again: Payload = value::from_value(kept).unwrap();
            assert_eq!(again.text(), text);
        }
    }
}
