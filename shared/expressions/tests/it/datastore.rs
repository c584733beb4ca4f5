//! `st2kv` in templates.

use std::sync::{Arc, Mutex};

use expressions::{Context, Jinja, KeyValues, Scope};

#[derive(Default)]
struct Keys {
    read: Mutex<Vec<String>>,
}

impl KeyValues for Keys {
    fn get(&self, scope: Scope, name: &str) -> Option<String> {
        self.read.lock().unwrap().push(format!("{}.{name}", scope.name()));
        match (scope, name) {
            (Scope::System, "a.b") => Some("dotted".to_owned()),
            (Scope::System, "n") => Some("42".to_owned()),
            (Scope::System, "j") => Some("{\"k\": [1]}".to_owned()),
            (Scope::System, "secret") => Some("cipher".to_owned()),
            (Scope::User, "a") => Some("mine".to_owned()),
            _ => None,
        }
    }

    fn decrypt(&self, ciphertext: &str) -> Result<String, String> {
        if ciphertext == "cipher" { Ok("plain".to_owned()) } else { Err("the value isn't encrypted".to_owned()) }
    }
}

fn render(template: &str) -> (Result<String, &'static str>, Vec<String>) {
    let keys = Arc::new(Keys::default());
    let context = Context::new().with_datastore(keys.clone()).with_system_keys(keys.clone());
    let rendered = Jinja::default().render(template, &context).map_err(|error| error.code());
    (rendered, keys.read.lock().unwrap().clone())
}

#[test]
fn keys_render_as_their_values() {
    let cases = [
        ("{{ st2kv.system.a.b }}", "dotted"),
        ("{{ st2kv.system['a']['b'] }}", "dotted"),
        ("{{ st2kv['user'].a }}", "mine"),
        ("{{ system.n }}", "42"),
        ("[{{ st2kv.system.missing }}]", "[]"),
        ("{{ st2kv.system.n | int + 1 }}", "43"),
        ("{{ st2kv.system.j | from_json_string | jsonpath_query('k[*]') }}", "[1]"),
        ("{{ st2kv.system.n | to_complex }}", "\"42\""),
        ("{{ st2kv.system.secret | decrypt_kv }}", "plain"),
        ("{{ 'cipher' | decrypt_kv }}", "plain"),
        ("{{ st2kv.system.n ~ '!' }}", "42!"),
        ("{{ st2kv.system.a.b | upper }}", "DOTTED"),
    ];
    for (template, expected) in cases {
        assert_eq!(render(template).0.as_deref(), Ok(expected), "{template}");
    }
    assert_eq!(render("{{ st2kv.system.n | decrypt_kv }}").0, Err("expression.datastore"));
    assert_eq!(
        Jinja::default().render("{{ 'x' | decrypt_kv }}", &Context::new()).unwrap_err().code(),
        "expression.datastore"
    );
}

#[test]
fn only_keys_that_are_used_are_read() {
    assert_eq!(render("{{ st2kv.system.a.b }}{% if false %}{{ st2kv.user.a }}{% endif %}").1, ["system.a.b"]);
}
