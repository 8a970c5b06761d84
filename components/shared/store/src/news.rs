//! Which facts were appended, and whose doorbells are to be rung for them.

use std::collections::BTreeSet;

use kernel::TenantId;

/// The tenants in whose logs others have something to hear.
#[derive(Default)]
pub(crate) struct News {
    at_once: BTreeSet<TenantId>,
    soon: BTreeSet<TenantId>,
}

impl News {
    /// There is something to hear at this tenant's, at once or some time soon.
    pub(crate) fn add(&mut self, tenant: &TenantId, at_once: bool) {
        let tenants = match at_once {
            true => &mut self.at_once,
            false => &mut self.soon,
        };
        tenants.insert(tenant.clone());
    }

    /// Where it is rung at once.
    pub(crate) fn take(&mut self) -> BTreeSet<TenantId> {
        std::mem::take(&mut self.at_once)
    }

    /// Where it is rung now and then.
    pub(crate) fn take_soon(&mut self) -> BTreeSet<TenantId> {
        std::mem::take(&mut self.soon)
    }
}

/// How soon others want to hear of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// Nobody does.
    Not,
    /// Some time soon.
    Soon,
    /// At once.
    AtOnce,
}

/// The facts that one transaction appended.
#[derive(Default)]
pub(crate) struct Appended {
    kinds: BTreeSet<&'static str>,
    last: i64,
    at_once: bool,
    soon: bool,
}

impl Appended {
    /// A fact of that kind was appended, and the log's last one stands there now.
    pub(crate) fn add(&mut self, (kind, last): (&'static str, i64), awaited: Awaited) {
        self.kinds.insert(kind);
        self.last = last;
        match awaited {
            Awaited::Not => {}
            Awaited::Soon => self.soon = true,
            Awaited::AtOnce => self.at_once = true,
        }
    }

    /// Where the last one stands, if there is any; and whether one of these kinds is among them, or with none any.
    pub(crate) fn last(&self, kinds: &[&str]) -> Option<(i64, bool)> {
        let concerns = kinds.is_empty() || kinds.iter().any(|kind| self.kinds.contains(kind));
        (!self.kinds.is_empty()).then_some((self.last, concerns))
    }

    /// They are committed: others have something to hear.
    pub(crate) fn tell(&self, tenant: &TenantId, news: &mut News) {
        if self.at_once {
            news.add(tenant, true);
        }
        if self.soon {
            news.add(tenant, false);
        }
    }
}
