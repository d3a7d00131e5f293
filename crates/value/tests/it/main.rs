//! The claims of the `value` crate, through its public boundary.
#![cfg(test)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use value::{Number, Value, value};

#[test]
fn text_comes_back_byte_for_byte() {
    for text in [
        r#"{"b":1,"a":[1.0,1e5,-0,0.1,123456789012345678901234567890,9007199254740993]}"#,
        r#"["日本","\"\\\n\u0001","😀",{}]"#,
        "[]",
        "null",
    ] {
        assert_eq!(value::parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn escapes_are_found_wherever_they_stand() {
    for length in 0..20 {
        for at in 0..=length {
            for special in ["\"", "\\", "\n", "\u{0}", "\u{1f}", "\u{7f}", "日", "😀"] {
                let text = format!("{}{special}{}", "a".repeat(at), "b".repeat(length - at));
                let value = Value::from(text.as_str());
                let shown = value.to_json();
                assert_eq!(value::parse(&shown).unwrap().as_str(), Some(text.as_str()));
                assert_eq!((value.json_bytes(), value.to_string()), (shown.len(), shown.clone()));
                assert_eq!(value::quote(&text), shown);
            }
        }
    }
    assert_eq!(value::quote("\u{8}\u{c}\r\t\u{b}"), r#""\b\f\r\t\u000b""#);
}

#[test]
fn whole_numbers_are_printed_like_others() {
    let near = [0, 1, 9, 10, 99, 100, i64::MAX, i64::MIN, 1 << 53];
    for int in near.into_iter().flat_map(|int| [int, int.wrapping_neg(), int.wrapping_add(1)]) {
        assert_eq!(Value::from(int).to_json(), format!("{int}"));
    }
    for (float, shown) in [
        (-0.0, "0"),
        (-3.0, "-3"),
        (1e15, "1000000000000000"),
        (1e20, "100000000000000000000"),
        (-1.25e22, "-1.25e+22"),
        (5e-324, "5e-324"),
        (0.1 + 0.2, "0.30000000000000004"),
    ] {
        assert_eq!(value::JavaScriptNumber(float).to_string(), shown);
    }
}

#[test]
fn faults_name_their_place() {
    for (text, line, column, message) in [
        ("{oops", 1, 2, "expected a string as the key of an object, found `o`"),
        ("[1,\n 2,]", 2, 4, "expected a JSON value, found `]`"),
        ("[1 2]", 1, 4, "expected `,` or `]`, found `2`"),
        ("\"日\u{1}\"", 1, 3, "control character in a string; write it as `\\u00XX`"),
        ("", 1, 1, "expected a JSON value, found the end of the text"),
        ("01", 1, 2, "a number may not start with `0`"),
        ("1 1", 1, 3, "unexpected text after the end of the JSON value"),
        (r#""\u12g4""#, 1, 4, "expected four hexadecimal digits after `\\u`, found `1`"),
    ] {
        let err = value::parse(text).unwrap_err();
        assert_eq!((err.line, err.column, err.message.as_str()), (line, column, message), "{text}");
    }
}

#[test]
fn members_that_are_left_out_are_skipped_whatever_is_in_them() {
    for skipped in [
        "1",
        "-1.5e3",
        "null",
        "\"\"",
        "\"a\"",
        r#""\"}],{[""#,
        r#""\\""#,
        "[]",
        "{}",
        "\"日本\\\\語\"",
        r#"[1, {"a": "}"}, [["]"]]]"#,
        r#"{"skip": {"b": "\\\""}, "c": [{}]}"#,
    ] {
        let text = format!(r#"{{"a": 1, "skip": {skipped} , "b": {{"skip": 2}}}}"#);
        let whole = value::parse(&text).unwrap();
        assert!(whole.get("skip").is_some(), "{text}");
        let rest = value::parse_without(&text, &["skip"]).unwrap();
        assert_eq!(rest.to_string(), r#"{"a":1,"b":{"skip":2}}"#, "{text}");
        let last = format!(r#"{{"skip": {skipped}}}"#);
        assert_eq!(value::parse_without(&last, &["skip"]).unwrap().to_string(), "{}");
    }
    for broken in
        [r#"{"skip": ""#, r#"{"skip": "\"#, r#"{"skip": ["#, r#"{"skip": "\é"#, r#"{"skip""#]
    {
        assert!(value::parse_without(broken, &["skip"]).is_err(), "{broken}");
    }
}

#[test]
fn deep_nesting_and_bad_utf8_are_faults_not_crashes() {
    let deep = "[".repeat(1_000_000);
    assert!(value::parse(&deep).unwrap_err().message.contains("nested more than"));
    assert!(value::parse_bytes(b"[\"\xff\"]").unwrap_err().message.contains("UTF-8"));
}

#[test]
fn numbers_compare_by_value() {
    assert_eq!(value::parse("1.0").unwrap(), value!(1));
    assert_eq!(value::parse("1e2").unwrap(), value!(100));
    assert_ne!(value!(1), value!(2));
    assert_eq!(Value::from(1e21).to_string(), "1e+21");
    assert_eq!(Value::from(1.5e-7).to_string(), "1.5e-7");
    assert_eq!(Value::from(123_456.789).to_string(), "123456.789");
    assert_eq!(Value::from(0.000_001).to_string(), "0.000001");
    assert_eq!(Value::from(2f64.powi(53)).to_string(), "9007199254740992");
    assert!(matches!(value::parse("0.5").unwrap(), Value::Number(Number::Float(_))));
}

#[test]
fn large_objects_keep_order_and_find_members() {
    let mut object = Value::object();
    for at in 0..100 {
        object.set(format!("k{at}"), at);
    }
    assert_eq!(object.get("k99"), Some(&value!(99)));
    object.object_mut().remove("k0");
    assert_eq!(object.get("k99"), Some(&value!(99)));
    assert_eq!(object.get("k0"), None);
    assert_eq!(&**object.as_object().unwrap().keys().next().unwrap(), "k1");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record {
    name: String,
    count: u32,
    maybe: Option<String>,
    kind: Kind,
    list: Vec<Kind>,
    by_number: BTreeMap<u64, bool>,
    any: Value,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Plain,
    Wrapped(i64),
    Named { ratio: f64 },
}

#[test]
fn records_go_there_and_back_and_embedded_values_stay_exact() {
    let any = value::parse(r#"{"n":1.0,"x":[null,"日本"]}"#).unwrap();
    let record = Record {
        name: "日本".into(),
        count: 7,
        maybe: None,
        kind: Kind::Named { ratio: 0.5 },
        list: vec![Kind::Plain, Kind::Wrapped(-1)],
        by_number: BTreeMap::from([(3, true)]),
        any: any.clone(),
    };
    let stored = value::to_value(&record).unwrap();
    assert_eq!(stored.get("Any").unwrap().to_string(), any.to_string());
    let text = stored.to_string();
    let back: Record = value::from_value(value::parse(&text).unwrap()).unwrap();
    assert_eq!(back, record);
    assert_eq!(back.any.to_string(), any.to_string());
}

#[test]
fn a_wrong_shape_names_the_member() {
    let err = value::from_value::<Record>(value!({"Name": 1})).unwrap_err();
    assert!(err.to_string().starts_with("Name: "), "{err}");
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "Type")]
enum Tagged {
    Shape(Shape),
}

#[derive(Debug, PartialEq, Deserialize)]
struct Shape {
    flag: bool,
    sides: (u8, char),
    nothing: (),
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[test]
fn each_type_takes_its_own_kind_of_value() {
    let source = value!({
        "Type": "Shape", "flag": true, "sides": [3, "日"], "nothing": null, "extra": [1.0],
    });
    let rest = BTreeMap::from([("extra".to_owned(), value!([1.0]))]);
    let shape = Shape { flag: true, sides: (3, '日'), nothing: (), rest };
    assert_eq!(value::from_value::<Tagged>(source).unwrap(), Tagged::Shape(shape));
}

#[test]
fn another_kind_is_refused_in_serdes_words() {
    let refused = |source: Value| value::from_value::<Record>(source).unwrap_err().to_string();
    assert_eq!(refused(value!([1])), "invalid type: sequence, expected struct Record");
    assert_eq!(refused(value!({"Name": {}})), "Name: invalid type: map, expected a string");
    assert_eq!(refused(value!({"Count": "7"})), "Count: invalid type: string \"7\", expected u32");
    assert_eq!(
        refused(value!({"List": true})),
        "List: invalid type: boolean `true`, expected a sequence"
    );
    assert_eq!(refused(value!({"Count": -1})), "Count: invalid value: integer `-1`, expected u32");
    assert_eq!(
        refused(value!({"Kind": 1})),
        "Kind: expected a variant (a string or an object with one member), found number"
    );
}
