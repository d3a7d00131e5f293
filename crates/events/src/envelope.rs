//! The envelope of an event.

use jiff::Timestamp;
use value::{Value, value};

/// An event before it is a JSON document.
///
/// ```
/// use events::Event;
/// use value::value;
///
/// let event = Event {
///     id: "7bf73129-1428-4cd3-a780-95db273d1602".into(),
///     detail_type: "Order Placed".into(),
///     source: "my.shop".into(),
///     account: "123456789012".into(),
///     time_millis: 1_447_277_394_000,
///     region: "us-east-1".into(),
///     resources: vec![],
///     detail: value!({"name": "注文"}),
/// };
/// assert_eq!(event.to_value().get("time"), Some(&value!("2015-11-11T21:29:54Z")));
/// ```
#[derive(Clone, Debug)]
pub struct Event {
    /// A UUID that is new for every event.
    pub id: String,
    /// What kind of event this is, `detail-type`.
    pub detail_type: String,
    /// Who sent it.
    pub source: String,
    /// The account it belongs to.
    pub account: String,
    /// When it happened; shown to the second.
    pub time_millis: i64,
    /// The region it belongs to.
    pub region: String,
    /// The ARNs it is about.
    pub resources: Vec<String>,
    /// Everything else.
    pub detail: Value,
}

impl Event {
    /// Returns the event as its targets see it, with the members in AWS's order.
    pub fn to_value(&self) -> Value {
        value!({
            "version": "0",
            "id": &self.id,
            "detail-type": &self.detail_type,
            "source": &self.source,
            "account": &self.account,
            "time": timestamp_text(self.time_millis),
            "region": &self.region,
            "resources": self.resources.clone(),
            "detail": self.detail.clone()
        })
    }
}

/// Returns the time as `2015-11-11T21:29:54Z`; times beyond the calendar are shown at its end.
pub(crate) fn timestamp_text(millis: i64) -> String {
    let timestamp = Timestamp::from_second(millis.div_euclid(1000)).unwrap_or(Timestamp::MAX);
    timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
