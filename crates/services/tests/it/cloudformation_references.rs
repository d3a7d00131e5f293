//! Dynamic references of stacks to Parameter Store.

use value::{Value, value};

use super::cloudformation_parameters::{has, put};
use super::server::{ACCOUNT, text};
use super::ssm_authority::user;
use super::states_express::{Whole, whole};

const GROUP: &str = "
Parameters: {Stage: {Type: String, Default: dev}}
Resources:
  G: {Type: AWS::IAM::Group, Properties: {GroupName: !Sub '{{resolve:ssm:/${Stage}/name}}-a'}}
Outputs:
  Told: {Value: 'see {{resolve:ssm:/dev/name:1}}'}
";

fn asked(template: &str) -> Value {
    value!({
        "StackName": "s", "TemplateBody": template, "Capabilities": ["CAPABILITY_NAMED_IAM"],
    })
}

async fn refused(whole: &Whole, operation: &'static str, template: &str) -> String {
    whole.run("cloudformation", operation, asked(template)).await.unwrap_err().to_string()
}

#[tokio::test]
async fn the_latest_value_counts_at_every_operation() {
    let whole = whole().await;
    assert_eq!(
        refused(&whole, "CreateStack", GROUP).await,
        "ValidationError: Parameters: [ssm:/dev/name] cannot be found."
    );
    put(&whole, "/dev/name", "String", "sales").await;
    whole.ok("cloudformation", "CreateStack", asked(GROUP)).await;
    let stack = has(&whole, "CREATE_COMPLETE").await;
    let outputs = stack.get("Outputs").and_then(Value::as_array).unwrap();
    assert_eq!(text(&outputs[0], &["OutputValue"]), "see sales");
    whole.ok("iam", "GetGroup", value!({"GroupName": "sales-a"})).await;
    let kept = whole.ok("cloudformation", "GetTemplate", value!({"StackName": "s"})).await;
    assert_eq!(text(&kept, &["TemplateBody"]), GROUP);

    assert!(refused(&whole, "UpdateStack", GROUP).await.contains("No updates"), "nothing is new");
    put(&whole, "/dev/name", "String", "selling").await;
    whole.ok("cloudformation", "UpdateStack", asked(GROUP)).await;
    has(&whole, "UPDATE_COMPLETE").await;
    whole.ok("iam", "GetGroup", value!({"GroupName": "selling-a"})).await;
    let gone = whole.run("iam", "GetGroup", value!({"GroupName": "sales-a"})).await;
    assert!(gone.unwrap_err().to_string().contains("NoSuchEntity"));

    // A failed update goes back to what was, and not to what is.
    put(&whole, "/dev/name", "String", "taken").await;
    whole.ok("iam", "CreateGroup", value!({"GroupName": "taken-a"})).await;
    whole.ok("cloudformation", "UpdateStack", asked(GROUP)).await;
    has(&whole, "UPDATE_ROLLBACK_COMPLETE").await;
    whole.ok("iam", "GetGroup", value!({"GroupName": "selling-a"})).await;
}

#[tokio::test]
async fn what_cannot_be_looked_up_is_refused_in_the_words_of_aws() {
    let whole = whole().await;
    put(&whole, "plain", "String", "a").await;
    put(&whole, "list", "StringList", "a, b").await;
    put(&whole, "secret", "SecureString", "b").await;
    let group = |name: &str| {
        format!(
            "Resources: {{G: {{Type: 'AWS::IAM::Group', Properties: {{GroupName: '{name}'}}}}}}"
        )
    };
    for (name, told) in [
        ("{{resolve:ssm:plain:2}}", "Parameters: [ssm:plain:2] cannot be found."),
        (
            "{{resolve:ssm:/aws/service/a}}",
            "Parameters: [ssm:/aws/service/a] cannot be found. It is one of Amazon's public \
             parameters, which Stepwell does not have.",
        ),
        ("{{resolve:ssm:secret:1}}", "Non-secure ssm prefix was used for secure parameter secret"),
        (
            "{{resolve:ssm-secure:secret:1}}",
            "SSM Secure reference is not supported in: [AWS::IAM::Group/Properties/GroupName]",
        ),
    ] {
        let refused = refused(&whole, "CreateStack", &group(name)).await;
        assert_eq!(refused, format!("ValidationError: {told}"));
    }
    let parameter = |kind: &str, name: &str| {
        format!(
            "Parameters: {{P: {{Type: '{kind}', Default: '{name}'}}}}\n\
             Resources: {{G: {{Type: 'AWS::IAM::Group', Properties: {{GroupName: !Ref P}}}}}}"
        )
    };
    for (kind, name) in [("Value<String>", "list"), ("Value<List<String>>", "plain")] {
        let template = parameter(&format!("AWS::SSM::Parameter::{kind}"), name);
        assert_eq!(
            refused(&whole, "CreateStack", &template).await,
            format!(
                "ValidationError: Types for SSM parameters [{name}] defined in CFN template and \
                 SSM are incompatible"
            )
        );
    }
    let told = refused(&whole, "CreateStack", &parameter("AWS::SSM::Parameter::Name", "no")).await;
    assert_eq!(
        told,
        "ValidationError: Parameter validation failed: parameter value no for parameter name P \
         does not exist."
    );
    // The name itself is the value, whatever the parameter holds.
    let named = asked(&parameter("AWS::SSM::Parameter::Name", "secret"));
    whole.ok("cloudformation", "CreateStack", named).await;
    let stack = has(&whole, "CREATE_COMPLETE").await;
    whole.ok("iam", "GetGroup", value!({"GroupName": "secret"})).await;
    let parameters = stack.get("Parameters").and_then(Value::as_array).unwrap();
    assert_eq!(parameters[0].get("ResolvedValue"), None, "{stack}");
}

#[tokio::test]
async fn whoever_may_not_read_what_a_stack_refers_to_gets_no_stack() {
    let whole = whole().await;
    put(&whole, "/dev/name", "String", "sales").await;
    let stacks = r#"{"Effect": "Allow", "Action": ["cloudformation:*", "iam:*"], "Resource": "*"}"#;
    let who = user(&whole, "u", stacks).await;
    let denied = whole.run_as(who, "cloudformation", "CreateStack", asked(GROUP)).await;
    let denied = denied.unwrap_err().to_string();
    let missing = format!(
        "is not authorized to perform: ssm:GetParameters on resource: \
         arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/dev/name"
    );
    assert!(denied.contains(&missing), "{denied}");
}

const USER: &str = "
Resources:
  U:
    Type: AWS::IAM::User
    Properties:
      UserName: kim
      LoginProfile: {Password: '{{resolve:ssm-secure:/kim/password}}'}
";

#[tokio::test]
async fn a_secret_goes_to_the_call_that_needs_it_and_nowhere_else() {
    let whole = whole().await;
    put(&whole, "/kim/password", "SecureString", "Fr0m-the-store!").await;
    whole.ok("cloudformation", "CreateStack", asked(USER)).await;
    has(&whole, "CREATE_COMPLETE").await;
    let everything = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#;
    let policy = format!(r#"{{"Version": "2012-10-17", "Statement": [{everything}]}}"#);
    let policy = value!({"UserName": "kim", "PolicyName": "p", "PolicyDocument": policy});
    whole.ok("iam", "PutUserPolicy", policy).await;
    let found = whole.ok("iam", "GetUser", value!({"UserName": "kim"})).await;
    let kim = policy::Principal::user(ACCOUNT, "/", "kim", &text(&found, &["User", "UserId"]));
    let change = value!({"OldPassword": "Fr0m-the-store!", "NewPassword": "An0ther-one!"});
    whole.run_as(kim, "iam", "ChangePassword", change).await.unwrap();
    for operation in ["DescribeStackEvents", "DescribeStacks", "GetTemplate"] {
        let shown = whole.ok("cloudformation", operation, value!({"StackName": "s"})).await;
        assert!(!shown.to_string().contains("Fr0m-the-store!"), "{shown}");
    }
}

#[tokio::test]
async fn a_secret_that_is_not_there_fails_its_resource() {
    let whole = whole().await;
    whole.ok("cloudformation", "CreateStack", asked(USER)).await;
    has(&whole, "ROLLBACK_COMPLETE").await;
    let events =
        whole.ok("cloudformation", "DescribeStackEvents", value!({"StackName": "s"})).await;
    let told = "Parameters: [ssm-secure:/kim/password] cannot be found.";
    assert!(events.to_string().contains(told), "{events}");
}
