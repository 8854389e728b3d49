//! The knobs of a session.

use feedhold_stream_core::{
    budget::Budget, chunk::Stop, lease::CheckpointInterval, retry::RetryPolicy, streamer,
};

/// What happens when a program stop is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopAction {
    /// Wait until somebody calls [`Handle::proceed`](crate::Handle::proceed).
    Ask,
    /// Go on without sending the line.
    Skip,
    /// Send the line to the controller.
    Send,
    /// Send these lines instead, one after the other, then go on.
    Macro(Vec<String>),
}

/// What to do at each kind of program stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopPolicy {
    /// `M0`. Default: ask.
    pub pause: StopAction,
    /// `M1`. Default: ask.
    pub optional_pause: StopAction,
    /// `M2` and `M30`. Default: send; what stands behind them in the file is not executed.
    pub end: StopAction,
    /// `M6`. Default: ask, because most small controllers refuse it.
    pub tool_change: StopAction,
    /// `M600`. Default: send, the firmware knows how.
    pub filament_change: StopAction,
}

impl Default for StopPolicy {
    fn default() -> Self {
        Self {
            pause: StopAction::Ask,
            optional_pause: StopAction::Ask,
            end: StopAction::Send,
            tool_change: StopAction::Ask,
            filament_change: StopAction::Send,
        }
    }
}

impl StopPolicy {
    /// The action for a stop.
    #[must_use]
    pub fn action(&self, stop: Stop) -> &StopAction {
        match stop {
            Stop::OptionalPause => &self.optional_pause,
            Stop::End | Stop::EndRewind => &self.end,
            Stop::ToolChange => &self.tool_change,
            Stop::FilamentChange => &self.filament_change,
            _ => &self.pause,
        }
    }
}

/// Configuration of a session.
#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) streamer: streamer::Config,
    pub(crate) stops: StopPolicy,
    pub(crate) reconnect: RetryPolicy,
    pub(crate) checkpoints: CheckpointInterval,
    pub(crate) budget: Budget,
    pub(crate) events: usize,
    pub(crate) inquiry: Inquiry,
}

/// What a controller is asked when a link to it comes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Inquiry {
    /// Whether it is alive and idle.
    #[default]
    Alive,
    /// Also what it knows of itself, when it stands still: [`Handle::facts`](crate::Handle::facts). A job whose link was lost goes
    /// on only with these. Costs a few round trips, half a second on grbl.
    Facts,
}

impl Config {
    /// The defaults around a streamer's configuration.
    #[must_use]
    pub fn new(streamer: streamer::Config) -> Self {
        Self {
            streamer,
            stops: StopPolicy::default(),
            reconnect: RetryPolicy::file(),
            checkpoints: CheckpointInterval::default(),
            budget: Budget::cnc(),
            events: 1024,
            inquiry: Inquiry::default(),
        }
    }

    /// What to do at program stops.
    #[must_use]
    pub fn stops(mut self, stops: StopPolicy) -> Self {
        self.stops = stops;
        self
    }

    /// How often a lost link is tried again. Default: 5 times, from 500 ms up to 10 s apart.
    #[must_use]
    pub fn reconnect(mut self, policy: RetryPolicy) -> Self {
        self.reconnect = policy;
        self
    }

    /// How often records are written.
    #[must_use]
    pub fn checkpoints(mut self, interval: CheckpointInterval) -> Self {
        self.checkpoints = interval;
        self
    }

    /// The memory that chunks may take. Default: 50 MiB, of which a job uses a few hundred KiB.
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// What the controller is asked when a link to it comes up. Default: whether it is alive and idle.
    #[must_use]
    pub fn inquiry(mut self, inquiry: Inquiry) -> Self {
        self.inquiry = inquiry;
        self
    }

    /// Events a slow subscriber may be behind before it is told that it lags. Default: 1,024.
    #[must_use]
    pub fn event_capacity(mut self, events: usize) -> Self {
        self.events = events.max(1);
        self
    }
}
