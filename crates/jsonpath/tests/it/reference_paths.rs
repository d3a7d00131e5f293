//! Reference paths: what parses, what is written, what fails.

use jsonpath::ReferencePath;

fn write(path: &str, json: &str) -> Result<String, String> {
    let path = ReferencePath::parse(path).map_err(|err| err.to_string())?;
    let mut root = value::parse(json).unwrap();
    let before = root.clone();
    let written = path.write(&mut root, value::value!("new"));
    match written {
        Ok(()) => {
            assert_eq!(path.read(&root).unwrap(), value::value!("new"));
            Ok(root.to_string())
        }
        Err(miss) => {
            assert_eq!(root, before, "a failed write changes nothing");
            Err(miss.to_string())
        }
    }
}

#[test]
fn writes_create_what_is_missing() {
    let table = [
        ("$", r#"{"a":1}"#, r#""new""#),
        ("$.a", r#"{"a":1,"b":2}"#, r#"{"a":"new","b":2}"#),
        ("$.c.d", r#"{"a":1}"#, r#"{"a":1,"c":{"d":"new"}}"#),
        ("$.l[1]", r#"{"l":[1,2]}"#, r#"{"l":[1,"new"]}"#),
        ("$.l[0].x", r#"{"l":[{}]}"#, r#"{"l":[{"x":"new"}]}"#),
        ("$['日 本']", "{}", r#"{"日 本":"new"}"#),
    ];
    for (path, json, expected) in table {
        assert_eq!(write(path, json), Ok(expected.to_owned()), "{path}");
    }
}

#[test]
fn writes_into_scalars_fail() {
    let table = [
        ("$.no.such", r#"{"no":1}"#, "Missing property in path $['no']"),
        ("$.a", "3", "Missing property in path $"),
        ("$.a.b", r#"{"a":[1]}"#, "Missing property in path $['a']"),
        ("$.a[0]", r#"{"a":{}}"#, "Missing property in path $['a']"),
        ("$.a[2]", r#"{"a":[1]}"#, "Missing property in path $['a'][2]"),
        ("$.a[0]", "{}", "Missing property in path $['a'][0]"),
    ];
    for (path, json, expected) in table {
        assert_eq!(write(path, json), Err(expected.to_owned()), "{path}");
    }
}

#[test]
fn only_names_and_indices_are_references() {
    for text in ["$.*", "$..a", "$[1:2]", "$[0,1]", "$['a','b']", "$[?(@.a)]", "$[-1]", "a"] {
        assert!(ReferencePath::parse(text).is_err(), "{text}");
    }
}
