//! Event patterns.

use events::EventPattern;

fn matches(pattern: &str, event: &str) -> bool {
    let compiled = EventPattern::parse(pattern).unwrap_or_else(|err| panic!("{pattern}: {err}"));
    compiled.matches(&value::parse(event).unwrap())
}

#[test]
fn comparisons_hold_as_aws_documents() {
    let table = [
        // (what `a` may be, an event's `a` that matches, one that does not)
        (r#"["x", 5]"#, r#""x""#, r#""y""#),
        ("[5]", "5.0", r#""5""#),
        ("[null]", "null", r#""""#),
        (r#"[""]"#, r#""""#, "null"),
        ("[true]", "true", "false"),
        (r#"["x"]"#, r#"["w","x"]"#, r#"["w"]"#),
        (r#"["10.0.0.1"]"#, r#""10.0.0.1""#, r#""10.0.0.2""#),
        (r#"["::1"]"#, r#""0:0:0:0:0:0:0:1""#, r#""::2""#),
        (r#"[{"exactly": "x"}]"#, r#""x""#, r#""X""#),
        (r#"[{"prefix": "日本"}]"#, r#""日本語""#, r#""日""#),
        (r#"[{"prefix": {"equals-ignore-case": "EU-"}}]"#, r#""eu-west""#, r#""us""#),
        (r#"[{"suffix": ".png"}]"#, r#""a.png""#, r#""a.PNG""#),
        (r#"[{"suffix": {"equals-ignore-case": ".png"}}]"#, r#""a.PNG""#, r#""a.gif""#),
        (r#"[{"equals-ignore-case": "alice"}]"#, r#""ALICE""#, r#""bob""#),
        (r#"[{"wildcard": "dir/*.png"}]"#, r#""dir/a/b.png""#, r#""dir/a.gif""#),
        (r#"[{"wildcard": "*"}]"#, r#""anything""#, "5"),
        (r#"[{"wildcard": "a*b*c"}]"#, r#""aXbbYc""#, r#""acb""#),
        (r#"[{"wildcard": "a\\*\\\\b"}]"#, r#""a*\\b""#, r#""aXb""#),
        (r#"[{"wildcard": "ab*ba"}]"#, r#""abba""#, r#""aba""#),
        (r#"[{"anything-but": "x"}]"#, r#""y""#, r#""x""#),
        (r#"[{"anything-but": ["x", "y"]}]"#, r#""z""#, r#""y""#),
        (r#"[{"anything-but": [1, 2]}]"#, "3", "2.0"),
        (r#"[{"anything-but": 1}]"#, r#""1""#, "1"),
        (r#"[{"anything-but": {"prefix": "in"}}]"#, r#""out""#, r#""init""#),
        (r#"[{"anything-but": {"prefix": ["in", "un"]}}]"#, r#""out""#, r#""undo""#),
        (r#"[{"anything-but": {"suffix": "z"}}]"#, r#""a""#, r#""xyz""#),
        (r#"[{"anything-but": {"equals-ignore-case": ["A", "B"]}}]"#, r#""c""#, r#""b""#),
        (r#"[{"anything-but": {"wildcard": "*/x/*"}}]"#, r#""a/y/b""#, r#""a/x/b""#),
        (r#"[{"numeric": [">", 0, "<=", 5]}]"#, "5", "0"),
        (r#"[{"numeric": ["=", 3.018e2]}]"#, "301.8", "301"),
        (r#"[{"numeric": ["<", 10]}]"#, "-1e3", "10"),
        (r#"[{"numeric": ["<", 10]}]"#, "9", r#""9""#),
        (r#"[{"exists": true}]"#, "null", "{}"),
        (r#"[{"cidr": "10.0.0.0/24"}]"#, r#""10.0.0.33""#, r#""10.0.1.1""#),
        (r#"[{"cidr": "0.0.0.0/0"}]"#, r#""9.9.9.9""#, r#""::1""#),
        (r#"[{"cidr": "2001:db8::/32"}]"#, r#""2001:db8:1::5""#, r#""2001:db9::""#),
        (r#"[{"exists": false}, "x"]"#, r#"{"deeper": 1}"#, r#""y""#),
    ];
    for (operator, yes, no) in table {
        let pattern = format!(r#"{{"a": {operator}}}"#);
        assert!(matches(&pattern, &format!(r#"{{"a": {yes}, "z": 1}}"#)), "{operator} {yes}");
        assert!(!matches(&pattern, &format!(r#"{{"a": {no}}}"#)), "{operator} {no}");
    }
}

#[test]
fn absence_matches_exists_false_alone() {
    for operator in [r#""x""#, r#"{"anything-but": "x"}"#, r#"{"exists": true}"#, "null"] {
        assert!(!matches(&format!(r#"{{"a": {{"b": [{operator}]}}}}"#), "{}"), "{operator}");
    }
    let pattern = r#"{"a": {"b": [{"exists": false}]}}"#;
    for event in ["{}", r#"{"a": {}}"#, r#"{"a": 1}"#, r#"{"a": {"b": []}}"#, r#"{"a": []}"#] {
        assert!(matches(pattern, event), "{event}");
    }
    assert!(!matches(pattern, r#"{"a": {"b": null}}"#));
}

#[test]
fn every_field_and_one_alternative_must_match() {
    let pattern = r#"{"source": ["s"], "$or": [
        {"a": [1]}, {"b": [2], "$or": [{"c": [3]}, {"d": [4]}]}]}"#;
    assert!(matches(pattern, r#"{"source": "s", "a": 1}"#));
    assert!(matches(pattern, r#"{"source": "s", "b": 2, "d": 4}"#));
    assert!(!matches(pattern, r#"{"source": "s", "b": 2}"#));
    assert!(!matches(pattern, r#"{"source": "t", "a": 1}"#));
    // Before anything but two objects, `$or` is a field.
    assert!(matches(r#"{"$or": ["x"]}"#, r#"{"$or": "x"}"#));
    assert!(matches(r#"{"$or": {"x": [1]}}"#, r#"{"$or": {"x": 1}}"#));
}

#[test]
fn fields_below_an_array_are_met_by_one_element() {
    let pattern = r#"{"d": {"e": {"k": ["n"], "v": [1]}}}"#;
    assert!(matches(pattern, r#"{"d": {"e": [{"k": "m", "v": 2}, {"k": "n", "v": 1}]}}"#));
    assert!(!matches(pattern, r#"{"d": {"e": [{"k": "n", "v": 2}, {"k": "m", "v": 1}]}}"#));
}

#[test]
fn refusals_carry_the_words_of_aws() {
    let table = [
        ("[]", "Filter is not an object"),
        ("{}", "Empty objects are not allowed"),
        (r#"{"a": {}}"#, "Empty objects are not allowed"),
        (r#"{"a": []}"#, "Empty arrays are not allowed"),
        (r#"{"a": "x"}"#, "\"a\" must be an object or an array"),
        (r#"{"a": [[1]]}"#, "Match value must be String, number, true, false, or null"),
        (r#"{"a": [{}]}"#, "Match expression name not found"),
        (r#"{"a": [{"no": 1}]}"#, "Unrecognized match type no"),
        (r#"{"a": [{"prefix": 1}]}"#, "prefix match pattern must be a string"),
        (r#"{"a": [{"prefix": "x", "suffix": "y"}]}"#, "Only one key allowed in match expression"),
        (r#"{"a": [{"suffix": null}]}"#, "suffix match pattern must be a string"),
        (r#"{"a": [{"exists": "true"}]}"#, "exists match pattern must be either true or false."),
        (r#"{"a": [{"numeric": 5}]}"#, "Value of numeric must be an array."),
        (r#"{"a": [{"numeric": ["!", 5]}]}"#, "Unrecognized numeric range operator: !"),
        (r#"{"a": [{"numeric": [">", "25"]}]}"#, "Value of > must be numeric"),
        (r#"{"a": [{"numeric": ["=", "25"]}]}"#, "Value of equals must be numeric"),
        (r#"{"a": [{"numeric": ["<", 5, ">", 1]}]}"#, "Too many elements in numeric expression"),
        (r#"{"a": [{"numeric": [">", 5, ">", 1]}]}"#, "Bad numeric range operator: >"),
        (r#"{"a": [{"wildcard": "a**b"}]}"#, "Consecutive wildcard characters at pos 2"),
        (r#"{"a": [{"wildcard": "a\\b"}]}"#, "Invalid escape character at pos 2"),
        (
            r#"{"a": [{"anything-but": [1, "x"]}]}"#,
            "Inside anything but list, either all values are number or string, mixed type is not \
             supported",
        ),
        (
            r#"{"a": [{"anything-but": {"numeric": 1}}]}"#,
            "Unsupported anything-but pattern: numeric",
        ),
        (r#"{"a": [{"anything-but": {"prefix": ""}}]}"#, "Null prefix/suffix not allowed"),
        (r#"{"a": [{"cidr": "10.0.0.0"}]}"#, "Malformed CIDR, one '/' required"),
    ];
    for (pattern, reason) in table {
        let err = EventPattern::parse(pattern).unwrap_err();
        assert_eq!(err.reason, reason, "{pattern}");
    }
}

#[test]
fn refusals_point_where_aws_points() {
    // Both are recorded from AWS.
    let pattern = r#"{"detail-type":["dual"],"detail":{"delaySeconds":[{"exists":"false"}]}}"#;
    assert_eq!(
        EventPattern::parse(pattern).unwrap_err().to_string(),
        format!(
            "Event pattern is not valid. Reason: exists match pattern must be either true or \
             false.\n at [Source: (String)\"{pattern}\"; line: 1, column: 62]"
        )
    );
    let pattern = "{\n  \"detail\": {\n    \"slug\": \"some\"\n  }\n}";
    let err = EventPattern::parse(pattern).unwrap_err();
    assert_eq!((err.line, err.column), (3, 14));
    assert!(EventPattern::parse("{").is_err());
    let deep = format!("{}[1]{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    assert!(EventPattern::parse(&deep).is_err());
}

#[test]
fn alternatives_are_bounded() {
    let or = |name: &str| {
        let options: Vec<String> = (0..40).map(|n| format!("{{\"{name}\": [{n}]}}")).collect();
        format!("{{\"$or\": [{}]}}", options.join(","))
    };
    assert!(EventPattern::parse(&or("a")).is_ok());
    let both = format!("{{\"x\": {}, \"y\": {}}}", or("a"), or("b"));
    assert!(EventPattern::parse(&both).is_err());
}
