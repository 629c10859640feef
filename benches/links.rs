//! Browsing through links of several speeds: the settings that follow the link against each fixed setting.
//!
//! `cargo bench --bench links` prints a table: seconds from the desktop's answer to the last of eighteen pages and
//! scrolls, each drawn when the one before has been seen, on Xtigervnc through a private sshd; and megabytes received.
//! `-- PAGES ROUNDS` sets its size (18 1); it fails if the automatic choice is slower than it may be; with `--test` it only shows that it works.

#[path = "../tests/it/real/mod.rs"]
#[allow(dead_code)]
mod real;

use std::time::{Duration, Instant};

use real::browsing::{Browser, plan};
use real::desktop::{Desktop, Server};
use real::link::Link;
use real::sshd::Sshd;
use sshvnc::picture::ByteOrder;
use sshvnc::rfb::{PixelFormat, encoding};
use sshvnc::session::{Event, Session, Settings};

const ROUND_TRIP: Duration = Duration::from_millis(40);
const SPEEDS: [f64; 3] = [2e6, 20e6, 1000e6];
/// What may be chosen by itself, in times of the best fixed setting.
const MOST: f64 = 1.2;
/// Longer than anyone waits for a page.
const LIMIT: Duration = Duration::from_secs(30);

struct Way {
    name: &'static str,
    follow: bool,
    settings: Settings,
}

fn ways() -> Vec<Way> {
    let base = || Settings::new(PixelFormat::rgb888(ByteOrder::Bgrx.shifts()), encoding::default_pixel_encodings());
    let fixed = |name, first: i32, quality| {
        let mut settings = Settings { quality, ..base() };
        // TigerVNC takes another encoding than Raw if it knows any.
        settings.encodings = vec![encoding::COPY_RECT, first];
        Way { name, follow: false, settings }
    };
    vec![
        Way { name: "follows the link", follow: true, settings: base() },
        fixed("tight, quality 2", encoding::TIGHT, Some(2)),
        fixed("tight, quality 3", encoding::TIGHT, Some(3)),
        fixed("tight, quality 5", encoding::TIGHT, Some(5)),
        fixed("tight, quality 8", encoding::TIGHT, Some(8)),
        fixed("tight", encoding::TIGHT, None),
        fixed("zrle", encoding::ZRLE, None),
        fixed("hextile", encoding::HEXTILE, None),
        fixed("raw", encoding::RAW, None),
    ]
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let quick = arguments.iter().any(|argument| argument == "--test");
    let number = |at: usize, usual: usize| arguments.get(at).and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (pages, rounds) = if quick { (2, 1) } else { (number(0, 18), number(1, 1)) };
    let (speeds, ways) = if quick { (&SPEEDS[2..], ways().split_off(8)) } else { (&SPEEDS[..], ways()) };

    let (sshd, desktop) = (Sshd::start(), Desktop::start_empty(Server::Xtigervnc));
    println!("| Mbit/s, {} ms | settings | s | MB |", ROUND_TRIP.as_millis());
    println!("|--:|---|--:|--:|");
    let mut ratios = Vec::new();
    for &speed in speeds {
        // Every way takes its turn in every round.
        let mut all = vec![Vec::new(); ways.len()];
        for _ in 0..rounds {
            for (way, all) in ways.iter().zip(&mut all) {
                all.push(browse(&sshd, &desktop, speed, way, pages));
            }
        }
        let mut medians = Vec::new();
        for (way, mut all) in ways.iter().zip(all) {
            all.sort_by(|ours, theirs| ours.0.total_cmp(&theirs.0));
            let (seconds, megabytes) = all[all.len() / 2];
            println!("| {:.0} | {} | {seconds:.2} | {megabytes:.1} |", speed / 1e6, way.name);
            medians.push((way.follow, seconds));
        }
        let best = |follow| medians.iter().filter(|way| way.0 == follow).map(|way| way.1).fold(f64::INFINITY, f64::min);
        ratios.push((speed, best(true) / best(false)));
    }
    println!();
    for (speed, ratio) in &ratios {
        println!("{:.0} Mbit/s: what follows the link takes {ratio:.2} of the best fixed setting's time", speed / 1e6);
    }
    if !quick && ratios.iter().any(|(_, ratio)| *ratio > MOST) {
        println!("more than {MOST}");
        std::process::exit(1);
    }
}

/// Seconds and megabytes of a session.
fn browse(sshd: &Sshd, desktop: &Desktop, speed: f64, way: &Way, pages: usize) -> (f64, f64) {
    let link = Link::to(sshd.port, speed, ROUND_TRIP);
    let mut browser = Browser::open(&desktop.display);
    browser.go_on();
    let session = Session::start(plan(sshd, &link, desktop, way.settings.clone(), way.follow)).unwrap();
    loop {
        match session.next(LIMIT) {
            Some(Event::Open(_)) => break,
            Some(Event::Ended(end)) => panic!("{:?}", end.error),
            Some(_) => {}
            None => panic!("no desktop"),
        }
    }
    let start = Instant::now();
    assert!(browser.is_seen(&session, LIMIT), "{}: the first page does not come", way.name);
    for _ in 0..pages {
        browser.go_on();
        assert!(browser.is_seen(&session, LIMIT), "{}: a page does not come", way.name);
    }
    let seconds = start.elapsed().as_secs_f64();
    session.close();
    (seconds, link.received() as f64 / 1e6)
}
