//! A terminal of its own for the program under test, and somebody who answers there.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::viewer::finish;
use super::within;

/// Runs `sshvnc` on a terminal of its own and answers what it asks: each question by a part of its words.
pub fn on_a_terminal(mut command: Command, answers: &[(&str, &str)]) -> (Option<i32>, String) {
    let words: Vec<String> = std::iter::once(command.get_program().to_owned())
        .chain(command.get_args().map(ToOwned::to_owned))
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    let mut script = Command::new("script");
    script.args(["-qfec", &words.join(" "), "/dev/null"]).env_clear();
    script.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    command.stdin(Stdio::null());
    let mut keyboard = child.stdin.take().unwrap();
    let mut screen = child.stdout.take().unwrap();
    let seen = Arc::new(Mutex::new(String::new()));
    let to = seen.clone();
    let reader = std::thread::spawn(move || {
        let mut bytes = [0; 1000];
        while let Ok(count @ 1..) = screen.read(&mut bytes) {
            to.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    });
    let mut from = 0;
    for (question, answer) in answers {
        let asked = within(Duration::from_secs(20), || seen.lock().unwrap()[from..].contains(question));
        assert!(asked, "it did not ask \"{question}\": {}", seen.lock().unwrap());
        from = seen.lock().unwrap().len();
        keyboard.write_all(format!("{answer}\n").as_bytes()).unwrap();
    }
    let ended = finish(child, Duration::from_secs(30));
    drop(keyboard);
    reader.join().unwrap();
    let seen = seen.lock().unwrap().clone();
    (ended.code, seen)
}
