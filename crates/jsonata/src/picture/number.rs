use crate::datum::Datum;
use crate::fault::{Fault, Run};
pub(crate) fn format(_number: f64, _picture: &str, _options: &Datum) -> Run<String> {
    Err(Fault::uncoded("not yet"))
}
