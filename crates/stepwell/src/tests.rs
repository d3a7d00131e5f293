//! What holds for the whole program.

use std::path::Path;

#[test]
fn every_operation_that_is_served_stands_on_its_page() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/compat");
    let mut missing = Vec::new();
    for service in services::SERVICE_NAMES {
        let name = if *service == "stepfunctions" { "states" } else { service };
        let page = std::fs::read_to_string(pages.join(format!("{name}.md"))).unwrap();
        for operation in services::operations(service) {
            let words = page.split(|c: char| !c.is_alphanumeric());
            if !words.into_iter().any(|word| word == operation.name) {
                missing.push(format!("docs/compat/{name}.md: {}", operation.name));
            }
        }
    }
    assert_eq!(missing, [""; 0]);
}
