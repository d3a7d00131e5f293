//! From the shaped tree to code: variables become slots, constants are folded, facts collected.

pub(crate) mod code;
mod path;
mod scopes;

use std::sync::Arc;

use value::{Key, Value};

use crate::fault::{Fault, Run};
use crate::functions::{self, Native};
use crate::pattern::Pattern;
use crate::syntax::tree::{self, Node, NodeKind};
use crate::{Dialect, Scope};
use code::{Arithmetic, Block, Call, Code, Compare, Group, Item, LambdaCode, Layout, Operands};
use code::{TransformCode, Whole};
use scopes::{ScopeKind, Scopes, assigned};

/// A compiled text.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) code: Code,
    /// Names of the outermost frame: what the text assigns there, then what it reads from outside.
    pub(crate) layout: Layout,
    /// The built-in functions of those names.
    pub(crate) natives: Box<[Option<&'static Native>]>,
    pub(crate) scope: Scope,
}

/// Compiles a shaped tree.
pub(crate) fn compile(mut root: Node, dialect: Dialect) -> Run<Compiled> {
    let mut own = Vec::new();
    assigned(&mut root, &mut own);
    let scopes = Scopes::new(own, dialect);
    let mut compiler = Compiler { scopes };
    let code = compiler.code(root, None)?;
    let (layout, scope) = compiler.scopes.finish();
    let natives = layout.iter().map(|name| functions::find(name, dialect)).collect();
    Ok(Compiled { code, layout, natives, scope })
}

struct Compiler {
    scopes: Scopes,
}

impl Compiler {
    /// Compiles a node with everything that hangs on it; a nested path that hands its bindings on
    /// uses the layout `outer`.
    fn code(&mut self, mut node: Node, outer: Option<&Layout>) -> Run<Code> {
        let hanging = Hanging::take(&mut node);
        let code = self.bare(node, outer)?;
        self.dress(code, hanging)
    }

    /// Adds what hangs on a node to its own code.
    fn dress(&mut self, mut code: Code, hanging: Hanging) -> Run<Code> {
        if !hanging.predicates.is_empty() {
            code = Code::Filtered(Box::new(code), self.filters(hanging.predicates)?);
        }
        if let Some(group) = hanging.group {
            let group = self.inner(|compiler| compiler.group(group))?;
            code = Code::Grouped(Box::new(code), Box::new(group));
        }
        if hanging.keep_array {
            code = Code::Keep(Box::new(code));
        }
        Ok(code)
    }

    /// Runs `work` for what is evaluated with a context item of its own.
    fn inner<T>(&mut self, work: impl FnOnce(&mut Compiler) -> T) -> T {
        self.scopes.enter_context();
        let result = work(self);
        self.scopes.leave_context();
        result
    }

    fn boxed(&mut self, node: Node) -> Run<Box<Code>> {
        self.code(node, None).map(Box::new)
    }

    fn pair(&mut self, left: Node, right: Node) -> Run<Box<[Code; 2]>> {
        Ok(Box::new([self.code(left, None)?, self.code(right, None)?]))
    }

    fn operands(&mut self, left: Node, right: Node, position: usize) -> Run<Box<Operands>> {
        let (left, right) = (self.code(left, None)?, self.code(right, None)?);
        Ok(Box::new(Operands { left, right, position }))
    }

    /// Dispatches on the kind; what recurses most has the smallest way down.
    fn bare(&mut self, node: Node, outer: Option<&Layout>) -> Run<Code> {
        let at = node.position.unwrap_or_default();
        match &*node.kind {
            NodeKind::Path { .. } => self.path(node, outer),
            NodeKind::Block(_) => self.block(node, outer),
            NodeKind::Array(_) => self.array(node),
            NodeKind::Binary(..) | NodeKind::Range(..) => self.binary(node, at),
            NodeKind::Call(..) | NodeKind::Partial(..) => self.calling(node, at),
            NodeKind::Name(_)
            | NodeKind::Text(_)
            | NodeKind::Number(_)
            | NodeKind::Constant(_)
            | NodeKind::Variable(_)
            | NodeKind::Regex(..)
            | NodeKind::Wildcard
            | NodeKind::Descendant
            | NodeKind::Parent(_) => self.leaf(&node.kind, at),
            NodeKind::Negate(_)
            | NodeKind::Object(_)
            | NodeKind::Lambda { .. }
            | NodeKind::Condition(..)
            | NodeKind::Default(..)
            | NodeKind::Coalesce(..)
            | NodeKind::Bind(..)
            | NodeKind::Apply(..)
            | NodeKind::Transform(..)
            | NodeKind::Sort(_) => self.compound(node, at),
        }
    }

    fn leaf(&mut self, kind: &NodeKind, at: usize) -> Run<Code> {
        Ok(match kind {
            NodeKind::Name(name) => {
                self.scopes.context_read(name, at);
                Code::Name(name.clone())
            }
            NodeKind::Text(text) => Code::Constant(Value::String(text.clone())),
            NodeKind::Number(number) => Code::Constant(Value::from(*number)),
            NodeKind::Constant(value) => Code::Constant(value.clone()),
            NodeKind::Variable(name) => self.variable(name, at),
            NodeKind::Regex(pattern, flags) => {
                Code::Regex(Arc::new(Pattern::new(pattern, flags, at)?))
            }
            NodeKind::Wildcard => {
                self.scopes.context_read("*", at);
                Code::Wildcard
            }
            NodeKind::Descendant => {
                self.scopes.context_read("**", at);
                Code::Descendant
            }
            NodeKind::Parent(slot) => Code::Variable(self.scopes.find(&ancestor_name(*slot))),
            _ => return Err(misplaced(at)),
        })
    }

    fn compound(&mut self, node: Node, at: usize) -> Run<Code> {
        Ok(match *node.kind {
            NodeKind::Negate(operand) => Code::Negate(self.boxed(*operand)?, at),
            NodeKind::Object(group) => Code::Object(Box::new(self.group(group)?)),
            NodeKind::Lambda { parameters, signature, body } => {
                return self.lambda(parameters, signature, *body);
            }
            NodeKind::Condition(test, then, otherwise) => {
                let both = self.pair(*test, *then)?;
                Code::Condition(both, otherwise.map(|node| self.boxed(*node)).transpose()?)
            }
            NodeKind::Default(left, right) => Code::Default(self.pair(*left, *right)?),
            NodeKind::Coalesce(left, right) => Code::Coalesce(self.pair(*left, *right)?),
            NodeKind::Bind(name, value) => {
                let value = self.boxed(*value)?;
                let place = self.scopes.target(&name);
                Code::Bind(place.hops, place.slot, value)
            }
            NodeKind::Apply(left, right) => return self.apply(*left, *right, at),
            NodeKind::Transform(pattern, update, delete) => {
                return self.transform(*pattern, *update, delete.map(|node| *node));
            }
            // Sorts are steps, which paths compile themselves.
            _ => return Err(misplaced(at)),
        })
    }

    fn calling(&mut self, node: Node, at: usize) -> Run<Code> {
        match *node.kind {
            NodeKind::Call(procedure, arguments) => {
                let arguments = arguments.into_iter().map(Some).collect();
                self.call(*procedure, arguments, at).map(|call| Code::Call(Box::new(call)))
            }
            NodeKind::Partial(procedure, arguments) => {
                let open = arguments.iter().map(Option::is_none).collect();
                let call = self.call(*procedure, arguments, at)?;
                Ok(Code::Partial(Box::new(call), open))
            }
            _ => Err(misplaced(at)),
        }
    }

    fn variable(&mut self, name: &Arc<str>, at: usize) -> Code {
        match &**name {
            "" => {
                self.scopes.context_read("$", at);
                Code::Context
            }
            "$" => {
                self.scopes.root_read(at);
                Code::Root
            }
            _ => Code::Variable(self.scopes.read(name, at, Vec::new())),
        }
    }

    fn binary(&mut self, node: Node, at: usize) -> Run<Code> {
        let (symbol, left, right) = match *node.kind {
            NodeKind::Binary(symbol, left, right) => (symbol, left, right),
            NodeKind::Range(left, right) => ("..", left, right),
            _ => return Err(misplaced(at)),
        };
        let operands = self.operands(*left, *right, at)?;
        Ok(match symbol {
            "+" => Code::Arithmetic(Arithmetic::Add, operands),
            "-" => Code::Arithmetic(Arithmetic::Subtract, operands),
            "*" => Code::Arithmetic(Arithmetic::Multiply, operands),
            "/" => Code::Arithmetic(Arithmetic::Divide, operands),
            "%" => Code::Arithmetic(Arithmetic::Remainder, operands),
            "<" => Code::Compare(Compare::Less, operands),
            "<=" => Code::Compare(Compare::LessOrEqual, operands),
            ">" => Code::Compare(Compare::Greater, operands),
            ">=" => Code::Compare(Compare::GreaterOrEqual, operands),
            "=" => Code::Equal(operands),
            "!=" => Code::Unequal(operands),
            "and" => Code::And(operands),
            "or" => Code::Or(operands),
            "in" => Code::In(operands),
            ".." => Code::Range(operands),
            // The only operator left is `&`.
            _ => Code::Concat(operands),
        })
    }

    fn array(&mut self, node: Node) -> Run<Code> {
        let cons = if node.cons { Whole::Yes } else { Whole::No };
        let NodeKind::Array(items) = *node.kind else { return Err(misplaced(0)) };
        let mut codes = Vec::with_capacity(items.len());
        for item in items {
            let nested = item.is_array();
            codes.push(Item { code: self.code(item, None)?, nested });
        }
        if cons == Whole::No
            && let Some(values) = codes.iter().map(constant_item).collect::<Option<Vec<Value>>>()
        {
            return Ok(Code::Constant(values.into()));
        }
        Ok(Code::Array(codes.into(), cons))
    }

    fn group(&mut self, group: tree::Group) -> Run<Group> {
        let mut pairs = Vec::with_capacity(group.pairs.len());
        for (key, value) in group.pairs {
            pairs.push((self.code(key, None)?, self.code(value, None)?));
        }
        let fixed = fixed_keys(&pairs);
        Ok(Group { pairs: pairs.into(), fixed, position: group.position })
    }

    fn block(&mut self, node: Node, outer: Option<&Layout>) -> Run<Code> {
        let NodeKind::Block(mut parts) = *node.kind else { return Err(misplaced(0)) };
        let mut names = Vec::new();
        for part in &mut parts {
            assigned(part, &mut names);
        }
        if names.is_empty() {
            let parts = self.parts(parts, outer)?;
            return Ok(Code::Block(Box::new(Block { layout: None, parts })));
        }
        self.scopes.push(names, ScopeKind::Frame);
        let parts = self.parts(parts, outer);
        let layout = Some(self.scopes.pop());
        Ok(Code::Block(Box::new(Block { layout, parts: parts? })))
    }

    fn parts(&mut self, parts: Vec<Node>, outer: Option<&Layout>) -> Run<Box<[Code]>> {
        let last = parts.len().saturating_sub(1);
        let parts = parts.into_iter().enumerate();
        parts.map(|(at, part)| self.code(part, outer.filter(|_| at == last))).collect()
    }

    /// Compiles a call; placeholders among its arguments are left out.
    fn call(
        &mut self,
        procedure: Node,
        arguments: Vec<Option<Node>>,
        position: usize,
    ) -> Run<Call> {
        let (token, procedure_position) = procedure_facts(&procedure);
        let meant = match &*procedure.kind {
            NodeKind::Path { steps, .. } => match steps.first().map(|step| &*step.kind) {
                Some(NodeKind::Name(name)) => Some(self.scopes.find(name)),
                _ => None,
            },
            _ => None,
        };
        let given = arguments.into_iter().flatten();
        let arguments = given.map(|node| self.code(node, None)).collect::<Run<Box<[Code]>>>()?;
        let procedure = self.code(procedure, None)?;
        Ok(Call { procedure, arguments, position, procedure_position, token, meant })
    }

    fn lambda(
        &mut self,
        parameters: Vec<Arc<str>>,
        signature: Option<crate::syntax::signature::Signature>,
        mut body: Node,
    ) -> Run<Code> {
        let count = parameters.len();
        let mut names = parameters;
        // A body that is just a block shares the function's own frame.
        let block = matches!(*body.kind, NodeKind::Block(_));
        match &mut *body.kind {
            NodeKind::Block(parts) => {
                for part in parts {
                    assigned(part, &mut names);
                }
            }
            _ => assigned(&mut body, &mut names),
        }
        self.scopes.push(names, ScopeKind::Frame);
        let body = if block { self.tail_block(body) } else { self.tail(body) };
        let layout = self.scopes.pop();
        let lambda = LambdaCode { layout, parameters: count, signature, body: body? };
        Ok(Code::Lambda(Arc::new(lambda)))
    }

    /// Compiles what a function's result comes from: a call there is a tail call.
    fn tail(&mut self, node: Node) -> Run<Code> {
        let at = node.position.unwrap_or_default();
        match *node.kind {
            NodeKind::Call(procedure, arguments) if node.marks.predicates.is_empty() => {
                let arguments = arguments.into_iter().map(Some).collect();
                Ok(Code::TailCall(Arc::new(self.call(*procedure, arguments, at)?)))
            }
            NodeKind::Condition(test, then, otherwise) if is_bare(&node) => {
                let both = [self.code(*test, None)?, self.tail(*then)?];
                let otherwise = otherwise.map(|node| self.tail(*node).map(Box::new)).transpose()?;
                Ok(Code::Condition(Box::new(both), otherwise))
            }
            NodeKind::Block(mut parts) if is_bare(&node) => {
                let mut names = Vec::new();
                for part in &mut parts {
                    assigned(part, &mut names);
                }
                if names.is_empty() {
                    return self.tail_parts(parts, None);
                }
                self.scopes.push(names, ScopeKind::Frame);

                self.tail_parts(parts, Some(()))
            }
            _ => self.code(node, None),
        }
    }

    /// Compiles a function's body that is a block, whose variables live in the function's frame.
    fn tail_block(&mut self, mut node: Node) -> Run<Code> {
        let hanging = Hanging::take(&mut node);
        match *node.kind {
            NodeKind::Block(parts) if hanging.is_bare() => self.tail_parts(parts, None),
            NodeKind::Block(parts) => {
                let parts = self.parts(parts, None)?;
                self.dress(Code::Block(Box::new(Block { layout: None, parts })), hanging)
            }
            _ => self.tail(node),
        }
    }

    /// Compiles a block's parts; `own` says that the innermost scope is the block's and ends here.
    fn tail_parts(&mut self, parts: Vec<Node>, own: Option<()>) -> Run<Code> {
        let last = parts.len().saturating_sub(1);
        let parts: Run<Box<[Code]>> = parts
            .into_iter()
            .enumerate()
            .map(|(at, part)| if at == last { self.tail(part) } else { self.code(part, None) })
            .collect();
        let layout = own.map(|()| self.scopes.pop());
        Ok(Code::Block(Box::new(Block { layout, parts: parts? })))
    }

    fn apply(&mut self, left: Node, right: Node, position: usize) -> Run<Code> {
        let plain_call = matches!(*right.kind, NodeKind::Call(..));
        if !plain_call {
            return Ok(Code::Apply(self.operands(left, right, position)?));
        }
        let left = self.boxed(left)?;
        let at = right.position.unwrap_or_default();
        // The reference forgets what hangs on a call that is applied: predicates and groups.
        match *right.kind {
            NodeKind::Call(procedure, arguments) => {
                let arguments = arguments.into_iter().map(Some).collect();
                let call = self.call(*procedure, arguments, at)?;
                Ok(Code::ApplyCall(left, Box::new(call)))
            }
            _ => Ok(*left),
        }
    }

    fn transform(&mut self, pattern: Node, update: Node, delete: Option<Node>) -> Run<Code> {
        let update_position = update.position;
        let delete_position = delete.as_ref().and_then(|node| node.position);
        self.inner(|compiler| {
            Ok(Code::Transform(Arc::new(TransformCode {
                pattern: compiler.code(pattern, None)?,
                update: compiler.code(update, None)?,
                update_position,
                delete: delete.map(|node| compiler.code(node, None)).transpose()?,
                delete_position,
            })))
        })
    }
}

/// What hangs on a node besides its own kind.
struct Hanging {
    predicates: Vec<tree::Stage>,
    group: Option<tree::Group>,
    keep_array: bool,
}

impl Hanging {
    /// Takes it off `node`; a path keeps its group, which it evaluates itself.
    fn take(node: &mut Node) -> Hanging {
        let in_path = matches!(*node.kind, NodeKind::Path { .. });
        let keep_array = node.keep_array;
        let Some(marks) = node.marks.if_any() else {
            return Hanging { predicates: Vec::new(), group: None, keep_array };
        };
        Hanging {
            predicates: std::mem::take(&mut marks.predicates),
            group: if in_path { None } else { marks.group.take() },
            keep_array,
        }
    }

    fn is_bare(&self) -> bool {
        self.predicates.is_empty() && self.group.is_none()
    }
}

fn is_bare(node: &Node) -> bool {
    node.marks.predicates.is_empty() && node.marks.group.is_none()
}

/// The error for a node that its caller should not have passed: a bug of ours, told apart from
/// every error of a program.
fn misplaced(at: usize) -> Fault {
    Fault::new("S0206").at(at)
}

/// Names the variable that holds the input of the step which `%` refers to; no source can say it.
fn ancestor_name(slot: tree::Slot) -> Arc<str> {
    Arc::from(format!("!{slot}"))
}

/// Returns an object's keys if all of them are constant and differ.
fn fixed_keys(pairs: &[(Code, Code)]) -> Option<Box<[Key]>> {
    /// More keys than this are compared while evaluating.
    const FIXED_MAX: usize = 64;
    let mut keys: Vec<Key> = Vec::with_capacity(pairs.len().min(FIXED_MAX));
    for (key, _) in pairs {
        match key {
            Code::Constant(Value::String(key)) if !keys.contains(key) => keys.push(key.clone()),
            _ => return None,
        }
        if FIXED_MAX < keys.len() {
            return None;
        }
    }
    Some(keys.into())
}

fn constant_item(item: &Item) -> Option<Value> {
    match &item.code {
        Code::Constant(value) if item.nested || value.as_array().is_none() => Some(value.clone()),
        _ => None,
    }
}

/// Returns what errors call a procedure, and where its token ends.
fn procedure_facts(node: &Node) -> (Option<Value>, Option<usize>) {
    let token = match &*node.kind {
        NodeKind::Path { steps, .. } => {
            return match steps.first() {
                Some(step) => procedure_facts(step),
                None => (None, None),
            };
        }
        NodeKind::Name(text) | NodeKind::Variable(text) | NodeKind::Text(text) => {
            Some(Value::String(text.clone()))
        }
        NodeKind::Number(number) => Some(Value::from(*number)),
        NodeKind::Constant(value) => Some(value.clone()),
        NodeKind::Call(..) | NodeKind::Partial(..) => Some(Value::from("(")),
        NodeKind::Binary(symbol, ..) => Some(Value::from(*symbol)),
        _ => None,
    };
    (token, node.position)
}
