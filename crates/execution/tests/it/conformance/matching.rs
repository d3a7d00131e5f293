//! Comparing with placeholders as variables: the same placeholder is the same text in a whole case.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use value::Value;

const FIXED: [&str; 2] = ["<region>", "<partition>"];
const UUID: &str = "[a-fA-F0-9]{8}(?:-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}";

type Bound = BTreeMap<String, String>;

/// Returns every place where an answer differs from the recording.
pub(crate) fn differences(
    case: &Value,
    got: &Value,
    known: &BTreeMap<String, String>,
) -> Vec<String> {
    let tokens = case.get("tokens").and_then(Value::as_object).unwrap();
    let mut names: Vec<&str> = tokens.keys().map(|key| &**key).collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let mut alternatives: Vec<String> = names.iter().map(|name| regex::escape(name)).collect();
    alternatives.push(r"<[A-Za-z][\w .-]*?(?::\d+)?>".to_owned());
    let list = |name: &str| -> Vec<String> {
        let items = case.get(name).and_then(Value::as_array).unwrap_or_default();
        items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let matcher = Match {
        tokens: case.get("tokens").cloned().unwrap(),
        placeholder: Regex::new(&alternatives.join("|")).unwrap(),
        known: known.clone(),
        unordered: list("unordered"),
        parallel: case.get("parallel_unordered").and_then(Value::as_bool) == Some(true),
    };
    let (mut found, mut bound) = (Vec::new(), Bound::new());
    let keys = list("keys");
    for (key, expected) in case.get("expected").and_then(Value::as_object).unwrap().iter() {
        if !keys.iter().any(|known| **known == **key) {
            continue;
        }
        match got.get(key) {
            None => found.push(format!("{key}: not reached")),
            Some(got) => matcher.go(expected, got, &mut bound, key, &mut found),
        }
    }
    found
}

struct Match {
    tokens: Value,
    placeholder: Regex,
    known: BTreeMap<String, String>,
    unordered: Vec<String>,
    parallel: bool,
}

impl Match {
    fn go(&self, e: &Value, a: &Value, bound: &mut Bound, path: &str, out: &mut Vec<String>) {
        match (e, a) {
            (Value::Object(expected), Value::Object(actual)) => {
                let keys: BTreeSet<&str> =
                    expected.keys().chain(actual.keys()).map(|key| &**key).collect();
                for key in keys {
                    let path = format!("{path}.{key}");
                    match (expected.get(key), actual.get(key)) {
                        (Some(e), Some(a)) => self.go(e, a, bound, &path, out),
                        (Some(e), None) => out.push(format!("{path}: expected {e}, absent")),
                        (None, Some(a)) if later(key, a) => {}
                        (None, Some(a)) => out.push(format!("{path}: unexpected {a}")),
                        (None, None) => unreachable!(),
                    }
                }
            }
            (Value::Array(expected), Value::Array(actual)) => {
                let actual = self.ordered(expected, actual, bound, path);
                for index in 0..expected.len().max(actual.len()) {
                    let path = format!("{path}[{index}]");
                    match (expected.get(index), actual.get(index)) {
                        (Some(e), Some(a)) => self.go(e, a, bound, &path, out),
                        (Some(e), None) => out.push(format!("{path}: expected {e}, absent")),
                        (None, Some(a)) => out.push(format!("{path}: unexpected {a}")),
                        (None, None) => unreachable!(),
                    }
                }
            }
            (Value::String(expected), Value::String(actual)) => {
                if !self.string(expected, actual, bound) {
                    out.push(format!("{path}: expected {e}\n        got {a}"));
                }
            }
            (Value::String(expected), other) if !other.is_null() => {
                if !self.string(expected, &other.to_string(), bound) {
                    out.push(format!("{path}: expected {e}\n        got {a}"));
                }
            }
            _ if e == a => {}
            _ => out.push(format!("{path}: expected {e}\n        got {a}")),
        }
    }

    /// Lists without order, and events inside a Parallel, are paired with what fits best.
    fn ordered(&self, e: &[Value], a: &[Value], bound: &Bound, path: &str) -> Vec<Value> {
        let key = path.rsplit('.').next().unwrap_or(path);
        if e.len() != a.len() {
            return a.to_vec();
        }
        if self.unordered.iter().any(|name| name == key) {
            return self.pair(e, a, bound);
        }
        if !self.parallel || key != "events" {
            return a.to_vec();
        }
        let (mut out, mut index) = (a.to_vec(), 0);
        let blank = |event: &Value| event.get("id").is_some_and(|id| id.as_array().is_some());
        while index < e.len() {
            let end = (index..e.len()).find(|at| !blank(&e[*at])).unwrap_or(e.len());
            if end > index {
                let paired = self.pair(&e[index..end], &out[index..end], bound);
                out.splice(index..end, paired);
                index = end;
            } else {
                index += 1;
            }
        }
        out
    }

    fn pair(&self, e: &[Value], a: &[Value], bound: &Bound) -> Vec<Value> {
        let mut left = a.to_vec();
        e.iter()
            .map(|expected| {
                let cost = |actual: &Value| {
                    let mut out = Vec::new();
                    self.go(expected, actual, &mut bound.clone(), "$", &mut out);
                    out.len()
                };
                let best = (0..left.len()).min_by_key(|index| cost(&left[*index])).unwrap();
                left.remove(best)
            })
            .collect()
    }

    fn string(&self, expected: &str, actual: &str, bound: &mut Bound) -> bool {
        if expected == actual {
            return true;
        }
        let (mut pattern, mut names, mut at) = (String::from("(?s)^"), Vec::new(), 0);
        for found in self.placeholder.find_iter(expected) {
            let token = found.as_str();
            if FIXED.contains(&token) {
                continue;
            }
            pattern.push_str(&regex::escape(expected.get(at..found.start()).unwrap()));
            at = found.end();
            let binds = self.binds(token);
            if let Some(value) = bound.get(token).filter(|_| binds) {
                pattern.push_str(&regex::escape(value));
                continue;
            }
            let wanted = self.wanted(token);
            pattern.extend(["(?P<g", &names.len().to_string(), ">", &wanted, ")"]);
            names.push((token.to_owned(), binds));
        }
        if at == 0 {
            return false;
        }
        pattern.push_str(&regex::escape(expected.get(at..).unwrap()));
        pattern.push('$');
        let Some(captures) = Regex::new(&pattern).unwrap().captures(actual) else { return false };
        let mut fresh = Bound::new();
        for (index, (token, binds)) in names.into_iter().enumerate() {
            let text = captures[format!("g{index}").as_str()].to_owned();
            if binds && fresh.insert(token, text.clone()).is_some_and(|earlier| earlier != text) {
                return false;
            }
        }
        bound.extend(fresh);
        true
    }

    fn binds(&self, token: &str) -> bool {
        match self.tokens.get(token) {
            Some(info) => info.get("bind").and_then(Value::as_bool) == Some(true),
            None => Regex::new(r":\d+>$").unwrap().is_match(token),
        }
    }

    fn wanted(&self, token: &str) -> String {
        let given = self.tokens.get(token).and_then(|info| info.get("regex"));
        if let Some(given) = given.and_then(Value::as_str) {
            return given.to_owned();
        }
        if let Some(known) = self.known.get(token) {
            return known.clone();
        }
        if token.starts_with("<uuid:") { UUID.to_owned() } else { ".+?".to_owned() }
    }
}

/// Members that AWS added after the oldest recordings, with their neutral value.
fn later(key: &str, value: &Value) -> bool {
    match key {
        "redriveCount" | "RedriveCount" => value.as_i64() == Some(0),
        "variableReferences" => value.as_object().is_some_and(value::Map::is_empty),
        _ => false,
    }
}
