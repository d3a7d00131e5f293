//! `cargo xtask models`: compact API models out of the botocore package.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use value::Value;
use wire::model::Kind;
use wire::model::record::{
    HeadRecord, IndexRecord, MemberRecord, OperationRecord, ServiceRecord, ShapeRecord,
};

/// How hard models are compressed; they are written rarely and read often.
const COMPRESSION_LEVEL: u8 = 10;

/// Writes `data/models/models.bin` from a botocore data directory, `from` or that of the installed
/// package.
pub(crate) fn run(from: Option<&str>) -> Result<()> {
    let data = match from {
        Some(from) => PathBuf::from(from),
        None => installed()?,
    };
    let mut index: Vec<IndexRecord> = Vec::new();
    let mut blobs: Vec<u8> = Vec::new();
    for (name, file) in newest_models(&data)? {
        let model = read_model(&file).with_context(|| format!("reading {}", file.display()))?;
        let record = service_record(&name, &model);
        let plain = rmp_serde::to_vec(&record)?;
        let blob = miniz_oxide::deflate::compress_to_vec(&plain, COMPRESSION_LEVEL);
        index.push(IndexRecord {
            aliases: aliases(&record),
            target_prefix: record.target_prefix.clone(),
            api_version: record.api_version.clone(),
            name,
            offset: u32::try_from(blobs.len())?,
            bytes: u32::try_from(blob.len())?,
        });
        blobs.extend(blob);
    }
    let botocore_version = version(&data)?;
    let services = index.len();
    let head = rmp_serde::to_vec(&HeadRecord { botocore_version, services: index })?;
    let mut out = u32::try_from(head.len())?.to_le_bytes().to_vec();
    out.extend(head);
    out.extend(blobs);
    let to = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/models/models.bin");
    std::fs::create_dir_all(to.parent().unwrap_or(Path::new(".")))?;
    std::fs::write(&to, &out)?;
    println!("{services} services, {} bytes: {}", out.len(), to.display());
    Ok(())
}

fn installed() -> Result<PathBuf> {
    let code =
        "import botocore, os; print(os.path.join(os.path.dirname(botocore.__file__), 'data'))";
    let output = Command::new("python3").args(["-c", code]).output()?;
    if !output.status.success() {
        bail!("botocore is not installed: `pip install botocore`, or name its data directory");
    }
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim()))
}

/// Returns botocore's version, which stands beside its data.
fn version(data: &Path) -> Result<String> {
    let file = data.join("../__init__.py");
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("no botocore around: {}", file.display()))?;
    let line = text.lines().find_map(|line| line.strip_prefix("__version__ = "));
    let version = line.context("botocore names no version")?;
    Ok(version.trim().trim_matches(['\'', '"']).to_owned())
}

/// Returns the newest model of each service.
fn newest_models(data: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    for service in std::fs::read_dir(data)? {
        let service = service?.path();
        if !service.is_dir() {
            continue;
        }
        let versions: BTreeSet<PathBuf> =
            std::fs::read_dir(&service)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
        let models = versions.iter().rev().flat_map(|version| {
            [version.join("service-2.json.gz"), version.join("service-2.json")]
        });
        let name = service.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(model) = models.into_iter().find(|file| file.exists()) {
            found.insert(name.to_owned(), model);
        }
    }
    Ok(found)
}

fn read_model(file: &Path) -> Result<Value> {
    let bytes = std::fs::read(file)?;
    let text = if bytes.starts_with(&[0x1f, 0x8b]) {
        // A gzip member: ten bytes of header, perhaps a file name, deflated data, eight bytes of
        // tail.
        let flags = bytes.get(3).copied().unwrap_or(0);
        let mut from = 10;
        if flags & 8 != 0 {
            from += bytes.iter().skip(10).position(|byte| *byte == 0).unwrap_or(0) + 1;
        }
        miniz_oxide::inflate::decompress_to_vec(bytes.get(from..).unwrap_or_default())
            .map_err(|err| anyhow::anyhow!("{err}"))?
    } else {
        bytes
    };
    Ok(value::parse_bytes(&text)?)
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

fn aliases(record: &ServiceRecord) -> Vec<String> {
    let id = record.service_id.to_ascii_lowercase().replace([' ', '-'], "");
    // The Java SDK, whose names Step Functions uses, drops the word `Service` at the end.
    let short = id.strip_suffix("service").unwrap_or(&id).to_owned();
    let mut aliases = vec![id, short, record.signing_name.clone(), record.endpoint_prefix.clone()];
    aliases.dedup();
    aliases.retain(|alias| *alias != record.name);
    aliases
}

fn service_record(name: &str, model: &Value) -> ServiceRecord {
    let metadata = model.get("metadata").cloned().unwrap_or_default();
    let endpoint_prefix = text(&metadata, "endpointPrefix").unwrap_or_default();
    let protocols = metadata.get("protocols").and_then(Value::as_array).unwrap_or_default();
    let spoken = ["json", "query", "ec2", "rest-json", "rest-xml"];
    let protocol =
        text(&metadata, "protocol").filter(|protocol| spoken.contains(&protocol.as_str()));
    let listed =
        protocols.iter().filter_map(Value::as_str).find(|protocol| spoken.contains(protocol));
    let mut shapes = Shapes::new(model);
    let operations = model.get("operations").and_then(Value::as_object);
    let mut operations: Vec<OperationRecord> = operations
        .into_iter()
        .flat_map(value::Map::values)
        .map(|operation| operation_record(operation, &mut shapes))
        .collect();
    operations.sort_by(|a, b| a.name.cmp(&b.name));
    ServiceRecord {
        name: name.to_owned(),
        service_id: text(&metadata, "serviceId").unwrap_or_default(),
        protocol: listed.map(str::to_owned).or(protocol).unwrap_or_default(),
        json_version: text(&metadata, "jsonVersion"),
        target_prefix: text(&metadata, "targetPrefix"),
        api_version: text(&metadata, "apiVersion").unwrap_or_default(),
        signing_name: text(&metadata, "signingName").unwrap_or_else(|| endpoint_prefix.clone()),
        endpoint_prefix,
        xml_namespace: text(&metadata, "xmlNamespace"),
        global_endpoint: text(&metadata, "globalEndpoint"),
        query_compatible: metadata.get("awsQueryCompatible").is_some(),
        operations,
        shapes: shapes.records,
    }
}

fn operation_record(operation: &Value, shapes: &mut Shapes<'_>) -> OperationRecord {
    let mut reference = |key: &str| {
        let name = operation.get(key).and_then(|found| text(found, "shape"))?;
        Some(shapes.number(&name))
    };
    let (input, output) = (reference("input"), reference("output"));
    let errors = operation.get("errors").and_then(Value::as_array).unwrap_or_default();
    let http = operation.get("http").cloned().unwrap_or_default();
    let status = http.get("responseCode").and_then(Value::as_i64);
    OperationRecord {
        name: text(operation, "name").unwrap_or_default(),
        method: text(&http, "method").unwrap_or_else(|| "POST".into()),
        uri: text(&http, "requestUri").unwrap_or_else(|| "/".into()),
        status: status
            .and_then(|status| u16::try_from(status).ok())
            .filter(|status| *status != 200),
        input,
        output,
        result_wrapper: operation.get("output").and_then(|output| text(output, "resultWrapper")),
        errors: errors
            .iter()
            .filter_map(|error| text(error, "shape"))
            .map(|name| shapes.number(&name))
            .collect(),
        host_prefix: operation.get("endpoint").and_then(|endpoint| text(endpoint, "hostPrefix")),
        unsigned: text(operation, "authtype").as_deref() == Some("none"),
        repeatable: flag(operation, "idempotent") || flag(operation, "readonly"),
        input_name: operation.get("input").and_then(|input| text(input, "locationName")),
        input_namespace: operation
            .path(&["input", "xmlNamespace"])
            .and_then(|namespace| text(namespace, "uri")),
    }
}

/// The shapes that operations reach, numbered as they are met.
struct Shapes<'m> {
    model: &'m Value,
    numbers: HashMap<String, u32>,
    records: Vec<ShapeRecord>,
}

impl<'m> Shapes<'m> {
    fn new(model: &'m Value) -> Shapes<'m> {
        Shapes { model, numbers: HashMap::new(), records: Vec::new() }
    }

    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.records.len()).unwrap_or(u32::MAX);
        self.numbers.insert(name.to_owned(), number);
        self.records.push(ShapeRecord::default());
        let record = self.record(name);
        if let Some(slot) = self.records.get_mut(number as usize) {
            *slot = record;
        }
        number
    }

    fn record(&mut self, name: &str) -> ShapeRecord {
        let shape = self.model.path(&["shapes", name]).cloned().unwrap_or_default();
        let required: Vec<&str> = shape
            .get("required")
            .and_then(Value::as_array)
            .unwrap_or_default()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let members = shape.get("members").and_then(Value::as_object).cloned().unwrap_or_default();
        let members = members.iter().map(|(member, of)| MemberRecord {
            name: member.to_string(),
            shape: self.number(&text(of, "shape").unwrap_or_default()),
            wire_name: text(of, "locationName"),
            location: text(of, "location"),
            required: required.contains(&&**member),
            flattened: flag(of, "flattened"),
            idempotency_token: flag(of, "idempotencyToken"),
            query_name: text(of, "queryName"),
            json_value: flag(of, "jsonvalue"),
            xml_namespace: of.get("xmlNamespace").map(|namespace| {
                let part = |key: &str| text(namespace, key).unwrap_or_default();
                (part("prefix"), part("uri"))
            }),
            xml_attribute: flag(of, "xmlAttribute"),
        });
        let members = members.collect();
        let inner = |key: &str| shape.get(key).cloned().unwrap_or_default();
        let (list, key, map) = (inner("member"), inner("key"), inner("value"));
        let element = text(&list, "shape").or_else(|| text(&map, "shape"));
        let item_name = |part: &Value, default: &str| {
            text(part, "locationName").unwrap_or_else(|| default.to_owned())
        };
        let element_names = match (list.is_null(), key.is_null()) {
            (false, _) => vec![item_name(&list, "member")],
            (true, false) => vec![item_name(&key, "key"), item_name(&map, "value")],
            (true, true) => Vec::new(),
        };
        let error = shape.get("error").cloned().unwrap_or_default();
        let is_error = flag(&shape, "exception") || !error.is_null();
        let values = shape.get("enum").and_then(Value::as_array).unwrap_or_default();
        let status = error.get("httpStatusCode").and_then(Value::as_i64);
        ShapeRecord {
            kind: kind(text(&shape, "type").as_deref().unwrap_or_default()),
            name: is_error.then(|| name.to_owned()),
            members,
            element: element.map(|name| self.number(&name)),
            key: text(&key, "shape").map(|name| self.number(&name)),
            element_names,
            flattened: flag(&shape, "flattened"),
            min: shape.get("min").and_then(Value::as_f64),
            max: shape.get("max").and_then(Value::as_f64),
            pattern: text(&shape, "pattern"),
            values: values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            timestamp_format: text(&shape, "timestampFormat"),
            sensitive: flag(&shape, "sensitive"),
            payload: text(&shape, "payload"),
            error_code: text(&error, "code"),
            error_status: status.and_then(|status| u16::try_from(status).ok()),
            is_error,
            fault: flag(&shape, "fault"),
            document: flag(&shape, "document"),
            streaming: flag(&shape, "streaming") || flag(&shape, "eventstream"),
        }
    }
}

fn kind(name: &str) -> u8 {
    let kind = match name {
        "structure" => Kind::Structure,
        "list" => Kind::List,
        "map" => Kind::Map,
        "integer" => Kind::Integer,
        "long" => Kind::Long,
        "float" => Kind::Float,
        "double" => Kind::Double,
        "boolean" => Kind::Boolean,
        "blob" => Kind::Blob,
        "timestamp" => Kind::Timestamp,
        _ => Kind::String,
    };
    let at = Kind::ALL.iter().position(|known| *known == kind).unwrap_or(3);
    u8::try_from(at).unwrap_or(3)
}
