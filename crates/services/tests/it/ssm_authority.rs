//! Who a runbook acts for, and what that may not become more than.

use policy::{Principal, SessionPolicy};
use services::iam;
use value::{Value, value};

use super::server::{ACCOUNT, text, trust};
use super::ssm_automations::{ended, keep, server};
use super::states_express::Whole;

/// A runbook without a role.
const LOOKS: &str = "
schemaVersion: '0.3'
mainSteps:
  - name: look
    action: aws:executeAwsApi
    inputs: {Service: iam, Api: GetUser, UserName: u1}
";
/// One with a role, which has another started by whoever started it.
const NESTS: &str = "
schemaVersion: '0.3'
assumeRole: arn:aws:iam::123456789012:role/runs
mainSteps:
  - name: nested
    action: aws:executeAutomation
    inputs: {DocumentName: Looks}
";
const EVERYTHING: &str = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#;

fn allowing(statement: &str) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": [{statement}]}}"#)
}

/// Makes a role that Systems Manager and the account may assume, with this policy.
async fn role(whole: &Whole, name: &str, statement: &str) -> Value {
    let trust = trust(&format!(r#"{{"Service": "ssm.amazonaws.com", "AWS": "{ACCOUNT}"}}"#));
    let role = value!({"RoleName": name, "AssumeRolePolicyDocument": trust});
    let role = whole.ok("iam", "CreateRole", role).await;
    let policy = value!({
        "RoleName": name, "PolicyName": "p", "PolicyDocument": allowing(statement),
    });
    whole.ok("iam", "PutRolePolicy", policy).await;
    role
}

/// Makes a user with this policy.
pub(crate) async fn user(whole: &Whole, name: &str, statement: &str) -> Principal {
    whole.ok("iam", "CreateUser", value!({ "UserName": name })).await;
    let policy = value!({
        "UserName": name, "PolicyName": "p", "PolicyDocument": allowing(statement),
    });
    whole.ok("iam", "PutUserPolicy", policy).await;
    let key = whole.ok("iam", "CreateAccessKey", value!({ "UserName": name })).await;
    let id = text(&key, &["AccessKey", "AccessKeyId"]);
    let found = whole.services.store().read(|store| iam::find_access_key(store, &id));
    found.unwrap().unwrap().principal
}

async fn run_as(whole: &Whole, who: &Principal, document: &str) -> Value {
    let input = value!({ "DocumentName": document });
    let started = whole.run_as(who.clone(), "ssm", "StartAutomationExecution", input).await;
    ended(whole, &text(&started.unwrap(), &["AutomationExecutionId"])).await
}

#[tokio::test]
async fn the_policies_of_a_session_go_where_its_runbooks_go() {
    let whole = server().await;
    keep(&whole, "Looks", LOOKS).await;
    keep(&whole, "Nests", NESTS).await;
    let admin = role(&whole, "admin", EVERYTHING).await;
    role(&whole, "runs", EVERYTHING).await;
    let id = text(&admin, &["Role", "RoleId"]);
    let mut session = Principal::assumed_role(ACCOUNT, "/", "admin", &id, "s");
    for document in ["Looks", "Nests"] {
        let free = run_as(&whole, &session, document).await;
        assert_eq!(text(&free, &["AutomationExecutionStatus"]), "Success", "{free}");
    }
    let narrow = r#"{"Effect": "Allow", "Action": ["ssm:*", "iam:PassRole"], "Resource": "*"}"#;
    let narrow = SessionPolicy { label: "session policy".into(), document: allowing(narrow) };
    session.session.as_mut().unwrap().policies = Some(vec![narrow]);
    for document in ["Looks", "Nests"] {
        let bound = run_as(&whole, &session, document).await;
        assert_eq!(text(&bound, &["AutomationExecutionStatus"]), "Failed", "{bound}");
        let listed = value!({});
        let all = whole.ok("ssm", "DescribeAutomationExecutions", listed).await;
        let newest = all.get("AutomationExecutionMetadataList").unwrap().to_string();
        let why = "because no session policy allows the iam:GetUser action";
        assert!(newest.contains(why), "{document}: {newest}");
    }
}

#[tokio::test]
async fn the_role_of_a_location_is_one_that_the_caller_may_pass() {
    let whole = server().await;
    keep(&whole, "Looks", LOOKS).await;
    role(&whole, "There", EVERYTHING).await;
    let starts =
        r#"{"Effect": "Allow", "Action": "ssm:StartAutomationExecution", "Resource": "*"}"#;
    let passes = r#"{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}"#;
    let location = value!({
        "Accounts": [ACCOUNT], "Regions": ["us-east-1"], "ExecutionRoleName": "There",
    });
    let input = value!({"DocumentName": "Looks", "TargetLocations": [location.clone()]});
    let mallory = user(&whole, "mallory", starts).await;
    let name = "StartAutomationExecution";
    let err = whole.run_as(mallory, "ssm", name, input.clone()).await.unwrap_err().to_string();
    assert!(err.contains("not authorized to perform: iam:PassRole"), "{err}");
    let ann = user(&whole, "ann", &format!("{starts}, {passes}")).await;
    whole.run_as(ann, "ssm", name, input.clone()).await.unwrap();
    // More than it can do is refused, not left out.
    let more = location.clone().with("TargetLocationMaxErrors", "1");
    for locations in [value!([location.clone(), location]), value!([more])] {
        let input = input.clone().with("TargetLocations", locations);
        let err = whole.run("ssm", name, input).await.unwrap_err();
        assert_eq!(err.code, "InvalidTarget", "{err}");
    }
}

#[tokio::test]
async fn a_request_that_has_begun_is_answered_again_when_its_document_is_gone() {
    let whole = server().await;
    keep(&whole, "Looks", LOOKS).await;
    let token = "0b9cbd7c-8a5d-4a3a-a5a6-0123456789ab";
    let input = value!({ "DocumentName": "Looks", "ClientToken": token });
    let first = whole.ok("ssm", "StartAutomationExecution", input.clone()).await;
    whole.ok("ssm", "DeleteDocument", value!({"Name": "Looks"})).await;
    let again = whole.ok("ssm", "StartAutomationExecution", input.clone()).await;
    assert_eq!(first, again);
    let other = input.with("Mode", "Interactive");
    let err = whole.run("ssm", "StartAutomationExecution", other).await.unwrap_err();
    assert_eq!(err.code, "IdempotentParameterMismatch");
}
