//! The results of map runs that a ResultWriter writes into S3. AWS page: "ResultWriter (Map)" (read
//! 2026-11).
//!
//! Whoever writes reads the records of the children, a page at a time. Writing may be repeated
//! after a crash: the same objects are written again. An object is not begun when the shard has
//! another owner meanwhile; one that is on its way then has what the owner writes there, as long
//! as the map run is not redriven and written anew before it arrives.

use std::sync::Arc;

use asl::{
    Definition, MapMode, OutputType, ResultWriter, StateId, StateKind, Transformation,
    format_millis,
};
use execution::{MapRunFact, NotRedrivable, Status, WriteResults};
use store::{Lease, Load, Scan, Store, Table, Write};
use tokio::task::AbortHandle;
use value::{Value, value};

use crate::endpoint::{AwsEndpoint, Call, CallError, Caller};
use crate::items;
use crate::process::put;
use crate::shard::Message;
use crate::{ProcessId, Shared};

/// About how large a file of results becomes, in bytes.
const FILE_BYTES: usize = 16 * 1024 * 1024;
/// How many children are read at a time.
const PAGE_CHILDREN: usize = 500;

/// Results that a map run wants written.
pub(crate) struct ResultsTask {
    pub(crate) map_run_arn: String,
    pub(crate) wanted: WriteResults,
    pub(crate) definition: Arc<Definition>,
    /// As whom they are written, and for which process.
    pub(crate) caller: Caller,
    pub(crate) process: Arc<str>,
}

/// Why results could not be written.
struct Unwritten(String);

impl From<CallError> for Unwritten {
    // UNVERIFIED: AWS's wording.
    fn from(err: CallError) -> Unwritten {
        Unwritten(format!("{} (Service: S3, Error Code: {})", err.message, err.code))
    }
}

impl From<store::Error> for Unwritten {
    fn from(err: store::Error) -> Unwritten {
        Unwritten(err.to_string())
    }
}

/// Returns the write that keeps inputs of children that never began, or forgets them.
pub(crate) fn pending(map_run_arn: &str, row: u32, inputs: Option<Vec<String>>) -> Write {
    let key = format!("{}{row:08}", pending_prefix(map_run_arn));
    match inputs {
        Some(inputs) => put(Table::MapRunItems, key, &Value::from(inputs)),
        None => Write::Delete(Table::MapRunItems, key),
    }
}

fn pending_prefix(map_run_arn: &str) -> String {
    format!("{map_run_arn}/pending/")
}

/// Writes results, in a task of its own.
pub(crate) fn write(
    shared: &Arc<Shared>,
    life: u64,
    id: ProcessId,
    number: u64,
    (task, lease): (ResultsTask, Option<Lease>),
) -> AbortHandle {
    let shared = shared.clone();
    let (busy, epoch) = (shared.clock.busy(), shared.epoch());
    let running = tokio::spawn(async move {
        let fact = match written(&shared, &task, lease).await {
            Ok((bucket, key)) => MapRunFact::ResultsWritten { bucket, key },
            Err(Unwritten(cause)) => MapRunFact::ResultsFailed { cause },
        };
        shared.send(Message::Child { life, id, number, fact }, epoch, busy).await;
    });
    running.abort_handle()
}

/// Writes everything; returns the bucket and the key of the manifest.
async fn written(
    shared: &Arc<Shared>,
    task: &ResultsTask,
    lease: Option<Lease>,
) -> Result<(String, String), Unwritten> {
    let state = task.definition.state(StateId(task.wanted.state));
    let writer = match state.map(|state| &state.kind) {
        Some(StateKind::Map(map)) => match &map.mode {
            MapMode::Distributed(distributed) => distributed.result_writer.as_ref(),
            MapMode::Inline => None,
        },
        Some(_) | None => None,
    };
    let (Some(writer), Some(endpoint)) = (writer, shared.endpoint()) else {
        return Err(Unwritten("there is nothing to write".to_owned()));
    };
    let mut target = Target::new(endpoint, (&shared.store, lease), task, writer)?;
    let prefix = format!("{}/", task.map_run_arn);
    let mut after: Option<String> = None;
    loop {
        let scan = Scan::prefix(&prefix).after(after.as_deref()).limit(PAGE_CHILDREN);
        let records = shared.store.read(|tx| -> Result<Vec<(String, Value)>, store::Error> {
            let rows: Vec<(String, String)> = tx.load_all(Table::ExecutionsByStart, scan)?;
            let mut found = Vec::with_capacity(rows.len());
            for (key, arn) in rows {
                found.push((key, tx.load(Table::Executions, &arn)?.unwrap_or_default()));
            }
            Ok(found)
        })?;
        let Some((last, _)) = records.last() else { break };
        after = Some(last.clone());
        for (_, record) in &records {
            target.take(record).await?;
        }
    }
    let prefix = pending_prefix(&task.map_run_arn);
    let mut after: Option<String> = None;
    loop {
        let scan = Scan::prefix(&prefix).after(after.as_deref()).limit(1);
        let rows: Vec<(String, Vec<String>)> =
            shared.store.read(|tx| tx.load_all(Table::MapRunItems, scan))?;
        let Some((key, inputs)) = rows.into_iter().next() else { break };
        after = Some(key);
        for input in inputs {
            target.take_pending(&input).await?;
        }
    }
    target.finish().await
}

/// Files of results of one kind.
struct Files {
    kind: &'static str,
    /// Results of the file that is being filled.
    open: Vec<String>,
    open_bytes: usize,
    /// Keys and sizes of the files that are written.
    written: Vec<Value>,
}

impl Files {
    fn new(kind: &'static str) -> Files {
        Files { kind, open: Vec::new(), open_bytes: 0, written: Vec::new() }
    }
}

/// Where results are written to.
struct Target<'a> {
    endpoint: Arc<dyn AwsEndpoint>,
    store: &'a Store,
    /// Under which they are written, on a store that several nodes share.
    lease: Option<Lease>,
    caller: Caller,
    process: Arc<str>,
    writer: &'a ResultWriter,
    bucket: String,
    /// The account that the bucket must belong to, if somebody says so.
    owner: Option<String>,
    /// What the keys of this map run's files begin with.
    folder: String,
    map_run_arn: &'a str,
    succeeded: Files,
    failed: Files,
    pending: Files,
}

/// Which files results go into.
#[derive(Clone, Copy)]
enum Fate {
    Succeeded,
    Failed,
    Pending,
}

impl<'a> Target<'a> {
    fn new(
        endpoint: Arc<dyn AwsEndpoint>,
        (store, lease): (&'a Store, Option<Lease>),
        task: &'a ResultsTask,
        writer: &'a ResultWriter,
    ) -> Result<Target<'a>, Unwritten> {
        let text = |member: &str| task.wanted.arguments.get(member).and_then(Value::as_str);
        let bucket = text("Bucket");
        let bucket = bucket.ok_or_else(|| Unwritten("the ResultWriter names no Bucket".into()))?;
        let id = task.map_run_arn.rsplit(':').next().unwrap_or_default();
        let folder = match text("Prefix").map(|prefix| prefix.trim_end_matches('/')) {
            Some(prefix) if !prefix.is_empty() => format!("{prefix}/{id}"),
            Some(_) | None => id.to_owned(),
        };
        Ok(Target {
            endpoint,
            store,
            lease,
            caller: task.caller.clone(),
            process: task.process.clone(),
            writer,
            bucket: bucket.to_owned(),
            owner: text(items::OWNER).map(str::to_owned),
            folder,
            map_run_arn: &task.map_run_arn,
            succeeded: Files::new("SUCCEEDED"),
            failed: Files::new("FAILED"),
            pending: Files::new("PENDING"),
        })
    }

    fn files(&mut self, fate: Fate) -> &mut Files {
        match fate {
            Fate::Succeeded => &mut self.succeeded,
            Fate::Failed => &mut self.failed,
            Fate::Pending => &mut self.pending,
        }
    }

    /// Takes in the record of a child.
    async fn take(&mut self, record: &Value) -> Result<(), Unwritten> {
        let is_well = record.get("status").and_then(Value::as_str) == Some("SUCCEEDED");
        let output = record.get("output").and_then(Value::as_str).unwrap_or("null").to_owned();
        // Of what failed everything is told, whatever the transformation.
        let results = match self.writer.transformation {
            Some(Transformation::Compact) if is_well => vec![output],
            Some(Transformation::Flatten) if is_well => match value::parse(&output) {
                Ok(Value::Array(items)) => items.iter().map(Value::to_json).collect(),
                Ok(_) | Err(_) => vec![output],
            },
            Some(_) | None => vec![described(record).to_json()],
        };
        self.add(if is_well { Fate::Succeeded } else { Fate::Failed }, results).await
    }

    /// Takes in the input of a child that never began.
    async fn take_pending(&mut self, input: &str) -> Result<(), Unwritten> {
        // UNVERIFIED: that this is all that is told.
        let told = value!({
            "Input": input,
            "InputDetails": { "Included": true },
            "Status": "PENDING",
        });
        self.add(Fate::Pending, vec![told.to_json()]).await
    }

    async fn add(&mut self, fate: Fate, results: Vec<String>) -> Result<(), Unwritten> {
        let files = self.files(fate);
        for result in results {
            files.open_bytes += result.len() + 1;
            files.open.push(result);
        }
        if FILE_BYTES <= files.open_bytes { self.close(fate).await } else { Ok(()) }
    }

    /// Writes the file that is being filled.
    async fn close(&mut self, fate: Fate) -> Result<(), Unwritten> {
        let (output_type, folder) = (self.writer.output_type, self.folder.clone());
        let files = self.files(fate);
        if files.open.is_empty() {
            return Ok(());
        }
        let results = std::mem::take(&mut files.open);
        files.open_bytes = 0;
        let (text, extension) = match output_type {
            OutputType::Json => (format!("[{}]", results.join(",")), "json"),
            OutputType::JsonLines => (results.join("\n") + "\n", "jsonl"),
        };
        let key = format!("{folder}/{}_{}.{extension}", files.kind, files.written.len());
        files.written.push(value!({ "Key": &key, "Size": text.len() }));
        self.put(&key, &text).await
    }

    /// Writes what is left, and the manifest; returns the bucket and where that is.
    async fn finish(mut self) -> Result<(String, String), Unwritten> {
        for fate in [Fate::Succeeded, Fate::Failed, Fate::Pending] {
            self.close(fate).await?;
        }
        let manifest = value!({
            "DestinationBucket": &self.bucket,
            "MapRunArn": self.map_run_arn,
            "ResultFiles": {
                "FAILED": std::mem::take(&mut self.failed.written),
                "PENDING": std::mem::take(&mut self.pending.written),
                "SUCCEEDED": std::mem::take(&mut self.succeeded.written),
            },
        });
        let key = format!("{}/manifest.json", self.folder);
        self.put(&key, &manifest.to_json()).await?;
        Ok((self.bucket, key))
    }

    async fn put(&self, key: &str, text: &str) -> Result<(), Unwritten> {
        if let Some(lease) = self.lease {
            self.store.write(move |tx| tx.expect_owner(lease)).await??;
        }
        let body = wire::encode_base64(text.as_bytes());
        let input = value!({ "Bucket": &self.bucket, "Key": key, "Body": body });
        let input = input.with_some(items::OWNER, self.owner.as_ref());
        let call = Call::new(self.caller.clone(), "s3", "PutObject", input);
        self.endpoint.call(call.of_process(self.process.clone())).await?;
        Ok(())
    }
}

/// Returns whether a child can be redriven, and why not.
fn redrive_status(record: &Value) -> (&'static str, Option<String>) {
    let text = |member: &str| record.get(member).and_then(Value::as_str).unwrap_or_default();
    let is_express = text("executionArn").contains(":express:");
    let is_kept = record.get("isRedrivable").and_then(Value::as_bool) == Some(true);
    if text("status") == "SUCCEEDED" {
        let reason = NotRedrivable::Is(Status::Succeeded).to_string();
        ("NOT_REDRIVABLE", Some(reason))
    } else if is_express || is_kept {
        ("REDRIVABLE_BY_MAP_RUN", None)
    } else {
        ("NOT_REDRIVABLE", Some(text("notRedrivable").to_owned()))
    }
}

/// Returns everything that is told of a child.
fn described(record: &Value) -> Value {
    let text = |member: &str| record.get(member).and_then(Value::as_str);
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of any date fit")]
    let date = |member: &str| {
        let seconds = record.get(member).and_then(Value::as_f64)?;
        Some(format_millis((seconds * 1000.0).round() as i64))
    };
    let included = value!({ "Included": true });
    let output = text("output");
    let (status, reason) = redrive_status(record);
    Value::object()
        .with_some("Cause", text("cause"))
        .with_some("Error", text("error"))
        .with_some("ExecutionArn", text("executionArn"))
        .with_some("Input", text("input"))
        .with("InputDetails", &included)
        .with_some("Name", text("name"))
        .with_some("Output", output)
        .with_some("OutputDetails", output.map(|_| included))
        .with("RedriveCount", record.get("redriveCount").cloned().unwrap_or_else(|| 0.into()))
        .with_some("RedriveDate", date("redriveDate"))
        .with("RedriveStatus", status)
        .with_some("RedriveStatusReason", reason)
        .with_some("StartDate", date("startDate"))
        .with_some("StateMachineArn", text("stateMachineArn"))
        .with_some("Status", text("status"))
        .with_some("StopDate", date("stopDate"))
}
