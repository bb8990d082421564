//! The lines of one chart, cut out of an index that is not parsed.

/// What the scan for a chart's lines came to.
pub(super) enum Cut<'a> {
    /// The chart's lines with its key, the first of which is line `line` (from 0) of the index.
    Block { line: usize, text: &'a str },
    /// All charts of an index in the usual style; the wanted one is not among them.
    Absent(Vec<&'a str>),
    /// A style that the scan does not know.
    Unknown,
}

/// Cuts the lines of one chart out of an index in block style, going by indentation alone.
///
/// In block style whatever belongs to a key is indented deeper than it, save the dashes of a list.
pub(super) fn cut<'a>(text: &'a str, chart: &str) -> Cut<'a> {
    let mut names = Vec::new();
    let mut inside = false;
    let mut indent = None;
    let mut start = None;
    let mut block = None;
    let mut offset = 0;
    let mut before = "";
    let mut braces = 0_usize;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let begin = offset;
        offset += line.len();
        let content = line.trim_end();
        let body = content.trim_start_matches(' ');
        let depth = content.len() - body.len();
        if body.is_empty() || body.starts_with('#') {
            continue;
        }
        // Deeper than the charts' keys it is in a chart's text.
        if body.starts_with('\t') && depth <= indent.unwrap_or(0) {
            return Cut::Unknown;
        }
        if !inside {
            inside = depth == 0 && plain_key(body) == Some("entries");
            continue;
        }
        let at = *indent.get_or_insert(depth);
        // A collection in braces may go on at any depth, for readers that do not mind.
        let open = std::mem::replace(&mut before, content).ends_with(['{', '[', ',']) || braces > 0;
        if depth <= at && (open || body.starts_with([',', '}', ']'])) {
            return Cut::Unknown;
        }
        // A text may hold braces too; then the full parse is slower, and not wrong.
        if braces > 0 || value(body).starts_with(['{', '[']) {
            braces = (braces + body.matches(['{', '[']).count()).saturating_sub(body.matches(['}', ']']).count());
        }
        // The dash of a list without a key before it is for the full parse to refuse.
        let keyed = start.is_some() || !names.is_empty();
        let dash = body == "-" || body.starts_with("- ");
        if depth > at || (depth == at && at > 0 && keyed && dash) {
            continue;
        }
        if let Some((line, from)) = start.take() {
            block = Some(Cut::Block { line, text: &text[from..begin] });
        }
        if depth < at || at == 0 {
            // The next top-level key: the charts are over. A second `entries` is for the full parse to decide on.
            let again = || text[begin..].lines().any(|line| !is_other_than("entries", line));
            let over = depth == 0 && at > 0 && !again();
            return if over { block.unwrap_or(Cut::Absent(names)) } else { Cut::Unknown };
        }
        match plain_key(body) {
            // A second list of the same chart: the full parse decides which counts.
            Some(name) if name == chart && block.is_some() => return Cut::Unknown,
            Some(name) if name == chart => start = Some((number, begin)),
            Some(name) => names.push(name),
            // Its value is on the same line, or its key is written in another way.
            None if block.is_some() && is_other_than(chart, body) => {}
            None => return Cut::Unknown,
        }
    }
    match (start, block) {
        (Some((line, from)), _) => Cut::Block { line, text: &text[from..] },
        (None, Some(block)) => block,
        (None, None) if indent.is_some() => Cut::Absent(names),
        (None, None) => Cut::Unknown,
    }
}

/// Whether a line surely has no key `name` at its beginning, because it has another one there or none at all.
fn is_other_than(name: &str, line: &str) -> bool {
    let no_key = line.trim_end().is_empty() || line.starts_with([' ', '#']) || line.starts_with("- ");
    let key = plain_key(line).or_else(|| line.split_once(": ").and_then(|(key, _)| plain(key)));
    no_key || key.is_some_and(|key| key != name)
}

/// What stands on a line behind its dashes, its key and its anchor.
fn value(body: &str) -> &str {
    let item = body.trim_start_matches("- ").trim_start();
    let value =
        item.split_once(": ").filter(|(key, _)| plain(key).is_some()).map_or(item, |(_, value)| value).trim_start();
    value
        .strip_prefix(['&', '!'])
        .and_then(|named| named.split_once(' '))
        .map_or(value, |(_, value)| value.trim_start())
}

/// The key of a line `name:`, also in quotes without escapes; none where more than a comment is after the colon.
fn plain_key(body: &str) -> Option<&str> {
    plain(body.split(" #").next().unwrap_or_default().trim_end().strip_suffix(':')?)
}

/// A key without its quotes, if nothing in it could mean something else.
fn plain(key: &str) -> Option<&str> {
    let quoted = ['"', '\''].iter().find_map(|q| key.strip_prefix(*q)?.strip_suffix(*q));
    let key = quoted.unwrap_or(key);
    key.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(&c)).then_some(key)
}
