//! The figures as a Markdown table, so that it can stand in a document as it is.

use std::time::Duration;

use bundler::size;

use crate::measure::Cost;

/// One row a contender, the first of which the others are compared with; medians of the rounds, except for the peak, of which the largest counts.
pub(crate) fn render(rows: &[(String, Vec<Cost>)]) -> String {
    let (first, floor) = rows.first().map_or(("", &[][..]), |(name, costs)| (name, costs));
    let ratio = format!("× {first}");
    let mut lines = vec![["", "wall", &ratio, "user", "system", "peak memory", "written"].map(str::to_owned)];
    for (name, costs) in rows {
        // A round's ratio is to the first row's cost in the same round: both had the same machine.
        let ratios: Vec<_> =
            costs.iter().zip(floor).map(|(cost, floor)| cost.wall.div_duration_f64(floor.wall)).collect();
        let time = |of: fn(&Cost) -> Duration| {
            let seconds: Vec<_> = costs.iter().map(|cost| of(cost).as_secs_f64()).collect();
            format!("{:.2} s", median(seconds))
        };
        let peak = costs.iter().map(|cost| cost.peak).max().unwrap_or_default();
        let mut written: Vec<_> = costs.iter().map(|cost| cost.written).collect();
        written.sort_unstable();
        lines.push([
            name.clone(),
            time(|cost| cost.wall),
            format!("{:.2}", median(ratios)),
            time(|cost| cost.user),
            time(|cost| cost.system),
            size::bytes(peak),
            size::bytes(written.get(written.len() / 2).copied().unwrap_or_default()),
        ]);
    }
    let mut widths = [0; 7];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text: Vec<_> = lines
        .iter()
        .map(|line| {
            let cells = line.iter().zip(widths).enumerate().map(|(column, (cell, width))| match column {
                0 => format!(" {cell:width$} |"),
                _ => format!(" {cell:>width$} |"),
            });
            format!("|{}", cells.collect::<String>())
        })
        .collect();
    let rule = widths.iter().enumerate().map(|(column, width)| match column {
        0 => format!("{}|", "-".repeat(width + 2)),
        _ => format!("{}:|", "-".repeat(width + 1)),
    });
    text.insert(1, format!("|{}", rule.collect::<String>()));
    text.join("\n")
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[middle],
        _ => values[middle - 1].midpoint(values[middle]),
    }
}
