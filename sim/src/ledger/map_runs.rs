//! Map runs and their child executions: every item is worked on by one child, and none outlives its
//! parent.

use std::collections::{BTreeMap, BTreeSet};

use value::Value;

/// What is known of the map runs of a world.
#[derive(Default)]
pub(crate) struct MapRuns {
    /// The last record of each.
    records: BTreeMap<String, Value>,
    /// The children of each, and the item that each works on, as its input.
    children: BTreeMap<String, BTreeMap<String, String>>,
    /// Of each express child, by which redrive it last ran, and whether it succeeded.
    express: BTreeMap<String, (i64, bool)>,
    /// How many results each object holds, by key; of a manifest, those of its files.
    objects: BTreeMap<String, i64>,
}

impl MapRuns {
    /// Takes in where a map run stands.
    ///
    /// # Errors
    /// When it had ended before and was not redriven, or does not count its redrives.
    pub(crate) fn put(&mut self, arn: &str, bytes: &[u8]) -> Result<(), String> {
        let record: Value = super::read(bytes)?;
        let now = redrives(&record);
        let Some(before) = self.records.insert(arn.to_owned(), record.clone()) else {
            return Ok(());
        };
        let has_the_same_end =
            ["status", "stopDate"].iter().all(|member| before.get(member) == record.get(member));
        // One that runs may have ended and been redriven within a turn, and one that was given up
        // has yet to write its results.
        match (status(&before), now - redrives(&before)) {
            ("RUNNING", 0..) | ("FAILED" | "ABORTED", 1..) => Ok(()),
            ("ABORTED", 0) if has_the_same_end => Ok(()),
            (status, _) => Err(format!("the map run {arn} was {status} and changes")),
        }
    }

    /// Takes in the record of an execution, if it is a child.
    ///
    /// # Errors
    /// When it was redriven more often than its map run.
    pub(crate) fn child(&mut self, arn: &str, record: &Value) -> Result<(), String> {
        let text = |member: &str| record.get(member).and_then(Value::as_str);
        let (Some(map_run), Some(input)) = (text("mapRunArn"), text("input")) else {
            return Ok(());
        };
        let children = self.children.entry(map_run.to_owned()).or_default();
        children.insert(arn.to_owned(), input.to_owned());
        match self.records.get(map_run) {
            Some(map_run) if redrives(map_run) < redrives(record) => {
                Err(format!("{arn} was redriven more often than its map run"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Takes in the record of an express child, which its map run keeps when it has ended.
    ///
    /// # Errors
    /// When it had succeeded before, or ends twice without a redrive.
    pub(crate) fn express_child(&mut self, arn: &str, record: &Value) -> Result<(), String> {
        let redrives = record.get("mapRunRedrives").and_then(Value::as_i64).unwrap_or_default();
        let has_succeeded = status(record) == "SUCCEEDED";
        match self.express.insert(arn.to_owned(), (redrives, has_succeeded)) {
            Some((_, true)) => return Err(format!("{arn} had succeeded and runs again")),
            Some((before, false)) if redrives <= before => {
                return Err(format!("{arn} ends once more, and was not started again"));
            }
            Some(_) | None => {}
        }
        self.child(arn, record)
    }

    /// Takes in a file of results, or the manifest of some.
    ///
    /// # Errors
    /// When a manifest tells of a file that is not there.
    pub(crate) fn put_object(&mut self, input: &Value) -> Result<(), String> {
        let text = |member: &str| input.get(member).and_then(Value::as_str).unwrap_or_default();
        let body = wire::decode_base64(text("Body")).ok_or("an object is no base64")?;
        let held: Value = super::read(&body)?;
        let mut results = 0;
        if let Some(kinds) = held.get("ResultFiles").and_then(Value::as_object) {
            let files = kinds.iter().filter_map(|(_, files)| files.as_array()).flatten();
            for file in files {
                let key = file.get("Key").and_then(Value::as_str).unwrap_or_default();
                let known = self.objects.get(key);
                results += known.ok_or_else(|| format!("{key} is told of and was not written"))?;
            }
        } else {
            let length = held.as_array().map_or(0, <[Value]>::len);
            results = i64::try_from(length).unwrap_or(i64::MAX);
        }
        self.objects.insert(text("Key").to_owned(), results);
        Ok(())
    }

    /// Checks that the results of a map run were written, if it says so: each item's, once.
    fn check_results(&self, arn: &str, record: &Value) -> Result<(), String> {
        let count = |member: &str| {
            record.path(&["executionCounts", member]).and_then(Value::as_i64).unwrap_or_default()
        };
        let id = arn.rsplit(':').next().unwrap_or_default();
        let writes = arn.contains("/gather:");
        let results = self.objects.get(&format!("results/{id}/manifest.json"));
        match (results, count("resultsWritten")) {
            (None, 0) if writes && status(record) == "SUCCEEDED" && 0 < count("total") => {
                Err(format!("the map run {arn} succeeded and wrote no results"))
            }
            (None, 0) => Ok(()),
            (None, _) => Err(format!("the map run {arn} wrote results that are not there")),
            (Some(results), _) if *results == count("total") => Ok(()),
            (Some(results), _) => {
                Err(format!("{arn} has {} items and wrote {results} results", count("total")))
            }
        }
    }

    /// Checks what must hold when everything has ended.
    ///
    /// # Errors
    /// What does not hold.
    pub(crate) fn check_end(&self) -> Result<(), String> {
        for (arn, record) in &self.records {
            let none = BTreeMap::new();
            let children = self.children.get(arn).unwrap_or(&none);
            let inputs: BTreeSet<&String> = children.values().collect();
            if inputs.len() != children.len() {
                return Err(format!("two children of {arn} work on the same item"));
            }
            let count = |member: &str| {
                let found = record.path(&["executionCounts", member]).and_then(Value::as_i64);
                found.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX)
            };
            if status(record) == "RUNNING" || count("running") + count("pendingRedrive") != 0 {
                return Err(format!("the map run {arn} has no end"));
            }
            let begun = count("total") - count("pending");
            if children.len() != begun {
                return Err(format!("{arn} counts {begun} children, there are {}", children.len()));
            }
            self.check_results(arn, record)?;
            if status(record) == "SUCCEEDED" && count("pending") != 0 {
                return Err(format!("the map run {arn} succeeded and left items out"));
            }
        }
        match self.children.keys().find(|arn| !self.records.contains_key(*arn)) {
            Some(arn) => Err(format!("there are children of {arn}, which nobody knows")),
            None => Ok(()),
        }
    }
}

fn redrives(record: &Value) -> i64 {
    record.get("redriveCount").and_then(Value::as_i64).unwrap_or_default()
}

fn status(record: &Value) -> &str {
    record.get("status").and_then(Value::as_str).unwrap_or_default()
}
