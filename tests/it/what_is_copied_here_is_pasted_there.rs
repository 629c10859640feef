//! The clipboard on X11, both ways, with xclip on the other side: any text of any length, nothing before it is wanted, and
//! nobody who can stop it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use sshvnc::display::{ClipboardWish, Display, Input, Wish};
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ConnectionExt as _, CreateWindowAux, EventMask, PropMode, Property, SELECTION_REQUEST_EVENT,
    SelectionRequestEvent, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use crate::real::desktop::{Desktop, Screen, Server, xdotool};
use crate::real::front::{Front, owner};
use crate::real::sshd::Sshd;
use crate::real::window::Window as Viewer;
use crate::real::{Running, within};

const SOON: Duration = Duration::from_secs(10);
/// Nothing that happens takes longer.
const MOMENT: Duration = Duration::from_millis(600);

const GREEK: &str = "Καλημέρα κόσμε 🙂\nand a second line\n";

fn wish(clipboard: ClipboardWish) -> Wish {
    Wish { clipboard, ..Wish::default() }
}

/// Five megabytes, of which no part looks like another.
fn long() -> String {
    (0..)
        .map(|number| format!("{number} κ\n"))
        .scan(0, |length, line| {
            *length += line.len();
            (*length < 5_000_000).then_some(line)
        })
        .collect()
}

/// A client that does only what the test says.
struct Client {
    connection: RustConnection,
    window: Window,
}

impl Client {
    fn new(display: &str) -> Client {
        let (connection, number) = RustConnection::connect(Some(display)).unwrap();
        let (root, window) = (connection.setup().roots[number].root, connection.generate_id().unwrap());
        let attributes = CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        let class = WindowClass::INPUT_ONLY;
        connection.create_window(0, window, root, 0, 0, 1, 1, 0, class, 0, &attributes).unwrap().check().unwrap();
        Client { connection, window }
    }

    fn atom(&self, name: &str) -> Atom {
        self.connection.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom
    }

    fn own(&self, selection: &str) {
        let (selection, now) = (self.atom(selection), x11rb::CURRENT_TIME);
        self.connection.set_selection_owner(self.window, selection, now).unwrap().check().unwrap();
    }

    fn ask(&self, selection: &str, target: &str, property: &str) {
        let [selection, target, property] = [selection, target, property].map(|name| self.atom(name));
        let now = x11rb::CURRENT_TIME;
        self.connection.convert_selection(self.window, selection, target, property, now).unwrap().check().unwrap();
    }

    /// Waits for an answer; gives its property.
    fn answer(&self, front: &mut Front) -> Atom {
        let mut answer = None;
        front.until(SOON, |_| {
            while let Some(event) = self.connection.poll_for_event().unwrap() {
                if let Event::SelectionNotify(event) = event {
                    answer = Some(event.property);
                }
            }
            answer.is_some()
        });
        answer.expect("no answer")
    }

    fn property(&self, name: &str) -> (Atom, Vec<u8>) {
        let (name, any) = (self.atom(name), AtomEnum::ANY);
        let lies = self.connection.get_property(false, self.window, name, any, 0, u32::MAX / 4);
        let lies = lies.unwrap().reply().unwrap();
        (lies.type_, lies.value)
    }

    fn delete(&self, name: &str) {
        self.connection.delete_property(self.window, self.atom(name)).unwrap().check().unwrap();
    }
}

#[test]
fn what_others_copy_is_told_once_and_not_before_the_focus() {
    let screen = Screen::start(1024, 768);
    let mut front = Front::open(&screen.display, Wish::default());
    let _first = front.copy("clipboard", GREEK);
    front.run(MOMENT);
    assert_eq!(front.texts(), [""; 0]);
    front.point();
    assert!(front.until(SOON, |front| !front.inputs.iter().all(|input| format!("{input:?}") != "Clipboard")));
    assert_eq!(front.texts(), [GREEK]);
    // The same again, from elsewhere, and in the other selection.
    let _same = front.copy("clipboard", GREEK);
    let _again = front.copy("primary", GREEK);
    front.run(MOMENT);
    assert_eq!(front.texts(), [""; 0]);
    for (selection, text) in [("primary", "selected"), ("clipboard", "copied"), ("primary", &long())] {
        let _owner = front.copy(selection, text);
        let mut told = Vec::new();
        front.until(SOON, |front| {
            told.extend(front.texts());
            !told.is_empty()
        });
        assert!(told == [text], "{selection}: {} texts", told.len());
    }
    // Without the focus it waits.
    front.act(&["mousemove", "900", "700"]);
    let _later = front.copy("clipboard", "later");
    front.run(MOMENT);
    assert_eq!(front.texts(), [""; 0]);
    front.point();
    front.run(MOMENT);
    assert_eq!(front.texts(), ["later"]);
}

#[test]
fn what_the_server_copies_can_be_pasted_anywhere() {
    let screen = Screen::start(1024, 768);
    let mut front = Front::open(&screen.display, Wish::default());
    front.point();
    front.display.set_clipboard(GREEK);
    for selection in ["clipboard", "primary"] {
        assert_eq!(front.paste(selection, "UTF8_STRING"), GREEK.as_bytes());
    }
    assert_eq!(front.paste("clipboard", "text/plain;charset=utf-8"), GREEK.as_bytes());
    assert_eq!(front.paste("clipboard", "TEXT"), GREEK.as_bytes());
    assert_eq!(front.paste("clipboard", "image/png"), b"");
    let targets = String::from_utf8(front.paste("clipboard", "TARGETS")).unwrap();
    for target in ["TARGETS", "MULTIPLE", "TIMESTAMP", "UTF8_STRING", "STRING", "TEXT", "text/plain;charset=utf-8"] {
        assert!(targets.lines().any(|line| line == target), "{target}: {targets}");
    }
    front.display.set_clipboard("größe €");
    assert_eq!(front.paste("primary", "STRING"), b"gr\xf6\xdfe ?");
    // The new text is not told as one of others.
    front.run(MOMENT);
    assert_eq!(front.texts(), [""; 0]);
    // Several at once, in pieces.
    let text = long();
    front.display.set_clipboard(&text);
    let mut pasting: Vec<_> =
        ["clipboard", "primary", "clipboard"].map(|selection| front.start_to_paste(selection, "UTF8_STRING")).into();
    assert!(front.until(SOON, |_| pasting.iter_mut().all(|(xclip, _)| xclip.try_wait().unwrap().is_some())));
    for (_, file) in pasting {
        assert!(std::fs::read(file).unwrap() == text.as_bytes());
    }
    // What somebody else copies takes its place, and is told; the same text is not, as of those who keep what others copy.
    let _keeper = front.copy("clipboard", &text);
    front.run(MOMENT);
    assert_eq!(front.texts().len(), 0);
    let _other = front.copy("clipboard", "other");
    front.run(MOMENT);
    assert_eq!(front.texts(), ["other"]);
    // What comes back from the server leaves it with whom it belongs to.
    let before = owner(&screen.display, "clipboard");
    front.display.set_clipboard("other");
    front.run(MOMENT);
    assert_eq!(owner(&screen.display, "clipboard"), before);
    front.display.set_clipboard("new");
    front.run(MOMENT);
    assert_ne!(owner(&screen.display, "clipboard"), before);
}

#[test]
fn what_the_server_copies_waits_for_the_focus_and_gives_way_to_what_is_newer() {
    for send in [true, false] {
        let screen = Screen::start(1024, 768);
        let mut front = Front::open(&screen.display, wish(ClipboardWish { send, ..ClipboardWish::default() }));
        let told = |texts: &[&'static str]| if send { texts.to_vec() } else { Vec::new() };
        let _mine = front.copy("clipboard", "mine");
        front.run(MOMENT);
        front.display.set_clipboard("before any focus");
        assert_eq!(front.paste("clipboard", "UTF8_STRING"), b"mine");
        assert!(!front.inputs.contains(&Input::ClipboardTaken));
        front.point();
        assert_eq!(front.paste("clipboard", "UTF8_STRING"), b"before any focus");
        assert!(front.inputs.contains(&Input::ClipboardTaken));
        let _again = front.copy("clipboard", "mine");
        front.run(MOMENT);
        assert_eq!(front.texts(), told(&["mine"]));
        // Of many only the last is of interest.
        front.act(&["mousemove", "900", "700"]);
        let mine = owner(&screen.display, "clipboard");
        for number in 0..100 {
            front.display.set_clipboard(&format!("{number}"));
            front.run(Duration::from_millis(5));
        }
        assert_eq!(owner(&screen.display, "clipboard"), mine);
        assert_eq!(front.paste("clipboard", "UTF8_STRING"), b"mine");
        front.point();
        assert_eq!(front.paste("clipboard", "UTF8_STRING"), b"99");
        assert_eq!(front.paste("primary", "UTF8_STRING"), b"99");
        // What was copied here afterwards is newer, where it was copied.
        front.act(&["mousemove", "900", "700"]);
        front.display.set_clipboard("older");
        let _newer = front.copy("clipboard", "newer");
        front.run(MOMENT);
        assert_eq!(front.texts(), [""; 0]);
        front.point();
        front.run(MOMENT);
        assert_eq!(front.paste("clipboard", "UTF8_STRING"), b"newer");
        assert_eq!(front.paste("primary", "UTF8_STRING"), b"older");
        assert_eq!(front.texts(), told(&["newer"]));
    }
}

#[test]
fn nobody_stops_the_clipboard() {
    let screen = Screen::start(1024, 768);
    let mut front = Front::open(&screen.display, Wish::default());
    front.point();
    // An owner that never answers.
    let silent = Client::new(&screen.display);
    silent.own("CLIPBOARD");
    front.run(MOMENT);
    let _owner = front.copy("primary", "behind");
    let woken = front.woke;
    front.run(Duration::from_secs(6));
    assert!(front.woke - woken < 20, "woken {} times", front.woke - woken);
    assert_eq!(front.texts(), ["behind"]);
    // A client that asks for a long text and leaves the first piece where it is.
    let text = long();
    front.display.set_clipboard(&text);
    front.run(MOMENT);
    let sleeper = Client::new(&screen.display);
    sleeper.ask("CLIPBOARD", "UTF8_STRING", "HERE");
    assert_ne!(sleeper.answer(&mut front), x11rb::NONE);
    assert_eq!(sleeper.property("HERE").0, sleeper.atom("INCR"));
    sleeper.delete("HERE");
    let piece = |front: &mut Front| front.until(MOMENT, |_| !sleeper.property("HERE").1.is_empty());
    assert!(piece(&mut front));
    assert!(sleeper.property("HERE").1.len() <= 256 << 10 && text.as_bytes().starts_with(&sleeper.property("HERE").1));
    // Others get theirs meanwhile; the sleeper nothing more, some time.
    assert!(front.paste("clipboard", "UTF8_STRING") == text.as_bytes());
    front.run(Duration::from_secs(6));
    sleeper.delete("HERE");
    assert!(!piece(&mut front));
    // One that dies.
    let dead = Client::new(&screen.display);
    dead.ask("PRIMARY", "UTF8_STRING", "HERE");
    assert_ne!(dead.answer(&mut front), x11rb::NONE);
    drop(dead);
    front.run(MOMENT);
    // One that speaks for the viewer's own window, which would hear of nothing else then.
    let liar = Client::new(&screen.display);
    let id: Window = xdotool(&screen.display, &["search", "--name", "^front$"]).trim().parse().unwrap();
    let owner = owner(&screen.display, "clipboard");
    let lie = SelectionRequestEvent {
        response_type: SELECTION_REQUEST_EVENT,
        sequence: 0,
        time: 0,
        owner,
        requestor: id,
        selection: liar.atom("CLIPBOARD"),
        target: liar.atom("UTF8_STRING"),
        property: liar.atom("HERE"),
    };
    liar.connection.send_event(false, owner, EventMask::NO_EVENT, lie).unwrap().check().unwrap();
    front.run(MOMENT);
    assert!(front.paste("primary", "UTF8_STRING") == text.as_bytes());
    front.inputs.clear();
    front.act(&["key", "a"]);
    assert!(format!("{:?}", front.inputs).contains("Key"));
}

#[test]
fn several_targets_are_given_at_once() {
    let screen = Screen::start(1024, 768);
    let mut front = Front::open(&screen.display, Wish::default());
    front.point();
    let text = long();
    front.display.set_clipboard(&text);
    front.run(MOMENT);
    let client = Client::new(&screen.display);
    let names = ["UTF8_STRING", "LONG", "TIMESTAMP", "TIME", "image/png", "PICTURE", "TARGETS", "KINDS"];
    let pairs = names.map(|name| client.atom(name));
    let (property, kind) = (client.atom("PAIRS"), client.atom("ATOM_PAIR"));
    client.connection.change_property32(PropMode::REPLACE, client.window, property, kind, &pairs).unwrap();
    client.ask("CLIPBOARD", "MULTIPLE", "PAIRS");
    assert_eq!(client.answer(&mut front), property);
    let given: Vec<u32> =
        client.property("PAIRS").1.chunks_exact(4).map(|bytes| u32::from_ne_bytes(bytes.try_into().unwrap())).collect();
    let mut expected = pairs;
    expected[5] = x11rb::NONE;
    assert_eq!(given, expected);
    assert_eq!(client.property("TIME").0, u32::from(AtomEnum::INTEGER));
    assert_eq!(client.property("KINDS").0, u32::from(AtomEnum::ATOM));
    // The long one in pieces.
    let mut pieces = Vec::new();
    client.delete("LONG");
    let whole = front.until(SOON, |_| {
        while let Some(event) = client.connection.poll_for_event().unwrap() {
            let Event::PropertyNotify(now) = event else { continue };
            if now.atom == client.atom("LONG") && now.state == Property::NEW_VALUE {
                let (kind, piece) = client.property("LONG");
                if kind == client.atom("UTF8_STRING") {
                    client.delete("LONG");
                    pieces.push(piece);
                }
            }
        }
        pieces.last().is_some_and(Vec::is_empty)
    });
    assert!(whole && pieces.concat() == text.as_bytes(), "{} pieces", pieces.len());
    // Pairs without end are refused.
    client.connection.change_property32(PropMode::REPLACE, client.window, property, kind, &[pairs[0]; 1000]).unwrap();
    client.ask("CLIPBOARD", "MULTIPLE", "PAIRS");
    assert_eq!(client.answer(&mut front), x11rb::NONE);
}

#[test]
fn what_is_not_wished_for_or_too_long_stays_where_it_is() {
    let screen = Screen::start(1024, 768);
    let short = ClipboardWish { longest: 1000, primary: false, ..ClipboardWish::default() };
    let mut front = Front::open(&screen.display, wish(short));
    front.point();
    for text in ["κ".repeat(501), "x".repeat(3_000_000)] {
        let _owner = front.copy("clipboard", &text);
        front.run(MOMENT);
        assert_eq!(front.texts(), [""; 0]);
    }
    let _selected = front.copy("primary", "selected");
    let fits = "κ".repeat(500);
    let _owner = front.copy("clipboard", &fits);
    front.run(MOMENT);
    assert_eq!(front.texts(), [fits.as_str()]);
    front.display.set_clipboard(&"x".repeat(1001));
    assert_eq!(front.paste("clipboard", "UTF8_STRING"), fits.as_bytes());
    assert!(!front.inputs.contains(&Input::ClipboardTaken));
    front.display.set_clipboard("short");
    assert_eq!(front.paste("clipboard", "UTF8_STRING"), b"short");
    assert!(front.inputs.contains(&Input::ClipboardTaken));
    assert_eq!(front.paste("primary", "UTF8_STRING"), b"selected");
    drop(front);
    let neither = ClipboardWish { send: false, receive: false, ..ClipboardWish::default() };
    let mut front = Front::open(&screen.display, wish(neither));
    front.point();
    let _owner = front.copy("clipboard", "copied");
    front.display.set_clipboard("from the server");
    front.run(MOMENT);
    assert!(!front.inputs.contains(&Input::ClipboardTaken));
    assert_eq!(front.texts(), [""; 0]);
    assert_eq!(front.paste("clipboard", "UTF8_STRING"), b"copied");
}

#[test]
fn an_old_server_is_asked_at_each_focus() {
    let screen = Desktop::start_empty(Server::Xtightvnc);
    let mut front = Front::new(&screen.display, Wish::default());
    let client = Client::new(&screen.display);
    let point = |front: &mut Front, x, y| {
        let root = client.connection.setup().roots[0].root;
        client.connection.warp_pointer(x11rb::NONE, root, 0, 0, 0, 0, x, y).unwrap().check().unwrap();
        front.run(MOMENT);
    };
    point(&mut front, 700, 500);
    front.display.open(sshvnc::picture::Size::new(300, 200), "front").unwrap();
    let _first = front.copy("clipboard", GREEK);
    front.run(MOMENT);
    assert_eq!(front.texts(), [""; 0]);
    point(&mut front, 100, 100);
    assert_eq!(front.texts(), [GREEK]);
    // Not in pieces: this server may forget to tell an owner that the last one was taken.
    let text: String = long().chars().take(100_000).collect();
    let _second = front.copy("clipboard", &text);
    point(&mut front, 700, 500);
    point(&mut front, 100, 100);
    assert!(front.texts() == [text.as_str()]);
    let text = text + "!";
    front.display.set_clipboard(&text);
    // This server's clients may learn late who owns it.
    assert!(within(SOON, || front.paste("clipboard", "UTF8_STRING") == text.as_bytes()));
    point(&mut front, 700, 500);
    point(&mut front, 100, 100);
    assert_eq!(front.texts(), [""; 0]);
}

/// Whether this text would be pasted there.
fn reaches(display: &str, text: &str) -> bool {
    within(SOON, || {
        // An owner may lose it just then, and never answer.
        let mut xclip = Command::new("timeout");
        let pasted = xclip.args(["2", "xclip", "-selection", "clipboard", "-out"]).env("DISPLAY", display).output();
        pasted.unwrap().stdout == text.as_bytes()
    })
}

/// Copies a text there, until another one is.
fn copy(display: &str, file: &Path, text: &str) -> Running {
    fs::write(file, text).unwrap();
    let mut xclip = Command::new("xclip");
    xclip.args(["-quiet", "-selection", "clipboard", "-in"]).arg(file).env("DISPLAY", display);
    let before = owner(display, "clipboard");
    let copied = Running::start(&mut xclip, &file.with_extension("log"));
    assert!(within(SOON, || ![0, before].contains(&owner(display, "clipboard"))));
    copied
}

#[test]
fn a_viewer_passes_on_what_is_copied_on_both_desktops() {
    let sshd = Sshd::start();
    let screen = Screen::start(1024, 768);
    let desktop = Desktop::start_with_options(&["-MaxCutText=20000000"]).with_helper("vncconfig", &["-nowin"]);
    let viewer = Viewer::open(&sshd, &desktop, &screen.display, &["--display=x11"]);
    viewer.point(100, 100);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copied");
    let long = long();
    let half = &long[..700_000];
    for (text, answer) in [("one", GREEK), ("größe €", "two"), (&long, half)] {
        let _owner = copy(&screen.display, &file, text);
        assert!(reaches(&desktop.display, text), "{} bytes to the server", text.len());
        let _other = copy(&desktop.display, &file, answer);
        assert!(reaches(&screen.display, answer), "{} bytes from the server", answer.len());
    }
    assert_eq!(viewer.close().said, "");
    // Neither way, and a limit.
    let viewer = Viewer::open(&sshd, &desktop, &screen.display, &["--display=x11", "--clipboard=receive"]);
    viewer.point(100, 100);
    let _owner = copy(&screen.display, &file, "kept here");
    std::thread::sleep(MOMENT);
    let _other = copy(&desktop.display, &file, "passed on");
    assert!(reaches(&screen.display, "passed on"));
    assert_eq!(viewer.close().said, "");
    let options = ["--display=x11", "--clipboard=send", "--clipboard-limit=10"];
    let viewer = Viewer::open(&sshd, &desktop, &screen.display, &options);
    viewer.point(100, 100);
    let _owner = copy(&screen.display, &file, "longer than ten");
    std::thread::sleep(MOMENT);
    assert!(reaches(&desktop.display, "passed on"));
    let _short = copy(&screen.display, &file, "short");
    assert!(reaches(&desktop.display, "short"));
    let said = viewer.close().said;
    assert!(said.contains("--clipboard-limit") && said.lines().count() == 1, "{said}");
}

#[test]
fn what_was_copied_while_the_user_only_looked_is_told_afterwards() {
    let sshd = Sshd::start();
    let screen = Screen::start(1024, 768);
    let desktop = Desktop::start_with_options(&[]).with_helper("vncconfig", &["-nowin"]);
    let viewer = Viewer::open(&sshd, &desktop, &screen.display, &["--display=x11"]);
    viewer.point(100, 100);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copied");
    let _before = copy(&screen.display, &file, "before");
    assert!(reaches(&desktop.display, "before"));
    let toggle = || {
        viewer.act(&["key", "ctrl+alt+m"]);
        std::thread::sleep(MOMENT);
        // View only is the sixth.
        viewer.act(&["key", "--delay", "30", "Down", "Down", "Down", "Down", "Down", "Return"]);
        std::thread::sleep(MOMENT);
    };
    toggle();
    let _meanwhile = copy(&screen.display, &file, "meanwhile");
    std::thread::sleep(MOMENT);
    assert!(reaches(&desktop.display, "before"));
    toggle();
    assert!(reaches(&desktop.display, "meanwhile"));
    // Once: what is copied there afterwards stays.
    let _there = copy(&desktop.display, &file, "there");
    assert!(reaches(&screen.display, "there"));
    toggle();
    toggle();
    assert!(reaches(&desktop.display, "there"));
    assert_eq!(viewer.close().said, "");
}

#[test]
fn a_server_that_comes_back_is_told_what_is_the_latest_here() {
    let mut sshd = Sshd::start();
    let screen = Screen::start(1024, 768);
    let desktop = Desktop::start_with_options(&[]).with_helper("vncconfig", &["-nowin"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copied");
    // What is too long is not taken.
    for (text, latest) in [("there", "there"), ("longer than ten", "here")] {
        let options = ["--display=x11", "--reconnect=forever", "--clipboard-limit=10"];
        let viewer = Viewer::open(&sshd, &desktop, &screen.display, &options);
        viewer.point(100, 100);
        let _here = copy(&screen.display, &file, "here");
        assert!(reaches(&desktop.display, "here"), "{text}");
        let there = copy(&desktop.display, &file, text);
        assert!(reaches(&screen.display, latest), "{text}");
        std::thread::sleep(MOMENT);
        sshd.kill();
        drop(there);
        let _meanwhile = copy(&desktop.display, &file, "meanwhile");
        sshd.start_again();
        let told = reaches(&desktop.display, "here");
        assert_eq!(told, latest == "here", "{text}");
        assert_eq!(viewer.close().code, Some(143), "{text}");
    }
}
