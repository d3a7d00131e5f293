//! A place for everything: in layers, from top to bottom, with few crossings.
//!
//! Every second layer holds states; the layers between hold the labels of edges, so that a label is
//! never on top of something else. A group is laid out first, and is one large state afterwards.

mod layers;
mod order;
mod place;

use std::collections::HashMap;

use super::model::{Edge, Kind, Machine, Node};
use super::text;
use layers::{Item, Layers};

/// The size of a name, of a caption and of a label, in pixels.
pub(super) const NAME_SIZE: f64 = 13.0;
pub(super) const CAPTION_SIZE: f64 = 11.0;
pub(super) const LABEL_SIZE: f64 = 11.0;
/// The height of a line of a name.
pub(super) const NAME_LINE: f64 = 17.0;
pub(super) const CAPTION_LINE: f64 = 15.0;
const LABEL_HEIGHT: f64 = 16.0;
/// Between the edge of a box and what is in it.
const PADDING: f64 = 12.0;
const BOX_WIDTH_MIN: f64 = 90.0;
/// The diameter of the start and the end.
pub(super) const DOT: f64 = 22.0;
/// Between two layers.
const LAYER_GAP: f64 = 16.0;
/// Between two things in a layer.
const ITEM_GAP: f64 = 18.0;
/// The width of an edge that passes a layer.
const VIA_WIDTH: f64 = 4.0;
/// How far a state's way to itself reaches.
pub(super) const LOOP: f64 = 26.0;
/// Around a whole machine.
const MARGIN: f64 = 10.0;

/// A machine with a place for everything, in pixels from its top left corner.
#[derive(Debug)]
pub(super) struct Drawing<'m> {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) boxes: Vec<Placed<'m>>,
    pub(super) lines: Vec<Drawn<'m>>,
}

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rectangle {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A node with its place.
#[derive(Debug)]
pub(super) struct Placed<'m> {
    pub(super) node: &'m Node,
    pub(super) place: Rectangle,
    /// The name, as it is broken.
    pub(super) name: Vec<String>,
    /// Branches, each at its place within the box.
    pub(super) inside: Vec<(f64, f64, Drawing<'m>)>,
}

/// An edge with the points that it goes through, from its source to its target.
#[derive(Debug)]
pub(super) struct Drawn<'m> {
    pub(super) edge: &'m Edge,
    pub(super) points: Vec<(f64, f64)>,
    pub(super) label: Option<Rectangle>,
}

/// What a node needs.
struct Sized<'m> {
    width: f64,
    height: f64,
    /// The room to its right for edges to itself.
    loops: f64,
    name: Vec<String>,
    inside: Vec<(f64, f64, Drawing<'m>)>,
}

/// Finds a place for everything of a machine.
pub(super) fn layout(machine: &Machine) -> Drawing<'_> {
    let sized: Vec<Sized<'_>> =
        machine.nodes.iter().enumerate().map(|(index, node)| size(machine, index, node)).collect();
    let layers = layers::layers(machine);
    let orders = order::order(&layers);
    let width = |item: &Item| match item {
        Item::Node(node) => sized.get(*node).map_or(0.0, |one| one.width + one.loops),
        Item::Label(edge) => machine.edges.get(*edge).map_or(0.0, label_width),
        Item::Via => VIA_WIDTH,
    };
    let widths: Vec<f64> = layers.items.iter().map(width).collect();
    let centres = place::centres(&layers, &orders, &widths, ITEM_GAP);
    let bands = bands(&layers, &sized);
    let across = Across { layers, centres, bands };
    let lines = across.lines(machine, &sized);
    let boxes = across.boxes(machine, sized);
    let right = |place: &Rectangle| place.x + place.width;
    let labels = lines.iter().filter_map(|line| line.label.as_ref()).map(right);
    let points = lines.iter().flat_map(|line| line.points.iter().map(|(x, _)| *x));
    let widest = boxes.iter().map(|one| right(&one.place)).chain(labels).chain(points);
    let width = widest.fold(0.0, f64::max) + MARGIN;
    let bottom = across.bands.last().map_or(0.0, |band| band.top + band.height);
    Drawing { width, height: bottom + MARGIN, boxes, lines }
}

/// Returns what a node needs.
fn size<'m>(machine: &'m Machine, index: usize, node: &'m Node) -> Sized<'m> {
    let to_itself = machine.edges.iter().filter(|edge| edge.from == index && edge.to == index);
    let to_itself: Vec<&Edge> = to_itself.collect();
    let loops = to_itself.iter().map(|edge| LOOP + label_width(edge)).fold(0.0, f64::max);
    #[expect(clippy::cast_precision_loss, reason = "a state has few edges to itself")]
    let loops_height = to_itself.len() as f64 * LABEL_HEIGHT;
    if matches!(node.kind, Kind::Start | Kind::End) {
        let name = vec![node.name.clone()];
        return Sized { width: DOT * 2.0, height: DOT, loops, name, inside: Vec::new() };
    }
    let name = text::lines(&node.name, NAME_SIZE);
    let widest = name.iter().map(|line| text::width(line, NAME_SIZE)).fold(0.0, f64::max);
    let own = widest.max(text::width(&node.caption, CAPTION_SIZE)) + 2.0 * PADDING;
    #[expect(clippy::cast_precision_loss, reason = "a name has few lines")]
    let head = name.len() as f64 * NAME_LINE + CAPTION_LINE + PADDING;
    let (mut x, mut height) = (PADDING, head.max(loops_height));
    let mut inside = Vec::with_capacity(node.inside.len());
    for machine in &node.inside {
        let drawing = layout(machine);
        height = height.max(head + drawing.height + PADDING);
        let width = drawing.width;
        inside.push((x, head, drawing));
        x += width + PADDING;
    }
    let width = own.max(BOX_WIDTH_MIN).max(if inside.is_empty() { 0.0 } else { x });
    Sized { width, height, loops, name, inside }
}

fn label_width(edge: &Edge) -> f64 {
    text::width(&edge.label, LABEL_SIZE) + 8.0
}

/// The part of the height that a layer takes.
struct Band {
    top: f64,
    height: f64,
}

fn bands(layers: &Layers, sized: &[Sized<'_>]) -> Vec<Band> {
    let mut heights = vec![0.0_f64; layers.count];
    for (item, layer) in layers.items.iter().zip(&layers.layer_of) {
        let needed = match item {
            Item::Node(node) => sized.get(*node).map_or(0.0, |one| one.height),
            Item::Label(_) => LABEL_HEIGHT,
            Item::Via => 0.0,
        };
        if let Some(height) = heights.get_mut(*layer) {
            *height = height.max(needed);
        }
    }
    let mut top = MARGIN;
    let band = heights.into_iter().map(|height| {
        let band = Band { top, height };
        top += height + LAYER_GAP;
        band
    });
    band.collect()
}

/// Everything that is known about where things are.
struct Across {
    layers: Layers,
    centres: Vec<f64>,
    bands: Vec<Band>,
}

impl Across {
    fn centre(&self, item: usize) -> f64 {
        self.centres.get(item).copied().unwrap_or_default() + MARGIN
    }

    fn band(&self, item: usize) -> &Band {
        const NONE: Band = Band { top: 0.0, height: 0.0 };
        let layer = self.layers.layer_of.get(item);
        layer.and_then(|layer| self.bands.get(*layer)).unwrap_or(&NONE)
    }

    /// Returns the box of a node; the room for its loops is to the right of it.
    fn place(&self, node: usize, size: &Sized<'_>) -> Rectangle {
        let band = self.band(node);
        Rectangle {
            x: self.centre(node) - f64::midpoint(size.width, size.loops),
            y: band.top + (band.height - size.height) / 2.0,
            width: size.width,
            height: size.height,
        }
    }

    fn boxes<'m>(&self, machine: &'m Machine, sized: Vec<Sized<'m>>) -> Vec<Placed<'m>> {
        let nodes = machine.nodes.iter().zip(sized).enumerate();
        let placed = nodes.map(|(index, (node, size))| {
            let place = self.place(index, &size);
            Placed { node, place, name: size.name, inside: size.inside }
        });
        placed.collect()
    }

    fn lines<'m>(&self, machine: &'m Machine, sized: &[Sized<'m>]) -> Vec<Drawn<'m>> {
        let mut lines = Vec::with_capacity(machine.edges.len());
        // How many labels of a node's edges to itself there are above the next one.
        let mut labels_above: HashMap<usize, f64> = HashMap::new();
        for (edge, chain) in machine.edges.iter().zip(&self.layers.chains) {
            let place = |node: usize| sized.get(node).map(|size| self.place(node, size));
            let (Some(from), Some(to)) = (place(edge.from), place(edge.to)) else { continue };
            lines.push(if edge.from == edge.to {
                let above = labels_above.entry(edge.from).or_default();
                *above += LABEL_HEIGHT;
                Self::to_itself(edge, from, *above - LABEL_HEIGHT)
            } else {
                self.through(edge, chain, from, to)
            });
        }
        lines
    }

    fn to_itself(edge: &Edge, place: Rectangle, labels_above: f64) -> Drawn<'_> {
        let Rectangle { x, y, width, height } = place;
        let (right, out) = (x + width, x + width + LOOP * 0.7);
        let points = vec![
            (right, y + height * 0.3),
            (out, y + height * 0.3),
            (out, y + height * 0.7),
            (right, y + height * 0.7),
        ];
        let label = (!edge.label.is_empty()).then(|| Rectangle {
            x: right + LOOP,
            y: y + labels_above,
            width: label_width(edge),
            height: LABEL_HEIGHT,
        });
        Drawn { edge, points, label }
    }

    /// Follows the chain of an edge, which goes from top to bottom whichever way the edge goes.
    fn through<'m>(
        &self,
        edge: &'m Edge,
        chain: &layers::Chain,
        from: Rectangle,
        to: Rectangle,
    ) -> Drawn<'m> {
        let (upper, lower) = if chain.reversed { (to, from) } else { (from, to) };
        let mut points = vec![(upper.x + upper.width / 2.0, upper.y + upper.height)];
        let mut label = None;
        for item in &chain.items {
            let (x, band) = (self.centre(*item), self.band(*item));
            if let Some(Item::Label(_)) = self.layers.items.get(*item) {
                let width = label_width(edge);
                let y = band.top + (band.height - LABEL_HEIGHT) / 2.0;
                label = Some(Rectangle { x: x - width / 2.0, y, width, height: LABEL_HEIGHT });
            }
            // Straight past what else is in the layer.
            points.push((x, band.top));
            points.push((x, band.top + band.height));
        }
        points.push((lower.x + lower.width / 2.0, lower.y));
        if chain.reversed {
            points.reverse();
        }
        points.dedup();
        Drawn { edge, points, label }
    }
}
