//! Two patterns of `*` and `?` against each other.

/// The longest pattern that is compared; longer ones count as comparable with anything.
const PATTERN_CHARACTERS_MAX: usize = 2_048;

/// Returns whether some text matches both patterns.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    compare(one, other, |left, right| left == right || left == '?' || right == '?', Stars::Both)
}

/// Returns whether `wide` matches every text that `narrow` matches.
pub(super) fn covers(wide: &str, narrow: &str) -> bool {
    let pair = |left, right| left == right || (left == '?' && right != '*');
    compare(wide, narrow, pair, Stars::First)
}

/// Whose stars stand for any text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stars {
    Both,
    First,
}

/// Fills, row by row, which beginning of `one` goes with which beginning of `other`.
fn compare(one: &str, other: &str, pair: impl Fn(char, char) -> bool, stars: Stars) -> bool {
    let other: Vec<char> = other.chars().collect();
    if PATTERN_CHARACTERS_MAX < one.len().max(other.len()) {
        return stars == Stars::Both;
    }
    let is_star = |right: char| right == '*' && stars == Stars::Both;
    let mut before: Vec<bool> = vec![true];
    for right in &other {
        let so_far = before.last() == Some(&true);
        before.push(so_far && is_star(*right));
    }
    for left in one.chars() {
        let mut row = vec![left == '*' && before.first() == Some(&true)];
        for (at, right) in other.iter().enumerate() {
            let known = |row: &[bool], at: usize| row.get(at) == Some(&true);
            let (diagonal, up, back) =
                (known(&before, at), known(&before, at + 1), known(&row, at));
            let by_star = (left == '*' || is_star(*right)) && (up || back);
            row.push(by_star || (diagonal && left != '*' && pair(left, *right)));
        }
        before = row;
    }
    before.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_meet() {
        for (one, other, met) in [
            ("a*", "*b", true),
            ("a*", "b*", false),
            ("arn:aws:s3:::b/*", "arn:*:s3:::*/*", true),
            ("arn:aws:s3:::b", "arn:*:s3:::*/*", false),
            ("a?c", "ab*", true),
            ("", "*", true),
            ("", "?", false),
            ("*a*", "*b*", true),
        ] {
            assert_eq!(overlap(one, other), met, "{one} {other}");
            assert_eq!(overlap(other, one), met, "{other} {one}");
        }
    }

    #[test]
    fn a_wide_pattern_covers_a_narrow_one() {
        for (wide, narrow, covered) in [
            ("*", "a*b", true),
            ("s3:*", "s3:get*", true),
            ("s3:get*", "s3:*", false),
            ("a?", "a*", false),
            ("a*", "a?", true),
            ("a*c", "ab*c", true),
            ("a*c", "a*", false),
            ("abc", "abc", true),
            ("??", "?a", true),
        ] {
            assert_eq!(covers(wide, narrow), covered, "{wide} {narrow}");
        }
    }
}
