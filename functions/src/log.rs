//! Log lines as JSON, under the names that Powertools for AWS Lambda gives its fields.

use lambda_runtime::Context;
use ports::Clock;
use serde_json::{Map, Value, json};
use std::{
    fmt,
    sync::{PoisonError, RwLock},
};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, filter_fn},
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    layer::SubscriberExt,
    registry::LookupSpan,
};

use crate::metrics::Metrics;

/// What the lines of one invocation have in common. A function serves one at a time.
static INVOCATION: RwLock<Invocation> = RwLock::new(Invocation { invoked: 0, request_id: None, trace: None });

struct Invocation {
    invoked: u64,
    request_id: Option<String>,
    trace: Option<String>,
}

/// Begins to log, in the name of this service. Twice is once.
pub(crate) fn begin(service: &'static str) {
    let told = std::env::var("POWERTOOLS_LOG_LEVEL").ok().and_then(|level| level.parse().ok());
    let level = told.unwrap_or(LevelFilter::INFO);
    let lines = tracing_subscriber::fmt::layer()
        .event_format(Lines { service, function: std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default() })
        .with_filter(level);
    let of_engine =
        filter_fn(|metadata| metadata.target().starts_with("engine")).with_max_level_hint(LevelFilter::DEBUG);
    let registry = tracing_subscriber::registry().with(lines).with(Metrics::new(service).with_filter(of_engine));
    // A test may have set one before.
    let _kept = tracing::subscriber::set_global_default(registry);
}

/// An invocation begins.
pub(crate) fn invoked(context: &Context) {
    let mut current = INVOCATION.write().unwrap_or_else(PoisonError::into_inner);
    current.invoked += 1;
    current.request_id = Some(context.request_id.clone());
    current.trace = context.xray_trace_id.as_deref().map(root).map(str::to_owned);
}

/// The id of a trace in X-Ray's header.
fn root(header: &str) -> &str {
    header.split(';').find_map(|part| part.trim().strip_prefix("Root=")).unwrap_or(header)
}

struct Lines {
    service: &'static str,
    function: String,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let metadata = event.metadata();
        let level = if *metadata.level() == Level::WARN { "WARNING" } else { metadata.level().as_str() };
        let mut line = Map::from_iter([
            ("level".to_owned(), json!(level)),
            ("location".to_owned(), json!(metadata.target())),
            ("message".to_owned(), Value::Null),
            ("timestamp".to_owned(), json!(aws::SystemClock.now().to_string())),
            ("service".to_owned(), json!(self.service)),
            ("function_name".to_owned(), json!(self.function)),
        ]);
        {
            let current = INVOCATION.read().unwrap_or_else(PoisonError::into_inner);
            line.insert("cold_start".to_owned(), json!(current.invoked <= 1));
            line.extend(current.request_id.iter().map(|id| ("function_request_id".to_owned(), json!(id))));
            line.extend(current.trace.iter().map(|id| ("xray_trace_id".to_owned(), json!(id))));
        }
        event.record(&mut Fields(&mut line));
        writeln!(writer, "{}", Value::Object(line))
    }
}

/// An event's fields as JSON.
pub(crate) struct Fields<'a>(pub(crate) &'a mut Map<String, Value>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), json!(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), json!(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), json!(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), json!(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), json!(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_has_powertools_fields_and_its_own() {
        let written = Written::default();
        let target = written.clone();
        let lines = tracing_subscriber::fmt::layer()
            .event_format(Lines { service: "rules-engine", function: "squall-rules-engine".to_owned() })
            .with_writer(move || target.clone());
        let mut context = Context::default();
        context.request_id = "r-1".to_owned();
        context.xray_trace_id =
            Some("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1".to_owned());
        invoked(&context);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            tracing::warn!(execution = "abc", tries = 2, "it \"failed\"");
        });
        let line: Value = serde_json::from_slice(&written.0.lock().unwrap()).unwrap();
        for (field, expected) in [
            ("level", json!("WARNING")),
            ("message", json!("it \"failed\"")),
            ("service", json!("rules-engine")),
            ("function_name", json!("squall-rules-engine")),
            ("function_request_id", json!("r-1")),
            ("xray_trace_id", json!("1-5759e988-bd862e3fe1be46a994272793")),
            ("execution", json!("abc")),
            ("tries", json!(2)),
        ] {
            assert_eq!(line.get(field), Some(&expected), "{line}");
        }
        assert!(line.get("timestamp").is_some() && line.get("cold_start").is_some());
    }
}
