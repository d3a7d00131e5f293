//! The items of map runs that an ItemReader reads: fetched as the machine's role, laid ready in
//! pieces, and brought piece by piece. AWS page: "ItemReader (Map)" (read 2026-11).
//!
//! Reading may be repeated after a crash; what was laid ready before is written over. A shard that
//! has another owner meanwhile writes nothing any more.

mod csv;
mod formats;

use std::sync::Arc;

use asl::{Definition, InputType, ItemReader, ItemSource, MapMode, StateId, StateKind, error_name};
use execution::{ItemsWanted, MapRunFact, ReadItems};
use store::{Lease, Store, Table, Write};
use tokio::task::AbortHandle;
use value::{Value, value};

use crate::endpoint::{AwsEndpoint, Call, CallError, Caller};
use crate::shard::Message;
use crate::{ProcessId, Shared, unsuccessful};

/// Returns the items that a reader reads from an object with this text.
///
/// # Errors
/// Why there are none.
pub fn items_of_text(reader: &ItemReader, text: &str) -> Result<Vec<Value>, String> {
    let items = match reader.input_type {
        Some(InputType::Csv) => csv::items(text, reader.csv_delimiter, &reader.csv_headers),
        Some(InputType::Json) => formats::json(text.as_bytes(), reader.items_pointer.as_deref()),
        Some(InputType::JsonLines) => formats::json_lines(text.as_bytes()),
        Some(InputType::Manifest) | None => {
            Err(Unreadable::new("only CSV, JSON and JSONL are read from a text"))
        }
    };
    items.map_err(|unreadable| unreadable.cause)
}

/// About how many bytes of items are laid ready together, and brought together.
const PIECE_BYTES: usize = 128 * 1024;
/// How many bytes are written in one transaction.
const WRITE_BYTES: usize = 4 * 1024 * 1024;
/// The argument that names the account that a bucket must belong to.
pub(crate) const OWNER: &str = "ExpectedBucketOwner";
/// How many pages of a list of objects are read at most.
const LIST_PAGES_MAX: usize = 100_000;

/// Items that a map run wants.
pub(crate) struct ItemsTask {
    pub(crate) map_run_arn: String,
    pub(crate) wanted: ItemsWanted,
    pub(crate) definition: Arc<Definition>,
    /// As whom they are read, and for which process.
    pub(crate) caller: Caller,
    pub(crate) process: Arc<str>,
}

/// Why items could not be read.
pub(crate) struct Unreadable {
    cause: String,
}

impl Unreadable {
    fn new(cause: impl Into<String>) -> Unreadable {
        Unreadable { cause: cause.into() }
    }
}

impl From<CallError> for Unreadable {
    // UNVERIFIED: AWS's wording.
    fn from(err: CallError) -> Unreadable {
        Unreadable::new(format!("{} (Service: S3, Error Code: {})", err.message, err.code))
    }
}

impl From<store::Error> for Unreadable {
    fn from(err: store::Error) -> Unreadable {
        Unreadable::new(err.to_string())
    }
}

/// Reads or brings items, in a task of its own.
pub(crate) fn supply(
    shared: &Arc<Shared>,
    life: u64,
    lease: Option<Lease>,
    id: ProcessId,
    number: u64,
    task: ItemsTask,
) -> AbortHandle {
    let shared = shared.clone();
    let (busy, epoch) = (shared.clock.busy(), shared.epoch());
    let running = tokio::spawn(async move {
        let outcome = match &task.wanted {
            ItemsWanted::Read(read) => lay_ready(&shared, lease, &task, read).await,
            ItemsWanted::Piece(piece) => bring(&shared.store, &task.map_run_arn, *piece),
            ItemsWanted::Children { kind, behind } => {
                Ok(unsuccessful::find(&shared, &task.map_run_arn, *kind, behind.clone()).await)
            }
        };
        let fact = outcome.unwrap_or_else(|Unreadable { cause }| MapRunFact::ItemsFailed {
            error: error_name::ITEM_READER_FAILED.to_owned(),
            cause,
        });
        shared.send(Message::Child { life, id, number, fact }, epoch, busy).await;
    });
    running.abort_handle()
}

fn key(map_run_arn: &str, piece: u32) -> String {
    format!("{map_run_arn}/{piece:08}")
}

/// Returns the writes that remove the items of a map run.
pub(crate) fn gone(map_run_arn: &str, pieces: u32) -> impl Iterator<Item = Write> {
    (0..pieces).map(move |piece| Write::Delete(Table::MapRunItems, key(map_run_arn, piece)))
}

/// Returns a piece of the items.
fn bring(store: &Store, map_run_arn: &str, piece: u32) -> Result<MapRunFact, Unreadable> {
    let row = store.read(|tx| tx.get(Table::MapRunItems, &key(map_run_arn, piece)))?;
    let row = row.ok_or_else(|| Unreadable::new("the items that were read are gone"))?;
    let items = value::parse_bytes(&row).map_err(|err| Unreadable::new(err.to_string()))?;
    Ok(MapRunFact::ItemsLoaded { items })
}

/// Reads everything and lays it ready.
async fn lay_ready(
    shared: &Arc<Shared>,
    lease: Option<Lease>,
    task: &ItemsTask,
    read: &ReadItems,
) -> Result<MapRunFact, Unreadable> {
    let state = task.definition.state(StateId(read.state));
    let Some(StateKind::Map(map)) = state.map(|state| &state.kind) else {
        return Err(Unreadable::new("the state is no Map"));
    };
    let MapMode::Distributed(distributed) = &map.mode else {
        return Err(Unreadable::new("the Map is not distributed"));
    };
    let (Some(reader), Some(endpoint)) = (&distributed.item_reader, shared.endpoint()) else {
        return Err(Unreadable::new("there is nothing to read"));
    };
    let (caller, process) = (task.caller.clone(), task.process.clone());
    let source = Source { endpoint, caller, process };
    let most = read.items_max.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    let mut pieces = Pieces::new(&shared.store, lease, &task.map_run_arn, most);
    match reader.source {
        ItemSource::Object => {
            let from = place(&read.arguments, "Key");
            for Item { item, file } in source.object(reader, &read.arguments).await? {
                if !pieces.push(item, file.as_ref().unwrap_or(&from)).await? {
                    break;
                }
            }
        }
        ItemSource::List => source.list(reader, &read.arguments, &mut pieces).await?,
    }
    pieces.finish().await
}

/// Returns where items come from, as `Map.Item.Source` shows it (developer guide, "Accessing
/// execution data from the Context object", read 2026-11): an object, or a bucket.
fn place(arguments: &Value, key: &str) -> Arc<str> {
    let text = |member: &str| arguments.get(member).and_then(Value::as_str).unwrap_or_default();
    // UNVERIFIED: the capital letter.
    match text(key) {
        "" => format!("S3://{}", text("Bucket")).into(),
        found => format!("S3://{}/{found}", text("Bucket")).into(),
    }
}

/// An item that was read.
struct Item {
    item: Value,
    /// Where it comes from, if not from the object that was asked for.
    file: Option<Arc<str>>,
}

/// Where items come from: S3, as somebody.
struct Source {
    endpoint: Arc<dyn AwsEndpoint>,
    caller: Caller,
    process: Arc<str>,
}

impl Source {
    async fn call(&self, operation: &str, input: Value) -> Result<Value, Unreadable> {
        let call = Call::new(self.caller.clone(), "s3", operation, input);
        Ok(self.endpoint.call(call.of_process(self.process.clone())).await?)
    }

    /// Returns what an object holds, unpacked.
    async fn body(&self, arguments: &Value) -> Result<Vec<u8>, Unreadable> {
        let answer = self.call("GetObject", arguments.clone()).await?;
        let body = answer.get("Body").and_then(Value::as_str).unwrap_or_default();
        let bytes = wire::decode_base64(body)
            .ok_or_else(|| Unreadable::new("the object's body is damaged"))?;
        formats::unpacked(bytes)
    }

    /// Returns the items that one object holds.
    async fn object(
        &self,
        reader: &ItemReader,
        arguments: &Value,
    ) -> Result<Vec<Item>, Unreadable> {
        let body = self.body(arguments).await?;
        let items = match reader.input_type {
            Some(InputType::Csv) => {
                csv::items(&formats::text(&body)?, reader.csv_delimiter, &reader.csv_headers)?
            }
            Some(InputType::Json) => formats::json(&body, reader.items_pointer.as_deref())?,
            Some(InputType::JsonLines) => formats::json_lines(&body)?,
            Some(InputType::Manifest) => return self.inventory(&body).await,
            None => return Err(Unreadable::new("the reader has no InputType")),
        };
        Ok(items.into_iter().map(|item| Item { item, file: None }).collect())
    }

    /// Returns the rows of an S3 inventory, whose manifest this is.
    async fn inventory(&self, manifest: &[u8]) -> Result<Vec<Item>, Unreadable> {
        let inventory = formats::Inventory::read(manifest)?;
        let mut items = Vec::new();
        for key in &inventory.files {
            let at = value!({"Bucket": &inventory.bucket, "Key": key});
            let body = self.body(&at).await?;
            // UNVERIFIED: that it is the file, not its manifest.
            let file = place(&at, "Key");
            let rows = csv::items(&formats::text(&body)?, ',', &inventory.columns)?;
            items.extend(rows.into_iter().map(|item| Item { item, file: Some(file.clone()) }));
        }
        Ok(items)
    }

    /// Takes in the objects of a bucket, or what they hold.
    async fn list(
        &self,
        reader: &ItemReader,
        arguments: &Value,
        pieces: &mut Pieces<'_>,
    ) -> Result<(), Unreadable> {
        let mut input = arguments.clone();
        let bucket = place(arguments, "");
        for _ in 0..LIST_PAGES_MAX {
            let page = self.call("ListObjectsV2", input.clone()).await?;
            let objects = page.get("Contents").and_then(Value::as_array).unwrap_or_default();
            for object in objects {
                let at = value!({
                    "Bucket": arguments.get("Bucket"),
                    "Key": object.get("Key"),
                })
                .with_some(OWNER, arguments.get(OWNER));
                let (items, from) = if reader.loads_objects {
                    (self.object(reader, &at).await?, place(&at, "Key"))
                } else {
                    (vec![Item { item: formats::listed(object), file: None }], bucket.clone())
                };
                for Item { item, file } in items {
                    if !pieces.push(item, file.as_ref().unwrap_or(&from)).await? {
                        return Ok(());
                    }
                }
            }
            match page.get("NextContinuationToken") {
                Some(token) => drop(input.set("ContinuationToken", token)),
                None => return Ok(()),
            }
        }
        Err(Unreadable::new("the bucket's list has no end"))
    }
}

/// Items on their way into the store.
struct Pieces<'a> {
    store: &'a Store,
    lease: Option<Lease>,
    map_run_arn: &'a str,
    most: usize,
    items: usize,
    /// The piece that is being filled: items, by where they come from.
    open: Vec<(Arc<str>, Vec<Value>)>,
    open_bytes: usize,
    /// How many pieces are full.
    closed: u32,
    /// Pieces that are full and not written.
    full: Vec<(String, Vec<u8>)>,
}

impl<'a> Pieces<'a> {
    fn new(
        store: &'a Store,
        lease: Option<Lease>,
        map_run_arn: &'a str,
        most: usize,
    ) -> Pieces<'a> {
        Pieces {
            store,
            lease,
            map_run_arn,
            most,
            items: 0,
            open: Vec::new(),
            open_bytes: 0,
            closed: 0,
            full: Vec::new(),
        }
    }

    /// Takes an item in; false when there may be no more.
    async fn push(&mut self, item: Value, from: &Arc<str>) -> Result<bool, Unreadable> {
        if self.items == self.most {
            return Ok(false);
        }
        self.items += 1;
        self.open_bytes += item.json_bytes();
        match self.open.last_mut() {
            Some((source, items)) if source == from => items.push(item),
            Some(_) | None => {
                self.open_bytes += from.len();
                self.open.push((from.clone(), vec![item]));
            }
        }
        if PIECE_BYTES <= self.open_bytes {
            self.close();
        }
        if WRITE_BYTES <= self.full.len() * PIECE_BYTES {
            self.write().await?;
        }
        Ok(true)
    }

    fn close(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let runs = std::mem::take(&mut self.open).into_iter();
        let runs = runs.map(|(source, items)| {
            Value::object().with("Source", &*source).with("Items", Value::from(items))
        });
        let items = Value::object().with("Runs", runs.collect::<Value>());
        self.full.push((key(self.map_run_arn, self.closed), items.to_json().into_bytes()));
        self.closed += 1;
        self.open_bytes = 0;
    }

    async fn write(&mut self) -> Result<(), Unreadable> {
        let (full, lease) = (std::mem::take(&mut self.full), self.lease);
        let written = self.store.write(move |tx| {
            if let Some(lease) = lease {
                tx.expect_owner(lease)?;
            }
            for (key, items) in &full {
                tx.put(Table::MapRunItems, key, items)?;
            }
            Ok::<(), store::Error>(())
        });
        Ok(written.await??)
    }

    async fn finish(mut self) -> Result<MapRunFact, Unreadable> {
        self.close();
        self.write().await?;
        Ok(MapRunFact::ItemsRead { items: self.items as u64, pieces: self.closed })
    }
}
