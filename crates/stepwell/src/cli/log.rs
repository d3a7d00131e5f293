//! How the log is written: as text for people, or as one JSON object per line for machines.

use std::fmt::{self, Write as _};
use std::io::IsTerminal;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// The form of the log.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Format {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Sends the log to standard error from now on; `STEPWELL_LOG` says how much of it.
pub(super) fn start(format: Format) {
    let filter = EnvFilter::try_from_env("STEPWELL_LOG").unwrap_or_else(|_| "warn".into());
    let builder = tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter);
    match format {
        Format::Text => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        Format::Json => {
            builder.with_ansi(false).fmt_fields(Members).event_format(Json).init();
            // A panic is one line too.
            std::panic::set_hook(Box::new(|panic| {
                let place = panic.location().map(ToString::to_string).unwrap_or_default();
                tracing::error!(place, "panic: {}", panic.payload_as_str().unwrap_or_default());
            }));
        }
    }
}

/// Writes fields as members of an object, one per line: `"name":"text"`. No line break is left in
/// a JSON text, so they can be told apart again.
struct Members;

impl<'w> FormatFields<'w> for Members {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut members = Written::default();
        fields.record(&mut members);
        writer.write_str(&members.0)
    }
}

#[derive(Default)]
struct Written(String);

impl Written {
    fn member(&mut self, field: &Field, written: fmt::Arguments<'_>) {
        let name = value::quote(field.name());
        // Writing into a String cannot fail.
        let _ = writeln!(self.0, "{name}:{written}");
    }
}

impl Visit for Written {
    fn record_debug(&mut self, field: &Field, shown: &dyn fmt::Debug) {
        self.member(field, format_args!("{}", value::quote(&format!("{shown:?}"))));
    }

    fn record_str(&mut self, field: &Field, text: &str) {
        self.member(field, format_args!("{}", value::quote(text)));
    }

    fn record_i64(&mut self, field: &Field, number: i64) {
        self.member(field, format_args!("{number}"));
    }

    fn record_u64(&mut self, field: &Field, number: u64) {
        self.member(field, format_args!("{number}"));
    }

    fn record_bool(&mut self, field: &Field, flag: bool) {
        self.member(field, format_args!("{flag}"));
    }
}

/// Writes an event, with the fields of the spans that it is in.
struct Json;

impl<S> FormatEvent<S, Members> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, Members>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut of_event = Written::default();
        event.record(&mut of_event);
        let mut members: Vec<String> = of_event.0.lines().map(str::to_owned).collect();
        // From the inside out: the inner one of two that are named alike is kept.
        for span in context.event_scope().into_iter().flatten() {
            let extensions = span.extensions();
            let Some(fields) = extensions.get::<FormattedFields<Members>>() else { continue };
            for member in fields.fields.lines() {
                if members.iter().all(|known| name_of(known) != name_of(member)) {
                    members.push(member.to_owned());
                }
            }
        }
        writer.write_str("{\"timestamp\":\"")?;
        SystemTime.format_time(&mut writer)?;
        let (level, target) = (event.metadata().level(), event.metadata().target());
        write!(writer, "\",\"level\":\"{level}\",\"target\":{}", value::quote(target))?;
        for member in members {
            write!(writer, ",{member}")?;
        }
        writer.write_str("}\n")
    }
}

/// Returns the quoted name of a member.
fn name_of(member: &str) -> &str {
    member.split_once(':').map_or(member, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use value::Value;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_an_object_with_the_members_of_its_spans() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .fmt_fields(Members)
            .event_format(Json)
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let outer = tracing::error_span!("request", request_id = "r-1", shard = 1);
            let _outer = outer.enter();
            let inner = tracing::error_span!("effect", execution = tracing::field::Empty);
            inner.record("execution", "arn:aws:states:…:e");
            let _inner = inner.enter();
            tracing::warn!(shard = 2, error = %"a \"quoted\"\nline \u{1b}[31m", "it {}", "failed");
            tracing::info!(yes = true);
        });
        let bytes = lines.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        let parsed: Vec<Value> = text.lines().map(|line| value::parse(line).unwrap()).collect();
        assert_eq!(parsed.len(), 2, "{text}");
        let first = &parsed[0];
        for (name, wanted) in [
            ("level", "WARN"),
            ("message", "it failed"),
            ("error", "a \"quoted\"\nline \u{1b}[31m"),
            ("request_id", "r-1"),
            ("execution", "arn:aws:states:…:e"),
        ] {
            assert_eq!(first.get(name).and_then(Value::as_str), Some(wanted), "{text}");
        }
        assert_eq!(first.get("shard").and_then(Value::as_i64), Some(2));
        assert_eq!(text.matches("shard").count(), 2, "{text}");
        assert_eq!(parsed[1].get("yes").and_then(Value::as_bool), Some(true));
    }
}
