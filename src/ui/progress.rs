//! Reporters: bars on a terminal, one plain line every few seconds in CI, JSON lines, or nothing.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{diagnostic, line, note};
use crate::event::{Event, Reporter};
use crate::size;

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// A bar on a terminal, else plain lines.
    #[default]
    Auto,
    /// A bar that is drawn again in place.
    Bar,
    /// One line every few seconds.
    Plain,
    /// One JSON object a line, for programs.
    Json,
    /// Nothing but warnings.
    None,
}

/// How often a plain or JSON line is written: often enough that CI does not take the job for dead.
const INTERVAL: Duration = Duration::from_secs(5);

/// The reporter for a mode; `verbose` shows details and every finished item.
#[must_use]
pub fn reporter(mode: Mode, verbose: bool) -> Arc<dyn Reporter> {
    let bars = std::io::stderr().is_terminal() && std::env::var_os("CI").is_none();
    match mode {
        Mode::Bar => Arc::new(Bar::new(verbose)),
        Mode::Auto if bars => Arc::new(Bar::new(verbose)),
        Mode::Auto | Mode::Plain => Arc::new(Lines::new(Style::Plain, verbose)),
        Mode::Json => Arc::new(Lines::new(Style::Json, verbose)),
        Mode::None => Arc::new(Lines::new(Style::Warnings, verbose)),
    }
}

/// One bar; warnings and details are printed above it.
struct Bar {
    bar: ProgressBar,
    verbose: bool,
}

impl Bar {
    fn new(verbose: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(spinner());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar, verbose }
    }

    fn above(&self, line: &str) {
        self.bar.suspend(|| note(line));
    }
}

fn spinner() -> ProgressStyle {
    ProgressStyle::default_spinner()
}

/// Templates are constants; a wrong one falls back to the library's own style.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).map_or_else(|_| spinner(), |style| style.progress_chars("=> "))
}

impl Reporter for Bar {
    fn report(&self, event: Event<'_>) {
        match event {
            Event::Step(name) => {
                self.bar.set_style(spinner());
                self.bar.set_message(name.to_owned());
            }
            Event::Total { bytes, items } => {
                self.bar.reset();
                if bytes > 0 {
                    self.bar.set_length(bytes);
                    self.bar.set_style(style(
                        "{msg} [{wide_bar}] {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta}",
                    ));
                } else {
                    self.bar.set_length(items);
                    self.bar.set_style(style("{msg} [{wide_bar}] {pos}/{len}"));
                }
            }
            Event::Bytes(bytes) => self.bar.inc(bytes),
            Event::Again(bytes) => self.bar.dec(bytes),
            Event::Item(name) => {
                if self.verbose {
                    self.above(name);
                }
            }
            Event::Warning(message) => self.above(&diagnostic::warning(message)),
            Event::Detail(message) => {
                if self.verbose {
                    self.above(message);
                }
            }
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Json,
    Warnings,
}

/// Lines: a step when it begins, and at most one line of progress every [`INTERVAL`].
struct Lines {
    style: Style,
    verbose: bool,
    bytes: AtomicU64,
    items: AtomicU64,
    phase: Mutex<Phase>,
}

struct Phase {
    total_bytes: u64,
    total_items: u64,
    started: Instant,
    last: Instant,
}

impl Lines {
    fn new(style: Style, verbose: bool) -> Self {
        let now = Instant::now();
        Self {
            style,
            verbose,
            bytes: AtomicU64::new(0),
            items: AtomicU64::new(0),
            phase: Mutex::new(Phase { total_bytes: 0, total_items: 0, started: now, last: now }),
        }
    }

    fn begin(&self, bytes: u64, items: u64) {
        self.bytes.store(0, Relaxed);
        self.items.store(0, Relaxed);
        if let Ok(mut phase) = self.phase.lock() {
            let now = Instant::now();
            *phase = Phase { total_bytes: bytes, total_items: items, started: now, last: now };
        }
    }

    /// Writes a line of progress when the last one is long enough ago.
    fn tick(&self) {
        // A line that another thread is about to write is enough.
        let Ok(mut phase) = self.phase.try_lock() else { return };
        if self.style == Style::Warnings || phase.last.elapsed() < INTERVAL {
            return;
        }
        phase.last = Instant::now();
        let (bytes, items) = (self.bytes.load(Relaxed), self.items.load(Relaxed));
        let rate = bytes / phase.started.elapsed().as_secs().max(1);
        let line = match self.style {
            Style::Json => serde_json::json!({
                "event": "progress", "bytes": bytes, "total_bytes": phase.total_bytes,
                "items": items, "total_items": phase.total_items, "bytes_per_second": rate,
            })
            .to_string(),
            _ if phase.total_bytes > 0 => {
                let left = match phase.total_bytes.saturating_sub(bytes).checked_div(rate) {
                    Some(left) => format!(", {} left", size::seconds(left)),
                    None => String::new(),
                };
                let (done, total) = (size::bytes(bytes), size::bytes(phase.total_bytes));
                format!("  {done} of {total}, {}/s{left}", size::bytes(rate))
            }
            _ => format!("  {items} of {}", phase.total_items),
        };
        note(&line);
    }

    fn say(&self, event: &str, message: &str) {
        if self.style == Style::Json {
            note(&serde_json::json!({ "event": event, "message": message }).to_string());
        } else if event == "warning" {
            note(&diagnostic::warning(message));
        } else if self.style == Style::Plain {
            note(&line(message));
        }
    }
}

impl Reporter for Lines {
    fn report(&self, event: Event<'_>) {
        match event {
            Event::Step(name) => {
                self.begin(0, 0);
                self.say("step", name);
            }
            Event::Total { bytes, items } => self.begin(bytes, items),
            Event::Bytes(bytes) => {
                self.bytes.fetch_add(bytes, Relaxed);
                self.tick();
            }
            Event::Again(bytes) => {
                // Never below nothing: the phase may have begun anew in between.
                let _ = self.bytes.fetch_update(Relaxed, Relaxed, |now| Some(now.saturating_sub(bytes)));
            }
            Event::Item(name) => {
                self.items.fetch_add(1, Relaxed);
                if self.verbose {
                    self.say("item", name);
                }
                self.tick();
            }
            Event::Warning(message) => self.say("warning", message),
            Event::Detail(message) => {
                if self.verbose {
                    self.say("detail", message);
                }
            }
        }
    }
}
