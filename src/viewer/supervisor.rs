//! Sessions one after the other: connects, and connects again after a loss, with what is kept in between.

use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::memory::Memory;
use super::reconnect::{Policy, Reconnect, Trouble};
use crate::error::{Failure, Kind};
use crate::session::transport::{Answer, Question, QuestionKind};
use crate::session::{Event, Open, Picture, Plan, ServerEvent, Session, UserInput};

/// Makes the plan for another attempt.
pub type Again<'a> = dyn FnMut() -> Result<Plan, Failure> + 'a;

/// What happens.
pub enum Happened {
    /// Something that only a person knows is needed.
    Question(Question),
    /// An SSH server waits for a desktop to connect to this port of its localhost.
    Listening(String, u32),
    /// The desktop is there, perhaps again.
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
    /// The desktop is there.
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
    answers: Answers,
    /// When the pause began, by a clock that goes on while the machine sleeps.
    paused_at: SystemTime,
}

/// The answers of persons, who may be asked in other threads.
#[derive(Clone, Default)]
pub struct Answers(Arc<Mutex<Told>>);

#[derive(Default)]
struct Told {
    memory: Memory,
    /// Questions that nobody has answered yet.
    open: usize,
    /// When the last one was answered.
    answered: Option<Instant>,
}

impl Answers {
    fn lock(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A person answered.
    pub fn hear(&self, question: &QuestionKind, answer: &Answer) {
        let mut state = self.lock();
        state.memory.hear(question, answer);
        state.open = state.open.saturating_sub(1);
        state.answered = Some(Instant::now());
    }
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
            answers: Answers::default(),
            paused_at: SystemTime::now(),
        })
    }

    /// Where things stand.
    pub fn state(&self) -> State {
        self.state
    }

    /// The attempts so far.
    pub fn trouble(&self) -> &Trouble {
        &self.trouble
    }

    /// Why there is no desktop, in words.
    pub fn why(&self) -> Option<String> {
        self.why.as_ref().map(Failure::to_string)
    }

    /// Where the answers of persons are to be told.
    pub fn answers(&self) -> &Answers {
        &self.answers
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
            State::Live => None,
            State::Waiting(until) => Some(until),
            // A person who thinks has all the time.
            State::Connecting if self.answers.lock().open > 0 => None,
            State::Connecting => self.trouble.until,
        };
        until.map_or(Duration::MAX, |until| until.saturating_duration_since(now))
    }

    /// What happened next.
    pub fn next(&mut self, now: Instant) -> Option<Happened> {
        loop {
            let Some(event) = self.session.next(Duration::ZERO) else { return self.due(now) };
            return Some(match event {
                Event::Question(question) => match self.known(question) {
                    Some(question) => Happened::Question(question),
                    None => continue,
                },
                Event::Listening { server, port } => Happened::Listening(server, port),
                Event::Open(open) => {
                    self.answers.lock().memory.keep();
                    if self.trouble.lost {
                        tracing::info!("the desktop is there again");
                    }
                    self.state = State::Live;
                    self.why = None;
                    Happened::Open(open)
                }
                Event::Picture(picture) => Happened::Picture(picture),
                Event::Server(news) => Happened::Server(news),
                Event::Network if matches!(self.state, State::Waiting(_)) => return Some(self.try_again()),
                Event::Network => continue,
                Event::Signal(number) => Happened::Signal(number),
                Event::Ended(end) => {
                    let ended = end.into();
                    self.ended(ended, now)
                }
            });
        }
    }

    /// Tries at once instead of waiting.
    pub fn hurry(&mut self) -> Option<Happened> {
        matches!(self.state, State::Waiting(_)).then(|| self.try_again())
    }

    /// Says goodbye. Gives what went wrong in stopping.
    pub fn close(self) -> Option<Failure> {
        self.session.close().map(Failure::from)
    }

    /// Answers a question from memory, or gives it back.
    fn known(&mut self, question: Question) -> Option<Question> {
        let mut answers = self.answers.lock();
        if let Some(answer) = answers.memory.recall(&question.kind) {
            let _ = question.reply.send(answer);
            return None;
        }
        answers.open += 1;
        Some(question)
    }

    fn ended(&mut self, ended: Result<(), Failure>, now: Instant) -> Happened {
        // Whatever was asked needs no answer any more.
        self.answers.lock().open = 0;
        let failure = match ended {
            Err(failure @ Failure::Because { kind: Kind::NoConnection | Kind::Lost, .. }) => failure,
            ended => return Happened::Ended(ended),
        };
        if self.state == State::Live {
            self.trouble = self.policy.lost(now);
        }
        let next = self.again.as_ref().and_then(|_| self.policy.retry(&mut self.trouble, now));
        let Some(next) = next else { return Happened::Ended(Err(self.last_words(failure))) };
        // What was answered has not been refused, so nobody is asked for it again.
        self.answers.lock().memory.keep();
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
            State::Live => None,
            State::Waiting(until) => {
                // After a sleep of the machine the pause may have hours left by one clock and none by the other.
                let slept = self.paused_at.elapsed().is_ok_and(|passed| passed > Duration::from_secs(60));
                (now >= until || slept).then(|| self.try_again())
            }
            State::Connecting => {
                let mut answers = self.answers.lock();
                if answers.open > 0 {
                    return None;
                }
                // The time that a person took is given back.
                if let (Some(answered), Some(until)) = (answers.answered.take(), &mut self.trouble.until) {
                    *until = (*until).max(answered + self.policy.connect_timeout.unwrap_or_default());
                }
                drop(answers);
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

    fn try_again(&mut self) -> Happened {
        let Some(again) = &mut self.again else { return self.give_up() };
        self.answers.lock().memory.begin();
        let session = again().and_then(|plan| Ok(Session::start(plan)?));
        match session {
            Ok(session) => {
                // The old one is dropped, and with it the tasks that were left of it.
                self.session = session;
                self.session.watch_network();
                self.state = State::Connecting;
                tracing::info!("trying again");
                Happened::Trying
            }
            Err(failure) => Happened::Ended(Err(failure)),
        }
    }
}

impl Reconnect {
    /// Whether anything is tried again.
    pub fn is_wanted(self) -> bool {
        self != Reconnect::No
    }
}
