//! Dynamic references: what is to be looked up, and where it is put.

use std::collections::BTreeMap;

use stacks::{
    Change, DYNAMIC_REFERENCES_MAX, Effect, Error, Fact, OnFailure, ParameterInput,
    ParameterSource, State, Template, apply,
};
use value::{Value, value};

use crate::fake::{identity, stamp};

fn change(text: &str) -> Result<Change, Error> {
    let stage = ParameterInput {
        key: "Stage".to_owned(),
        value: ParameterSource::Given("dev".to_owned()),
        resolved: None,
    };
    Change::prepare(Template::parse(text)?, &[stage], None, BTreeMap::new(), &identity())
}

fn references(text: &str) -> Result<Vec<String>, Error> {
    change(text)?.dynamic_references(&identity())
}

const TEMPLATE: &str = "
Parameters:
  Stage: {Type: String}
  Pinned: {Type: String, Default: '{{resolve:ssm:/pinned:2}}'}
Conditions: {Never: !Equals [a, b]}
Resources:
  Group:
    Type: AWS::IAM::Group
    Properties:
      GroupName: !Sub 'a-{{resolve:ssm:/${Stage}/group}}-{{resolve:ssm:plain:7}}'
      Path: !Join ['', ['/{{resolve:', 'ssm:path}}/']]
  User:
    Type: AWS::IAM::User
    Properties:
      Groups: [!Ref Group]
      UserName: !Ref Pinned
      LoginProfile: {Password: !Sub '{{resolve:ssm-secure:/${Stage}/secret}}'}
  Nobody:
    Type: AWS::IAM::User
    Condition: Never
    Properties: {UserName: '{{resolve:ssm:never}}'}
Outputs:
  Told: {Value: !Sub '${Group}: {{resolve:ssm:told}}'}
";

/// Returns the call among effects.
fn call(effects: Vec<Effect>) -> Option<(String, String, Value)> {
    effects.into_iter().find_map(|effect| match effect {
        Effect::Call { id, operation, input, .. } => Some((id, operation, input)),
        Effect::Record(_) | Effect::Finish { .. } => None,
    })
}

#[test]
fn what_functions_make_of_parameters_is_looked_up() {
    assert_eq!(
        references(TEMPLATE).unwrap(),
        ["/dev/group", "/pinned:2", "path", "plain:7", "told"]
    );
}

#[test]
fn what_is_held_stands_where_the_reference_stood_and_secrets_stay_references() {
    let names = references(TEMPLATE).unwrap();
    let held = names.into_iter().map(|name| (name.clone(), name.replace(['/', ':'], "_")));
    let change = change(TEMPLATE).unwrap().with_held(held.collect());
    // Kept, it is the same: a rollback puts back what was.
    let change: Change = value::from_value(value::to_value(&change).unwrap()).unwrap();
    let mut state = State::new(identity());
    let request = Fact::CreateRequested {
        token: "t".to_owned(),
        change: Box::new(change),
        on_failure: OnFailure::Rollback,
    };
    let mut calls = Vec::new();
    let mut effects = apply(&mut state, request, &stamp(1));
    while let Some((id, operation, input)) = call(effects) {
        calls.push((operation, input));
        let output = value!({"Group": {"Arn": "a"}, "User": {"Arn": "a"}});
        effects = apply(&mut state, Fact::CallSucceeded { id, output }, &stamp(2));
    }
    let made = |operation: &str, member: &str| {
        let input = calls.iter().find(|(name, _)| name == operation).map(|(_, input)| input);
        input.and_then(|input| input.get(member)).and_then(Value::as_str).unwrap().to_owned()
    };
    assert_eq!(made("CreateGroup", "GroupName"), "a-_dev_group-plain_7");
    assert_eq!(made("CreateGroup", "Path"), "/path/");
    assert_eq!(made("CreateUser", "UserName"), "_pinned_2");
    assert_eq!(made("CreateLoginProfile", "Password"), "{{resolve:ssm-secure:/dev/secret}}");
    assert_eq!(
        stacks::secure_reference(&made("CreateLoginProfile", "Password")),
        Some("/dev/secret")
    );
    assert_eq!(state.outputs[0].value, "a-_dev_group-plain_7: told");
}

#[test]
fn what_functions_make_is_checked_too() {
    let user = |name: &str| {
        format!(
            "Parameters: {{Stage: {{Type: String}}}}\nResources: {{U: {{Type: 'AWS::IAM::User', \
             Properties: {{UserName: {name}}}}}}}"
        )
    };
    for (name, told) in [
        (
            "!Sub '{{resolve:ssm-secure:/${Stage}}}'",
            "SSM Secure reference is not supported in: [AWS::IAM::User/Properties/UserName]",
        ),
        (
            "!Join [':', ['{{resolve', ssm, /a, 'b}}']]",
            "Incorrect format is used in the following SSM reference: [{{resolve:ssm:/a:b}}]",
        ),
        (
            "!Sub '{{resolve:secretsmanager:${Stage}}}'",
            "Template error: dynamic references ({{resolve:secretsmanager:…}}) are not available \
             here",
        ),
    ] {
        assert_eq!(references(&user(name)).unwrap_err().to_string(), told);
    }
    let many = "{{resolve:ssm:a}}".repeat(DYNAMIC_REFERENCES_MAX);
    assert_eq!(references(&user(&format!("'{many}'"))).unwrap(), ["a"]);
    let told = references(&user(&format!("'{many}{{{{resolve:ssm:a}}}}'"))).unwrap_err();
    assert_eq!(told.to_string(), "Template error: there are more than 60 dynamic references");
}

#[test]
fn a_name_that_a_resource_tells_is_known_too_late() {
    let text = "
Parameters: {Stage: {Type: String}}
Resources:
  G: {Type: AWS::IAM::Group}
  U: {Type: AWS::IAM::User, Properties: {UserName: !Sub '{{resolve:ssm:/${G}}}'}}
";
    assert!(references(text).unwrap().is_empty());
    let mut state = State::new(identity());
    let request = Fact::CreateRequested {
        token: "t".to_owned(),
        change: Box::new(change(text).unwrap()),
        on_failure: OnFailure::Rollback,
    };
    let effects = apply(&mut state, request, &stamp(1));
    let (id, ..) = call(effects).unwrap();
    let output = value!({"Group": {"Arn": "a"}});
    let effects = apply(&mut state, Fact::CallSucceeded { id, output }, &stamp(2));
    let told = "the dynamic reference {{resolve:ssm:/";
    assert!(
        effects.iter().any(|effect| matches!(effect, Effect::Record(event)
            if event.reason.as_ref().is_some_and(|reason| reason.starts_with(told)))),
        "{effects:?}"
    );
}
