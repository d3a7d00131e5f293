//! Parameter Store: parameters with versions and labels.
//!
//! AWS Systems Manager API reference, "PutParameter" and its kin (read 2026-11).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use store::{Load, Save, Scan, Table};
use value::{Value, value};

use super::parameter_names::{self as names, Selector};
use super::secure_strings::{self, Decryption, Secure};
use crate::{Answer, Call, Check, Error, Input, Operation, Reading, Run, Writing};

/// How many versions of a parameter are kept.
const VERSIONS_MAX: usize = 100;
/// How many parameters an account may have.
const PARAMETERS_MAX: usize = 10_000;
/// How long a value may be, in bytes, by tier.
const STANDARD_BYTES_MAX: usize = 4 * 1024;
const ADVANCED_BYTES_MAX: usize = 8 * 1024;
const STANDARD: &str = "Standard";
const ADVANCED: &str = "Advanced";

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "PutParameter", checks: may_put, run: Run::Write(put) },
    Operation { name: "GetParameter", checks: may_get, run: Run::Read(get) },
    Operation { name: "GetParameters", checks: may_get_all, run: Run::Read(get_all) },
    Operation { name: "DeleteParameter", checks: may_delete, run: Run::Write(delete) },
    Operation { name: "DeleteParameters", checks: may_delete_all, run: Run::Write(delete_all) },
    Operation { name: "LabelParameterVersion", checks: may_label, run: Run::Write(label) },
    Operation { name: "UnlabelParameterVersion", checks: may_unlabel, run: Run::Write(unlabel) },
];

/// A parameter as it is stored, by account and name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) versions: BTreeMap<u32, Version>,
    pub(super) tags: BTreeMap<String, String>,
}

/// One version of a parameter.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Version {
    pub(super) value: String,
    /// `String`, `StringList` or `SecureString`.
    pub(super) kind: String,
    pub(super) description: Option<String>,
    pub(super) allowed_pattern: Option<String>,
    pub(super) data_type: String,
    pub(super) tier: String,
    /// The ARN of who wrote it.
    pub(super) by: String,
    pub(super) at_millis: i64,
    pub(super) labels: BTreeSet<String>,
    /// What a SecureString has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) secure: Option<Secure>,
}

impl Version {
    /// Returns the value, or what stands in its place.
    pub(super) fn text(&self, decryption: Decryption) -> &str {
        match (&self.secure, decryption) {
            (Some(secure), Decryption::Without) => &secure.ciphertext,
            (Some(_), Decryption::With) | (None, _) => &self.value,
        }
    }
}

impl Parameter {
    pub(super) fn latest(&self) -> u32 {
        self.versions.keys().next_back().copied().unwrap_or_default()
    }

    /// Returns the version that a selector means; without one, the latest.
    pub(super) fn version(&self, selector: Option<&Selector>) -> Option<(u32, &Version)> {
        let number = match selector {
            None => self.latest(),
            Some(Selector::Number(number)) => *number,
            Some(Selector::Label(label)) => {
                *self.versions.iter().find(|(_, version)| version.labels.contains(label))?.0
            }
        };
        self.versions.get(&number).map(|version| (number, version))
    }

    fn arn(&self, call: &Call) -> String {
        names::arn(call, &self.name)
    }

    /// Returns the parameter as `GetParameter` shows it.
    pub(super) fn shown(
        &self,
        call: &Call,
        selector: Option<&Selector>,
        decryption: Decryption,
    ) -> Option<Value> {
        let (number, version) = self.version(selector)?;
        let shown = value!({
            "Name": &self.name,
            "Type": &version.kind,
            "Value": version.text(decryption),
            "Version": i64::from(number),
            "LastModifiedDate": version.at_millis as f64 / 1000.0,
            "ARN": self.arn(call),
            "DataType": &version.data_type,
        });
        Some(shown.with_some("Selector", selector.map(Selector::text)))
    }

    /// Returns what is known of a version beside its value.
    pub(super) fn described(&self, call: &Call, version: &Version, number: u32) -> Value {
        value!({
            "Name": &self.name,
            "Type": &version.kind,
            "LastModifiedDate": version.at_millis as f64 / 1000.0,
            "LastModifiedUser": &version.by,
            "Version": i64::from(number),
            "Tier": &version.tier,
            "Policies": [],
            "DataType": &version.data_type,
            "ARN": self.arn(call),
        })
        .with_some("Description", version.description.as_ref())
        .with_some("AllowedPattern", version.allowed_pattern.as_ref())
        .with_some("KeyId", version.secure.as_ref().map(|secure| &secure.key_id))
    }
}

pub(super) fn key(call: &Call, name: &str) -> String {
    format!("{}/{name}", call.account())
}

/// Returns a parameter by its name.
pub(super) fn find(on: &Reading<'_>, name: &str) -> Result<Option<Parameter>, Error> {
    Ok(on.store.load(Table::Parameters, &key(on.call, name))?)
}

/// Returns all parameters whose names begin so.
pub(super) fn all(on: &Reading<'_>, prefix: &str) -> Result<Vec<Parameter>, Error> {
    let prefix = key(on.call, prefix);
    let rows: Vec<(String, Parameter)> =
        on.store.load_all(Table::Parameters, Scan::prefix(&prefix))?;
    Ok(rows.into_iter().map(|(_, parameter)| parameter).collect())
}

/// What a name holds.
pub(crate) enum Named {
    /// This String.
    Text(String),
    /// This StringList.
    List(String),
    /// A SecureString.
    Secure,
}

/// Returns what a name holds, or one with `:version` or `:label` behind it.
pub(crate) fn named_parameter(on: &Reading<'_>, name: &str) -> Result<Option<Named>, Error> {
    let (bare, selector) = names::split(name);
    let parameter = find(on, bare)?;
    let version = parameter.as_ref().and_then(|found| found.version(selector.as_ref()));
    Ok(version.map(|(_, version)| match version.secure {
        Some(_) => Named::Secure,
        None if version.kind == "StringList" => Named::List(version.value.clone()),
        None => Named::Text(version.value.clone()),
    }))
}

/// Returns what whoever wants to know that must be allowed.
pub(crate) fn parameter_check(on: &Reading<'_>, name: &str) -> Check {
    check(on, "GetParameters", name)
}

fn existing(on: &Reading<'_>, name: &str) -> Result<Parameter, Error> {
    find(on, name)?.ok_or_else(|| not_found(name))
}

// UNVERIFIED: AWS sends this error without a text.
pub(super) fn not_found(name: &str) -> Error {
    let text = format!("Parameter {name} not found.{}", names::why_absent(name));
    Error::new("ParameterNotFound", text)
}

pub(super) fn check(on: &Reading<'_>, action: &str, name: &str) -> Check {
    Check::new(format!("ssm:{action}"), names::arn(on.call, names::split(name).0))
}

fn may_put(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let name = names::bare(input.text("Name")?);
    let mut checks = vec![check(on, "PutParameter", name)];
    let found = find(on, name)?;
    let before = found.as_ref().and_then(|found| found.version(None)).map(|(_, version)| version);
    let kind = input.maybe_text("Type").or(before.map(|before| &*before.kind));
    if kind == Some(secure_strings::TYPE) {
        // Values of that tier are sealed with a key of their own.
        let is_advanced = tier(input, before, input.text("Value")?).is_ok_and(|it| it == ADVANCED);
        let action = if is_advanced { "GenerateDataKey" } else { "Encrypt" };
        checks.push(secure_strings::check(on, action, name));
    }
    Ok(checks)
}

/// Returns what whoever reads these parameters must be allowed besides, if he wants to see the
/// values of those that are SecureStrings.
fn may_decrypt<'a>(
    on: &Reading<'_>,
    input: &Value,
    given: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<Check>, Error> {
    let mut checks = Vec::new();
    if Decryption::asked(input) == Decryption::With {
        for name in given {
            let (bare, selector) = names::split(name);
            let parameter = find(on, bare)?;
            let version = parameter.as_ref().and_then(|found| found.version(selector.as_ref()));
            if version.is_some_and(|(_, version)| version.secure.is_some()) {
                checks.push(secure_strings::check(on, "Decrypt", bare));
            }
        }
    }
    Ok(checks)
}

fn put(on: &mut Writing<'_>, input: &Value) -> Answer {
    let name = names::bare(input.text("Name")?).to_owned();
    names::check(&name)?;
    refuse_unavailable(input)?;
    let found = find(&on.reading(), &name)?;
    let overwrite = input.flag("Overwrite");
    let tags = input.list("Tags");
    if overwrite && !tags.is_empty() {
        return Err(invalid(
            "Invalid request: tags and overwrite can't be used together. To create a parameter \
             with tags, please remove overwrite flag. To update tags for an existing parameter, \
             please use AddTagsToResource or RemoveTagsFromResource.",
        ));
    }
    let mut parameter = match found {
        Some(_) if !overwrite => {
            let text = "The parameter already exists. To overwrite this value, set the overwrite \
                        option in the request to true.";
            return Err(Error::new("ParameterAlreadyExists", text));
        }
        Some(found) => found,
        None => Parameter {
            name: name.clone(),
            versions: BTreeMap::new(),
            tags: tags.iter().filter_map(tag).collect(),
        },
    };
    let known = key(on.call, "");
    let known = Scan::prefix(&known).limit(PARAMETERS_MAX);
    if parameter.versions.is_empty()
        && PARAMETERS_MAX <= on.store.scan(Table::Parameters, known)?.len()
    {
        let text = "You have exceeded the number of parameters for this AWS account.";
        return Err(Error::new("ParameterLimitExceeded", text));
    }
    let version = new_version(on.call, input, &parameter)?;
    let tier = version.tier.clone();
    let number = parameter.latest() + 1;
    parameter.versions.insert(number, version);
    forget_oldest(&mut parameter)?;
    on.store.save(Table::Parameters, &key(on.call, &name), &parameter)?;
    Ok(value!({ "Version": i64::from(number), "Tier": tier }))
}

fn tag(tag: &Value) -> Option<(String, String)> {
    Some((tag.maybe_text("Key")?.to_owned(), tag.maybe_text("Value")?.to_owned()))
}

/// Refuses by name what is not kept here.
fn refuse_unavailable(input: &Value) -> Result<(), Error> {
    if input.maybe_text("Policies").is_some_and(|policies| !matches!(policies, "" | "[]" | "{}")) {
        return Err(invalid("Stepwell keeps no parameter policies: leave Policies out."));
    }
    Ok(())
}

fn new_version(call: &Call, input: &Value, parameter: &Parameter) -> Result<Version, Error> {
    let before = parameter.version(None).map(|(_, version)| version);
    let kind = match (input.maybe_text("Type"), before) {
        (Some(kind), Some(before)) if kind != before.kind => {
            return Err(Error::new(
                "HierarchyTypeMismatchException",
                format!(
                    "The parameter {} is of type {}, which cannot be changed to {kind}.",
                    parameter.name, before.kind
                ),
            ));
        }
        (Some(kind), _) => kind.to_owned(),
        (None, Some(before)) => before.kind.clone(),
        (None, None) => {
            return Err(invalid("A parameter type is required when you create a parameter."));
        }
    };
    let value = input.text("Value")?;
    let pattern = input.maybe_text("AllowedPattern").filter(|pattern| !pattern.is_empty());
    if let Some(pattern) = pattern {
        check_pattern(value, pattern)?;
    }
    let text = |member: &str, before: Option<&String>| {
        input.maybe_text(member).map(str::to_owned).or(before.cloned())
    };
    Ok(Version {
        value: value.to_owned(),
        secure: secure_strings::of_new_version(call, &kind, input)?,
        kind,
        description: text("Description", before.and_then(|before| before.description.as_ref())),
        allowed_pattern: pattern.map(str::to_owned),
        data_type: text("DataType", before.map(|before| &before.data_type))
            .unwrap_or_else(|| "text".to_owned()),
        tier: tier(input, before, value)?.to_owned(),
        by: call.principal.arn(),
        at_millis: call.now_millis,
        labels: BTreeSet::new(),
    })
}

/// Returns the tier that a value is kept in.
fn tier(input: &Value, before: Option<&Version>, value: &str) -> Result<&'static str, Error> {
    let asked = input.maybe_text("Tier");
    let is_advanced = match asked {
        Some("Advanced") => true,
        Some("Intelligent-Tiering") => STANDARD_BYTES_MAX < value.len(),
        // An advanced parameter stays so.
        Some(_) | None => before.is_some_and(|before| before.tier == ADVANCED),
    };
    match (is_advanced, value.len()) {
        (_, bytes) if ADVANCED_BYTES_MAX < bytes => Err(invalid(
            "Advanced tier parameters support a maximum parameter value of 8192 characters.",
        )),
        (true, _) => Ok(ADVANCED),
        (false, bytes) if STANDARD_BYTES_MAX < bytes => Err(invalid(
            "Standard tier parameters support a maximum parameter value of 4096 characters. To \
             create a larger parameter value, upgrade the parameter to use the advanced-parameter \
             tier. For more information, see https://docs.aws.amazon.com/systems-manager/latest/\
             userguide/parameter-store-advanced-parameters.html",
        )),
        (false, _) => Ok(STANDARD),
    }
}

fn check_pattern(value: &str, pattern: &str) -> Result<(), Error> {
    match automation::pattern_matches(pattern, value) {
        Some(true) => Ok(()),
        Some(false) => Err(Error::new(
            "ParameterPatternMismatchException",
            format!("Parameter value, cannot be validated against allowedPattern: {pattern}"),
        )),
        None => Err(Error::new(
            "InvalidAllowedPatternException",
            format!("The pattern {pattern} is not a regular expression."),
        )),
    }
}

/// Keeps the newest versions; an old one with a label is not given up.
fn forget_oldest(parameter: &mut Parameter) -> Result<(), Error> {
    if parameter.versions.len() <= VERSIONS_MAX {
        return Ok(());
    }
    let Some(oldest) = parameter.versions.first_entry() else { return Ok(()) };
    if !oldest.get().labels.is_empty() {
        let text = format!(
            "You attempted to create a new version of {} by calling the PutParameter API with the \
             overwrite flag. Version {}, the oldest version, can't be deleted because it has a \
             label associated with it. Move the label to another version of the parameter, and \
             try again.",
            parameter.name,
            oldest.key()
        );
        return Err(Error::new("ParameterMaxVersionLimitExceeded", text));
    }
    oldest.remove();
    Ok(())
}

fn may_get(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let name = input.text("Name")?;
    let mut checks = vec![check(on, "GetParameter", name)];
    checks.extend(may_decrypt(on, input, [name])?);
    Ok(checks)
}

fn get(on: &Reading<'_>, input: &Value) -> Answer {
    let given = input.text("Name")?;
    let (name, selector) = names::split(given);
    let parameter = existing(on, name)?;
    let shown = parameter.shown(on.call, selector.as_ref(), Decryption::asked(input));
    let shown = shown.ok_or_else(|| version_not_found(name, selector.as_ref()))?;
    Ok(value!({ "Parameter": shown }))
}

fn version_not_found(name: &str, selector: Option<&Selector>) -> Error {
    let what = selector.map(Selector::text).unwrap_or_default();
    Error::new(
        "ParameterVersionNotFound",
        format!(
            "Systems Manager could not find version {} of {name}. Verify the version and try \
             again.",
            what.trim_start_matches(':')
        ),
    )
}

fn each(on: &Reading<'_>, action: &str, input: &Value) -> Vec<Check> {
    let names = input.list("Names").iter().filter_map(Value::as_str);
    names.map(|name| check(on, action, name)).collect()
}

fn may_get_all(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let mut checks = each(on, "GetParameters", input);
    checks.extend(may_decrypt(on, input, input.list("Names").iter().filter_map(Value::as_str))?);
    Ok(checks)
}

fn get_all(on: &Reading<'_>, input: &Value) -> Answer {
    let decryption = Decryption::asked(input);
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for given in input.list("Names").iter().filter_map(Value::as_str) {
        let (name, selector) = names::split(given);
        let parameter = find(on, name)?;
        let shown = |found: Parameter| found.shown(on.call, selector.as_ref(), decryption);
        match parameter.and_then(shown) {
            Some(shown) => found.push(shown),
            None => missing.push(given.to_owned()),
        }
    }
    Ok(value!({ "Parameters": found, "InvalidParameters": missing }))
}

fn may_delete(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![check(on, "DeleteParameter", input.text("Name")?)])
}

fn delete(on: &mut Writing<'_>, input: &Value) -> Answer {
    let name = names::bare(input.text("Name")?);
    existing(&on.reading(), name)?;
    on.store.delete(Table::Parameters, &key(on.call, name))?;
    Ok(Value::object())
}

fn may_delete_all(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(each(on, "DeleteParameters", input))
}

fn delete_all(on: &mut Writing<'_>, input: &Value) -> Answer {
    let (mut gone, mut missing) = (Vec::new(), Vec::new());
    for given in input.list("Names").iter().filter_map(Value::as_str) {
        let name = names::bare(given);
        match find(&on.reading(), name)? {
            Some(_) => {
                on.store.delete(Table::Parameters, &key(on.call, name))?;
                gone.push(given.to_owned());
            }
            None => missing.push(given.to_owned()),
        }
    }
    Ok(value!({ "DeletedParameters": gone, "InvalidParameters": missing }))
}

fn may_label(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![check(on, "LabelParameterVersion", input.text("Name")?)])
}

/// A label is at one version at most: it moves.
fn label(on: &mut Writing<'_>, input: &Value) -> Answer {
    let name = names::bare(input.text("Name")?);
    let mut parameter = existing(&on.reading(), name)?;
    let number = version_number(input).unwrap_or_else(|| parameter.latest());
    if !parameter.versions.contains_key(&number) {
        return Err(version_not_found(name, Some(&Selector::Number(number))));
    }
    let mut invalid = Vec::new();
    let mut moved = BTreeSet::new();
    for given in input.list("Labels").iter().filter_map(Value::as_str) {
        if names::is_label(given) {
            moved.insert(given.to_owned());
        } else {
            invalid.push(given.to_owned());
        }
    }
    for version in parameter.versions.values_mut() {
        version.labels.retain(|label| !moved.contains(label));
    }
    if let Some(version) = parameter.versions.get_mut(&number) {
        version.labels.append(&mut moved);
        if names::LABELS_MAX < version.labels.len() {
            let text =
                format!("A parameter version can have maximum {} labels.", names::LABELS_MAX);
            return Err(Error::new("ParameterVersionLabelLimitExceeded", text));
        }
    }
    on.store.save(Table::Parameters, &key(on.call, name), &parameter)?;
    Ok(value!({ "InvalidLabels": invalid, "ParameterVersion": i64::from(number) }))
}

fn version_number(input: &Value) -> Option<u32> {
    input.integer("ParameterVersion").and_then(|number| u32::try_from(number).ok())
}

fn may_unlabel(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![check(on, "UnlabelParameterVersion", input.text("Name")?)])
}

fn unlabel(on: &mut Writing<'_>, input: &Value) -> Answer {
    let name = names::bare(input.text("Name")?);
    let mut parameter = existing(&on.reading(), name)?;
    let number = version_number(input).unwrap_or_default();
    let Some(version) = parameter.versions.get_mut(&number) else {
        return Err(version_not_found(name, Some(&Selector::Number(number))));
    };
    let (mut gone, mut missing) = (Vec::new(), Vec::new());
    for given in input.list("Labels").iter().filter_map(Value::as_str) {
        let list = if version.labels.remove(given) { &mut gone } else { &mut missing };
        list.push(given.to_owned());
    }
    on.store.save(Table::Parameters, &key(on.call, name), &parameter)?;
    Ok(value!({ "RemovedLabels": gone, "InvalidLabels": missing }))
}

fn invalid(text: &str) -> Error {
    Error::new("ValidationException", text)
}
