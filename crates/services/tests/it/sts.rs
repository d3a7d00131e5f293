//! Sessions: who one is, and becoming a role.

use policy::Principal;
use services::sts;
use value::{Value, value};

use crate::server::{ACCOUNT, Server, server, text, trust};

fn arn(resource: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:{resource}")
}

fn role(server: &Server, name: &str, principal: &str) {
    let document = trust(principal);
    server.ok(
        "CreateRole",
        value!({"RoleName": name, "AssumeRolePolicyDocument": (document.as_str())}),
    );
}

fn assume(name: &str) -> Value {
    value!({"RoleArn": (arn(&format!("role/{name}"))), "RoleSessionName": "session"})
}

/// Runs AssumeRole and returns the principal of the session it stored.
fn assumed(server: &Server, caller: Principal, input: Value) -> Principal {
    let answer = server.run_as(server.call_of(caller), "AssumeRole", input).unwrap();
    let id = text(&answer, &["Credentials", "AccessKeyId"]);
    assert!(id.len() == 20 && id.starts_with("ASIA"), "{id}");
    let session = server.store.read(|store| sts::find_session(store, &id)).unwrap().unwrap();
    assert_eq!(session.secret, text(&answer, &["Credentials", "SecretAccessKey"]));
    assert_eq!(session.token, text(&answer, &["Credentials", "SessionToken"]));
    session.principal
}

fn refused(server: &Server, caller: &Principal, input: Value) -> String {
    let answer = server.run_as(server.call_of(caller.clone()), "AssumeRole", input);
    answer.expect_err("the role was assumed").to_string()
}

#[test]
fn everyone_learns_who_it_is() {
    let server = server();
    server.ok("CreateUser", value!({"UserName": "u"}));
    let user = server.user("u");
    let session = Principal::assumed_role(ACCOUNT, "/p/", "r", "AROA1", "s");
    let cases = [
        (Principal::root(ACCOUNT), ACCOUNT.to_owned(), arn("root")),
        (user.clone(), user.user_id(), arn("user/u")),
        (session, "AROA1:s".into(), format!("arn:aws:sts::{ACCOUNT}:assumed-role/r/s")),
    ];
    for (principal, id, arn) in cases {
        let answer = server.run_as(server.call_of(principal), "GetCallerIdentity", Value::object());
        let answer = answer.unwrap();
        assert_eq!((text(&answer, &["UserId"]), text(&answer, &["Arn"])), (id, arn));
    }
}

#[test]
fn a_user_that_the_role_trusts_becomes_it() {
    let server = server();
    server.ok("CreateUser", value!({"UserName": "u"}));
    server.ok("CreateUser", value!({"UserName": "other"}));
    role(&server, "r", &format!(r#"{{"AWS":"{}"}}"#, arn("user/u")));
    let session = assumed(&server, server.user("u"), assume("r"));
    assert_eq!(session.arn(), format!("arn:aws:sts::{ACCOUNT}:assumed-role/r/session"));
    let other = server.user("other");
    let denial = refused(&server, &other, assume("r"));
    let expected = format!(
        "AccessDenied: User: {} is not authorized to perform: sts:AssumeRole on resource: {}",
        arn("user/other"),
        arn("role/r")
    );
    assert_eq!(denial, expected);
    let absent = refused(&server, &other, assume("absent"));
    assert_eq!(absent, expected.replace("role/r", "role/absent"), "which roles there are is told");
}

#[test]
fn an_account_delegates_to_its_policies() {
    let server = server();
    server.ok("CreateUser", value!({"UserName": "u"}));
    role(&server, "r", &format!(r#"{{"AWS":"{}"}}"#, arn("root")));
    let user = server.user("u");
    assert!(refused(&server, &user, assume("r")).starts_with("AccessDenied"));
    let document = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}}"#;
    server.ok(
        "PutUserPolicy",
        value!({"UserName": "u", "PolicyName": "p", "PolicyDocument": document}),
    );
    assumed(&server, user, assume("r"));
}

#[test]
fn an_external_id_must_be_the_one_the_role_asks_for() {
    let server = server();
    server.ok("CreateUser", value!({"UserName": "u"}));
    let document = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"{}"}},"Action":"sts:AssumeRole","Condition":{{"StringEquals":{{"sts:ExternalId":"secret"}}}}}}}}"#,
        arn("user/u")
    );
    server.ok(
        "CreateRole",
        value!({"RoleName": "r", "AssumeRolePolicyDocument": (document.as_str())}),
    );
    let user = server.user("u");
    assert!(refused(&server, &user, assume("r")).starts_with("AccessDenied"));
    assert!(
        refused(&server, &user, assume("r").with("ExternalId", "wrong"))
            .starts_with("AccessDenied")
    );
    assumed(&server, user, assume("r").with("ExternalId", "secret"));
}

#[test]
fn durations_names_and_tags_have_their_bounds() {
    let server = server();
    server.ok("CreateUser", value!({"UserName": "u"}));
    role(&server, "r", &format!(r#"{{"AWS":["{}","{}"]}}"#, arn("user/u"), arn("root")));
    let user = server.user("u");
    let cases = [
        (
            assume("r").with("DurationSeconds", 899),
            "ValidationError: 1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
        ),
        (
            assume("r").with("DurationSeconds", 3601),
            "ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ),
        (assume("r").with("RoleArn", "nonsense"), "ValidationError: nonsense is invalid"),
        (
            assume("r").with("RoleSessionName", "x y"),
            "ValidationError: 1 validation error detected: Value 'x y' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*",
        ),
        (
            assume("r").with("TransitiveTagKeys", Value::from(vec![Value::from("k")])),
            "InvalidParameterValue: The specified transitive tag key must be included in the requested tags.",
        ),
    ];
    for (input, expected) in cases {
        assert_eq!(refused(&server, &user, input), expected);
    }
}

#[test]
fn transitive_tags_pass_on_and_chains_are_short() {
    let server = server();
    server.ok("CreateUser", value!({"UserName": "u"}));
    role(&server, "first", &format!(r#"{{"AWS":"{}"}}"#, arn("user/u")));
    role(&server, "second", &format!(r#"{{"AWS":"{}"}}"#, arn("role/first")));
    server.ok("UpdateRole", value!({"RoleName": "second", "MaxSessionDuration": 7200}));
    let document = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:*","Resource":"*"}}"#;
    server.ok(
        "PutRolePolicy",
        value!({"RoleName": "first", "PolicyName": "p", "PolicyDocument": document}),
    );
    server.ok(
        "PutUserPolicy",
        value!({"UserName": "u", "PolicyName": "p", "PolicyDocument": document}),
    );
    let tagged = assume("first")
        .with("Tags", value!([{"Key": "Team", "Value": "赤"}, {"Key": "Once", "Value": "x"}]))
        .with("TransitiveTagKeys", value!(["team"]));
    let first = assumed(&server, server.user("u"), tagged);
    let second = assumed(&server, first.clone(), assume("second"));
    let session = second.session.unwrap();
    assert_eq!(session.tags, [("Team".to_owned(), "赤".to_owned())].into());
    let again = assume("second").with("Tags", value!([{"Key": "TEAM", "Value": "blue"}]));
    assert_eq!(
        refused(&server, &first, again),
        "InvalidParameterValue: One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session."
    );
    assert_eq!(
        refused(&server, &first, assume("second").with("DurationSeconds", 3601)),
        "ValidationError: The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
    );
}

#[test]
fn a_service_is_let_in_by_the_trust_policy_alone() {
    let server = server();
    role(&server, "r", r#"{"Service":"states.amazonaws.com"}"#);
    let call = server.call_of(Principal::root(ACCOUNT));
    let enter = |service: &str, name: &str| {
        server.store.read(|store| {
            let on = services::Reading { store, call: &call };
            let source = "arn:aws:states:us-east-1:123456789012:stateMachine:m";
            sts::assume_for_service(&on, &arn(&format!("role/{name}")), service, "run-1", source)
        })
    };
    let session = enter("states.amazonaws.com", "r").unwrap();
    assert_eq!(session.arn(), format!("arn:aws:sts::{ACCOUNT}:assumed-role/r/run-1"));
    for (service, name) in [("events.amazonaws.com", "r"), ("states.amazonaws.com", "absent")] {
        assert_eq!(
            enter(service, name).unwrap_err().to_string(),
            format!(
                "AccessDenied: User: {service} is not authorized to perform: sts:AssumeRole on resource: {}",
                arn(&format!("role/{name}"))
            )
        );
    }
}

#[test]
fn session_tokens_are_for_long_term_credentials() {
    let server = server();
    server.ok("CreateUser", value!({"UserName": "u"}));
    let user = server.user("u");
    let token = server.run_as(server.call_of(user.clone()), "GetSessionToken", Value::object());
    let id = text(&token.unwrap(), &["Credentials", "AccessKeyId"]);
    let session = server.store.read(|store| sts::find_session(store, &id)).unwrap().unwrap();
    assert_eq!(session.principal.arn(), user.arn());
    let again =
        server.run_as(server.call_of(session.principal), "GetSessionToken", Value::object());
    assert_eq!(
        again.unwrap_err().to_string(),
        "AccessDenied: Cannot call GetSessionToken with session credentials"
    );
    let account = server.ok("GetAccessKeyInfo", value!({"AccessKeyId": (id.as_str())}));
    assert_eq!(text(&account, &["Account"]), ACCOUNT);
}
