//! The language that the operator's commands speak to people.
//!
//! Everything below `ui` says what it says in English, and so do JSON, logs and the `Display` of every error. Here,
//! at the edge, a message is recognised and said in Chinese; `zh.txt` is the catalogue, and a message that it lacks
//! stays English. `tests/it/words.rs` holds it against every message of those commands.

pub mod catalogue;

use std::borrow::Cow;
use std::sync::OnceLock;

pub use catalogue::{Catalogue, fill};

/// What people are spoken to in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Chinese, in simplified characters.
    #[value(alias = "zh-CN", alias = "zh_CN", alias = "zh-Hans")]
    Zh,
}

/// The file for translators.
const CHINESE: &str = include_str!("zh.txt");

/// The choice of the whole process; empty for English.
static SPOKEN: OnceLock<Catalogue> = OnceLock::new();

impl Lang {
    /// The language of the environment: the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that says anything (POSIX, 8.2).
    ///
    /// What is written is UTF-8, and a terminal of another character set, such as `zh_CN.GBK`, would show it as noise.
    #[must_use]
    pub fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let said = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(variable).find(|said| !said.is_empty());
        let said = said.unwrap_or_default();
        let (language, characters) = said.split_once('.').unwrap_or((&said, "UTF-8"));
        let characters = characters.split('@').next().unwrap_or_default();
        let shown = ["UTF-8", "UTF8"].iter().any(|utf8| characters.eq_ignore_ascii_case(utf8));
        if language.starts_with("zh") && shown { Self::Zh } else { Self::En }
    }

    /// Makes it the choice of the whole process.
    pub fn apply(self) {
        if self == Self::Zh
            && let Ok(catalogue) = chinese()
        {
            let _ = SPOKEN.set(catalogue);
        }
    }
}

/// The Chinese catalogue.
///
/// # Errors
/// The line that is wrong: never in a program whose tests passed.
pub fn chinese() -> Result<Catalogue, (usize, &'static str)> {
    Catalogue::parse(CHINESE)
}

/// A message from below in the reader's language.
#[must_use]
pub fn of(message: &str) -> Cow<'_, str> {
    SPOKEN.get().map_or(Cow::Borrowed(message), |catalogue| Cow::Owned(catalogue.message(message)))
}

/// A template of our own in the reader's language; none where that is English.
#[must_use]
pub fn template(english: &str) -> Option<&'static str> {
    SPOKEN.get().and_then(|catalogue| catalogue.template(english))
}

/// A line of our own in the reader's language, from an English template that `format!` takes and the catalogue has. A
/// value that is a variable of its place's name needs the name only.
macro_rules! say {
    (@value $name:ident) => { $name };
    (@value $name:ident = $value:expr) => { $value };
    ($template:literal $(, $name:ident $(= $value:expr)?)* $(,)?) => {
        match $crate::ui::words::template($template) {
            None => format!($template $(, $name = $crate::ui::words::say!(@value $name $(= $value)?))*),
            Some(other) => $crate::ui::words::fill(
                other,
                &[$((stringify!($name), $crate::ui::words::say!(@value $name $(= $value)?).to_string())),*],
            ),
        }
    };
}
pub(crate) use say;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_the_language() {
        let lang = |variables: &[(&str, &str)]| {
            let find = |name: &str| variables.iter().find(|(other, _)| *other == name);
            Lang::of_environment(|name| find(name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(lang(&[]), Lang::En);
        assert_eq!(lang(&[("LANG", "zh_CN.UTF-8")]), Lang::Zh);
        assert_eq!(lang(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C")]), Lang::En);
        assert_eq!(lang(&[("LANG", "en_GB.UTF-8"), ("LC_MESSAGES", "zh_TW"), ("LC_ALL", "")]), Lang::Zh);
        for said in ["zh_CN.utf8", "zh_TW.UTF-8@radical", "zh@radical"] {
            assert_eq!(lang(&[("LANG", said)]), Lang::Zh, "{said}");
        }
        for other in ["zh_CN.GBK", "zh_CN.gb18030", "zh_TW.Big5", "zh_CN."] {
            assert_eq!(lang(&[("LANG", other)]), Lang::En, "{other}");
        }
    }

    #[test]
    fn the_catalogue_is_well_formed() {
        chinese().unwrap();
    }
}
