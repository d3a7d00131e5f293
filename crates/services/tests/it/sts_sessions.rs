//! What sessions may do, and when they end: signed requests to a whole server.

use super::served::{Keys, Served, element, keys, root, served};
use super::server::ACCOUNT;

/// All of Step Functions, IAM and STS.
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["states:*","iam:*","sts:*"],"Resource":"*"}}"#;
const LISTS: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["states:ListStateMachines","s3:*"],"Resource":"*"}}"#;

async fn role(server: &Served, name: &str) {
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"sts:AssumeRole"}}}}"#
    );
    let trust = wire::percent_encode(&trust);
    let create = "Action=CreateRole&AssumeRolePolicyDocument";
    server.ok("iam", &format!("{create}={trust}&RoleName={name}")).await;
    put(server, name, "p", POLICY).await;
}

async fn put(server: &Served, role: &str, name: &str, policy: &str) {
    let policy = wire::percent_encode(policy);
    let form = format!("Action=PutRolePolicy&RoleName={role}&PolicyName={name}");
    server.ok("iam", &format!("{form}&PolicyDocument={policy}")).await;
}

async fn assume(server: &Served, role: &str) -> Keys {
    let form = "Action=AssumeRole&RoleSessionName=session&DurationSeconds=900";
    let form = format!("{form}&RoleArn=arn:aws:iam::{ACCOUNT}:role/{role}");
    keys(&server.ok("sts", &form).await)
}

/// Returns the code of the answer, or `ok`.
fn outcome((status, body): (u16, String)) -> String {
    if status == 200 {
        return "ok".into();
    }
    let code = if body.starts_with('{') {
        let class = value::parse(&body).unwrap();
        class.get("__type").unwrap().as_str().unwrap().to_owned()
    } else {
        element(&body, "Code").to_owned()
    };
    format!("{status} {code}")
}

async fn list(server: &Served, keys: &Keys) -> String {
    outcome(server.states(keys, "ListStateMachines", "{}").await)
}

async fn query(server: &Served, keys: &Keys, service: &str, action: &str) -> String {
    outcome(server.query(keys, service, &format!("Action={action}")).await)
}

#[tokio::test]
async fn a_federated_user_may_what_its_policy_and_its_user_both_allow() {
    let server = served();
    let user = server.user("u", POLICY).await;
    let form = "Action=GetFederationToken&Name=guest";
    let (status, body) = server.query(&user, "sts", form).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(element(&body, "FederatedUserId"), format!("{ACCOUNT}:guest"));
    let arn = format!("arn:aws:sts::{ACCOUNT}:federated-user/guest");
    assert_eq!(element(&body, "Arn"), arn);
    assert!(!body.contains("PackedPolicySize"), "{body}");
    let bare = keys(&body);
    assert_eq!(list(&server, &bare).await, "400 AccessDeniedException", "it has no policy");

    let (_, body) =
        server.query(&user, "sts", &format!("{form}&Policy={}", wire::percent_encode(LISTS))).await;
    assert!(element(&body, "PackedPolicySize").parse::<u32>().unwrap() > 0);
    let guest = keys(&body);
    assert_eq!(list(&server, &guest).await, "ok");
    let denied = server.states(&guest, "ListActivities", "{}").await;
    assert!(denied.1.contains("because no session policy allows"), "{}", denied.1);
    assert_eq!(query(&server, &guest, "iam", "ListUsers").await, "403 InvalidClientTokenId");
    assert_eq!(query(&server, &guest, "sts", "GetSessionToken").await, "403 AccessDenied");
    let (_, who) = server.query(&guest, "sts", "Action=GetCallerIdentity").await;
    assert_eq!(element(&who, "Arn"), arn);

    // What the user loses, the federated user loses.
    server.ok("iam", "Action=DeleteUserPolicy&UserName=u&PolicyName=p").await;
    let denied = server.states(&guest, "ListStateMachines", "{}").await;
    assert!(denied.1.contains("because no identity-based policy allows"), "{}", denied.1);
}

#[tokio::test]
async fn the_root_user_federates_within_the_session_policy_alone() {
    let server = served();
    let form =
        format!("Action=GetFederationToken&Name=guest&Policy={}", wire::percent_encode(LISTS));
    let guest = keys(&server.ok("sts", &form).await);
    assert_eq!(list(&server, &guest).await, "ok");
    assert_eq!(
        outcome(server.states(&guest, "ListActivities", "{}").await),
        "400 AccessDeniedException"
    );
}

#[tokio::test]
async fn a_federation_token_is_asked_of_policies_and_not_given_to_sessions() {
    let server = served();
    let user = server.user("u", LISTS).await;
    let (_, denied) = server.query(&user, "sts", "Action=GetFederationToken&Name=guest").await;
    let resource = format!("on resource: arn:aws:sts::{ACCOUNT}:federated-user/guest because");
    assert!(element(&denied, "Message").contains(&resource), "{denied}");
    role(&server, "r").await;
    let session = assume(&server, "r").await;
    let (_, refused) = server.query(&session, "sts", "Action=GetFederationToken&Name=guest").await;
    assert_eq!(
        element(&refused, "Message"),
        "Cannot call GetFederationToken with session credentials"
    );
}

#[tokio::test]
async fn a_user_session_without_mfa_is_kept_from_iam_and_most_of_sts() {
    let server = served();
    let user = server.user("u", POLICY).await;
    let (_, body) = server.query(&user, "sts", "Action=GetSessionToken").await;
    let session = keys(&body);
    assert_eq!(list(&server, &session).await, "ok");
    assert_eq!(query(&server, &session, "iam", "ListUsers").await, "403 InvalidClientTokenId");
    assert_eq!(query(&server, &session, "sts", "GetCallerIdentity").await, "ok");
    let federate = "GetFederationToken&Name=guest";
    assert_eq!(query(&server, &session, "sts", federate).await, "403 AccessDenied");
}

#[tokio::test]
async fn a_session_ends_on_the_servers_clock() {
    let server = served();
    role(&server, "r").await;
    let session = assume(&server, "r").await;
    assert_eq!(list(&server, &session).await, "ok");
    server.services.runtime().clock().advance(899_000);
    assert_eq!(list(&server, &session).await, "ok");
    server.services.runtime().clock().advance(1_000);
    assert_eq!(list(&server, &session).await, "400 ExpiredTokenException");
    assert_eq!(query(&server, &session, "iam", "ListUsers").await, "403 ExpiredToken");
}

#[tokio::test]
async fn older_sessions_are_revoked_by_a_policy_on_their_time_of_issue() {
    let server = served();
    role(&server, "r").await;
    let older = assume(&server, "r").await;
    let clock = server.services.runtime().clock().clone();
    clock.advance(10_000);
    // What the console's button does.
    let seconds = jiff::Timestamp::from_millisecond(clock.now_millis()).unwrap();
    let revoke = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","Action":["*"],"Resource":["*"],"Condition":{{"DateLessThan":{{"aws:TokenIssueTime":"{}"}}}}}}}}"#,
        seconds.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    );
    put(&server, "r", "AWSRevokeOlderSessions", &revoke).await;
    clock.advance(10_000);
    let newer = assume(&server, "r").await;
    let (status, body) = server.states(&older, "ListStateMachines", "{}").await;
    assert_eq!(status, 400);
    assert!(body.contains("with an explicit deny in an identity-based policy"), "{body}");
    assert_eq!(list(&server, &newer).await, "ok");
}

#[tokio::test]
async fn a_session_ends_with_the_role_or_the_user_behind_it() {
    let server = served();
    role(&server, "r").await;
    let user = server.user("u", POLICY).await;
    let (_, body) = server.query(&user, "sts", "Action=GetSessionToken").await;
    let (of_role, of_user) = (assume(&server, "r").await, keys(&body));
    for session in [&of_role, &of_user] {
        assert_eq!(list(&server, session).await, "ok");
    }
    server.ok("iam", "Action=DeleteRolePolicy&RoleName=r&PolicyName=p").await;
    server.ok("iam", "Action=DeleteRole&RoleName=r").await;
    server.ok("iam", "Action=DeleteUserPolicy&UserName=u&PolicyName=p").await;
    let delete = format!("Action=DeleteAccessKey&UserName=u&AccessKeyId={}", user.id);
    server.ok("iam", &delete).await;
    server.ok("iam", "Action=DeleteUser&UserName=u").await;
    for made_anew in [false, true] {
        if made_anew {
            role(&server, "r").await;
            server.user("u", POLICY).await;
            // The new one's policies are remembered for this ARN.
            assert_eq!(list(&server, &assume(&server, "r").await).await, "ok");
        }
        for session in [&of_role, &of_user] {
            let found = list(&server, session).await;
            assert_eq!(found, "400 UnrecognizedClientException", "made anew: {made_anew}");
        }
    }
}

#[tokio::test]
async fn too_much_for_a_session_is_refused_by_how_much_it_is() {
    let server = served();
    role(&server, "r").await;
    let tag = |at: usize| {
        let (key, value) = (services::ids::secret(120), services::ids::secret(120));
        format!("&Tags.member.{at}.Key={key}&Tags.member.{at}.Value={value}")
    };
    let tags: Vec<String> = (1..=50).map(tag).collect();
    let form = format!(
        "Action=AssumeRole&RoleSessionName=session&RoleArn=arn:aws:iam::{ACCOUNT}:role/r{}",
        tags.concat()
    );
    let (status, body) = server.query(&root(), "sts", &form).await;
    let found = (status, element(&body, "Code"));
    // `sts:TagSession` is not in the trust policy, but that comes later.
    assert_eq!(found, (400, "PackedPolicyTooLarge"), "{body}");
}
