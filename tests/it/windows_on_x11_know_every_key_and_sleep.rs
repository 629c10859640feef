//! What the front end made for X11 does beyond the portable one: every key of every layout, uncovered parts, other depths,
//! old servers, full screens, and nothing while nothing happens.

use std::fs;
use std::process::Command;
use std::time::Duration;

use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    ConnectionExt, CreateWindowAux, ImageFormat, KEY_PRESS_EVENT, KEY_RELEASE_EVENT, WindowClass,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

use crate::real::desktop::{Desktop, Screen, Server, xdotool};
use crate::real::sshd::Sshd;
use crate::real::viewer::{Picture, finish, same_but_for_the_pointer};
use crate::real::window::Window;
use crate::real::{Running, output, within};

const SOON: Duration = Duration::from_secs(10);

fn shows(window: &Window, desktop: &Desktop) -> Result<(), String> {
    let mut differs = Err(String::new());
    within(SOON, || {
        differs = same_but_for_the_pointer(&window.picture(), &desktop.screen());
        differs.is_ok()
    });
    differs
}

/// Keysyms that change what other keys give.
fn is_modifier(keysym: &str) -> bool {
    matches!(keysym, "0xffe1" | "0xffe2" | "0xffe5" | "0xfe03" | "0xffe9" | "0xffea" | "0xff7e")
}

/// The keysyms of the keys pressed so far, of what xev has written.
fn pressed(log: &str) -> Vec<String> {
    let events = log.split("\n\n").filter(|lines| lines.trim_start().starts_with("KeyPress"));
    let keysym = |lines: &str| Some(lines.split_once("(keysym ")?.1.split_once(',')?.0.to_owned());
    events.filter_map(keysym).filter(|keysym| !is_modifier(keysym)).collect()
}

/// Letters, digits, punctuation, dead keys, keypad and function keys by their places: each alone, with Shift, and some with
/// AltGr; letters and digits with Caps Lock too.
fn type_everything(display: &str) -> usize {
    let plain =
        ["24", "26", "38", "43", "52", "10", "20", "21", "34", "35", "47", "48", "49", "51", "61", "94", "86", "67"];
    let third = ["24", "26", "58", "11"];
    let locked = ["24", "38", "10", "11", "16", "18", "19", "34", "47", "48"];
    let delay = ["--delay", "30"];
    let key = |keys: &[&str]| xdotool(display, &[&["key"], &delay[..], keys].concat());
    key(&plain);
    xdotool(display, &["keydown", "50"]);
    key(&plain);
    xdotool(display, &["keyup", "50", "keydown", "108"]);
    key(&third);
    xdotool(display, &["keyup", "108", "key", "66"]);
    key(&locked);
    xdotool(display, &["key", "66"]);
    2 * plain.len() + third.len() + locked.len()
}

#[test]
fn every_key_of_six_layouts_is_what_it_is_locally() {
    let sshd = Sshd::start();
    let screen = Screen::start(1024, 768);
    let desktop = Desktop::start_empty(Server::Xtigervnc);
    let events = desktop.path("client.log");
    let desktop = desktop.with_client("xev", &["-geometry", "400x300+0+0"]);
    let folder = tempfile::tempdir().unwrap();
    let layout = |layout: &str| {
        output(Command::new("setxkbmap").arg(layout).env("DISPLAY", &screen.display));
    };
    let expected: Vec<(&str, Vec<String>)> = ["us", "de", "fr", "es", "ru", "gr"]
        .into_iter()
        .map(|name| {
            layout(name);
            let log = folder.path().join(name);
            let mut xev = Command::new("xev");
            let xev = Running::start(xev.args(["-geometry", "400x300+0+0"]).env("DISPLAY", &screen.display), &log);
            let said = || fs::read_to_string(&log).unwrap();
            assert!(within(SOON, || said().contains("MapNotify event")));
            xdotool(&screen.display, &["mousemove", "200", "200"]);
            let count = type_everything(&screen.display);
            assert!(within(SOON, || pressed(&said()).len() >= count), "{name}: {}", said());
            drop(xev);
            (name, pressed(&said()))
        })
        .collect();
    // Under one viewer: what the layout is may change at any time.
    let window = Window::open(&sshd, &desktop, &screen.display, &[]);
    window.point(200, 200);
    for (name, expected) in expected {
        layout(name);
        // The server has few keys to spare for what its own keyboard lacks.
        output(Command::new("setxkbmap").arg(name).env("DISPLAY", &desktop.display));
        let before = pressed(&fs::read_to_string(&events).unwrap()).len();
        type_everything(&screen.display);
        let mut arrived = Vec::new();
        let same = within(SOON, || {
            arrived = pressed(&fs::read_to_string(&events).unwrap()).split_off(before);
            arrived == expected
        });
        assert!(same, "{name}: {arrived:?}\ninstead of {expected:?}");
    }
    assert_eq!(window.close().code, Some(143));
}

#[test]
fn a_held_key_repeats_and_is_released_with_the_focus() {
    let sshd = Sshd::start();
    let screen = Screen::start(1024, 768);
    let desktop = Desktop::start_empty(Server::Xtigervnc);
    let events = desktop.path("client.log");
    let desktop = desktop.with_client("xev", &["-geometry", "400x300+0+0"]);
    let window = Window::open(&sshd, &desktop, &screen.display, &[]);
    window.point(200, 200);
    let count = |what: &str| {
        let text = fs::read_to_string(&events).unwrap();
        text.split("\n\n").filter(|lines| lines.trim_start().starts_with(what) && lines.contains("0x61, a")).count()
    };
    xdotool(&screen.display, &["keydown", "a"]);
    assert!(within(SOON, || count("KeyPress") >= 3), "{:?}", fs::read_to_string(&events));
    // The pointer leaves, and the keys with it.
    xdotool(&screen.display, &["mousemove", "1000", "700"]);
    let rest = within(SOON, || {
        let presses = count("KeyPress");
        std::thread::sleep(Duration::from_millis(300));
        presses == count("KeyPress") && count("KeyRelease") >= 1
    });
    assert!(rest, "{:?}", fs::read_to_string(&events));
    xdotool(&screen.display, &["keyup", "a"]);
    assert_eq!(window.close().code, Some(143));
}

#[test]
fn what_was_covered_is_shown_again() {
    let sshd = Sshd::start();
    let screen = Screen::start(1024, 768);
    let desktop = Desktop::start(Server::Xtigervnc);
    let window = Window::open(&sshd, &desktop, &screen.display, &[]);
    xdotool(&screen.display, &["mousemove", "1000", "700"]);
    shows(&window, &desktop).unwrap();
    let (connection, number) = RustConnection::connect(Some(&screen.display)).unwrap();
    let root = connection.setup().roots[number].root;
    let cover = connection.generate_id().unwrap();
    let attributes = CreateWindowAux::new().background_pixel(0xff00ff).override_redirect(1);
    connection.create_window(24, cover, root, 100, 80, 300, 200, 0, WindowClass::INPUT_OUTPUT, 0, &attributes).unwrap();
    connection.map_window(cover).unwrap().check().unwrap();
    assert!(same_but_for_the_pointer(&window.picture(), &desktop.screen()).is_err());
    connection.destroy_window(cover).unwrap().check().unwrap();
    shows(&window, &desktop).unwrap();
    assert_eq!(window.close().code, Some(143));
}

#[test]
fn nothing_wakes_it_while_nothing_happens() {
    let sshd = Sshd::start();
    let screen = Screen::start(1024, 768);
    let desktop = Desktop::start(Server::Xtigervnc);
    let window = Window::open(&sshd, &desktop, &screen.display, &[]);
    window.point(10, 10);
    shows(&window, &desktop).unwrap();
    // Each sleep that ended has been counted by the kernel.
    let sleeps = || {
        let folder = format!("/proc/{}/task", window.viewer.id());
        let of = |task: fs::DirEntry| {
            let status = fs::read_to_string(task.path().join("status")).unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap();
            (task.file_name(), line.trim().parse::<u64>().unwrap())
        };
        fs::read_dir(folder).unwrap().map(|task| of(task.unwrap())).collect::<Vec<_>>()
    };
    let mut counted = (Vec::new(), Vec::new());
    let rest = within(Duration::from_secs(20), || {
        let before = sleeps();
        std::thread::sleep(Duration::from_secs(3));
        counted = (before, sleeps());
        counted.0 == counted.1
    });
    assert!(rest, "{counted:?}");
    assert_eq!(window.close().code, Some(143));
}

#[test]
fn an_x_server_that_is_gone_is_one_line_and_a_code() {
    let sshd = Sshd::start();
    let mut screen = Screen::start(1024, 768);
    let desktop = Desktop::start(Server::Xtigervnc);
    let window = Window::open(&sshd, &desktop, &screen.display, &[]);
    shows(&window, &desktop).unwrap();
    screen.kill();
    let ended = finish(window.viewer, SOON);
    assert_eq!(ended.code, Some(5), "{}", ended.said);
    assert!(
        ended.said.starts_with("sshvnc: the X server is lost") && ended.said.lines().count() == 1,
        "{}",
        ended.said
    );
}

#[test]
fn a_window_that_somebody_destroys_is_one_that_was_closed() {
    let sshd = Sshd::start();
    let screen = Screen::start(1024, 768);
    let desktop = Desktop::start_empty(Server::Xtigervnc);
    // It never stands still.
    let desktop = desktop.with_client("xterm", &["-e", "sh", "-c", "while :; do date; done"]);
    for options in [&[][..], &["--fullscreen"], &["--scaling=fill"]] {
        let window = Window::open(&sshd, &desktop, &screen.display, options);
        window.point(100, 100);
        let id = window.id().unwrap();
        if options == ["--scaling=fill"] {
            window.act(&["windowsize", &id, "1000", "700"]);
        }
        xdotool(&screen.display, &["windowmove", &id, "3", "4", "windowclose", &id]);
        let ended = finish(window.viewer, SOON);
        assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""), "{options:?}");
    }
}

/// Pixels of 16 bits of a screen: 5 of red, 6 of green, 5 of blue, each as 8.
fn picture_of_16_bits(display: &str, width: u16, height: u16) -> Picture {
    let (connection, number) = RustConnection::connect(Some(display)).unwrap();
    let root = connection.setup().roots[number].root;
    let image = connection.get_image(ImageFormat::Z_PIXMAP, root, 0, 0, width, height, !0).unwrap().reply().unwrap();
    let pixels = image.data.chunks_exact(2).flat_map(|bytes| {
        let pixel = u16::from_le_bytes([bytes[0], bytes[1]]);
        [(pixel >> 11) as u8 * 8, (pixel >> 5 & 63) as u8 * 4, (pixel & 31) as u8 * 8]
    });
    (width.into(), height.into(), pixels.collect())
}

#[test]
fn a_screen_of_16_bits_is_shown_on() {
    let sshd = Sshd::start();
    let screen = Screen::start_with_depth(1024, 768, 16);
    let desktop = Desktop::start(Server::Xtigervnc);
    let window = Window::open(&sshd, &desktop, &screen.display, &[]);
    // The pixels of the desktop, with as many bits as there are here.
    let close = |a: &u8, b: &u8| a.abs_diff(*b) <= 8;
    let (_, _, there) = desktop.screen();
    let mut wrong = 0;
    let seen = within(SOON, || {
        let (_, _, here) = picture_of_16_bits(&screen.display, 800, 600);
        wrong = here.iter().zip(&there).filter(|(a, b)| !close(a, b)).count();
        // The pointer of the server.
        wrong < 3 * 24 * 24
    });
    assert!(seen, "{wrong}");
    assert_eq!(window.close().code, Some(143));
}

/// Points somewhere and strikes keys, each combination by the keysyms that its keys have alone. xdotool needs XKB.
fn strike_without_xkb(display: &str, (x, y): (i16, i16), combinations: &[&[u32]]) {
    let (connection, number) = RustConnection::connect(Some(display)).unwrap();
    let setup = connection.setup();
    let (root, first) = (setup.roots[number].root, setup.min_keycode);
    connection.warp_pointer(x11rb::NONE, root, 0, 0, 0, 0, x, y).unwrap().check().unwrap();
    let map = connection.get_keyboard_mapping(first, setup.max_keycode - first).unwrap().reply().unwrap();
    let rows = map.keysyms.chunks_exact(map.keysyms_per_keycode.into());
    let keycode = |keysym: &u32| {
        let at = rows.clone().position(|row| row[0] == *keysym || row[0] == 0 && row[1] == *keysym);
        first + u8::try_from(at.unwrap_or_else(|| panic!("no key for {keysym:#x}"))).unwrap()
    };
    let fake = |kind: u8, keycode: u8| {
        connection.xtest_fake_input(kind, keycode, 0, root, 0, 0, 0).unwrap().check().unwrap();
        std::thread::sleep(Duration::from_millis(50));
    };
    for keysyms in combinations {
        let keycodes: Vec<u8> = keysyms.iter().map(keycode).collect();
        keycodes.iter().for_each(|&keycode| fake(KEY_PRESS_EVENT, keycode));
        keycodes.iter().rev().for_each(|&keycode| fake(KEY_RELEASE_EVENT, keycode));
    }
}

#[test]
fn an_old_server_without_extensions_is_enough() {
    let sshd = Sshd::start();
    let screen = Desktop::start_empty(Server::Xtightvnc);
    let desktop = Desktop::start(Server::Xtigervnc);
    let window = Window::open(&sshd, &desktop, &screen.display, &[]);
    shows(&window, &desktop).unwrap();
    // Its keyboard has no XKB.
    let events = desktop.path("client.log");
    let desktop = desktop.with_client("xev", &["-geometry", "400x300+300+0"]);
    strike_without_xkb(&screen.display, (500, 200), &[&[0x61], &[0xffe1, 0x62], &[0x31], &[0xffc2]]);
    let arrived = || pressed(&fs::read_to_string(&events).unwrap());
    assert!(within(SOON, || arrived() == ["0x61", "0x42", "0x31", "0xffc2"]), "{:?}", arrived());
    shows(&window, &desktop).unwrap();
    assert_eq!(window.close().code, Some(143));
}

#[test]
fn a_full_screen_without_a_window_manager_is_the_desktop() {
    let sshd = Sshd::start();
    let screen = Screen::start(800, 600);
    let desktop = Desktop::start(Server::Xtigervnc);
    let events = desktop.path("client.log");
    let window = Window::open(&sshd, &desktop, &screen.display, &["--fullscreen"]);
    xdotool(&screen.display, &["mousemove", "799", "599"]);
    shows(&window, &desktop).unwrap();
    assert_eq!(window.place(), (0, 0, 800, 600));
    same_but_for_the_pointer(&screen.picture(), &desktop.screen()).unwrap();
    // It has the keys.
    assert_eq!(xdotool(&screen.display, &["getwindowfocus"]).trim(), window.id().unwrap());
    let desktop = desktop.with_client("xev", &["-geometry", "400x300+300+200"]);
    window.point(500, 400);
    window.act(&["key", "x"]);
    assert!(within(SOON, || pressed(&fs::read_to_string(&events).unwrap()) == ["0x78"]));
    shows(&window, &desktop).unwrap();
    assert_eq!(window.close().code, Some(143));
}

#[test]
fn a_full_screen_follows_the_size_of_the_screen() {
    let sshd = Sshd::start();
    // A server whose screen can change.
    let screen = Desktop::start_empty(Server::Xtigervnc);
    let desktop = Desktop::start(Server::Xtigervnc);
    let window = Window::open(&sshd, &desktop, &screen.display, &["--fullscreen", "--no-remote-resize"]);
    xdotool(&screen.display, &["mousemove", "0", "0"]);
    shows(&window, &desktop).unwrap();
    for (width, height) in [(1024, 768), (640, 480)] {
        output(Command::new("xrandr").args(["-s", &format!("{width}x{height}")]).env("DISPLAY", &screen.display));
        let followed = within(SOON, || window.place() == (0, 0, width, height));
        assert!(followed, "{:?}", window.place());
        // In the middle of a larger screen; on a smaller one all of it is there, with the black behind it.
        let centred = within(SOON, || {
            let (w, _, pixels) = window.picture();
            let at = |x: u32, y: u32| pixels[((y * w + x) * 3) as usize..][..3].to_vec();
            let (_, _, there) = desktop.screen();
            match width {
                1024 => at(2, 2) == [0; 3] && at(112 + 200, 84 + 500) == there[((500 * 800 + 200) * 3) as usize..][..3],
                _ => at(10, 10) == there[((12 * 800 + 12) * 3) as usize..][..3],
            }
        });
        assert!(centred, "{width}x{height}");
    }
    assert_eq!(window.close().code, Some(143));
}

#[test]
fn a_window_manager_makes_a_full_screen_and_resizes() {
    let sshd = Sshd::start();
    let screen = Screen::start(1000, 700);
    let folder = tempfile::tempdir().unwrap();
    let mut openbox = Command::new("openbox");
    openbox.args(["--sm-disable"]).env("DISPLAY", &screen.display).env("HOME", folder.path());
    let _manager = Running::start(&mut openbox, &folder.path().join("log"));
    let has = |property: &str| {
        let id = ["-root", property];
        let mut xprop = Command::new("xprop");
        output(xprop.args(id).env("DISPLAY", &screen.display)).contains("window id")
    };
    assert!(within(SOON, || has("_NET_SUPPORTING_WM_CHECK")));
    let desktop = Desktop::start(Server::Xtigervnc);
    let window = Window::open(&sshd, &desktop, &screen.display, &["--fullscreen", "--no-remote-resize"]);
    assert!(within(SOON, || window.place() == (0, 0, 1000, 700)), "{:?}", window.place());
    let state = output(
        Command::new("xprop").args(["-id", &window.id().unwrap(), "_NET_WM_STATE"]).env("DISPLAY", &screen.display),
    );
    assert!(state.contains("_NET_WM_STATE_FULLSCREEN"), "{state}");
    assert_eq!(window.close().code, Some(143));
    // Made smaller by the user it still shows all of the desktop; as large again, the same pixels as before.
    let window = Window::open(&sshd, &desktop, &screen.display, &["--no-remote-resize"]);
    window.point(0, 0);
    shows(&window, &desktop).unwrap();
    let size =
        |width: &str, height: &str| xdotool(&screen.display, &["windowsize", &window.id().unwrap(), width, height]);
    // Half as large and less: scaled by the server, then by ourselves.
    for (width, height) in [(600, 450), (200, 150), (500, 300)] {
        size(&width.to_string(), &height.to_string());
        let whole = within(SOON, || {
            let (w, h, pixels) = window.picture();
            let left = (w - 4 * h / 3) / 2;
            let (_, _, there) = desktop.screen();
            // The terminal's white, and the background around it.
            let at = |x: u32, y: u32| {
                let (x, y) = (left + x * (w - 2 * left) / 800, y * h / 600);
                pixels[((y * w + x) * 3) as usize..][..3].to_vec()
            };
            let there = |x: u32, y: u32| there[((y * 800 + x) * 3) as usize..][..3].to_vec();
            (w, h) == (width, height)
                && [(400, 340), (20, 590), (700, 590)].iter().all(|&(x, y)| at(x, y) == there(x, y))
        });
        assert!(whole, "{width}x{height}: {:?}", window.place());
    }
    size("800", "600");
    shows(&window, &desktop).unwrap();
    assert_eq!(window.close().code, Some(143));
}
