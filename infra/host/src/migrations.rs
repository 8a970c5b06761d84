//! The migrations of the whole application: which folders the manifest names, and which database they belong to.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use futures_util::future::BoxFuture;

use crate::manifest::Manifest;

/// What applies folders of migrations, each with the name of the capability around it, to a database of that URL, and
/// names the files that it applied. The host knows no database of an application; who starts it says how.
pub type Migrate = fn(String, Vec<(String, PathBuf)>) -> BoxFuture<'static, Result<Vec<String>>>;

/// The label of the one database that all functions share.
const DATABASE: &str = "default";

/// The URL of the embedded database in that data folder.
#[must_use]
pub fn embedded_database(data: &Path) -> String {
    format!("sqlite:{}", data.join(format!("{DATABASE}.db")).display())
}

/// Applies what that database lacks; the names of the files applied.
///
/// # Errors
/// When a folder cannot be read, an applied file was changed, or the database refuses a statement.
pub async fn apply(
    manifest: &Manifest,
    database_url: &str,
    migrate: Migrate,
) -> Result<Vec<String>> {
    let folders = manifest.migration_folders();
    let named = folders
        .iter()
        .map(|folder| (owner(folder).to_owned(), folder.clone()))
        .collect();
    migrate(database_url.to_owned(), named)
        .await
        .context("migrating the database")
}

/// `functions/doors/migrations` belongs to `doors`.
fn owner(folder: &Path) -> &str {
    folder
        .parent()
        .and_then(Path::file_name)
        .and_then(|name| name.to_str())
        .unwrap_or("application")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_migrations_belongs_to_the_capability_around_it() {
        assert_eq!(owner(Path::new("functions/doors/migrations")), "doors");
        assert_eq!(owner(Path::new("migrations")), "application");
    }
}
