//! How a key lies in a column of text, which cannot hold NUL.
//!
//! NUL becomes U+0001 U+0001, and U+0001 becomes U+0001 U+0002: order and prefixes stay what they
//! were. Real keys have neither; callers may ask for any.

use std::borrow::Cow;

/// What a replaced character starts with.
const ESCAPE: char = '\u{1}';

/// Returns the key as the database keeps it.
pub(super) fn encode(key: &str) -> Cow<'_, str> {
    if !key.contains(['\0', ESCAPE]) {
        return Cow::Borrowed(key);
    }
    let mut encoded = String::with_capacity(key.len() + 8);
    for character in key.chars() {
        match character {
            '\0' => encoded.push_str("\u{1}\u{1}"),
            ESCAPE => encoded.push_str("\u{1}\u{2}"),
            other => encoded.push(other),
        }
    }
    Cow::Owned(encoded)
}

/// Returns the key that was encoded.
pub(super) fn decode(kept: String) -> String {
    if !kept.contains(ESCAPE) {
        return kept;
    }
    let mut decoded = String::with_capacity(kept.len());
    let mut characters = kept.chars();
    while let Some(character) = characters.next() {
        match character {
            ESCAPE if characters.next() == Some(ESCAPE) => decoded.push('\0'),
            other => decoded.push(other),
        }
    }
    decoded
}

/// Returns the least text greater than every key with this (encoded) prefix; none when there is no
/// such text, as for the empty prefix.
pub(super) fn end_of(prefix: &str) -> Option<String> {
    let mut end: Vec<char> = prefix.chars().collect();
    while let Some(last) = end.pop() {
        // Behind the last character before the surrogates comes the first one after them.
        let next = match last {
            '\u{D7FF}' => Some('\u{E000}'),
            other => char::from_u32(u32::from(other) + 1),
        };
        if let Some(next) = next {
            end.push(next);
            return Some(end.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_and_keep_their_order() {
        let keys =
            ["", "\0", "\0\0", "\0a", "\u{1}", "\u{1}\0", "\u{1}\u{1}", "\u{2}", "a", "日本"];
        for key in keys {
            assert_eq!(decode(encode(key).into_owned()), key);
            assert!(!encode(key).contains('\0'));
        }
        let encoded: Vec<String> = keys.iter().map(|key| encode(key).into_owned()).collect();
        assert!(encoded.is_sorted());
    }

    #[test]
    fn the_end_of_a_prefix_is_behind_all_its_keys_and_before_the_next() {
        assert_eq!(end_of(""), None);
        assert_eq!(end_of("\u{10FFFF}"), None);
        assert_eq!(end_of("a/").as_deref(), Some("a0"));
        assert_eq!(end_of("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(end_of("\u{D7FF}").as_deref(), Some("\u{E000}"));
    }
}
