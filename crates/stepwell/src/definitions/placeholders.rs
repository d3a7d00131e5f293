//! `${Name}` in a definition: what a deployment puts in, and nobody knows before.
//!
//! AWS page: "AWS::StepFunctions::StateMachine", DefinitionSubstitutions (read 2026-11-25):
//! `${key_name}` or `${variable_1,variable_2,...}`. UNVERIFIED: that values may stand outside
//! texts, as the definition files of many SAM projects have them.

use asl::{Diagnostic, Node, NodeKind, Position, Span};

/// The places in a text that a deployment fills.
#[derive(Debug, Default)]
pub(super) struct Placeholders(Vec<(usize, usize)>);

impl Placeholders {
    /// Returns JSON text in which placeholders outside texts, as in `"TimeoutSeconds": ${Timeout}`,
    /// are numbers of the same length, and where they were.
    pub(super) fn unquoted(text: &str) -> (String, Placeholders) {
        let mut out = String::with_capacity(text.len());
        let mut found = Vec::new();
        let (mut in_text, mut escaped) = (false, false);
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            if !in_text && let Some(length) = placeholder_bytes(rest) {
                found.push((out.len(), out.len() + length));
                let (taken, behind) = rest.split_at(length);
                out.push('1');
                // As many bytes and as many characters, so that every place stays.
                out.extend(std::iter::repeat_n(' ', taken.len() - 1));
                rest = behind;
                continue;
            }
            match next {
                '"' if !escaped => in_text = !in_text,
                _ => {}
            }
            escaped = next == '\\' && !escaped;
            out.push(next);
            rest = rest.get(next.len_utf8()..).unwrap_or_default();
        }
        (out, Placeholders(found))
    }

    /// Adds the texts of `node` that hold placeholders.
    pub(super) fn look(&mut self, node: &Node) {
        match &node.kind {
            NodeKind::Scalar(_) => {}
            NodeKind::String(text) => {
                if holds(text) {
                    self.add(node.span);
                }
            }
            NodeKind::Array(items) => items.iter().for_each(|item| self.look(item)),
            NodeKind::Object(members) => {
                for member in members {
                    if holds(&member.key) {
                        self.add(member.key_span);
                    }
                    self.look(&member.node);
                }
            }
        }
    }

    fn add(&mut self, span: Span) {
        self.0.push((span.start.offset, span.end.offset));
    }

    /// Returns whether a problem is about something that a deployment still fills in.
    pub(super) fn cover(&self, problem: &Diagnostic) -> bool {
        let at = problem.span.map(|span| span.start.offset);
        at.is_some_and(|at| self.0.iter().any(|(start, end)| (*start..*end).contains(&at)))
    }
}

/// Returns whether a text holds a placeholder.
fn holds(text: &str) -> bool {
    text.match_indices("${")
        .any(|(at, _)| placeholder_bytes(text.get(at..).unwrap_or("")).is_some())
}

/// Returns how many bytes the placeholder has that a text begins with.
fn placeholder_bytes(text: &str) -> Option<usize> {
    let inside = text.strip_prefix("${")?;
    let (name, _) = inside.split_once('}')?;
    let plain = !name.is_empty() && name.is_ascii() && !name.contains(['\n', '"', '{']);
    plain.then_some(name.len() + 3)
}

/// A text put together from parts, and where each character of it stands in the file.
#[derive(Debug, Default)]
pub(super) struct Assembled {
    pub(super) text: String,
    pub(super) places: Vec<Position>,
}

impl Assembled {
    /// Adds the value of a text of the file.
    pub(super) fn push(&mut self, file: &str, span: Span, value: &str) {
        let mut places = asl::positions(file, span, value);
        places.resize(value.chars().count(), span.start);
        self.places.extend(places);
        self.text.push_str(value);
    }

    /// Adds something that a deployment fills in, written at `span`.
    pub(super) fn push_unknown(&mut self, span: Span) {
        let unknown = "${Unknown}";
        self.places.extend(std::iter::repeat_n(span.start, unknown.len()));
        self.text.push_str(unknown);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_stay_where_they_are() {
        let text = r#"{"a": ${Seconds}, "b": "x\"${Y}", "c": $ {}}"#;
        let (filled, found) = Placeholders::unquoted(text);
        assert_eq!(filled, r#"{"a": 1         , "b": "x\"${Y}", "c": $ {}}"#);
        assert_eq!(found.0, [(6, 16)]);
        let node = Node::parse(r#"{"a": ["${Y}", "plain", "${"], "${K}": 1}"#).unwrap();
        let mut found = Placeholders::default();
        found.look(&node);
        assert_eq!(found.0, [(7, 13), (31, 37)]);
    }
}
