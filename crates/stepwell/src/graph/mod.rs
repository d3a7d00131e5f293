//! State machines as pictures.
//!
//! `model` reads a definition as states and edges, `layout` finds a place for everything, `svg`
//! draws it. The same definition gives the same picture, byte for byte.

mod label;
mod layout;
mod model;
mod svg;
mod text;

use value::Value;

/// Draws a definition.
pub(crate) fn draw(definition: &Value) -> String {
    svg::draw(&layout::layout(&model::machine(definition)))
}

#[cfg(test)]
mod tests;
