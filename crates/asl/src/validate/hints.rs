//! What could have been meant.

/// How many letters may differ between what was written and what was meant.
const EDITS_MAX: usize = 3;

/// Returns a hint that names the candidate closest to `written`, if one is close.
pub(super) fn did_you_mean<'c>(
    written: &str,
    candidates: impl Iterator<Item = &'c str>,
) -> Option<String> {
    let ranked = candidates.map(|candidate| (edits(written, candidate), candidate));
    let (distance, nearest) = ranked.min()?;
    // A short word is not close to everything.
    let close = distance <= EDITS_MAX && distance * 2 < written.chars().count();
    close.then(|| format!("did you mean `{nearest}`?"))
}

/// Returns how many letters must be added, removed or replaced, letter case aside.
fn edits(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, from) in left.to_lowercase().chars().enumerate() {
        let mut corner = line;
        let mut before = line + 1;
        let mut next = vec![before];
        for (above, to) in row.iter().skip(1).zip(&right) {
            let replaced = corner + usize::from(from != *to);
            before = replaced.min(before + 1).min(above + 1);
            corner = *above;
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn near_names_are_offered_and_far_ones_are_not() {
        let names = ["WaitForAutomation", "Done"];
        let hint = |written| did_you_mean(written, names.into_iter());
        assert_eq!(hint("waitForAutomatoin").as_deref(), Some("did you mean `WaitForAutomation`?"));
        assert_eq!(hint("done").as_deref(), Some("did you mean `Done`?"));
        assert_eq!(hint("Nope"), None);
    }
}
