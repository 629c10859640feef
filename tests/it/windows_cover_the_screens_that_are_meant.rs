//! The front end for X11: which screens its window covers, with window managers and without, and what it tells of them.

use std::process::Command;
use std::time::Duration;

use sshvnc::display::{Display, Input, Scaling, Screens, Wish};
use sshvnc::picture::{Fit, Size};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{AtomEnum, PropMode};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use crate::real::desktop::{Screen, xdotool};
use crate::real::manager::Manager;
use crate::real::output;
use crate::real::own_window::{OwnWindow, difference, expected};
use crate::real::viewer::sshvnc;

const SOON: Duration = Duration::from_millis(400);

fn full(scaling: Scaling) -> Wish {
    Wish { fullscreen: true, scaling, ..Wish::default() }
}

fn on(screens: Screens) -> Wish {
    Wish { fullscreen: true, screens, ..Wish::default() }
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
    screen.without_windows();
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
fn what_the_window_managers_own_keys_do_is_followed() {
    let screen = Screen::start(800, 600);
    let _manager = screen.manage("openbox", &["--sm-disable"]);
    let mut window = OwnWindow::open(&screen.display, Wish::default(), Size::new(300, 200));
    window.turn_for(SOON);
    let cover = |window: &OwnWindow, cover: bool| screen.ask_to_cover(window.id().parse().unwrap(), cover);
    cover(&window, true);
    assert!(window.within(|window| window.told_room().is_some_and(|room| room.fullscreen)), "{:?}", window.room());
    // It keeps the size of the screen then.
    window.resize(Size::new(400, 300));
    window.turn_for(SOON);
    assert_eq!(window.place(), (0, 0, 800, 600));
    cover(&window, false);
    assert!(window.within(|window| window.told_room().is_some_and(|room| !room.fullscreen)), "{:?}", window.room());
    // And from here as well.
    cover(&window, true);
    assert!(window.within(|window| window.room().fullscreen));
    window.display.set_fullscreen(false);
    assert!(window.within(|window| window.place() != (0, 0, 800, 600) && !window.room().fullscreen));
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
    let cases = [
        ("all", Screens::All, (5, 5), (0, 0, 1000, 500), both.to_vec()),
        ("1", Screens::These(vec![1]), (700, 200), (0, 0, 600, 500), one(600, 500)),
        ("2", Screens::These(vec![2]), (5, 5), (600, 100, 400, 300), one(400, 300)),
        ("2,1", Screens::These(vec![2, 1]), (5, 5), (0, 0, 1000, 500), both.to_vec()),
        ("current", Screens::Current, (5, 5), (0, 0, 600, 500), one(600, 500)),
        ("current", Screens::Current, (900, 200), (600, 100, 400, 300), one(400, 300)),
        ("4,2", Screens::These(vec![4, 2]), (5, 5), (600, 100, 400, 300), one(400, 300)),
        // There is none; the current one is taken.
        ("3", Screens::These(vec![3]), (900, 200), (600, 100, 400, 300), one(400, 300)),
    ];
    for (name, screens, (x, y), place, areas) in cases {
        let (x, y): (u32, u32) = (x, y);
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
fn a_window_manager_that_covers_only_one_screen_gets_one_line() {
    let screen = two_monitors();
    let _manager = screen.manage("openbox", &["--sm-disable"]);
    let home = tempfile::tempdir().unwrap();
    let mut demo = sshvnc(home.path());
    let viewer =
        demo.args(["demo", "-fullscreen", "--screens", "all"]).env("DISPLAY", &screen.display).spawn().unwrap();
    let window = crate::real::window::Window::new(viewer, &screen.display);
    assert!(crate::real::within(crate::real::PATIENCE, || window.place() == (0, 0, 600, 500)), "{:?}", window.place());
    let said = window.close().said;
    assert!(said.contains("the window manager covers one screen, not several") && said.lines().count() == 1, "{said}");
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
