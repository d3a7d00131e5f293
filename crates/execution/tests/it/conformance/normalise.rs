//! Bringing an answer into the form of the recordings: README section 3 of the corpus.

use std::sync::LazyLock;

use regex::Regex;
use value::Value;

/// Applies every transformation in its order.
pub(crate) fn normalise(seen: Value, case: &Value, account: &str, region: &str) -> Value {
    let mut answer = seen;
    parse_strings(&mut answer);
    for step in case.get("normalise").and_then(Value::as_array).unwrap_or_default() {
        let text = |name: &str| step.get(name).and_then(Value::as_str).unwrap_or_default();
        match text("kind") {
            "set" => {
                let path = path(text("path"));
                let to = step.get("to").cloned().unwrap_or_default();
                each(&mut answer, &path, &mut |found| *found = to.clone());
            }
            "json_string" | "json_any" => {
                let path = [(true, text("key").to_owned())];
                each(&mut answer, &path, &mut |found| {
                    if let Some(parsed) = found.as_str().and_then(|text| value::parse(text).ok()) {
                        *found = parsed;
                    }
                });
            }
            "sort_under" => {
                let path = [(true, text("key").to_owned())];
                each(&mut answer, &path, &mut sort_members);
            }
            "set_key" => {
                let (key, to) = (text("key").to_owned(), step.get("to").cloned().unwrap());
                keyed(&mut answer, &|name, _| (name == key).then(|| to.clone()));
            }
            other => panic!("unknown transformation {other}"),
        }
    }
    if case.get("parallel_unordered").and_then(Value::as_bool) == Some(true) {
        each(&mut answer, &[(true, "events".to_owned())], &mut |events| {
            if events.as_array().is_some() {
                parallel_shape(events);
            }
        });
    }
    let iso = iso();
    keyed(&mut answer, &|name, value| {
        let timestamp = name.to_lowercase().contains("timestamp") || name == "creationTime";
        let dated =
            value.as_str().is_some_and(|text| iso.find(text).is_some_and(|m| m.start() == 0));
        (timestamp && !dated).then(|| "timestamp".into())
    });
    value::parse(&generic(&answer.to_string(), account, region)).unwrap()
}

/// The replacements over the whole text.
pub(crate) fn generic(text: &str, account: &str, region: &str) -> String {
    iso()
        .replace_all(text, "date")
        .replace(account, &"1".repeat(12))
        .replace(region, "<region>")
        .replace("arn:aws:", "arn:<partition>:")
}

fn iso() -> &'static Regex {
    static ISO: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"[1-9]\d{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2\d)|(?:0[13-9]|1[0-2])-30|",
            r"(?:0[13578]|1[02])-31)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?",
            r"(?:Z|[+-][01]\d:?(?:[0-5]\d)?)"
        ))
        .unwrap()
    });
    &ISO
}

/// JSON objects inside strings become objects: of members only, and one level.
fn parse_strings(value: &mut Value) {
    if !matches!(value, Value::Object(_)) {
        return;
    }
    for member in value.object_mut().values_mut() {
        match member {
            Value::Array(_) => {
                member.array_mut().iter_mut().for_each(parse_strings);
            }
            Value::Object(_) => parse_strings(member),
            Value::String(text) if text.starts_with('{') => {
                if let Ok(parsed) = value::parse(text) {
                    *member = parsed;
                }
            }
            _ => {}
        }
    }
}

fn sort_members(value: &mut Value) {
    if let Value::Object(_) = value {
        for member in value.object_mut().values_mut() {
            if let Value::Array(_) = member {
                member.array_mut().sort_by_key(Value::to_string);
            }
        }
    }
}

/// Reads `$..a.b[*]`: names, and whether each is looked for at any depth.
fn path(text: &str) -> Vec<(bool, String)> {
    let steps = Regex::new(r#"(\.\.|\.)?(?:\['([^']*)'\]|\[(\*|\d+)\]|"([^"]*)"|([^.\[\]"]+))"#);
    let body = text.strip_prefix('$').map_or_else(|| format!(".{text}"), str::to_owned);
    let steps = steps.unwrap();
    steps
        .captures_iter(&body)
        .map(|step| {
            let deep = step.get(1).is_some_and(|dots| dots.as_str() == "..");
            let name = (2..=5).find_map(|group| step.get(group)).unwrap();
            (deep, name.as_str().to_owned())
        })
        .collect()
}

/// Applies `change` to every value at a path.
fn each(value: &mut Value, path: &[(bool, String)], change: &mut dyn FnMut(&mut Value)) {
    let Some(((deep, name), rest)) = path.split_first() else { return };
    let mut here: Vec<&mut Value> = Vec::new();
    let mut all: Vec<&mut Value> = Vec::new();
    match value {
        Value::Object(_) => {
            let keys: Vec<_> = value.object_mut().keys().cloned().collect();
            for key in keys {
                if name == "*" || *name == *key {
                    let found = value.object_mut().get_mut(&key).unwrap();
                    if rest.is_empty() { change(found) } else { each(found, rest, change) }
                }
            }
            if *deep {
                all.extend(value.object_mut().values_mut());
            }
        }
        Value::Array(_) => {
            for (index, item) in value.array_mut().iter_mut().enumerate() {
                if name == "*" || *name == index.to_string() {
                    if rest.is_empty() { change(item) } else { each(item, rest, change) }
                }
            }
            if *deep {
                all.extend(value.array_mut().iter_mut());
            }
        }
        _ => {}
    }
    here.append(&mut all);
    for inner in here {
        each(inner, path, change);
    }
}

/// Replaces members by name and value, outside lists of lists.
fn keyed(value: &mut Value, replace: &dyn Fn(&str, &Value) -> Option<Value>) {
    if !matches!(value, Value::Object(_)) {
        return;
    }
    let keys: Vec<_> = value.object_mut().keys().cloned().collect();
    for key in keys {
        let member = value.object_mut().get_mut(&key).unwrap();
        if let Some(replaced) = replace(&key, member) {
            *member = replaced;
        } else if let Value::Array(_) = member {
            member.array_mut().iter_mut().for_each(|item| keyed(item, replace));
        } else {
            keyed(member, replace);
        }
    }
}

/// What the recording did to the events inside a Parallel: no ids, no order; the success vanishes.
fn parallel_shape(events: &mut Value) {
    let events = events.array_mut();
    let (mut index, mut start, mut bag, mut inside) = (0, None, Vec::new(), false);
    while index < events.len() {
        let event_type = events[index].get("type").and_then(Value::as_str).unwrap_or_default();
        match event_type {
            "ParallelStateStarted" => (inside, bag, start) = (true, Vec::new(), Some(index + 1)),
            "ParallelStateSucceeded"
            | "ParallelStateAborted"
            | "ParallelStateExited"
            | "ParallelStateFailed" => {
                if let Some(start) = start {
                    events.splice(start..index, bag.clone());
                    index = start + bag.len();
                }
                inside = false;
            }
            _ if inside => {
                events[index].set("id", value::value!([0]));
                events[index].set("previousEventId", 0);
                bag.push(events[index].clone());
            }
            _ => {}
        }
        index += 1;
    }
}
