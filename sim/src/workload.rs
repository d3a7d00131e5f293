//! What runs: the shapes of machines, a runbook, and what a world begins with.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, anyhow};
use asl::Definition;
use automation::rate::{RateControl, Target};
use automation::{Format, Mode, Runbook, Started};
use runtime::{
    Attachments, AwsEndpoint, Begin, BeginAutomation, BeginExecution, Call, Caller, Clock, Kind,
    NoPeers, Node, Opened, ProcessId, definition_key,
};
use services::{AuthMode, Endpoint, Http, Reset, Services};
use store::{Scan, Store, Table};
use value::{Value, value};

use crate::life::settings;
use crate::plan::Plan;
use crate::random::Random;

pub(crate) const ACCOUNT: &str = "000000000000";
pub(crate) const REGION: &str = "us-east-1";
const ROLE: &str = "arn:aws:iam::000000000000:role/sim";
/// When worlds begin: 2026-11-24T00:00:00Z.
pub(crate) const BEGINNING_MILLIS: i64 = 1_795_478_400_000;

/// Name and text of every machine that clients start.
const MACHINES: [(&str, &str); 12] = [
    ("chain", include_str!("../machines/chain.asl.json")),
    ("wait", include_str!("../machines/wait.asl.json")),
    ("user", include_str!("../machines/user.asl.json")),
    ("parallel", include_str!("../machines/parallel.asl.json")),
    ("map", include_str!("../machines/map.asl.json")),
    ("spread", include_str!("../machines/spread.asl.json")),
    ("loop", include_str!("../machines/loop.asl.json")),
    ("hurry", include_str!("../machines/hurry.asl.json")),
    ("activity", include_str!("../machines/activity.asl.json")),
    ("worker", include_str!("../machines/worker.asl.json")),
    ("ask", include_str!("../machines/ask.asl.json")),
    ("nested", include_str!("../machines/nested.asl.json")),
];
/// Name and text of the machines that take the place of `spread` where clients redrive: children
/// fail, at first or now and then.
const REDRIVEN: [(&str, &str); 2] = [
    ("gather", include_str!("../machines/gather.asl.json")),
    ("hasty", include_str!("../machines/hasty.asl.json")),
];
/// Name and text of the machines that other machines start.
const CHILDREN: [(&str, &str); 2] = [
    ("wait", include_str!("../machines/wait.asl.json")),
    ("answer", include_str!("../machines/answer.asl.json")),
];
const RUNBOOK: &str = include_str!("../machines/runbook.yaml");

/// What is the same in every world, made once.
pub(crate) struct Furniture {
    /// The rows that a world begins with: definitions, the role.
    pub(crate) rows: Vec<(Table, String, Vec<u8>)>,
    machines: BTreeMap<String, Arc<Definition>>,
    runbook: Arc<Runbook>,
}

impl Furniture {
    /// Returns the machine of a definition key.
    pub(crate) fn machine(&self, key: &str) -> Option<Arc<Definition>> {
        self.machines.get(key).cloned()
    }

    pub(crate) fn runbook(&self) -> Arc<Runbook> {
        self.runbook.clone()
    }

    /// Returns what every world has.
    ///
    /// # Errors
    /// When a definition is wrong or the role cannot be made.
    pub(crate) fn of_every_world() -> Result<&'static Furniture> {
        static FURNITURE: OnceLock<Result<Furniture, String>> = OnceLock::new();
        let made = FURNITURE.get_or_init(|| Furniture::make().map_err(|err| format!("{err:#}")));
        made.as_ref().map_err(|err| anyhow!("{err}"))
    }

    fn make() -> Result<Furniture> {
        let options = asl::Options {
            machine_type: asl::StateMachineType::Standard,
            resources: &asl::AnyResource,
        };
        let mut machines = BTreeMap::new();
        let mut rows = Vec::new();
        for (name, text) in MACHINES.into_iter().chain(REDRIVEN).chain(CHILDREN) {
            let parsed = Definition::parse(text, &options);
            let parsed = parsed.map_err(|problems| anyhow!("{name}: {problems}"))?;
            machines.insert(definition_key(text), Arc::new(parsed));
            rows.push((Table::Definitions, definition_key(text), text.as_bytes().to_vec()));
        }
        let runbook = Runbook::parse(RUNBOOK, Format::Yaml);
        let runbook = Arc::new(runbook.map_err(|problems| anyhow!("the runbook: {problems}"))?);
        rows.push((Table::Definitions, definition_key(RUNBOOK), RUNBOOK.as_bytes().to_vec()));
        rows.extend(rows_of_a_user()?);
        Ok(Furniture { rows, machines, runbook })
    }
}

/// Makes the role, the activity and the machines that others start as a user would, and returns the
/// rows that this leaves.
fn rows_of_a_user() -> Result<Vec<(Table, String, Vec<u8>)>> {
    let tasks = tokio::runtime::Builder::new_current_thread().build()?;
    let within = tasks.enter();
    let store = Store::memory();
    let opened = Opened::open(store.clone(), Clock::simulated(BEGINNING_MILLIS, 0), Node::alone())?;
    let http = Http { auth: AuthMode::Loopback, reset: Reset::Refused };
    let services = Services::new(settings(), opened.handle(), http);
    let endpoint = Arc::new(Endpoint::new(services));
    opened.start(endpoint.clone(), Arc::new(NoPeers));
    drop(within);
    let trust = value!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"Service": ["states.amazonaws.com", "ssm.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }],
    });
    let policy = value!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["iam:*", "states:*"], "Resource": "*"}],
    });
    let (trust, policy) = (trust.to_json(), policy.to_json());
    let mut calls = vec![
        ("iam", "CreateRole", value!({ "RoleName": "sim", "AssumeRolePolicyDocument": trust })),
        (
            "iam",
            "PutRolePolicy",
            value!({ "RoleName": "sim", "PolicyName": "all", "PolicyDocument": policy }),
        ),
        ("stepfunctions", "CreateActivity", value!({ "name": "sim" })),
    ];
    for (name, text) in CHILDREN {
        let machine = value!({ "name": name, "definition": text, "roleArn": ROLE });
        calls.push(("stepfunctions", "CreateStateMachine", machine));
    }
    for (service, operation, input) in calls {
        let caller = Caller::Principal(Box::new(policy::Principal::root(ACCOUNT)));
        let (service, operation) = (service.to_owned(), operation.to_owned());
        let call = Call::new(caller, service, operation, input);
        let answer = tasks.block_on(endpoint.call(call));
        answer.map_err(|err| anyhow!("{}: {}", err.code, err.message))?;
    }
    let mut rows = Vec::new();
    for table in Table::ALL {
        let found = store.read(|tx| tx.scan(*table, Scan::prefix("")))?;
        rows.extend(found.into_iter().map(|(key, row)| (*table, key, row)));
    }
    Ok(rows)
}

/// Returns what a process is to be, and how it begins.
///
/// # Errors
/// Never: every shape is in the list.
pub(crate) fn draw(number: usize, plan: &Plan, random: &mut Random) -> Result<(ProcessId, Begin)> {
    // Now and then two work on the same user.
    let user = format!("u{}", if random.chance(100) { 0 } else { number });
    if random.chance(200) {
        return Ok(runbook(number, plan.fleets, &user));
    }
    let mut drawn = random.pick(&MACHINES).context("there are machines")?;
    if plan.redrives && drawn.0 == "spread" {
        drawn = REDRIVEN.get(number % 3).unwrap_or(drawn);
    }
    let (machine, text) = drawn;
    let seconds = random.pick(&[0, 1, 2, 3, 10, 90, 3_600, 20_000]).copied().unwrap_or(0);
    let rounds = random.between(1, 4);
    let input = value!({ "user": user, "seconds": seconds, "rounds": rounds });
    let name = format!("e{number}");
    let arn = format!("arn:aws:states:{REGION}:{ACCOUNT}:execution:{machine}:{name}");
    let begin = Begin::Execution(BeginExecution {
        name,
        state_machine_arn: format!("arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{machine}"),
        state_machine_name: (*machine).to_owned(),
        definition: definition_key(text),
        role_arn: ROLE.into(),
        region: REGION.into(),
        input: input.to_string(),
        machine: Value::Null,
        state_machine_version_arn: None,
        state_machine_alias_arn: None,
        child: None,
        trace: None,
    });
    Ok((ProcessId::new(Kind::Execution, &arn), begin))
}

/// Over how many users a runbook runs that runs over some.
const TARGETS_MAX: usize = 5;

/// Returns over which users a runbook runs that runs over some. It depends on its number alone.
fn over(number: usize, user: &str) -> Box<RateControl> {
    let target = |place: usize| {
        let name = format!("{user}-{place}");
        Target { parameters: value!({ "User": [&*name] }), name }
    };
    Box::new(RateControl {
        target_parameter_name: Some("User".to_owned()),
        max_concurrency: (1 + number % 4).to_string(),
        max_errors: (number / 4 % 3).to_string(),
        resolved: (0..=number % TARGETS_MAX).map(target).collect(),
        ..RateControl::default()
    })
}

fn runbook(number: usize, of_fleet: bool, user: &str) -> (ProcessId, Begin) {
    let id = format!("00000000-0000-4000-8000-{number:012}");
    let rate = of_fleet.then(|| over(number, user));
    let parameters = if rate.is_some() { value!({}) } else { value!({ "User": [user] }) };
    let begin = BeginAutomation {
        definition: definition_key(RUNBOOK),
        format: Format::Yaml.to_string(),
        caller: Caller::Role {
            role_arn: ROLE.into(),
            service: "ssm.amazonaws.com".into(),
            session_name: id.clone(),
            source_arn: format!("arn:aws:ssm:{REGION}:{ACCOUNT}:automation-execution/{id}"),
        },
        started: Started {
            execution_id: id.clone(),
            document_name: "Sim".into(),
            document_version: "1".into(),
            parameters,
            executed_by: format!("arn:aws:iam::{ACCOUNT}:root"),
            assume_role: Some(ROLE.into()),
            account: ACCOUNT.into(),
            region: REGION.into(),
            partition: "aws".into(),
            mode: Mode::Auto,
            rate,
            ..Started::default()
        },
        request: Value::Null,
        attachments: Attachments::new(),
        starter: None,
        depth: 0,
        tags: BTreeMap::new(),
    };
    (ProcessId::new(Kind::Automation, &id), Begin::Automation(begin))
}
