//! Commands that a shell would do nothing with but start the program: they are started without one, in half the time.

use rustix::fs::{Access, access};
use std::path::{Path, PathBuf};

/// Words that the shell itself understands. `true` and `false` are not among them: there are programs that do just the same.
const SHELL_WORDS: [&str; 76] = [
    ".",
    ":",
    "[",
    "alias",
    "bg",
    "bind",
    "break",
    "builtin",
    "caller",
    "case",
    "cd",
    "command",
    "compgen",
    "complete",
    "compopt",
    "continue",
    "coproc",
    "declare",
    "dirs",
    "disown",
    "do",
    "done",
    "echo",
    "elif",
    "else",
    "enable",
    "esac",
    "eval",
    "exec",
    "exit",
    "export",
    "fc",
    "fg",
    "fi",
    "for",
    "function",
    "getopts",
    "hash",
    "help",
    "history",
    "if",
    "in",
    "jobs",
    "kill",
    "let",
    "local",
    "logout",
    "mapfile",
    "popd",
    "printf",
    "pushd",
    "pwd",
    "read",
    "readarray",
    "readonly",
    "return",
    "select",
    "set",
    "shift",
    "shopt",
    "source",
    "suspend",
    "test",
    "then",
    "time",
    "times",
    "trap",
    "type",
    "typeset",
    "ulimit",
    "umask",
    "unalias",
    "unset",
    "until",
    "wait",
    "while",
];

/// The program and its arguments, where the command line is nothing but words without any meaning to a shell, and the first of them is
/// a program on the search path.
pub(crate) fn plain_command(command: &str, search_path: &str) -> Option<(PathBuf, Vec<String>)> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b" _./:,@%+-".contains(&byte);
    if !command.bytes().all(is_plain) {
        return None;
    }
    let mut words = command.split_ascii_whitespace();
    let name = words.next().filter(|name| !SHELL_WORDS.contains(name))?;
    let program = find(name, search_path)?;
    Some((program, words.map(str::to_owned).collect()))
}

fn find(name: &str, search_path: &str) -> Option<PathBuf> {
    if name.contains('/') {
        // Relative to a directory that only the process will be in: left to the shell.
        return Some(PathBuf::from(name)).filter(|path| path.is_absolute() && is_program(path));
    }
    let directories = search_path.split(':').filter(|directory| directory.starts_with('/'));
    directories.map(|directory| Path::new(directory).join(name)).find(|path| is_program(path))
}

/// A script without a first line that names its interpreter is run by shells only; compiled programs begin with a mark.
fn is_program(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok() && begins_like_a_program(path)
}

fn begins_like_a_program(path: &Path) -> bool {
    use std::io::Read;
    let mut mark = [0u8; 4];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut mark));
    read.is_ok() && (mark == *b"\x7fELF" || mark.starts_with(b"#!"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_shell_would_not_touch_is_plain() {
        let path = "/usr/bin:/bin";
        let (program, arguments) = plain_command("true  --a b=c", path).unwrap_or_default();
        assert_eq!((program, arguments), (PathBuf::new(), Vec::<String>::new()), "= may be an assignment");
        assert!(
            plain_command("true -x a,b /tmp", path).is_some_and(|(_, arguments)| arguments == ["-x", "a,b", "/tmp"])
        );
        for command in [
            "echo hi",
            "cd /",
            "true; false",
            "ls *",
            "ls ~",
            "$HOME/x",
            "a=1 ls",
            "no-such-program",
            "",
            "./x",
            "ls\nls",
        ] {
            assert_eq!(plain_command(command, path), None, "{command}");
        }
    }
}
