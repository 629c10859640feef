//! What is drawn over the desktop: from what is to be said to a picture; it knows no window, no clock and no session.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod font;
mod frame;
mod lines;
mod menu;
mod notice;
mod pen;
mod question;
mod rows;
mod sheet;
mod table;

use std::rc::Rc;

use crate::picture::{Area, Canvas};

pub use menu::{Item, Menu};
pub use notice::{Kind, Notice};
pub use question::{Field, Question};
pub use table::Table;

/// A panel: its picture, never larger than the room it was drawn for, and what can be clicked in it.
#[derive(Debug, Clone)]
pub struct Drawn {
    /// In [`ByteOrder::Bgrx`](crate::picture::ByteOrder::Bgrx), without holes.
    pub picture: Rc<Canvas>,
    places: Vec<(usize, Area)>,
}

impl Drawn {
    /// Which item or choice lies at a point, in pixels from the picture's upper left corner.
    pub fn at(&self, x: i32, y: i32) -> Option<usize> {
        let (x, y) = (u32::try_from(x).ok()?, u32::try_from(y).ok()?);
        let holds =
            |area: &Area| (area.x().into()..area.right()).contains(&x) && (area.y().into()..area.bottom()).contains(&y);
        self.places.iter().find(|(_, area)| holds(area)).map(|(number, _)| *number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Size;

    type Draw = Box<dyn Fn(Size, f32) -> Drawn>;

    /// Everything there is to draw, with texts that nobody would write.
    fn all(text: &str) -> Vec<(&'static str, Draw)> {
        let many = vec![text.to_owned(); 100];
        let item = Item { label: text.to_owned(), hint: text.to_owned(), checked: Some(true), enabled: true };
        let menu = Menu { title: text.to_owned(), items: vec![item; 100], selected: 99 };
        let question =
            |field| Question { title: text.to_owned(), lines: many.clone(), field, choices: many.clone(), selected: 7 };
        let typed = question(Some(Field::shown(text, 3)));
        let masked = question(Some(Field::masked(text, usize::MAX)));
        let notice = Notice { lines: many.clone(), kind: Kind::Warning };
        let rows = many.iter().map(|text| (text.clone(), text.clone())).collect();
        let table = Table { title: text.to_owned(), rows };
        vec![
            ("menu", Box::new(move |room, density| menu.draw(room, density))),
            ("typed", Box::new(move |room, density| typed.draw(room, density))),
            ("masked", Box::new(move |room, density| masked.draw(room, density))),
            ("notice", Box::new(move |room, density| notice.draw(room, density))),
            ("table", Box::new(move |room, density| table.draw(room, density))),
        ]
    }

    #[test]
    fn nothing_is_larger_than_its_room() {
        let texts = ["", "x", &"long ".repeat(2000), &"m".repeat(10_000), &"\u{301}".repeat(10_000), "\u{202e}\n\0井"];
        let rooms = [(0, 0), (1, 1), (3, 700), (700, 3), (320, 200), (1920, 1080)];
        for text in texts {
            for (name, draw) in all(text) {
                for (width, height) in rooms {
                    for density in [1.0, 2.5] {
                        let drawn = draw(Size::new(width, height), density);
                        let size = drawn.picture.size();
                        assert!(size.width <= width && size.height <= height, "{name} {size} in {width}x{height}");
                        let inside = |area: &Area| area.clip(size) == Some(*area);
                        assert!(drawn.places.iter().all(|(_, area)| inside(area)), "{name} {width}x{height}");
                    }
                }
            }
        }
    }

    #[test]
    fn nonsense_for_a_density_is_none() {
        for (name, draw) in all("some text") {
            let room = Size::new(800, 600);
            let usual = draw(room, 1.0).picture;
            assert_eq!(draw(room, f32::NAN).picture.pixels(), usual.pixels(), "{name}");
            for density in [f32::INFINITY, -1.0, 0.0] {
                assert!(draw(room, density).picture.size().pixels() > 0, "{name} {density}");
            }
        }
    }

    #[test]
    fn a_density_scales_everything() {
        let room = Size::new(3000, 20_000);
        for (name, draw) in all("Two words") {
            let (one, two) = (draw(room, 1.0).picture.size(), draw(room, 2.0).picture.size());
            let near = |one: u16, two: u16| two.abs_diff(2 * one) <= 8;
            assert!(near(one.width, two.width) && near(one.height, two.height), "{name} {one} {two}");
        }
    }

    /// Pictures to look at: `OVERLAY_PICTURES=FOLDER cargo test --lib -- overlay::tests::pictures`.
    #[test]
    fn pictures() {
        let Some(folder) = std::env::var_os("OVERLAY_PICTURES") else { return };
        let folder = std::path::PathBuf::from(folder);
        let item = |label: &str, hint: &str, checked, enabled| Item {
            label: label.to_owned(),
            hint: hint.to_owned(),
            checked,
            enabled,
        };
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let menu = Menu {
            title: "workstation:1 – Κεντρικός, Сервер, 日本語".to_owned(),
            items: vec![
                item("Full screen", "Ctrl+Alt+Enter", Some(true), true),
                item("Take all keys", "Ctrl+Alt+G", Some(false), true),
                item("View only", "", Some(false), true),
                item("Send Ctrl+Alt+Del", "", None, true),
                item("Copy of the clipboard", "F9", None, false),
                item("Show all of the desktop", "", None, true),
                item("Statistics", "Ctrl+Alt+I", Some(false), true),
                item("Disconnect", "", None, true),
            ],
            selected: 1,
        };
        let password = Question {
            title: "Password".to_owned(),
            lines: texts(&["of anna at build-server.example.org"]),
            field: Some(Field::masked("correct horse", 13)),
            choices: texts(&["Cancel", "Log in"]),
            selected: 1,
        };
        let key = Question {
            title: "Unknown host".to_owned(),
            lines: texts(&[
                "The host σταθμός.example.org (192.0.2.17) is not known yet. Its key is",
                "ED25519 SHA256:uNiVztksCsDhcc0u9e8BgrJXVGUpf5tWZpQGlpcJoQk",
                "Is that the one that its owner has told you? Тот ли это ключ? 这是正确的密钥吗？",
            ]),
            field: None,
            choices: texts(&["No", "Only now", "Yes, and remember it"]),
            selected: 0,
        };
        let choose = Question {
            title: "Which desktop?".to_owned(),
            lines: Vec::new(),
            field: None,
            choices: (1..=30).map(|n| format!(":{n}  anna, 1920x1080, since Tuesday, with a window manager")).collect(),
            selected: 22,
        };
        let user = Question {
            title: "User".to_owned(),
            lines: texts(&["evil \u{202e}txt.exe \x1b[31m red\nsecond line, مرحبا, שלום, สวัสดี, 😀, नमस्ते"]),
            field: Some(Field::shown("Ζωή-Юлия", 3)),
            choices: texts(&["Cancel", "OK"]),
            selected: 1,
        };
        let waiting =
            Notice { lines: texts(&["Reconnecting, 12 s", "The network is unreachable"]), kind: Kind::Warning };
        let hint = Notice { lines: texts(&["Ctrl+Alt+M shows the menu"]), kind: Kind::Info };
        let rows = [
            ("Server", "TigerVNC 1.12, RFB 3.8"),
            ("Way", "SSH: curve25519, aes128-gcm@openssh.com"),
            ("Encoding", "Tight 84 %, CopyRect 16 %"),
            ("Received", "12.4 MB/s, 1.3 GB in all"),
            ("Pictures", "58 a second"),
            ("Round trip", "14 ms"),
        ];
        let rows = rows.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let table = Table { title: "Statistics".to_owned(), rows };
        for density in [1.0, 1.5, 2.0] {
            let room = Size::new((800.0 * density) as u16, (440.0 * density) as u16);
            let drawn = [
                ("menu", menu.draw(room, density)),
                ("password", password.draw(room, density)),
                ("key", key.draw(room, density)),
                ("choose", choose.draw(room, density)),
                ("user", user.draw(room, density)),
                ("waiting", waiting.draw(room, density)),
                ("hint", hint.draw(room, density)),
                ("table", table.draw(room, density)),
            ];
            for (name, drawn) in drawn {
                let file = std::fs::File::create(folder.join(format!("{name}-{density}.png"))).unwrap();
                let size = drawn.picture.size();
                let mut encoder = png::Encoder::new(file, size.width.into(), size.height.into());
                encoder.set_color(png::ColorType::Rgb);
                encoder.write_header().unwrap().write_image_data(&drawn.picture.to_rgb()).unwrap();
            }
        }
    }
}
