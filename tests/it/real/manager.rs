//! A window manager that writes down what it is asked for, and does it or not.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::randr::ConnectionExt as _;
use x11rb::protocol::xproto::{
    AtomEnum, ChangeWindowAttributesAux, ConfigureWindowAux, ConnectionExt as _, CreateWindowAux, EventMask, PropMode,
    WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// A client message: the name of its type, and its numbers.
pub type Asked = (String, [u32; 5]);

pub struct Manager {
    asked: Arc<Mutex<Vec<Asked>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Manager {
    /// One that lets windows cover the screens that they name, or one that does nothing of the kind.
    pub fn start(display: &str, obeys: bool) -> Manager {
        let (asked, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (connection, number) = RustConnection::connect(Some(display)).unwrap();
        let root = connection.setup().roots[number].root;
        let atom = |name: &str| connection.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom;
        let mask = EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY;
        let attributes = ChangeWindowAttributesAux::new().event_mask(mask);
        connection.change_window_attributes(root, &attributes).unwrap().check().unwrap();
        let own = connection.generate_id().unwrap();
        let class = WindowClass::INPUT_OUTPUT;
        connection.create_window(0, own, root, -9, -9, 1, 1, 0, class, 0, &CreateWindowAux::new()).unwrap();
        for window in [root, own] {
            let (name, kind) = (atom("_NET_SUPPORTING_WM_CHECK"), AtomEnum::WINDOW);
            connection.change_property32(PropMode::REPLACE, window, name, kind, &[own]).unwrap();
        }
        let several: &[u32] = if obeys { &[atom("_NET_WM_FULLSCREEN_MONITORS")] } else { &[] };
        let supported = atom("_NET_SUPPORTED");
        connection.change_property32(PropMode::REPLACE, root, supported, AtomEnum::ATOM, several).unwrap();
        connection.flush().unwrap();
        let (written, stopped) = (asked.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                match connection.poll_for_event() {
                    Ok(Some(event)) => manage(&connection, root, &event, obeys, &written),
                    Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                    Err(_) => return,
                }
            }
        });
        Manager { asked, stop, thread: Some(thread) }
    }

    /// What it was asked for.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().unwrap().join();
    }
}

fn manage(connection: &RustConnection, root: u32, event: &Event, obeys: bool, written: &Mutex<Vec<Asked>>) {
    match event {
        Event::MapRequest(request) => drop(connection.map_window(request.window).unwrap()),
        Event::ConfigureRequest(request) => {
            let wanted = ConfigureWindowAux::from_configure_request(request);
            connection.configure_window(request.window, &wanted).unwrap();
        }
        Event::ClientMessage(message) => {
            let name = connection.get_atom_name(message.type_).unwrap().reply().unwrap().name;
            let name = String::from_utf8(name).unwrap();
            let data = message.data.as_data32();
            written.lock().unwrap().push((name.clone(), data));
            if obeys && name == "_NET_WM_STATE" {
                let states: &[u32] = if data[0] == 1 { &data[1..2] } else { &[] };
                let (replace, kind) = (PropMode::REPLACE, AtomEnum::ATOM);
                connection.change_property32(replace, message.window, message.type_, kind, states).unwrap();
            }
            if obeys && name == "_NET_WM_FULLSCREEN_MONITORS" {
                let monitors = connection.randr_get_monitors(root, true).unwrap().reply().unwrap().monitors;
                let of = |edge: usize| &monitors[data[edge] as usize];
                let (x, y) = (i32::from(of(2).x), i32::from(of(0).y));
                let width = i32::from(of(3).x) + i32::from(of(3).width) - x;
                let height = i32::from(of(1).y) + i32::from(of(1).height) - y;
                let place = ConfigureWindowAux::new().x(x).y(y).width(width as u32).height(height as u32);
                connection.configure_window(message.window, &place).unwrap();
            }
        }
        _ => {}
    }
    connection.flush().unwrap();
}
