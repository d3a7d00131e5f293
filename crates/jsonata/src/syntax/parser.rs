//! Tokens into expressions: precedence climbing with the reference's binding powers and errors.

use std::sync::Arc;

use value::Value;

use super::NESTING_MAX;
use super::expr::{Expr, Kind, Pair, SortTerm};
use super::lexer::{Expect, Lexer, Token, TokenKind};
use super::signature::Signature;
use crate::Dialect;
use crate::fault::{Fault, Run};

/// Parses a whole text.
pub(super) fn parse(text: &str, dialect: Dialect) -> Run<Expr> {
    let mut lexer = Lexer::new(text, dialect);
    let token = lexer.next(Expect::Operand)?;
    let mut parser = Parser { lexer, token, depth: 0 };
    let expr = parser.expression(0)?;
    if matches!(parser.token.kind, TokenKind::End) {
        return Ok(expr);
    }
    let token = &parser.token;
    Err(Fault::new("S0201").at(token.position).token(token.value()))
}

/// How tightly an operator binds the expression on its left.
fn binding_power(symbol: &str) -> u32 {
    match symbol {
        "[" | "(" | "@" | "#" => 80,
        "." => 75,
        "{" => 70,
        "*" | "/" | "%" => 60,
        "+" | "-" | "&" => 50,
        "=" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "^" | "~>" | "?:" | "??" => 40,
        "and" => 30,
        "or" => 25,
        "?" => 20,
        ":=" => 10,
        _ => 0,
    }
}

/// How tightly the minus sign binds its operand.
const NEGATE_POWER: u32 = 70;

struct Parser<'t> {
    lexer: Lexer<'t>,
    /// The token that comes next.
    token: Token,
    depth: u32,
}

fn too_deep() -> Fault {
    Fault::uncoded(format!("the expression nests deeper than {NESTING_MAX} levels"))
}

impl Parser<'_> {
    /// Steps over the current token and returns it.
    fn advance(&mut self, expect: Expect) -> Run<Token> {
        let next = self.lexer.next(expect)?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    /// Steps over the current token, which must be the operator `symbol`.
    fn demand(&mut self, symbol: &'static str, expect: Expect) -> Run<()> {
        if self.token.is(symbol) {
            self.advance(expect)?;
            return Ok(());
        }
        let end = matches!(self.token.kind, TokenKind::End);
        let code = if end { "S0203" } else { "S0202" };
        let token = &self.token;
        Err(Fault::new(code).at(token.position).token(token.value()).value(symbol))
    }

    /// Steps over the operator `symbol` if it comes next.
    fn accept(&mut self, symbol: &str) -> Run<bool> {
        let found = self.token.is(symbol);
        if found {
            self.advance(Expect::Operand)?;
        }
        Ok(found)
    }

    /// Parses an expression whose operators bind tighter than `power`.
    fn expression(&mut self, power: u32) -> Run<Expr> {
        self.depth += 1;
        if self.depth > NESTING_MAX {
            return Err(too_deep());
        }
        let token = self.advance(Expect::Operator)?;
        let mut left = self.operand(token)?;
        while let TokenKind::Operator(symbol) = self.token.kind {
            if binding_power(symbol) <= power {
                break;
            }
            let position = self.advance(Expect::Operand)?.position;
            left = self.operator(symbol, position, left)?;
            if left.height > NESTING_MAX {
                return Err(too_deep());
            }
        }
        self.depth -= 1;
        Ok(left)
    }

    fn boxed(&mut self, power: u32) -> Run<Box<Expr>> {
        self.expression(power).map(Box::new)
    }

    /// Parses what begins with `token` where an operand is expected.
    fn operand(&mut self, token: Token) -> Run<Expr> {
        let position = token.position;
        let kind = match token.kind {
            TokenKind::Name(name) => Kind::Name(name),
            TokenKind::Variable(name) => Kind::Variable(name),
            TokenKind::Text(text) => Kind::Text(text),
            TokenKind::Number(number) => Kind::Number(number),
            TokenKind::Constant(value) => Kind::Constant(value),
            TokenKind::Regex(pattern, flags) => Kind::Regex(pattern, flags),
            TokenKind::End => return Err(Fault::new("S0207").at(position).token("(end)")),
            TokenKind::Operator(symbol) => self.prefix(symbol, position)?,
        };
        Ok(node(kind, position))
    }

    fn prefix(&mut self, symbol: &'static str, position: usize) -> Run<Kind> {
        Ok(match symbol {
            "and" | "or" | "in" => Kind::Word(symbol),
            "*" => Kind::Wildcard,
            "**" => Kind::Descendant,
            "%" => Kind::Parent,
            "-" => Kind::Negate(self.boxed(NEGATE_POWER)?),
            "(" => self.block()?,
            "[" => self.array()?,
            "{" => Kind::Object(self.pairs()?),
            "|" => self.transform()?,
            _ => return Err(Fault::new("S0211").at(position).token(symbol)),
        })
    }

    /// Parses what follows `left` and the operator `symbol`.
    fn operator(&mut self, symbol: &'static str, position: usize, left: Expr) -> Run<Expr> {
        let power = binding_power(symbol);
        let kind = match symbol {
            "(" => return self.call(left, position),
            "[" => return self.predicate(left, position),
            "{" => Kind::Group(Box::new(left), self.pairs()?),
            "." => Kind::Dot(Box::new(left), self.boxed(power)?),
            "~>" => Kind::Apply(Box::new(left), self.boxed(power)?),
            "^" => self.sort(left)?,
            ":=" => {
                let Kind::Variable(name) = &*left.kind else {
                    return Err(Fault::new("S0212").at(left.position).token(left.token()));
                };
                // One less than its own power: it associates to the right.
                Kind::Bind(name.clone(), self.boxed(power - 1)?)
            }
            "@" | "#" => {
                let right = self.expression(power)?;
                let Kind::Variable(name) = *right.kind else {
                    return Err(Fault::new("S0214").at(right.position).token(symbol));
                };
                match symbol {
                    "@" => Kind::Focus(Box::new(left), name),
                    _ => Kind::Index(Box::new(left), name),
                }
            }
            "?" => {
                let then = self.boxed(0)?;
                let otherwise = if self.accept(":")? { Some(self.boxed(0)?) } else { None };
                Kind::Condition(Box::new(left), then, otherwise)
            }
            "?:" => Kind::Default(Box::new(left), self.boxed(0)?),
            "??" => Kind::Coalesce(Box::new(left), self.boxed(0)?),
            _ => Kind::Binary(symbol, Box::new(left), self.boxed(power)?),
        };
        Ok(node(kind, position))
    }

    fn block(&mut self) -> Run<Kind> {
        let mut parts = Vec::new();
        while !self.token.is(")") {
            parts.push(self.expression(0)?);
            if !self.accept(";")? {
                break;
            }
        }
        self.demand(")", Expect::Operator)?;
        Ok(Kind::Block(parts))
    }

    fn array(&mut self) -> Run<Kind> {
        let mut items = Vec::new();
        if !self.token.is("]") {
            loop {
                let item = self.expression(0)?;
                let position = self.token.position;
                if self.accept("..")? {
                    let end = self.boxed(0)?;
                    items.push(node(Kind::Range(Box::new(item), end), position));
                } else {
                    items.push(item);
                }
                if !self.accept(",")? {
                    break;
                }
            }
        }
        self.demand("]", Expect::Operator)?;
        Ok(Kind::Array(items))
    }

    fn pairs(&mut self) -> Run<Vec<Pair>> {
        let mut pairs = Vec::new();
        if !self.token.is("}") {
            loop {
                let key = self.expression(0)?;
                self.demand(":", Expect::Operand)?;
                pairs.push((key, self.expression(0)?));
                if !self.accept(",")? {
                    break;
                }
            }
        }
        self.demand("}", Expect::Operator)?;
        Ok(pairs)
    }

    fn transform(&mut self) -> Run<Kind> {
        let pattern = self.boxed(0)?;
        self.demand("|", Expect::Operand)?;
        let update = self.boxed(0)?;
        let delete = if self.accept(",")? { Some(self.boxed(0)?) } else { None };
        self.demand("|", Expect::Operand)?;
        Ok(Kind::Transform(pattern, update, delete))
    }

    fn sort(&mut self, left: Expr) -> Run<Kind> {
        self.demand("(", Expect::Operand)?;
        let mut terms = Vec::new();
        loop {
            let descending = self.token.is(">");
            if descending || self.token.is("<") {
                self.advance(Expect::Operand)?;
            }
            terms.push(SortTerm { descending, expr: self.expression(0)? });
            if !self.accept(",")? {
                break;
            }
        }
        self.demand(")", Expect::Operand)?;
        Ok(Kind::Sort(Box::new(left), terms))
    }

    fn predicate(&mut self, mut left: Expr, position: usize) -> Run<Expr> {
        if self.accept("]")? {
            keep_array(&mut left);
            return Ok(left);
        }
        let right = self.boxed(0)?;
        self.demand("]", Expect::Operator)?;
        Ok(node(Kind::Predicate(Box::new(left), right), position))
    }

    fn call(&mut self, procedure: Expr, position: usize) -> Run<Expr> {
        let mut arguments = Vec::new();
        let mut partial = false;
        if !self.token.is(")") {
            loop {
                if self.token.is("?") {
                    partial = true;
                    let token = self.advance(Expect::Operand)?;
                    arguments.push(node(Kind::Placeholder, token.position));
                } else {
                    arguments.push(self.expression(0)?);
                }
                if !self.accept(",")? {
                    break;
                }
            }
        }
        self.demand(")", Expect::Operator)?;
        if matches!(&*procedure.kind, Kind::Name(name) if matches!(&**name, "function" | "λ")) {
            return self.lambda(arguments, position);
        }
        let procedure = Box::new(procedure);
        let kind = if partial {
            Kind::Partial(procedure, arguments)
        } else {
            Kind::Call(procedure, arguments)
        };
        Ok(node(kind, position))
    }

    fn lambda(&mut self, arguments: Vec<Expr>, position: usize) -> Run<Expr> {
        let mut parameters: Vec<Arc<str>> = Vec::with_capacity(arguments.len());
        for (at, argument) in arguments.into_iter().enumerate() {
            let Kind::Variable(name) = &*argument.kind else {
                let fault = Fault::new("S0208").at(argument.position).token(argument.token());
                return Err(fault.value(Value::from(at + 1)));
            };
            parameters.push(name.clone());
        }
        let signature = if self.token.is("<") { Some(self.signature()?) } else { None };
        self.demand("{", Expect::Operand)?;
        let body = self.boxed(0)?;
        self.demand("}", Expect::Operand)?;
        Ok(node(Kind::Lambda(parameters, signature, body), position))
    }

    /// Collects the tokens of `<…>` again into text, for the signature is a language of its own.
    fn signature(&mut self) -> Run<Signature> {
        let start = self.token.position;
        let mut text = String::from("<");
        let mut depth = 1;
        while depth > 0 && !self.token.is("{") && !matches!(self.token.kind, TokenKind::End) {
            self.advance(Expect::Operand)?;
            match &self.token.kind {
                TokenKind::Operator(">") => depth -= 1,
                TokenKind::Operator("<") => depth += 1,
                _ => {}
            }
            match self.token.value() {
                Value::String(part) => text.push_str(&part),
                other => text.push_str(&other.to_string()),
            }
        }
        self.demand(">", Expect::Operand)?;
        Signature::parse(&text).map_err(|(fault, offset)| fault.at(start + offset))
    }
}

/// Marks the expression that `[]` applies to, below any predicates.
fn keep_array(expr: &mut Expr) {
    match &mut *expr.kind {
        Kind::Predicate(left, _) => keep_array(left),
        _ => expr.keep_array = true,
    }
}

fn node(kind: Kind, position: usize) -> Expr {
    let height = 1 + highest(&kind);
    Expr { kind: Box::new(kind), position, keep_array: false, height }
}

fn highest(kind: &Kind) -> u32 {
    let pairs = |pairs: &[Pair]| pairs.iter().map(|(k, v)| k.height.max(v.height)).max();
    let all = |items: &[Expr]| items.iter().map(|item| item.height).max().unwrap_or(0);
    match kind {
        Kind::Binary(_, a, b)
        | Kind::Dot(a, b)
        | Kind::Predicate(a, b)
        | Kind::Apply(a, b)
        | Kind::Range(a, b)
        | Kind::Default(a, b)
        | Kind::Coalesce(a, b) => a.height.max(b.height),
        Kind::Group(a, members) => a.height.max(pairs(members).unwrap_or(0)),
        Kind::Sort(a, terms) => terms.iter().map(|t| t.expr.height).fold(a.height, u32::max),
        Kind::Bind(_, a)
        | Kind::Focus(a, _)
        | Kind::Index(a, _)
        | Kind::Negate(a)
        | Kind::Lambda(_, _, a) => a.height,
        Kind::Array(items) | Kind::Block(items) => all(items),
        Kind::Object(members) => pairs(members).unwrap_or(0),
        Kind::Call(a, items) | Kind::Partial(a, items) => a.height.max(all(items)),
        Kind::Condition(a, b, c) | Kind::Transform(a, b, c) => {
            a.height.max(b.height).max(c.as_ref().map_or(0, |c| c.height))
        }
        Kind::Name(_)
        | Kind::Variable(_)
        | Kind::Text(_)
        | Kind::Number(_)
        | Kind::Constant(_)
        | Kind::Regex(..)
        | Kind::Wildcard
        | Kind::Descendant
        | Kind::Parent
        | Kind::Word(_)
        | Kind::Placeholder => 0,
    }
}
