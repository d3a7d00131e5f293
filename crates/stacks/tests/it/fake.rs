//! Services that answer at once, and fail where they are told to.

use std::collections::BTreeMap;

use stacks::{
    Change, Effect, Fact, Identity, OnFailure, ParameterInput, ParameterSource, StackEvent, Stamp,
    State, Template, apply,
};
use value::{Value, value};

pub(crate) fn identity() -> Identity {
    Identity {
        stack_name: "demo".into(),
        stack_id: "arn:aws:cloudformation:us-east-1:123456789012:stack/demo/1".into(),
        account: "123456789012".into(),
        region: "us-east-1".into(),
        partition: "aws".into(),
    }
}

pub(crate) fn stamp(number: usize) -> Stamp {
    let mut entropy = [9; 32];
    entropy[..8].copy_from_slice(&number.to_le_bytes());
    Stamp { millis: 1_000 + i64::try_from(number).unwrap(), entropy }
}

pub(crate) fn given(key: &str, value: &str) -> ParameterInput {
    ParameterInput { key: key.into(), value: ParameterSource::Given(value.into()), resolved: None }
}

pub(crate) fn change(template: &str, inputs: &[ParameterInput]) -> Change {
    let template = Template::parse(template).unwrap_or_else(|err| panic!("{err}"));
    Change::prepare(template, inputs, None, BTreeMap::new(), &identity()).unwrap()
}

/// A stack, the facts it has seen, and what came out.
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) facts: Vec<(Fact, Stamp)>,
    pub(crate) effects: Vec<Effect>,
    /// Operations that fail, with the error code.
    pub(crate) failing: Vec<(&'static str, &'static str)>,
    /// `Operation input` of every call, in order.
    pub(crate) calls: Vec<String>,
    pub(crate) events: Vec<StackEvent>,
}

impl World {
    pub(crate) fn new() -> World {
        World {
            state: State::new(identity()),
            facts: Vec::new(),
            effects: Vec::new(),
            failing: Vec::new(),
            calls: Vec::new(),
            events: Vec::new(),
        }
    }

    pub(crate) fn created(template: &str) -> World {
        let mut world = World::new();
        world.create(change(template, &[]), OnFailure::Rollback);
        world
    }

    pub(crate) fn create(&mut self, change: Change, on_failure: OnFailure) {
        let token = "create".to_owned();
        self.run(Fact::CreateRequested { token, change: Box::new(change), on_failure });
    }

    pub(crate) fn update(&mut self, template: &str) {
        let (token, change) = (format!("u{}", self.facts.len()), Box::new(change(template, &[])));
        change.check_update(&self.state).unwrap();
        self.calls.clear();
        self.events.clear();
        self.run(Fact::UpdateRequested { token, change, on_failure: OnFailure::Rollback });
    }

    pub(crate) fn delete(&mut self) {
        self.calls.clear();
        self.events.clear();
        let token = format!("d{}", self.facts.len());
        self.run(Fact::DeleteRequested { token, retain: vec![] });
    }

    /// Applies a fact and answers every call until nothing is left to do.
    pub(crate) fn run(&mut self, fact: Fact) {
        let mut waiting = vec![fact];
        while !waiting.is_empty() {
            let fact = waiting.remove(0);
            let stamp = stamp(self.facts.len());
            self.facts.push((fact.clone(), stamp));
            for effect in apply(&mut self.state, fact, &stamp) {
                self.effects.push(effect.clone());
                match effect {
                    Effect::Call { id, operation, input, .. } => {
                        self.calls.push(format!("{operation} {input}"));
                        waiting.push(self.answer(id, &operation, &input));
                    }
                    Effect::Record(event) => self.events.push(*event),
                    Effect::Finish { .. } => {}
                }
            }
        }
    }

    fn answer(&self, id: String, operation: &str, input: &Value) -> Fact {
        if let Some((_, code)) = self.failing.iter().find(|(name, _)| *name == operation) {
            let message = format!("{operation} was refused");
            return Fact::CallFailed { id, code: (*code).into(), message };
        }
        Fact::CallSucceeded { id, output: output(operation, input) }
    }

    pub(crate) fn operations(&self) -> Vec<&str> {
        self.calls.iter().map(|call| call.split(' ').next().unwrap()).collect()
    }

    /// `LogicalId STATUS reason` of every event.
    pub(crate) fn story(&self) -> Vec<String> {
        let line = |event: &StackEvent| {
            let reason = event.reason.as_deref().unwrap_or("");
            format!("{} {} {reason}", event.logical_id, event.status.as_str()).trim().to_owned()
        };
        self.events.iter().map(line).collect()
    }

    pub(crate) fn physical_id(&self, logical_id: &str) -> &str {
        let record = self.state.resources.iter().find(|r| r.logical_id == logical_id);
        &record.unwrap().physical_id
    }
}

fn output(operation: &str, input: &Value) -> Value {
    let name = |key: &str| input.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    let arn = |kind: &str, key: &str| format!("arn:aws:iam::123456789012:{kind}/{}", name(key));
    match operation {
        "CreateRole" => {
            value!({"Role": {"Arn": arn("role", "RoleName"), "RoleId": "AROA1"}})
        }
        "CreateUser" => value!({"User": {"Arn": arn("user", "UserName")}}),
        "CreateGroup" => value!({"Group": {"Arn": arn("group", "GroupName")}}),
        "CreatePolicy" => {
            value!({"Policy": {"Arn": arn("policy", "PolicyName"), "PolicyId": "ANPA1"}})
        }
        "ListPolicyVersions" => value!({"Versions": [
            {"VersionId": "v5", "IsDefaultVersion": true}, {"VersionId": "v4"}, {"VersionId": "v3"},
            {"VersionId": "v2"}, {"VersionId": "v1"}]}),
        "CreateStateMachine" => value!({"stateMachineArn":
            format!("arn:aws:states:us-east-1:123456789012:stateMachine:{}", name("name"))}),
        "PutRule" => value!({"RuleArn":
            format!("arn:aws:events:us-east-1:123456789012:rule/{}", name("Name"))}),
        "UpdateDocument" => value!({"DocumentDescription": {"DocumentVersion": "2"}}),
        _ => value!({}),
    }
}
