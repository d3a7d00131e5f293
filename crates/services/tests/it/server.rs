//! A server without wire and authoriser: operations by name on a store in memory.

use std::sync::{Arc, Mutex};

use policy::Principal;
use services::{Call, Check, Error, Operation, Origin, Reading, Run, Settings, Writing, iam, sts};
use store::{Load, Save, Store, Table};
use value::{Map, Value};

pub(crate) const ACCOUNT: &str = "123456789012";

/// 2026-11-24T00:00:00Z
const START_MILLIS: i64 = 1_795_478_400_000;

pub(crate) struct Server {
    pub(crate) store: Store,
    pub(crate) now_millis: Mutex<i64>,
}

pub(crate) fn server() -> Server {
    Server { store: Store::memory(), now_millis: Mutex::new(START_MILLIS) }
}

/// A policy document that allows one action.
pub(crate) const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}]}"#;

/// A trust policy for one principal element.
pub(crate) fn trust(principal: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":["sts:AssumeRole","sts:TagSession"]}}]}}"#
    )
}

fn operation(name: &str) -> &'static Operation {
    let lists = iam::OPERATIONS.iter().chain(sts::OPERATIONS);
    let mut all = lists.flat_map(|list| list.iter());
    all.find(|operation| operation.name == name).unwrap_or_else(|| panic!("no operation {name}"))
}

impl Server {
    pub(crate) fn call_of(&self, principal: Principal) -> Call {
        Call {
            settings: Arc::new(Settings {
                account: ACCOUNT.into(),
                region: "us-east-1".into(),
                partition: "aws".into(),
                edition: automation::catalogue::Edition::default(),
                limits: services::Limits::default(),
            }),
            region: "us-east-1".into(),
            request_id: "r".into(),
            now_millis: *self.now_millis.lock().unwrap(),
            principal: Arc::new(principal),
            from: Origin::Http { source_ip: "127.0.0.1".into(), user_agent: None },
            effect_id: None,
            nested_in: None,
            lease: None,
            process: None,
            trace: None,
            judgements: services::Judgements::default(),
        }
    }

    pub(crate) fn run_as(&self, call: Call, name: &str, input: Value) -> Result<Value, Error> {
        match operation(name).run {
            Run::Read(run) => self.store.read(|store| run(&Reading { store, call: &call }, &input)),
            Run::Write(run) => {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                let written = self.store.write(move |store| {
                    run(&mut Writing { store, call: &call, notices: Vec::new() }, &input)
                });
                runtime.block_on(written).unwrap()
            }
            Run::Fetched { .. } | Run::Workflow(_) => panic!("{name} is no plain operation"),
        }
    }

    /// Runs an operation as the root user.
    pub(crate) fn run(&self, name: &str, input: Value) -> Result<Value, Error> {
        self.run_as(self.call_of(Principal::root(ACCOUNT)), name, input)
    }

    pub(crate) fn ok(&self, name: &str, input: Value) -> Value {
        let shown = input.to_string();
        self.run(name, input).unwrap_or_else(|err| panic!("{name} {shown}: {err}"))
    }

    /// Runs an operation that must be refused; returns `Code: message`.
    pub(crate) fn refused(&self, name: &str, input: Value) -> String {
        match self.run(name, input) {
            Ok(answer) => panic!("{name} answered {answer}"),
            Err(err) => err.to_string(),
        }
    }

    pub(crate) fn checks(&self, name: &str, input: &Value) -> Vec<Check> {
        let call = self.call_of(Principal::root(ACCOUNT));
        let checks = operation(name).checks;
        self.store.read(|store| checks(&Reading { store, call: &call }, input)).unwrap()
    }

    /// Puts so many rows into a table that only their number is asked of.
    pub(crate) fn fill(&self, table: Table, prefix: &str, count: usize) {
        let prefix = prefix.to_owned();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let written = self.store.write(move |store| {
            (0..count).try_for_each(|n| store.put(table, &format!("{prefix}filler-{n}"), b"{}"))
        });
        runtime.block_on(written).unwrap().unwrap();
    }

    /// Changes a stored object behind the back of every operation; returns the members it has then.
    pub(crate) fn rewrite(
        &self,
        table: Table,
        key: &str,
        change: impl FnOnce(&mut Map),
    ) -> Vec<String> {
        let row: Option<Value> = self.store.read(|store| store.load(table, key)).unwrap();
        let mut row = row.unwrap().as_object().unwrap().clone();
        change(&mut row);
        let members = row.keys().map(ToString::to_string).collect();
        let key = key.to_owned();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let written = self.store.write(move |store| store.save(table, &key, &Value::from(row)));
        runtime.block_on(written).unwrap().unwrap();
        members
    }

    /// Returns a user as a caller, by way of an access key.
    pub(crate) fn user(&self, name: &str) -> Principal {
        let key = self.ok("CreateAccessKey", Value::object().with("UserName", name));
        let id = text(&key, &["AccessKey", "AccessKeyId"]);
        let found = self.store.read(|store| iam::find_access_key(store, &id)).unwrap();
        found.unwrap().principal
    }
}

pub(crate) fn text(answer: &Value, path: &[&str]) -> String {
    answer
        .path(path)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{path:?} of {answer}"))
        .to_owned()
}

/// Returns one member of every item of a list.
pub(crate) fn each(answer: &Value, list: &str, member: &str) -> Vec<String> {
    let items = answer.get(list).and_then(Value::as_array).unwrap_or_else(|| panic!("{answer}"));
    items.iter().map(|item| text(item, &[member])).collect()
}
