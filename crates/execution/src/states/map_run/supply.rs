//! Where the items of a map run come from: they are at hand, or are read by an ItemReader, laid
//! ready outside of the execution, and brought piece by piece.

use asl::{Failure, Field, ItemReader, error_name};
use serde::{Deserialize, Serialize};
use value::Value;

use super::{children, close, fail, results};
use crate::effect::Effect;
use crate::map_run::{ItemsWanted, ReadItems};
use crate::run::Run;
use crate::state::{TaskId, ThreadId};
use crate::states::map;

/// The most items that are read (AWS's quota).
const ITEMS_MAX: i64 = 100_000_000;

/// The items of a map run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Supply {
    /// Those at hand, as an array.
    items: Value,
    /// Where they come from, with the index of the first from there.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    sources: Vec<(u64, String)>,
    /// Their names, where they are the members of an object.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    keys: Vec<String>,
    /// The index of the first of them.
    first: u64,
    /// The index of the next one to be taken.
    next: u64,
    /// How many pieces lie ready in all, and how many have not been asked for.
    pieces: u32,
    pieces_left: u32,
    /// What is asked for, and under which number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    waits: Option<(TaskId, ItemsWanted)>,
}

impl Supply {
    /// Returns items of the state's input, which are all at hand: an array's, or an object's
    /// members.
    pub(super) fn of(items: &Value) -> Supply {
        let (items, keys) = match items {
            Value::Object(members) => {
                let keys = members.iter().map(|(key, _)| key.to_string());
                (members.iter().map(|(_, item)| item.clone()).collect(), keys.collect())
            }
            items => (items.clone(), Vec::new()),
        };
        let sources = vec![(0, map::STATE_DATA.to_owned())];
        let (first, next, pieces, pieces_left, waits) = (0, 0, 0, 0, None);
        Supply { items, sources, keys, first, next, pieces, pieces_left, waits }
    }

    /// Returns how many are at hand.
    pub(super) fn at_hand(&self) -> u64 {
        self.items.as_array().map_or(0, <[Value]>::len) as u64
    }

    /// Returns the next item at hand.
    pub(super) fn next(&self) -> Option<&Value> {
        self.items.at(usize::try_from(self.next - self.first).ok()?)
    }

    /// Returns `Map.Item` of the context object for the next item at hand.
    pub(super) fn map_item(&self) -> Option<Value> {
        let item = self.next()?.clone();
        let at = usize::try_from(self.next - self.first).ok()?;
        let source = self.sources.iter().rev().find(|(first, _)| *first <= self.next);
        Some(
            Value::object()
                .with("Index", self.next)
                .with_some("Key", self.keys.get(at).map(String::as_str))
                .with("Value", item)
                .with_some("Source", source.map(|(_, source)| source.as_str())),
        )
    }

    /// Takes a piece in: runs of items, each with where they come from. Pieces of before that was
    /// kept are bare items.
    fn take(&mut self, piece: &Value) {
        self.first = self.next;
        self.sources.clear();
        let Some(runs) = piece.get("Runs").and_then(Value::as_array) else {
            self.items = piece.clone();
            return;
        };
        let mut items = Vec::new();
        for run in runs {
            let source = run.get("Source").and_then(Value::as_str).unwrap_or_default();
            self.sources.push((self.first + items.len() as u64, source.to_owned()));
            let found = run.get("Items").and_then(Value::as_array).unwrap_or_default();
            items.extend(found.iter().cloned());
        }
        self.items = items.into();
    }

    pub(super) fn advance(&mut self) {
        self.next += 1;
    }

    /// Returns in how many pieces the items lie ready.
    pub(super) fn pieces(&self) -> u32 {
        self.pieces
    }

    /// Returns whether there are more than those at hand.
    pub(super) fn has_more(&self) -> bool {
        0 < self.pieces_left || self.waits.is_some()
    }

    /// Stops waiting; returns what for. A piece can be asked for again.
    pub(super) fn give_up(&mut self) -> Option<TaskId> {
        let (task, wanted) = self.waits.take()?;
        if let ItemsWanted::Piece(_) = wanted {
            self.pieces_left += 1;
        }
        Some(task)
    }

    /// Returns what is asked for and not there.
    pub(super) fn outstanding(&self, arn: &str) -> Option<Effect> {
        let (task, wanted) = self.waits.clone()?;
        Some(Effect::Items { task, map_run_arn: arn.to_owned(), wanted })
    }
}

/// Asks for everything that an ItemReader reads.
pub(super) fn read(run: &mut Run<'_>, id: ThreadId, reader: &ItemReader) -> Result<(), Failure> {
    let mut scope = run.scope(id);
    if let Some(map_run) = run.map_run(id) {
        scope.input = map_run.selector_input.clone();
    }
    let arguments = match &reader.arguments {
        None => Value::object(),
        Some(template) => {
            let field = Field::Top("ItemReader/Arguments");
            run.evaluate(&scope, |evaluation| template.evaluate(evaluation, field))?
        }
    };
    let items_max = map::integer(run, id, reader.items_max.as_ref(), "MaxItems")?;
    if items_max.is_some_and(|items_max| items_max < 0) {
        let error = error_name::ITEM_READER_FAILED.to_owned();
        fail(run, id, error, "field MaxItems must be positive".to_owned());
        return Ok(());
    }
    // Recorded: 0 is no bound, and one beyond the quota is the quota.
    let items_max = items_max.filter(|most| 0 < *most).map(|most| most.min(ITEMS_MAX));
    let items_max = items_max.and_then(|most| u64::try_from(most).ok());
    let state = run.visit(id).map(|visit| visit.state).unwrap_or_default();
    ask(run, id, ItemsWanted::Read(Box::new(ReadItems { state, arguments, items_max })));
    Ok(())
}

/// Asks for the next piece, unless something is asked for.
pub(super) fn want_more(run: &mut Run<'_>, id: ThreadId) {
    let Some(map_run) = run.map_run_mut(id) else { return };
    let supply = &mut map_run.supply;
    if supply.waits.is_some() || supply.pieces_left == 0 {
        return;
    }
    let piece = supply.pieces - supply.pieces_left;
    supply.pieces_left -= 1;
    ask(run, id, ItemsWanted::Piece(piece));
}

fn ask(run: &mut Run<'_>, id: ThreadId, wanted: ItemsWanted) {
    let task = TaskId(run.number());
    let Some(map_run) = run.map_run_mut(id) else { return };
    map_run.supply.waits = Some((task, wanted));
    let effect = map_run.supply.outstanding(&map_run.arn);
    run.state.children.insert(task, id);
    if let Some(effect) = effect {
        run.effect(effect);
    }
}

/// Returns whether this is waited for.
pub(super) fn awaits(run: &Run<'_>, id: ThreadId, task: TaskId) -> bool {
    let waits = run.map_run(id).and_then(|map_run| map_run.supply.waits.as_ref());
    waits.is_some_and(|(open, _)| *open == task)
}

/// Takes note that what was asked for has come.
fn came(run: &mut Run<'_>, id: ThreadId) {
    if let Some((task, _)) = run.map_run_mut(id).and_then(|map_run| map_run.supply.waits.take()) {
        run.state.children.remove(&task);
    }
}

/// What was asked for will never come.
pub(super) fn cannot_come(run: &mut Run<'_>, id: ThreadId, error: String, cause: String) {
    if let Some(task) = run.map_run_mut(id).and_then(|map_run| map_run.supply.give_up()) {
        run.state.children.remove(&task);
    }
    let Some(map_run) = run.map_run_mut(id) else { return };
    if map_run.closing.is_some() {
        // Nobody can tell what they are.
        map_run.supply.pieces_left = 0;
        return children::go_on(run, id);
    }
    if 0 < map_run.begun && results::are_exported(run, id) {
        close::begin(run, id, Some((error, cause)));
    } else {
        fail(run, id, error, cause);
    }
}

/// The items lie ready.
pub(super) fn were_read(run: &mut Run<'_>, id: ThreadId, items: u64, pieces: u32) {
    came(run, id);
    let Some(map_run) = run.map_run_mut(id) else { return };
    (map_run.supply.pieces, map_run.supply.pieces_left) = (pieces, pieces);
    map_run.item_counts.pending = items;
    let batching = map_run.batching.as_ref();
    map_run.execution_counts.pending = batching.map_or(items, |batching| batching.batches(items));
    children::go_on(run, id);
}

/// A piece is at hand.
pub(super) fn loaded(run: &mut Run<'_>, id: ThreadId, items: &Value) {
    came(run, id);
    let Some(map_run) = run.map_run_mut(id) else { return };
    map_run.supply.take(items);
    children::go_on(run, id);
}
