//! Creation that succeeds, fails and is undone; deletion.

use stacks::{Effect, Fact, OnFailure, Status, outstanding};

use crate::fake::{World, change, given};

/// A role for a runbook that deletes users, as our documentation shows it.
pub(crate) const ROLE: &str = "
AWSTemplateFormatVersion: 2010-09-09
Description: ユーザー削除ランブックのロール
Parameters:
  RoleName: {Type: String, Default: RemediationRole}
  PolicyName: {Type: String, Default: RemediationPolicy}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Ref RoleName
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Service: [ssm.amazonaws.com, states.amazonaws.com]}
            Action: sts:AssumeRole
      Policies:
        - PolicyName: !Ref PolicyName
          PolicyDocument:
            Version: 2012-10-17
            Statement:
              - {Effect: Allow, Action: [iam:DeleteUser, iam:GetUser], Resource: '*'}
  Machine:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      StateMachineName: 削除
      RoleArn: !GetAtt Role.Arn
      DefinitionString: '{\"Comment\": \"${Role}\"}'
      DefinitionSubstitutions: {Role: !Ref Role}
Outputs:
  RoleArn: {Value: !GetAtt Role.Arn, Description: ロール, Export: {Name: !Sub '${AWS::StackName}-role'}}
";

#[test]
fn a_stack_is_created_in_order() {
    let world = World::created(ROLE);
    assert_eq!(
        world.calls,
        [
            r#"CreateRole {"RoleName":"RemediationRole","AssumeRolePolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":[\"ssm.amazonaws.com\",\"states.amazonaws.com\"]},\"Action\":\"sts:AssumeRole\"}]}"}"#,
            r#"PutRolePolicy {"RoleName":"RemediationRole","PolicyName":"RemediationPolicy","PolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"iam:DeleteUser\",\"iam:GetUser\"],\"Resource\":\"*\"}]}"}"#,
            r#"CreateStateMachine {"name":"削除","definition":"{\"Comment\": \"RemediationRole\"}","roleArn":"arn:aws:iam::123456789012:role/RemediationRole"}"#,
        ]
    );
    assert_eq!(
        world.story(),
        [
            "demo CREATE_IN_PROGRESS User Initiated",
            "Role CREATE_IN_PROGRESS",
            "Role CREATE_IN_PROGRESS Resource creation Initiated",
            "Role CREATE_COMPLETE",
            "Machine CREATE_IN_PROGRESS",
            "Machine CREATE_IN_PROGRESS Resource creation Initiated",
            "Machine CREATE_COMPLETE",
            "demo CREATE_COMPLETE",
        ]
    );
    assert_eq!(world.state.status, Status::CreateComplete);
    let output = &world.state.outputs[0];
    assert_eq!(output.value, "arn:aws:iam::123456789012:role/RemediationRole");
    assert_eq!(output.export_name.as_deref(), Some("demo-role"));
    assert!(matches!(
        world.effects.last(),
        Some(Effect::Finish { status: Status::CreateComplete, reason: None })
    ));
    let mut ids: Vec<&str> = world.events.iter().map(|event| event.event_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), world.events.len(), "event ids are unique");
}

#[test]
fn a_failed_creation_is_rolled_back() {
    let mut world = World::new();
    world.failing = vec![("CreateStateMachine", "AccessDeniedException")];
    world.create(change(ROLE, &[]), OnFailure::Rollback);
    let story = world.story();
    let reason = "Machine CREATE_FAILED Resource handler returned message: \"CreateStateMachine \
                  was refused\" (RequestToken: ";
    assert!(story[5].starts_with(reason), "{}", story[5]);
    assert!(story[5].ends_with("HandlerErrorCode: AccessDenied)"), "{}", story[5]);
    assert_eq!(
        story[6..],
        [
            "demo ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [Machine]. \
             Rollback requested by user.",
            "Machine DELETE_COMPLETE",
            "Role DELETE_IN_PROGRESS",
            "Role DELETE_COMPLETE",
            "demo ROLLBACK_COMPLETE",
        ]
    );
    assert_eq!(world.operations()[3..], ["DeleteRolePolicy", "DeleteRole"]);
}

#[test]
fn a_half_created_resource_is_deleted_too() {
    let mut world = World::new();
    world.failing = vec![("PutRolePolicy", "MalformedPolicyDocument")];
    world.create(change(ROLE, &[]), OnFailure::Rollback);
    assert_eq!(
        world.operations(),
        ["CreateRole", "PutRolePolicy", "DeleteRolePolicy", "DeleteRole"]
    );
    assert_eq!(world.state.status, Status::RollbackComplete);
}

#[test]
fn on_failure_decides_what_follows() {
    let run = |on_failure| {
        let mut world = World::new();
        world.failing = vec![("CreateStateMachine", "X")];
        world.create(change(ROLE, &[]), on_failure);
        (world.state.status, world.state.status_reason.clone(), world.calls.len())
    };
    let (status, reason, calls) = run(OnFailure::DoNothing);
    assert_eq!((status, calls), (Status::CreateFailed, 3));
    assert_eq!(reason.as_deref(), Some("The following resource(s) failed to create: [Machine]. "));
    let (status, _, calls) = run(OnFailure::Delete);
    assert_eq!((status, calls), (Status::DeleteComplete, 5));
}

#[test]
fn others_are_cancelled_when_one_fails() {
    let text = "Resources: {A: {Type: 'AWS::IAM::Group'}, B: {Type: 'AWS::IAM::User'}, \
                C: {Type: 'AWS::IAM::Group', DependsOn: A}}";
    let mut world = World::new();
    world.failing = vec![("CreateGroup", "LimitExceeded")];
    world.create(change(text, &[]), OnFailure::Rollback);
    let story = world.story();
    assert!(story.contains(&"B CREATE_FAILED Resource creation cancelled".to_owned()));
    assert!(story.iter().any(|line| line.contains("failed to create: [A, B]. Rollback")));
    assert!(!story.iter().any(|line| line.starts_with("C ")), "{story:?}");
    // B's call was out and succeeded, so B is deleted.
    assert_eq!(world.operations(), ["CreateGroup", "CreateUser", "DeleteUser"]);
}

#[test]
fn properties_are_checked_before_any_call() {
    for (properties, expected) in [
        ("{Colour: red}", "Encountered unsupported property Colour"),
        ("{}", "required key [AssumeRolePolicyDocument] not found"),
    ] {
        let text =
            format!("Resources: {{R: {{Type: 'AWS::IAM::Role', Properties: {properties}}}}}");
        let world = World::created(&text);
        assert!(world.calls.is_empty());
        assert!(world.story()[2].contains(expected), "{:?}", world.story());
        assert_eq!(world.state.status, Status::RollbackComplete);
    }
}

#[test]
fn deletion_goes_backwards_and_keeps_what_is_retained() {
    let mut world = World::created(ROLE);
    world.delete();
    assert_eq!(world.operations(), ["DeleteStateMachine", "DeleteRolePolicy", "DeleteRole"]);
    assert_eq!(
        world.story(),
        [
            "demo DELETE_IN_PROGRESS User Initiated",
            "Machine DELETE_IN_PROGRESS",
            "Machine DELETE_COMPLETE",
            "Role DELETE_IN_PROGRESS",
            "Role DELETE_COMPLETE",
            "demo DELETE_COMPLETE",
        ]
    );
    let retained = ROLE.replace("AWS::IAM::Role\n", "AWS::IAM::Role\n    DeletionPolicy: Retain\n");
    let mut world = World::created(&retained);
    world.delete();
    assert_eq!(world.operations(), ["DeleteStateMachine"]);
    assert!(world.story().contains(&"Role DELETE_SKIPPED".to_owned()));
}

#[test]
fn what_is_gone_already_counts_as_deleted() {
    let mut world = World::created(ROLE);
    world.failing = vec![("DeleteRolePolicy", "NoSuchEntity"), ("DeleteRole", "NoSuchEntity")];
    world.delete();
    assert_eq!(world.state.status, Status::DeleteComplete);
}

#[test]
fn a_failed_deletion_can_be_tried_again() {
    let mut world = World::created(ROLE);
    world.failing = vec![("DeleteStateMachine", "X")];
    world.delete();
    assert_eq!(world.state.status, Status::DeleteFailed);
    assert_eq!(
        world.state.status_reason.as_deref(),
        Some("The following resource(s) failed to delete: [Machine]. ")
    );
    assert_eq!(world.operations(), ["DeleteStateMachine"], "the role is needed by the machine");
    let retain = vec!["Machine".to_owned()];
    world.run(Fact::DeleteRequested { token: "again".into(), retain });
    assert_eq!(world.state.status, Status::DeleteComplete);
    assert!(outstanding(&world.state).is_empty());
}

#[test]
fn secrets_are_masked_in_events() {
    let text = "Parameters: {P: {Type: String, NoEcho: true}}\nResources:\n  U:\n    \
                Type: AWS::IAM::User\n    Properties: {LoginProfile: {Password: !Ref P}}\n";
    let mut world = World::new();
    world.create(change(text, &[given("P", "geheim!")]), OnFailure::Rollback);
    assert!(world.calls[1].contains("geheim!"));
    assert!(world.events.iter().any(|e| e.properties.as_ref().is_some_and(|p| p.contains("****"))));
    let events = format!("{:?}", world.events);
    assert!(!events.contains("geheim!"));
}
