//! The values of the application's variables: from the environment, from the data folder, or their defaults.
//! A required secret that nobody gives is made here on first start and kept, so that there is no default secret.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::{Context, Result, bail};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::manifest::Variable;

/// The file in the data folder: a flat table, name = "value", readable by its owner only.
pub const SECRETS_FILE: &str = "secrets.toml";

/// The random bytes of a secret made here.
pub const SECRET_BYTES: usize = 32;

/// Where the value of a variable is looked up first: the environment variable `SPIN_VARIABLE_NAME`.
#[must_use]
pub fn from_environment(name: &str) -> Option<String> {
    std::env::var(format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase())).ok()
}

/// The value of every variable. `given` is asked first; required secrets without a value are made and kept in
/// the data folder.
///
/// # Errors
/// When a required variable that is not secret has no value, or the file of secrets cannot be read or written.
pub fn resolve(
    variables: &BTreeMap<String, Variable>,
    given: impl Fn(&str) -> Option<String>,
    data: &Path,
) -> Result<BTreeMap<String, String>> {
    let path = data.join(SECRETS_FILE);
    let mut secrets = read(&path)?;
    let kept = secrets.len();
    let mut values = BTreeMap::new();
    for (name, variable) in variables {
        let value = match (given(name), &variable.default) {
            (Some(value), _) => value,
            (None, Some(default)) => default.clone(),
            (None, None) if variable.secret => match secrets.get(name) {
                Some(secret) => secret.clone(),
                None => {
                    let secret = make().context("making a secret")?;
                    secrets.insert(name.clone(), secret.clone());
                    secret
                }
            },
            (None, None) => bail!(
                "the variable {name:?} is required and has no value: set the environment variable SPIN_VARIABLE_{}",
                name.to_ascii_uppercase()
            ),
        };
        values.insert(name.clone(), value);
    }
    if secrets.len() > kept {
        write(&path, &secrets).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(values)
}

fn read(path: &Path) -> Result<BTreeMap<String, String>> {
    match fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text).with_context(|| format!("{} is broken", path.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Writes the file beside the old one and swaps them, so that a power cut leaves one of the two whole.
fn write(path: &Path, secrets: &BTreeMap<String, String>) -> Result<()> {
    let new = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(toml::to_string(secrets)?.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn make() -> Result<String> {
    let mut bytes = [0; SECRET_BYTES];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn variables() -> BTreeMap<String, Variable> {
        BTreeMap::from([
            (
                "secret".to_owned(),
                Variable {
                    default: None,
                    secret: true,
                },
            ),
            (
                "plain".to_owned(),
                Variable {
                    default: Some("default".to_owned()),
                    secret: false,
                },
            ),
        ])
    }

    #[test]
    fn a_secret_is_made_once_and_kept_for_its_owner_only() {
        let data = tempfile::tempdir().unwrap();
        let first = resolve(&variables(), |_| None, data.path()).unwrap();
        let second = resolve(&variables(), |_| None, data.path()).unwrap();
        assert_eq!(first, second);
        assert_eq!(
            BASE64_URL_SAFE_NO_PAD
                .decode(&first["secret"])
                .unwrap()
                .len(),
            SECRET_BYTES
        );
        assert_eq!(first["plain"], "default");
        let mode = fs::metadata(data.path().join(SECRETS_FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let elsewhere = tempfile::tempdir().unwrap();
        assert_ne!(
            resolve(&variables(), |_| None, elsewhere.path()).unwrap()["secret"],
            first["secret"]
        );
    }

    #[test]
    fn what_is_given_wins_and_is_not_kept() {
        let data = tempfile::tempdir().unwrap();
        let given = |name: &str| Some(format!("given {name}"));
        let values = resolve(&variables(), given, data.path()).unwrap();
        assert_eq!(values["secret"], "given secret");
        assert_eq!(values["plain"], "given plain");
        assert!(!data.path().join(SECRETS_FILE).exists());
    }

    #[test]
    fn a_required_variable_that_is_no_secret_must_be_given() {
        let data = tempfile::tempdir().unwrap();
        let variables = BTreeMap::from([("host".to_owned(), Variable::default())]);
        let error = resolve(&variables, |_| None, data.path()).unwrap_err();
        assert!(error.to_string().contains("SPIN_VARIABLE_HOST"), "{error}");
    }
}
