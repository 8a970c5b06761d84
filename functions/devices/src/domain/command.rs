//! Commands to a gateway: rows first, then messages.
//!
//! `queued` -> `sent` -> `accepted` -> `done` | `failed` | `timeout` | `expired` | `cancelled`. The gateway's answer
//! alone makes `done`; a command that comes twice has one id, and the gateway acts on it once.

use kernel::{ActorId, DeviceId, Message, MessageId, Refusal, Timestamp};
use wire::gateway::Outcome;

/// What a gateway is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Run with this version of its configuration.
    Configure {
        /// The version.
        version: i64,
    },
    /// Start again.
    Restart,
    /// Say that it is there.
    Ping,
}

impl Action {
    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Configure { .. } => "configure",
            Self::Restart => "restart",
            Self::Ping => "ping",
        }
    }

    /// How long it holds, in milliseconds: a gateway that restarts a day later than asked surprises people.
    #[must_use]
    pub fn holds_ms(&self) -> i64 {
        match self {
            Self::Configure { .. } => 60 * 60_000,
            Self::Restart | Self::Ping => 5 * 60_000,
        }
    }
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The command; also the id of its message.
    pub id: MessageId,
    /// Whom it is for.
    pub gateway: DeviceId,
    /// What is to be done.
    pub action: Action,
    /// Who asked; absent when it was owed.
    pub requested_by: Option<ActorId>,
    /// When.
    pub requested_at: Timestamp,
    /// From then on it is left undone.
    pub expires_at: Timestamp,
    /// What became of it.
    pub state: CommandState,
    /// Since when.
    pub state_at: Timestamp,
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandState {
    /// It waits for its gateway.
    Queued,
    /// The broker has it.
    Sent,
    /// The gateway is carrying it out.
    Accepted,
    /// The gateway has carried it out.
    Done,
    /// The gateway cannot.
    Failed {
        /// What it said.
        reason: String,
    },
    /// It was sent and not answered in time.
    Timeout,
    /// It was too late before it was sent, or when it arrived.
    Expired,
    /// Somebody took it back before it was sent.
    Cancelled,
}

impl CommandState {
    /// The names of all states.
    pub const NAMES: [&str; 8] = [
        "queued",
        "sent",
        "accepted",
        "done",
        "failed",
        "timeout",
        "expired",
        "cancelled",
    ];

    /// The state's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Accepted => "accepted",
            Self::Done => "done",
            Self::Failed { .. } => "failed",
            Self::Timeout => "timeout",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing changes it any more.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        !matches!(self, Self::Queued | Self::Sent | Self::Accepted)
    }
}

impl Command {
    /// A new command.
    #[must_use]
    pub fn new(
        id: MessageId,
        (gateway, action): (DeviceId, Action),
        requested_by: Option<ActorId>,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            gateway,
            expires_at: now.plus_millis(action.holds_ms()),
            action,
            requested_by,
            requested_at: now,
            state: CommandState::Queued,
            state_at: now,
        }
    }

    fn with(&self, state: CommandState, at: Timestamp) -> Self {
        Self {
            state,
            state_at: at,
            ..self.clone()
        }
    }
}

/// The broker has taken it; nothing when more than that is known already.
#[must_use]
pub fn sent(command: &Command, now: Timestamp) -> Option<Command> {
    (command.state == CommandState::Queued).then(|| command.with(CommandState::Sent, now))
}

/// The gateway has answered; nothing when the answer is known, too late, or behind what is known.
#[must_use]
pub fn answered(command: &Command, outcome: &Outcome, now: Timestamp) -> Option<Command> {
    let command = expire(command, now).unwrap_or_else(|| command.clone());
    if command.state.is_settled() {
        return None;
    }
    let state = match outcome {
        Outcome::Accepted if command.state == CommandState::Accepted => return None,
        Outcome::Accepted => CommandState::Accepted,
        Outcome::Done => CommandState::Done,
        Outcome::Failed { reason } => CommandState::Failed {
            reason: one_line(reason),
        },
        Outcome::Expired => CommandState::Expired,
    };
    Some(command.with(state, now))
}

/// Somebody takes it back; nothing when that was done already.
///
/// # Errors
/// 409 once it was sent: a message cannot be called back.
pub fn cancel(command: &Command, now: Timestamp) -> Result<Option<Command>, Refusal> {
    match command.state {
        CommandState::Queued => Ok(Some(command.with(CommandState::Cancelled, now))),
        CommandState::Cancelled => Ok(None),
        _ => {
            let name = command.state.name();
            Err(Refusal::conflict(
                "command_state",
                Message::new(
                    format!("The command is {name}. Only one that is queued can be taken back."),
                    format!("指令状态为 {name}，只有排队中的指令可以取消。"),
                ),
            ))
        }
    }
}

/// What its deadline makes of it at `now`; nothing before, or when it is settled.
#[must_use]
pub fn expire(command: &Command, now: Timestamp) -> Option<Command> {
    if now < command.expires_at || command.state.is_settled() {
        return None;
    }
    let state = match command.state {
        CommandState::Queued => CommandState::Expired,
        _ => CommandState::Timeout,
    };
    Some(command.with(state, command.expires_at))
}

/// No such command, or none that the caller may know.
#[must_use]
pub fn unknown_command() -> Refusal {
    Refusal::not_found(
        "command_unknown",
        Message::new(
            "There is no such command that you can see.",
            "未找到您可查看的指令。",
        ),
    )
}

/// What a device says is shortened and cleaned, because an answer is not lost for its form.
fn one_line(text: &str) -> String {
    const CHARACTERS_MAX: usize = 200;
    let clean = text.chars().map(|character| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    });
    let short: String = clean.take(CHARACTERS_MAX).collect();
    short.trim().to_owned()
}
