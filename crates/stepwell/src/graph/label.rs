//! What is written beside edges and below names.

use value::Value;

/// How many characters of a text are shown; the rest is seen when one points at it.
const CHARACTERS_MAX: usize = 40;
/// How deeply the rules of a Choice are spelled out.
const DEPTH_MAX: usize = 8;

/// Cuts a text to what is shown.
pub(super) fn short(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= CHARACTERS_MAX {
        return text;
    }
    text.chars().take(CHARACTERS_MAX - 1).chain(['…']).collect()
}

/// Returns the errors that a Catcher is for.
pub(super) fn caught(catcher: &Value) -> String {
    let errors = catcher.get("ErrorEquals").and_then(Value::as_array).unwrap_or_default();
    let errors: Vec<&str> = errors.iter().filter_map(Value::as_str).collect();
    format!("Catch {}", errors.join(", "))
}

/// Returns what is below a state's name: its type, and what it asks for.
pub(super) fn caption(state: &Value) -> String {
    let member = |name: &str| state.get(name).and_then(Value::as_str);
    let kind = member("Type").unwrap_or("?");
    let time = ["Seconds", "SecondsPath", "Timestamp", "TimestampPath"];
    let detail = match kind {
        "Task" => member("Resource").map(resource),
        "Wait" => time.iter().find_map(|name| {
            let time = state.get(name)?;
            let unit = if *name == "Seconds" && time.as_f64().is_some() { " s" } else { "" };
            Some(format!("{}{unit}", plain(time)))
        }),
        "Fail" => member("Error").map(str::to_owned),
        "Map" => {
            let processor = state.get("ItemProcessor");
            let mode = processor.and_then(|one| one.path(&["ProcessorConfig", "Mode"]));
            mode.and_then(Value::as_str)
                .filter(|mode| *mode == "DISTRIBUTED")
                .map(str::to_lowercase)
        }
        _ => None,
    };
    match detail {
        Some(detail) => short(&format!("{kind} · {detail}")),
        None => kind.to_owned(),
    }
}

/// Returns the part of an ARN that says something.
fn resource(arn: &str) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        [_, _, "states", _, _, rest] => rest.trim_start_matches("aws-sdk:").to_owned(),
        [_, _, "lambda", _, _, rest] => rest.trim_start_matches("function:").to_owned(),
        _ => arn.to_owned(),
    }
}

/// Returns the condition of a Choice's rule, as one would say it.
pub(super) fn condition(rule: &Value, depth: usize) -> String {
    if let Some(condition) = rule.get("Condition") {
        let text = plain(condition);
        let inside = text.trim().strip_prefix("{%").and_then(|text| text.strip_suffix("%}"));
        return inside.map_or(text.clone(), |inside| inside.trim().to_owned());
    }
    if depth >= DEPTH_MAX {
        return "…".to_owned();
    }
    let several = |name: &str, word: &str| {
        let rules = rule.get(name)?.as_array()?;
        let texts: Vec<String> = rules.iter().map(|rule| condition(rule, depth + 1)).collect();
        Some(format!("({})", texts.join(word)))
    };
    let not = || Some(format!("not {}", condition(rule.get("Not")?, depth + 1)));
    let compound = several("And", " and ").or_else(|| several("Or", " or ")).or_else(not);
    compound.unwrap_or_else(|| comparison(rule))
}

fn comparison(rule: &Value) -> String {
    let variable = rule.get("Variable").and_then(Value::as_str).unwrap_or("?");
    let members = rule.as_object().into_iter().flat_map(value::Map::iter);
    let around = ["Variable", "Next", "Comment", "Assign", "Output"];
    let operator = members.into_iter().find(|(name, _)| !around.contains(&&***name));
    let Some((name, operand)) = operator else { return variable.to_owned() };
    let name = name.strip_suffix("Path").unwrap_or(name);
    let sign = [
        ("LessThanEquals", "≤"),
        ("GreaterThanEquals", "≥"),
        ("LessThan", "<"),
        ("GreaterThan", ">"),
        ("Equals", "="),
        ("Matches", "matches"),
    ];
    if let Some((_, sign)) = sign.iter().find(|(suffix, _)| name.ends_with(suffix)) {
        return format!("{variable} {sign} {}", plain(operand));
    }
    let not = if operand.as_bool() == Some(false) { "not " } else { "" };
    format!("{variable} is {not}{}", name.trim_start_matches("Is").to_lowercase())
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(rule: &str) -> String {
        condition(&value::parse(rule).unwrap(), 0)
    }

    #[test]
    fn rules_are_said_as_people_would() {
        assert_eq!(said(r#"{"Condition": "{% $x > 1 %}"}"#), "$x > 1");
        assert_eq!(
            said(r#"{"Variable": "$.a", "NumericLessThanEquals": 5, "Next": "B"}"#),
            "$.a ≤ 5"
        );
        assert_eq!(
            said(
                r#"{"And": [{"Variable": "$.a", "IsPresent": false},
                    {"Not": {"Variable": "$.b", "StringEqualsPath": "$.c"}}], "Next": "B"}"#
            ),
            "($.a is not present and not $.b = $.c)"
        );
    }

    #[test]
    fn captions_name_what_is_asked_for() {
        let caption = |state: &str| caption(&value::parse(state).unwrap());
        let task = r#"{"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:iam:getUser"}"#;
        assert_eq!(caption(task), "Task · iam:getUser");
        assert_eq!(caption(r#"{"Type": "Wait", "Seconds": 15}"#), "Wait · 15 s");
        assert_eq!(caption(r#"{"Type": "Pass"}"#), "Pass");
    }
}
