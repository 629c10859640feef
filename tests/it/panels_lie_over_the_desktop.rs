//! What is drawn over the desktop, in both front ends on real screens: there pixel for pixel, the desktop under it as it
//! should be, and gone without a trace.

use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

use sshvnc::display::{self, Display, FrontEnd, Input, Overlay, Panel, Wish};
use sshvnc::picture::{ByteOrder, Canvas, Damage, Size};
use x11rb::connection::Connection;
use x11rb::protocol::xfixes::ConnectionExt as _;
use x11rb::protocol::xproto::{ConnectionExt, ImageFormat, MapState};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

use crate::real::{PATIENCE, Running, free_port, within};

const FRONT_ENDS: [FrontEnd; 2] = [FrontEnd::X11, FrontEnd::Minifb];
const INSIDE: &str = "SSHVNC_TEST_INSIDE";
const SCREEN: Size = Size::new(640, 480);

/// Runs a test once more, in a process of its own on a screen of its own: front ends look for theirs in the environment.
fn on_a_screen(name: &str, depth: &str, options: &[&str], test: impl Fn()) {
    if std::env::var_os(INSIDE).is_some() {
        return test();
    }
    let folder = tempfile::tempdir().unwrap();
    let (log, display) = (folder.path().join("log"), format!(":{}", free_port()));
    let mut xvfb = Command::new("Xvfb");
    xvfb.args([&display, "-screen", "0", &format!("{SCREEN}x{depth}"), "-nolisten", "tcp", "-noreset"]).args(options);
    let _screen = Running::start(&mut xvfb, &log);
    assert!(within(PATIENCE, || RustConnection::connect(Some(&display)).is_ok()), "no display {display}");
    let name = format!("{}::{name}", module_path!().split_once("::").unwrap().1);
    let mut again = Command::new(std::env::current_exe().unwrap());
    again
        .args(["--exact", &name, "--nocapture"])
        .env("DISPLAY", &display)
        .env(INSIDE, "1")
        .env_remove("WAYLAND_DISPLAY");
    let ended = again.output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout) + String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success() && said.contains("1 passed"), "{depth} {options:?}: {said}");
}

/// A window, and what it should show.
struct Stage {
    window: Box<dyn Display>,
    screen: RustConnection,
    desktop: Canvas,
    overlay: Overlay,
    inputs: Vec<Input>,
}

impl Stage {
    fn open(front_end: FrontEnd, fullscreen: bool, size: Size) -> Stage {
        let screen = RustConnection::connect(None).unwrap().0;
        screen.xfixes_query_version(5, 0).unwrap().reply().unwrap();
        let mut stage = Stage {
            window: display::window(front_end, Wish { fullscreen, ..Wish::default() }).unwrap(),
            screen,
            desktop: Canvas::new(size, ByteOrder::Bgrx),
            overlay: Overlay::default(),
            inputs: Vec::new(),
        };
        stage.point(639, 479);
        stage.window.open(size, "panels").unwrap();
        stage
    }

    fn point(&self, x: i16, y: i16) {
        let root = self.screen.setup().roots[0].root;
        self.screen.warp_pointer(x11rb::NONE, root, 0, 0, 0, 0, x, y).unwrap().check().unwrap();
    }

    fn click(&self) {
        for event in [4, 5] {
            self.screen.xtest_fake_input(event, 1, 0, x11rb::NONE, 0, 0, 0).unwrap().check().unwrap();
        }
    }

    /// The server paints a part of the desktop.
    fn paint(&mut self, seed: u32, [x, y, width, height]: [u16; 4]) {
        let area = self.desktop.size().area(x, y, width, height).unwrap();
        colour(&mut self.desktop, area, seed);
        let mut damage = Damage::default();
        damage.add(area);
        self.window.take(&self.desktop, &damage, true);
    }

    fn draw_over(&mut self, dim: bool, panels: &[Panel]) {
        self.overlay = Overlay { dim, panels: panels.to_vec() };
        self.window.set_overlay(&self.overlay);
    }

    /// Lives on until something is so.
    fn until(&mut self, mut is_so: impl FnMut(&Stage) -> bool) -> bool {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(10) {
            self.window.wait(None, Duration::from_millis(10)).unwrap();
            self.inputs.extend(self.window.inputs());
            self.window.present().unwrap();
            if is_so(self) {
                return true;
            }
        }
        false
    }

    /// The window's place on the screen.
    fn place(&self) -> Option<[u16; 4]> {
        let root = self.screen.setup().roots[0].root;
        let windows = self.screen.query_tree(root).unwrap().reply().unwrap().children;
        let seen = |&&window: &&u32| {
            let asked = self.screen.get_window_attributes(window).unwrap().reply();
            asked.is_ok_and(|window| window.map_state == MapState::VIEWABLE)
        };
        let place = self.screen.get_geometry(*windows.iter().rev().find(seen)?).unwrap().reply().ok()?;
        Some([place.x as u16, place.y as u16, place.width, place.height])
    }

    /// What the window shows, red, green and blue of each pixel.
    fn seen(&self) -> Option<(Size, Vec<[u8; 3]>)> {
        let setup = &self.screen.setup().roots[0];
        let [x, y, width, height] = self.place()?;
        let (x, y) = (x as i16, y as i16);
        let image = self.screen.get_image(ImageFormat::Z_PIXMAP, setup.root, x, y, width, height, !0).unwrap();
        let data = image.reply().ok()?.data;
        let pixels = match setup.root_depth {
            16 => {
                let rows = data.chunks_exact(data.len() / usize::from(height));
                let pixels = rows.flat_map(|row| row.chunks_exact(2).take(width.into()));
                let pixels = pixels.map(|pixel| u16::from_le_bytes([pixel[0], pixel[1]]));
                pixels
                    .map(|p| [(p >> 11) << 3 | 4, (p >> 5 & 63) << 2 | 2, (p & 31) << 3 | 4].map(|c| c as u8))
                    .collect()
            }
            _ => data.chunks_exact(4).map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect(),
        };
        Some((Size::new(width, height), pixels))
    }

    /// What it should show: the desktop in the middle, and the panels over it.
    fn expected(&self, size: Size) -> Vec<[u8; 3]> {
        let mut pixels = vec![0; size.pixels()];
        let mut lay = |picture: &Canvas, x: i32, y: i32, part: u32| {
            let from = picture.size();
            for (at, pixel) in picture.pixels().iter().enumerate() {
                let x = x + (at % usize::from(from.width)) as i32;
                let y = y + (at / usize::from(from.width)) as i32;
                if (0..size.width.into()).contains(&x) && (0..size.height.into()).contains(&y) {
                    let dark = ByteOrder::Bgrx.colour(*pixel).map(|c| (u32::from(c) * part / 100) as u8);
                    pixels[y as usize * usize::from(size.width) + x as usize] = ByteOrder::Bgrx.pixel(dark);
                }
            }
        };
        let middle = |room: u16, desktop: u16| i32::from(room.saturating_sub(desktop) / 2);
        let desktop = self.desktop.size();
        let (x, y) = (middle(size.width, desktop.width), middle(size.height, desktop.height));
        lay(&self.desktop, x, y, if self.overlay.dim { 45 } else { 100 });
        for panel in &self.overlay.panels {
            lay(&panel.picture, panel.x, panel.y, 100);
        }
        pixels.iter().map(|&pixel| ByteOrder::Bgrx.colour(pixel)).collect()
    }

    /// It shows what it should, and still does a moment later.
    fn shows_all(&mut self, what: &str) {
        let exact = self.screen.setup().roots[0].root_depth != 16;
        let near = match (exact, self.overlay.dim) {
            (true, false) => 0,
            (true, true) => 2,
            // A step of 5 bits is 8, and what is made darker is rounded twice.
            (false, false) => 8,
            (false, true) => 12,
        };
        for _ in 0..2 {
            let mut differ = String::new();
            let so = self.until(|stage| {
                let Some((size, seen)) = stage.seen() else { return false };
                let expected = stage.expected(size);
                let unlike = |(a, b): (&[u8; 3], &[u8; 3])| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > near);
                let wrong: Vec<usize> = seen
                    .iter()
                    .zip(&expected)
                    .enumerate()
                    .filter(|(_, pair)| unlike(*pair))
                    .map(|(at, _)| at)
                    .collect();
                let first = wrong.first().map(|&at| (at % usize::from(size.width), at / usize::from(size.width)));
                let pixels = wrong.first().map(|&at| (seen[at], expected[at]));
                differ = format!("{} pixels of {size} differ, first {first:?}: {pixels:?}", wrong.len());
                seen.len() == expected.len() && wrong.is_empty()
            });
            assert!(so, "{what}: {differ}");
            let start = Instant::now();
            self.until(|_| start.elapsed() > Duration::from_millis(60));
        }
    }
}

fn colour(canvas: &mut Canvas, area: sshvnc::picture::Area, seed: u32) {
    let mut target = canvas.target(area).unwrap();
    for (y, row) in target.rows_from(0).enumerate() {
        for (x, pixel) in row.iter_mut().enumerate() {
            *pixel =
                (x as u32).wrapping_mul(2_654_435_761).wrapping_add(y as u32 * 40_503 + seed * 7_919) & 0x00ff_ffff;
        }
    }
}

fn panel(x: i32, y: i32, width: u16, height: u16, seed: u32) -> Panel {
    let mut picture = Canvas::new(Size::new(width, height), ByteOrder::Bgrx);
    let whole = picture.size().whole();
    colour(&mut picture, whole, seed);
    Panel { x, y, picture: Rc::new(picture) }
}

fn at(panel: &Panel, x: i32, y: i32) -> Panel {
    Panel { x, y, ..panel.clone() }
}

const ALL: [u16; 4] = [0, 0, 320, 240];

fn panels_come_change_and_go(front_end: FrontEnd) {
    let mut stage = Stage::open(front_end, false, Size::new(320, 240));
    stage.paint(1, ALL);
    stage.shows_all("the desktop");
    let (low, high) = (panel(20, 10, 100, 60, 2), panel(90, 40, 80, 90, 3));
    stage.draw_over(false, &[low.clone(), high.clone()]);
    stage.shows_all("two panels");
    stage.paint(4, ALL);
    stage.paint(5, [50, 30, 100, 40]);
    stage.shows_all("an update under them");
    stage.draw_over(false, &[high.clone(), low.clone()]);
    stage.shows_all("the lower one above");
    let changed = panel(90, 40, 80, 90, 6);
    stage.draw_over(false, &[changed.clone(), low.clone()]);
    stage.shows_all("another picture");
    stage.draw_over(false, &[at(&changed, -30, 200), at(&low, 290, -20)]);
    stage.shows_all("moved, partly out of the window");
    stage.draw_over(false, &[panel(60, 60, 150, 20, 7), at(&changed, -30, 200), panel(0, 0, 0, 0, 1)]);
    stage.shows_all("another size, and nothing");
    stage.draw_over(false, &[]);
    stage.shows_all("none");
    stage.draw_over(false, &[low]);
    stage.desktop.resize(Size::new(300, 260));
    stage.window.open(Size::new(300, 260), "panels").unwrap();
    stage.paint(8, [0, 0, 300, 260]);
    stage.shows_all("a desktop of another size");
}

#[test]
fn panels_come_change_and_go_without_a_trace() {
    on_a_screen("panels_come_change_and_go_without_a_trace", "24", &[], || {
        FRONT_ENDS.into_iter().for_each(panels_come_change_and_go);
    });
}

fn a_desktop_is_dark(front_end: FrontEnd, size: Size) {
    let mut stage = Stage::open(front_end, false, size);
    let all = [0, 0, size.width, size.height];
    stage.paint(1, all);
    stage.draw_over(true, &[]);
    stage.shows_all("dark");
    stage.draw_over(true, &[panel(20, 10, 100, 60, 2)]);
    stage.shows_all("a bright panel over it");
    stage.paint(3, [10, 30, 200, 100]);
    stage.shows_all("painted while dark");
    stage.draw_over(true, &[]);
    stage.shows_all("dark without the panel");
    stage.draw_over(false, &[panel(20, 10, 100, 60, 2)]);
    stage.shows_all("bright again");
    stage.draw_over(false, &[]);
    stage.paint(4, all);
    stage.shows_all("as before");
}

#[test]
fn a_desktop_that_is_not_there_is_dark() {
    on_a_screen("a_desktop_that_is_not_there_is_dark", "24", &[], || {
        FRONT_ENDS.into_iter().for_each(|front_end| a_desktop_is_dark(front_end, Size::new(320, 240)));
    });
}

#[test]
fn a_desktop_that_is_scaled_is_dark_too() {
    on_a_screen("a_desktop_that_is_scaled_is_dark_too", "24", &[], || {
        // The X server scales the first one itself.
        let sizes = [Size::new(1184, 864), Size::new(2960, 2160)];
        for (front_end, size) in FRONT_ENDS.into_iter().flat_map(|front_end| sizes.map(|size| (front_end, size))) {
            let mut stage = Stage::open(front_end, false, size);
            let paint = |stage: &mut Stage, pixel: u32| {
                let whole = size.whole();
                let mut target = stage.desktop.target(whole).unwrap();
                target.fill(0, 0, size.width.into(), size.height.into(), pixel).unwrap();
                let mut damage = Damage::default();
                damage.add(whole);
                stage.window.take(&stage.desktop, &damage, true);
            };
            let all = |stage: &mut Stage, colour: [u8; 3]| {
                let mut first = None;
                let near = |pixel: &[u8; 3]| pixel.iter().zip(colour).all(|(a, b)| a.abs_diff(b) <= 2);
                let so = stage.until(|stage| {
                    let (size, seen) = stage.seen().unwrap();
                    first = seen.iter().copied().find(|pixel| !near(pixel));
                    size.width < 640 && first.is_none()
                });
                assert!(so, "{front_end:?} {size}: {first:?}, not {colour:?}");
            };
            paint(&mut stage, 0x00c8_6432);
            all(&mut stage, [200, 100, 50]);
            stage.draw_over(true, &[]);
            all(&mut stage, [90, 45, 22]);
            paint(&mut stage, 0x0032_64c8);
            all(&mut stage, [22, 45, 90]);
            stage.draw_over(false, &[]);
            all(&mut stage, [50, 100, 200]);
        }
    });
}

#[test]
fn x_servers_of_every_kind_show_panels_and_the_dark() {
    let screens: [(&str, &[&str]); 3] =
        [("16", &[]), ("24", &["-extension", "RENDER"]), ("16", &["-extension", "RENDER", "-extension", "MIT-SHM"])];
    for (depth, options) in screens {
        on_a_screen("x_servers_of_every_kind_show_panels_and_the_dark", depth, options, || {
            panels_come_change_and_go(FrontEnd::X11);
            a_desktop_is_dark(FrontEnd::X11, Size::new(320, 240));
        });
        if std::env::var_os(INSIDE).is_some() {
            break;
        }
    }
}

#[test]
fn before_there_is_a_desktop_there_are_panels() {
    on_a_screen("before_there_is_a_desktop_there_are_panels", "24", &[], || {
        for front_end in FRONT_ENDS {
            let mut stage = Stage::open(front_end, true, Size::default());
            let question = panel(200, 150, 200, 100, 1);
            stage.draw_over(false, std::slice::from_ref(&question));
            stage.shows_all("a question");
            stage.draw_over(true, &[at(&question, 10, 10)]);
            stage.shows_all("elsewhere");
            // There is one pixel of desktop at the most, and the pointer is told all the same.
            for (x, y) in [(30, 30), (31, 30)] {
                stage.point(x, y);
                let here = (i32::from(x), i32::from(y));
                let told = |stage: &Stage| {
                    stage.inputs.iter().any(|input| matches!(input, Input::Pointer { at, .. } if *at == here))
                };
                assert!(stage.until(told), "{front_end:?}: {here:?} is not told");
            }
            stage.point(639, 479);
            stage
                .until(|stage| stage.inputs.iter().any(|input| matches!(input, Input::Pointer { at: (639, 479), .. })));
            stage.desktop.resize(Size::new(320, 240));
            stage.window.open(Size::new(320, 240), "panels").unwrap();
            stage.paint(2, ALL);
            stage.draw_over(false, &[question, panel(0, 0, 50, 50, 3)]);
            stage.shows_all("a desktop");
            stage.draw_over(false, &[]);
            stage.shows_all("and nothing else");
        }
    });
}

#[test]
fn the_pointer_over_a_panel_is_an_arrow_and_is_told_in_the_window() {
    on_a_screen("the_pointer_over_a_panel_is_an_arrow_and_is_told_in_the_window", "24", &[], || {
        for front_end in FRONT_ENDS {
            let mut stage = Stage::open(front_end, false, Size::new(320, 240));
            stage.paint(1, ALL);
            stage.draw_over(false, &[panel(100, 100, 100, 100, 2)]);
            // The desktop hides its own.
            stage.window.set_cursor(None);
            stage.shows_all("a panel");
            let [left, top, ..] = stage.place().unwrap();
            for (x, y) in [(50, 60), (150, 160)] {
                stage.point(left as i16 + x, top as i16 + y);
                let here = (i32::from(x), i32::from(y));
                let told = |stage: &Stage, pressed: u16| {
                    let here = |input: &&Input| {
                        matches!(input, Input::Pointer { x, y, buttons, at }
                        if *at == here && (i32::from(*x), i32::from(*y)) == here && *buttons == pressed)
                    };
                    stage.inputs.iter().any(|input| here(&input))
                };
                assert!(stage.until(|stage| told(stage, 0)), "{front_end:?} {here:?}: {:?}", stage.inputs.len());
                stage.click();
                assert!(stage.until(|stage| told(stage, 1)), "{front_end:?}: a click at {here:?}");
                stage.inputs.clear();
            }
            match front_end {
                FrontEnd::X11 => {
                    let arrow = |stage: &Stage| {
                        let cursor = stage.screen.xfixes_get_cursor_image().unwrap().reply().unwrap();
                        cursor.cursor_image.iter().filter(|pixel| **pixel >> 24 == 255).count() > 20
                    };
                    assert!(stage.until(arrow), "no arrow over the panel");
                    stage.point(left as i16 + 50, top as i16 + 60);
                    assert!(stage.until(|stage| !arrow(stage)), "an arrow over the desktop");
                }
                _ => {
                    // It is drawn: the panel's pixels have changed under it, and come back.
                    let seen = |stage: &Stage| {
                        let (size, seen) = stage.seen().unwrap();
                        let expected = stage.expected(size);
                        let at = 161 * usize::from(size.width) + 150;
                        seen[at] != expected[at]
                    };
                    assert!(stage.until(seen), "no arrow is drawn");
                    stage.point(639, 479);
                    stage.shows_all("the pointer has gone");
                }
            }
        }
    });
}
