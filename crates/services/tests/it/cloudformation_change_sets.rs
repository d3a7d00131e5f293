//! Change sets: what they show, what becomes of them, and of the stack.

use services::Error;
use value::{Value, value};

use super::cloudformation_parameters::has;
use super::server::text;
use super::states_express::{Whole, whole};

const ONE: &str = "Resources: {G: {Type: AWS::IAM::Group, Properties: {GroupName: first}}}";
const OTHER: &str = "Resources: {G: {Type: AWS::IAM::Group, Properties: {GroupName: other}}}";

fn asked(change_set: &str, kind: &str, template: &str) -> Value {
    value!({
        "StackName": "s", "ChangeSetName": change_set, "ChangeSetType": kind,
        "TemplateBody": template, "Capabilities": ["CAPABILITY_NAMED_IAM"],
    })
}

fn named(change_set: &str) -> Value {
    value!({ "StackName": "s", "ChangeSetName": change_set })
}

async fn run(whole: &Whole, name: &str, input: Value) -> Result<Value, Error> {
    whole.run("cloudformation", name, input).await
}

async fn ok(whole: &Whole, name: &str, input: Value) -> Value {
    whole.ok("cloudformation", name, input).await
}

async fn refused(whole: &Whole, name: &str, input: Value) -> String {
    run(whole, name, input).await.unwrap_err().to_string()
}

/// Returns status and execution status.
async fn statuses(whole: &Whole, change_set: &str) -> (String, String) {
    let shown = ok(whole, "DescribeChangeSet", named(change_set)).await;
    (text(&shown, &["Status"]), text(&shown, &["ExecutionStatus"]))
}

fn both(status: &str, execution: &str) -> (String, String) {
    (status.to_owned(), execution.to_owned())
}

/// Makes the stack by way of a change set.
async fn created() -> Whole {
    let whole = whole().await;
    ok(&whole, "CreateChangeSet", asked("first", "CREATE", ONE)).await;
    ok(&whole, "ExecuteChangeSet", named("first")).await;
    has(&whole, "CREATE_COMPLETE").await;
    whole
}

#[tokio::test]
async fn a_stack_is_reviewed_and_then_created() {
    let whole = whole().await;
    let made = ok(&whole, "CreateChangeSet", asked("first", "CREATE", ONE)).await;
    let stack = has(&whole, "REVIEW_IN_PROGRESS").await;
    assert_eq!(made.get("StackId"), stack.get("StackId"));
    let shown = ok(&whole, "DescribeChangeSet", named("first")).await;
    let change = value!({
        "Type": "Resource",
        "ResourceChange": {
            "Action": "Add", "LogicalResourceId": "G", "ResourceType": "AWS::IAM::Group",
            "Scope": [], "Details": [],
        },
    });
    assert_eq!(shown.get("Changes"), Some(&value!([change])));
    assert_eq!(statuses(&whole, "first").await, both("CREATE_COMPLETE", "AVAILABLE"));
    let template = ok(&whole, "GetTemplate", named("first")).await;
    assert_eq!(text(&template, &["TemplateBody"]), ONE);
    assert_eq!(
        refused(&whole, "GetTemplate", value!({ "StackName": "s" })).await,
        "ValidationError: Stack with id s does not exist"
    );
    let events = ok(&whole, "DescribeStackEvents", value!({ "StackName": "s" })).await;
    let event = events.get("StackEvents").and_then(|events| events.at(0)).unwrap();
    assert_eq!(text(event, &["ResourceStatus"]), "REVIEW_IN_PROGRESS", "SAM looks for it");
    // By its ARN alone, as the CLI does.
    let by_arn = value!({ "ChangeSetName": text(&made, &["Id"]) });
    ok(&whole, "ExecuteChangeSet", by_arn.clone()).await;
    let stack = has(&whole, "CREATE_COMPLETE").await;
    assert_eq!(made.get("Id"), stack.get("ChangeSetId"));
    assert_eq!(statuses(&whole, "first").await, both("CREATE_COMPLETE", "EXECUTE_COMPLETE"));
    ok(&whole, "DescribeStackResource", value!({ "StackName": "s", "LogicalResourceId": "G" }))
        .await;
    assert_eq!(
        refused(&whole, "ExecuteChangeSet", by_arn).await,
        format!(
            "InvalidChangeSetStatus: ChangeSet [{}] cannot be executed in its current execution \
             status of [EXECUTE_COMPLETE]",
            text(&made, &["Id"])
        )
    );
}

#[tokio::test]
async fn an_update_shows_what_it_replaces_and_replaces_it() {
    let whole = created().await;
    ok(&whole, "CreateChangeSet", asked("second", "UPDATE", OTHER)).await;
    ok(&whole, "CreateChangeSet", asked("third", "UPDATE", OTHER)).await;
    let shown = ok(&whole, "DescribeChangeSet", named("second")).await;
    let change = shown.get("Changes").and_then(|changes| changes.at(0)).unwrap();
    assert_eq!(text(change, &["ResourceChange", "Action"]), "Modify");
    assert_eq!(text(change, &["ResourceChange", "Replacement"]), "True");
    ok(&whole, "ExecuteChangeSet", named("second")).await;
    has(&whole, "UPDATE_COMPLETE").await;
    whole.ok("iam", "GetGroup", value!({ "GroupName": "other" })).await;
    let listed = ok(&whole, "ListChangeSets", value!({ "StackName": "s" })).await;
    let names = listed.get("Summaries").and_then(Value::as_array).unwrap().iter();
    let names: Vec<String> = names.map(|one| text(one, &["ChangeSetName"])).collect();
    assert_eq!(names, ["second"], "the others are gone");
}

#[tokio::test]
async fn what_would_change_nothing_fails() {
    let whole = created().await;
    ok(&whole, "CreateChangeSet", asked("same", "UPDATE", ONE)).await;
    let shown = ok(&whole, "DescribeChangeSet", named("same")).await;
    assert_eq!(
        text(&shown, &["StatusReason"]),
        "The submitted information didn't contain changes. Submit different information to \
         create a change set."
    );
    assert_eq!(statuses(&whole, "same").await, both("FAILED", "UNAVAILABLE"));
    assert!(
        refused(&whole, "ExecuteChangeSet", named("same"))
            .await
            .starts_with("InvalidChangeSetStatus")
    );
}

#[tokio::test]
async fn a_change_of_the_stack_makes_others_obsolete() {
    let whole = created().await;
    ok(&whole, "CreateChangeSet", asked("second", "UPDATE", OTHER)).await;
    let update = value!({
        "StackName": "s", "TemplateBody": ONE.replace("first", "third"),
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
    });
    ok(&whole, "UpdateStack", update).await;
    has(&whole, "UPDATE_COMPLETE").await;
    assert_eq!(statuses(&whole, "second").await, both("CREATE_COMPLETE", "OBSOLETE"));
}

#[tokio::test]
async fn names_that_mean_nothing_are_refused_and_may_be_deleted() {
    let whole = created().await;
    let deleted = value!({ "StackName": "s", "ChangeSetName": "none" });
    ok(&whole, "DeleteChangeSet", deleted.clone()).await;
    assert_eq!(
        refused(&whole, "DescribeChangeSet", deleted).await,
        "ChangeSetNotFound: ChangeSet [none] does not exist"
    );
    assert_eq!(
        refused(&whole, "CreateChangeSet", asked("again", "CREATE", ONE)).await,
        "ValidationError: Stack [s] already exists and cannot be created again with the \
         changeSet [again]."
    );
    let elsewhere = asked("first", "UPDATE", ONE).with("StackName", "none");
    assert_eq!(
        refused(&whole, "CreateChangeSet", elsewhere).await,
        "ValidationError: Stack [none] does not exist"
    );
    assert_eq!(
        refused(&whole, "CreateChangeSet", asked("i", "IMPORT", ONE)).await,
        "ValidationError: Stepwell does not take ChangeSetType IMPORT; \
         docs/compat/cloudformation.md says why."
    );
}

#[tokio::test]
async fn a_request_that_is_sent_again_is_known_by_its_token() {
    let whole = created().await;
    let input = asked("second", "UPDATE", OTHER).with("ClientToken", "t");
    let made = ok(&whole, "CreateChangeSet", input.clone()).await;
    assert_eq!(ok(&whole, "CreateChangeSet", input).await, made);
    assert_eq!(
        refused(&whole, "CreateChangeSet", asked("second", "UPDATE", OTHER)).await,
        "AlreadyExistsException: ChangeSet [second] already exists"
    );
}

#[tokio::test]
async fn a_stack_under_review_can_be_deleted() {
    let whole = whole().await;
    ok(&whole, "CreateChangeSet", asked("first", "CREATE", ONE)).await;
    ok(&whole, "DeleteStack", value!({ "StackName": "s" })).await;
    for _ in 0..2_000 {
        let found = run(&whole, "DescribeStacks", value!({ "StackName": "s" })).await;
        if found.is_err() {
            // The name is free again, for a review of its own.
            ok(&whole, "CreateChangeSet", asked("first", "CREATE", ONE)).await;
            has(&whole, "REVIEW_IN_PROGRESS").await;
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("the stack is not deleted");
}
