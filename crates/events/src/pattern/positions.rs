//! JSON with positions, because AWS's errors name line and column.

use std::sync::Arc;

use value::Value;

/// A value of the pattern and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// The offset where AWS's parser stands once it has met the value: behind the opening quote
    /// or bracket, or behind the whole of a number or word.
    pub(super) met: usize,
    /// The offset behind the value.
    pub(super) end: usize,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Scalar(Value),
    Array(Vec<Node>),
    Object(Vec<(Arc<str>, Node)>),
}

impl Node {
    pub(super) fn as_str(&self) -> Option<&Arc<str>> {
        match &self.kind {
            Kind::Scalar(Value::String(text)) => Some(text),
            Kind::Scalar(_) | Kind::Array(_) | Kind::Object(_) => None,
        }
    }

    pub(super) fn as_number(&self) -> Option<f64> {
        match &self.kind {
            Kind::Scalar(value) => value.as_f64(),
            Kind::Array(_) | Kind::Object(_) => None,
        }
    }
}

/// Reads `text`, which is known to be valid JSON within the depth limit of `value::parse`.
pub(super) fn read(text: &str) -> Option<Node> {
    let mut reader = Reader { text, at: 0 };
    reader.spaces();
    reader.node()
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn spaces(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Steps over `byte`, with the spaces around it.
    fn eat(&mut self, byte: u8) -> bool {
        self.spaces();
        let here = self.peek() == Some(byte);
        if here {
            self.at += 1;
            self.spaces();
        }
        here
    }

    fn node(&mut self) -> Option<Node> {
        let start = self.at;
        let first = self.peek()?;
        let kind = match first {
            b'{' => Kind::Object(self.members()?),
            b'[' => Kind::Array(self.elements()?),
            b'"' => Kind::Scalar(Value::String(self.string()?)),
            _ => Kind::Scalar(self.word()?),
        };
        let met = if matches!(first, b'{' | b'[' | b'"') { start + 1 } else { self.at };
        Some(Node { kind, met, end: self.at })
    }

    fn members(&mut self) -> Option<Vec<(Arc<str>, Node)>> {
        let mut members = Vec::new();
        self.at += 1;
        self.spaces();
        while self.peek()? != b'}' {
            let name = self.string()?;
            self.eat(b':').then_some(())?;
            members.push((name, self.node()?));
            self.eat(b',');
        }
        self.at += 1;
        Some(members)
    }

    fn elements(&mut self) -> Option<Vec<Node>> {
        let mut elements = Vec::new();
        self.at += 1;
        self.spaces();
        while self.peek()? != b']' {
            elements.push(self.node()?);
            self.eat(b',');
        }
        self.at += 1;
        Some(elements)
    }

    fn string(&mut self) -> Option<Arc<str>> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        match value::parse(self.text.get(start..self.at)?) {
            Ok(Value::String(text)) => Some(text),
            Ok(_) | Err(_) => None,
        }
    }

    fn word(&mut self) -> Option<Value> {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) {
            self.at += 1;
        }
        value::parse(self.text.get(start..self.at)?).ok()
    }
}
