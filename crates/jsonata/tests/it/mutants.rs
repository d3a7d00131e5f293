//! Programs that were damaged: whatever comes, there is an answer within its budgets.
//!
//! `STEPWELL_MUTANTS=1000000 cargo test -p jsonata mutants` looks longer.

use jsonata::{Bindings, Dialect, Error, Limits, Moment, Outcome, Program};
use value::{Value, value};

use crate::soup::Dice;

const MUTANTS: u64 = 6_000;
const MUTATIONS_MAX: u64 = 4;
/// The longest piece that one mutation moves, in characters.
const PIECE_MAX: u64 = 12;

const PROGRAMS: &[&str] = &[
    "$states.input.items[price > 10 and $contains(name, /b+c?/i)].{\"n\": name, \"p\": price * 1.2}",
    "$map($states.input.items, function($v, $i, $a) { $i & \":\" & $v.name & $count($a) })",
    "$reduce([1..20], function($a, $v) { $a + $v }, 0) ~> $string ~> $length",
    "$states.input.items^(>price, <name)[0].name",
    "$states.input.items{name: $sum(price), \"all\": $count($)}",
    "$states.input ~> |items[0]|{\"price\": price + 1, \"tags\": [tags, \"x\"]}, [\"name\"]|",
    "($f := function($n) { $n < 2 ? 1 : $n * $f($n - 1) }; $f(10))",
    "($loop := function($n) { $n = 0 ? \"done\" : $loop($n - 1) }; $loop(50))",
    "$states.input.items@$i.tags#$p.{\"item\": $i.name, \"at\": $p, \"up\": %.name}",
    "$join($split($states.input.text, /[,;] */), \"-\") & $pad(\"é😀\", -8, \"ab\")",
    "$replace(\"John Smith\", /(\\w+)\\s(\\w+)/, \"$2, $1\") & $replace(\"a\", \"a\", \"b\", 1)",
    "$match(\"ababbabbcc\", /a(b+)/).{\"m\": match, \"g\": groups[0], \"i\": index}",
    "$formatNumber(1234.5678, \"#,##0.00;(#)\", {\"decimal-separator\": \",\"})",
    "$formatInteger(1999, \"Ww;o\") & $formatInteger(12, \"I\") & $formatBase(255, 16)",
    "$toMillis(\"2018-03-27\", \"[Y0001]-[M01]-[D01]\") ~> $fromMillis(\"[FNn], [D1o] [MNn] [Y]\")",
    "[$zip([1, 2], [3, 4]), $distinct([1, 1, \"a\"]), $reverse([1..3]), $shuffle([1])]",
    "$merge([{\"a\": 1}, {\"b\": [2, {\"c\": null}]}]).b.c ? true : false",
    "$sift($states.input, function($v, $k) { $k in [\"text\", \"n\"] }).*",
    "$states.input.**.price[$ > 5][-1] in [1..100] or $exists($nothing)",
    "$partition($range(0, 20, 3), 2)[1] & $hash(\"x\", \"SHA-256\") & $parse('{\"a\": 1e3}').a",
    "{\"a\": [1/0, -0.0, 1e300 * 1e10], \"b\": $number(\"0x1F\"), \"c\": $power(2, 0.5)}",
    "$append($filter([1..5], function($v) { $v % 2 }), $each({\"k\": 1}, function($v, $k) { $k }))",
    "$sort($states.input.items, function($l, $r) { $l.price < $r.price })[].name[]",
    "($add := function($x, $y)<nn:n> { $x + $y }; $inc := $add(?, 1); $inc(41) ~> $inc)",
    "$states.input.n ?? 5 ?: $uppercase(`odd name`) /* why */ & 'it\\u0027s'",
    "$encodeUrlComponent(\"?x=é\") & $base64decode($base64encode(\"日本\")) & $decodeUrl(\"%E3%81\")",
];

const TOKENS: &[&str] = &[
    "$",
    "$$",
    "%",
    "*",
    "**",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "..",
    ":=",
    "~>",
    "|",
    "^(",
    "@$v",
    "#$i",
    "function($x){",
    "λ",
    ",",
    ";",
    "?",
    ":",
    "-1",
    "1e308",
    "0",
    "\"\"",
    "null",
    "/x/",
    "and",
    "in",
    "&",
    "\u{0}",
    "é",
    "😀",
    "\\u",
    "`",
    "'",
    "$states",
    ".a",
    "[0]",
    "[[1..3]]",
];

fn mutant(dice: &mut Dice) -> String {
    let mut text: Vec<char> = pick(dice, PROGRAMS).chars().collect();
    for _ in 0..=dice.roll(MUTATIONS_MAX) {
        let at = index(dice, text.len() + 1);
        let end = (at + index(dice, usize::try_from(PIECE_MAX).unwrap())).min(text.len());
        match dice.roll(4) {
            0 => drop(text.drain(at..end)),
            1 => {
                let piece: Vec<char> = text[at..end].to_vec();
                let to = index(dice, text.len() + 1);
                text.splice(to..to, piece);
            }
            2 => drop(text.splice(at..at, pick(dice, TOKENS).chars())),
            _ => {
                let other: Vec<char> = pick(dice, PROGRAMS).chars().collect();
                let from = index(dice, other.len());
                let piece = other.into_iter().skip(from).take(end - at);
                drop(text.splice(at..end, piece.collect::<Vec<char>>()));
            }
        }
    }
    text.into_iter().collect()
}

fn index(dice: &mut Dice, below: usize) -> usize {
    usize::try_from(dice.roll(below as u64)).unwrap()
}

fn pick<'t>(dice: &mut Dice, from: &[&'t str]) -> &'t str {
    from[index(dice, from.len())]
}

fn holds(text: &str, answer: &Result<Outcome, Error>) {
    match answer {
        Ok(Outcome::Value(value)) => {
            let written = value.to_string();
            assert_eq!(value::parse(&written).as_ref(), Ok(value), "{text}");
        }
        Ok(Outcome::Undefined | Outcome::Function) => {}
        Err(error) => {
            assert!(!error.message.is_empty(), "{text}: {error:?}");
            let units = text.encode_utf16().count();
            assert!(error.position.is_none_or(|at| at <= units), "{text}: {error:?}");
        }
    }
}

#[test]
fn damaged_programs_never_panic_and_keep_their_budgets() {
    let rounds = std::env::var("STEPWELL_MUTANTS").ok().and_then(|text| text.parse().ok());
    let mut dice = Dice(20_261_125);
    let input = value!({
        "items": [{"name": "abc", "price": 12.5, "tags": ["x"]}, {"name": "b", "price": 7}],
        "text": "a, b;c", "n": null,
    });
    let states = Value::object().with("input", input.clone());
    let bindings = Bindings::new().with("states", states);
    let limits = Limits { bytes_max: 200_000, steps_max: 20_000, ..Limits::aws() };
    let mut compiled = 0;
    for _ in 0..rounds.unwrap_or(MUTANTS) {
        let text = mutant(&mut dice);

        for dialect in [Dialect::Full, Dialect::Aws] {
            let program = match Program::compile(&text, dialect) {
                Ok(program) => program,
                Err(error) => {
                    holds(&text, &Err(error));
                    continue;
                }
            };
            compiled += 1;
            let evaluate = || {
                let mut moment = Moment::new(1_700_000_000_000, [5; 32]);
                program.evaluate(Some(&input), &bindings, &limits, &mut moment)
            };
            let answer = evaluate();
            holds(&text, &answer);
            assert_eq!(answer, evaluate(), "{text}: not the same twice");
        }
    }
    assert!(compiled > MUTANTS / 10, "only {compiled} compiled");
}
