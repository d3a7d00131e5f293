//! The results: rows, a table for people, JSON for programs.

use comfy_table::{CellAlignment, Table, presets};
use value::{Value, value};

use crate::machine::Machine;
use crate::statistics::Spread;

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

#[derive(Clone, Debug)]
enum Figure {
    Number(f64),
    Text(String),
}

/// One result.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    scenario: &'static str,
    quantity: String,
    figure: Figure,
    unit: &'static str,
    spread: Option<Spread>,
    goal: Option<Goal>,
    /// The figure divided by a floor, and the floor's name.
    ratio: Option<(f64, &'static str)>,
}

impl Row {
    /// Returns a measured figure.
    pub(crate) fn number(quantity: impl Into<String>, figure: f64, unit: &'static str) -> Row {
        Row {
            scenario: "",
            quantity: quantity.into(),
            figure: Figure::Number(figure),
            unit,
            spread: None,
            goal: None,
            ratio: None,
        }
    }

    /// Returns the median of several rounds, with how far they were apart.
    pub(crate) fn spread(quantity: impl Into<String>, spread: Spread, unit: &'static str) -> Row {
        Row { spread: Some(spread), ..Row::number(quantity, spread.median, unit) }
    }

    /// Returns a row without a figure: `not served`, `not measured`.
    pub(crate) fn text(quantity: impl Into<String>, text: impl Into<String>) -> Row {
        Row { figure: Figure::Text(text.into()), ..Row::number(quantity, 0.0, "") }
    }

    /// Sets the scenario that it belongs to.
    pub(crate) fn of(self, scenario: &'static str) -> Row {
        Row { scenario, ..self }
    }

    /// Sets a goal: this or less.
    pub(crate) fn at_most(self, bound: f64) -> Row {
        Row { goal: Some(Goal::AtMost(bound)), ..self }
    }

    /// Sets a goal: this or more.
    pub(crate) fn at_least(self, bound: f64) -> Row {
        Row { goal: Some(Goal::AtLeast(bound)), ..self }
    }

    /// Sets what it is when divided by a floor.
    pub(crate) fn per(self, floor: f64, name: &'static str) -> Row {
        let Figure::Number(figure) = self.figure else { return self };
        let ratio = (0.0 < floor).then(|| (figure / floor, name));
        Row { ratio, ..self }
    }

    /// Returns whether the goal is met; `None` without a goal or a figure.
    fn is_met(&self) -> Option<bool> {
        let Figure::Number(figure) = self.figure else { return None };
        Some(match self.goal? {
            Goal::AtMost(bound) => figure <= bound,
            Goal::AtLeast(bound) => bound <= figure,
        })
    }

    fn cells(&self) -> Vec<String> {
        let figure = match &self.figure {
            Figure::Number(figure) => shown(*figure),
            Figure::Text(text) => text.clone(),
        };
        let goal = match self.goal {
            Some(Goal::AtMost(bound)) => format!("≤ {}", shown(bound)),
            Some(Goal::AtLeast(bound)) => format!("≥ {}", shown(bound)),
            None => String::new(),
        };
        let met = self.is_met().map_or("", |met| if met { "yes" } else { "NO" });
        let spread =
            self.spread.map(|spread| format!("{}–{}", shown(spread.min), shown(spread.max)));
        let ratio = self.ratio.map(|(ratio, name)| format!("{} x {name}", shown(ratio)));
        vec![
            self.scenario.to_owned(),
            self.quantity.clone(),
            figure,
            self.unit.to_owned(),
            spread.unwrap_or_default(),
            goal,
            met.to_owned(),
            ratio.unwrap_or_default(),
        ]
    }

    fn to_value(&self) -> Value {
        let figure = match &self.figure {
            Figure::Number(figure) => Value::from(*figure),
            Figure::Text(text) => Value::from(text.as_str()),
        };
        let (most, least) = match self.goal {
            Some(Goal::AtMost(bound)) => (Some(bound), None),
            Some(Goal::AtLeast(bound)) => (None, Some(bound)),
            None => (None, None),
        };
        value!({"scenario": self.scenario, "quantity": &*self.quantity, "unit": self.unit})
            .with("figure", figure)
            .with_some("min", self.spread.map(|spread| spread.min))
            .with_some("max", self.spread.map(|spread| spread.max))
            .with_some("goalAtMost", most)
            .with_some("goalAtLeast", least)
            .with_some("met", self.is_met())
            .with_some("ratio", self.ratio.map(|(ratio, _)| ratio))
            .with_some("ratioTo", self.ratio.map(|(_, name)| name))
    }
}

/// Returns a number with about three digits that count, and groups of three.
fn shown(figure: f64) -> String {
    let digits = match figure.abs() {
        size if size < 1e-9 => 0,
        size if size < 1.0 => 3,
        size if size < 10.0 => 2,
        size if size < 100.0 => 1,
        _ => 0,
    };
    let text = format!("{figure:.digits$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (at, c) in whole.chars().enumerate() {
        let left = whole.len() - at;
        if 0 < at && left % 3 == 0 && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(c);
    }
    if fraction.is_empty() { grouped } else { format!("{grouped}.{fraction}") }
}

/// Everything that was measured.
pub(crate) struct Report {
    /// On what.
    pub(crate) machine: Machine,
    /// What.
    pub(crate) rows: Vec<Row>,
}

impl Report {
    /// Returns it for people.
    pub(crate) fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        table.set_header([
            "scenario", "quantity", "figure", "unit", "spread", "goal", "met", "ratio",
        ]);
        if let Some(column) = table.column_mut(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        for row in &self.rows {
            table.add_row(row.cells());
        }
        format!("{}\n{table}", self.machine.lines())
    }

    /// Returns it for programs.
    pub(crate) fn to_value(&self) -> Value {
        let rows: Vec<Value> = self.rows.iter().map(Row::to_value).collect();
        value!({"machine": self.machine.to_value()}).with("rows", rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_show_the_digits_that_count() {
        let found = [0.0, 0.1234, 1.236, 12.34, 999.6, 1_234_567.0, -1_000.0].map(shown);
        assert_eq!(found, ["0", "0.123", "1.24", "12.3", "1,000", "1,234,567", "-1,000"]);
    }

    #[test]
    fn a_goal_is_met_or_not_or_unknown() {
        let row = Row::number("a", 2.0, "us");
        assert_eq!(row.clone().is_met(), None);
        assert_eq!(row.clone().at_most(2.0).is_met(), Some(true));
        assert_eq!(row.at_least(2.5).is_met(), Some(false));
        assert_eq!(Row::text("a", "not served").at_most(1.0).is_met(), None);
    }
}
