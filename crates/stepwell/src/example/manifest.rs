//! `stepwell.yaml`: what an example is made of.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use automation::Format;
use value::{Value, value};

use super::everything;
use crate::cli::hint;
use crate::definitions;

/// The file that makes a folder an example.
const FILE_NAME: &str = "stepwell.yaml";
/// The largest file of an example.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// An example.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// One line on what it shows.
    pub(super) description: String,
    /// `$input` in expressions.
    pub(crate) input: Value,
    /// What to deploy, in order.
    pub(super) stacks: Vec<Stack>,
    /// Calls to make before the start.
    pub(super) setup: Vec<Call>,
    /// What has been done once they are made.
    pub(super) set_up: String,
    /// The call that starts it.
    pub(super) start: Call,
    /// The ARN of the state machine whose execution is followed.
    pub(super) watch: Value,
    /// How that execution should end.
    pub(super) status: String,
    /// What must be true afterwards.
    pub(super) checks: Vec<Check>,
}

/// A CloudFormation stack.
#[derive(Debug)]
pub(super) struct Stack {
    pub(super) name: String,
    pub(super) template: String,
    pub(super) capabilities: Value,
    pub(super) parameters: Vec<(String, Value)>,
}

/// A call of an AWS operation.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) service: String,
    pub(super) operation: String,
    /// With the API model's member names; may hold expressions.
    pub(super) input: Value,
    /// Under this name later expressions find the answer.
    pub(super) remembered_as: Option<String>,
    /// The seed of an MFA device, whose two codes are added to the input.
    pub(super) one_time_codes_of: Option<Value>,
}

/// Something that must be true afterwards.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) claim: String,
    pub(super) call: Call,
    pub(super) judge: Judge,
}

/// What a check's call must give.
#[derive(Debug)]
pub(super) enum Judge {
    /// An answer.
    Answers,
    /// An answer for which this expression is true.
    Holds(Value),
    /// This error.
    Fails(String),
}

impl Call {
    /// Returns `iam:GetUser`.
    pub(super) fn label(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }
}

impl Manifest {
    /// Reads a folder's manifest, or makes one for a single state machine; `logical_id` chooses one
    /// of a template.
    ///
    /// # Errors
    /// When a file cannot be read or says something else; the error names file and place.
    pub(crate) fn read(path: &Path, logical_id: Option<&str>) -> Result<Manifest> {
        if path.is_file() {
            return Manifest::of_machine(path, logical_id);
        }
        let file = path.join(FILE_NAME);
        if !file.is_file() {
            let what = if path.is_dir() {
                format!("there is no {FILE_NAME} in {}", path.display())
            } else {
                format!("there is no {}", path.display())
            };
            return Err(hint(
                anyhow!(what),
                "name a folder with a stepwell.yaml, a state machine (.asl.json, .asl.yaml), a \
                 template with one, or a runbook (.yaml, .json)",
            ));
        }
        let folder = Folder { path: path.to_owned() };
        let document = folder.document(FILE_NAME)?;
        folder
            .manifest(&document)
            .with_context(|| format!("{} is not a manifest", file.display()))
            .map_err(|err| hint(err, "docs/run.md describes the format"))
    }

    /// Returns the manifest for a state machine alone, with a role that may do everything.
    fn of_machine(path: &Path, logical_id: Option<&str>) -> Result<Manifest> {
        let text = definition(path, logical_id)?;
        let trust = value!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": {"Service": "states.amazonaws.com"},
                "Action": "sts:AssumeRole"
            }]
        });
        let call = |service: &str, operation: &str, input: Value, name: Option<&str>| Call {
            service: service.to_owned(),
            operation: operation.to_owned(),
            input,
            remembered_as: name.map(str::to_owned),
            one_time_codes_of: None,
        };
        let role = value!({"RoleName": "machine", "AssumeRolePolicyDocument": trust.to_string()});
        let policy = value!({
            "RoleName": "machine", "PolicyName": "everything", "PolicyDocument": everything()
        });
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let name = name.split('.').next().unwrap_or_default();
        let machine = value!({
            "name": name, "definition": text, "roleArn": "{% $role.Role.Arn %}"
        });
        let arn = "{% $machine.stateMachineArn %}";
        let start = value!({"stateMachineArn": arn, "input": "{% $string($input) %}"});
        Ok(Manifest {
            description: path.display().to_string(),
            input: value!({}),
            stacks: Vec::new(),
            setup: vec![
                call("iam", "CreateRole", role, Some("role")),
                call("iam", "PutRolePolicy", policy, None),
                call("stepfunctions", "CreateStateMachine", machine, Some("machine")),
            ],
            set_up: "state machine created, with a role that may do everything".to_owned(),
            start: call("stepfunctions", "StartExecution", start, None),
            watch: Value::from(arn),
            status: "SUCCEEDED".to_owned(),
            checks: Vec::new(),
        })
    }
}

/// Returns the definition of a machine in a file; of a template without what its deployment would
/// fill in.
fn definition(path: &Path, logical_id: Option<&str>) -> Result<String> {
    let machine = definitions::one_machine(path, logical_id)
        .map_err(|err| hint(err, "--machine chooses a machine of a template"))?;
    let mut problems = machine.diagnose(None, &runtime::integrations::Served);
    problems.retain(|problem| problem.severity == asl::Severity::Error);
    if problems.is_empty() {
        Ok(machine.value().to_string())
    } else {
        Err(unusable(path, &problems))
    }
}

/// Returns what a definition with problems is refused with.
fn unusable(path: &Path, problems: &[asl::Diagnostic]) -> anyhow::Error {
    let lines = problems.iter().map(|found| {
        let place = found.span.map_or((1, 1), |span| (span.start.line, span.start.column));
        let hint = found.hint.as_ref().map(|hint| format!("\n    hint: {hint}"));
        let (file, (line, column)) = (path.display(), place);
        format!("{file}:{line}:{column}: {found}{}", hint.unwrap_or_default())
    });
    let lines: Vec<String> = lines.collect();
    anyhow!("the definition cannot be used\n{}", lines.join("\n"))
}

/// The folder of an example.
struct Folder {
    path: PathBuf,
}

impl Folder {
    fn manifest(&self, document: &Value) -> Result<Manifest> {
        let expect = document.get("expect").cloned().unwrap_or_else(|| value!({}));
        let checks = list(&expect, "checks")?;
        let stacks = list(document, "stacks")?;
        let setup = match document.get("setup") {
            Some(setup) => self.content(setup)?,
            None => value!([]),
        };
        let setup = setup.as_array().context("`setup` is not a list of calls")?;
        let set_up = format!("{} calls made to set up", setup.len());
        Ok(Manifest {
            description: optional(document, "description").unwrap_or_default(),
            input: document.get("input").cloned().unwrap_or_else(|| value!({})),
            stacks: stacks.iter().map(|stack| self.stack(stack)).collect::<Result<_>>()?,
            setup: setup.iter().map(call).collect::<Result<_>>().context("in `setup`")?,
            set_up,
            start: call(document.get("start").context("`start` is missing")?).context("`start`")?,
            watch: document.get("watch").cloned().context("`watch` is missing")?,
            status: optional(&expect, "status").unwrap_or_else(|| "SUCCEEDED".to_owned()),
            checks: checks.iter().map(check).collect::<Result<_>>().context("in `checks`")?,
        })
    }

    fn stack(&self, stack: &Value) -> Result<Stack> {
        let name = required(stack, "name")?;
        let parameters = stack.get("parameters").and_then(Value::as_object);
        let parameters = parameters.into_iter().flat_map(value::Map::iter);
        let parameters = parameters.map(|(key, value)| Ok((key.to_string(), self.content(value)?)));
        Ok(Stack {
            template: self.text(&required(stack, "template")?)?,
            capabilities: stack.get("capabilities").cloned().unwrap_or_else(|| value!([])),
            parameters: parameters.collect::<Result<_>>()?,
            name,
        })
    }

    /// Returns a value, or for `{file: NAME}` the content of that file: text, or what a `.json` or
    /// `.yaml` that is no definition holds.
    fn content(&self, value: &Value) -> Result<Value> {
        let file = value.as_object().and_then(|members| members.get("file")).cloned();
        match file.as_ref().and_then(Value::as_str) {
            Some(name) if name.ends_with(".asl.json") => Ok(Value::from(self.text(name)?)),
            Some(name) => self.document(name),
            None => Ok(value.clone()),
        }
    }

    fn text(&self, name: &str) -> Result<String> {
        read_text(&self.path.join(name))
    }

    fn document(&self, name: &str) -> Result<Value> {
        let json = Path::new(name).extension().is_some_and(|ending| ending == "json");
        let format = if json { Format::Json } else { Format::Yaml };
        let path = self.path.join(name);
        automation::document::read(&self.text(name)?, format).map_err(|err| {
            let (line, column) = (err.position.line, err.position.column);
            anyhow!("{}:{line}:{column}: {}", path.display(), err.message)
        })
    }
}

fn read_text(path: &Path) -> Result<String> {
    let bytes = std::fs::metadata(path).map(|metadata| metadata.len());
    let bytes = bytes.with_context(|| format!("{} cannot be read", path.display()))?;
    if FILE_BYTES_MAX < bytes {
        bail!("{} is larger than {FILE_BYTES_MAX} bytes", path.display());
    }
    std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

fn call(given: &Value) -> Result<Call> {
    let name = required(given, "call")?;
    let (service, operation) =
        name.split_once(':').with_context(|| format!("`{name}` is not `service:Operation`"))?;
    Ok(Call {
        service: service.to_owned(),
        operation: operation.to_owned(),
        input: given.get("input").cloned().unwrap_or_else(|| value!({})),
        remembered_as: optional(given, "as"),
        one_time_codes_of: given.get("oneTimeCodesOf").cloned(),
    })
}

fn check(given: &Value) -> Result<Check> {
    let judge = match (optional(given, "error"), given.get("that")) {
        (Some(_), Some(_)) => bail!("a check has `error` or `that`, not both"),
        (Some(code), None) => Judge::Fails(code),
        (None, Some(condition)) => Judge::Holds(condition.clone()),
        (None, None) => Judge::Answers,
    };
    Ok(Check { claim: required(given, "claim")?, call: call(given)?, judge })
}

fn optional(given: &Value, name: &str) -> Option<String> {
    given.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn required(given: &Value, name: &str) -> Result<String> {
    optional(given, name).with_context(|| format!("`{name}` is missing in {given}"))
}

fn list(given: &Value, name: &str) -> Result<Vec<Value>> {
    match given.get(name) {
        None => Ok(Vec::new()),
        Some(found) => {
            let items = found.as_array().with_context(|| format!("`{name}` is not a list"))?;
            Ok(items.to_vec())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/delete-iam-user")
    }

    #[test]
    fn the_example_is_read_with_its_files() {
        let manifest = Manifest::read(&example(), None).unwrap();
        assert_eq!(manifest.stacks.len(), 1);
        assert_eq!(manifest.setup.len(), 14);
        assert_eq!(manifest.start.label(), "events:PutEvents");
        assert_eq!(manifest.checks.len(), 5);
    }

    #[test]
    fn the_event_of_the_example_is_the_event_of_its_manifest() {
        let manifest = Manifest::read(&example(), None).unwrap();
        let known = jsonata::Bindings::new().with("input", manifest.input.clone());
        let filled = super::super::expression::fill(&manifest.start.input, &known).unwrap();
        let text = std::fs::read_to_string(example().join("event.json")).unwrap();
        let event = value::parse(&text).unwrap();
        let detail = |entry: Option<&Value>| {
            let text = entry.and_then(|entry| entry.get("Detail")).and_then(Value::as_str);
            value::parse(text.unwrap()).unwrap()
        };
        let (from_manifest, from_file) = (filled.get("Entries").unwrap().at(0), event.at(0));
        assert_eq!(detail(from_manifest), detail(from_file));
        for member in ["Source", "DetailType"] {
            assert_eq!(from_manifest.unwrap().get(member), from_file.unwrap().get(member));
        }
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        let folder = std::env::temp_dir().join(format!("stepwell-manifest-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(FILE_NAME), "start: [1,\n").unwrap();
        let err = format!("{:#}", Manifest::read(&folder, None).unwrap_err());
        assert!(err.contains("stepwell.yaml:"), "{err}");
        std::fs::write(folder.join(FILE_NAME), "watch: x\nstart: {call: oops}\n").unwrap();
        let err = format!("{:#}", Manifest::read(&folder, None).unwrap_err());
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(err.contains("`oops` is not `service:Operation`"), "{err}");
    }
}
