//! A place in a text as people see it: the line, and a ruler below what is meant.

use unicode_width::UnicodeWidthChar;

use super::paint::{Meaning, Paint};

/// How many columns of a line are shown; machines on one long line are cut around the place.
const COLUMNS_MAX: usize = 100;
/// How many columns are kept before the place where a line is cut.
const COLUMNS_BEFORE: usize = 40;
/// What stands for what was cut off.
const CUT: char = '…';

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// 1-based.
    pub(super) line: usize,
    /// 1-based, counted in characters.
    pub(super) column: usize,
    /// How many characters of the line are meant.
    pub(super) characters: usize,
}

/// Returns the line of a place with a ruler below it; `label` is written behind the ruler.
pub(super) fn excerpt(text: &str, place: Place, label: &str, paint: Paint) -> String {
    let line = text.lines().nth(place.line.saturating_sub(1)).unwrap_or_default();
    let before = place.column.saturating_sub(1);
    let shown = Shown::of(line, before, place.characters);
    let number = place.line.to_string();
    let margin = " ".repeat(number.len());
    let bar = paint.text("|", Meaning::Quiet);
    let ruler = format!("{}{}", "^".repeat(shown.marked), spaced(label));
    format!(
        "{margin} {bar}\n{} {bar} {}\n{margin} {bar} {}{}\n",
        paint.text(&number, Meaning::Quiet),
        shown.text,
        " ".repeat(shown.before),
        paint.text(&ruler, Meaning::Bad),
    )
}

fn spaced(label: &str) -> String {
    if label.is_empty() { String::new() } else { format!(" {label}") }
}

/// The part of a line that is shown, in columns of a terminal.
struct Shown {
    text: String,
    before: usize,
    marked: usize,
}

impl Shown {
    fn of(line: &str, before: usize, characters: usize) -> Shown {
        let chars: Vec<char> = line.chars().map(visible).collect();
        let before = before.min(chars.len());
        let start = if columns(&chars) <= COLUMNS_MAX { 0 } else { first_kept(&chars, before) };
        let mut text = String::new();
        if start > 0 {
            text.push(CUT);
        }
        let (mut used, mut end) = (usize::from(start > 0), start);
        let kept = chars.get(start..).unwrap_or_default();
        for next in kept {
            let wide = width(*next);
            if used + wide > COLUMNS_MAX {
                text.push(CUT);
                break;
            }
            text.push(*next);
            used += wide;
            end += 1;
        }
        let lead = chars.get(start..before).unwrap_or_default();
        let marked = chars.get(before..(before + characters).min(end)).unwrap_or_default();
        Shown {
            text,
            before: columns(lead) + usize::from(start > 0),
            marked: columns(marked).max(1),
        }
    }
}

/// Returns the index of the first character that is shown before `place`.
fn first_kept(chars: &[char], place: usize) -> usize {
    let mut used = 0;
    let mut start = place;
    while let Some(previous) = start.checked_sub(1).and_then(|index| chars.get(index)) {
        used += width(*previous);
        if used > COLUMNS_BEFORE {
            break;
        }
        start -= 1;
    }
    start
}

/// What a terminal would act on is shown as a space.
fn visible(found: char) -> char {
    if found.is_control() { ' ' } else { found }
}

fn width(found: char) -> usize {
    found.width().unwrap_or_default()
}

fn columns(chars: &[char]) -> usize {
    chars.iter().map(|found| width(*found)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, column: usize, characters: usize) -> String {
        let line = text.lines().count();
        excerpt(text, Place { line, column, characters }, "here", Paint::Plain)
    }

    #[test]
    fn the_ruler_stands_below_what_is_meant() {
        assert_eq!(
            shown("a\nlet x = oops;", 9, 4),
            "  |\n2 | let x = oops;\n  |         ^^^^ here\n"
        );
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(shown("営業 部 x", 4, 1), "  |\n1 | 営業 部 x\n  |      ^^ here\n");
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!("{}@@{}", "a".repeat(500), "b".repeat(500));
        let lines = shown(&text, 501, 2);
        let lines: Vec<&str> = lines.lines().collect();
        let at = lines[1].chars().position(|c| c == '@').unwrap();
        assert_eq!(lines[2].chars().position(|c| c == '^'), Some(at));
        assert!(lines[1].contains("…aaaa") && lines[1].ends_with("b…"), "{lines:?}");
        assert!(lines[1].chars().count() < 110);
    }

    #[test]
    fn no_place_is_outside() {
        for (column, characters) in [(0, 0), (1, 100), (99, 1), (4, 0)] {
            assert!(shown("abc", column, characters).contains('^'));
        }
        assert!(
            excerpt("", Place { line: 9, column: 9, characters: 9 }, "", Paint::Plain)
                .contains('^')
        );
    }
}
