//! Keyboard, pointer and locks of the window on X11: taken while they are wanted and may be, and let go at once.

use std::process::Command;
use std::time::Duration;

use sshvnc::display::{Display, Grab, Input, Locks, Wish};
use sshvnc::picture::{Cursor, Size};
use x11rb::connection::{Connection, RequestConnection};
use x11rb::protocol::Event;
use x11rb::protocol::xfixes::{self, ConnectionExt as _};
use x11rb::protocol::xkb::{self, ConnectionExt as _, EventType, ID, MapPart, SelectEventsAux};
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConnectionExt as _, CreateWindowAux, EventMask, GrabMode, GrabStatus, Window,
    WindowClass,
};
use x11rb::rust_connection::RustConnection;

use crate::real::desktop::{Desktop, Screen, Server, xdotool};
use crate::real::front::Front;
use crate::real::sshd::Sshd;
use crate::real::window::Window as Viewer;
use crate::real::{Running, output, within};

const SOON: Duration = Duration::from_secs(10);
const MOMENT: Duration = Duration::from_millis(600);

fn wish(grab: Grab) -> Wish {
    Wish { grab, ..Wish::default() }
}

/// Another client.
struct Other {
    connection: RustConnection,
    root: Window,
    /// Its own, in a corner.
    window: Window,
}

impl Other {
    fn new(display: &str) -> Other {
        let (connection, number) = RustConnection::connect(Some(display)).unwrap();
        let root = connection.setup().roots[number].root;
        assert!(connection.extension_information(xfixes::X11_EXTENSION_NAME).unwrap().is_some());
        connection.xfixes_query_version(5, 0).unwrap().reply().unwrap();
        assert!(connection.extension_information(xkb::X11_EXTENSION_NAME).unwrap().is_some());
        connection.xkb_use_extension(1, 0).unwrap().reply().unwrap();
        let window = connection.generate_id().unwrap();
        let attributes = CreateWindowAux::new().override_redirect(1);
        let class = WindowClass::INPUT_OUTPUT;
        connection.create_window(0, window, root, 1020, 760, 1, 1, 0, class, 0, &attributes).unwrap();
        connection.map_window(window).unwrap().check().unwrap();
        Other { connection, root, window }
    }

    fn grabs_keys(&self) -> bool {
        let (mode, now) = (GrabMode::ASYNC, x11rb::CURRENT_TIME);
        let grab = self.connection.grab_keyboard(true, self.window, now, mode, mode).unwrap().reply().unwrap();
        grab.status == GrabStatus::SUCCESS
    }

    fn leaves_keys(&self) {
        self.connection.ungrab_keyboard(x11rb::CURRENT_TIME).unwrap().check().unwrap();
    }

    fn keys_are_free(&self) -> bool {
        let free = self.grabs_keys();
        if free {
            self.leaves_keys();
        }
        free
    }

    fn pointer_is_free(&self) -> bool {
        let (mode, now, none) = (GrabMode::ASYNC, x11rb::CURRENT_TIME, x11rb::NONE);
        let events = EventMask::BUTTON_PRESS;
        let grab = self.connection.grab_pointer(false, self.root, events, mode, mode, none, none, now);
        let free = grab.unwrap().reply().unwrap().status == GrabStatus::SUCCESS;
        if free {
            self.connection.ungrab_pointer(now).unwrap().check().unwrap();
        }
        free
    }

    fn pointer(&self) -> (i16, i16) {
        let at = self.connection.query_pointer(self.root).unwrap().reply().unwrap();
        (at.root_x, at.root_y)
    }

    /// Width, height, and the pixels with their opacity on top.
    fn cursor(&self) -> (u16, u16, Vec<u32>) {
        let image = self.connection.xfixes_get_cursor_image().unwrap().reply().unwrap();
        (image.width, image.height, image.cursor_image)
    }

    fn locked(&self) -> u16 {
        self.connection.xkb_get_state(ID::USE_CORE_KBD.into()).unwrap().reply().unwrap().locked_mods.into()
    }
}

/// The changes of the focus so far.
fn focus(front: &Front) -> Vec<bool> {
    let focus = |input: &Input| if let Input::Focus(focus) = input { Some(*focus) } else { None };
    front.inputs.iter().filter_map(focus).collect()
}

/// The keys so far: keysym, and whether it was pressed.
fn keys(front: &Front) -> Vec<(u32, bool)> {
    let key = |input: &Input| match input {
        Input::Key { keysym, down, .. } => Some((*keysym, *down)),
        _ => None,
    };
    front.inputs.iter().filter_map(key).collect()
}

/// How far the pointer moved while it was kept, and the buttons then.
fn motion(front: &Front) -> ((i32, i32), Vec<u16>) {
    let mut sum = ((0, 0), Vec::new());
    for input in &front.inputs {
        if let Input::Motion { dx, dy, buttons } = input {
            sum.0.0 += i32::from(*dx);
            sum.0.1 += i32::from(*dy);
            sum.1.push(*buttons);
        }
    }
    sum
}

fn openbox(screen: &Screen, folder: &tempfile::TempDir) -> Running {
    // Windows that are mapped before it is ready may never be shown.
    let ready = folder.path().join("ready");
    let mut openbox = Command::new("openbox");
    openbox.args(["--sm-disable", "--startup"]).arg(format!("touch {}", ready.display()));
    openbox.env("DISPLAY", &screen.display).env("HOME", folder.path());
    let manager = Running::start(&mut openbox, &folder.path().join("log"));
    assert!(within(SOON, || ready.exists()));
    manager
}

/// Gives the window the focus if the window manager has not.
fn give_focus(front: &mut Front, screen: &Screen) {
    let has_focus = |front: &mut Front| focus(front).last() == Some(&true);
    let given = (0..10).any(|_| {
        let there = front.until(Duration::from_secs(1), has_focus);
        if !there {
            let mut xdotool = Command::new("xdotool");
            let _ =
                xdotool.args(["search", "--name", "^front$", "windowfocus"]).env("DISPLAY", &screen.display).output();
        }
        there
    });
    assert!(given);
    front.run(MOMENT);
    assert!(has_focus(front));
}

#[test]
fn keys_are_grabbed_with_the_focus_while_that_is_wanted() {
    let screen = Screen::start(1024, 768);
    let other = Other::new(&screen.display);
    let mut front = Front::open(&screen.display, wish(Grab::Always));
    assert!(other.keys_are_free());
    front.inputs.clear();
    front.point();
    assert!(!other.keys_are_free());
    front.display.set_grab(false);
    front.run(MOMENT);
    assert!(other.keys_are_free());
    front.display.set_grab(true);
    front.run(MOMENT);
    assert!(!other.keys_are_free());
    // What the grab itself does to the focus is not told. That others asked in between is: the keys were theirs.
    assert_eq!(focus(&front), [true, false, true]);
    front.act(&["mousemove", "900", "700"]);
    assert!(other.keys_are_free());
    assert_eq!(focus(&front), [true, false, true, false]);
    drop(front);
    for grab in [Grab::Fullscreen, Grab::Never] {
        let mut front = Front::open(&screen.display, wish(grab));
        front.point();
        assert!(other.keys_are_free(), "{grab:?}");
    }
    let mut front = Front::new(&screen.display, Wish { fullscreen: true, ..wish(Grab::Fullscreen) });
    front.display.open(Size::new(300, 200), "front").unwrap();
    front.run(MOMENT);
    assert!(!other.keys_are_free());
    assert_eq!(focus(&front).last(), Some(&true));
    drop(front);
    let mut front = Front::new(&screen.display, Wish { fullscreen: true, ..wish(Grab::Never) });
    front.display.open(Size::new(300, 200), "front").unwrap();
    front.run(MOMENT);
    assert!(other.keys_are_free());
    assert_eq!(focus(&front).last(), Some(&true));
}

#[test]
fn a_window_manager_gets_only_the_keys_that_are_left_to_it() {
    let screen = Screen::start(1024, 768);
    let folder = tempfile::tempdir().unwrap();
    let _manager = openbox(&screen, &folder);
    let other = Other::new(&screen.display);
    let tab = (0xff09, true);
    for (wish, arrives) in [
        (wish(Grab::Always), true),
        (wish(Grab::Never), false),
        (wish(Grab::Fullscreen), false),
        (Wish { fullscreen: true, ..wish(Grab::Fullscreen) }, true),
    ] {
        let mut front = Front::new(&screen.display, wish.clone());
        front.display.open(Size::new(300, 200), "front").unwrap();
        give_focus(&mut front, &screen);
        assert_eq!(other.keys_are_free(), !arrives, "{wish:?}");
        front.inputs.clear();
        front.act(&["key", "--delay", "50", "alt+Tab"]);
        front.run(MOMENT);
        assert_eq!(keys(&front).contains(&tab), arrives, "{wish:?}: {:?}", keys(&front));
        if arrives {
            assert_eq!(focus(&front), [true; 0]);
        }
        // Every key that went down came up again.
        let count = |down| keys(&front).iter().filter(|key| key.1 == down).count();
        assert_eq!(count(true), count(false), "{:?}", keys(&front));
    }
}

#[test]
fn a_keyboard_that_another_program_holds_is_waited_for() {
    let screen = Screen::start(1024, 768);
    let other = Other::new(&screen.display);
    let mut front = Front::open(&screen.display, wish(Grab::Always));
    assert!(other.grabs_keys());
    front.point();
    let woken = front.woke;
    front.run(Duration::from_secs(1));
    assert!(front.woke - woken < 20, "woken {} times in a second", front.woke - woken);
    other.leaves_keys();
    front.run(MOMENT);
    assert!(!other.keys_are_free());
    front.act(&["mousemove", "900", "700"]);
    // Not for ever.
    assert!(other.grabs_keys());
    front.point();
    front.run(Duration::from_secs(6));
    let woken = front.woke;
    front.run(Duration::from_secs(1));
    assert!(front.woke - woken < 3, "woken {} times in a second", front.woke - woken);
    // The user is told, once.
    let sshd = Sshd::start();
    let desktop = Desktop::start_empty(Server::Xtigervnc);
    drop(front);
    let viewer = Viewer::open(&sshd, &desktop, &screen.display, &["--display=x11", "--grab=always"]);
    viewer.point(100, 100);
    std::thread::sleep(Duration::from_secs(7));
    let said = viewer.close().said;
    assert!(said.contains("the keyboard is not grabbed") && said.lines().count() == 1, "{said}");
}

#[test]
fn xwayland_is_asked_to_let_the_keys_be_grabbed() {
    let screen = Screen::start(1024, 768);
    let other = Other::new(&screen.display);
    let listen = ChangeWindowAttributesAux::new().event_mask(EventMask::SUBSTRUCTURE_NOTIFY);
    other.connection.change_window_attributes(other.root, &listen).unwrap().check().unwrap();
    let name = b"_XWAYLAND_MAY_GRAB_KEYBOARD";
    let kind = other.connection.intern_atom(false, name).unwrap().reply().unwrap().atom;
    let mut front = Front::open(&screen.display, Wish::default());
    let mut asked = Vec::new();
    front.until(MOMENT, |_| {
        while let Some(event) = other.connection.poll_for_event().unwrap() {
            if let Event::ClientMessage(message) = event
                && message.type_ == kind
            {
                asked.push(message.data.as_data32()[0]);
            }
        }
        false
    });
    assert_eq!(asked, [1]);
}

#[test]
fn a_kept_pointer_tells_how_far_it_moves() {
    let screen = Screen::start(1024, 768);
    let folder = tempfile::tempdir().unwrap();
    let _manager = openbox(&screen, &folder);
    let other = Other::new(&screen.display);
    let mut front = Front::new(&screen.display, Wish::default());
    front.display.open(Size::new(300, 200), "front").unwrap();
    give_focus(&mut front, &screen);
    let id = xdotool(&screen.display, &["search", "--name", "^front$"]);
    front.act(&["mousemove", "--window", id.trim(), "10", "10"]);
    front.display.keep_pointer(true);
    front.run(MOMENT);
    assert!(!other.pointer_is_free());
    let middle = other.pointer();
    assert_eq!(other.cursor().2.iter().max(), Some(&0));
    front.inputs.clear();
    // Much farther than the window is wide, and not once against its edge.
    for _ in 0..20 {
        front.act(&["mousemove_relative", "--", "37", "-11"]);
    }
    front.run(MOMENT);
    assert_eq!(motion(&front).0, (20 * 37, -20 * 11));
    let at = other.pointer();
    assert!(middle.0.abs_diff(at.0) < 150 && middle.1.abs_diff(at.1) < 100, "{middle:?} {at:?}");
    front.inputs.clear();
    front.act(&["click", "3"]);
    front.act(&["click", "4"]);
    assert_eq!(motion(&front), ((0, 0), vec![4, 0, 8, 0]));
    assert!(!front.inputs.iter().any(|input| matches!(input, Input::Pointer { .. })));
    // Another window gets the focus, and the pointer is free; with the focus it is kept again.
    let _xev = Running::start(
        Command::new("xev").args(["-geometry", "100x100+700+500"]).env("DISPLAY", &screen.display),
        &folder.path().join("xev"),
    );
    assert!(front.until(SOON, |front| focus(front).last() == Some(&false)));
    front.run(MOMENT);
    assert!(other.pointer_is_free());
    front.act(&["windowfocus", id.trim()]);
    assert!(front.until(SOON, |front| focus(front).last() == Some(&true)));
    front.run(MOMENT);
    assert!(!other.pointer_is_free());
    front.display.keep_pointer(false);
    front.run(MOMENT);
    assert!(other.pointer_is_free());
    front.inputs.clear();
    front.act(&["mousemove", "--window", id.trim(), "20", "30"]);
    let there = |input: &Input| matches!(input, Input::Pointer { x: 20, y: 30, buttons: 0, at: (20, 30) });
    assert!(front.inputs.iter().any(there) && motion(&front).1.is_empty(), "{:?}", front.inputs);
}

#[test]
fn a_button_of_a_kept_pointer_is_released_when_the_pointer_is_let_go() {
    let sshd = Sshd::start();
    let screen = Screen::start(1024, 768);
    let desktop = Desktop::start_empty(Server::Xtigervnc);
    let events = desktop.path("client.log");
    let desktop = desktop.with_client("xev", &["-geometry", "800x600+0+0"]);
    let viewer = Viewer::open(&sshd, &desktop, &screen.display, &["--display=x11"]);
    viewer.point(300, 300);
    let buttons = || {
        let log = std::fs::read_to_string(&events).unwrap();
        let count = |kind: &str| log.lines().filter(|line| line.starts_with(kind)).count();
        (count("ButtonPress"), count("ButtonRelease"))
    };
    let other = Other::new(&screen.display);
    let keep = || {
        viewer.act(&["key", "ctrl+alt+p"]);
        assert!(within(SOON, || !other.pointer_is_free()));
    };
    keep();
    viewer.act(&["mousedown", "1"]);
    assert!(within(SOON, || buttons() == (1, 0)), "{:?}", buttons());
    viewer.act(&["key", "ctrl+alt+m"]);
    assert!(within(SOON, || buttons() == (1, 1)), "{:?}", buttons());
    viewer.act(&["mouseup", "1"]);
    viewer.act(&["key", "Escape"]);
    viewer.act(&["click", "1"]);
    assert!(within(SOON, || buttons() == (2, 2)), "{:?}", buttons());
    // Another window gets the focus.
    keep();
    viewer.act(&["mousedown", "1"]);
    assert!(within(SOON, || buttons() == (3, 2)), "{:?}", buttons());
    viewer.act(&["windowfocus", &other.window.to_string()]);
    assert!(within(SOON, || buttons() == (3, 3)), "{:?}", buttons());
    viewer.act(&["mouseup", "1"]);
    assert_eq!(viewer.close().code, Some(143));
}

#[test]
fn locks_follow_the_server_without_an_echo() {
    const CAPS: u16 = 2;
    const NUM: u16 = 16;
    let screen = Screen::start(1024, 768);
    let other = Other::new(&screen.display);
    let mut front = Front::open(&screen.display, Wish::default());
    let locks = |caps, num| Some(Locks { caps, num, scroll: true });
    front.display.set_locks(locks(true, true));
    front.run(MOMENT);
    assert_eq!(other.locked(), 0);
    front.point();
    assert_eq!(other.locked(), CAPS | NUM);
    for (caps, num, locked) in [(false, true, NUM), (true, false, CAPS), (true, true, CAPS | NUM), (false, false, 0)] {
        front.display.set_locks(locks(caps, num));
        front.run(Duration::from_millis(100));
        assert_eq!(other.locked(), locked);
    }
    assert_eq!(keys(&front), []);
    // Letters are what the locks make of them.
    front.display.set_locks(locks(true, false));
    front.run(Duration::from_millis(100));
    // xdotool would lift the lock for a letter by its name.
    front.act(&["key", "38"]);
    assert_eq!(keys(&front), [(0x41, true), (0x41, false)]);
}

#[test]
fn a_held_key_is_pressed_again_and_again_and_can_be_forgotten() {
    let screen = Screen::start(1024, 768);
    output(Command::new("xset").args(["r", "rate", "200", "30"]).env("DISPLAY", &screen.display));
    let mut front = Front::open(&screen.display, Wish::default());
    front.point();
    front.act(&["keydown", "a"]);
    front.run(Duration::from_secs(1));
    front.act(&["keyup", "a"]);
    let told = keys(&front);
    assert!(told.len() > 5 && told[..told.len() - 1].iter().all(|key| *key == (0x61, true)), "{told:?}");
    assert_eq!(told.last(), Some(&(0x61, false)));
    front.act(&["keydown", "shift"]);
    front.inputs.clear();
    assert_eq!(front.display.release_keys(), [Input::Key { keysym: 0xffe1, keycode: Some(42), down: false }]);
    assert_eq!(front.display.release_keys(), []);
    front.act(&["keyup", "shift"]);
    assert_eq!(keys(&front), []);
}

#[test]
fn a_dot_stands_for_a_hidden_pointer_if_that_is_wished_for() {
    let screen = Screen::start(1024, 768);
    let other = Other::new(&screen.display);
    let transparent = Cursor { size: Size::new(2, 2), hotspot: (0, 0), pixels: vec![[255, 0, 0, 0]; 4] };
    let mut front = Front::open(&screen.display, Wish { dot_cursor: true, ..Wish::default() });
    front.point();
    for hidden in [None, Some(transparent)] {
        front.display.set_cursor(hidden);
        front.run(Duration::from_millis(100));
        let (width, height, pixels) = other.cursor();
        let white = pixels.iter().filter(|&&pixel| pixel == 0xffff_ffff).count();
        let black = pixels.iter().filter(|&&pixel| pixel == 0xff00_0000).count();
        assert_eq!((width, height, white, black), (5, 5, 16, 9));
    }
    let seen = Cursor { size: Size::new(1, 1), hotspot: (0, 0), pixels: vec![[255, 0, 0, 255]] };
    front.display.set_cursor(Some(seen));
    front.run(Duration::from_millis(100));
    assert_eq!(other.cursor().2, [0xffff_0000]);
    drop(front);
    let mut front = Front::open(&screen.display, Wish::default());
    front.point();
    front.display.set_cursor(None);
    front.run(Duration::from_millis(100));
    assert_eq!(other.cursor().2, [0]);
}

#[test]
fn the_bell_is_the_screens() {
    let screen = Screen::start(1024, 768);
    let other = Other::new(&screen.display);
    let (bell, none) = (EventType::BELL_NOTIFY, MapPart::from(0u8));
    let keyboard = ID::USE_CORE_KBD.into();
    let connection = &other.connection;
    connection
        .xkb_select_events(keyboard, EventType::from(0u8), bell, none, none, &SelectEventsAux::new())
        .unwrap()
        .check()
        .unwrap();
    let mut front = Front::open(&screen.display, Wish::default());
    front.display.bell();
    let rang = front.until(SOON, |_| {
        let event = other.connection.poll_for_event().unwrap();
        matches!(event, Some(Event::XkbBellNotify(_)))
    });
    assert!(rang);
}
