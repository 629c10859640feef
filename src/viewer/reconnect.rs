//! When another connection is tried after one that failed, and when it is given up. Pure: time is an argument.

use std::time::{Duration, Instant};

/// The first pause; each next one is twice as long.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(30);

/// A desktop that was there for so long has recovered; one that is gone before that has not come back.
const SETTLED: Duration = Duration::from_secs(30);

/// How often a lost desktop is taken up again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reconnect {
    /// Not at all.
    #[default]
    No,
    /// So often in a row.
    Times(u32),
    /// Until it is there again.
    Forever,
}

/// What is wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policy {
    /// How often.
    pub reconnect: Reconnect,
    /// For how long after a loss.
    pub timeout: Option<Duration>,
    /// For how long until there is a desktop for the first time.
    pub connect_timeout: Option<Duration>,
}

/// The attempts since the desktop was lost, or since the beginning.
#[derive(Debug, Clone, Copy)]
pub struct Trouble {
    /// Since when there is no desktop.
    pub since: Instant,
    /// Attempts that failed since then.
    pub attempts: u32,
    /// Whether there was a desktop before.
    pub lost: bool,
    /// When all is given up; later by the time for which a desktop was there meanwhile.
    pub until: Option<Instant>,
}

impl Policy {
    /// Whether any connection is ever made again.
    pub fn tries_again(&self) -> bool {
        self.reconnect != Reconnect::No || self.connect_timeout.is_some()
    }

    /// Nothing was connected yet.
    pub fn begin(&self, now: Instant) -> Trouble {
        Trouble { since: now, attempts: 0, lost: false, until: self.connect_timeout.map(|limit| now + limit) }
    }

    /// A desktop was there `since` and is lost. What connects only to break again is one trouble, which has an end.
    pub fn lost(&self, before: Trouble, since: Instant, now: Instant) -> Trouble {
        let shown = now.saturating_duration_since(since);
        if before.lost && shown < SETTLED {
            return Trouble { since: now, until: before.until.map(|until| until + shown), ..before };
        }
        Trouble { since: now, attempts: 0, lost: true, until: self.timeout.map(|limit| now + limit) }
    }

    /// There is news that makes an attempt worth while before its time, which does not count: when to make it. News may
    /// come in swarms.
    pub fn hurry(&self, trouble: &mut Trouble, begun: Instant, now: Instant) -> Instant {
        trouble.attempts = trouble.attempts.saturating_sub(1);
        now.max(begun + FIRST)
    }

    /// An attempt failed in a way that may pass, or the desktop was lost: when to try again, if at all.
    pub fn retry(&self, trouble: &mut Trouble, now: Instant) -> Option<Instant> {
        let allowed = match (self.reconnect, trouble.lost) {
            // A host that never answered may be a slip of the pen: only a limit makes waiting for it bearable.
            (_, false) => self.connect_timeout.is_some(),
            (Reconnect::No, true) => false,
            (Reconnect::Times(most), true) => trouble.attempts < most,
            (Reconnect::Forever, true) => true,
        };
        let pause = FIRST.saturating_mul(1 << trouble.attempts.min(5)).min(LONGEST);
        trouble.attempts += 1;
        // The last one is made a moment before the end, not after it.
        let last = trouble.until.map(|until| until.checked_sub(FIRST).unwrap_or(until));
        let next = last.map_or(now + pause, |last| last.min(now + pause));
        (allowed && last.is_none_or(|last| now < last)).then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(policy: Policy, lost: bool, attempt: Duration) -> Vec<u64> {
        let start = Instant::now();
        let mut now = start;
        let first = policy.begin(now);
        let mut trouble = if lost { policy.lost(first, now, now) } else { first };
        let mut pauses = Vec::new();
        while let Some(next) = policy.retry(&mut trouble, now).filter(|_| pauses.len() < 20) {
            pauses.push((next - now).as_secs());
            now = next + attempt;
        }
        pauses
    }

    #[test]
    fn pauses_grow_to_half_a_minute() {
        let policy = Policy { reconnect: Reconnect::Forever, ..Policy::default() };
        assert_eq!(pauses(policy, true, Duration::ZERO)[..7], [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(pauses(policy, true, Duration::ZERO).len(), 20);
        let policy = Policy { reconnect: Reconnect::Times(3), ..policy };
        assert_eq!(pauses(policy, true, Duration::from_secs(9)), [1, 2, 4]);
        assert!(pauses(Policy::default(), true, Duration::ZERO).is_empty());
    }

    #[test]
    fn what_breaks_again_at_once_is_the_same_trouble() {
        let policy = Policy { reconnect: Reconnect::Times(2), timeout: Some(SETTLED * 4), connect_timeout: None };
        let start = Instant::now();
        let mut trouble = policy.lost(policy.begin(start), start, start);
        assert!(policy.retry(&mut trouble, start).is_some());
        let (shown, now) = (start + Duration::from_secs(2), start + Duration::from_secs(3));
        trouble = policy.lost(trouble, shown, now);
        // It is lost since now, and the time for which it was there does not count.
        assert_eq!((trouble.since, trouble.attempts), (now, 1));
        assert_eq!(trouble.until, Some(start + SETTLED * 4 + Duration::from_secs(1)));
        assert!(policy.retry(&mut trouble, now).is_some());
        assert!(policy.retry(&mut trouble, now).is_none());
        // After a while it is another one.
        let now = shown + SETTLED;
        trouble = policy.lost(trouble, shown, now);
        assert_eq!((trouble.since, trouble.attempts, trouble.until), (now, 0, Some(now + SETTLED * 4)));
    }

    #[test]
    fn a_desktop_that_comes_back_late_and_breaks_again_is_tried_again_but_not_without_end() {
        let limit = Duration::from_secs(120);
        let policy = Policy { reconnect: Reconnect::Forever, timeout: Some(limit), connect_timeout: None };
        let mut now = Instant::now();
        let mut trouble = policy.lost(policy.begin(now), now, now);
        assert!(policy.retry(&mut trouble, now).is_some());
        let back = now + Duration::from_secs(100);
        now = back + Duration::from_secs(25);
        trouble = policy.lost(trouble, back, now);
        assert_eq!(trouble.until, Some(now + Duration::from_secs(20)));
        let mut more = 0;
        while let Some(back) = policy.retry(&mut trouble, now) {
            now = back + Duration::from_secs(29);
            trouble = policy.lost(trouble, back, now);
            more += 1;
        }
        assert!((1..20).contains(&more), "{more}");
    }

    #[test]
    fn news_of_the_network_cost_no_attempt_and_make_no_swarm() {
        let policy = Policy { reconnect: Reconnect::Times(2), ..Policy::default() };
        let mut now = Instant::now();
        let mut trouble = policy.lost(policy.begin(now), now, now);
        assert!(policy.retry(&mut trouble, now).is_some());
        for _ in 0..50 {
            let begun = now;
            now = policy.hurry(&mut trouble, begun, now);
            assert_eq!(now, begun + FIRST);
            assert_eq!(policy.retry(&mut trouble, now), Some(now + FIRST));
        }
        assert_eq!(policy.hurry(&mut trouble, now - FIRST * 9, now), now);
    }

    #[test]
    fn a_limit_ends_it_and_allows_a_last_attempt() {
        let limit = Some(Duration::from_secs(20));
        let policy = Policy { reconnect: Reconnect::Forever, timeout: limit, connect_timeout: None };
        // At 1, 3, 7, 15 and 19 seconds.
        assert_eq!(pauses(policy, true, Duration::from_millis(1)), [1, 2, 4, 8, 3]);
        // Attempts that take long leave room for fewer.
        assert_eq!(pauses(policy, true, Duration::from_secs(10)), [1, 2]);
        // The first connection has a limit of its own, without which there is one attempt.
        assert!(pauses(policy, false, Duration::ZERO).is_empty());
        let policy = Policy { connect_timeout: Some(Duration::from_secs(5)), ..policy };
        assert_eq!(pauses(policy, false, Duration::from_secs(1)), [1, 2]);
        // It is tried for so long even if nothing is taken up again that was lost.
        let policy = Policy { reconnect: Reconnect::No, ..policy };
        assert_eq!(pauses(policy, false, Duration::from_secs(1)), [1, 2]);
        assert!(policy.tries_again() && pauses(policy, true, Duration::ZERO).is_empty());
    }
}
