//! What is measured: expressions over variables, as a state machine has them.

use value::{Value, value};

/// Items in the large document.
const ITEMS: i64 = 1_000;
/// Groups of numbers, and numbers in each, for the nested sum.
const GROUPS: i64 = 100;
const NUMBERS: i64 = 10;
/// Names in the comma-separated text.
const NAMES: i64 = 50;

/// A name and an expression.
pub(crate) type Row = (&'static str, &'static str);

/// Every row: what state machines say all the time, then work over many items.
pub(crate) const ROWS: &[Row] = &[
    (CONDITION, "$executionStatus in [\"FAILED\", \"TIMED_OUT\", \"ABORTED\"]"),
    (PATH, "$states.input.username"),
    (DEEP_PATH, "$states.result.User.UserId"),
    (COMPARISON, "$states.input.n > 3 and $states.input.username = \"alice\""),
    (
        "object construction",
        "{\"id\": $states.result.User.UserId, \"name\": $states.input.username, \
         \"next\": $states.input.n + 1, \"tags\": [\"a\", $states.input.username]}",
    ),
    (
        "$map 1000 to objects",
        "$map($items, function($v){ {\"id\": $v.id, \"total\": $v.price * 2} })",
    ),
    ("filter 1000, 2 predicates", "$items[price > 50][active = true]"),
    ("$reduce 1000", "$reduce($items, function($a, $v){ $a + $v.price }, 0)"),
    ("split, map, trim, join 50", "$join($map($split($csv, \",\"), $trim), \";\")"),
    (
        "regex $contains and substring",
        "$contains($line, /user=[a-z]+[0-9]+/) ? $substringAfter($line, \"user=\")",
    ),
    ("$sum nested 100 x 10", "$sum($groups.numbers.n)"),
    ("sort 1000, 2 keys", "$items^(>price, id)"),
    ("group by and $sum 1000", "$items{kind: $sum(price)}"),
    ("transform 1000", "$doc ~> |items|{\"price\": price + 1}|"),
];

pub(crate) const CONDITION: &str = "condition";
pub(crate) const PATH: &str = "path";
pub(crate) const DEEP_PATH: &str = "deep path";
pub(crate) const COMPARISON: &str = "comparison";
/// The rows that are to take no longer than a given time.
pub(crate) const SMALL: &[&str] = &[CONDITION, PATH, DEEP_PATH, COMPARISON];

/// Returns the variables, as one object.
pub(crate) fn variables() -> Value {
    let items = items();
    let names: Vec<String> = (0..NAMES).map(|at| format!(" value {at} ")).collect();
    let groups = (0..GROUPS).map(|group| {
        let numbers: Value = (0..NUMBERS).map(|n| value!({"n": (group * NUMBERS + n)})).collect();
        Value::object().with("numbers", numbers)
    });
    Value::object()
        .with("executionStatus", "SUCCEEDED")
        .with(
            "states",
            value!({
                "input": {"username": "alice", "n": 5},
                "result": {"User": {"UserId": "AIDA", "Tags": []}},
                "context": {"Execution": {"Id": "x"}},
            }),
        )
        .with("csv", names.join(","))
        .with("line", "2026-11-24 10:00:00 INFO login user=alice42 from=10.0.0.1")
        .with("groups", groups.collect::<Value>())
        .with("doc", Value::object().with("items", items.clone()))
        .with("items", items)
}

fn items() -> Value {
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
