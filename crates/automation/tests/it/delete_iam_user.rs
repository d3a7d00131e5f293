//! The runbook that the seed starts.

use automation::catalogue::{self, Edition};
use automation::{CallError, Effect, Runbook, Status};
use value::{Value, value};

use crate::driver::{Driver, error};

const HARDWARE: &str = "GAHT12345678";
const VIRTUAL: &str = "arn:aws:iam::111122223333:mfa/bob";

fn content(edition: Edition) -> String {
    let document = catalogue::find("AWSConfigRemediation-DeleteIAMUser").unwrap();
    document.content(edition).into_owned()
}

fn started(edition: Edition) -> Driver {
    let role = "arn:aws:iam::111122223333:role/worker";
    let parameters = value!({"AutomationAssumeRole": [role], "IAMUserId": ["AIDABOB"]});
    Driver::started(&content(edition), parameters)
}

/// An account with one user who has one of everything.
fn account(operation: &str, input: &Value) -> Result<Value, CallError> {
    let marker = input.get("Marker").is_some();
    match operation {
        "ListUsers" if marker => {
            Ok(value!({"Users": [{"UserId": "AIDABOB", "UserName": "bob"}], "IsTruncated": false}))
        }
        "ListUsers" => Ok(value!({"Users": [], "IsTruncated": true, "Marker": "m"})),
        "ListAccessKeys" => Ok(value!({"AccessKeyMetadata": [{"AccessKeyId": "AKIA1"}]})),
        "ListSSHPublicKeys" => Ok(value!({"SSHPublicKeys": [{"SSHPublicKeyId": "APKA1"}]})),
        "ListSigningCertificates" => Ok(value!({"Certificates": [{"CertificateId": "C1"}]})),
        "ListMFADevices" => Ok(value!({
            "MFADevices": [{"SerialNumber": HARDWARE}, {"SerialNumber": VIRTUAL}],
        })),
        "ListServiceSpecificCredentials" => Ok(value!({
            "ServiceSpecificCredentials": [{"ServiceSpecificCredentialId": "ACCA1"}],
        })),
        "ListGroupsForUser" => Ok(value!({"Groups": [{"GroupName": "g"}]})),
        "ListUserPolicies" => Ok(value!({"PolicyNames": ["p"]})),
        "ListAttachedUserPolicies" => {
            Ok(value!({"AttachedPolicies": [{"PolicyArn": "arn:aws:iam::aws:policy/x"}]}))
        }
        "DeleteVirtualMFADevice"
            if input.get("SerialNumber").and_then(Value::as_str) == Some(HARDWARE) =>
        {
            Err(error("ValidationError", "not a virtual device"))
        }
        "DeleteLoginProfile" | "GetUser" => Err(error("NoSuchEntity", "The user cannot be found.")),
        _ => Ok(value!({})),
    }
}

#[test]
fn deletes_a_user_with_everything_that_hangs_on_it() {
    let mut driver = started(Edition::Repaired);
    let calls = driver.answer_all(account);
    let names: Vec<&str> = calls.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "ListUsers",
            "ListUsers",
            "ListAccessKeys",
            "ListSSHPublicKeys",
            "ListSigningCertificates",
            "ListMFADevices",
            "ListServiceSpecificCredentials",
            "ListGroupsForUser",
            "ListUserPolicies",
            "ListAttachedUserPolicies",
            "DeleteLoginProfile",
            "DeleteAccessKey",
            "DeleteSSHPublicKey",
            "DeleteSigningCertificate",
            "DeactivateMFADevice",
            "DeactivateMFADevice",
            "DeleteVirtualMFADevice",
            "DeleteServiceSpecificCredential",
            "RemoveUserFromGroup",
            "DeleteUserPolicy",
            "DetachUserPolicy",
            "DeleteUser",
            "GetUser",
        ]
    );
    assert_eq!(driver.status(), Status::Success);
    assert_eq!(driver.step_statuses(), ["Success"; 6]);
    let record = driver.record();
    assert_eq!(
        record.get("Outputs").unwrap().to_string(),
        r#"{"DeleteIAMUserAndVerify.Output":["The IAM user is deleted."]}"#
    );
    let last = driver.step("DeleteIAMUserAndVerify");
    let response = last.path(&["Outputs", "DeleteUserResponse"]).unwrap().at(0).unwrap();
    assert!(response.as_str().unwrap().contains(r#""HTTPStatusCode":200"#), "{response}");
    assert!(matches!(driver.effects.last(), Some(Effect::Finish { status: Status::Success, .. })));
}

#[test]
fn has_the_published_defect_when_asked_for_it() {
    let mut driver = started(Edition::AsPublished);
    let calls = driver.answer_all(account);
    assert_eq!(calls.last().unwrap().0, "DeleteVirtualMFADevice");
    assert_eq!(driver.status(), Status::Failed);
    assert_eq!(
        driver.step_statuses(),
        ["Success", "Success", "Success", "Failed", "Pending", "Pending"]
    );
    let message = driver.record().get("FailureMessage").unwrap().as_str().unwrap().to_owned();
    let (head, tail) = message.split_once("/tmp/").unwrap();
    assert_eq!(
        head,
        "Step fails when it is Poll action status for completion. \
         Traceback (most recent call last):\n  File \""
    );
    let (_folder, tail) = tail.split_once("/customer_script.py").unwrap();
    assert_eq!(
        tail,
        "\", line 24, in delete_credentials\n    iam.delete_virtual_mfa_device(SerialNumber=device)\n\n\
         ClientError - An error occurred (ValidationError) when calling the DeleteVirtualMFADevice \
         operation: not a virtual device. Please refer to Automation Service Troubleshooting Guide \
         for more diagnosis details."
    );
    assert_eq!(
        driver.record().get("Outputs").unwrap().to_string(),
        r#"{"DeleteIAMUserAndVerify.Output":["No output available yet because the step is not successfully executed"]}"#
    );
}

#[test]
fn both_editions_have_compiled_in_bodies() {
    for edition in [Edition::Repaired, Edition::AsPublished] {
        let runbook = Runbook::parse(&content(edition), automation::Format::Yaml).unwrap();
        for step in &runbook.steps {
            let script = step.inputs.get("Script").and_then(Value::as_str).unwrap();
            let hash = automation::native::sha256(script);
            assert!(automation::native::find(&hash).is_some(), "{}: {hash}", step.name);
        }
    }
}

#[test]
fn parameters_are_checked() {
    let document = content(Edition::Repaired);
    let runbook = Runbook::parse(&document, automation::Format::Yaml).unwrap();
    let role = "arn:aws:iam::111122223333:role/worker";
    for (parameters, told) in [
        (value!({}), "Missing required parameter: AutomationAssumeRole in user inputs."),
        (
            value!({"AutomationAssumeRole": [role], "IAMUserId": ["AROA1"]}),
            "Parameter \"IAMUserId\" has value \"AROA1\" not matching \"^AIDA[A-Z0-9]+$\".",
        ),
        (
            value!({"AutomationAssumeRole": [role], "IAMUserId": ["AIDA1"], "X": ["1"]}),
            "Parameter \"X\" is not defined in document.",
        ),
    ] {
        assert_eq!(runbook.start_parameters(&parameters).unwrap_err().to_string(), told);
    }
    let parameters = value!({"AutomationAssumeRole": [role], "IAMUserId": ["AIDA1"]});
    assert_eq!(runbook.assume_role(&parameters).as_deref(), Some(role));
}
