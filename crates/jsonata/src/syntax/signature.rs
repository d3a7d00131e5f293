//! Function signatures such as `<s-nn?:s>`: parsed once, matched against arguments on each call.

use std::sync::Arc;

use crate::fault::Fault;

/// The parameters that a function accepts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signature {
    pub(crate) parameters: Vec<Parameter>,
}

/// One parameter.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    /// The kinds it accepts.
    pub(crate) accepts: Kinds,
    pub(crate) repeat: Repeat,
    /// Whether the context item stands in for a missing argument.
    pub(crate) context: bool,
    /// Whether a single value is wrapped into an array.
    pub(crate) array: bool,
    /// What an array must hold.
    pub(crate) subtype: Option<Arc<str>>,
    /// As written, for errors.
    written: Arc<str>,
}

/// How often a parameter may occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    Once,
    AtMostOnce,
    /// Like `AtMostOnce`, but rather not at all.
    Reluctant,
    AtLeastOnce,
}

/// A set of argument kinds, one bit per letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

/// Every letter.
const ANY: &str = "asnblfom";

/// Returns the bit of a letter: array, string, number, boolean, null, function, object, missing.
const fn bit(letter: char) -> u8 {
    match letter {
        'a' => 1,
        's' => 1 << 1,
        'n' => 1 << 2,
        'b' => 1 << 3,
        'l' => 1 << 4,
        'f' => 1 << 5,
        'o' => 1 << 6,
        'm' => 1 << 7,
        _ => 0,
    }
}

impl Kinds {
    /// Returns the set of the letters in `text`.
    pub(crate) fn of(text: &str) -> Kinds {
        Kinds(text.chars().fold(0, |bits, letter| bits | bit(letter)))
    }

    /// Returns whether `letter` is in the set.
    pub(crate) fn has(self, letter: char) -> bool {
        self.0 & bit(letter) != 0
    }
}

impl Signature {
    /// Parses a signature; an error comes with its offset.
    pub(crate) fn parse(text: &str) -> Result<Signature, (Fault, usize)> {
        let letters: Vec<char> = text.chars().collect();
        let mut parameters: Vec<Parameter> = Vec::new();
        let mut at = 1;
        while let Some(&letter) = letters.get(at) {
            match letter {
                ':' => break,
                's' | 'n' | 'b' | 'l' | 'o' => parameters.push(parameter(letter, &[letter, 'm'])),
                'a' | 'x' => parameters.push(parameter(letter, &letters_of(ANY))),
                'f' => parameters.push(parameter(letter, &['f'])),
                'j' => parameters.push(parameter(letter, &letters_of("asnblom"))),
                '-' | '?' | '+' => {
                    if let Some(last) = parameters.last_mut() {
                        last.repeat(letter);
                    }
                }
                '(' => {
                    let end = closing(&letters, at, '(', ')');
                    let choice: String = between(&letters, at, end);
                    if choice.contains('<') {
                        return Err((Fault::new("S0402").value(choice), at));
                    }
                    let mut accepted = letters_of(&choice);
                    accepted.push('m');
                    let mut chosen = parameter('(', &accepted);
                    chosen.written = Arc::from(format!("({choice})"));
                    parameters.push(chosen);
                    at = end;
                }
                '<' => {
                    let end = closing(&letters, at, '<', '>');
                    match parameters.last_mut() {
                        Some(last) if matches!(&*last.written, "a" | "f") => {
                            last.subtype = Some(Arc::from(between(&letters, at, end)));
                        }
                        last => {
                            let written = last.map(|last| value::Value::from(&*last.written));
                            return Err((Fault::new("S0401").value_some(written), at));
                        }
                    }
                    at = end;
                }
                _ => {}
            }
            at += 1;
        }
        Ok(Signature { parameters })
    }
}

impl Parameter {
    fn repeat(&mut self, mark: char) {
        if mark == '-' {
            self.context = true;
        }
        self.repeat = match (mark, self.repeat) {
            ('+', _) => Repeat::AtLeastOnce,
            (_, Repeat::AtMostOnce) => Repeat::Reluctant,
            _ => Repeat::AtMostOnce,
        };
    }
}

fn letters_of(text: &str) -> Vec<char> {
    text.chars().collect()
}

fn parameter(letter: char, accepts: &[char]) -> Parameter {
    Parameter {
        accepts: Kinds::of(&accepts.iter().collect::<String>()),
        repeat: Repeat::Once,
        context: false,
        array: letter == 'a',
        subtype: None,
        written: Arc::from(letter.to_string()),
    }
}

/// Returns the place of the bracket that closes the one at `start`.
fn closing(letters: &[char], start: usize, open: char, close: char) -> usize {
    let mut depth = 0;
    for (at, &letter) in letters.iter().enumerate().skip(start) {
        if letter == close {
            depth -= 1;
            if depth == 0 {
                return at;
            }
        } else if letter == open {
            depth += 1;
        }
    }
    letters.len()
}

fn between(letters: &[char], start: usize, end: usize) -> String {
    letters.iter().take(end).skip(start + 1).collect()
}
