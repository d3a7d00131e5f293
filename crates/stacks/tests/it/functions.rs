//! Intrinsic functions, seen through the outputs of a stack.

use std::collections::BTreeMap;

use stacks::{Change, OnFailure, Status, Template};

use crate::fake::{World, change, given, identity};

const TEMPLATE: &str = "
Parameters:
  Stage: {Type: String, Default: prod}
  Names: {Type: CommaDelimitedList, Default: 'a, b'}
Mappings:
  Sizes: {prod: {size: 大}, dev: {size: 小}}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsDev: !Not [!Condition IsProd]
  Either: !Or [!Condition IsProd, !Condition IsDev]
  Both: !And [!Condition IsProd, !Condition IsDev]
Resources:
  G: {Type: AWS::IAM::Group, Properties: {GroupName: g}}
  OnlyDev: {Type: AWS::IAM::Group, Condition: IsDev}
Outputs:
  Out: {Value: VALUE}
";

fn evaluate(expression: &str) -> Result<String, String> {
    let text = TEMPLATE.replace("VALUE", expression);
    let mut world = World::new();
    world.create(change(&text, &[]), OnFailure::DoNothing);
    if world.state.status == Status::CreateComplete {
        return Ok(world.state.outputs[0].value.clone());
    }
    Err(world.state.status_reason.unwrap())
}

#[test]
fn functions_give_what_aws_documents() {
    let table = [
        ("!Ref Stage", "prod"),
        ("!Ref G", "g"),
        ("!GetAtt G.Arn", "arn:aws:iam::123456789012:group/g"),
        ("!Ref 'AWS::AccountId'", "123456789012"),
        ("!Ref 'AWS::URLSuffix'", "amazonaws.com"),
        (
            "!Sub '${Stage}-${G.Arn}-${!Lit}-${AWS::Region}'",
            "prod-arn:aws:iam::123456789012:group/g-${Lit}-us-east-1",
        ),
        ("!Sub ['${x}/${Stage}', {x: !Ref G}]", "g/prod"),
        ("!Join ['、', !Ref Names]", "a、b"),
        ("!Join ['', [a, 1, true]]", "a1true"),
        ("!Select [1, !Ref Names]", "b"),
        ("!Select ['0', !Split ['|', 'x|y']]", "x"),
        ("!FindInMap [Sizes, !Ref Stage, size]", "大"),
        ("!FindInMap [Sizes, none, size, {DefaultValue: d}]", "d"),
        ("!If [IsProd, yes-it-is, !Ref OnlyDev]", "yes-it-is"),
        ("!If [Both, a, !If [Either, b, c]]", "b"),
        ("!Base64 'héllo'", "aMOpbGxv"),
        ("!Base64 'ab'", "YWI="),
        ("!Select [0, !GetAZs '']", "us-east-1a"),
        ("!Join ['-', [a, !If [IsDev, b, !Ref 'AWS::NoValue'], c]]", "a-c"),
    ];
    for (expression, expected) in table {
        assert_eq!(evaluate(expression), Ok(expected.to_owned()), "{expression}");
    }
}

#[test]
fn failures_carry_the_words_of_aws() {
    let table = [
        ("!Select [7, !Ref Names]", "Fn::Select cannot select nonexistent value at index 7"),
        ("!FindInMap [None, a, b]", "Mapping named 'None' is not present in the 'Mappings'"),
        ("!FindInMap [Sizes, a, b]", "Unable to get mapping for Sizes::a::b"),
        ("!ImportValue nope", "No export named nope found."),
        (
            "!GetAtt G.Colour",
            "Requested attribute Colour does not exist in schema for AWS::IAM::Group",
        ),
        ("!Ref Names", "must evaluate to a String."),
    ];
    for (expression, expected) in table {
        let reason = evaluate(expression).unwrap_err();
        assert!(reason.contains(expected), "{expression}: {reason}");
    }
}

#[test]
fn conditions_decide_what_is_in_the_stack() {
    let mut world = World::new();
    world.create(
        change(&TEMPLATE.replace("VALUE", "x"), &[given("Stage", "dev")]),
        OnFailure::Rollback,
    );
    assert_eq!(world.operations(), ["CreateGroup", "CreateGroup"]);
    let absent = TEMPLATE.replace("GroupName: g", "GroupName: !Ref OnlyDev").replace("VALUE", "x");
    let template = Template::parse(&absent).unwrap();
    let err = Change::prepare(template, &[], None, BTreeMap::new(), &identity()).unwrap_err();
    assert_eq!(
        err.to_string(),
        "Template format error: Unresolved resource dependencies [OnlyDev] in the Resources block \
         of the template"
    );
}

#[test]
fn conditions_in_a_circle_are_refused() {
    let text = "Conditions: {A: !Not [!Condition B], B: !Not [!Condition A]}\n\
                Resources: {G: {Type: 'AWS::IAM::Group'}}\n";
    let template = Template::parse(text).unwrap();
    let err = Change::prepare(template, &[], None, BTreeMap::new(), &identity()).unwrap_err();
    assert!(err.to_string().contains("Unresolved condition dependency [A, B]"), "{err}");
}
