//! The database, its transactions, and reads outside of them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kernel::TenantId;

use crate::engine::{Engine, Session};
use crate::news::{Appended, News};
use crate::{Error, ErrorKind, Row, Value};

/// The most rows one result may have; a longer list is read in pages.
pub const ROWS_MAX: usize = 1_000;

/// The most rows of one statement of [`Tx::insert_many`]; both engines take that many times twenty parameters.
pub const INSERT_ROWS_MAX: usize = 250;

/// How often a transaction is run again when others were in its way.
pub const RERUNS_MAX: u32 = 3;

/// A database of either engine. Cheap to clone; connections are opened when they are needed.
#[derive(Clone)]
pub struct Db {
    engine: Engine,
    news: Arc<Mutex<News>>,
}

impl Db {
    /// The database of that URL. In a function, empty text is Spin's SQLite database `default` and anything else
    /// a `postgres://` URL; natively `sqlite:PATH` and `postgres://...`. Nothing is connected yet.
    ///
    /// # Errors
    /// When the URL names neither engine.
    pub fn open(database_url: &str) -> anyhow::Result<Self> {
        Ok(Self::new(Engine::open(database_url)?))
    }

    pub(crate) fn new(engine: Engine) -> Self {
        Self {
            engine,
            news: Arc::default(),
        }
    }

    /// The tenants in whose logs this database, or a clone of it, has committed facts that other capabilities wait
    /// for since the last call; their doorbells are rung now.
    #[must_use]
    pub fn take_news(&self) -> BTreeSet<TenantId> {
        self.news().take()
    }

    /// As [`Db::take_news`], for facts that nobody needs to hear of at once; their doorbells are rung now and then.
    #[must_use]
    pub fn take_soon_news(&self) -> BTreeSet<TenantId> {
        self.news().take_soon()
    }

    /// Somebody waits for what this tenant's log holds.
    pub(crate) fn has_news(&self, tenant: &TenantId) {
        self.news().add(tenant, true);
    }

    fn news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rows of a query outside any transaction.
    ///
    /// # Errors
    /// A failure of the database, or more than [`ROWS_MAX`] rows.
    pub async fn rows(&self, sql: &str, parameters: &[Value]) -> anyhow::Result<Vec<Row>> {
        limited(sql, self.engine.rows(sql, parameters).await?)
    }

    /// The first row of a query outside any transaction.
    ///
    /// # Errors
    /// As [`Db::rows`].
    pub async fn row(&self, sql: &str, parameters: &[Value]) -> anyhow::Result<Option<Row>> {
        Ok(self.rows(sql, parameters).await?.into_iter().next())
    }

    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }
}

/// What a query can be asked of: the database, or a transaction on it. So a statement is written once and used in
/// both.
#[allow(
    async_fn_in_trait,
    reason = "guests have one thread, and native callers await in place"
)]
pub trait Read {
    /// The rows of a query.
    ///
    /// # Errors
    /// A failure of the database, or more than [`ROWS_MAX`] rows.
    async fn rows(&self, sql: &str, parameters: &[Value]) -> anyhow::Result<Vec<Row>>;

    /// The first row of a query.
    ///
    /// # Errors
    /// As [`Read::rows`].
    async fn row(&self, sql: &str, parameters: &[Value]) -> anyhow::Result<Option<Row>> {
        Ok(self.rows(sql, parameters).await?.into_iter().next())
    }

    /// The rows of a query `... from (values ($1, .., $n)) ...` about many things at once, [`INSERT_ROWS_MAX`] with
    /// each statement. Both engines call the columns of that list `column1`, `column2` and so on; PostgreSQL takes
    /// them for text until they are cast.
    ///
    /// # Errors
    /// As [`Read::rows`]; a statement of another shape.
    async fn rows_about(&self, sql: &str, about: &[Vec<Value>]) -> anyhow::Result<Vec<Row>> {
        let mut found = Vec::new();
        for statement in statements(sql, about) {
            let (many, parameters) = statement?;
            found.extend(self.rows(&many, &parameters).await?);
        }
        Ok(found)
    }
}

impl Read for Db {
    async fn rows(&self, sql: &str, parameters: &[Value]) -> anyhow::Result<Vec<Row>> {
        Self::rows(self, sql, parameters).await
    }
}

/// A transaction of one tenant. Nothing but SQL happens inside; the world is talked to after the commit.
pub struct Tx {
    tenant: TenantId,
    session: Session,
    /// The facts that were appended.
    appended: Mutex<Appended>,
}

impl Tx {
    /// Whose transaction this is.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The facts that were appended in it.
    pub(crate) fn appended(&self) -> MutexGuard<'_, Appended> {
        self.appended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rows of a query, or of a statement with RETURNING.
    ///
    /// # Errors
    /// A failure of the database, or more than [`ROWS_MAX`] rows.
    pub async fn rows(&self, sql: &str, parameters: &[Value]) -> anyhow::Result<Vec<Row>> {
        limited(sql, self.session.rows(sql, parameters).await?)
    }

    /// The first row of a query, or of a statement with RETURNING: whether a change touched anything shows there.
    ///
    /// # Errors
    /// As [`Tx::rows`].
    pub async fn row(&self, sql: &str, parameters: &[Value]) -> anyhow::Result<Option<Row>> {
        Ok(self.rows(sql, parameters).await?.into_iter().next())
    }

    /// Executes a statement that answers nothing.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn execute(&self, sql: &str, parameters: &[Value]) -> anyhow::Result<()> {
        self.session
            .execute(sql, parameters)
            .await
            .map_err(Into::into)
    }
}

impl Tx {
    /// Executes an `insert ... values ($1, .., $n)` for many rows, [`INSERT_ROWS_MAX`] with each statement: one
    /// round trip to the database instead of hundreds. The list of parameters ends the statement, or an
    /// `on conflict` clause without parameters follows it.
    ///
    /// # Errors
    /// A failure of the database; a statement of another shape.
    pub async fn insert_many(&self, sql: &str, rows: &[Vec<Value>]) -> anyhow::Result<()> {
        insert_many(&self.session, sql, rows).await
    }

    /// As [`Tx::insert_many`], for a statement that ends with RETURNING: the rows of all of them.
    ///
    /// # Errors
    /// As [`Tx::insert_many`].
    pub async fn insert_many_rows(
        &self,
        sql: &str,
        rows: &[Vec<Value>],
    ) -> anyhow::Result<Vec<Row>> {
        self.rows_about(sql, rows).await
    }
}

impl Read for Tx {
    async fn rows(&self, sql: &str, parameters: &[Value]) -> anyhow::Result<Vec<Row>> {
        Self::rows(self, sql, parameters).await
    }
}

/// A transaction without a tenant's lock, for rows that are only ever appended or swept: no decision may be based
/// on what is read in it, and no event is appended in it.
pub struct Batch {
    session: Session,
}

impl Batch {
    /// As [`Tx::insert_many`].
    ///
    /// # Errors
    /// As [`Tx::insert_many`].
    pub async fn insert_many(&self, sql: &str, rows: &[Vec<Value>]) -> anyhow::Result<()> {
        insert_many(&self.session, sql, rows).await
    }

    /// The rows of a query, or of a statement with RETURNING.
    ///
    /// # Errors
    /// A failure of the database, or more than [`ROWS_MAX`] rows.
    pub async fn rows(&self, sql: &str, parameters: &[Value]) -> anyhow::Result<Vec<Row>> {
        limited(sql, self.session.rows(sql, parameters).await?)
    }

    /// Executes a statement that answers nothing.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn execute(&self, sql: &str, parameters: &[Value]) -> anyhow::Result<()> {
        self.session
            .execute(sql, parameters)
            .await
            .map_err(Into::into)
    }
}

/// Runs `work` in a transaction that holds the tenant's lock: a tenant's decisions happen one after another, and
/// the order of its events is the order of their commits. `work` is called again, at most [`RERUNS_MAX`] times,
/// when others were in the way; it must do nothing but SQL.
///
/// # Errors
/// The error of `work` as it is, after a rollback; or a failure of the database.
pub async fn tx<T, Work>(db: &Db, tenant: &TenantId, work: Work) -> anyhow::Result<T>
where
    Work: AsyncFn(&mut Tx) -> anyhow::Result<T>,
{
    let mut reruns = 0;
    loop {
        match attempt(db, tenant, &work).await {
            Err(error) if reruns < RERUNS_MAX && Error::is_busy(&error) => reruns += 1,
            other => return other,
        }
    }
}

/// Runs `work` in a transaction without a tenant's lock; see [`Batch`].
///
/// # Errors
/// As [`tx`].
pub async fn bulk<T, Work>(db: &Db, work: Work) -> anyhow::Result<T>
where
    Work: AsyncFn(&mut Batch) -> anyhow::Result<T>,
{
    let mut reruns = 0;
    loop {
        let mut batch = Batch {
            session: db.engine.begin().await?,
        };
        let outcome = work(&mut batch).await;
        match finish(batch.session, outcome).await {
            Err(error) if reruns < RERUNS_MAX && Error::is_busy(&error) => reruns += 1,
            other => return other,
        }
    }
}

async fn attempt<T, Work>(db: &Db, tenant: &TenantId, work: &Work) -> anyhow::Result<T>
where
    Work: AsyncFn(&mut Tx) -> anyhow::Result<T>,
{
    let mut tx = Tx {
        tenant: tenant.clone(),
        session: db.engine.begin().await?,
        appended: Mutex::default(),
    };
    let outcome = match lock_tenant(&tx).await {
        Ok(()) => work(&mut tx).await,
        Err(error) => Err(error),
    };
    let value = finish(tx.session, outcome).await?;
    let appended = tx.appended.into_inner();
    let appended = appended.unwrap_or_else(PoisonError::into_inner);
    appended.tell(tenant, &mut db.news());
    Ok(value)
}

/// On SQLite the transaction has already locked the whole database. On PostgreSQL the tenant's row in `event_head`
/// is the lock; two first transactions of a tenant may race to insert it, and the second waits for the first.
async fn lock_tenant(tx: &Tx) -> anyhow::Result<()> {
    if !tx.session.needs_row_lock() {
        return Ok(());
    }
    let tenant = [Value::from(&tx.tenant)];
    let lock = "select seq from event_head where tenant = $1 for update";
    if tx.row(lock, &tenant).await?.is_none() {
        tx.execute(
            "insert into event_head (tenant, seq) values ($1, 0) on conflict (tenant) do nothing",
            &tenant,
        )
        .await?;
        tx.row(lock, &tenant).await?;
    }
    Ok(())
}

/// Ends the transaction on every path.
async fn finish<T>(session: Session, outcome: anyhow::Result<T>) -> anyhow::Result<T> {
    match outcome {
        Ok(value) => {
            session.commit().await?;
            Ok(value)
        }
        Err(error) => {
            if let Err(rollback) = session.rollback().await {
                // The connection is given up, and with it the transaction; the caller's error matters more.
                let line = serde_json::json!({ "level": "warn", "message": "a rollback failed", "cause": rollback.to_string() });
                eprintln!("{line}");
            }
            Err(error)
        }
    }
}

async fn insert_many(session: &Session, sql: &str, rows: &[Vec<Value>]) -> anyhow::Result<()> {
    for statement in statements(sql, rows) {
        let (many, parameters) = statement?;
        session.execute(&many, &parameters).await?;
    }
    Ok(())
}

/// A statement about one row as statements about many, [`INSERT_ROWS_MAX`] with each, and their parameters.
fn statements(
    sql: &str,
    rows: &[Vec<Value>],
) -> impl Iterator<Item = anyhow::Result<(String, Vec<Value>)>> {
    rows.chunks(INSERT_ROWS_MAX).map(move |chunk| {
        let many = crate::sql::with_rows(sql, chunk.len())?;
        Ok((many, chunk.iter().flatten().cloned().collect()))
    })
}

fn limited(sql: &str, rows: Vec<Row>) -> anyhow::Result<Vec<Row>> {
    if rows.len() > ROWS_MAX {
        return Err(Error::new(
            ErrorKind::TooManyRows,
            sql,
            format!("more than {ROWS_MAX} rows"),
        )
        .into());
    }
    Ok(rows)
}
