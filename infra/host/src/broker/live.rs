//! Which client ids have a session now, whose they are, and what they subscribe to: the broker's side of what
//! `journal` keeps.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rmqtt::types::Id;

/// One client id's session.
struct Live {
    /// The connection that owns it; events of earlier ones come late and are ignored.
    id: Id,
    username: Option<String>,
    persistent: bool,
    /// Topic filter to options (JSON).
    subscriptions: HashMap<String, String>,
    /// The rows that the latest connection took over when it connected.
    taken_over: HashSet<u64>,
}

/// All of them.
#[derive(Default)]
pub(super) struct LiveSessions {
    sessions: Mutex<HashMap<String, Live>>,
}

impl LiveSessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Live>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session begins with nothing.
    pub(super) fn begin(&self, id: &Id) {
        self.lock()
            .insert(id.client_id.to_string(), Live::new(id, false));
    }

    /// A connection takes the client id's session. Returns whether it was persistent, and the subscriptions it has.
    pub(super) fn connect(&self, id: &Id, persistent: bool) -> (bool, Vec<(String, String)>) {
        let mut sessions = self.lock();
        let live = sessions
            .entry(id.client_id.to_string())
            .or_insert_with(|| Live::new(id, false));
        let was = live.persistent;
        live.id = id.clone();
        live.username = id.username.as_ref().map(ToString::to_string);
        live.persistent = persistent;
        (was, live.subscriptions.clone().into_iter().collect())
    }

    /// A session that was on disk.
    pub(super) fn restore(&self, id: &Id, subscriptions: &[(String, String)]) {
        let mut live = Live::new(id, true);
        live.subscriptions = subscriptions.iter().cloned().collect();
        self.lock().insert(id.client_id.to_string(), live);
    }

    /// Removes a session, if this connection still owns it. Returns whether it did.
    pub(super) fn end(&self, id: &Id) -> bool {
        let mut sessions = self.lock();
        let owns = sessions
            .get(&*id.client_id)
            .is_some_and(|live| live.id == *id);
        if owns {
            sessions.remove(&*id.client_id);
        }
        owns
    }

    /// Whether this connection owns its client id's session.
    pub(super) fn owns(&self, id: &Id) -> bool {
        self.lock()
            .get(&*id.client_id)
            .is_some_and(|live| live.id == *id)
    }

    /// Whether the client id's messages are kept on disk.
    pub(super) fn is_persistent(&self, client_id: &str) -> bool {
        self.lock()
            .get(client_id)
            .is_some_and(|live| live.persistent)
    }

    /// Whether the client id's session belongs to somebody with another user name.
    pub(super) fn is_of_another(&self, client_id: &str, username: Option<&str>) -> bool {
        self.lock()
            .get(client_id)
            .is_some_and(|live| live.username.as_deref() != username)
    }

    /// Notes a subscription. Returns whether it is to be kept on disk.
    pub(super) fn subscribe(&self, client_id: &str, filter: &str, options: &str) -> bool {
        self.lock().get_mut(client_id).is_some_and(|live| {
            live.subscriptions
                .insert(filter.to_owned(), options.to_owned());
            live.persistent
        })
    }

    /// Forgets a subscription. Returns whether it was kept on disk.
    pub(super) fn unsubscribe(&self, client_id: &str, filter: &str) -> bool {
        self.lock().get_mut(client_id).is_some_and(|live| {
            live.subscriptions.remove(filter);
            live.persistent
        })
    }

    /// Notes which rows a new connection found.
    pub(super) fn take_over(&self, client_id: &str, rows: HashSet<u64>) {
        if let Some(live) = self.lock().get_mut(client_id) {
            live.taken_over = rows;
        }
    }

    /// Whether the latest connection already has this row.
    pub(super) fn has_taken_over(&self, client_id: &str, row: u64) -> bool {
        self.lock()
            .get(client_id)
            .is_some_and(|live| live.taken_over.contains(&row))
    }
}

impl Live {
    fn new(id: &Id, persistent: bool) -> Self {
        Self {
            id: id.clone(),
            username: id.username.as_ref().map(ToString::to_string),
            persistent,
            subscriptions: HashMap::new(),
            taken_over: HashSet::new(),
        }
    }
}
