//! YAML into values: one document, core schema, with bounds on what aliases may grow to.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};
use value::{Map, Number, Value};

use crate::diagnostic::{Path, Position};
use crate::document::{Places, SyntaxError};

/// How many nodes a document may hold once its aliases are written out ("billion laughs").
const NODES_MAX: usize = 200_000;

/// How deeply mappings and lists may nest.
const DEPTH_MAX: usize = 100;

/// Reads one YAML document; an empty text is `null`.
pub(crate) fn read(content: &str) -> Result<Value, SyntaxError> {
    load(content).map(|reader| reader.document.unwrap_or_default())
}

/// Returns every place of a YAML text that [`read`] accepts.
pub(crate) fn places(content: &str) -> Places {
    load(content).map(|reader| reader.places).unwrap_or_default()
}

/// How far a line is moved that stands too far left within brackets: deeper than anything around
/// it.
const MOVED_COLUMNS: usize = 2 * DEPTH_MAX;

/// What saphyr says of a line within brackets that is not indented more than what holds them.
const TOO_FAR_LEFT: [&str; 2] = ["invalid indentation", "invalid indentation in flow construct"];

/// Loads a document.
///
/// YAML wants what stands within brackets indented, the closing bracket too; AWS's reader does not
/// care, and published runbooks rely on it. So such a line is moved to the right and the text is
/// loaded again: at most once for each line, each time one line further down.
fn load(content: &str) -> Result<Reader, SyntaxError> {
    let mut content = Cow::Borrowed(content);
    let mut moved_line = 0;
    loop {
        match load_strictly(&content) {
            Err(err)
                if TOO_FAR_LEFT.contains(&err.message.as_str())
                    && moved_line < err.position.line =>
            {
                moved_line = err.position.line;
                content = Cow::Owned(moved(&content, moved_line));
            }
            result => return result,
        }
    }
}

/// Returns a text with one line moved to the right.
fn moved(content: &str, line: usize) -> String {
    let blanks = " ".repeat(MOVED_COLUMNS);
    let lines = content.split_inclusive('\n').enumerate();
    lines.flat_map(|(index, text)| [if index + 1 == line { &*blanks } else { "" }, text]).collect()
}

fn load_strictly(content: &str) -> Result<Reader, SyntaxError> {
    let mut reader = Reader::default();
    let mut parser = Parser::new_from_str(content);
    while let Some(next) = parser.next_event() {
        let (event, span) = next.map_err(|err| fault(err.marker(), err.info().to_owned()))?;
        reader.event(event, span)?;
    }
    Ok(reader)
}

/// What has been read so far.
#[derive(Default)]
struct Reader {
    open: Vec<Frame>,
    anchors: HashMap<usize, (Value, usize)>,
    nodes: usize,
    document: Option<Value>,
    places: Places,
}

/// A mapping or list that is not closed yet.
struct Frame {
    path: Path,
    anchor: usize,
    nodes_before: usize,
    content: Content,
}

enum Content {
    List(Vec<Value>),
    Mapping { members: Map, key: Option<String> },
}

impl Reader {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), SyntaxError> {
        let at = span.start;
        match event {
            Event::DocumentStart(_) if self.document.is_some() => {
                Err(fault(&at, "more than one YAML document".to_owned()))
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
            Event::Alias(anchor) => self.alias(anchor, &at),
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(&text, style, anchor, tag.as_deref(), &at)
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(anchor, tag, Content::List(Vec::new()), &at)
            }
            Event::MappingStart(anchor, tag) => {
                self.open(anchor, tag, Content::Mapping { members: Map::new(), key: None }, &at)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(&at),
        }
    }

    fn alias(&mut self, anchor: usize, at: &Marker) -> Result<(), SyntaxError> {
        let Some((value, nodes)) = self.anchors.get(&anchor).cloned() else {
            return Err(fault(at, "alias of a node that is not complete".to_owned()));
        };
        self.count(nodes, at)?;
        self.place(at);
        self.insert(value, at)
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        at: &Marker,
    ) -> Result<(), SyntaxError> {
        if let Some(Frame { content: Content::Mapping { members, key: key @ None }, .. }) =
            self.open.last_mut()
        {
            if members.contains_key(text) {
                return Err(fault(at, format!("duplicate key `{text}`")));
            }
            *key = Some(text.to_owned());
            self.place(at);
            return Ok(());
        }
        self.count(1, at)?;
        let value = resolve(text, style, tag).map_err(|message| fault(at, message))?;
        if anchor != 0 {
            self.anchors.insert(anchor, (value.clone(), 1));
        }
        self.place(at);
        self.insert(value, at)
    }

    fn open(
        &mut self,
        anchor: usize,
        tag: Option<Cow<'_, Tag>>,
        content: Content,
        at: &Marker,
    ) -> Result<(), SyntaxError> {
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) {
            return Err(fault(at, format!("unknown tag `{}{}`", tag.handle, tag.suffix)));
        }
        if let Some(Frame { content: Content::Mapping { key: None, .. }, .. }) = self.open.last() {
            return Err(fault(at, "a mapping key must be a plain text".to_owned()));
        }
        if self.open.len() == DEPTH_MAX {
            return Err(fault(at, format!("nested deeper than {DEPTH_MAX} levels")));
        }
        self.place(at);
        let path = self.path();
        let nodes_before = self.nodes;
        self.count(1, at)?;
        self.open.push(Frame { path, anchor, nodes_before, content });
        Ok(())
    }

    fn close(&mut self, at: &Marker) -> Result<(), SyntaxError> {
        let Some(frame) = self.open.pop() else { return Ok(()) };
        let value = match frame.content {
            Content::List(items) => Value::from(items),
            Content::Mapping { members, .. } => Value::from(members),
        };
        if frame.anchor != 0 {
            self.anchors.insert(frame.anchor, (value.clone(), self.nodes - frame.nodes_before));
        }
        self.insert(value, at)
    }

    fn insert(&mut self, value: Value, at: &Marker) -> Result<(), SyntaxError> {
        match self.open.last_mut().map(|frame| &mut frame.content) {
            None => self.document = Some(value),
            Some(Content::List(items)) => items.push(value),
            Some(Content::Mapping { members, key }) => match key.take() {
                Some(key) => {
                    members.insert(key, value);
                }
                None => return Err(fault(at, "a mapping key must be a plain text".to_owned())),
            },
        }
        Ok(())
    }

    /// Returns the path of the node that comes next.
    fn path(&self) -> Path {
        match self.open.last() {
            None => Path::default(),
            Some(Frame { path, content: Content::List(items), .. }) => path.index(items.len()),
            Some(Frame { path, content: Content::Mapping { key, .. }, .. }) => {
                path.key(key.as_deref().unwrap_or_default())
            }
        }
    }

    /// Notes where the next node stands; a member keeps the place of its key.
    fn place(&mut self, at: &Marker) {
        self.places.entry(self.path().to_string()).or_insert_with(|| position(at));
    }

    fn count(&mut self, nodes: usize, at: &Marker) -> Result<(), SyntaxError> {
        self.nodes += nodes;
        if self.nodes > NODES_MAX {
            return Err(fault(at, format!("aliases make more than {NODES_MAX} nodes")));
        }
        Ok(())
    }
}

fn fault(at: &Marker, message: String) -> SyntaxError {
    SyntaxError { message, position: position(at) }
}

fn position(at: &Marker) -> Position {
    Position { line: at.line(), column: at.col() + 1 }
}

/// Resolves a scalar by YAML 1.2's core schema; numbers keep their text where JSON has it too.
///
/// DIFFERS: AWS reads with a YAML 1.1 reader, for which `yes`, `on` and `0777` are no texts; none
/// of the 985 documents examined writes a value in those forms.
fn resolve(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    let core = tag.filter(|tag| tag.is_yaml_core_schema()).map(|tag| tag.suffix.as_str());
    match (tag, core) {
        (Some(tag), None) if tag.suffix.is_empty() => return Ok(Value::from(text)),
        (Some(tag), None) => return Err(format!("unknown tag `{}{}`", tag.handle, tag.suffix)),
        (_, Some("str")) => return Ok(Value::from(text)),
        (None, None) if style != ScalarStyle::Plain => return Ok(Value::from(text)),
        (None | Some(_), _) => {}
    }
    let value = plain(text);
    let fits = match core {
        Some("int") => value.as_i64().is_some(),
        Some("float") => value.as_f64().is_some(),
        Some("bool") => value.as_bool().is_some(),
        Some("null") => value.is_null(),
        Some(_) | None => true,
    };
    if fits { Ok(value) } else { Err(format!("`{text}` does not fit its tag")) }
}

fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::from(text), Value::Number),
    }
}

/// Returns the number that a plain scalar spells, if it spells one that JSON has.
fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return i64::from_str_radix(hex, 16).ok().map(Number::Int);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return i64::from_str_radix(octal, 8).ok().map(Number::Int);
    }
    if let Ok(Value::Number(number)) = value::parse(text) {
        return Some(number);
    }
    if digits.chars().all(|c| c.is_ascii_digit()) {
        // The core schema allows a plus sign and leading zeros: `+1`, `007`.
        return text.parse().ok().map(Number::Int);
    }
    let float_only = digits.chars().all(|c| matches!(c, '0'..='9' | '.' | 'e' | 'E' | '+' | '-'));
    let float: f64 = if float_only { text.parse().ok()? } else { return None };
    float.is_finite().then_some(Number::Float(float))
}
