//! Editing `catalog.yaml` as people wrote it: what is put in is put in, and every other byte stays.

use super::parse_file;
use crate::yaml::{self, Place, Spanned, YamlError};

/// The text with `component` in `profile`, in the order of the names where that is the list's.
///
/// # Errors
/// The profile does not exist, or its list is written in a way that is not understood; the place is told.
pub fn put_into_profile(file: &str, text: &str, profile: &str, component: &str) -> Result<String, YamlError> {
    let before = parse_file(file, text)?;
    let Some(list) = before.profiles.get(profile) else {
        let known: Vec<&str> = before.profiles.keys().map(String::as_str).collect();
        let place = yaml::place_of(text, &["profiles"]);
        let error = YamlError::new(file, place, format!("there is no profile `{profile}`"));
        return Err(YamlError { hint: yaml::nearest(profile, &known), ..error });
    };
    let components = list.value.components();
    let edited = match components {
        [] => into_empty(text, profile, component),
        _ => beside(text, components, component),
    };
    let wanted = |name: &str| name == component || components.iter().any(|known| known.value == name);
    let sound = |text: &String| {
        let after = parse_file(file, text).ok()?;
        let list = after.profiles.get(profile)?.value.components();
        Some(list.len() == components.len() + 1 && list.iter().all(|name| wanted(&name.value)))
    };
    let others = without(text, profile);
    edited.filter(|text| sound(text) == Some(true) && without(text, profile) == others).ok_or_else(|| {
        let place = components.last().map_or_else(|| Place::from(list), Place::from);
        let message = format!("the list of profile `{profile}` is written in a way that is not edited");
        YamlError::new(file, place, message).with_hint(format!("put `{component}` into it by hand"))
    })
}

/// All of a catalog but one profile's components, to compare.
fn without(text: &str, profile: &str) -> Option<serde_json::Value> {
    let mut file: serde_json::Value = yaml::parse("catalog.yaml", text).ok()?;
    match file.get_mut("profiles")?.get_mut(profile)? {
        serde_json::Value::Object(full) => drop(full.remove("components")),
        list => *list = serde_json::Value::Null,
    }
    Some(file)
}

/// Beside the names that are there.
fn beside(text: &str, components: &[Spanned<String>], component: &str) -> Option<String> {
    let sorted = components.is_sorted_by(|a, b| a.value <= b.value);
    let after = if sorted { components.iter().rfind(|known| *known.value < *component) } else { components.last() };
    let known = after.or(components.first())?;
    let start = offset(text, known.into())?;
    let end = start + scalar_length(&text[start..], &known.value)?;
    let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let lead = &text[line..start];
    let is_block =
        lead.trim_start().strip_prefix('-').is_some_and(|blank| !blank.is_empty() && blank.trim().is_empty());
    let next = text[end..].find('\n').map(|at| end + at + 1);
    let line_break = if next.is_some_and(|next| text[..next].ends_with("\r\n")) { "\r\n" } else { "\n" };
    let item = format!("{lead}{component}{line_break}");
    Some(match (is_block, after.is_some()) {
        (true, true) => match next {
            Some(next) => insert(text, next, &item),
            None => format!("{text}\n{item}"),
        },
        (true, false) => insert(text, line, &item),
        (false, true) => insert(text, end, &format!(", {component}")),
        (false, false) => insert(text, start, &format!("{component}, ")),
    })
}

/// Into a list without names, `[]`: where nothing follows on its line, as the first of a list with a line for each.
fn into_empty(text: &str, profile: &str, component: &str) -> Option<String> {
    let path = ["profiles", profile, "components"];
    let place = [&path[..], &path[..2]].into_iter().find_map(|path| {
        let place = yaml::place_of(text, path);
        let key = offset(text, place)?;
        let last = path.last()?;
        text[key..].trim_start_matches(['"', '\'']).starts_with(last).then_some(key)
    });
    let key = place?;
    let open = key + text[key..].find('[')?;
    let close = open + text[open..].find(']')?;
    if !text[open + 1..close].trim().is_empty() || text[key..open].contains('\n') {
        return None;
    }
    let line = text[..key].rfind('\n').map_or(0, |at| at + 1);
    let (lead, rest) = (&text[line..key], text[close + 1..].lines().next().unwrap_or_default());
    if lead.trim().is_empty() && rest.trim().is_empty() {
        let before = text[..open].trim_end();
        return Some(format!("{before}\n{lead}  - {component}{}", &text[close + 1..]));
    }
    Some(insert(text, close, component))
}

fn insert(text: &str, at: usize, piece: &str) -> String {
    format!("{}{piece}{}", &text[..at], &text[at..])
}

/// The byte at a place, whose column counts characters.
fn offset(text: &str, place: Place) -> Option<usize> {
    let line = usize::try_from(place.line).ok()?.checked_sub(1)?;
    let start = if line == 0 { 0 } else { text.match_indices('\n').nth(line - 1)?.0 + 1 };
    let column = usize::try_from(place.column).ok()?.checked_sub(1)?;
    let within = text[start..].char_indices().map(|(at, _)| at).chain([text.len() - start]).nth(column)?;
    Some(start + within)
}

/// How many bytes a name has as it is written: plain or in quotes. Names have nothing to escape.
fn scalar_length(text: &str, name: &str) -> Option<usize> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''));
    match quote {
        None => text.starts_with(name).then_some(name.len()),
        Some(quote) => text[1..].strip_prefix(name)?.starts_with(quote).then_some(name.len() + 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "# ours\nschema: 1\nname: x\nversion: 0.10\nplatform: {kubernetes: \"1.36\", architectures: [amd64]}\n";

    fn put(profiles: &str, profile: &str, component: &str) -> Result<String, YamlError> {
        let text = format!("{HEAD}{profiles}");
        let edited = put_into_profile("c.yaml", &text, profile, component)?;
        Ok(edited.strip_prefix(HEAD).unwrap().to_owned())
    }

    #[test]
    fn every_other_byte_stays() {
        for (before, component, after) in [
            // Blocks: sorted, at either end, between comments, and unsorted.
            (
                "profiles:\n  a:\n    - b # first\n    # of d\n    - d\n",
                "c",
                "profiles:\n  a:\n    - b # first\n    - c\n    # of d\n    - d\n",
            ),
            ("profiles:\n  a:\n  - b\n", "a", "profiles:\n  a:\n  - a\n  - b\n"),
            ("profiles:\n  a:\n    -  b", "c", "profiles:\n  a:\n    -  b\n    -  c\n"),
            (
                "profiles:\n  a:\n    - z\n    - b\n  c: [b]\n",
                "m",
                "profiles:\n  a:\n    - z\n    - b\n    - m\n  c: [b]\n",
            ),
            ("profiles:\r\n  a:\r\n    - b\r\n", "c", "profiles:\r\n  a:\r\n    - b\r\n    - c\r\n"),
            ("profiles:\r\n  a:\r\n    - b\r\n", "a", "profiles:\r\n  a:\r\n    - a\r\n    - b\r\n"),
            (
                "profiles:\n  a:\n    components:\n      - \"b\"\n    budget: 1MB\n",
                "c",
                "profiles:\n  a:\n    components:\n      - \"b\"\n      - c\n    budget: 1MB\n",
            ),
            // Flows.
            ("profiles: {a: [b, 'd'], e: [b]} # é\n", "c", "profiles: {a: [b, c, 'd'], e: [b]} # é\n"),
            (
                "profiles: {é: [x], a: {components: [b], budget: 1MB}}\n",
                "a",
                "profiles: {é: [x], a: {components: [a, b], budget: 1MB}}\n",
            ),
            ("profiles:\n  a: [\n    b,\n    d,\n  ]\n", "e", "profiles:\n  a: [\n    b,\n    d, e,\n  ]\n"),
            // Nothing yet.
            ("profiles:\n  a: []\n  b: [x]\n", "c", "profiles:\n  a:\n    - c\n  b: [x]\n"),
            ("profiles:\n  a: [] # soon\n", "c", "profiles:\n  a: [c] # soon\n"),
            ("profiles: {a: [ ]}\n", "c", "profiles: {a: [ c]}\n"),
            (
                "profiles:\n  \"a\":\n    budget: 1MB\n    components: []\n",
                "c",
                "profiles:\n  \"a\":\n    budget: 1MB\n    components:\n      - c\n",
            ),
        ] {
            assert_eq!(put(before, "a", component).as_deref(), Ok(after), "{before}");
        }
    }

    #[test]
    fn what_is_not_understood_is_told_with_its_place() {
        let error = put("profiles:\n  all: [b]\n", "al", "c").unwrap_err();
        assert_eq!(error.to_string(), "c.yaml:6:1: there is no profile `al`");
        assert_eq!(error.hint.as_deref(), Some("did you mean `all`?"));
        for profiles in [
            "profiles:\n  b: &b [b]\n  a: *b\n",
            "profiles:\n  a: &a [b]\n  b: *a\n",
            "profiles:\n  a:\n    - >-\n      b\n",
            "profiles:\n  a:\n    - &x b\n",
            "profiles:\n  a:\n    [\n    ]\n",
        ] {
            let error = put(profiles, "a", "c").unwrap_err();
            assert!(error.to_string().contains("written in a way that is not edited"), "{profiles}: {error}");
            assert_eq!(error.hint.as_deref(), Some("put `c` into it by hand"));
        }
    }
}
