//! Constraints in AWS's words.

use value::{Value, value};
use wire::{model, validate};

fn problems(service: &str, operation: &str, input: &Value) -> Option<String> {
    let operation = model::service(service).unwrap().operation(operation).unwrap();
    validate::problems(operation, input)
}

#[test]
fn says_what_is_wrong_as_aws_does() {
    assert_eq!(problems("iam", "CreateUser", &value!({"UserName": "ada"})), None);
    assert_eq!(
        problems("iam", "CreateUser", &value!({})).unwrap(),
        "1 validation error detected: Value null at 'userName' failed to satisfy constraint: \
         Member must not be null"
    );
    let long = "x".repeat(65);
    assert_eq!(
        problems("iam", "CreateUser", &Value::object().with("UserName", long.as_str())).unwrap(),
        format!(
            "1 validation error detected: Value '{long}' at 'userName' failed to satisfy \
             constraint: Member must have length less than or equal to 64"
        )
    );
    assert_eq!(
        problems("iam", "ListUsers", &value!({"MaxItems": 0, "PathPrefix": "x"})).unwrap(),
        "2 validation errors detected: Value 'x' at 'pathPrefix' failed to satisfy constraint: \
         Member must satisfy regular expression pattern: \\u002F[\\u0021-\\u007F]*; Value '0' at \
         'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1"
    );
}

#[test]
fn secrets_are_not_shown() {
    let input = value!({"UserName": "ada", "Password": ""});
    assert_eq!(
        problems("iam", "CreateLoginProfile", &input).unwrap(),
        "2 validation errors detected: Value at 'password' failed to satisfy constraint: Member \
         must have length greater than or equal to 1; Value at 'password' failed to satisfy \
         constraint: Member must satisfy regular expression pattern: \
         [\\u0009\\u000A\\u000D\\u0020-\\u00FF]+"
    );
}

#[test]
fn word_characters_are_ascii_as_in_java() {
    let text = problems("iam", "CreateUser", &value!({"UserName": "日本"})).unwrap();
    assert_eq!(
        text,
        "The specified value for userName is invalid. It must contain only alphanumeric \
         characters and/or the following: +=,.@_-"
    );
    let tags = value!({"UserName": "ada", "Tags": [{"Key": "部署", "Value": "経理"}]});
    assert_eq!(problems("iam", "TagUser", &tags), None);
    let tags = value!({"UserName": "ada", "Tags": [{"Key": "a!", "Value": ""}]});
    let text = problems("iam", "TagUser", &tags).unwrap();
    assert!(text.contains("Value 'a!' at 'tags.1.member.key' failed"), "{text}");
}

#[test]
fn another_server_may_know_words_that_the_model_lacks() {
    let operation = model::service("iam").unwrap().operation("ListPolicies").unwrap();
    let input = value!({"Scope": "Ours", "MaxItems": 0});
    let here = validate::problems(operation, &input).unwrap();
    assert!(here.starts_with("2 validation errors detected: Value 'Ours' at 'scope'"), "{here}");
    let elsewhere = validate::problems_elsewhere(operation, &input).unwrap();
    assert!(elsewhere.starts_with("1 validation error detected: Value '0' at "), "{elsewhere}");
}
