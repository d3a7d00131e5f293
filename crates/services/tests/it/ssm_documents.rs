//! Automation documents: versions, filters, sharing, attachments, settings.

use std::sync::Arc;

use runtime::content_key;
use services::{Destinations, Outward};
use value::{Value, value};

use super::server::{each, text};
use super::states_express::{Whole, whole};

const RUNBOOK: &str = r#"{"schemaVersion": "0.3", "mainSteps": [{"name": "a", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}}]}"#;

fn automation(name: &str, content: &str) -> Value {
    value!({"Name": name, "Content": content, "DocumentType": "Automation"})
}

async fn refused(whole: &Whole, name: &str, input: Value) -> String {
    match whole.run("ssm", name, input).await {
        Ok(answer) => panic!("{name} answered {answer}"),
        Err(err) => err.to_string(),
    }
}

async fn listed(whole: &Whole, filters: Value) -> Vec<String> {
    let answer = whole.ok("ssm", "ListDocuments", filters).await;
    each(&answer, "DocumentIdentifiers", "Name")
}

#[tokio::test]
async fn lists_documents_by_every_filter_old_and_new() {
    let whole = whole().await;
    let tags = value!([{"Key": "team", "Value": "blue"}]);
    let one = automation("One", RUNBOOK)
        .with("Tags", tags)
        .with("TargetType", "/AWS::EC2::Instance")
        .with("DisplayName", "The first");
    whole.ok("ssm", "CreateDocument", one).await;
    let yaml = "schemaVersion: '0.3'\nmainSteps:\n  - {name: a, action: 'aws:pause', inputs: {}}\n";
    let two = automation("Two", yaml).with("DocumentFormat", "YAML");
    whole.ok("ssm", "CreateDocument", two).await;
    let amazons = "AWSConfigRemediation-DeleteIAMUser";
    for (key, of, names) in [
        ("Owner", "Self", vec!["One", "Two"]),
        ("Owner", "Amazon", vec![amazons]),
        ("Owner", "All", vec![amazons, "One", "Two"]),
        ("Owner", "ThirdParty", vec![]),
        ("Name", "On", vec!["One"]),
        ("DocumentType", "Automation", vec![amazons, "One", "Two"]),
        ("DocumentType", "Command", vec![]),
        ("PlatformTypes", "Linux", vec![amazons, "One", "Two"]),
        ("TargetType", "/AWS::EC2::Instance", vec!["One"]),
        ("SearchKeyword", "first", vec!["One"]),
        ("tag:team", "blue", vec!["One"]),
        ("tag:team", "red", vec![]),
    ] {
        let filter = value!({"Filters": [{"Key": key, "Values": [of]}]});
        assert_eq!(listed(&whole, filter).await, names, "{key} {of}");
    }
    let old = value!({"DocumentFilterList": [{"key": "Owner", "value": "Self"}, {"key": "Name", "value": "T"}]});
    assert_eq!(listed(&whole, old).await, ["Two"]);
    let unknown = value!({"Filters": [{"Key": "Colour", "Values": ["red"]}]});
    assert!(refused(&whole, "ListDocuments", unknown).await.starts_with("InvalidFilterKey"));
    let two = value!({"Filters": [{"Key": "Owner", "Values": ["Self", "Amazon"]}]});
    assert!(refused(&whole, "ListDocuments", two).await.starts_with("InvalidFilterValue"));
}

#[tokio::test]
async fn a_shared_document_cannot_be_deleted() {
    let whole = whole().await;
    whole.ok("ssm", "CreateDocument", automation("Doc", RUNBOOK)).await;
    let share = |more: Value| {
        let mut input = value!({"Name": "Doc", "PermissionType": "Share"});
        for (key, value) in more.as_object().unwrap().iter() {
            input.set(key.clone(), value.clone());
        }
        input
    };
    let with =
        value!({"AccountIdsToAdd": ["111122223333", "All"], "SharedDocumentVersion": "$LATEST"});
    whole.ok("ssm", "ModifyDocumentPermission", share(with)).await;
    let told = whole.ok("ssm", "DescribeDocumentPermission", share(value!({}))).await;
    assert_eq!(told.get("AccountIds"), Some(&value!(["111122223333", "all"])));
    assert_eq!(each(&told, "AccountSharingInfoList", "SharedDocumentVersion"), ["$LATEST"; 2]);
    let err = refused(&whole, "DeleteDocument", value!({"Name": "Doc"})).await;
    assert!(err.starts_with("InvalidDocumentOperation: You attempted to delete"), "{err}");
    let public = value!({"Filters": [{"Key": "Owner", "Values": ["Public"]}]});
    assert_eq!(listed(&whole, public).await, ["Doc"]);

    let gone = value!({"AccountIdsToRemove": ["all", "111122223333"]});
    whole.ok("ssm", "ModifyDocumentPermission", share(gone)).await;
    whole.ok("ssm", "DeleteDocument", value!({"Name": "Doc"})).await;
}

#[tokio::test]
async fn sharing_has_limits() {
    let whole = whole().await;
    let everybody = |name: String| value!({"Name": name, "PermissionType": "Share", "AccountIdsToAdd": ["all"]});
    for number in 0..6 {
        let name = format!("Doc{number}");
        whole.ok("ssm", "CreateDocument", automation(&name, RUNBOOK)).await;
        if number < 5 {
            whole.ok("ssm", "ModifyDocumentPermission", everybody(name)).await;
        }
    }
    let err = refused(&whole, "ModifyDocumentPermission", everybody("Doc5".into())).await;
    assert!(err.starts_with("DocumentPermissionLimit"), "{err}");
    // Sharing again what is shared already takes nothing more.
    whole.ok("ssm", "ModifyDocumentPermission", everybody("Doc0".into())).await;
    let many: Vec<String> = (0..21).map(|number| format!("{number:012}")).collect();
    let many = value!({"Name": "Doc5", "PermissionType": "Share", "AccountIdsToAdd": many});
    assert!(refused(&whole, "ModifyDocumentPermission", many).await.contains("maximum of 20"));
    let amazons = everybody("AWSConfigRemediation-DeleteIAMUser".into());
    let err = refused(&whole, "ModifyDocumentPermission", amazons).await;
    assert!(err.starts_with("InvalidDocumentOperation"), "{err}");
    let other = value!({"Name": "Doc5", "PermissionType": "Steal"});
    assert!(
        refused(&whole, "DescribeDocumentPermission", other)
            .await
            .starts_with("InvalidPermissionType")
    );
}

#[tokio::test]
async fn versions_are_deleted_by_number_or_name_but_not_the_default() {
    let whole = whole().await;
    let first = automation("Doc", RUNBOOK).with("VersionName", "one");
    whole.ok("ssm", "CreateDocument", first).await;
    let second = value!({"Name": "Doc", "Content": RUNBOOK.replace("PT1S", "PT2S"), "DocumentVersion": "$LATEST", "VersionName": "two"});
    whole.ok("ssm", "UpdateDocument", second).await;
    let err =
        refused(&whole, "DeleteDocument", value!({"Name": "Doc", "VersionName": "one"})).await;
    assert!(err.starts_with("InvalidDocumentOperation"), "{err}");
    whole.ok("ssm", "DeleteDocument", value!({"Name": "Doc", "VersionName": "two"})).await;
    let left = whole.ok("ssm", "ListDocumentVersions", value!({"Name": "Doc"})).await;
    assert_eq!(each(&left, "DocumentVersions", "DocumentVersion"), ["1"]);
    let err =
        refused(&whole, "DeleteDocument", value!({"Name": "Doc", "DocumentVersion": "7"})).await;
    assert!(err.starts_with("InvalidDocumentVersion"), "{err}");
}

#[tokio::test]
async fn of_amazons_documents_it_is_said_that_few_are_here() {
    let whole = whole().await;
    let named = |name: &str| value!({ "DocumentName": name });
    assert_eq!(
        refused(&whole, "StartAutomationExecution", named("AWS-StopEC2Instance")).await,
        "AutomationDefinitionNotFoundException: Automation definition with name \
         AWS-StopEC2Instance could not be found. Such names are those of Amazon's own documents; \
         ListDocuments shows which are here."
    );
    assert_eq!(
        refused(&whole, "StartAutomationExecution", named("Mine")).await,
        "AutomationDefinitionNotFoundException: Automation definition with name Mine could not \
         be found."
    );
}

#[tokio::test]
async fn other_types_are_refused_by_name() {
    let whole = whole().await;
    let command = value!({"Name": "Doc", "Content": RUNBOOK});
    let err = refused(&whole, "CreateDocument", command).await;
    assert!(err.contains("Command is another: set DocumentType to Automation"), "{err}");
    for name in ["aws-Doc", "AmazonDoc", "AMZN_Doc"] {
        let err = refused(&whole, "CreateDocument", automation(name, RUNBOOK)).await;
        assert!(err.contains("are reserved"), "{err}");
    }
}

/// Returns a server with the objects of a directory, and what is to be removed at the end.
async fn with_objects(files: &[(&str, &str)]) -> (Whole, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = directory.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let mut destinations = Destinations::default();
    destinations.set_objects(directory.path()).unwrap();
    let whole = whole().await;
    whole.services.reaches(Arc::new(Outward::new(destinations, "us-east-1", "aws", None)));
    (whole, directory)
}

const MODULE: &str =
    "def handler(events, context):\n    return open(__file__).read()[:3] + events['x']\n";

/// A runbook whose script is an attached file.
fn attaching(sha256: &str) -> String {
    value!({
        "schemaVersion": "0.3",
        "files": {"code.py": {"checksums": {"sha256": sha256}}},
        "outputs": ["run.Payload"],
        "mainSteps": [{
            "name": "run", "action": "aws:executeScript",
            "inputs": {
                "Runtime": "python3.11", "Handler": "code.handler", "Attachment": "code.py",
                "InputPayload": {"x": "!"},
            },
        }],
    })
    .to_string()
}

fn attached(name: &str, content: &str, key: &str, place: &str) -> Value {
    automation(name, content).with("Attachments", value!([{"Key": key, "Values": [place]}]))
}

#[tokio::test]
async fn attachments_come_from_a_folder_a_file_or_another_document() {
    let (whole, _directory) = with_objects(&[("bucket/some/code.py", MODULE)]).await;
    let sum = content_key(MODULE.as_bytes());
    let content = attaching(&sum);
    for (name, key, place) in [
        ("Folder", "SourceUrl", "s3://bucket/some"),
        ("File", "S3FileUrl", "https://s3.us-east-1.amazonaws.com/bucket/some/code.py"),
        ("Host", "S3FileUrl", "https://bucket.s3.us-east-1.amazonaws.com/some/code.py"),
        ("Other", "AttachmentReference", "Folder/1/code.py"),
    ] {
        whole.ok("ssm", "CreateDocument", attached(name, &content, key, place)).await;
        let found = whole.ok("ssm", "GetDocument", value!({"Name": name})).await;
        assert_eq!(text(&found, &["Status"]), "Active", "{name}");
        assert_eq!(each(&found, "AttachmentsContent", "Hash"), [&*sum], "{name}");
    }
    // What a script makes of them shows the runtime's own test.
    whole.ok("ssm", "StartAutomationExecution", value!({"DocumentName": "Other"})).await;
}

#[tokio::test]
async fn a_version_whose_attachments_cannot_be_had_has_failed_and_does_not_start() {
    let (whole, _directory) = with_objects(&[("bucket/code.py", MODULE)]).await;
    let sum = content_key(MODULE.as_bytes());
    for (name, sum, place, told) in [
        ("A", &*sum, "s3://elsewhere", "The specified S3 bucket doesn't exist."),
        ("B", &*sum, "s3://bucket/folder", "s3://bucket/folder/code.py could not be read"),
        ("C", &*"0".repeat(64), "s3://bucket/", "The checksum of the attachment code.py is"),
    ] {
        let input = attached(name, &attaching(sum), "SourceUrl", place);
        whole.ok("ssm", "CreateDocument", input).await;
        let found = whole.ok("ssm", "DescribeDocument", value!({"Name": name})).await;
        assert_eq!(text(&found, &["Document", "Status"]), "Failed");
        let information = text(&found, &["Document", "StatusInformation"]);
        assert!(information.starts_with(told), "{information}");
        let err = refused(&whole, "StartAutomationExecution", value!({"DocumentName": name})).await;
        assert!(err.contains(told), "{err}");
    }
    let err = refused(&whole, "CreateDocument", automation("D", &attaching(&sum))).await;
    assert!(err.starts_with("InvalidDocumentContent") && err.contains("`code.py`"), "{err}");
    let wrong = attached("E", &attaching(&sum), "S3FileUrl", "ftp://x/y");
    assert!(refused(&whole, "CreateDocument", wrong).await.contains("s3://BUCKET/KEY"));
}

#[tokio::test]
async fn nobody_attaches_what_they_may_not_read() {
    let (whole, _directory) = with_objects(&[("bucket/code.py", MODULE)]).await;
    let user = whole.ok("iam", "CreateUser", value!({"UserName": "bob"})).await;
    let policy = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}]}"#;
    let policy = value!({"UserName": "bob", "PolicyName": "p", "PolicyDocument": policy});
    whole.ok("iam", "PutUserPolicy", policy).await;
    let key = whole.ok("iam", "CreateAccessKey", value!({"UserName": "bob"})).await;
    let id = text(&key, &["AccessKey", "AccessKeyId"]);
    let store = whole.services.store();
    let bob = store.read(|store| services::iam::find_access_key(store, &id)).unwrap().unwrap();
    assert!(user.get("User").is_some());
    let sum = content_key(MODULE.as_bytes());
    let input = attached("Doc", &attaching(&sum), "SourceUrl", "s3://bucket");
    whole.run_as(bob.principal, "ssm", "CreateDocument", input).await.unwrap();
    let found = whole.ok("ssm", "DescribeDocument", value!({"Name": "Doc"})).await;
    let information = text(&found, &["Document", "StatusInformation"]);
    assert!(information.contains("not authorized to perform: s3:GetObject"), "{information}");
}

#[tokio::test]
async fn a_file_of_another_document_is_for_who_may_read_that_document() {
    let (whole, _directory) = with_objects(&[("bucket/code.py", MODULE)]).await;
    let content = attaching(&content_key(MODULE.as_bytes()));
    let owned = attached("Secretive", &content, "SourceUrl", "s3://bucket");
    whole.ok("ssm", "CreateDocument", owned).await;
    whole.ok("iam", "CreateUser", value!({"UserName": "bob"})).await;
    let policy = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "ssm:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "ssm:GetDocument", "Resource": "arn:aws:ssm:*:*:document/Secretive"}]}"#;
    let policy = value!({"UserName": "bob", "PolicyName": "p", "PolicyDocument": policy});
    whole.ok("iam", "PutUserPolicy", policy).await;
    let key = whole.ok("iam", "CreateAccessKey", value!({"UserName": "bob"})).await;
    let id = text(&key, &["AccessKey", "AccessKeyId"]);
    let store = whole.services.store();
    let bob = store.read(|store| services::iam::find_access_key(store, &id)).unwrap().unwrap();
    let mine = attached("Mine", &content, "AttachmentReference", "Secretive/1/code.py");
    let bob = bob.principal;
    let err = whole.run_as(bob.clone(), "ssm", "CreateDocument", mine.clone()).await.unwrap_err();
    assert!(err.to_string().contains("not authorized to perform: ssm:GetDocument"), "{err}");
    whole.ok("ssm", "CreateDocument", mine.clone()).await;
    let err = whole.run_as(bob, "ssm", "UpdateDocument", mine).await.unwrap_err();
    assert!(err.to_string().contains("not authorized to perform: ssm:GetDocument"), "{err}");
}

#[tokio::test]
async fn settings_are_kept_until_they_are_reset() {
    let whole = whole().await;
    let id = "/ssm/automation/customer-script-log-group-name";
    let get = || whole.ok("ssm", "GetServiceSetting", value!({"SettingId": id}));
    let shown = |answer: &Value| {
        let of = |member: &str| text(answer, &["ServiceSetting", member]);
        (of("SettingValue"), of("Status"))
    };
    let default = "/aws/ssm/automation/executeScript";
    assert_eq!(shown(&get().await), (default.into(), "Default".into()));
    let arn = text(&get().await, &["ServiceSetting", "ARN"]);
    let changed = value!({"SettingId": arn, "SettingValue": "/scripts"});
    whole.ok("ssm", "UpdateServiceSetting", changed).await;
    assert_eq!(shown(&get().await), ("/scripts".into(), "Customized".into()));
    let wrong = value!({"SettingId": id, "SettingValue": "no group"});
    assert!(
        refused(&whole, "UpdateServiceSetting", wrong).await.starts_with("ValidationException")
    );
    whole.ok("ssm", "ResetServiceSetting", value!({"SettingId": id})).await;
    assert_eq!(shown(&get().await), (default.into(), "Default".into()));
    let unknown = value!({"SettingId": "/ssm/nothing"});
    assert!(
        refused(&whole, "GetServiceSetting", unknown).await.starts_with("ServiceSettingNotFound")
    );
}

#[tokio::test]
async fn what_a_setting_asks_for_happens_or_is_refused_by_name() {
    let whole = whole().await;
    for (id, value) in [
        ("/ssm/automation/customer-script-log-destination", "CloudWatch"),
        ("/ssm/automation/enable-adaptive-concurrency", "True"),
    ] {
        let asked = value!({"SettingId": id, "SettingValue": value});
        let err = refused(&whole, "UpdateServiceSetting", asked).await;
        let wanted = format!("ValidationException: Stepwell does not set {id} to {value}: ");
        assert!(err.starts_with(&wanted), "{err}");
    }
    let content = r#"{"schemaVersion": "0.3", "mainSteps": [{"name": "a", "action": "aws:pause", "inputs": {}}]}"#;
    let document = value!({"Name": "Doc", "Content": content, "DocumentType": "Automation"});
    whole.ok("ssm", "CreateDocument", document).await;
    let alarms = value!({"Alarms": [{"Name": "a"}]});
    let start = value!({"DocumentName": "Doc", "AlarmConfiguration": alarms});
    let err = refused(&whole, "StartAutomationExecution", start).await;
    assert!(err.contains("AlarmConfiguration"), "{err}");
    let setting = "/ssm/documents/console/public-sharing-permission";
    let blocked = value!({"SettingId": setting, "SettingValue": "Disable"});
    whole.ok("ssm", "UpdateServiceSetting", blocked).await;
    let share =
        |with: &str| value!({"Name": "Doc", "PermissionType": "Share", "AccountIdsToAdd": [with]});
    let err = refused(&whole, "ModifyDocumentPermission", share("All")).await;
    assert!(err.contains(setting), "{err}");
    whole.ok("ssm", "ModifyDocumentPermission", share("111122223333")).await;
    whole.ok("ssm", "ResetServiceSetting", value!({"SettingId": setting})).await;
    whole.ok("ssm", "ModifyDocumentPermission", share("All")).await;
}
