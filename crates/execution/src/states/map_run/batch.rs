//! ItemBatcher: several items for one child.

use asl::{Distributed, Failure, Field, ItemBatcher, Scope};
use serde::{Deserialize, Serialize};
use value::Value;

use crate::payload::PAYLOAD_BYTES_MAX;
use crate::run::Run;
use crate::state::ThreadId;
use crate::states::map;

/// How items are put together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Batching {
    items_max: Option<u64>,
    bytes_max: usize,
    batch_input: Option<Value>,
}

impl Batching {
    fn new(run: &mut Run<'_>, scope: &Scope, batcher: &ItemBatcher) -> Result<Batching, Failure> {
        let items_max = positive(run, scope, batcher.items_max.as_ref(), "MaxItemsPerBatch")?;
        let bytes_max = positive(run, scope, batcher.bytes_max.as_ref(), "MaxInputBytesPerBatch")?;
        let bytes_max = bytes_max.and_then(|bytes| usize::try_from(bytes).ok());
        let batch_input = match &batcher.batch_input {
            None => None,
            Some(template) => {
                let field = Field::Top("ItemBatcher/BatchInput");
                Some(run.evaluate(scope, |evaluation| template.evaluate(evaluation, field))?)
            }
        };
        let bytes_max = bytes_max.unwrap_or(PAYLOAD_BYTES_MAX).min(PAYLOAD_BYTES_MAX);
        Ok(Batching { items_max, bytes_max, batch_input })
    }

    /// Returns how many batches so many items make at least.
    pub(super) fn batches(&self, items: u64) -> u64 {
        self.items_max.map_or(items.min(1), |items_max| items.div_ceil(items_max))
    }

    /// Returns an empty batch.
    pub(super) fn open(&self) -> Batch {
        let empty = self.input(Vec::new());
        Batch { items: Vec::new(), bytes: empty.json_bytes() }
    }

    /// Returns whether a batch takes this item, too; the first always fits.
    pub(super) fn takes(&self, batch: &Batch, item: &Value) -> bool {
        let items = batch.items.len() as u64;
        let bytes = batch.bytes + item.json_bytes() + usize::from(items > 0);
        items == 0 || (self.items_max.is_none_or(|max| items < max) && bytes <= self.bytes_max)
    }

    /// Returns the input of the child that takes a batch.
    pub(super) fn input(&self, items: Vec<Value>) -> Value {
        // Recorded: in this order.
        Value::object()
            .with_some("BatchInput", self.batch_input.clone())
            .with("Items", Value::from(items))
    }
}

/// A batch that is being filled.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Batch {
    pub(super) items: Vec<Value>,
    bytes: usize,
}

impl Batch {
    pub(super) fn push(&mut self, item: Value) {
        self.bytes += item.json_bytes() + usize::from(!self.items.is_empty());
        self.items.push(item);
    }
}

/// Returns how the items of the visited Map are put together, if they are.
pub(super) fn of(
    run: &mut Run<'_>,
    id: ThreadId,
    distributed: &Distributed,
) -> Result<Option<Batching>, Failure> {
    let Some(batcher) = &distributed.item_batcher else { return Ok(None) };
    let scope = run.scope(id);
    Batching::new(run, &scope, batcher).map(Some)
}

/// Returns the inputs of the children that these items make.
pub(crate) fn inputs(
    run: &mut Run<'_>,
    scope: &Scope,
    batcher: &ItemBatcher,
    items: Vec<Value>,
) -> Result<Vec<Value>, Failure> {
    let batching = Batching::new(run, scope, batcher)?;
    let mut inputs = Vec::new();
    let mut batch = batching.open();
    for item in items {
        if !batching.takes(&batch, &item) {
            inputs.push(batching.input(std::mem::replace(&mut batch, batching.open()).items));
        }
        batch.push(item);
    }
    if !batch.items.is_empty() {
        inputs.push(batching.input(batch.items));
    }
    Ok(inputs)
}

fn positive(
    run: &mut Run<'_>,
    scope: &Scope,
    scalar: Option<&asl::Scalar<i64>>,
    field: &str,
) -> Result<Option<u64>, Failure> {
    let Some(found) = map::integer_in(run, scope, scalar, field)? else { return Ok(None) };
    match u64::try_from(found) {
        Ok(found) if found > 0 => Ok(Some(found)),
        // UNVERIFIED: AWS's wording.
        Ok(_) | Err(_) => Err(Failure::runtime(format!("field {field} must be positive"))),
    }
}
