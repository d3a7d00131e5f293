//! How wide texts are, without a font: a sans-serif one of usual proportions is assumed.

use unicode_width::UnicodeWidthChar;

/// Where the lines of a name are broken, in pixels.
const LINE_WIDTH_MAX: f64 = 220.0;

/// Returns the width of a text in pixels, for a font of `size` pixels.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(|character| em(character) * size).sum()
}

/// Returns the width of a character, in ems.
fn em(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | '\'' | '|' | '!' | '.' | ',' | ':' | ';' => 0.3,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | ' ' | '-' | '/' => 0.4,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.95,
        'A'..='Z' | '&' | '·' => 0.72,
        _ => match character.width() {
            Some(0) | None => 0.0,
            Some(1) => 0.6,
            Some(_) => 1.05,
        },
    }
}

/// Breaks a text into lines that are not too wide: at a space or behind `-` and `_` where it can,
/// between two characters where it must.
pub(super) fn lines(text: &str, size: f64) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_inclusive([' ', '-', '_']) {
        if width(&line, size) + width(word.trim_end(), size) > LINE_WIDTH_MAX && !line.is_empty() {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
        }
        for character in word.chars() {
            if width(&line, size) + em(character) * size > LINE_WIDTH_MAX && character != ' ' {
                lines.push(std::mem::take(&mut line));
            }
            line.push(character);
        }
    }
    lines.push(line.trim_end().to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn japanese_is_wider_than_latin() {
        assert!(width("ユーザー削除", 13.0) > width("iiiiii", 13.0) * 3.0);
        assert!((width("e\u{301}", 10.0) - width("e", 10.0)).abs() < f64::EPSILON);
    }

    #[test]
    fn no_line_is_too_wide_and_nothing_is_lost() {
        for text in [
            "short",
            "a name of many words that does not fit on one line of the picture",
            "ユーザーの状態をもう一度確認してから必ず管理者に知らせる状態",
            &"x".repeat(80),
        ] {
            let lines = lines(text, 13.0);
            assert!(lines.iter().all(|line| width(line, 13.0) <= LINE_WIDTH_MAX), "{lines:?}");
            let bare = |text: &str| text.replace(' ', "");
            assert_eq!(bare(&lines.concat()), bare(text));
        }
    }
}
