//! Repository chores.

mod models;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["models"] => models::run(None),
        ["models", "--from", from] => models::run(Some(from)),
        _ => anyhow::bail!("usage: cargo xtask models [--from DIR]"),
    }
}
