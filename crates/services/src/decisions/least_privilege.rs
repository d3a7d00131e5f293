//! The least that the roles of a run need, from the calls it really made, and what they are granted
//! beyond that.

use std::collections::{BTreeMap, BTreeSet};

use policy::actions;
use value::{Value, value};

use crate::{Error, Input, Services, iam};

/// How many resources a statement names; beyond that it names all of their type.
const RESOURCES_PER_STATEMENT_MAX: usize = 10;

/// How resources stand in the policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resources {
    /// By name, but for what a run makes itself and no other run will meet again.
    Named,
    /// All of their type.
    Any,
}

/// What one principal did in a run.
#[derive(Default)]
struct Used {
    calls: usize,
    /// Resources by action and, for iam:PassRole, the service they were passed to.
    allowed: BTreeMap<(String, Option<String>), BTreeSet<String>>,
    refused: BTreeSet<(String, String)>,
    is_root: bool,
}

impl Services {
    /// Returns what a run and everything that it began needed, role by role.
    pub(super) fn least_privilege(
        &self,
        process: &str,
        resources: Resources,
    ) -> Result<Value, Error> {
        let processes = self.processes_of(process)?;
        let (mut calls, mut principals) = (0_u64, BTreeMap::<String, Used>::new());
        self.each_call_of(&processes, |call| {
            calls += 1;
            let used = principals.entry(call.text("principal")?.to_owned()).or_default();
            used.calls += 1;
            call.list("checks").iter().try_for_each(|check| used.add(check))
        })?;
        let account = &self.settings().account;
        let mut shown = Vec::new();
        for (principal, used) in principals {
            let present =
                self.store().read(|store| iam::policies_of_arn(store, account, &principal))?;
            let granted: Option<Vec<Value>> = present.map(|present| {
                let texts = present.identity.iter();
                texts.flat_map(|(label, text)| used.compare(label, text)).collect()
            });
            let refused = used
                .refused
                .iter()
                .map(|(action, resource)| value!({ "action": action, "resource": resource }));
            shown.push(
                value!({
                    "principal": &principal,
                    "calls": used.calls as u64,
                    "isRoot": used.is_root,
                    "policy": used.policy(resources),
                    "refused": refused.collect::<Vec<Value>>(),
                })
                .with_some("granted", granted),
            );
        }
        Ok(value!({
            "calls": calls,
            "isWhole": processes.is_whole,
            "processes": processes.all.into_iter().collect::<Vec<String>>(),
            "principals": shown,
        }))
    }
}

impl Used {
    fn add(&mut self, check: &Value) -> Result<(), Error> {
        // Asked by a service about a role, or free for all: no policy of the caller's matters.
        if check.maybe_text("asker").is_some() || check.maybe_text("because") == Some("open") {
            return Ok(());
        }
        self.is_root |= check.maybe_text("because") == Some("root");
        let (action, resource) = (check.text("action")?.to_owned(), check.text("resource")?);
        if check.maybe_text("outcome") == Some("allowed") {
            let passed_to = check.maybe_text("passedTo").map(str::to_owned);
            let resources = self.allowed.entry((action, passed_to)).or_default();
            resources.insert(resource.to_owned());
        } else {
            self.refused.insert((action, resource.to_owned()));
        }
        Ok(())
    }

    /// Returns the policy that allows what was used, and little more.
    fn policy(&self, resources: Resources) -> Value {
        // Actions of one service on the same resources share a statement.
        let mut statements: BTreeMap<_, Vec<String>> = BTreeMap::new();
        for ((action, passed_to), used) in &self.allowed {
            let service = action.split(':').next().unwrap_or_default();
            let on = grouped(action, used, resources);
            statements.entry((service, on, passed_to)).or_default().push(action.clone());
        }
        let statements = statements.into_iter().map(|((_, on, passed_to), actions)| {
            let statement = value!({
                "Effect": "Allow",
                "Action": one_or_all(actions),
                "Resource": one_or_all(on.into_iter().collect()),
            });
            let passed_to = passed_to
                .as_deref()
                .map(|service| value!({ "StringEquals": { "iam:PassedToService": service } }));
            statement.with_some("Condition", passed_to)
        });
        let statements: Vec<Value> = statements.collect();
        value!({ "Version": "2012-10-17", "Statement": statements })
    }

    /// Returns, statement by statement of a policy, what it allows and was used, and what was not.
    fn compare(&self, label: &str, text: &str) -> Vec<Value> {
        let document = value::parse(text).unwrap_or_default();
        let statements = all_of(document.get("Statement"));
        let allowing = statements
            .iter()
            .enumerate()
            .filter(|(_, statement)| statement.maybe_text("Effect") == Some("Allow"));
        let compared = allowing.map(|(index, statement)| {
            let on = texts_of(statement.get("Resource"));
            let speaks_of = |resource: &str| {
                on.is_empty() || on.iter().any(|one| policy::wildcard_matches(&open(one), resource))
            };
            let was_used = |pattern: &String| {
                let pattern = pattern.to_lowercase();
                self.allowed.iter().any(|((action, _), resources)| {
                    policy::wildcard_matches(&pattern, &action.to_lowercase())
                        && resources.iter().any(|resource| speaks_of(resource))
                })
            };
            let listed = texts_of(statement.get("Action"));
            let (used, unused): (Vec<String>, Vec<String>) = listed.into_iter().partition(was_used);
            value!({ "policy": label, "statement": index as u64, "used": used, "unused": unused })
                .with_some("sid", statement.maybe_text("Sid"))
                .with_some("notAction", statement.get("NotAction").cloned())
        });
        compared.collect()
    }
}

/// Returns a pattern with its policy variables as wildcards.
fn open(pattern: &str) -> String {
    let mut open = String::new();
    let mut rest = pattern;
    while let Some((before, variable)) = rest.split_once("${") {
        open.push_str(before);
        open.push('*');
        rest = variable.split_once('}').map_or("", |(_, behind)| behind);
    }
    open.push_str(rest);
    open
}

fn one_or_all(mut texts: Vec<String>) -> Value {
    match texts.as_mut_slice() {
        [one] => Value::from(std::mem::take(one)),
        _ => Value::from(texts),
    }
}

fn all_of(value: Option<&Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(all)) => all.to_vec(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    }
}

fn texts_of(value: Option<&Value>) -> Vec<String> {
    all_of(value).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Returns the resources of an action as a policy names them.
fn grouped(action: &str, used: &BTreeSet<String>, resources: Resources) -> BTreeSet<String> {
    // Which role may be passed is the point of the permission.
    let is_pass_role = action.eq_ignore_ascii_case("iam:PassRole");
    let named: BTreeSet<String> = used.iter().map(|one| without_ids(one)).collect();
    let widen = match resources {
        Resources::Named => RESOURCES_PER_STATEMENT_MAX < named.len(),
        Resources::Any => true,
    };
    let on: BTreeSet<String> = if widen && !is_pass_role {
        named.iter().map(|one| any_of_type(action, one)).collect()
    } else {
        named
    };
    if on.contains("*") { BTreeSet::from(["*".to_owned()]) } else { on }
}

/// What a run makes anew each time, by its kind; the state machine stays.
const MADE_BY_RUNS: [&str; 3] = ["execution", "express", "mapRun"];

/// Returns an ARN with `*` for the ids that are other ones in every run.
fn without_ids(arn: &str) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, _, service, _, _, resource] = parts.as_slice() else { return arn.to_owned() };
    let made = match *service {
        "ssm" if resource.starts_with("automation-execution/") => {
            Some("automation-execution/*".to_owned())
        }
        // Which version is the default may change.
        "ssm" if resource.starts_with("automation-definition/") => {
            resource.rsplit_once(':').map(|(name, _)| format!("{name}:*"))
        }
        "states" => resource.split_once(':').and_then(|(kind, name)| {
            let machine = name.split(':').next()?;
            MADE_BY_RUNS.contains(&kind).then(|| format!("{kind}:{machine}:*"))
        }),
        _ => None,
    };
    match (made, arn.strip_suffix(resource)) {
        (Some(made), Some(before)) => format!("{before}{made}"),
        _ => arn.to_owned(),
    }
}

/// Returns the pattern of all resources of an ARN's type.
fn any_of_type(action: &str, arn: &str) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [partition_and_such @ .., resource] = parts.as_slice() else { return arn.to_owned() };
    let types = actions::find(action).map(|action| action.resources.as_slice());
    let fixed = types.unwrap_or_default().iter().filter_map(|of| {
        let template = of.arn_template.splitn(6, ':').nth(5)?;
        template.split("${").next().filter(|fixed| resource.starts_with(fixed))
    });
    match fixed.max_by_key(|fixed| fixed.len()) {
        Some(fixed) if partition_and_such.len() == 5 => {
            format!("{}:{fixed}*", partition_and_such.join(":"))
        }
        Some(_) | None => arn.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_make_is_not_named() {
        for (arn, shown) in [
            ("*", "*"),
            ("arn:aws:iam::1:user/x", "arn:aws:iam::1:user/x"),
            ("arn:aws:ssm:r:1:automation-execution/9-8", "arn:aws:ssm:r:1:automation-execution/*"),
            (
                "arn:aws:ssm:r::automation-definition/D:3",
                "arn:aws:ssm:r::automation-definition/D:*",
            ),
            ("arn:aws:states:r:1:execution:m:e", "arn:aws:states:r:1:execution:m:*"),
            ("arn:aws:states:r:1:express:m:e:f", "arn:aws:states:r:1:express:m:*"),
            ("arn:aws:states:r:1:mapRun:m/l:f", "arn:aws:states:r:1:mapRun:m/l:*"),
            ("arn:aws:states:r:1:stateMachine:m", "arn:aws:states:r:1:stateMachine:m"),
        ] {
            assert_eq!(without_ids(arn), shown);
        }
        let any = any_of_type("iam:GetUser", "arn:aws:iam::1:user/ops/x");
        assert_eq!(any, "arn:aws:iam::1:user/*");
        let any = any_of_type("states:StartExecution", "arn:aws:states:r:1:stateMachine:m");
        assert_eq!(any, "arn:aws:states:r:1:stateMachine:*");
        assert_eq!(any_of_type("nobody:Knows", "arn:aws:x:r:1:thing/y"), "arn:aws:x:r:1:thing/y");
    }

    #[test]
    fn many_resources_are_all_of_their_type_but_never_roles_that_are_passed() {
        let many: BTreeSet<String> = (0..11).map(|n| format!("arn:aws:iam::1:user/{n}")).collect();
        let users = grouped("iam:GetUser", &many, Resources::Named);
        assert_eq!(users, BTreeSet::from(["arn:aws:iam::1:user/*".to_owned()]));
        let roles: BTreeSet<String> = (0..11).map(|n| format!("arn:aws:iam::1:role/{n}")).collect();
        assert_eq!(grouped("iam:PassRole", &roles, Resources::Any), roles);
    }

    #[test]
    fn a_statement_is_compared_action_by_action_where_it_speaks_of_the_resource() {
        let mut used = Used::default();
        for (action, resource) in [("iam:GetUser", "arn:aws:iam::1:user/a"), ("iam:ListUsers", "*")]
        {
            let check = value!({ "action": action, "resource": resource, "outcome": "allowed" });
            used.add(&check).unwrap();
        }
        let policy = r#"{"Statement": [
            {"Sid": "A", "Effect": "Allow", "Action": ["iam:get*", "ssm:*"], "Resource": "*"},
            {"Effect": "Allow", "Action": "iam:GetUser", "Resource": "arn:aws:iam::1:user/b"},
            {"Effect": "Allow", "Action": "iam:GetUser",
             "Resource": "arn:aws:iam::1:user/${aws:username}"},
            {"Effect": "Deny", "Action": "*", "Resource": "*"},
            {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]}"#;
        let compared = used.compare("p", policy);
        let shown: Vec<String> = compared.iter().map(Value::to_string).collect();
        assert_eq!(
            shown,
            [
                r#"{"policy":"p","statement":0,"used":["iam:get*"],"unused":["ssm:*"],"sid":"A"}"#,
                r#"{"policy":"p","statement":1,"used":[],"unused":["iam:GetUser"]}"#,
                r#"{"policy":"p","statement":2,"used":["iam:GetUser"],"unused":[]}"#,
                r#"{"policy":"p","statement":4,"used":[],"unused":[],"notAction":"iam:*"}"#,
            ]
        );
    }
}
