//! Parsing, definite and indefinite reads.

use jsonpath::{Miss, Path};
use value::Value;

fn read(path: &str, json: &str) -> Result<String, String> {
    let path = Path::parse(path).map_err(|err| err.to_string())?;
    let root = value::parse(json).unwrap();
    path.read(&root).map(|value| value.to_string()).map_err(|miss| miss.to_string())
}

#[test]
fn definite_paths_give_the_value() {
    let json = r#"{"a":{"b":[10,{"c-d":"x"},30]},"日本":{"東京":1},"x y":2,"q'q":3,"n":null}"#;
    let table = [
        ("$", json),
        ("$.a.b[0]", "10"),
        ("$['a']['b'][1]['c-d']", r#""x""#),
        ("$.a.b[1].c-d", r#""x""#),
        ("$[\"a\"].b[2]", "30"),
        ("$.a.b[-1]", "30"),
        ("$.日本.東京", "1"),
        ("$['x y']", "2"),
        ("$['q\\'q']", "3"),
        ("$.['a'].b[0]", "10"),
        ("$.n", "null"),
        ("$['x y','n']", r#"{"x y":2,"n":null}"#),
        ("$[ 'x y' , \"none\" ]", r#"{"x y":2}"#),
    ];
    for (path, expected) in table {
        assert_eq!(read(path, json), Ok(expected.to_owned()), "{path}");
        assert!(Path::parse(path).unwrap().is_definite(), "{path}");
    }
}

#[test]
fn definite_paths_miss_in_the_words_of_aws() {
    let json = r#"{"a":{"s":"text","l":[1],"n":null}}"#;
    let table = [
        ("$.NoSuchInputPath", "No results for path: $['NoSuchInputPath']"),
        ("$.no.such.result.path", "Missing property in path $['no']"),
        ("$.a.b", "No results for path: $['a']['b']"),
        ("$.a.b.c", "Missing property in path $['a']['b']"),
        ("$.a.l[3]", "No results for path: $['a']['l'][3]"),
        ("$.a.l[-2]", "No results for path: $['a']['l'][-2]"),
        ("$.a.n[0]", "The path $['a']['n'] is null"),
        ("$.a.s[0]", "Filter: [0] can only be applied to arrays. Current context is: \"text\""),
        (
            "$.a.s.t",
            "Expected to find an object with property ['t'] in path $['a']['s'] but found \
             'com.fasterxml.jackson.databind.node.TextNode'. This is not a json object according \
             to the JsonProvider: 'com.jayway.jsonpath.spi.json.JacksonJsonNodeJsonProvider'.",
        ),
    ];
    for (path, expected) in table {
        assert_eq!(read(path, json), Err(expected.to_owned()), "{path}");
    }
}

#[test]
fn indefinite_paths_give_lists() {
    let json = r#"{"l":[{"k":1},{"k":2},{"j":3},4],"d":{"a":[1,2],"e":{"a":5}},"t":[0,1,2,3,4]}"#;
    let table = [
        ("$.l[*].k", "[1,2]"),
        ("$.l.*.k", "[1,2]"),
        ("$.d..a", "[[1,2],5]"),
        ("$.d..a[*]", "[1,2]"),
        ("$..k", "[1,2]"),
        ("$.t[1:3]", "[1,2]"),
        ("$.t[3:]", "[3,4]"),
        ("$.t[-2:]", "[3,4]"),
        ("$.t[:2]", "[0,1]"),
        ("$.t[:-3]", "[0,1]"),
        ("$.t[1:100]", "[1,2,3,4]"),
        ("$.t[-2:-1]", "[3]"),
        ("$.t[1:-1]", "[]"),
        ("$.t[0,2]", "[0,2]"),
        ("$.t[9,0]", "[0]"),
        ("$['d','t'].a", "[[1,2]]"),
        ("$.d..[0]", "[1]"),
        ("$.d.*", r#"[[1,2],{"a":5}]"#),
        ("$..e.a", "[5]"),
        ("$.none[*]", "[]"),
        ("$.item.items[1:5].itemValue", "[]"),
        ("$.t[*].x", "[]"),
        ("$..none", "[]"),
    ];
    for (path, expected) in table {
        assert_eq!(read(path, json), Ok(expected.to_owned()), "{path}");
        assert!(!Path::parse(path).unwrap().is_definite(), "{path}");
    }
}

#[test]
fn a_slice_of_the_root_misses_when_the_root_is_no_array() {
    assert_eq!(read("$[1:]", "[1,2,3]"), Ok("[2,3]".to_owned()));
    for path in ["$[1:5]", "$[1:]", "$[:1]"] {
        assert!(read(path, "{}").unwrap_err().contains("can only be applied to arrays"), "{path}");
    }
}

#[test]
fn broken_paths_are_refused_with_a_position() {
    let table = [
        ("", "a path must start with `$` at position 0"),
        ("a.b", "a path must start with `$` at position 0"),
        ("$a", "expected `.` or `[` at position 1"),
        ("$.", "path must not end with a `.` at position 2"),
        ("$..", "path must not end with a `.` at position 3"),
        ("$...a", "unexpected `.` at position 3"),
        ("$.a b", "a name with blanks must stand in brackets and quotes at position 3"),
        ("$.length()", "functions are not available at position 8"),
        ("$[", "expected `?`, a quote, a number or `*` at position 2"),
        ("$['a", "unclosed quote at position 2"),
        ("$[:]", "a slice needs a bound at position 3"),
        ("$[0", "expected `]` at position 3"),
        ("$[99999999999999999999]", "number out of range at position 2"),
        ("$.a[(@.length-1)]", "expected `?`, a quote, a number or `*` at position 4"),
    ];
    for (path, expected) in table {
        assert_eq!(read(path, "{}"), Err(expected.to_owned()), "{path}");
    }
}

#[test]
fn selectors_may_leave_out_the_root() {
    let root = value::parse(r#"{"InstanceIds":["i-1"]}"#).unwrap();
    for text in ["InstanceIds[0]", "$.InstanceIds[0]", " $.InstanceIds[0] ", "['InstanceIds'][0]"] {
        let path = Path::parse_relative(text).unwrap();
        assert_eq!(path.read(&root).unwrap(), Value::from("i-1"), "{text}");
    }
    assert!(Path::parse_relative("").is_err());
}

#[test]
fn reads_stop_at_the_limit() {
    let mut nested = Value::from(1);
    for _ in 0..100 {
        nested = Value::from(vec![nested.clone(), nested]);
    }
    let miss = Path::parse("$..*..*").unwrap().read(&nested).unwrap_err();
    assert!(matches!(miss, Miss::TooManySteps(_)));
}

#[test]
fn no_text_panics() {
    let pieces =
        ["$", ".", "..", "[", "]", "?(", ")", "'a'", "@", "*", "==", "-1", ":", "日", "!", " "];
    let root = value::parse(r#"{"a":[{"a":1},-1]}"#).unwrap();
    let mut seed = 7_u64;
    for _ in 0..20_000 {
        let mut text = String::from("$");
        for _ in 0..8 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text.push_str(pieces[usize::try_from(seed >> 33).unwrap() % pieces.len()]);
        }
        if let Ok(path) = Path::parse(&text) {
            let _ = path.read(&root);
        }
    }
}
