//! Scripts in their cages: what they can do, what they cannot, and that none outlives its step.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use runtime::{
    Answering, AwsEndpoint, Begin, BeginAutomation, Call, Caller, Clock, ClockMode, Environment,
    Kind, NoPeers, Node, Opened, ProcessId, Runtime, Scripts, Share, definition_key,
};
use store::{Load, Store, Table};
use value::{Value, value};

const ID: &str = "73c8eef8-f4ee-4a05-820c-e354f0000000";
const MEBIBYTE: u64 = 1024 * 1024;

/// Counts how often a script was started: each start asks for its environment.
#[derive(Default)]
pub(crate) struct Endpoint {
    starts: AtomicUsize,
}

impl AwsEndpoint for Endpoint {
    fn call(&self, call: Call) -> Answering {
        Box::pin(async move { Ok(call.input) })
    }

    fn script_environment(&self, _: Caller) -> Environment {
        self.starts.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(vec![("AWS_ACCESS_KEY_ID".to_owned(), "ASIA".to_owned())]) })
    }

    fn events_committed(&self) {}

    fn hears(&self, _: &str) -> bool {
        false
    }
}

/// How strong the cage is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kernel {
    /// As strong as this kernel can.
    AsItIs,
    /// As in most containers, which forbid name spaces: Landlock alone.
    WithoutNameSpaces,
}

/// Returns the program that cages scripts; without name spaces by forbidding them first.
fn cage(kernel: Kernel, folder: &Path) -> PathBuf {
    let program = env!("CARGO_BIN_EXE_script-cage");
    if kernel == Kernel::AsItIs {
        return program.into();
    }
    let wrapper = folder.join("without-name-spaces");
    let text = format!(
        "#!/bin/sh\nexec unshare --user --map-root-user sh -c \
         'echo 0 > /proc/sys/user/max_user_namespaces && exec {program} \"$@\"' sh \"$@\"\n"
    );
    fs::write(&wrapper, text).unwrap();
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
    wrapper
}

/// Returns whether this machine can show it, or says loudly that it cannot.
pub(crate) fn can(kernel: Kernel) -> bool {
    let runs = |program: &str, arguments: &[&str]| {
        Command::new(program).args(arguments).output().is_ok_and(|it| it.status.success())
    };
    let found = runs("python3", &["--version"])
        && (kernel == Kernel::AsItIs || runs("unshare", &["--user", "--map-root-user", "true"]));
    if !found {
        eprintln!("SKIPPED: python3 or `unshare --user` absent ({kernel:?})");
    }
    found
}

fn document(text: &str, properties: &str) -> String {
    let script = text.replace('\n', "\n        ");
    format!(
        "schemaVersion: '0.3'\nmainSteps:\n  - name: script\n    action: aws:executeScript\n    \
         {properties}\n    inputs:\n      Runtime: python3.11\n      Handler: handler\n      \
         InputPayload: {{name: 日本}}\n      Script: |\n        {script}\n"
    )
}

/// A script to run on a server of its own.
pub(crate) struct Run {
    pub(crate) text: String,
    pub(crate) properties: &'static str,
    pub(crate) scripts: Scripts,
    pub(crate) folder: tempfile::TempDir,
    /// Makes the document of the script.
    pub(crate) document: fn(&str, &str) -> String,
}

impl Run {
    fn new(text: &str) -> Run {
        Run::on(Kernel::AsItIs, text)
    }

    pub(crate) fn on(kernel: Kernel, text: &str) -> Run {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        fs::write(data.join("key"), "secret").unwrap();
        let key_file = folder.path().join("key-file");
        fs::write(&key_file, "secret").unwrap();
        let cage = cage(kernel, folder.path());
        let scripts = Scripts { cage, hidden: vec![data, key_file], ..Scripts::default() };
        let text = text.to_owned();
        Run { text, properties: "maxAttempts: 1", scripts, folder, document }
    }

    fn with_share(mut self, share: impl FnOnce(Share) -> Share) -> Run {
        self.scripts.share = share(self.scripts.share);
        self
    }

    /// Runs a server as long as `work` takes; at its end every task is gone, as after kill -9.
    pub(crate) fn life<T>(
        &self,
        store: &Store,
        endpoint: &Arc<Endpoint>,
        work: impl AsyncFnOnce(Runtime) -> T,
    ) -> T {
        let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let answer = threads.block_on(async {
            let opened =
                Opened::open(store.clone(), Clock::new(ClockMode::Real), Node::alone()).unwrap();
            let opened = opened.with_scripts(self.scripts.clone());
            let runtime = opened.handle();
            opened.start(endpoint.clone(), Arc::new(NoPeers));
            work(runtime).await
        });
        threads.shutdown_timeout(Duration::from_secs(5));
        answer
    }

    async fn begin(&self, runtime: &Runtime) {
        self.begin_with(runtime, (self.document)(&self.text, self.properties), value!({})).await;
    }

    /// Begins a document; `attachments` are contents by name.
    pub(crate) async fn begin_with(&self, runtime: &Runtime, text: String, attachments: Value) {
        let mut keys = Value::object();
        for (name, content) in attachments.as_object().unwrap().iter() {
            let content = content.as_str().unwrap().to_owned();
            let key = runtime::content_key(content.as_bytes());
            keys.set(name.clone(), key.as_str());
            let kept = runtime
                .store()
                .write(move |tx| tx.put(Table::Definitions, &key, content.as_bytes()))
                .await;
            kept.unwrap().unwrap();
        }
        let definition = definition_key(&text);
        let key = definition.clone();
        let kept = runtime
            .store()
            .write(move |tx| tx.put(Table::Definitions, &key, text.as_bytes()))
            .await;
        kept.unwrap().unwrap();
        let caller = Caller::Role {
            role_arn: "arn:aws:iam::000000000000:role/r".into(),
            service: "ssm.amazonaws.com".into(),
            session_name: "s".into(),
            source_arn: "a".into(),
        };
        let role = "arn:aws:iam::000000000000:role/r".to_owned();
        // What else there is to say about a beginning has a preset.
        let begin = value!({
            "definition": definition,
            "started": value::to_value(&automation::Started {
                execution_id: ID.to_owned(),
                parameters: value!({}),
                assume_role: Some(role),
                region: "eu-central-1".to_owned(),
                ..automation::Started::default()
            }).unwrap(),
            "caller": value::to_value(&caller).unwrap(),
            "format": "YAML",
            "request": {},
            "attachments": keys,
        });
        let begin: BeginAutomation = value::from_value(begin).unwrap();
        runtime.begin(id(), Begin::Automation(begin)).await.unwrap();
    }

    /// Runs the script to its end and returns the record of its step.
    pub(crate) fn step(&self) -> Value {
        let store = Store::memory();
        let endpoint = Arc::new(Endpoint::default());
        self.life(&store, &endpoint, async |runtime| {
            self.begin(&runtime).await;
            ended(&store).await
        })
    }

    pub(crate) fn payload(&self) -> Value {
        let step = self.step();
        let payload = step.path(&["Outputs", "Payload"]).and_then(|it| it.at(0)).cloned();
        let payload = payload.unwrap_or_else(|| panic!("{step}"));
        value::parse(payload.as_str().unwrap()).unwrap_or(payload)
    }

    pub(crate) fn failure(&self) -> String {
        let step = self.step();
        step.get("FailureMessage")
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{step}"))
            .into()
    }
}

fn id() -> ProcessId {
    ProcessId::new(Kind::Automation, ID)
}

/// Waits until the execution has ended, for at most two minutes, and returns its step.
pub(crate) async fn ended(store: &Store) -> Value {
    for _ in 0..12_000 {
        let record: Option<Value> = store.read(|tx| tx.load(Table::Automations, ID)).unwrap();
        let record = record.unwrap_or_default();
        if record.get("ExecutionEndTime").is_some() {
            return record.get("StepExecutions").and_then(|steps| steps.at(0)).cloned().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("still running");
}

/// Waits until a process has this mark in its command line, or until none has.
pub(crate) fn wait_for(mark: &str, there: bool) {
    let began = Instant::now();
    while is_there(mark) != there {
        assert!(began.elapsed() < Duration::from_mins(1), "{mark}: still {}", !there);
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn is_there(mark: &str) -> bool {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .any(|line| String::from_utf8_lossy(&line).split('\0').any(|one| one == mark))
}

/// Waits until no script's directory holds this mark.
fn wait_for_no_directory(mark: &str) {
    let holds = |entry: fs::DirEntry| {
        let request = fs::read_to_string(entry.path().join("request.json"));
        request.is_ok_and(|request| request.contains(mark))
    };
    let began = Instant::now();
    while fs::read_dir(std::env::temp_dir()).unwrap().flatten().any(holds) {
        assert!(began.elapsed() < Duration::from_mins(1), "a directory is left");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A script that starts a process, marked, which leaves its session, its parents and SIGTERM
/// behind; `rest` is what the script itself does then.
fn runaway(mark: &str, rest: &str) -> String {
    format!(
        "import os, signal, subprocess, sys, time\n\
         def handler(events, context):\n    \
             signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    \
             if os.fork() == 0:\n        \
                 os.setsid()\n        \
                 if os.fork() == 0:\n            \
                     os.close(1)\n            \
                     os.execv(sys.executable, ['p', '-c', 'import time; time.sleep(600)', '{mark}'])\n        \
                 os._exit(0)\n    \
             {rest}\n"
    )
}

#[test]
fn a_script_returns_and_prints() {
    if !can(Kernel::AsItIs) {
        return;
    }
    let run = Run::new(
        "import os, tempfile\n\
         def handler(events, context):\n    \
             print('seen', events['name'])\n    \
             with tempfile.NamedTemporaryFile('w') as f:\n        \
                 f.write('x')\n    \
             open('/tmp/own', 'w').close()\n    \
             return {'name': events['name'], 'environment': sorted(os.environ), \
                     'region': context['global:REGION'], 'files': os.listdir()}",
    );
    let step = run.step();
    assert_eq!(step.get("StepStatus"), Some(&value!("Success")), "{step}");
    let whole = step.path(&["Outputs", "OutputPayload"]).and_then(|it| it.at(0)).unwrap();
    let whole = value::parse(whole.as_str().unwrap()).unwrap();
    assert_eq!(whole.get("ExecutionLog"), Some(&value!("seen 日本\n")));
    let payload = whole.get("Payload").unwrap();
    assert_eq!(payload.get("region"), Some(&value!("eu-central-1")));
    // Nothing of the server's environment but where programs are.
    assert_eq!(
        payload.get("environment"),
        Some(&value!([
            "AWS_ACCESS_KEY_ID",
            "AWS_EC2_METADATA_DISABLED",
            "HOME",
            "LANG",
            "PATH",
            "PYTHONUTF8",
            "TMPDIR"
        ]))
    );
}

#[test]
fn a_script_cannot_read_what_is_the_servers() {
    for kernel in [Kernel::AsItIs, Kernel::WithoutNameSpaces] {
        if !can(kernel) {
            continue;
        }
        let mut run = Run::on(kernel, "");
        let server = std::process::id();
        let (root, home) = (run.folder.path().display().to_string(), "/root/.bashrc");
        // Readable, so that what is hidden lies inside something that is not.
        fs::write(run.folder.path().join("allowed"), "a").unwrap();
        run.scripts.readable = vec![run.folder.path().to_owned()];
        run.text = format!(
            "import ctypes, os\n\
             def attempt(work):\n    \
                 try:\n        \
                     return work()\n    \
                 except Exception as error:\n        \
                     return type(error).__name__\n\
             def read(path):\n    \
                 return attempt(lambda: open(path).read())\n\
             def handler(events, context):\n    \
                 libc = ctypes.CDLL(None, use_errno=True)\n    \
                 os.symlink('{root}/data/key', 'link')\n    \
                 return {{\n        \
                     'key': read('{root}/data/key'), 'link': read('link'),\n        \
                     'key_file': read('{root}/key-file'),\n        \
                     'list': attempt(lambda: os.listdir('{root}/data')),\n        \
                     'hard': attempt(lambda: os.link('{root}/data/key', 'hard')),\n        \
                     'environ': read('/proc/{server}/environ'),\n        \
                     'memory': attempt(lambda: open('/proc/{server}/mem', 'rb')),\n        \
                     'shadow': read('/etc/shadow'), 'home': read('{home}'),\n        \
                     'write': attempt(lambda: open('{root}/allowed', 'w')),\n        \
                     'made': attempt(lambda: open('{root}/data/new', 'w')),\n        \
                     'kill': attempt(lambda: os.kill({server}, 0)),\n        \
                     'ptrace': libc.ptrace(16, {server}, 0, 0), 'allowed': read('{root}/allowed')}}"
        );
        let mut seen = run.payload();
        let mut take = |name: &str| seen.object_mut().remove(name).unwrap();
        assert_eq!(take("allowed"), value!("a"), "{kernel:?}");
        assert_eq!(take("ptrace"), value!(-1), "{kernel:?}");
        // What is covered up is empty.
        let key_file = take("key_file");
        assert!(key_file == value!("") || key_file == value!("PermissionError"), "{key_file}");
        // Before Linux 6.12 Landlock alone lets signals out; see docs/scripts.md.
        let kill = take("kill");
        assert!(kernel == Kernel::WithoutNameSpaces || !kill.is_null(), "{kernel:?} {kill}");
        for (name, what) in seen.as_object().unwrap().iter() {
            let refused = ["PermissionError", "FileNotFoundError", "ProcessLookupError", "OSError"];
            assert!(
                refused.contains(&what.as_str().unwrap_or("it worked")),
                "{kernel:?} {name} {what}"
            );
        }
        assert_eq!(fs::read_to_string(run.folder.path().join("allowed")).unwrap(), "a");
    }
}

#[test]
fn nothing_survives_the_step() {
    for (number, kernel) in [Kernel::AsItIs, Kernel::WithoutNameSpaces].into_iter().enumerate() {
        if !can(kernel) {
            continue;
        }
        let mark = format!("stepwell-survivor-{number}-{}", std::process::id());
        let run = Run::on(kernel, &runaway(&mark, "time.sleep(0.5); return 1"));
        assert_eq!(run.payload(), value!(1), "{kernel:?}");
        wait_for(&mark, false);
        wait_for_no_directory(&mark);
        // At the deadline, although SIGTERM is ignored.
        let mut run = Run::on(kernel, &runaway(&mark, "time.sleep(600)"));
        run.properties = "timeoutSeconds: 2";
        assert!(run.failure().contains("timed out"), "{kernel:?}");
        wait_for(&mark, false);
    }
}

#[test]
fn nothing_survives_the_server() {
    for (number, kernel) in [Kernel::AsItIs, Kernel::WithoutNameSpaces].into_iter().enumerate() {
        if !can(kernel) {
            continue;
        }
        let mark = format!("stepwell-orphan-{number}-{}", std::process::id());
        let run = Run::on(kernel, &runaway(&mark, "time.sleep(600)"));
        let (store, endpoint) = (Store::memory(), Arc::new(Endpoint::default()));
        run.life(&store, &endpoint, async |runtime| {
            run.begin(&runtime).await;
            tokio::task::block_in_place(|| wait_for(&mark, true));
        });
        wait_for(&mark, false);
        wait_for_no_directory(&mark);
    }
}

#[test]
fn a_script_in_flight_when_the_server_dies_is_not_started_again() {
    if !can(Kernel::AsItIs) {
        return;
    }
    for (properties, starts, status) in
        [("maxAttempts: 1", 1, "Failed"), ("maxAttempts: 2", 2, "Success")]
    {
        let mark = format!("stepwell-{starts}-{}", std::process::id());
        // The second attempt finds a server that has lived through it: the mark is not waited for.
        let mut run = Run::new(&runaway(&mark, "time.sleep(3); return 1"));
        run.properties = properties;
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let endpoint = Arc::new(Endpoint::default());
        run.life(&store, &endpoint, async |runtime| {
            run.begin(&runtime).await;
            tokio::task::block_in_place(|| wait_for(&mark, true));
        });
        drop(store);
        let store = Store::open(directory.path()).unwrap();
        let step = run.life(&store, &endpoint, async |_| ended(&store).await);
        assert_eq!(step.get("StepStatus"), Some(&value!(status)), "{step}");
        assert_eq!(endpoint.starts.load(Ordering::SeqCst), starts, "{properties}");
        if status == "Failed" {
            let told = step.get("FailureMessage").and_then(Value::as_str).unwrap();
            assert!(told.contains("The script was interrupted: the server ended"), "{told}");
        }
    }
}

#[test]
fn a_script_takes_no_more_than_its_share() {
    if !can(Kernel::AsItIs) {
        return;
    }
    let bomb = "import os, time\ndef handler(e, c):\n    while True:\n        \
                try:\n            os.fork()\n        except OSError:\n            time.sleep(1)";
    let hogs = "import os, time\ndef handler(e, c):\n    for _ in range(4):\n        \
                if os.fork() == 0:\n            x = bytearray(100 << 20)\n            \
                time.sleep(60)\n    time.sleep(60)";
    let files = "import time\ndef handler(e, c):\n    for n in range(20):\n        \
                 open(str(n), 'wb').write(b'x' * (1 << 20))\n    time.sleep(60)";
    for (text, told) in [
        (bomb, "The script had more than 16 processes at once."),
        (hogs, "The script used more than 256 MiB of memory."),
        (files, "The script's files hold more than 16 MiB"),
        ("def handler(e, c):\n    return len(bytearray(1 << 30))", "\n\nMemoryError - "),
        ("def handler(e, c):\n    open('f', 'wb').write(b'x' * (9 << 20))", "OSError - [Errno 27]"),
        ("def handler(e, c):\n    return 'x' * 200000", "The result is larger than"),
        ("def handler(e, c):\n    while True: pass", "The script was stopped after 8 seconds."),
    ] {
        let run = Run::new(text).with_share(|share| Share {
            seconds: 8,
            memory_bytes: 256 * MEBIBYTE,
            processes: 16,
            file_bytes: 8 * MEBIBYTE,
            directory_bytes: 16 * MEBIBYTE,
            ..share
        });
        let failure = run.failure();
        assert!(failure.contains(told), "{told}: {failure}");
    }
}

#[test]
fn a_gigabyte_of_output_leaves_its_beginning() {
    if !can(Kernel::AsItIs) {
        return;
    }
    let run = Run::new(
        "import os\ndef handler(e, c):\n    for _ in range(1024):\n        \
         os.write(1, b'x' * (1 << 20))\n    return 1",
    );
    let step = run.step();
    let whole = step.path(&["Outputs", "OutputPayload"]).and_then(|it| it.at(0)).unwrap();
    let whole = value::parse(whole.as_str().unwrap()).unwrap();
    let log = whole.get("ExecutionLog").and_then(Value::as_str).unwrap();
    assert_eq!(log.len(), 100 * 1024);
}

#[test]
fn a_script_may_be_an_attachment_and_import_others() {
    if !can(Kernel::AsItIs) {
        return;
    }
    let text = document("", "maxAttempts: 1").replace("Handler: handler", "Handler: code.handler");
    let text =
        text.split("      Script:").next().unwrap().to_owned() + "      Attachment: code.py\n";
    let attachments = value!({
        "code.py": "import helper\ndef handler(events, context):\n    \
                    return open(__file__).read()[:6] + helper.word + events['name']\n",
        "helper.py": "word = '!'\n",
    });
    let (run, store) = (Run::new(""), Store::memory());
    let step = run.life(&store, &Arc::new(Endpoint::default()), async |runtime| {
        run.begin_with(&runtime, text, attachments).await;
        ended(&store).await
    });
    let payload = step.path(&["Outputs", "Payload"]);
    assert_eq!(payload, Some(&value!(["import!日本"])), "{step}");
}

#[test]
fn a_server_that_runs_no_scripts_says_so() {
    let mut run = Run::new("def handler(e, c):\n    return 1");
    run.scripts.policy = runtime::ScriptPolicy::Off;
    assert!(run.failure().contains("the server was started with --scripts off"));
    run.scripts.policy = runtime::ScriptPolicy::Isolated;
    run.scripts.python = "no-such-python".to_owned();
    let failure = run.failure();
    assert!(
        failure.contains("Python scripts need no-such-python, which does not run"),
        "{failure}"
    );
}
