//! A definition as states and the edges between them; what is wrong in it is left out.

use std::collections::HashMap;

use value::Value;

use super::label;
use super::progress::{Progress, Status};

/// How deeply groups are shown; deeper ones are drawn as plain states.
const DEPTH_MAX: usize = 32;

/// One machine: the whole one, a branch or an item processor.
#[derive(Debug, Default)]
pub(super) struct Machine {
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
}

/// Something that edges lead to and from.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) name: String,
    /// What is written below the name.
    pub(super) caption: String,
    /// What is shown when one points at it.
    pub(super) comment: String,
    /// The branches of a Parallel, the item processor of a Map.
    pub(super) inside: Vec<Machine>,
    /// What became of it in an execution.
    pub(super) status: Option<Status>,
}

/// What a [`Node`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Start,
    End,
    State,
    Choice,
    Succeed,
    Fail,
}

/// A way from one node to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    /// A short text.
    pub(super) label: String,
    /// The whole text, where the label is cut.
    pub(super) comment: String,
    pub(super) line: Line,
}

/// How an edge is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Solid,
    /// What is caught.
    Dashed,
}

/// Reads a whole definition, with its start and its end.
pub(super) fn machine(definition: &Value) -> Machine {
    let mut machine = states(definition, 0);
    let pseudo = |kind, name: &str| Node {
        kind,
        name: name.to_owned(),
        caption: String::new(),
        comment: String::new(),
        inside: Vec::new(),
        status: None,
    };
    let start_at = text(definition, "StartAt");
    let first = machine.nodes.iter().position(|node| node.name == start_at);
    let terminal = |name: &str| {
        let state = definition.get("States").and_then(|states| states.get(name));
        state.is_some_and(is_terminal)
    };
    let ends: Vec<usize> = machine
        .nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| terminal(&node.name))
        .map(|(index, _)| index)
        .collect();
    let (start, end) = (machine.nodes.len(), machine.nodes.len() + 1);
    machine.nodes.push(pseudo(Kind::Start, "Start"));
    machine.edges.extend(first.map(|first| plain(start, first)));
    if !ends.is_empty() {
        machine.nodes.push(pseudo(Kind::End, "End"));
        machine.edges.extend(ends.into_iter().map(|last| plain(last, end)));
    }
    machine
}

fn plain(from: usize, to: usize) -> Edge {
    Edge { from, to, label: String::new(), comment: String::new(), line: Line::Solid }
}

fn is_terminal(state: &Value) -> bool {
    state.get("End").and_then(Value::as_bool) == Some(true)
        || matches!(text(state, "Type"), "Succeed" | "Fail")
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn states(definition: &Value, depth: usize) -> Machine {
    let mut machine = Machine::default();
    let Some(states) = definition.get("States").and_then(Value::as_object) else { return machine };
    let places: HashMap<&str, usize> =
        states.iter().enumerate().map(|(index, (name, _))| (&**name, index)).collect();
    for (index, (name, state)) in states.iter().enumerate() {
        machine.nodes.push(node(name, state, depth));
        let mut lead = |target: &Value, member: &str, text: String, line: Line| {
            let to = target.get(member).and_then(Value::as_str).and_then(|to| places.get(to));
            machine.edges.extend(to.map(|to| Edge {
                from: index,
                to: *to,
                label: label::short(&text),
                comment: text,
                line,
            }));
        };
        lead(state, "Next", String::new(), Line::Solid);
        for rule in entries(state, "Choices") {
            lead(rule, "Next", label::condition(rule, 0), Line::Solid);
        }
        lead(state, "Default", "Default".to_owned(), Line::Solid);
        for catcher in entries(state, "Catch") {
            lead(catcher, "Next", label::caught(catcher), Line::Dashed);
        }
    }
    machine
}

fn entries<'v>(state: &'v Value, name: &str) -> &'v [Value] {
    state.get(name).and_then(Value::as_array).unwrap_or_default()
}

fn node(name: &str, state: &Value, depth: usize) -> Node {
    let kind = match text(state, "Type") {
        "Choice" => Kind::Choice,
        "Succeed" => Kind::Succeed,
        "Fail" => Kind::Fail,
        _ => Kind::State,
    };
    let inside = if depth < DEPTH_MAX { inside(state, depth) } else { Vec::new() };
    Node {
        kind,
        name: name.to_owned(),
        caption: label::caption(state),
        comment: text(state, "Comment").to_owned(),
        inside,
        status: None,
    }
}

/// Marks what an execution has entered. What is within a Parallel or Map that has ended
/// (`is_over`) is not running any more, though its own end is in no history.
pub(super) fn mark(machine: &mut Machine, progress: &Progress, is_over: bool) {
    for node in &mut machine.nodes {
        let known =
            progress.mark(&node.name).filter(|_| !matches!(node.kind, Kind::Start | Kind::End));
        let status = known.map(|mark| match mark.status {
            Status::Running if is_over => Status::Aborted,
            status => status,
        });
        if let Some(mark) = known {
            node.caption.push_str(&mark.counts());
        }
        node.status = status;
        if status.is_none() && matches!(node.kind, Kind::Succeed | Kind::Fail) {
            // Its own colour would say that it has been reached.
            node.kind = Kind::State;
        }
        let is_over = status.is_some_and(|status| status != Status::Running);
        for inside in &mut node.inside {
            self::mark(inside, progress, is_over);
        }
    }
}

fn inside(state: &Value, depth: usize) -> Vec<Machine> {
    let processors = ["ItemProcessor", "Iterator"].iter().filter_map(|name| state.get(name));
    let machines = entries(state, "Branches").iter().chain(processors);
    machines
        .map(|machine| states(machine, depth + 1))
        .filter(|machine| !machine.nodes.is_empty())
        .collect()
}
