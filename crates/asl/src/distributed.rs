//! What a distributed Map has beyond an inline one. AWS pages: "Distributed mode", "ItemReader",
//! "ItemBatcher", "ResultWriter" (read 2026-11).

use crate::definition::StateMachineType;
use crate::expression::Scalar;
use crate::template::Template;

/// The fields of a [`Map`](crate::Map) whose iterations are executions of their own.
#[derive(Debug)]
pub struct Distributed {
    /// `Label`, which the map run's ARN carries; AWS makes one up when it is absent.
    pub label: Option<String>,
    /// `ProcessorConfig.ExecutionType`: what the child executions are.
    pub execution_type: StateMachineType,
    /// `ItemReader`: where the items are read from, instead of the state's input.
    pub item_reader: Option<ItemReader>,
    /// `ItemBatcher`: several items for one child execution.
    pub item_batcher: Option<ItemBatcher>,
    /// `ResultWriter`: where and how results are written.
    pub result_writer: Option<ResultWriter>,
}

/// `ItemReader`.
#[derive(Debug)]
pub struct ItemReader {
    /// Which operation of S3 brings the items.
    pub source: ItemSource,
    /// `Arguments` or `Parameters`: bucket, key, prefix …
    pub arguments: Option<Template>,
    /// `InputType`; object lists have none.
    pub input_type: Option<InputType>,
    /// `Transformation` is `LOAD_AND_FLATTEN`: the listed objects are read, too.
    pub loads_objects: bool,
    /// `CSVDelimiter`, as the character it means.
    pub csv_delimiter: char,
    /// `CSVHeaderLocation` and `CSVHeaders`.
    pub csv_headers: CsvHeaders,
    /// `ItemsPointer`: where in a JSON object the items are, as a JSON pointer.
    pub items_pointer: Option<String>,
    /// `MaxItems` or `MaxItemsPath`; 0 is no bound of its own.
    pub items_max: Option<Scalar<i64>>,
}

/// The operations an [`ItemReader`] may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemSource {
    /// `arn:aws:states:::s3:getObject`: the items are in one object.
    Object,
    /// `arn:aws:states:::s3:listObjectsV2`: the items are the objects of a bucket.
    List,
}

/// `InputType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputType {
    /// Lines of delimited fields.
    Csv,
    /// An array, or an object.
    Json,
    /// A JSON text per line.
    JsonLines,
    /// An S3 inventory.
    Manifest,
}

/// Where the names of a CSV file's columns stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CsvHeaders {
    /// In its first row.
    FirstRow,
    /// In the definition.
    Given(Vec<String>),
}

/// `ItemBatcher`.
#[derive(Debug)]
pub struct ItemBatcher {
    /// `MaxItemsPerBatch` or `MaxItemsPerBatchPath`.
    pub items_max: Option<Scalar<i64>>,
    /// `MaxInputBytesPerBatch` or `MaxInputBytesPerBatchPath`.
    pub bytes_max: Option<Scalar<i64>>,
    /// `BatchInput`: what every batch carries beside its items.
    pub batch_input: Option<Template>,
}

/// `ResultWriter`.
#[derive(Debug)]
pub struct ResultWriter {
    /// `Arguments` or `Parameters`: bucket and prefix; none when results are only transformed.
    pub arguments: Option<Template>,
    /// `WriterConfig.Transformation`; by itself `NONE` where results are exported.
    pub transformation: Option<Transformation>,
    /// `WriterConfig.OutputType`.
    pub output_type: OutputType,
}

/// `Transformation` of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transformation {
    /// Output and metadata of every child execution.
    None,
    /// The outputs.
    Compact,
    /// The outputs; of arrays their elements.
    Flatten,
}

/// `OutputType` of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputType {
    /// One array.
    Json,
    /// A line per result.
    JsonLines,
}
