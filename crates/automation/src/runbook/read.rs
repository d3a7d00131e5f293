//! A document's data into a [`Runbook`], noting what does not fit.

use value::{Map, Value};

use super::{File, OnFailure, Runbook, Step};
use crate::actions::{self, Action};
use crate::diagnostic::{Diagnostics, Path};
use crate::output::OutputDeclaration;
use crate::parameter::{self, Bounds, Parameter, Type, Variable};
use crate::{pattern, selector};

/// The schema version of Automation documents.
pub(super) const SCHEMA_VERSION: &str = "0.3";

/// The keys of a document; those of Change Manager templates last.
pub(super) const DOCUMENT_KEYS: [&str; 11] = [
    "schemaVersion",
    "description",
    "assumeRole",
    "parameters",
    "variables",
    "mainSteps",
    "outputs",
    "files",
    "templateInformation",
    "executableRunBooks",
    "emergencyChange",
];

/// How documents spell the name of the checksum; all of these occur in Amazon's own.
const CHECKSUM_KEYS: [&str; 4] = ["sha256", "SHA256", "sha-256", "SHA-256"];

/// The properties of a parameter; the last two are in third-party documents only.
pub(super) const PARAMETER_KEYS: [&str; 12] = [
    "type",
    "description",
    "default",
    "allowedValues",
    "allowedPattern",
    "displayType",
    "minItems",
    "maxItems",
    "minChars",
    "maxChars",
    "minValue",
    "maxValue",
];

/// The properties of a step.
pub(super) const STEP_KEYS: [&str; 12] = [
    "name",
    "action",
    "description",
    "inputs",
    "outputs",
    "maxAttempts",
    "timeoutSeconds",
    "onFailure",
    "onCancel",
    "isCritical",
    "isEnd",
    "nextStep",
];

/// How deeply loops may nest.
pub(super) const LOOP_DEPTH_MAX: usize = 5;

/// Reads a document; what cannot be read is noted and left out.
pub(super) fn runbook(document: &Value, found: &mut Diagnostics) -> Runbook {
    let root = Path::default();
    let members = document.as_object().cloned().unwrap_or_default();
    if document.as_object().is_none() {
        found.error(&root, format!("a document is a mapping, not {}", named(document)));
    }
    schema_version(&members, found);
    let mut reader = Reader { found };
    let mut steps = Vec::new();
    reader.steps(members.get("mainSteps"), &root.key("mainSteps"), None, &mut steps);
    Runbook {
        description: reader.text(&members, "description", &root),
        parameters: reader.parameters(members.get("parameters"), &root.key("parameters")),
        variables: reader.variables(members.get("variables"), &root.key("variables")),
        outputs: reader.texts(members.get("outputs"), &root.key("outputs")),
        assume_role: reader.text(&members, "assumeRole", &root),
        files: reader.files(members.get("files"), &root.key("files")),
        warnings: Vec::new(),
        steps,
    }
}

fn schema_version(members: &Map, found: &mut Diagnostics) {
    let root = Path::default();
    match members.get("schemaVersion").map(parameter::text).as_deref() {
        Some(SCHEMA_VERSION) => {}
        Some(other) => found.error_with_hint(
            &root.key("schemaVersion"),
            format!("schema version `{other}` is not that of Automation documents"),
            "use \"0.3\"",
        ),
        None => {
            found.error_with_hint(
                &root,
                "`schemaVersion` is missing",
                "add schemaVersion: \"0.3\"",
            );
        }
    }
}

/// Reads one thing after another into the same list of problems.
struct Reader<'a> {
    found: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn parameters(&mut self, value: Option<&Value>, path: &Path) -> Vec<Parameter> {
        let members = self.mapping(value, path);
        members.iter().filter_map(|(name, one)| self.parameter(name, one, path)).collect()
    }

    fn parameter(&mut self, name: &str, value: &Value, path: &Path) -> Option<Parameter> {
        let path = path.key(name);
        let members = self.mapping(Some(value), &path);
        let kind = self.kind(&members, "type", &path)?;
        let allowed_pattern = self.text(&members, "allowedPattern", &path);
        if let Some(java) = &allowed_pattern
            && pattern::compile(java).is_err()
        {
            let text = format!("`{java}` is not a regular expression");
            self.found.error(&path.key("allowedPattern"), text);
        }
        Some(Parameter {
            name: name.to_owned(),
            kind,
            description: self.text(&members, "description", &path),
            default: members.get("default").cloned(),
            allowed_values: members
                .get("allowedValues")
                .and_then(Value::as_array)
                .map(<[_]>::to_vec),
            allowed_pattern,
            chars: bounds(&members, "minChars", "maxChars"),
            items: bounds(&members, "minItems", "maxItems"),
            value: bounds(&members, "minValue", "maxValue"),
        })
    }

    fn variables(&mut self, value: Option<&Value>, path: &Path) -> Vec<Variable> {
        let mut variables = Vec::new();
        for (name, one) in self.mapping(value, path).iter() {
            let path = path.key(name);
            let members = self.mapping(Some(one), &path);
            if let Some(kind) = self.kind(&members, "type", &path) {
                let default = members.get("default").cloned();
                variables.push(Variable { name: name.to_string(), kind, default });
            }
        }
        variables
    }

    fn files(&mut self, value: Option<&Value>, path: &Path) -> Vec<File> {
        let mut files = Vec::new();
        for (name, one) in self.mapping(value, path).iter() {
            let path = path.key(name);
            if !is_file_name(name) {
                let text = format!("file name `{name}` must match ^[a-zA-Z0-9_\\-.]{{3,128}}$");
                self.found.error(&path, text);
            }
            let members = self.mapping(Some(one), &path);
            let size = self.count(&members, "size", &path);
            let path = path.key("checksums");
            let checksums = self.mapping(members.get("checksums"), &path);
            let sha256 = CHECKSUM_KEYS.iter().find_map(|key| self.text(&checksums, key, &path));
            let sha256 = sha256.map(|sum| sum.trim().to_ascii_lowercase());
            let is_sum =
                |sum: &String| sum.len() == 64 && sum.chars().all(|c| c.is_ascii_hexdigit());
            if sha256.as_ref().is_some_and(|sum| !is_sum(sum)) {
                self.found.error(&path, "a SHA-256 has 64 hexadecimal digits");
            }
            files.push(File { name: name.to_string(), sha256, size });
        }
        files
    }

    /// Reads a list of steps behind those read so far, each loop's own behind it.
    fn steps(
        &mut self,
        value: Option<&Value>,
        path: &Path,
        parent: Option<usize>,
        steps: &mut Vec<Step>,
    ) {
        let Some(items) = value.and_then(Value::as_array) else {
            self.found.error(path, "a list of steps is needed here");
            return;
        };
        if items.is_empty() {
            // UNVERIFIED: AWS's schema asks for a step; published drafts without one exist.
            self.found.warning(path, "there are no steps");
        }
        let mut last: Option<usize> = None;
        for (number, item) in items.iter().enumerate() {
            let path = path.index(number);
            let index = steps.len();
            if let Some(before) = last.and_then(|last| steps.get_mut(last)) {
                before.following = Some(index);
            }
            last = Some(index);
            let step = self.step(item, &path, parent);
            let body =
                step.inputs.get("Steps").filter(|_| step.action.name == actions::LOOP).cloned();
            steps.push(step);
            if let Some(body) = body {
                let path = path.key("inputs").key("Steps");
                if loop_depth(steps, index) < LOOP_DEPTH_MAX {
                    self.steps(Some(&body), &path, Some(index), steps);
                } else {
                    self.found.error(&path, format!("loops nest deeper than {LOOP_DEPTH_MAX}"));
                }
            }
        }
    }

    /// Reads a step; one that is wrong stays in its place, so that what follows is judged rightly.
    fn step(&mut self, value: &Value, path: &Path, parent: Option<usize>) -> Step {
        let members = self.mapping(Some(value), path);
        let name = self.step_name(&members, path);
        let action = self.action(&members, path);
        let inputs = self.inputs(&members, path);
        for input in action.required.iter().filter(|input| inputs.get(input).is_none()) {
            let text = format!("step {name}: `{}` needs the input `{input}`", action.name);
            self.found.error(&path.key("inputs"), text);
        }
        Step {
            outputs: self.outputs(members.get("outputs"), path),
            description: self.text(&members, "description", path),
            max_attempts: self.count(&members, "maxAttempts", path).unwrap_or(1).max(1),
            timeout_seconds: self.count(&members, "timeoutSeconds", path),
            on_failure: self.on_failure(&members, path),
            on_cancel: self.on_cancel(&members, path),
            is_critical: self.flag(&members, "isCritical", path),
            is_end: self.flag(&members, "isEnd", path).unwrap_or(false),
            next_step: self.text(&members, "nextStep", path),
            name,
            action,
            inputs,
            parent,
            following: None,
            path: path.clone(),
        }
    }

    fn step_name(&mut self, members: &Map, path: &Path) -> String {
        let Some(name) = self.text(members, "name", path) else {
            self.found.error(path, "a step needs a `name`");
            return String::new();
        };
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            let text = format!("step name `{name}` must match ^[a-zA-Z0-9_]+$");
            self.found.error(&path.key("name"), text);
        }
        name
    }

    fn action(&mut self, members: &Map, path: &Path) -> &'static Action {
        let Some(name) = self.text(members, "action", path) else {
            self.found.error(path, "a step needs an `action`");
            return &actions::UNKNOWN;
        };
        if let Some(action) = actions::find(&name) {
            return action;
        }
        let step = members.get("name").and_then(Value::as_str).unwrap_or_default();
        let text = format!("step {step}: unknown action `{name}`");
        match actions::similar(&name) {
            Some(near) => {
                let hint = format!("did you mean {near}?");
                self.found.error_with_hint(&path.key("action"), text, hint);
            }
            None => self.found.error(&path.key("action"), text),
        }
        &actions::UNKNOWN
    }

    fn inputs(&mut self, members: &Map, path: &Path) -> Value {
        match members.get("inputs") {
            Some(inputs @ Value::Object(_)) => inputs.clone(),
            Some(Value::Null) => Value::object(),
            Some(other) => {
                let text = format!("`inputs` is a mapping, not {}", named(other));
                self.found.error(&path.key("inputs"), text);
                Value::object()
            }
            None => {
                self.found.error_with_hint(path, "a step needs `inputs`", "write inputs: {}");
                Value::object()
            }
        }
    }

    fn outputs(&mut self, value: Option<&Value>, path: &Path) -> Vec<OutputDeclaration> {
        let path = path.key("outputs");
        let mut outputs = Vec::new();
        for (index, item) in self.list(value, &path).iter().enumerate() {
            let path = path.index(index);
            let members = self.mapping(Some(item), &path);
            let (Some(name), Some(selector)) =
                (self.text(&members, "Name", &path), self.text(&members, "Selector", &path))
            else {
                self.found.error(&path, "an output needs `Name` and `Selector`");
                continue;
            };
            if let Err(err) = selector::check(&selector) {
                self.found.error(&path.key("Selector"), err.to_string());
            }
            // AWS's older documents leave the type out; it is a text then.
            let kind = match members.get("Type") {
                Some(_) => self.kind(&members, "Type", &path).unwrap_or(Type::String),
                None => Type::String,
            };
            outputs.push(OutputDeclaration { name, selector, kind });
        }
        outputs
    }

    fn on_failure(&mut self, members: &Map, path: &Path) -> Option<OnFailure> {
        let text = self.text(members, "onFailure", path)?;
        match (text.as_str(), text.strip_prefix("step:")) {
            ("Abort", _) => Some(OnFailure::Abort),
            ("Continue", _) => Some(OnFailure::Continue),
            (_, Some(step)) => Some(OnFailure::Step(step.trim().to_owned())),
            (_, None) => {
                let message = format!("`{text}` is not Abort, Continue or step:NAME");
                self.found.error(&path.key("onFailure"), message);
                None
            }
        }
    }

    fn on_cancel(&mut self, members: &Map, path: &Path) -> Option<String> {
        let text = self.text(members, "onCancel", path)?;
        let step = text.strip_prefix("step:").map(|step| step.trim().to_owned());
        if step.is_none() && text != "Abort" {
            let message = format!("`{text}` is not Abort or step:NAME");
            self.found.error(&path.key("onCancel"), message);
        }
        step
    }

    fn kind(&mut self, members: &Map, key: &str, path: &Path) -> Option<Type> {
        let Some(name) = self.text(members, key, path) else {
            self.found.error(path, format!("`{key}` is missing"));
            return None;
        };
        let kind = Type::parse(&name);
        if kind.is_none() {
            let text = format!("`{name}` is not a type");
            let hint = "use String, StringList, Boolean, Integer, StringMap or MapList";
            self.found.error_with_hint(&path.key(key), text, hint);
        }
        kind
    }

    fn text(&mut self, members: &Map, key: &str, path: &Path) -> Option<String> {
        match members.get(key) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.to_string()),
            Some(scalar @ (Value::Bool(_) | Value::Number(_))) => Some(scalar.to_string()),
            Some(other @ (Value::Array(_) | Value::Object(_))) => {
                let message = format!("`{key}` is a text, not {}", named(other));
                self.found.error(&path.key(key), message);
                None
            }
        }
    }

    fn count(&mut self, members: &Map, key: &str, path: &Path) -> Option<u64> {
        let value = members.get(key)?;
        let count = match value.as_str() {
            // UNVERIFIED: a reference as a number is kept out of 985 documents; it means no limit.
            Some(text) if text.contains("{{") => return None,
            Some(text) => text.trim().parse().ok(),
            None => value.as_i64().and_then(|number| u64::try_from(number).ok()),
        };
        if count.is_none() {
            self.found.error(&path.key(key), format!("`{key}` is a whole number"));
        }
        count
    }

    fn flag(&mut self, members: &Map, key: &str, path: &Path) -> Option<bool> {
        let value = members.get(key)?;
        let flag = match value.as_str() {
            Some(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Some(false),
            Some(_) | None => value.as_bool(),
        };
        if flag.is_none() {
            self.found.error(&path.key(key), format!("`{key}` is true or false"));
        }
        flag
    }

    fn texts(&mut self, value: Option<&Value>, path: &Path) -> Vec<String> {
        self.list(value, path).iter().map(parameter::text).collect()
    }

    fn list(&mut self, value: Option<&Value>, path: &Path) -> Vec<Value> {
        match value {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => items.to_vec(),
            Some(other) => {
                self.found.error(path, format!("a list is needed here, not {}", named(other)));
                Vec::new()
            }
        }
    }

    fn mapping(&mut self, value: Option<&Value>, path: &Path) -> Map {
        match value {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(members)) => Map::clone(members),
            Some(other) => {
                self.found.error(path, format!("a mapping is needed here, not {}", named(other)));
                Map::new()
            }
        }
    }
}

/// Returns whether a name can be an attachment's: `AttachmentIdentifier` of the API model.
fn is_file_name(name: &str) -> bool {
    (3..=128).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
}

/// Returns how many loops are around a step.
fn loop_depth(steps: &[Step], index: usize) -> usize {
    std::iter::successors(Some(index), |at| steps.get(*at)?.parent).count()
}

fn bounds(members: &Map, min: &str, max: &str) -> Bounds {
    let limit = |key: &str| {
        let value = members.get(key)?;
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    };
    Bounds { min: limit(min), max: limit(max) }
}

fn named(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}
