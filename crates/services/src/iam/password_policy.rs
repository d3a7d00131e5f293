//! The account password policy: what passwords must be like, and who may change their own.
//!
//! IAM API reference, "UpdateAccountPasswordPolicy"; user guide, "Set an account password policy
//! for IAM users" (read 2026-11).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use store::{Load, Read, Save, Table};
use value::Value;

use super::error;
use crate::{Answer, Check, Error, Input, Operation, Reading, Run, Writing};

/// The least length when the policy of the account does not say, in characters.
const LENGTH_MIN: i64 = 6;
/// What the default policy, that of an account without its own, asks for.
const DEFAULT_LENGTH_MIN: usize = 8;
/// Three of the four kinds of characters.
const DEFAULT_CLASSES_MISSING_MAX: usize = 1;
/// The longest password, in characters.
const LENGTH_MAX: usize = 128;
/// What counts as a symbol.
const SYMBOLS: &str = "!@#$%^&*()_+-=[]{}|'";

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "UpdateAccountPasswordPolicy",
        checks: |_, _| Ok(vec![Check::any("iam:UpdateAccountPasswordPolicy")]),
        run: Run::Write(update),
    },
    Operation {
        name: "GetAccountPasswordPolicy",
        checks: |_, _| Ok(vec![Check::any("iam:GetAccountPasswordPolicy")]),
        run: Run::Read(get),
    },
    Operation {
        name: "DeleteAccountPasswordPolicy",
        checks: |_, _| Ok(vec![Check::any("iam:DeleteAccountPasswordPolicy")]),
        run: Run::Write(delete),
    },
];

/// The policy of an account, stored by `password-policy/account`.
///
/// Nobody signs in with a password here, so that an expired one is refused nowhere: on AWS, too,
/// the API takes a change of an expired password, whatever `HardExpiry` says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PasswordPolicy {
    minimum_length: i64,
    required: BTreeSet<CharacterKind>,
    allow_users_to_change: bool,
    /// How many days a password is valid.
    pub(super) max_age_days: Option<i64>,
    /// How many of the latest passwords may not come again.
    pub(super) reuse_prevention: Option<usize>,
    hard_expiry: Option<bool>,
}

/// The kinds of characters that a policy can ask for, in the order in which they are missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum CharacterKind {
    Uppercase,
    Lowercase,
    Symbol,
    Number,
}

impl CharacterKind {
    const ALL: [CharacterKind; 4] = [
        CharacterKind::Uppercase,
        CharacterKind::Lowercase,
        CharacterKind::Symbol,
        CharacterKind::Number,
    ];

    fn is_in(self, password: &str) -> bool {
        password.contains(|letter: char| match self {
            CharacterKind::Uppercase => letter.is_ascii_uppercase(),
            CharacterKind::Lowercase => letter.is_ascii_lowercase(),
            CharacterKind::Symbol => SYMBOLS.contains(letter),
            CharacterKind::Number => letter.is_ascii_digit(),
        })
    }

    /// The input member that asks for it.
    const fn member(self) -> &'static str {
        match self {
            CharacterKind::Uppercase => "RequireUppercaseCharacters",
            CharacterKind::Lowercase => "RequireLowercaseCharacters",
            CharacterKind::Symbol => "RequireSymbols",
            CharacterKind::Number => "RequireNumbers",
        }
    }

    /// What AWS says of a password without it.
    fn missed(self) -> String {
        let what = match self {
            CharacterKind::Uppercase => "uppercase letter",
            CharacterKind::Lowercase => "lowercase letter",
            CharacterKind::Symbol => "symbol",
            CharacterKind::Number => "number",
        };
        format!("Password should have at least one {what}")
    }
}

/// Returns what is missing in a password of the kinds that are asked for, in AWS's words.
fn missing(password: &str, asked: impl IntoIterator<Item = CharacterKind>) -> Vec<String> {
    let missing = asked.into_iter().filter(|kind| !kind.is_in(password));
    missing.map(CharacterKind::missed).collect()
}

fn key(account: &str) -> String {
    format!("password-policy/{account}")
}

/// Returns the policy that an account has set; `None` when the default one holds.
pub(super) fn of(
    store: &(impl Read + ?Sized),
    account: &str,
) -> Result<Option<PasswordPolicy>, Error> {
    Ok(store.load(Table::IamSettings, &key(account))?)
}

/// Refuses a password that does not conform to the policy of the account, or to the default one.
pub(super) fn check_password(
    store: &(impl Read + ?Sized),
    account: &str,
    password: &str,
) -> Result<(), Error> {
    let problem = match of(store, account)? {
        Some(policy) => policy.problem(password),
        None => problem_by_default(password),
    };
    problem.map_or(Ok(()), |problem| Err(violation(problem)))
}

fn violation(problem: String) -> Error {
    Error::new("PasswordPolicyViolation", problem)
}

/// Returns the refusal of a password that was used before.
pub(super) fn reused() -> Error {
    // UNVERIFIED: that AWS says the same when an administrator sets the password.
    violation(
        "Policy constraint violation with password reuse prevention during password change.".into(),
    )
}

// UNVERIFIED: AWS's text for the length, and the order in which it names what is missing.
fn length_problem(password: &str, least: usize) -> Option<String> {
    let characters = password.chars().count();
    if characters < least {
        return Some(format!("Password should have a minimum length of {least}"));
    }
    let too_long = LENGTH_MAX < characters;
    too_long.then(|| format!("Password should have a maximum length of {LENGTH_MAX}"))
}

/// DIFFERS: AWS also refuses a password that is the account's name or e-mail address; there are
/// none here.
fn problem_by_default(password: &str) -> Option<String> {
    let missing = missing(password, CharacterKind::ALL);
    let short_of = missing.len().saturating_sub(DEFAULT_CLASSES_MISSING_MAX);
    let classes = (short_of > 0).then(|| {
        let missing = missing.join(", ");
        format!("Password should meet {short_of} more of the following requirements: {missing}")
    });
    joined([length_problem(password, DEFAULT_LENGTH_MIN), classes].into_iter().flatten())
}

fn joined(problems: impl Iterator<Item = String>) -> Option<String> {
    let problems: Vec<String> = problems.collect();
    (!problems.is_empty()).then(|| problems.join(", "))
}

impl PasswordPolicy {
    fn problem(&self, password: &str) -> Option<String> {
        let least = usize::try_from(self.minimum_length).unwrap_or(LENGTH_MAX);
        let missing = missing(password, self.required.iter().copied());
        joined(length_problem(password, least).into_iter().chain(missing))
    }

    fn shown(&self) -> Value {
        let mut shown = Value::object().with("MinimumPasswordLength", self.minimum_length);
        for kind in CharacterKind::ALL {
            shown.set(kind.member(), self.required.contains(&kind));
        }
        shown
            .with("AllowUsersToChangePassword", self.allow_users_to_change)
            .with("ExpirePasswords", self.max_age_days.is_some())
            .with_some("MaxPasswordAge", self.max_age_days)
            .with_some("PasswordReusePrevention", self.reuse_prevention)
            .with_some("HardExpiry", self.hard_expiry)
    }
}

/// Returns label and text of what the account grants to all of its users, where it lets them
/// change their passwords: to change one's own, and to see the policy.
pub(super) fn granted_to_users(
    store: &dyn Read,
    account: &str,
    user_arn: &str,
) -> Result<Option<(String, String)>, Error> {
    let allowed = of(store, account)?.is_some_and(|policy| policy.allow_users_to_change);
    Ok(allowed.then(|| {
        let own = Value::object()
            .with("Effect", "Allow")
            .with("Action", "iam:ChangePassword")
            .with("Resource", user_arn);
        let policy = Value::object()
            .with("Effect", "Allow")
            .with("Action", "iam:GetAccountPasswordPolicy")
            .with("Resource", "*");
        let document =
            Value::object().with("Version", "2012-10-17").with("Statement", vec![own, policy]);
        ("account password policy".to_owned(), document.to_string())
    }))
}

/// Sets the whole policy: what is not given takes its default.
fn update(w: &mut Writing<'_>, input: &Value) -> Answer {
    let reuse_prevention = input.integer("PasswordReusePrevention");
    let policy = PasswordPolicy {
        minimum_length: input.integer("MinimumPasswordLength").unwrap_or(LENGTH_MIN),
        required: CharacterKind::ALL.into_iter().filter(|kind| input.flag(kind.member())).collect(),
        allow_users_to_change: input.flag("AllowUsersToChangePassword"),
        max_age_days: input.integer("MaxPasswordAge"),
        reuse_prevention: reuse_prevention.and_then(|count| usize::try_from(count).ok()),
        hard_expiry: input.get("HardExpiry").and_then(Value::as_bool),
    };
    w.store.save(Table::IamSettings, &key(w.call.account()), &policy)?;
    Ok(Value::object())
}

fn get(on: &Reading<'_>, _: &Value) -> Answer {
    let account = on.call.account();
    let policy = of(on.store, account)?.ok_or_else(|| {
        error::no_such_entity(format!(
            "The Password Policy with domain name {account} cannot be found."
        ))
    })?;
    Ok(Value::object().with("PasswordPolicy", policy.shown()))
}

fn delete(w: &mut Writing<'_>, _: &Value) -> Answer {
    let account = w.call.account();
    if of(&*w.store, account)?.is_none() {
        // UNVERIFIED: that AWS says this, and not what GetAccountPasswordPolicy does.
        return Err(error::no_such_entity(
            "The account policy with name PasswordPolicy cannot be found.",
        ));
    }
    w.store.delete(Table::IamSettings, &key(account))?;
    Ok(Value::object())
}
