//! The account password policy, and what it does to passwords.

use services::iam;
use value::{Value, value};

use crate::server::{ACCOUNT, Server, server, text};

fn with_user() -> Server {
    let server = server();
    server.ok("CreateUser", value!({"UserName": "u"}));
    server
}

fn create(server: &Server, password: &str) -> Result<Value, services::Error> {
    server.run("CreateLoginProfile", value!({"UserName": "u", "Password": password}))
}

#[test]
fn a_policy_is_set_whole_shown_and_deleted() {
    let server = server();
    assert_eq!(
        server.refused("GetAccountPasswordPolicy", value!({})),
        format!("NoSuchEntity: The Password Policy with domain name {ACCOUNT} cannot be found.")
    );
    server.ok(
        "UpdateAccountPasswordPolicy",
        value!({"MinimumPasswordLength": 12, "MaxPasswordAge": 90, "RequireSymbols": true}),
    );
    let shown = server.ok("GetAccountPasswordPolicy", value!({}));
    assert_eq!(
        shown.get("PasswordPolicy"),
        Some(&value!({
            "MinimumPasswordLength": 12,
            "RequireSymbols": true,
            "RequireNumbers": false,
            "RequireUppercaseCharacters": false,
            "RequireLowercaseCharacters": false,
            "AllowUsersToChangePassword": false,
            "ExpirePasswords": true,
            "MaxPasswordAge": 90,
        }))
    );
    // What is not given goes back to its default.
    server.ok("UpdateAccountPasswordPolicy", value!({}));
    let shown = server.ok("GetAccountPasswordPolicy", value!({}));
    let shown = shown.get("PasswordPolicy").unwrap();
    assert_eq!(shown.get("MinimumPasswordLength").and_then(Value::as_i64), Some(6));
    assert_eq!(shown.get("ExpirePasswords").and_then(Value::as_bool), Some(false));
    assert_eq!(shown.get("MaxPasswordAge"), None);

    server.ok("DeleteAccountPasswordPolicy", value!({}));
    assert!(server.refused("DeleteAccountPasswordPolicy", value!({})).starts_with("NoSuchEntity"));
}

#[test]
fn the_default_policy_wants_eight_characters_of_three_kinds() {
    let server = with_user();
    let refused = |password: &str| create(&server, password).unwrap_err().to_string();
    // The text that AWS gave for a password without capitals and symbols.
    assert_eq!(
        refused("abcdefg1"),
        "PasswordPolicyViolation: Password should meet 1 more of the following requirements: \
         Password should have at least one uppercase letter, Password should have at least one \
         symbol"
    );
    assert_eq!(
        refused("Aa1"),
        "PasswordPolicyViolation: Password should have a minimum length of 8"
    );
    create(&server, "Abcdefg1").unwrap();
}

#[test]
fn a_policy_of_the_account_says_what_is_missing() {
    let server = with_user();
    server.ok(
        "UpdateAccountPasswordPolicy",
        value!({
            "MinimumPasswordLength": 10,
            "RequireUppercaseCharacters": true,
            "RequireLowercaseCharacters": true,
            "RequireNumbers": true,
            "RequireSymbols": true,
        }),
    );
    let table = [
        ("aB3$", "Password should have a minimum length of 10"),
        ("abcdefgh3$", "Password should have at least one uppercase letter"),
        ("ABCDEFGH3$", "Password should have at least one lowercase letter"),
        ("abcdefghI$", "Password should have at least one number"),
        // A letter beyond ASCII is no symbol.
        ("abcdefgHü3", "Password should have at least one symbol"),
        (
            "abcdefghi3",
            "Password should have at least one uppercase letter, Password should have at least \
             one symbol",
        ),
    ];
    for (password, problem) in table {
        let err = create(&server, password).unwrap_err();
        assert_eq!((&*err.code, &*err.message), ("PasswordPolicyViolation", problem), "{password}");
    }
    create(&server, "abcdefgH3$").unwrap();
    let update = value!({"UserName": "u", "Password": "short"});
    assert!(server.refused("UpdateLoginProfile", update).starts_with("PasswordPolicyViolation"));
}

#[test]
fn the_latest_passwords_do_not_come_again() {
    let server = with_user();
    create(&server, "Passw0rd-0").unwrap();
    // What was set before the policy counts.
    let set = |number: u32| {
        let password = format!("Passw0rd-{number}");
        server.run("UpdateLoginProfile", value!({"UserName": "u", "Password": password}))
    };
    set(1).unwrap();
    server.ok("UpdateAccountPasswordPolicy", value!({"PasswordReusePrevention": 2}));
    let reused = "PasswordPolicyViolation: Policy constraint violation with password reuse \
                  prevention during password change.";
    assert_eq!(set(1).unwrap_err().to_string(), reused);
    assert_eq!(set(0).unwrap_err().to_string(), reused);
    set(2).unwrap();
    set(0).unwrap();

    let call = server.call_of(server.user("u"));
    let change = |old: &str, new: &str| {
        let input = value!({"OldPassword": old, "NewPassword": new});
        server.run_as(call.clone(), "ChangePassword", input)
    };
    assert_eq!(change("Passw0rd-0", "Passw0rd-2").unwrap_err().to_string(), reused);
    change("Passw0rd-0", "Passw0rd-3").unwrap();
}

#[test]
fn users_may_change_their_own_password_when_the_account_says_so() {
    let server = with_user();
    let user = server.user("u");
    let granted = || {
        let policies = server.store.read(|store| iam::policies_of_principal(store, &user)).unwrap();
        policies.identity
    };
    server.ok("UpdateAccountPasswordPolicy", value!({}));
    assert_eq!(granted(), []);
    server.ok("UpdateAccountPasswordPolicy", value!({"AllowUsersToChangePassword": true}));
    let [(label, document)] = &*granted() else { panic!("{:?}", granted()) };
    assert_eq!(label, "account password policy");
    let document = policy::Document::parse(document, policy::Kind::Identity).unwrap();
    let mut set = policy::PolicySet::default();
    set.identity.push(policy::Policy::new(&**label, std::sync::Arc::new(document)));
    let allowed = |action: &str, resource: &str| {
        let context = policy::Context::default();
        let request = policy::Request::new(user.clone(), action, resource, context);
        policy::decide(&request, &set).is_allowed()
    };
    assert!(allowed("iam:ChangePassword", &user.arn()));
    assert!(allowed("iam:GetAccountPasswordPolicy", "*"));
    assert!(!allowed("iam:ChangePassword", &format!("arn:aws:iam::{ACCOUNT}:user/other")));
    assert!(!allowed("iam:UpdateLoginProfile", &user.arn()));
}

#[test]
fn who_is_no_user_has_no_password_to_change() {
    let server = server();
    let input = value!({"OldPassword": "a", "NewPassword": "b"});
    assert_eq!(server.checks("ChangePassword", &input), []);
    assert!(server.refused("ChangePassword", input).starts_with("InvalidUserType"));
}

#[test]
fn a_login_profile_of_before_is_still_read() {
    let server = with_user();
    create(&server, "Passw0rd-0").unwrap();
    let user = server.ok("GetUser", value!({"UserName": "u"}));
    let key = format!("login-profile/{}", text(&user, &["User", "UserId"]));
    // As it was stored before passwords were remembered.
    let rewritten = server.rewrite(store::Table::Credentials, &key, |row| {
        row.remove("changedMillis");
        row.remove("previousPasswords");
    });
    assert_eq!(rewritten, ["createdMillis", "passwordResetRequired", "password"]);
    server.ok("UpdateLoginProfile", value!({"UserName": "u", "Password": "Passw0rd-1"}));
    server.ok("GetLoginProfile", value!({"UserName": "u"}));
}
