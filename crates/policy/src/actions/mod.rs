//! What each action works on: resource types, condition keys, access level; for every service.
//!
//! The facts are data: `data/authorization/services.bin`, made by `cargo xtask authorization`,
//! compiled in and read service by service, when one is first asked for.

mod global_keys;
mod table;

use std::collections::BTreeMap;

pub use global_keys::GLOBAL_KEYS;
pub use table::{service, services, source};

/// A service, as the Service Authorization Reference lists it.
#[derive(Debug)]
pub struct Service {
    /// Its prefix in actions, e.g. `iam`.
    pub prefix: &'static str,
    /// Actions by name in lower case.
    actions: BTreeMap<String, Action>,
    /// Condition keys by name in lower case.
    keys: BTreeMap<String, Key>,
}

/// One action of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// The prefix of its service, e.g. `iam`.
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

/// A condition key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name, `${TagKey}` and the like standing for any text.
    pub name: &'static str,
    /// What its values are.
    pub values: Values,
    /// Whether a request may have several.
    pub count: Count,
}

/// What the values of a condition key are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Any text.
    String,
    /// ARNs.
    Arn,
    /// `true` or `false`.
    Bool,
    /// Numbers.
    Numeric,
    /// Times.
    Date,
    /// IP addresses.
    IpAddress,
}

/// Whether a request may have several values of a condition key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// One at most.
    Single,
    /// A list.
    Multiple,
}

impl Action {
    /// Returns whether the action has no resource-level permissions.
    pub fn is_wildcard_only(&self) -> bool {
        self.resources.is_empty()
    }

    /// Returns the name with the prefix, e.g. `iam:GetUser`.
    pub fn full_name(&self) -> String {
        format!("{}:{}", self.service, self.name)
    }

    /// Returns whether a condition key, given as a policy writes it, speaks of calls of this action
    /// or of its resources.
    pub fn knows_key(&self, key: &str) -> bool {
        let of_resources = self.resources.iter().flat_map(|one| &one.condition_keys);
        self.condition_keys.iter().chain(of_resources).any(|known| is_key(known, key))
    }
}

impl Service {
    /// Finds an action by its name without prefix; case does not count.
    pub fn action(&self, name: &str) -> Option<&Action> {
        self.actions.get(&name.to_lowercase())
    }

    /// Returns the actions in order of their names.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        self.actions.values()
    }

    pub(crate) fn actions_by_lower_name(&self) -> impl Iterator<Item = (&str, &Action)> {
        self.actions.iter().map(|(name, action)| (name.as_str(), action))
    }

    /// Returns the condition keys in order of their names.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.values()
    }

    /// Finds a condition key as a policy writes it.
    pub fn key(&self, written: &str) -> Option<&Key> {
        find_key(self.keys.values(), written)
    }
}

impl Values {
    fn parse(text: &str) -> Option<Values> {
        Some(match text {
            "String" => Values::String,
            "ARN" => Values::Arn,
            "Bool" => Values::Bool,
            "Numeric" => Values::Numeric,
            "Date" => Values::Date,
            "IPAddress" => Values::IpAddress,
            _ => return None,
        })
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
    let (prefix, name) = action.split_once(':')?;
    service(prefix)?.action(name)
}

/// Finds a global condition key as a policy writes it, e.g. `aws:PrincipalTag/team`.
pub fn global_key(written: &str) -> Option<&'static Key> {
    find_key(GLOBAL_KEYS.iter(), written)
}

fn find_key<'k>(mut keys: impl Iterator<Item = &'k Key>, written: &str) -> Option<&'k Key> {
    keys.find(|key| is_key(key.name, written))
}

/// Returns whether a key of the table is meant, where `${…}` stands for any text that is not empty.
fn is_key(known: &str, written: &str) -> bool {
    let (mut rest, mut open) = (known, written);
    while let Some((literal, behind)) = rest.split_once("${") {
        let Some((head, tail)) = open.split_at_checked(literal.len()) else { return false };
        let Some((_, next)) = behind.split_once('}') else { return false };
        if !head.eq_ignore_ascii_case(literal) || tail.is_empty() {
            return false;
        }
        let end = next.chars().next().and_then(|stop| tail.find(stop)).unwrap_or(tail.len());
        open = tail.get(end..).unwrap_or_default();
        rest = next;
    }
    rest.eq_ignore_ascii_case(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_own_their_memberships_and_passrole_knows_its_keys() {
        let add = find("iam:AddUserToGroup").unwrap();
        assert_eq!(add.resources[0].resource_type, "group");
        assert_eq!(add.resources[0].need, Need::Required);
        let pass = find("iam:PassRole").unwrap();
        assert_eq!(pass.condition_keys, ["iam:AssociatedResourceArn", "iam:PassedToService"]);
        assert!(pass.knows_key("IAM:passedtoservice") && pass.knows_key("iam:ResourceTag/x"));
        assert!(!pass.knows_key("iam:PolicyARN"));
        let start = find("ssm:StartAutomationExecution").unwrap();
        assert_eq!(start.resources[0].need, Need::Optional);
        assert_eq!(find("iam:TagUser").unwrap().level, AccessLevel::Tagging);
    }

    #[test]
    fn keys_have_open_parts() {
        for (known, written, same) in [
            ("aws:RequestTag/${TagKey}", "aws:requesttag/Team", true),
            ("aws:RequestTag/${TagKey}", "aws:RequestTag/", false),
            ("aws:RequestTag/${TagKey}", "aws:RequestTag", false),
            ("c:env/${name}.value", "c:env/HOME.value", true),
            ("c:env/${name}.value", "c:env/HOME.type", false),
            ("iam:PolicyARN", "iam:policyarn", true),
            ("iam:PolicyARN", "iam:PolicyARNs", false),
            ("日:${x}", "é", false),
        ] {
            assert_eq!(is_key(known, written), same, "{known} {written}");
        }
        let tags = global_key("aws:TagKeys").unwrap();
        assert_eq!((tags.values, tags.count), (Values::String, Count::Multiple));
        let instances = service("ec2").unwrap().key("ec2:InstanceType").unwrap();
        assert_eq!((instances.values, instances.count), (Values::String, Count::Single));
    }
}
