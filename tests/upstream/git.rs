//! A repository's references over git's smart HTTP protocol, version 2 (gitprotocol-v2).

use super::answer::{Answer, Request};
use super::github;
use super::world::World;

/// Answers `github.com/<owner>/<name>[.git]/info/refs` and `…/git-upload-pack`.
pub(crate) fn serve(world: &World, request: &Request, path: &str) -> Option<Answer> {
    let discovery = path.strip_suffix("/info/refs");
    let repository = discovery.or_else(|| path.strip_suffix("/git-upload-pack"))?;
    let repository = repository.strip_suffix(".git").unwrap_or(repository);
    if !world.table.github.contains_key(repository) {
        return Some(Answer::new(404, "text/plain; charset=utf-8", "Repository not found."));
    }
    if request.header("git-protocol") != Some("version=2") {
        return Some(Answer::new(403, "text/plain; charset=utf-8", "only version 2 of the protocol is spoken here"));
    }
    let mut out = String::new();
    if discovery.is_some() {
        for line in ["# service=git-upload-pack\n", ""] {
            packet(&mut out, line);
        }
        for line in [
            "version 2\n",
            "agent=git/upstream\n",
            "ls-refs=unborn\n",
            "fetch=shallow filter\n",
            "object-format=sha1\n",
            "",
        ] {
            packet(&mut out, line);
        }
        return Some(Answer::new(200, "application/x-git-upload-pack-advertisement", out));
    }
    let lines = lines(&request.body)?;
    if lines.first() != Some(&"command=ls-refs") {
        return Some(Answer::new(403, "text/plain", "only ls-refs is answered here"));
    }
    let prefixes: Vec<_> = lines.iter().filter_map(|line| line.strip_prefix("ref-prefix ")).collect();
    let peel = lines.contains(&"peel");
    let mut tags: Vec<_> = world.histories.tags(repository).iter().map(|tag| &tag.name).collect();
    tags.sort();
    for tag in tags {
        let name = format!("refs/tags/{tag}");
        if !prefixes.is_empty() && !prefixes.iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        let (object, commit) = (github::tag_object(world, repository, tag), github::commit(world, repository, tag));
        if peel && object != commit {
            packet(&mut out, &format!("{object} {name} peeled:{commit}\n"));
        } else {
            packet(&mut out, &format!("{object} {name}\n"));
        }
    }
    packet(&mut out, "");
    Some(Answer::new(200, "application/x-git-upload-pack-result", out))
}

/// Writes a line in git's framing; an empty one is the end of a section.
fn packet(out: &mut String, line: &str) {
    if line.is_empty() {
        out.push_str("0000");
    } else {
        out.push_str(&format!("{:04x}{line}", line.len() + 4));
    }
}

/// The lines of a request, less their ends.
fn lines(mut body: &[u8]) -> Option<Vec<&str>> {
    let mut lines = Vec::new();
    while let Some((length, rest)) = body.split_at_checked(4) {
        let length = usize::from_str_radix(std::str::from_utf8(length).ok()?, 16).ok()?;
        // Flush and delimiter have no content.
        let (line, rest) = if length < 4 { (&[][..], rest) } else { rest.split_at_checked(length - 4)? };
        if !line.is_empty() {
            lines.push(std::str::from_utf8(line).ok()?.trim_end_matches('\n'));
        }
        body = rest;
    }
    Some(lines)
}
