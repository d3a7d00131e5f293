//! The rules of a Choice.

use value::Value;

use super::Validator;
use super::fields::Fields;
use super::kinds::boolean;
use super::machine::Targets;
use super::templates::Place;
use crate::choice::{Condition, IsA, Kind, Operand, Operator, Rule, Test};
use crate::definition::QueryLanguage;
use crate::expression::StatesMembers;
use crate::json::{Member, Node};
use crate::timestamp::Timestamp;

/// How deeply And, Or and Not may nest.
const CONDITION_DEPTH_MAX: usize = 64;

impl Validator<'_> {
    /// Reads one entry of `Choices`.
    pub(super) fn rule(
        &mut self,
        node: &Node,
        location: &str,
        targets: &mut Targets,
        place: &mut Place,
    ) -> Option<Rule> {
        let fields = Fields::of(self, node, location)?;
        self.required(&fields, &["Next"]);
        let next = fields
            .get("Next")
            .and_then(|node| self.target(node, "Next", fields.at("Next"), targets));
        let assign = self.assign(&fields, StatesMembers::Input, place);
        let (condition, output) = match place.language {
            QueryLanguage::Jsonata => {
                self.only(&fields, &["Comment", "Condition", "Next", "Assign", "Output"]);
                let output = self.template_field(&fields, "Output", StatesMembers::Input, place);
                (self.jsonata_condition(&fields, place), output)
            }
            QueryLanguage::JsonPath => (self.condition(&fields, true, 0, place), None),
        };
        Some(Rule { condition: condition?, next: next?, assign, output })
    }

    fn jsonata_condition(&mut self, fields: &Fields<'_>, place: &mut Place) -> Option<Condition> {
        self.required(fields, &["Condition"]);
        let node = fields.get("Condition")?;
        if let Some(holds) = boolean(node) {
            return Some(Condition::Constant(holds));
        }
        let location = fields.at("Condition");
        if Self::is_computed(fields, "Condition", place) {
            return self
                .expression(node, &location, StatesMembers::Input, place)
                .map(Condition::Jsonata);
        }
        self.wrong_type("Boolean", location, node.span);
        None
    }

    /// Reads a JSONPath rule, or one nested in it (`outermost` is false there: no Next, no Assign).
    fn condition(
        &mut self,
        fields: &Fields<'_>,
        outermost: bool,
        depth: usize,
        place: &mut Place,
    ) -> Option<Condition> {
        if depth > CONDITION_DEPTH_MAX {
            self.schema("The choice rules are too deeply nested", fields.here(), fields.span);
            return None;
        }
        let around: &[&str] = if outermost {
            &["Comment", "Next", "Assign", "Variable"]
        } else {
            &["Comment", "Variable"]
        };
        let operators: Vec<&Member> =
            fields.members().iter().filter(|member| !around.contains(&&*member.key)).collect();
        let [operator] = operators.as_slice() else {
            // UNVERIFIED: AWS's wording for a rule with no or several operators.
            let message = "A choice rule must have exactly one comparison operator";
            self.schema(message, fields.here(), fields.span);
            return None;
        };
        match &*operator.key {
            "And" => self.conditions(fields, "And", depth, place).map(Condition::And),
            "Or" => self.conditions(fields, "Or", depth, place).map(Condition::Or),
            "Not" => {
                let location = fields.at("Not");
                let inner = Fields::of(self, &operator.node, &location)?;
                let inner = self.condition(&inner, false, depth + 1, place)?;
                Some(Condition::Not(Box::new(inner)))
            }
            _ => self.test(fields, operator, place).map(Condition::Test),
        }
    }

    fn conditions(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        depth: usize,
        place: &mut Place,
    ) -> Option<Vec<Condition>> {
        let entries = self.entries(fields, name);
        let mut conditions = Vec::with_capacity(entries.len());
        for (index, node) in entries.iter().enumerate() {
            let location = format!("{}[{index}]", fields.at(name));
            let read = Fields::of(self, node, &location)
                .and_then(|inner| self.condition(&inner, false, depth + 1, place));
            conditions.push(read);
        }
        conditions.into_iter().collect()
    }

    fn test(&mut self, fields: &Fields<'_>, operator: &Member, place: &mut Place) -> Option<Test> {
        self.required(fields, &["Variable"]);
        let variable = self.path(fields, "Variable", place);
        let operator = self.operator(fields, operator, place);
        Some(Test { variable: variable?, operator: operator? })
    }

    fn operator(
        &mut self,
        fields: &Fields<'_>,
        member: &Member,
        place: &mut Place,
    ) -> Option<Operator> {
        let (name, node) = (&*member.key, &member.node);
        if let Some(property) = Operator::is_a(name) {
            return self.is_a(fields, property, member);
        }
        if name == "StringMatches" {
            let pattern = self.string(fields, name)?;
            return Some(Operator::Matches(pattern.to_string()));
        }
        let Some((kind, comparison, is_path)) = Operator::comparison(name) else {
            // UNVERIFIED: AWS's wording for a field that does not exist.
            self.schema("Field is not supported", fields.at(name), member.key_span);
            return None;
        };
        let operand = if is_path {
            Operand::Path(self.path(fields, name, place)?)
        } else {
            self.path_in(fields, name, place);
            let literal = node.to_value();
            if let Some(wanted) = literal_refusal(kind, &literal) {
                self.schema(wanted, fields.at(name), node.span);
                return None;
            }
            Operand::Literal(literal)
        };
        Some(Operator::Compare(kind, comparison, operand))
    }

    fn is_a(&mut self, fields: &Fields<'_>, property: IsA, member: &Member) -> Option<Operator> {
        let wanted = boolean(&member.node);
        if wanted.is_none() {
            self.wrong_type("Boolean", fields.at(&member.key), member.node.span);
        }
        Some(Operator::Is(property, wanted?))
    }
}

/// Returns why a literal does not fit its operator.
fn literal_refusal(kind: Kind, literal: &Value) -> Option<&'static str> {
    let (fits, refusal) = match kind {
        Kind::Boolean => (literal.as_bool().is_some(), "Expected value of type Boolean"),
        Kind::Numeric => (literal.as_f64().is_some(), "Expected value of type Number"),
        Kind::String => (literal.as_str().is_some(), "Expected value of type String"),
        Kind::Timestamp => (
            literal.as_str().and_then(Timestamp::parse).is_some(),
            "String does not match RFC3339 timestamp",
        ),
    };
    (!fits).then_some(refusal)
}
