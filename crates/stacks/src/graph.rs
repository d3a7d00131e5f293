//! Which resource waits for which.

use std::collections::BTreeSet;

use value::Value;

use crate::template::references::{Conditions, Reference, collect};
use crate::{Error, Template};

/// Returns the names in `DependsOn`.
pub(crate) fn depends_on(resource: &Value) -> Vec<String> {
    match resource.get("DependsOn") {
        Some(Value::String(name)) => vec![name.to_string()],
        Some(Value::Array(names)) => {
            names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns whether the conditions that are known leave the resource in the stack.
pub(crate) fn is_active(resource: &Value, conditions: &Conditions) -> bool {
    let name = resource.get("Condition").and_then(Value::as_str);
    name.and_then(|name| conditions.get(name)).is_none_or(|holds| *holds)
}

/// Returns the resources of the stack in an order in which each comes after what it needs, with
/// the names it needs.
pub(crate) fn order(
    template: &Template,
    conditions: &Conditions,
) -> Result<Vec<(String, Vec<String>)>, Error> {
    let active: Vec<(&str, &Value)> = template
        .section("Resources")
        .filter(|(_, resource)| is_active(resource, conditions))
        .map(|(name, resource)| (&**name, resource))
        .collect();
    let is_known = |name: &str| active.iter().any(|(known, _)| *known == name);
    let mut waiting: Vec<(&str, Vec<String>)> = Vec::new();
    let mut missing = Vec::new();
    for (name, resource) in &active {
        let mut found = Vec::new();
        let properties = resource.get("Properties");
        if let Some(properties) = properties {
            collect(properties, conditions, &mut found);
        }
        let mut needs: Vec<String> = Vec::new();
        for reference in found.iter().map(Reference::name) {
            if is_known(reference) {
                needs.push(reference.to_owned());
            } else if template.resource(reference).is_some() {
                missing.push(reference.to_owned());
            }
        }
        needs.extend(depends_on(resource).into_iter().filter(|name| is_known(name)));
        needs.sort_unstable();
        needs.dedup();
        waiting.push((name, needs));
    }
    if !missing.is_empty() {
        missing.sort_unstable();
        missing.dedup();
        return Err(Error::format(format!(
            "Unresolved resource dependencies [{}] in the Resources block of the template",
            missing.join(", ")
        )));
    }
    sort(&waiting)
}

/// Takes, again and again, every resource whose needs have been taken.
fn sort(waiting: &[(&str, Vec<String>)]) -> Result<Vec<(String, Vec<String>)>, Error> {
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    let mut order = Vec::new();
    // INVARIANT: each round takes at least one resource or ends.
    while order.len() < waiting.len() {
        let ready: Vec<&(&str, Vec<String>)> = waiting
            .iter()
            .filter(|(name, needs)| {
                !taken.contains(name) && needs.iter().all(|need| taken.contains(need.as_str()))
            })
            .collect();
        if ready.is_empty() {
            let names = waiting.iter().filter(|(name, _)| !taken.contains(name));
            return Err(Error::Circular(names.map(|(name, _)| (*name).to_owned()).collect()));
        }
        for (name, needs) in ready {
            taken.insert(name);
            order.push(((*name).to_owned(), needs.clone()));
        }
    }
    Ok(order)
}
