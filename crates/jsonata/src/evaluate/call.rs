//! Calling functions: arguments, signatures, partial application, tail calls.

use std::rc::Rc;

use value::Value;

use super::{Evaluator, lookup};
use crate::compile::code::{Call, Code, LambdaCode, Operands};
use crate::datum::{Datum, Env, Frame, Function};
use crate::fault::{Fault, Run};

/// Where a call stands in the text, and what the errors call the function.
#[derive(Clone, Copy)]
struct Site<'c> {
    position: usize,
    token: Option<&'c Value>,
}

impl Evaluator<'_> {
    /// Calls a function that the text names; `first` comes before the written arguments.
    pub(super) fn call(
        &mut self,
        call: &Call,
        first: Option<Datum>,
        input: &Datum,
        env: &Env,
    ) -> Run<Datum> {
        let callee = self.eval(&call.procedure, input, env)?;
        if callee.is_undefined() && Self::is_meant(call, env) {
            return Err(Self::not_callable("T1005", call));
        }
        let mut arguments = Vec::with_capacity(call.arguments.len() + usize::from(first.is_some()));
        arguments.extend(first);
        for argument in &call.arguments {
            arguments.push(self.eval(argument, input, env)?);
        }
        let site = Site { position: call.position, token: call.token.as_ref() };
        self.waits.add(1);
        self.apply_at(&callee, arguments, input, env, Some(site)).map_err(|fault| {
            fault.at_if_unknown(call.position).token_if_unknown(call.token.as_ref())
        })
    }

    /// Returns whether a variable has the name that was called without `$`.
    fn is_meant(call: &Call, env: &Env) -> bool {
        call.meant.as_ref().is_some_and(|variable| !lookup(variable, env).is_undefined())
    }

    fn not_callable(code: &'static str, call: &Call) -> Fault {
        Fault::new(code).at(call.position).token_if_unknown(call.token.as_ref())
    }

    /// Evaluates the left side of `~>` and hands it to the call on the right.
    pub(super) fn apply_call(
        &mut self,
        left: &Code,
        call: &Call,
        input: &Datum,
        env: &Env,
    ) -> Run<Datum> {
        let first = self.eval(left, input, env)?;
        self.waits.add(1);
        self.call(call, Some(first), input, env)
    }

    /// Calls a function that was passed as a value.
    pub(crate) fn apply(&mut self, callee: &Datum, arguments: Vec<Datum>) -> Run<Datum> {
        self.descend()?;
        let result = self.apply_value(callee, arguments);
        self.depth -= 1;
        result
    }

    fn apply_value(&mut self, callee: &Datum, arguments: Vec<Datum>) -> Run<Datum> {
        self.waits.add(2);
        let Datum::Function(function) = callee else {
            let nowhere = self.nowhere();
            return self.apply_at(callee, arguments, &Datum::Undefined, &nowhere, None);
        };
        let env = match &**function {
            Function::Lambda { env, .. } | Function::Transform { env, .. } => env.clone(),
            _ => self.nowhere(),
        };
        self.apply_at(callee, arguments, &Datum::Undefined, &env, None)
    }

    fn nowhere(&self) -> Env {
        match &self.caller {
            Some((_, env)) => env.clone(),
            None => Frame::new(&Vec::new().into(), Vec::new(), None),
        }
    }

    /// Calls a function, then the calls in tail position that it leaves, one after another.
    fn apply_at(
        &mut self,
        callee: &Datum,
        arguments: Vec<Datum>,
        input: &Datum,
        env: &Env,
        site: Option<Site>,
    ) -> Run<Datum> {
        self.waits.add(1);
        let mut result = self.apply_once(callee, arguments, input, env, site)?;
        loop {
            let thunk = match &result {
                Datum::Function(function) => match &**function {
                    Function::Thunk { .. } => function.clone(),
                    _ => return Ok(result),
                },
                _ => return Ok(result),
            };
            let Function::Thunk { call, env: own, input: context } = &*thunk else {
                return Ok(result);
            };
            self.work(1)?;
            let next = self.eval(&call.procedure, context, own)?;
            let mut arguments = Vec::with_capacity(call.arguments.len());
            for argument in &call.arguments {
                arguments.push(self.eval(argument, context, own)?);
            }
            let position = call.procedure_position.unwrap_or_default();
            let site = Site { position, token: call.token.as_ref() };
            result = self.apply_once(&next, arguments, input, own, Some(site))?;
        }
    }

    /// Calls a function once; errors get the name and the place of this call.
    fn apply_once(
        &mut self,
        callee: &Datum,
        arguments: Vec<Datum>,
        input: &Datum,
        env: &Env,
        site: Option<Site>,
    ) -> Run<Datum> {
        let result = match callee {
            Datum::Native(native) => {
                let result = self.call_native(native, arguments, input, env);
                match site.and_then(|site| site.token) {
                    Some(_) => result,
                    // Passed as a value it goes by its own name.
                    None => result
                        .map_err(|fault| fault.token_if_unknown(Some(&Value::from(native.name)))),
                }
            }
            Datum::Function(function) => self.call_function(function, arguments, input, env),
            Datum::Undefined
            | Datum::Value(_)
            | Datum::List(_)
            | Datum::Record(_)
            | Datum::Tuples(_) => return Err(Fault::new("T1006")),
        };
        match site {
            None => result,
            Some(site) => result.map_err(|fault| {
                let fault = fault.token_if_unknown(site.token);
                if site.position == 0 { fault } else { fault.at(site.position) }
            }),
        }
    }

    fn call_native(
        &mut self,
        native: &'static crate::functions::Native,
        arguments: Vec<Datum>,
        input: &Datum,
        env: &Env,
    ) -> Run<Datum> {
        let context = super::context(input);
        let arguments = match &native.signature {
            Some(signature) => {
                super::arguments::check(signature, arguments, &context, self.dialect)?
            }
            None => arguments,
        };
        if native.sees_caller {
            self.caller = Some((input.clone(), env.clone()));
        }
        (native.run)(self, &arguments)
    }

    fn call_function(
        &mut self,
        function: &Rc<Function>,
        arguments: Vec<Datum>,
        input: &Datum,
        env: &Env,
    ) -> Run<Datum> {
        match &**function {
            Function::Lambda { code, env, input: own } => {
                let arguments = match &code.signature {
                    Some(signature) => {
                        super::arguments::check(signature, arguments, input, self.dialect)?
                    }
                    None => arguments,
                };
                self.call_lambda(code, arguments, own, env)
            }
            Function::Partial { function, arguments: given } => {
                let mut open = arguments.into_iter();
                let filled = given.iter().map(|argument| match argument {
                    Some(argument) => argument.clone(),
                    None => open.next().unwrap_or_default(),
                });
                let filled = filled.collect();
                self.apply_at(function, filled, input, env, None)
            }
            Function::Composed { first, second } => {
                let argument = arguments.into_iter().next().unwrap_or_default();
                let between = self.apply(first, vec![argument])?;
                self.apply(second, vec![between])
            }
            Function::Transform { code, env } => {
                let argument = arguments.into_iter().next().unwrap_or_default();
                self.transform(code, &argument, env)
            }
            Function::Regex(pattern) => {
                let text = arguments.first().and_then(Datum::as_text).cloned();
                let Some(text) = text else { return Ok(Datum::Undefined) };
                self.first_match(pattern, &Rc::from(&*text), 0)
            }
            Function::Next { pattern, text, found } => self.first_match(pattern, text, found.end),
            Function::Thunk { .. } => Ok(Datum::Function(function.clone())),
        }
    }

    fn call_lambda(
        &mut self,
        code: &LambdaCode,
        arguments: Vec<Datum>,
        input: &Datum,
        env: &Env,
    ) -> Run<Datum> {
        // In place: the arguments' own memory becomes the slots'.
        let mut slots: Vec<Option<Datum>> = arguments.into_iter().map(Some).collect();
        slots.resize(code.parameters, Some(Datum::Undefined));
        slots.resize(code.layout.len(), None);
        let own = Frame::new(&code.layout, slots, Some(env.clone()));
        self.waits.add(1);
        self.eval(&code.body, input, &own)
    }

    /// Makes a function of a call with placeholders.
    pub(super) fn partial(
        &mut self,
        call: &Call,
        open: &[bool],
        input: &Datum,
        env: &Env,
    ) -> Run<Datum> {
        let mut given = call.arguments.iter();
        let mut arguments = Vec::with_capacity(open.len());
        for open in open {
            let code = if *open { None } else { given.next() };
            arguments.push(code.map(|code| self.eval(code, input, env)).transpose()?);
        }
        let function = self.eval(&call.procedure, input, env)?;
        if function.is_function() {
            return Ok(Datum::from(Function::Partial { function, arguments }));
        }
        let meant = function.is_undefined() && Self::is_meant(call, env);
        Err(Self::not_callable(if meant { "T1007" } else { "T1008" }, call))
    }

    /// `left ~> right`, where the right side is no call.
    pub(super) fn apply_operator(
        &mut self,
        operands: &Operands,
        input: &Datum,
        env: &Env,
    ) -> Run<Datum> {
        let first = self.eval(&operands.left, input, env)?;
        let second = self.eval(&operands.right, input, env)?;
        if !second.is_function() {
            let fault = Fault::new("T2006").at(operands.position);
            return Err(fault.value_some(second.to_json()));
        }
        if first.is_function() {
            return Ok(Datum::from(Function::Composed { first, second }));
        }
        self.waits.add(1);
        let result = self.apply_at(&second, vec![first], &Datum::Undefined, env, None);
        result.map_err(|fault| fault.at_if_unknown(operands.position))
    }
}

impl Datum {
    /// Returns how many arguments a function takes, as the reference counts them.
    pub(crate) fn arity(&self) -> usize {
        match self {
            Datum::Native(native) => native.arity,
            Datum::Function(function) => match &**function {
                Function::Lambda { code, .. } => code.parameters,
                Function::Partial { arguments, .. } => {
                    arguments.iter().filter(|argument| argument.is_none()).count()
                }
                Function::Composed { .. } | Function::Transform { .. } => 1,
                Function::Regex(_) => 2,
                Function::Next { .. } | Function::Thunk { .. } => 0,
            },
            Datum::Undefined
            | Datum::Value(_)
            | Datum::List(_)
            | Datum::Record(_)
            | Datum::Tuples(_) => 0,
        }
    }
}
