//! What each type of resource calls to come, change and go.

use crate::fake::World;

/// Creates, updates and deletes a resource `R`, and returns the calls of each.
fn course(type_name: &str, before: &str, after: &str) -> [Vec<String>; 3] {
    let text = |properties: &str| {
        format!("Resources: {{R: {{Type: '{type_name}', Properties: {properties}}}}}")
    };
    let mut world = World::created(&text(before));
    let created = world.calls.clone();
    world.update(&text(after));
    let updated = world.calls.clone();
    world.delete();
    assert_eq!(world.state.status, stacks::Status::DeleteComplete);
    [created, updated, world.calls]
}

#[test]
fn roles() {
    let before = "{RoleName: r, AssumeRolePolicyDocument: {}, ManagedPolicyArns: [a, b], \
                  PermissionsBoundary: p, MaxSessionDuration: 7200, Tags: [{Key: k, Value: v}]}";
    let after = "{RoleName: r, AssumeRolePolicyDocument: {x: 1}, ManagedPolicyArns: [b, c], \
                 Description: 説明, Policies: [{PolicyName: n, PolicyDocument: {}}]}";
    let [created, updated, deleted] = course("AWS::IAM::Role", before, after);
    assert_eq!(
        created,
        [
            r#"CreateRole {"RoleName":"r","AssumeRolePolicyDocument":"{}","MaxSessionDuration":7200,"PermissionsBoundary":"p","Tags":[{"Key":"k","Value":"v"}]}"#,
            r#"AttachRolePolicy {"RoleName":"r","PolicyArn":"a"}"#,
            r#"AttachRolePolicy {"RoleName":"r","PolicyArn":"b"}"#,
        ]
    );
    assert_eq!(
        updated,
        [
            r#"UpdateAssumeRolePolicy {"RoleName":"r","PolicyDocument":"{\"x\":1}"}"#,
            r#"UpdateRole {"RoleName":"r","Description":"説明","MaxSessionDuration":3600}"#,
            r#"DeleteRolePermissionsBoundary {"RoleName":"r"}"#,
            r#"AttachRolePolicy {"RoleName":"r","PolicyArn":"c"}"#,
            r#"DetachRolePolicy {"RoleName":"r","PolicyArn":"a"}"#,
            r#"PutRolePolicy {"RoleName":"r","PolicyName":"n","PolicyDocument":"{}"}"#,
            r#"UntagRole {"RoleName":"r","TagKeys":["k"]}"#,
        ]
    );
    assert_eq!(
        deleted,
        [
            r#"DetachRolePolicy {"RoleName":"r","PolicyArn":"b"}"#,
            r#"DetachRolePolicy {"RoleName":"r","PolicyArn":"c"}"#,
            r#"DeleteRolePolicy {"RoleName":"r","PolicyName":"n"}"#,
            r#"DeleteRole {"RoleName":"r"}"#,
        ]
    );
}

#[test]
fn users_and_groups() {
    let [created, updated, deleted] = course(
        "AWS::IAM::User",
        "{UserName: 花子, Groups: [g], LoginProfile: {Password: p}}",
        "{UserName: 花子, Groups: [h], Path: /x/}",
    );
    assert_eq!(
        created,
        [
            r#"CreateUser {"UserName":"花子"}"#,
            r#"CreateLoginProfile {"UserName":"花子","Password":"p","PasswordResetRequired":false}"#,
            r#"AddUserToGroup {"UserName":"花子","GroupName":"g"}"#,
        ]
    );
    assert_eq!(
        updated,
        [
            r#"UpdateUser {"UserName":"花子","NewPath":"/x/"}"#,
            r#"DeleteLoginProfile {"UserName":"花子"}"#,
            r#"AddUserToGroup {"UserName":"花子","GroupName":"h"}"#,
            r#"RemoveUserFromGroup {"UserName":"花子","GroupName":"g"}"#,
        ]
    );
    assert_eq!(
        deleted,
        [
            r#"RemoveUserFromGroup {"UserName":"花子","GroupName":"h"}"#,
            r#"DeleteUser {"UserName":"花子"}"#,
        ]
    );
    let [created, updated, deleted] = course(
        "AWS::IAM::Group",
        "{GroupName: g, ManagedPolicyArns: [a]}",
        "{GroupName: g, Path: /p/}",
    );
    assert_eq!(
        created,
        [
            r#"CreateGroup {"GroupName":"g"}"#,
            r#"AttachGroupPolicy {"GroupName":"g","PolicyArn":"a"}"#
        ]
    );
    assert_eq!(
        updated,
        [
            r#"UpdateGroup {"GroupName":"g","NewPath":"/p/"}"#,
            r#"DetachGroupPolicy {"GroupName":"g","PolicyArn":"a"}"#,
        ]
    );
    assert_eq!(deleted, [r#"DeleteGroup {"GroupName":"g"}"#]);
}

#[test]
fn policies() {
    let [created, updated, deleted] = course(
        "AWS::IAM::Policy",
        "{PolicyName: p, PolicyDocument: {a: 1}, Roles: [r], Users: [u]}",
        "{PolicyName: p, PolicyDocument: {a: 2}, Roles: [r], Groups: [g]}",
    );
    assert_eq!(
        created,
        [
            r#"PutRolePolicy {"RoleName":"r","PolicyName":"p","PolicyDocument":"{\"a\":1}"}"#,
            r#"PutUserPolicy {"UserName":"u","PolicyName":"p","PolicyDocument":"{\"a\":1}"}"#,
        ]
    );
    assert_eq!(updated.len(), 3);
    assert_eq!(updated[2], r#"DeleteUserPolicy {"UserName":"u","PolicyName":"p"}"#);
    assert_eq!(
        deleted,
        [
            r#"DeleteRolePolicy {"RoleName":"r","PolicyName":"p"}"#,
            r#"DeleteGroupPolicy {"GroupName":"g","PolicyName":"p"}"#,
        ]
    );
    let [created, updated, deleted] = course(
        "AWS::IAM::ManagedPolicy",
        "{ManagedPolicyName: m, PolicyDocument: {a: 1}, Roles: [r]}",
        "{ManagedPolicyName: m, PolicyDocument: {a: 2}, Roles: [r]}",
    );
    let arn = "arn:aws:iam::123456789012:policy/m";
    assert_eq!(created[1], format!(r#"AttachRolePolicy {{"RoleName":"r","PolicyArn":"{arn}"}}"#));
    assert_eq!(
        updated[1..],
        [
            format!(r#"DeletePolicyVersion {{"PolicyArn":"{arn}","VersionId":"v1"}}"#),
            format!(
                r#"CreatePolicyVersion {{"PolicyArn":"{arn}","SetAsDefault":true,"PolicyDocument":"{{\"a\":2}}"}}"#
            ),
        ]
    );
    assert_eq!(deleted.len(), 7);
    assert_eq!(deleted[6], format!(r#"DeletePolicy {{"PolicyArn":"{arn}"}}"#));
}

#[test]
fn state_machines() {
    let [created, updated, deleted] = course(
        "AWS::StepFunctions::StateMachine",
        "{StateMachineName: m, RoleArn: r, Definition: {Comment: '${x}'}, \
         DefinitionSubstitutions: {x: 'a\"b'}, StateMachineType: EXPRESS, \
         LoggingConfiguration: {Level: ALL, Destinations: [{CloudWatchLogsLogGroup: \
         {LogGroupArn: l}}]}, Tags: [{Key: k, Value: v}]}",
        "{StateMachineName: m, RoleArn: s, DefinitionString: '{}', StateMachineType: EXPRESS}",
    );
    assert_eq!(
        created,
        [
            r#"CreateStateMachine {"name":"m","definition":"{\"Comment\":\"a\\\"b\"}","roleArn":"r","loggingConfiguration":{"level":"ALL","destinations":[{"cloudWatchLogsLogGroup":{"logGroupArn":"l"}}]},"type":"EXPRESS","tags":[{"key":"k","value":"v"}]}"#
        ]
    );
    let arn = "arn:aws:states:us-east-1:123456789012:stateMachine:m";
    assert_eq!(
        updated,
        [
            format!(
                r#"UpdateStateMachine {{"stateMachineArn":"{arn}","definition":"{{}}","roleArn":"s"}}"#
            ),
            format!(r#"UntagResource {{"resourceArn":"{arn}","tagKeys":["k"]}}"#),
        ]
    );
    assert_eq!(deleted, [format!(r#"DeleteStateMachine {{"stateMachineArn":"{arn}"}}"#)]);
}

#[test]
fn rules() {
    let [created, updated, deleted] = course(
        "AWS::Events::Rule",
        "{Name: n, EventPattern: {source: [s]}, Targets: [{Id: a, Arn: x}, {Id: b, Arn: y}]}",
        "{Name: n, ScheduleExpression: rate(1 day), State: DISABLED, Targets: [{Id: b, Arn: z}]}",
    );
    assert_eq!(
        created,
        [
            r#"PutRule {"Name":"n","EventPattern":"{\"source\":[\"s\"]}"}"#,
            r#"PutTargets {"Rule":"n","Targets":[{"Id":"a","Arn":"x"},{"Id":"b","Arn":"y"}]}"#,
        ]
    );
    assert_eq!(
        updated,
        [
            r#"PutRule {"Name":"n","ScheduleExpression":"rate(1 day)","State":"DISABLED"}"#,
            r#"PutTargets {"Rule":"n","Targets":[{"Id":"b","Arn":"z"}]}"#,
            r#"RemoveTargets {"Rule":"n","Ids":["a"]}"#,
        ]
    );
    assert_eq!(
        deleted,
        [r#"RemoveTargets {"Rule":"n","Ids":["b"]}"#, r#"DeleteRule {"Name":"n"}"#]
    );
}

#[test]
fn documents() {
    let [created, updated, deleted] = course(
        "AWS::SSM::Document",
        "{Name: d, Content: {schemaVersion: '0.3'}, DocumentType: Automation, UpdateMethod: NewVersion}",
        "{Name: d, Content: {schemaVersion: '0.3', description: 二}, DocumentType: Automation, \
         UpdateMethod: NewVersion}",
    );
    assert_eq!(
        created,
        [
            r#"CreateDocument {"Name":"d","Content":"{\"schemaVersion\":\"0.3\"}","DocumentType":"Automation"}"#
        ]
    );
    assert_eq!(
        updated,
        [
            r#"UpdateDocument {"Name":"d","DocumentVersion":"$LATEST","Content":"{\"schemaVersion\":\"0.3\",\"description\":\"二\"}"}"#,
            r#"UpdateDocumentDefaultVersion {"Name":"d","DocumentVersion":"2"}"#,
        ]
    );
    assert_eq!(deleted, [r#"DeleteDocument {"Name":"d"}"#]);
}

#[test]
fn metadata_of_the_cdk_does_nothing() {
    let [created, updated, deleted] =
        course("AWS::CDK::Metadata", "{Analytics: a}", "{Analytics: b}");
    assert!(created.is_empty() && updated.is_empty() && deleted.is_empty());
}
