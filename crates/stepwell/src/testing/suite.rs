//! A file of cases, as it is written.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use asl::{AnyResource, Definition, Options, StateMachineType};
use value::{Map, Value};

use super::expect::Expect;
use super::mock::{self, Mocks};
use crate::cli::hint;
use crate::definitions;

/// The account and the region that a function without an ARN is in.
const FUNCTION_ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function";

/// The cases of one machine.
pub(super) struct Suite {
    pub(super) definition: Definition,
    pub(super) cases: Vec<Case>,
}

/// One execution to be tested.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) input: Value,
    /// By the name of the state.
    pub(super) mocks: BTreeMap<String, Mocks>,
    pub(super) expect: Expect,
}

impl Suite {
    /// Reads a file.
    ///
    /// # Errors
    /// When it says something else; the error names the place.
    pub(super) fn read(file: &Path) -> Result<Suite> {
        let document = definitions::read_value(file)?;
        Suite::of(file.parent().unwrap_or(Path::new("")), &document)
            .with_context(|| format!("{} is not a file of cases", file.display()))
            .map_err(|err| hint(err, "docs/test.md describes the format"))
    }

    fn of(folder: &Path, document: &Value) -> Result<Suite> {
        only(
            document,
            "the file",
            &[
                "machine",
                "logicalId",
                "type",
                "substitutions",
                "mockConfig",
                "stateMachine",
                "mocks",
                "cases",
            ],
        )?;
        let definition = definition(folder, document)?;
        let shared = mocks(document)?;
        let imported = match text(document, "mockConfig")? {
            Some(name) => {
                let config = definitions::read_value(&folder.join(name))?;
                let machine = text(document, "stateMachine")?;
                mock::imported(&config, machine).with_context(|| name.to_owned())?
            }
            None => BTreeMap::new(),
        };
        let cases = match document.get("cases") {
            None => imported.iter().map(|(name, mocks)| Ok(Case::of_import(name, mocks))).collect(),
            Some(cases) => {
                let list = cases.as_array().context("`cases` is no list")?;
                let read = list.iter().enumerate().map(|(index, case)| {
                    Case::of(folder, case, &shared, &imported)
                        .with_context(|| format!("case {}", index + 1))
                });
                read.collect::<Result<Vec<Case>>>()
            }
        };
        let cases = cases?;
        if cases.is_empty() {
            bail!("there are no cases");
        }
        for (case, state) in cases.iter().flat_map(|case| case.mocks.keys().map(move |s| (case, s)))
        {
            let found = definition.find(state).and_then(|id| definition.state(id));
            let refusal = match (found, case.mocks.get(state)) {
                (Some(found), Some(mocks)) => mocks.refusal(&found.kind),
                _ => Some("is no state of the machine"),
            };
            if let Some(refusal) = refusal {
                bail!("case `{}` mocks `{state}`, which {refusal}", case.name);
            }
        }
        Ok(Suite { definition, cases })
    }
}

impl Case {
    fn of(
        folder: &Path,
        case: &Value,
        shared: &BTreeMap<String, Mocks>,
        imported: &BTreeMap<String, BTreeMap<String, Mocks>>,
    ) -> Result<Case> {
        only(case, "a case", &["name", "testCase", "input", "mocks", "expect"])?;
        let mut all = shared.clone();
        let test_case = text(case, "testCase")?;
        if let Some(name) = test_case {
            let imported = imported.get(name);
            let imported = imported.with_context(|| {
                format!("the mock configuration has no test case `{name}` for this machine")
            })?;
            all.extend(imported.clone());
        }
        all.extend(mocks(case)?);
        let name = text(case, "name")?.or(test_case).context("`name` is missing")?;
        let input = case.get("input").cloned().unwrap_or_else(Value::object);
        let expect = case.get("expect").cloned().unwrap_or_else(Value::object);
        Ok(Case {
            name: name.to_owned(),
            input: contents(folder, input)?,
            mocks: all,
            expect: Expect::of(folder, &expect).context("`expect`")?,
        })
    }

    /// A test case of a mock configuration file, which expects nothing but success.
    fn of_import(name: &str, mocks: &BTreeMap<String, Mocks>) -> Case {
        Case {
            name: name.to_owned(),
            input: Value::object(),
            mocks: mocks.clone(),
            expect: Expect::success(),
        }
    }
}

/// Refuses members that are not known.
pub(super) fn only(value: &Value, what: &str, known: &[&str]) -> Result<()> {
    let members = value.as_object().with_context(|| format!("{what} is no mapping"))?;
    match members.keys().find(|name| !known.contains(&&***name)) {
        Some(name) => bail!("{what} has no `{name}`, but {}", known.join(", ")),
        None => Ok(()),
    }
}

/// Returns a member that is a text.
pub(super) fn text<'v>(value: &'v Value, name: &str) -> Result<Option<&'v str>> {
    match value.get(name) {
        None => Ok(None),
        Some(found) => found.as_str().map(Some).with_context(|| format!("`{name}` is no text")),
    }
}

/// Returns a value, or what the file holds that `{file: NAME}` names.
pub(super) fn contents(folder: &Path, value: Value) -> Result<Value> {
    let named = value.as_object().filter(|members| members.len() == 1);
    match named.and_then(|members| members.get("file")).and_then(Value::as_str) {
        Some(name) => definitions::read_value(&folder.join(name)),
        None => Ok(value),
    }
}

fn mocks(value: &Value) -> Result<BTreeMap<String, Mocks>> {
    let Some(mocks) = value.get("mocks") else { return Ok(BTreeMap::new()) };
    let mocks = mocks.as_object().context("`mocks` is no mapping of states")?;
    let read = mocks.iter().map(|(state, mock)| {
        let mocks = Mocks::of(mock).with_context(|| format!("the mock of `{state}`"))?;
        Ok((state.to_string(), mocks))
    });
    read.collect()
}

fn definition(folder: &Path, document: &Value) -> Result<Definition> {
    let file = text(document, "machine")?.context("`machine` is missing: a file")?;
    let machine = definitions::one_machine(&folder.join(file), text(document, "logicalId")?)?;
    let machine_type = match text(document, "type")? {
        None => machine.machine_type(),
        Some("STANDARD") => StateMachineType::Standard,
        Some("EXPRESS") => StateMachineType::Express,
        Some(other) => bail!("`type` is STANDARD or EXPRESS, not `{other}`"),
    };
    let substitutions = document.get("substitutions").cloned().unwrap_or_else(Value::object);
    let substituted = substitute(&machine.value(), &substitutions);
    let options = Options { machine_type, resources: &AnyResource };
    Definition::parse(&substituted.to_json(), &options)
        .map_err(|problems| anyhow!("{problems}"))
        .map_err(|err| hint(err, "`stepwell lint` shows the places"))
}

/// Puts in what a deployment would. A Resource that stays open is a function of that name.
fn substitute(value: &Value, substitutions: &Value) -> Value {
    match value {
        Value::String(text) if text.contains("${") => {
            let mut text = text.to_string();
            let members = substitutions.as_object().into_iter().flat_map(Map::iter);
            for (name, with) in members {
                let with = with.as_str().map_or_else(|| with.to_json(), str::to_owned);
                text = text.replace(&format!("${{{name}}}"), &with);
            }
            Value::from(text)
        }
        Value::Array(items) => items.iter().map(|item| substitute(item, substitutions)).collect(),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| {
                let value = substitute(value, substitutions);
                let open = value.as_str().and_then(|text| {
                    text.strip_prefix("${")?.strip_suffix('}').filter(|_| &**name == "Resource")
                });
                let function = open.map(|open| {
                    let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
                    let function: String = open.chars().map(word).collect();
                    Value::from(format!("{FUNCTION_ARN}:{function}"))
                });
                (name.clone(), function.unwrap_or(value))
            });
            Value::from(members.collect::<Map>())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
