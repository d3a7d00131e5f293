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
