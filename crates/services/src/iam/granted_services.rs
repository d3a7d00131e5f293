//! Which services a policy allows anything of.

use policy::{actions, wildcard_matches};
use value::Value;

use crate::Input;

/// Returns whether a policy document allows any action of a service, whatever the resource and
/// the condition.
pub(super) fn grants(document: &Value, namespace: &str) -> bool {
    statements(document).any(|statement| {
        let is_allow = statement.maybe_text("Effect") == Some("Allow");
        is_allow && allows(statement, namespace)
    })
}

/// Returns whether a policy document allows an action, whatever the resource and the condition.
pub(super) fn grants_action(document: &Value, action: &str) -> bool {
    let action = action.to_lowercase();
    let listed = |statement: &Value, member: &str| {
        texts(statement.get(member)).iter().any(|one| wildcard_matches(one, &action))
    };
    statements(document).any(|statement| {
        statement.maybe_text("Effect") == Some("Allow")
            && match statement.get("NotAction") {
                Some(_) => !listed(statement, "NotAction"),
                None => listed(statement, "Action"),
            }
    })
}

fn allows(statement: &Value, namespace: &str) -> bool {
    if statement.get("NotAction").is_some() {
        let all_but = texts(statement.get("NotAction"));
        // A service is left out only as a whole.
        let whole = format!("{namespace}:*");
        return !all_but.iter().any(|one| *one == "*" || *one == whole);
    }
    texts(statement.get("Action")).iter().any(|pattern| match pattern.split_once(':') {
        None => pattern == "*",
        Some((service, _)) if !wildcard_matches(service, namespace) => false,
        Some((_, "*")) => true,
        Some((_, name)) => actions::service(namespace).is_some_and(|service| {
            service.actions().any(|one| wildcard_matches(name, &one.name.to_lowercase()))
        }),
    })
}

fn statements(document: &Value) -> impl Iterator<Item = &Value> {
    let one_or_all = document.get("Statement");
    let all = one_or_all.and_then(Value::as_array).unwrap_or_default();
    let one = one_or_all.filter(|one| one.as_object().is_some());
    all.iter().chain(one)
}

/// Returns texts in lower case, as actions compare.
fn texts(one_or_all: Option<&Value>) -> Vec<String> {
    let all = one_or_all.and_then(Value::as_array).unwrap_or_default();
    let one = one_or_all.filter(|one| one.as_str().is_some());
    all.iter().chain(one).filter_map(Value::as_str).map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granting(statement: &str) -> Vec<&'static str> {
        let document = value::parse(&format!(r#"{{"Statement": {statement}}}"#)).unwrap();
        let all = ["ec2", "iam", "ssm"].into_iter();
        all.filter(|namespace| grants(&document, namespace)).collect()
    }

    #[test]
    fn services_are_read_out_of_actions() {
        for (statement, services) in [
            (r#"{"Effect": "Allow", "Action": "*"}"#, vec!["ec2", "iam", "ssm"]),
            (r#"{"Effect": "Deny", "Action": "*"}"#, vec![]),
            (r#"[{"Effect": "Allow", "Action": ["IAM:get*", "s*:*"]}]"#, vec!["iam", "ssm"]),
            (r#"{"Effect": "Allow", "Action": "iam:MakeCoffee"}"#, vec![]),
            (r#"{"Effect": "Allow", "NotAction": ["iam:*", "ssm:Get*"]}"#, vec!["ec2", "ssm"]),
        ] {
            assert_eq!(granting(statement), services, "{statement}");
        }
    }

    #[test]
    fn an_action_is_granted_by_pattern() {
        let document = r#"{"Statement": [{"Effect": "Allow", "NotAction": "iam:Delete*"},
            {"Effect": "Deny", "Action": "iam:GetUser"}]}"#;
        let document = value::parse(document).unwrap();
        assert!(grants_action(&document, "iam:GetUser"));
        assert!(!grants_action(&document, "iam:DeleteUser"));
    }
}
