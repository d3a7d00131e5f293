//! State machines as pictures.
//!
//! `model` reads a definition as states and edges, `layout` finds a place for everything, `svg`
//! draws it; `progress` says how far an execution has come. The same definition gives the same
//! picture, byte for byte.

mod label;
mod layout;
mod model;
mod progress;
mod svg;
mod text;

use value::Value;

pub(crate) use progress::Progress;

/// Draws a definition.
pub(crate) fn draw(definition: &Value) -> String {
    svg::draw(&layout::layout(&model::machine(definition)))
}

/// Draws a definition and how far an execution of it has come.
pub(crate) fn draw_execution(definition: &Value, progress: &Progress) -> String {
    let mut machine = model::machine(definition);
    model::mark(&mut machine, progress, false);
    svg::draw(&layout::layout(&machine))
}

#[cfg(test)]
mod tests;
