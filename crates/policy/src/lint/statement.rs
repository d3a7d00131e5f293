//! Statements with the places of what stands in them.

use value::Value;

use super::Place;
use crate::Effect;
use crate::conditions::Spelling;

/// A statement; what has not the form of one is left out of it.
pub(super) struct Statement<'d> {
    pub(super) json: &'d Value,
    pub(super) place: Place,
    pub(super) effect: Effect,
    /// `Action` or `NotAction`.
    pub(super) actions: Entries<'d>,
    /// `Resource` or `NotResource`; empty where there is neither.
    pub(super) resources: Entries<'d>,
    pub(super) conditions: Vec<Condition<'d>>,
}

/// The texts of one element.
pub(super) struct Entries<'d> {
    pub(super) form: Form,
    pub(super) place: Place,
    pub(super) texts: Vec<Entry<'d>>,
}

/// Which of two elements is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Neither.
    Absent,
    /// `Action`, `Resource`.
    Listed,
    /// `NotAction`, `NotResource`.
    AllBut,
}

/// One text and where it stands.
pub(super) struct Entry<'d> {
    pub(super) text: &'d str,
    pub(super) place: Place,
}

/// One condition key under one operator.
pub(super) struct Condition<'d> {
    pub(super) operator: &'d str,
    /// `None` when AWS has no such operator.
    pub(super) spelling: Option<Spelling>,
    pub(super) key: &'d str,
    pub(super) operator_place: Place,
    pub(super) place: Place,
    pub(super) values: Vec<Entry<'d>>,
}

impl Statement<'_> {
    /// Returns whether the statement has a `Condition` with keys.
    pub(super) fn is_conditional(&self) -> bool {
        !self.conditions.is_empty()
    }
}

/// Reads the statements of a document.
pub(super) fn read(document: &Value) -> Vec<Statement<'_>> {
    let place = Place::default().member("Statement");
    items(document.get("Statement"), &place)
        .into_iter()
        .filter_map(|(json, place)| statement(json, place))
        .collect()
}

fn statement(json: &Value, place: Place) -> Option<Statement<'_>> {
    json.as_object()?;
    let effect = match json.get("Effect").and_then(Value::as_str)? {
        "Allow" => Effect::Allow,
        "Deny" => Effect::Deny,
        _ => return None,
    };
    let actions = entries(json, &place, "Action", "NotAction");
    let resources = entries(json, &place, "Resource", "NotResource");
    let conditions = conditions(json.get("Condition"), &place.member("Condition"));
    Some(Statement { json, place, effect, actions, resources, conditions })
}

fn entries<'d>(json: &'d Value, place: &Place, listed: &str, all_but: &str) -> Entries<'d> {
    let (form, name) = match (json.get(listed), json.get(all_but)) {
        (Some(_), _) => (Form::Listed, listed),
        (None, Some(_)) => (Form::AllBut, all_but),
        (None, None) => (Form::Absent, listed),
    };
    let place = place.member(name);
    let texts = texts(json.get(name), &place);
    Entries { form, place, texts }
}

/// Returns the texts of one value or of a list, with their places.
pub(super) fn texts<'d>(value: Option<&'d Value>, place: &Place) -> Vec<Entry<'d>> {
    let items = items(value, place).into_iter();
    items.filter_map(|(value, place)| Some(Entry { text: value.as_str()?, place })).collect()
}

fn items<'d>(value: Option<&'d Value>, place: &Place) -> Vec<(&'d Value, Place)> {
    match value {
        Some(Value::Array(items)) => {
            items.iter().enumerate().map(|(at, item)| (item, place.item(at))).collect()
        }
        Some(one) => vec![(one, place.clone())],
        None => Vec::new(),
    }
}

fn conditions<'d>(json: Option<&'d Value>, place: &Place) -> Vec<Condition<'d>> {
    let mut conditions = Vec::new();
    for (operator, block) in json.and_then(Value::as_object).iter().flat_map(|map| map.iter()) {
        let operator_place = place.member(operator);
        for (key, values) in block.as_object().iter().flat_map(|map| map.iter()) {
            let place = operator_place.member(key);
            conditions.push(Condition {
                operator,
                spelling: Spelling::parse(operator),
                key,
                operator_place: operator_place.clone(),
                values: texts(Some(values), &place),
                place,
            });
        }
    }
    conditions
}
