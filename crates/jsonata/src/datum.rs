//! What an evaluation works with: JSON values, and the things that JSON lacks.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use value::{Key, Map, Number, Value};

use crate::compile::code::{Call, LambdaCode, TransformCode};
use crate::functions::Native;
use crate::pattern::{Match, Pattern};

/// Anything an expression can come to.
///
/// Plain data stays a shared [`Value`]; only arrays with marks (see [`List`]) and data that holds
/// functions have forms of their own.
#[derive(Clone, Debug, Default)]
pub(crate) enum Datum {
    #[default]
    Undefined,
    Value(Value),
    List(Rc<List>),
    /// An object that holds a function somewhere.
    Record(Rc<Record>),
    Native(&'static Native),
    Function(Rc<Function>),
    Tuples(Rc<Vec<Tuple>>),
}

/// An array with marks, or one that holds a function somewhere.
#[derive(Clone, Debug, Default)]
pub(crate) struct List {
    pub(crate) items: Vec<Datum>,
    pub(crate) form: Form,
}

/// What an array counts as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    #[default]
    Plain,
    /// Made by an array constructor in a path: stays whole within sequences.
    Cons,
    /// A result sequence: with one item it stands for the item, with none for nothing.
    Sequence,
    /// A result sequence that stays an array even with one item.
    Kept,
    /// A result sequence around an array that is the context of the whole program.
    Wrapper,
}

impl Form {
    /// Returns whether the array is a result sequence.
    pub(crate) fn is_sequence(self) -> bool {
        matches!(self, Form::Sequence | Form::Kept | Form::Wrapper)
    }
}

/// Members of an object that holds a function somewhere.
pub(crate) type Record = Vec<(Key, Datum)>;

/// One item of a path that carries bindings along.
#[derive(Clone, Debug)]
pub(crate) struct Tuple {
    pub(crate) item: Datum,
    /// Variables by slot of the path's layout.
    pub(crate) slots: Vec<Option<Datum>>,
}

/// A function made by the program.
#[derive(Debug)]
pub(crate) enum Function {
    Lambda {
        code: Arc<LambdaCode>,
        env: Env,
        input: Datum,
    },
    /// Arguments given in advance; `None` is still open.
    Partial {
        function: Datum,
        arguments: Vec<Option<Datum>>,
    },
    /// `first ~> second`
    Composed {
        first: Datum,
        second: Datum,
    },
    Transform {
        code: Arc<TransformCode>,
        env: Env,
    },
    Regex(Arc<Pattern>),
    /// The `next` of a match.
    Next {
        pattern: Arc<Pattern>,
        text: Rc<str>,
        found: Match,
    },
    /// A call in tail position, still to be made.
    Thunk {
        call: Arc<Call>,
        env: Env,
        input: Datum,
    },
}

/// Variables of a block, a function call or a whole program.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Names by slot.
    pub(crate) names: Arc<[Arc<str>]>,
    pub(crate) slots: RefCell<Vec<Option<Datum>>>,
    pub(crate) parent: Option<Env>,
}

/// A frame, shared by the functions that captured it.
pub(crate) type Env = Rc<Frame>;

impl Frame {
    pub(crate) fn new(
        names: &Arc<[Arc<str>]>,
        slots: Vec<Option<Datum>>,
        parent: Option<Env>,
    ) -> Env {
        Rc::new(Frame { names: names.clone(), slots: RefCell::new(slots), parent })
    }

    /// Finds a variable by name here and outwards.
    pub(crate) fn find(&self, name: &str) -> Option<Datum> {
        let mut frame = Some(self);
        while let Some(here) = frame {
            let at = here.names.iter().position(|own| &**own == name);
            if let Some(Some(found)) = at.and_then(|at| here.slots.borrow().get(at).cloned()) {
                return Some(found);
            }
            frame = here.parent.as_deref();
        }
        None
    }
}

impl List {
    /// Returns a result sequence.
    pub(crate) fn sequence(items: Vec<Datum>) -> List {
        List { items, form: Form::Sequence }
    }
}

impl From<Value> for Datum {
    fn from(value: Value) -> Datum {
        Datum::Value(value)
    }
}

impl From<f64> for Datum {
    fn from(number: f64) -> Datum {
        Datum::Value(Value::Number(number_from(number)))
    }
}

impl From<bool> for Datum {
    fn from(flag: bool) -> Datum {
        Datum::Value(Value::Bool(flag))
    }
}

impl From<&str> for Datum {
    fn from(text: &str) -> Datum {
        Datum::Value(Value::from(text))
    }
}

impl From<String> for Datum {
    fn from(text: String) -> Datum {
        Datum::Value(Value::from(text))
    }
}

impl From<Function> for Datum {
    fn from(function: Function) -> Datum {
        Datum::Function(Rc::new(function))
    }
}

/// Numbers that JSON lacks live on inside an evaluation; [`Datum::into_json`] replaces them.
pub(crate) fn number_from(number: f64) -> Number {
    if number.is_finite() { Number::from(number) } else { Number::Float(number) }
}

/// The items of an array, however it is stored; or a single value as its own array.
#[derive(Clone, Copy)]
pub(crate) enum Items<'d> {
    Values(&'d [Value]),
    Data(&'d [Datum]),
    One(&'d Datum),
}

impl<'d> Items<'d> {
    pub(crate) fn len(self) -> usize {
        match self {
            Items::Values(values) => values.len(),
            Items::Data(data) => data.len(),
            Items::One(Datum::Undefined) => 0,
            Items::One(_) => 1,
        }
    }

    pub(crate) fn get(self, at: usize) -> Option<Datum> {
        match self {
            Items::Values(values) => values.get(at).cloned().map(Datum::Value),
            Items::Data(data) => data.get(at).cloned(),
            Items::One(Datum::Undefined) => None,
            Items::One(one) => (at == 0).then(|| one.clone()),
        }
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Datum> + use<'d> {
        (0..self.len()).filter_map(move |at| self.get(at))
    }

    pub(crate) fn to_vec(self) -> Vec<Datum> {
        self.iter().collect()
    }
}

impl Datum {
    /// Returns a plain array of `items`, as JSON where they are all plain.
    pub(crate) fn array(items: Vec<Datum>) -> Datum {
        if !items.iter().all(Datum::is_plain) {
            return Datum::List(Rc::new(List { items, form: Form::Plain }));
        }
        let values = items.into_iter().filter_map(Datum::into_plain).collect();
        Datum::Value(Value::Array(Arc::new(values)))
    }

    /// Returns a result sequence of `items`.
    pub(crate) fn sequence(items: Vec<Datum>) -> Datum {
        Datum::List(Rc::new(List::sequence(items)))
    }

    /// Returns an object of `members`, whose keys are distinct, as JSON where they are all plain.
    pub(crate) fn object(members: Record) -> Datum {
        if !members.iter().all(|(_, member)| member.is_plain()) {
            return Datum::Record(Rc::new(members));
        }
        let plain = members.into_iter().filter_map(|(key, m)| Some((key, m.into_plain()?)));
        Datum::Value(Value::Object(Arc::new(Map::from_distinct(plain.collect()))))
    }

    pub(crate) fn is_undefined(&self) -> bool {
        matches!(self, Datum::Undefined)
    }

    /// Returns the datum unless it is undefined.
    pub(crate) fn defined(self) -> Option<Datum> {
        if self.is_undefined() { None } else { Some(self) }
    }

    /// Returns whether the datum is JSON all the way down.
    pub(crate) fn is_plain(&self) -> bool {
        match self {
            Datum::Value(_) => true,
            Datum::List(list) => list.items.iter().all(Datum::is_plain),
            Datum::Undefined
            | Datum::Record(_)
            | Datum::Native(_)
            | Datum::Function(_)
            | Datum::Tuples(_) => false,
        }
    }

    /// Returns plain data as JSON, without looking for numbers that JSON lacks.
    pub(crate) fn into_plain(self) -> Option<Value> {
        match self {
            Datum::Value(value) => Some(value),
            Datum::List(list) => {
                let items = match Rc::try_unwrap(list) {
                    Ok(list) => list.items,
                    Err(shared) => shared.items.clone(),
                };
                let values = items.into_iter().map(Datum::into_plain);
                Some(Value::Array(Arc::new(values.collect::<Option<Vec<Value>>>()?)))
            }
            Datum::Undefined
            | Datum::Record(_)
            | Datum::Native(_)
            | Datum::Function(_)
            | Datum::Tuples(_) => None,
        }
    }

    /// Returns the datum as JSON as far as it is: functions in arrays become null and in objects
    /// disappear.
    pub(crate) fn to_json(&self) -> Option<Value> {
        match self {
            Datum::Undefined | Datum::Native(_) | Datum::Function(_) | Datum::Tuples(_) => None,
            Datum::Value(value) => Some(value.clone()),
            Datum::List(list) => {
                let items = list.items.iter().map(|item| item.to_json().unwrap_or_default());
                Some(items.collect())
            }
            Datum::Record(members) => {
                let plain = members.iter().filter_map(|(k, m)| Some((k.clone(), m.to_json()?)));
                Some(Value::from(plain.collect::<Map>()))
            }
        }
    }

    /// Returns the items of an array.
    pub(crate) fn items(&self) -> Option<Items<'_>> {
        match self {
            Datum::Value(Value::Array(values)) => Some(Items::Values(values)),
            Datum::List(list) => Some(Items::Data(&list.items)),
            Datum::Value(_)
            | Datum::Undefined
            | Datum::Record(_)
            | Datum::Native(_)
            | Datum::Function(_)
            | Datum::Tuples(_) => None,
        }
    }

    /// Returns the items of an array, or the datum as the only one; undefined has none.
    pub(crate) fn spread(&self) -> Items<'_> {
        self.items().unwrap_or(Items::One(self))
    }

    pub(crate) fn is_array(&self) -> bool {
        matches!(self, Datum::Value(Value::Array(_)) | Datum::List(_))
    }

    pub(crate) fn is_object(&self) -> bool {
        matches!(self, Datum::Value(Value::Object(_)) | Datum::Record(_))
    }

    pub(crate) fn is_function(&self) -> bool {
        matches!(self, Datum::Native(_) | Datum::Function(_))
    }

    /// Returns whether this is a result sequence.
    pub(crate) fn is_sequence(&self) -> bool {
        matches!(self, Datum::List(list) if list.form.is_sequence())
    }

    /// Returns whether this is an array that stays whole within sequences.
    pub(crate) fn is_cons(&self) -> bool {
        matches!(self, Datum::List(list) if list.form == Form::Cons)
    }

    pub(crate) fn as_number(&self) -> Option<f64> {
        match self {
            Datum::Value(Value::Number(number)) => Some(number.as_f64()),
            _ => None,
        }
    }

    pub(crate) fn as_text(&self) -> Option<&Arc<str>> {
        match self {
            Datum::Value(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// Returns the members of an object.
    pub(crate) fn members(&self) -> Record {
        match self {
            Datum::Value(Value::Object(map)) => {
                map.iter().map(|(k, v)| (k.clone(), Datum::Value(v.clone()))).collect()
            }
            Datum::Record(members) => members.to_vec(),
            _ => Vec::new(),
        }
    }

    /// Returns the member `key` of an object, or of every object in an array.
    pub(crate) fn field(&self, key: &str) -> Datum {
        match self {
            Datum::Value(value) => field_of_value(value, key),
            Datum::Record(members) => {
                let found = members.iter().find(|(name, _)| &**name == key);
                found.map_or(Datum::Undefined, |(_, member)| member.clone())
            }
            Datum::List(list) => {
                let mut found = Vec::new();
                list.items.iter().for_each(|item| gather(item.field(key), &mut found));
                Datum::sequence(found)
            }
            Datum::Undefined | Datum::Native(_) | Datum::Function(_) | Datum::Tuples(_) => {
                Datum::Undefined
            }
        }
    }
}

/// Returns the member `key` of an object, or of every object in an array.
pub(crate) fn field_of_value(value: &Value, key: &str) -> Datum {
    match value {
        Value::Object(map) => map.get(key).cloned().map_or(Datum::Undefined, Datum::Value),
        Value::Array(items) => {
            let mut found = Vec::new();
            items.iter().for_each(|item| gather(field_of_value(item, key), &mut found));
            Datum::sequence(found)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Datum::Undefined,
    }
}

/// Appends what was found, arrays item by item.
pub(crate) fn gather(found: Datum, into: &mut Vec<Datum>) {
    match found {
        Datum::Undefined => {}
        Datum::List(list) => match Rc::try_unwrap(list) {
            Ok(list) => into.extend(list.items),
            Err(shared) => into.extend_from_slice(&shared.items),
        },
        Datum::Value(Value::Array(values)) => {
            into.extend(values.iter().cloned().map(Datum::Value));
        }
        one => into.push(one),
    }
}
