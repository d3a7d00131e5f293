//! Times common expressions: `cargo bench -p jsonata`. Prints the best of many batches.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench reports and may fail")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use jsonata::{Bindings, Dialect, Limits, Moment, Program};
use value::{Value, value};

/// Time spent on one expression.
const BUDGET: Duration = Duration::from_millis(400);
/// Items in the large document.
const ITEMS: i64 = 1_000;

const EXPRESSIONS: &[(&str, &str)] = &[
    ("condition", "$executionStatus in [\"FAILED\", \"TIMED_OUT\", \"ABORTED\"]"),
    ("path", "$states.input.username"),
    ("path, deep", "$states.result.User.UserId"),
    ("comparison", "$states.input.n > 3 and $states.input.username = \"alice\""),
    (
        "object",
        "{\"id\": $states.result.User.UserId, \"name\": $states.input.username, \
         \"next\": $states.input.n + 1, \"tags\": [\"a\", $states.input.username]}",
    ),
    ("map 1000", "$map($items, function($v){ {\"id\": $v.id, \"total\": $v.price * 2} })"),
    ("filter 1000", "$items[price > 50 and active = true]"),
    ("reduce 1000", "$reduce($items, function($a, $v){ $a + $v.price }, 0)"),
    ("strings 50", "$join($map($split($csv, \",\"), $trim), \";\")"),
    ("regex", "$contains($line, /user=[a-z]+[0-9]+/) ? $substringAfter($line, \"user=\")"),
    ("sum 1000", "$sum($items.price)"),
    ("sort 1000", "$items^(>price, id)"),
    ("group 1000", "$items{kind: $sum(price)}"),
    ("transform 1000", "$doc ~> |items|{\"price\": price + 1}|"),
];

fn document() -> Value {
    let items = (0..ITEMS).map(|at| {
        value!({
            "id": (format!("item-{at:04}")),
            "price": (at * 7919 % 101),
            "active": (at % 3 != 0),
            "kind": (format!("kind-{}", at % 10)),
            "tags": ["red", "green"],
        })
    });
    items.collect()
}

fn bindings() -> Bindings {
    let items = document();
    let csv: Vec<String> = (0..50).map(|at| format!(" value {at} ")).collect();
    Bindings::new()
        .with("executionStatus", "SUCCEEDED")
        .with(
            "states",
            value!({
                "input": {"username": "alice", "n": 5},
                "result": {"User": {"UserId": "AIDA", "Tags": []}},
                "context": {"Execution": {"Id": "x"}},
            }),
        )
        .with("csv", csv.join(","))
        .with("line", "2026-11-24 10:00:00 INFO login user=alice42 from=10.0.0.1")
        .with("doc", Value::object().with("items", items.clone()))
        .with("items", items)
}

/// Returns the least nanoseconds of one call.
fn nanoseconds(mut work: impl FnMut()) -> f64 {
    let mut batch = 1_u32;
    let mut best = f64::INFINITY;
    let started = Instant::now();
    while started.elapsed() < BUDGET {
        let before = Instant::now();
        (0..batch).for_each(|_| work());
        let spent = before.elapsed();
        best = best.min(spent.as_secs_f64() * 1e9 / f64::from(batch));
        if spent < Duration::from_micros(200) {
            batch *= 2;
        }
    }
    best
}

fn main() {
    let bindings = bindings();
    let limits = Limits::wide();
    println!("{:16} {:>12} {:>12}", "", "evaluate ns", "compile ns");
    for (name, text) in EXPRESSIONS {
        let program = Program::compile(text, Dialect::Aws).unwrap();
        let mut moment = Moment::new(0, [0; 32]);
        let evaluate = nanoseconds(|| {
            black_box(program.evaluate(None, &bindings, &limits, &mut moment).unwrap());
        });
        let compile = nanoseconds(|| {
            black_box(Program::compile(text, Dialect::Aws).unwrap());
        });
        println!("{name:16} {evaluate:>12.0} {compile:>12.0}");
    }
}
