//! Writes history events straight into JSON text.

use std::ops::Range;
use std::sync::Arc;

use value::Value;

/// The members of one object, on their way into a text.
pub(super) struct Members<'w, 'e> {
    writer: &'w mut Writer<'e>,
    empty: bool,
}

/// A text with events in it.
#[derive(Default)]
pub(super) struct Writer<'e> {
    out: String,
    /// The shared text written last, and where its escaped form stands: what a state hands on is
    /// what the next one is entered with.
    last: Option<(&'e Arc<str>, Range<usize>)>,
    /// The time written last, and where it stands: the events of one fact have the same.
    time: Option<(i64, Range<usize>)>,
}

impl<'e> Writer<'e> {
    pub(super) fn with_capacity(bytes: usize) -> Writer<'e> {
        Writer { out: String::with_capacity(bytes), ..Writer::default() }
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    pub(super) fn raw(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Writes an object; `fill` writes its members.
    pub(super) fn object(&mut self, fill: impl FnOnce(&mut Members<'_, 'e>)) {
        self.out.push('{');
        fill(&mut Members { writer: self, empty: true });
        self.out.push('}');
    }

    fn shared(&mut self, text: &'e Arc<str>) {
        if let Some((last, place)) = &self.last
            && Arc::ptr_eq(last, text)
        {
            self.out.extend_from_within(place.clone());
            return;
        }
        let from = self.out.len();
        value::escape_into(&mut self.out, text);
        self.last = Some((text, from..self.out.len()));
    }
}

impl<'e> Members<'_, 'e> {
    /// Writes a key; ours need no escapes.
    fn key(&mut self, key: &str) {
        self.writer.out.push_str(if self.empty { "\"" } else { ",\"" });
        self.empty = false;
        self.writer.out.push_str(key);
        self.writer.out.push_str("\":");
    }

    pub(super) fn text(&mut self, key: &str, text: &str) -> &mut Self {
        self.key(key);
        value::escape_into(&mut self.writer.out, text);
        self
    }

    /// Writes a text that may be the one written before.
    pub(super) fn shared(&mut self, key: &str, text: &'e Arc<str>) -> &mut Self {
        self.key(key);
        self.writer.shared(text);
        self
    }

    pub(super) fn text_some(&mut self, key: &str, text: Option<&String>) -> &mut Self {
        if let Some(text) = text {
            self.text(key, text);
        }
        self
    }

    /// Writes a word that needs no escapes.
    pub(super) fn word(&mut self, key: &str, word: &str) -> &mut Self {
        self.key(key);
        self.writer.out.push('"');
        self.writer.out.push_str(word);
        self.writer.out.push('"');
        self
    }

    pub(super) fn number(&mut self, key: &str, number: impl TryInto<i64>) -> &mut Self {
        self.key(key);
        // Counts beyond `i64` do not occur.
        value::integer_into(&mut self.writer.out, number.try_into().unwrap_or(i64::MAX));
        self
    }

    pub(super) fn number_some(&mut self, key: &str, number: Option<i64>) -> &mut Self {
        if let Some(number) = number {
            self.number(key, number);
        }
        self
    }

    /// Writes a time in milliseconds as seconds.
    pub(super) fn seconds(&mut self, key: &str, millis: i64) -> &mut Self {
        self.key(key);
        let Writer { out, time, .. } = &mut *self.writer;
        match time {
            Some((last, place)) if *last == millis => out.extend_from_within(place.clone()),
            Some(_) | None => {
                let from = out.len();
                seconds(out, millis);
                *time = Some((millis, from..out.len()));
            }
        }
        self
    }

    /// Writes `{"truncated":false}`: the `inputDetails` of a payload shown in full.
    pub(super) fn whole(&mut self, key: &str) -> &mut Self {
        self.key(key);
        self.writer.out.push_str(r#"{"truncated":false}"#);
        self
    }

    pub(super) fn object(
        &mut self,
        key: &str,
        fill: impl FnOnce(&mut Members<'_, 'e>),
    ) -> &mut Self {
        self.key(key);
        self.writer.object(fill);
        self
    }

    /// Writes the member that holds an event's details: `mapStateStartedEventDetails`.
    pub(super) fn details(
        &mut self,
        event_type: &str,
        fill: impl FnOnce(&mut Members<'_, 'e>),
    ) -> &mut Self {
        let out = &mut self.writer.out;
        out.push_str(",\"");
        let from = out.len();
        out.push_str(event_type);
        if let Some(first) = out.get_mut(from..=from) {
            first.make_ascii_lowercase();
        }
        out.push_str("EventDetails\":");
        self.writer.object(fill);
        self
    }

    /// Writes an object of texts: each member of `map`, printed.
    pub(super) fn printed(&mut self, key: &str, map: &Value) -> &mut Self {
        self.key(key);
        let out = &mut self.writer.out;
        out.push('{');
        let members = map.as_object().into_iter().flat_map(value::Map::iter);
        for (at, (name, member)) in members.enumerate() {
            if at > 0 {
                out.push(',');
            }
            value::escape_into(out, name);
            out.push(':');
            value::escape_into(out, &member.to_json());
        }
        out.push('}');
        self
    }
}

/// Up to here the shortest decimal that tells a time in seconds from its neighbours is the one with
/// its milliseconds: it has at most 15 digits.
const EXACT_MILLIS_MAX: i64 = 999_999_999_999_999;

/// Writes milliseconds as the shortest decimal of seconds, as the API's JSON does.
fn seconds(out: &mut String, millis: i64) {
    if !(0..=EXACT_MILLIS_MAX).contains(&millis) {
        return Value::from(millis as f64 / 1_000.0).write_json(out);
    }
    value::integer_into(out, millis / 1_000);
    let fraction = millis % 1_000;
    if fraction == 0 {
        return;
    }
    out.push_str(match fraction {
        0..10 => ".00",
        10..100 => ".0",
        _ => ".",
    });
    value::integer_into(out, fraction);
    while out.ends_with('0') {
        out.pop();
    }
}

#[cfg(test)]
mod tests {
    use value::Value;

    #[test]
    fn seconds_are_written_as_numbers_are() {
        let times = [0, 1, 10, 120, 999, 1_000, 1_010, 1_735_689_600_000, 1_791_194_400_123];
        let times = times.into_iter().chain([super::EXACT_MILLIS_MAX, -1, -1_500, i64::MAX]);
        for millis in times.chain((0..100_000).map(|step| step * 7_919_777_333)) {
            let mut written = String::new();
            super::seconds(&mut written, millis);
            assert_eq!(written, Value::from(millis as f64 / 1_000.0).to_string());
        }
    }
}
