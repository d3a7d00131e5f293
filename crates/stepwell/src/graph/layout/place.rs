//! Where things are from left to right: as near to their neighbours as the order allows.

use super::layers::{Item, Layers};

/// How often all layers are gone through.
const ROUNDS: usize = 8;
/// How much straighter an edge is kept where it passes layers.
const VIA_WEIGHT: f64 = 4.0;

/// Returns the centre of every item; nothing is left of zero, and no two of a layer are closer to
/// each other than `gap`.
pub(super) fn centres(
    layers: &Layers,
    orders: &[Vec<usize>],
    widths: &[f64],
    gap: f64,
) -> Vec<f64> {
    let mut centres = vec![0.0; layers.items.len()];
    let mut above: Vec<Vec<usize>> = vec![Vec::new(); layers.items.len()];
    let mut below = above.clone();
    for (upper, lower) in &layers.links {
        if let (Some(down), Some(up)) = (below.get_mut(*upper), above.get_mut(*lower)) {
            down.push(*lower);
            up.push(*upper);
        }
    }
    let width = |item: usize| widths.get(item).copied().unwrap_or_default();
    for round in 0..=ROUNDS {
        // The last round looks both ways.
        let sides: &[&Vec<Vec<usize>>] = match round {
            ROUNDS => &[&above, &below],
            _ if round % 2 == 0 => &[&above],
            _ => &[&below],
        };
        let mut settle = |order: &Vec<usize>| {
            let wanted = order.iter().map(|item| wanted(layers, sides, &centres, *item));
            let wanted: Vec<(f64, f64)> = wanted.collect();
            let sizes: Vec<f64> = order.iter().map(|item| width(*item)).collect();
            for (item, x) in order.iter().zip(spread(&wanted, &sizes, gap)) {
                if let Some(centre) = centres.get_mut(*item) {
                    *centre = x;
                }
            }
        };
        if round % 2 == 0 {
            orders.iter().for_each(&mut settle);
        } else {
            orders.iter().rev().for_each(&mut settle);
        }
    }
    let lefts = centres.iter().enumerate().map(|(item, centre)| centre - width(item) / 2.0);
    let left = lefts.fold(f64::INFINITY, f64::min);
    centres.iter().map(|centre| centre - left).collect()
}

/// Returns where an item would like to be, and how much.
fn wanted(layers: &Layers, sides: &[&Vec<Vec<usize>>], centres: &[f64], item: usize) -> (f64, f64) {
    let passes = |item: usize| layers.items.get(item) == Some(&Item::Via);
    let (mut sum, mut weight) = (0.0, 0.0);
    for other in sides.iter().filter_map(|side| side.get(item)).flatten() {
        let w = if passes(item) && passes(*other) { VIA_WEIGHT } else { 1.0 };
        sum += centres.get(*other).copied().unwrap_or_default() * w;
        weight += w;
    }
    if weight == 0.0 {
        let own = centres.get(item).copied().unwrap_or_default();
        // It goes where there is room.
        return (own, 0.01);
    }
    (sum / weight, weight)
}

/// Returns places in this order, `gap` apart, with the least sum of squared distances to the wanted
/// ones: neighbours that are too close are joined to a block around their mean.
fn spread(wanted: &[(f64, f64)], sizes: &[f64], gap: f64) -> Vec<f64> {
    struct Block {
        sum: f64,
        weight: f64,
        count: usize,
    }
    let mut offsets = Vec::with_capacity(sizes.len());
    let mut offset = 0.0;
    for (index, size) in sizes.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| sizes.get(before));
        offset += before.map_or(0.0, |before| (before + size) / 2.0 + gap);
        offsets.push(offset);
    }
    let mut blocks: Vec<Block> = Vec::new();
    for ((x, weight), offset) in wanted.iter().zip(&offsets) {
        let mut block = Block { sum: (x - offset) * weight, weight: *weight, count: 1 };
        while let Some(last) =
            blocks.pop_if(|last| last.sum / last.weight > block.sum / block.weight)
        {
            block.sum += last.sum;
            block.weight += last.weight;
            block.count += last.count;
        }
        blocks.push(block);
    }
    let starts =
        blocks.iter().flat_map(|block| std::iter::repeat_n(block.sum / block.weight, block.count));
    starts.zip(&offsets).map(|(start, offset)| start + offset).collect()
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn what_is_too_close_is_moved_apart_around_its_mean() {
        let even = |wanted: &[f64]| {
            let wanted: Vec<(f64, f64)> = wanted.iter().map(|x| (*x, 1.0)).collect();
            spread(&wanted, &vec![8.0; wanted.len()], 2.0)
        };
        assert_eq!(even(&[0.0, 100.0]), [0.0, 100.0]);
        assert_eq!(even(&[50.0, 50.0]), [45.0, 55.0]);
        assert_eq!(even(&[0.0, 50.0, 45.0]), [0.0, 42.5, 52.5]);
    }
}
