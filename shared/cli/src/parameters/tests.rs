use super::*;

const SCHEMAS: &str = r#"{
    "text": {"type": "string"}, "untyped": {}, "count": {"type": "integer"}, "ratio": {"type": "number"},
    "flag": {"type": "boolean"}, "nothing": {"type": "null"}, "list": {"type": "array"},
    "counts": {"type": "array", "items": {"type": "integer"}},
    "points": {"type": "array", "items": {"type": "object", "properties": {"x": {"type": "integer"}}}},
    "map": {"type": "object"},
    "sized": {"type": "object", "properties": {"n": {"type": "integer"}}},
    "cmd": {"type": "string", "required": true}
}"#;

fn read_with(words: &[&str], auto_dict: bool) -> Result<Map<String, Value>, Failure> {
    let schemas: Schemas = serde_json::from_str(SCHEMAS).unwrap();
    let words: Vec<_> = words.iter().map(ToString::to_string).collect();
    ParameterReader { of: "demo.all", schemas: &schemas, open: false, auto_dict }.read(&words)
}

fn read(words: &[&str]) -> Result<Value, String> {
    read_with(words, false).map(Value::Object).map_err(|failure| {
        assert_eq!(failure.exit_code(), 2);
        let hints: String = failure.hints().iter().map(|hint| format!(" ({hint})")).collect();
        format!("{failure}{hints}")
    })
}

#[test]
fn texts_are_cast_as_the_schema_wants() {
    for (words, wanted) in [
        (&["text=1"][..], json!({"text": "1"})),
        (&["text=a=b"], json!({"text": "a=b"})),
        (&["text="], json!({"text": ""})),
        (&["untyped=true"], json!({"untyped": "true"})),
        (&["count=-5"], json!({"count": -5})),
        (&["count=18446744073709551615"], json!({"count": u64::MAX})),
        (&["ratio=1.5"], json!({"ratio": 1.5})),
        (&["ratio=5"], json!({"ratio": 5.0})),
        (&["flag=True"], json!({"flag": true})),
        (&["flag=off"], json!({"flag": false})),
        (&["nothing=x"], json!({"nothing": null})),
        (&["list=[1, \"b\", null]"], json!({"list": [1, "b", null]})),
        (&["list=a,b,c"], json!({"list": ["a", "b", "c"]})),
        (&["list=51"], json!({"list": [51]})),
        (&["list=1,2"], json!({"list": ["1", "2"]})),
        (&["list="], json!({"list": []})),
        (&["list=a", "list=b,c", "list=[4]"], json!({"list": ["a", "b", "c", 4]})),
        (&["counts=1,2"], json!({"counts": [1, 2]})),
        (&["map={\"a\": {\"b\": 1}}"], json!({"map": {"a": {"b": 1}}})),
        (&["map=a=1,b=x=y"], json!({"map": {"a": "1", "b": "x=y"}})),
        (&["sized=n=3,m=4"], json!({"sized": {"n": 3, "m": "4"}})),
        (&["text=a", "text=b"], json!({"text": "b"})),
        (&["count=2", "ls", "-l", "x=1"], json!({"count": 2, "cmd": "ls -l x=1"})),
        (&[], json!({})),
    ] {
        assert_eq!(read(words), Ok(wanted), "{words:?}");
    }
}

#[test]
fn what_does_not_fit_is_said_with_what_would() {
    for (words, wanted) in [
        (&["count=1.5"][..], "parameter \"count\" of demo.all must be an integer, and \"1.5\" is not"),
        (&["ratio=nan"], "parameter \"ratio\" of demo.all must be a number, and \"nan\" is not"),
        (&["flag=maybe"], "parameter \"flag\" of demo.all must be true or false, and \"maybe\" is not"),
        (&["counts=1,b"], "parameter \"counts\" of demo.all has an item that must be an integer, and \"b\" is not"),
        (&["map=a"], "parameter \"map\" of demo.all must be an object: JSON, or k1=v1,k2=v2; \"a\" is neither"),
        (&["sized=n=x"], "parameter \"sized\" of demo.all has \"n\", which must be an integer, and \"x\" is not"),
        (&["list=[1"], "parameter \"list\" of demo.all is no valid JSON: EOF while parsing a list at line 1 column 2"),
        (&["txet=1"], "demo.all has no parameter \"txet\" (did you mean \"text\"?)"),
        (&["@text=/nowhere"], "/nowhere for parameter \"text\" can't be read: No such file or directory (os error 2)"),
    ] {
        assert_eq!(read(words), Err(wanted.to_owned()), "{words:?}");
    }
}

#[test]
fn an_array_of_objects_is_written_short_where_asked_for() {
    let points = |words: &[&str], auto_dict| Value::Object(read_with(words, auto_dict).unwrap());
    assert_eq!(points(&["points=x:1,y:2", "points=x:3"], true), json!({"points": [{"x": 1, "y": "2"}, {"x": 3}]}));
    assert_eq!(points(&["list=x:1,y:2"], false), json!({"list": ["x:1", "y:2"]}));
}

#[test]
fn files_are_sent_as_what_they_hold() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("body.txt");
    std::fs::write(&path, "a\nb\n").unwrap();
    let words = |name: &str| [format!("@{name}={}", path.display())];

    let schemas = serde_json::from_str(r#"{"text": {"type": "string"}}"#).unwrap();
    let reader = ParameterReader { of: "demo.all", schemas: &schemas, open: false, auto_dict: false };
    assert_eq!(Value::Object(reader.read(&words("text")).unwrap()), json!({"text": "a\nb\n"}));

    let reader = ParameterReader { of: "core.http", ..reader };
    let wanted = json!({"file_content": "a\nb\n", "file_name": "body.txt", "method": "POST"});
    assert_eq!(Value::Object(reader.read(&words("body")).unwrap()), wanted);
}

#[test]
fn a_command_is_taken_only_where_there_is_one_to_take() {
    let schemas = serde_json::from_str(r#"{"message": {"type": "string"}}"#).unwrap();
    let reader = ParameterReader { of: "core.echo", schemas: &schemas, open: false, auto_dict: false };
    let failure = reader.read(&["hello".to_owned()]).unwrap_err();
    assert_eq!(failure.to_string(), "\"hello\" is not of the form name=value");
    assert_eq!(failure.hints(), ["core.echo takes no command; it has message"]);
}

#[test]
fn the_shell_s_own_variables_and_keys_stay_at_home() {
    let environment = Environment::from_iter([
        ("HOME", "/root"),
        ("ST2_API_KEY", "key"),
        ("SQUALL_API_KEY", "key"),
        ("DEPLOY", "blue"),
    ]);
    assert_eq!(inherited(&environment), json!({"DEPLOY": "blue"}));
}
