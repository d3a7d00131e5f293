//! Input paths and input transformers.

use events::transform::{Context, Error};
use events::{InputPath, InputTransformer};
use value::{Value, value};

fn event() -> Value {
    value!({
        "time": "2015-11-11T21:29:54Z",
        "detail": {"id": "i-1", "名": "削除 \"済\"", "n": 5, "o": {"k": ["v"]}, "null": null}
    })
}

fn apply(template: &str) -> String {
    let paths = [
        ("id", "$.detail.id"),
        ("name", "$.detail.名"),
        ("n", "$.detail.n"),
        ("o", "$.detail.o"),
        ("none", "$.detail.none"),
        ("null", "$.detail.null"),
    ];
    let event = event();
    let context = Context {
        rule_arn: "arn:aws:events:us-east-1:123456789012:rule/r",
        rule_name: "r",
        ingestion_millis: 1_447_277_394_000,
        event: &event,
    };
    InputTransformer::parse(paths, template).unwrap().apply(&context)
}

#[test]
fn templates_fill_as_aws_documents() {
    let table = [
        (r#""instance <id> is <n>""#, r#""instance i-1 is 5""#),
        (r#""instance \"<id>\"""#, r#""instance \"i-1\"""#),
        (r#"{"i" : <id>, "s": [ 9, <n>, true ]}"#, r#"{"i":"i-1","s":[9,5,true]}"#),
        (r#"{"a": <name>, "b": "<name>"}"#, r#"{"a":"削除 \"済\"","b":"削除 \"済\""}"#),
        (r#"{"o": <o>, "t": "<o>"}"#, r#"{"o":{"k":["v"]},"t":"{k:[v]}"}"#),
        (r#"{"a": <none>, "b": "x<none>y", "c": <null>}"#, r#"{"a":"","b":"xy","c":null}"#),
        (r#"{"日本": "<aws.events.rule-name> 実行"}"#, r#"{"日本":"r 実行"}"#),
        (
            r"[<aws.events.rule-arn>, <aws.events.event.ingestion-time>]",
            r#"["arn:aws:events:us-east-1:123456789012:rule/r","2015-11-11T21:29:54Z"]"#,
        ),
        (r#"{"e": <aws.events.event>}"#, r#"{"e":{"time":"2015-11-11T21:29:54Z"}}"#),
        (r#""a < b and <b c>""#, r#""a < b and <b c>""#),
    ];
    for (template, expected) in table {
        assert_eq!(apply(template), expected, "{template}");
    }
    let whole = format!("{{\"e\":{}}}", event());
    assert_eq!(apply(r#"{"e": <aws.events.event.json>}"#), whole);
}

#[test]
fn broken_transformers_are_refused() {
    let parse = |path: &'static str, template: &str| {
        InputTransformer::parse([("x", path)], template).unwrap_err()
    };
    assert!(
        matches!(parse("$.a", r#"{"a": <y>}"#), Error::UnknownPlaceholder(name) if name == "y")
    );
    assert!(matches!(parse("$.a", r#"{"a": }"#), Error::Template(_)));
    assert!(matches!(parse("a b", r#"{"a": <x>}"#), Error::Path { .. }));
    assert!(matches!(parse("$.a", &"x".repeat(9_000)), Error::TemplateTooLong));
    let reserved = InputTransformer::parse([("aws.x", "$.a")], "{}").unwrap_err();
    assert!(matches!(reserved, Error::ReservedName(_)));
}

#[test]
fn input_paths_select() {
    let event = event();
    assert_eq!(InputPath::parse("$.detail.id").unwrap().apply(&event), value!("i-1"));
    assert_eq!(InputPath::parse("$").unwrap().apply(&event), event);
    assert_eq!(InputPath::parse("$.none").unwrap().apply(&event), Value::Null);
    assert!(InputPath::parse("detail").is_err());
}
