//! The query protocol and EC2's dialect of it: form bodies in, XML out; and the other way round.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use value::{Map, Value};

use crate::message::{Response, percent_encode};
use crate::model::{Kind, Member, Operation, Protocol, Shape};
use crate::scalar::{self, TimeFormat};
use crate::xml::{self, Element};

/// How many dots a parameter's name may have.
const NAME_PARTS_MAX: usize = 64;

/// Parameters as a tree: `Tags.member.1.Key` is four levels down.
#[derive(Debug, Default)]
struct Node {
    text: Option<String>,
    children: BTreeMap<String, Node>,
}

impl Node {
    fn insert(&mut self, name: &str, text: &str) -> Result<(), String> {
        let mut node = self;
        for (depth, part) in name.split('.').enumerate() {
            if depth == NAME_PARTS_MAX {
                return Err(format!("a parameter's name has more than {NAME_PARTS_MAX} parts"));
            }
            node = node.children.entry(part.to_owned()).or_default();
        }
        node.text = Some(text.to_owned());
        Ok(())
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

/// The two spellings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Query,
    Ec2,
}

impl Dialect {
    fn of(operation: Operation) -> Dialect {
        match operation.service().protocol() {
            Protocol::Ec2 => Dialect::Ec2,
            Protocol::Query | Protocol::Json | Protocol::RestJson | Protocol::RestXml => {
                Dialect::Query
            }
        }
    }

    /// Returns what a member is called in forms. A list without an element of its own around it
    /// takes the name of its items, where they have one.
    fn name(self, member: &Member) -> String {
        let shape = member.shape();
        match (self, shape.kind(), shape.element_name()) {
            (Dialect::Ec2, _, _) => member.ec2_name(),
            (Dialect::Query, Kind::List, name) if member.is_flattened() && name != "member" => {
                name.to_owned()
            }
            (Dialect::Query, _, _) => member.wire_name().to_owned(),
        }
    }

    fn is_flat(self, member: &Member) -> bool {
        member.is_flattened() || self.has_flat_lists() && member.shape().kind() == Kind::List
    }

    fn has_flat_lists(self) -> bool {
        self == Dialect::Ec2
    }
}

/// Reads a form.
///
/// # Errors
/// What is wrong with the first bad parameter.
pub(crate) fn decode(operation: Operation, form: &[(String, String)]) -> Result<Value, String> {
    let mut root = Node::default();
    for (name, text) in form {
        root.insert(name, text)?;
    }
    match operation.input() {
        Some(shape) => read_structure(Dialect::of(operation), &shape, &root),
        None => Ok(Value::object()),
    }
}

fn read_structure(dialect: Dialect, shape: &Shape, node: &Node) -> Result<Value, String> {
    let mut members = Map::new();
    for member in shape.members() {
        let name = dialect.name(&member);
        if let Some(child) = node.children.get(&name)
            && let Some(found) =
                read(dialect, &member.shape(), child, dialect.is_flat(&member), &name)?
        {
            members.insert(member.name(), found);
        }
    }
    Ok(members.into())
}

fn read(
    dialect: Dialect,
    shape: &Shape,
    node: &Node,
    flat: bool,
    name: &str,
) -> Result<Option<Value>, String> {
    match shape.kind() {
        Kind::Structure => read_structure(dialect, shape, node).map(Some),
        Kind::List => {
            let items = if flat { Some(node) } else { node.children.get(shape.element_name()) };
            let items = items.or_else(|| node.children.get("member"));
            let Some(element) = shape.element() else { return Ok(None) };
            let mut found = Vec::new();
            for item in items.map(Node::numbered).unwrap_or_default() {
                found.extend(read(dialect, &element, item, dialect.has_flat_lists(), name)?);
            }
            // `Tags=` says: an empty list.
            let given = items.is_some() || node.text.is_some();
            Ok(given.then(|| Value::from(found)))
        }
        Kind::Map => read_map(dialect, shape, node, flat, name).map(Some),
        kind => match node.text.as_deref() {
            None => Ok(None),
            Some("") if kind != Kind::String && kind != Kind::Blob => Ok(None),
            Some(text) => match scalar::parse(shape, text) {
                Ok(value) => Ok(Some(value)),
                Err(wanted) => Err(format!("The parameter {name} is not a valid {wanted}: {text}")),
            },
        },
    }
}

fn read_map(
    dialect: Dialect,
    shape: &Shape,
    node: &Node,
    flat: bool,
    name: &str,
) -> Result<Value, String> {
    let entries = if flat { Some(node) } else { node.children.get("entry") };
    let (key_name, value_name) = shape.entry_names();
    let mut map = Map::new();
    for entry in entries.map(Node::numbered).unwrap_or_default() {
        let key = entry.children.get(key_name).and_then(|key| key.text.clone());
        let value = entry.children.get(value_name);
        if let (Some(key), Some(value), Some(element)) = (key, value, shape.element())
            && let Some(value) = read(dialect, &element, value, false, name)?
        {
            map.insert(key, value);
        }
    }
    Ok(map.into())
}

/// Writes an answer.
pub(crate) fn encode(operation: Operation, output: &Value, request_id: &str) -> Response {
    let name = operation.name();
    let namespace = operation.service().xml_namespace().unwrap_or_default();
    let request_id = xml::escape(request_id);
    let mut body = format!("<{name}Response xmlns=\"{namespace}\">\n");
    if Dialect::of(operation) == Dialect::Ec2 {
        body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}");
        // Writing into a String cannot fail.
        let _ = write!(body, "<requestId>{request_id}</requestId>");
    }
    if let Some(shape) = operation.output() {
        match operation.result_wrapper() {
            Some(wrapper) => xml::encode(&mut body, wrapper, "", &shape, output, 0),
            None => xml::encode_members(&mut body, &shape, output, 0),
        }
        body.push('\n');
    }
    if Dialect::of(operation) == Dialect::Query {
        let _ = writeln!(
            body,
            "<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
        );
    }
    let _ = writeln!(body, "</{name}Response>");
    Response {
        status: operation.status(),
        headers: vec![
            ("content-type", "text/xml;charset=UTF-8".to_owned()),
            ("x-amzn-requestid", request_id),
        ],
        body: body.into_bytes(),
    }
}

/// Writes a form, as a client.
pub(crate) fn encode_form(operation: Operation, input: &Value) -> String {
    let mut pairs = vec![
        ("Action".to_owned(), operation.name().to_owned()),
        ("Version".to_owned(), operation.service().api_version().to_owned()),
    ];
    if let Some(shape) = operation.input() {
        write_structure(Dialect::of(operation), &shape, input, "", &mut pairs);
    }
    let pairs = pairs.iter();
    let pairs: Vec<String> = pairs
        .map(|(name, text)| format!("{}={}", percent_encode(name), percent_encode(text)))
        .collect();
    pairs.join("&")
}

type Pairs = Vec<(String, String)>;

fn write_structure(dialect: Dialect, shape: &Shape, given: &Value, prefix: &str, out: &mut Pairs) {
    for member in shape.members() {
        match given.get(member.name()) {
            None | Some(Value::Null) => {}
            Some(value) => {
                let name = format!("{prefix}{}", dialect.name(&member));
                write(dialect, &member.shape(), value, &name, dialect.is_flat(&member), out);
            }
        }
    }
}

fn write(dialect: Dialect, shape: &Shape, given: &Value, name: &str, flat: bool, out: &mut Pairs) {
    match (shape.kind(), given, shape.element()) {
        (Kind::Structure, given, _) => {
            write_structure(dialect, shape, given, &format!("{name}."), out);
        }
        (Kind::List, Value::Array(items), Some(element)) => {
            if items.is_empty() && dialect == Dialect::Query {
                out.push((name.to_owned(), String::new()));
            }
            let middle = if flat { String::new() } else { format!(".{}", shape.element_name()) };
            for (number, item) in (1..).zip(items.iter()) {
                let name = format!("{name}{middle}.{number}");
                write(dialect, &element, item, &name, dialect.has_flat_lists(), out);
            }
        }
        (Kind::Map, Value::Object(entries), Some(element)) => {
            let (key_name, value_name) = shape.entry_names();
            let middle = if flat { "" } else { ".entry" };
            for (number, (key, value)) in (1..).zip(entries.iter()) {
                out.push((format!("{name}{middle}.{number}.{key_name}"), key.to_string()));
                let name = format!("{name}{middle}.{number}.{value_name}");
                write(dialect, &element, value, &name, false, out);
            }
        }
        (_, given, _) => {
            out.push((name.to_owned(), scalar::print(shape, given, TimeFormat::Iso8601)));
        }
    }
}

/// Reads an answer, as a client.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn decode_answer(operation: Operation, body: &[u8]) -> Result<Value, String> {
    let Some(shape) = operation.output() else { return Ok(Value::object()) };
    let root = xml::parse(&String::from_utf8_lossy(body))?;
    let within: Option<&Element> = match operation.result_wrapper() {
        Some(wrapper) => root.child(wrapper),
        None => Some(&root),
    };
    match within {
        Some(element) => xml::decode_members(&shape, element).map(Value::from),
        None => Ok(Value::object()),
    }
}
