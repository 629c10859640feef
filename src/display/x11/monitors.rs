//! The monitors of a screen, as RandR tells of them: where they lie, how fine they are, and which are meant.

use x11rb::connection::{Connection, RequestConnection};
use x11rb::errors::ReplyError;
use x11rb::protocol::randr::{self, ConnectionExt as _, NotifyMask};
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _};

use super::super::{Error, Screens};
use super::server::{Server, lost};
use crate::picture::{Area, Size};

/// More are not looked at.
const MOST: usize = 64;
/// Sizes in millimetres that are proportions: what televisions and projectors say of themselves.
const PROPORTIONS: [(u32, u32); 2] = [(160, 90), (160, 100)];
/// What one pixel is counted as where nothing else is known.
const DOTS_PER_INCH: f32 = 96.0;

/// A rectangle on the screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) size: Size,
}

/// A monitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Monitor {
    pub(super) place: Place,
    /// Width and height, if they are known.
    millimetres: (u32, u32),
    /// Its number for a window manager.
    pub(super) index: u32,
}

/// The version of RandR, where it can be used.
pub(super) type Version = Option<(u32, u32)>;

impl Place {
    fn right(self) -> i32 {
        self.x.saturating_add(self.size.width.into())
    }

    fn bottom(self) -> i32 {
        self.y.saturating_add(self.size.height.into())
    }

    /// Whether all of `other` lies in it.
    pub(super) fn covers(self, other: Place) -> bool {
        self.x <= other.x && self.y <= other.y && self.right() >= other.right() && self.bottom() >= other.bottom()
    }

    /// The pixels that both have.
    fn shared(self, other: Place) -> i64 {
        let width = self.right().min(other.right()).saturating_sub(self.x.max(other.x)).max(0);
        let height = self.bottom().min(other.bottom()).saturating_sub(self.y.max(other.y)).max(0);
        i64::from(width) * i64::from(height)
    }

    /// The smallest that holds both.
    fn with(self, other: Place) -> Place {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let length = |length: i32| u16::try_from(length).unwrap_or(u16::MAX);
        let width = length(self.right().max(other.right()).saturating_sub(x));
        let height = length(self.bottom().max(other.bottom()).saturating_sub(y));
        Place { x, y, size: Size::new(width, height) }
    }

    /// The smallest that holds all.
    pub(super) fn around(places: impl IntoIterator<Item = Place>) -> Option<Place> {
        places.into_iter().reduce(Place::with)
    }
}

/// Asks to be told when anything changes.
pub(super) fn subscribe(server: &Server) -> Result<Version, Error> {
    let connection = &server.connection;
    if connection.extension_information(randr::X11_EXTENSION_NAME).map_err(lost)?.is_none() {
        return Ok(None);
    }
    let asked = connection.randr_query_version(1, 5).map_err(lost)?;
    let Some(version) = known(asked.reply())? else { return Ok(None) };
    let version = (version.major_version, version.minor_version);
    if version < (1, 2) {
        return Ok(None);
    }
    let events = NotifyMask::SCREEN_CHANGE | NotifyMask::CRTC_CHANGE | NotifyMask::OUTPUT_CHANGE;
    connection.randr_select_input(server.root, events).map_err(lost)?;
    Ok(Some(version))
}

/// All monitors, from left to right and from top to bottom; at least one.
pub(super) fn read(server: &Server, version: Version) -> Result<Vec<Monitor>, Error> {
    let mut monitors = match version {
        Some(version) if version >= (1, 5) => of_monitors(server)?,
        Some(_) => of_crtcs(server)?,
        None => Vec::new(),
    };
    monitors.retain(|monitor| monitor.place.size.pixels() > 0);
    if monitors.is_empty() {
        monitors.push(whole(server)?);
    }
    monitors.sort_by_key(|monitor| (monitor.place.x, monitor.place.y));
    Ok(monitors)
}

/// As RandR 1.5 has them, which may be made of several outputs, or of a part of one.
fn of_monitors(server: &Server) -> Result<Vec<Monitor>, Error> {
    let asked = server.connection.randr_get_monitors(server.root, true).map_err(lost)?;
    let Some(answer) = known(asked.reply())? else { return Ok(Vec::new()) };
    let monitor = |(index, known): (u32, &randr::MonitorInfo)| Monitor {
        place: Place { x: known.x.into(), y: known.y.into(), size: Size::new(known.width, known.height) },
        millimetres: (known.width_in_millimeters, known.height_in_millimeters),
        index,
    };
    Ok((0..).zip(&answer.monitors).take(MOST).map(monitor).collect())
}

/// As RandR 1.2 has them: whatever reads pixels.
fn of_crtcs(server: &Server) -> Result<Vec<Monitor>, Error> {
    let connection = &server.connection;
    let asked = connection.randr_get_screen_resources(server.root).map_err(lost)?;
    let Some(resources) = known(asked.reply())? else { return Ok(Vec::new()) };
    let mut monitors = Vec::new();
    for &crtc in resources.crtcs.iter().take(MOST) {
        let asked = connection.randr_get_crtc_info(crtc, resources.config_timestamp).map_err(lost)?;
        let Some(info) = known(asked.reply())?.filter(|info| info.mode != 0) else { continue };
        let output = match info.outputs.first() {
            Some(&output) => {
                let asked = connection.randr_get_output_info(output, resources.config_timestamp).map_err(lost)?;
                known(asked.reply())?
            }
            None => None,
        };
        monitors.push(Monitor {
            place: Place { x: info.x.into(), y: info.y.into(), size: Size::new(info.width, info.height) },
            millimetres: output.map_or((0, 0), |output| (output.mm_width, output.mm_height)),
            index: monitors.len() as u32,
        });
    }
    Ok(monitors)
}

/// The whole screen as one.
fn whole(server: &Server) -> Result<Monitor, Error> {
    let root = server.connection.get_geometry(server.root).map_err(lost)?.reply().map_err(lost)?;
    let roots = &server.connection.setup().roots;
    let screen = roots.iter().find(|screen| screen.root == server.root);
    let millimetres = screen.map_or((0, 0), |screen| (screen.width_in_millimeters, screen.height_in_millimeters));
    Ok(Monitor {
        place: Place { x: 0, y: 0, size: Size::new(root.width, root.height) },
        millimetres: (millimetres.0.into(), millimetres.1.into()),
        index: 0,
    })
}

/// What can not be told is not known; without a connection there is nothing to go on with.
fn known<T>(answer: Result<T, ReplyError>) -> Result<Option<T>, Error> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(ReplyError::X11Error(_)) => Ok(None),
        Err(error) => Err(lost(error)),
    }
}

/// Where the pointer is.
pub(super) fn pointer(server: &Server) -> Result<Place, Error> {
    let at = server.connection.query_pointer(server.root).map_err(lost)?.reply().map_err(lost)?;
    Ok(Place { x: at.root_x.into(), y: at.root_y.into(), size: Size::new(1, 1) })
}

/// The monitor with most of this place, else the first.
pub(super) fn with_most_of(monitors: &[Monitor], place: Place) -> Option<Monitor> {
    // Of several the first, where the last would be taken.
    monitors.iter().rev().max_by_key(|monitor| monitor.place.shared(place)).copied()
}

/// The monitors that are meant, `current` being that where the window or the pointer is; and the numbers that there are
/// none for.
pub(super) fn meant(monitors: &[Monitor], screens: &Screens, current: Place) -> (Vec<Monitor>, Vec<u8>) {
    let here = || with_most_of(monitors, current).into_iter().collect();
    match screens {
        Screens::All => (monitors.to_vec(), Vec::new()),
        Screens::Current => (here(), Vec::new()),
        Screens::These(numbers) => {
            let find = |number: u8| monitors.get(usize::from(number).checked_sub(1)?).copied();
            let found: Vec<Monitor> = numbers.iter().filter_map(|&number| find(number)).collect();
            let missing = numbers.iter().copied().filter(|&number| find(number).is_none()).collect();
            (if found.is_empty() { here() } else { found }, missing)
        }
    }
}

/// The monitors at the edges of these, by the numbers that a window manager has for them: top, bottom, left, right (EWMH,
/// "_NET_WM_FULLSCREEN_MONITORS").
pub(super) fn edges(monitors: &[Monitor]) -> Option<[u32; 4]> {
    let least = |key: fn(Place) -> i32| monitors.iter().min_by_key(|monitor| key(monitor.place)).map(|it| it.index);
    Some([
        least(|place| place.y)?,
        least(|place| -place.bottom())?,
        least(|place| place.x)?,
        least(|place| -place.right())?,
    ])
}

/// The monitors that a window covers, in its own pixels; the whole window if there is none.
pub(super) fn covered(monitors: &[Monitor], window: Place) -> Vec<Area> {
    let mut areas = Vec::new();
    for place in monitors.iter().map(|monitor| monitor.place).filter(|&place| window.covers(place)) {
        let inside = |at: i32, edge: i32| u16::try_from(at.saturating_sub(edge)).ok();
        let (Some(x), Some(y)) = (inside(place.x, window.x), inside(place.y, window.y)) else { continue };
        let area = window.size.area(x, y, place.size.width, place.size.height);
        // Two may show the same.
        areas.extend(area.filter(|area| !areas.contains(area)));
    }
    if areas.is_empty() { vec![window.size.whole()] } else { areas }
}

/// How fine pixels are: 1.0 for 96 dpi. What the user has set counts more than what a monitor says of itself.
pub(super) fn density(set: Option<f32>, monitor: Option<Monitor>) -> f32 {
    let sane = |dots: &f32| (50.0..=1000.0).contains(dots);
    let measured = || {
        let Monitor { place, millimetres, .. } = monitor.filter(|known| !PROPORTIONS.contains(&known.millimetres))?;
        Some(f32::from(place.size.width) * 25.4 / millimetres.0 as f32)
    };
    let dots = set.filter(sane).or_else(|| measured().filter(sane)).unwrap_or(DOTS_PER_INCH);
    (dots / DOTS_PER_INCH).clamp(1.0, 4.0)
}

/// The dots an inch that the user has set (X resource `Xft.dpi`).
pub(super) fn dots_set(server: &Server) -> Result<Option<f32>, Error> {
    let (property, kind) = (AtomEnum::RESOURCE_MANAGER, AtomEnum::STRING);
    let asked = server.connection.get_property(false, server.root, property, kind, 0, 1 << 16).map_err(lost)?;
    Ok(known(asked.reply())?.and_then(|resources| dots_in(&resources.value)))
}

fn dots_in(resources: &[u8]) -> Option<f32> {
    let mut lines = resources.split(|&byte| byte == b'\n');
    let value = lines.find_map(|line| line.strip_prefix(b"Xft.dpi:"))?;
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn monitor(index: u32, x: i32, y: i32, width: u16, height: u16) -> Monitor {
        let place = Place { x, y, size: Size::new(width, height) };
        Monitor { place, millimetres: (u32::from(width) * 254 / 960, 0), index }
    }

    /// A large one on the right of two small ones above each other.
    fn three() -> [Monitor; 3] {
        [monitor(1, 0, 0, 800, 600), monitor(2, 0, 600, 800, 600), monitor(0, 800, 100, 1920, 1080)]
    }

    #[test]
    fn those_are_meant_that_are_named() {
        let at = |x, y| Place { x, y, size: Size::new(1, 1) };
        let meant = |screens, current| {
            let (meant, missing) = meant(&three(), &screens, current);
            (meant.iter().map(|monitor| monitor.index).collect::<Vec<_>>(), missing)
        };
        assert_eq!(meant(Screens::All, at(0, 0)), (vec![1, 2, 0], vec![]));
        assert_eq!(meant(Screens::Current, at(799, 599)), (vec![1], vec![]));
        assert_eq!(meant(Screens::Current, at(800, 599)), (vec![0], vec![]));
        // Where there is no monitor.
        assert_eq!(meant(Screens::Current, at(2000, 50)), (vec![1], vec![]));
        assert_eq!(meant(Screens::These(vec![3, 1]), at(0, 0)), (vec![0, 1], vec![]));
        assert_eq!(meant(Screens::These(vec![2, 4, 0]), at(0, 0)), (vec![2], vec![4, 0]));
        assert_eq!(meant(Screens::These(vec![9]), at(900, 200)), (vec![0], vec![9]));
    }

    #[test]
    fn a_window_manager_is_told_the_edges() {
        assert_eq!(edges(&three()), Some([1, 2, 1, 0]));
        assert_eq!(edges(&three()[..1]), Some([1; 4]));
        assert_eq!(edges(&[]), None);
        let around = Place::around(three().map(|monitor| monitor.place)).unwrap();
        assert_eq!(around, Place { x: 0, y: 0, size: Size::new(2720, 1200) });
    }

    #[test]
    fn screens_are_told_in_the_windows_own_pixels() {
        let window = |x, y, width, height| Place { x, y, size: Size::new(width, height) };
        let size = Size::new(2720, 1200);
        let all = [size.area(0, 0, 800, 600), size.area(0, 600, 800, 600), size.area(800, 100, 1920, 1080)];
        assert_eq!(covered(&three(), window(0, 0, 2720, 1200)), all.map(Option::unwrap));
        let right = covered(&three(), window(800, 100, 1920, 1080));
        assert_eq!(right, [Size::new(1920, 1080).whole()]);
        // A part of one, and outside of all.
        assert_eq!(covered(&three(), window(1, 0, 800, 600)), [Size::new(800, 600).whole()]);
        assert_eq!(covered(&three(), window(i32::MAX, i32::MIN, 8, 6)), [Size::new(8, 6).whole()]);
        let twice = [monitor(0, 0, 0, 800, 600), monitor(1, 0, 0, 800, 600)];
        assert_eq!(covered(&twice, window(0, 0, 800, 600)), [Size::new(800, 600).whole()]);
    }

    #[test]
    fn pixels_are_as_fine_as_the_user_says_or_the_monitor() {
        let of = |millimetres: u32| {
            let place = Place { x: 0, y: 0, size: Size::new(3840, 2160) };
            Some(Monitor { place, millimetres: (millimetres, 0), index: 0 })
        };
        assert_eq!(density(None, of(508)), 2.0);
        assert_eq!(density(Some(144.0), of(508)), 1.5);
        assert_eq!((density(None, of(0)), density(None, of(16)), density(None, None)), (1.0, 1.0, 1.0));
        let television = Monitor { millimetres: (160, 90), ..three()[2] };
        assert_eq!(density(None, Some(television)), 1.0);
        assert_eq!((density(Some(60.0), None), density(Some(900.0), None)), (1.0, 4.0));
        assert_eq!((density(Some(f32::NAN), None), density(Some(0.0), of(508))), (1.0, 2.0));
        assert_eq!(dots_in(b"*foo: 1\nXft.antialias:\t1\nXft.dpi:\t 144 \n"), Some(144.0));
        assert_eq!((dots_in(b"Xft.dpi: many"), dots_in(b"")), (None, None));
    }

    #[test]
    fn every_version_of_randr_tells_the_same() {
        use std::io::{BufRead, BufReader};
        use std::process::{Command, Stdio};
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "700x500x24", "-nolisten", "tcp", "-noreset"]);
        let mut xvfb = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("tests/run installs Xvfb");
        let mut number = String::new();
        BufReader::new(xvfb.stdout.take().unwrap()).read_line(&mut number).unwrap();
        let server = Server::connect(Some(&format!(":{}", number.trim())));
        let told = server.as_ref().map(|server| {
            let known = subscribe(server).unwrap();
            [known, Some((1, 4)), None].map(|version| read(server, version).unwrap())
        });
        xvfb.kill().unwrap();
        xvfb.wait().unwrap();
        for monitors in told.unwrap() {
            let [Monitor { place, index: 0, .. }] = monitors[..] else { panic!("{monitors:?}") };
            assert_eq!(place, Place { x: 0, y: 0, size: Size::new(700, 500) });
        }
    }
}
