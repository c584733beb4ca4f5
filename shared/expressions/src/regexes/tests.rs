use super::*;

fn search(pattern: &str, text: &str) -> Result<bool, PatternError> {
    Matcher::new(pattern, Flags::default())?.is_match(text)
}

#[test]
fn means_what_python_means() {
    let cases = [
        ("a$", "a\n", true),
        ("a$", "a\n\n", false),
        ("a\\Z", "a\n", false),
        ("a$\\n", "a\n", true),
        ("(?m)a$", "a\nb", true),
        ("[[]", "[", true),
        ("[a&&b]", "&", true),
        ("[]a]", "]", true),
        ("[^]a]", "]", false),
        ("a{b}", "a{b}", true),
        ("a{,2}b", "aab", true),
        ("x{}", "x{}", true),
        ("(a)\\1", "aa", true),
        ("(?P<q>['\"]).*(?P=q)", "'x'", true),
        ("(a)?(?(1)b|c)", "ab", true),
        ("^(a)?(?(1)b|c)$", "b", false),
        ("(?<=foo)bar", "foobar", true),
        ("(?<!foo)bar", "foobar", false),
        ("(?=.*b)a", "ab", true),
        ("a(?i)B", "Ab", true),
        ("a(?i:B)", "ab", true),
        ("a(?i:B)", "Ab", false),
        ("(?:a(?-i:B))(?i)", "AB", true),
        ("(?:a(?-i:B))(?i)", "Ab", false),
        ("(?x) a b # c\n c", "abc", true),
        ("\\w", "²", true),
        ("^\\w$", "\u{301}", false),
        ("\\s", "\u{1c}", true),
        ("\\x41\\u0042\\103", "ABC", true),
        ("a.c", "a\nc", false),
        ("(?s)a.c", "a\nc", true),
        ("(?a)\\w", "é", false),
        ("[\\w-]+", "a-b", true),
        ("[a\\]]", "]", true),
        ("(?#comment)a", "a", true),
        ("/-/", "/-/", true),
    ];
    for (pattern, text, expected) in cases {
        assert_eq!(search(pattern, text), Ok(expected), "{pattern} on {text:?}");
    }
}

#[test]
fn refuses_what_python_refuses() {
    for pattern in [
        "(",
        ")",
        "[",
        "*",
        "a**",
        "a++",
        "^*",
        "\\",
        "\\y",
        "(?<=a+)b",
        "[z-a]",
        "a{3,2}",
        "(?P<a>x)(?P<a>y)",
        "\\1",
        "(?P=a)",
        "(?(2)a)",
        "[\\8]",
        "(?",
        "(?z)",
        "\\x4",
        "(?P<1>a)",
        "(?<a>b)",
        "(\\1)",
        "(?(1)a|b|c)",
        "(?L)a",
        "[\\d-z]",
        "(?i-i:a)",
    ] {
        assert!(Matcher::new(pattern, Flags::default()).is_err(), "{pattern}");
    }
}

#[test]
fn gives_up_instead_of_hanging() {
    assert_eq!(search("^(a+)+\\1$", &"a".repeat(60).replace("aaaaa", "aaaab")), Ok(false));
    assert_eq!(search("^(?=(a+)+$)x", &format!("{}b", "a".repeat(60))), Ok(false));
    assert_eq!(search("^(a|a)*(?!b)c", &"a".repeat(60)), Err(PatternError::TooManySteps));
    assert!(Matcher::new("((a{100}){100}){100}", Flags::default()).is_err());
    assert!(Matcher::new(&"(".repeat(5000), Flags::default()).is_err());
}

#[test]
fn knows_what_every_match_contains() {
    let literals = |pattern: &str| -> Vec<String> {
        let matcher = Matcher::new(pattern, Flags::default()).unwrap();
        matcher.required_literals().iter().map(ToString::to_string).collect()
    };
    assert_eq!(literals("^disk.*full$"), ["disk", "full"]);
    assert_eq!(literals("a(bcd)+e"), ["a", "bcd", "e"]);
    assert_eq!(literals("ab(?:cd)ef.*ab(?:cd)ef"), ["abcdef"]);
    for pattern in ["a|b", "(?i)abc", "x*"] {
        assert!(literals(pattern).is_empty(), "{pattern}");
    }
}

fn located(pattern: &str, text: &str) -> bool {
    Pattern::new(pattern, Flags::default(), text).unwrap().is_match(text).unwrap()
}

#[test]
fn patterns_that_are_located_match_as_in_python() {
    let cases = [
        (r"(?P<year>\d{4})-(?P=year)", "2020-2020", true),
        (r"(a)\1", "aa", true),
        (r"a\Z", "a\n", false),
        ("a$", "a\n", true),
        ("a$", "a\nb", false),
        ("(?m)a$", "a\nb", true),
        ("\\<b\\>", "<b>", true),
        ("[[]x", "[x", true),
        ("[a&&b]", "&", true),
        ("a{x}", "a{x}", true),
        ("a{,2}b", "aab", true),
        (r"(?<=a)b", "ab", true),
        (r"(?#note)a", "a", true),
        (r"\é", "é", true),
        (r"\07", "\u{7}", true),
        ("[]a]", "]", true),
        ("[^]a]", "]", false),
        (r"\bfoo\b", "a foo b", true),
        ("(?i)ABC", "abc", true),
    ];
    for (pattern, text, expected) in cases {
        assert_eq!(located(pattern, text), expected, "{pattern} on {text:?}");
    }
}

#[test]
fn bad_patterns_are_refused_and_slow_ones_are_cut_off() {
    for pattern in ["(", "[a", "*", "(?P<n", r"(?<=a+)b\"] {
        assert!(matches!(Pattern::new(pattern, Flags::default(), ""), Err(PatternError::Syntax { .. })), "{pattern}");
    }
    let text = "a".repeat(40) + "!";
    let slow = Pattern::new(r"^(a|aa)+\1$", Flags::default(), &text).unwrap();
    assert_eq!(slow.is_match(&text), Err(PatternError::TooManySteps));
    assert!(Pattern::new("(a{1000}){1000}", Flags::default(), "").is_err_and(|error| error.is_limit()));
    assert!(!located("^(a+)+$", &text));
}
