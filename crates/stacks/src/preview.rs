//! What a change would do, for change sets.

use value::{Value, value};

use crate::change::evaluate_properties;
use crate::resources::{self, Need};
use crate::template::references::{Reference, collect};
use crate::template::scalar_text;
use crate::{Change, ResourceRecord, State, Status, graph};

/// What a change would do to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Create it.
    Add,
    /// Update or replace it.
    Modify,
    /// Delete it.
    Remove,
}

/// Whether a modification would replace the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Replacement {
    /// It stays the same resource.
    False,
    /// It depends on values that only the operation will know.
    Conditional,
    /// A new one is created and the old one deleted.
    True,
}

/// Whether the change of one property replaces the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recreation {
    /// Never.
    Never,
    /// If the value turns out to change.
    Conditionally,
    /// Always.
    Always,
}

/// The change of one property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyChange {
    /// The name of the property.
    pub name: String,
    /// What it means for the resource.
    pub recreation: Recreation,
    /// The replaced resource whose new id or attribute may change the value; `None` when the
    /// value is known to change.
    pub caused_by: Option<String>,
}

/// One entry of a change set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceChange {
    /// What happens.
    pub action: Action,
    /// `LogicalResourceId`.
    pub logical_id: String,
    /// `PhysicalResourceId`; `None` for what is yet to be created.
    pub physical_id: Option<String>,
    /// `ResourceType`.
    pub resource_type: String,
    /// The properties that a modification changes.
    pub properties: Vec<PropertyChange>,
}

impl ResourceChange {
    /// Returns whether a modification replaces the resource.
    pub fn replacement(&self) -> Option<Replacement> {
        let of = |property: &PropertyChange| match property.recreation {
            Recreation::Never => Replacement::False,
            Recreation::Conditionally => Replacement::Conditional,
            Recreation::Always => Replacement::True,
        };
        let most = self.properties.iter().map(of).max().unwrap_or(Replacement::False);
        (self.action == Action::Modify).then_some(most)
    }

    /// Returns the entry in the API's shape, `ResourceChange`.
    pub fn to_value(&self) -> Value {
        let action = match self.action {
            Action::Add => "Add",
            Action::Modify => "Modify",
            Action::Remove => "Remove",
        };
        let replacement = self.replacement().map(|replacement| match replacement {
            Replacement::False => "False",
            Replacement::Conditional => "Conditional",
            Replacement::True => "True",
        });
        let scope = if self.properties.is_empty() { vec![] } else { vec!["Properties"] };
        value!({"Action": action, "LogicalResourceId": &self.logical_id})
            .with_some("PhysicalResourceId", self.physical_id.as_ref())
            .with("ResourceType", &self.resource_type)
            .with_some("Replacement", replacement)
            .with("Scope", scope)
            .with(
                "Details",
                self.properties.iter().map(PropertyChange::to_value).collect::<Value>(),
            )
    }
}

impl PropertyChange {
    fn to_value(&self) -> Value {
        let recreation = match self.recreation {
            Recreation::Never => "Never",
            Recreation::Conditionally => "Conditionally",
            Recreation::Always => "Always",
        };
        let (evaluation, source) = match self.caused_by {
            Some(_) => ("Dynamic", "ResourceReference"),
            None => ("Static", "DirectModification"),
        };
        value!({
            "Target": {
                "Attribute": "Properties", "Name": &self.name, "RequiresRecreation": recreation
            },
            "Evaluation": evaluation,
            "ChangeSource": source
        })
        .with_some("CausingEntity", self.caused_by.as_ref())
    }
}

impl Change {
    /// Returns what applying this change to `state` would do, in the order of doing it.
    pub fn preview(&self, state: &State) -> Vec<ResourceChange> {
        let order = graph::order(&self.template, &self.conditions).unwrap_or_default();
        let mut changes: Vec<ResourceChange> = Vec::new();
        for (logical_id, _) in &order {
            let live = live(state, logical_id);
            let change = match live {
                None => Some(self.addition(logical_id)),
                Some(live) => self.modification(state, live, &changes),
            };
            changes.extend(change);
        }
        let dropped = state.resources.iter().rev().filter(|record| {
            live(state, &record.logical_id).is_some()
                && !order.iter().any(|(name, _)| *name == record.logical_id)
        });
        changes.extend(dropped.map(|record| ResourceChange {
            action: Action::Remove,
            logical_id: record.logical_id.clone(),
            physical_id: Some(record.physical_id.clone()),
            resource_type: record.resource_type.clone(),
            properties: Vec::new(),
        }));
        changes
    }

    fn addition(&self, logical_id: &str) -> ResourceChange {
        let resource = self.template.resource(logical_id);
        let type_name = resource.and_then(|resource| resource.get("Type"));
        ResourceChange {
            action: Action::Add,
            logical_id: logical_id.to_owned(),
            physical_id: None,
            resource_type: type_name.map(scalar_text).unwrap_or_default(),
            properties: Vec::new(),
        }
    }

    /// Compares a resource with what it is to become; `changes` are those of what it needs.
    fn modification(
        &self,
        state: &State,
        live: &ResourceRecord,
        changes: &[ResourceChange],
    ) -> Option<ResourceChange> {
        let kind = resources::find(&live.resource_type)?;
        let scope = self.scope(&state.identity, &state.resources);
        let after = evaluate_properties(&scope, &live.logical_id).ok();
        let declared = self.template.resource(&live.logical_id)?.get("Properties").cloned();
        let mut properties = Vec::new();
        for property in kind.properties {
            let replaces = resources::replaces(property, after.as_ref().unwrap_or(&Value::Null));
            let expression = declared.as_ref().and_then(|declared| declared.get(property.name));
            let before = live.properties.get(property.name);
            let differs = match &after {
                Some(after) => before != after.get(property.name),
                None => property.need == Need::Required || expression.is_some(),
            };
            let caused_by = expression.and_then(|e| self.moving_reference(e, changes));
            let recreation = match (replaces, &caused_by) {
                (false, _) => Recreation::Never,
                (true, None) => Recreation::Always,
                (true, Some(_)) => Recreation::Conditionally,
            };
            if differs || caused_by.is_some() {
                let name = property.name.to_owned();
                properties.push(PropertyChange { name, recreation, caused_by });
            }
        }
        (!properties.is_empty()).then(|| ResourceChange {
            action: Action::Modify,
            logical_id: live.logical_id.clone(),
            physical_id: Some(live.physical_id.clone()),
            resource_type: live.resource_type.clone(),
            properties,
        })
    }

    /// Returns the resource that an expression refers to and that may get a new id.
    fn moving_reference(&self, expression: &Value, changes: &[ResourceChange]) -> Option<String> {
        let mut found = Vec::new();
        collect(expression, &self.conditions, &mut found);
        let moves = |name: &&str| {
            changes.iter().any(|change| {
                change.logical_id == **name
                    && change.replacement().is_none_or(|r| r != Replacement::False)
            })
        };
        found.iter().map(Reference::name).find(moves).map(str::to_owned)
    }
}

fn live<'a>(state: &'a State, logical_id: &str) -> Option<&'a ResourceRecord> {
    state
        .resource(logical_id)
        .filter(|record| record.status != Status::DeleteComplete && !record.physical_id.is_empty())
}
