//! Texts made of random tokens: whatever comes, there is an answer and no panic.

use jsonata::{Bindings, Dialect, Limits, Moment, Program};
use value::{Value, value};

/// Texts tried; a fixed seed makes them the same on every run.
const TEXTS: usize = 6_000;
const TOKENS_MAX: u64 = 14;

const TOKENS: &[&str] = &[
    "$",
    "$$",
    "$x",
    "$states",
    "a",
    "b",
    "`c d`",
    "1",
    "-2",
    "0.5",
    "1e9",
    "\"é😀\"",
    "'%0'",
    "null",
    "true",
    "/a+/i",
    "/(b)|c/",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ";",
    ":",
    ":=",
    ".",
    "..",
    "@",
    "#",
    "^(",
    ">",
    "<",
    "=",
    "!=",
    "<=",
    "+",
    "-",
    "*",
    "**",
    "/",
    "%",
    "&",
    "and",
    "or",
    "in",
    "?",
    "~>",
    "|",
    "function($x){",
    "λ($y)<n-:s>{",
    "$map(",
    "$filter(",
    "$reduce(",
    "$sort(",
    "$sum(",
    "$string(",
    "$substring(",
    "$pad(",
    "$split(",
    "$replace(",
    "$match(",
    "$join(",
    "$formatNumber(",
    "$formatInteger(",
    "$parseInteger(",
    "$fromMillis(",
    "$toMillis(",
    "$zip(",
    "$spread(",
    "$merge(",
    "$each(",
    "$sift(",
    "$single(",
    "$keys(",
    "$lookup(",
    "$distinct(",
    "$number(",
    "$round(",
    "$power(",
    "$formatBase(",
    "$partition(",
    "$range(",
    "$hash(",
    "$parse(",
    "$random(",
    "$base64decode(",
    "$decodeUrl(",
    "$eval(",
    "\"#,##0.00e0\"",
    "\"[Y0001]-[MNn,3-3]\"",
    "\"[H#1]:[m]\"",
    "\"Ww;o\"",
    "\"I\"",
];

/// Numbers that are the same on every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        // Knuth's MMIX generator; the high bits are the good ones.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn text(&mut self) -> String {
        let count = 1 + self.roll(TOKENS_MAX);
        let mut text = String::new();
        let mut open = Vec::new();
        for _ in 0..count {
            let token = TOKENS[usize::try_from(self.roll(TOKENS.len() as u64)).unwrap()];
            match token.chars().last() {
                Some('(') => open.push(")"),
                Some('[') => open.push("]"),
                Some('{') => open.push("}"),
                _ => {}
            }
            text.push_str(token);
            text.push(' ');
            if self.roll(3) == 0 {
                text.push_str(open.pop().unwrap_or_default());
            }
        }
        open.into_iter().rev().for_each(|close| text.push_str(close));
        text
    }
}

#[test]
fn random_tokens_never_panic() {
    let mut dice = Dice(20_261_124);
    let input: Value = value!({"a": [1, {"b": "x"}], "b": {"a": null}, "c d": "ab,c"});
    let bindings =
        Bindings::new().with("x", value!([3, 1, 2])).with("states", value!({"input": [1]}));
    let mut compiled = 0;
    for _ in 0..TEXTS {
        let text = dice.text();
        for dialect in [Dialect::Full, Dialect::Aws] {
            let Ok(program) = Program::compile(&text, dialect) else { continue };
            compiled += 1;
            let limits = Limits { steps_max: 20_000, ..Limits::aws() };
            let mut moment = Moment::new(1_700_000_000_000, [5; 32]);
            if let Err(error) = program.evaluate(Some(&input), &bindings, &limits, &mut moment) {
                assert!(!error.message.is_empty(), "{text}: {error:?}");
            }
        }
    }
    assert!(compiled > TEXTS / 20, "only {compiled} texts compiled");
}
