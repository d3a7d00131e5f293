//! Retention as a user sees it: on a virtual clock that is moved by hand.

use value::value;

use super::server::{Server, call, program, text};

#[test]
fn an_old_execution_is_gone_after_the_clock_was_moved() {
    let server = Server::start(&["--memory", "--clock", "virtual", "--retention", "7d"], &[]);
    let definition = r#"{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}"#;
    let machine = server.machine("passes", "STANDARD", definition);
    let started =
        server.ok("stepfunctions", "StartExecution", value!({"stateMachineArn": machine}));
    let describe = value!({"executionArn": text(&started, &["executionArn"])});
    server.ok("stepfunctions", "DescribeExecution", describe.clone());
    for (days, is_there) in [("6d", true), ("2d", false)] {
        let endpoint = ["--endpoint", &server.endpoint];
        let advanced = program().args(["clock", "advance", days]).args(endpoint).status();
        assert!(advanced.unwrap().success());
        for _ in 0..100 {
            let found =
                call(&server.client(), "stepfunctions", "DescribeExecution", describe.clone());
            if is_there {
                assert!(found.is_ok());
                break;
            }
            match found {
                Ok(_) => std::thread::sleep(std::time::Duration::from_millis(100)),
                Err(err) => {
                    assert!(err.to_string().contains("ExecutionDoesNotExist"), "{err}");
                    return;
                }
            }
        }
    }
    panic!("the execution is still there");
}
