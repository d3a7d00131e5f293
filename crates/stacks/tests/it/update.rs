//! Updates: nothing, in place, replacement, and back.

use std::collections::BTreeMap;

use stacks::{Change, Status, Template};

use crate::delete_and_rollback::ROLE;
use crate::fake::{World, change, identity};

#[test]
fn an_update_that_changes_nothing_is_refused() {
    let world = World::created(ROLE);
    let err = change(ROLE, &[]).check_update(&world.state).unwrap_err();
    assert_eq!(err.to_string(), "No updates are to be performed.");
    let other_type = ROLE.replace("AWS::StepFunctions::StateMachine", "AWS::Events::Rule");
    let other_type = Template::parse(&other_type).unwrap();
    let other_type = Change::prepare(other_type, &[], None, BTreeMap::new(), &identity()).unwrap();
    let err = other_type.check_update(&world.state).unwrap_err();
    assert_eq!(
        err.to_string(),
        "Update of resource type is not permitted. The new template modifies resource type of \
         the following resources: [Machine]"
    );
}

#[test]
fn what_changed_is_updated_in_place() {
    let mut world = World::created(ROLE);
    world.update(&ROLE.replace("[iam:DeleteUser, iam:GetUser]", "[iam:DeleteUser]"));
    assert_eq!(
        world.calls,
        [
            r#"PutRolePolicy {"RoleName":"RemediationRole","PolicyName":"RemediationPolicy","PolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"iam:DeleteUser\"],\"Resource\":\"*\"}]}"}"#
        ]
    );
    assert_eq!(
        world.story(),
        [
            "demo UPDATE_IN_PROGRESS User Initiated",
            "Role UPDATE_IN_PROGRESS",
            "Role UPDATE_COMPLETE",
            "demo UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            "demo UPDATE_COMPLETE",
        ]
    );
}

#[test]
fn a_replacement_is_created_first_and_the_old_one_deleted_last() {
    let mut world = World::created(ROLE);
    world.update(&ROLE.replace("Default: RemediationRole", "Default: OtherRole"));
    assert_eq!(
        world.operations(),
        ["CreateRole", "PutRolePolicy", "UpdateStateMachine", "DeleteRolePolicy", "DeleteRole"]
    );
    assert!(world.calls[4].contains("RemediationRole"), "{}", world.calls[4]);
    assert_eq!(world.physical_id("Role"), "OtherRole");
    assert_eq!(
        world.story()[1..4],
        [
            "Role UPDATE_IN_PROGRESS Requested update requires the creation of a new physical \
             resource; hence creating one.",
            "Role UPDATE_IN_PROGRESS Resource creation Initiated",
            "Role UPDATE_COMPLETE",
        ]
    );
}

#[test]
fn a_custom_name_cannot_be_replaced() {
    let mut world = World::created(ROLE);
    world.update(
        &ROLE.replace("RoleName: !Ref RoleName", "RoleName: !Ref RoleName\n      Path: /x/"),
    );
    assert_eq!(world.state.status, Status::UpdateRollbackComplete);
    assert!(world.calls.is_empty(), "{:?}", world.calls);
    assert_eq!(
        world.story()[1],
        "Role UPDATE_FAILED CloudFormation cannot update a stack when a custom-named resource \
         requires replacing. Rename RemediationRole and update the stack again."
    );
}

#[test]
fn what_the_template_drops_is_deleted_and_what_it_adds_is_created() {
    let mut world = World::created(ROLE);
    let (before, rest) = ROLE.split_once("  Machine:").unwrap();
    let (_, outputs) = rest.split_once("Outputs:").unwrap();
    let added = "  Team: {Type: AWS::IAM::Group}\nOutputs:";
    world.update(&format!("{before}{added}{outputs}"));
    assert_eq!(world.operations(), ["CreateGroup", "DeleteStateMachine"]);
    let names: Vec<&str> =
        world.state.resources.iter().map(|record| record.logical_id.as_str()).collect();
    assert_eq!(names, ["Role", "Team"]);
    assert!(world.physical_id("Team").starts_with("demo-Team-"));
}

#[test]
fn a_failed_update_is_taken_back() {
    let mut world = World::created(ROLE);
    let before = world.state.resources.clone();
    world.failing = vec![("CreateGroup", "LimitExceeded")];
    let changed = ROLE
        .replace("iam:GetUser", "iam:ListUsers")
        .replace("StateMachineName: 削除", "StateMachineName: 別名")
        .replace("Outputs:", "  Team: {Type: AWS::IAM::Group, DependsOn: Machine}\nOutputs:");
    world.update(&changed);
    assert_eq!(
        world.operations(),
        [
            "PutRolePolicy",
            "CreateStateMachine",
            "CreateGroup",
            "PutRolePolicy",
            "DeleteStateMachine"
        ]
    );
    assert!(world.calls[3].contains("iam:GetUser"), "the old policy is put back");
    assert!(world.calls[4].contains("別名"), "the replacement is deleted");
    let story = world.story();
    assert!(
        story.contains(
            &"demo UPDATE_ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [Team]."
                .to_owned()
        )
    );
    assert_eq!(world.state.status, Status::UpdateRollbackComplete);
    let strip = |records: &[stacks::ResourceRecord]| {
        let part = |r: &stacks::ResourceRecord| {
            (r.logical_id.clone(), r.physical_id.clone(), r.properties.clone())
        };
        records.iter().map(part).collect::<Vec<_>>()
    };
    assert_eq!(strip(&world.state.resources), strip(&before));
    // The stack is as it was, so the first template changes nothing.
    assert!(change(ROLE, &[]).check_update(&world.state).is_err());
}

#[test]
fn a_failed_replacement_leaves_the_old_one_alone() {
    let mut world = World::created(ROLE);
    world.failing = vec![("CreateRole", "EntityAlreadyExists")];
    world.update(&ROLE.replace("Default: RemediationRole", "Default: OtherRole"));
    assert_eq!(world.operations(), ["CreateRole"]);
    assert_eq!(world.physical_id("Role"), "RemediationRole");
    assert_eq!(world.state.status, Status::UpdateRollbackComplete);
}
