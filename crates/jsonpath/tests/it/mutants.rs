//! Paths that were damaged: they are refused or read, and what a reference path writes it reads.

use jsonpath::{Path, ReferencePath};
use value::Value;

const MUTANTS: usize = 20_000;

const PATHS: &[&str] = &[
    "$.a.b[0].c",
    "$['a']['b c'][1:3:2].d",
    "$..c[?(@.n > 1 && @.s == 'x' || !@.gone)].n",
    "$.list[*].tags[-1]",
    "$.list[?(@.n in [1, 2.5, null])]['n','s']",
    "$.日本[?(@.s =~ /^x.*$/i)]",
    "$[?(@['n'] >= -1e3 && @.tags empty false)]",
    "$.a.b[:2]..*",
    "$.list[0,2].s",
    "$.a\\.b['it\\'s']",
];
const TOKENS: &[&str] = &[
    "$", ".", "..", "[", "]", "?(", ")", "'", "@", "*", "==", "-1", ":", "日", "!", "\\", "99999",
];

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % sides.max(1)
    }
}

fn mutant(dice: &mut Dice) -> String {
    let mut text: Vec<char> = PATHS[dice.roll(PATHS.len())].chars().collect();
    for _ in 0..=dice.roll(3) {
        let at = dice.roll(text.len() + 1);
        let end = (at + dice.roll(6)).min(text.len());
        match dice.roll(3) {
            0 => drop(text.drain(at..end)),
            1 => drop(text.splice(at..at, TOKENS[dice.roll(TOKENS.len())].chars())),
            _ => {
                let other: Vec<char> = PATHS[dice.roll(PATHS.len())].chars().collect();
                let piece = other.into_iter().skip(dice.roll(12)).take(6);
                drop(text.splice(at..end, piece.collect::<Vec<char>>()));
            }
        }
    }
    text.into_iter().collect()
}

#[test]
fn damaged_paths_are_refused_or_read() {
    let root = value::parse(
        r#"{"a": {"b": [{"c": 1}, {"c": [2]}], "b c": [0, 1, 2, 3]}, "日本": [{"s": "xy"}],
            "list": [{"n": 1, "s": "x", "tags": ["t"]}, {"n": null, "tags": []}, 7]}"#,
    )
    .unwrap();
    let mut dice = Dice(20_261_125);
    let (mut read, mut written) = (0, 0);
    for _ in 0..MUTANTS {
        let text = mutant(&mut dice);
        match Path::parse(&text) {
            Ok(path) => {
                read += 1;
                let again = Path::parse(path.as_str()).map(|path| path.normalized());
                assert_eq!(again.ok(), Some(path.normalized()), "{text}");
                match path.read(&root) {
                    Ok(found) => {
                        assert!(path.is_definite() || found.as_array().is_some(), "{text}");
                    }
                    Err(miss) => assert!(!miss.to_string().is_empty(), "{text}"),
                }
            }
            Err(err) => assert!(!err.to_string().is_empty(), "{text}"),
        }
        let Ok(reference) = ReferencePath::parse(&text) else { continue };
        let mut copy = root.clone();
        if reference.write(&mut copy, Value::from("new")).is_ok() {
            written += 1;
            assert_eq!(reference.read(&copy).ok(), Some(Value::from("new")), "{text}");
        }
    }
    assert!(read > MUTANTS / 20 && written > 100, "{read} read, {written} written");
}
