//! What a template computes: put as a variable that nobody knows, so that rules pass over it.

use std::sync::Arc;

use asl::{Member, Node, NodeKind};
use value::{Map, Value};

use crate::definitions::intrinsic;

/// What a computed text begins with; a number makes each another one.
const COMPUTED: &str = "${Computed";
/// What pseudo parameters stand for.
const PSEUDO: [(&str, &str); 4] = [
    ("AWS::Partition", "aws"),
    ("AWS::Region", "us-east-1"),
    ("AWS::AccountId", "123456789012"),
    ("AWS::URLSuffix", "amazonaws.com"),
];
/// How many functions may hold each other.
const DEPTH_MAX: usize = value::DEPTH_MAX;

/// Returns whether a text is computed, or a part of it.
pub(super) fn is_computed(text: &str) -> bool {
    text.contains(COMPUTED)
}

/// Returns a document without what is computed, for AWS to judge.
pub(super) fn settled(document: &Value) -> Value {
    match document {
        // Before its colons are known, a text may be any resource.
        Value::String(text) if text.starts_with(COMPUTED) => "*".into(),
        Value::Array(items) => items.iter().map(settled).collect::<Vec<_>>().into(),
        Value::Object(members) => {
            let mut map = Map::with_capacity(members.len());
            for (key, value) in members.iter() {
                map.insert(key.clone(), settled(value));
            }
            map.into()
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => document.clone(),
    }
}

/// Where in a policy a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// Where a variable may stand: resources, conditions.
    Open,
    /// Accounts, users and roles.
    Aws,
    /// Services.
    Service,
}

/// Puts variables for what a template computes.
#[derive(Default)]
pub(super) struct Computed {
    count: usize,
}

impl Computed {
    /// Returns the document of a template as it will be, as far as that can be known.
    pub(super) fn document(&mut self, node: &Node) -> Node {
        self.node(node, Within::Open, 0)
    }

    fn node(&mut self, node: &Node, within: Within, depth: usize) -> Node {
        let span = node.span;
        if depth > DEPTH_MAX {
            return Node { kind: NodeKind::String(self.unknown(within)), span };
        }
        let kind = match intrinsic(node) {
            Some(("Fn::If", argument)) => match branch(argument) {
                Some(branch) => return self.node(branch, within, depth + 1),
                None => NodeKind::String(self.unknown(within)),
            },
            Some(("Fn::Sub", argument)) => {
                let text = argument.as_array().and_then(<[Node]>::first).unwrap_or(argument);
                match text.as_str() {
                    Some(text) => NodeKind::String(self.filled(text, within)),
                    None => NodeKind::String(self.unknown(within)),
                }
            }
            Some(("Ref", argument)) => {
                let name = argument.as_str().map(|name| &**name).unwrap_or_default();
                let known = PSEUDO.iter().find(|(pseudo, _)| *pseudo == name);
                NodeKind::String(known.map_or_else(|| self.unknown(within), |(_, is)| (*is).into()))
            }
            Some(_) => NodeKind::String(self.unknown(within)),
            None => self.inside(node, within, depth),
        };
        Node { kind, span }
    }

    fn inside(&mut self, node: &Node, within: Within, depth: usize) -> NodeKind {
        match &node.kind {
            NodeKind::Array(items) => {
                let items = items.iter().filter(|item| !is_no_value(item));
                NodeKind::Array(items.map(|item| self.node(item, within, depth + 1)).collect())
            }
            NodeKind::Object(members) => {
                let members = members.iter().filter(|member| !is_no_value(&member.node));
                let members = members.map(|member| {
                    let within = match &*member.key {
                        "AWS" => Within::Aws,
                        "Service" => Within::Service,
                        _ => within,
                    };
                    let node = self.node(&member.node, within, depth + 1);
                    Member { key: member.key.clone(), key_span: member.key_span, node }
                });
                NodeKind::Object(members.collect())
            }
            NodeKind::String(text) => NodeKind::String(text.clone()),
            NodeKind::Scalar(scalar) => NodeKind::Scalar(scalar.clone()),
        }
    }

    fn unknown(&mut self, within: Within) -> Arc<str> {
        self.count += 1;
        match within {
            Within::Open => format!("{COMPUTED}{}}}", self.count).into(),
            Within::Aws => "123456789012".into(),
            Within::Service => "computed.amazonaws.com".into(),
        }
    }

    /// Fills the text of `Fn::Sub`.
    fn filled(&mut self, text: &str, within: Within) -> Arc<str> {
        let (mut filled, mut rest) = (String::new(), text);
        while let Some((before, behind)) = rest.split_once("${") {
            filled.push_str(before);
            let (name, after) = behind.split_once('}').unwrap_or((behind, ""));
            rest = after;
            let known = PSEUDO.iter().find(|(pseudo, _)| *pseudo == name);
            match (name.strip_prefix('!'), known, within) {
                (Some(literal), _, _) => filled += &["${", literal, "}"].concat(),
                (None, Some((_, is)), _) => filled.push_str(is),
                (None, None, Within::Open) => filled.push_str(&self.unknown(within)),
                // A whole ARN may stand for a principal.
                (None, None, Within::Aws | Within::Service) if before.is_empty() => {
                    return self.unknown(within);
                }
                (None, None, Within::Aws | Within::Service) => filled.push('x'),
            }
        }
        filled.push_str(rest);
        filled.into()
    }
}

/// Returns the branch of `Fn::If` that says something.
fn branch(argument: &Node) -> Option<&Node> {
    match argument.as_array() {
        Some([_, yes, no]) => Some(if is_no_value(yes) { no } else { yes }),
        _ => None,
    }
}

fn is_no_value(node: &Node) -> bool {
    let refers = |argument: &Node| argument.as_str().is_some_and(|name| &**name == "AWS::NoValue");
    match intrinsic(node) {
        Some(("Ref", argument)) => refers(argument),
        Some(("Fn::If", argument)) => argument
            .as_array()
            .is_some_and(|parts| parts.len() == 3 && parts.iter().skip(1).all(is_no_value)),
        _ => false,
    }
}
