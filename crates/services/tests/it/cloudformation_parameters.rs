//! Parameters of stacks that name parameters of Parameter Store.

use std::time::Duration;

use value::{Value, value};

use super::server::text;
use super::ssm_authority::user;
use super::states_express::{Whole, whole};

const TEMPLATE: &str = "
Parameters:
  Name: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /groups/name}
  Users: {Type: 'AWS::SSM::Parameter::Value<List<String>>', Default: users}
Resources:
  G: {Type: AWS::IAM::Group, Properties: {GroupName: !Ref Name}}
Outputs:
  Second: {Value: !Select [1, !Ref Users]}
";

pub(crate) async fn put(whole: &Whole, name: &str, kind: &str, held: &str) {
    let input = value!({"Name": name, "Type": kind, "Value": held, "Overwrite": true});
    whole.ok("ssm", "PutParameter", input).await;
}

fn asked(parameters: Value) -> Value {
    value!({
        "StackName": "s", "TemplateBody": TEMPLATE, "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "Parameters": parameters,
    })
}

/// Waits until the stack has this status; returns it.
pub(crate) async fn has(whole: &Whole, status: &str) -> Value {
    for _ in 0..2_000 {
        let stack = whole.ok("cloudformation", "DescribeStacks", value!({"StackName": "s"})).await;
        let stack = stack.get("Stacks").and_then(Value::as_array).unwrap()[0].clone();
        if text(&stack, &["StackStatus"]) == status {
            return stack;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the stack does not become {status}");
}

/// Returns what a parameter of a stack is, and what that stands for.
fn parameter(stack: &Value, key: &str) -> (String, String) {
    let all = stack.get("Parameters").and_then(Value::as_array).unwrap();
    let one = all.iter().find(|one| text(one, &["ParameterKey"]) == key).unwrap();
    (text(one, &["ParameterValue"]), text(one, &["ResolvedValue"]))
}

#[tokio::test]
async fn the_latest_value_is_taken_at_every_creation_and_update() {
    let whole = whole().await;
    put(&whole, "users", "StringList", "kim,lee").await;
    let refused = whole.run("cloudformation", "CreateStack", asked(value!([]))).await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        "ValidationError: Unable to fetch parameters [/groups/name] from parameter store for \
         this account."
    );
    put(&whole, "/groups/name", "String", "sales").await;
    whole.ok("cloudformation", "CreateStack", asked(value!([]))).await;
    let stack = has(&whole, "CREATE_COMPLETE").await;
    assert_eq!(parameter(&stack, "Name"), ("/groups/name".to_owned(), "sales".to_owned()));
    assert_eq!(parameter(&stack, "Users"), ("users".to_owned(), "kim,lee".to_owned()));
    let outputs = stack.get("Outputs").and_then(Value::as_array).unwrap();
    assert_eq!(text(&outputs[0], &["OutputValue"]), "lee");
    whole.ok("iam", "GetGroup", value!({"GroupName": "sales"})).await;

    // What is kept is the name: a version that came since counts.
    let kept = value!([{"ParameterKey": "Name", "UsePreviousValue": true}]);
    let nothing = whole.run("cloudformation", "UpdateStack", asked(kept.clone())).await;
    assert!(nothing.unwrap_err().to_string().contains("No updates"), "nothing has changed");
    put(&whole, "/groups/name", "String", "selling").await;
    whole.ok("cloudformation", "UpdateStack", asked(kept)).await;
    let stack = has(&whole, "UPDATE_COMPLETE").await;
    assert_eq!(parameter(&stack, "Name"), ("/groups/name".to_owned(), "selling".to_owned()));
    // A version that is asked for counts, too.
    let first = value!([{"ParameterKey": "Name", "ParameterValue": "/groups/name:1"}]);
    whole.ok("cloudformation", "UpdateStack", asked(first)).await;
    for _ in 0..2_000 {
        if whole.run("iam", "GetGroup", value!({"GroupName": "sales"})).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let stack = has(&whole, "UPDATE_COMPLETE").await;
    assert_eq!(parameter(&stack, "Name").1, "sales");
}

#[tokio::test]
async fn whoever_may_not_read_a_parameter_gets_no_stack_with_it() {
    let whole = whole().await;
    put(&whole, "users", "StringList", "kim,lee").await;
    put(&whole, "/groups/name", "String", "sales").await;
    let stacks = r#"{"Effect": "Allow", "Action": ["cloudformation:*", "iam:*"], "Resource": "*"}"#;
    let half = format!(
        r#"{stacks}, {{"Effect": "Allow", "Action": "ssm:GetParameters",
            "Resource": "arn:aws:ssm:us-east-1:*:parameter/users"}}"#
    );
    for (name, statements) in [("none", stacks), ("half", &half)] {
        let who = user(&whole, name, statements).await;
        let refused = whole.run_as(who, "cloudformation", "CreateStack", asked(value!([]))).await;
        let refused = refused.unwrap_err().to_string();
        let missing = "is not authorized to perform: ssm:GetParameters on resource: \
                       arn:aws:ssm:us-east-1:123456789012:parameter/groups/name";
        assert!(refused.contains(missing), "{name}: {refused}");
    }
}
