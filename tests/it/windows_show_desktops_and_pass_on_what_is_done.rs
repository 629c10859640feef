//! The window on a screen of its own, used as a person would: what is typed and clicked there happens on the server.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::real::desktop::{ALL, Desktop, Screen, Server, xdotool};
use crate::real::sshd::Sshd;
use crate::real::viewer::{Picture, finish, same_but_for_the_pointer, sshvnc_at, target};
use crate::real::window::Window;
use crate::real::{PATIENCE, output, within};
use crate::server::{PLAIN, rectangle, update};

fn contains(file: &PathBuf, words: &str) -> bool {
    fs::read_to_string(file).is_ok_and(|text| text.contains(words))
}

const TYPED: &str = "Hello, World! \"quoted\" ~@#$%^&*()_+{}|:<>? 0123456789-=[];',./";

const FRONT_ENDS: [&str; 2] = ["--display=x11", "--display=minifb"];

#[test]
fn typed_text_and_clicks_arrive_on_every_server() {
    let sshd = Sshd::start();
    let screen = Screen::start(1024, 768);
    for (server, front_end) in ALL.into_iter().flat_map(|server| FRONT_ENDS.map(|front_end| (server, front_end))) {
        let desktop = Desktop::start_empty(server);
        let (typed, events) = (desktop.path("typed"), desktop.path("client.log"));
        let cat = format!("cat > '{}'", typed.display());
        let desktop = desktop
            .with_client("xterm", &["-fn", "fixed", "-geometry", "90x10+0+0", "-e", "sh", "-c", &cat])
            .with_client("xev", &["-geometry", "200x200+100+300"]);
        let window = Window::open(&sshd, &desktop, &screen.display, &[front_end]);
        window.point(200, 60);
        window.act(&["type", "--delay", "20", TYPED]);
        window.act(&["key", "Return"]);
        let arrived = within(Duration::from_secs(10), || contains(&typed, &format!("{TYPED}\n")));
        assert!(arrived, "{server:?} {front_end}: {:?}", fs::read_to_string(&typed));
        // The end of the input is Control and d.
        window.act(&["key", "ctrl+d"]);
        window.point(200, 400);
        for button in ["1", "2", "3", "4", "5"] {
            window.act(&["click", button]);
            for event in ["ButtonPress", "ButtonRelease"] {
                let seen = within(Duration::from_secs(10), || {
                    let text = fs::read_to_string(&events).unwrap_or_default();
                    let mut paragraphs = text.split("\n\n");
                    paragraphs.any(|lines| lines.starts_with(event) && lines.contains(&format!("button {button}")))
                });
                assert!(seen, "{server:?} {front_end}: {event} {button}: {:?}", fs::read_to_string(&events));
            }
        }
        // One step of the wheel is one.
        let text = fs::read_to_string(&events).unwrap();
        let steps = text.split("\n\n").filter(|lines| lines.starts_with("ButtonPress") && lines.contains("button 4"));
        assert_eq!(steps.count(), 1, "{server:?} {front_end}: {text}");
        window.point(150, 350);
        window.act(&["mousedown", "1"]);
        window.point(170, 360);
        window.act(&["mouseup", "1"]);
        let dragged = within(Duration::from_secs(10), || contains(&events, "state 0x100"));
        assert!(dragged, "{server:?} {front_end}: {:?}", fs::read_to_string(&events));
        let ended = window.close();
        assert_eq!((ended.code, ended.said.as_str()), (Some(143), ""), "{server:?} {front_end}");
    }
}

#[test]
fn view_only_passes_on_nothing() {
    let sshd = Sshd::start();
    let screen = Screen::start(1024, 768);
    let desktop = Desktop::start_empty(Server::Xtigervnc);
    let events = desktop.path("client.log");
    let desktop = desktop.with_client("xev", &["-geometry", "400x400+0+0"]);
    let window = Window::open(&sshd, &desktop, &screen.display, &["-viewonly"]);
    window.point(100, 100);
    window.act(&["click", "1"]);
    window.act(&["key", "a"]);
    std::thread::sleep(Duration::from_secs(1));
    let text = fs::read_to_string(&events).unwrap();
    assert!(!text.contains("ButtonPress") && !text.contains("KeyPress"), "{text}");
    assert_eq!(window.close().code, Some(143));
}

fn a_resize_on_the_server_is_followed_in(front_end: &str) {
    let sshd = Sshd::start();
    let screen = Screen::start(1024, 768);
    let desktop = Desktop::start(Server::Xtigervnc);
    let window = Window::open(&sshd, &desktop, &screen.display, &[front_end]);
    xdotool(&screen.display, &["mousemove", "0", "0"]);
    for size in ["640x480", "1024x768", "800x600"] {
        output(Command::new("xrandr").args(["-s", size]).env("DISPLAY", &desktop.display));
        let (width, height) = size.split_once('x').map(|(w, h)| (w.parse().unwrap(), h.parse().unwrap())).unwrap();
        let followed = within(Duration::from_secs(10), || {
            let (_, _, w, h) = window.place();
            (w, h) == (width, height) && same_but_for_the_pointer(&window.picture(), &desktop.screen()).is_ok()
        });
        assert!(followed, "{size}: {:?}", window.place());
    }
    assert_eq!(window.close().code, Some(143));
}

#[test]
fn a_resize_on_the_server_is_followed() {
    FRONT_ENDS.into_iter().for_each(a_resize_on_the_server_is_followed_in);
}

fn a_desktop_larger_than_the_screen_is_scaled_and_points_arrive_where_they_are_seen_in(front_end: &str) {
    let sshd = Sshd::start();
    let screen = Screen::start(448, 348);
    let desktop = Desktop::start_empty(Server::Xtigervnc);
    let events = desktop.path("client.log");
    let desktop = desktop.with_client("xev", &["-geometry", "400x300+400+300"]);
    let window = Window::open(&sshd, &desktop, &screen.display, &[front_end]);
    let (_, _, width, height) = window.place();
    assert_eq!((width, height), (400, 300));
    // The white window of xev fills the lower right quarter.
    let quarter = |(width, height, pixels): Picture, x: u32, y: u32| {
        let at = ((height / 4 + y * height / 2) * width + width / 4 + x * width / 2) as usize * 3;
        pixels[at]
    };
    let seen = within(Duration::from_secs(10), || {
        let picture = window.picture();
        quarter(picture.clone(), 1, 1) == 255 && quarter(picture, 0, 0) < 128
    });
    assert!(seen);
    window.point(300, 225);
    window.act(&["click", "1"]);
    let arrived = within(Duration::from_secs(10), || {
        let text = fs::read_to_string(&events).unwrap_or_default();
        let press = text.split("\n\n").find(|lines| lines.starts_with("ButtonPress")).map(str::to_owned);
        // Twice the distance from the corner, to within a pixel or two.
        press.is_some_and(|press| (600..604).any(|x| (450..454).any(|y| press.contains(&format!("root:({x},{y})")))))
    });
    assert!(arrived, "{:?}", fs::read_to_string(&events));
    assert_eq!(window.close().code, Some(143));
}

#[test]
fn a_desktop_larger_than_the_screen_is_scaled_and_points_arrive_where_they_are_seen() {
    FRONT_ENDS
        .into_iter()
        .for_each(a_desktop_larger_than_the_screen_is_scaled_and_points_arrive_where_they_are_seen_in);
}

/// An FBS recording of a desktop of 64x48 pixels that is red from the start, and green, then blue, at these seconds.
fn traffic_light(green: u32, blue: u32) -> Vec<u8> {
    let init = [&b"RFB 003.003\n\0\0\0\x01"[..], &PLAIN.server_init(64, 48)].concat();
    let colour = |letter| update(&[rectangle([0, 0, 64, 48], 2, &[&[0; 4], PLAIN.pixel(letter)].concat())]);
    let blocks = [(init, 0), (colour('R'), 0), (colour('G'), green), (colour('B'), blue)];
    blocks.iter().fold(b"FBS 001.001\n".to_vec(), |mut file, (data, seconds)| {
        file.extend((data.len() as u32).to_be_bytes());
        file.extend(data);
        file.resize(file.len().next_multiple_of(4), 0);
        file.extend((seconds * 1000).to_be_bytes());
        file
    })
}

#[test]
fn a_recording_is_played_at_its_speed_and_obeys_its_keys() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("light.fbs");
    fs::write(&file, traffic_light(600, 1203)).unwrap();
    let screen = Screen::start(640, 480);
    let play = |options: &[&str]| {
        let mut command = crate::real::viewer::sshvnc(home.path());
        command.arg("play").args(options).arg(&file).env("DISPLAY", &screen.display);
        let window = Window::new(command.spawn().unwrap(), &screen.display);
        assert!(within(PATIENCE, || window.id().is_some()), "no window: {:?}", window.close());
        window.point(32, 24);
        window
    };
    let shows = |window: &Window, colour: [u8; 3], title: &str| {
        let mut seen = (0, 0, Vec::new());
        let mut read = String::new();
        let so = within(Duration::from_secs(10), || {
            seen = window.picture();
            read = window.id().map_or_else(String::new, |id| xdotool(&screen.display, &["getwindowname", &id]));
            let all = seen.2.chunks_exact(3).all(|pixel| pixel == colour);
            (seen.0, seen.1) == (64, 48) && all && read.contains(title)
        });
        assert!(so, "{colour:?} {title}: \"{read}\", {}x{}, {:?}", seen.0, seen.1, seen.2.first_chunk::<3>());
    };
    let (red, green, blue) = ([255, 0, 0], [0, 255, 0], [0, 0, 255]);

    let window = play(&["--start", "595"]);
    shows(&window, red, "x - 9:5");
    // Green comes by itself.
    shows(&window, green, "x - 10:0");
    window.act(&["key", "space"]);
    shows(&window, green, "paused");
    window.act(&["key", "--delay", "50", "Left", "Left", "Left"]);
    shows(&window, red, "paused");
    window.act(&["key", "--delay", "50", "Right", "Right", "Right", "Right"]);
    shows(&window, green, "/ 20:03, paused");
    window.act(&["key", "space"]);
    shows(&window, green, "playing");
    window.act(&["key", "Escape"]);
    let ended = finish(window.viewer, Duration::from_secs(10));
    assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""));

    // A hundred times faster, to the end; then it stands there until the window is closed.
    let window = play(&["--speed", "100", "--start", "500"]);
    shows(&window, blue, "20:03 / 20:03, ended");
    screen.ask_to_close(window.id().unwrap().parse().unwrap());
    let ended = finish(window.viewer, Duration::from_secs(10));
    assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""));

    // And over again.
    let window = play(&["--speed", "100", "--start", "1100", "--loop"]);
    shows(&window, blue, "ended");
    shows(&window, red, "playing");
    window.act(&["key", "Escape"]);
    assert_eq!(finish(window.viewer, Duration::from_secs(10)).code, Some(0));

    let mut command = crate::real::viewer::sshvnc(home.path());
    let ended = finish(command.arg("play").arg(&file).spawn().unwrap(), Duration::from_secs(10));
    assert_eq!(ended.code, Some(5), "{}", ended.said);
}

#[test]
fn without_a_display_there_is_a_word_and_a_code() {
    let sshd = Sshd::start();
    let mut command = sshvnc_at(&sshd);
    let ended = finish(command.args(target(&sshd, 9)).spawn().unwrap(), Duration::from_secs(10));
    assert_eq!(ended.code, Some(5));
    assert!(ended.said.contains("DISPLAY") && ended.said.contains("sshvnc screenshot"), "{}", ended.said);
    let mut command = sshvnc_at(&sshd);
    let ended =
        finish(command.env("DISPLAY", ":58999").args(target(&sshd, 9)).spawn().unwrap(), Duration::from_secs(10));
    assert_eq!(ended.code, Some(5), "{}", ended.said);
}

#[test]
fn minifb_refuses_a_screen_of_16_bits_rather_than_crash_on_it() {
    let sshd = Sshd::start();
    let screen = Screen::start_with_depth(640, 480, 16);
    let mut command = sshvnc_at(&sshd);
    command.args(["--display", "minifb"]).args(target(&sshd, 9)).env("DISPLAY", &screen.display);
    let ended = finish(command.spawn().unwrap(), Duration::from_secs(10));
    assert_eq!(ended.code, Some(5), "{}", ended.said);
    assert!(ended.said.contains("16 bits"), "{}", ended.said);
}

#[test]
fn the_demo_shows_its_desktop_and_ends_when_its_window_is_closed() {
    let home = tempfile::tempdir().unwrap();
    let screen = Screen::start(1024, 768);
    let mut command = crate::real::viewer::sshvnc(home.path());
    let viewer = command.arg("demo").env("DISPLAY", &screen.display).spawn().unwrap();
    let window = Window::new(viewer, &screen.display);
    assert!(within(PATIENCE, || window.id().is_some()), "no window: {:?}", window.close());
    // It moves, and it shows what is typed.
    let before = window.picture();
    assert!(within(Duration::from_secs(10), || window.picture() != before));
    screen.ask_to_close(window.id().unwrap().parse().unwrap());
    let ended = finish(window.viewer, Duration::from_secs(10));
    assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""));
    for word in ["curve25519", "aes128-gcm", "SHA256:", "VNC Authentication", "960x640"] {
        assert!(ended.out.contains(word), "{}", ended.out);
    }
}

#[test]
fn the_demo_needs_no_display_for_a_picture_and_refuses_a_wrong_host_key() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("demo.png");
    let demo = |arguments: &[&str]| {
        let mut command = crate::real::viewer::sshvnc(home.path());
        finish(command.arg("demo").args(arguments).spawn().unwrap(), Duration::from_secs(30))
    };
    let ended = demo(&["--screenshot", file.to_str().unwrap()]);
    assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""));
    let (width, height, pixels) = crate::real::viewer::read_png(&file);
    let colours: std::collections::HashSet<&[u8]> = pixels.chunks_exact(3).collect();
    assert!((width, height) == (960, 640) && colours.len() > 100, "{} colours", colours.len());
    let ended = demo(&["--wrong-host-key", "--screenshot", file.to_str().unwrap()]);
    assert_eq!(ended.code, Some(3));
    assert!(ended.said.contains("has changed") && ended.said.lines().count() == 1, "{}", ended.said);
    let ended = demo(&[]);
    assert_eq!(ended.code, Some(5));
    assert!(ended.said.contains("--screenshot"), "{}", ended.said);
}

#[test]
fn a_pointer_that_the_server_moves_is_followed_in_the_window_with_the_focus() {
    let sshd = Sshd::start();
    let screen = Screen::start(1024, 768);
    for front_end in FRONT_ENDS {
        let desktop = Desktop::start_empty(Server::X11vnc);
        let window = Window::open(&sshd, &desktop, &screen.display, &[front_end]);
        window.point(300, 300);
        let (left, top, ..) = window.place();
        let is_at = |x: u32, y: u32| match front_end {
            // It is the one of the screen.
            "--display=x11" => {
                let at = format!("x:{} y:{} ", left + x, top + y);
                xdotool(&screen.display, &["getmouselocation"]).starts_with(&at)
            }
            // It is drawn, on black.
            _ => {
                let (width, _, pixels) = window.picture();
                let row = |y: u32| pixels[((y * width + x) * 3) as usize..][..16 * 3].iter().any(|&value| value != 0);
                (y..y + 16).any(row)
            }
        };
        // Nobody manages the windows.
        window.act(&["windowfocus", &window.id().unwrap()]);
        xdotool(&desktop.display, &["mousemove", "500", "400"]);
        assert!(within(Duration::from_secs(10), || is_at(500, 400)), "{front_end}");
        assert_eq!(window.close().code, Some(143));
    }
}
