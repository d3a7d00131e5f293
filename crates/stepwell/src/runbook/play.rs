//! Running one runbook on a server of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use automation::{Format, Runbook};
use value::{Value, value};

use super::live::Live;
use super::look::{Ask, Seen, look, text};
use crate::cli::hint;
use crate::cli::paint::Paint;
use crate::example::{self, Conditions, Session, everything};

/// The role that the runbook assumes when nobody names another.
const ROLE: &str = "automation";
/// How often the execution is looked at.
const LOOK_MILLIS: u64 = 20;
/// The shortest name of a document.
const NAME_CHARACTERS_MIN: usize = 3;
/// The longest name of a document.
const NAME_CHARACTERS_MAX: usize = 128;

/// What is to be run.
pub(crate) struct Play {
    /// The runbook.
    pub(crate) path: PathBuf,
    /// Runbooks that it runs, under their files' names.
    pub(crate) with: Vec<PathBuf>,
    /// `Map<String, List<String>>`.
    pub(crate) parameters: Value,
    pub(crate) conditions: Conditions,
    /// How steps are shown while they run; none means not at all.
    pub(crate) paint: Option<Paint>,
}

/// How it ended.
pub(crate) struct Outcome {
    pub(crate) seen: Seen,
    /// When, in epoch seconds on the server's clock.
    pub(crate) now: f64,
}

impl Outcome {
    /// Returns whether it ended in success.
    pub(crate) fn is_success(&self) -> bool {
        text(&self.seen.record, "AutomationExecutionStatus") == "Success"
    }
}

/// Returns whether a file holds a runbook: a document with a `schemaVersion`.
pub(crate) fn is_runbook(path: &Path) -> bool {
    let name = path.to_string_lossy();
    if name.ends_with(".asl.json") || name.ends_with(".asl.yaml") || !path.is_file() {
        return false;
    }
    let text = std::fs::read_to_string(path).unwrap_or_default();
    automation::document::read(&text, format(path))
        .is_ok_and(|document| document.get("schemaVersion").is_some())
}

fn format(path: &Path) -> Format {
    let json = path.extension().is_some_and(|ending| ending == "json");
    if json { Format::Json } else { Format::Yaml }
}

/// Runs a runbook to its end, or to where it waits for somebody.
///
/// # Errors
/// When it cannot be read or started; an execution that fails is an outcome.
pub(crate) async fn play(play: &Play) -> Result<Outcome> {
    let main = Document::read(&play.path)?;
    let others = play.with.iter().map(|path| Document::read(path)).collect::<Result<Vec<_>>>()?;
    example::on_a_server_of_its_own(&play.conditions, async |services| {
        let mut session = Session::new(services, &Value::Null);
        prepare(&mut session).await?;
        for document in others.iter().chain([&main]) {
            document.create(&mut session).await?;
        }
        let parameters = main.with_role(play.parameters.clone(), &session);
        let given = parameters.as_object().is_some_and(|given| !given.is_empty());
        let start = value!({ "DocumentName": &main.name })
            .with_some("Parameters", given.then_some(parameters));
        let started = session.ssm("StartAutomationExecution", start).await?;
        let id = text(&started, "AutomationExecutionId").to_owned();
        follow(&mut session, &id, Live::new(play.paint)).await
    })
    .await
}

/// Looks on until the execution is over, or waits for somebody who is not there.
async fn follow(session: &mut Session, id: &str, mut live: Live) -> Result<Outcome> {
    loop {
        let seen = look(session, id).await?;
        let status = text(&seen.record, "AutomationExecutionStatus");
        let waits = status == "Waiting";
        let is_over = waits || seen.record.get("ExecutionEndTime").is_some();
        let now = session.now_millis() as f64 / 1000.0;
        live.show(&seen, now, is_over);
        if is_over {
            return Ok(Outcome { seen, now });
        }
        tokio::time::sleep(Duration::from_millis(LOOK_MILLIS)).await;
    }
}

/// Makes a role that may do everything.
async fn prepare(session: &mut Session) -> Result<()> {
    let trust = value!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"Service": "ssm.amazonaws.com"},
            "Action": "sts:AssumeRole"
        }]
    });
    let role = value!({"RoleName": ROLE, "AssumeRolePolicyDocument": trust.to_string()});
    let policy = value!({
        "RoleName": ROLE, "PolicyName": "everything", "PolicyDocument": everything(),
    });
    for (operation, input) in [("CreateRole", role), ("PutRolePolicy", policy)] {
        let made = session.ask("iam", operation, input).await;
        made.map_err(|err| anyhow!("iam:{operation}: {}", err.message))?;
    }
    Ok(())
}

impl Ask for Session {
    async fn ssm(&mut self, operation: &str, input: Value) -> Result<Value> {
        let answer = self.ask("ssm", operation, input).await;
        answer.map_err(|err| anyhow!("ssm:{operation}: {}: {}", err.code, err.message))
    }
}

/// A runbook of a file.
struct Document {
    name: String,
    text: String,
    format: Format,
    /// The parameter that names the role.
    role_parameter: Option<String>,
}

impl Document {
    fn read(path: &Path) -> Result<Document> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let format = format(path);
        if let Err(invalid) = Runbook::parse(&text, format) {
            let lines = invalid.diagnostics.iter().map(|problem| {
                let (line, column) = problem.position.map_or((1, 1), |it| (it.line, it.column));
                let help = problem.hint.as_ref().map(|help| format!("\n    hint: {help}"));
                let file = path.display();
                format!("{file}:{line}:{column}: {}{}", problem.message, help.unwrap_or_default())
            });
            bail!("the runbook cannot be used\n{}", lines.collect::<Vec<_>>().join("\n"));
        }
        let data = automation::document::read(&text, format).unwrap_or_default();
        let role = data.get("assumeRole").and_then(Value::as_str).unwrap_or_default().trim();
        let parameter = role.strip_prefix("{{").and_then(|role| role.strip_suffix("}}"));
        let role_parameter = parameter.map(|name| name.trim().to_owned());
        Ok(Document { name: name_of(path), text, format, role_parameter })
    }

    async fn create(&self, session: &mut Session) -> Result<()> {
        let input = value!({
            "Name": &self.name, "Content": &self.text, "DocumentType": "Automation",
            "DocumentFormat": self.format.to_string(),
        });
        session.ssm("CreateDocument", input).await.map(drop)
    }

    /// Adds the role that may do everything, where a parameter names the role and nobody gave it.
    fn with_role(&self, parameters: Value, session: &Session) -> Value {
        match &self.role_parameter {
            Some(name) if parameters.get(name).is_none() => {
                let role = format!("arn:aws:iam::{}:role/{ROLE}", session.account());
                parameters.with(name.as_str(), value!([role]))
            }
            Some(_) | None => parameters,
        }
    }
}

/// Returns the name of a file's document: the file's, made one that Systems Manager takes.
fn name_of(path: &Path) -> String {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    let name: String = stem.chars().map(|it| if allowed(it) { it } else { '_' }).collect();
    let lower = name.to_ascii_lowercase();
    let is_reserved = ["aws", "amazon", "amzn"].iter().any(|prefix| lower.starts_with(prefix));
    let name =
        if is_reserved || name.len() < NAME_CHARACTERS_MIN { format!("my-{name}") } else { name };
    name.chars().take(NAME_CHARACTERS_MAX).collect()
}

/// Returns the parameters that `NAME=VALUE` arguments are; a name given again makes a list longer.
///
/// # Errors
/// When one has no `=`.
pub(crate) fn parameters(given: &[String]) -> Result<Value> {
    let mut all = Value::object();
    for one in given {
        let (name, text) = one
            .split_once('=')
            .with_context(|| format!("`{one}` is not NAME=VALUE"))
            .map_err(|err| hint(err, "write --param UserName=kim"))?;
        let mut list = all.get(name).and_then(Value::as_array).unwrap_or_default().to_vec();
        list.push(Value::from(text));
        all.set(name, list);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_lists() {
        let given = ["A=1".to_owned(), "B=x=y".to_owned(), "A=2".to_owned()];
        assert_eq!(parameters(&given).unwrap(), value!({"A": ["1", "2"], "B": ["x=y"]}));
        assert!(parameters(&["A".to_owned()]).is_err());
    }

    #[test]
    fn a_document_has_the_name_of_its_file() {
        for (file, name) in
            [("x/Stop It.yaml", "Stop_It"), ("a.json", "my-a"), ("AWS-x", "my-AWS-x")]
        {
            assert_eq!(name_of(Path::new(file)), name);
        }
    }
}
