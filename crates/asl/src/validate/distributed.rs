//! The fields of a distributed Map.

use value::Value;

use super::Validator;
use super::fields::Fields;
use super::templates::Place;
use crate::definition::{MapMode, QueryLanguage, StateMachineType};
use crate::distributed::{
    CsvHeaders, Distributed, InputType, ItemBatcher, ItemReader, ItemSource, OutputType,
    ResultWriter, Transformation,
};
use crate::expression::StatesMembers;
use crate::json::Node;
use crate::template::Template;

/// The most items one map run reads (AWS's quota).
const ITEMS_MAX: i64 = 100_000_000;
/// The most bytes one batch may have (AWS's quota: what an execution may be given).
const BATCH_BYTES_MAX: i64 = 262_144;
/// Fields that only a distributed Map has.
const DISTRIBUTED_ONLY: &[&str] = &["ItemReader", "ItemBatcher", "ResultWriter"];
/// The longest `Label`, in characters (AWS's quota).
const LABEL_CHARS_MAX: usize = 40;

/// What a field may say, and what that means.
type Words<T> = [(&'static str, T)];

const CSV_DELIMITERS: &Words<char> =
    &[("COMMA", ','), ("PIPE", '|'), ("SEMICOLON", ';'), ("SPACE", ' '), ("TAB", '\t')];
const INPUT_TYPES: &Words<InputType> = &[
    ("CSV", InputType::Csv),
    ("JSON", InputType::Json),
    ("JSONL", InputType::JsonLines),
    ("MANIFEST", InputType::Manifest),
];
const TRANSFORMATIONS: &Words<Transformation> = &[
    ("NONE", Transformation::None),
    ("COMPACT", Transformation::Compact),
    ("FLATTEN", Transformation::Flatten),
];
const OUTPUT_TYPES: &Words<OutputType> =
    &[("JSON", OutputType::Json), ("JSONL", OutputType::JsonLines)];
const READER_FIELDS: &[&str] = &[
    "InputType",
    "Transformation",
    "ManifestType",
    "CSVDelimiter",
    "CSVHeaderLocation",
    "CSVHeaders",
    "ItemsPointer",
    "MaxItems",
    "MaxItemsPath",
];

impl Validator<'_> {
    /// Reads `ProcessorConfig` and everything that a distributed Map has of its own.
    pub(super) fn map_mode(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        place: &mut Place,
    ) -> MapMode {
        let config = fields.get(name).map(Node::to_value);
        let config = config.and_then(|processor| processor.get("ProcessorConfig").cloned());
        let config = config.unwrap_or_default();
        let location = format!("{}/ProcessorConfig", fields.at(name));
        match config.get("Mode").and_then(Value::as_str) {
            None | Some("INLINE") => self.inline_only(fields),
            Some("DISTRIBUTED") => {
                if self.runs_express() {
                    // UNVERIFIED: AWS's wording; its documentation says that Express workflows have
                    // no distributed Map.
                    let message = "Express state machine does not support 'DISTRIBUTED' Map states";
                    self.schema(message, format!("{location}/Mode"), fields.span);
                }
                let execution_type = self.execution_type(&config, &location, fields);
                return MapMode::Distributed(Box::new(Distributed {
                    label: self.label(fields),
                    execution_type,
                    item_reader: self.item_reader(fields, place),
                    item_batcher: self.item_batcher(fields, place),
                    result_writer: self.result_writer(fields, place),
                }));
            }
            Some(_) => {
                // UNVERIFIED: AWS's wording.
                let message = "Value must be one of: [INLINE, DISTRIBUTED]";
                self.schema(message, format!("{location}/Mode"), fields.span);
            }
        }
        MapMode::Inline
    }

    fn inline_only(&mut self, fields: &Fields<'_>) {
        for name in DISTRIBUTED_ONLY.iter().filter(|name| fields.has(name)) {
            // UNVERIFIED: AWS's wording.
            let message = format!("Field '{name}' is only supported in 'DISTRIBUTED' mode");
            self.schema(message, fields.at(name), fields.span);
        }
    }

    fn execution_type(
        &mut self,
        config: &Value,
        location: &str,
        fields: &Fields<'_>,
    ) -> StateMachineType {
        match config.get("ExecutionType").and_then(Value::as_str) {
            // UNVERIFIED: AWS's documentation calls the field required; the language's
            // specification does not know it.
            None | Some("STANDARD") => StateMachineType::Standard,
            Some("EXPRESS") => StateMachineType::Express,
            Some(_) => {
                // UNVERIFIED: AWS's wording.
                let message = "Value must be one of: [STANDARD, EXPRESS]";
                self.schema(message, format!("{location}/ExecutionType"), fields.span);
                StateMachineType::Standard
            }
        }
    }

    // UNVERIFIED: AWS's wording for bad labels; the recorded one is an emulator's.
    fn label(&mut self, fields: &Fields<'_>) -> Option<String> {
        let label = self.string(fields, "Label")?.to_string();
        let span = fields.get("Label").map_or(fields.span, |node| node.span);
        if label.chars().count() > LABEL_CHARS_MAX {
            let message = format!("Label cannot exceed {LABEL_CHARS_MAX} characters");
            self.schema(message, fields.at("Label"), span);
        }
        if let Some(refused) = label.chars().find(|c| !label_allows(*c)) {
            let message = format!("Label contains invalid character: '{refused}'");
            self.schema(message, fields.at("Label"), span);
        }
        Some(label)
    }

    fn item_reader(&mut self, fields: &Fields<'_>, place: &mut Place) -> Option<ItemReader> {
        let location = fields.at("ItemReader");
        let reader = Fields::of(self, fields.get("ItemReader")?, &location)?;
        self.only(&reader, &["Resource", "ReaderConfig", arguments_name(place)]);
        self.required(&reader, &["Resource"]);
        let source = match self.string(&reader, "Resource").map(|resource| &**resource) {
            Some(text) if text.ends_with(":states:::s3:getObject") => ItemSource::Object,
            Some(text) if text.ends_with(":states:::s3:listObjectsV2") => ItemSource::List,
            Some(text) => {
                // UNVERIFIED: AWS's wording.
                let message = format!("The resource provided {text} is not supported");
                self.schema(message, reader.at("Resource"), reader.span);
                return None;
            }
            None => return None,
        };
        let arguments = self.arguments_field(&reader, place);
        let config_location = reader.at("ReaderConfig");
        let config = reader
            .get("ReaderConfig")
            .and_then(|node| Fields::of(self, node, &config_location))
            .unwrap_or(Fields::nothing(&config_location, reader.span));
        self.only(&config, READER_FIELDS);
        self.exclusive(&config, ("MaxItems", "MaxItemsPath"));
        let input_type = self.one_of(&config, "InputType", INPUT_TYPES);
        let is_unnamed = source == ItemSource::Object && !config.has("InputType");
        if is_unnamed {
            self.required(&config, &["InputType"]);
        }
        let words = [("NONE", false), ("LOAD_AND_FLATTEN", true)];
        let loads_objects = self.one_of(&config, "Transformation", &words).unwrap_or(false);
        if loads_objects && input_type.is_none() {
            self.required(&config, &["InputType"]);
        }
        self.one_of(&config, "ManifestType", &[("S3_INVENTORY", ())]);
        Some(ItemReader {
            source,
            arguments,
            input_type,
            loads_objects,
            csv_delimiter: self.one_of(&config, "CSVDelimiter", CSV_DELIMITERS).unwrap_or(','),
            csv_headers: self.csv_headers(&config, input_type),
            items_pointer: self.string(&config, "ItemsPointer").map(ToString::to_string),
            items_max: self.integer_scalar(&config, "MaxItems", (0, ITEMS_MAX), place),
        })
    }

    fn csv_headers(&mut self, config: &Fields<'_>, input_type: Option<InputType>) -> CsvHeaders {
        let words = [("FIRST_ROW", false), ("GIVEN", true)];
        let given = self.one_of(config, "CSVHeaderLocation", &words);
        if input_type == Some(InputType::Csv) && given.is_none() {
            self.required(config, &["CSVHeaderLocation"]);
        }
        if given != Some(true) {
            return CsvHeaders::FirstRow;
        }
        self.required(config, &["CSVHeaders"]);
        let mut headers = Vec::new();
        for (index, node) in self.entries(config, "CSVHeaders").iter().enumerate() {
            if let Some(header) = node.as_str() {
                headers.push(header.to_string());
            } else {
                let location = format!("{}[{index}]", config.at("CSVHeaders"));
                self.wrong_type("String", location, node.span);
            }
        }
        CsvHeaders::Given(headers)
    }

    fn item_batcher(&mut self, fields: &Fields<'_>, place: &mut Place) -> Option<ItemBatcher> {
        let location = fields.at("ItemBatcher");
        let batcher = Fields::of(self, fields.get("ItemBatcher")?, &location)?;
        self.only(
            &batcher,
            &[
                "MaxItemsPerBatch",
                "MaxItemsPerBatchPath",
                "MaxInputBytesPerBatch",
                "MaxInputBytesPerBatchPath",
                "BatchInput",
            ],
        );
        for name in ["MaxItemsPerBatch", "MaxInputBytesPerBatch"] {
            self.exclusive(&batcher, (name, &format!("{name}Path")));
        }
        let items_max = self.integer_scalar(&batcher, "MaxItemsPerBatch", (1, ITEMS_MAX), place);
        let bytes = (1, BATCH_BYTES_MAX);
        let bytes_max = self.integer_scalar(&batcher, "MaxInputBytesPerBatch", bytes, place);
        if items_max.is_none() && bytes_max.is_none() {
            // UNVERIFIED: AWS's wording; its documentation asks for one of the two.
            let message = "One of the fields [MaxItemsPerBatch, MaxInputBytesPerBatch] is required";
            self.schema(message, location.as_str(), batcher.span);
        }
        let batch_input = self.template_field(&batcher, "BatchInput", StatesMembers::Input, place);
        Some(ItemBatcher { items_max, bytes_max, batch_input })
    }

    fn result_writer(&mut self, fields: &Fields<'_>, place: &mut Place) -> Option<ResultWriter> {
        let location = fields.at("ResultWriter");
        let writer = Fields::of(self, fields.get("ResultWriter")?, &location)?;
        self.only(&writer, &["Resource", "WriterConfig", arguments_name(place)]);
        if let Some(resource) = self.string(&writer, "Resource")
            && !resource.ends_with(":states:::s3:putObject")
        {
            // UNVERIFIED: AWS's wording.
            let message = format!("The resource provided {resource} is not supported");
            self.schema(message, writer.at("Resource"), writer.span);
        }
        let name = arguments_name(place);
        if writer.has("Resource") || writer.has(name) || !writer.has("WriterConfig") {
            self.required(&writer, &["Resource", name]);
        }
        let arguments = self.arguments_field(&writer, place);
        let config_location = writer.at("WriterConfig");
        let config = writer
            .get("WriterConfig")
            .and_then(|node| Fields::of(self, node, &config_location))
            .unwrap_or(Fields::nothing(&config_location, writer.span));
        self.only(&config, &["Transformation", "OutputType"]);
        let transformation = self.one_of(&config, "Transformation", TRANSFORMATIONS);
        if arguments.is_none() && transformation == Some(Transformation::None) {
            // DIFFERS: without an export, outputs come without the metadata of their executions.
            let message =
                "Transformation 'NONE' is not supported by Stepwell without an export yet";
            self.schema(message, config.at("Transformation"), config.span);
        }
        Some(ResultWriter {
            arguments,
            transformation,
            output_type: self
                .one_of(&config, "OutputType", OUTPUT_TYPES)
                .unwrap_or(OutputType::Json),
        })
    }

    fn arguments_field(&mut self, fields: &Fields<'_>, place: &mut Place) -> Option<Template> {
        self.template_field(fields, arguments_name(place), StatesMembers::Input, place)
    }

    /// Reads a field that may say one of a few words.
    fn one_of<T: Copy>(&mut self, fields: &Fields<'_>, name: &str, words: &Words<T>) -> Option<T> {
        let said = self.string(fields, name)?.clone();
        let found = words.iter().find(|(word, _)| *word == &*said).map(|(_, meant)| *meant);
        if found.is_none() {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            // UNVERIFIED: AWS's wording.
            let message = format!("Value must be one of: [{}]", words.join(", "));
            self.schema(message, fields.at(name), fields.span);
        }
        found
    }
}

/// The field is named differently in the two languages.
fn arguments_name(place: &Place) -> &'static str {
    match place.language {
        QueryLanguage::Jsonata => "Arguments",
        QueryLanguage::JsonPath => "Parameters",
    }
}

/// Labels become part of ARNs.
fn label_allows(found: char) -> bool {
    !(found.is_whitespace() || found.is_control() || r#"?*<>{}[]:;,\|^~$#%&`"/"#.contains(found))
}
