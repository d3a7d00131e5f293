//! Budgets: nothing overflows the stack, runs for ever or fills the memory.

use jsonata::{Bindings, Dialect, Error, Limits, Moment, Outcome, Program};
use value::{Value, value};

/// Stack of a worker thread; every test here must fit into it, unoptimised builds included.
const STACK_BYTES: usize = 2 * 1024 * 1024;

fn on_a_worker(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work).unwrap().join().unwrap();
}

fn evaluate(text: &str, dialect: Dialect, limits: &Limits) -> Result<Outcome, Error> {
    let mut moment = Moment::new(0, [0; 32]);
    Program::compile(text, dialect)?.evaluate(None, &Bindings::new(), limits, &mut moment)
}

fn aws(text: &str) -> Result<Outcome, Error> {
    evaluate(text, Dialect::Aws, &Limits::aws())
}

fn wide(text: &str) -> Result<Outcome, Error> {
    evaluate(text, Dialect::Full, &Limits::wide())
}

#[test]
fn deeply_nested_source_is_refused_or_evaluated() {
    on_a_worker(|| {
        for (open, inside, close) in [
            ("(", "1", ")"),
            ("[", "1", "]"),
            ("-", "$x", ""),
            ("{\"a\":", "1", "}"),
            ("a[", "1", "]"),
            ("$f(", "1", ")"),
            ("$f(1, ", "1", ")"),
            ("function(){", "1", "}"),
            ("1 ? ", "1", " : 2"),
            ("1 ? 2 : ", "1", ""),
            ("a.(", "1", ")"),
            ("a@$x.(", "$x", ")"),
            ("a{\"k\": ", "1", "}"),
            ("a^(", "b", ")"),
            ("$x := ", "1", ""),
            ("1 & (", "1", ")"),
            ("1 + ", "1", ""),
            ("$x ~> |a|", "{}", "|"),
        ] {
            for depth in [10, 65, 98, 198, 100_000] {
                let text = format!("{}{inside}{}", open.repeat(depth), close.repeat(depth));
                for outcome in [wide(&text), aws(&text)] {
                    assert!(depth < 1000 || outcome.is_err(), "{open}");
                }
            }
        }
    });
}

#[test]
fn long_chains_are_refused_or_evaluated() {
    on_a_worker(|| {
        for (first, link) in [
            ("1", "+1"),
            ("$x", ".a"),
            ("$x", "[0]"),
            ("\"\"", "&1"),
            ("1", "~>$f"),
            ("a", "@$v.b"),
        ] {
            for count in [50, 198, 50_000] {
                let text = format!("{first}{}", link.repeat(count));
                let _ = wide(&text);
                let _ = aws(&text);
            }
        }
    });
}

#[test]
fn recursion_ends_in_an_error_with_the_text_of_step_functions() {
    on_a_worker(|| {
        for text in [
            "($f := function($n){ 1 + $f($n + 1) }; $f(0))",
            "($f := function($n){ [$f($n)] }; $f(0))",
            "($f := function($n){ {\"a\": $f($n)} }; $f(0))",
            "($f := function($n){ $map([1], function($v){ $f($v) }) }; $f(0))",
            "($f := function($n){ $sort([2, 1], function($a, $b){ $f($a) }) }; $f(0))",
            "($f := function($n){ $n.($f($)) }; $f(1))",
            "($f := function($n){ $n#$i.($f($)) }; $f(1))",
            "($f := function($n){ {} ~> |$|{\"a\": $f(1)}| }; $f(1))",
            "($f := function($n){ [1, 2][$f(1)] }; $f(1))",
            "($f := function($n){ [1, 2]^($f(1)) }; $f(1))",
            "($f := function($n){ $replace(\"a\", /a/, $f) }; $f(1))",
            "($f := function($n){ $g(1) ~> $g }; $g := function($n){ $f(1) ~> $f }; $f(1))",
            "($f := function($n, $m){ $f($f(1, 2), ?) }; $f(1, 2))",
        ] {
            for outcome in [wide(text), aws(text)] {
                let error = outcome.unwrap_err();
                assert_eq!(error.code, None, "{text}");
                assert!(error.message.starts_with("Stack overflow error: Check"), "{text}");
            }
        }
    });
}

#[test]
fn evaluated_texts_share_the_depth() {
    on_a_worker(|| {
        let text = "($t := \"$eval($t)\"; $eval($t))";
        assert!(wide(text).is_err());
    });
}

#[test]
fn tail_calls_need_no_depth() {
    on_a_worker(|| {
        let text = "($f := function($n){ $n = 0 ? \"done\" : $f($n - 1) }; $f(20000))";
        assert_eq!(aws(text).unwrap(), Outcome::Value(value!("done")));
    });
}

#[test]
fn endless_loops_run_out_of_steps() {
    let limits = Limits { steps_max: 100_000, ..Limits::aws() };
    let text = "($f := function(){ $f() }; $f())";
    let error = evaluate(text, Dialect::Aws, &limits).unwrap_err();
    assert_eq!(error.message, "Expression evaluation timeout: Check for infinite loop");
}

#[test]
fn a_sum_of_two_hundred_terms_is_too_deep_for_step_functions() {
    let sum = format!("1{}", "+1".repeat(199));
    assert!(aws(&sum).unwrap_err().message.starts_with("Stack overflow error"));
    assert_eq!(wide(&sum).unwrap(), Outcome::Value(value!(200)));
    assert!(aws(&format!("1{}", "+1".repeat(89))).is_ok());
}

#[test]
fn memory_ends_where_it_was_seen_to_end_on_step_functions() {
    assert_eq!(aws("$count([1..873782])").unwrap(), Outcome::Value(value!(873_782)));
    let error = aws("$count([1..873783])").unwrap_err();
    let text = "Expression evaluation memory limit exceeded: Check for excessive memory usage";
    assert_eq!((error.code, error.message.as_str()), (None, text));
    assert!(aws("$count($range(1, 360145, 1))").is_ok());
    assert_eq!(aws("$range(1, 360146, 1)").unwrap_err().message, text);
}

#[test]
fn a_transformed_object_cannot_contain_itself() {
    for (text, expected) in [
        ("{\"x\": 1} ~> |$|{\"y\": $}|", value!({"x": 1, "y": {"x": 1}})),
        ("{\"x\": {\"z\": 1}} ~> |x|{\"y\": $$}|", value!({"x": {"z": 1}})),
        (
            "($d := {\"x\": {\"z\": 1}}; $d ~> |$.x|{\"y\": [$, $]}|)",
            value!({"x": {"z": 1, "y": [{"z": 1}, {"z": 1}]}}),
        ),
        (
            "{\"x\": {\"z\": {}}} ~> |$ ~> function($o){[$o.x, $o.x.z]}|{\"y\": $}|",
            value!({"x": {"z": {"y": {}}, "y": {"z": {}}}}),
        ),
    ] {
        assert_eq!(wide(text), Ok(Outcome::Value(expected)), "{text}");
    }
}

#[test]
fn copies_of_copies_are_metered() {
    on_a_worker(|| {
        let nested = "$reduce([1..60], function($a, $v){ {\"a\": $a} }, {})";
        let text = format!("{nested} ~> |$reverse(**)|{{\"y\": $}}|");
        assert!(aws(&text).unwrap_err().message.contains("memory limit"));
    });
}

#[test]
fn results_cannot_nest_without_bound() {
    on_a_worker(|| {
        for text in [
            "$reduce([1..60000], function($a, $v){ [[$a]] })",
            "$reduce([1..60000], function($a, $v){ {\"a\": $a} })",
            "$reduce([1..60000], function($a, $v){ $a ~> |$|{\"a\": $a}| }, {})",
            "$reduce([1..60000], function($a, $v){ $zip([$a]) }, [1])",
            "$reduce([1..60000], function($a, $v){ $spread({\"a\": $a}) }, [1])",
            "$reduce([1..60000], function($a, $v){ $a.{\"a\": $} }, [1])",
        ] {
            assert!(wide(text).is_err(), "{text}");
        }
    });
}

#[test]
fn values_that_are_small_only_by_sharing_cannot_be_read_whole() {
    let small = "$reduce([1..60], function($a, $v){ [[$a], [$a]] }, 0)";
    let object = "$reduce([1..60], function($a, $v){ {\"a\": $a, \"b\": $a} }, 0)";
    let function = "$reduce([1..60], function($a, $v){ [[$a], [$a]] }, $sum)";
    on_a_worker(move || {
        assert_eq!(aws(&format!("$count({small})")).unwrap(), Outcome::Value(value!(2)));
        for large in [small, object, function] {
            for text in [
                large.to_owned(),
                format!("$string({large})"),
                format!("\"\" & {large}"),
                format!("{large} = {large}"),
                format!("{large} in [{large}]"),
                format!("$distinct([{large}, {large}])"),
                format!("$count({large}.**)"),
                format!("$clone({large})"),
                format!("$count([{large}].*)"),
                format!("{{\"x\": {large}}} ~> |$|{{\"y\": 1}}|"),
                format!("$count([1..300].({large}))"),
            ] {
                for outcome in [wide_and_quick(&text), aws(&text)] {
                    // Where a value is not read, or is no JSON, the answer itself is small.
                    let small = outcome.is_ok_and(|outcome| small_answer(&outcome));
                    assert!(small || aws(&text).is_err(), "{text}");
                }
            }
            // The text of an error shows values too.
            assert!(aws(&format!("-({large})")).unwrap_err().message.len() < 200, "{large}");
        }
    });
}

/// Half a million nodes: the widest limits are for those who wait.
fn wide_and_quick(text: &str) -> Result<Outcome, Error> {
    evaluate(text, Dialect::Full, &Limits { bytes_max: 6_000_000, ..Limits::wide() })
}

fn small_answer(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Value(value) => value.to_string().len() < 100_000,
        Outcome::Undefined | Outcome::Function => true,
    }
}

#[test]
fn a_regular_expression_cannot_run_for_ever() {
    let text = format!("$contains(\"{}\", /^(?=a)(a|aa)+\\1$/)", "a".repeat(60) + "!");
    let error = wide(&text).unwrap_err();
    assert!(error.message.starts_with("Expression evaluation timeout"), "{error}");
}

#[test]
fn functions_that_hold_their_own_frame_are_freed() {
    // The value is shared with the bindings, so its count tells whether an evaluation kept it.
    let big = Value::from("x".repeat(100));
    let Value::String(text) = &big else { return };
    let program = Program::compile(
        "($v := $big; $f := function($n){ $n = 0 ? $v : $f($n - 1) }; $f(3))",
        Dialect::Full,
    );
    let bindings = Bindings::new().with("big", big.clone());
    let mut moment = Moment::new(0, [0; 32]);
    let before = std::sync::Arc::strong_count(text);
    let outcome = program.unwrap().evaluate(None, &bindings, &Limits::wide(), &mut moment).unwrap();
    drop(outcome);
    assert_eq!(std::sync::Arc::strong_count(text), before);
}
