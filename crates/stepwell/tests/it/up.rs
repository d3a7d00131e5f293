//! What `stepwell up` says: where it cannot listen, and who gets in.

use value::value;

use super::server::{Server, call, program, text};

/// Returns what is said of an address at which nothing can listen.
fn complaint(listen: &str, more: &[&str]) -> String {
    let mut command = program();
    command.args(["up", "--memory", "--listen", listen]).args(more);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{listen}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn an_address_that_is_none_is_told_from_one_that_is_taken() {
    for wrong in ["4566", ":4566", "nowhere.invalid"] {
        let told = complaint(wrong, &[]);
        let expected = format!("error: {wrong} is no address to listen on here\n");
        assert!(told.starts_with(&expected), "{told}");
        assert!(told.contains("\nhint: write HOST:PORT"), "{told}");
    }
    let server = Server::start(&["--memory"], &[]);
    let taken = server.endpoint.trim_start_matches("http://");
    let told = complaint(taken, &[]);
    assert!(told.starts_with(&format!("error: another server listens on {taken} already\n")));
    let told = complaint("0.0.0.0:0", &[]);
    assert!(told.contains("only `--auth strict`"), "{told}");
    assert!(told.contains("hint: docs/server.md"), "{told}");
}

#[test]
fn a_strict_server_takes_the_key_that_root_has_made_before() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path().to_str().unwrap();
    let strict = ["--data", data, "--auth", "strict"];
    let server = Server::start(&strict, &[]);
    let who = || value!({});
    let refused = call(&server.client(), "sts", "GetCallerIdentity", who()).unwrap_err();
    assert!(refused.to_string().starts_with("InvalidClientTokenId"), "{refused}");
    server.signal("TERM");
    let (_, log) = server.ended();
    assert!(log.contains("warning: there is no access key yet"), "{log}");
    let server = Server::start(&["--data", data], &[]);
    server.ok("iam", "CreateUser", value!({ "UserName": "admin" }));
    let key = server.ok("iam", "CreateAccessKey", value!({ "UserName": "admin" }));
    server.signal("TERM");
    server.ended();
    let server = Server::start(&strict, &[]);
    let of = |member: &str| text(&key, &["AccessKey", member]);
    let admin = server.client_with(&of("AccessKeyId"), &of("SecretAccessKey"), None);
    let identity = call(&admin, "sts", "GetCallerIdentity", who()).unwrap();
    assert!(text(&identity, &["Arn"]).ends_with(":user/admin"));
    server.signal("TERM");
    assert_eq!(server.ended().1, "");
}
