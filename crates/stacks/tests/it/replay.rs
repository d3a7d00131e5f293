//! Facts twice, facts again, crashes.

use stacks::{Effect, Fact, OnFailure, State, apply, outstanding};

use crate::delete_and_rollback::ROLE;
use crate::fake::{World, change, identity, stamp};

/// A life of a stack: creation, a failing update, deletion.
fn life() -> World {
    let mut world = World::new();
    world.create(change(ROLE, &[]), OnFailure::Rollback);
    world.failing = vec![("UpdateStateMachine", "ConflictException")];
    world.update(&ROLE.replace("Default: RemediationRole", "Default: OtherRole"));
    world.failing = vec![];
    world.delete();
    world
}

fn restore(state: &State) -> State {
    value::from_value(value::to_value(state).unwrap()).unwrap()
}

#[test]
fn replaying_any_prefix_and_then_the_rest_equals_one_go() {
    let world = life();
    for split in 0..=world.facts.len() {
        let mut state = State::new(identity());
        let mut effects = Vec::new();
        for (at, (fact, stamp)) in world.facts.iter().enumerate() {
            if at == split {
                state = restore(&state);
            }
            effects.extend(apply(&mut state, fact.clone(), stamp));
        }
        assert_eq!(state, world.state, "split at {split}");
        assert_eq!(effects, world.effects, "split at {split}");
    }
}

#[test]
fn a_fact_delivered_twice_changes_nothing() {
    let world = life();
    let mut state = State::new(identity());
    for (at, (fact, fact_stamp)) in world.facts.iter().enumerate() {
        apply(&mut state, fact.clone(), fact_stamp);
        let once = state.clone();
        let effects = apply(&mut state, fact.clone(), &stamp(1_000 + at));
        assert_eq!(effects, [], "fact {at}");
        assert_eq!(state, once, "fact {at}");
    }
}

#[test]
fn calls_that_are_out_are_made_again_after_a_crash() {
    let world = life();
    let mut state = State::new(identity());
    let mut out: Vec<Effect> = Vec::new();
    for (fact, stamp) in &world.facts {
        if let Fact::CallSucceeded { id, .. } | Fact::CallFailed { id, .. } = fact {
            out.retain(|effect| !matches!(effect, Effect::Call { id: call, .. } if call == id));
        }
        let effects = apply(&mut state, fact.clone(), stamp);
        out.extend(effects.into_iter().filter(|effect| matches!(effect, Effect::Call { .. })));
        let mut again = outstanding(&restore(&state));
        let key = |effect: &Effect| format!("{effect:?}");
        again.sort_by_key(key);
        out.sort_by_key(key);
        assert_eq!(again, out);
    }
    assert!(out.is_empty());
}

#[test]
fn answers_nobody_waits_for_are_ignored() {
    let mut world = life();
    let before = world.state.clone();
    let stray = Fact::CallSucceeded { id: "x".into(), output: value::value!({}) };
    assert_eq!(apply(&mut world.state, stray, &stamp(7)), []);
    assert_eq!(world.state, before);
}

#[test]
fn a_failure_at_any_call_ends_in_a_settled_stack() {
    let calls =
        ["CreateRole", "PutRolePolicy", "CreateStateMachine", "DeleteRolePolicy", "DeleteRole"];
    for call in calls {
        for on_failure in [OnFailure::Rollback, OnFailure::DoNothing, OnFailure::Delete] {
            let mut world = World::new();
            world.failing = vec![(call, "X")];
            world.create(change(ROLE, &[]), on_failure);
            assert!(!world.state.is_running(), "{call}");
            assert!(!world.state.status.is_in_progress(), "{call}");
            assert!(matches!(world.effects.last(), Some(Effect::Finish { .. })), "{call}");
        }
    }
}
