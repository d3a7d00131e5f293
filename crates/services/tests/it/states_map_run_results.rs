//! Items from objects and results into objects, also of a map run that fails and is redriven.

use std::path::Path;
use std::sync::Arc;

use runtime::ClockMode;
use services::{Destinations, Outward};
use value::{Value, value};

use super::server::{ACCOUNT, text};
use super::states_express::{Whole, whole_on};

/// Each child asks for the user that its item names.
const ASKS: &str = r#"{"StartAt": "Each", "States": {"Each": {"Type": "Map", "Label": "all",
    "End": true, "MaxConcurrency": 1,
    "ItemSelector": {"name.$": "$$.Map.Item.Value", "source.$": "$$.Map.Item.Source"},
    "ItemReader": {"Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"}, "Parameters": {"Bucket": "b", "Key": "in.json"}},
    "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject",
        "Parameters": {"Bucket": "b", "Prefix": "out"}},
    "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Get", "States": {"Get": {"Type": "Task", "End": true,
            "Resource": "arn:aws:states:::aws-sdk:iam:getUser",
            "Parameters": {"UserName.$": "$.name"},
            "ResultSelector": {"name.$": "$.User.UserName"}}}}}}}"#;

async fn with_objects(machine: &str, items: &str) -> (Whole, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(directory.path().join("b")).unwrap();
    std::fs::write(directory.path().join("b/in.json"), items).unwrap();
    let mut destinations = Destinations::default();
    destinations.set_objects(directory.path()).unwrap();
    let whole = whole_on(ClockMode::Virtual).await;
    whole.services.reaches(Arc::new(Outward::new(destinations, "us-east-1", "aws", None)));
    whole.allow(r#"{"Effect": "Allow", "Action": ["iam:*", "s3:*"], "Resource": "*"}"#).await;
    whole.create("m", "STANDARD", machine).await.unwrap();
    (whole, directory)
}

async fn ended(whole: &Whole, arn: &str) -> Value {
    for _ in 0..1_000 {
        let input = value!({ "executionArn": arn });
        let found = whole.ok("stepfunctions", "DescribeExecution", input).await;
        if text(&found, &["status"]) != "RUNNING" {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("{arn} does not end")
}

fn read(directory: &Path, key: &str) -> Value {
    value::parse_bytes(&std::fs::read(directory.join("b").join(key)).unwrap()).unwrap()
}

/// Returns what the files of one kind hold, by the manifest of the only map run.
async fn results(whole: &Whole, directory: &Path, arn: &str, kind: &str) -> Vec<Value> {
    let listed = value!({ "executionArn": arn });
    let listed = whole.ok("stepfunctions", "ListMapRuns", listed).await;
    let runs = listed.get("mapRuns").and_then(Value::as_array).unwrap();
    let map_run = text(&runs[0], &["mapRunArn"]);
    let id = map_run.rsplit(':').next().unwrap();
    let manifest = read(directory, &format!("out/{id}/manifest.json"));
    assert_eq!(text(&manifest, &["MapRunArn"]), map_run);
    let files = manifest.path(&["ResultFiles", kind]).and_then(Value::as_array).unwrap();
    let mut found = Vec::new();
    for file in files {
        let key = text(file, &["Key"]);
        assert_eq!(key, format!("out/{id}/{kind}_{}.json", found.len()));
        found.extend(read(directory, &key).as_array().unwrap().to_vec());
    }
    found
}

/// Returns the names that results are about.
fn names(results: &[Value]) -> Vec<String> {
    let name = |result: &Value| {
        let input = value::parse(&text(result, &["Input"])).unwrap();
        assert_eq!(text(&input, &["source"]), "S3://b/in.json");
        text(&input, &["name"])
    };
    results.iter().map(name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_run_that_fails_writes_what_it_has_and_a_redrive_writes_anew() {
    let (whole, directory) = with_objects(ASKS, r#"["early", "late", "last"]"#).await;
    whole.ok("iam", "CreateUser", value!({ "UserName": "early" })).await;
    let arn = text(&whole.start("StartExecution", "m", "{}").await, &["executionArn"]);
    let failed = ended(&whole, &arn).await;
    assert_eq!(text(&failed, &["error"]), "States.ExceedToleratedFailureThreshold");
    let of = async |kind: &str| results(&whole, directory.path(), &arn, kind).await;
    assert_eq!(names(&of("SUCCEEDED").await), ["early"]);
    let bad = of("FAILED").await;
    assert_eq!(names(&bad), ["late"]);
    assert_eq!(text(&bad[0], &["Error"]), "Iam.NoSuchEntityException");
    assert_eq!(text(&bad[0], &["RedriveStatus"]), "REDRIVABLE_BY_MAP_RUN");
    let pending = of("PENDING").await;
    assert_eq!(names(&pending), ["last"]);
    assert_eq!(text(&pending[0], &["Status"]), "PENDING");
    let left = whole
        .services
        .store()
        .read(|tx| tx.scan(store::Table::MapRunItems, store::Scan::prefix("")));
    assert_eq!(left.unwrap().len(), 1, "the items, for a redrive");

    for user in ["late", "last"] {
        whole.ok("iam", "CreateUser", value!({ "UserName": user })).await;
    }
    let input = value!({ "executionArn": &arn });
    whole.ok("stepfunctions", "RedriveExecution", input).await;
    assert_eq!(text(&ended(&whole, &arn).await, &["status"]), "SUCCEEDED");
    let mut well = names(&of("SUCCEEDED").await);
    well.sort();
    assert_eq!(well, ["early", "last", "late"], "of all attempts");
    assert!(of("FAILED").await.is_empty() && of("PENDING").await.is_empty());
    let left = whole
        .services
        .store()
        .read(|tx| tx.scan(store::Table::MapRunItems, store::Scan::prefix("")));
    assert!(left.unwrap().is_empty());
}

/// Reader and writer take the account that the bucket must belong to.
#[tokio::test]
async fn a_bucket_of_another_account_is_neither_read_nor_written() {
    let other = "111111111111";
    for (reads, writes, wanted) in [
        (ACCOUNT, ACCOUNT, ""),
        (other, ACCOUNT, "States.ItemReaderFailed"),
        (ACCOUNT, other, "States.ResultWriterFailed"),
    ] {
        let owned = |owner: &str| format!(r#""Bucket": "b", "ExpectedBucketOwner": "{owner}","#);
        let machine = ASKS
            .replace(r#""Bucket": "b", "Key""#, &format!(r#"{} "Key""#, owned(reads)))
            .replace(r#""Bucket": "b", "Prefix""#, &format!(r#"{} "Prefix""#, owned(writes)));
        let (whole, directory) = with_objects(&machine, "[\"ada\"]").await;
        whole.ok("iam", "CreateUser", value!({"UserName": "ada"})).await;
        let started = whole.start("StartExecution", "m", "{}").await;
        let found = ended(&whole, &text(&started, &["executionArn"])).await;
        let error = found.get("error").and_then(Value::as_str).unwrap_or_default();
        assert_eq!(error, wanted, "{found}");
        assert_eq!(directory.path().join("b/out").exists(), wanted.is_empty());
    }
}
