//! State machines of CloudFormation and SAM templates.
//!
//! AWS pages: "AWS::StepFunctions::StateMachine", "AWS::Serverless::StateMachine" (read
//! 2026-11-25).

use asl::{Node, NodeKind, StateMachineType};

use super::placeholders::Assembled;
use super::yaml::TAG_PREFIX;

/// A state machine of a template.
pub(super) struct Declared<'n> {
    pub(super) logical_id: &'n str,
    pub(super) machine_type: StateMachineType,
    pub(super) definition: Definition<'n>,
}

/// Where its definition is.
pub(super) enum Definition<'n> {
    /// In the template, as an object.
    Object(&'n Node),
    /// In the template, as a text.
    Text(Assembled),
    /// In a file beside the template.
    File(&'n str),
    /// Elsewhere: in a bucket, or computed.
    Elsewhere,
}

/// Returns the state machines of a template.
pub(super) fn machines<'n>(file: &str, template: &'n Node) -> Vec<Declared<'n>> {
    let resources = template.get("Resources").map(Node::members).unwrap_or_default();
    let machines = resources.iter().filter_map(|resource| {
        let names = match resource.node.get("Type")?.as_str().map(|name| &**name)? {
            "AWS::StepFunctions::StateMachine" => CLOUDFORMATION,
            "AWS::Serverless::StateMachine" => SAM,
            _ => return None,
        };
        let properties = resource.node.get("Properties")?;
        let kind = properties.get(names.machine_type).and_then(Node::as_str);
        let express = kind.is_some_and(|kind| &**kind == "EXPRESS");
        Some(Declared {
            logical_id: &resource.key,
            machine_type: if express {
                StateMachineType::Express
            } else {
                StateMachineType::Standard
            },
            definition: definition(file, properties, &names),
        })
    });
    machines.collect()
}

/// How a resource type calls its properties.
struct Names {
    machine_type: &'static str,
    text: Option<&'static str>,
    uri: Option<&'static str>,
}

const CLOUDFORMATION: Names =
    Names { machine_type: "StateMachineType", text: Some("DefinitionString"), uri: None };
const SAM: Names = Names { machine_type: "Type", text: None, uri: Some("DefinitionUri") };

fn definition<'n>(file: &str, properties: &'n Node, names: &Names) -> Definition<'n> {
    if let Some(node) = properties.get("Definition") {
        return match intrinsic(node) {
            None => Definition::Object(node),
            Some(_) => Definition::Elsewhere,
        };
    }
    if let Some(node) = names.text.and_then(|name| properties.get(name)) {
        let mut text = Assembled::default();
        return if assemble(file, node, &mut text) {
            Definition::Text(text)
        } else {
            Definition::Elsewhere
        };
    }
    let uri = names.uri.and_then(|name| properties.get(name)).and_then(Node::as_str);
    match uri {
        Some(uri) if !uri.contains("://") => Definition::File(uri),
        Some(_) | None => Definition::Elsewhere,
    }
}

/// Returns the name and the argument of an intrinsic function.
pub(crate) fn intrinsic(node: &Node) -> Option<(&str, &Node)> {
    let [member] = node.members() else { return None };
    let function = member.key.starts_with(TAG_PREFIX) || &*member.key == "Ref";
    function.then_some((&*member.key, &member.node))
}

/// Writes the text that a node gives when the template is deployed; what is computed is left open.
fn assemble(file: &str, node: &Node, out: &mut Assembled) -> bool {
    if let Some(text) = node.as_str() {
        out.push(file, node.span, text);
        return true;
    }
    match intrinsic(node) {
        Some(("Fn::Sub", argument)) => {
            let text = argument.as_array().and_then(<[Node]>::first).unwrap_or(argument);
            assemble(file, text, out)
        }
        Some(("Fn::Join", argument)) => match argument.as_array() {
            Some([separator, parts]) => join(file, separator, parts, out),
            _ => false,
        },
        _ => false,
    }
}

fn join(file: &str, separator: &Node, parts: &Node, out: &mut Assembled) -> bool {
    let (Some(separator), Some(parts)) = (separator.as_str(), parts.as_array()) else {
        return false;
    };
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            out.text.push_str(separator);
            out.places.extend(separator.chars().map(|_| part.span.start));
        }
        match part.kind {
            NodeKind::String(_) => {
                assemble(file, part, out);
            }
            NodeKind::Scalar(_) | NodeKind::Array(_) | NodeKind::Object(_) => {
                out.push_unknown(part.span);
            }
        }
    }
    true
}
