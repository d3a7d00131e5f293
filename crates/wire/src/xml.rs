//! XML: text, a small reader, and values by the model.

use std::fmt::Write as _;

use value::{Map, Value};

use crate::model::{Kind, Member, Shape};
use crate::scalar::{self, TimeFormat};

/// How deeply elements may nest; models recurse.
const DEPTH_MAX: usize = 128;
/// How many elements a document may have.
const ELEMENTS_MAX: usize = 1_000_000;

/// Escapes text for an XML element or attribute.
///
/// DIFFERS: characters that XML 1.0 cannot carry are written as the replacement character, for no
/// parser would read them.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#xD;"),
            '\n' | '\t' => out.push(letter),
            control if control < ' ' => out.push('\u{fffd}'),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

/// An element, read.
#[derive(Debug, Default)]
pub struct Element {
    /// The name without its namespace prefix.
    pub name: String,
    attributes: Vec<(String, String)>,
    /// The elements within, in order.
    pub children: Vec<Element>,
    /// The text directly within.
    pub text: String,
}

impl Element {
    /// Returns the value of an attribute, named as it is written.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the namespaces that the element declares.
    pub fn declared_namespaces(&self) -> impl Iterator<Item = &str> {
        let declares = |key: &str| key == "xmlns" || key.starts_with("xmlns:");
        self.attributes.iter().filter(move |(key, _)| declares(key)).map(|(_, uri)| uri.as_str())
    }

    /// Returns the first child of this name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Returns the first element of this name, at any depth.
    pub fn descendant(&self, name: &str) -> Option<&Element> {
        self.child(name).or_else(|| self.children.iter().find_map(|child| child.descendant(name)))
    }
}

/// Reads a document and returns its root.
///
/// # Errors
/// What is wrong with it; document types are refused, entities are the five of XML.
pub fn parse(text: &str) -> Result<Element, String> {
    let mut rest = text.trim_start_matches('\u{feff}');
    let mut open = vec![Element::default()];
    let mut count = 0;
    while let Some((before, after)) = rest.split_once('<') {
        append_text(&mut open, before)?;
        rest = if let Some(after) = after.strip_prefix("!--") {
            after.split_once("-->").ok_or("a comment does not end")?.1
        } else if let Some(after) = after.strip_prefix("![CDATA[") {
            let (raw, after) = after.split_once("]]>").ok_or("CDATA does not end")?;
            if let Some(element) = open.last_mut() {
                element.text.push_str(raw);
            }
            after
        } else if let Some(after) = after.strip_prefix('?') {
            after.split_once("?>").ok_or("an instruction does not end")?.1
        } else if after.starts_with('!') {
            return Err("document types are not accepted".to_owned());
        } else if let Some(after) = after.strip_prefix('/') {
            let (name, after) = after.split_once('>').ok_or("a tag does not end")?;
            close(&mut open, name.trim())?;
            after
        } else {
            count += 1;
            if count > ELEMENTS_MAX || open.len() > DEPTH_MAX {
                return Err("the document is too deep or too large".to_owned());
            }
            start(&mut open, after)?
        };
    }
    append_text(&mut open, rest)?;
    match (open.pop(), open.is_empty()) {
        (Some(top), true) => {
            let mut roots = top.children.into_iter();
            let root = roots.next().ok_or("there is no element")?;
            if roots.next().is_some() { Err("there are two roots".to_owned()) } else { Ok(root) }
        }
        _ => Err("an element does not end".to_owned()),
    }
}

fn append_text(open: &mut [Element], text: &str) -> Result<(), String> {
    let top = open.len() == 1;
    if let Some(element) = open.last_mut() {
        element.text.push_str(&unescape(text)?);
        if top && !element.text.trim().is_empty() {
            return Err("there is text outside the root".to_owned());
        }
    }
    Ok(())
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

fn close(open: &mut Vec<Element>, name: &str) -> Result<(), String> {
    let element = open.pop().filter(|element| element.name == local(name));
    match (element, open.last_mut()) {
        (Some(element), Some(parent)) => {
            parent.children.push(element);
            Ok(())
        }
        _ => Err(format!("`{name}` ends what it did not begin")),
    }
}

/// Reads a start tag, behind its `<`; returns what follows it.
fn start<'t>(open: &mut Vec<Element>, text: &'t str) -> Result<&'t str, String> {
    let name_end = text
        .find(|letter: char| letter.is_ascii_whitespace() || letter == '>' || letter == '/')
        .ok_or("a tag does not end")?;
    let (name, mut rest) = text.split_at(name_end);
    if name.is_empty() {
        return Err("a tag has no name".to_owned());
    }
    let mut element = Element { name: local(name).to_owned(), ..Element::default() };
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("/>") {
            if let Some(parent) = open.last_mut() {
                parent.children.push(element);
            }
            return Ok(after);
        }
        if let Some(after) = rest.strip_prefix('>') {
            open.push(element);
            return Ok(after);
        }
        let (key, after) = rest.split_once('=').ok_or("a tag is broken")?;
        let after = after.trim_start();
        let quote = after.chars().next().filter(|letter| matches!(letter, '"' | '\''));
        let quote = quote.ok_or("an attribute has no quotes")?;
        let (value, after) = after
            .strip_prefix(quote)
            .and_then(|after| after.split_once(quote))
            .ok_or("an attribute does not end")?;
        element.attributes.push((key.trim().to_owned(), unescape(value)?));
        rest = after;
    }
}

fn unescape(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (name, after) = after.split_once(';').ok_or("an entity does not end")?;
        let letter = match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => name.strip_prefix('#').and_then(|number| {
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16),
                    None => number.parse(),
                };
                char::from_u32(code.ok()?)
            }),
        };
        out.push(letter.ok_or_else(|| format!("the entity `{name}` is not known"))?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// Returns the element name of a member: lists without an element around them take that of their
/// items, where there is one.
fn member_name(member: &Member) -> &'static str {
    let shape = member.shape();
    match (shape.kind(), shape.element_name()) {
        (Kind::List, name) if member.is_flattened() && name != "member" => name,
        _ => member.wire_name(),
    }
}

/// Reads the members of a structure that travel in the body.
///
/// # Errors
/// What a text should have been.
pub(crate) fn decode_members(shape: &Shape, element: &Element) -> Result<Map, String> {
    let mut found = Map::new();
    for member in shape.members().filter(|member| member.location().is_none()) {
        let (name, inner) = (member_name(&member), member.shape());
        let mut given = element.children.iter().filter(|child| child.name == name).peekable();
        let value = if member.is_xml_attribute() {
            let attribute = element.attributes.iter().find(|(key, _)| local(key) == local(name));
            attribute.map(|(_, text)| Value::from(text.as_str()))
        } else if given.peek().is_none() {
            None
        } else if !member.is_flattened() {
            given.next().map(|child| decode(&inner, child)).transpose()?
        } else if let (Kind::List, Some(of)) = (inner.kind(), inner.element()) {
            let items: Result<Vec<_>, String> = given.map(|item| decode(&of, item)).collect();
            Some(items?.into())
        } else {
            Some(decode_entries(&inner, given)?)
        };
        if let Some(value) = value {
            found.insert(member.name(), value);
        }
    }
    Ok(found)
}

/// Reads a value by its shape.
pub(crate) fn decode(shape: &Shape, element: &Element) -> Result<Value, String> {
    match shape.kind() {
        Kind::Structure => decode_members(shape, element).map(Value::from),
        Kind::List => match shape.element() {
            Some(of) => element.children.iter().map(|item| decode(&of, item)).collect(),
            None => Ok(Value::from(Vec::<Value>::new())),
        },
        Kind::Map => decode_entries(shape, element.children.iter()),
        _ => scalar::parse(shape, &element.text)
            .map_err(|wanted| format!("`{}` is not a valid {wanted}", element.name)),
    }
}

fn decode_entries<'e>(
    shape: &Shape,
    entries: impl Iterator<Item = &'e Element>,
) -> Result<Value, String> {
    let (key_name, value_name) = shape.entry_names();
    let mut map = Map::new();
    for entry in entries {
        if let (Some(key), Some(value), Some(of)) =
            (entry.child(key_name), entry.child(value_name), shape.element())
        {
            map.insert(key.text.as_str(), decode(&of, value)?);
        }
    }
    Ok(map.into())
}

/// Writes the members of a structure that travel in the body. Writing into a String cannot fail.
pub(crate) fn encode_members(out: &mut String, shape: &Shape, given: &Value, depth: usize) {
    let in_body = |member: &Member| member.location().is_none() && !member.is_xml_attribute();
    for member in shape.members().filter(in_body) {
        let value = match given.get(member.name()) {
            None | Some(Value::Null) => continue,
            Some(value) => value,
        };
        let (name, inner) = (member_name(&member), member.shape());
        match (inner.kind(), value, inner.element()) {
            (Kind::List, Value::Array(items), Some(of)) if member.is_flattened() => {
                items.iter().for_each(|item| encode(out, name, "", &of, item, depth + 1));
            }
            (Kind::Map, Value::Object(_), Some(_)) if member.is_flattened() => {
                encode_entries(out, name, &inner, value, depth + 1);
            }
            _ => {
                let mut attributes = String::new();
                if let Some((prefix, uri)) = member.xml_namespace() {
                    let colon = if prefix.is_empty() { "" } else { ":" };
                    let _ = write!(attributes, " xmlns{colon}{prefix}=\"{}\"", escape(uri));
                }
                for attribute in inner.members().filter(Member::is_xml_attribute) {
                    if let Some(text) = value.get(attribute.name()).and_then(Value::as_str) {
                        let name = attribute.wire_name();
                        let _ = write!(attributes, " {name}=\"{}\"", escape(text));
                    }
                }
                encode(out, name, &attributes, &inner, value, depth + 1);
            }
        }
    }
}

/// Writes one element with a value by its shape; `attributes` stand behind the name.
pub(crate) fn encode(
    out: &mut String,
    name: &str,
    attributes: &str,
    shape: &Shape,
    given: &Value,
    depth: usize,
) {
    if depth > DEPTH_MAX {
        return;
    }
    let _ = write!(out, "<{name}{attributes}>");
    match (shape.kind(), given, shape.element()) {
        (Kind::Structure, given, _) => encode_members(out, shape, given, depth),
        (Kind::List, Value::Array(items), Some(of)) => {
            let item_name = shape.element_name();
            items.iter().for_each(|item| encode(out, item_name, "", &of, item, depth + 1));
        }
        (Kind::Map, given, Some(_)) => encode_entries(out, "entry", shape, given, depth),
        (_, given, _) => {
            out.push_str(&escape(&scalar::print(shape, given, TimeFormat::Iso8601)));
        }
    }
    let _ = write!(out, "</{name}>");
}

fn encode_entries(out: &mut String, name: &str, shape: &Shape, given: &Value, depth: usize) {
    let (key_name, value_name) = shape.entry_names();
    let (Some(entries), Some(of)) = (given.as_object(), shape.element()) else { return };
    for (key, value) in entries.iter().filter(|(_, value)| !value.is_null()) {
        let _ = write!(out, "<{name}><{key_name}>{}</{key_name}>", escape(key));
        encode(out, value_name, "", &of, value, depth + 1);
        let _ = write!(out, "</{name}>");
    }
}
