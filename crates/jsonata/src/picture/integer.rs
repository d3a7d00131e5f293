use crate::fault::{Fault, Run};
pub(crate) fn format(_number: f64, _picture: &str) -> Run<String> {
    Err(Fault::uncoded("not yet"))
}
pub(crate) fn parse(_text: &str, _picture: &str) -> Run<Option<f64>> {
    Err(Fault::uncoded("not yet"))
}
