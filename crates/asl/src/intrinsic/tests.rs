//! Calls, from text to value.

use std::sync::Arc;

use jsonata::Moment;
use value::{Value, value};

use super::Intrinsic;
use crate::failure::Field;
use crate::scope::{Evaluation, Scope};

fn call(text: &str, input: Value) -> Result<Value, String> {
    let intrinsic = Intrinsic::parse(text).ok_or("no call")?;
    let scope = Scope {
        input,
        context: Value::object(),
        result: None,
        error_output: None,
        variables: Arc::default(),
    };
    let mut moment = Moment::new(0, [3; 32]);
    let mut evaluation = Evaluation::new(&scope, &mut moment);
    intrinsic.evaluate(&mut evaluation, Field::Top("x.$")).map_err(|failure| failure.cause)
}

#[test]
fn calls_give_what_the_documentation_says() {
    let input = value!({
        "list": [1, 2, 3, 4, 5], "at": 2, "text": "1,2;3", "map": {"a": 1, "b": ["x"]}
    });
    for (text, expected) in [
        ("States.Array('x', 1, null, $.at)", r#"["x",1,null,2]"#),
        ("States.ArrayPartition($.list, 4)", "[[1,2,3,4],[5]]"),
        ("States.ArrayContains($.list, 5)", "true"),
        ("States.ArrayRange(1, 9, 2)", "[1,3,5,7,9]"),
        ("States.ArrayGetItem($.list, $.at)", "3"),
        ("States.ArrayLength($.list)", "5"),
        ("States.ArrayUnique(States.Array(1, 1, 2))", "[1,2]"),
        ("States.Base64Encode('Data to encode')", r#""RGF0YSB0byBlbmNvZGU=""#),
        ("States.Base64Decode('RGVjb2RlZCBkYXRh')", r#""Decoded data""#),
        ("States.Hash('input data', 'SHA-1')", r#""aaff4a450a104cd177d28d18d74485e8cae074b7""#),
        ("States.JsonMerge($.map, $.map, false)", r#"{"a":1,"b":["x"]}"#),
        (r#"States.StringToJson('{"foo": 1}')"#, r#"{"foo":1}"#),
        ("States.JsonToString($.map)", r#""{\"a\":1,\"b\":[\"x\"]}""#),
        ("States.MathAdd(-1.5, -1.51)", "-3"),
        ("States.MathAdd(1.5, 1.51)", "4"),
        ("States.StringSplit($.text, ',;')", r#"["1","2","3"]"#),
        (r"States.Format('a \'{}\' \{\} {}', $.at, $.map)", r#""a '2' {} {a=1, b=[x]}""#),
    ] {
        assert_eq!(call(text, input.clone()).map(|v| v.to_string()).as_deref(), Ok(expected));
    }
}

#[test]
fn seeds_and_identifiers_have_their_shape() {
    // What java.util.Random(42).nextDouble() gives, 0.7275636800328681.
    assert_eq!(call("States.MathRandom(0, 100000, 42)", Value::Null).unwrap().to_string(), "72756");
    let uuid = call("States.UUID()", Value::Null).unwrap();
    let uuid = uuid.as_str().unwrap();
    assert_eq!((uuid.len(), uuid.chars().nth(14)), (36, Some('4')));
}

#[test]
fn what_is_no_call_is_refused() {
    for text in [
        "States.Nope()",
        "States.Array(",
        "States.UUID(1)",
        r#"States.Format('He said, \"Hello\"')"#,
        "States.ArrayLength($.a) x",
    ] {
        assert!(Intrinsic::parse(text).is_none(), "{text}");
    }
}
