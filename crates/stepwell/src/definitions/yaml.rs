//! YAML as the parsed text of a definition: JSON values that know where they stand.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use asl::{Code, Diagnostic, Member, Node, NodeKind, Position, Severity, Span};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};
use value::Value;

use super::too_far_left::Lines;

/// How deeply a document may nest.
const DEPTH_MAX: usize = value::DEPTH_MAX;
/// How many nodes aliases may add to a document.
const ALIASED_NODES_MAX: usize = 100_000;

/// Reads one YAML document.
///
/// # Errors
/// The first fault.
pub(super) fn parse(text: &str) -> Result<Node, Box<Diagnostic>> {
    let mut lines = Lines::of(text);
    loop {
        match read(text, &lines) {
            Ok(root) => return Ok(root),
            Err(Fault::Scan(err, _)) if lines.remedy(&err) => {}
            Err(Fault::Scan(_, told) | Fault::Other(told)) => return Err(told),
        }
    }
}

/// Why a text cannot be read.
enum Fault {
    /// It is no YAML.
    Scan(ScanError, Box<Diagnostic>),
    /// It is no definition.
    Other(Box<Diagnostic>),
}

impl From<Box<Diagnostic>> for Fault {
    fn from(told: Box<Diagnostic>) -> Fault {
        Fault::Other(told)
    }
}

fn read(text: &str, lines: &Lines<'_>) -> Result<Node, Fault> {
    let mut reader = Reader {
        text,
        lines,
        offsets: lines.offsets(),
        open: Vec::new(),
        root: None,
        anchors: HashMap::new(),
        aliased: 0,
    };
    for event in Parser::new_from_str(lines.text()) {
        let (event, span) = event.map_err(|err| {
            let told = reader.scan_fault(&err);
            Fault::Scan(err, told)
        })?;
        let span = reader.span(span);
        reader.event(event, span)?;
    }
    let nothing = Span { start: Position::START, end: Position::START };
    Ok(reader.root.ok_or_else(|| fault("the file is empty", nothing))?)
}

/// A tag of CloudFormation: what it is put before is computed when the template is deployed.
pub(super) const TAG_PREFIX: &str = "Fn::";

struct Reader<'t> {
    text: &'t str,
    /// The text as it is read.
    lines: &'t Lines<'t>,
    /// The byte offset of every character.
    offsets: Vec<usize>,
    open: Vec<Open>,
    root: Option<Node>,
    anchors: HashMap<usize, Node>,
    aliased: usize,
}

/// A collection that is still open.
struct Open {
    kind: OpenKind,
    start: Position,
    anchor: usize,
    tag: Option<String>,
}

enum OpenKind {
    Sequence(Vec<Node>),
    Mapping { members: Vec<Member>, key: Option<(Arc<str>, Span)> },
}

impl Reader<'_> {
    fn position(&self, marker: Marker) -> Position {
        let offset = self.offsets.get(marker.index()).or(self.offsets.last());
        Position {
            offset: offset.copied().unwrap_or_default(),
            line: marker.line(),
            column: self.lines.column(marker),
        }
    }

    fn span(&self, span: saphyr_parser::Span) -> Span {
        Span { start: self.position(span.start), end: self.position(span.end) }
    }

    /// Returns where a scalar itself begins, behind its tag and its anchor.
    fn behind_properties(&self, mut at: Position) -> Position {
        let rest = self.text.get(at.offset..).unwrap_or_default();
        let mut in_property = false;
        for next in rest.chars() {
            match next {
                '!' | '&' => in_property = true,
                _ if next.is_whitespace() => in_property = false,
                _ if in_property => {}
                _ => break,
            }
            at = at.after(next);
        }
        at
    }

    fn scan_fault(&self, err: &ScanError) -> Box<Diagnostic> {
        let at = self.position(*err.marker());
        fault(err.info(), Span { start: at, end: at })
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Box<Diagnostic>> {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(fault("a second document in one file", span))
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned();
                let node = node.ok_or_else(|| fault("an alias of what is not complete", span))?;
                self.aliased += count(&node);
                if self.aliased > ALIASED_NODES_MAX {
                    return Err(fault("aliases make the document too large", span));
                }
                self.place(node)
            }
            Event::Scalar(text, style, anchor, tag) => {
                let tag = name(tag);
                if let Some(Open { kind: OpenKind::Mapping { key: key @ None, .. }, .. }) =
                    self.open.last_mut()
                {
                    *key = Some((Arc::from(&*text), span));
                    return Ok(());
                }
                let text_only = style != ScalarStyle::Plain || tag.as_deref() == Some("!!str");
                let kind = if text_only { string(&text) } else { plain(&text) };
                let span = Span { start: self.behind_properties(span.start), ..span };
                self.done(Node { kind, span }, anchor, tag)
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(OpenKind::Sequence(Vec::new()), span, anchor, name(tag))
            }
            Event::MappingStart(anchor, tag) => {
                let kind = OpenKind::Mapping { members: Vec::new(), key: None };
                self.open(kind, span, anchor, name(tag))
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let Open { kind, start, anchor, tag } = open;
                let kind = match kind {
                    OpenKind::Sequence(items) => NodeKind::Array(items),
                    OpenKind::Mapping { members, .. } => NodeKind::Object(members),
                };
                self.done(Node { kind, span: Span { start, end: span.end } }, anchor, tag)
            }
        }
    }

    fn open(
        &mut self,
        kind: OpenKind,
        span: Span,
        anchor: usize,
        tag: Option<String>,
    ) -> Result<(), Box<Diagnostic>> {
        if let Some(Open { kind: OpenKind::Mapping { key: None, .. }, .. }) = self.open.last() {
            return Err(fault("a key that is no text", span));
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(fault("nested too deeply", span));
        }
        self.open.push(Open { kind, start: span.start, anchor, tag });
        Ok(())
    }

    fn done(
        &mut self,
        node: Node,
        anchor: usize,
        tag: Option<String>,
    ) -> Result<(), Box<Diagnostic>> {
        let node = tagged(node, tag);
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        self.place(node)
    }

    /// Puts a finished value where it belongs.
    fn place(&mut self, node: Node) -> Result<(), Box<Diagnostic>> {
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.root = Some(node),
            Some(OpenKind::Sequence(items)) => items.push(node),
            Some(OpenKind::Mapping { members, key }) => match key.take() {
                Some((key, key_span)) => {
                    if members.iter().any(|member| member.key == key) {
                        return Err(fault(format!("the key `{key}` is there twice"), key_span));
                    }
                    members.push(Member { key, key_span, node });
                }
                None => return Err(fault("a key that is no text", node.span)),
            },
        }
        Ok(())
    }
}

fn count(node: &Node) -> usize {
    let inside: usize = match &node.kind {
        NodeKind::Scalar(_) | NodeKind::String(_) => 0,
        NodeKind::Array(items) => items.iter().map(count).sum(),
        NodeKind::Object(members) => members.iter().map(|member| count(&member.node)).sum(),
    };
    inside + 1
}

fn fault(message: impl Into<String>, span: Span) -> Box<Diagnostic> {
    Box::new(Diagnostic {
        severity: Severity::Error,
        code: Code::InvalidJsonDescription,
        message: format!("YAML not well-formed: {}", message.into()),
        location: "/".into(),
        span: Some(span),
        hint: None,
    })
}

fn name(tag: Option<Cow<'_, Tag>>) -> Option<String> {
    let tag = tag?;
    let core = tag.is_yaml_core_schema();
    Some(if core { format!("!!{}", tag.suffix) } else { tag.suffix.clone() })
}

/// Spells a short form of CloudFormation out: `!Sub x` is `{"Fn::Sub": x}`.
fn tagged(node: Node, tag: Option<String>) -> Node {
    let Some(tag) = tag.filter(|tag| !tag.starts_with("!!") && !tag.is_empty()) else {
        return node;
    };
    let key = if matches!(&*tag, "Ref" | "Condition") { tag } else { format!("{TAG_PREFIX}{tag}") };
    let span = node.span;
    let member = Member { key: key.into(), key_span: span, node };
    Node { kind: NodeKind::Object(vec![member]), span }
}

fn string(text: &str) -> NodeKind {
    NodeKind::String(Arc::from(text))
}

/// Returns what a scalar without quotes means.
fn plain(text: &str) -> NodeKind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => NodeKind::Scalar(Value::Null),
        "true" | "True" | "TRUE" => NodeKind::Scalar(Value::Bool(true)),
        "false" | "False" | "FALSE" => NodeKind::Scalar(Value::Bool(false)),
        _ if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => match value::parse(text)
        {
            Ok(number @ Value::Number(_)) => NodeKind::Scalar(number),
            Ok(_) | Err(_) => string(text),
        },
        _ => string(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_where_they_stand() {
        let node = parse("# 注\na:\n  - 営業\n  - {b: 1.5, c: !Sub 'x'}\n").unwrap();
        let value = node.to_value().to_string();
        assert_eq!(value, r#"{"a":["営業",{"b":1.5,"c":{"Fn::Sub":"x"}}]}"#);
        let items = node.get("a").unwrap().as_array().unwrap();
        let start = items[0].span.start;
        assert_eq!((start.line, start.column, start.offset), (3, 5, 13));
        let start = items[1].get("c").unwrap().get("Fn::Sub").unwrap().span.start;
        assert_eq!((start.line, start.column), (4, 22));
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        for (text, line, column) in [
            ("a: 1\na: 2", 2, 1),
            ("a: [", 2, 1),
            ("? [1]\n: 2", 1, 3),
            ("a: *b", 1, 4),
            ("a: 1\n---\nb: 2", 2, 1),
            ("", 1, 1),
        ] {
            let start = parse(text).unwrap_err().span.unwrap().start;
            assert_eq!((start.line, start.column), (line, column), "{text}");
        }
        assert!(parse(&"[".repeat(10_000)).is_err());
    }

    #[test]
    fn within_quotes_and_brackets_lines_may_stand_anywhere() {
        let text =
            "a:\n  b: 'it''s\n  one\n\n two'\n  c: \"x\\\ny\"\n  d: {\n    e: 1,\n  f: 2\n}\ng: h";
        let node = parse(text).unwrap();
        let value = node.to_value().to_string();
        assert_eq!(value, r#"{"a":{"b":"it's one\ntwo","c":"xy","d":{"e":1,"f":2}},"g":"h"}"#);
        let start = node.get("g").unwrap().span.start;
        assert_eq!((start.line, start.column, start.offset), (12, 4, text.len() - 1));
        let f = node.get("a").and_then(|a| a.get("d")?.get("f")).unwrap().span.start;
        assert_eq!((f.line, f.column, text.get(f.offset..=f.offset)), (10, 6, Some("2")));
        for broken in ["a: 'x", "a:\n b: 'x\ny", "a: [1,\nb: [", "a:\n  b: 1\n c: 2"] {
            assert!(parse(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn aliases_are_copies_within_a_limit() {
        let node = parse("a: &x {b: 1}\nc: *x").unwrap();
        assert_eq!(node.to_value().to_string(), r#"{"a":{"b":1},"c":{"b":1}}"#);
        let levels = (1..8).map(|level| {
            let copies = vec![format!("*a{}", level - 1); 10].join(", ");
            format!("a{level}: &a{level} [{copies}]")
        });
        let first = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]".to_owned();
        let bomb: Vec<String> = std::iter::once(first).chain(levels).collect();
        assert!(parse(&bomb.join("\n")).unwrap_err().message.contains("too large"));
    }
}
