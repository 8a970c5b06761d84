//! The stored seals against the transactions.

use std::collections::VecDeque;

use kernel::TenantId;
use store::{Db, Row};

use super::{PAGE_ROWS, Report, transactions};
use crate::seal::{FIRST, Seal};
use crate::sql;

/// The seals, recomputed one after another while the transactions pass by.
pub(super) struct Seals {
    waiting: VecDeque<Stored>,
    current: Option<Seal>,
    previous: String,
    through: i64,
}

struct Stored {
    number: i64,
    from: i64,
    until: i64,
    digest: String,
}

impl Seals {
    /// The seals up to that transaction.
    pub(super) async fn read(db: &Db, tenant: &TenantId, sealed: i64) -> anyhow::Result<Self> {
        let mut waiting = VecDeque::new();
        let mut after = 0;
        loop {
            let parameters = [tenant.into(), i64::into(after), PAGE_ROWS.into()];
            let rows = db.rows(sql::SEALS, &parameters).await?;
            for row in &rows {
                after = row.integer(0)?;
                let until = row.integer(3)?;
                if until <= sealed {
                    waiting.push_back(Stored {
                        number: after,
                        from: row.integer(2)?,
                        until,
                        digest: row.text(4)?.to_owned(),
                    });
                }
            }
            if i64::try_from(rows.len())? < PAGE_ROWS {
                break;
            }
        }
        Ok(Self {
            waiting,
            current: None,
            previous: FIRST.to_owned(),
            through: 0,
        })
    }

    /// A page of transactions passes by; nothing is read when no seal waits for them.
    pub(super) async fn pass(
        &mut self,
        db: &Db,
        tenant: &TenantId,
        span: (i64, i64),
        report: &mut Report,
    ) -> anyhow::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        for row in &transactions(db, tenant, span).await? {
            self.add(row, report)?;
        }
        Ok(())
    }

    fn add(&mut self, row: &Row, report: &mut Report) -> anyhow::Result<()> {
        let seq = row.integer(0)?;
        while let Some(stored) = self.waiting.front() {
            if seq > stored.until {
                self.close(report);
                continue;
            }
            if seq >= stored.from {
                let previous = &self.previous;
                self.current
                    .get_or_insert_with(|| Seal::after(previous))
                    .add(row)?;
            }
            return Ok(());
        }
        Ok(())
    }

    fn close(&mut self, report: &mut Report) {
        let Some(stored) = self.waiting.pop_front() else {
            return;
        };
        report.seals += 1;
        if stored.from != self.through + 1 {
            report.add(
                "seal_gap",
                stored.number,
                format!(
                    "it begins at {}, the last ended at {}",
                    stored.from, self.through
                ),
            );
        }
        let recomputed = self.current.take().map(Seal::digest);
        if recomputed.as_ref() != Some(&stored.digest) {
            report.add(
                "seal_broken",
                stored.number,
                format!(
                    "the transactions {} to {} are not those that were sealed",
                    stored.from, stored.until
                ),
            );
        }
        self.through = stored.until;
        // The stored digest, so that one broken seal is one finding.
        self.previous = stored.digest;
    }

    /// All have passed by; the head says that so many are sealed.
    pub(super) fn finish(mut self, sealed: i64, report: &mut Report) {
        while !self.waiting.is_empty() {
            self.close(report);
        }
        if self.through != sealed {
            report.add(
                "seal_missing",
                sealed,
                format!(
                    "the head says that {sealed} transactions are sealed, the seals end at {}",
                    self.through
                ),
            );
        }
    }
}
