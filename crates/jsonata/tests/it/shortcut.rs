//! Simple conditions take a shorter way; brackets send them the long one. Both must agree.

use jsonata::{Bindings, Dialect, Error, Limits, Moment, Outcome, Program};
use value::value;

const OPERANDS: &[&str] = &[
    "$n",
    "$s.n",
    "$s.t",
    "$s.list",
    "$s.list.n",
    "$s.none",
    "$s.o",
    "$s.o.p.q",
    "$nothing",
    "$sum",
    "1",
    "2.5",
    "\"b\"",
    "\"\"",
    "null",
    "true",
    "[1, 2.5]",
    "[\"b\", null]",
    "[]",
    "$s.t.x",
];
const OPERATORS: &[&str] = &["=", "!=", "<", "<=", ">", ">=", "in", "and", "or"];

fn run(text: &str) -> Result<Outcome, Error> {
    let s = value!({
        "n": 1, "t": "b", "list": [{"n": 1}, {"n": 2}], "none": null, "o": {"p": {"q": true}},
    });
    let bindings = Bindings::new().with("n", 2.5).with("s", s);
    let mut moment = Moment::new(0, [0; 32]);
    Program::compile(text, Dialect::Full)?.evaluate(None, &bindings, &Limits::wide(), &mut moment)
}

fn agree(text: &str) {
    let (short, long) = (run(text), run(&format!("({text})")));
    match (&short, &long) {
        // The bracket moves every position by one.
        (Err(short), Err(long)) => assert_eq!(short.code, long.code, "{text}"),
        _ => assert_eq!(short, long, "{text}"),
    }
}

#[test]
fn both_ways_give_the_same() {
    for left in OPERANDS {
        agree(left);
        for operator in OPERATORS {
            for right in OPERANDS {
                agree(&format!("{left} {operator} {right}"));
                agree(&format!("$n > 1 and {left} {operator} {right}"));
                agree(&format!("{left} {operator} {right} or $s.t = \"b\""));
            }
        }
    }
}
