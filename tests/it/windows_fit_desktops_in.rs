//! How a desktop of another size is shown in its window, pixel for pixel, and where the pointer is in it: by the front end
//! for X11, with the server's help and without, and by the portable one.

use std::process::Command;
use std::time::Duration;

use sshvnc::display::{Display, Input, Scaling, Wish};
use sshvnc::picture::{ByteOrder, Canvas, Fit, Size};

use crate::real::desktop::{Desktop, Screen, Server, xdotool};
use crate::real::own_window::{OwnWindow, difference, expected};
use crate::real::viewer::sshvnc;
use crate::real::window::Window;
use crate::real::{PATIENCE, output, within};

const SOON: Duration = Duration::from_millis(400);

fn full(scaling: Scaling) -> Wish {
    Wish { fullscreen: true, scaling, ..Wish::default() }
}

/// In a full screen of 500x400 each way shows what it should, of all and of a changed part; the pointer is where it seems.
fn each_way_shows_what_it_should(screen: &Screen, exact: bool) {
    let room = Size::new(500, 400);
    for desktop in [Size::new(120, 70), Size::new(700, 500), Size::new(1500, 300), Size::new(500, 400), Size::new(1, 1)]
    {
        let mut window = OwnWindow::open(&screen.display, full(Scaling::Shrink), desktop);
        type Way = fn(Size, Size) -> Fit;
        let ways: [(Scaling, Way); 4] = [
            (Scaling::Shrink, Fit::inside),
            (Scaling::Fit, Fit::contained),
            (Scaling::Fill, Fit::filling),
            (Scaling::Integer, Fit::in_squares),
        ];
        for (scaling, way) in ways {
            let fit = way(desktop, room);
            window.display.set_scaling(scaling);
            // The server counts with fewer bits, and made smaller it looks at fewer pixels.
            let smaller = fit.size().width < desktop.width || fit.size().height < desktop.height;
            let most = match () {
                () if exact || fit.is_same() || fit.is_in_squares() => 0,
                () if smaller => 255,
                () => 6,
            };
            let mut differs = (0, 0, 0);
            let mut shows = |window: &mut OwnWindow, what: &str| {
                let shown = window.within(|window| {
                    let expected = expected(&window.canvas, fit, room);
                    differs = difference(&window.picture(), &expected);
                    differs.2 <= most
                });
                assert!(shown, "{desktop} {scaling:?} {what}: {differs:?}");
            };
            shows(&mut window, "whole");
            let whole = if most == 255 { Some(window.picture()) } else { None };
            let area = desktop.area(desktop.width / 3, desktop.height / 2, desktop.width.div_ceil(5), 1).unwrap();
            window.paint(area, 77 + scaling as u32);
            shows(&mut window, "part");
            if let Some(whole) = whole {
                // Painted all anew it is the same as with the part alone.
                window.turn_for(SOON);
                let part = window.picture();
                assert_ne!(difference(&part, &whole).2, 0, "{desktop} {scaling:?}");
                window.display.set_scaling(Scaling::None);
                window.turn_for(SOON);
                window.display.set_scaling(scaling);
                window.turn_for(SOON);
                assert_eq!(difference(&window.picture(), &part), (499, 399, 0), "{desktop} {scaling:?}");
            }
            let corner = [(500 - fit.size().width) / 2, (400 - fit.size().height) / 2].map(i32::from);
            for (x, y) in [(0, 0), (499, 399), (250, 200), (77, 300), (499, 0)] {
                xdotool(&screen.display, &["mousemove", &x.to_string(), &y.to_string()]);
                let there = Some(fit.picture_at(x - corner[0], y - corner[1]));
                let told = window.within(|window| window.pointer() == there);
                assert!(told, "{desktop} {scaling:?} {x},{y}: {:?} instead of {there:?}", window.pointer());
            }
        }
    }
}

#[test]
fn a_desktop_is_shown_in_every_way_by_the_server() {
    each_way_shows_what_it_should(&Screen::start(500, 400), false);
}

#[test]
fn a_desktop_is_shown_in_every_way_without_render() {
    each_way_shows_what_it_should(&Screen::start_with_options(500, 400, 24, &["-extension", "RENDER"]), true);
}

#[test]
fn the_pointer_at_an_edge_moves_a_desktop_that_does_not_fit() {
    let screen = Screen::start(400, 300);
    let desktop = Size::new(900, 200);
    let mut window = OwnWindow::open(&screen.display, full(Scaling::None), desktop);
    let shows = |window: &mut OwnWindow, left: u16| {
        let part = desktop.area(left, 0, 400, 200).unwrap();
        let mut seen = Canvas::new(part.size(), ByteOrder::Bgrx);
        for (to, from) in seen.target(part.size().whole()).unwrap().rows_from(0).zip(window.canvas.rows(part)) {
            to.copy_from_slice(from);
        }
        let expected = expected(&seen, Fit::same(part.size()), Size::new(400, 300));
        let shown = window.within(|window| difference(&window.picture(), &expected).2 == 0);
        assert!(shown, "{left}: {:?}", window.pointer());
    };
    let point = |x: u32, y: u32| {
        xdotool(&screen.display, &["mousemove", &x.to_string(), &y.to_string()]);
    };
    point(200, 150);
    shows(&mut window, 0);
    point(399, 150);
    assert!(window.within(|window| window.pointer() == Some((899, 100))), "{:?}", window.pointer());
    shows(&mut window, 500);
    // Neither does it move in the middle, nor up or down where nothing is.
    point(200, 0);
    assert!(window.within(|window| window.pointer() == Some((700, 0))));
    window.turn_for(SOON);
    shows(&mut window, 500);
    let told = window.told.len();
    window.turn_for(SOON);
    assert_eq!(window.told.len(), told);
    // What is painted while it is not seen is there later.
    window.paint(desktop.area(0, 0, 450, 100).unwrap(), 9);
    shows(&mut window, 500);
    point(5, 150);
    assert!(window.within(|window| window.pointer() == Some((5, 100))), "{:?}", window.pointer());
    shows(&mut window, 0);
}

#[test]
fn a_window_without_a_desktop_is_black_and_takes_the_size_of_one() {
    let screen = Screen::start(1000, 700);
    let mut window = OwnWindow::open(&screen.display, Wish::default(), Size::default());
    assert_eq!(window.place(), (0, 0, 640, 400));
    assert!(window.picture().2.iter().all(|&byte| byte == 0));
    assert_eq!(window.room().size, Size::new(640, 400));
    window.resize(Size::new(300, 200));
    assert!(window.within(|window| window.place() == (0, 0, 300, 200)), "{:?}", window.place());
    let small = Screen::start(320, 240);
    let window = OwnWindow::open(&small.display, Wish::default(), Size::default());
    assert_eq!(window.place(), (0, 0, 320, 240));
}

#[test]
fn a_window_that_the_user_has_resized_keeps_its_size() {
    let screen = Screen::start(800, 600);
    let mut window = OwnWindow::open(&screen.display, Wish::default(), Size::new(300, 200));
    window.resize(Size::new(400, 300));
    assert!(window.within(|window| window.place() == (0, 0, 400, 300)));
    // As it was told, and told once.
    window.turn_for(SOON);
    window.told.clear();
    xdotool(&screen.display, &["windowsize", &window.id(), "500", "310"]);
    assert!(window.within(|window| window.told_room().is_some_and(|room| room.size == Size::new(500, 310))));
    window.turn_for(Duration::from_millis(600));
    window.resize(Size::new(200, 100));
    window.turn_for(SOON);
    assert_eq!(window.place(), (0, 0, 500, 310));
    let rooms = window.told.iter().filter(|input| matches!(input, Input::Room(_))).count();
    assert_eq!(rooms, 1, "{:?}", window.told);
    // The desktop has come to the window's size: from then on the window follows again.
    window.resize(Size::new(500, 310));
    window.resize(Size::new(250, 250));
    assert!(window.within(|window| window.place() == (0, 0, 250, 250)), "{:?}", window.place());
}

/// A full screen of a server's desktop of 800x600 on a screen of another size, by the portable front end.
#[test]
fn the_portable_window_shows_every_way_too() {
    let desktop = Desktop::start_without_password(Server::Xtigervnc);
    let home = tempfile::tempdir().unwrap();
    let (screen_width, screen_height) = (1700, 1250);
    let screen = Screen::start(screen_width, screen_height);
    let room = Size::new(screen_width, screen_height);
    type Way = fn(Size, Size) -> Fit;
    let ways: [(&str, Way); 4] =
        [("shrink", Fit::inside), ("fit", Fit::contained), ("fill", Fit::filling), ("integer", Fit::in_squares)];
    for (name, way) in ways {
        let mut command = sshvnc(home.path());
        command.args(["--direct", &format!("127.0.0.1::{}", desktop.port), "--display", "minifb", "--fullscreen"]);
        command.args(["--no-remote-resize", "--scaling", name]).env("DISPLAY", &screen.display);
        let window = Window::new(command.spawn().unwrap(), &screen.display);
        assert!(within(PATIENCE, || window.id().is_some()), "no window: {:?}", window.close());
        let fit = way(Size::new(800, 600), room);
        let corner = [(room.width - fit.size().width) / 2, (room.height - fit.size().height) / 2].map(i32::from);
        for (x, y) in [(0, 0), (1699, 1249), (800, 700), (1350, 300)] {
            xdotool(&screen.display, &["mousemove", &x.to_string(), &y.to_string()]);
            let (there_x, there_y) = fit.picture_at(x - corner[0], y - corner[1]);
            let expected = format!("x:{there_x} y:{there_y} ");
            let mut there = String::new();
            let arrives = within(Duration::from_secs(10), || {
                let mut xdotool = Command::new("xdotool");
                there = output(xdotool.arg("getmouselocation").env("DISPLAY", &desktop.display));
                there.starts_with(&expected)
            });
            assert!(arrives, "{name} {x},{y}: {there} instead of {expected}");
        }
        // The pointer, which is drawn there, is in the lower right corner.
        xdotool(&screen.display, &["mousemove", "1699", "1249"]);
        let mut wrong = 0;
        let shown = within(Duration::from_secs(10), || {
            let (width, height, rgb) = desktop.screen();
            let mut canvas = Canvas::new(Size::new(width as u16, height as u16), ByteOrder::Bgrx);
            let whole = canvas.size().whole();
            let rows = rgb.chunks_exact(width as usize * 3);
            for (to, from) in canvas.target(whole).unwrap().rows_from(0).zip(rows) {
                for (to, from) in to.iter_mut().zip(from.chunks_exact(3)) {
                    *to = ByteOrder::Bgrx.pixel([from[0], from[1], from[2]]);
                }
            }
            let (seen, expected) = (window.picture(), expected(&canvas, fit, room));
            wrong = seen.2.chunks_exact(3).zip(expected.2.chunks_exact(3)).filter(|(a, b)| a != b).count();
            wrong < 24 * 24
        });
        assert!(shown, "{name}: {wrong} pixels");
        assert_eq!(window.close().code, Some(143));
    }
}

#[test]
fn the_pointer_moves_a_large_desktop_in_the_portable_window() {
    let desktop = Desktop::start_without_password(Server::Xtigervnc);
    let (home, screen) = (tempfile::tempdir().unwrap(), Screen::start(400, 300));
    let mut command = sshvnc(home.path());
    command.args(["--direct", &format!("127.0.0.1::{}", desktop.port), "--display", "minifb", "--fullscreen"]);
    command.args(["--no-remote-resize", "--scaling", "none"]).env("DISPLAY", &screen.display);
    let window = Window::new(command.spawn().unwrap(), &screen.display);
    assert!(within(PATIENCE, || window.id().is_some()), "no window: {:?}", window.close());
    for ((x, y), expected) in [((399, 299), "x:799 y:599 "), ((200, 150), "x:600 y:450 "), ((0, 150), "x:0 y:450 ")] {
        xdotool(&screen.display, &["mousemove", &x.to_string(), &y.to_string()]);
        let mut there = String::new();
        let arrives = within(Duration::from_secs(10), || {
            let mut xdotool = Command::new("xdotool");
            there = output(xdotool.arg("getmouselocation").env("DISPLAY", &desktop.display));
            there.starts_with(expected)
        });
        assert!(arrives, "{x},{y}: {there} instead of {expected}");
    }
    // The lower left part.
    xdotool(&screen.display, &["mousemove", "200", "150"]);
    let part = |(width, _, pixels): (u32, u32, Vec<u8>)| -> Vec<u8> {
        let rows = pixels.chunks_exact(width as usize * 3).skip(300);
        rows.flat_map(|row| row[..1200].to_vec()).collect()
    };
    let shown = within(Duration::from_secs(10), || {
        let (seen, there) = (window.picture().2, part(desktop.screen()));
        seen.chunks_exact(3).zip(there.chunks_exact(3)).filter(|(a, b)| a != b).count() < 24 * 24
    });
    assert!(shown);
    assert_eq!(window.close().code, Some(143));
}
