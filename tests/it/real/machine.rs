//! A machine whose screen QEMU shows: no system is on it, only a picture.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Command;

use tempfile::TempDir;

use super::scenery::from_ppm;
use super::viewer::Picture;
use super::{PATIENCE, Running, free_port, wait_for_port, within};

/// Paints 320x200 pixels of 256 colours, which QEMU shows as 640x400.
const PROGRAM: [u8; 36] = [
    0xb8, 0x13, 0x00, // mov ax, 13h
    0xcd, 0x10, // int 10h: graphics
    0xb8, 0x00, 0xa0, // mov ax, a000h
    0x8e, 0xc0, // mov es, ax: where the pixels are
    0x31, 0xff, // xor di, di
    0x89, 0xf8, // next: mov ax, di
    0xf6, 0xc4, 0x40, // test ah, 40h
    0x75, 0x05, // jnz flat
    0x00, 0xe0, // add al, ah: slanting stripes,
    0xaa, // stosb
    0xeb, 0x05, // jmp on
    0x88, 0xe0, // flat: mov al, ah: or 256 pixels alike
    0xf6, 0xd0, // not al
    0xaa, // stosb
    0x85, 0xff, // on: test di, di
    0x75, 0xeb, // jnz next
    0xf4, // end: hlt
    0xeb, 0xfd, // jmp end
];

pub struct Machine {
    _server: Running,
    pub port: u16,
    folder: TempDir,
}

impl Machine {
    pub fn start() -> Machine {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let mut disk = [0; 512];
        disk[..PROGRAM.len()].copy_from_slice(&PROGRAM);
        disk[510..].copy_from_slice(&[0x55, 0xaa]);
        fs::write(path("disk"), disk).unwrap();
        let (port, log) = (free_port(), path("log"));
        let mut command = Command::new("qemu-system-x86_64");
        command.args(["-m", "32", "-nodefaults", "-vga", "std", "-display", "none", "-net", "none", "-accel", "tcg"]);
        command.args(["-usb", "-device", "usb-tablet"]);
        command.args(["-drive", &format!("file={},format=raw,if=floppy,readonly=on", path("disk").display())]);
        command.args(["-monitor", &format!("unix:{},server,nowait", path("monitor").display())]);
        command.args(["-vnc", &format!("127.0.0.1:{}", port - 5900)]);
        let server = Running::start(&mut command, &log);
        wait_for_port(port, &log);
        let machine = Machine { _server: server, port, folder };
        // Until the last pixel is painted, which is no longer black.
        let painted = |(width, _, pixels): Picture| width == 640 && pixels[pixels.len() - 3..] != [0; 3];
        assert!(within(PATIENCE, || painted(machine.screen())), "nothing is painted");
        machine
    }

    /// What is on the screen, asked from the monitor.
    pub fn screen(&self) -> Picture {
        let file = self.folder.path().join("screen.ppm");
        let _ = fs::remove_file(&file);
        let mut monitor = UnixStream::connect(self.folder.path().join("monitor")).unwrap();
        monitor.write_all(format!("screendump {}\n", file.display()).as_bytes()).unwrap();
        let screen = || from_ppm(&fs::read(&file).ok()?);
        let there = within(PATIENCE, || screen().is_some());
        monitor.set_nonblocking(true).unwrap();
        let mut said = String::new();
        let _ = monitor.read_to_string(&mut said);
        assert!(there, "no screendump: {said}");
        screen().unwrap()
    }
}
