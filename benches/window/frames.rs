//! What it costs to show a frame: CPU of this process, of the X server, and frames a second if nothing else is done.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use sshvnc::display::{Display, Scaling, Wish, X11Display};
use sshvnc::picture::{ByteOrder, Canvas, Damage, Size};

use crate::real::desktop::Screen;

/// One kind of frame.
struct Kind {
    name: &'static str,
    desktop: Size,
    screen: Size,
    /// What of it changes; all if `None`.
    part: Option<Size>,
}

const HD: Size = Size::new(1920, 1080);
const UHD: Size = Size::new(3840, 2160);
const SMALL: Size = Size::new(640, 480);

const KINDS: [Kind; 7] = [
    Kind { name: "1920x1080, all", desktop: HD, screen: HD, part: None },
    Kind { name: "1920x1080, 640x480 of it", desktop: HD, screen: HD, part: Some(SMALL) },
    Kind { name: "3840x2160, all", desktop: UHD, screen: UHD, part: None },
    Kind { name: "3840x2160, 640x480 of it", desktop: UHD, screen: UHD, part: Some(SMALL) },
    Kind { name: "1920x1080 in 1440x810, all", desktop: HD, screen: Size::new(1440, 810), part: None },
    Kind { name: "1920x1080 in 2880x1620, all", desktop: HD, screen: Size::new(2880, 1620), part: None },
    Kind { name: "3840x2160 in 1920x1080, all", desktop: UHD, screen: HD, part: None },
];

/// Prints the table, of this many frames a kind.
pub fn print(frames: u32) {
    println!("Xvfb, full screen; CPU a frame, mean of {frames} frames");
    println!("| desktop | viewer, ms | X server, ms | frames a second at the most |");
    println!("|---|--:|--:|--:|");
    for kind in &KINDS {
        let screen = Screen::start(kind.screen.width, kind.screen.height);
        let wish = Wish { fullscreen: true, scaling: Scaling::Fit, ..Wish::default() };
        let mut display = X11Display::on(Some(&screen.display), wish).unwrap();
        display.open(kind.desktop, "sshvnc").unwrap();
        let mut canvas = Canvas::new(kind.desktop, ByteOrder::Bgrx);
        let part = kind.part.unwrap_or(kind.desktop);
        let area = kind.desktop.area(0, 0, part.width, part.height).unwrap();
        let mut damage = Damage::default();
        damage.add(area);
        // The first frames fault the memory in.
        let (mut start, mut ours, mut theirs) = (Instant::now(), cpu(), server_cpu(&screen));
        for number in 0..frames + 5 {
            if number == 5 {
                (start, ours, theirs) = (Instant::now(), cpu(), server_cpu(&screen));
            }
            canvas.target(area).unwrap().fill(0, 0, part.width.into(), part.height.into(), number * 0x010203).unwrap();
            display.take(&canvas, &damage, true);
            while !display.present().unwrap() {
                display.wait(None, Duration::from_secs(1)).unwrap();
                display.inputs();
            }
            finish(&mut display);
        }
        let (wall, frames) = (start.elapsed().as_secs_f64(), f64::from(frames));
        let paint = paint_cost(&mut canvas, area, part);
        let ours = (cpu().saturating_sub(ours).as_secs_f64() * 1e3 / frames - paint).max(0.0);
        let theirs = server_cpu(&screen).saturating_sub(theirs).as_secs_f64() * 1e3 / frames;
        println!("| {} | {ours:.2} | {theirs:.2} | {:.0} |", kind.name, frames / (wall - paint * frames / 1e3));
    }
    println!();
}

/// Waits until the frame is on the screen.
fn finish(display: &mut X11Display) {
    while display.is_busy() {
        display.wait(None, Duration::from_secs(1)).unwrap();
        display.inputs();
    }
}

/// Milliseconds for changing the picture, which is not the window's work.
fn paint_cost(canvas: &mut Canvas, area: sshvnc::picture::Area, part: Size) -> f64 {
    let start = cpu();
    for number in 0..20 {
        canvas.target(area).unwrap().fill(0, 0, part.width.into(), part.height.into(), number * 0x010203).unwrap();
    }
    cpu().saturating_sub(start).as_secs_f64() * 1e3 / 20.0
}

/// The X server's CPU time; its process number is in its lock file.
fn server_cpu(screen: &Screen) -> Duration {
    let lock = format!("/tmp/.X{}-lock", screen.display.trim_start_matches(':'));
    let id = std::fs::read_to_string(lock).ok().and_then(|text| text.trim().parse().ok());
    crate::cpu(id.unwrap_or(0))
}

fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}
