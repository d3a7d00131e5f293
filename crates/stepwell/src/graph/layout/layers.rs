//! Which layer everything is in.

use crate::graph::model::{Kind, Machine};

/// Something that has a place in a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// A node.
    Node(usize),
    /// The label of an edge.
    Label(usize),
    /// An edge that passes.
    Via,
}

/// The items that an edge goes through, from top to bottom.
#[derive(Debug, Default)]
pub(super) struct Chain {
    pub(super) items: Vec<usize>,
    /// Whether the edge goes from bottom to top.
    pub(super) reversed: bool,
}

/// Everything in its layer.
#[derive(Debug)]
pub(super) struct Layers {
    /// The nodes first, in their order.
    pub(super) items: Vec<Item>,
    pub(super) layer_of: Vec<usize>,
    pub(super) count: usize,
    /// One for each edge; empty for an edge from a node to itself.
    pub(super) chains: Vec<Chain>,
    /// Pairs of items in neighbouring layers that are joined, the upper one first.
    pub(super) links: Vec<(usize, usize)>,
    /// The order in which the nodes were met.
    pub(super) met: Vec<usize>,
}

/// Puts everything into layers.
pub(super) fn layers(machine: &Machine) -> Layers {
    let walk = walk(machine);
    let node_layers = rank(machine, &walk);
    let mut layers = Layers {
        items: (0..machine.nodes.len()).map(Item::Node).collect(),
        layer_of: node_layers,
        count: 0,
        chains: Vec::with_capacity(machine.edges.len()),
        links: Vec::new(),
        met: walk.met,
    };
    for (index, edge) in machine.edges.iter().enumerate() {
        let reversed = walk.reversed.get(index).copied().unwrap_or_default();
        let (upper, lower) = if reversed { (edge.to, edge.from) } else { (edge.from, edge.to) };
        layers.chain(index, (upper, lower), reversed, !edge.label.is_empty());
    }
    layers.count = layers.layer_of.iter().max().map_or(0, |last| last + 1);
    layers
}

impl Layers {
    fn chain(&mut self, edge: usize, (upper, lower): (usize, usize), reversed: bool, named: bool) {
        let mut chain = Chain { items: Vec::new(), reversed };
        let layer = |node: usize| self.layer_of.get(node).copied().unwrap_or_default();
        let (first, last) = (layer(upper) + 1, layer(lower));
        // The label is next to where the edge begins.
        let label_layer = if reversed { last.saturating_sub(1) } else { first };
        let mut above = upper;
        for layer in first..last {
            let item = self.items.len();
            let label = named && layer == label_layer;
            self.items.push(if label { Item::Label(edge) } else { Item::Via });
            self.layer_of.push(layer);
            self.links.push((above, item));
            chain.items.push(item);
            above = item;
        }
        if upper != lower {
            self.links.push((above, lower));
        }
        self.chains.push(chain);
    }
}

/// What a walk through the machine found.
struct Walk {
    met: Vec<usize>,
    /// Edges that lead back to where the walk came from.
    reversed: Vec<bool>,
    /// The nodes, each before all that it leads to.
    sorted: Vec<usize>,
}

/// Walks the machine depth first, from its start.
fn walk(machine: &Machine) -> Walk {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        Not,
        Open,
        Done,
    }
    let count = machine.nodes.len();
    let mut leaving: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (index, edge) in machine.edges.iter().enumerate() {
        if let Some(edges) = leaving.get_mut(edge.from) {
            edges.push(index);
        }
    }
    let mut found =
        Walk { met: Vec::new(), reversed: vec![false; machine.edges.len()], sorted: Vec::new() };
    let mut seen = vec![Seen::Not; count];
    let start = machine.nodes.iter().position(|node| node.kind == Kind::Start);
    for root in start.into_iter().chain(0..count) {
        if seen.get(root) != Some(&Seen::Not) {
            continue;
        }
        // Each with how many of its edges have been followed.
        let mut stack = vec![(root, 0)];
        while let Some((node, followed)) = stack.last_mut() {
            let node = *node;
            if *followed == 0 && seen.get(node) == Some(&Seen::Not) {
                found.met.push(node);
                mark(&mut seen, node, Seen::Open);
            }
            let edge = leaving.get(node).and_then(|edges| edges.get(*followed)).copied();
            *followed += 1;
            let Some(edge) = edge else {
                mark(&mut seen, node, Seen::Done);
                found.sorted.push(node);
                stack.pop();
                continue;
            };
            let target = machine.edges.get(edge).map_or(node, |edge| edge.to);
            match seen.get(target) {
                Some(Seen::Not) => stack.push((target, 0)),
                Some(Seen::Open) => mark(&mut found.reversed, edge, true),
                Some(Seen::Done) | None => {}
            }
        }
    }
    found.sorted.reverse();
    found
}

fn mark<T>(all: &mut [T], index: usize, value: T) {
    if let Some(place) = all.get_mut(index) {
        *place = value;
    }
}

/// Returns the layer of every node: two below the lowest node that leads to it.
fn rank(machine: &Machine, walk: &Walk) -> Vec<usize> {
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); machine.nodes.len()];
    for (edge, reversed) in machine.edges.iter().zip(&walk.reversed) {
        let (upper, lower) = if *reversed { (edge.to, edge.from) } else { (edge.from, edge.to) };
        if upper != lower
            && let Some(all) = below.get_mut(upper)
        {
            all.push(lower);
        }
    }
    let mut layers = vec![0; machine.nodes.len()];
    for node in &walk.sorted {
        let layer = layers.get(*node).copied().unwrap_or_default();
        for lower in below.get(*node).into_iter().flatten() {
            if let Some(other) = layers.get_mut(*lower) {
                *other = (layer + 2).max(*other);
            }
        }
    }
    layers
}
