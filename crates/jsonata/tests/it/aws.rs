//! The dialect of Step Functions.

use jsonata::{Bindings, Dialect, Error, Limits, Moment, Outcome, Program};
use value::{Value, value};

use crate::score::{Score, corpus, lines};

fn run(text: &str) -> Result<Outcome, Error> {
    let bindings = Bindings::new().with("states", value!({"input": {"n": 5}}));
    let mut moment = Moment::new(1_700_000_000_123, [9; 32]);
    Program::compile(text, Dialect::Aws)?.evaluate(None, &bindings, &Limits::aws(), &mut moment)
}

fn answer(text: &str) -> Value {
    match run(text) {
        Ok(Outcome::Value(value)) => value,
        other => panic!("{text}: {other:?}"),
    }
}

fn is_undefined(text: &str) -> bool {
    run(text).unwrap() == Outcome::Undefined
}

#[test]
fn random_with_a_seed_is_javas() {
    assert_eq!(answer("$random(42)"), value!(0.727_563_680_032_868_1));
    assert_eq!(answer("$random(42)"), answer("$random(42)"));
    assert_ne!(answer("$random(-1)"), answer("$random(42)"));
    let number = answer("$random()").as_f64().unwrap();
    assert!((0.0..1.0).contains(&number));
}

#[test]
fn hash_knows_five_algorithms() {
    let sha1 = "140f86aae51ab9e1cda9b4254fe98a74eb54c1a1";
    assert_eq!(answer("$hash(\"input\", \"SHA-1\")"), value!(sha1));
    assert_eq!(answer("$hash(\"\", \"MD5\")"), value!("d41d8cd98f00b204e9800998ecf8427e"));
    for (algorithm, length) in [("SHA-256", 64), ("SHA-384", 96), ("SHA-512", 128)] {
        let digest = answer(&format!("$hash(\"é\", \"{algorithm}\")"));
        assert_eq!(digest.as_str().unwrap().len(), length);
    }
    assert!(run("$hash(\"a\", \"sha-1\")").is_err());
}

#[test]
fn range_includes_its_end() {
    assert_eq!(answer("$range(0, 6, 2)"), value!([0, 2, 4, 6]));
    assert_eq!(answer("$range(0, 5, 2)"), value!([0, 2, 4]));
    assert_eq!(answer("$range(3.9, 1.2, -1.5)"), value!([3, 2, 1]));
    assert_eq!(answer("$count($range(1, 1001, 1))"), value!(1001));
    assert_eq!(answer("$range(1, 0, 1)"), value!([]));
    assert!(is_undefined("$range(1, \"a\", 1)"));
}

#[test]
fn partition_cuts_arrays() {
    assert_eq!(answer("$partition([1,2,3,4,5], 2)"), value!([[1, 2], [3, 4], [5]]));
    assert_eq!(answer("$partition([0], 5)"), value!([[0]]));
    assert!(run("$partition([1], -1)").is_err());
    assert!(is_undefined("$partition([1], \"a\")"));
    assert!(is_undefined("$partition($missing, 2)"));
}

#[test]
fn parse_reads_json() {
    assert_eq!(answer("$parse('{\"a\": [1, null]}').a[0]"), value!(1));
    assert_eq!(answer("$parse(\"-0\")").to_string(), "0");
    assert!(run("$parse(\"{\")").is_err());
}

#[test]
fn uuids_are_random_but_repeat_with_the_moment() {
    let ids = answer("[$uuid(), $uuid()]");
    let (first, second) = (ids.at(0).unwrap(), ids.at(1).unwrap());
    assert_ne!(first, second);
    assert_eq!(ids, answer("[$uuid(), $uuid()]"));
    let text = first.as_str().unwrap();
    assert_eq!((text.len(), text.as_bytes()[14]), (36, b'4'));
    assert!(matches!(text.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
}

#[test]
fn a_moment_used_twice_never_repeats() {
    let program = Program::compile("$uuid()", Dialect::Aws).unwrap();
    let mut moment = Moment::new(0, [1; 32]);
    let mut draw =
        || program.evaluate(None, &Bindings::new(), &Limits::aws(), &mut moment).unwrap();
    assert_ne!(draw(), draw());
}

#[test]
fn the_moment_is_the_clock() {
    assert_eq!(answer("$now()"), value!("2023-11-14T22:13:20.123Z"));
    assert_eq!(answer("$millis()"), value!(1_700_000_000_123_i64));
    assert_eq!(answer("$now('[Y]-[M01]')"), value!("2023-11"));
}

#[test]
fn eval_is_no_function() {
    let error = run("$eval(\"1\")").unwrap_err();
    assert_eq!(error.code, Some("T1006"));
    assert_eq!(error.to_string(), "Attempted to invoke a non-function");
}

#[test]
fn new_operators_are_syntax_errors() {
    for text in ["$x ?? 1", "$x ?: 1"] {
        assert_eq!(run(text).unwrap_err().code, Some("S0211"), "{text}");
    }
}

#[test]
fn infinity_becomes_text_inside_a_result() {
    assert_eq!(answer("[1/0]"), value!(["Infinity"]));
    assert_eq!(answer("{\"a\": -1/0}"), value!({"a": "-Infinity"}));
    assert!(run("1/0").is_ok());
}

#[test]
fn numbers_print_as_in_javascript() {
    assert_eq!(answer("$string(1e20)"), value!("100000000000000000000"));
    assert_eq!(answer("$string(1e21)"), value!("1e+21"));
    assert_eq!(answer("$string(0.1 + 0.2)"), value!("0.3"));
}

#[test]
fn broken_base64_is_an_internal_error() {
    assert!(run("$base64decode(\"!!!\")").unwrap_err().is_internal());
    assert!(!run("1 + \"a\"").unwrap_err().is_internal());
    assert_eq!(answer("$base64decode($base64encode(\"日本\"))"), value!("日本"));
}

#[test]
fn syntax_errors_have_the_texts_that_validation_quotes() {
    assert_eq!(run("[1, 2, ").unwrap_err().to_string(), "Unexpected end of expression");
    assert_eq!(run("$states.input[1,").unwrap_err().to_string(), "Expected \"]\", got \",\"");
}

/// Recorded failures whose expression stands in the text; the words around are the `asl` crate's.
#[test]
fn fails_as_recorded_on_step_functions() {
    let Some(text) = corpus("aws_query_errors.jsonl") else { return };
    let mut score = Score::default();
    for event in lines(&text) {
        let cause = event.get("cause").and_then(Value::as_str).unwrap_or_default();
        let Some((_, rest)) = cause.split_once("The JSONata expression '") else { continue };
        let Some((expression, rest)) = rest.split_once("' specified for the field") else {
            continue;
        };
        let Some((_, after)) = rest.split_once("' ") else { continue };
        let id = event.get("test").and_then(Value::as_str).unwrap_or_default();
        let kind = event.get("event").and_then(Value::as_str).unwrap_or_default();
        let answer = run(expression);
        let passed = match after.split_once("during evaluation. ") {
            Some((_, coded)) => answer.is_err_and(|error| {
                format!("{}: {error}", error.code.unwrap_or_default()) == coded
            }),
            None if after.starts_with("returned nothing") => answer == Ok(Outcome::Undefined),
            None if after.contains("unsupported result type") => answer == Ok(Outcome::Function),
            None => answer.is_ok(),
        };
        score.count(&format!("{id}/{kind}"), passed);
    }
    score.check("jsonata-aws");
}
