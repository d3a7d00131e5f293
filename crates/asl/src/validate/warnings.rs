//! What a definition may say, though it is probably not meant so.
//!
//! Step Functions API reference, "ValidateStateMachineDefinitionDiagnostic" (read 2026-11-25): the
//! three codes and one sentence about each. UNVERIFIED: AWS's texts, and the exact places in which
//! it looks.

use super::Validator;
use super::fields::Fields;
use super::templates::Place;
use crate::definition::QueryLanguage;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::intrinsic::Intrinsic;
use crate::json::{Member, Node, NodeKind};
use crate::path::Path;
use crate::span::Span;

impl Validator<'_> {
    fn warn(&mut self, code: Code, message: impl Into<String>, location: String, span: Span) {
        self.diagnostics.push(Diagnostic {
            severity: Severity::Warning,
            code,
            message: message.into(),
            location,
            span: Some(span),
            hint: None,
        });
    }

    /// Warns of a member of a JSONPath template that stays the text it is, though it reads like
    /// something to evaluate.
    pub(super) fn static_member(&mut self, member: &Member, location: &str) {
        let looks_dynamic = member.node.as_str().is_some_and(|text| reads_as_dynamic(text));
        if looks_dynamic {
            let key = &member.key;
            let message = format!(
                "The value of the field '{key}' appears to be a JSONPath or intrinsic function, \
                 but the field name does not end with '.$'"
            );
            self.warn(Code::NoDollar, message, location.to_owned(), member.node.span);
            self.hint(Some(format!("`{key}.$` is evaluated")));
        }
    }

    /// Warns of a field that holds a path, though its sibling `…Path` takes those.
    pub(super) fn path_in(&mut self, fields: &Fields<'_>, name: &str, place: &Place) {
        match place.language {
            QueryLanguage::JsonPath => {}
            QueryLanguage::Jsonata => return,
        }
        let Some(node) = fields.get(name) else { return };
        if node.as_str().is_some_and(|text| reads_as_path(text)) {
            let message = format!(
                "The value of the field '{name}' looks like a path, but the field name does not \
                 end with 'Path'"
            );
            self.warn(Code::NoPath, message, fields.at(name), node.span);
            self.hint(Some(format!("`{name}Path` takes a path")));
        }
    }

    /// Warns of paths in the Result of a Pass state: nothing in it is evaluated.
    pub(super) fn static_result(&mut self, node: &Node, location: &str) {
        match &node.kind {
            NodeKind::String(text) if reads_as_dynamic(text) => {
                let message = "The Result of a Pass state is static: paths and intrinsic \
                               functions in it are not evaluated";
                self.warn(Code::PassResultIsStatic, message, location.to_owned(), node.span);
                self.hint(Some("Parameters are evaluated".to_owned()));
            }
            NodeKind::Scalar(_) | NodeKind::String(_) => {}
            NodeKind::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.static_result(item, &format!("{location}[{index}]"));
                }
            }
            NodeKind::Object(members) => {
                for member in members {
                    self.static_result(&member.node, &format!("{location}/{}", member.key));
                }
            }
        }
    }
}

/// A lone `$` is more often a currency than a path, and `$name` more often a word.
fn reads_as_path(text: &str) -> bool {
    let below = text.trim_start_matches('$');
    let is_rooted = matches!(text.len() - below.len(), 1 | 2);
    is_rooted && below.starts_with(['.', '[']) && Path::parse(text).is_some()
}

fn reads_as_dynamic(text: &str) -> bool {
    reads_as_path(text) || (text.starts_with("States.") && Intrinsic::parse(text).is_some())
}
