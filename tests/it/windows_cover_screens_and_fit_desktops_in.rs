//! The front end for X11: which screens its window covers, with window managers and without, and how a desktop of another
//! size is shown in it, pixel for pixel.

use std::process::Command;
use std::time::Duration;

use sshvnc::display::{Display, Input, Scaling, Screens, Wish};
use sshvnc::picture::{Area, ByteOrder, Canvas, Fit, Size};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{AtomEnum, PropMode};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use crate::real::desktop::{Screen, xdotool};
use crate::real::manager::Manager;
use crate::real::output;
use crate::real::own_window::OwnWindow;
use crate::real::viewer::{Picture, sshvnc};

const SOON: Duration = Duration::from_millis(400);

fn full(scaling: Scaling) -> Wish {
    Wish { fullscreen: true, scaling, ..Wish::default() }
}

fn on(screens: Screens) -> Wish {
    Wish { fullscreen: true, screens, ..Wish::default() }
}

/// The desktop as it is to be shown in a window of this size, in the middle.
fn expected(canvas: &Canvas, fit: Fit, room: Size) -> Picture {
    let mut shown = Canvas::new(fit.size(), ByteOrder::Bgrx);
    let whole = fit.size().whole();
    fit.paint(canvas, whole, &mut shown.target(whole).unwrap());
    let mut rgb = vec![0; room.pixels() * 3];
    let (left, top) = ((room.width - fit.size().width) / 2, (room.height - fit.size().height) / 2);
    for (y, row) in shown.to_rgb().chunks_exact(usize::from(fit.size().width) * 3).enumerate() {
        let start = ((y + usize::from(top)) * usize::from(room.width) + usize::from(left)) * 3;
        rgb[start..start + row.len()].copy_from_slice(row);
    }
    (room.width.into(), room.height.into(), rgb)
}

/// Where two pictures differ most, and by how much.
fn difference(seen: &Picture, expected: &Picture) -> (u32, u32, u8) {
    assert_eq!((seen.0, seen.1), (expected.0, expected.1));
    let pairs = seen.2.iter().zip(&expected.2).map(|(a, b)| a.abs_diff(*b));
    let (at, most) = pairs.enumerate().max_by_key(|(_, differs)| *differs).unwrap();
    let at = at as u32 / 3;
    (at % seen.0, at / seen.0, most)
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

/// The full screen comes and goes, and the window has its keys afterwards; told how it is called.
fn the_full_screen_comes_and_goes(screen: &Screen, size: Size, manager: &str) {
    let desktop = Size::new(300, 200);
    let mut window = OwnWindow::open(&screen.display, Wish::default(), desktop);
    let (width, height) = (u32::from(size.width), u32::from(size.height));
    assert!(window.display.abilities().fullscreen);
    window.turn_for(SOON);
    let keys = |window: &mut OwnWindow| {
        window.told.clear();
        xdotool(&screen.display, &["key", "x"]);
        let pressed = |input: &Input| matches!(input, Input::Key { keysym: 0x78, down: true, .. });
        let typed = window.within(|window| window.told.iter().any(pressed));
        assert!(typed, "{manager}: no key; the focus has {}", xdotool(&screen.display, &["getwindowfocus"]));
    };
    let covers = |window: &mut OwnWindow, covers: bool| {
        let so = window.within(|window| {
            let (x, y, w, h) = window.place();
            let whole = (x, y, w, h) == (0, 0, width, height);
            let room = window.room();
            let told = window.told_room() == Some(&room) || window.told.is_empty();
            let expected = if covers { size } else { desktop };
            whole == covers
                && (w, h) == (expected.width.into(), expected.height.into())
                && room.fullscreen == covers
                && room.size == expected
                && told
        });
        assert!(so, "{manager}: {covers}, but {:?}, {:?}", window.place(), window.room());
        // All of it can be seen, the desktop in the middle.
        let expected = expected(&window.canvas, Fit::same(desktop), if covers { size } else { desktop });
        let shown = window.within(|window| difference(&window.picture(), &expected).2 == 0);
        assert!(shown, "{manager}: {covers}: {:?}", difference(&window.picture(), &expected));
    };
    covers(&mut window, false);
    for _ in 0..2 {
        window.display.set_fullscreen(true);
        covers(&mut window, true);
        keys(&mut window);
        assert_eq!(window.room().screens, [size.whole()]);
        window.display.set_fullscreen(false);
        covers(&mut window, false);
        let id = window.id();
        xdotool(&screen.display, &["mousemove", "--window", &id, "50", "60"]);
        keys(&mut window);
    }
    drop(window);
    // From the beginning.
    let mut window = OwnWindow::open(&screen.display, on(Screens::Current), desktop);
    covers(&mut window, true);
    keys(&mut window);
    window.display.set_fullscreen(false);
    covers(&mut window, false);
    let id = window.id();
    xdotool(&screen.display, &["mousemove", "--window", &id, "50", "60"]);
    keys(&mut window);
}

#[test]
fn a_full_screen_comes_and_goes_without_a_window_manager() {
    the_full_screen_comes_and_goes(&Screen::start(800, 600), Size::new(800, 600), "none");
}

#[test]
fn a_full_screen_comes_and_goes_under_openbox() {
    let screen = Screen::start(800, 600);
    let _manager = screen.manage("openbox", &["--sm-disable"]);
    the_full_screen_comes_and_goes(&screen, Size::new(800, 600), "openbox");
}

#[test]
fn a_full_screen_comes_and_goes_under_fvwm() {
    let screen = Screen::start(800, 600);
    let _manager = screen.manage("fvwm", &["-c", "Style * MinOverlapPlacement", "-c", "Style * MouseFocus"]);
    the_full_screen_comes_and_goes(&screen, Size::new(800, 600), "fvwm");
}

#[test]
fn a_window_manager_that_came_later_gets_the_window() {
    let screen = Screen::start(800, 600);
    let mut window = OwnWindow::open(&screen.display, full(Scaling::Shrink), Size::new(300, 200));
    assert!(window.within(|window| window.place() == (0, 0, 800, 600)));
    let _manager = screen.manage("openbox", &["--sm-disable"]);
    window.display.set_fullscreen(false);
    let framed = window.within(|window| {
        let (_, y, width, height) = window.place();
        (width, height) == (300, 200) && y > 0
    });
    assert!(framed, "{:?}", window.place());
    window.display.set_fullscreen(true);
    assert!(window.within(|window| window.place() == (0, 0, 800, 600) && window.room().fullscreen));
}

#[test]
fn a_window_manager_that_covers_no_screen_gets_one_line() {
    let screen = Screen::start(800, 600);
    let _manager = Manager::start(&screen.display, false);
    let mut window = OwnWindow::open(&screen.display, full(Scaling::Shrink), Size::new(300, 200));
    window.turn_for(Duration::from_millis(3500));
    assert!(!window.room().fullscreen);
    assert_eq!((window.place().2, window.place().3), (300, 200));
    // It is a window like others from then on.
    window.resize(Size::new(320, 240));
    assert!(window.within(|window| (window.place().2, window.place().3) == (320, 240)));
    // The line, of the program.
    let home = tempfile::tempdir().unwrap();
    let mut demo = sshvnc(home.path());
    let viewer = demo.args(["demo", "--fullscreen"]).env("DISPLAY", &screen.display).spawn().unwrap();
    drop(window);
    std::thread::sleep(Duration::from_secs(5));
    crate::real::signal(viewer.id(), "TERM");
    let said = crate::real::viewer::finish(viewer, Duration::from_secs(10)).said;
    let lines = said.lines().filter(|line| line.contains("does not let the window cover the screen")).count();
    assert!(lines == 1 && said.lines().count() == 1, "{said}");
}

/// Two monitors beside each other, of another height, which are made of one screen.
fn two_monitors() -> Screen {
    let screen = Screen::start(1000, 500);
    screen.cut(&[[600, 500, 0, 0], [400, 300, 600, 100]]);
    screen
}

#[test]
fn the_screens_that_are_named_are_covered() {
    let screen = two_monitors();
    let size = Size::new(1000, 500);
    let both = [size.area(0, 0, 600, 500).unwrap(), size.area(600, 100, 400, 300).unwrap()];
    let one = |width, height| vec![Size::new(width, height).whole()];
    type Case = (&'static str, Screens, (u32, u32), (u32, u32, u32, u32), Vec<Area>);
    let cases: [Case; 7] = [
        ("all", Screens::All, (5, 5), (0, 0, 1000, 500), both.to_vec()),
        ("1", Screens::These(vec![1]), (700, 200), (0, 0, 600, 500), one(600, 500)),
        ("2", Screens::These(vec![2]), (5, 5), (600, 100, 400, 300), one(400, 300)),
        ("2,1", Screens::These(vec![2, 1]), (5, 5), (0, 0, 1000, 500), both.to_vec()),
        ("current", Screens::Current, (5, 5), (0, 0, 600, 500), one(600, 500)),
        ("current", Screens::Current, (900, 200), (600, 100, 400, 300), one(400, 300)),
        // There is none; the current one is taken.
        ("3", Screens::These(vec![3]), (900, 200), (600, 100, 400, 300), one(400, 300)),
    ];
    for (name, screens, (x, y), place, areas) in cases {
        xdotool(&screen.display, &["mousemove", &x.to_string(), &y.to_string()]);
        let mut window = OwnWindow::open(&screen.display, on(screens), Size::new(300, 200));
        assert!(window.within(|window| window.place() == place), "{name}: {:?}", window.place());
        window.turn_for(SOON);
        let room = window.room();
        assert!(room.fullscreen && room.screens == areas && room.density < 1.02, "{name}: {room:?}");
        assert_eq!(window.told_room(), Some(&room));
    }
    // A window opens on the monitor with the pointer, no larger than that.
    xdotool(&screen.display, &["mousemove", "900", "200"]);
    let mut window = OwnWindow::open(&screen.display, Wish::default(), Size::new(800, 400));
    let (x, y, width, height) = window.place();
    assert!((x, y) == (600, 100) && width <= 400 && height <= 300, "{:?}", window.place());
    // And covers that one.
    window.display.set_fullscreen(true);
    assert!(window.within(|window| window.place() == (600, 100, 400, 300)), "{:?}", window.place());
}

#[test]
fn a_screen_that_there_is_not_gets_one_line() {
    let screen = two_monitors();
    let home = tempfile::tempdir().unwrap();
    let mut demo = sshvnc(home.path());
    let options = ["demo", "--fullscreen", "--screens", "3"];
    let viewer = demo.args(options).env("DISPLAY", &screen.display).spawn().unwrap();
    let window = crate::real::window::Window::new(viewer, &screen.display);
    assert!(crate::real::within(crate::real::PATIENCE, || window.place() == (0, 0, 600, 500)), "{:?}", window.place());
    let said = window.close().said;
    assert!(
        said.contains("there is no screen 3, only 2; the current one is covered") && said.lines().count() == 1,
        "{said}"
    );
}

#[test]
fn monitors_that_come_and_go_are_followed() {
    let screen = two_monitors();
    let mut window = OwnWindow::open(&screen.display, on(Screens::All), Size::new(300, 200));
    assert!(window.within(|window| window.told_room().is_some_and(|room| room.screens.len() == 2)));
    // The left one only.
    output(Command::new("xrandr").args(["--delmonitor", "part1"]).env("DISPLAY", &screen.display));
    let told = window.within(|window| window.place() == (0, 0, 600, 500) && window.room().screens.len() == 1);
    assert!(told, "{:?} {:?}", window.place(), window.room());
    let mut xrandr = Command::new("xrandr");
    output(xrandr.args(["--setmonitor", "part2", "200/53x100/26+600+0", "none"]).env("DISPLAY", &screen.display));
    let told = window.within(|window| window.place() == (0, 0, 800, 500) && window.room().screens.len() == 2);
    assert!(told, "{:?} {:?}", window.place(), window.room());
    assert_eq!(window.told_room(), Some(&window.room()));
}

#[test]
fn a_window_manager_is_told_which_screens() {
    let screen = two_monitors();
    let manager = Manager::start(&screen.display, true);
    let asked = |name: &str| manager.asked().into_iter().rev().find(|asked| asked.0 == name).map(|asked| asked.1);
    let both = (0, 0, 1000, 500);
    let mut window = OwnWindow::open(&screen.display, on(Screens::All), Size::new(300, 200));
    assert!(window.within(|window| window.place() == both), "{:?}", window.place());
    assert_eq!(asked("_NET_WM_FULLSCREEN_MONITORS"), Some([0, 0, 0, 1, 1]));
    assert!(window.within(|window| window.room().fullscreen && window.room().screens.len() == 2));
    drop(window);
    let mut window = OwnWindow::open(
        &screen.display,
        Wish { fullscreen: false, ..on(Screens::These(vec![2])) },
        Size::new(300, 200),
    );
    window.turn_for(SOON);
    window.display.set_fullscreen(true);
    assert!(window.within(|window| window.place() == (600, 100, 400, 300)), "{:?}", window.place());
    assert_eq!(asked("_NET_WM_FULLSCREEN_MONITORS"), Some([1, 1, 1, 1, 1]));
    assert_eq!(asked("_NET_WM_STATE").map(|data| (data[0], data[3])), Some((1, 1)));
    assert!(window.within(|window| window.room().fullscreen));
    window.display.set_fullscreen(false);
    assert!(window.within(|window| !window.room().fullscreen && !window.told_room().unwrap().fullscreen));
    assert!(window.within(|_| asked("_NET_WM_STATE").map(|data| data[0]) == Some(0)));
}

#[test]
fn under_a_window_manager_the_screen_that_is_named_is_covered() {
    let screen = two_monitors();
    let _manager = screen.manage("openbox", &["--sm-disable"]);
    for (number, place) in [(1, (0, 0, 600, 500)), (2, (600, 100, 400, 300))] {
        let wish = on(Screens::These(vec![number]));
        let mut window = OwnWindow::open(&screen.display, wish, Size::new(300, 200));
        assert!(window.within(|window| window.place() == place), "{number}: {:?}", window.place());
        assert!(window.within(|window| window.room().fullscreen));
        window.display.set_fullscreen(false);
        assert!(window.within(|window| (window.place().2, window.place().3) == (300, 200)));
        window.display.set_fullscreen(true);
        assert!(window.within(|window| window.place() == place), "{number} again: {:?}", window.place());
    }
}

#[test]
fn fine_pixels_are_told() {
    let screen = Screen::start(800, 600);
    let (connection, number) = RustConnection::connect(Some(&screen.display)).unwrap();
    let root = connection.setup().roots[number].root;
    let set = |resources: &[u8]| {
        let (property, kind) = (AtomEnum::RESOURCE_MANAGER, AtomEnum::STRING);
        connection.change_property8(PropMode::REPLACE, root, property, kind, resources).unwrap().check().unwrap();
    };
    let density = || OwnWindow::open(&screen.display, Wish::default(), Size::new(300, 200)).room().density;
    // Its monitor says that it is 0 mm wide.
    assert_eq!(density(), 1.0);
    set(b"XTerm*font: fixed\nXft.dpi:\t192\n");
    assert_eq!(density(), 2.0);
    set(b"Xft.dpi: 0");
    assert_eq!(density(), 1.0);
    // 800 pixels on 106 mm.
    let mut xrandr = Command::new("xrandr");
    output(xrandr.args(["--setmonitor", "fine", "800/106x600/80+0+0", "screen"]).env("DISPLAY", &screen.display));
    assert!((1.9..2.1).contains(&density()), "{}", density());
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
