use crate::fault::{Fault, Run};
pub(crate) fn format(_millis: f64, _picture: Option<&str>, _zone: Option<&str>) -> Run<String> {
    Err(Fault::uncoded("not yet"))
}
pub(crate) fn parse(_text: &str, _picture: &str, _now: i64) -> Run<Option<f64>> {
    Err(Fault::uncoded("not yet"))
}
pub(crate) fn parse_iso(_text: &str) -> Run<f64> {
    Err(Fault::uncoded("not yet"))
}
