//! Reporters: bars on a terminal, one plain line every few seconds in CI, JSON lines, or nothing.

use std::fmt;
use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle, TermLike};

use super::words::{self, say};
use super::{diagnostic, line, lines, note};
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

/// The narrowest terminal on which a line of words stands beside the bar, in columns.
const WIDE: u16 = 64;

/// The reporter for a mode; `verbose` shows details and every member that is done.
#[must_use]
pub fn reporter(mode: Mode, verbose: bool) -> Arc<dyn Reporter> {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let bars = io::stderr().is_terminal() && !dumb && std::env::var_os("CI").is_none();
    match mode {
        Mode::Bar => Arc::new(Bar::new(verbose)),
        Mode::Auto if bars => Arc::new(Bar::new(verbose)),
        Mode::Auto | Mode::Plain => Arc::new(Lines::new(Style::Plain, verbose)),
        Mode::Json => Arc::new(Lines::new(Style::Json, verbose)),
        Mode::None => Arc::new(Lines::new(Style::Warnings, verbose)),
    }
}

/// A bar below the lines that stay: steps, finished items, warnings. At its end it goes, and the sum stays.
struct Bar {
    bar: ProgressBar,
    verbose: bool,
}

impl Bar {
    fn new(verbose: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_style(spinner());
        Self { bar, verbose }
    }

    /// Shows the bar. Not before there is something to tell: what ends at once would only flicker.
    fn show(&self) {
        if self.bar.is_hidden() && io::stderr().is_terminal() {
            self.bar.set_draw_target(ProgressDrawTarget::term_like(Box::<Screen>::default()));
            self.bar.enable_steady_tick(Duration::from_millis(120));
        }
    }

    fn above(&self, line: &str) {
        self.bar.suspend(|| note(line));
    }

    /// Takes the bar away and tells how much was moved.
    fn end(&self) {
        let moved = self.bar.length().filter(|_| self.bar.message() == MOVES).map(|_| self.bar.position());
        let said = moved.and_then(|bytes| sum(bytes, self.bar.elapsed()));
        self.bar.finish_and_clear();
        said.iter().for_each(|line| note(line));
    }
}

/// The terminal that a bar is drawn on.
///
/// It is told to be narrower than it is: the bar's library leaves the cursor at the end of the line, where the `^C` that a
/// terminal writes would go to the next one, and the bar could not be taken away any more.
#[derive(Debug, Default)]
struct Screen {
    /// What is written at once, so that nothing flickers.
    pending: Mutex<String>,
}

/// The columns that a bar leaves free: a key with control, such as `^C`, takes two.
const FREE: u16 = 3;

impl Screen {
    fn push(&self, text: fmt::Arguments<'_>) -> io::Result<()> {
        use fmt::Write as _;
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).write_fmt(text).map_err(io::Error::other)
    }
}

// The sequences are those of ECMA-48, 8.3: CUU, CUD, CUF, CUB and EL.
impl TermLike for Screen {
    fn width(&self) -> u16 {
        super::width(io::stderr()).unwrap_or(80).saturating_sub(FREE).max(1)
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        if lines == 0 { Ok(()) } else { self.push(format_args!("\x1b[{lines}A")) }
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        if lines == 0 { Ok(()) } else { self.push(format_args!("\x1b[{lines}B")) }
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        if columns == 0 { Ok(()) } else { self.push(format_args!("\x1b[{columns}C")) }
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        if columns == 0 { Ok(()) } else { self.push(format_args!("\x1b[{columns}D")) }
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.push(format_args!("{text}\r\n"))
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.push(format_args!("{text}"))
    }

    fn clear_line(&self) -> io::Result<()> {
        self.push(format_args!("\r\x1b[2K"))
    }

    fn flush(&self) -> io::Result<()> {
        use io::Write as _;
        let text = std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        let mut stderr = io::stderr().lock();
        stderr.write_all(text.as_bytes())?;
        stderr.flush()
    }
}

/// The message of a bar of bytes, which is shown nowhere: a bar of items has none.
const MOVES: &str = "bytes";

fn spinner() -> ProgressStyle {
    ProgressStyle::default_spinner()
}

/// Templates are constants; a wrong one falls back to the library's own style.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).map_or_else(|_| spinner(), |style| style.progress_chars("=> "))
}

/// The bar of a phase that moves bytes; on a narrow terminal with figures alone, so that it never takes a second line.
fn of_bytes() -> ProgressStyle {
    if super::width(io::stderr()).is_none_or(|width| width >= WIDE) {
        style("[{wide_bar}] {percent:>3}%  {moved}").with_key(
            "moved",
            |state: &ProgressState, out: &mut dyn fmt::Write| {
                let left = Some(state.eta().as_secs()).filter(|_| state.pos() > 0);
                let _ = out.write_str(&moved(state.pos(), state.len().unwrap_or_default(), rate_of(state), left));
            },
        )
    } else {
        style("[{wide_bar}] {percent:>3}% {figures}").with_key(
            "figures",
            |state: &ProgressState, out: &mut dyn fmt::Write| {
                let (done, all) = (size::bytes(state.pos()), size::bytes(state.len().unwrap_or_default()));
                let _ = write!(out, "{done}/{all} {}/s", size::bytes(rate_of(state)));
            },
        )
    }
}

fn rate_of(state: &ProgressState) -> u64 {
    // Saturates: a rate is no more than a number to look at.
    state.per_sec() as u64
}

/// `12 MB of 300 MB, 4 MB/s, 1 min 12 s left`.
fn moved(bytes: u64, all: u64, rate: u64, left: Option<u64>) -> String {
    let (done, total, rate) = (size::bytes(bytes), size::bytes(all), size::bytes(rate));
    match left.map(size::seconds) {
        Some(left) => {
            say!("{done} of {total}, {rate}/s, {left} left", done, total, rate, left)
        }
        None => say!("{done} of {total}, {rate}/s", done, total, rate),
    }
}

/// `300 MB in 1 min 15 s, 4 MB/s`; nothing where nothing was moved.
fn sum(bytes: u64, elapsed: Duration) -> Option<String> {
    let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = u64::try_from(u128::from(bytes) * 1000 / u128::from(milliseconds)).unwrap_or(u64::MAX);
    let time = match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..10_000 => format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100),
        _ => size::seconds(milliseconds / 1000),
    };
    let (size, rate) = (size::bytes(bytes), size::bytes(rate));
    (bytes > 0).then(|| format!("  {}", say!("{size} in {time}, {rate}/s", size, time, rate)))
}

impl Reporter for Bar {
    fn report(&self, event: Event<'_>) {
        match event {
            Event::Step(name) => {
                self.bar.reset();
                self.bar.unset_length();
                self.bar.set_message("");
                self.bar.set_style(spinner());
                self.above(&line(&words::of(name)));
                self.show();
            }
            Event::Total { bytes, items } => {
                self.bar.reset();
                if bytes > 0 {
                    self.bar.set_length(bytes);
                    self.bar.set_message(MOVES);
                    self.bar.set_style(of_bytes());
                } else {
                    self.bar.set_length(items);
                    self.bar.set_message("");
                    self.bar.set_style(style("[{wide_bar}] {pos}/{len}"));
                }
                self.show();
            }
            Event::Bytes(bytes) => self.bar.inc(bytes),
            Event::Again(bytes) => self.bar.dec(bytes),
            Event::Item(name) => {
                if self.bar.message() != MOVES {
                    self.bar.inc(1);
                }
                self.above(&format!("  {}", line(name)));
            }
            Event::Piece(name) => {
                if self.verbose {
                    self.above(&format!("  {}", line(name)));
                }
            }
            Event::Warning(message) => self.above(&diagnostic::warning(message)),
            Event::Detail(message) => {
                if self.verbose {
                    self.above(&lines(message));
                }
            }
            Event::End => self.end(),
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if !self.bar.is_finished() {
            self.end();
        }
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
                let left = phase.total_bytes.saturating_sub(bytes).checked_div(rate);
                format!("  {}", moved(bytes, phase.total_bytes, rate, left))
            }
            _ => format!("  {}", say!("{done} of {total}", done = items, total = phase.total_items)),
        };
        note(&line);
    }

    fn say(&self, event: &str, message: &str) {
        if self.style == Style::Json {
            note(&serde_json::json!({ "event": event, "message": message }).to_string());
        } else if event == "warning" {
            note(&diagnostic::warning(message));
        } else if self.style == Style::Plain {
            let message = words::of(message);
            // What belongs to a step stands below it.
            note(&if event == "step" { line(&message).into_owned() } else { format!("  {}", line(&message)) });
        }
    }

    /// Tells how much was moved.
    fn end(&self) {
        let bytes = self.bytes.swap(0, Relaxed);
        if self.style == Style::Plain
            && let Ok(phase) = self.phase.lock()
            && phase.total_bytes > 0
        {
            sum(bytes, phase.started.elapsed()).iter().for_each(|line| note(line));
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.end();
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
                if self.verbose || self.style == Style::Plain {
                    self.say("item", name);
                }
                self.tick();
            }
            Event::Piece(name) => {
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
            Event::End => self.end(),
        }
    }
}
