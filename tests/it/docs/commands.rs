//! The command lines of a page, as a reader at a shell takes them.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// What a line of a block begins with when the block is for a shell.
const PROGRAMS: [&str; 26] = [
    ".github/",
    "./install.sh",
    "bundler",
    "cargo",
    "cat",
    "cd",
    "cosign",
    "crane",
    "ctr",
    "curl",
    "git",
    "gunzip",
    "helm",
    "jq",
    "kubectl",
    "make",
    "mkdir",
    "oras",
    "printf",
    "sha256sum",
    "skopeo",
    "ssh-keygen",
    "stat",
    "sudo",
    "tar",
    "trivy",
];

/// A command line; one that goes on after a `\` is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// Which section of the page it is in, by headings of the second level.
    pub(super) section: usize,
    /// Which block of the page it is in.
    pub(super) block: usize,
    /// The line without its comment.
    pub(super) line: String,
}

/// The blocks of code of a page that may be for a shell, with the section of each; those of another language are left out.
fn blocks(page: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut section = 0;
    let mut block: Option<String> = None;
    for event in Parser::new_ext(page, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { level: HeadingLevel::H2, .. }) => section += 1,
            Event::Start(Tag::CodeBlock(kind)) => {
                let shell = match kind {
                    CodeBlockKind::Indented => true,
                    CodeBlockKind::Fenced(language) => matches!(&*language, "" | "sh" | "console"),
                };
                block = shell.then(String::new);
            }
            Event::Text(text) => block.iter_mut().for_each(|block| block.push_str(&text)),
            Event::End(TagEnd::CodeBlock) => blocks.extend(block.take().map(|block| (section, block))),
            _ => {}
        }
    }
    blocks
}

/// The command lines of a page, in its order.
pub(super) fn commands(page: &str) -> Vec<Command> {
    let mut commands = Vec::new();
    for (number, (section, block)) in blocks(page).into_iter().enumerate() {
        // After a prompt come commands, and all else is what they print.
        let prompt = block.lines().any(|line| line.starts_with("$ "));
        let joined = block.replace("\\\n", " ");
        let lines = joined.lines().filter_map(|line| if prompt { line.strip_prefix("$ ") } else { Some(line) });
        let lines: Vec<&str> = lines.map(without_comment).filter(|line| !line.is_empty()).collect();
        let is_shell = |line: &&str| {
            PROGRAMS.iter().any(|program| match line.strip_prefix(program) {
                Some(rest) => rest.is_empty() || rest.starts_with(' ') || program.ends_with('/'),
                None => false,
            })
        };
        if lines.iter().any(is_shell) {
            commands.extend(lines.into_iter().map(|line| Command { section, block: number, line: words(line) }));
        }
    }
    commands
}

/// A line without its comment: a `#` after a space, outside of quotes.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (place, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') if before == ' ' => return line[..place].trim(),
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
        before = c;
    }
    line.trim()
}

/// One space between words: continued lines are indented.
fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn finds_what_a_reader_would_type() {
    let page = "Text\n\n    bundler resolve    # all\n    # nothing\n    helm pull a \\\n      --version 1\n\n\
        ```console\n$ make demo\nResolving\n```\n\n```yaml\nbundler: 1\n```\n\n    mirrors:\n      a: b\n\n\
        1. List\n\n       printf 'a # b' >file\n";
    let found: Vec<_> = commands(page).into_iter().map(|command| (command.block, command.line)).collect();
    let expected =
        [(0, "bundler resolve"), (0, "helm pull a --version 1"), (1, "make demo"), (3, "printf 'a # b' >file")];
    assert_eq!(found, expected.map(|(block, line)| (block, line.to_owned())));
}
