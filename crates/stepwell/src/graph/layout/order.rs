//! The order within each layer: neighbours near each other, so that few edges cross.

use super::layers::Layers;

/// How often all layers are gone through; machines with very many edges get fewer rounds.
const ROUNDS_MAX: usize = 12;
const ROUNDS_OF_LARGE: usize = 2;
/// From how many items a machine is large.
const LARGE_ITEMS: usize = 20_000;

/// Returns the items of every layer, from left to right.
pub(super) fn order(layers: &Layers) -> Vec<Vec<usize>> {
    let mut orders = first(layers);
    let links = Links::of(layers);
    let mut best = (links.crossings(&orders), orders.clone());
    let rounds = if layers.items.len() > LARGE_ITEMS { ROUNDS_OF_LARGE } else { ROUNDS_MAX };
    for round in 0..rounds {
        if best.0 == 0 {
            break;
        }
        let mut places = links.places(&orders);
        let neighbours = if round % 2 == 0 { &links.above } else { &links.below };
        let mut sort = |order: &mut Vec<usize>| {
            let mut keyed: Vec<(f64, usize)> = order
                .iter()
                .enumerate()
                .map(|(index, item)| (mean(neighbours, &places, *item, index), *item))
                .collect();
            keyed.sort_by(|one, other| one.0.total_cmp(&other.0));
            *order = keyed.into_iter().map(|(_, item)| item).collect();
            set_places(&mut places, order);
        };
        if round % 2 == 0 {
            orders.iter_mut().for_each(&mut sort);
        } else {
            orders.iter_mut().rev().for_each(&mut sort);
        }
        let crossings = links.crossings(&orders);
        if crossings < best.0 {
            best = (crossings, orders.clone());
        }
    }
    best.1
}

/// The order in which things were met.
fn first(layers: &Layers) -> Vec<Vec<usize>> {
    let mut orders = vec![Vec::new(); layers.count];
    let mut put = |item: usize| {
        let layer = layers.layer_of.get(item).copied();
        if let Some(order) = layer.and_then(|layer| orders.get_mut(layer)) {
            order.push(item);
        }
    };
    layers.met.iter().copied().for_each(&mut put);
    layers.chains.iter().flat_map(|chain| &chain.items).copied().for_each(put);
    orders
}

struct Links {
    above: Vec<Vec<usize>>,
    below: Vec<Vec<usize>>,
}

impl Links {
    fn of(layers: &Layers) -> Links {
        let none = vec![Vec::new(); layers.items.len()];
        let mut links = Links { above: none.clone(), below: none };
        for (upper, lower) in &layers.links {
            if let Some(below) = links.below.get_mut(*upper) {
                below.push(*lower);
            }
            if let Some(above) = links.above.get_mut(*lower) {
                above.push(*upper);
            }
        }
        links
    }

    fn places(&self, orders: &[Vec<usize>]) -> Vec<usize> {
        let mut places = vec![0; self.above.len()];
        for order in orders {
            set_places(&mut places, order);
        }
        places
    }

    fn crossings(&self, orders: &[Vec<usize>]) -> usize {
        let places = self.places(orders);
        let place = |item: &usize| places.get(*item).copied().unwrap_or_default();
        let between = orders.iter().map(|order| {
            let targets = order.iter().flat_map(|item| {
                let mut below: Vec<usize> =
                    self.below.get(*item).into_iter().flatten().map(place).collect();
                below.sort_unstable();
                below
            });
            inversions(&mut targets.collect::<Vec<_>>())
        });
        between.sum()
    }
}

fn set_places(places: &mut [usize], order: &[usize]) {
    for (index, item) in order.iter().enumerate() {
        if let Some(place) = places.get_mut(*item) {
            *place = index;
        }
    }
}

/// Returns the mean place of an item's neighbours; its own where it has none.
#[expect(clippy::cast_precision_loss, reason = "places are small")]
fn mean(neighbours: &[Vec<usize>], places: &[usize], item: usize, own: usize) -> f64 {
    let all = neighbours.get(item).map(Vec::as_slice).unwrap_or_default();
    if all.is_empty() {
        return own as f64;
    }
    let sum: usize = all.iter().filter_map(|other| places.get(*other)).sum();
    sum as f64 / all.len() as f64
}

/// Counts the pairs that are in the wrong order, while it sorts.
fn inversions(numbers: &mut Vec<usize>) -> usize {
    if numbers.len() < 2 {
        return 0;
    }
    let mut right = numbers.split_off(numbers.len() / 2);
    let mut count = inversions(numbers) + inversions(&mut right);
    let left = std::mem::take(numbers);
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    loop {
        match (left.peek(), right.peek()) {
            (Some(one), Some(other)) if one > other => {
                count += left.len();
                numbers.extend(right.next());
            }
            (Some(_), _) => numbers.extend(left.next()),
            (None, _) => break,
        }
    }
    numbers.extend(right);
    count
}

#[cfg(test)]
mod tests {
    use super::inversions;

    #[test]
    fn every_pair_in_the_wrong_order_is_counted() {
        assert_eq!(inversions(&mut vec![1, 2, 3]), 0);
        assert_eq!(inversions(&mut vec![3, 2, 1]), 3);
        assert_eq!(inversions(&mut vec![2, 2, 0, 1]), 4);
    }
}
