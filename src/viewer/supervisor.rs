//! Sessions one after the other: connects, and connects again after a loss, with what is kept in between.

use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::memory::Memory;
use super::reconnect::{Policy, Trouble};
use crate::error::{Failure, Kind};
use crate::session::transport::{Answer, Question, QuestionKind};
use crate::session::{self, Event, Open, Picture, Plan, ServerEvent, Session, UserInput};

/// How often it is looked whether a person has answered elsewhere.
const LOOK: Duration = Duration::from_secs(1);

/// How long a signal may take from this process to whoever tells of it.
const ON_ITS_WAY: Duration = Duration::from_millis(20);

/// Makes the plan for another attempt.
pub type Again<'a> = dyn FnMut() -> Result<Plan, Failure> + 'a;

/// What happens.
pub enum Happened {
    /// Something that only a person knows is needed.
    Question(Question),
    /// An SSH server waits for a desktop to connect to this port of its localhost.
    Listening(String, u32),
    /// A server has shaken hands; the desktop is there with the first picture of it.
    Open(Open),
    /// Part of it was painted.
    Picture(Picture),
    /// The server told something else.
    Server(Vec<ServerEvent>),
    /// There is no desktop, and another attempt will be made.
    Waiting,
    /// Another attempt is made.
    Trying,
    /// A signal asks the program to end.
    Signal(i32),
    /// It is over.
    Ended(Result<(), Failure>),
}

/// Where things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// A connection is being made.
    Connecting,
    /// A server has shaken hands: see [`Supervisor::is_there`].
    Live,
    /// The next attempt is made at this time.
    Waiting(Instant),
}

/// Sessions, one at a time.
pub struct Supervisor<'a> {
    /// The one under way, or the last: it still tells of signals and of the network.
    session: Session,
    again: Option<&'a mut Again<'a>>,
    policy: Policy,
    state: State,
    trouble: Trouble,
    /// Why there is no desktop.
    why: Option<Failure>,
    told: Arc<Mutex<Told>>,
    /// What of their thinking was given back to the deadline.
    given_back: Duration,
    /// Since when something of the desktop is there in this session.
    shown: Option<Instant>,
    /// When this attempt began.
    begun: Instant,
    /// When the pause began, by a clock that goes on while the machine sleeps.
    paused_at: SystemTime,
}

/// The answers of persons to the questions of one attempt. They may be asked in other threads, which outlive it.
#[derive(Clone)]
pub struct Answers {
    told: Arc<Mutex<Told>>,
    attempt: u32,
}

#[derive(Default)]
struct Told {
    memory: Memory,
    attempt: u32,
    /// Questions that nobody has answered yet.
    open: usize,
    /// Since when there are any.
    since: Option<Instant>,
    /// For how long persons have thought, before that.
    thought: Duration,
    /// A person would not answer in this attempt.
    declined: bool,
}

impl Told {
    fn ask(&mut self, now: Instant) {
        self.open += 1;
        self.since.get_or_insert(now);
    }

    /// The next question is of another attempt, if there is one.
    fn close(&mut self, now: Instant) {
        self.attempt += 1;
        self.open = 0;
        self.thought += self.since.take().map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
    }

    /// The desktop answered: what a person would not say was not needed for it.
    fn succeed(&mut self) {
        self.memory.keep();
        self.declined = false;
    }

    /// For how long persons have thought so far.
    fn thought(&self, now: Instant) -> Duration {
        self.thought + self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }
}

impl Answers {
    /// A person answered.
    pub fn hear(&self, question: &QuestionKind, answer: &Answer) {
        let mut told = lock(&self.told);
        // Nobody waits for it any more.
        if told.attempt != self.attempt {
            return;
        }
        told.memory.hear(question, answer);
        told.declined |= matches!(answer, Answer::No);
        told.open = told.open.saturating_sub(1);
        if told.open == 0 {
            let since = told.since.take();
            told.thought += since.map_or(Duration::ZERO, |since| since.elapsed());
        }
    }
}

fn lock(told: &Mutex<Told>) -> MutexGuard<'_, Told> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Supervisor<'a> {
    /// Begins with `plan`.
    ///
    /// # Errors
    /// [`Failure`] if this machine gives no threads.
    pub fn start(plan: Plan, again: Option<&'a mut Again<'a>>, policy: Policy) -> Result<Supervisor<'a>, Failure> {
        Ok(Supervisor {
            session: Session::start(plan)?,
            again,
            policy,
            state: State::Connecting,
            trouble: policy.begin(Instant::now()),
            why: None,
            told: Arc::new(Mutex::new(Told { memory: Memory::new(policy.tries_again()), ..Told::default() })),
            given_back: Duration::ZERO,
            shown: None,
            begun: Instant::now(),
            paused_at: SystemTime::now(),
        })
    }

    /// Where things stand.
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether the desktop is there: a server that only shakes hands is none.
    pub fn is_there(&self) -> bool {
        self.state == State::Live && self.shown.is_some()
    }

    /// The attempts so far.
    pub fn trouble(&self) -> &Trouble {
        &self.trouble
    }

    /// Why there is no desktop, in words.
    pub fn why(&self) -> Option<String> {
        self.why.as_ref().map(Failure::to_string)
    }

    /// Where the answers to the questions of this attempt are to be told.
    pub fn answers(&self) -> Answers {
        Answers { told: Arc::clone(&self.told), attempt: lock(&self.told).attempt }
    }

    /// For how long persons have thought so far: no deadline counts that.
    pub fn thought(&self, now: Instant) -> Duration {
        lock(&self.told).thought(now)
    }

    /// The session's.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Can be read while [`next`](Supervisor::next) has something to give.
    pub fn bell(&self) -> BorrowedFd<'_> {
        self.session.bell()
    }

    /// Tells the server what the user does, if there is one.
    pub fn send(&self, input: UserInput) {
        if self.state == State::Live {
            self.session.send(input);
        }
    }

    /// How long nothing need be done if nothing happens.
    pub fn pause(&self, now: Instant) -> Duration {
        let until = match self.state {
            State::Live if self.shown.is_some() => None,
            State::Waiting(until) => Some(until),
            // A person who thinks has all the time; an answer from another thread wakes nobody.
            State::Connecting if lock(&self.told).open > 0 => return LOOK,
            State::Connecting | State::Live => self.trouble.until,
        };
        until.map_or(Duration::MAX, |until| until.saturating_duration_since(now))
    }

    /// What happened next.
    pub fn next(&mut self, now: Instant) -> Option<Happened> {
        loop {
            let Some(event) = self.session.next(Duration::ZERO) else { return self.due(now) };
            return Some(match event {
                Event::Question(question) => match self.known(question, now) {
                    Some(question) => Happened::Question(question),
                    None => continue,
                },
                Event::Wrong(question) => {
                    lock(&self.told).memory.forget(&question);
                    continue;
                }
                Event::Listening { server, port } => Happened::Listening(server, port),
                Event::Open(open) => {
                    lock(&self.told).succeed();
                    self.state = State::Live;
                    Happened::Open(open)
                }
                Event::Picture(picture) => {
                    if self.shown.is_none() {
                        self.shown = Some(now);
                        self.why = None;
                        if self.trouble.lost {
                            tracing::info!("the desktop is there again");
                        }
                    }
                    Happened::Picture(picture)
                }
                Event::Server(news) => Happened::Server(news),
                Event::Network => match self.network_changed(now) {
                    Some(happened) => happened,
                    None => continue,
                },
                Event::Signal(number) => Happened::Signal(number),
                Event::Ended(end) => {
                    let may_pass = end.error.as_ref().is_none_or(session::Error::may_pass);
                    self.ended(end.into(), may_pass, now)
                }
            });
        }
    }

    /// Tries at once instead of waiting.
    pub fn hurry(&mut self, now: Instant) -> Option<Happened> {
        matches!(self.state, State::Waiting(_)).then(|| {
            self.policy.hurry(&mut self.trouble, self.begun, now);
            self.try_again(now)
        })
    }

    /// Tries at once, or as soon as is decent.
    fn network_changed(&mut self, now: Instant) -> Option<Happened> {
        let State::Waiting(until) = self.state else { return None };
        let mut trouble = self.trouble;
        let next = self.policy.hurry(&mut trouble, self.begun, now);
        if next >= until {
            return None;
        }
        self.trouble = trouble;
        if next <= now {
            return Some(self.try_again(now));
        }
        self.state = State::Waiting(next);
        None
    }

    /// Says goodbye. Gives what went wrong in stopping.
    pub fn close(self) -> Option<Failure> {
        self.session.close().map(Failure::from)
    }

    /// Answers a question from memory, or gives it back.
    fn known(&mut self, question: Question, now: Instant) -> Option<Question> {
        let mut told = lock(&self.told);
        if let Some(answer) = told.memory.recall(&question.kind) {
            let _ = question.reply.send(answer);
            return None;
        }
        told.ask(now);
        Some(question)
    }

    /// Gives the time that persons took back to the deadline.
    fn give_back(&mut self, now: Instant) {
        let thought = self.thought(now);
        if let Some(until) = &mut self.trouble.until {
            *until += thought.saturating_sub(self.given_back);
        }
        self.given_back = thought;
    }

    /// The attempt failed, or the desktop is lost; `may_pass` if the next attempt may end otherwise.
    fn ended(&mut self, ended: Result<(), Failure>, may_pass: bool, now: Instant) -> Happened {
        // Whatever was asked needs no answer any more.
        lock(&self.told).close(now);
        self.give_back(now);
        let failure = match ended {
            Err(failure @ Failure::Because { kind: Kind::NoConnection | Kind::Lost, .. }) => failure,
            // A machine that starts again may refuse for a while what it will take.
            Err(failure) if may_pass && self.shown.is_none() && self.trouble.lost => failure,
            ended => return Happened::Ended(ended),
        };
        if let Some(since) = self.shown.take() {
            self.trouble = self.policy.lost(self.trouble, since, now);
        }
        // Whoever would not answer is not asked again.
        let goes_on = self.again.is_some() && !lock(&self.told).declined;
        let next = if goes_on { self.policy.retry(&mut self.trouble, now) } else { None };
        let Some(next) = next else { return Happened::Ended(Err(self.last_words(failure))) };
        // What was refused is forgotten by now. Nobody is asked for the rest again.
        lock(&self.told).memory.keep();
        tracing::info!("{failure}; trying again in {:.0} s", next.saturating_duration_since(now).as_secs_f32());
        if self.why.is_none() {
            self.session.watch_network();
        }
        // What cut the connection says more than why the next attempt fails; the first attempt's news is the last one's.
        if self.why.is_none() || !self.trouble.lost {
            self.why = Some(failure);
        }
        self.state = State::Waiting(next);
        self.paused_at = SystemTime::now();
        Happened::Waiting
    }

    /// The reason to stop trying, which began with another one.
    fn last_words(&mut self, failure: Failure) -> Failure {
        match self.why.take() {
            Some(why) if self.trouble.lost => {
                let tried = self.trouble.since.elapsed().as_secs();
                Failure::new(Kind::Lost, format!("{why}; it did not come back in {tried} s: {failure}"))
            }
            _ => failure,
        }
    }

    /// What the time asks for.
    fn due(&mut self, now: Instant) -> Option<Happened> {
        match self.state {
            State::Live if self.shown.is_some() => None,
            State::Waiting(until) => {
                // After a sleep of the machine the pause may have hours left by one clock and none by the other.
                let slept = self.paused_at.elapsed().is_ok_and(|passed| passed > Duration::from_secs(60));
                (now >= until || slept).then(|| self.try_again(now))
            }
            State::Connecting | State::Live => {
                if lock(&self.told).open > 0 {
                    return None;
                }
                self.give_back(now);
                let until = self.trouble.until?;
                (now >= until).then(|| self.give_up())
            }
        }
    }

    /// The time is over in the middle of an attempt.
    fn give_up(&mut self) -> Happened {
        let seconds = self.trouble.since.elapsed().as_secs();
        let failure = Failure::new(Kind::NoConnection, format!("there was no desktop within {seconds} s"));
        let failure = match self.why.take() {
            Some(why) if self.trouble.lost => {
                Failure::new(Kind::Lost, format!("{why}; it did not come back in {seconds} s"))
            }
            Some(why) => Failure::new(Kind::NoConnection, format!("there was no desktop within {seconds} s: {why}")),
            None => failure,
        };
        Happened::Ended(Err(failure))
    }

    /// Why there is no desktop, for somebody who does not want to wait any longer.
    pub fn give_up_now(&mut self) -> Failure {
        let kind = if self.trouble.lost { Kind::Lost } else { Kind::NoConnection };
        self.why.take().unwrap_or_else(|| Failure::new(kind, "the attempt to connect was given up"))
    }

    fn try_again(&mut self, now: Instant) -> Happened {
        let Some(again) = &mut self.again else { return self.give_up() };
        self.begun = now;
        let mut told = lock(&self.told);
        told.memory.begin();
        told.declined = false;
        drop(told);
        let session = again().and_then(|plan| Ok(Session::start(plan)?));
        match session {
            Ok(session) => {
                // The old one is dropped, and with it the tasks that were left of it.
                let old = std::mem::replace(&mut self.session, session);
                self.session.watch_network();
                self.state = State::Connecting;
                tracing::info!("trying again");
                // It may have taken a while to make the plan, and ended only with the signal.
                let mut heard = std::iter::from_fn(|| old.next(ON_ITS_WAY));
                heard
                    .find_map(|event| match event {
                        Event::Signal(number) => Some(Happened::Signal(number)),
                        _ => None,
                    })
                    .unwrap_or(Happened::Trying)
            }
            // A home that is on the network may be gone with it.
            Err(failure) => self.ended(Err(failure), true, now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::transport::Purpose;

    #[test]
    fn who_would_not_say_a_passphrase_and_got_in_is_connected_again_and_not_asked() {
        let question = |path: &str| QuestionKind::Secret {
            prompt: "passphrase".to_owned(),
            purpose: Purpose::KeyPassphrase { path: path.into() },
            echo: false,
            again: false,
        };
        let told = Arc::new(Mutex::new(Told { memory: Memory::new(true), ..Told::default() }));
        let hear = |path| Answers { told: Arc::clone(&told), attempt: 0 }.hear(&question(path), &Answer::No);
        hear("id");
        assert!(lock(&told).declined);
        lock(&told).succeed();
        assert!(!lock(&told).declined);
        lock(&told).memory.begin();
        assert!(matches!(lock(&told).memory.recall(&question("id")), Some(Answer::No)));
        // Without success it was the end, and says nothing about the next time.
        hear("other");
        lock(&told).memory.begin();
        lock(&told).succeed();
        assert!(lock(&told).memory.recall(&question("other")).is_none());
    }
}
