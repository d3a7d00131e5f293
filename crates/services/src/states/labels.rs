//! How a bad `Label` is refused.

use std::fmt::Write as _;

use asl::Diagnostics;

/// Returns the whole text with which a definition is refused for a bad label.
///
/// It is what the recordings have, though it reads like an emulator's: a Python list of one text.
// UNVERIFIED: that AWS says it so.
pub(super) fn refusal(problems: &Diagnostics, definition: &str) -> Option<String> {
    let problem = problems.0.iter().find(|problem| problem.location.ends_with("/Label"))?;
    let message = match problem.message.strip_prefix("Label contains invalid character: ") {
        Some(quoted) => {
            let refused = quoted.strip_prefix('\'')?.strip_suffix('\'')?;
            format!("Label contains invalid character: {}", quoted_text(refused))
        }
        None if problem.message.starts_with("Label ") => problem.message.clone(),
        None => return None,
    };
    let arguments = quoted_text(&message);
    Some(format!("Error=ValueError Args=[{arguments}] in definition '{definition}'."))
}

/// Returns a text as Python shows it.
fn quoted_text(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            letter if letter == quote => out.extend(['\\', letter]),
            // Writing into a String cannot fail.
            letter if letter.is_control() => drop(write!(out, "\\x{:02x}", u32::from(letter))),
            letter => out.push(letter),
        }
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::quoted_text;

    #[test]
    fn texts_are_quoted_as_in_python() {
        for (text, shown) in
            [(",", "','"), ("'", "\"'\""), ("'\"'", "'\\'\"\\''"), ("\n\u{81}\\", "'\\n\\x81\\\\'")]
        {
            assert_eq!(quoted_text(text), shown);
        }
    }
}
