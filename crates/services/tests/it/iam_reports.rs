//! Reports about the whole account: authorization details, credentials, access advisor, summary.

use policy::Principal;
use runtime::ClockMode;
use value::{Value, value};

use super::server::{ACCOUNT, DOCUMENT, Server, each, server, text, trust};
use super::states_express::whole_on;

const HOUR_MILLIS: i64 = 3_600_000;

fn populated() -> Server {
    let server = server();
    for name in ["bob", "alice"] {
        server.ok("CreateUser", value!({ "UserName": name }));
    }
    server.ok("CreateGroup", value!({ "GroupName": "ops" }));
    server.ok("AddUserToGroup", value!({ "GroupName": "ops", "UserName": "alice" }));
    server.ok("CreatePolicy", value!({ "PolicyName": "own", "PolicyDocument": DOCUMENT }));
    let own = format!("arn:aws:iam::{ACCOUNT}:policy/own");
    server.ok("AttachGroupPolicy", value!({ "GroupName": "ops", "PolicyArn": &own }));
    let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
    server.ok("AttachUserPolicy", value!({ "UserName": "bob", "PolicyArn": admin }));
    let inline = value!({ "UserName": "bob", "PolicyName": "in", "PolicyDocument": DOCUMENT });
    server.ok("PutUserPolicy", inline);
    let trust = trust(r#"{"Service": "states.amazonaws.com"}"#);
    let role = value!({ "RoleName": "r", "AssumeRolePolicyDocument": trust, "Description": "d" });
    server.ok("CreateRole", role);
    server.ok("CreateInstanceProfile", value!({ "InstanceProfileName": "i" }));
    let add = value!({ "InstanceProfileName": "i", "RoleName": "r" });
    server.ok("AddRoleToInstanceProfile", add);
    server
}

const LISTS: [(&str, &str); 4] = [
    ("UserDetailList", "UserName"),
    ("GroupDetailList", "GroupName"),
    ("RoleDetailList", "RoleName"),
    ("Policies", "PolicyName"),
];

fn names(answer: &Value) -> Vec<String> {
    LISTS.iter().flat_map(|(list, name)| each(answer, list, name)).collect()
}

#[test]
fn authorization_details_hold_everything_by_filter_and_page() {
    let server = populated();
    let all = server.ok("GetAccountAuthorizationDetails", value!({}));
    assert_eq!(names(&all), ["alice", "bob", "ops", "r", "own", "AdministratorAccess"]);
    for (filter, found) in [
        ("User", vec!["alice", "bob"]),
        ("Group", vec!["ops"]),
        ("Role", vec!["r"]),
        ("LocalManagedPolicy", vec!["own"]),
        ("AWSManagedPolicy", vec!["AdministratorAccess"]),
    ] {
        let input = value!({ "Filter": [filter] });
        assert_eq!(names(&server.ok("GetAccountAuthorizationDetails", input)), found, "{filter}");
    }
    let (mut paged, mut marker, mut pages) = (Vec::new(), None::<String>, 0);
    loop {
        let input = value!({ "MaxItems": 4 }).with_some("Marker", marker);
        let page = server.ok("GetAccountAuthorizationDetails", input);
        paged.extend(names(&page));
        pages += 1;
        marker = page.get("Marker").and_then(Value::as_str).map(str::to_owned);
        assert_eq!(page.get("IsTruncated").and_then(Value::as_bool), Some(marker.is_some()));
        if marker.is_none() {
            break;
        }
    }
    assert_eq!((paged, pages), (names(&all), 2));
}

#[test]
fn authorization_details_show_the_relations() {
    let server = populated();
    let all = server.ok("GetAccountAuthorizationDetails", value!({}));
    let item = |list: &str, index: usize| all.get(list).unwrap().as_array().unwrap()[index].clone();
    let (alice, bob) = (item("UserDetailList", 0), item("UserDetailList", 1));
    assert_eq!(alice.get("GroupList").unwrap().to_string(), r#"["ops"]"#);
    assert!(alice.get("UserPolicyList").is_none());
    assert_eq!(each(&bob, "AttachedManagedPolicies", "PolicyName"), ["AdministratorAccess"]);
    let inline = &bob.get("UserPolicyList").unwrap().as_array().unwrap()[0];
    assert!(text(inline, &["PolicyDocument"]).starts_with("%7B%22Version%22%3A"));
    let role = item("RoleDetailList", 0);
    assert_eq!(each(&role, "InstanceProfileList", "InstanceProfileName"), ["i"]);
    assert_eq!(role.get("RoleLastUsed").unwrap().to_string(), "{}");
    assert!(role.get("Description").is_none() && role.get("MaxSessionDuration").is_none());
    let own = item("Policies", 0);
    assert_eq!(own.get("AttachmentCount").and_then(Value::as_i64), Some(1));
    let version = &own.get("PolicyVersionList").unwrap().as_array().unwrap()[0];
    assert_eq!(version.get("IsDefaultVersion").and_then(Value::as_bool), Some(true));
    assert!(text(version, &["Document"]).starts_with("%7B"));
}

fn report(server: &Server) -> Vec<Vec<String>> {
    let answer = server.ok("GetCredentialReport", value!({}));
    assert_eq!(text(&answer, &["ReportFormat"]), "text/csv");
    let content = wire::decode_base64(&text(&answer, &["Content"])).unwrap();
    let content = String::from_utf8(content).unwrap();
    content.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn a_credential_report_is_good_for_four_hours() {
    let server = populated();
    let refused = server.refused("GetCredentialReport", value!({}));
    assert!(refused.starts_with("ReportNotPresent: "), "{refused}");
    let first = server.ok("GenerateCredentialReport", value!({}));
    assert_eq!(text(&first, &["State"]), "STARTED");
    let no_report = "No report exists. Starting a new report generation task";
    assert_eq!(text(&first, &["Description"]), no_report);
    assert_eq!(report(&server).len(), 4);
    server.ok("CreateUser", value!({ "UserName": "late" }));
    *server.now_millis.lock().unwrap() += 4 * HOUR_MILLIS - 1;
    let again = server.ok("GenerateCredentialReport", value!({}));
    assert_eq!(again.to_string(), r#"{"State":"COMPLETE"}"#);
    assert_eq!(report(&server).len(), 4);
    *server.now_millis.lock().unwrap() += 1;
    let refused = server.refused("GetCredentialReport", value!({}));
    assert!(refused.starts_with("ReportExpired: "), "{refused}");
    let next = server.ok("GenerateCredentialReport", value!({}));
    assert_eq!(next.to_string(), r#"{"State":"STARTED"}"#);
    assert_eq!(report(&server).len(), 5);
}

#[test]
fn a_credential_report_has_22_columns_for_everyone() {
    let server = populated();
    let made = server.ok("CreateAccessKey", value!({ "UserName": "bob" }));
    let id = text(&made, &["AccessKey", "AccessKeyId"]);
    let off = value!({ "UserName": "bob", "AccessKeyId": &id, "Status": "Inactive" });
    server.ok("UpdateAccessKey", off);
    *server.now_millis.lock().unwrap() += HOUR_MILLIS;
    server.ok("CreateAccessKey", value!({ "UserName": "bob" }));
    let now = *server.now_millis.lock().unwrap();
    let used = server
        .store
        .write(move |tx| services::iam::note_key_use(tx, &id, "states", "eu-west-1", now));
    let threads = tokio::runtime::Builder::new_current_thread().build().unwrap();
    threads.block_on(used).unwrap().unwrap();
    let password = value!({ "UserName": "bob", "Password": "correct-Horse-7" });
    server.ok("CreateLoginProfile", password);
    server.ok("UpdateAccountPasswordPolicy", value!({ "MaxPasswordAge": 90 }));
    server.ok("GenerateCredentialReport", value!({}));
    let rows = report(&server);
    assert!(rows.iter().all(|row| row.len() == 22), "{rows:?}");
    assert_eq!(rows[0][8], "access_key_1_active");
    let names: Vec<&str> = rows.iter().map(|row| &*row[0]).collect();
    assert_eq!(names, ["user", "<root_account>", "alice", "bob"]);
    assert_eq!(
        rows[1][3..8],
        ["not_supported", "no_information", "not_supported", "not_supported", "false"]
    );
    assert_eq!(rows[2][3..8], ["false", "N/A", "N/A", "N/A", "false"]);
    assert_eq!(rows[2][8..13], ["false", "N/A", "N/A", "N/A", "N/A"]);
    let hour = "2026-11-24T01:00:00+00:00";
    assert_eq!(rows[3][2], "2026-11-24T00:00:00+00:00");
    let rotation = "2027-02-22T01:00:00+00:00";
    assert_eq!(rows[3][3..8], ["true", "no_information", hour, rotation, "false"]);
    let first_made = "2026-11-24T00:00:00+00:00";
    assert_eq!(rows[3][8..13], ["false", first_made, hour, "eu-west-1", "states"]);
    assert_eq!(rows[3][13..18], ["true", hour, "N/A", "N/A", "N/A"]);
    assert_eq!(rows[3][18..], ["false", "N/A", "false", "N/A"]);
}

#[test]
fn the_summary_has_the_keys_of_the_model() {
    let server = populated();
    let answer = server.ok("GetAccountSummary", value!({}));
    let map = answer.get("SummaryMap").and_then(Value::as_object).unwrap();
    let operation = wire::model::service("iam").unwrap().operation("GetAccountSummary").unwrap();
    let shape = operation.output().unwrap().member("SummaryMap").unwrap().shape();
    let mut modelled: Vec<&str> = shape.key().unwrap().values().iter().map(|key| &**key).collect();
    let mut found: Vec<&str> = map.iter().map(|(key, _)| &**key).collect();
    modelled.sort_unstable();
    found.sort_unstable();
    assert_eq!((found.len(), found), (34, modelled));
    let count = |key: &str| map.get(key).and_then(Value::as_i64);
    assert_eq!(
        ["Users", "Groups", "Roles", "Policies", "InstanceProfiles"].map(count),
        [2, 1, 1, 1, 1].map(Some)
    );
}

#[tokio::test]
async fn the_access_advisor_tells_who_used_what() {
    let whole = whole_on(ClockMode::Real).await;
    let iam = |name, input| whole.ok("iam", name, input);
    let mut users = Vec::new();
    for name in ["alice", "bob"] {
        let made = iam("CreateUser", value!({ "UserName": name })).await;
        let id = text(&made, &["User", "UserId"]);
        users.push(Principal::user(ACCOUNT, "/", name, &id));
    }
    iam("CreateGroup", value!({ "GroupName": "ops" })).await;
    for name in ["alice", "bob"] {
        iam("AddUserToGroup", value!({ "GroupName": "ops", "UserName": name })).await;
    }
    let document = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow",
        "Action": ["iam:List*", "iam:GetUser", "ssm:*"], "Resource": "*"}}"#;
    let policy = value!({ "GroupName": "ops", "PolicyName": "p", "PolicyDocument": document });
    iam("PutGroupPolicy", policy).await;
    whole.run_as(users[0].clone(), "iam", "ListUsers", value!({})).await.unwrap();
    // An attempt that is refused counts too.
    let create = value!({ "UserName": "eve" });
    whole.run_as(users[0].clone(), "iam", "CreateUser", create).await.unwrap_err();
    whole.services.write_decisions().await.unwrap();

    let group = format!("arn:aws:iam::{ACCOUNT}:group/ops");
    let generate = value!({ "Arn": &group, "Granularity": "ACTION_LEVEL" });
    let job = iam("GenerateServiceLastAccessedDetails", generate).await;
    let job = value!({ "JobId": (text(&job, &["JobId"])) });
    let details = iam("GetServiceLastAccessedDetails", job.clone()).await;
    assert_eq!(text(&details, &["JobStatus"]), "COMPLETED");
    assert_eq!(text(&details, &["JobType"]), "ACTION_LEVEL");
    assert_eq!(each(&details, "ServicesLastAccessed", "ServiceNamespace"), ["iam", "ssm"]);
    let services = details.get("ServicesLastAccessed").and_then(Value::as_array).unwrap();
    let total = |service: &Value| service.get("TotalAuthenticatedEntities").and_then(Value::as_i64);
    assert_eq!((total(&services[0]), total(&services[1])), (Some(1), Some(0)));
    let alice = format!("arn:aws:iam::{ACCOUNT}:user/alice");
    assert_eq!(text(&services[0], &["LastAuthenticatedEntity"]), alice);
    assert!(services[1].get("LastAuthenticated").is_none());
    let tracked = services[0].get("TrackedActionsLastAccessed").and_then(Value::as_array).unwrap();
    let used: Vec<String> = tracked
        .iter()
        .filter(|action| action.get("LastAccessedTime").is_some())
        .map(|action| text(action, &["ActionName"]))
        .collect();
    assert_eq!(used, ["ListUsers"]);
    assert!(tracked.iter().any(|action| text(action, &["ActionName"]) == "GetUser"));
    let of_iam = job.with("ServiceNamespace", "iam");
    let entities = iam("GetServiceLastAccessedDetailsWithEntities", of_iam).await;
    let entity = &entities.get("EntityDetailsList").and_then(Value::as_array).unwrap()[0];
    assert_eq!(text(entity, &["EntityInfo", "Type"]), "USER");
    assert_eq!(text(entity, &["EntityInfo", "Arn"]), alice);

    whole.run_as(users[1].clone(), "iam", "ListUsers", value!({})).await.unwrap();
    whole.services.write_decisions().await.unwrap();
    let job = iam("GenerateServiceLastAccessedDetails", value!({ "Arn": &group })).await;
    let (mut found, mut marker) = (0, None::<String>);
    loop {
        let input = value!({
            "JobId": (text(&job, &["JobId"])), "ServiceNamespace": "iam", "MaxItems": 1,
        });
        let input = input.with_some("Marker", marker);
        let page = iam("GetServiceLastAccessedDetailsWithEntities", input).await;
        found += page.get("EntityDetailsList").and_then(Value::as_array).unwrap().len();
        marker = page.get("Marker").and_then(Value::as_str).map(str::to_owned);
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(found, 2);

    let granting = value!({ "Arn": &alice, "ServiceNamespaces": ["iam", "s3"] });
    let granting = iam("ListPoliciesGrantingServiceAccess", granting).await;
    assert_eq!(
        granting.get("PoliciesGrantingServiceAccess").unwrap().to_string(),
        concat!(
            r#"[{"ServiceNamespace":"iam","Policies":[{"PolicyName":"p","PolicyType":"INLINE","#,
            r#""EntityType":"GROUP","EntityName":"ops"}]},"#,
            r#"{"ServiceNamespace":"s3","Policies":[]}]"#,
        )
    );
}

#[test]
fn the_access_advisor_refuses_what_is_not_there() {
    let server = populated();
    let nobody = format!("arn:aws:iam::{ACCOUNT}:user/nobody");
    let refused = server.refused("GenerateServiceLastAccessedDetails", value!({ "Arn": &nobody }));
    assert!(refused.starts_with("NoSuchEntity: "), "{refused}");
    let refused = server.refused("GenerateServiceLastAccessedDetails", value!({ "Arn": "x" }));
    assert!(refused.starts_with("InvalidInput: "), "{refused}");
    let job = value!({ "JobId": "98a765b4-3cde-2101-2345-example678f9" });
    let refused = server.refused("GetServiceLastAccessedDetails", job);
    assert!(refused.starts_with("NoSuchEntity: "), "{refused}");
    // An administrator may use everything.
    let bob = value!({ "Arn": (format!("arn:aws:iam::{ACCOUNT}:user/bob")) });
    let job = server.ok("GenerateServiceLastAccessedDetails", bob);
    let job = value!({ "JobId": (text(&job, &["JobId"])) });
    let whole = job.clone().with("MaxItems", 1000);
    let details = server.ok("GetServiceLastAccessedDetails", whole);
    let services = each(&details, "ServicesLastAccessed", "ServiceNamespace");
    assert!(300 < services.len(), "{}", services.len());
    let (mut paged, mut marker) = (Vec::new(), None::<String>);
    loop {
        let page = job.clone().with_some("Marker", marker);
        let page = server.ok("GetServiceLastAccessedDetails", page);
        let found = each(&page, "ServicesLastAccessed", "ServiceNamespace");
        assert!(found.len() <= 100);
        paged.extend(found);
        marker = page.get("Marker").and_then(Value::as_str).map(str::to_owned);
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(paged, services);
    // Of a hundred reports the oldest goes.
    let group = value!({ "Arn": (format!("arn:aws:iam::{ACCOUNT}:group/ops")) });
    let first = server.ok("GenerateServiceLastAccessedDetails", group.clone());
    for _ in 0..100 {
        *server.now_millis.lock().unwrap() += 1;
        server.ok("GenerateServiceLastAccessedDetails", group.clone());
    }
    let refused = server.refused("GetServiceLastAccessedDetails", first);
    assert!(refused.starts_with("NoSuchEntity: "), "{refused}");
}
