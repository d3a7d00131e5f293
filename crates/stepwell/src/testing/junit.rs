//! A report as build servers read it.

use std::fmt::Write;

use super::Report;

/// Returns the reports as JUnit XML; times are those of the virtual clock.
pub(crate) fn report(reports: &[Report]) -> String {
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for report in reports {
        let failed = report.cases.iter().filter(|case| !case.problems.is_empty()).count();
        // Writing into a String cannot fail.
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\" errors=\"0\">",
            escaped(&report.file),
            report.cases.len()
        );
        for case in &report.cases {
            let (name, file) = (escaped(&case.name), escaped(&report.file));
            let (seconds, millis) = (case.virtual_millis / 1000, case.virtual_millis % 1000);
            let head =
                format!("name=\"{name}\" classname=\"{file}\" time=\"{seconds}.{millis:03}\"");
            let _ = if case.problems.is_empty() {
                writeln!(out, "    <testcase {head}/>")
            } else {
                let text = escaped(&case.problems.join("\n"));
                let first = case.problems.first().map(|first| escaped(first)).unwrap_or_default();
                writeln!(
                    out,
                    "    <testcase {head}>\n      <failure message=\"{first}\">{text}\
                     </failure>\n    </testcase>"
                )
            };
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// Escapes a text; what XML cannot hold is shown as a replacement character.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(character),
            _ if character.is_control() => out.push('\u{fffd}'),
            _ => out.push(character),
        }
    }
    out
}
