use std::sync::Arc;

use runtime::{Clock, ClockMode, Node, Opened};
use store::{Save, Store};

use super::*;
use crate::{AuthMode, Http, Limits, Reset, Settings};

fn services() -> Arc<Services> {
    let clock = Clock::new(ClockMode::Virtual);
    let opened = Opened::open(Store::memory(), clock, Node::alone()).unwrap();
    let settings = Settings {
        account: "1".into(),
        region: "us-east-1".into(),
        partition: "aws".into(),
        edition: automation::catalogue::Edition::default(),
        limits: Limits::default(),
    };
    let http = Http { auth: AuthMode::Loopback, reset: Reset::Refused };
    Services::new(settings, opened.handle(), http)
}

fn note(services: &Services, millis: i64, process: &str, began: Option<&str>) {
    services.decisions.note(Record::example_of(process, began, millis));
}

fn ids(calls: &[Value]) -> Vec<i64> {
    calls.iter().map(|call| call.text("requestId").unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn many_calls_come_in_several_answers_and_each_once() {
    const ALL: i64 = 2_600;
    const PAGE: i64 = 400;
    let services = services();
    for millis in 0..ALL {
        note(&services, millis, "execution/e", None);
        note(&services, millis, "execution/other", None);
        if millis % PAGE == PAGE - 1 {
            services.write_decisions().await.unwrap();
        }
    }
    // What came behind the last page is in memory only.
    let processes = services.processes_of("execution/e").unwrap();
    let (mut found, mut answers, mut after) = (Vec::new(), 0, None::<String>);
    loop {
        let answered = services.calls_of(&processes, after.as_deref()).unwrap();
        assert!(answered.calls.len() < CALLS_ANSWERED_MIN + usize::try_from(PAGE).unwrap());
        found.extend(ids(&answered.calls));
        answers += 1;
        match answered.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!(found, (0..ALL).collect::<Vec<i64>>());
    assert_eq!(answers, 3);
    let mut visited = 0;
    services
        .each_call_of(&processes, |_| {
            visited += 1;
            Ok(())
        })
        .unwrap();
    assert_eq!(visited, ALL);
    let last = services.find_call(&Wanted::Request("7".into())).unwrap().unwrap();
    assert_eq!(last.text("requestId").unwrap(), "7");
}

#[tokio::test]
async fn what_a_process_began_is_followed_whatever_was_noted_first() {
    let services = services();
    // The child was quicker than the answer to its parent.
    note(&services, 3, "execution/grandchild", None);
    services.write_decisions().await.unwrap();
    note(&services, 2, "automation/child", Some("execution/grandchild"));
    services.write_decisions().await.unwrap();
    note(&services, 1, "execution/e", Some("automation/child"));
    note(&services, 4, "execution/stranger", Some("execution/e"));
    services.write_decisions().await.unwrap();
    note(&services, 5, "execution/grandchild", Some("stack/last"));
    let processes = services.processes_of("execution/e").unwrap();
    let all = ["automation/child", "execution/e", "execution/grandchild", "stack/last"];
    assert!(processes.all.iter().eq(all) && processes.is_whole, "{:?}", processes.all);
    let answered = services.calls_of(&processes, None).unwrap();
    assert_eq!(ids(&answered.calls), [1, 2, 3, 5]);
}

#[tokio::test]
async fn too_many_children_are_not_all_followed_and_that_is_said() {
    let services = services();
    let children = |count: usize| {
        let written = services.store().write(move |tx| -> Result<(), store::Error> {
            tx.save(Table::MapRunsByExecution, "e/1", &"run".to_owned())?;
            (0..count).try_for_each(|n| {
                tx.save(Table::ExecutionsByStart, &format!("run/{n:06}"), &n.to_string())
            })
        });
        async { written.await.unwrap().unwrap() }
    };
    children(PROCESSES_MAX - 1).await;
    let processes = services.processes_of("execution/e").unwrap();
    assert_eq!((processes.all.len(), processes.is_whole), (PROCESSES_MAX, true));
    children(PROCESSES_MAX).await;
    let processes = services.processes_of("execution/e").unwrap();
    assert_eq!((processes.all.len(), processes.is_whole), (PROCESSES_MAX, false));
}
