//! Draws the table of `benches/peers/compare`, on standard input, as bars: `decoder_chart OUT.svg <TABLE.md`.

use std::error::Error;
use std::io;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// The decoders by the columns of their times, the first of them ours, and their colours.
const DECODERS: [(&str, RGBColor); 3] = [
    ("sshvnc", RGBColor(0x1f, 0x77, 0xb4)),
    ("libvncclient", RGBColor(0xb0, 0xb0, 0xb0)),
    ("TigerVNC", RGBColor(0xe0, 0xa0, 0x60)),
];
/// The one whose time is 1.
const UNIT: usize = 1;

/// Pixels of a bar's height, between recordings, left of the bars, and above and below all of them.
const BAR: i32 = 8;
const GAP: i32 = 8;
const NAMES: i32 = 230;
const HEAD: i32 = 56;
const FOOT: i32 = 16;
const WIDTH: i32 = 900;

/// A recording and the time of each decoder, in units of one of them.
struct Row {
    name: String,
    times: Vec<Option<f64>>,
}

fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

/// The first line of the text, which says what was measured, and the rows of the table.
fn read(text: &str) -> Result<(String, Vec<Row>), Box<dyn Error>> {
    let title = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned();
    let mut lines = text.lines().filter_map(cells);
    let head = lines.next().ok_or("there is no table")?;
    let column = |name: &str| head.iter().position(|cell| *cell == format!("{name} ms"));
    let columns = DECODERS.map(|(name, _)| column(name));
    let mut rows = Vec::new();
    for line in lines {
        let time = |column: Option<usize>| line.get(column?)?.parse::<f64>().ok();
        let times = columns.map(time);
        if let Some(unit) = times[UNIT] {
            let times = times.iter().map(|time| time.map(|time| time / unit)).collect();
            rows.push(Row { name: line.first().copied().unwrap_or_default().to_owned(), times });
        }
    }
    if rows.is_empty() { Err("the table has no times".into()) } else { Ok((title, rows)) }
}

fn draw(path: &str, title: &str, rows: &[Row]) -> Result<(), Box<dyn Error>> {
    let shown: Vec<usize> =
        (0..DECODERS.len()).filter(|&decoder| rows.iter().any(|row| row.times[decoder].is_some())).collect();
    let row_height = BAR * shown.len() as i32 + GAP;
    let height = HEAD + row_height * rows.len() as i32 + FOOT;
    let slowest = rows.iter().flat_map(|row| &row.times).flatten().fold(1.0, |most: f64, time| most.max(*time));
    let at = |time: f64| NAMES + (time / slowest * f64::from(WIDTH - NAMES - 60)) as i32;

    let root = SVGBackend::new(path, (WIDTH as u32, height as u32)).into_drawing_area();
    root.fill(&WHITE)?;
    let style = |size: u32, anchor| ("sans-serif", size).into_font().color(&BLACK).pos(anchor);
    let left = Pos::new(HPos::Left, VPos::Center);
    let right = Pos::new(HPos::Right, VPos::Center);
    root.draw(&Text::new(title.to_owned(), (8, 16), style(13, left)))?;
    let mut x = NAMES;
    for &decoder in &shown {
        let (name, colour) = DECODERS[decoder];
        root.draw(&Rectangle::new([(x, 34), (x + 12, 46)], colour.filled()))?;
        root.draw(&Text::new(name.to_owned(), (x + 18, 40), style(12, left)))?;
        x += 120;
    }
    root.draw(&Text::new("time, libvncclient = 1".to_owned(), (WIDTH - 8, 40), style(12, right)))?;
    for (number, row) in rows.iter().enumerate() {
        let top = HEAD + row_height * number as i32;
        let middle = top + (row_height - GAP) / 2;
        root.draw(&Text::new(row.name.clone(), (NAMES - 8, middle), style(11, right)))?;
        for (place, &decoder) in shown.iter().enumerate() {
            let Some(time) = row.times[decoder] else { continue };
            let (y, colour) = (top + BAR * place as i32, DECODERS[decoder].1);
            root.draw(&Rectangle::new([(NAMES, y), (at(time), y + BAR - 1)], colour.filled()))?;
            if decoder == 0 {
                let label = format!("{time:.2}");
                root.draw(&Text::new(label, (at(time) + 4, y + BAR / 2), style(9, left)))?;
            }
        }
    }
    let foot = height - FOOT;
    root.draw(&PathElement::new([(at(1.0), HEAD - 4), (at(1.0), foot)], BLACK.mix(0.5)))?;
    root.present()?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: decoder_chart OUT.svg <TABLE.md")?;
    let (title, rows) = read(&io::read_to_string(io::stdin())?)?;
    draw(&path, &title, &rows)
}
