//! The query protocol: form bodies in, XML out.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use value::{Map, Value};

use crate::fault::{Face, Fault};
use crate::message::Response;
use crate::model::{Kind, Member, Operation, Shape};
use crate::{time, xml};

/// How many dots a parameter's name may have.
const NAME_PARTS_MAX: usize = 64;
/// How deeply answers may nest; models recurse.
const DEPTH_MAX: usize = 128;

/// Parameters as a tree: `Tags.member.1.Key` is four levels down.
#[derive(Debug, Default)]
struct Node {
    text: Option<String>,
    children: BTreeMap<String, Node>,
}

impl Node {
    fn insert(&mut self, name: &str, text: &str) {
        let mut node = self;
        for part in name.split('.').take(NAME_PARTS_MAX) {
            node = node.children.entry(part.to_owned()).or_default();
        }
        node.text = Some(text.to_owned());
    }

    /// Returns the numbered children in order.
    fn numbered(&self) -> Vec<&Node> {
        let numbered = self.children.iter();
        let mut numbered: Vec<(u64, &Node)> =
            numbered.filter_map(|(name, node)| Some((name.parse().ok()?, node))).collect();
        numbered.sort_by_key(|(number, _)| *number);
        numbered.into_iter().map(|(_, node)| node).collect()
    }
}

/// Reads a form.
pub(crate) fn decode(
    operation: Operation,
    form: &[(String, String)],
    face: &Face,
) -> Result<Value, Fault> {
    let mut root = Node::default();
    for (name, text) in form {
        root.insert(name, text);
    }
    match operation.input() {
        Some(shape) => {
            structure(&shape, &root).map_err(|what| face.fault(400, "MalformedInput", what))
        }
        None => Ok(Value::object()),
    }
}

fn structure(shape: &Shape, node: &Node) -> Result<Value, String> {
    let mut members = Map::new();
    for member in shape.members() {
        if let Some(child) = node.children.get(member.wire_name())
            && let Some(found) = read(&member, child)?
        {
            members.insert(member.name(), found);
        }
    }
    Ok(members.into())
}

fn read(member: &Member, node: &Node) -> Result<Option<Value>, String> {
    let shape = member.shape();
    read_shape(&shape, node, member.is_flattened(), member.name())
}

fn read_shape(
    shape: &Shape,
    node: &Node,
    flattened: bool,
    name: &str,
) -> Result<Option<Value>, String> {
    match shape.kind() {
        Kind::Structure => structure(shape, node).map(Some),
        Kind::List => {
            let items =
                if flattened { Some(node) } else { node.children.get(shape.element_name()) };
            let items = items.or_else(|| node.children.get("member"));
            let Some(element) = shape.element() else { return Ok(None) };
            let mut read_items = Vec::new();
            for item in items.map(Node::numbered).unwrap_or_default() {
                read_items.extend(read_shape(&element, item, false, name)?);
            }
            // `Tags=` says: an empty list.
            let given = items.is_some() || node.text.is_some();
            Ok(given.then(|| Value::from(read_items)))
        }
        Kind::Map => {
            let entries = if flattened { Some(node) } else { node.children.get("entry") };
            let (key_name, value_name) = shape.entry_names();
            let Some(element) = shape.element() else { return Ok(None) };
            let mut map = Map::new();
            for entry in entries.map(Node::numbered).unwrap_or_default() {
                let key = entry.children.get(key_name).and_then(|key| key.text.clone());
                let value = entry.children.get(value_name);
                if let (Some(key), Some(value)) = (key, value)
                    && let Some(value) = read_shape(&element, value, false, name)?
                {
                    map.insert(key, value);
                }
            }
            Ok(Some(map.into()))
        }
        Kind::String | Kind::Blob => Ok(node.text.as_deref().map(Value::from)),
        Kind::Boolean => scalar(node, name, "Boolean", |text| match text {
            "true" => Some(true.into()),
            "false" => Some(false.into()),
            _ => None,
        }),
        Kind::Integer | Kind::Long => {
            scalar(node, name, "Integer", |text| text.parse::<i64>().ok().map(Value::from))
        }
        Kind::Float | Kind::Double => scalar(node, name, "Double", |text| {
            text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from)
        }),
        Kind::Timestamp => {
            scalar(node, name, "Timestamp", |text| time::parse_iso(text).map(Value::from))
        }
    }
}

fn scalar(
    node: &Node,
    name: &str,
    wanted: &str,
    parse: impl FnOnce(&str) -> Option<Value>,
) -> Result<Option<Value>, String> {
    match node.text.as_deref() {
        None | Some("") => Ok(None),
        Some(text) => match parse(text) {
            Some(value) => Ok(Some(value)),
            None => Err(format!("The parameter {name} is not a valid {wanted}: {text}")),
        },
    }
}

/// Writes an answer. Writing into a String cannot fail.
pub(crate) fn encode(operation: Operation, output: &Value, request_id: &str) -> Response {
    let name = operation.name();
    let namespace = operation.service().xml_namespace().unwrap_or_default();
    let mut body = format!("<{name}Response xmlns=\"{namespace}\">\n");
    if let Some(shape) = operation.output() {
        let wrapper = operation.result_wrapper();
        if let Some(wrapper) = wrapper {
            let _ = write!(body, "<{wrapper}>");
        }
        members(&mut body, &shape, output, 0);
        if let Some(wrapper) = wrapper {
            let _ = writeln!(body, "</{wrapper}>");
        }
    }
    let _ = writeln!(
        body,
        "<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>\n</{name}Response>"
    );
    Response {
        status: operation.status(),
        headers: vec![
            ("content-type", "text/xml".to_owned()),
            ("x-amzn-requestid", request_id.to_owned()),
        ],
        body: body.into_bytes(),
    }
}

fn members(out: &mut String, shape: &Shape, given: &Value, depth: usize) {
    for member in shape.members() {
        match given.get(member.name()) {
            None | Some(Value::Null) => {}
            Some(value) => {
                element(
                    out,
                    member.wire_name(),
                    &member.shape(),
                    value,
                    member.is_flattened(),
                    depth,
                );
            }
        }
    }
}

fn element(
    out: &mut String,
    name: &str,
    shape: &Shape,
    given: &Value,
    flattened: bool,
    depth: usize,
) {
    if depth > DEPTH_MAX {
        return;
    }
    if flattened
        && let (Kind::List, Value::Array(items), Some(inner)) =
            (shape.kind(), given, shape.element())
    {
        for item in items.iter() {
            element(out, name, &inner, item, false, depth + 1);
        }
        return;
    }
    let _ = write!(out, "<{name}>");
    content(out, shape, given, depth);
    let _ = write!(out, "</{name}>");
}

fn content(out: &mut String, shape: &Shape, given: &Value, depth: usize) {
    match (shape.kind(), given) {
        (Kind::Structure, _) => members(out, shape, given, depth + 1),
        (Kind::List, Value::Array(items)) => {
            if let Some(inner) = shape.element() {
                for item in items.iter() {
                    element(out, shape.element_name(), &inner, item, false, depth + 1);
                }
            }
        }
        (Kind::Map, Value::Object(entries)) => {
            if let Some(inner) = shape.element() {
                let (key_name, value_name) = shape.entry_names();
                for (key, value) in entries.iter() {
                    let _ = write!(out, "<entry><{key_name}>{}</{key_name}>", xml::escape(key));
                    element(out, value_name, &inner, value, false, depth + 1);
                    out.push_str("</entry>");
                }
            }
        }
        (Kind::Timestamp, Value::Number(seconds)) => out.push_str(&time::iso(seconds.as_f64())),
        (_, Value::String(text)) => out.push_str(&xml::escape(text)),
        (_, other) => out.push_str(&xml::escape(&other.to_string())),
    }
}
