//! A board as a picture: its panels in their places, each with a sketch of its kind. No data is in it.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Board, grid};

/// Points for a column and a row of Grafana's grid, and the space between panels.
const COLUMN: u64 = 50;
const ROW: u64 = 26;
const GAP: u64 = 6;
/// The board's title and description.
const HEAD: u64 = 64;
/// The width of a letter of the titles, nearly.
const LETTER: u64 = 7;

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// As much of a text as fits.
fn fitted(text: &str, width: u64) -> String {
    let fits = usize::try_from(width / LETTER).unwrap();
    if text.chars().count() <= fits {
        return escape(text);
    }
    escape(&text.chars().take(fits.saturating_sub(1)).chain(['…']).collect::<String>())
}

pub(super) fn draw(board: &Board) -> String {
    let rows = board.panels().iter().map(|panel| grid(panel)[1] + grid(panel)[3]).max().unwrap();
    let (width, height) = (24 * COLUMN, HEAD + rows * ROW + GAP);
    let title = board.json["title"].as_str().unwrap();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"system-ui, sans-serif\" \
         font-size=\"13\">\n<title>{}</title>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#f4f5f5\"/>\n",
        escape(title)
    );
    text(&mut svg, 12, 28, "#24292e", "font-size=\"20\" font-weight=\"600\"", &escape(title));
    let variables: Vec<&str> = board.variables().iter().filter_map(|variable| variable["label"].as_str()).collect();
    text(&mut svg, width - 150, 28, "#8c959f", "", "a sketch, without data");
    let mut under = board.json["description"].as_str().unwrap().to_owned();
    if !variables.is_empty() {
        write!(under, " Choices: {}.", variables.join(", ")).unwrap();
    }
    text(&mut svg, 12, 50, "#57606a", "", &fitted(&under, width - 24));
    for panel in board.panels() {
        draw_panel(&mut svg, panel);
    }
    svg.push_str("</svg>\n");
    svg
}

fn text(svg: &mut String, x: u64, y: u64, colour: &str, more: &str, text: &str) {
    let more = if more.is_empty() { String::new() } else { format!(" {more}") };
    writeln!(svg, "<text x=\"{x}\" y=\"{y}\" fill=\"{colour}\"{more}>{text}</text>").unwrap();
}

fn draw_panel(svg: &mut String, panel: &Value) {
    let [column, row, w, h] = grid(panel);
    let (x, y) = (column * COLUMN + GAP / 2, HEAD + row * ROW + GAP / 2);
    let (w, h) = (w * COLUMN - GAP, h * ROW - GAP);
    let title = panel["title"].as_str().unwrap();
    if panel["type"] == "row" {
        return text(svg, x + 6, y + 15, "#24292e", "font-weight=\"600\"", &format!("▾ {}", escape(title)));
    }
    writeln!(svg, "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"3\" fill=\"#fff\" stroke=\"#d0d7de\"/>")
        .unwrap();
    text(svg, x + 8, y + 19, "#24292e", "", &fitted(title, w - 16));
    let sources = match panel["datasource"]["uid"].as_str().unwrap() {
        "loki" => ("#f2a900", "logs"),
        "jaeger" => ("#1f9d8f", "traces"),
        _ => ("#3274d9", ""),
    };
    let (x, y, w, h) = (x + 10, y + 28, w - 20, h - 46);
    match panel["type"].as_str().unwrap() {
        "stat" => {
            let defaults = &panel["fieldConfig"]["defaults"];
            let mapped = defaults["mappings"][0]["options"]["1"]["text"].as_str();
            let shown = mapped.unwrap_or(match defaults["unit"].as_str() {
                Some("percentunit") => "12 %",
                Some("s") => "1 h",
                Some("ms") => "80 ms",
                Some("bytes") => "1 GiB",
                Some("celsius") => "50 °C",
                _ => "3",
            });
            text(svg, x, y + h / 2 + 12, sources.0, "font-size=\"28\"", shown);
        }
        "timeseries" => curves(svg, panel, [x, y, w, h], sources.0),
        "state-timeline" => {
            let lanes = (h / 24).clamp(1, 4);
            for lane in 0..lanes {
                let (top, cut) = (y + lane * h / lanes, x + w * (3 + lane) / 8);
                for (from, to, colour) in
                    [(x, cut, "#56a64b"), (cut, cut + w / 12, "#e02f44"), (cut + w / 12, x + w, "#56a64b")]
                {
                    let wide = to - from;
                    writeln!(
                        svg,
                        "<rect x=\"{from}\" y=\"{top}\" width=\"{wide}\" height=\"{}\" fill=\"{colour}\"/>",
                        h / lanes - 6
                    )
                    .unwrap();
                }
            }
        }
        kind => {
            let lines = h / 18;
            for line in 0..lines {
                let top = y + 6 + line * 18;
                let wide = if kind == "table" { w } else { w * (9 - line * 5 % 4) / 9 };
                let (height, colour) = if kind == "table" && line == 0 { (10, "#d0d7de") } else { (7, "#e7eaee") };
                writeln!(svg, "<rect x=\"{x}\" y=\"{top}\" width=\"{wide}\" height=\"{height}\" fill=\"{colour}\"/>")
                    .unwrap();
            }
            if kind == "table" {
                text(svg, x, y + h + 6, "#57606a", "font-size=\"11\"", &fitted(&columns(panel).join(" · "), w));
            }
        }
    }
    if !sources.1.is_empty() {
        text(svg, x + w - 40, y - 9, sources.0, "font-size=\"11\"", sources.1);
    }
}

/// The names that a table gives its columns.
fn columns(panel: &Value) -> Vec<String> {
    let transformations = panel["transformations"].as_array().into_iter().flatten();
    let renamed = transformations.filter_map(|transformation| transformation["options"]["renameByName"].as_object());
    renamed.flat_map(|names| names.values().map(|name| name.as_str().unwrap().to_owned())).collect()
}

/// A curve for each query, with its legend below.
fn curves(svg: &mut String, panel: &Value, [x, y, w, h]: [u64; 4], colour: &str) {
    const COLOURS: [&str; 4] = ["", "#56a64b", "#b877d9", "#ff780a"];
    writeln!(svg, "<path d=\"M{x} {y}V{}H{}\" fill=\"none\" stroke=\"#d0d7de\"/>", y + h, x + w).unwrap();
    let (id, targets) = (panel["id"].as_u64().unwrap(), panel["targets"].as_array().unwrap());
    let mut legend = Vec::new();
    for (at, target) in targets.iter().enumerate() {
        let stroke = if at == 0 { colour } else { COLOURS[at % COLOURS.len()] };
        let mut path = String::new();
        for step in 0..=12u64 {
            // Any wave will do, so long as it is always the same.
            let wave = (step * 7 + at as u64 * 5 + id * 3) % 11 + (step * (id % 4 + 2)) % 5;
            let level = y + h - h * (3 + wave + at as u64 * 3) / 30;
            write!(path, "{}{} {level}", if step == 0 { 'M' } else { 'L' }, x + w * step / 12).unwrap();
        }
        writeln!(svg, "<path d=\"{path}\" fill=\"none\" stroke=\"{stroke}\" stroke-width=\"1.5\"/>").unwrap();
        legend.push(target["legendFormat"].as_str().unwrap_or_default().replace("{{", "").replace("}}", ""));
    }
    text(svg, x, y + h + 13, "#57606a", "font-size=\"11\"", &fitted(&legend.join(" · "), w));
}
