//! Files that hold state machines: definitions, CloudFormation and SAM templates, in JSON or YAML.
//!
//! `yaml` reads YAML as JSON with places, `template` finds machines in templates, `placeholders`
//! knows what a deployment fills in.

mod placeholders;
mod template;
mod too_far_left;
mod yaml;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use asl::{
    Diagnostic, Member, Node, NodeKind, Options, Position, Resources, Span, StateMachineType,
};

use value::Value;

use placeholders::Placeholders;
use template::Definition;
pub(crate) use template::intrinsic;

/// The largest file that is read.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// How many templates may name each other.
const FILES_DEPTH_MAX: usize = 4;

/// A file's text.
#[derive(Debug)]
pub(crate) struct File {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// What it says.
    pub(crate) text: String,
}

/// One thing in a file that can be looked at.
#[derive(Debug)]
pub(crate) struct Source {
    /// The file it stands in.
    pub(crate) file: Arc<File>,
    /// The resource of a template.
    pub(crate) logical_id: Option<String>,
    /// What it is.
    pub(crate) content: Content,
}

/// What a file holds.
#[derive(Debug)]
pub(crate) enum Content {
    /// A state machine.
    Machine(Box<Machine>),
    /// A runbook of Systems Manager.
    Runbook(automation::Format),
    /// A state machine whose definition is not here.
    Elsewhere,
    /// Nothing that can be read.
    Broken(Box<Diagnostic>),
}

/// A state machine as it stands in a file.
#[derive(Debug)]
pub(crate) struct Machine {
    runs_as: StateMachineType,
    /// The text that `node` was read from.
    text: String,
    node: Node,
    placeholders: Placeholders,
    /// Of a definition that is a text within a file: where its characters stand in the file.
    places: Option<Vec<Position>>,
}

impl Machine {
    /// Returns every problem, with places in the file.
    pub(crate) fn diagnose(
        &self,
        as_type: Option<StateMachineType>,
        resources: &dyn Resources,
    ) -> Vec<Diagnostic> {
        let options = Options { machine_type: as_type.unwrap_or(self.runs_as), resources };
        let mut found = asl::diagnose(&self.text, &self.node, &options);
        found.retain(|problem| !self.placeholders.cover(problem));
        for problem in &mut found {
            problem.span = problem.span.map(|span| self.in_file(span));
        }
        found
    }

    /// Returns what it runs as.
    pub(crate) fn machine_type(&self) -> StateMachineType {
        self.runs_as
    }

    /// Returns the definition.
    pub(crate) fn value(&self) -> Value {
        self.node.to_value()
    }

    fn in_file(&self, span: Span) -> Span {
        let Some(places) = &self.places else { return span };
        let place = |position: Position| {
            let before = self.text.get(..position.offset).unwrap_or_default().chars().count();
            places.get(before).or(places.last()).copied().unwrap_or(Position::START)
        };
        Span { start: place(span.start), end: place(span.end) }
    }
}

/// Reads what a file holds.
///
/// # Errors
/// When it cannot be read, or holds nothing of the kind.
pub(crate) fn read(path: &Path) -> Result<Vec<Source>> {
    read_within(path, 0)
}

/// Returns the one machine of a file that is meant.
///
/// # Errors
/// When the file holds none, or several and it is not said which one.
pub(crate) fn one_machine(path: &Path, logical_id: Option<&str>) -> Result<Machine> {
    let sources = read(path)?;
    let mut names = Vec::new();
    let mut found = Vec::new();
    for source in sources {
        let name = source.logical_id.clone().unwrap_or_default();
        let wanted = logical_id.is_none_or(|wanted| wanted == name);
        match source.content {
            Content::Machine(machine) if wanted => found.push(*machine),
            Content::Broken(problem) if wanted => return Err(placed(path, &problem)),
            Content::Machine(_) | Content::Broken(_) | Content::Runbook(_) | Content::Elsewhere => {
            }
        }
        names.push(name);
    }
    let (file, names) = (path.display(), names.join(", "));
    match found.len() {
        1 => found.pop().context("a machine"),
        0 => bail!("{file} holds no state machine of that name, or not its definition: {names}"),
        _ => bail!("{file} holds several state machines: one of {names} must be chosen"),
    }
}

/// Returns what a JSON or YAML file says.
///
/// # Errors
/// When it cannot be read; the error names the place.
pub(crate) fn read_value(path: &Path) -> Result<Value> {
    let (_, node) = read_node(path)?;
    Ok(node.map_err(|problem| placed(path, &problem))?.to_value())
}

/// Returns a problem of a text with its place, without the text that AWS puts behind it.
fn placed(path: &Path, problem: &Diagnostic) -> anyhow::Error {
    let place = problem.span.map_or((1, 1), |span| (span.start.line, span.start.column));
    let message = problem.message.lines().next().unwrap_or_default();
    anyhow!("{}:{}:{}: {message}", path.display(), place.0, place.1)
}

/// Returns the text of a JSON or YAML file, and what it says with its places.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn read_node(path: &Path) -> Result<(String, Result<Node, Box<Diagnostic>>)> {
    let text = read_text(path)?;
    let node = if is_json(path, &text) { Node::parse(&text) } else { yaml::parse(&text) };
    Ok((text, node))
}

fn read_text(path: &Path) -> Result<String> {
    let reading = || format!("reading {}", path.display());
    if path.metadata().with_context(reading)?.len() > FILE_BYTES_MAX {
        bail!("{} is larger than {FILE_BYTES_MAX} bytes", path.display());
    }
    std::fs::read_to_string(path).with_context(reading)
}

fn read_within(path: &Path, depth: usize) -> Result<Vec<Source>> {
    let text = read_text(path)?;
    let file = Arc::new(File { path: path.to_owned(), text });
    let one = |content| Ok(vec![Source { file: file.clone(), logical_id: None, content }]);
    let json = is_json(path, &file.text);
    let (text, mut placeholders) = if json {
        Placeholders::unquoted(&file.text)
    } else {
        (file.text.clone(), Placeholders::default())
    };
    let node = match if json { Node::parse(&text) } else { yaml::parse(&text) } {
        Ok(node) => node,
        // CreateDocument reads some YAML that is no good YAML; what it takes is a runbook here too.
        Err(_) if !json && is_runbook(&text) => {
            return one(Content::Runbook(automation::Format::Yaml));
        }
        Err(problem) => return one(Content::Broken(problem)),
    };
    if node.get("Resources").is_some() {
        return templated(&file, &node, depth);
    }
    if node.get("schemaVersion").is_some() && node.get("mainSteps").is_some() {
        let format = if json { automation::Format::Json } else { automation::Format::Yaml };
        return one(Content::Runbook(format));
    }
    if !["States", "StartAt"].iter().any(|name| node.get(name).is_some()) {
        bail!("{} holds no state machine, template or runbook", path.display());
    }
    let node = without_intrinsics(node);
    placeholders.look(&node);
    let machine_type = StateMachineType::Standard;
    one(Content::Machine(Box::new(Machine {
        runs_as: machine_type,
        text,
        node,
        placeholders,
        places: None,
    })))
}

fn is_runbook(yaml: &str) -> bool {
    let document = automation::document::read(yaml, automation::Format::Yaml).ok();
    document.is_some_and(|document| {
        document.get("schemaVersion").is_some() && document.get("mainSteps").is_some()
    })
}

/// JSON by its name, or by how it begins.
fn is_json(path: &Path, text: &str) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    match extension {
        Some("yaml" | "yml") => false,
        Some("json") => true,
        Some(_) | None => text.trim_start().starts_with(['{', '[']),
    }
}

fn templated(file: &Arc<File>, template: &Node, depth: usize) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for declared in template::machines(&file.text, template) {
        let machine_type = declared.machine_type;
        let content = match declared.definition {
            Definition::Object(node) => {
                let node = without_intrinsics(node.clone());
                let mut placeholders = Placeholders::default();
                placeholders.look(&node);
                let text = file.text.clone();
                let machine =
                    Machine { runs_as: machine_type, text, node, placeholders, places: None };
                Content::Machine(Box::new(machine))
            }
            Definition::Text(assembled) => embedded(machine_type, assembled),
            Definition::File(name) if depth < FILES_DEPTH_MAX => {
                let beside = file.path.parent().unwrap_or(Path::new("")).join(name);
                if beside.is_file() {
                    sources.extend(beside_template(&beside, machine_type, depth)?);
                    continue;
                }
                Content::Elsewhere
            }
            Definition::File(_) | Definition::Elsewhere => Content::Elsewhere,
        };
        let logical_id = Some(declared.logical_id.to_owned());
        sources.push(Source { file: file.clone(), logical_id, content });
    }
    Ok(sources)
}

/// Reads the definition that a template names; it runs as the template says.
fn beside_template(
    path: &Path,
    machine_type: StateMachineType,
    depth: usize,
) -> Result<Vec<Source>> {
    let mut sources = read_within(path, depth + 1)?;
    for source in &mut sources {
        if let Content::Machine(machine) = &mut source.content {
            machine.runs_as = machine_type;
        }
    }
    Ok(sources)
}

/// Reads a definition that is a text within a template.
fn embedded(machine_type: StateMachineType, assembled: placeholders::Assembled) -> Content {
    let (text, mut placeholders) = Placeholders::unquoted(&assembled.text);
    let places = Some(assembled.places);
    match Node::parse(&text) {
        Ok(node) => {
            placeholders.look(&node);
            Content::Machine(Box::new(Machine {
                runs_as: machine_type,
                text,
                node,
                placeholders,
                places,
            }))
        }
        Err(mut problem) => {
            let nothing = Node { kind: NodeKind::Array(Vec::new()), span: NOWHERE };
            let machine =
                Machine { runs_as: machine_type, text, node: nothing, placeholders, places };
            problem.span = problem.span.map(|span| machine.in_file(span));
            Content::Broken(problem)
        }
    }
}

const NOWHERE: Span = Span { start: Position::START, end: Position::START };

/// Puts a placeholder for every intrinsic function of CloudFormation.
fn without_intrinsics(node: Node) -> Node {
    let span = node.span;
    if template::intrinsic(&node).is_some() {
        return Node { kind: NodeKind::String("${Computed}".into()), span };
    }
    let kind = match node.kind {
        NodeKind::Array(items) => {
            NodeKind::Array(items.into_iter().map(without_intrinsics).collect())
        }
        NodeKind::Object(members) => {
            let members = members.into_iter().map(|Member { key, key_span, node }| Member {
                key,
                key_span,
                node: without_intrinsics(node),
            });
            NodeKind::Object(members.collect())
        }
        kind @ (NodeKind::Scalar(_) | NodeKind::String(_)) => kind,
    };
    Node { kind, span }
}
