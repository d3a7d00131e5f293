//! What change sets show.

use stacks::State;
use value::{Value, value};

use crate::delete_and_rollback::ROLE;
use crate::fake::{World, change, identity};

fn preview(template: &str, state: &State) -> Vec<Value> {
    change(template, &[]).preview(state).iter().map(stacks::ResourceChange::to_value).collect()
}

#[test]
fn a_new_stack_adds_everything() {
    let changes = preview(ROLE, &State::new(identity()));
    assert_eq!(
        changes,
        [
            value!({"Action": "Add", "LogicalResourceId": "Role", "ResourceType": "AWS::IAM::Role",
                "Scope": [], "Details": []}),
            value!({"Action": "Add", "LogicalResourceId": "Machine",
                "ResourceType": "AWS::StepFunctions::StateMachine", "Scope": [], "Details": []}),
        ]
    );
}

#[test]
fn the_same_template_changes_nothing() {
    assert!(preview(ROLE, &World::created(ROLE).state).is_empty());
}

#[test]
fn a_replacement_may_change_what_refers_to_it() {
    let world = World::created(ROLE);
    let changes =
        preview(&ROLE.replace("Default: RemediationRole", "Default: Other"), &world.state);
    let machine = &changes[1];
    assert_eq!(changes[0].get("Replacement"), Some(&value!("True")));
    assert_eq!(changes[0].get("PhysicalResourceId"), Some(&value!("RemediationRole")));
    assert_eq!(machine.get("Replacement"), Some(&value!("False")));
    assert_eq!(
        machine.get("Details").and_then(|details| details.at(1)),
        Some(&value!({
            "Target": {"Attribute": "Properties", "Name": "RoleArn", "RequiresRecreation": "Never"},
            "Evaluation": "Dynamic", "ChangeSource": "ResourceReference", "CausingEntity": "Role"
        }))
    );
}

#[test]
fn what_the_template_drops_is_removed() {
    let world = World::created(ROLE);
    let (before, rest) = ROLE.split_once("  Machine:").unwrap();
    let (_, outputs) = rest.split_once("Outputs:").unwrap();
    let changes = preview(&format!("{before}Outputs:{outputs}"), &world.state);
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].get("Action"), Some(&value!("Remove")));
}
