//! Decoding what `StartAutomationExecution` gives.

use automation::{Format, Runbook};
use value::{Value, value};

/// Returns a runbook with one parameter `P`.
fn runbook(parameter: &str) -> Runbook {
    let text = format!(
        "{{schemaVersion: '0.3', assumeRole: '{{{{ P }}}}', parameters: {{P: {{{parameter}}}}}, mainSteps: []}}"
    );
    Runbook::parse(&text, Format::Yaml).unwrap_or_else(|err| panic!("{parameter}: {err}"))
}

fn decoded(parameter: &str, texts: Value) -> Result<String, String> {
    let parameters = runbook(parameter).start_parameters(&value!({"P": texts}));
    match parameters {
        Ok(parameters) => Ok(parameters.get("P").unwrap().to_string()),
        Err(err) => Err(err.to_string()),
    }
}

#[test]
fn lists_of_texts_become_typed_values() {
    for (parameter, texts, expected) in [
        ("type: String", value!(["a"]), "\"a\""),
        ("type: String", value!([]), "\"\""),
        ("type: 'AWS::IAM::Role::Arn'", value!(["a"]), "\"a\""),
        ("type: Integer", value!(["-5"]), "-5"),
        ("type: Boolean", value!(["True"]), "true"),
        ("type: StringList", value!(["a", "b"]), r#"["a","b"]"#),
        ("type: StringList", value!([r#"["a","b"]"#]), r#"["a","b"]"#),
        ("type: StringList", value!([]), "[]"),
        ("type: 'List<AWS::EC2::Instance::Id>'", value!(["i-1"]), r#"["i-1"]"#),
        ("type: StringMap", value!([r#"{"a":1}"#]), r#"{"a":1}"#),
        ("type: Boolean", value!(["false"]), "false"),
        ("type: Integer", value!(["9007199254740993"]), "9007199254740993"),
        ("type: String, minChars: 2, maxChars: 3", value!(["日本"]), "\"日本\""),
        ("type: StringList, minItems: 1, maxItems: 2", value!(["a"]), r#"["a"]"#),
        ("type: StringMap, maxItems: 1", value!([r#"{"a":1}"#]), r#"{"a":1}"#),
        ("type: Integer, allowedValues: [1, 2]", value!(["2"]), "2"),
        ("type: Boolean, allowedValues: [true]", value!(["True"]), "true"),
        ("type: StringList, allowedValues: [a, b]", value!(["b", "a"]), r#"["b","a"]"#),
        // What only Java's dialect has: look around, back references, properties.
        (
            r"type: String, allowedPattern: '^(?!aws:)(?<x>[a-z])\k<x>(?<=aa)$'",
            value!(["aa"]),
            "\"aa\"",
        ),
        (r"type: String, allowedPattern: '^\p{Alpha}[\p{Digit}_]*$'", value!(["a1_"]), "\"a1_\""),
        ("type: MapList", value!([r#"{"a":1}"#, r#"{"b":2}"#]), r#"[{"a":1},{"b":2}]"#),
        ("type: MapList", value!([r#"[{"a":1}]"#]), r#"[{"a":1}]"#),
    ] {
        assert_eq!(decoded(parameter, texts).as_deref(), Ok(expected), "{parameter}");
    }
}

#[test]
fn values_outside_the_limits_are_refused() {
    for (parameter, texts, told) in [
        (
            "type: String, allowedValues: [Install, Uninstall]",
            value!(["install"]),
            "Parameter \"P\" has value \"install\" not found in [Install, Uninstall].",
        ),
        (
            "type: String, allowedPattern: 'a+'",
            value!(["ab"]),
            "Parameter \"P\" has value \"ab\" not matching \"a+\".",
        ),
        (
            "type: StringList, allowedPattern: 'a+'",
            value!(["a", "b"]),
            "Parameter \"P\" has value \"b\" not matching \"a+\".",
        ),
        ("type: Integer", value!(["x"]), "which is not a valid Integer."),
        ("type: Integer, maxValue: 3", value!(["4"]), "which is not a valid Integer."),
        ("type: Boolean", value!(["yes"]), "which is not a valid Boolean."),
        ("type: StringMap", value!(["x"]), "which is not a valid StringMap."),
        ("type: StringMap", value!(["[1]"]), "which is not a valid StringMap."),
        ("type: MapList", value!(["1"]), "which is not a valid MapList."),
        ("type: String, minChars: 2", value!(["日"]), "which is not a valid String."),
        ("type: String, maxChars: 2", value!(["abc"]), "which is not a valid String."),
        ("type: StringList, minItems: 2", value!(["a"]), "which is not a valid StringList."),
        ("type: MapList, minItems: 1", value!([]), "which is not a valid MapList."),
        ("type: Integer", value!(["1.5"]), "which is not a valid Integer."),
        ("type: Integer", value!([""]), "which is not a valid Integer."),
        ("type: Integer", value!(["9223372036854775808"]), "which is not a valid Integer."),
        ("type: Integer, minValue: 2", value!(["1"]), "which is not a valid Integer."),
        (
            "type: Integer, allowedValues: [1, 2]",
            value!(["3"]),
            "Parameter \"P\" has value \"3\" not found in [1, 2].",
        ),
        // A part that matches is not enough.
        (
            r"type: String, allowedPattern: '[a-z]{3}'",
            value!(["abcd"]),
            "Parameter \"P\" has value \"abcd\" not matching \"[a-z]{3}\".",
        ),
        // A pattern that would take for ever is given up, and the value refused.
        (
            r"type: String, allowedPattern: '^(a*)*\1b(?=c)$'",
            value!(["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]),
            r#"not matching "^(a*)*\1b(?=c)$"."#,
        ),
        ("type: StringList, maxItems: 1", value!(["a", "b"]), "which is not a valid StringList."),
    ] {
        let err = decoded(parameter, texts).unwrap_err();
        assert!(err.ends_with(told), "{parameter}: {err}");
    }
}

#[test]
fn defaults_are_taken_as_they_are() {
    for (parameter, expected) in [
        ("type: String, default: '', allowedPattern: 'a+'", "\"\""),
        ("type: String, default: 5", "\"5\""),
        ("type: Integer, default: '5'", "5"),
        ("type: Boolean, default: 'False'", "false"),
        ("type: StringList, default: []", "[]"),
        ("type: StringList, default: a", r#"["a"]"#),
        ("type: MapList, default: ''", "[]"),
        ("type: StringMap, default: ''", "{}"),
    ] {
        let parameters = runbook(parameter).start_parameters(&value!({})).unwrap();
        assert_eq!(parameters.get("P").unwrap().to_string(), expected, "{parameter}");
    }
}

#[test]
fn an_empty_role_means_the_caller() {
    let runbook = runbook("type: String, default: ''");
    assert_eq!(runbook.assume_role(&value!({})), None);
    let role = "arn:aws:iam::111122223333:role/r";
    assert_eq!(runbook.assume_role(&value!({"P": [role]})).as_deref(), Some(role));
    assert_eq!(runbook.assume_role(&value!({"Unknown": [role]})), None);
}

#[test]
fn parameter_store_defaults_are_left_to_the_service() {
    let runbook = runbook("type: String, default: '{{ssm:/a/b.c-d}}'");
    assert_eq!(runbook.parameter_store_defaults(), [("P", "/a/b.c-d".to_owned())]);
}
