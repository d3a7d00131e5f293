//! JSONata: parsed, compiled once, evaluated many times.
