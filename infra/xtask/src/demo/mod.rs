//! The demo community: a tenant with people, houses, doors and a gateway, loaded over the HTTP API like anybody's.
//! Its passwords are random; they stand in a file that only the owner reads.

pub mod bills;
pub mod register;
pub mod shop;

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::client::Client;

/// The tenant.
pub const TENANT: &str = "demo";
/// The community of it.
pub const COMMUNITY: &str = "garden";
/// The OSDP address of every simulated controller.
pub const CONTROLLER_ADDRESS: u8 = 1;

const PASSWORD_BYTES: usize = 12;
/// The file in the data folder that keeps the passwords.
const FILE: &str = "demo.toml";

/// A person of the demo.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Person {
    /// What they log in with.
    pub username: String,
    /// Random.
    pub password: String,
    /// The kind of actor.
    pub kind: String,
    /// The id of the actor, made by the API.
    pub id: String,
}

/// A door of the demo.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Door {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The output of the simulated controller that releases it.
    pub output: u8,
}

/// The gateway of the demo.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Gateway {
    /// Its id.
    pub id: String,
    /// Made by the API.
    pub password: String,
}

/// What was loaded.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Demo {
    /// The tenant.
    pub tenant: String,
    /// Its people, the operator first.
    pub people: Vec<Person>,
    /// Its doors.
    pub doors: Vec<Door>,
    /// Its gateway.
    pub gateway: Gateway,
}

impl Demo {
    /// Reads what an earlier start has loaded.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn read(data: &Path) -> Result<Option<Self>> {
        let file = data.join(FILE);
        if !file.exists() {
            return Ok(None);
        }
        let text =
            fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        Ok(Some(
            toml::from_str(&text).with_context(|| format!("reading {}", file.display()))?,
        ))
    }

    /// Keeps what was loaded, readable by the owner alone.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, data: &Path) -> Result<()> {
        write_private(
            &data.join(FILE),
            &toml::to_string(self).context("writing the demo")?,
        )
    }

    /// The first person of a kind.
    ///
    /// # Errors
    /// When there is none.
    pub fn person(&self, kind: &str) -> Result<&Person> {
        self.people
            .iter()
            .find(|person| person.kind == kind)
            .with_context(|| format!("the demo has no {kind}"))
    }

    /// Loads the demo over the API.
    ///
    /// # Errors
    /// When the API refuses something.
    pub async fn load(internal: &Client) -> Result<Self> {
        let mut operator = new_person("operator", "operator")?;
        let first = json!({ "username": operator.username, "password": operator.password });
        let founded = internal
            .post(
                "/internal/tenants",
                json!({ "tenant": TENANT, "name": "Demo 演示物业", "operator": first }),
            )
            .await?;
        let api = internal.log_in(TENANT, &operator).await?;
        let id = founded["operator"]["id"].as_str();
        id.context("the operator has no id")?
            .clone_into(&mut operator.id);
        let mut people = vec![operator];
        for (username, kind) in [
            ("butler", "staff"),
            ("li", "resident"),
            ("zhang", "resident"),
            ("auditor", "auditor"),
        ] {
            people.push(add_person(&api, username, kind).await?);
        }
        let doors = vec![
            Door {
                id: "north-gate".to_owned(),
                name: "North gate 北门".to_owned(),
                output: 0,
            },
            Door {
                id: "south-gate".to_owned(),
                name: "South gate 南门".to_owned(),
                output: 1,
            },
            Door {
                id: "building-1".to_owned(),
                name: "Building 1 一号楼".to_owned(),
                output: 2,
            },
        ];
        let gateway = add_gateway(&api, "gateway-1", &doors).await?;
        for door in &doors {
            let body = json!({ "id": door.id, "community": COMMUNITY, "name": door.name, "gateway": gateway.id });
            api.post("/api/doors", body).await?;
        }
        let demo = Self {
            tenant: TENANT.to_owned(),
            people,
            doors,
            gateway,
        };
        demo.load_grants(&api).await?;
        register::load(&api, &demo)
            .await
            .context("the register of communities")?;
        bills::load(&api).await.context("what is billed")?;
        settle(internal).await?;
        Ok(demo)
    }

    /// Li may open every door; zhang's one grant is suspended.
    async fn load_grants(&self, api: &Client) -> Result<()> {
        let id = |username: &str| {
            self.people
                .iter()
                .find(|person| person.username == username)
                .map(|person| person.id.clone())
        };
        let (li, zhang) = (id("li").context("no li")?, id("zhang").context("no zhang")?);
        for door in &self.doors {
            api.post(
                &format!("/api/doors/{}/grants", door.id),
                json!({ "person": li }),
            )
            .await?;
        }
        let gate = self.doors.first().context("no door")?;
        let grant = api
            .post(
                &format!("/api/doors/{}/grants", gate.id),
                json!({ "person": zhang }),
            )
            .await?;
        let grant = grant["id"].as_str().context("the grant has no id")?;
        let reason = json!({ "reason": "Moved out 已搬离" });
        api.call(
            "PUT",
            &format!("/api/grants/{grant}/suspension"),
            Some(reason),
        )
        .await
        .map(drop)
    }

    /// The bridge's configuration for a controller at a TCP address; `site` is where permissions come from.
    #[must_use]
    pub fn bridge_toml(&self, site: &str, broker: &str, data: &Path, controller: &str) -> String {
        let mut text = format!(
            "tenant = {:?}\ngateway = {:?}\nsite = {site:?}\nbroker = {broker:?}\npassword = {:?}\ndata = {:?}\n\n\
             [[lines]]\nid = \"line-1\"\nport = \"{controller}\"\n",
            self.tenant,
            self.gateway.id,
            self.gateway.password,
            data.display().to_string()
        );
        for door in &self.doors {
            text.push_str(&format!(
                "\n[[doors]]\nid = {:?}\nline = \"line-1\"\naddress = {CONTROLLER_ADDRESS}\noutput = {}\n",
                door.id, door.output
            ));
        }
        text
    }
}

/// Lets every function hear what the others recorded: who an account belongs to, and then what that person may do.
async fn settle(internal: &Client) -> Result<()> {
    for function in [
        "community",
        "identity",
        "community",
        "devices",
        "visitors",
        "doors",
    ] {
        let path = format!("/internal/ticks/{function}");
        internal.call("POST", &path, None).await?;
    }
    Ok(())
}

async fn add_person(api: &Client, username: &str, kind: &str) -> Result<Person> {
    let mut person = new_person(username, kind)?;
    let mut body = json!({
        "username": username, "password": person.password, "kind": kind, "communities": [COMMUNITY],
    });
    if let Some((_, phone)) = register::PHONES.iter().find(|(name, _)| *name == username) {
        body["phone"] = json!(phone);
    }
    let added = api.post("/api/people", body).await?;
    person.id = added["id"]
        .as_str()
        .context("the person has no id")?
        .to_owned();
    Ok(person)
}

/// Registers the gateway with the doors that it speaks for; the API makes its password and shows it once.
async fn add_gateway(api: &Client, id: &str, doors: &[Door]) -> Result<Gateway> {
    let children: Vec<_> = doors
        .iter()
        .map(|door| json!({ "kind": "door", "id": door.id }))
        .collect();
    let body = json!({ "id": id, "kind": "gateway", "children": children });
    let added = api.post("/api/devices", body).await?;
    let password = added["credential"]["password"].as_str();
    Ok(Gateway {
        id: id.to_owned(),
        password: password.context("the gateway has no password")?.to_owned(),
    })
}

fn new_person(username: &str, kind: &str) -> Result<Person> {
    Ok(Person {
        username: username.to_owned(),
        password: secret()?,
        kind: kind.to_owned(),
        id: String::new(),
    })
}

/// A password that nobody guesses.
fn secret() -> Result<String> {
    let mut bytes = [0_u8; PASSWORD_BYTES];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("reading /dev/urandom")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Writes a file that only its owner reads.
///
/// # Errors
/// When it cannot be written.
pub fn write_private(file: &Path, text: &str) -> Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(file);
    written
        .and_then(|mut open| open.write_all(text.as_bytes()))
        .with_context(|| format!("writing {}", file.display()))
}
