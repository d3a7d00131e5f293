//! Names that were probably meant.

/// The longest name that is compared, in characters.
const NAME_CHARACTERS_MAX: usize = 128;

/// Returns the candidate that differs least from what is written, case apart, if one is near.
pub(super) fn nearest<'c>(
    written: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let wanted: Vec<char> = written.to_lowercase().chars().take(NAME_CHARACTERS_MAX).collect();
    // A third of the letters may be wrong, but no word is near to a short one.
    let changes_max = wanted.len() / 3;
    let measured = candidates.into_iter().map(|name| (distance(&wanted, name), name));
    let (changes, name) = measured.min_by_key(|(changes, _)| *changes)?;
    (changes <= changes_max).then_some(name)
}

/// Returns how many letters must be changed, added, taken away or swapped with their neighbour.
fn distance(wanted: &[char], name: &str) -> usize {
    let name: Vec<char> = name.to_lowercase().chars().take(NAME_CHARACTERS_MAX).collect();
    let mut earlier: Vec<usize> = Vec::new();
    let mut before: Vec<usize> = (0..=name.len()).collect();
    for (line, letter) in wanted.iter().enumerate() {
        let mut row = vec![line + 1];
        for (at, other) in name.iter().enumerate() {
            let cost = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
            let replaced = cost(&before, at) + usize::from(letter != other);
            let mut least = replaced.min(cost(&before, at + 1) + 1).min(cost(&row, at) + 1);
            let swapped = at > 0
                && line > 0
                && wanted.get(line - 1) == Some(other)
                && name.get(at - 1) == Some(letter);
            if swapped {
                least = least.min(cost(&earlier, at - 1) + 1);
            }
            row.push(least);
        }
        earlier = std::mem::replace(&mut before, row);
    }
    before.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_if_it_is_near() {
        let names = ["GetObject", "GetObjectAcl", "PutObject"];
        assert_eq!(nearest("getobjetc", names), Some("GetObject"));
        assert_eq!(nearest("Fetch", names), None);
        assert_eq!(nearest("ec", ["ec2"]), None);
    }
}
