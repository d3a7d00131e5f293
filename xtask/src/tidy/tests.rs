use super::mask::{block_lines, mask};
use super::tree::{Source, Tree};
use super::*;

fn tree(files: &[(&str, &str)]) -> Tree {
    Tree { files: files.iter().map(|(path, text)| Source::new(path, text)).collect() }
}

fn whats(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{}: {}", finding.line, finding.what)).collect()
}

#[test]
fn this_repository_has_no_crate_that_depends_upwards_or_knows_a_clock() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let tree = Tree::read(root).unwrap();
    assert_eq!(floors::check(&tree), []);
    assert_eq!(purity::check(&tree), []);
}

#[test]
fn comments_texts_and_characters_are_not_code() {
    let text =
        "let a = \"// {\"; // {\nlet b = '{'; /* { /* { */ */ let c = r#\"{\"#;\nf::<'a>('\\'')";
    let masked = mask(text).code;
    assert!(!masked.contains('{'), "{masked}");
    assert!(masked.contains("let c ="));
    assert!(masked.contains("f::<'a>("));
    assert_eq!(masked.lines().count(), 3);
}

#[test]
fn an_escaped_quote_does_not_end_a_text() {
    assert_eq!(mask(r#"x("a\"b{", "\\") }"#).code, "x(       ,     ) }");
}

#[test]
fn a_function_ends_where_its_brace_closes() {
    assert_eq!(block_lines(&["fn a() {", "  if b { c }", "}", "fn d() {}"]), 3);
    assert_eq!(block_lines(&["fn a(b: [u8; 4]);", "fn c() {", "}"]), 0);
}

#[test]
fn an_upward_dependency_is_found() {
    let tree = tree(&[("crates/value/Cargo.toml", "[dependencies]\nasl.workspace = true\n")]);
    let found = floors::check(&tree);
    assert!(whats(&found).contains(&"2: `value` may not depend on `asl`".to_owned()));
}

#[test]
fn a_development_dependency_counts_as_one() {
    let text = "[dev-dependencies]\nservices = { workspace = true }\n";
    let found = floors::check(&tree(&[("crates/store/Cargo.toml", text)]));
    assert!(whats(&found).contains(&"2: `store` may not depend on `services`".to_owned()));
}

#[test]
fn a_program_beside_the_house_uses_every_crate_and_is_used_by_none() {
    let tree = tree(&[
        ("bench/Cargo.toml", "[dependencies]\npolicy.workspace = true\n"),
        ("crates/policy/Cargo.toml", "[dependencies]\nbench.workspace = true\n"),
    ]);
    let found = whats(&floors::check(&tree));
    let named: Vec<_> = found.iter().filter(|what| what.contains("bench")).collect();
    assert_eq!(named, ["2: `policy` may not depend on `bench`"]);
}

#[test]
fn a_fifteenth_crate_is_found() {
    let found = floors::check(&tree(&[("crates/extra/Cargo.toml", "")]));
    assert!(whats(&found).contains(&"1: crate `extra` has no floor".to_owned()));
}

#[test]
fn a_clock_in_a_pure_crate_is_found_but_not_in_its_tests() {
    let code = "use std::time::SystemTime;\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
    let found = purity::check(&tree(&[("crates/asl/src/lib.rs", code)]));
    assert_eq!(whats(&found), ["1: `SystemTime` brings a clock into a pure crate"]);
    let found = purity::check(&tree(&[("crates/runtime/src/lib.rs", code)]));
    assert_eq!(found, []);
}

#[test]
fn a_word_in_a_comment_is_no_clock() {
    let code = "// No SystemTime here.\nlet a = \"std::fs\";\nlet operand::x = my_rand::y();\n";
    assert_eq!(purity::check(&tree(&[("crates/asl/src/lib.rs", code)])), []);
}

#[test]
fn a_long_function_needs_a_reason_and_a_giant_is_refused() {
    let body = |lines: usize| format!("fn f() {{\n{}}}\n", "    g();\n".repeat(lines));
    let check = |text: &str| whats(&sizes::check(&tree(&[("crates/asl/src/a.rs", text)])));
    assert_eq!(check(&body(68)), [""; 0]);
    assert_eq!(check(&body(70)), ["1: `f` has 72 lines"]);
    assert_eq!(check(&format!("// LONG: one table.\n#[inline]\n{}", body(70))), [""; 0]);
    assert_eq!(check(&format!("// LONG: one table.\n{}", body(150))), ["2: `f` has 152 lines"]);
}

#[test]
fn a_long_file_is_listed_and_a_giant_is_refused() {
    let text = "const A: u8 = 1;\n".repeat(601);
    let long = tree(&[("crates/asl/src/a.rs", &text)]);
    assert_eq!(sizes::check(&long), []);
    assert_eq!(sizes::listed(&long), ["crates/asl/src/a.rs has 601 lines, 600 is the aim"]);
    let text = "const A: u8 = 1;\n".repeat(1_201);
    let found = sizes::check(&tree(&[("crates/asl/src/a.rs", &text)]));
    assert_eq!(whats(&found), ["0: 1201 lines in a file"]);
}

#[test]
fn a_line_is_counted_in_characters() {
    let text = format!("// {}\n// {}\n", "あ".repeat(97), "あ".repeat(98));
    let found = sizes::check(&tree(&[("crates/asl/src/a.rs", &text)]));
    assert_eq!(whats(&found), ["2: 101 characters in a line"]);
}

#[test]
fn a_file_that_no_module_declares_is_found() {
    let files = [
        ("crates/asl/src/lib.rs", "mod states; // mod other;\n"),
        ("crates/asl/src/states/mod.rs", "mod pass;\nmod r#match;\n"),
        ("crates/asl/src/states/pass.rs", ""),
        ("crates/asl/src/states/match.rs", ""),
        ("crates/asl/src/states/wait.rs", ""),
        ("crates/asl/src/other.rs", ""),
    ];
    let found = registered::check(&tree(&files));
    assert_eq!(whats(&found), ["0: no module declares `wait`", "0: no module declares `other`"]);
}

#[test]
fn a_second_test_binary_is_found() {
    let found = registered::check(&tree(&[("crates/asl/tests/more.rs", "")]));
    assert_eq!(whats(&found), ["0: a second integration-test binary"]);
}

#[test]
fn a_name_that_says_nothing_is_found() {
    let files = [("crates/asl/src/json_utils.rs", ""), ("crates/asl/src/base64.rs", "")];
    assert_eq!(whats(&names::check(&tree(&files))), ["0: `utils` in the name `json_utils.rs`"]);
}

#[test]
fn exceptions_without_a_reason_and_ignored_tests_are_found() {
    let code = "#[expect(dead_code)]\n#[expect(a, reason = \"b\")]\n#[ignore]\n#[allow(a)]\n";
    let found = lints::check(&tree(&[("crates/asl/src/a.rs", code)]));
    let expected = ["1: an exception without a reason", "3: `#[ignore`", "4: `#[allow(`"];
    assert_eq!(whats(&found), expected);
}

#[test]
fn a_score_whose_list_does_not_add_up_is_found() {
    let check = |text: &str| {
        let found = scores::check(&tree(&[("conformance/states.score", text)]));
        let here = found.into_iter().filter(|finding| finding.path.ends_with("/states.score"));
        whats(&here.collect::<Vec<_>>())
    };
    assert_eq!(check("2/2\n"), [""; 0]);
    assert_eq!(check("1/3\na\nb\n"), [""; 0]);
    assert_eq!(check("1/3\nb\na\n"), ["2: the list is not sorted"]);
    assert_eq!(check("1/3\na\n"), ["1: 1 of 3 pass, but 1 are listed"]);
    assert_eq!(check("good\n"), ["1: the first line is not `passed/total`"]);
}

#[test]
fn tags_are_collected_with_their_following_lines() {
    let code = "// DIFFERS: we are faster,\n// on purpose.\nlet a = 1; // UNVERIFIED: odd\n";
    let stale = tree(&[("crates/asl/src/a.rs", code)]);
    assert_eq!(whats(&tags::check(&stale)), ["0: the page of tags is out of date"]);
    let folder = std::env::temp_dir().join(format!("tidy-tags-{}", std::process::id()));
    tags::write(&folder, &stale).unwrap();
    let page = std::fs::read_to_string(folder.join(tree::tags_file())).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(page.contains("`crates/asl/src/a.rs`\n- we are faster, on purpose.\n"), "{page}");
    assert!(page.contains("- odd\n"), "{page}");
    let fresh = tree(&[("crates/asl/src/a.rs", code), (tree::tags_file(), &page)]);
    assert_eq!(tags::check(&fresh), []);
}

#[test]
fn the_header_of_a_library_says_what_it_is() {
    let found = headers::check(&tree(&[("crates/asl/src/lib.rs", "//! What it is: a\n")]));
    assert_eq!(found.len(), 3);
}
