//! What each action works on: resource types, condition keys, access level.
//!
//! The facts are data: `data/authorization/actions.json`, compiled in and read at first use.

use std::collections::HashMap;
use std::sync::OnceLock;

use value::Value;

const TABLE: &str = include_str!("../../../data/authorization/actions.json");

/// One action of a service, as the Service Authorization Reference lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// The prefix, e.g. `iam`.
    pub service: String,
    /// The name, e.g. `GetUser`.
    pub name: String,
    /// What kind of access it gives.
    pub level: AccessLevel,
    /// The resource types it authorises; none where only `Resource: "*"` matches.
    pub resources: Vec<ResourceUse>,
    /// The condition keys it knows beside the global ones, `${TagKey}` standing for any tag.
    pub condition_keys: Vec<String>,
}

/// What kind of access an action gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessLevel {
    /// It names things.
    List,
    /// It shows what is in them.
    Read,
    /// It changes them.
    Write,
    /// It changes who may do what.
    PermissionsManagement,
    /// It changes tags only.
    Tagging,
}

/// A resource type that an action authorises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceUse {
    /// The type, e.g. `user`.
    pub resource_type: String,
    /// The form of its ARNs, e.g. `arn:${Partition}:iam::${Account}:user/${UserNameWithPath}`.
    pub arn_template: String,
    /// The condition keys that speak of such a resource.
    pub condition_keys: Vec<String>,
    /// Whether every call names such a resource.
    pub need: Need,
}

/// Whether every call of an action names a resource of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// Every call does.
    Required,
    /// Some calls do.
    Optional,
}

impl Action {
    /// Returns whether the action has no resource-level permissions.
    pub fn is_wildcard_only(&self) -> bool {
        self.resources.is_empty()
    }
}

/// Finds an action; names compare without regard to case.
///
/// ```
/// let get_user = policy::actions::find("iam:getuser").unwrap();
/// assert_eq!(get_user.name, "GetUser");
/// assert_eq!(get_user.resources[0].resource_type, "user");
/// assert!(policy::actions::find("states:ListStateMachines").unwrap().is_wildcard_only());
/// assert!(policy::actions::find("iam:MakeCoffee").is_none());
/// ```
pub fn find(action: &str) -> Option<&'static Action> {
    table().get(action.to_lowercase().as_str())
}

/// Returns every action of the table, in no order.
pub fn all() -> impl Iterator<Item = &'static Action> {
    table().values()
}

/// Actions by their name in lower case.
fn table() -> &'static HashMap<String, Action> {
    static ACTIONS: OnceLock<HashMap<String, Action>> = OnceLock::new();
    ACTIONS.get_or_init(|| {
        // A table that is no JSON stays empty; the tests count its actions.
        let json = value::parse(TABLE).unwrap_or_default();
        let mut actions = HashMap::new();
        for (service, tables) in members(Some(&json)) {
            for (name, entry) in members(tables.get("actions")) {
                let action = action(service, name, entry, tables.get("resources"));
                actions.insert(format!("{service}:{name}").to_lowercase(), action);
            }
        }
        actions
    })
}

fn action(service: &str, name: &str, entry: &Value, resources: Option<&Value>) -> Action {
    let use_of = |text: &String| {
        let (resource_type, need) = match text.strip_suffix('*') {
            Some(required) => (required, Need::Required),
            None => (text.as_str(), Need::Optional),
        };
        let facts = resources.and_then(|types| types.get(resource_type));
        let arn_template = facts.and_then(|facts| facts.get("arn")).and_then(Value::as_str);
        ResourceUse {
            resource_type: resource_type.to_owned(),
            arn_template: arn_template.unwrap_or_default().to_owned(),
            condition_keys: texts(facts.and_then(|facts| facts.get("keys"))),
            need,
        }
    };
    Action {
        service: service.to_owned(),
        name: name.to_owned(),
        level: level(entry.get("level").and_then(Value::as_str).unwrap_or_default()),
        resources: texts(entry.get("resources")).iter().map(use_of).collect(),
        condition_keys: texts(entry.get("keys")),
    }
}

/// Reads a level; of a list such as `Tagging, Write` the first counts.
fn level(text: &str) -> AccessLevel {
    match text.split(',').next().unwrap_or_default() {
        "List" => AccessLevel::List,
        "Read" => AccessLevel::Read,
        "Permissions management" => AccessLevel::PermissionsManagement,
        "Tagging" => AccessLevel::Tagging,
        _ => AccessLevel::Write,
    }
}

fn members(value: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    let map = value.and_then(Value::as_object);
    map.into_iter().flat_map(|map| map.iter().map(|(key, value)| (&**key, value)))
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).unwrap_or_default();
    items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        assert_eq!(all().count(), 598);
        for action in all() {
            for resource in &action.resources {
                assert!(resource.arn_template.starts_with("arn:"), "{action:?}");
            }
        }
    }

    #[test]
    fn groups_own_their_memberships_and_passrole_knows_its_keys() {
        let add = find("iam:AddUserToGroup").unwrap();
        assert_eq!(add.resources[0].resource_type, "group");
        assert_eq!(add.resources[0].need, Need::Required);
        let pass = find("iam:PassRole").unwrap();
        assert_eq!(pass.condition_keys, ["iam:AssociatedResourceArn", "iam:PassedToService"]);
        let start = find("ssm:StartAutomationExecution").unwrap();
        assert_eq!(start.resources[0].need, Need::Optional);
        assert_eq!(find("iam:TagUser").unwrap().level, AccessLevel::Tagging);
    }
}
