//! Filters.

use jsonpath::Path;

fn read(path: &str, json: &str) -> String {
    let path = Path::parse(path).unwrap_or_else(|err| panic!("{path}: {err}"));
    path.read(&value::parse(json).unwrap()).unwrap().to_string()
}

#[test]
fn filters_select_elements() {
    let json = r#"{"max":2,"l":[
        {"id":1,"n":"a","t":["x"]},{"id":2,"n":"bb","keep":false},{"id":3,"n":"日本","z":null}]}"#;
    let table = [
        ("@.id == 2", "[2]"),
        ("@.n == 'a'", "[1]"),
        ("@.n == \"日本\"", "[3]"),
        ("@['n'] == 'a'", "[1]"),
        ("'a' == @.n", "[1]"),
        ("@.id != 2", "[1,3]"),
        ("@.id == '2'", "[2]"),
        ("@.id === '2'", "[]"),
        ("@.id < 2", "[1]"),
        ("@.id <= $.max", "[1,2]"),
        ("@.id>1 && @.id<3", "[2]"),
        ("@.id==1||@.id==3", "[1,3]"),
        ("!(@.id == 1)", "[2,3]"),
        ("!@.t", "[2,3]"),
        ("@.keep", "[2]"),
        ("@.z == null", "[3]"),
        ("@.none == null", "[]"),
        ("@.none != 1", "[1,2,3]"),
        ("@.n =~ /B+/i", "[2]"),
        ("@.n =~ /b/", "[]"),
        ("@.id in [1, 3]", "[1,3]"),
        ("@.n nin ['a', 'bb']", "[3]"),
        ("@.t contains 'x'", "[1]"),
        ("@.n size 2", "[2,3]"),
        ("@.t empty false", "[1]"),
        ("@.t[0] == 'x'", "[1]"),
        ("(@.id == 1 || @.id == 2) && @.n == 'bb'", "[2]"),
        ("@.t[?(@ == 'x')]", "[1]"),
    ];
    for (filter, expected) in table {
        assert_eq!(read(&format!("$.l[?({filter})].id"), json), expected, "{filter}");
    }
}

#[test]
fn texts_without_quotes_and_numbers_as_java_writes_them_are_taken() {
    let json = r#"{"l":[{"id":1,"n":"es","s":0.9},{"id":2,"n":"ecs.zone-a_b","s":0.8},
        {"id":3,"n":"/eggs/cooked/like","s":-0.5},{"id":4,"n":"truest"}]}"#;
    let table = [
        ("@.n==es", "[1]"),
        ("@.n == es && @.s > .85", "[1]"),
        ("(@.n == es) || @.id == 2", "[1,2]"),
        ("@.n==ecs.zone-a_b", "[2]"),
        ("@.n==/eggs/cooked/like", "[3]"),
        ("@.n == truest", "[4]"),
        ("@.s > .85", "[1]"),
        ("@.s == -.5", "[3]"),
        ("@.s < 1.", "[1,2,3]"),
        ("@.n =~ /E./i", "[1]"),
    ];
    for (filter, expected) in table {
        assert_eq!(read(&format!("$.l[?({filter})].id"), json), expected, "{filter}");
    }
    for broken in ["@.n ==", "@.n == ,", "es == @.n", "@.n == a b", "@.n == 'a"] {
        assert!(Path::parse(&format!("$.l[?({broken})]")).is_err(), "{broken}");
    }
}

#[test]
fn existence_keeps_false_and_null() {
    let json = r#"{"list":[{"keep":false},{"keep":null},{"k":1}]}"#;
    assert_eq!(read("$.list[?(@.keep)]", json), r#"[{"keep":false},{"keep":null}]"#);
}

#[test]
fn filters_test_objects_themselves_and_reach_down() {
    assert_eq!(read("$.a[?(@.x == 1)].y", r#"{"a":{"x":1,"y":2}}"#), "[2]");
    assert_eq!(read("$..[?(@.id == 2)].n", r#"{"a":[{"id":2,"n":"x"}]}"#), r#"["x"]"#);
    assert_eq!(read("$.a[?(@.x == 1)]", r#"{"a":"text"}"#), "[]");
}

#[test]
fn broken_filters_are_refused() {
    for text in [
        "$[?(",
        "$[?()]",
        "$[?(@.a ==)]",
        "$[?(@.a == 'x)]",
        "$[?(b == @.a)]",
        "$[?(@.a =~ /(/)]",
        "$[?(@.a",
        "$[?(@.a))]",
        "$[?(@.a in [1)]",
        "$[?@.a]",
    ] {
        assert!(Path::parse(text).is_err(), "{text}");
    }
    let deep = format!("$[?({}@.a{})]", "(".repeat(500), ")".repeat(500));
    assert!(Path::parse(&deep).unwrap_err().message.contains("too deeply"));
    let negated = format!("$[?({}@.a)]", "!".repeat(500));
    assert!(Path::parse(&negated).is_err());
}
