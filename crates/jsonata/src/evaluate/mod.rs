//! Runs compiled code within its budgets.

mod arguments;
mod call;
mod group;
mod operand;
mod operators;
mod path;
mod race;
mod shortcut;
mod sort;
mod transform;
mod tuples;
mod weight;

use std::rc::{Rc, Weak};
use std::sync::Arc;

use value::Key;

use crate::compile::code::{
    Block, Call, Code, Filter, Group, Item, LambdaCode, TransformCode, Variable, Whole,
};
use crate::datum::{Datum, Env, Form, Frame, Function, List};
use crate::fault::{Fault, Run};
use crate::pattern::Pattern;
use crate::{Dialect, Limits, Moment};

pub(crate) use operators::{boolean, compare_text, equal};
pub(crate) use path::fields_of;
pub(crate) use shortcut::Shortcut;
pub(crate) use sort::merge_sort;
pub(crate) use tuples::append;
pub(crate) use weight::is_light;

/// The text of Step Functions for too deep nesting.
const DEPTH_TEXT: &str = "Stack overflow error: Check for non-terminating recursive function. \
                          Consider rewriting as tail-recursive";
/// The text of Step Functions for too much memory.
pub(crate) const BYTES_TEXT: &str =
    "Expression evaluation memory limit exceeded: Check for excessive memory usage";
/// The reference's text for its time limit, for which our steps stand in.
const STEPS_TEXT: &str = "Expression evaluation timeout: Check for infinite loop";

/// What Step Functions seems to charge for one slot of an array.
const SLOT_BYTES: usize = 12;
/// What Step Functions seems to charge for an evaluation as such (between 365 and 376).
const EVALUATION_BYTES: usize = 370;
/// Rounds between looks for captured frames that are gone.
const CAPTURED_MIN: usize = 64;

/// One evaluation under way.
pub(crate) struct Evaluator<'m> {
    pub(crate) dialect: Dialect,
    pub(crate) moment: &'m mut Moment,
    limits: Limits,
    depth: usize,
    bytes: usize,
    steps: u64,
    waits: race::Waits,
    made: usize,
    /// Whether a number was made that JSON lacks.
    pub(crate) lacks_numbers: bool,
    /// `$$`
    pub(crate) root: Datum,
    /// Frames that functions captured: emptied at the end, since they may own each other.
    captured: Vec<Weak<Frame>>,
    captured_max: usize,
    /// Where the native function under way was called, for `$eval`.
    pub(crate) caller: Option<(Datum, Env)>,
}

impl Drop for Evaluator<'_> {
    fn drop(&mut self) {
        for frame in self.captured.drain(..).filter_map(|frame| frame.upgrade()) {
            let slots = std::mem::take(&mut *frame.slots.borrow_mut());
            drop(slots);
        }
    }
}

impl<'m> Evaluator<'m> {
    pub(crate) fn new(
        dialect: Dialect,
        limits: &Limits,
        moment: &'m mut Moment,
        root: Datum,
    ) -> Evaluator<'m> {
        Evaluator {
            dialect,
            moment,
            limits: limits.clone(),
            depth: 0,
            bytes: EVALUATION_BYTES,
            steps: 0,
            waits: race::Waits::default(),
            made: 0,
            lacks_numbers: false,
            root,
            captured: Vec::new(),
            captured_max: CAPTURED_MIN,
            caller: None,
        }
    }

    /// Counts `steps` rounds of work.
    pub(crate) fn work(&mut self, steps: usize) -> Run<()> {
        self.steps += steps as u64;
        if self.steps > self.limits.steps_max { Err(Fault::uncoded(STEPS_TEXT)) } else { Ok(()) }
    }

    /// Meters `bytes` of a new value.
    // UNVERIFIED: that Step Functions meters what an evaluation allocates in all, not at once.
    pub(crate) fn charge(&mut self, bytes: usize) -> Run<()> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.limits.bytes_max { Err(Fault::uncoded(BYTES_TEXT)) } else { Ok(()) }
    }

    /// Meters the slots of a new array.
    pub(crate) fn charge_slots(&mut self, slots: usize) -> Run<()> {
        self.work(slots)?;
        self.charge(slots.saturating_mul(SLOT_BYTES))
    }

    /// Checks that an array could be paid for, before it is made.
    pub(crate) fn afford_slots(&mut self, slots: usize) -> Run<()> {
        let bytes = self.bytes;
        self.charge_slots(slots)?;
        self.bytes = bytes;
        Ok(())
    }

    /// Meters a new string.
    pub(crate) fn text(&mut self, text: impl Into<String>) -> Run<Datum> {
        let text = text.into();
        self.charge(text.len())?;
        Ok(Datum::from(text))
    }

    /// Returns a number, noting one that JSON lacks.
    pub(crate) fn number(&mut self, number: f64) -> Datum {
        self.lacks_numbers |= !number.is_finite();
        Datum::from(number)
    }

    /// Returns a metered result sequence.
    pub(crate) fn sequence(&mut self, items: Vec<Datum>) -> Run<Datum> {
        self.charge_slots(items.len())?;
        self.made(Datum::sequence(items))
    }

    /// Returns a metered plain array.
    pub(crate) fn array(&mut self, items: Vec<Datum>) -> Run<Datum> {
        self.charge_slots(items.len())?;
        self.made(Datum::array(items))
    }

    /// Returns a metered object.
    pub(crate) fn object(&mut self, members: Vec<(Key, Datum)>) -> Run<Datum> {
        self.charge_slots(members.len())?;
        self.made(Datum::object(members))
    }

    /// Remembers that a function captured `env`.
    fn capture(&mut self, env: &Env) {
        if self.captured.len() >= self.captured_max {
            self.captured.retain(|frame| frame.strong_count() > 0);
            self.captured_max = CAPTURED_MIN.max(self.captured.len() * 2);
        }
        let known = self.captured.last().is_some_and(|last| last.as_ptr() == Rc::as_ptr(env));
        if !known {
            self.captured.push(Rc::downgrade(env));
        }
    }

    /// Evaluates `code` for the context item `input`.
    pub(crate) fn eval(&mut self, code: &Code, input: &Datum, env: &Env) -> Run<Datum> {
        self.descend()?;
        let result = self.raw(code, input, env);
        self.depth -= 1;
        if self.waits.racing {
            self.waits.add_node(code);
        }
        result.map(settle)
    }

    /// Counts one more level of nesting and one more step; the caller takes the level back.
    fn descend(&mut self) -> Run<()> {
        self.depth += 1;
        self.steps += 1;
        if self.depth > self.limits.depth_max {
            return Err(Fault::uncoded(DEPTH_TEXT));
        }
        if self.steps > self.limits.steps_max {
            return Err(Fault::uncoded(STEPS_TEXT));
        }
        Ok(())
    }

    /// Evaluates `code` without settling its result sequence.
    fn raw(&mut self, code: &Code, input: &Datum, env: &Env) -> Run<Datum> {
        match code {
            Code::Constant(value) => Ok(Datum::Value(value.clone())),
            Code::Context => Ok(context(input)),
            Code::Root => Ok(self.root.clone()),
            Code::Variable(variable) => Ok(lookup(variable, env)),
            Code::Name(name) => Ok(input.field(name)),
            Code::Fields(variable, names) => {
                self.note_fields(&lookup(variable, env), names, 2);
                Ok(path::fields(variable, names, env))
            }
            Code::ContextFields(names) => {
                self.note_fields(input, names, 0);
                Ok(path::context_fields(input, names))
            }
            Code::Wildcard => self.wildcard(input),
            Code::Descendant => self.descendants(input),
            Code::Path(path) => self.path(path, input, env),
            Code::Arithmetic(op, operands) => self.arithmetic(*op, operands, input, env),
            Code::Compare(op, operands) => self.compare(*op, operands, input, env),
            Code::Equal(operands) => self.equality(operands, input, env, true),
            Code::Unequal(operands) => self.equality(operands, input, env, false),
            Code::And(operands) => self.and(operands, input, env),
            Code::Or(operands) => self.or(operands, input, env),
            Code::In(operands) => self.inclusion(operands, input, env),
            Code::Concat(operands) => self.concat(operands, input, env),
            Code::Range(operands) => self.range(operands, input, env),
            Code::Negate(operand, position) => self.negate(operand, *position, input, env),
            Code::Array(items, whole) => self.array_constructor(items, *whole, input, env),
            Code::Object(group) => self.group(group, input, env),
            Code::Block(block) => self.block(block, input, env),
            Code::Call(call) => self.call(call, None, input, env),
            Code::TailCall(call) => Ok(thunk(call, input, env)),
            Code::Partial(call, open) => self.partial(call, open, input, env),
            Code::Lambda(code) => Ok(self.lambda(code, input, env)),
            Code::Condition(parts, otherwise) => {
                self.condition(parts, otherwise.as_deref(), input, env)
            }
            Code::Default(parts) => self.default(parts, input, env),
            Code::Coalesce(parts) => self.coalesce(parts, input, env),
            Code::Bind(hops, slot, value) => self.bind(*hops, *slot, value, input, env),
            Code::ApplyCall(left, call) => self.apply_call(left, call, input, env),
            Code::Apply(operands) => self.apply_operator(operands, input, env),
            Code::Transform(code) => Ok(self.transformer(code, env)),
            Code::Regex(pattern) => Ok(matcher(pattern)),
            Code::Filtered(code, filters) => self.filtered(code, filters, input, env),
            Code::Grouped(code, group) => self.grouped(code, group, input, env),
            Code::Keep(code) => self.raw(code, input, env).map(keep),
        }
    }

    /// Notes the waits of a path of plain names, `more` of them for its start.
    fn note_fields(&mut self, start: &Datum, names: &[Key], more: u64) {
        if self.waits.racing {
            self.waits.add(more);
            if let Datum::Value(start) = start {
                self.waits.add_fields(start, names);
            }
        }
    }

    fn lambda(&mut self, code: &Arc<LambdaCode>, input: &Datum, env: &Env) -> Datum {
        self.capture(env);
        let (code, env, input) = (code.clone(), env.clone(), input.clone());
        Datum::from(Function::Lambda { code, env, input })
    }

    fn transformer(&mut self, code: &Arc<TransformCode>, env: &Env) -> Datum {
        self.capture(env);
        Datum::from(Function::Transform { code: code.clone(), env: env.clone() })
    }

    fn filtered(
        &mut self,
        code: &Code,
        filters: &[Filter],
        input: &Datum,
        env: &Env,
    ) -> Run<Datum> {
        let mut result = self.raw(code, input, env)?;
        for filter in filters {
            self.waits.add(1);
            result = self.filter(filter, &result, env)?;
        }
        Ok(result)
    }

    fn grouped(&mut self, code: &Code, group: &Group, input: &Datum, env: &Env) -> Run<Datum> {
        let items = self.raw(code, input, env)?;
        self.group(group, &items, env)
    }

    fn array_constructor(
        &mut self,
        items: &[Item],
        whole: Whole,
        input: &Datum,
        env: &Env,
    ) -> Run<Datum> {
        let mut result = Vec::with_capacity(items.len());
        self.concurrently(items.len(), |evaluator, at| {
            let Some(item) = items.get(at) else { return Ok(()) };
            let value = evaluator.eval(&item.code, input, env)?;
            if item.nested && !value.is_undefined() {
                result.push(value);
            } else {
                crate::datum::gather(value, &mut result);
            }
            Ok(())
        })?;
        self.charge_slots(result.len())?;
        let array = match whole {
            Whole::Yes => Datum::List(Rc::new(List { items: result, form: Form::Cons })),
            Whole::No => Datum::array(result),
        };
        self.made(array)
    }

    fn block(&mut self, block: &Block, input: &Datum, env: &Env) -> Run<Datum> {
        let own = block
            .layout
            .as_ref()
            .map(|names| Frame::new(names, vec![None; names.len()], Some(env.clone())));
        let env = own.as_ref().unwrap_or(env);
        let mut result = Datum::Undefined;
        for part in &block.parts {
            result = self.eval(part, input, env)?;
        }
        Ok(result)
    }

    fn condition(
        &mut self,
        parts: &[Code; 2],
        otherwise: Option<&Code>,
        input: &Datum,
        env: &Env,
    ) -> Run<Datum> {
        let [test, then] = parts;
        if boolean(&self.eval(test, input, env)?).unwrap_or(false) {
            return self.eval(then, input, env);
        }
        match otherwise {
            Some(code) => self.eval(code, input, env),
            None => Ok(Datum::Undefined),
        }
    }

    fn default(&mut self, parts: &[Code; 2], input: &Datum, env: &Env) -> Run<Datum> {
        let [left, right] = parts;
        let value = self.eval(left, input, env)?;
        if boolean(&value).unwrap_or(false) { Ok(value) } else { self.eval(right, input, env) }
    }

    fn coalesce(&mut self, parts: &[Code; 2], input: &Datum, env: &Env) -> Run<Datum> {
        let [left, right] = parts;
        match self.eval(left, input, env)?.defined() {
            Some(value) => Ok(value),
            None => self.eval(right, input, env),
        }
    }

    fn bind(
        &mut self,
        hops: usize,
        slot: usize,
        value: &Code,
        input: &Datum,
        env: &Env,
    ) -> Run<Datum> {
        let value = self.eval(value, input, env)?;
        if let Some(frame) = outwards(env, hops)
            && let Some(place) = frame.slots.borrow_mut().get_mut(slot)
        {
            *place = Some(value.clone());
        }
        Ok(value)
    }
}

/// Returns a call to be made later.
fn thunk(call: &Arc<Call>, input: &Datum, env: &Env) -> Datum {
    let (call, env, input) = (call.clone(), env.clone(), input.clone());
    Datum::from(Function::Thunk { call, env, input })
}

fn matcher(pattern: &Arc<Pattern>) -> Datum {
    Datum::from(Function::Regex(pattern.clone()))
}

/// Returns the frame `hops` outwards.
fn outwards(env: &Env, hops: usize) -> Option<&Frame> {
    let mut frame: &Frame = env;
    for _ in 0..hops {
        frame = frame.parent.as_deref()?;
    }
    Some(frame)
}

/// Returns what a variable is bound to.
fn lookup(variable: &Variable, env: &Env) -> Datum {
    for place in &variable.places {
        if let Some(frame) = outwards(env, place.hops)
            && let Some(Some(found)) = frame.slots.borrow().get(place.slot)
        {
            return found.clone();
        }
    }
    Datum::Undefined
}

/// Returns the context item as `$` sees it.
fn context(input: &Datum) -> Datum {
    match input {
        Datum::List(list) if list.form == Form::Wrapper => {
            list.items.first().cloned().unwrap_or_default()
        }
        other => other.clone(),
    }
}

/// A result sequence without items is nothing, one with a single item is the item.
pub(crate) fn settle(result: Datum) -> Datum {
    let Datum::List(list) = &result else { return result };
    if !list.form.is_sequence() {
        return result;
    }
    match list.items.as_slice() {
        [] => Datum::Undefined,
        [one] if list.form != Form::Kept => one.clone(),
        _ => result,
    }
}

/// Marks a result sequence as one that stays an array.
fn keep(result: Datum) -> Datum {
    match result {
        Datum::List(list) if list.form.is_sequence() => {
            let mut list = Rc::unwrap_or_clone(list);
            list.form = Form::Kept;
            Datum::List(Rc::new(list))
        }
        other => other,
    }
}
