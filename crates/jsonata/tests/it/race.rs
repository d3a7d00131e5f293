//! Which of several failures is reported.

use jsonata::{Bindings, Dialect, Limits, Moment, Program};

fn code(text: &str, dialect: Dialect) -> Option<&'static str> {
    let mut moment = Moment::new(0, [0; 32]);
    let program = Program::compile(text, dialect).unwrap();
    program.evaluate(None, &Bindings::new(), &Limits::wide(), &mut moment).unwrap_err().code
}

/// The left failure is written first, the right one is reached first by the reference.
const NESTED: &[&str] = &["[[1 + \"a\"], \"b\" * 2]", "{\"x\": [1 + \"a\"], \"y\": \"b\" * 2}"];

#[test]
fn the_reference_reports_what_fails_first_in_its_event_loop() {
    for text in NESTED {
        assert_eq!(code(text, Dialect::Full), Some("T2001"), "{text}");
    }
    assert_eq!(code("[1 + \"a\", \"b\" * 2]", Dialect::Full), Some("T2002"));
    assert_eq!(code("[[1 + \"a\", $error(\"late\")], \"b\" * 2]", Dialect::Full), Some("T2001"));
}

#[test]
fn step_functions_reports_what_is_written_first() {
    for text in NESTED {
        assert_eq!(code(text, Dialect::Aws), Some("T2002"), "{text}");
    }
}

#[test]
fn an_exhausted_budget_wins_over_any_failure() {
    let text = "[[1 + \"a\"], ($f := function(){ 1 + $f() }; $f())]";
    assert_eq!(code(text, Dialect::Full), None);
}
