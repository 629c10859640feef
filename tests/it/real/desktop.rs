//! Desktops of VNC servers that were not written here, with something to look at on them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ClientMessageEvent, ConfigureWindowAux, ConnectionExt, EventMask, ImageFormat,
};
use x11rb::rust_connection::RustConnection;

use super::viewer::Picture;
use super::{PATIENCE, Running, free_port, output, within};

pub const PASSWORD: &str = "secret12";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    Xtigervnc,
    Xtightvnc,
    X11vnc,
    X0tigervnc,
    /// Never asks for a password.
    Vino,
}

/// Those that the tests of everything but encodings are run with.
pub const ALL: [Server; 3] = [Server::Xtigervnc, Server::Xtightvnc, Server::X11vnc];

/// A desktop and everything that makes it.
pub struct Desktop {
    // Ended in this order: the clients of a display before it.
    clients: Vec<Running>,
    servers: Vec<Running>,
    pub port: u16,
    pub display: String,
    /// Only for Xtigervnc.
    pub socket: PathBuf,
    pub folder: TempDir,
}

impl Desktop {
    /// Starts a server that asks for [`PASSWORD`], with a terminal that shows some text.
    pub fn start(server: Server) -> Desktop {
        Desktop::start_empty(server).with_text()
    }

    /// The same, which asks nobody for anything.
    pub fn start_without_password(server: Server) -> Desktop {
        Desktop::launch(server, false, &[]).with_text()
    }

    /// One by Xtigervnc with these options, which asks nobody for anything.
    pub fn start_with_options(options: &[&str]) -> Desktop {
        Desktop::launch(Server::Xtigervnc, false, options)
    }

    pub fn start_empty(server: Server) -> Desktop {
        Desktop::launch(server, true, &[])
    }

    fn with_text(self) -> Desktop {
        self.with_client("xterm", &["-fn", "fixed", "-geometry", "80x24+40+40", "-e", "sh", "-c", TEXT])
    }

    fn launch(server: Server, asks: bool, options: &[&str]) -> Desktop {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let display = format!(":{port}");
        let password_file = folder.path().join("passwd");
        fs::write(&password_file, sshvnc::rfb::vnc_auth::obfuscate(PASSWORD.as_bytes())).unwrap();
        let socket = folder.path().join("vnc.sock");
        let log = folder.path().join("log");
        let (rfbport, passwd) = (port.to_string(), password_file.to_str().unwrap());
        let asked = |options: [&str; 2]| asks.then(|| options.map(str::to_owned)).into_iter().flatten();
        let mut servers = Vec::new();
        match server {
            Server::Xtigervnc => servers.push(Running::start(
                Command::new("Xtigervnc")
                    .args([&display, "-geometry", "800x600", "-depth", "24", "-rfbport", &rfbport])
                    .args([
                        "-interface",
                        "127.0.0.1",
                        "-nolisten",
                        "tcp",
                        "-SecurityTypes",
                        if asks { "VncAuth" } else { "None" },
                    ])
                    .args(["-rfbauth", passwd, "-UseBlacklist=0", "-noreset", "-rfbunixpath", socket.to_str().unwrap()])
                    .args(options),
                &log,
            )),
            Server::Xtightvnc => servers.push(Running::start(
                Command::new("Xtightvnc")
                    .args([&display, "-geometry", "800x600", "-depth", "24", "-rfbport", &rfbport])
                    .args(["-interface", "127.0.0.1", "-nolisten", "tcp"])
                    .args(asked(["-rfbauth", passwd]))
                    .args(["-fp", "/usr/share/fonts/X11/misc"]),
                &log,
            )),
            Server::X11vnc => {
                servers.push(xvfb(&display, "800x600x24", &log));
                servers.push(Running::start(
                    Command::new("x11vnc")
                        .args(["-display", &display, "-rfbport", &rfbport, "-localhost", "-rfbportv6", "-1"])
                        .args(["-forever", "-shared", "-noxrecord"])
                        .args(asked(["-passwd", PASSWORD])),
                    &log,
                ));
            }
            Server::X0tigervnc => {
                servers.push(xvfb(&display, "800x600x24", &log));
                servers.push(Running::start(
                    Command::new("X0tigervnc")
                        .args(["-display", &display, "-rfbport", &rfbport, "-interface", "127.0.0.1"])
                        .args(["-SecurityTypes", if asks { "VncAuth" } else { "None" }, "-PasswordFile", passwd]),
                    &log,
                ));
            }
            Server::Vino => {
                servers.push(xvfb(&display, "800x600x24", &log));
                servers.extend(vino(&display, port, folder.path()));
            }
        }
        wait_for_display(&display, &log);
        super::wait_for_port(port, &log);
        Desktop { clients: Vec::new(), servers, port, display, socket, folder }
    }

    /// Starts an X client on this desktop, and waits until it shows a window.
    pub fn with_client(mut self, program: &str, arguments: &[&str]) -> Desktop {
        let before = self.windows().len();
        let log = self.folder.path().join("client.log");
        let client = Running::start(Command::new(program).args(arguments).env("DISPLAY", &self.display), &log);
        self.clients.push(client);
        assert!(within(PATIENCE, || self.windows().len() > before), "{program} shows no window");
        self
    }

    /// Starts an X client that shows no window.
    pub fn with_helper(mut self, program: &str, arguments: &[&str]) -> Desktop {
        let log = self.folder.path().join("helper.log");
        let helper = Running::start(Command::new(program).args(arguments).env("DISPLAY", &self.display), &log);
        self.clients.push(helper);
        self
    }

    /// Covers the background with a picture of the screen's size.
    pub fn with_background(self, picture: &Picture) -> Desktop {
        let (connection, number) = RustConnection::connect(Some(&self.display)).unwrap();
        let screen = &connection.setup().roots[number];
        let (width, height) = (screen.width_in_pixels, screen.height_in_pixels);
        assert_eq!((picture.0, picture.1), (width.into(), height.into()));
        let (pixmap, gc) = (connection.generate_id().unwrap(), connection.generate_id().unwrap());
        connection.create_pixmap(screen.root_depth, pixmap, screen.root, width, height).unwrap();
        connection.create_gc(gc, pixmap, &Default::default()).unwrap();
        let pixels: Vec<u8> = picture.2.chunks_exact(3).flat_map(|rgb| [rgb[2], rgb[1], rgb[0], 0]).collect();
        // Rows that fit into a request of the oldest servers.
        for (band, rows) in pixels.chunks(usize::from(width) * 4 * 50).enumerate() {
            let (y, height) = (band as i16 * 50, (rows.len() / usize::from(width) / 4) as u16);
            let depth = screen.root_depth;
            connection.put_image(ImageFormat::Z_PIXMAP, pixmap, gc, width, height, 0, y, 0, depth, rows).unwrap();
        }
        let background = ChangeWindowAttributesAux::new().background_pixmap(pixmap);
        connection.change_window_attributes(screen.root, &background).unwrap();
        connection.clear_area(false, screen.root, 0, 0, width, height).unwrap().check().unwrap();
        self
    }

    /// Moves the only window that is shown.
    pub fn move_window(&self, x: i32, y: i32) {
        let (connection, _) = RustConnection::connect(Some(&self.display)).unwrap();
        let [window] = self.windows()[..] else { panic!("one window was expected") };
        let place = ConfigureWindowAux::new().x(x).y(y);
        connection.configure_window(window, &place).unwrap().check().unwrap();
    }

    fn windows(&self) -> Vec<u32> {
        let (connection, screen) = RustConnection::connect(Some(&self.display)).unwrap();
        let root = connection.setup().roots[screen].root;
        let tree = connection.query_tree(root).unwrap().reply().unwrap();
        let shown = |window: &u32| {
            let attributes = connection.get_window_attributes(*window).unwrap().reply();
            attributes.is_ok_and(|attributes| u8::from(attributes.map_state) == 2)
        };
        tree.children.into_iter().filter(shown).collect()
    }

    /// What is on the screen, asked from the X server itself: size, and bytes red, green, blue.
    pub fn screen(&self) -> Picture {
        screen_of(&self.display)
    }

    /// Ends the VNC server in an orderly way, leaving the rest.
    pub fn stop_server(&mut self) {
        if let Some(server) = self.servers.last_mut() {
            server.stop();
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A screen for the viewer's own window: nothing else is on it.
pub struct Screen {
    server: Running,
    _folder: TempDir,
    pub display: String,
}

impl Screen {
    pub fn start(width: u16, height: u16) -> Screen {
        Screen::start_with_depth(width, height, 24)
    }

    pub fn start_with_depth(width: u16, height: u16, depth: u8) -> Screen {
        Screen::start_with_options(width, height, depth, &[])
    }

    /// One whose server is given these options too.
    pub fn start_with_options(width: u16, height: u16, depth: u8, options: &[&str]) -> Screen {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let display = format!(":{}", free_port());
        let server = xvfb_with(&display, &format!("{width}x{height}x{depth}"), options, &log);
        Screen { server, _folder: folder, display }
    }

    /// Cuts the screen into monitors, each given by its width, height, left and top; pixels are of 96 dpi.
    pub fn cut(&self, monitors: &[[u32; 4]]) {
        for (number, [width, height, x, y]) in monitors.iter().enumerate() {
            let millimetres = |pixels: &u32| pixels * 254 / 960;
            let (across, down) = (millimetres(width), millimetres(height));
            let geometry = format!("{width}/{across}x{height}/{down}+{x}+{y}");
            let output_name = if number == 0 { "screen" } else { "none" };
            let mut xrandr = Command::new("xrandr");
            xrandr.args(["--setmonitor", &format!("part{number}"), &geometry, output_name]);
            output(xrandr.env("DISPLAY", &self.display));
        }
    }

    /// Starts a window manager, and waits until it manages.
    pub fn manage(&self, program: &str, arguments: &[&str]) -> Running {
        let mut manager = Command::new(program);
        manager.args(arguments).env("DISPLAY", &self.display).env("HOME", self._folder.path());
        let manager = Running::start(&mut manager, &self._folder.path().join("manager.log"));
        let mut xprop = Command::new("xprop");
        xprop.args(["-root", "_NET_SUPPORTING_WM_CHECK"]).env("DISPLAY", &self.display);
        assert!(within(PATIENCE, || output(&mut xprop).contains("window id")), "{program} does not manage");
        // It says so before it looks for windows, and openbox loses one that comes in between.
        std::thread::sleep(Duration::from_millis(700));
        manager
    }

    /// Ends the X server as if the machine had crashed.
    pub fn kill(&mut self) {
        super::signal(self.server.id(), "KILL");
        self.server.stop();
    }

    /// What a window manager does when the close button of a window is pressed.
    pub fn ask_to_close(&self, window: u32) {
        let (connection, _) = RustConnection::connect(Some(&self.display)).unwrap();
        let atom = |name: &[u8]| connection.intern_atom(false, name).unwrap().reply().unwrap().atom;
        let data = [atom(b"WM_DELETE_WINDOW"), 0, 0, 0, 0];
        let message = ClientMessageEvent::new(32, window, atom(b"WM_PROTOCOLS"), data);
        connection.send_event(false, window, EventMask::NO_EVENT, message).unwrap().check().unwrap();
    }

    /// What a pager does to let a window cover the screen, or end that.
    pub fn ask_to_cover(&self, window: u32, cover: bool) {
        let (connection, number) = RustConnection::connect(Some(&self.display)).unwrap();
        let root = connection.setup().roots[number].root;
        let atom = |name: &[u8]| connection.intern_atom(false, name).unwrap().reply().unwrap().atom;
        let data = [cover.into(), atom(b"_NET_WM_STATE_FULLSCREEN"), 0, 2, 0];
        let message = ClientMessageEvent::new(32, window, atom(b"_NET_WM_STATE"), data);
        let listeners = EventMask::SUBSTRUCTURE_NOTIFY | EventMask::SUBSTRUCTURE_REDIRECT;
        connection.send_event(false, root, listeners, message).unwrap().check().unwrap();
    }

    pub fn picture(&self) -> Picture {
        screen_of(&self.display)
    }

    /// The picture once it has not changed for half a second.
    pub fn still(&self) -> Picture {
        let (mut seen, mut since) = (self.picture(), Instant::now());
        let still = within(PATIENCE, || {
            let now = self.picture();
            if now != seen {
                (seen, since) = (now, Instant::now());
            }
            since.elapsed() > Duration::from_millis(500)
        });
        assert!(still, "the screen never rests");
        seen
    }

    /// Waits until the window manager has taken leave of all windows: it may put away the properties of one that is
    /// gone when the next has its number already.
    pub fn without_windows(&self) {
        let mut xprop = Command::new("xprop");
        xprop.args(["-root", "_NET_CLIENT_LIST"]).env("DISPLAY", &self.display);
        assert!(within(PATIENCE, || !output(&mut xprop).contains("0x")), "a window is still there");
    }
}

/// Twenty lines, and the text cursor out of the way of comparisons.
const TEXT: &str = "i=0; while [ $i -lt 20 ]; do i=$((i+1)); echo \"$i the quick brown fox jumps over the lazy dog\"; done; \
                    printf '\\033[?25l'; sleep 600";

/// An X server whose screen is seen by nobody.
fn xvfb(display: &str, screen: &str, log: &Path) -> Running {
    xvfb_with(display, screen, &[], log)
}

fn xvfb_with(display: &str, screen: &str, more: &[&str], log: &Path) -> Running {
    // Without the last it starts anew when its last client leaves, and drops who comes at that moment.
    let options = ["-screen", "0", screen, "-nolisten", "tcp", "-noreset"];
    let server = Running::start(Command::new("Xvfb").arg(display).args(options).args(more), log);
    wait_for_display(display, log);
    server
}

/// Vino and the message bus that it needs. Its settings are a file of its own home.
fn vino(display: &str, port: u16, folder: &Path) -> [Running; 2] {
    let (log, settings) = (folder.join("log"), folder.join(".config/glib-2.0/settings"));
    fs::create_dir_all(&settings).unwrap();
    let lines = [
        "[org/gnome/desktop/remote-access]",
        "prompt-enabled=false",
        "notify-on-connect=false",
        "require-encryption=false",
        "use-alternative-port=true",
        &format!("alternative-port=uint16 {port}"),
        "network-interface='lo'",
        "authentication-methods=['none']",
    ];
    fs::write(settings.join("keyfile"), lines.join("\n")).unwrap();
    let bus = format!("unix:path={}", folder.join("bus").display());
    let mut daemon = Command::new("dbus-daemon");
    let daemon = Running::start(daemon.args(["--session", "--nofork", "--nopidfile", "--address", &bus]), &log);
    assert!(within(PATIENCE, || folder.join("bus").exists()), "no message bus");
    let mut server = Command::new("/usr/lib/vino/vino-server");
    server.env("DISPLAY", display).env("DBUS_SESSION_BUS_ADDRESS", &bus).env("HOME", folder);
    server.env("XDG_CONFIG_HOME", folder.join(".config")).env("GSETTINGS_BACKEND", "keyfile");
    // Else it starts services for people who can not see.
    server.env("NO_AT_BRIDGE", "1");
    [daemon, Running::start(&mut server, &log)]
}

fn wait_for_display(display: &str, log: &Path) {
    let opens = within(PATIENCE, || RustConnection::connect(Some(display)).is_ok());
    assert!(opens, "no display {display}: {}", fs::read_to_string(log).unwrap_or_default());
}

pub fn screen_of(display: &str) -> Picture {
    let (connection, number) = RustConnection::connect(Some(display)).unwrap();
    let root = connection.setup().roots[number].root;
    // The screen may get smaller between the two.
    let look = || {
        let geometry = connection.get_geometry(root).ok()?.reply().ok()?;
        let (width, height) = (geometry.width, geometry.height);
        let image = connection.get_image(ImageFormat::Z_PIXMAP, root, 0, 0, width, height, !0).ok()?;
        Some((width, height, image.reply().ok()?))
    };
    let (width, height, image) = (0..9).find_map(|_| look()).unwrap();
    let rgb = image.data.chunks_exact(4).flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect();
    (width.into(), height.into(), rgb)
}

/// Moves the pointer, types and clicks in a display as its user would (XTEST).
pub fn xdotool(display: &str, arguments: &[&str]) -> String {
    output(Command::new("xdotool").args(arguments).env("DISPLAY", display).stderr(Stdio::piped()))
}
