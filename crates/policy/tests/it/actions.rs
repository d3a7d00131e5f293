//! The tables of actions against the reference.

use std::collections::BTreeSet;
use std::path::PathBuf;

use policy::actions::{self, Need};
use value::Value;

fn reference() -> Option<Value> {
    let shared = std::env::var_os("STEPWELL_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = shared.join("reference/authorization-actions.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: {} is absent", path.display());
        return None;
    };
    Some(value::parse(&text).unwrap())
}

fn list(json: &Value, member: &str) -> Vec<Value> {
    json.get(member).and_then(Value::as_array).unwrap_or_default().to_vec()
}

fn text(json: &Value, member: &str) -> String {
    json.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn texts(items: &[Value]) -> BTreeSet<String> {
    items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[test]
fn the_tables_say_what_the_reference_says() {
    let Some(reference) = reference() else { return };
    let mut compared = 0;
    for (service, tables) in reference.as_object().unwrap().iter() {
        let forms = tables.get("resourceTypes").unwrap();
        for (name, expected) in tables.get("actions").and_then(Value::as_object).unwrap().iter() {
            let full = format!("{service}:{name}");
            let action = actions::find(&full).unwrap_or_else(|| panic!("no {full}"));
            let types = list(expected, "resourceTypes");
            let uses: BTreeSet<(String, bool)> = types
                .iter()
                .map(|one| {
                    let required = one.get("required").and_then(Value::as_bool).unwrap();
                    (text(one, "name"), required)
                })
                .collect();
            let found = action
                .resources
                .iter()
                .map(|one| (one.resource_type.clone(), one.need == Need::Required));
            assert_eq!(found.collect::<BTreeSet<_>>(), uses, "{full}");
            for one in &action.resources {
                let form = forms.get(&one.resource_type).unwrap();
                assert_eq!(one.arn_template, text(form, "arn"), "{full}");
                let keys: BTreeSet<String> = one.condition_keys.iter().cloned().collect();
                assert_eq!(keys, texts(&list(form, "conditionKeys")), "{full}");
            }
            let mut keys = texts(&list(expected, "conditionKeys"));
            keys.extend(types.iter().flat_map(|one| texts(&list(one, "conditionKeys"))));
            let found: BTreeSet<String> = action.condition_keys.iter().cloned().collect();
            assert_eq!(found, keys, "{full}");
            compared += 1;
        }
    }
    assert_eq!(compared, 139);
}
