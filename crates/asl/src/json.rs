//! JSON with positions: the parsed text of a definition.
//!
//! Faults carry the wording and the place of Jackson, the parser that AWS uses, because that
//! wording reaches users through `INVALID_JSON_DESCRIPTION`.

use std::sync::Arc;

use value::{Map, Value};

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::span::{Position, Span};

/// How deeply a definition's JSON may nest.
pub(crate) const DEFINITION_DEPTH_MAX: usize = value::DEPTH_MAX;

/// How many characters of the text Jackson quotes as its source.
const SOURCE_QUOTE_CHARS_MAX: usize = 500;

/// One JSON value and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// The value.
    pub kind: NodeKind,
    /// Where it stands.
    pub span: Span,
}

/// The value of a [`Node`].
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// `null`, `true`, `false` or a number.
    Scalar(Value),
    /// A string.
    String(Arc<str>),
    /// An array.
    Array(Vec<Node>),
    /// An object; repeated keys are kept.
    Object(Vec<Member>),
}

/// One member of an object.
#[derive(Clone, Debug)]
pub struct Member {
    /// The key.
    pub key: Arc<str>,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub node: Node,
}

impl Node {
    /// Reads one JSON text.
    ///
    /// # Errors
    /// The first fault, in the words of the parser that AWS uses.
    ///
    /// ```
    /// let node = asl::Node::parse(r#"{"StartAt": "A"}"#).unwrap();
    /// assert_eq!(node.get("StartAt").unwrap().span.start.column, 13);
    /// assert_eq!(asl::Node::parse("{").unwrap_err().code, asl::Code::InvalidJsonDescription);
    /// ```
    pub fn parse(text: &str) -> Result<Node, Box<Diagnostic>> {
        parse(text).map_err(|fault| Box::new(fault.diagnostic()))
    }

    /// Returns a member of an object; of a repeated one the last.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.members().iter().rev().find(|member| &*member.key == name).map(|member| &member.node)
    }

    /// Returns the members of an object, or none of anything else.
    pub fn members(&self) -> &[Member] {
        match &self.kind {
            NodeKind::Object(members) => members,
            NodeKind::Scalar(_) | NodeKind::String(_) | NodeKind::Array(_) => &[],
        }
    }

    /// Returns the value without positions; of a repeated key the last value counts.
    pub fn to_value(&self) -> Value {
        match &self.kind {
            NodeKind::Scalar(scalar) => scalar.clone(),
            NodeKind::String(text) => Value::String(text.clone()),
            NodeKind::Array(items) => items.iter().map(Node::to_value).collect::<Vec<_>>().into(),
            NodeKind::Object(members) => {
                let mut map = Map::with_capacity(members.len());
                for member in members {
                    map.insert(member.key.clone(), member.node.to_value());
                }
                map.into()
            }
        }
    }

    /// Returns the text of a string.
    pub fn as_str(&self) -> Option<&Arc<str>> {
        match &self.kind {
            NodeKind::String(text) => Some(text),
            NodeKind::Scalar(_) | NodeKind::Array(_) | NodeKind::Object(_) => None,
        }
    }

    /// Returns the elements of an array.
    pub fn as_array(&self) -> Option<&[Node]> {
        match &self.kind {
            NodeKind::Array(items) => Some(items),
            NodeKind::Scalar(_) | NodeKind::Object(_) | NodeKind::String(_) => None,
        }
    }
}

/// Why a text is not JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JsonFault {
    /// Jackson's wording, without the place.
    pub(crate) message: String,
    /// Where Jackson says it is.
    pub(crate) position: Position,
    /// Jackson's rendering of the place: `[Source: (String)"…"; line: 1, column: 4]`.
    pub(crate) place: String,
}

impl JsonFault {
    /// Returns what the API says to it.
    pub(crate) fn diagnostic(&self) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code: Code::InvalidJsonDescription,
            message: format!("{}\n at {}", self.message, self.place),
            location: self.place.clone(),
            span: Some(Span { start: self.position, end: self.position }),
            hint: None,
        }
    }
}

/// Parses one JSON text.
///
/// # Errors
/// The first fault.
pub(crate) fn parse(text: &str) -> Result<Node, JsonFault> {
    let mut parser = Parser { text, at: Position::START, depth: 0 };
    parser.blanks();
    if parser.peek().is_none() {
        return Err(parser.fault("No content to map due to end-of-input"));
    }
    let node = parser.value()?;
    parser.blanks();
    if parser.peek().is_none() {
        return Ok(node);
    }
    let (message, position) = parser.token_or_character("expected end of input");
    Err(parser.fault_at(message, position))
}

struct Parser<'t> {
    text: &'t str,
    at: Position,
    depth: usize,
}

/// What Jackson names when it meets something that starts no value.
const VALUE_WANTED: &str = "expected a valid value (JSON String, Number, Array, Object or \
                            token 'null', 'true' or 'false')";
/// The same, behind an unrecognised word.
const TOKEN_WANTED: &str =
    "was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at.offset..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let found = self.peek()?;
        self.at = self.at.after(found);
        Some(found)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\r' | '\n')) {
            self.next();
        }
    }

    fn fault(&self, message: impl Into<String>) -> JsonFault {
        self.fault_at(message, self.at)
    }

    fn fault_at(&self, message: impl Into<String>, position: Position) -> JsonFault {
        JsonFault { message: message.into(), position, place: self.place(position) }
    }

    fn place(&self, position: Position) -> String {
        let shown: String = self.text.chars().take(SOURCE_QUOTE_CHARS_MAX).collect();
        let hidden = self.text.chars().count().saturating_sub(SOURCE_QUOTE_CHARS_MAX);
        let more = if hidden > 0 { format!("[truncated {hidden} chars]") } else { String::new() };
        let Position { line, column, .. } = position;
        format!("[Source: (String)\"{shown}\"{more}; line: {line}, column: {column}]")
    }

    /// Words that are no JSON are quoted whole and placed behind them; single characters are placed
    /// where they stand.
    fn token_or_character(&mut self, wanted: &str) -> (String, Position) {
        let word: String = self
            .rest()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_' || *c == '$')
            .collect();
        if word.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$') {
            for _ in word.chars() {
                self.next();
            }
            return (format!("Unrecognized token '{word}': {TOKEN_WANTED}"), self.at);
        }
        let position = self.at;
        let message = match self.peek() {
            Some(found) => {
                format!("Unexpected character ('{found}' (code {})): {wanted}", u32::from(found))
            }
            None => "Unexpected end-of-input".to_owned(),
        };
        (message, position)
    }

    fn unexpected(&mut self, wanted: &str) -> JsonFault {
        let (message, position) = self.token_or_character(wanted);
        self.fault_at(message, position)
    }

    fn value(&mut self) -> Result<Node, JsonFault> {
        let start = self.at;
        let kind = match self.peek() {
            Some('{') => self.nested(Self::object)?,
            Some('[') => self.nested(Self::array)?,
            Some('"') => NodeKind::String(self.string()?),
            Some('-' | '0'..='9') => self.number()?,
            Some(_) => self.word()?,
            None => return Err(self.fault("Unexpected end-of-input")),
        };
        Ok(Node { kind, span: Span { start, end: self.at } })
    }

    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<NodeKind, JsonFault>,
    ) -> Result<NodeKind, JsonFault> {
        self.depth += 1;
        if self.depth > DEFINITION_DEPTH_MAX {
            return Err(self.fault(format!(
                "Document nesting depth ({}) exceeds the maximum allowed ({DEFINITION_DEPTH_MAX})",
                self.depth
            )));
        }
        let kind = read(self)?;
        self.depth -= 1;
        Ok(kind)
    }

    fn object(&mut self) -> Result<NodeKind, JsonFault> {
        let opened = self.at;
        self.next();
        let mut members = Vec::new();
        self.blanks();
        if self.peek() == Some('}') {
            self.next();
            return Ok(NodeKind::Object(members));
        }
        loop {
            self.blanks();
            let key_start = self.at;
            match self.peek() {
                Some('"') => {}
                Some(found) => {
                    return Err(self.fault(format!(
                        "Unexpected character ('{found}' (code {})): was expecting double-quote to \
                         start field name",
                        u32::from(found)
                    )));
                }
                None => return Err(self.unclosed("Object", opened)),
            }
            let key = self.string()?;
            let key_span = Span { start: key_start, end: self.at };
            self.blanks();
            if self.peek() != Some(':') {
                return Err(
                    self.unexpected("was expecting a colon to separate field name and value")
                );
            }
            self.next();
            self.blanks();
            members.push(Member { key, key_span, node: self.value()? });
            self.blanks();
            match self.peek() {
                Some(',') => self.next(),
                Some('}') => break,
                Some(_) => {
                    return Err(self.unexpected("was expecting comma to separate Object entries"));
                }
                None => return Err(self.unclosed("Object", opened)),
            };
        }
        self.next();
        Ok(NodeKind::Object(members))
    }

    fn array(&mut self) -> Result<NodeKind, JsonFault> {
        let opened = self.at;
        self.next();
        let mut items = Vec::new();
        self.blanks();
        if self.peek() == Some(']') {
            self.next();
            return Ok(NodeKind::Array(items));
        }
        loop {
            self.blanks();
            items.push(self.value()?);
            self.blanks();
            match self.peek() {
                Some(',') => self.next(),
                Some(']') => break,
                Some(_) => {
                    return Err(self.unexpected("was expecting comma to separate Array entries"));
                }
                None => return Err(self.unclosed("Array", opened)),
            };
        }
        self.next();
        Ok(NodeKind::Array(items))
    }

    fn unclosed(&self, what: &str, opened: Position) -> JsonFault {
        self.fault(format!(
            "Unexpected end-of-input: expected close marker for {what} (start marker at {})",
            self.place(opened)
        ))
    }

    fn word(&mut self) -> Result<NodeKind, JsonFault> {
        for (word, scalar) in
            [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)]
        {
            let Some(behind) = self.rest().strip_prefix(word) else { continue };
            if behind.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
                continue;
            }
            for _ in word.chars() {
                self.next();
            }
            return Ok(NodeKind::Scalar(scalar));
        }
        Err(self.unexpected(VALUE_WANTED))
    }

    fn number(&mut self) -> Result<NodeKind, JsonFault> {
        let length = self
            .rest()
            .find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'))
            .unwrap_or(self.rest().len());
        let text = self.rest().get(..length).unwrap_or_default().to_owned();
        let Ok(number) = value::parse(&text) else {
            return Err(self.fault(format!("Invalid numeric value: {text}")));
        };
        for _ in text.chars() {
            self.next();
        }
        Ok(NodeKind::Scalar(number))
    }

    /// Reads a string token; escapes are left to the value parser, so both read the same text.
    fn string(&mut self) -> Result<Arc<str>, JsonFault> {
        let start = self.at;
        self.next();
        let mut plain = true;
        loop {
            let before = self.at;
            match self.next() {
                Some('"') => break,
                Some('\\') => {
                    plain = false;
                    self.next();
                }
                Some(found) if found < ' ' => {
                    return Err(self.fault_at(
                        format!(
                            "Illegal unquoted character ((CTRL-CHAR, code {})): has to be escaped \
                             using backslash to be included in string value",
                            u32::from(found)
                        ),
                        before,
                    ));
                }
                Some(_) => {}
                None => {
                    return Err(self.fault(
                        "Unexpected end-of-input: was expecting closing quote for a string value",
                    ));
                }
            }
        }
        let token = self.text.get(start.offset..self.at.offset).unwrap_or_default();
        if plain {
            return Ok(Arc::from(token.trim_matches('"')));
        }
        match value::parse(token) {
            Ok(Value::String(text)) => Ok(text),
            Ok(_) | Err(_) => Err(self.fault_at("Unrecognized character escape", start)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{NodeKind, parse};

    #[test]
    fn positions_are_lines_and_characters() {
        let node = parse("{\n  \"名\": [1, \"x\\n\"]}").unwrap();
        let NodeKind::Object(members) = &node.kind else { panic!("an object") };
        let member = &members[0];
        assert_eq!((member.key_span.start.line, member.key_span.start.column), (2, 3));
        assert_eq!((member.node.span.start.line, member.node.span.start.column), (2, 8));
        assert_eq!(node.to_value().to_string(), r#"{"名":[1,"x\n"]}"#);
    }

    #[test]
    fn faults_speak_as_jackson_does() {
        for (text, message, column) in [
            (
                "not a definition",
                "Unrecognized token 'not': was expecting (JSON String, Number, Array, Object or \
                 token 'null', 'true' or 'false')",
                4,
            ),
            ("", "No content to map due to end-of-input", 1),
            (
                r#"{"a": 1,}"#,
                "Unexpected character ('}' (code 125)): was expecting double-quote to start field \
                 name",
                9,
            ),
            (
                r#"{"a": 1 "b": 2}"#,
                "Unexpected character ('\"' (code 34)): was expecting comma to separate Object \
                 entries",
                9,
            ),
        ] {
            let fault = parse(text).unwrap_err();
            assert_eq!((fault.message.as_str(), fault.position.column), (message, column));
        }
    }

    #[test]
    fn an_unclosed_object_names_where_it_was_opened() {
        assert_eq!(
            parse("{").unwrap_err().message,
            "Unexpected end-of-input: expected close marker for Object (start marker at [Source: \
             (String)\"{\"; line: 1, column: 1])"
        );
    }
}
