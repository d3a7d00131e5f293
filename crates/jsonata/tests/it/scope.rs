//! Static facts about what a program reads.

use jsonata::{Dialect, Program};

fn variables(text: &str) -> Vec<String> {
    let program = Program::compile(text, Dialect::Aws).unwrap();
    program.scope().variables.iter().map(|variable| variable.path.join(".")).collect()
}

fn context(text: &str) -> Vec<String> {
    let program = Program::compile(text, Dialect::Aws).unwrap();
    program.scope().context.iter().map(|read| read.text.to_string()).collect()
}

#[test]
fn free_variables_come_with_the_path_read() {
    assert_eq!(variables("$states.result.User[0].Id"), ["states.result.User"]);
    assert_eq!(variables("$states"), ["states"]);
    assert_eq!(variables("$x + $y.z"), ["x", "y.z"]);
    assert_eq!(variables("$a.b.c[$d.e > f]"), ["a.b.c", "d.e"]);
    assert_eq!(variables("$states.input.items^(price)[0].name"), ["states.input.items"]);
    assert_eq!(variables("$states[0].input"), ["states"]);
    assert_eq!(variables("$x + $x.y"), ["x", "x.y"]);
}

#[test]
fn bound_variables_and_functions_are_not_free() {
    assert_eq!(variables("($x := 1; $x + $y)"), ["y"]);
    assert_eq!(variables("function($x){ $x + $y }"), ["y"]);
    assert_eq!(variables("$states.input@$i#$p.{\"i\": $i, \"p\": $p}"), ["states.input"]);
    assert_eq!(variables("$sum($map($a, $string))"), ["a"]);
    assert_eq!(variables("$eval(\"1\")"), ["eval"]);
}

#[test]
fn references_to_no_context_are_reported() {
    assert_eq!(context("phone"), ["phone"]);
    assert_eq!(context("$"), ["$"]);
    assert_eq!(context("$$.a"), ["$$"]);
    assert_eq!(context("phone.number & $.x"), ["phone", "$"]);
    assert_eq!(context("{\"a\": phone}"), ["phone"]);
    assert_eq!(context("*"), ["*"]);
    assert_eq!(context("sum(1)"), ["sum"]);
    assert_eq!(context("function($x){ phone }"), ["phone"]);
    assert_eq!(context("$x.(a; $$)"), ["$$"]);
}

#[test]
fn references_within_a_path_are_fine() {
    for text in [
        "$states.input.phone",
        "$states.input[phone = 1]",
        "$states.input.($ & phone)",
        "$states.input.{\"a\": phone}",
        "$states.input{phone: $}",
        "$states.input^(phone)",
        "$states ~> |input|{\"a\": phone}|",
        "$map($states.input, function($v){ $v.phone })",
    ] {
        assert_eq!(context(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn positions_are_ends_of_tokens_in_utf16_units() {
    let program = Program::compile("\"😀\" & $x.y & phone", Dialect::Aws).unwrap();
    assert_eq!(program.scope().variables[0].position, 9);
    assert_eq!(program.scope().context[0].position, 19);
}
