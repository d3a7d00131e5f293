use super::*;

const ACCOUNT: &str = "123456789012";

fn answer(root: &Path, operation: &str, input: &Value) -> Result<Value, CallError> {
    super::answer(root, ACCOUNT, operation, input)
}

/// A directory with the bucket `b` and these objects.
fn bucket(keys: &[&str]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("b")).unwrap();
    for key in keys {
        put(root.path(), key, key).unwrap();
    }
    root
}

fn put(root: &Path, key: &str, text: &str) -> Result<Value, CallError> {
    let body = STANDARD.encode(text);
    answer(root, "PutObject", &value!({ "Bucket": "b", "Key": key, "Body": body }))
}

fn get(root: &Path, bucket: &str, key: &str) -> Result<String, CallError> {
    let found = answer(root, "GetObject", &value!({ "Bucket": bucket, "Key": key }))?;
    let body = STANDARD.decode(found.get("Body").unwrap().as_str().unwrap()).unwrap();
    assert_eq!(found.get("ContentLength").unwrap().as_i64(), i64::try_from(body.len()).ok());
    Ok(String::from_utf8(body).unwrap())
}

fn list(root: &Path, input: Value) -> (Vec<String>, Vec<String>, Option<String>) {
    let page = answer(root, "ListObjectsV2", &input.with("Bucket", "b")).unwrap();
    let names = |list: &str, member: &str| {
        let found = page.get(list).and_then(Value::as_array).unwrap_or_default();
        found.iter().map(|one| one.get(member).unwrap().as_str().unwrap().to_owned()).collect()
    };
    let token = page.get("NextContinuationToken").and_then(Value::as_str).map(str::to_owned);
    (names("Contents", "Key"), names("CommonPrefixes", "Prefix"), token)
}

#[test]
fn what_was_put_is_got_whatever_its_name() {
    let root = bucket(&["a", "日本/ö b.json"]);
    assert_eq!(get(root.path(), "b", "日本/ö b.json").unwrap(), "日本/ö b.json");
    put(root.path(), "a", "another").unwrap();
    assert_eq!(get(root.path(), "b", "a").unwrap(), "another");
    answer(root.path(), "DeleteObject", &value!({"Bucket": "b", "Key": "a"})).unwrap();
    answer(root.path(), "DeleteObject", &value!({"Bucket": "b", "Key": "a"})).unwrap();
    assert_eq!(get(root.path(), "b", "a").unwrap_err().code, "NoSuchKey");
    assert_eq!(get(root.path(), "b", "日本").unwrap_err().code, "NoSuchKey");
    assert_eq!(get(root.path(), "c", "a").unwrap_err().code, "NoSuchBucket");
}

#[test]
fn no_key_leads_out_of_its_bucket() {
    let root = bucket(&[]);
    fs::write(root.path().join("secret"), "x").unwrap();
    fs::create_dir(root.path().join("c")).unwrap();
    fs::write(root.path().join("c/secret"), "x").unwrap();
    for key in ["../secret", "../c/secret", "/etc/passwd", "", "a/../../secret", "a//b", "x/."] {
        assert_eq!(get(root.path(), "b", key).unwrap_err().code, "NoSuchKey", "{key}");
        assert_eq!(put(root.path(), key, "y").unwrap_err().code, "InvalidRequest", "{key}");
    }
    for bucket in ["..", ".", "", "b/../c", UNFINISHED] {
        assert_eq!(get(root.path(), bucket, "secret").unwrap_err().code, "NoSuchBucket");
    }
    assert_eq!(list(root.path(), value!({"Prefix": "../"})).0, [""; 0]);
}

#[test]
fn a_list_comes_in_order_and_in_pages() {
    let root = bucket(&["a/2", "a/1", "a-b", "b", "日本"]);
    let all = ["a-b", "a/1", "a/2", "b", "日本"];
    let mut found = Vec::new();
    let mut input = value!({"MaxKeys": 2});
    loop {
        let (keys, _, token) = list(root.path(), input.clone());
        assert!(keys.len() <= 2);
        found.extend(keys);
        match token {
            Some(token) => input.set("ContinuationToken", token),
            None => break,
        };
    }
    assert_eq!(found, all);
    assert_eq!(list(root.path(), value!({"Prefix": "a/"})).0, ["a/1", "a/2"]);
    assert_eq!(list(root.path(), value!({"Prefix": "a"})).0, ["a-b", "a/1", "a/2"]);
    assert_eq!(list(root.path(), value!({"StartAfter": "a/1"})).0, ["a/2", "b", "日本"]);
    let (keys, prefixes, _) = list(root.path(), value!({"Delimiter": "/"}));
    assert_eq!(
        (keys, prefixes),
        (vec!["a-b".into(), "b".into(), "日本".into()], vec!["a/".into()])
    );
}

#[test]
fn an_operation_that_is_not_served_is_named() {
    let root = bucket(&[]);
    let refused = answer(root.path(), "CopyObject", &value!({"Bucket": "b"})).unwrap_err();
    assert!(refused.message.contains("s3:CopyObject"), "{}", refused.message);
}

#[test]
fn a_member_that_is_not_served_is_named_and_nothing_is_done() {
    let root = bucket(&["a"]);
    for (operation, member) in [
        ("GetObject", "IfMatch"),
        ("GetObject", "IfNoneMatch"),
        ("GetObject", "Range"),
        ("GetObject", "SSECustomerKey"),
        ("HeadObject", "VersionId"),
        ("PutObject", "IfNoneMatch"),
        ("PutObject", "ContentType"),
        ("DeleteObject", "VersionId"),
        ("DeleteObject", "IfMatch"),
        ("ListObjectsV2", "EncodingType"),
    ] {
        let input = value!({ "Bucket": "b" }).with(member, "*");
        let input = if operation == "ListObjectsV2" { input } else { input.with("Key", "a") };
        let refused = answer(root.path(), operation, &input).unwrap_err();
        assert_eq!((refused.status, &*refused.code), (501, "NotImplemented"), "{member}");
        let named = format!("{member} of s3:{operation}");
        assert!(refused.message.contains(&named), "{}", refused.message);
    }
    assert_eq!(get(root.path(), "b", "a").unwrap(), "a");
    let absent = value!({ "Bucket": "b", "Key": "a" }).with("VersionId", Value::Null);
    assert!(answer(root.path(), "GetObject", &absent).is_ok());
}

#[test]
fn a_body_that_is_no_base64_is_the_text_itself() {
    let root = bucket(&[]);
    for text in ["plain text", "{\"a\": 1}", "日本"] {
        let input = value!({ "Bucket": "b", "Key": "k", "Body": text });
        answer(root.path(), "PutObject", &input).unwrap();
        assert_eq!(get(root.path(), "b", "k").unwrap(), text);
    }
    put(root.path(), "k", "encoded").unwrap();
    assert_eq!(get(root.path(), "b", "k").unwrap(), "encoded");
}

#[test]
fn a_bucket_belongs_to_the_account_of_the_server() {
    let root = bucket(&["a"]);
    for operation in ["GetObject", "HeadObject", "PutObject", "DeleteObject", "ListObjectsV2"] {
        let owned_by = |owner: &str| {
            let input = value!({"Bucket": "b", "ExpectedBucketOwner": owner});
            let input = match operation {
                "ListObjectsV2" => input,
                "PutObject" => input.with("Key", "a").with("Body", "YQ=="),
                _ => input.with("Key", "a"),
            };
            answer(root.path(), operation, &input)
        };
        let refused = owned_by("111111111111").unwrap_err();
        assert_eq!((&*refused.code, refused.status), ("AccessDenied", 403), "{operation}");
        assert_eq!(get(root.path(), "b", "a").unwrap(), "a", "{operation}");
        assert!(owned_by(ACCOUNT).is_ok(), "{operation}");
        put(root.path(), "a", "a").unwrap();
    }
}
