//! Payload templates, paths and scalar fields.

use std::collections::BTreeSet;
use std::sync::Arc;

use value::Value;

use super::fields::Fields;
use super::{VARIABLE_NAME_CHARS_MAX, Validator};
use crate::definition::{QueryLanguage, ResultPath, Selection};
use crate::diagnostic::Code;
use crate::expression::{Expression, Scalar, StatesMembers, expression_text};
use crate::intrinsic::Intrinsic;
use crate::json::{Member, Node, NodeKind};
use crate::path::{Path, Placement};
use crate::span::{Span, positions};
use crate::template::Template;

/// What is known of the place where expressions of one state stand.
pub(super) struct Place {
    /// The state's language.
    pub(super) language: QueryLanguage,
    /// The variables read so far.
    pub(super) variables: BTreeSet<String>,
    /// Whether something may read the context object.
    pub(super) reads_context: bool,
}

impl Place {
    pub(super) fn new(language: QueryLanguage) -> Place {
        Place { language, variables: BTreeSet::new(), reads_context: false }
    }

    fn expression(&mut self, expression: &Expression) {
        self.variables.extend(expression.variables().map(str::to_owned));
        self.reads_context |= expression.may_read_context();
    }

    fn path(&mut self, path: &Path) {
        self.variables.extend(path.variable().map(str::to_owned));
        self.reads_context |= path.reads_context();
    }

    fn intrinsic(&mut self, intrinsic: &Intrinsic) {
        self.variables.extend(intrinsic.variables());
        self.reads_context |= intrinsic.reads_context();
    }
}

impl Validator<'_> {
    /// Reads the template in a field.
    pub(super) fn template_field(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        members: StatesMembers,
        place: &mut Place,
    ) -> Option<Template> {
        let node = fields.get(name)?;
        let location = fields.at(name);
        match place.language {
            QueryLanguage::Jsonata => self.jsonata_template(node, &location, members, place),
            QueryLanguage::JsonPath => self.path_template(node, &location, place),
        }
    }

    fn jsonata_template(
        &mut self,
        node: &Node,
        location: &str,
        members: StatesMembers,
        place: &mut Place,
    ) -> Option<Template> {
        match &node.kind {
            NodeKind::Scalar(scalar) => Some(Template::Constant(scalar.clone())),
            NodeKind::String(text) => match expression_text(text) {
                Some(_) => self.expression(node, location, members, place).map(Template::Jsonata),
                None => Some(Template::Constant(Value::String(text.clone()))),
            },
            NodeKind::Array(items) => {
                let read = items.iter().enumerate().map(|(index, item)| {
                    self.jsonata_template(item, &format!("{location}[{index}]"), members, place)
                });
                // Every problem is to be found, so the first `None` does not end the walk.
                let read: Vec<Option<Template>> = read.collect();
                read.into_iter().collect::<Option<Vec<_>>>().map(Template::array)
            }
            NodeKind::Object(entries) => {
                let read = entries.iter().map(|entry| {
                    let location = format!("{location}/{}", entry.key);
                    let inner = self.jsonata_template(&entry.node, &location, members, place);
                    Some((entry.key.clone(), inner?))
                });
                let read: Vec<Option<(Arc<str>, Template)>> = read.collect();
                read.into_iter().collect::<Option<Vec<_>>>().map(Template::object)
            }
        }
    }

    /// Compiles the expression in a string node `{% … %}`.
    pub(super) fn expression(
        &mut self,
        node: &Node,
        location: &str,
        members: StatesMembers,
        place: &mut Place,
    ) -> Option<Expression> {
        let text = node.as_str().and_then(|text| expression_text(text))?;
        let expression = match Expression::compile(text) {
            Ok(expression) => expression,
            Err(error) => {
                let span = self.span_within(node, text, error.position);
                let message = error.to_string();
                self.report(Code::InvalidJsonataExpression, message, location, span);
                return None;
            }
        };
        let unsupported = expression.unsupported_references(members);
        let sound = unsupported.is_empty();
        for message in unsupported {
            self.report(Code::UnsupportedJsonataExpression, message, location, node.span);
        }
        place.expression(&expression);
        sound.then_some(expression)
    }

    /// Returns the place of the character before `position` (in UTF-16 units) of the expression
    /// `text` in a string node; the whole node where that cannot be told.
    fn span_within(&self, node: &Node, text: &str, position: Option<usize>) -> Span {
        let place = node.as_str().zip(position).and_then(|(value, position)| {
            let before = value.get(..value.find(text)?)?.chars().count();
            let mut units = 0;
            let passed = text.chars().take_while(|next| {
                units += next.len_utf16();
                units < position
            });
            positions(self.text, node.span, value).get(before + passed.count()).copied()
        });
        let Some(start) = place else { return node.span };
        let written = self.text.get(start.offset..).and_then(|rest| rest.chars().next());
        Span { start, end: start.after(written.unwrap_or(' ')) }
    }

    fn path_template(
        &mut self,
        node: &Node,
        location: &str,
        place: &mut Place,
    ) -> Option<Template> {
        match &node.kind {
            NodeKind::Scalar(scalar) => Some(Template::Constant(scalar.clone())),
            NodeKind::String(text) => Some(Template::Constant(Value::String(text.clone()))),
            NodeKind::Array(items) => {
                let read = items.iter().enumerate().map(|(index, item)| {
                    self.path_template(item, &format!("{location}[{index}]"), place)
                });
                let read: Vec<Option<Template>> = read.collect();
                read.into_iter().collect::<Option<Vec<_>>>().map(Template::array)
            }
            NodeKind::Object(entries) => {
                self.renamed_twice(entries, location);
                let read = entries.iter().map(|entry| {
                    let Some(key) = entry.key.strip_suffix(".$") else {
                        let location = format!("{location}/{}", entry.key);
                        self.static_member(entry, &location);
                        let inner = self.path_template(&entry.node, &location, place);
                        return Some((entry.key.clone(), inner?));
                    };
                    let hole = self.hole(&entry.node, &entry.key, location, place);
                    Some((Arc::from(key), hole?))
                });
                let read: Vec<Option<(Arc<str>, Template)>> = read.collect();
                read.into_iter().collect::<Option<Vec<_>>>().map(Template::object)
            }
        }
    }

    /// Reports members that have the same name once `.$` is taken off.
    fn renamed_twice(&mut self, entries: &[Member], location: &str) {
        for entry in entries {
            let Some(name) = entry.key.strip_suffix(".$") else { continue };
            if entries.iter().any(|other| &*other.key == name) {
                // UNVERIFIED: AWS's wording; that both are refused stands in the specification.
                let message = format!("Duplicate field '{name}', with and without '.$'");
                self.schema(message, location, entry.key_span);
            }
        }
    }

    /// Reads the value of a member whose key ends in `.$`.
    fn hole(
        &mut self,
        node: &Node,
        key: &str,
        location: &str,
        place: &mut Place,
    ) -> Option<Template> {
        let text = node.as_str().map_or("", |text| &**text);
        let template = match Path::parse(text) {
            Some(path) => {
                place.path(&path);
                Some(Template::Path(path))
            }
            None => Intrinsic::parse(text).map(|intrinsic| {
                place.intrinsic(&intrinsic);
                Template::Intrinsic(Arc::new(intrinsic))
            }),
        };
        if template.is_none() {
            let message = format!(
                "The value for the field '{key}' must be a valid JSONPath or a valid intrinsic \
                 function call"
            );
            self.schema(message, location, node.span);
        }
        template
    }

    /// Reads `Assign`.
    pub(super) fn assign(
        &mut self,
        fields: &Fields<'_>,
        members: StatesMembers,
        place: &mut Place,
    ) -> Option<Template> {
        let location = fields.at("Assign");
        let assigned = Fields::of(self, fields.get("Assign")?, &location)?;
        for member in assigned.members() {
            let name = match place.language {
                QueryLanguage::Jsonata => &*member.key,
                QueryLanguage::JsonPath => member.key.strip_suffix(".$").unwrap_or(&member.key),
            };
            self.variable_name(name, &location, member.key_span);
        }
        self.template_field(fields, "Assign", members, place)
    }

    fn variable_name(&mut self, name: &str, location: &str, span: crate::span::Span) {
        let mut chars = name.chars();
        let starts = chars.next().is_some_and(|first| first.is_alphabetic() || first == '_');
        let goes_on = chars.all(|next| next.is_alphanumeric() || next == '_');
        if name == "states" {
            // UNVERIFIED: AWS's wording for the reserved variable.
            self.schema("Variable name 'states' is reserved", location, span);
        } else if !starts || !goes_on || name.chars().count() > VARIABLE_NAME_CHARS_MAX {
            // UNVERIFIED: AWS's wording for a bad variable name.
            self.schema(format!("Invalid variable name: {name}"), location, span);
        }
    }

    /// Reads a field that must be a JSONPath.
    pub(super) fn path(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        place: &mut Place,
    ) -> Option<Path> {
        let text = self.string(fields, name)?;
        let path = Path::parse(text);
        if let Some(path) = &path {
            place.path(path);
        } else {
            // UNVERIFIED: AWS's wording for a bad path.
            let span = fields.get(name).map_or(fields.span, |node| node.span);
            self.schema("Value is not a valid JSONPath", fields.at(name), span);
        }
        path
    }

    /// Reads InputPath or OutputPath.
    pub(super) fn selection(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        place: &mut Place,
    ) -> Selection {
        match fields.get(name).map(|node| &node.kind) {
            None => Selection::Whole,
            Some(NodeKind::Scalar(Value::Null)) => Selection::Nothing,
            Some(NodeKind::String(text)) if &**text == "$" => Selection::Whole,
            Some(_) => self.path(fields, name, place).map_or(Selection::Whole, Selection::Path),
        }
    }

    /// Reads ResultPath.
    pub(super) fn result_path(&mut self, fields: &Fields<'_>) -> ResultPath {
        match fields.get("ResultPath").map(|node| &node.kind) {
            None => ResultPath::Replace,
            Some(NodeKind::Scalar(Value::Null)) => ResultPath::Discard,
            Some(NodeKind::String(text)) if &**text == "$" => ResultPath::Replace,
            Some(NodeKind::String(text)) if Placement::parse(text).is_some() => {
                Placement::parse(text).map_or(ResultPath::Replace, ResultPath::Place)
            }
            Some(_) => {
                // UNVERIFIED: AWS's wording for a ResultPath that is no reference path.
                let message = "Value is not a Reference Path";
                self.schema(message, fields.at("ResultPath"), fields.span);
                ResultPath::Replace
            }
        }
    }

    /// Reads a scalar that is computed: a JSONata expression, or the path in the field `…Path`.
    pub(super) fn computed<T>(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        place: &mut Place,
    ) -> Option<Scalar<T>> {
        match place.language {
            QueryLanguage::Jsonata => {
                let node = fields.get(name)?;
                let text = node.as_str()?;
                expression_text(text)?;
                let location = fields.at(name);
                self.expression(node, &location, StatesMembers::Input, place).map(Scalar::Jsonata)
            }
            QueryLanguage::JsonPath => {
                let name = format!("{name}Path");
                let text = fields.get(&name)?.as_str();
                if let Some(intrinsic) = text.and_then(|text| Intrinsic::parse(text)) {
                    place.intrinsic(&intrinsic);
                    return Some(Scalar::Intrinsic(Arc::new(intrinsic)));
                }
                self.path(fields, &name, place).map(Scalar::Path)
            }
        }
    }

    /// Returns whether a field is computed rather than written down.
    pub(super) fn is_computed(fields: &Fields<'_>, name: &str, place: &Place) -> bool {
        match place.language {
            QueryLanguage::Jsonata => fields
                .get(name)
                .and_then(Node::as_str)
                .is_some_and(|text| expression_text(text).is_some()),
            QueryLanguage::JsonPath => fields.has(&format!("{name}Path")),
        }
    }

    /// Reads a whole number that may be computed.
    pub(super) fn integer_scalar(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        (min, max): (i64, i64),
        place: &mut Place,
    ) -> Option<Scalar<i64>> {
        if Self::is_computed(fields, name, place) {
            return self.computed(fields, name, place);
        }
        self.path_in(fields, name, place);
        self.integer(fields, name, min, max).map(Scalar::Constant)
    }

    /// Reads a text that may be computed.
    pub(super) fn text_scalar(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        place: &mut Place,
    ) -> Option<Scalar<String>> {
        if Self::is_computed(fields, name, place) {
            return self.computed(fields, name, place);
        }
        self.path_in(fields, name, place);
        self.string(fields, name).map(|text| Scalar::Constant(text.to_string()))
    }
}
