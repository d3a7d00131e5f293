//! CSV: rows become objects.

use asl::CsvHeaders;
use value::Value;

use super::Unreadable;

/// The longest header row, in bytes (AWS's quota).
const HEADER_BYTES_MAX: usize = 10 * 1024;

/// Returns one object per row. Recorded: fields beyond the header are left out, missing ones are
/// empty, nothing is trimmed, and everything is text.
pub(super) fn items(
    text: &str,
    delimiter: char,
    headers: &CsvHeaders,
) -> Result<Vec<Value>, Unreadable> {
    let mut rows = Rows { rest: text, delimiter };
    let headers = match headers {
        CsvHeaders::Given(headers) => headers.clone(),
        CsvHeaders::FirstRow => rows.next().unwrap_or_default(),
    };
    if HEADER_BYTES_MAX < headers.iter().map(String::len).sum() {
        // UNVERIFIED: AWS's wording.
        let what = format!("the CSV header is longer than {HEADER_BYTES_MAX} bytes");
        return Err(Unreadable::new(what));
    }
    let order = member_order(&headers);
    let object = |row: Vec<String>| {
        order.iter().fold(Value::object(), |object, column| {
            let header = headers.get(*column).map(String::as_str).unwrap_or_default();
            object.with(header, row.get(*column).map(String::as_str).unwrap_or_default())
        })
    };
    Ok(rows.map(object).collect())
}

/// Returns the columns in the order in which members stand. Recorded: it is that of a hash table of
/// Java, which Step Functions is written in.
fn member_order(headers: &[String]) -> Vec<usize> {
    /// How many buckets a table has at first, and of how many quarters of it are full at most.
    const BUCKETS: usize = 16;
    const FULL_QUARTERS: usize = 3;
    let mut buckets = BUCKETS;
    while buckets * FULL_QUARTERS / 4 < headers.len() {
        buckets *= 2;
    }
    let bucket = |header: &str| {
        let hash = header
            .encode_utf16()
            .fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
        (hash ^ (hash >> 16)) as usize & (buckets - 1)
    };
    let mut order: Vec<usize> = (0..headers.len()).collect();
    order.sort_by_key(|column| headers.get(*column).map(|header| bucket(header)));
    order
}

/// The rows that are left of a text; lines without anything are no rows.
struct Rows<'t> {
    rest: &'t str,
    delimiter: char,
}

impl Iterator for Rows<'_> {
    type Item = Vec<String>;

    fn next(&mut self) -> Option<Vec<String>> {
        self.rest = self.rest.trim_start_matches(['\r', '\n']);
        if self.rest.is_empty() {
            return None;
        }
        let mut fields = Vec::new();
        let mut field = String::new();
        let mut is_quoted = false;
        let mut letters = self.rest.char_indices().peekable();
        let mut end = self.rest.len();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' if is_quoted => {
                    if letters.next_if(|(_, next)| *next == '"').is_some() {
                        field.push('"');
                    } else {
                        is_quoted = false;
                    }
                }
                '"' if field.is_empty() => is_quoted = true,
                letter if !is_quoted && letter == self.delimiter => {
                    fields.push(std::mem::take(&mut field));
                }
                '\n' if !is_quoted => {
                    end = at + 1;
                    if field.ends_with('\r') {
                        field.pop();
                    }
                    break;
                }
                letter => field.push(letter),
            }
        }
        fields.push(field);
        self.rest = self.rest.get(end..).unwrap_or_default();
        Some(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, delimiter: char, headers: &CsvHeaders) -> String {
        Value::from(items(text, delimiter, headers).ok().unwrap()).to_json()
    }

    #[test]
    fn rows_are_as_recorded() {
        let rows = "Value4,Value5,Value6\n,,,\ntrue,1,'HelloWorld'\nNull,None,\n   \n";
        for (header, expected) in [
            (
                "H1,\n",
                r#"[{"":"Value5","H1":"Value4"},{"":"","H1":""},{"":"1","H1":"true"},{"":"None","H1":"Null"},{"":"","H1":"   "}]"#,
            ),
            (
                "0,True,{}\n",
                r#"[{"0":"Value4","{}":"Value6","True":"Value5"},{"0":"","{}":"","True":""},{"0":"true","{}":"'HelloWorld'","True":"1"},{"0":"Null","{}":"","True":"None"},{"0":"   ","{}":"","True":""}]"#,
            ),
        ] {
            assert_eq!(shown(&format!("{header}{rows}"), ',', &CsvHeaders::FirstRow), expected);
        }
    }

    #[test]
    fn quotes_hold_delimiters_quotes_and_line_ends() {
        let given = CsvHeaders::Given(vec!["a".into(), "b".into()]);
        let text = "\"x|y\"|\"say \"\"hi\"\"\"\r\n\"two\nlines\"|in\"side\r\n\r\n";
        assert_eq!(
            shown(text, '|', &given),
            r#"[{"a":"x|y","b":"say \"hi\""},{"a":"two\nlines","b":"in\"side"}]"#
        );
    }

    #[test]
    fn a_header_alone_has_no_rows() {
        assert_eq!(shown("a,b\n", ',', &CsvHeaders::FirstRow), "[]");
        assert_eq!(shown("", ',', &CsvHeaders::FirstRow), "[]");
        let wide = "x".repeat(HEADER_BYTES_MAX + 1);
        assert!(items(&wide, ',', &CsvHeaders::FirstRow).is_err());
    }
}
