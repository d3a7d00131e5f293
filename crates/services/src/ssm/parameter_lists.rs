//! Lists of parameters: by path, by filters, and the history of one.

use value::Value;

use super::error;
use super::parameter_names as names;
use super::parameters::{Parameter, all, check, find, not_found};
use super::secure_strings::{self, Decryption};
use crate::page::{cut, open_marker};
use crate::{Answer, Check, Error, Input, Operation, Reading, Run};

/// How many items a page has when the caller does not say.
const BY_PATH_DEFAULT: usize = 10;
const PAGE_ITEMS_DEFAULT: usize = 50;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "GetParametersByPath", checks: may_get_by_path, run: Run::Read(by_path) },
    Operation { name: "DescribeParameters", checks: may_describe, run: Run::Read(describe) },
    Operation { name: "GetParameterHistory", checks: may_get_history, run: Run::Read(history) },
];

/// One page of rows, each with its key.
fn page(
    rows: impl IntoIterator<Item = (String, Value)>,
    input: &Value,
    member: &str,
    default: usize,
) -> Answer {
    let after = match input.maybe_text("NextToken") {
        Some(token) => Some(open_marker(token).ok_or_else(error::invalid_next_token)?),
        None => None,
    };
    let limit = input.integer("MaxResults").and_then(|asked| usize::try_from(asked).ok());
    let page = cut(rows, after.as_deref(), limit.unwrap_or(default));
    Ok(Value::object().with(member, page.items).with_some("NextToken", page.next))
}

fn may_get_by_path(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let mut checks = vec![check(on, "GetParametersByPath", input.text("Path")?)];
    if Decryption::asked(input) == Decryption::With
        && let Ok(page) = by_path(on, input)
    {
        // Of this page: whoever asks for the next one is asked for its values.
        let secure = page.list("Parameters").iter();
        let secure = secure.filter(|it| it.maybe_text("Type") == Some(secure_strings::TYPE));
        let names = secure.filter_map(|it| it.maybe_text("Name"));
        checks.extend(names.map(|name| secure_strings::check(on, "Decrypt", name)));
    }
    Ok(checks)
}

fn by_path(on: &Reading<'_>, input: &Value) -> Answer {
    let path = input.text("Path")?;
    if !path.starts_with('/') {
        let text = "The parameter path must begin with a slash: /.";
        return Err(Error::new("ValidationException", text));
    }
    let why = names::why_absent(path);
    if !why.is_empty() {
        let text = format!("Nothing is below the path {path}.{why}");
        return Err(Error::new("ValidationException", text));
    }
    let filters = Filter::list(input)?;
    let depth = if input.flag("Recursive") { Depth::Recursive } else { Depth::OneLevel };
    let decryption = Decryption::asked(input);
    let mut rows = Vec::new();
    for parameter in all(on, "/")? {
        let fits = is_below(&parameter.name, path, depth);
        if fits && filters.iter().all(|filter| filter.keeps(&parameter)) {
            let label = filters.iter().find_map(Filter::label);
            let selector = label.map(|label| names::Selector::Label(label.to_owned()));
            if let Some(shown) = parameter.shown(on.call, selector.as_ref(), decryption) {
                rows.push((parameter.name.clone(), shown));
            }
        }
    }
    page(rows, input, "Parameters", BY_PATH_DEFAULT)
}

fn may_describe(_: &Reading<'_>, _: &Value) -> Result<Vec<Check>, Error> {
    Ok(vec![Check::any("ssm:DescribeParameters")])
}

fn describe(on: &Reading<'_>, input: &Value) -> Answer {
    let filters = Filter::list(input)?;
    let mut rows = Vec::new();
    for parameter in all(on, "")? {
        if filters.iter().all(|filter| filter.keeps(&parameter))
            && let Some((number, version)) = parameter.version(None)
        {
            rows.push((parameter.name.clone(), parameter.described(on.call, version, number)));
        }
    }
    page(rows, input, "Parameters", PAGE_ITEMS_DEFAULT)
}

fn may_get_history(on: &Reading<'_>, input: &Value) -> Result<Vec<Check>, Error> {
    let name = names::bare(input.text("Name")?);
    let mut checks = vec![check(on, "GetParameterHistory", name)];
    if Decryption::asked(input) == Decryption::With
        && let Some(parameter) = find(on, name)?
        && parameter.versions.values().any(|version| version.secure.is_some())
    {
        checks.push(secure_strings::check(on, "Decrypt", name));
    }
    Ok(checks)
}

/// Oldest first.
fn history(on: &Reading<'_>, input: &Value) -> Answer {
    let name = names::bare(input.text("Name")?);
    let parameter = find(on, name)?.ok_or_else(|| not_found(name))?;
    let rows = parameter.versions.iter().map(|(number, version)| {
        let labels: Vec<&str> = version.labels.iter().map(String::as_str).collect();
        let mut shown = parameter
            .described(on.call, version, *number)
            .with("Value", version.text(Decryption::asked(input)))
            .with("Labels", labels);
        shown.object_mut().remove("ARN");
        (format!("{number:010}"), shown)
    });
    page(rows.collect::<Vec<_>>(), input, "Parameters", PAGE_ITEMS_DEFAULT)
}

/// How far below a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    OneLevel,
    Recursive,
}

/// Returns whether a parameter is below a path.
fn is_below(name: &str, path: &str, depth: Depth) -> bool {
    let path = path.trim_end_matches('/');
    let rest = name.strip_prefix(path).and_then(|rest| rest.strip_prefix('/'));
    match (rest, depth) {
        (Some(rest), Depth::OneLevel) => !rest.contains('/'),
        (Some(_), Depth::Recursive) => true,
        (None, _) => false,
    }
}

/// One of `ParameterFilters`, or of the older `Filters`.
struct Filter {
    key: String,
    option: String,
    values: Vec<String>,
}

impl Filter {
    fn list(input: &Value) -> Result<Vec<Filter>, Error> {
        let given = input.list("ParameterFilters").iter().chain(input.list("Filters"));
        given.map(Filter::read).collect()
    }

    fn read(filter: &Value) -> Result<Filter, Error> {
        let key = filter.maybe_text("Key").unwrap_or_default().to_owned();
        let known = ["Name", "Type", "KeyId", "Path", "Label", "Tier", "DataType"];
        if !known.contains(&&*key) && !key.starts_with("tag:") {
            return Err(error::invalid_filter_key(&key));
        }
        let default = if key == "Path" { "OneLevel" } else { "Equals" };
        let option = filter.maybe_text("Option").unwrap_or(default).to_owned();
        let options: &[&str] = match &*key {
            "Path" => &["OneLevel", "Recursive"],
            "Name" => &["Equals", "BeginsWith", "Contains"],
            _ => &["Equals", "BeginsWith"],
        };
        if !options.contains(&&*option) {
            return Err(Error::new(
                "InvalidFilterOption",
                format!(
                    "The following filter option is not valid: {option}. Valid options include: \
                     [{}]",
                    options.join(", ")
                ),
            ));
        }
        let values = filter.list("Values").iter().filter_map(Value::as_str);
        Ok(Filter { key, option, values: values.map(str::to_owned).collect() })
    }

    /// Returns the label that is asked for.
    fn label(&self) -> Option<&str> {
        self.values.first().filter(|_| self.key == "Label").map(String::as_str)
    }

    fn keeps(&self, parameter: &Parameter) -> bool {
        let Some((_, version)) = parameter.version(None) else { return false };
        let any = |found: &str| {
            self.values.iter().any(|value| match &*self.option {
                "BeginsWith" => {
                    found.trim_start_matches('/').starts_with(value.trim_start_matches('/'))
                }
                "Contains" => found.contains(value),
                _ => found == value,
            })
        };
        match &*self.key {
            "Name" => any(&parameter.name),
            "Type" => any(&version.kind),
            "Tier" => any(&version.tier),
            "DataType" => any(&version.data_type),
            "KeyId" => version.secure.as_ref().is_some_and(|secure| any(&secure.key_id)),
            "Label" => {
                parameter.versions.values().any(|it| it.labels.iter().any(|label| any(label)))
            }
            "Path" => {
                let depth =
                    if self.option == "Recursive" { Depth::Recursive } else { Depth::OneLevel };
                self.values.iter().any(|path| is_below(&parameter.name, path, depth))
            }
            key => {
                let tag = parameter.tags.get(key.trim_start_matches("tag:"));
                tag.is_some_and(|found| self.values.is_empty() || any(found))
            }
        }
    }
}
